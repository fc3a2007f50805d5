#include "oauth/client_document.h"

#include "core/buf.h"
#include "core/host_list.h"
#include "core/json.h"
#include "core/limits.h"
#include "jose/digest.h"
#include "oauth/client_metadata.h"
#include "oauth/method.h"
#include "oauth/redirect_uri.h"

enum { HASH_BYTES = 65536 };

typedef struct {
    arena_t *a;
    const oauth_settings_t *settings;
    str_t url;
    const oauth_client_document_answer_t *answer;
    const json_t *all;
    oauth_client_document_t *out;
} reader_t;

static rc_t refuse(reader_t *r, oauth_reason_t reason)
{
    r->out->reason = reason;
    return RC_OK;
}

/* ---- the answer ---- */

/* application/json, or a type of it that ends in +json (RFC 6839 section 3.1). */
static bool is_json(str_t content_type)
{
    static const str_t MAIN = STR_INIT("application/");
    str_t type = str_trim(str_first(content_type, str_find(content_type, ';', 0)), " \t");
    if (!str_eq_nocase(str_first(type, MAIN.n), MAIN))
        return false;
    str_t sub = str_skip(type, MAIN.n);
    str_t suffix = STR("+json");
    return str_eq_nocase(sub, STR("json")) ||
           (sub.n > suffix.n && str_eq_nocase(str_skip(sub, sub.n - suffix.n), suffix));
}

static rc_t check_answer(reader_t *r)
{
    static const json_limits_t LIMITS = {LIMIT_CLIENT_DOCUMENT_BYTES, 16, 1024};
    if (r->answer->status != 200 || !is_json(r->answer->content_type))
        return refuse(r, OAUTH_CLIENT_DOCUMENT_ANSWER);
    rc_t rc = json_parse(r->a, r->answer->body, &LIMITS, &r->all);
    if (rc == RC_MEMORY)
        return rc;
    if (rc != RC_OK || !json_is(r->all, JSON_OBJECT))
        return refuse(r, OAUTH_CLIENT_DOCUMENT_MALFORMED);
    return RC_OK;
}

/* ---- what it says ---- */

static rc_t check_id(reader_t *r)
{
    if (!str_eq(json_get_str(r->all, STR("client_id")), r->url))
        return refuse(r, OAUTH_CLIENT_DOCUMENT_OTHER_ID);
    return RC_OK;
}

static rc_t check_secrets(reader_t *r)
{
    if (json_get(r->all, STR("client_secret")) || json_get(r->all, STR("client_secret_expires_at")))
        return refuse(r, OAUTH_CLIENT_DOCUMENT_SECRET);
    return RC_OK;
}

/* One way to authenticate that needs no shared secret; absent: none (section 6.2). */
static bool is_secretless(str_t name, client_auth_t *auth)
{
    return oauth_method_parse(name, auth) &&
           (*auth == CLIENT_AUTH_NONE || *auth == CLIENT_AUTH_PRIVATE_KEY_JWT);
}

/* Some clients list what they could do instead of naming one: the strongest that we know counts. */
static bool choose_listed(const json_t *list, client_auth_t *auth)
{
    bool some = false;
    for (const json_t *one = list->child; one; one = one->next) {
        client_auth_t listed;
        if (!json_is(one, JSON_STRING) || !is_secretless(one->str, &listed))
            continue;
        *auth = some && *auth == CLIENT_AUTH_PRIVATE_KEY_JWT ? *auth : listed;
        some = true;
    }
    return some;
}

static bool choose_auth(const json_t *all, client_auth_t *auth)
{
    const json_t *method = json_get(all, STR("token_endpoint_auth_method"));
    const json_t *listed = json_get(all, STR("token_endpoint_auth_methods_supported"));
    *auth = CLIENT_AUTH_NONE;
    if (json_is(method, JSON_STRING))
        return is_secretless(method->str, auth);
    if (method && !json_is(method, JSON_NULL))
        return false;
    return !json_is(listed, JSON_ARRAY) || choose_listed(listed, auth);
}

/* The set has been judged; its text is what it says. */
static rc_t take_keys(reader_t *r)
{
    const json_t *jwks = json_get(r->all, STR("jwks"));
    const json_t *uri = json_get(r->all, STR("jwks_uri"));
    if (json_is(jwks, JSON_OBJECT))
        r->out->client.jwks = jwks->raw;
    if (json_is(uri, JSON_STRING) && uri->str.n > 0)
        r->out->client.jwks_uri = uri->str;
    return RC_OK;
}

static rc_t read_metadata(reader_t *r)
{
    client_t *client = &r->out->client;
    client_auth_t auth;
    oauth_reason_t reason;
    if (!choose_auth(r->all, &auth))
        return refuse(r, OAUTH_CLIENT_DOCUMENT_AUTH_METHOD);
    TRY(oauth_client_metadata_of_document(r->a, r->settings, r->all, auth, client, &reason));
    if (reason == OAUTH_FINE)
        return take_keys(r);
    if (reason == OAUTH_METADATA_JWKS || reason == OAUTH_METADATA_JWKS_TWICE)
        return refuse(r, OAUTH_CLIENT_DOCUMENT_KEYS);
    r->out->detail = oauth_reason_audit(reason);
    return refuse(r, OAUTH_CLIENT_DOCUMENT_METADATA);
}

static rc_t check_required(reader_t *r)
{
    const client_t *client = &r->out->client;
    if (!str_is_set(client->name) || client->redirect_uris.n == 0)
        return refuse(r, OAUTH_CLIENT_DOCUMENT_INCOMPLETE);
    return RC_OK;
}

static bool may_hold_keys(const oauth_settings_t *settings, str_t uri)
{
    url_t u;
    if (url_parse(uri, &u) != RC_OK || str_is_set(u.userinfo) || str_is_set(u.fragment))
        return false;
    return url_is_https(&u) || (url_is_http(&u) && url_host_is_loopback(u.host) &&
                                host_list_has(settings->private_hosts, &u));
}

/* Who authenticates by keys has them, in one place only (section 6.2; RFC 7591 section 2). */
static rc_t check_keys(reader_t *r)
{
    const client_t *client = &r->out->client;
    bool keys = str_is_set(client->jwks), uri = str_is_set(client->jwks_uri);
    if ((keys && uri) || (uri && !may_hold_keys(r->settings, client->jwks_uri)) ||
        (client->auth == CLIENT_AUTH_PRIVATE_KEY_JWT && !keys && !uri))
        return refuse(r, OAUTH_CLIENT_DOCUMENT_KEYS);
    return RC_OK;
}

static rc_t finish(reader_t *r)
{
    client_t *client = &r->out->client;
    client->id = r->url;
    client->origin = CLIENT_BY_DOCUMENT;
    return oauth_client_document_hash(r->a, client, &client->document);
}

rc_t oauth_client_document_read(arena_t *a, const oauth_settings_t *settings, str_t url,
                                const oauth_client_document_answer_t *answer,
                                oauth_client_document_t *out)
{
    static rc_t (*const STEPS[])(reader_t * r) = {
        check_answer, check_id, check_secrets, read_metadata, check_required, check_keys, finish,
    };
    reader_t r = {.a = a, .settings = settings, .url = url, .answer = answer, .out = out};
    *out = (oauth_client_document_t){.reason = OAUTH_FINE};
    for (size_t i = 0; out->reason == OAUTH_FINE && i < sizeof STEPS / sizeof STEPS[0]; i++)
        TRY(STEPS[i](&r));
    return RC_OK;
}

/* ---- what is approved ---- */

/* Each text with its length in front, so that no two lists of texts come out alike. */
static void put_text(buf_t *b, str_t s)
{
    buf_u64(b, str_is_set(s) ? s.n + 1 : 0);
    buf_char(b, ':');
    buf_put(b, s);
}

/* In one order, whatever that of the document. */
static rc_t put_uris(arena_t *a, buf_t *b, str_list_t uris)
{
    str_t *sorted = ARENA_ARRAY(a, uris.n + 1, str_t);
    if (!sorted)
        return RC_MEMORY;
    for (size_t i = 0; i < uris.n; i++) {
        size_t at = i;
        for (; at > 0 && str_cmp(uris.v[i], sorted[at - 1]) < 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = uris.v[i];
    }
    buf_u64(b, uris.n);
    for (size_t i = 0; i < uris.n; i++)
        put_text(b, sorted[i]);
    return RC_OK;
}

rc_t oauth_client_document_hash(arena_t *a, const client_t *client, hash_t *out)
{
    str_t text;
    buf_t b = buf_new(a, HASH_BYTES);
    put_text(&b, client->name);
    put_text(&b, client->client_uri);
    put_text(&b, client->jwks);
    put_text(&b, client->jwks_uri);
    put_text(&b, oauth_method_name(client->auth));
    TRY(put_uris(a, &b, client->redirect_uris));
    TRY(buf_done(&b, &text));
    sha256(text, out->b);
    return RC_OK;
}

bool oauth_client_is_loopback_only(const client_t *client)
{
    for (size_t i = 0; i < client->redirect_uris.n; i++)
        if (oauth_redirect_uri_kind(client->redirect_uris.v[i]) != OAUTH_REDIRECT_LOOPBACK)
            return false;
    return client->redirect_uris.n > 0;
}
