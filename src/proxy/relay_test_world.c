#include "proxy/relay_test_world.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORLD_ARENA = 16 << 20 };

#define KEEP(to, s) snprintf((to), sizeof(to), "%" PRIstr, STR_ARG(s))

/* The trail. */

static bool empty(str_t s)
{
    return str_is_set(s) && s.n == 0;
}

static void keep_event(relay_test_event_t *to, const audit_event_t *e)
{
    to->kind = e->kind;
    to->allowed = e->allowed;
    KEEP(to->reason, e->reason);
    to->nameless = empty(e->user) || empty(e->issuer) || empty(e->client);
    KEEP(to->user, e->user);
    KEEP(to->client, e->client);
    KEEP(to->method, e->method);
    KEEP(to->object, e->tool.p ? e->tool : e->object);
    KEEP(to->rule, e->rule);
    KEEP(to->shadow, e->shadow);
    KEEP(to->trace, e->trace);
    KEEP(to->detail, e->detail);
    KEEP(to->hash, e->arguments_hash);
    KEEP(to->request_id, e->request_id);
    KEEP(to->address, e->address);
    to->status = e->status;
    to->bytes_in = e->bytes_in;
    to->bytes_out = e->bytes_out;
}

static rc_t trail_write(void *ctx, const audit_event_t *const *events, size_t n)
{
    relay_world_t *f = ctx;
    f->writes++;
    if (f->trail_rc != RC_OK)
        return f->trail_rc;
    for (size_t i = 0; i < n; i++) {
        assert_true(f->n_events < RELAY_TEST_EVENTS);
        keep_event(&f->events[f->n_events++], events[i]);
    }
    return RC_OK;
}

/* Access: "Bearer NAME/SCOPE", and "Bearer later" for keys that are away. */

static relay_world_t *world; /* that the doubles belong to: one a test program */

/* An answer that comes later, on the same thread. */
typedef struct {
    void (*verdict)(void *arg, const access_verdict_t *verdict);
    void (*credential)(void *arg, const credential_answer_t *answer);
    void *arg;
    const void *answer;
} later_t;

static void come(void *arg)
{
    const later_t *l = arg;
    if (l->verdict)
        l->verdict(l->arg, l->answer);
    else
        l->credential(l->arg, l->answer);
}

static bool is_slow(arena_t *a, later_t later)
{
    later_t *l = world->slow ? ARENA_NEW(a, later_t) : NULL;
    if (!l)
        return false;
    *l = later;
    world->waiting = come;
    world->waiting_arg = l;
    return true;
}

void relay_let_go(relay_world_t *f)
{
    while (f->waiting) {
        void (*waiting)(void *arg) = f->waiting;
        f->waiting = NULL;
        waiting(f->waiting_arg);
    }
    trail_flush(&f->w->trail);
}

static void check(access_t *a, http_exchange_t *x,
                  void (*done)(void *arg, const access_verdict_t *verdict), void *arg)
{
    static const json_t claims = {.type = JSON_OBJECT};
    str_t value = http_header(x, STR("Authorization")), name;
    access_verdict_t *v = ARENA_NEW(x->arena, access_verdict_t);
    assert_non_null(v);
    (void)a;
    v->status = 401;
    v->reason = STR("no_token");
    v->challenge = STR("Bearer resource_metadata=\"https://mcp.test/meta\", scope=\"mcp:use\"");
    v->who = (gate_principal_t){STR(""), STR(""), STR(""), .scope = STR(""), .claims = &claims};
    if (str_eq(value, STR("Bearer later"))) {
        v->status = 503;
        v->reason = STR("keys_away");
        v->challenge = STR_UNSET;
        v->retry_after_s = 7;
    } else if (str_starts(value, STR("Bearer "))) {
        str_t rest = str_skip(value, 7);
        v->allowed = str_split(&rest, '/', &name);
        v->who.issuer = STR("https://as.test");
        v->who.subject = name;
        v->who.client = STR("client");
        v->who.scope = rest.p ? rest : STR("");
        v->who.token = STR("jti-1");
        v->who.issued_at = 1;
        v->who.expires_at = 1700001000;
        v->nonce = http_header(x, STR("Wants-Nonce"));
    }
    if (!is_slow(x->arena, (later_t){.verdict = done, .arg = arg, .answer = v}))
        done(arg, v);
}

static bool lives(access_t *a, const gate_principal_t *who)
{
    (void)a;
    assert_true(str_eq(who->issuer, STR("https://as.test")));
    assert_true(str_eq(who->token, STR("jti-1")));
    return !world->revoked;
}

static bool asks(const access_t *a, str_t token)
{
    (void)a;
    (void)token;
    return world->opaque;
}

static access_still_t still(access_t *a, str_t token)
{
    (void)a;
    assert_true(str_eq(token, STR("alice/mcp:use")));
    world->asked++;
    return world->still;
}

static bool access_is_ready(access_t *a)
{
    (void)a;
    return true;
}

static str_t insufficient(access_t *a, arena_t *arena, const gate_principal_t *who, str_t needed)
{
    (void)a;
    (void)who;
    return arena_printf(arena, "Bearer error=\"insufficient_scope\", scope=\"%" PRIstr "\"",
                        STR_ARG(needed));
}

static str_t step_up(access_t *a, arena_t *arena, const gate_principal_t *who,
                     const gate_decision_t *d)
{
    (void)a;
    (void)who;
    return arena_printf(arena,
                        "Bearer error=\"insufficient_user_authentication\", max_age=\"%lld\"",
                        (long long)d->max_age_s);
}

static str_t metadata(const access_t *a)
{
    (void)a;
    return STR("{\"resource\":\"https://mcp.test/mcp\"}");
}

static str_t metadata_path(const access_t *a, size_t i)
{
    static const str_t PATHS[] = {STR_INIT("/.well-known/oauth-protected-resource/mcp"),
                                  STR_INIT("/.well-known/oauth-protected-resource/mcp/"),
                                  STR_INIT("/.well-known/oauth-protected-resource")};
    (void)a;
    return i < 3 ? PATHS[i] : STR_UNSET;
}

static void credential(credential_t *c, http_exchange_t *x, const gate_principal_t *who,
                       str_t token, void (*done)(void *arg, const credential_answer_t *answer),
                       void *arg)
{
    static const gate_field_t FIELDS[] = {{STR_INIT("Authorization"), STR_INIT("Bearer upstream")},
                                          {STR_INIT("X-Warder-Identity"), STR_INIT("signed")}};
    credential_answer_t *answer = ARENA_NEW(x->arena, credential_answer_t);
    assert_non_null(answer);
    (void)c;
    assert_true(str_starts(token, who->subject)); /* the caller's own, for an exchange */
    *answer = (credential_answer_t){
        .rc = world->credential_rc, .reason = STR("exchange_refused"), .fields = FIELDS, .n = 2};
    if (!is_slow(x->arena, (later_t){.credential = done, .arg = arg, .answer = answer}))
        done(arg, answer);
}

static void drop(credential_t *c, const gate_principal_t *who)
{
    (void)c;
    (void)who;
    world->drops++;
}

static const route_ports_t PORTS = {check,           lives,        asks,    still,
                                    access_is_ready, insufficient, step_up, metadata,
                                    metadata_path,   credential,   drop};

/* The upstream. */

static rc_t start(void *ctx, http_worker_t *loop, const upstream_request_t *r,
                  http_outbound_events_t events, upstream_call_t **out)
{
    relay_world_t *f = ctx;
    (void)loop;
    if (f->start_rc != RC_OK)
        return f->start_rc;
    f->starts++;
    buf_t b = buf_fixed(f->headers, sizeof f->headers - 1);
    for (size_t i = 0; i < r->headers.n; i++)
        buf_fmt(&b, "%" PRIstr ": %" PRIstr "\n", STR_ARG(r->headers.v[i].name),
                STR_ARG(r->headers.v[i].value));
    assert_int_equal(b.failed, RC_OK);
    f->headers[b.n] = '\0';
    KEEP(f->method, http_method_name(r->method));
    KEEP(f->body, r->body);
    KEEP(f->session, r->session);
    KEEP(f->last_event, r->last_event);
    f->up = events;
    f->open = true;
    *out = (upstream_call_t *)f;
    return RC_OK;
}

static void pause(void *ctx, upstream_call_t *call)
{
    (void)call;
    ((relay_world_t *)ctx)->pauses++;
}

static void resume(void *ctx, upstream_call_t *call)
{
    (void)call;
    ((relay_world_t *)ctx)->resumes++;
}

static void cancel(void *ctx, upstream_call_t *call)
{
    relay_world_t *f = ctx;
    (void)call;
    assert_true(f->open);
    f->cancels++;
    f->open = false;
}

static bool ready(void *ctx)
{
    (void)ctx;
    return true;
}

/* The gateway. */

static void end_set(route_set_t *set)
{
    (void)set;
    world->set_ended = true;
}

static void make_conf(relay_world_t *f)
{
    static const str_t USE[] = {STR_INIT("mcp:use")}, ADMIN[] = {STR_INIT("mcp:admin")};
    static const str_t TOOLS[] = {STR_INIT("drop_*")}, SLOW[] = {STR_INIT("slow")};
    static const str_t FRESH[] = {STR_INIT("pay")};
    static const conf_rate_t RATES[] = {{CONF_PER_SUBJECT, 2, 60}};
    f->rules[0] =
        (conf_gate_rule_t){.name = STR("danger"), .tools = {TOOLS, 1}, .scopes = {ADMIN, 1}};
    f->rules[1] = (conf_gate_rule_t){
        .name = STR("slow"), .tools = {SLOW, 1}, .scopes = {USE, 1}, .rates = RATES, .n_rates = 1};
    f->rules[2] = (conf_gate_rule_t){
        .name = STR("fresh"), .tools = {FRESH, 1}, .scopes = {USE, 1}, .max_age = 300};
    f->rules[3] = (conf_gate_rule_t){.name = STR("never"), .tools = {TOOLS, 1}, .deny = true};
    f->policy = (conf_policy_t){.name = STR("test"),
                                .default_scopes = {USE, 1},
                                .rules = f->rules,
                                .n_rules = 3,
                                .groups_claim = STR("groups"),
                                .roles_claim = STR("roles")};
    f->shadow = f->policy;
    f->shadow.rules = &f->rules[3];
    f->shadow.n_rules = 1;
    f->conf = (conf_upstream_t){
        .path = STR("/mcp"),
        .name = STR("Test"),
        .url = STR("http://127.0.0.1:1/mcp"),
        .policy = &f->policy,
        .identity_header = STR("X-Warder-Identity"),
        .max_body_bytes = 2000,
        .max_answer_bytes = 1 << 20,
        .streams_per_subject = 2,
        .stream_check_s = 60,
    };
}

static void make_route(relay_world_t *f)
{
    gate_policy_t *policy, *shadow;
    assert_int_equal(gate_policy_new(f->a, &f->policy, &policy), RC_OK);
    assert_int_equal(gate_policy_new(f->a, &f->shadow, &shadow), RC_OK);
    f->route = (route_t){
        .conf = &f->conf,
        .resource = STR("https://mcp.test/mcp"),
        .host = STR("mcp.test"),
        .policy = policy,
        .shadow = shadow,
        .credential = (credential_t *)f,
        .ports = &PORTS,
        .upstream = {start, pause, resume, cancel, ready, NULL, f},
        .state = &f->state,
    };
    f->set = (route_set_t){.v = &f->route, .n = 1, .end = end_set};
    atomic_init(&f->set.refs, 1);
}

static void connect(relay_world_t *f)
{
    test_wire_begin(&f->wire, &f->g->app);
    f->wire.hub.apps[0].worker = f->w;
}

int relay_world_setup(void **state)
{
    relay_world_t *f = calloc(1, sizeof *f);
    void *worker = NULL;
    assert_non_null(f);
    world = f;
    f->a = arena_new(WORLD_ARENA);
    f->clock.ms = 1700000000000;
    gateway_config_t config = {
        .handle_key = STR("0123456789abcdef0123456789abcdef"),
        .clock = clock_fake(&f->clock),
        .random = random_fake(&f->random),
    };
    assert_int_equal(gateway_new(&config, &f->g), RC_OK);
    f->g->trail = (trail_port_t){trail_write, NULL, f};
    make_conf(f);
    make_route(f);
    gateway_install(f->g, &f->set);
    assert_int_equal(relay_worker_init(f->g, NULL, &worker), RC_OK);
    f->w = worker;
    connect(f);
    *state = f;
    return 0;
}

int relay_world_teardown(void **state)
{
    relay_world_t *f = *state;
    test_wire_break(&f->wire);
    trail_flush(&f->w->trail);
    relay_worker_drain(f->g, f->w);
    trail_flush(&f->w->trail);
    test_wire_end(&f->wire);
    relay_worker_exit(f->g, f->w);
    assert_false(f->open);
    gateway_free(f->g);
    assert_true(f->set_ended);
    arena_free(f->a);
    free(f);
    return 0;
}

/* Asking and answering. */

http_direct_answer_t relay_heard(relay_world_t *f)
{
    http_direct_answer_t r = {0};
    trail_flush(&f->w->trail);
    str_t heard = arena_dup(f->a, test_wire_heard(&f->wire));
    if (http_direct_parse(f->a, heard, &r) != RC_OK)
        r.status = 0;
    return r;
}

http_direct_answer_t relay_raw(relay_world_t *f, const char *request)
{
    test_wire_break(&f->wire);
    trail_flush(&f->w->trail);
    test_wire_end(&f->wire);
    connect(f);
    test_wire_say(&f->wire, str_c(request));
    return relay_heard(f);
}

http_direct_answer_t relay_ask_at(relay_world_t *f, const char *target, const char *method,
                                  const char *headers, const char *body)
{
    str_t length = body ? arena_printf(f->a, "Content-Length: %zu\r\n", strlen(body)) : STR("");
    str_t text = arena_printf(f->a, "%s %s HTTP/1.1\r\nHost: mcp.test\r\n%s%" PRIstr "\r\n%s",
                              method, target, headers, STR_ARG(length), body ? body : "");
    assert_non_null(text.p);
    return relay_raw(f, text.p);
}

http_direct_answer_t relay_ask(relay_world_t *f, const char *method, const char *headers,
                               const char *body)
{
    return relay_ask_at(f, "/mcp", method, headers, body);
}

void relay_head(relay_world_t *f, int status, const char *headers)
{
    http_header_t v[16];
    size_t n = 0;
    str_t rest = str_c(headers), line, name;
    while (rest.n > 0 && str_split(&rest, '\n', &line) && line.n > 0) {
        str_t value = str_trim(line, "\r");
        assert_true(str_split(&value, ':', &name));
        v[n++] = (http_header_t){name, str_trim(value, " ")};
    }
    http_outbound_head_t head = {.status = status, .headers = {v, n}};
    assert_true(f->open);
    f->up.head(f->up.ctx, &head);
}

void relay_data(relay_world_t *f, const char *bytes)
{
    if (f->open)
        f->up.data(f->up.ctx, str_c(bytes));
    trail_flush(&f->w->trail);
}

void relay_end(relay_world_t *f, http_outbound_end_t how)
{
    bool open = f->open;
    f->open = false;
    if (open)
        f->up.end(f->up.ctx, how);
    trail_flush(&f->w->trail);
}

http_direct_answer_t relay_answer(relay_world_t *f, int status, const char *headers,
                                  const char *body)
{
    relay_head(f, status, headers);
    if (body[0])
        relay_data(f, body);
    relay_end(f, HTTP_OUT_DONE);
    return relay_heard(f);
}

void relay_pass(relay_world_t *f, int64_t ms)
{
    f->clock.ms += ms;
    relay_worker_tick(f->w);
    trail_flush(&f->w->trail);
}

str_t relay_header(const http_direct_answer_t *r, const char *name)
{
    return http_headers_get(r->headers, str_c(name));
}

const char *relay_session(relay_world_t *f, const char *who)
{
    str_t headers = arena_printf(f->a, "%s" POSTED, who);
    relay_ask(f, "POST", headers.p, INITIALIZE);
    http_direct_answer_t r = relay_answer(
        f, 200, "Content-Type: application/json\r\nMcp-Session-Id: s-1\r\n", RESULT("1"));
    assert_int_equal(r.status, 200);
    str_t handle = relay_header(&r, "Mcp-Session-Id");
    assert_true(handle.n > 0 && !str_eq(handle, STR("s-1")));
    return arena_cstr(f->a, handle);
}

const relay_test_event_t *relay_last(const relay_world_t *f)
{
    assert_true(f->n_events > 0);
    return &f->events[f->n_events - 1];
}

void relay_assert_last(const relay_world_t *f, audit_kind_t kind, bool allowed, const char *reason)
{
    const relay_test_event_t *e = relay_last(f);
    assert_string_equal(e->reason, reason);
    assert_int_equal(e->kind, kind);
    assert_int_equal(e->allowed, allowed);
}

void relay_control(relay_world_t *f)
{
    unsigned starts = f->starts;
    http_direct_answer_t r = relay_ask(f, "POST", ALICE POSTED, CALL("7", "echo"));
    assert_int_equal(r.status, 0);
    assert_int_equal(f->starts, starts + 1);
    r = relay_answer(f, 200, "Content-Type: application/json\r\n", RESULT("7"));
    assert_int_equal(r.status, 200);
    assert_true(str_eq(r.body, STR(RESULT("7"))));
    relay_assert_last(f, AUDIT_CALL_END, true, "answered");
}
