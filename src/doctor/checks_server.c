/* Checks of the phase SERVER: the metadata of the authorization server (RFC 8414, OpenID Connect).
 */
#include "doctor/look.h"

#include "doctor/plan.h"

/* UNSEEN where there is no document to look into. */
static doctor_check_end_t fine_server(const look_t *l)
{
    return l->f->server ? DOCTOR_CHECK_FINE : DOCTOR_CHECK_UNSEEN;
}

static size_t count_places(const look_t *l, size_t *found)
{
    size_t answered = 0;
    *found = 0;
    LOOK_EACH(LOOK_SERVER_PLACES, ask)
    {
        answered += doctor_answered(l->f, *ask);
        *found += doctor_json(l->f, *ask) != NULL;
    }
    return answered;
}

doctor_check_end_t check_server_metadata_none(look_t *l)
{
    size_t found, answered = count_places(l, &found);
    if (answered == 0)
        return DOCTOR_CHECK_UNSEEN;
    return found > 0 ? DOCTOR_CHECK_FINE : look_hit_status(l, DOCTOR_ASK_AS_RFC8414);
}

static bool is_missing(const look_t *l, doctor_ask_t ask)
{
    return doctor_answered(l->f, ask) && !doctor_json(l->f, ask);
}

/* One kind of metadata is enough. RFC 8414's has its path inserted, and clients that lose paths
 * look at the root; OpenID's has two places. */
doctor_check_end_t check_server_metadata_places(look_t *l)
{
    size_t found, answered = count_places(l, &found);
    bool openid =
        doctor_json(l->f, DOCTOR_ASK_AS_OIDC_INSERTED) || doctor_json(l->f, DOCTOR_ASK_AS_OIDC);
    if (!l->f->at[DOCTOR_ASK_AS_OIDC_INSERTED].asked || found == 0)
        return answered ? DOCTOR_CHECK_FINE : DOCTOR_CHECK_UNSEEN;
    if (is_missing(l, DOCTOR_ASK_AS_RFC8414))
        return look_hit_status(l, DOCTOR_ASK_AS_RFC8414);
    if (is_missing(l, DOCTOR_ASK_AS_ROOT))
        return look_hit_status(l, DOCTOR_ASK_AS_ROOT);
    if (openid && is_missing(l, DOCTOR_ASK_AS_OIDC_INSERTED))
        return look_hit_status(l, DOCTOR_ASK_AS_OIDC_INSERTED);
    if (openid && is_missing(l, DOCTOR_ASK_AS_OIDC))
        return look_hit_status(l, DOCTOR_ASK_AS_OIDC);
    return DOCTOR_CHECK_FINE;
}

doctor_check_end_t check_server_metadata_not_json(look_t *l)
{
    return look_not_json(l, LOOK_SERVER_PLACES);
}

doctor_check_end_t check_server_metadata_type(look_t *l)
{
    return look_type(l, LOOK_SERVER_PLACES);
}

doctor_check_end_t check_server_metadata_redirects(look_t *l)
{
    return look_redirects(l, LOOK_SERVER_PLACES);
}

doctor_check_end_t check_server_metadata_null(look_t *l)
{
    LOOK_EACH(LOOK_SERVER_PLACES, ask)
    {
        str_t member = look_null_member(doctor_json(l->f, *ask));
        if (str_is_set(member))
            return HIT(l, "%" PRIstr " is null at %" PRIstr, STR_ARG(member),
                       STR_ARG(l->f->at[*ask].url));
    }
    return fine_server(l);
}

doctor_check_end_t check_server_metadata_differs(look_t *l)
{
    static const char *const MEMBERS[] = {"issuer", "authorization_endpoint", "token_endpoint",
                                          NULL};
    LOOK_EACH(LOOK_SERVER_PLACES, ask)
    {
        const json_t *other = doctor_json(l->f, *ask);
        for (const char *const *m = MEMBERS; other && *m; m++) {
            str_t one = json_get_str(l->f->server, str_c(*m));
            str_t two = json_get_str(other, str_c(*m));
            if (str_is_set(one) && str_is_set(two) && !str_eq(one, two))
                return HIT(l, "%s is %" PRIstr " and %" PRIstr, *m, STR_ARG(one), STR_ARG(two));
        }
    }
    return fine_server(l);
}

static str_t issuer_said(const look_t *l)
{
    return json_get_str(l->f->server, STR("issuer"));
}

doctor_check_end_t check_issuer_absent(look_t *l)
{
    if (l->f->server && !str_is_set(issuer_said(l)))
        return HIT(l, "no issuer at %" PRIstr, STR_ARG(l->f->at[l->f->server_at].url));
    return fine_server(l);
}

static doctor_check_end_t hit_issuer(look_t *l)
{
    return HIT(l, "issuer is %" PRIstr ", authorization_servers has %" PRIstr,
               STR_ARG(issuer_said(l)), STR_ARG(l->f->issuer));
}

static bool issuers_differ(const look_t *l)
{
    return str_is_set(issuer_said(l)) && str_is_set(l->f->issuer) &&
           !str_eq(issuer_said(l), l->f->issuer);
}

doctor_check_end_t check_issuer_slash(look_t *l)
{
    if (issuers_differ(l) && look_differs_by_slash(issuer_said(l), l->f->issuer))
        return hit_issuer(l);
    return fine_server(l);
}

doctor_check_end_t check_issuer_other(look_t *l)
{
    if (issuers_differ(l) && !look_differs_by_slash(issuer_said(l), l->f->issuer))
        return hit_issuer(l);
    return fine_server(l);
}

#define CHALLENGES STR("code_challenge_methods_supported")

doctor_check_end_t check_pkce_unsaid(look_t *l)
{
    if (l->f->server && !look_is_array(l->f->server, CHALLENGES))
        return HIT(l, "no code_challenge_methods_supported");
    return fine_server(l);
}

doctor_check_end_t check_pkce_no_s256(look_t *l)
{
    const json_t *list = json_get(l->f->server, CHALLENGES);
    if (json_is(list, JSON_ARRAY) && !look_holds(l->f->server, CHALLENGES, STR("S256")))
        return HIT(l, "code_challenge_methods_supported: %" PRIstr, STR_ARG(list->raw));
    return fine_server(l);
}

doctor_check_end_t check_pkce_plain(look_t *l)
{
    if (look_holds(l->f->server, CHALLENGES, STR("plain")))
        return HIT(l, "code_challenge_methods_supported holds plain");
    return fine_server(l);
}

doctor_check_end_t check_response_type_code(look_t *l)
{
    if (l->f->server && !look_holds(l->f->server, STR("response_types_supported"), STR("code")))
        return HIT(l, "response_types_supported without code");
    return fine_server(l);
}

static bool lacks_grant(const look_t *l, str_t grant)
{
    return look_is_array(l->f->server, STR("grant_types_supported")) &&
           !look_holds(l->f->server, STR("grant_types_supported"), grant);
}

doctor_check_end_t check_grant_code(look_t *l)
{
    if (lacks_grant(l, STR("authorization_code")))
        return HIT(l, "grant_types_supported without authorization_code");
    return fine_server(l);
}

doctor_check_end_t check_grant_refresh(look_t *l)
{
    if (lacks_grant(l, STR("refresh_token")))
        return HIT(l, "grant_types_supported without refresh_token");
    return fine_server(l);
}

doctor_check_end_t check_endpoint_absent(look_t *l)
{
    if (!l->f->server)
        return DOCTOR_CHECK_UNSEEN;
    if (!json_get(l->f->server, STR("authorization_endpoint")))
        return HIT(l, "no authorization_endpoint");
    if (!json_get(l->f->server, STR("token_endpoint")))
        return HIT(l, "no token_endpoint");
    return DOCTOR_CHECK_FINE;
}

static const char *const ENDPOINTS[] = {
    "authorization_endpoint", "token_endpoint", "registration_endpoint",
    "revocation_endpoint",    "jwks_uri",       NULL};

doctor_check_end_t check_endpoint_plain_http(look_t *l)
{
    for (const char *const *m = ENDPOINTS; *m; m++) {
        str_t url = json_get_str(l->f->server, str_c(*m));
        if (look_is_plain_http(url))
            return HIT(l, "%s is %" PRIstr, *m, STR_ARG(url));
    }
    return fine_server(l);
}

doctor_check_end_t check_endpoint_malformed(look_t *l)
{
    for (const char *const *m = ENDPOINTS; *m; m++) {
        const json_t *v = json_get(l->f->server, str_c(*m));
        if (v && !json_is(v, JSON_NULL) && !look_is_http_url(v->str))
            return HIT(l, "%s is %" PRIstr, *m, STR_ARG(v->raw));
    }
    return fine_server(l);
}

doctor_check_end_t check_iss_unpromised(look_t *l)
{
    if (l->f->server &&
        !look_is_true(l->f->server, STR("authorization_response_iss_parameter_supported")))
        return HIT(l, "authorization_response_iss_parameter_supported is not true");
    return fine_server(l);
}

doctor_check_end_t check_openid_members(look_t *l)
{
    static const doctor_ask_t PLACES[] = {DOCTOR_ASK_AS_OIDC_INSERTED, DOCTOR_ASK_AS_OIDC,
                                          DOCTOR_ASK_COUNT};
    static const char *const MEMBERS[] = {"jwks_uri", "subject_types_supported",
                                          "id_token_signing_alg_values_supported", NULL};
    LOOK_EACH(PLACES, ask)
    {
        const json_t *json = doctor_json(l->f, *ask);
        for (const char *const *m = MEMBERS; json && *m; m++)
            if (!json_get(json, str_c(*m)))
                return HIT(l, "no %s at %" PRIstr, *m, STR_ARG(l->f->at[*ask].url));
    }
    return look_fine(l, DOCTOR_ASK_AS_OIDC);
}

doctor_check_end_t check_auth_methods_unsaid(look_t *l)
{
    if (l->f->server && !look_is_array(l->f->server, STR("token_endpoint_auth_methods_supported")))
        return HIT(l, "no token_endpoint_auth_methods_supported");
    return fine_server(l);
}

doctor_check_end_t check_dpop_algs_unsaid(look_t *l)
{
    bool required = look_is_true(l->f->resource, STR("dpop_bound_access_tokens_required")) ||
                    (l->f->challenge.dpop && !l->f->challenge.bearer);
    if (l->f->server && required &&
        !look_is_array(l->f->server, STR("dpop_signing_alg_values_supported")))
        return HIT(l, "no dpop_signing_alg_values_supported");
    return fine_server(l);
}

static const json_t *keys(const look_t *l)
{
    const json_t *list = json_get(doctor_json(l->f, DOCTOR_ASK_JWKS), STR("keys"));
    return json_is(list, JSON_ARRAY) ? list : NULL;
}

doctor_check_end_t check_keys_unreachable(look_t *l)
{
    if (!doctor_answered(l->f, DOCTOR_ASK_JWKS))
        return DOCTOR_CHECK_UNSEEN;
    return keys(l) ? DOCTOR_CHECK_FINE : look_hit_status(l, DOCTOR_ASK_JWKS);
}

doctor_check_end_t check_keys_none(look_t *l)
{
    const json_t *list = keys(l);
    if (list && list->count == 0)
        return HIT(l, "keys is empty at %" PRIstr, STR_ARG(l->f->at[DOCTOR_ASK_JWKS].url));
    return look_fine(l, DOCTOR_ASK_JWKS);
}

/* Says which member there is, never what it holds. */
doctor_check_end_t check_keys_private(look_t *l)
{
    const json_t *list = keys(l);
    for (const json_t *key = list ? list->child : NULL; key; key = key->next)
        if (json_get(key, STR("d")) || json_get(key, STR("k")))
            return HIT(l, "a key with the member %s at %" PRIstr,
                       json_get(key, STR("d")) ? "d" : "k", STR_ARG(l->f->at[DOCTOR_ASK_JWKS].url));
    return look_fine(l, DOCTOR_ASK_JWKS);
}
