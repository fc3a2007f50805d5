/* warder completion bash|zsh: what a shell completes, made of the table of commands, so that it
 * cannot fall behind it. */
#include "cmd/client_options.h"
#include "cmd/command.h"

#include <stdio.h>

/* Takes the next --option off *usage; false: no more. */
static bool next_option(const char **usage, str_t *out)
{
    static const char NAME[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    const char *at = strstr(*usage, "--");
    if (!at)
        return false;
    *out = str_of(at, 2 + strspn(at + 2, NAME));
    *usage = at + out->n;
    return true;
}

/* What may stand behind the words of a command: its options, those of its usage and, where that
 * says so, those that all of the client's commands have. */
static void print_options(const command_t *command)
{
    static const option_t CLIENT[] = {CLIENT_OPTION_ROWS, {NULL}};
    const char *usage = command->usage;
    str_t option;
    while (next_option(&usage, &option))
        printf("%" PRIstr " ", STR_ARG(option));
    for (const option_t *row = CLIENT; strstr(command->usage, "[client options]") && row->name;
         row++)
        printf("--%s ", row->name);
    printf("--help");
}

/* case "$words" in 'admin user add') …: both shells read it. */
static void print_cases(const char *indent)
{
    for (const command_t *const *command = COMMANDS; *command; command++) {
        printf("%s'%s') warder_options='", indent, (*command)->name);
        print_options(*command);
        printf("' ;;\n");
    }
}

static void print_names(void)
{
    for (const command_t *const *command = COMMANDS; *command; command++)
        printf("%s%s", command == COMMANDS ? "" : "\n", (*command)->name);
}

/* The words before the cursor that name a command; what may come next. */
static void print_common(void)
{
    printf("warder_commands='");
    print_names();
    printf("'\n"
           "warder_next() {\n"
           "  # $1: the words so far; prints the words that may follow\n"
           "  printf '%%s\\n' \"$warder_commands\" | while read -r line; do\n"
           "    case \"$line \" in\n"
           "    \"$1\"*) rest=${line#\"$1\"}; printf '%%s\\n' \"${rest%%%% *}\" ;;\n"
           "    esac\n"
           "  done | sort -u\n"
           "}\n"
           "warder_find() {\n"
           "  # $1: the words so far; sets warder_options where they are a command\n"
           "  warder_options=\n"
           "  case \"$1\" in\n");
    print_cases("  ");
    printf("  esac\n"
           "}\n");
}

static void print_bash(void)
{
    print_common();
    printf("_warder() {\n"
           "  local cur=${COMP_WORDS[COMP_CWORD]} words= found= i\n"
           "  COMPREPLY=()\n"
           "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "    words=\"${words:+$words }${COMP_WORDS[i]}\"\n"
           "    warder_find \"$words\"\n"
           "    [ -z \"$warder_options\" ] || found=$warder_options\n"
           "  done\n"
           "  if [ -n \"$found\" ]; then\n"
           "    case \"$cur\" in\n"
           "    -*) COMPREPLY=($(compgen -W \"$found\" -- \"$cur\")) ;;\n"
           "    *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
           "    esac\n"
           "    return\n"
           "  fi\n"
           "  COMPREPLY=($(compgen -W \"$(warder_next \"${words:+$words }\") --help --version\" -- "
           "\"$cur\"))\n"
           "}\n"
           "complete -F _warder warder\n");
}

static void print_zsh(void)
{
    printf("#compdef warder\n");
    print_common();
    printf("_warder() {\n"
           "  local line= found= i\n"
           "  for ((i = 2; i < CURRENT; i++)); do\n"
           "    line=\"${line:+$line }${words[i]}\"\n"
           "    warder_find \"$line\"\n"
           "    [ -z \"$warder_options\" ] || found=$warder_options\n"
           "  done\n"
           "  if [ -n \"$found\" ]; then\n"
           "    case \"${words[CURRENT]}\" in\n"
           "    -*) compadd -- ${=found} ;;\n"
           "    *) _files ;;\n"
           "    esac\n"
           "    return\n"
           "  fi\n"
           "  compadd -- ${(f)\"$(warder_next \"${line:+$line }\")\"} --help --version\n"
           "}\n"
           "if [ \"$funcstack[1]\" = _warder ]; then _warder \"$@\"; else compdef _warder warder; "
           "fi\n");
}

static int run(int argc, char **argv)
{
    if (argc == 1 && strcmp(argv[0], "bash") == 0)
        print_bash();
    else if (argc == 1 && strcmp(argv[0], "zsh") == 0)
        print_zsh();
    else
        return command_fail(EXIT_USAGE, "completion wants bash or zsh");
    return EXIT_DONE;
}

const command_t CMD_COMPLETION = {
    .name = "completion",
    .usage = "bash|zsh",
    .about = "prints what a shell needs to complete commands and options",
    .run = run,
};
