#include "proxy/relay.h"

#include "gate/handle.h"

bool relay_is_standing(const relay_facts_t *f)
{
    if (!f->message)
        return str_eq(f->method, STR("GET"));
    return f->kind == MCP_REQUEST && str_eq(f->method, STR("subscriptions/listen"));
}

static relay_step_t refuse_decided(relay_t *r, relay_refusal_t refusal)
{
    refusal.code = mcp_error_row(MCP_ERROR_NOT_OBJECT)->code; /* invalid request */
    refusal.reason = r->decision.reason;
    return relay_refuse(r, &refusal);
}

static relay_step_t refuse_scope(relay_t *r)
{
    const route_t *route = r->route;
    str_t challenge =
        route->ports->insufficient(route->access, r->x->arena, &r->facts.who, r->decision.scopes);
    if (!challenge.p)
        return relay_refuse_for(r, RELAY_MEMORY);
    return refuse_decided(r, (relay_refusal_t){.status = 403,
                                               .challenge = challenge,
                                               .sentence = STR("This needs more scope.")});
}

static relay_step_t refuse_sign_in(relay_t *r)
{
    const route_t *route = r->route;
    str_t challenge =
        route->ports->step_up(route->access, r->x->arena, &r->facts.who, &r->decision);
    if (!challenge.p)
        return relay_refuse_for(r, RELAY_MEMORY);
    return refuse_decided(
        r, (relay_refusal_t){.status = 401,
                             .challenge = challenge,
                             .sentence = STR("This needs a fresher or better sign-in.")});
}

/* What the shadow policy would have said: "allow", or its reason and rule. */
static str_t ask_shadow(relay_t *r, const gate_question_t *q)
{
    rc_t rc = RC_OK;
    if (!r->route->shadow)
        return STR_UNSET;
    gate_decision_t d = gate_policy_decide(r->x->arena, r->route->shadow, q, &rc);
    if (rc != RC_OK)
        return STR_UNSET;
    bool same = d.outcome == r->decision.outcome;
    counter_add(r->w->counts, same ? COUNTER_SHADOW_SAME : COUNTER_SHADOW_DIFFERENT, 1);
    return gate_policy_shadow_text(r->x->arena, &d);
}

/* GET and DELETE are asked about as notifications of that name: the handshake era needs them, so
 * they are allowed where no rule says otherwise, and no POST can pass for them. */
static mcp_operation_t as_asked(const relay_t *r)
{
    mcp_operation_t o = r->operation;
    if (r->facts.message)
        return o;
    o.message.kind = MCP_NOTIFICATION;
    o.message.method =
        r->x->method == HTTP_GET ? STR("notifications/GET") : STR("notifications/DELETE");
    return o;
}

relay_step_t relay_decide(relay_t *r)
{
    rc_t rc = RC_OK;
    const clock_port_t *clock = &r->w->g->config.clock;
    mcp_operation_t asked = as_asked(r);
    gate_question_t q = {&asked, &r->facts.who, r->x->body.n, clock_seconds(clock), RELAY_LEEWAY_S};
    r->decision = gate_policy_decide(r->x->arena, r->route->policy, &q, &rc);
    if (rc != RC_OK)
        return relay_refuse_for(r, RELAY_MEMORY);
    r->facts.rule = r->decision.rule;
    r->shadow = ask_shadow(r, &q);
    switch (r->decision.outcome) {
    case GATE_ALLOW:
        return STEP_ON;
    case GATE_SCOPE:
        return refuse_scope(r);
    case GATE_STEP_UP:
        return refuse_sign_in(r);
    case GATE_SIZE:
        return refuse_decided(
            r, (relay_refusal_t){.status = 413, .sentence = STR("The message is too large.")});
    case GATE_DENY:
        break;
    }
    return refuse_decided(r, (relay_refusal_t){.status = 403, .sentence = STR("Access denied.")});
}

relay_step_t relay_pay_tolls(relay_t *r)
{
    const clock_port_t *clock = &r->w->g->config.clock;
    toll_payer_t payer = {r->route->conf->path, &r->facts.who,
                          r->facts.name.p ? r->facts.name : r->facts.method};
    for (size_t i = 0; i < r->decision.n_tolls; i++) {
        uint32_t retry_s;
        toll_verdict_t v = tolls_take(r->w->g->tolls, &r->decision.tolls[i], &payer,
                                      clock->mono_ms(clock->ctx), &retry_s);
        if (v == TOLL_PAID)
            continue;
        relay_refusal_t refusal = relay_refusal(v == TOLL_OVER ? RELAY_RATE : RELAY_RATE_FULL);
        refusal.retry_s = retry_s;
        return relay_refuse(r, &refusal);
    }
    return STEP_ON;
}

/* A tool whose definition waits for approval is not called, and of any other the fields that repeat
 * arguments say what the arguments say. */
relay_step_t relay_check_definition(relay_t *r)
{
    gateway_t *g = r->w->g;
    mcp_params_t params;
    if (r->facts.object != MCP_ON_TOOL)
        return STEP_ON;
    if (g->pins && pins_withholds(g->pins, r->route->conf, r->facts.name))
        return relay_refuse_for(r, RELAY_UNKNOWN_DEFINITION);
    if (params_find(g->params, r->x->arena, r->route->conf->path, r->facts.name, &params) != RC_OK)
        return relay_refuse_for(r, RELAY_MEMORY);
    mcp_error_t e = mcp_params_check(r->x->arena, r->fields, params, &r->operation);
    return e == MCP_NO_ERROR ? STEP_ON : relay_refuse_mcp(r, e);
}

static rc_t open_handle(relay_t *r, gate_handle_kind_t kind, str_t handle, str_t *out)
{
    gate_handle_scope_t scope = {kind, r->route->conf->path,
                                 kind == GATE_HANDLE_EVENT ? r->facts.session : STR_UNSET};
    return gate_handle_open(r->x->arena, r->w->g->config.handle_key, &scope, &r->facts.who, handle,
                            out);
}

/* A session is no credential: it is good only for who got it, and another's looks like an unknown
 * one (MCP 2025-11-25, Security Best Practices, Session Hijacking). The stateless era has none, and
 * initialize opens a new one. */
relay_step_t relay_open_session(relay_t *r)
{
    str_t handle = http_header(r->x, STR("Mcp-Session-Id"));
    if (r->facts.era == MCP_ERA_STATELESS || str_eq(r->facts.method, STR("initialize")))
        return STEP_ON;
    if (!handle.p)
        return r->x->method == HTTP_DELETE ? relay_refuse_mcp(r, MCP_ERROR_SESSION_NEEDED)
                                           : STEP_ON;
    if (http_headers_count(r->x->headers, STR("Mcp-Session-Id")) > 1)
        return relay_refuse_mcp(r, MCP_ERROR_REPEATED_HEADER);
    rc_t rc = open_handle(r, GATE_HANDLE_SESSION, handle, &r->facts.session);
    if (rc == RC_NOT_FOUND)
        return relay_refuse_mcp(r, MCP_ERROR_UNKNOWN_SESSION);
    if (rc != RC_OK)
        return relay_refuse_for(r, RELAY_MEMORY);
    r->handle = handle;
    return STEP_ON;
}

/* An event's id names a stream of one session of one principal. Another's is 403 and no 404, which
 * would say that the session has ended, and it has not. */
relay_step_t relay_open_event(relay_t *r)
{
    str_t handle = http_header(r->x, STR("Last-Event-ID"));
    if (!handle.p || r->x->method != HTTP_GET)
        return STEP_ON;
    if (http_headers_count(r->x->headers, STR("Last-Event-ID")) > 1)
        return relay_refuse_mcp(r, MCP_ERROR_REPEATED_HEADER);
    str_t packed;
    rc_t rc = open_handle(r, GATE_HANDLE_EVENT, handle, &packed);
    if (rc == RC_OK && !asked_unpack(packed, &r->facts.asked, &r->last_event))
        rc = RC_NOT_FOUND;
    if (rc == RC_NOT_FOUND)
        return relay_refuse_for(r, RELAY_FOREIGN_EVENT);
    return rc == RC_OK ? STEP_ON : relay_refuse_for(r, RELAY_MEMORY);
}

relay_step_t relay_take_seat(relay_t *r)
{
    if (!relay_is_standing(&r->facts))
        return STEP_ON;
    if (r->w->draining)
        return relay_refuse_for(r, RELAY_DRAINING);
    rc_t rc = seats_take(r->w->g->seats, r->route->conf->path, &r->facts.who,
                         r->route->conf->streams_per_subject);
    r->seated = rc == RC_OK;
    if (r->seated)
        return STEP_ON;
    return relay_refuse_for(r, rc == RC_LIMIT ? RELAY_STREAMS : RELAY_STREAMS_FULL);
}
