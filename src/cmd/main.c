/* Finds the command whose words stand at the front of the command line, and runs it. */
#include "cmd/command.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const command_t *const COMMANDS[] = {
    &CMD_SERVE,
    &CMD_CONFIG_CHECK,
    &CMD_CONFIG_SHOW,
    &CMD_ADMIN_USER_ADD,
    &CMD_ADMIN_USER_PASSWORD,
    &CMD_ADMIN_USER_DISABLE,
    &CMD_ADMIN_USER_LIST,
    &CMD_ADMIN_CLIENT_ADD,
    &CMD_ADMIN_CLIENT_DELETE,
    &CMD_ADMIN_CLIENT_LIST,
    &CMD_ADMIN_RESOURCE_ADD,
    &CMD_ADMIN_RESOURCE_DELETE,
    &CMD_ADMIN_RESOURCE_LIST,
    &CMD_ADMIN_REGISTRATION_TOKEN,
    &CMD_ADMIN_KEY_ROTATE,
    &CMD_AUDIT_TAIL,
    &CMD_AUDIT_VERIFY,
};
enum { N_COMMANDS = sizeof COMMANDS / sizeof COMMANDS[0] };

int command_fail(int code, const char *fmt, ...)
{
    char message[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    fprintf(stderr, "warder: %s\n", message);
    return code;
}

/* How many words of argv the command's name takes, or 0 when it is another command. */
static int command_words(const command_t *command, int argc, char **argv)
{
    const char *name = command->name;
    int words = 0;
    while (*name) {
        size_t n = strcspn(name, " ");
        if (words >= argc || strlen(argv[words]) != n || memcmp(argv[words], name, n) != 0)
            return 0;
        words++;
        name += n;
        name += *name == ' ';
    }
    return words;
}

static int help(FILE *out, int code)
{
    fprintf(out, "Warder: OAuth 2.1 for Model Context Protocol servers.\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  warder %s %s\n      %s\n", COMMANDS[i]->name, COMMANDS[i]->usage,
                COMMANDS[i]->about);
    fprintf(out, "\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 wrong setting, 4 "
                 "refused.\n");
    return code;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2)
        return help(stderr, EXIT_USAGE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return help(stdout, EXIT_DONE);
    if (strcmp(argv[1], "--version") == 0) {
        printf("warder %s\n", WARDER_VERSION);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        int words = command_words(COMMANDS[i], argc - 1, argv + 1);
        if (words > 0)
            return COMMANDS[i]->run(argc - 1 - words, argv + 1 + words);
    }
    return command_fail(EXIT_USAGE, "no command '%s'; 'warder --help' lists them", argv[1]);
}
