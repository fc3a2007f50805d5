/* Any bytes as a command line: what is taken can be quoted word by word and reads the same. */
#include "core/buf.h"
#include "core/command_line.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quote(buf_t *b, str_t word)
{
    buf_char(b, '\'');
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == '\'')
            buf_put(b, STR("'\\''"));
        else
            buf_char(b, word.p[i]);
    }
    buf_put(b, STR("' "));
}

static void check_again(arena_t *a, str_list_t words)
{
    buf_t b = buf_new(a, (size_t)4 * COMMAND_LINE_BYTES);
    str_list_t again;
    str_t why;
    for (size_t i = 0; i < words.n; i++)
        quote(&b, words.v[i]);
    str_t line = buf_str(&b);
    if (b.failed != RC_OK)
        abort();
    if (line.n > COMMAND_LINE_BYTES)
        return;
    if (command_line_split(a, line, &again, &why) != RC_OK || again.n != words.n)
        abort();
    for (size_t i = 0; i < words.n; i++) {
        if (!str_eq(words.v[i], again.v[i]))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(1 << 20);
    str_list_t words;
    str_t why;
    if (!a)
        return 0;
    rc_t rc = command_line_split(a, str_of(size ? (const char *)data : "", size), &words, &why);
    if (rc == RC_OK)
        check_again(a, words);
    else if (!str_is_set(why) || words.n)
        abort();
    arena_free(a);
    return 0;
}
