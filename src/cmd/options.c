#include "cmd/options.h"

#include "cmd/command.h"

const option_t *option_row(const option_t *rows, const char *name)
{
    for (; rows->name; rows++)
        if (strcmp(rows->name, name) == 0)
            return rows;
    return NULL;
}

str_t option_get(const option_t *rows, const char *name)
{
    const option_t *row = option_row(rows, name);
    return row && row->n > 0 ? row->values[row->n - 1] : STR_UNSET;
}

bool option_is_set(const option_t *rows, const char *name)
{
    const option_t *row = option_row(rows, name);
    return row && row->n > 0;
}

static option_t *find(option_t *rows, str_t name)
{
    for (; rows->name; rows++)
        if (str_eq(str_c(rows->name), name))
            return rows;
    return NULL;
}

/* Names the option but not its value: somebody may have typed a password there. */
static bool fail(const char *what, str_t option)
{
    command_fail(EXIT_USAGE, "%s: '--%" PRIstr "'; 'warder --help' shows the usage", what,
                 STR_ARG(option));
    return false;
}

/* Takes the option at argv[*i] and, if it wants one, its value. */
static bool take(option_t *rows, int argc, char **argv, int *i)
{
    str_t arg = str_skip(str_c(argv[*i]), 2);
    size_t eq = str_find(arg, '=', 0);
    str_t name = str_first(arg, eq);
    option_t *row = find(rows, name);
    if (!row)
        return fail("there is no option", name);
    if (row->n >= (row->many ? (size_t)OPTION_VALUES_MAX : 1))
        return fail("given too often", name);
    if (row->is_switch && eq < arg.n)
        return fail("this option takes no value", name);
    str_t value = STR("");
    if (!row->is_switch) {
        if (eq == arg.n && *i + 1 >= argc)
            return fail("this option wants a value", name);
        value = eq < arg.n ? str_skip(arg, eq + 1) : str_c(argv[++*i]);
    }
    row->values[row->n++] = value;
    return true;
}

bool options_parse(int argc, char **argv, option_t *rows, str_t *words, size_t max_words,
                   size_t *n_words)
{
    size_t n = 0;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0') {
            if (!take(rows, argc, argv, &i))
                return false;
            continue;
        }
        if (n == max_words) {
            command_fail(EXIT_USAGE, "more words than the command takes; 'warder --help' shows "
                                     "the usage");
            return false;
        }
        words[n++] = str_c(argv[i]);
    }
    if (n_words)
        *n_words = n;
    return true;
}

bool options_parse_one(int argc, char **argv, option_t *rows, const char *wants, str_t *word)
{
    size_t n;
    if (!options_parse(argc, argv, rows, word, 1, &n))
        return false;
    if (n == 0)
        command_fail(EXIT_USAGE, "%s", wants);
    return n == 1;
}
