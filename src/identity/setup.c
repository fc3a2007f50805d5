#include "identity/setup.h"

#include "core/buf.h"
#include "core/limits.h"
#include "core/secret.h"
#include "identity/handle.h"

rc_t identity_setup_open(arena_t *a, const random_port_t *random, int64_t now,
                         identity_setup_t *out, str_t *token)
{
    *out = (identity_setup_t){0};
    TRY(identity_handle_new(a, random, STR("wsu_"), token));
    *out = (identity_setup_t){
        .open = true,
        .token = identity_handle_hash(*token),
        .expires_at = now + IDENTITY_SETUP_LIFETIME_S,
    };
    return RC_OK;
}

rc_t identity_setup_link(arena_t *a, str_t public_url, str_t token, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_URL_BYTES);
    buf_put(&b, public_url);
    buf_put(&b, STR("/setup?token="));
    buf_put(&b, token);
    return buf_done(&b, out);
}

identity_setup_verdict_t identity_setup_judge(const identity_setup_t *s, str_t token, int64_t now)
{
    if (!s->open)
        return IDENTITY_SETUP_CLOSED;
    if (now >= s->expires_at)
        return IDENTITY_SETUP_EXPIRED;
    hash_t hash = identity_handle_hash(token);
    return identity_handle_hash_eq(&hash, &s->token) ? IDENTITY_SETUP_FINE : IDENTITY_SETUP_WRONG;
}
