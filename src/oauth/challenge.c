#include "oauth/challenge.h"

#include "core/buf.h"
#include "core/limits.h"

/* %x20-21 / %x23-5B / %x5D-7E: what all members of a challenge may hold (RFC 6750 section 3). */
static bool is_plain(char c)
{
    return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

static void member(buf_t *b, bool *first, str_t name, str_t value)
{
    if (!str_is_set(value))
        return;
    buf_put(b, *first ? STR(" ") : STR(", "));
    *first = false;
    buf_put(b, name);
    buf_put(b, STR("=\""));
    for (size_t i = 0; i < value.n; i++)
        buf_char(b, is_plain(value.p[i]) ? value.p[i] : '?');
    buf_char(b, '"');
}

rc_t oauth_challenge_write(arena_t *a, const oauth_challenge_t *c, str_t *out)
{
    bool first = true;
    buf_t b = buf_new(a, LIMIT_CHALLENGE_BYTES);
    buf_put(&b, STR("Bearer"));
    member(&b, &first, STR("error"), c->error);
    member(&b, &first, STR("error_description"), c->error_description);
    member(&b, &first, STR("scope"), c->scope);
    member(&b, &first, STR("resource_metadata"), c->resource_metadata);
    return buf_done(&b, out);
}
