#include "client/registration.h"

#include "core/limits.h"
#include "core/url.h"

enum { GRANTS_MAX = 8 };

static const str_t PERSON_GRANTS[] = {STR_INIT("authorization_code"), STR_INIT("refresh_token")};

client_way_t client_way_choose(const client_server_metadata_t *server, str_t client_id,
                               str_t document)
{
    if (!str_is_empty(client_id))
        return CLIENT_KNOWN;
    if (server->client_id_metadata_document && !str_is_empty(document))
        return CLIENT_DOCUMENT;
    return str_is_set(server->registration_endpoint) ? CLIENT_REGISTER : CLIENT_ASK;
}

static str_list_t wanted_grants(const client_registration_want_t *want)
{
    if (want->grant_types.n > 0)
        return want->grant_types;
    return (str_list_t){PERSON_GRANTS, sizeof PERSON_GRANTS / sizeof PERSON_GRANTS[0]};
}

/* Of those that the server offers; all of them where it offers none, so that it is the server that
 * refuses, with its words. */
static str_list_t offered_grants(const client_server_metadata_t *server, str_list_t wanted,
                                 str_t room[GRANTS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < wanted.n && n < GRANTS_MAX; i++)
        if (client_server_has_grant(server, wanted.v[i]))
            room[n++] = wanted.v[i];
    return n > 0 ? (str_list_t){room, n} : wanted;
}

/* Always said, as silence would mean client_secret_basic (RFC 7591 section 2). */
static str_t method_for(const client_server_metadata_t *server,
                        const client_registration_want_t *want)
{
    static const client_method_t BEST_FIRST[] = {CLIENT_METHOD_NONE, CLIENT_METHOD_BASIC,
                                                 CLIENT_METHOD_POST};
    if (str_is_set(want->method))
        return want->method;
    for (size_t i = 0; i < sizeof BEST_FIRST / sizeof BEST_FIRST[0]; i++)
        if (str_list_has(server->auth_methods, client_method_name(BEST_FIRST[i])))
            return client_method_name(BEST_FIRST[i]);
    return client_method_name(CLIENT_METHOD_NONE);
}

static void write_metadata(json_writer_t *w, const client_registration_want_t *want,
                           str_list_t grants, str_t method)
{
    const str_t code = STR("code");
    bool by_code = str_list_has(grants, PERSON_GRANTS[0]);
    json_member_str(w, STR("client_name"), want->name);
    json_member_str(w, STR("client_uri"), want->bare ? STR_UNSET : want->uri);
    json_member_str(w, STR("application_type"), STR("native"));
    if (want->redirect_uris.n > 0)
        json_member_strs(w, STR("redirect_uris"), want->redirect_uris);
    json_member_strs(w, STR("grant_types"), grants);
    json_member_strs(w, STR("response_types"), by_code ? (str_list_t){&code, 1} : (str_list_t){0});
    json_member_str(w, STR("token_endpoint_auth_method"), method);
    json_member_str(w, STR("scope"), want->bare ? STR_UNSET : want->scope);
    json_member_str(w, STR("software_version"), want->bare ? STR_UNSET : want->software_version);
}

rc_t client_registration_write(arena_t *a, const client_server_metadata_t *server,
                               const client_registration_want_t *want, str_t *out)
{
    str_t room[GRANTS_MAX];
    buf_t b = buf_new(a, LIMIT_REGISTRATION_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    write_metadata(&w, want, offered_grants(server, wanted_grants(want), room),
                   method_for(server, want));
    json_end_object(&w);
    return buf_done(&b, out);
}

/* A host, a path that is more than "/", and nothing else but perhaps a query (OAuth Client ID
 * Metadata Document, section 3). */
static bool is_document_url(str_t url)
{
    url_t u;
    if (url_parse(url, &u) != RC_OK || !url_is_https(&u) || str_is_set(u.userinfo) ||
        str_is_set(u.fragment) || u.path.n < 2)
        return false;
    str_t segment;
    for (str_t rest = u.path; str_split(&rest, '/', &segment);)
        if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return false;
    return true;
}

/* A document is public, so that no secret can go with it: a key, or nothing (section 4.1). */
static bool choose_document_method(str_t wanted, str_t jwks_uri, client_method_t *out)
{
    *out = str_is_set(jwks_uri) ? CLIENT_METHOD_JWT : CLIENT_METHOD_NONE;
    if (str_is_set(wanted) && !client_method_parse(wanted, out))
        return false;
    return *out == CLIENT_METHOD_NONE || (*out == CLIENT_METHOD_JWT && str_is_set(jwks_uri));
}

rc_t client_document_write(arena_t *a, str_t url, const client_registration_want_t *want,
                           str_t jwks_uri, str_t *out)
{
    /* All names of the loopback host, without the port, which is another each time. */
    static const str_t LOOPBACK[] = {STR_INIT("http://127.0.0.1/callback"),
                                     STR_INIT("http://[::1]/callback"),
                                     STR_INIT("http://localhost/callback")};
    client_registration_want_t whole = *want;
    client_method_t method;
    *out = STR_UNSET;
    if (!is_document_url(url) || !choose_document_method(want->method, jwks_uri, &method))
        return RC_MALFORMED;
    if (whole.redirect_uris.n == 0)
        whole.redirect_uris = (str_list_t){LOOPBACK, sizeof LOOPBACK / sizeof LOOPBACK[0]};
    buf_t b = buf_new(a, LIMIT_CLIENT_DOCUMENT_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("client_id"), url);
    write_metadata(&w, &whole, wanted_grants(want), client_method_name(method));
    json_member_str(&w, STR("jwks_uri"), jwks_uri);
    json_end_object(&w);
    return buf_done(&b, out);
}
