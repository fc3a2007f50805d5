/* Command-line options from a table: --name VALUE, --name=VALUE, switches, repeats, and words. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "core/arena.h"

enum { OPTION_VALUES_MAX = 64 };

/** A row. `many` rows may repeat; a switch takes no value. */
typedef struct {
    const char *name; /* without the dashes */
    bool is_switch, many;
    /* filled by options_parse */
    str_t values[OPTION_VALUES_MAX];
    size_t n;
} option_t;

/** Parses argv into rows (ended by a row whose name is NULL) and up to max_words plain words.
 *  False: said on standard error already. */
bool options_parse(int argc, char **argv, option_t *rows, str_t *words, size_t max_words,
                   size_t *n_words);
/** The same for a command that takes exactly one word. `wants` is said where it is missing: "logout
 *  wants a URL". */
bool options_parse_one(int argc, char **argv, option_t *rows, const char *wants, str_t *word);
/** The value of a row, or unset. */
str_t option_get(const option_t *rows, const char *name);
bool option_is_set(const option_t *rows, const char *name);
const option_t *option_row(const option_t *rows, const char *name);

#endif
