#include "oauth/client_metadata.h"

#include "core/limits.h"
#include "core/url.h"
#include "oauth/label.h"
#include "oauth/method.h"
#include "oauth/redirect_uri.h"
#include "oauth/scope.h"

/* What the members add up to while they are read. */
typedef struct {
    arena_t *a;
    const oauth_settings_t *settings;
    const json_t *all;
    const json_t *over; /* claims that win over `all`; NULL: none */
    client_t *client;
    bool native;   /* a redirect URI is one of a native application */
    bool document; /* its own, not a registration: client->auth is set */
    oauth_reason_t reason;
} reader_t;

/* `v` is NULL when the member is absent, null or an empty string: clients send these for members
 * that they do not have. `into` is for members that are one text. */
typedef rc_t (*member_read_t)(reader_t *r, const json_t *v, str_t *into);

static rc_t refuse(reader_t *r, oauth_reason_t reason)
{
    r->reason = reason;
    return RC_OK;
}

static bool all_strings(const json_t *array)
{
    for (const json_t *v = array->child; v; v = v->next)
        if (!json_is(v, JSON_STRING))
            return false;
    return true;
}

/* Absent: client_secret_basic (RFC 7591 section 2). */
static rc_t read_auth_method(reader_t *r, const json_t *v, str_t *into)
{
    if (r->document)
        return RC_OK;
    r->client->auth = CLIENT_AUTH_SECRET_BASIC;
    if (v && !oauth_method_parse(v->str, &r->client->auth))
        return refuse(r, OAUTH_METADATA_AUTH_METHOD);
    return RC_OK;
}

/* Grants that are not offered are left out: clients list what they could do elsewhere. A client
 * that cannot authenticate contradicts itself by asking for client_credentials. */
static rc_t read_grants(reader_t *r, const json_t *v, str_t *into)
{
    uint32_t grants = v ? 0 : GRANT_AUTHORIZATION_CODE;
    if (v && !all_strings(v))
        return refuse(r, OAUTH_METADATA_TYPE);
    for (const json_t *one = v ? v->child : NULL; one; one = one->next)
        grants |= oauth_grant_parse(one->str);
    if (r->client->auth == CLIENT_AUTH_NONE && grants & GRANT_CLIENT_CREDENTIALS) {
        if (!r->document)
            return refuse(r, OAUTH_METADATA_GRANTS);
        grants &= ~(uint32_t)GRANT_CLIENT_CREDENTIALS;
    }
    grants &= r->settings->registrable_grants;
    if (!r->document && (grants & ~(uint32_t)GRANT_REFRESH_TOKEN) == 0)
        return refuse(r, OAUTH_METADATA_GRANTS);
    r->client->grants = grants;
    return RC_OK;
}

static rc_t read_response_types(reader_t *r, const json_t *v, str_t *into)
{
    if (!v || r->document || !(r->client->grants & GRANT_AUTHORIZATION_CODE))
        return RC_OK;
    if (!all_strings(v))
        return refuse(r, OAUTH_METADATA_TYPE);
    for (const json_t *one = v->child; one; one = one->next)
        if (str_eq(one->str, STR("code")))
            return RC_OK;
    return refuse(r, OAUTH_METADATA_RESPONSE_TYPES);
}

/* Takes the good ones; the first bad one is why there is none. */
static void take_redirect_uris(reader_t *r, const json_t *list, str_t *v)
{
    oauth_reason_t first_bad = OAUTH_REDIRECT_URIS_MISSING;
    size_t n = 0, bad = 0;
    for (const json_t *one = list->child; one; one = one->next) {
        oauth_redirect_kind_t kind;
        oauth_reason_t why = oauth_redirect_uri_check(one->str, &r->settings->redirects, &kind);
        if (why != OAUTH_FINE && bad++ == 0)
            first_bad = why;
        if (why != OAUTH_FINE || str_list_has((str_list_t){v, n}, one->str))
            continue;
        v[n++] = one->str;
        r->native = r->native || kind != OAUTH_REDIRECT_HTTPS;
    }
    r->client->redirect_uris = (str_list_t){v, n};
    if (n == 0 || (bad > 0 && !r->settings->drop_bad_redirect_uris))
        r->reason = first_bad;
}

static rc_t read_redirect_uris(reader_t *r, const json_t *v, str_t *into)
{
    if (!r->document && !(r->client->grants & GRANT_AUTHORIZATION_CODE))
        return RC_OK;
    if (!v || !all_strings(v))
        return refuse(r, OAUTH_REDIRECT_URIS_MISSING);
    if (v->count > LIMIT_REDIRECT_URIS)
        return refuse(r, OAUTH_REDIRECT_URIS_MANY);
    str_t *uris = ARENA_ARRAY(r->a, v->count + 1, str_t);
    if (!uris)
        return RC_MEMORY;
    take_redirect_uris(r, v, uris);
    return RC_OK;
}

/* Absent: what the redirect URIs say. Some clients say "web" of every application and list its
 * private-use and loopback URIs beside; they are what their URIs are. */
static rc_t read_application_type(reader_t *r, const json_t *v, str_t *into)
{
    bool says_web = v && str_eq(v->str, STR("web"));
    bool says_native = v && str_eq(v->str, STR("native"));
    if (says_web && r->native && r->settings->strict_application_type)
        return refuse(r, OAUTH_METADATA_APPLICATION_TYPE);
    r->client->type = r->native || says_native ? CLIENT_NATIVE : CLIENT_WEB;
    return RC_OK;
}

static rc_t read_label(reader_t *r, const json_t *v, str_t *into)
{
    return v ? oauth_label_clean(r->a, v->str, LIMIT_CLIENT_NAME_BYTES, into) : RC_OK;
}

/* A link for people. What is no web address is left out: nothing depends on it. */
static rc_t read_link(reader_t *r, const json_t *v, str_t *into)
{
    url_t u;
    if (!v || v->str.n > LIMIT_CLIENT_TEXT_BYTES || url_parse(v->str, &u) != RC_OK)
        return RC_OK;
    if (url_is_http(&u) && !str_is_set(u.userinfo))
        *into = v->str;
    return RC_OK;
}

static rc_t read_contacts(reader_t *r, const json_t *v, str_t *into)
{
    size_t n = 0;
    if (!v)
        return RC_OK;
    if (!all_strings(v))
        return refuse(r, OAUTH_METADATA_TYPE);
    str_t *contacts = ARENA_ARRAY(r->a, LIMIT_CLIENT_CONTACTS, str_t);
    if (!contacts)
        return RC_MEMORY;
    for (const json_t *one = v->child; one && n < LIMIT_CLIENT_CONTACTS; one = one->next) {
        TRY(oauth_label_clean(r->a, one->str, LIMIT_CLIENT_TEXT_BYTES, &contacts[n]));
        n += str_is_set(contacts[n]);
    }
    r->client->contacts = (str_list_t){contacts, n};
    return RC_OK;
}

/* A wish that bounds nothing (register.h); only its grammar counts. */
static rc_t read_scope(reader_t *r, const json_t *v, str_t *into)
{
    str_t scope;
    rc_t rc = v ? oauth_scope_parse(r->a, v->str, &scope) : RC_OK;
    if (rc == RC_MALFORMED || rc == RC_LIMIT)
        return refuse(r, OAUTH_METADATA_SCOPE);
    return rc;
}

static const json_t *present(const json_t *all, str_t name)
{
    const json_t *v = json_get(all, name);
    bool empty = json_is(v, JSON_NULL) || (json_is(v, JSON_STRING) && v->str.n == 0);
    return empty ? NULL : v;
}

/* What says the keys of the client. Those that are vouched for stand alone, in whichever of the two
 * members: beside them, others would be somebody else's (RFC 7591 section 2.3). */
static const json_t *says_keys(const reader_t *r)
{
    bool vouched = present(r->over, STR("jwks")) || present(r->over, STR("jwks_uri"));
    return vouched ? r->over : r->all;
}

static rc_t read_jwks(reader_t *r, const json_t *v, str_t *into)
{
    if (!v)
        return RC_OK;
    if (json_get_str(says_keys(r), STR("jwks_uri")).n > 0)
        return refuse(r, OAUTH_METADATA_JWKS_TWICE);
    if (!oauth_client_jwks_is_sound(r->a, v))
        return refuse(r, OAUTH_METADATA_JWKS);
    r->client->jwks = v->raw;
    return RC_OK;
}

/* Whether it is fetched at all is decided where it is. For who needs no keys it is a link like
 * others; that of a document is judged with the document. */
static rc_t read_jwks_uri(reader_t *r, const json_t *v, str_t *into)
{
    url_t u;
    if (!v || r->document || r->client->auth != CLIENT_AUTH_PRIVATE_KEY_JWT)
        return RC_OK;
    if (v->str.n > LIMIT_CLIENT_TEXT_BYTES || url_parse(v->str, &u) != RC_OK || !url_is_http(&u) ||
        str_is_set(u.userinfo) || str_is_set(u.fragment) ||
        !(url_is_https(&u) || url_host_is_loopback(u.host)))
        return refuse(r, OAUTH_METADATA_JWKS_URI);
    r->client->jwks_uri = v->str;
    return RC_OK;
}

/* Keys are kept for who signs with them. Others list theirs, too; nothing here would use them. */
static void fit_keys(reader_t *r)
{
    client_t *c = r->client;
    bool has_keys = str_is_set(c->jwks) || str_is_set(c->jwks_uri);
    if (c->auth != CLIENT_AUTH_PRIVATE_KEY_JWT)
        c->jwks = STR_UNSET;
    else if (!has_keys)
        r->reason = OAUTH_METADATA_KEYS_MISSING;
}

/* A promise of the client that it never asks without a proof (RFC 9449 section 5.2). */
static rc_t read_dpop_bound(reader_t *r, const json_t *v, str_t *into)
{
    r->client->dpop_bound = json_is(v, JSON_TRUE);
    return RC_OK;
}

/* The same of requests that were not pushed (RFC 9126 section 6). */
static rc_t read_pushed(reader_t *r, const json_t *v, str_t *into)
{
    r->client->par_required = json_is(v, JSON_TRUE);
    return RC_OK;
}

/* In the order in which they need each other. */
static const struct {
    str_t name;
    json_type_t type;
    member_read_t read;
    size_t into; /* where in client_t, for read_label and read_link */
} MEMBERS[] = {
    {STR_INIT("token_endpoint_auth_method"), JSON_STRING, read_auth_method, 0},
    {STR_INIT("grant_types"), JSON_ARRAY, read_grants, 0},
    {STR_INIT("response_types"), JSON_ARRAY, read_response_types, 0},
    {STR_INIT("redirect_uris"), JSON_ARRAY, read_redirect_uris, 0},
    {STR_INIT("application_type"), JSON_STRING, read_application_type, 0},
    {STR_INIT("client_name"), JSON_STRING, read_label, offsetof(client_t, name)},
    {STR_INIT("client_uri"), JSON_STRING, read_link, offsetof(client_t, client_uri)},
    {STR_INIT("logo_uri"), JSON_STRING, read_link, offsetof(client_t, logo_uri)},
    {STR_INIT("tos_uri"), JSON_STRING, read_link, offsetof(client_t, tos_uri)},
    {STR_INIT("policy_uri"), JSON_STRING, read_link, offsetof(client_t, policy_uri)},
    {STR_INIT("contacts"), JSON_ARRAY, read_contacts, 0},
    {STR_INIT("software_id"), JSON_STRING, read_label, offsetof(client_t, software_id)},
    {STR_INIT("software_version"), JSON_STRING, read_label, offsetof(client_t, software_version)},
    {STR_INIT("scope"), JSON_STRING, read_scope, 0},
    {STR_INIT("jwks"), JSON_OBJECT, read_jwks, 0},
    {STR_INIT("dpop_bound_access_tokens"), JSON_TRUE, read_dpop_bound, 0},
    {STR_INIT("require_pushed_authorization_requests"), JSON_TRUE, read_pushed, 0},
    {STR_INIT("jwks_uri"), JSON_STRING, read_jwks_uri, 0},
};

static rc_t read_member(reader_t *r, size_t i)
{
    const json_t *v = present(r->over, MEMBERS[i].name);
    bool keys = MEMBERS[i].read == read_jwks || MEMBERS[i].read == read_jwks_uri;
    if (!v)
        v = present(keys ? says_keys(r) : r->all, MEMBERS[i].name);
    str_t *into = (str_t *)(void *)((char *)r->client + MEMBERS[i].into);
    bool boolean = MEMBERS[i].type == JSON_TRUE && json_is(v, JSON_FALSE);
    if (!v || v->type == MEMBERS[i].type || boolean)
        return MEMBERS[i].read(r, v, into);
    bool uris = str_eq(MEMBERS[i].name, STR("redirect_uris"));
    return refuse(r, uris ? OAUTH_REDIRECT_URIS_MISSING : OAUTH_METADATA_TYPE);
}

static rc_t read_members(reader_t *r)
{
    for (size_t i = 0; r->reason == OAUTH_FINE && i < sizeof MEMBERS / sizeof MEMBERS[0]; i++)
        TRY(read_member(r, i));
    return RC_OK;
}

rc_t oauth_client_metadata_of_document(arena_t *a, const oauth_settings_t *settings,
                                       const json_t *document, client_auth_t auth, client_t *client,
                                       oauth_reason_t *reason)
{
    reader_t r = {
        .a = a, .settings = settings, .all = document, .client = client, .document = true};
    *client = (client_t){.auth = auth};
    TRY(read_members(&r));
    *reason = r.reason;
    return RC_OK;
}

rc_t oauth_client_metadata_read(arena_t *a, const oauth_settings_t *settings,
                                const oauth_client_body_t *from, client_t *client,
                                oauth_reason_t *reason)
{
    static const json_limits_t LIMITS = {LIMIT_REGISTRATION_BYTES, 16, 4096};
    reader_t r = {.a = a, .settings = settings, .client = client, .over = from->claims};
    *client = (client_t){0};
    rc_t rc = json_parse(a, from->body, &LIMITS, &r.all);
    if (rc == RC_MEMORY)
        return rc;
    if (rc != RC_OK || !json_is(r.all, JSON_OBJECT))
        r.reason = OAUTH_METADATA_MALFORMED;
    TRY(read_members(&r));
    if (r.reason == OAUTH_FINE)
        fit_keys(&r);
    *reason = r.reason;
    return RC_OK;
}

void oauth_client_metadata_write(json_writer_t *w, const client_t *client)
{
    static const str_t CODE[] = {STR_INIT("code")};
    str_t grants[OAUTH_GRANTS];
    if (client->redirect_uris.n > 0)
        json_member_strs(w, STR("redirect_uris"), client->redirect_uris);
    json_member_str(w, STR("token_endpoint_auth_method"), oauth_method_name(client->auth));
    json_member_strs(w, STR("grant_types"), oauth_grant_names(client->grants, grants));
    if (client->grants & GRANT_AUTHORIZATION_CODE)
        json_member_strs(w, STR("response_types"), (str_list_t){CODE, 1});
    json_member_str(w, STR("application_type"),
                    client->type == CLIENT_NATIVE ? STR("native") : STR("web"));
    json_member_str(w, STR("client_name"), client->name);
    json_member_str(w, STR("client_uri"), client->client_uri);
    json_member_str(w, STR("logo_uri"), client->logo_uri);
    json_member_str(w, STR("tos_uri"), client->tos_uri);
    json_member_str(w, STR("policy_uri"), client->policy_uri);
    if (client->contacts.n > 0)
        json_member_strs(w, STR("contacts"), client->contacts);
    json_member_str(w, STR("software_id"), client->software_id);
    json_member_str(w, STR("software_version"), client->software_version);
    if (client->dpop_bound)
        json_member_bool(w, STR("dpop_bound_access_tokens"), true);
    if (client->par_required)
        json_member_bool(w, STR("require_pushed_authorization_requests"), true);
    json_member_str(w, STR("jwks_uri"), client->jwks_uri);
    if (str_is_set(client->jwks)) {
        json_key(w, STR("jwks"));
        json_raw(w, client->jwks);
    }
}
