#include "oauth/challenge.h"

#include "core/buf.h"
#include "core/limits.h"
#include "oauth/plain.h"

static void member(buf_t *b, bool *first, str_t name, str_t value)
{
    if (!str_is_set(value))
        return;
    buf_put(b, *first ? STR(" ") : STR(", "));
    *first = false;
    buf_put(b, name);
    buf_put(b, STR("=\""));
    oauth_plain_put(b, value);
    buf_char(b, '"');
}

rc_t oauth_challenge_write(arena_t *a, const oauth_challenge_t *c, str_t *out)
{
    bool first = true;
    buf_t b = buf_new(a, LIMIT_CHALLENGE_BYTES);
    buf_put(&b, str_is_set(c->dpop_algs) ? STR("DPoP") : STR("Bearer"));
    member(&b, &first, STR("error"), c->error);
    member(&b, &first, STR("error_description"), c->error_description);
    member(&b, &first, STR("scope"), c->scope);
    member(&b, &first, STR("acr_values"), c->acr_values);
    member(&b, &first, STR("max_age"), c->max_age);
    member(&b, &first, STR("resource_metadata"), c->resource_metadata);
    member(&b, &first, STR("algs"), c->dpop_algs);
    return buf_done(&b, out);
}
