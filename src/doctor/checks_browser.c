/* Checks of the phase BROWSER: what a page of another origin may do (Fetch Standard, CORS). */
#include "doctor/look.h"

#include "doctor/plan.h"

static bool allows(const look_t *l, doctor_ask_t ask)
{
    str_t origin = doctor_header(l->f, ask, STR("Access-Control-Allow-Origin"));
    return str_is_set(origin) &&
           (str_eq(origin, STR("*")) || str_eq(origin, DOCTOR_BROWSER_ORIGIN));
}

/* "*" stands for all fields but Authorization. */
static bool lists(const look_t *l, doctor_ask_t ask, str_t field, str_t name)
{
    http_headers_t headers = l->f->at[ask].answer.headers;
    bool any = !str_eq_nocase(name, STR("Authorization")) &&
               http_headers_has_token(headers, field, STR("*"));
    return any || http_headers_has_token(headers, field, name);
}

static bool lets_send(const look_t *l, doctor_ask_t ask, str_t name)
{
    return lists(l, ask, STR("Access-Control-Allow-Headers"), name);
}

static bool passes(const look_t *l, doctor_ask_t preflight)
{
    return look_is_2xx(doctor_status(l->f, preflight)) && allows(l, preflight);
}

static doctor_check_end_t hit_origin(look_t *l, doctor_ask_t ask)
{
    str_t origin = doctor_header(l->f, ask, STR("Access-Control-Allow-Origin"));
    return HIT(l, "%d at %" PRIstr ", Access-Control-Allow-Origin: %" PRIstr,
               doctor_status(l->f, ask), STR_ARG(l->f->at[ask].url),
               STR_ARG(str_is_set(origin) ? origin : STR("(none)")));
}

doctor_check_end_t check_preflight_wants_token(look_t *l)
{
    if (doctor_status(l->f, DOCTOR_ASK_PREFLIGHT) == 401)
        return HIT(l, "401 to OPTIONS");
    return look_fine(l, DOCTOR_ASK_PREFLIGHT);
}

doctor_check_end_t check_preflight_refused(look_t *l)
{
    int status = doctor_status(l->f, DOCTOR_ASK_PREFLIGHT);
    if (status == 0 || status == 401 || passes(l, DOCTOR_ASK_PREFLIGHT))
        return look_fine(l, DOCTOR_ASK_PREFLIGHT);
    return hit_origin(l, DOCTOR_ASK_PREFLIGHT);
}

doctor_check_end_t check_preflight_fields(look_t *l)
{
    static const char *const FIELDS[] = {"Authorization", "Content-Type", "MCP-Protocol-Version",
                                         "Mcp-Session-Id", NULL};
    if (!passes(l, DOCTOR_ASK_PREFLIGHT))
        return look_fine(l, DOCTOR_ASK_PREFLIGHT);
    for (const char *const *field = FIELDS; *field; field++)
        if (!lets_send(l, DOCTOR_ASK_PREFLIGHT, str_c(*field)))
            return HIT(l, "Access-Control-Allow-Headers without %s", *field);
    return DOCTOR_CHECK_FINE;
}

doctor_check_end_t check_challenge_unexposed(look_t *l)
{
    if (doctor_status(l->f, DOCTOR_ASK_BROWSER) != 401)
        return look_fine(l, DOCTOR_ASK_BROWSER);
    if (!allows(l, DOCTOR_ASK_BROWSER))
        return hit_origin(l, DOCTOR_ASK_BROWSER);
    if (!lists(l, DOCTOR_ASK_BROWSER, STR("Access-Control-Expose-Headers"),
               STR("WWW-Authenticate")))
        return HIT(l, "Access-Control-Expose-Headers without WWW-Authenticate");
    return DOCTOR_CHECK_FINE;
}

doctor_check_end_t check_origin_with_credentials(look_t *l)
{
    static const doctor_ask_t ASKS[] = {DOCTOR_ASK_PREFLIGHT, DOCTOR_ASK_BROWSER,
                                        DOCTOR_ASK_AS_BROWSER, DOCTOR_ASK_TOKEN_PREFLIGHT,
                                        DOCTOR_ASK_COUNT};
    LOOK_EACH(ASKS, ask)
    {
        str_t with = doctor_header(l->f, *ask, STR("Access-Control-Allow-Credentials"));
        if (allows(l, *ask) && str_is_set(with) && str_eq(with, STR("true")))
            return HIT(l, "Access-Control-Allow-Credentials: true at %" PRIstr,
                       STR_ARG(l->f->at[*ask].url));
    }
    return look_fine(l, DOCTOR_ASK_PREFLIGHT);
}

static doctor_check_end_t check_metadata(look_t *l, doctor_ask_t get, doctor_ask_t preflight)
{
    if (!doctor_answered(l->f, get))
        return DOCTOR_CHECK_UNSEEN;
    if (!allows(l, get))
        return hit_origin(l, get);
    if (!doctor_answered(l->f, preflight))
        return DOCTOR_CHECK_FINE;
    if (!passes(l, preflight))
        return hit_origin(l, preflight);
    if (!lets_send(l, preflight, STR("MCP-Protocol-Version")))
        return HIT(l, "Access-Control-Allow-Headers without MCP-Protocol-Version at %" PRIstr,
                   STR_ARG(l->f->at[preflight].url));
    return DOCTOR_CHECK_FINE;
}

doctor_check_end_t check_resource_metadata_cors(look_t *l)
{
    return check_metadata(l, DOCTOR_ASK_PRM_BROWSER, DOCTOR_ASK_PRM_PREFLIGHT);
}

doctor_check_end_t check_server_metadata_cors(look_t *l)
{
    return check_metadata(l, DOCTOR_ASK_AS_BROWSER, DOCTOR_ASK_AS_PREFLIGHT);
}

doctor_check_end_t check_registration_cors(look_t *l)
{
    if (!doctor_answered(l->f, DOCTOR_ASK_REGISTER_PREFLIGHT))
        return DOCTOR_CHECK_UNSEEN;
    if (!passes(l, DOCTOR_ASK_REGISTER_PREFLIGHT))
        return hit_origin(l, DOCTOR_ASK_REGISTER_PREFLIGHT);
    if (!lets_send(l, DOCTOR_ASK_REGISTER_PREFLIGHT, STR("Content-Type")))
        return HIT(l, "Access-Control-Allow-Headers without Content-Type");
    return DOCTOR_CHECK_FINE;
}

doctor_check_end_t check_token_cors(look_t *l)
{
    if (doctor_answered(l->f, DOCTOR_ASK_TOKEN_PREFLIGHT) && !passes(l, DOCTOR_ASK_TOKEN_PREFLIGHT))
        return hit_origin(l, DOCTOR_ASK_TOKEN_PREFLIGHT);
    return look_fine(l, DOCTOR_ASK_TOKEN_PREFLIGHT);
}

doctor_check_end_t check_authorize_cors(look_t *l)
{
    if (allows(l, DOCTOR_ASK_AUTHORIZE_PREFLIGHT))
        return hit_origin(l, DOCTOR_ASK_AUTHORIZE_PREFLIGHT);
    return look_fine(l, DOCTOR_ASK_AUTHORIZE_PREFLIGHT);
}
