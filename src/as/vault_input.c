#include "as/vault_input.h"

#include "conf/conf.h"
#include "core/b64.h"
#include "core/limits.h"
#include "jose/jws.h"

/* Of a moment between the server's reading of the clock and this one. */
enum { LEEWAY_S = 60 };

static const str_t TYPES[] = {STR_INIT("at+jwt"), STR_INIT("warder-identity+jwt")};

static bool is_header(str_t text, const sign_request_t *req, str_t typ)
{
    char bytes[2 * LIMIT_JWS_HEADER_BYTES];
    buf_t b = buf_fixed(bytes, sizeof bytes);
    const jws_sign_t what = {.alg = req->alg, .kid = req->kid, .typ = typ};
    return jws_header_write(&what, &b) == RC_OK && str_eq(buf_str(&b), text);
}

static bool is_known_header(str_t text, const sign_request_t *req)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (is_header(text, req, TYPES[i]))
            return true;
    return false;
}

static bool ends_in_time(arena_t *a, str_t payload, int64_t now)
{
    const json_t *claims;
    int64_t exp;
    return json_parse(a, payload, NULL, &claims) == RC_OK && claims->type == JSON_OBJECT &&
           json_get_i64(claims, STR("exp"), &exp) && exp > now - LEEWAY_S &&
           exp <= now + CONF_ACCESS_TOKEN_MAX_S + LEEWAY_S;
}

bool vault_input_is_token(arena_t *a, const sign_request_t *req, int64_t now)
{
    str_t payload, input = req->input;
    if (input.n > LIMIT_JWS_BYTES)
        return false;
    size_t dot = str_find(input, '.', 0);
    return dot < input.n && is_known_header(str_first(input, dot), req) &&
           b64url_decode(a, str_skip(input, dot + 1), &payload) == RC_OK &&
           ends_in_time(a, payload, now);
}

bool vault_input_is_checkpoint(str_t input, str_t kid, int64_t now_ms, audit_checkpoint_t *out)
{
    if (!audit_checkpoint_read_text(input, kid, out))
        return false;
    int64_t ahead = audit_time_parse(out->time) - now_ms;
    return ahead <= LEEWAY_S * 1000 && ahead >= -LEEWAY_S * 1000;
}
