#include "client/registration.h"

#include "client/answer.h"
#include "client/url_rule.h"
#include "core/limits.h"

enum { SECRET_BYTES = 4096, TOKEN_BYTES = 8192 };
static const int64_t END_OF_TIME_S = 253402300799; /* of the year 9999 */

static rc_t keep_secret(arena_t *a, str_t secret, client_registered_t *out)
{
    if (!str_is_set(secret))
        return RC_OK;
    out->secret = secret_dup(a, secret);
    return str_is_set(out->secret.hidden) ? RC_OK : RC_MEMORY;
}

/* Both or none; a token that would go over an open wire is not kept. */
static void take_management(const json_t *json, client_registered_t *out)
{
    str_t uri, token;
    bool good = client_answer_text(json, STR("registration_client_uri"), &uri) &&
                client_answer_word(json, STR("registration_access_token"), TOKEN_BYTES, &token);
    if (!good || !str_is_set(uri) || !str_is_set(token) ||
        client_url_check(uri, false) != CLIENT_FINE)
        return;
    out->registration_uri = uri;
    out->registration_token = token;
}

/* client_id and client_secret are printable (RFC 6749 appendix A); what the server says of the
 * method counts, even where it is none of ours: then no method fits. */
static const char *take_client(const json_t *json, client_registered_t *out, str_t *secret)
{
    if (!client_answer_word(json, STR("client_id"), LIMIT_CLIENT_ID_BYTES, &out->client_id) ||
        !str_is_set(out->client_id))
        return "client_id is missing, or cannot be sent";
    if (!client_answer_text(json, STR("client_secret"), secret) || secret->n > SECRET_BYTES)
        return "client_secret cannot be sent";
    if (!client_answer_text(json, STR("token_endpoint_auth_method"), &out->method))
        return "token_endpoint_auth_method is no text";
    return NULL;
}

bool client_registration_adjust(int status, str_t why, client_registration_want_t *want)
{
    bool more =
        str_is_set(want->uri) || str_is_set(want->scope) || str_is_set(want->software_version);
    if (status != 400 || want->bare || !more || !str_starts(why, STR("invalid_client_metadata")))
        return false;
    want->bare = true;
    return true;
}

client_reason_t client_registration_read(arena_t *a, int status, str_t body,
                                         client_registered_t *out, str_t *why, rc_t *rc)
{
    client_answer_t answer;
    str_t secret;
    *out = (client_registered_t){0};
    *why = STR_UNSET;
    *rc = client_answer_read(a, status, body, &answer);
    if (*rc != RC_OK)
        return CLIENT_REGISTRATION_BAD;
    *why = answer.why;
    if (answer.kind != CLIENT_ANSWER_GOOD)
        return answer.kind == CLIENT_ANSWER_REFUSED || status / 100 != 2
                   ? CLIENT_REGISTRATION_REFUSED
                   : CLIENT_REGISTRATION_BAD;
    const char *wrong = take_client(answer.json, out, &secret);
    *rc = wrong ? RC_OK : keep_secret(a, secret, out);
    *why = str_c(wrong);
    if (wrong || *rc != RC_OK) {
        out->client_id = STR_UNSET;
        return CLIENT_REGISTRATION_BAD;
    }
    (void)client_answer_number(answer.json, STR("client_secret_expires_at"), END_OF_TIME_S,
                               &out->secret_expires_at);
    take_management(answer.json, out);
    return CLIENT_FINE;
}
