/* Checks of the phases REGISTRATION and SIGN_IN: how clients become known, and what the two
 * endpoints answer to one whom nobody knows. */
#include "doctor/look.h"

#include "doctor/plan.h"

static bool registers(const look_t *l)
{
    return str_is_set(doctor_endpoint(l->f, STR("registration_endpoint")));
}

static bool takes_documents(const look_t *l)
{
    return look_is_true(l->f->server, STR("client_id_metadata_document_supported"));
}

static doctor_check_end_t fine_server(const look_t *l)
{
    return l->f->server ? DOCTOR_CHECK_FINE : DOCTOR_CHECK_UNSEEN;
}

doctor_check_end_t check_registration_none(look_t *l)
{
    if (l->f->server && !registers(l) && !takes_documents(l))
        return HIT(l, "neither registration_endpoint nor client_id_metadata_document_supported");
    return fine_server(l);
}

doctor_check_end_t check_registration_documents_only(look_t *l)
{
    if (l->f->server && !registers(l) && takes_documents(l))
        return HIT(l, "no registration_endpoint");
    return fine_server(l);
}

doctor_check_end_t check_documents_unsupported(look_t *l)
{
    if (l->f->server && registers(l) && !takes_documents(l))
        return HIT(l, "client_id_metadata_document_supported is not true");
    return fine_server(l);
}

doctor_check_end_t check_documents_without_none(look_t *l)
{
    if (takes_documents(l) &&
        !look_holds(l->f->server, STR("token_endpoint_auth_methods_supported"), STR("none")))
        return HIT(l, "token_endpoint_auth_methods_supported without none");
    return fine_server(l);
}

/* Servers answer a GET of what takes POST with 404 at times, and OPTIONS then tells. */
doctor_check_end_t check_registration_not_found(look_t *l)
{
    bool gone = doctor_status(l->f, DOCTOR_ASK_REGISTER) == 404 &&
                doctor_status(l->f, DOCTOR_ASK_REGISTER_PREFLIGHT) == 404;
    return gone && !l->f->sign.signed_in ? look_hit_status(l, DOCTOR_ASK_REGISTER)
                                         : look_fine(l, DOCTOR_ASK_REGISTER);
}

doctor_check_end_t check_authorize_redirects(look_t *l)
{
    str_t where = doctor_header(l->f, DOCTOR_ASK_AUTHORIZE, STR("Location"));
    if (str_is_set(where) && str_starts(where, DOCTOR_BOGUS_REDIRECT))
        return HIT(l, "%d, to %" PRIstr, doctor_status(l->f, DOCTOR_ASK_AUTHORIZE),
                   STR_ARG(DOCTOR_BOGUS_REDIRECT));
    return look_fine(l, DOCTOR_ASK_AUTHORIZE);
}

static bool is_gone(int status)
{
    return status == 404 || status == 405 || status == 410;
}

doctor_check_end_t check_authorize_gone(look_t *l)
{
    if (is_gone(doctor_status(l->f, DOCTOR_ASK_AUTHORIZE)))
        return HIT(l, "%d at %" PRIstr, doctor_status(l->f, DOCTOR_ASK_AUTHORIZE),
                   STR_ARG(doctor_endpoint(l->f, STR("authorization_endpoint"))));
    return look_fine(l, DOCTOR_ASK_AUTHORIZE);
}

doctor_check_end_t check_token_gone(look_t *l)
{
    if (is_gone(doctor_status(l->f, DOCTOR_ASK_TOKEN)))
        return look_hit_status(l, DOCTOR_ASK_TOKEN);
    return look_fine(l, DOCTOR_ASK_TOKEN);
}

doctor_check_end_t check_token_for_anybody(look_t *l)
{
    if (look_is_2xx(doctor_status(l->f, DOCTOR_ASK_TOKEN)))
        return look_hit_status(l, DOCTOR_ASK_TOKEN);
    return look_fine(l, DOCTOR_ASK_TOKEN);
}

static bool is_token_error(const look_t *l)
{
    int status = doctor_status(l->f, DOCTOR_ASK_TOKEN);
    return status >= 300 && !is_gone(status);
}

/* The error of the answer; unset: it is no JSON with one. */
static str_t token_error(const look_t *l)
{
    const json_t *json;
    if (!is_token_error(l) || !look_is_json(l, DOCTOR_ASK_TOKEN) ||
        json_parse(l->a, l->f->at[DOCTOR_ASK_TOKEN].answer.body, NULL, &json) != RC_OK)
        return STR_UNSET;
    return json_get_str(json, STR("error"));
}

doctor_check_end_t check_token_error_not_json(look_t *l)
{
    if (is_token_error(l) && !str_is_set(token_error(l)))
        return HIT(l, "%d with Content-Type: %" PRIstr, doctor_status(l->f, DOCTOR_ASK_TOKEN),
                   STR_ARG(doctor_header(l->f, DOCTOR_ASK_TOKEN, STR("Content-Type"))));
    return look_fine(l, DOCTOR_ASK_TOKEN);
}

doctor_check_end_t check_token_unknown_client(look_t *l)
{
    str_t error = token_error(l);
    if (str_is_set(error) && !str_eq(error, STR("invalid_client")))
        return HIT(l, "%d %" PRIstr, doctor_status(l->f, DOCTOR_ASK_TOKEN), STR_ARG(error));
    return look_fine(l, DOCTOR_ASK_TOKEN);
}

doctor_check_end_t check_token_may_be_cached(look_t *l)
{
    bool stored = http_headers_has_token(l->f->at[DOCTOR_ASK_TOKEN].answer.headers,
                                         STR("Cache-Control"), STR("no-store"));
    if (doctor_answered(l->f, DOCTOR_ASK_TOKEN) &&
        !is_gone(doctor_status(l->f, DOCTOR_ASK_TOKEN)) && !stored)
        return HIT(l, "no Cache-Control: no-store at %" PRIstr,
                   STR_ARG(l->f->at[DOCTOR_ASK_TOKEN].url));
    return look_fine(l, DOCTOR_ASK_TOKEN);
}
