/* Finds the command whose words stand at the front of the command line, and runs it. */
#include "cmd/command.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void usage(FILE *out, const command_t *command)
{
    fprintf(out, "  warder %s%s%s\n      %s\n", command->name, *command->usage ? " " : "",
            command->usage, command->about);
}

/* What stands above the first command of a group. */
static void heading(FILE *out, const command_t *command)
{
    static const struct {
        const command_t *first;
        const char *text;
    } GROUPS[] = {
        {&CMD_SERVE, "The server. These take --config FILE and any setting as a flag, e.g. --data "
                     "DIR:"},
        {&CMD_CONNECT, "The client, of any MCP server. These read no settings file; 'man "
                       "warder-client-options' explains [client options]:"},
        {&CMD_COMPLETION, "The shell:"},
    };
    for (size_t i = 0; i < sizeof GROUPS / sizeof *GROUPS; i++)
        if (command == GROUPS[i].first)
            fprintf(out, "\n%s\n", GROUPS[i].text);
}

static int help(FILE *out, int code)
{
    fprintf(out, "Warder: OAuth 2.1 for Model Context Protocol servers, and their clients.\n");
    for (const command_t *const *command = COMMANDS; *command; command++) {
        heading(out, *command);
        usage(out, *command);
    }
    fprintf(out,
            "\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 wrong setting, 4 refused,"
            "\n            5 no token, or the server refuses it, 6 the tool says that it failed,"
            "\n            130 ended by a signal.\n");
    return code;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

/* `warder policy` and the like: the commands that begin so. */
static int help_group(int argc, char **argv)
{
    bool any = false, asked = wants_help(argc, argv);
    for (const command_t *const *command = COMMANDS; *command; command++) {
        if (!command_is_of(*command, argv[0]))
            continue;
        usage(asked ? stdout : stderr, *command);
        any = true;
    }
    if (any)
        return asked ? EXIT_DONE : EXIT_USAGE;
    return command_fail(EXIT_USAGE, "no command '%s'; 'warder --help' lists them", argv[0]);
}

static int version(void)
{
    printf("warder %s\n", WARDER_VERSION);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    int words;
    const command_t *command = command_find(argc, argv, &words);
    if (!command)
        return help_group(argc, argv);
    if (wants_help(argc - words, argv + words)) {
        usage(stdout, command);
        return EXIT_DONE;
    }
    return command->run(argc - words, argv + words);
}

/* What is opened later must not become a standard stream: where one is closed, nothing takes its
 * place. */
static void hold_standard_streams(void)
{
    int fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    /* What cannot be written is an error of the write, not the end of the program: a lost reader,
     * and a file at the limit of its size. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2)
        return help(stderr, EXIT_USAGE);
    int code = EXIT_DONE;
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        code = help(stdout, EXIT_DONE);
    else if (strcmp(argv[1], "--version") == 0)
        code = version();
    else
        code = run(argc - 1, argv + 1);
    /* What was printed may be a secret that is nowhere else. */
    if (fflush(stdout) != 0 && code == EXIT_DONE)
        code = command_fail(EXIT_FAILED, "done, but standard output could not be written");
    return code;
}
