/* How much one subject may have under way, and for how long. */
#include "mcp_server/shares.h"

#include "core/limits.h"
#include "mcp_server/rates.h"
#include "mcp_server/life_test_world.h"

#include <sched.h>

static void shares_are_taken_and_given_back(void **state)
{
    life_world_t *w = *state;
    const mcp_principal_t alice = {STR("i"), STR("a"), STR("c")},
                          other = {STR("ia"), STR(""), STR("c")};
    mcp_shares_t *s = mcp_shares_new(random_fake(&w->random));
    mcp_part_t all = {.calls = MCP_CALLS_PER_SUBJECT, .bytes = 1}, one = {.calls = 1},
               his = {.calls = 1};
    assert_int_equal(mcp_share_take(s, &alice, &all), RC_OK);
    assert_int_equal(mcp_share_take(s, &alice, &one), RC_BUSY);
    assert_int_equal(mcp_share_take(s, &other, &his), RC_OK);
    assert_int_equal(mcp_shares_count(s), 2);
    mcp_share_give(s, &one); /* nothing */
    mcp_share_give(s, &all);
    mcp_share_give(s, &all);
    assert_int_equal(mcp_shares_count(s), 1);
    assert_int_equal(mcp_share_take(s, &alice, &one), RC_OK);
    mcp_share_give(s, &one);
    mcp_share_give(s, &his);
    assert_int_equal(mcp_shares_count(s), 0);
    mcp_shares_free(s);
}

static void too_many_bytes(void **state)
{
    life_world_t *w = *state;
    const mcp_principal_t alice = {STR("i"), STR("a"), STR("c")};
    mcp_shares_t *s = mcp_shares_new(random_fake(&w->random));
    mcp_part_t most = {.bytes = MCP_CALL_BYTES_PER_SUBJECT}, more = {.bytes = 1},
               beyond = {.bytes = (size_t)MCP_CALL_BYTES_PER_SUBJECT + 1};
    assert_int_equal(mcp_share_take(s, &alice, &beyond), RC_BUSY);
    assert_int_equal(mcp_shares_count(s), 0);
    assert_int_equal(mcp_share_take(s, &alice, &most), RC_OK);
    assert_int_equal(mcp_share_take(s, &alice, &more), RC_BUSY);
    mcp_share_give(s, &most);
    assert_int_equal(mcp_share_take(s, &alice, &more), RC_OK);
    mcp_share_give(s, &more);
    mcp_shares_free(s);
}

static warder_mcp_next_t ask(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    if (!warder_mcp_elicit(call, "f", "?", "{\"type\":\"object\",\"properties\":{}}"))
        return WARDER_MCP_ASK;
    warder_mcp_text(call, "answered");
    return WARDER_MCP_DONE;
}

static asked_t ask_and_wait(life_world_t *w)
{
    asked_t q = life_call(w, HAND, "quick", "");
    if (q.verdict.kind == MCP_RUNNING)
        life_until(&q, MCP_CALL_WAITING);
    return q;
}

static mcp_error_t try(life_world_t *w)
{
    asked_t q = ask_and_wait(w);
    mcp_error_t e = q.verdict.error;
    mcp_call_cancel(q.call);
    life_end_ask(&q);
    return e;
}

/* Calls that wait for their client cost no thread, but memory. */
static void too_many_open_calls(void **state)
{
    life_world_t *w = *state;
    static asked_t open[MCP_CALLS_PER_SUBJECT];
    w->script = ask;
    for (size_t i = 0; i < MCP_CALLS_PER_SUBJECT; i++) {
        open[i] = ask_and_wait(w);
        assert_int_equal(open[i].verdict.kind, MCP_RUNNING);
    }
    assert_int_equal(try(w), MCP_ERROR_TOO_MANY_OPEN);
    w->who.client = STR("c2"); /* who registers another one has no more for it */
    assert_int_equal(try(w), MCP_ERROR_TOO_MANY_OPEN);
    w->who.client = STR("c1");
    w->who.subject = STR("bob");
    assert_int_equal(try(w), MCP_NO_ERROR);
    w->who.subject = STR("alice");
    mcp_call_cancel(open[0].call);
    assert_int_equal(try(w), MCP_NO_ERROR);
    for (size_t i = 0; i < MCP_CALLS_PER_SUBJECT; i++) {
        mcp_call_cancel(open[i].call);
        life_end_ask(&open[i]);
    }
    assert_int_equal(mcp_shares_count(w->m->shares), 0);
    assert_int_equal(try(w), MCP_NO_ERROR);
}

/* A small message can be a large tree, and what waits keeps it. */
static void too_many_open_bytes(void **state)
{
    life_world_t *w = *state;
    enum { ZEROS = 18000, MOST = 64 };
    static asked_t open[MOST];
    buf_t b = buf_new(w->a, 1 << 20);
    size_t n = 0;
    buf_put(&b, STR(",\"arguments\":{\"v\":[0"));
    for (int i = 0; i < ZEROS; i++)
        buf_put(&b, STR(",0"));
    buf_put(&b, STR("]}"));
    buf_char(&b, '\0');
    w->script = ask;
    for (; n < MOST; n++) {
        open[n] = life_call(w, HAND, "quick", b.p);
        if (open[n].verdict.kind != MCP_RUNNING)
            break;
    }
    assert_in_range(n, 4, MOST - 1);
    assert_int_equal(open[n].verdict.error, MCP_ERROR_TOO_MANY_OPEN);
    for (size_t i = 0; i <= n; i++) {
        mcp_call_cancel(open[i].call);
        life_end_ask(&open[i]);
    }
    assert_int_equal(mcp_shares_count(w->m->shares), 0);
    assert_int_equal(try(w), MCP_NO_ERROR);
}

static void what_is_refused_takes_nothing(void **state)
{
    life_world_t *w = *state;
    w->script = ask;
    asked_t first = life_call(w, HAND, "quick", "");
    w->id--; /* the same id once more */
    asked_t twin = life_call(w, HAND, "quick", "");
    assert_int_equal(twin.verdict.error, MCP_ERROR_DUPLICATE_ID);
    mcp_call_cancel(first.call);
    life_end_ask(&first);
    life_end_ask(&twin);
    assert_int_equal(mcp_shares_count(w->m->shares), 0);
}

static void unanswered(void **state)
{
    life_world_t *w = *state;
    w->script = ask;
    asked_t q = ask_and_wait(w);
    assert_true(life_next(&q)); /* the question */
    w->clock.ms += MCP_WAIT_MS - 1;
    mcp_server_tick(w->m);
    assert_true(life_is_quiet(&q));
    w->clock.ms += 1;
    mcp_server_tick(w->m);
    assert_true(life_next(&q));
    assert_text(life_text(&q, "error.message"),
                "The client did not answer what it was asked in time.");
    assert_string_equal(life_reason(w, 1), "unanswered");
    mcp_call_answered(q.call, STR("f"), NULL); /* too late */
    life_end_ask(&q);
    assert_int_equal(mcp_shares_count(w->m->shares), 0);
}

static void many_unanswered_end_at_once(void **state)
{
    life_world_t *w = *state;
    static asked_t open[MCP_CALLS_PER_SUBJECT];
    w->script = ask;
    for (size_t i = 0; i < MCP_CALLS_PER_SUBJECT; i++)
        open[i] = ask_and_wait(w);
    w->clock.ms += MCP_WAIT_MS;
    mcp_server_tick(w->m);
    assert_int_equal(mcp_shares_count(w->m->shares), 0);
    for (size_t i = 0; i < MCP_CALLS_PER_SUBJECT; i++)
        life_end_ask(&open[i]);
}

/* Of a message of 40 KB the client needs 2 MB here, each time that it answers what does not fit. */
static warder_mcp_next_t ask_roots(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    if (!warder_mcp_roots(call, "r"))
        return WARDER_MCP_ASK;
    warder_mcp_text(call, "answered");
    return WARDER_MCP_DONE;
}

static const json_t *large_tree(arena_t *a)
{
    enum { ZEROS = 18000 };
    const json_t *v = NULL;
    buf_t b = buf_new(a, 1 << 20);
    buf_put(&b, STR("{\"v\":[0"));
    for (int i = 0; i < ZEROS; i++)
        buf_put(&b, STR(",0"));
    buf_put(&b, STR("]}"));
    assert_int_equal(json_parse(a, buf_str(&b), NULL, &v), RC_OK);
    return v;
}

static void answers_count_as_what_they_need_here(void **state)
{
    life_world_t *w = *state;
    const json_t *answer = large_tree(w->a);
    int rounds = 0;
    w->script = ask_roots;
    asked_t q = life_call(w, HAND, "t", "");
    while (life_next(&q) && q.out.kind != MCP_OUT_ANSWER) {
        life_until(&q, MCP_CALL_WAITING);
        mcp_call_answered(q.call, STR("r"), answer);
        rounds++;
    }
    assert_in_range(rounds, 1, MCP_ROUNDS / 2);
    assert_string_equal(life_reason(w, 1), "internal_error");
    life_end_ask(&q);
}

static void too_many_watched_bytes(void **state)
{
    life_world_t *w = *state;
    enum { URI = 8000 };
    char uri[URI];
    size_t n = 0;
    memset(uri, 'u', sizeof uri);
    for (rc_t rc = RC_OK; rc == RC_OK; n++) {
        uri[0] = (char)('a' + n % 26);
        uri[1] = (char)('a' + n / 26);
        rc = mcp_session_watch(w->session, str_of(uri, sizeof uri));
        assert_true(rc == RC_OK || rc == RC_LIMIT);
    }
    assert_in_range(n, 2, MCP_WATCHED_BYTES / URI + 1);
    assert_int_equal(mcp_session_watch(w->session, STR("test://a")), RC_OK);
    uri[0] = uri[1] = 'a';
    assert_int_equal(mcp_session_watch(w->session, str_of(uri, sizeof uri)), RC_OK); /* again */
    mcp_session_unwatch(w->session, str_of(uri, sizeof uri));
    assert_int_equal(mcp_session_watch(w->session, str_of(uri, sizeof uri)), RC_OK);
}

/* What runs no function costs, too. */
static void too_many_requests(void **state)
{
    life_world_t *w = *state;
    mcp_verdict_t v = {.kind = MCP_ANSWERED};
    for (int i = 0; i < LIMIT_MCP_CALLS_PER_MINUTE * MCP_REQUESTS_A_CALL; i++) {
        v = life_tell(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
        assert_int_equal(v.error, MCP_NO_ERROR);
    }
    v = life_tell(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
    assert_int_equal(v.error, MCP_ERROR_TOO_MANY_REQUESTS);
    assert_in_range(v.retry_after_s, 1, 60);
    w->who.client = STR("c2");
    v = life_tell(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
    assert_int_equal(v.error, MCP_NO_ERROR);
    w->who.client = STR("c1");
    asked_t q = life_call(w, HAND, "t", ""); /* calls are counted apart */
    assert_true(life_next(&q));
    life_end_ask(&q);
    w->clock.ms += 60000;
    v = life_tell(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
    assert_int_equal(v.error, MCP_NO_ERROR);
}

/* Who takes a thread, in the order in which they do. */
typedef struct {
    pthread_mutex_t lock;
    char who[8];
    size_t n;
    atomic_bool go_on;
    atomic_uint begun;
} order_t;

static warder_mcp_next_t take_a_thread(warder_mcp_call_t *call, void *ctx)
{
    const life_world_t *w = ctx;
    order_t *order = w->note;
    pthread_mutex_lock(&order->lock);
    order->who[order->n++] = warder_mcp_subject(call)[0];
    pthread_mutex_unlock(&order->lock);
    atomic_fetch_add(&order->begun, 1);
    while (!atomic_load(&order->go_on))
        warder_mcp_sleep(call, 1);
    warder_mcp_text(call, "done");
    return WARDER_MCP_DONE;
}

/* Whoever waits for a thread waits for one call of each subject at most, not for all of one. */
static void subjects_take_turns(void **state)
{
    enum { THREADS = 2, CALLS = 6 };
    life_world_t *w = *state;
    order_t order = {.n = 0};
    asked_t q[CALLS];
    pthread_mutex_init(&order.lock, NULL);
    w->note = &order;
    w->script = take_a_thread;
    for (size_t i = 0; i < CALLS; i++) {
        w->who.subject = i + 1 < CALLS ? STR("alice") : STR("bob");
        q[i] = life_call(w, HAND, "t", "");
        assert_int_equal(q[i].verdict.kind, MCP_RUNNING);
        while (i < THREADS && atomic_load(&order.begun) <= i)
            sched_yield();
    }
    atomic_store(&order.go_on, true);
    for (size_t i = 0; i < CALLS; i++) {
        assert_true(life_next(&q[i]));
        life_end_ask(&q[i]);
    }
    const char *bob = memchr(order.who, 'b', order.n);
    assert_int_equal(order.n, CALLS);
    assert_non_null(bob);
    assert_in_range(bob - order.who, THREADS, THREADS + 2); /* the last of all would be one more */
    pthread_mutex_destroy(&order.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(shares_are_taken_and_given_back),
        LIFE_TEST(too_many_bytes),
        LIFE_TEST(too_many_open_calls),
        LIFE_TEST(too_many_open_bytes),
        LIFE_TEST(what_is_refused_takes_nothing),
        LIFE_TEST(unanswered),
        LIFE_TEST(many_unanswered_end_at_once),
        LIFE_TEST(answers_count_as_what_they_need_here),
        LIFE_TEST(too_many_watched_bytes),
        LIFE_TEST(too_many_requests),
        LIFE_TEST(subjects_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
