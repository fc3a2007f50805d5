#include "client/token_request.h"

#include "client/answer.h"
#include "client/url_rule.h"
#include "core/limits.h"
#include "oauth/scope.h"

#define ID_JAG "urn:ietf:params:oauth:token-type:id-jag"

enum {
    REQUEST_URI_BYTES = 2048,
    USER_CODE_BYTES = 128,
    INTERVAL_S = 5,
    INTERVAL_MAX_S = 3600,
    LIFE_MAX_S = 315360000, /* ten years */
};

/* A copy that is wiped with the arena; unset stays unset. */
static bool keep(arena_t *a, str_t text, secret_t *out, rc_t *rc)
{
    *out = str_is_set(text) ? secret_dup(a, text) : secret_of(STR_UNSET);
    if (str_is_set(text) && !str_is_set(out->hidden))
        *rc = RC_MEMORY;
    return *rc == RC_OK;
}

/* A token goes into a header as it is: printable, without spaces (RFC 6750 section 2.1 allows fewer
 * characters than servers in the field use). */
static bool take_tokens(arena_t *a, const json_t *json, client_token_t *out, str_t *why, rc_t *rc)
{
    str_t access, refresh;
    if (!client_answer_word(json, STR("access_token"), LIMIT_JWS_BYTES, &access) ||
        !str_is_set(access) || str_find(access, ' ', 0) < access.n) {
        *why = STR("access_token is missing, or cannot be sent");
        return false;
    }
    if (!client_answer_word(json, STR("refresh_token"), LIMIT_JWS_BYTES, &refresh)) {
        *why = STR("refresh_token cannot be sent");
        return false;
    }
    return keep(a, access, &out->access_token, rc) && keep(a, refresh, &out->refresh_token, rc);
}

/* Any case (OAuth 2.1 section 1.4). */
static client_reason_t take_type(const json_t *json, const client_token_expect_t *expect,
                                 client_token_t *out, str_t *why)
{
    str_t type;
    if (!client_answer_text(json, STR("token_type"), &type) || !str_is_set(type)) {
        *why = STR("token_type is missing");
        return CLIENT_TOKEN_BAD;
    }
    *why = type;
    if (expect->exchange) {
        if (!str_eq_nocase(type, STR("N_A")))
            return CLIENT_TOKEN_TYPE;
        *why = out->issued_type;
        return str_eq(out->issued_type, STR(ID_JAG)) ? CLIENT_FINE : CLIENT_TOKEN_TYPE;
    }
    /* A proof was sent because the token must be bound: one that is not is no answer to it (RFC
     * 9449 section 5). */
    out->dpop = expect->dpop && str_eq_nocase(type, STR("DPoP"));
    bool good = expect->dpop ? out->dpop : str_eq_nocase(type, STR("Bearer"));
    return good ? CLIENT_FINE : CLIENT_TOKEN_TYPE;
}

/* What informs only, and refuses nothing: a scope that is none counts as not said. */
static rc_t take_rest(arena_t *a, const json_t *json, int64_t now, client_token_t *out)
{
    int64_t seconds;
    str_t scope;
    /* Who says 0 or less means that none is known: nobody gives out a token that has ended. */
    if (client_answer_number(json, STR("expires_in"), LIFE_MAX_S, &seconds) && seconds > 0)
        out->expires_at = now + seconds;
    (void)client_answer_text(json, STR("issued_token_type"), &out->issued_type);
    if (!client_answer_text(json, STR("scope"), &scope) || !str_is_set(scope))
        return RC_OK;
    rc_t rc = oauth_scope_parse(a, scope, &out->scope);
    return rc == RC_MEMORY ? rc : RC_OK;
}

static client_reason_t of_kind(const client_answer_t *answer, client_reason_t refused,
                               client_reason_t bad)
{
    if (answer->kind == CLIENT_ANSWER_GOOD)
        return CLIENT_FINE;
    return answer->kind == CLIENT_ANSWER_REFUSED ? refused : bad;
}

client_reason_t client_token_read(arena_t *a, int status, str_t body,
                                  const client_token_expect_t *expect, client_token_t *out,
                                  str_t *error, str_t *why, rc_t *rc)
{
    client_answer_t answer;
    *out = (client_token_t){0};
    *error = *why = STR_UNSET;
    *rc = client_answer_read(a, status, body, &answer);
    if (*rc != RC_OK)
        return CLIENT_TOKEN_BAD;
    *error = answer.error;
    *why = answer.why;
    client_reason_t reason = of_kind(&answer, CLIENT_TOKEN_REFUSED, CLIENT_TOKEN_BAD);
    if (reason != CLIENT_FINE)
        return reason;
    *rc = take_rest(a, answer.json, expect->now, out);
    if (*rc != RC_OK || !take_tokens(a, answer.json, out, why, rc))
        return CLIENT_TOKEN_BAD;
    reason = take_type(answer.json, expect, out, why);
    if (reason == CLIENT_FINE)
        *why = STR_UNSET;
    return reason;
}

static client_reason_t check_page(str_t url, bool plain_ok)
{
    return plain_ok ? client_url_check(url, true) : client_url_check_page(url);
}

/* RFC 8628 section 3.2; verification_url is what a draft called it, and servers still do. */
static bool take_device_texts(const json_t *json, client_device_t *out, str_t *device_code)
{
    if (!client_answer_word(json, STR("device_code"), LIMIT_JWS_BYTES, device_code) ||
        !client_answer_text(json, STR("user_code"), &out->user_code) ||
        !client_answer_text(json, STR("verification_uri"), &out->verification_uri))
        return false;
    if (!str_is_set(out->verification_uri))
        (void)client_answer_text(json, STR("verification_url"), &out->verification_uri);
    (void)client_answer_text(json, STR("verification_uri_complete"),
                             &out->verification_uri_complete);
    return str_is_set(*device_code) && str_is_set(out->user_code) &&
           out->user_code.n <= USER_CODE_BYTES && str_is_set(out->verification_uri);
}

static bool take_device_times(const json_t *json, int64_t now, client_device_t *out)
{
    int64_t life;
    if (!client_answer_number(json, STR("interval"), INTERVAL_MAX_S, &out->interval))
        out->interval = INTERVAL_S;
    if (out->interval < 1)
        out->interval = 1;
    if (!client_answer_number(json, STR("expires_in"), LIFE_MAX_S, &life))
        return false;
    out->expires_at = now + life;
    return true;
}

static client_reason_t take_device(arena_t *a, const json_t *json, int64_t now,
                                   client_device_t *out, str_t *why, rc_t *rc)
{
    str_t device_code;
    if (!take_device_texts(json, out, &device_code) || !take_device_times(json, now, out)) {
        *why = STR("device_code, user_code, verification_uri or expires_in is missing");
        return CLIENT_TOKEN_BAD;
    }
    return keep(a, device_code, &out->device_code, rc) ? CLIENT_FINE : CLIENT_TOKEN_BAD;
}

client_reason_t client_device_read(arena_t *a, int status, str_t body, int64_t now, bool plain_ok,
                                   client_device_t *out, str_t *why, rc_t *rc)
{
    client_answer_t answer;
    *out = (client_device_t){0};
    *why = STR_UNSET;
    *rc = client_answer_read(a, status, body, &answer);
    if (*rc != RC_OK)
        return CLIENT_TOKEN_BAD;
    *why = answer.why;
    client_reason_t reason = of_kind(&answer, CLIENT_TOKEN_REFUSED, CLIENT_TOKEN_BAD);
    if (reason == CLIENT_FINE)
        reason = take_device(a, answer.json, now, out, why, rc);
    if (reason != CLIENT_FINE)
        return reason;
    reason = check_page(out->verification_uri, plain_ok);
    if (reason != CLIENT_FINE)
        *why = out->verification_uri;
    if (check_page(out->verification_uri_complete, plain_ok) != CLIENT_FINE)
        out->verification_uri_complete = STR_UNSET;
    return reason;
}

client_reason_t client_pushed_read(arena_t *a, int status, str_t body, str_t *request_uri,
                                   str_t *why, rc_t *rc)
{
    client_answer_t answer;
    *request_uri = *why = STR_UNSET;
    *rc = client_answer_read(a, status, body, &answer);
    if (*rc != RC_OK)
        return CLIENT_PUSHED_BAD;
    *why = answer.why;
    client_reason_t reason = of_kind(&answer, CLIENT_AUTHORIZATION_REFUSED, CLIENT_PUSHED_BAD);
    if (reason != CLIENT_FINE)
        return reason;
    if (client_answer_word(answer.json, STR("request_uri"), REQUEST_URI_BYTES, request_uri) &&
        str_is_set(*request_uri))
        return CLIENT_FINE;
    *request_uri = STR_UNSET;
    *why = STR("request_uri is missing");
    return CLIENT_PUSHED_BAD;
}
