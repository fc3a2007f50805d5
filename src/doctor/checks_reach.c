/* Checks of the phase REACH: whether there is an answer at all. */
#include "doctor/look.h"

enum { SLOW_MS = 3000 };

/* The next question that was put on the wire and ended like this, from *ask on. */
static bool next_end(const look_t *l, unsigned ends, doctor_ask_t *ask)
{
    for (; *ask < DOCTOR_ASK_COUNT; (*ask)++) {
        const doctor_exchange_t *x = &l->f->at[*ask];
        if (x->asked && !x->copied && (ends & (1u << x->answer.end)))
            return true;
    }
    return false;
}

#define END(name) (1u << HTTP_AGENT_##name)

static doctor_check_end_t hit_end(look_t *l, doctor_ask_t ask)
{
    const doctor_exchange_t *x = &l->f->at[ask];
    str_t end = http_agent_end_name(x->answer.end);
    return HIT(l, "%" PRIstr " at %" PRIstr "%s%" PRIstr, STR_ARG(end), STR_ARG(x->url),
               x->answer.why.n ? ": " : "", STR_ARG(x->answer.why));
}

doctor_check_end_t check_unreachable(look_t *l)
{
    doctor_ask_t ask = DOCTOR_ASK_INITIALIZE;
    const doctor_exchange_t *first = &l->f->at[ask];
    bool stuck = first->asked && ((END(TIMEOUT) | END(BROKEN)) & (1u << first->answer.end));
    if (stuck || next_end(l, END(BAD_URL) | END(OUT_OF_REACH) | END(NO_NAME) | END(REFUSED), &ask))
        return hit_end(l, ask);
    return first->asked ? DOCTOR_CHECK_FINE : DOCTOR_CHECK_UNSEEN;
}

/* What a TLS library says of a certificate. */
typedef enum { TLS_OTHER, TLS_EXPIRED, TLS_NAME, TLS_UNTRUSTED } tls_t;

static bool says(str_t why, const char *const *words)
{
    for (; *words; words++)
        if (str_contains(why, str_c(*words)))
            return true;
    return false;
}

static tls_t tls_kind(str_t why)
{
    static const char *const EXPIRED[] = {"expired", "not yet valid", NULL};
    static const char *const NAME[] = {"subject name", "ostname", "host name", "does not match",
                                       NULL};
    static const char *const UNTRUSTED[] = {"self-signed",
                                            "self signed",
                                            "local issuer",
                                            "unable to get",
                                            "unknown CA",
                                            "certificate verify failed",
                                            NULL};
    if (says(why, EXPIRED))
        return TLS_EXPIRED;
    if (says(why, NAME))
        return TLS_NAME;
    return says(why, UNTRUSTED) ? TLS_UNTRUSTED : TLS_OTHER;
}

static doctor_check_end_t check_tls(look_t *l, tls_t kind)
{
    bool asked = false;
    for (doctor_ask_t ask = 0; next_end(l, ~0u, &ask); ask++) {
        bool tls = l->f->at[ask].answer.end == HTTP_AGENT_TLS;
        if (tls && tls_kind(l->f->at[ask].answer.why) == kind)
            return hit_end(l, ask);
        asked = true;
    }
    return asked ? DOCTOR_CHECK_FINE : DOCTOR_CHECK_UNSEEN;
}

doctor_check_end_t check_certificate_expired(look_t *l)
{
    return check_tls(l, TLS_EXPIRED);
}

doctor_check_end_t check_certificate_name(look_t *l)
{
    return check_tls(l, TLS_NAME);
}

doctor_check_end_t check_certificate_untrusted(look_t *l)
{
    return check_tls(l, TLS_UNTRUSTED);
}

doctor_check_end_t check_handshake_failed(look_t *l)
{
    return check_tls(l, TLS_OTHER);
}

doctor_check_end_t check_plain_http(look_t *l)
{
    if (look_is_plain_http(l->f->url))
        return HIT(l, "%" PRIstr, STR_ARG(l->f->url));
    return DOCTOR_CHECK_FINE;
}

doctor_check_end_t check_server_error(look_t *l)
{
    if (doctor_status(l->f, DOCTOR_ASK_INITIALIZE) >= 500)
        return look_hit_status(l, DOCTOR_ASK_INITIALIZE);
    return look_fine(l, DOCTOR_ASK_INITIALIZE);
}

/* A GET at the same URL opens a stream that says where messages go (MCP 2025-11-25, Transports,
 * "Backwards Compatibility"). */
static bool speaks_old(look_t *l)
{
    int status = doctor_status(l->f, DOCTOR_ASK_INITIALIZE);
    str_t type = doctor_header(l->f, DOCTOR_ASK_GET, STR("Content-Type"));
    str_t body = l->f->at[DOCTOR_ASK_GET].answer.body;
    return (status == 400 || status == 404 || status == 405) &&
           str_eq_nocase(str_first(type, sizeof "text/event-stream" - 1),
                         STR("text/event-stream")) &&
           (str_contains(body, STR("event: endpoint")) ||
            str_contains(body, STR("event:endpoint")));
}

doctor_check_end_t check_transport_old(look_t *l)
{
    if (speaks_old(l))
        return HIT(l, "%d to POST, and an endpoint event to GET %" PRIstr,
                   doctor_status(l->f, DOCTOR_ASK_INITIALIZE), STR_ARG(l->f->url));
    return look_fine(l, DOCTOR_ASK_INITIALIZE);
}

doctor_check_end_t check_no_endpoint(look_t *l)
{
    int status = doctor_status(l->f, DOCTOR_ASK_INITIALIZE);
    if (speaks_old(l))
        return DOCTOR_CHECK_FINE;
    if (status == 404 || status == 405 || status == 410)
        return look_hit_status(l, DOCTOR_ASK_INITIALIZE);
    return look_fine(l, DOCTOR_ASK_INITIALIZE);
}

doctor_check_end_t check_endpoint_redirects(look_t *l)
{
    if (!look_is_3xx(doctor_status(l->f, DOCTOR_ASK_INITIALIZE)))
        return look_fine(l, DOCTOR_ASK_INITIALIZE);
    str_t where = doctor_header(l->f, DOCTOR_ASK_INITIALIZE, STR("Location"));
    return HIT(l, "%d, to %" PRIstr, doctor_status(l->f, DOCTOR_ASK_INITIALIZE), STR_ARG(where));
}

doctor_check_end_t check_answers_slowly(look_t *l)
{
    doctor_ask_t ask = 0;
    for (; next_end(l, END(DONE), &ask); ask++)
        if (l->f->at[ask].ms > SLOW_MS && doctor_ask_row(ask)->phase != DOCTOR_PHASE_TOKEN)
            return HIT(l, "%lld ms at %" PRIstr, (long long)l->f->at[ask].ms,
                       STR_ARG(l->f->at[ask].url));
    return look_fine(l, DOCTOR_ASK_INITIALIZE);
}

doctor_check_end_t check_answer_too_large(look_t *l)
{
    doctor_ask_t ask = 0;
    if (next_end(l, END(TOO_LONG), &ask))
        return hit_end(l, ask);
    return look_fine(l, DOCTOR_ASK_INITIALIZE);
}

/* A GET of the endpoint may open a stream without end, and the first request is a check of its own.
 */
doctor_check_end_t check_answer_broken(look_t *l)
{
    for (doctor_ask_t ask = DOCTOR_ASK_DISCOVER; next_end(l, END(TIMEOUT) | END(BROKEN), &ask);
         ask++)
        if (ask != DOCTOR_ASK_GET)
            return hit_end(l, ask);
    return look_fine(l, DOCTOR_ASK_INITIALIZE);
}

doctor_check_end_t check_port_unusual(look_t *l)
{
    if (l->f->parts.port_number != 443 && !doctor_is_loopback(l->f->url))
        return HIT(l, "port %u", (unsigned)l->f->parts.port_number);
    return DOCTOR_CHECK_FINE;
}
