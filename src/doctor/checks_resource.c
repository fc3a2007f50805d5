/* Checks of the phase RESOURCE: the metadata of the protected resource (RFC 9728). */
#include "doctor/look.h"

#include "doctor/resource_fit.h"

enum { MANY_SCOPES = 20 };

/* UNSEEN where there is no document to look into. */
static doctor_check_end_t fine_resource(const look_t *l)
{
    return l->f->resource ? DOCTOR_CHECK_FINE : DOCTOR_CHECK_UNSEEN;
}

static bool is_asked_any(const look_t *l)
{
    LOOK_EACH(LOOK_RESOURCE_PLACES, ask)
    {
        if (doctor_answered(l->f, *ask))
            return true;
    }
    return false;
}

doctor_check_end_t check_resource_metadata_none(look_t *l)
{
    if (l->f->resource || doctor_is_open(l->f))
        return DOCTOR_CHECK_FINE;
    if (!is_asked_any(l))
        return DOCTOR_CHECK_UNSEEN;
    doctor_ask_t last =
        doctor_answered(l->f, DOCTOR_ASK_PRM_PATH) ? DOCTOR_ASK_PRM_PATH : DOCTOR_ASK_PRM_ROOT;
    return look_hit_status(l, last);
}

static bool is_4xx(int status)
{
    return status >= 400 && status < 500;
}

doctor_check_end_t check_resource_metadata_root_only(look_t *l)
{
    if (doctor_json(l->f, DOCTOR_ASK_PRM_ROOT) && is_4xx(doctor_status(l->f, DOCTOR_ASK_PRM_PATH)))
        return look_hit_status(l, DOCTOR_ASK_PRM_PATH);
    return look_fine(l, DOCTOR_ASK_PRM_ROOT);
}

doctor_check_end_t check_resource_metadata_path_only(look_t *l)
{
    if (doctor_json(l->f, DOCTOR_ASK_PRM_PATH) && is_4xx(doctor_status(l->f, DOCTOR_ASK_PRM_ROOT)))
        return look_hit_status(l, DOCTOR_ASK_PRM_ROOT);
    return look_fine(l, DOCTOR_ASK_PRM_ROOT);
}

doctor_check_end_t check_resource_metadata_gone(look_t *l)
{
    if (is_4xx(doctor_status(l->f, DOCTOR_ASK_PRM_CHALLENGE)))
        return look_hit_status(l, DOCTOR_ASK_PRM_CHALLENGE);
    return look_fine(l, DOCTOR_ASK_PRM_CHALLENGE);
}

doctor_check_end_t check_resource_metadata_not_json(look_t *l)
{
    return look_not_json(l, LOOK_RESOURCE_PLACES);
}

doctor_check_end_t check_resource_metadata_type(look_t *l)
{
    return look_type(l, LOOK_RESOURCE_PLACES);
}

doctor_check_end_t check_resource_metadata_redirects(look_t *l)
{
    return look_redirects(l, LOOK_RESOURCE_PLACES);
}

doctor_check_end_t check_resource_metadata_null(look_t *l)
{
    str_t member = look_null_member(l->f->resource);
    if (str_is_set(member))
        return HIT(l, "%" PRIstr " is null", STR_ARG(member));
    return fine_resource(l);
}

static bool differs(const json_t *one, const json_t *other, str_t member)
{
    const json_t *left = json_get(one, member), *right = json_get(other, member);
    return left && right && !str_eq(left->raw, right->raw);
}

/* The document at the root may be about another resource of the same host; its server counts only
 * where it is not. */
doctor_check_end_t check_resource_metadata_differs(look_t *l)
{
    static const doctor_ask_t OTHERS[] = {DOCTOR_ASK_PRM_PATH, DOCTOR_ASK_PRM_ROOT,
                                          DOCTOR_ASK_COUNT};
    LOOK_EACH(OTHERS, ask)
    {
        const json_t *other = doctor_json(l->f, *ask);
        bool about = differs(l->f->resource, other, STR("resource"));
        bool of_path = *ask == DOCTOR_ASK_PRM_PATH;
        if ((of_path && about) ||
            (!about && differs(l->f->resource, other, STR("authorization_servers"))))
            return HIT(l, "%" PRIstr " and %" PRIstr, STR_ARG(l->f->at[l->f->resource_at].url),
                       STR_ARG(l->f->at[*ask].url));
    }
    return fine_resource(l);
}

doctor_check_end_t check_no_authorization_server(look_t *l)
{
    if (l->f->resource && !str_is_set(l->f->issuer))
        return HIT(l, "no authorization_servers at %" PRIstr,
                   STR_ARG(l->f->at[l->f->resource_at].url));
    return fine_resource(l);
}

doctor_check_end_t check_resource_absent(look_t *l)
{
    if (l->f->resource && !str_is_set(json_get_str(l->f->resource, STR("resource"))))
        return HIT(l, "no resource at %" PRIstr, STR_ARG(l->f->at[l->f->resource_at].url));
    return fine_resource(l);
}

static doctor_check_end_t check_fit(look_t *l, doctor_fit_t fit)
{
    if (doctor_resource_fit(l->a, l->f) != fit)
        return fine_resource(l);
    return HIT(l, "resource is %" PRIstr ", the URL is %" PRIstr,
               STR_ARG(json_get_str(l->f->resource, STR("resource"))), STR_ARG(l->f->url));
}

doctor_check_end_t check_resource_slash(look_t *l)
{
    return check_fit(l, DOCTOR_FIT_SLASH);
}

doctor_check_end_t check_resource_plain_http(look_t *l)
{
    return check_fit(l, DOCTOR_FIT_PLAIN);
}

doctor_check_end_t check_resource_other_origin(look_t *l)
{
    return check_fit(l, DOCTOR_FIT_ORIGIN);
}

doctor_check_end_t check_resource_other_path(look_t *l)
{
    return check_fit(l, DOCTOR_FIT_PATH);
}

doctor_check_end_t check_resource_wider(look_t *l)
{
    return check_fit(l, DOCTOR_FIT_WIDER);
}

doctor_check_end_t check_offline_in_resource(look_t *l)
{
    if (look_holds(l->f->resource, STR("scopes_supported"), STR("offline_access")))
        return HIT(l, "scopes_supported: offline_access");
    return fine_resource(l);
}

static uint32_t count_scopes(const look_t *l)
{
    const json_t *scopes = json_get(l->f->resource, STR("scopes_supported"));
    return json_is(scopes, JSON_ARRAY) ? scopes->count : 0;
}

doctor_check_end_t check_scopes_unsaid(look_t *l)
{
    if (l->f->resource && count_scopes(l) == 0 && !str_is_set(l->f->challenge.scope))
        return HIT(l, "no scope in the challenge, no scopes_supported");
    return fine_resource(l);
}

doctor_check_end_t check_scopes_many(look_t *l)
{
    if (count_scopes(l) > MANY_SCOPES)
        return HIT(l, "%u scopes", count_scopes(l));
    return fine_resource(l);
}

doctor_check_end_t check_bearer_in_query_offered(look_t *l)
{
    if (look_holds(l->f->resource, STR("bearer_methods_supported"), STR("query")))
        return HIT(l, "bearer_methods_supported: query");
    return fine_resource(l);
}

doctor_check_end_t check_issuers_several(look_t *l)
{
    if (l->f->n_issuers > 1)
        return HIT(l, "%zu in authorization_servers", l->f->n_issuers);
    return fine_resource(l);
}

doctor_check_end_t check_issuer_plain_http(look_t *l)
{
    if (look_is_plain_http(l->f->issuer))
        return HIT(l, "%" PRIstr, STR_ARG(l->f->issuer));
    return fine_resource(l);
}

doctor_check_end_t check_issuer_malformed(look_t *l)
{
    url_t u;
    if (!str_is_set(l->f->issuer))
        return fine_resource(l);
    bool sound = look_is_http_url(l->f->issuer) && url_parse(l->f->issuer, &u) == RC_OK &&
                 !str_is_set(u.query) && !str_is_set(u.fragment) && !str_is_set(u.userinfo);
    return sound ? DOCTOR_CHECK_FINE : HIT(l, "%" PRIstr, STR_ARG(l->f->issuer));
}

doctor_check_end_t check_metadata_fails(look_t *l)
{
    static const doctor_ask_t PLACES[] = {
        DOCTOR_ASK_PRM_CHALLENGE, DOCTOR_ASK_PRM_PATH,         DOCTOR_ASK_PRM_ROOT,
        DOCTOR_ASK_AS_RFC8414,    DOCTOR_ASK_AS_OIDC_INSERTED, DOCTOR_ASK_AS_OIDC,
        DOCTOR_ASK_COUNT};
    LOOK_EACH(PLACES, ask)
    {
        if (doctor_status(l->f, *ask) >= 500)
            return look_hit_status(l, *ask);
    }
    return is_asked_any(l) ? DOCTOR_CHECK_FINE : DOCTOR_CHECK_UNSEEN;
}

static const doctor_ask_t UNKNOWNS[] = {DOCTOR_ASK_UNKNOWN, DOCTOR_ASK_AS_UNKNOWN,
                                        DOCTOR_ASK_COUNT};

doctor_check_end_t check_unknown_not_404(look_t *l)
{
    LOOK_EACH(UNKNOWNS, ask)
    {
        int status = doctor_status(l->f, *ask);
        bool misleads = status == 401 || status == 403 || status >= 500;
        if (misleads || (status >= 200 && status < 400))
            return look_hit_status(l, *ask);
    }
    return look_fine(l, DOCTOR_ASK_UNKNOWN);
}

doctor_check_end_t check_unknown_is_page(look_t *l)
{
    LOOK_EACH(UNKNOWNS, ask)
    {
        if (doctor_status(l->f, *ask) == 404 && look_is_page(l, *ask))
            return HIT(l, "404 with Content-Type: text/html at %" PRIstr,
                       STR_ARG(l->f->at[*ask].url));
    }
    return look_fine(l, DOCTOR_ASK_UNKNOWN);
}
