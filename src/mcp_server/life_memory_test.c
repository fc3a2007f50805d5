/* The life of calls when memory ends: each allocation fails once. Every request comes to an end,
 * and nothing is lost. What allocates is compiled here, with an allocator that fails on demand. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static atomic_int allocations; /* so far */
static atomic_int fails_at;    /* the number of the one that fails; 0: none */

static bool fails(void)
{
    return atomic_fetch_add(&allocations, 1) + 1 == atomic_load(&fails_at);
}

static void *failing_malloc(size_t n)
{
    return fails() ? NULL : malloc(n);
}

static void *failing_calloc(size_t n, size_t size)
{
    return fails() ? NULL : calloc(n, size);
}

#define malloc(n)       failing_malloc(n)
#define calloc(n, size) failing_calloc(n, size)
#include "core/arena.c"
#include "mcp_server/life.c"
#include "mcp_server/outbox.c"
#include "mcp_server/reader.c"
#include "mcp_server/session_calls.c"
#include "mcp_server/tasks.c"
#undef malloc
#undef calloc

#include "mcp_server/life_test_world.h"

#include <stdio.h>

enum { PATIENCE = 10000 };

static warder_mcp_next_t ask_and_tell(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_progress(call, 1, 2, "half");
    warder_mcp_log(call, WARDER_MCP_ERROR, NULL, "so far");
    warder_mcp_set_state(call, "kept");
    bool form = warder_mcp_elicit(call, "f", "?", "{\"type\":\"object\",\"properties\":{}}");
    bool roots = warder_mcp_roots(call, "r");
    if (!form || !roots)
        return WARDER_MCP_ASK;
    warder_mcp_textf(call, "%d", warder_mcp_answer_string(call, "r", "roots.0.uri") != NULL);
    return WARDER_MCP_DONE;
}

/* One request of the test's own making, as what the world has takes memory, too. */
typedef struct {
    life_world_t *w;
    warder_mcp_call_t *call;
    mcp_outbox_t *outbox;
    mcp_reader_t *reader;
    bool runs;
} request_t;

static void wake_nobody(void *ctx)
{
    (void)ctx;
}

static void hand_over(request_t *r, const char *line)
{
    rc_t rc;
    life_world_t *w = r->w;
    arena_t *a = mcp_call_arena(r->call);
    mcp_operation_t *op = ARENA_NEW(a, mcp_operation_t);
    str_t copy = arena_dup(a, str_c(line));
    if (!op || !copy.p || mcp_operation_read_line(a, copy, op, &rc) != MCP_NO_ERROR)
        return;
    const mcp_incoming_t in = {.operation = op,
                               .who = w->who,
                               .session = op->era == MCP_ERA_HANDSHAKE ? w->session : NULL,
                               .outbox = r->outbox,
                               .back = test_loop_port(&w->loop)};
    r->runs = mcp_server_handle(r->call, &in).kind == MCP_RUNNING;
}

static request_t begin_request(life_world_t *w, const char *line)
{
    request_t r = {.w = w, .call = mcp_call_new(w->m), .outbox = mcp_outbox_new(false)};
    const mcp_reading_t how = {test_loop_port(&w->loop), wake_nobody, NULL, 0};
    if (r.call && r.outbox && mcp_outbox_attach(r.outbox, &how, &r.reader) == RC_OK)
        hand_over(&r, line);
    return r;
}

static void end_request(request_t *r)
{
    mcp_reader_detach(r->reader);
    mcp_outbox_drop(r->outbox);
    mcp_call_drop(r->call);
    test_loop_run(&r->w->loop);
}

/* Answers what the server asks. */
static void answer(life_world_t *w, const mcp_out_t *out)
{
    char text[512], line[512];
    int id = 0;
    snprintf(text, sizeof text, "%" PRIstr, STR_ARG(out->text));
    const char *at = strstr(text, "\"id\":");
    if (!at || sscanf(at, "\"id\":%d", &id) != 1)
        return; /* a notification */
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{%s}}", id,
             strstr(text, "roots/list") ? "\"roots\":[{\"uri\":\"file:///a\"}]"
                                        : "\"action\":\"accept\",\"content\":{}");
    request_t r = begin_request(w, line);
    end_request(&r);
}

/* To the end of its stream: an answer, or none. An answer of the client that was lost to memory is
 * lost: then it cancels. False: it hangs. */
static bool sees_the_end(request_t *r)
{
    static const struct timespec PAUSE = {0, 100000};
    mcp_out_t out;
    for (int i = 0; r->runs && i < PATIENCE; i++) {
        test_loop_run(&r->w->loop);
        bool some = mcp_reader_take(r->reader, &out);
        if (some && out.kind == MCP_OUT_ANSWER)
            return true;
        if (some)
            answer(r->w, &out);
        else if (mcp_outbox_ended(r->outbox))
            return true;
        else if (i > 200)
            mcp_call_cancel(r->call);
        else
            nanosleep(&PAUSE, NULL);
    }
    return !r->runs;
}

static bool has_left(life_world_t *w)
{
    static const struct timespec PAUSE = {0, 100000};
    size_t running = 1;
    for (int i = 0; running > 0 && i < PATIENCE; i++) {
        pthread_mutex_lock(&w->m->lock);
        running = w->m->running;
        pthread_mutex_unlock(&w->m->lock);
        if (running > 0)
            nanosleep(&PAUSE, NULL);
    }
    return running == 0;
}

/* The number of allocations of one whole run. */
static int attempt(life_world_t *w, const char *line, int failing)
{
    w->events = 0;
    atomic_store(&allocations, 0);
    atomic_store(&fails_at, failing);
    request_t r = begin_request(w, line);
    bool ended = sees_the_end(&r);
    bool left = has_left(w);
    int n = atomic_load(&allocations);
    atomic_store(&fails_at, 0);
    assert_true(ended);
    assert_true(left);
    end_request(&r);
    return n;
}

static void fail_each(life_world_t *w, const char *line)
{
    w->script = ask_and_tell;
    int whole = attempt(w, line, 0);
    assert_in_range(whole, 5, 1000);
    for (int i = 1; i <= whole + 5; i++)
        attempt(w, line, i);
    assert_in_range(attempt(w, line, 0), 5, 1000); /* and all is well again */
    assert_string_equal(w->reasons[0],
                        strstr(line, "inputRe") || !strstr(line, "2026") ? "ok" : "input_required");
}

static void test_memory_ends_in_the_handshake_era(void **state)
{
    fail_each(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
                      "\"name\":\"t\",\"_meta\":{\"progressToken\":1}}}");
}

#define STATELESS                                                                                  \
    "\"_meta\":{\"progressToken\":1,\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","   \
    "\"io.modelcontextprotocol/logLevel\":\"debug\","                                              \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{},\"roots\":{},"             \
    "\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}}}}"
#define ANSWERS                                                                                    \
    "\"inputResponses\":{\"f\":{\"action\":\"accept\",\"content\":{}},\"r\":{\"roots\":["          \
    "{\"uri\":\"file:///a\"}]}},"

static void test_memory_ends_in_the_stateless_era(void **state)
{
    fail_each(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
                      "\"name\":\"t\"," STATELESS);
    fail_each(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
                      "\"name\":\"t\"," ANSWERS STATELESS);
}

static void test_memory_ends_in_a_task(void **state)
{
    fail_each(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
                      "\"name\":\"job\"," ANSWERS STATELESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_memory_ends_in_the_handshake_era),
        LIFE_TEST(test_memory_ends_in_the_stateless_era),
        LIFE_TEST(test_memory_ends_in_a_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
