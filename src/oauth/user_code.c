#include "oauth/user_code.h"

#include "core/buf.h"

enum { TYPED_MAX = 64, HALF = OAUTH_USER_CODE_LETTERS / 2 };

static const str_t ALPHABET = STR_INIT("BCDFGHJKLMNPQRSTVWXZ");

enum { N_LETTERS = 20, FAIR = 256 / N_LETTERS * N_LETTERS };

/* Bytes from FAIR on would make the first letters likelier than the others. */
rc_t oauth_user_code_new(arena_t *a, const random_port_t *random, str_t *out)
{
    uint8_t byte;
    buf_t b = buf_new(a, OAUTH_USER_CODE_LETTERS);
    while (b.failed == RC_OK && b.n < OAUTH_USER_CODE_LETTERS) {
        TRY(random->fill(random->ctx, &byte, 1));
        if (byte < FAIR)
            buf_char(&b, ALPHABET.p[byte % N_LETTERS]);
    }
    return buf_done(&b, out);
}

str_t oauth_user_code_show(arena_t *a, str_t code)
{
    return arena_printf(a, "%" PRIstr "-%" PRIstr, STR_ARG(str_first(code, HALF)),
                        STR_ARG(str_skip(code, HALF)));
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

rc_t oauth_user_code_read(arena_t *a, str_t typed, str_t *out)
{
    str_t code;
    *out = STR_UNSET;
    if (typed.n > TYPED_MAX)
        return RC_OK;
    buf_t b = buf_new(a, TYPED_MAX);
    for (size_t i = 0; i < typed.n; i++) {
        char c = upper(typed.p[i]);
        if (c == '-' || c == ' ')
            continue;
        if (str_find(ALPHABET, c, 0) == ALPHABET.n)
            return RC_OK;
        buf_char(&b, c);
    }
    TRY(buf_done(&b, &code));
    if (code.n == OAUTH_USER_CODE_LETTERS)
        *out = code;
    return RC_OK;
}
