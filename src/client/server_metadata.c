#include "client/server_metadata.h"

#include "client/members.h"
#include "client/plain.h"
#include "client/url_rule.h"
#include "core/limits.h"
#include "core/url.h"

static void read_endpoints(client_members_t *m, client_server_metadata_t *out)
{
    out->authorization_endpoint = client_members_str(m, STR("authorization_endpoint"));
    out->token_endpoint = client_members_str(m, STR("token_endpoint"));
    out->registration_endpoint = client_members_str(m, STR("registration_endpoint"));
    out->revocation_endpoint = client_members_str(m, STR("revocation_endpoint"));
    out->device_authorization_endpoint =
        client_members_str(m, STR("device_authorization_endpoint"));
    out->pushed_authorization_request_endpoint =
        client_members_str(m, STR("pushed_authorization_request_endpoint"));
    out->jwks_uri = client_members_str(m, STR("jwks_uri"));
}

static void read_lists(client_members_t *m, client_server_metadata_t *out)
{
    bool has;
    out->response_types = client_members_strs(m, STR("response_types_supported"), &has);
    out->grant_types = client_members_strs(m, STR("grant_types_supported"), &out->has_grant_types);
    out->auth_methods = client_members_strs(m, STR("token_endpoint_auth_methods_supported"),
                                            &out->has_auth_methods);
    out->auth_algs =
        client_members_strs(m, STR("token_endpoint_auth_signing_alg_values_supported"), &has);
    out->challenge_methods = client_members_strs(m, STR("code_challenge_methods_supported"),
                                                 &out->has_challenge_methods);
    out->dpop_algs = client_members_strs(m, STR("dpop_signing_alg_values_supported"), &has);
    out->scopes = client_members_strs(m, STR("scopes_supported"), &out->has_scopes);
    str_list_t profiles =
        client_members_strs(m, STR("authorization_grant_profiles_supported"), &has);
    out->id_jag = str_list_has(profiles, STR("urn:ietf:params:oauth:grant-profile:id-jag"));
}

static void read_members(client_members_t *m, client_server_metadata_t *out)
{
    out->issuer = client_members_str(m, STR("issuer"));
    read_endpoints(m, out);
    read_lists(m, out);
    out->client_id_metadata_document =
        client_members_bool(m, STR("client_id_metadata_document_supported"));
    out->iss_parameter =
        client_members_bool(m, STR("authorization_response_iss_parameter_supported"));
    out->require_pushed = client_members_bool(m, STR("require_pushed_authorization_requests"));
    out->note = m->note;
    out->all = m->all;
}

/* `reason` with *why, or CLIENT_MACHINE without memory for it. */
static client_reason_t refuse(client_reason_t reason, str_t detail, str_t *why, rc_t *rc)
{
    *why = detail;
    *rc = str_is_set(detail) ? RC_OK : RC_MEMORY;
    return *rc == RC_OK ? reason : CLIENT_MACHINE;
}

static client_reason_t check_issuer(arena_t *a, str_t seen, str_t issuer, str_t *why, rc_t *rc)
{
    if (str_eq(seen, issuer))
        return CLIENT_FINE;
    str_t shown = client_plain(a, seen, LIMIT_CLIENT_DETAIL_BYTES);
    str_t due = client_plain(a, issuer, LIMIT_CLIENT_DETAIL_BYTES);
    str_t detail = arena_printf(a, "issuer is \"%" PRIstr "\", not \"%" PRIstr "\"", STR_ARG(shown),
                                STR_ARG(due));
    return refuse(CLIENT_ISSUER_MISMATCH, str_is_set(shown) && str_is_set(due) ? detail : STR_UNSET,
                  why, rc);
}

/* All that a client may go to, or send a browser to. */
static client_reason_t check_endpoints(arena_t *a, const client_server_metadata_t *m, bool plain_ok,
                                       str_t *why, rc_t *rc)
{
    const struct {
        const char *name;
        str_t url;
    } ENDPOINTS[] = {
        {"authorization_endpoint", m->authorization_endpoint},
        {"token_endpoint", m->token_endpoint},
        {"registration_endpoint", m->registration_endpoint},
        {"revocation_endpoint", m->revocation_endpoint},
        {"device_authorization_endpoint", m->device_authorization_endpoint},
        {"pushed_authorization_request_endpoint", m->pushed_authorization_request_endpoint},
    };
    for (size_t i = 0; i < sizeof ENDPOINTS / sizeof ENDPOINTS[0]; i++) {
        if (!str_is_set(ENDPOINTS[i].url))
            continue;
        client_reason_t reason = client_url_check(ENDPOINTS[i].url, plain_ok);
        if (reason == CLIENT_FINE)
            continue;
        str_t shown = client_plain(a, ENDPOINTS[i].url, LIMIT_CLIENT_DETAIL_BYTES);
        str_t detail = arena_printf(a, "%s is \"%" PRIstr "\"", ENDPOINTS[i].name, STR_ARG(shown));
        return refuse(reason, str_is_set(shown) ? detail : STR_UNSET, why, rc);
    }
    return CLIENT_FINE;
}

/* What is required and is not there, or of a wrong type; NULL: nothing. The list of response types
 * is required as well, but some leave it out who mean "code". */
static const char *wrong_type(const client_members_t *m)
{
    if (!json_is(json_get(m->all, STR("issuer")), JSON_STRING))
        return client_members_has(m, STR("issuer")) ? "issuer is no string" : "issuer is missing";
    if (!json_is(json_get(m->all, STR("token_endpoint")), JSON_STRING))
        return client_members_has(m, STR("token_endpoint")) ? "token_endpoint is no string"
                                                            : "token_endpoint is missing";
    const json_t *types = json_get(m->all, STR("response_types_supported"));
    if (types && !json_is(types, JSON_NULL) && !json_is(types, JSON_ARRAY))
        return "response_types_supported is no list";
    return NULL;
}

client_reason_t client_server_metadata_read(arena_t *a, str_t body, str_t issuer, bool plain_ok,
                                            client_server_metadata_t *out, str_t *why, rc_t *rc)
{
    client_members_t m;
    *out = (client_server_metadata_t){0};
    *why = STR_UNSET;
    *rc = client_members_read(a, body, &m);
    if (*rc == RC_LIMIT)
        return refuse(CLIENT_SERVER_METADATA_BAD, STR("it is too large"), why, rc);
    if (*rc == RC_MALFORMED)
        return refuse(CLIENT_SERVER_METADATA_BAD, STR("it is no JSON object"), why, rc);
    if (*rc != RC_OK)
        return CLIENT_MACHINE;
    const char *wrong = wrong_type(&m);
    if (wrong)
        return refuse(CLIENT_SERVER_METADATA_BAD, str_c(wrong), why, rc);
    read_members(&m, out);
    *rc = m.rc;
    if (*rc != RC_OK)
        return CLIENT_MACHINE;
    client_reason_t reason = check_issuer(a, out->issuer, issuer, why, rc);
    return reason == CLIENT_FINE ? check_endpoints(a, out, plain_ok, why, rc) : reason;
}

rc_t client_server_guess(arena_t *a, str_t url, client_server_metadata_t *out)
{
    url_t u;
    str_t origin;
    *out = (client_server_metadata_t){0};
    TRY(url_parse(url, &u));
    if (!url_is_http(&u))
        return RC_MALFORMED;
    TRY(url_origin(a, &u, &origin));
    out->authorization_endpoint = arena_printf(a, "%" PRIstr "/authorize", STR_ARG(origin));
    out->token_endpoint = arena_printf(a, "%" PRIstr "/token", STR_ARG(origin));
    out->registration_endpoint = arena_printf(a, "%" PRIstr "/register", STR_ARG(origin));
    bool all = str_is_set(out->authorization_endpoint) && str_is_set(out->token_endpoint) &&
               str_is_set(out->registration_endpoint);
    return all ? RC_OK : RC_MEMORY;
}

client_reason_t client_server_check_code(const client_server_metadata_t *m)
{
    bool types = m->response_types.n == 0 || str_list_has(m->response_types, STR("code"));
    if (!str_is_set(m->authorization_endpoint) || !types ||
        !client_server_has_grant(m, STR("authorization_code")))
        return CLIENT_GRANT_MISSING;
    if (m->all && !str_list_has(m->challenge_methods, STR("S256")))
        return CLIENT_PKCE_MISSING;
    return CLIENT_FINE;
}

bool client_server_has_grant(const client_server_metadata_t *m, str_t grant)
{
    static const str_t UNSAID[] = {STR_INIT("authorization_code"), STR_INIT("implicit"),
                                   STR_INIT("refresh_token"), STR_INIT("client_credentials")};
    static const str_list_t unsaid = {UNSAID, sizeof UNSAID / sizeof UNSAID[0]};
    if (m->has_grant_types)
        return str_list_has(m->grant_types, grant);
    if (str_eq(grant, STR("urn:ietf:params:oauth:grant-type:device_code")))
        return str_is_set(m->device_authorization_endpoint);
    return str_list_has(unsaid, grant);
}
