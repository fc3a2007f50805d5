/* Checks of the phase TOKEN: what a sign-in brought. */
#include "doctor/look.h"

enum { LONG_LIFE_S = 86400 };

static const doctor_signed_t *sign(const look_t *l)
{
    return &l->f->sign;
}

static doctor_check_end_t fine_signed(const look_t *l)
{
    return sign(l)->signed_in ? DOCTOR_CHECK_FINE : DOCTOR_CHECK_UNSEEN;
}

doctor_check_end_t check_sign_in_failed(look_t *l)
{
    if (!sign(l)->tried)
        return DOCTOR_CHECK_UNSEEN;
    if (sign(l)->signed_in || sign(l)->failure.reason == CLIENT_FINE)
        return DOCTOR_CHECK_FINE;
    const client_reason_row_t *row = client_reason_row(sign(l)->failure.reason);
    str_t detail = sign(l)->failure.detail;
    return HIT(l, "%" PRIstr "%s%" PRIstr " (%" PRIstr "). %" PRIstr, STR_ARG(row->sentence),
               detail.n ? ": " : "", STR_ARG(detail), STR_ARG(row->rule), STR_ARG(row->mend));
}

doctor_check_end_t check_token_refused(look_t *l)
{
    int status = doctor_status(l->f, DOCTOR_ASK_SIGNED_INITIALIZE);
    if (status == 401 || status == 403)
        return HIT(l, "%d to initialize with the token", status);
    return look_fine(l, DOCTOR_ASK_SIGNED_INITIALIZE);
}

/* aud may hold more than the resource, and the resource may have a lone slash more. */
doctor_check_end_t check_token_audience(look_t *l)
{
    str_list_t aud = sign(l)->token_aud;
    if (!sign(l)->signed_in || !sign(l)->is_jwt || !str_is_set(sign(l)->resource))
        return DOCTOR_CHECK_UNSEEN;
    for (size_t i = 0; i < aud.n; i++)
        if (str_eq(aud.v[i], sign(l)->resource) ||
            look_differs_by_slash(aud.v[i], sign(l)->resource))
            return DOCTOR_CHECK_FINE;
    return HIT(l, "aud is %" PRIstr ", the resource is %" PRIstr,
               STR_ARG(aud.n ? aud.v[0] : STR("absent")), STR_ARG(sign(l)->resource));
}

doctor_check_end_t check_token_issuer(look_t *l)
{
    if (!sign(l)->is_jwt || !str_is_set(sign(l)->issuer))
        return DOCTOR_CHECK_UNSEEN;
    if (!str_eq(sign(l)->token_iss, sign(l)->issuer))
        return HIT(l, "iss is %" PRIstr ", the issuer is %" PRIstr, STR_ARG(sign(l)->token_iss),
                   STR_ARG(sign(l)->issuer));
    return DOCTOR_CHECK_FINE;
}

doctor_check_end_t check_token_lives_long(look_t *l)
{
    if (sign(l)->life_s > LONG_LIFE_S)
        return HIT(l, "%lld s", (long long)sign(l)->life_s);
    return fine_signed(l);
}

doctor_check_end_t check_token_life_unsaid(look_t *l)
{
    if (sign(l)->signed_in && sign(l)->life_s == 0)
        return HIT(l, "no expires_in");
    return fine_signed(l);
}

doctor_check_end_t check_refresh_none(look_t *l)
{
    if (sign(l)->signed_in && !sign(l)->has_refresh)
        return HIT(l, "no refresh_token in the token answer");
    return fine_signed(l);
}

doctor_check_end_t check_refresh_failed(look_t *l)
{
    if (!sign(l)->refresh_tried)
        return DOCTOR_CHECK_UNSEEN;
    int status = doctor_status(l->f, DOCTOR_ASK_REFRESHED);
    if (!sign(l)->refreshed)
        return HIT(l, "no token came for the refresh token");
    if (status == 401 || status == 403)
        return HIT(l, "%d to initialize with the refreshed token", status);
    return DOCTOR_CHECK_FINE;
}

doctor_check_end_t check_tools_unlisted(look_t *l)
{
    if (!doctor_answered(l->f, DOCTOR_ASK_SIGNED_LIST))
        return DOCTOR_CHECK_UNSEEN;
    if (!sign(l)->lists_tools)
        return HIT(l, "%d to tools/list", doctor_status(l->f, DOCTOR_ASK_SIGNED_LIST));
    return DOCTOR_CHECK_FINE;
}

/* The same request with the known port is the control. */
doctor_check_end_t check_port_compared(look_t *l)
{
    int same = doctor_status(l->f, DOCTOR_ASK_PORT_SAME);
    int other = doctor_status(l->f, DOCTOR_ASK_PORT_OTHER);
    if (same == 0 || other == 0)
        return DOCTOR_CHECK_UNSEEN;
    if (same < 400 && other >= 400)
        return HIT(l, "%d with the port that was registered, %d with another", same, other);
    return DOCTOR_CHECK_FINE;
}
