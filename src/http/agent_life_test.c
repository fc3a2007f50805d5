/* How calls of an agent end: when, how often, on whose word, and what is left of them. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/core_test_util.h"
#include "core/ports.h"
#include "http/http_test_peer.h"

enum { LARGE = 24 << 20, BLOCK = 65536, THREADS = 6, EACH = 30 };

static test_peer_t *peer;
static http_agent_t *agent;

static void fill(char block[BLOCK], size_t from)
{
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = (char)((from + i) * 2654435761u >> 13);
}

static bool say_large(test_visit_t *v, size_t n)
{
    char block[BLOCK], head[128];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
    bool is_there = test_visit_says(v, head);
    atomic_store(&v->peer->sent, 0);
    for (size_t at = 0; is_there && at < n; at += BLOCK) {
        fill(block, at);
        is_there = test_visit_say(v, str_of(block, BLOCK));
    }
    return is_there;
}

static bool play(test_visit_t *v)
{
    static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    if (str_eq(v->path, STR("/large")))
        return say_large(v, LARGE);
    if (str_eq(v->path, STR("/some")))
        return say_large(v, 4 * BLOCK);
    if (str_eq(v->path, STR("/silent")))
        test_visit_wait_gone(v);
    if (str_eq(v->path, STR("/stream")) &&
        test_visit_says(v, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"))
        test_visit_wait_gone(v);
    if (str_eq(v->path, STR("/once")) && v->nth > 0)
        return false;
    bool is_short = str_eq(v->path, STR("/ok")) || str_eq(v->path, STR("/once"));
    return is_short && test_visit_says(v, OK);
}

static int set_up(void **state)
{
    peer = test_peer_start(play, NULL);
    agent = test_agent_start();
    return test_arena_setup(state);
}

static int tear_down(void **state)
{
    http_agent_free(agent);
    test_peer_stop(peer);
    return test_arena_teardown(state);
}

static http_agent_request_t get(arena_t *a, const char *path)
{
    http_agent_request_t r = test_get(a, peer, path);
    r.max_body = SIZE_MAX;
    return r;
}

static uint64_t hash_of(size_t n)
{
    char block[BLOCK];
    uint64_t hash = 0;
    for (size_t at = 0; at < n; at += BLOCK) {
        fill(block, at);
        hash = test_hash(hash, str_of(block, BLOCK));
    }
    return hash;
}

typedef struct {
    size_t sent;
    int64_t since;
} calm_t;

/* Nothing has been sent for 100 ms. */
static bool is_calm(void *ctx)
{
    calm_t *calm = ctx;
    size_t sent = atomic_load(&peer->sent);
    int64_t now = clock_micros();
    if (sent != calm->sent)
        *calm = (calm_t){sent, now};
    return now - calm->since > 100000;
}

/* What is not taken stays with the server but for what sockets hold. */
static void a_large_body_waits_for_its_reader(void **state)
{
    test_heard_t h;
    http_agent_request_t r = get(*state, "/large");
    calm_t calm = {SIZE_MAX, 0};
    test_heard_init(&h, agent);
    h.pause_at = 100000;
    test_heard_start(&h, &r);
    test_heard_wait_refused(&h, 1);
    assert_true(test_until(is_calm, &calm));
    assert_true(calm.sent < LARGE / 2);
    for (unsigned i = 1; i < 20; i++) {
        test_heard_pause_at(&h, i * 300000);
        http_agent_resume(agent, h.call);
        test_heard_wait_refused(&h, i + 1);
    }
    test_heard_pause_at(&h, SIZE_MAX);
    http_agent_resume(agent, h.call);
    test_heard_wait_end(&h);
    assert_int_equal(h.end, HTTP_AGENT_DONE);
    assert_int_equal(h.body_n, LARGE);
    assert_true(h.hash == hash_of(LARGE));
    assert_int_equal(h.heads, 1);
    test_heard_end(&h);
}

static bool is_past(void *ctx)
{
    return clock_micros() > *(int64_t *)ctx;
}

static void time_does_not_run_while_paused(void **state)
{
    test_heard_t h;
    http_agent_request_t r = get(*state, "/some");
    r.total_ms = r.head_ms = 2000;
    test_heard_init(&h, agent);
    h.pause_at = 1;
    test_heard_start(&h, &r);
    test_heard_wait_refused(&h, 1);
    int64_t past = clock_micros() + 2500000;
    assert_true(test_until(is_past, &past));
    assert_int_equal(h.ends, 0);
    test_heard_pause_at(&h, SIZE_MAX);
    http_agent_resume(agent, h.call);
    test_heard_wait_end(&h);
    assert_int_equal(h.end, HTTP_AGENT_DONE);
    assert_true(h.hash == hash_of(4 * BLOCK));
    test_heard_end(&h);
}

/* And runs on afterwards. */
static void time_runs_again_after_a_pause(void **state)
{
    test_heard_t h;
    http_agent_request_t r = get(*state, "/stream");
    r.total_ms = 2000;
    test_heard_init(&h, agent);
    h.pause_at = 0;
    test_heard_start(&h, &r);
    test_heard_wait_refused(&h, 1);
    test_heard_pause_at(&h, SIZE_MAX);
    http_agent_resume(agent, h.call);
    test_heard_wait_end(&h);
    assert_int_equal(h.end, HTTP_AGENT_TIMEOUT);
    assert_int_equal(h.body_n, 9);
    test_heard_end(&h);
}

static void resume_of_what_is_not_paused_does_nothing(void **state)
{
    test_heard_t h;
    http_agent_request_t r = get(*state, "/some");
    test_heard_init(&h, agent);
    test_heard_start(&h, &r);
    http_agent_resume(agent, h.call);
    http_agent_resume(agent, h.call + 1000);
    test_heard_wait_end(&h);
    http_agent_resume(agent, h.call);
    assert_int_equal(h.end, HTTP_AGENT_DONE);
    assert_int_equal(h.body_n, 4 * BLOCK);
    test_heard_end(&h);
}

static void assert_cancelled(test_heard_t *h)
{
    test_heard_wait_end(h);
    http_agent_cancel(agent, h->call); /* there is nothing left to cancel */
    assert_int_equal(h->end, HTTP_AGENT_CANCELLED);
    assert_int_equal(h->ends, 1);
    test_heard_end(h);
}

static bool has_asked(void *ctx)
{
    return atomic_load(&peer->requests) > *(unsigned *)ctx;
}

static void a_call_is_cancelled_in_any_state(void **state)
{
    test_heard_t h;
    http_agent_request_t silent = get(*state, "/silent"), stream = get(*state, "/stream");
    test_heard_init(&h, agent);
    test_heard_start(&h, &silent);
    http_agent_cancel(agent, h.call); /* hardly begun */
    assert_cancelled(&h);

    unsigned before = atomic_load(&peer->requests);
    test_heard_init(&h, agent);
    test_heard_start(&h, &silent);
    assert_true(test_until(has_asked, &before));
    http_agent_cancel(agent, h.call); /* sent */
    assert_cancelled(&h);

    test_heard_init(&h, agent);
    test_heard_start(&h, &stream);
    test_heard_wait_body(&h, 9);
    http_agent_cancel(agent, h.call); /* in the body */
    http_agent_cancel(agent, h.call);
    assert_cancelled(&h);

    test_heard_init(&h, agent);
    h.pause_at = 0;
    test_heard_start(&h, &stream);
    test_heard_wait_refused(&h, 1);
    http_agent_resume(agent, h.call);
    http_agent_cancel(agent, h.call); /* paused */
    assert_cancelled(&h);
}

static void cancel_itself(void *heard)
{
    test_heard_t *h = heard;
    http_agent_cancel(h->agent, h->call);
}

/* Also if the whole answer has come meanwhile. */
static void a_call_is_cancelled_from_its_events(void **state)
{
    test_heard_t h;
    http_agent_request_t r = get(*state, "/ok");
    test_heard_init(&h, agent);
    h.on_head = cancel_itself;
    test_heard_start(&h, &r);
    assert_cancelled(&h);
    test_heard_init(&h, agent);
    h.on_data = cancel_itself;
    test_heard_start(&h, &r);
    assert_cancelled(&h);
    test_heard_init(&h, agent);
    h.on_end = cancel_itself;
    test_heard_start(&h, &r);
    test_heard_wait_end(&h);
    assert_int_equal(h.end, HTTP_AGENT_DONE);
    test_heard_end(&h);
}

static test_heard_t second;
static http_agent_request_t second_request;

static void start_second(void *heard)
{
    test_heard_t *h = heard;
    if (http_agent_start(h->agent, &second_request, test_heard_events(&second), &second.call) !=
        RC_OK)
        second.status = -1;
}

static void a_call_starts_from_an_event(void **state)
{
    test_heard_t h;
    second_request = get(*state, "/ok");
    for (int i = 0; i < 3; i++) {
        test_heard_init(&h, agent);
        test_heard_init(&second, agent);
        h.on_head = i == 0 ? start_second : NULL;
        h.on_data = i == 1 ? start_second : NULL;
        h.on_end = i == 2 ? start_second : NULL;
        test_heard_start(&h, &second_request);
        test_heard_wait_end(&h);
        test_heard_wait_end(&second);
        assert_int_equal(second.status, 200);
        test_heard_end(&h);
        test_heard_end(&second);
    }
}

/* Threads that have ended are still there for a moment. */
static bool has_few_tasks(void *ctx)
{
    return test_entries("/proc/self/task") <= *(unsigned *)ctx;
}

static void an_agent_ends_with_open_calls(void **state)
{
    static const char *const PATHS[] = {"/silent", "/stream", "/silent", "/stream", "/ok"};
    test_heard_t heard[ROWS(PATHS)];
    test_peer_t *own = test_peer_start(play, NULL);
    unsigned tasks = test_entries("/proc/self/task"), files = test_entries("/proc/self/fd");
    http_agent_t *mine = test_agent_start();
    for (size_t i = 0; i < ROWS(PATHS); i++) {
        http_agent_request_t r = test_get(*state, own, PATHS[i]);
        test_heard_init(&heard[i], mine);
        heard[i].pause_at = i == 1 ? 0 : SIZE_MAX;
        heard[i].on_end = i == 0 ? start_second : NULL; /* which is too late */
        test_heard_start(&heard[i], &r);
    }
    test_heard_init(&second, mine);
    second_request = test_get(*state, own, "/ok");
    test_heard_wait_refused(&heard[1], 1);
    test_heard_wait_body(&heard[3], 9);
    http_agent_free(mine);
    for (size_t i = 0; i < ROWS(PATHS); i++) {
        assert_int_equal(heard[i].ends, 1);
        if (i < 4)
            assert_int_equal(heard[i].end, HTTP_AGENT_CANCELLED);
        test_heard_end(&heard[i]);
    }
    assert_int_equal(second.status, -1);
    assert_int_equal(second.ends, 0);
    test_heard_end(&second);
    test_peer_stop(own);
    tasks--; /* the peer's */
    assert_true(test_until(has_few_tasks, &tasks));
    assert_int_equal(test_entries("/proc/self/fd"), files - 1);
    http_agent_free(NULL);
}

/* A kept connection that ends without an answer: what was asked may have been done. */
static void a_request_that_may_not_be_repeated_is_sent_once(void **state)
{
    http_agent_request_t r = get(*state, "/once");
    r.method = STR("POST");
    r.body = STR("a=b");
    assert_int_equal(test_agent_ask(agent, *state, r).status, 200);
    unsigned before = atomic_load(&peer->requests);
    http_answer_t answer = test_agent_ask(agent, *state, r);
    assert_int_equal(answer.end, HTTP_AGENT_BROKEN);
    assert_str(answer.why, STR("the connection ended before an answer came"));
    assert_int_equal(atomic_load(&peer->requests), before + 1);
    /* The next one is on a connection of its own. */
    assert_int_equal(test_agent_ask(agent, *state, r).status, 200);
    /* And what may be repeated, is. */
    r.method = STR("GET");
    r.body = STR_UNSET;
    assert_int_equal(test_agent_ask(agent, *state, r).status, 200);
    assert_int_equal(atomic_load(&peer->requests), before + 4);
}

typedef struct {
    pthread_t thread;
    unsigned good, cancelled;
} asker_t;

static void *ask_often(void *arg)
{
    asker_t *asker = arg;
    arena_t *a = arena_new(1 << 20);
    for (int i = 0; a && i < EACH; i++) {
        http_answer_t out;
        http_ask_port_t port = http_agent_ask(agent);
        http_agent_request_t r = test_get(a, peer, "/ok");
        bool is_good = port.ask(port.ctx, a, &r, &out) == RC_OK && out.status == 200 &&
                       str_eq(out.body, STR("ok"));
        asker->good += is_good;
    }
    arena_free(a);
    return NULL;
}

/* Cancels while the call ends by itself. */
static void *cancel_often(void *arg)
{
    asker_t *asker = arg;
    arena_t *a = arena_new(1 << 20);
    for (int i = 0; a && i < EACH; i++) {
        test_heard_t h;
        http_agent_request_t r = test_get(a, peer, "/ok");
        test_heard_init(&h, agent);
        test_heard_start(&h, &r);
        if (i % 3)
            test_heard_wait_body(&h, i % 3 == 1 ? 0 : 2);
        http_agent_resume(agent, h.call);
        http_agent_cancel(agent, h.call);
        test_heard_wait_end(&h);
        asker->good += h.ends == 1;
        asker->cancelled += h.end == HTTP_AGENT_CANCELLED;
        test_heard_end(&h);
    }
    arena_free(a);
    return NULL;
}

static void many_threads_ask_at_once(void **state)
{
    asker_t askers[THREADS] = {0};
    test_heard_t h;
    http_agent_request_t r = get(*state, "/stream");
    unsigned cancelled = 0;
    test_heard_init(&h, agent);
    test_heard_start(&h, &r);
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&askers[i].thread, NULL, i % 2 ? cancel_often : ask_often, &askers[i]);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].good, EACH);
        cancelled += askers[i].cancelled;
    }
    assert_true(cancelled > 0);
    assert_int_equal(h.ends, 0); /* a stream stays open meanwhile */
    http_agent_cancel(agent, h.call);
    assert_cancelled(&h);
}

#define LIFE_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(a_large_body_waits_for_its_reader),
        LIFE_TEST(time_does_not_run_while_paused),
        LIFE_TEST(time_runs_again_after_a_pause),
        LIFE_TEST(resume_of_what_is_not_paused_does_nothing),
        LIFE_TEST(a_call_is_cancelled_in_any_state),
        LIFE_TEST(a_call_is_cancelled_from_its_events),
        LIFE_TEST(a_call_starts_from_an_event),
        LIFE_TEST(an_agent_ends_with_open_calls),
        LIFE_TEST(a_request_that_may_not_be_repeated_is_sent_once),
        LIFE_TEST(many_threads_ask_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
