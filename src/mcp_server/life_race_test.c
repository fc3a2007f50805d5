/* Many calls at once, which ask, are answered twice, are cancelled, put off and finished on other
 * threads, while sessions and the server end: each comes to one end. For ThreadSanitizer, too. */
#include "mcp_server/life_test_world.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CLIENTS = 4, ROUNDS = 60, PUT_OFF = 64 };

/* Calls that were put off, for the thread that finishes them. */
typedef struct {
    pthread_mutex_t lock;
    warder_mcp_call_t *v[PUT_OFF];
    size_t n;
    atomic_bool over;
    atomic_uint written, began;
} desk_t;

static desk_t desk;

static void count_event(void *ctx, post_port_t back, const audit_event_t *e,
                        void (*done)(void *arg, bool durable), void *arg)
{
    (void)ctx;
    (void)back;
    (void)e;
    atomic_fetch_add(&desk.written, 1);
    done(arg, true);
}

static bool leave_on_desk(warder_mcp_call_t *call)
{
    pthread_mutex_lock(&desk.lock);
    bool room = desk.n < PUT_OFF && !atomic_load(&desk.over);
    if (room)
        desk.v[desk.n++] = call;
    pthread_mutex_unlock(&desk.lock);
    return room;
}

static void *finish_all(void *arg)
{
    (void)arg;
    for (;;) {
        bool over = atomic_load(&desk.over);
        pthread_mutex_lock(&desk.lock);
        warder_mcp_call_t *call = desk.n > 0 ? desk.v[--desk.n] : NULL;
        pthread_mutex_unlock(&desk.lock);
        if (call)
            warder_mcp_finish(call, WARDER_MCP_DONE);
        else if (over)
            return NULL;
        else
            sched_yield();
    }
}

static warder_mcp_next_t do_something(warder_mcp_call_t *call, void *ctx)
{
    int64_t what = 0;
    (void)ctx;
    warder_mcp_integer(call, "what", &what);
    warder_mcp_progress(call, 1, 0, NULL);
    bool roots = what % 2 == 0 && warder_mcp_roots(call, "r");
    bool more = what % 4 == 0 && warder_mcp_roots(call, "s");
    if ((what % 2 == 0 && !roots) || (what % 4 == 0 && !more))
        return WARDER_MCP_ASK;
    if (what % 3 == 0 && leave_on_desk(call))
        return WARDER_MCP_LATER;
    warder_mcp_sleep(call, what % 5 == 0 ? 1 : 0);
    warder_mcp_text(call, "done");
    return WARDER_MCP_DONE;
}

/* A client with a loop and a session of its own. */
typedef struct {
    life_world_t *w;
    mcp_session_t *session;
    test_loop_t loop;
    unsigned id;
    bool ended;
} client_t;

static void wake_nobody(void *ctx)
{
    (void)ctx;
}

static mcp_verdict_kind_t hand_in(client_t *c, warder_mcp_call_t *call, mcp_outbox_t *o,
                                  const char *line)
{
    rc_t rc;
    arena_t *a = mcp_call_arena(call);
    mcp_operation_t *op = ARENA_NEW(a, mcp_operation_t);
    mcp_error_t e = mcp_operation_read_line(a, arena_dup(a, str_c(line)), op, &rc);
    if (e != MCP_NO_ERROR)
        abort();
    const mcp_incoming_t in = {.operation = op,
                               .who = c->w->who,
                               .session = c->session,
                               .outbox = o,
                               .back = test_loop_port(&c->loop)};
    return mcp_server_handle(call, &in).kind;
}

static void tell(client_t *c, const char *line)
{
    warder_mcp_call_t *call = mcp_call_new(c->w->m);
    mcp_outbox_t *o = mcp_outbox_new(false);
    hand_in(c, call, o, line);
    mcp_outbox_drop(o);
    mcp_call_drop(call);
}

static void answer(client_t *c, const mcp_out_t *out)
{
    char text[512], line[256];
    int id = 0;
    snprintf(text, sizeof text, "%" PRIstr, STR_ARG(out->text));
    const char *at = strstr(text, "\"id\":");
    if (!at || sscanf(at, "\"id\":%d", &id) != 1)
        return;
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"roots\":[]}}", id);
    tell(c, line);
    tell(c, line);
}

static void one_call(client_t *c, unsigned what)
{
    char line[256];
    mcp_out_t out = {.kind = MCP_OUT_MESSAGE};
    mcp_reader_t *reader;
    warder_mcp_call_t *call = mcp_call_new(c->w->m);
    mcp_outbox_t *o = mcp_outbox_new(true);
    const mcp_reading_t how = {test_loop_port(&c->loop), wake_nobody, NULL, 0};
    if (mcp_outbox_attach(o, &how, &reader) != RC_OK)
        abort();
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
             "\"arguments\":{\"what\":%u},\"_meta\":{\"progressToken\":1}}}",
             ++c->id, what % 6 == 1 ? "quick" : "t", what);
    bool runs = hand_in(c, call, o, line) == MCP_RUNNING;
    if (runs)
        atomic_fetch_add(&desk.began, 1);
    for (unsigned turn = 0; runs && out.kind != MCP_OUT_ANSWER; turn++) {
        test_loop_run(&c->loop);
        if (what % 7 == 3 && turn == what % 11) {
            snprintf(line, sizeof line,
                     "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
                     "\"requestId\":%u}}",
                     c->id);
            tell(c, line);
        }
        if (mcp_reader_take(reader, &out) && out.kind == MCP_OUT_MESSAGE)
            answer(c, &out);
        else
            sched_yield();
    }
    mcp_reader_detach(reader);
    mcp_outbox_drop(o);
    mcp_call_drop(call);
    test_loop_run(&c->loop);
}

static void *be_client(void *arg)
{
    client_t *c = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        one_call(c, i);
        if (c->ended && i == ROUNDS / 2)
            mcp_session_end(c->session);
    }
    return NULL;
}

typedef struct {
    client_t clients[CLIENTS];
    pthread_t threads[CLIENTS], finisher;
} crowd_t;

static void come(crowd_t *all, life_world_t *w, bool sessions_end)
{
    const mcp_version_t *v = mcp_version_find(mcp_versions(), STR("2025-11-25"));
    desk = (desk_t){.n = 0};
    pthread_mutex_init(&desk.lock, NULL);
    w->m->world.audit.record = count_event;
    w->script = do_something;
    pthread_create(&all->finisher, NULL, finish_all, NULL);
    for (unsigned i = 0; i < CLIENTS; i++) {
        client_t *c = &all->clients[i];
        *c = (client_t){.w = w, .ended = sessions_end && i % 2 == 1};
        test_loop_init(&c->loop);
        c->session = mcp_session_local(clock_system());
        assert_int_equal(mcp_session_begin(c->session, v, STR("{\"roots\":{}}")), RC_OK);
        pthread_create(&all->threads[i], NULL, be_client, c);
    }
}

static void leave(crowd_t *all)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(all->threads[i], NULL);
    atomic_store(&desk.over, true);
    pthread_join(all->finisher, NULL);
    for (unsigned i = 0; i < CLIENTS; i++) {
        mcp_session_end(all->clients[i].session);
        mcp_session_drop(all->clients[i].session);
    }
}

static void test_each_call_comes_to_one_end(void **state)
{
    static crowd_t all;
    life_world_t *w = *state;
    come(&all, w, true);
    leave(&all);
    assert_true(mcp_calls_stop(w->m));
    assert_int_equal(atomic_load(&desk.written), atomic_load(&desk.began));
    assert_true(atomic_load(&desk.began) > CLIENTS * ROUNDS / 2);
}

/* The server ends in the middle of it. */
static void test_the_server_ends_under_way(void **state)
{
    static const struct timespec SHORT = {0, 20000000};
    static crowd_t all;
    life_world_t *w = *state;
    come(&all, w, false);
    nanosleep(&SHORT, NULL);
    assert_true(mcp_calls_stop(w->m));
    leave(&all);
    assert_int_equal(atomic_load(&desk.written), atomic_load(&desk.began));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_each_call_comes_to_one_end),
        LIFE_TEST(test_the_server_ends_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
