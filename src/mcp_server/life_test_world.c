#include "mcp_server/life_test_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PATIENCE_MS = 60000 };

static void pause_ms(void)
{
    static const struct timespec ONE = {0, 1000000};
    nanosleep(&ONE, NULL);
}

/* The trail */

static void write_down(void *ctx, post_port_t back, const audit_event_t *e,
                       void (*done)(void *arg, bool durable), void *arg)
{
    life_world_t *w = ctx;
    (void)back;
    pthread_mutex_lock(&w->lock);
    assert_true(w->events < LIFE_EVENTS);
    snprintf(w->reasons[w->events], 64, "%" PRIstr, STR_ARG(str_first(e->reason, 63)));
    w->last = *e;
    w->events++;
    bool holds = w->trail == TRAIL_HELD;
    if (holds) {
        w->held = done;
        w->held_arg = arg;
    }
    bool durable = w->trail == TRAIL_GOOD;
    pthread_mutex_unlock(&w->lock);
    if (!holds)
        done(arg, durable);
}

const char *life_reason(life_world_t *w, size_t n)
{
    for (int ms = 0; ms < PATIENCE_MS; ms++) {
        pthread_mutex_lock(&w->lock);
        size_t events = w->events;
        pthread_mutex_unlock(&w->lock);
        if (events >= n)
            return w->reasons[n - 1];
        pause_ms();
    }
    fail_msg("no event %zu", n);
    return "";
}

/* The world */

static warder_mcp_next_t run_script(warder_mcp_call_t *call, void *ctx)
{
    life_world_t *w = ctx;
    atomic_fetch_add(&w->runs, 1);
    return w->script(call, w);
}

static warder_mcp_next_t say_ok(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_text(call, "ok");
    return WARDER_MCP_DONE;
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "t", .description = "t", .input_schema = "{\"type\":\"object\"}", .run = run_script},
    {.name = "quick",
     .description = "quick",
     .input_schema = "{\"type\":\"object\"}",
     .flags = WARDER_MCP_QUICK,
     .run = run_script},
    {.name = "job", .description = "job", .flags = WARDER_MCP_TASK, .run = run_script},
};
static const warder_mcp_resource_t RESOURCES[] = {
    {.uri = "test://r", .name = "r", .run = run_script},
};
static const warder_mcp_prompt_t PROMPTS[] = {
    {.name = "p", .description = "p", .run = run_script},
};

static mcp_session_t *session_of(life_world_t *w)
{
    const mcp_version_t *v = mcp_version_find(mcp_versions(), STR("2025-11-25"));
    mcp_session_t *s = mcp_session_local(clock_fake(&w->clock));
    assert_non_null(s);
    assert_int_equal(mcp_session_begin(s, v,
                                       STR("{\"elicitation\":{\"form\":{},\"url\":{}},"
                                           "\"sampling\":{},\"roots\":{}}")),
                     RC_OK);
    return s;
}

static void start(life_world_t *w)
{
    char why[512] = "";
    const warder_mcp_config_t config = {.name = "test",
                                        .version = "1",
                                        .tools = TOOLS,
                                        .tool_count = 3,
                                        .resources = RESOURCES,
                                        .resource_count = 1,
                                        .prompts = PROMPTS,
                                        .prompt_count = 1,
                                        .ctx = w,
                                        .threads = 2,
                                        .waiting = 4};
    const mcp_world_ports_t ports = {.audit = {write_down, w},
                                     .resource = STR("https://rs.test/mcp"),
                                     .clock = clock_fake(&w->clock),
                                     .random = random_fake(&w->random)};
    w->m = warder_mcp_new(&config, why, sizeof why);
    if (!w->m)
        fail_msg("%s", why);
    mcp_server_wire(w->m, &ports);
    assert_int_equal(mcp_server_start(w->m), RC_OK);
}

int life_world_setup(void **state)
{
    life_world_t *w = calloc(1, sizeof *w);
    pthread_mutex_init(&w->lock, NULL);
    test_loop_init(&w->loop);
    w->a = arena_new(TEST_ARENA_BYTES);
    w->clock.ms = INT64_C(1790000000000);
    w->script = say_ok;
    w->who = (mcp_caller_t){.issuer = STR("https://as.test"),
                            .subject = STR("alice"),
                            .client = STR("c1"),
                            .scope = STR("news:read"),
                            .token_id = STR("t1"),
                            .address = STR("192.0.2.1"),
                            .request_id = STR("r1")};
    w->declared = STR("{\"elicitation\":{\"form\":{},\"url\":{}},\"sampling\":{},\"roots\":{},"
                      "\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}");
    w->meta = STR("");
    start(w);
    w->session = session_of(w);
    *state = w;
    return 0;
}

int life_world_teardown(void **state)
{
    life_world_t *w = *state;
    if (w->session)
        mcp_session_end(w->session);
    mcp_server_stop(w->m);
    test_loop_run(&w->loop);
    mcp_session_drop(w->session);
    warder_mcp_free(w->m);
    arena_free(w->a);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return 0;
}

/* Messages */

static void on_wake(void *ctx)
{
    (void)ctx;
}

static mcp_verdict_t hand_in(life_world_t *w, asked_t *q, str_t line)
{
    rc_t rc;
    arena_t *a = mcp_call_arena(q->call);
    mcp_operation_t *op = ARENA_NEW(a, mcp_operation_t);
    mcp_error_t e = mcp_operation_read_line(a, arena_dup(a, line), op, &rc);
    assert_int_equal(e, MCP_NO_ERROR);
    const mcp_incoming_t in = {.operation = op,
                               .who = w->who,
                               .session = op->era == MCP_ERA_HANDSHAKE ? w->session : NULL,
                               .outbox = q->outbox,
                               .back = test_loop_port(&w->loop)};
    return mcp_server_handle(q->call, &in);
}

static asked_t send(life_world_t *w, str_t line)
{
    asked_t q = {.w = w, .call = mcp_call_new(w->m), .outbox = mcp_outbox_new(w->session != NULL)};
    const mcp_reading_t how = {test_loop_port(&w->loop), on_wake, NULL, 0};
    assert_int_equal(mcp_outbox_attach(q.outbox, &how, &q.reader), RC_OK);
    q.verdict = hand_in(w, &q, line);
    q.id = arena_printf(w->a, "%u", w->id);
    return q;
}

mcp_verdict_t life_tell(life_world_t *w, const char *line)
{
    asked_t q = send(w, str_c(line));
    mcp_verdict_t v = q.verdict;
    v.body = arena_dup(w->a, v.body);
    life_end_ask(&q);
    return v;
}

asked_t life_ask(life_world_t *w, mcp_era_t era, const char *method, const char *params)
{
    const char *stateless = "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                            "\"io.modelcontextprotocol/clientCapabilities\":";
    bool bare = era == MCP_ERA_STATELESS;
    return send(w, arena_printf(w->a,
                                "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"%s\",\"params\":{%s"
                                ",\"_meta\":{%s%" PRIstr "%s\"x\":1%" PRIstr "}}}",
                                ++w->id, method, params, bare ? stateless : "",
                                STR_ARG(bare ? w->declared : STR("")), bare ? "," : "",
                                STR_ARG(w->meta)));
}

asked_t life_call(life_world_t *w, mcp_era_t era, const char *name, const char *more)
{
    str_t params = arena_printf(w->a, "\"name\":\"%s\"%s", name, more);
    return life_ask(w, era, "tools/call", params.p);
}

bool life_is_quiet(asked_t *q)
{
    test_loop_run(&q->w->loop);
    return !mcp_reader_take(q->reader, &q->out);
}

bool life_next(asked_t *q)
{
    assert_int_equal(q->verdict.kind, MCP_RUNNING);
    for (int ms = 0; life_is_quiet(q); ms++) {
        if (ms == PATIENCE_MS)
            fail_msg("nothing came out");
        pause_ms();
    }
    if (!q->out.text.p)
        return false;
    str_t text = arena_dup(q->w->a, q->out.text);
    if (json_parse(q->w->a, text, NULL, &q->json) != RC_OK)
        fail_msg("no JSON: %" PRIstr, STR_ARG(text));
    return true;
}

str_t life_text(const asked_t *q, const char *path)
{
    const json_t *v = json_path(q->json, str_c(path));
    return json_is(v, JSON_STRING) ? v->str : STR_UNSET;
}

int64_t life_int(const asked_t *q, const char *path)
{
    int64_t v = 0;
    json_i64(json_path(q->json, str_c(path)), &v);
    return v;
}

void life_end_ask(asked_t *q)
{
    mcp_reader_detach(q->reader);
    mcp_outbox_drop(q->outbox);
    mcp_call_drop(q->call);
    test_loop_run(&q->w->loop);
}

void life_until(asked_t *q, mcp_call_state_t state)
{
    for (int ms = 0; ms < PATIENCE_MS; ms++) {
        pthread_mutex_lock(&q->w->m->lock);
        mcp_call_state_t now = q->call->state;
        pthread_mutex_unlock(&q->w->m->lock);
        if (now == state)
            return;
        pause_ms();
    }
    fail_msg("the call is never %d", (int)state);
}
