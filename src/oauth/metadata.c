#include "oauth/metadata.h"

#include "core/json.h"
#include "core/limits.h"
#include "oauth/acr.h"
#include "oauth/dpop.h"
#include "oauth/bearer.h"
#include "oauth/method.h"
#include "oauth/resource.h"
#include "oauth/scope.h"

static const struct {
    str_t member, path;
} ENDPOINTS[OAUTH_ENDPOINT_COUNT] = {
#define ENDPOINT(name, member, path) [OAUTH_ENDPOINT_##name] = {STR_INIT(member), STR_INIT(path)},
    OAUTH_ENDPOINT_TABLE(ENDPOINT)
#undef ENDPOINT
};

/* What else there is exactly one of. */
static const str_t CODE[] = {STR_INIT("code")};
static const str_t QUERY[] = {STR_INIT("query")};
static const str_t S256[] = {STR_INIT("S256")};
static const str_t PUBLIC[] = {STR_INIT("public")};

static str_list_t one(const str_t v[1])
{
    return (str_list_t){v, 1};
}

str_t oauth_endpoint_path(oauth_endpoint_t endpoint)
{
    return ENDPOINTS[endpoint].path;
}

static rc_t write_endpoints(arena_t *a, json_writer_t *w, const oauth_settings_t *s)
{
    for (size_t i = 0; i < OAUTH_ENDPOINT_COUNT; i++) {
        if (i == OAUTH_ENDPOINT_REGISTER && s->registration == OAUTH_REGISTER_OFF)
            continue;
        str_t url;
        buf_t b = buf_new(a, LIMIT_URL_BYTES);
        buf_put(&b, s->issuer);
        buf_put(&b, ENDPOINTS[i].path);
        TRY(buf_done(&b, &url));
        json_member_str(w, ENDPOINTS[i].member, url);
    }
    return RC_OK;
}

static rc_t write_scopes(arena_t *a, json_writer_t *w, const oauth_resources_t *resources)
{
    str_t all, token;
    TRY(oauth_resource_scope_all(a, resources, &all));
    if (!str_is_set(all))
        return RC_OK;
    json_key(w, STR("scopes_supported"));
    json_begin_array(w);
    while (oauth_scope_next(&all, &token))
        json_str(w, token);
    json_end_array(w);
    return RC_OK;
}

/* Who is trusted is not told, only that somebody is. */
static uint32_t offered_grants(const oauth_settings_t *s)
{
    bool bearer = oauth_issuer_any(&s->issuers, OAUTH_ISSUER_ID_JAG | OAUTH_ISSUER_WORKLOAD);
    return bearer ? UINT32_MAX : UINT32_MAX & ~(uint32_t)GRANT_JWT_BEARER;
}

static void write_methods(json_writer_t *w, const oauth_settings_t *s)
{
    static const str_t ID_JAG[] = {STR_INIT(OAUTH_PROFILE_ID_JAG)};
    str_t grants[OAUTH_GRANTS];
    str_list_t methods = oauth_method_names(), algs = oauth_assertion_alg_names();
    json_member_strs(w, STR("response_types_supported"), one(CODE));
    json_member_strs(w, STR("response_modes_supported"), one(QUERY));
    json_member_strs(w, STR("grant_types_supported"), oauth_grant_names(offered_grants(s), grants));
    if (oauth_issuer_any(&s->issuers, OAUTH_ISSUER_ID_JAG))
        json_member_strs(w, STR("authorization_grant_profiles_supported"), one(ID_JAG));
    json_member_strs(w, STR("token_endpoint_auth_methods_supported"), methods);
    json_member_strs(w, STR("token_endpoint_auth_signing_alg_values_supported"), algs);
    json_member_strs(w, STR("revocation_endpoint_auth_methods_supported"), methods);
    json_member_strs(w, STR("revocation_endpoint_auth_signing_alg_values_supported"), algs);
    json_member_strs(w, STR("introspection_endpoint_auth_methods_supported"),
                     oauth_method_names_confidential());
    json_member_strs(w, STR("introspection_endpoint_auth_signing_alg_values_supported"), algs);
    json_member_strs(w, STR("code_challenge_methods_supported"), one(S256));
    if (s->dpop != OAUTH_DPOP_OFF)
        json_member_strs(w, STR("dpop_signing_alg_values_supported"), oauth_dpop_alg_names());
    json_member_bool(w, STR("authorization_response_iss_parameter_supported"), true);
    json_member_strs(w, STR("acr_values_supported"), oauth_acr_values());
}

/* Members that OpenID Connect Discovery section 3 requires; without them clients refuse to read the
 * document at all. The last one must be there since its absence would mean true. */
static void write_openid(json_writer_t *w, str_t signing_alg)
{
    json_member_strs(w, STR("subject_types_supported"), one(PUBLIC));
    json_member_strs(w, STR("id_token_signing_alg_values_supported"), one(&signing_alg));
    json_member_bool(w, STR("request_uri_parameter_supported"), false);
}

rc_t oauth_metadata_write(arena_t *a, const oauth_metadata_facts_t *facts,
                          oauth_metadata_kind_t kind, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_METADATA_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("issuer"), facts->settings->issuer);
    TRY(write_endpoints(a, &w, facts->settings));
    TRY(write_scopes(a, &w, facts->resources));
    write_methods(&w, facts->settings);
    json_member_bool(&w, STR("require_pushed_authorization_requests"),
                     facts->settings->pushed_required);
    if (facts->settings->documents)
        json_member_bool(&w, STR("client_id_metadata_document_supported"), true);
    if (kind == OAUTH_METADATA_OPENID)
        write_openid(&w, facts->signing_alg);
    json_end_object(&w);
    return buf_done(&b, out);
}
