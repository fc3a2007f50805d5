#include "tool_http/mcp_http_test_world.h"

#include <stdio.h>
#include <stdlib.h>

static void keep(char out[64], str_t s)
{
    snprintf(out, 64, "%.*s", STR_ARG(str_first(s, 63)));
}

static void record(void *ctx, http_exchange_t *x, const audit_event_t *e,
                   void (*done)(void *arg, bool durable), void *arg)
{
    trail_double_t *t = ctx;
    (void)x;
    if (!t->broken && t->n < MAX_EVENTS) {
        keep(t->reason[t->n], e->reason);
        keep(t->user[t->n], e->user);
        keep(t->tool[t->n], e->tool);
        t->v[t->n++] = *e;
    }
    done(arg, !t->broken);
}

/* "Bearer NAME/SCOPE": a token of NAME that grants SCOPE. */
static void check(void *ctx, http_exchange_t *x,
                  void (*done)(void *arg, const mcp_access_t *verdict), void *arg)
{
    mcp_world_t *f = ctx;
    str_t value = http_header(x, STR("Authorization"));
    mcp_access_t v = {.status = 401, .reason = STR("no_token")};
    f->checks++;
    v.challenge = STR("Bearer resource_metadata=\"https://rs.test/meta\", scope=\"news:read\"");
    if (str_eq(value, STR("Bearer later"))) {
        v = (mcp_access_t){.status = 503, .reason = STR("keys_away"), .retry_after_s = 7};
    } else if (str_starts(value, STR("Bearer "))) {
        str_t rest = str_skip(value, 7), name;
        v.allowed = str_split(&rest, '/', &name);
        v.issuer = STR("https://as.test");
        v.subject = name;
        v.client = STR("client");
        v.scope = rest.p ? rest : STR("");
        v.expires_at = 1000;
        v.nonce = http_header(x, STR("Wants-Nonce"));
    }
    done(arg, &v);
}

static bool covers(void *ctx, str_t granted, str_t needed)
{
    (void)ctx;
    return str_contains(granted, needed);
}

static str_t insufficient(void *ctx, arena_t *a, const mcp_access_t *who, str_t needed)
{
    (void)ctx;
    (void)who;
    return arena_printf(a, "Bearer error=\"insufficient_scope\", scope=\"%.*s\"", STR_ARG(needed));
}

static void run_echo(void *ctx, mcp_call_t *call)
{
    mcp_world_t *f = ctx;
    f->runs++;
    str_t text = json_get_str(call->arguments, STR("text"));
    mcp_tool_result_t r = {.text = text.p ? text : STR("nothing"), .structured = STR("{\"a\":1}")};
    r.is_error = str_eq(text, STR("bad"));
    if (str_eq(text, STR("fail")) || str_eq(text, STR("busy")))
        mcp_call_failed(call, str_eq(text, STR("busy")) ? RC_BUSY : RC_IO);
    else
        mcp_call_done(call, &r);
}

static mcp_http_tool_t TOOL[] = {{
    .tool = {.name = STR_INIT("echo"),
             .title = STR_INIT("Echo"),
             .description = STR_INIT("Echoes."),
             .input_schema = STR_INIT("{\"type\":\"object\"}"),
             .scope = STR_INIT("news:read")},
    .run = run_echo,
}};

static bool lives(void *ctx, http_exchange_t *x, const mcp_access_t *who)
{
    (void)x;
    return !((mcp_world_t *)ctx)->ended && str_is_set(who->subject);
}

int mcp_world_setup(void **state)
{
    static const str_t ORIGINS[] = {STR_INIT("https://app.test")};
    static const mcp_identity_t ID = {STR_INIT("https://rs.test/mcp"), STR_INIT("rs.test"),
                                      STR_INIT("{\"resource\":\"https://rs.test/mcp\"}")};
    mcp_world_t *f = calloc(1, sizeof *f);
    mcp_http_config_t c = {.info = {STR("t"), STR("T"), STR("1"), STR_UNSET},
                           .tools = TOOL,
                           .tool_count = 1,
                           .path = STR("/mcp"),
                           .origins = {ORIGINS, 1},
                           .calls_per_minute = CALLS_PER_MINUTE,
                           .clock = clock_fake(&f->clock),
                           .random = random_fake(&f->random)};
    TOOL[0].ctx = f;
    f->a = arena_new(ARENA_BYTES);
    f->m = mcp_http_new(&c);
    mcp_http_protect(f->m, &ID, (mcp_access_port_t){check, covers, insufficient, f, lives},
                     (mcp_audit_port_t){record, &f->trail});
    assert_int_equal(mcp_http_worker_init(f->m, NULL, &f->worker), RC_OK);
    f->d = http_direct_new(mcp_http_app(f->m), f->worker);
    *state = f;
    return f->d ? 0 : -1;
}

int mcp_world_teardown(void **state)
{
    mcp_world_t *f = *state;
    mcp_http_worker_drain(f->m, f->worker);
    http_direct_free(f->d);
    mcp_http_worker_exit(f->m, f->worker);
    mcp_http_free(f->m);
    arena_free(f->a);
    free(f);
    return 0;
}

http_direct_answer_t mcp_send(mcp_world_t *f, const char *method, const char *headers,
                              const char *body)
{
    str_t request = arena_printf(
        f->a,
        "%s /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: application/json, text/event-stream\r\n"
        "%s%sContent-Length: %zu\r\n\r\n%s",
        method, headers, *body ? "Content-Type: application/json\r\n" : "", strlen(body), body);
    return http_direct_run(f->d, f->a, request);
}

http_direct_answer_t mcp_raw(mcp_world_t *f, const char *request)
{
    return http_direct_run(f->d, f->a, str_c(request));
}

str_t mcp_session_of(mcp_world_t *f, const char *who)
{
    http_direct_answer_t r = mcp_send(f, "POST", who, INIT);
    assert_int_equal(r.status, 200);
    str_t id = http_headers_get(r.headers, STR("Mcp-Session-Id"));
    assert_true(id.n >= 27);
    return arena_dup(f->a, id);
}

const char *mcp_with_session(mcp_world_t *f, const char *who, str_t session)
{
    return arena_printf(f->a, "%sMcp-Session-Id: %.*s\r\n", who, STR_ARG(session)).p;
}

int64_t mcp_error_code(mcp_world_t *f, const http_direct_answer_t *r)
{
    const json_t *root;
    int64_t code = 0;
    assert_int_equal(json_parse(f->a, r->body, NULL, &root), RC_OK);
    json_get_i64(json_get(root, STR("error")), STR("code"), &code);
    return code;
}

void assert_last_event(mcp_world_t *f, audit_kind_t kind, bool allowed, const char *reason)
{
    assert_true(f->trail.n > 0);
    size_t i = f->trail.n - 1;
    assert_int_equal(f->trail.v[i].kind, kind);
    assert_int_equal(f->trail.v[i].allowed, allowed);
    assert_string_equal(f->trail.reason[i], reason);
}

void mcp_control(mcp_world_t *f)
{
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, CALL(""));
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("structuredContent")));
}
