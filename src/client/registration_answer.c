#include "client/registration.h"

#include "client/answer.h"
#include "client/url_rule.h"
#include "core/limits.h"
#include "core/url.h"

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

/* Those that are text; what is no list counts as not said. */
static rc_t take_redirect_uris(arena_t *a, const json_t *json, client_registered_t *out)
{
    const json_t *list = json_get(json, STR("redirect_uris"));
    if (!json_is(list, JSON_ARRAY) || list->count == 0)
        return RC_OK;
    str_t *v = ARENA_ARRAY(a, list->count, str_t);
    size_t n = 0;
    if (!v)
        return RC_MEMORY;
    for (const json_t *one = list->child; one; one = one->next)
        if (json_is(one, JSON_STRING))
            v[n++] = one->str;
    out->redirect_uris = (str_list_t){v, n};
    return RC_OK;
}

static bool is_same_but_port(str_t first, str_t second)
{
    url_t a, b;
    if (url_parse(first, &a) != RC_OK || url_parse(second, &b) != RC_OK)
        return false;
    return url_host_is_loopback(a.host) && url_host_is_loopback(b.host) &&
           str_eq_nocase(a.scheme, b.scheme) && str_eq(a.path, b.path) && str_eq(a.query, b.query);
}

bool client_registered_takes(const client_registered_t *c, str_t redirect_uri)
{
    for (size_t i = 0; i < c->redirect_uris.n; i++) {
        str_t one = c->redirect_uris.v[i];
        if (str_eq(one, redirect_uri) || is_same_but_port(one, redirect_uri))
            return true;
    }
    return c->redirect_uris.n == 0;
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
    *rc = take_redirect_uris(a, answer.json, out);
    return *rc == RC_OK ? CLIENT_FINE : CLIENT_REGISTRATION_BAD;
}
