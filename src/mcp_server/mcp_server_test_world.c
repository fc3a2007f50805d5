#include "mcp_server/mcp_server_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { WORLD_BYTES = 64 << 20, PATIENCE_S = 20 };

/* ---- the test's own thread as a loop ---- */

static rc_t post(void *ctx, void (*fn)(void *arg), void *arg)
{
    server_world_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    bool room = w->n < TEST_POSTS;
    if (room) {
        size_t at = (w->first + w->n++) % TEST_POSTS;
        w->posts[at].fn = fn;
        w->posts[at].arg = arg;
    }
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
    return room ? RC_OK : RC_BUSY;
}

static post_port_t port_of(server_world_t *w)
{
    return (post_port_t){post, w};
}

/* Runs one thing that was posted; waits at most `s` seconds for it. */
static bool turn(server_world_t *w, int s)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += s;
    int late = s > 0 ? 0 : 1;
    pthread_mutex_lock(&w->lock);
    while (w->n == 0 && late == 0)
        late = pthread_cond_timedwait(&w->more, &w->lock, &until);
    bool any = w->n > 0;
    void (*fn)(void *) = any ? w->posts[w->first].fn : NULL;
    void *arg = any ? w->posts[w->first].arg : NULL;
    if (any) {
        w->first = (w->first + 1) % TEST_POSTS;
        w->n--;
    }
    pthread_mutex_unlock(&w->lock);
    if (any)
        fn(arg);
    return any;
}

/* ---- ports ---- */

static bool covers(void *ctx, str_t granted, str_t needed)
{
    str_t one;
    (void)ctx;
    while (str_split(&needed, ' ', &one)) {
        if (!str_contains(granted, one))
            return false;
    }
    return true;
}

static void record(void *ctx, post_port_t back, const audit_event_t *e,
                   void (*done)(void *arg, bool durable), void *arg)
{
    server_world_t *w = ctx;
    (void)back;
    pthread_mutex_lock(&w->lock);
    if (w->events < TEST_EVENTS)
        snprintf(w->reasons[w->events++], 64, "%" PRIstr, STR_ARG(str_first(e->reason, 63)));
    pthread_mutex_unlock(&w->lock);
    done(arg, true);
}

const char *test_last_reason(const server_world_t *w)
{
    return w->events > 0 ? w->reasons[w->events - 1] : "";
}

/* ---- the world ---- */

static void begin_session(server_world_t *w)
{
    const mcp_version_t *v = mcp_version_find(mcp_versions(), STR("2025-11-25"));
    w->session = mcp_session_local(clock_fake(&w->clock));
    assert_non_null(w->session);
    assert_int_equal(mcp_session_begin(w->session, v, STR("{\"elicitation\":{}}")), RC_OK);
}

int server_world_setup(void **state)
{
    server_world_t *w = calloc(1, sizeof *w);
    char why[512] = "";
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    w->a = arena_new(WORLD_BYTES);
    w->clock.ms = INT64_C(1790000000000);
    warder_mcp_config_t c = test_config();
    c.ctx = w;
    w->m = warder_mcp_new(&c, why, sizeof why);
    if (!w->m)
        fail_msg("%s", why);
    w->ports = (mcp_world_ports_t){.scopes = {covers, NULL},
                                   .audit = {record, w},
                                   .resource = STR("https://rs.test/mcp"),
                                   .clock = clock_fake(&w->clock),
                                   .random = random_fake(&w->random)};
    mcp_server_wire(w->m, &w->ports);
    assert_int_equal(mcp_server_start(w->m), RC_OK);
    w->who = (mcp_caller_t){.issuer = STR("https://as.test"),
                            .subject = STR("alice"),
                            .client = STR("c1"),
                            .scope = STR("news:read"),
                            .token_id = STR("t1"),
                            .address = STR("192.0.2.1"),
                            .request_id = STR("r1")};
    w->declared = STR("{}");
    begin_session(w);
    *state = w;
    return 0;
}

int server_world_teardown(void **state)
{
    server_world_t *w = *state;
    mcp_session_end(w->session);
    mcp_server_stop(w->m);
    while (turn(w, 0))
        ;
    mcp_session_drop(w->session);
    warder_mcp_free(w->m);
    arena_free(w->a);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->more);
    free(w);
    return 0;
}

/* ---- messages ---- */

static const json_t *parse(server_world_t *w, str_t text)
{
    static const json_limits_t LIMITS = {16 << 20, 64, 200000};
    const json_t *root = NULL;
    str_t kept = arena_dup(w->a, text);
    if (json_parse(w->a, kept, &LIMITS, &root) != RC_OK)
        fail_msg("no JSON: %" PRIstr, STR_ARG(kept));
    return root;
}

static void wake(void *ctx)
{
    (void)ctx;
}

static mcp_reader_t *attach(server_world_t *w, mcp_outbox_t *o)
{
    mcp_reader_t *reader = NULL;
    mcp_reading_t how = {.back = port_of(w), .wake = wake, .ctx = w};
    assert_int_equal(mcp_outbox_attach(o, &how, &reader), RC_OK);
    return reader;
}

/* Hands it in; of what runs the outbox and its reader come back. */
static mcp_verdict_t hand_in(server_world_t *w, warder_mcp_call_t *call, const mcp_operation_t *op,
                             test_running_t *r)
{
    mcp_incoming_t in = {.operation = op,
                         .fields = w->fields,
                         .has_fields = w->has_fields,
                         .who = w->who,
                         .session = w->session,
                         .outbox = r->outbox,
                         .back = port_of(w)};
    return mcp_server_handle(call, &in);
}

/* Takes from a call's arena until `room` bytes are left. */
static void use_up(arena_t *a, size_t room)
{
    size_t used = arena_used(a);
    if (room > 0 && used + room < MCP_CALL_ARENA_BYTES)
        assert_non_null(arena_alloc(a, MCP_CALL_ARENA_BYTES - used - room));
}

static test_running_t begin_line(server_world_t *w, str_t line, mcp_error_t *e)
{
    rc_t rc;
    test_running_t r = {.call = mcp_call_new(w->m), .outbox = mcp_outbox_new(false)};
    arena_t *a = mcp_call_arena(r.call);
    mcp_operation_t *op = ARENA_NEW(a, mcp_operation_t);
    r.reader = attach(w, r.outbox);
    *e = mcp_operation_read_line(a, arena_dup(a, line), op, &rc);
    use_up(a, w->room);
    r.verdict = *e == MCP_NO_ERROR ? hand_in(w, r.call, op, &r) : mcp_server_refuse(r.call, op, *e);
    return r;
}

void test_end(test_running_t *r)
{
    if (r->reader)
        mcp_reader_detach(r->reader);
    mcp_outbox_drop(r->outbox);
    mcp_call_drop(r->call);
    *r = (test_running_t){.verdict = r->verdict};
}

static const json_t *next_out(server_world_t *w, test_running_t *r, mcp_out_t *out)
{
    while (!mcp_reader_take(r->reader, out)) {
        if (!turn(w, PATIENCE_S))
            fail_msg("nothing came out");
    }
    return out->text.p ? parse(w, out->text) : NULL;
}

const json_t *test_next(server_world_t *w, test_running_t *r)
{
    mcp_out_t out;
    return next_out(w, r, &out);
}

bool test_is_quiet(server_world_t *w, test_running_t *r)
{
    mcp_out_t out;
    while (turn(w, 0))
        ;
    return !mcp_reader_take(r->reader, &out);
}

static void wait_for_answer(server_world_t *w, test_running_t *r, test_answer_t *answer)
{
    mcp_out_t out;
    const json_t *root = next_out(w, r, &out);
    while (out.kind != MCP_OUT_ANSWER) {
        if (w->message_count < TEST_MESSAGES && root)
            w->messages[w->message_count++] = root;
        root = next_out(w, r, &out);
    }
    answer->root = root;
    answer->status = out.status;
    answer->verdict.needed = arena_dup(w->a, out.needed);
}

test_answer_t test_line(server_world_t *w, str_t line)
{
    test_answer_t answer = {.root = NULL};
    w->message_count = 0;
    test_running_t r = begin_line(w, line, &answer.error);
    answer.verdict = r.verdict;
    answer.status = r.verdict.status;
    answer.verdict.needed = arena_dup(w->a, r.verdict.needed);
    answer.verdict.tool = arena_dup(w->a, r.verdict.tool);
    if (r.verdict.body.p)
        answer.root = parse(w, r.verdict.body);
    if (r.verdict.kind == MCP_RUNNING)
        wait_for_answer(w, &r, &answer);
    test_end(&r);
    return answer;
}

static str_t line_of(server_world_t *w, mcp_era_t era, const char *method, const char *params)
{
    str_t p = str_trim(str_c(params), " {}");
    str_t members = p.n > 0 ? str_of(params + 1, strlen(params) - 2) : STR("");
    if (era == MCP_ERA_HANDSHAKE)
        return arena_printf(w->a, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"%s\",\"params\":%s}",
                            ++w->id, method, params);
    return arena_printf(w->a,
                        "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"%s\",\"params\":{%" PRIstr
                        "%s\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                        "\"io.modelcontextprotocol/clientCapabilities\":%" PRIstr "}}}",
                        ++w->id, method, STR_ARG(members), members.n > 0 ? "," : "",
                        STR_ARG(w->declared));
}

test_answer_t test_ask(server_world_t *w, mcp_era_t era, const char *method, const char *params)
{
    return test_line(w, line_of(w, era, method, params));
}

test_running_t test_begin(server_world_t *w, mcp_era_t era, const char *method, const char *params)
{
    mcp_error_t e;
    test_running_t r = begin_line(w, line_of(w, era, method, params), &e);
    assert_int_equal(e, MCP_NO_ERROR);
    return r;
}

test_running_t test_general(server_world_t *w)
{
    test_running_t r = {.outbox = mcp_outbox_hold(mcp_session_general(w->session))};
    r.reader = attach(w, r.outbox);
    return r;
}

const json_t *test_at(const test_answer_t *answer, const char *path)
{
    return json_path(answer->root, str_c(path));
}

str_t test_text(const test_answer_t *answer, const char *path)
{
    const json_t *v = test_at(answer, path);
    return json_is(v, JSON_STRING) ? v->str : STR_UNSET;
}

int64_t test_code(const test_answer_t *answer)
{
    int64_t code = 0;
    json_get_i64(json_get(answer->root, STR("error")), STR("code"), &code);
    return code;
}
