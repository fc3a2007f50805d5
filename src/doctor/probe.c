#include "doctor/probe.h"

#include "client/url_rule.h"
#include "core/limits.h"
#include "doctor/plan.h"

/* Clients give up after about as long. A GET of the endpoint may open a stream that never ends. */
enum { ASK_MS = 10000, STREAM_MS = 2000, WAITS = 3 };

static void say(const doctor_probe_t *p, arena_t *a, doctor_ask_t ask)
{
    if (p->says)
        p->says(p->ctx, arena_printf(a, "Asking for %" PRIstr, STR_ARG(doctor_ask_row(ask)->what)));
}

rc_t doctor_probe_ask(arena_t *a, const doctor_probe_t *p, doctor_facts_t *f, doctor_ask_t ask,
                      const http_agent_request_t *request)
{
    doctor_exchange_t *x = &f->at[ask];
    http_answer_t answer;
    http_agent_request_t r = *request;
    x->method = r.method;
    x->url = r.url;
    if (f->requests >= f->budget) {
        x->beyond = true;
        return RC_OK;
    }
    say(p, a, ask);
    f->requests++;
    r.reach = client_url_reach(f->url, p->reach);
    r.max_body = LIMIT_HTTP_FETCH_BYTES;
    r.first_event = ask == DOCTOR_ASK_GET;
    r.total_ms = ask == DOCTOR_ASK_GET ? STREAM_MS : ASK_MS;
    r.head_ms = r.total_ms;
    int64_t begin = p->clock.mono_ms(p->clock.ctx);
    TRY(p->http.ask(p->http.ctx, a, &r, &answer));
    x->ms = p->clock.mono_ms(p->clock.ctx) - begin;
    return doctor_facts_took(a, f, ask, &answer);
}

/* Ends of which the same host would give nothing but more. */
static bool is_dead(const doctor_exchange_t *x)
{
    switch (x->answer.end) {
    case HTTP_AGENT_OUT_OF_REACH:
    case HTTP_AGENT_NO_NAME:
    case HTTP_AGENT_REFUSED:
    case HTTP_AGENT_TLS:
        return true;
    default:
        return false;
    }
}

static bool is_same(const doctor_exchange_t *x, const http_agent_request_t *r)
{
    return str_eq(r->method, STR("GET")) && str_eq(x->method, r->method) && str_eq(x->url, r->url);
}

/* An earlier question whose answer holds for this one as well; DOCTOR_ASK_COUNT: there is none.
 * Those of a browser differ by their fields, and come last. A host that let several questions wait
 * is not waited for again. */
static doctor_ask_t find_known(arena_t *a, const doctor_facts_t *f, doctor_ask_t ask,
                               const http_agent_request_t *r)
{
    bool browser = doctor_ask_row(ask)->phase == DOCTOR_PHASE_BROWSER;
    str_t origin = doctor_origin(a, r->url);
    unsigned waited = 0;
    for (doctor_ask_t i = 0; i < ask; i++) {
        const doctor_exchange_t *x = &f->at[i];
        if (!x->asked || i == DOCTOR_ASK_GET)
            continue;
        bool there = str_eq(doctor_origin(a, x->url), origin);
        waited += there && !x->copied && x->answer.end == HTTP_AGENT_TIMEOUT;
        if ((there && (is_dead(x) || waited == WAITS)) || (!browser && is_same(x, r)))
            return i;
    }
    return DOCTOR_ASK_COUNT;
}

/* A server that wants no token may have made a session for the question: it is not left behind. */
static rc_t end_session(arena_t *a, const doctor_probe_t *p, doctor_facts_t *f, doctor_ask_t ask)
{
    http_answer_t gone;
    str_t id = doctor_header(f, ask, STR("Mcp-Session-Id"));
    const doctor_exchange_t *x = &f->at[ask];
    if (!str_is_set(id) || x->copied || f->requests >= f->budget)
        return RC_OK;
    f->requests++;
    const http_agent_request_t request = {.method = STR("DELETE"),
                                          .url = x->url,
                                          .headers = HTTP_HEADERS({STR("Mcp-Session-Id"), id}),
                                          .reach = client_url_reach(f->url, p->reach),
                                          .head_ms = STREAM_MS,
                                          .total_ms = STREAM_MS};
    return p->http.ask(p->http.ctx, a, &request, &gone);
}

static rc_t ask_planned(arena_t *a, const doctor_probe_t *p, doctor_facts_t *f, doctor_ask_t ask,
                        const http_agent_request_t *request)
{
    doctor_ask_t known = find_known(a, f, ask, request);
    if (known == DOCTOR_ASK_COUNT)
        return doctor_probe_ask(a, p, f, ask, request);
    doctor_exchange_t *x = &f->at[ask];
    x->method = request->method;
    x->url = request->url;
    x->copied = true;
    return doctor_facts_took(a, f, ask, &f->at[known].answer);
}

rc_t doctor_probe(arena_t *a, const doctor_probe_t *p, doctor_facts_t *f)
{
    http_agent_request_t request;
    for (doctor_ask_t ask = 0; ask < DOCTOR_ASK_COUNT; ask++) {
        rc_t rc = doctor_plan(a, f, ask, &request);
        if (rc == RC_OK)
            rc = ask_planned(a, p, f, ask, &request);
        if (rc == RC_OK)
            rc = end_session(a, p, f, ask);
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return rc;
        if (ask == DOCTOR_ASK_INITIALIZE && !doctor_reached(f))
            return RC_OK;
    }
    return RC_OK;
}
