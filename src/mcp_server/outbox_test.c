#include "mcp_server/outbox.h"

#include "core/core_test_util.h"
#include "mcp_server/loop_test_util.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* A reader that counts its wakes. */
typedef struct {
    test_loop_t loop;
    mcp_reader_t *reader;
    unsigned wakes;
} client_t;

static void on_wake(void *ctx)
{
    ((client_t *)ctx)->wakes++;
}

static rc_t attach(client_t *c, mcp_outbox_t *o, uint64_t after)
{
    test_loop_init(&c->loop);
    const mcp_reading_t how = {test_loop_port(&c->loop), on_wake, c, after};
    c->wakes = 0;
    return mcp_outbox_attach(o, &how, &c->reader);
}

static void come(client_t *c, mcp_outbox_t *o, uint64_t after)
{
    assert_int_equal(attach(c, o, after), RC_OK);
}

static void leave(client_t *c)
{
    mcp_reader_detach(c->reader);
    test_loop_run(&c->loop);
}

static rc_t put(mcp_outbox_t *o, mcp_out_kind_t kind, const char *text)
{
    return mcp_outbox_put(o, &(mcp_out_t){.kind = kind, .text = str_c(text), .status = 200});
}

static void say(mcp_outbox_t *o, const char *text)
{
    assert_int_equal(put(o, MCP_OUT_MESSAGE, text), RC_OK);
}

static void answer(mcp_outbox_t *o, const char *text)
{
    assert_int_equal(put(o, MCP_OUT_ANSWER, text), RC_OK);
}

static void takes(client_t *c, uint64_t number, const char *text)
{
    mcp_out_t out;
    assert_true(mcp_reader_take(c->reader, &out));
    assert_int_equal(out.number, number);
    assert_str(out.text, str_c(text));
}

static void takes_nothing(client_t *c)
{
    mcp_out_t out;
    assert_false(mcp_reader_take(c->reader, &out));
}

static void test_messages_come_out_in_order(void **state)
{
    client_t c;
    mcp_out_t out;
    mcp_outbox_t *o = mcp_outbox_new(false);
    (void)state;
    say(o, "a");
    come(&c, o, 0);
    say(o, "b");
    assert_int_equal(mcp_outbox_put(o, &(mcp_out_t){.kind = MCP_OUT_ANSWER,
                                                    .text = STR("c"),
                                                    .status = 403,
                                                    .needed = STR("news:read"),
                                                    .retry_after_s = 2}),
                     RC_OK);
    takes(&c, 1, "a");
    takes(&c, 2, "b");
    assert_true(mcp_reader_take(c.reader, &out));
    assert_int_equal(out.kind, MCP_OUT_ANSWER);
    assert_int_equal(out.status, 403);
    assert_int_equal(out.retry_after_s, 2);
    assert_str(out.needed, STR("news:read"));
    takes_nothing(&c);
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_a_reader_is_woken_for_what_waits(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(false);
    (void)state;
    say(o, "a");
    come(&c, o, 0);
    assert_int_equal(c.wakes, 0); /* never within the call */
    test_loop_run(&c.loop);
    assert_int_equal(c.wakes, 1);
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_one_wake_is_on_its_way_at_a_time(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(false);
    (void)state;
    come(&c, o, 0);
    say(o, "a");
    say(o, "b");
    test_loop_run(&c.loop);
    assert_int_equal(c.wakes, 1);
    say(o, "c"); /* whether or not the others were taken */
    test_loop_run(&c.loop);
    assert_int_equal(c.wakes, 2);
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_a_wake_that_found_a_full_queue_comes_with_the_next_put(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(false);
    (void)state;
    come(&c, o, 0);
    c.loop.full = true;
    say(o, "a");
    c.loop.full = false;
    say(o, "b");
    test_loop_run(&c.loop);
    assert_int_equal(c.wakes, 1);
    takes(&c, 1, "a");
    takes(&c, 2, "b");
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_a_reader_whose_loop_is_gone_is_not_woken(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    come(&c, o, 0);
    c.loop.gone = true;
    say(o, "a");
    leave(&c);
    assert_int_equal(c.wakes, 0);
    come(&c, o, 0);
    takes(&c, 1, "a");
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_no_wake_comes_after_detach(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(false);
    (void)state;
    come(&c, o, 0);
    say(o, "a");
    mcp_reader_detach(c.reader); /* its wake is in the queue */
    mcp_outbox_drop(o);
    test_loop_run(&c.loop);
    assert_int_equal(c.wakes, 0);
}

static void test_nothing_comes_behind_the_answer(void **state)
{
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    assert_false(mcp_outbox_ended(o));
    answer(o, "a");
    assert_true(mcp_outbox_ended(o));
    assert_int_equal(put(o, MCP_OUT_MESSAGE, "b"), RC_NOT_FOUND);
    assert_int_equal(put(o, MCP_OUT_ANSWER, "c"), RC_NOT_FOUND);
    mcp_outbox_drop(o);
}

static void test_an_end_without_an_answer_has_no_text(void **state)
{
    client_t c;
    mcp_out_t out;
    mcp_outbox_t *o = mcp_outbox_new(false);
    (void)state;
    come(&c, o, 0);
    mcp_outbox_end(o);
    mcp_outbox_end(o);
    test_loop_run(&c.loop);
    assert_int_equal(c.wakes, 1);
    assert_true(mcp_reader_take(c.reader, &out));
    assert_int_equal(out.kind, MCP_OUT_ANSWER);
    assert_false(str_is_set(out.text));
    takes_nothing(&c);
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_without_coming_back_a_stream_ends_with_its_reader(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(false);
    (void)state;
    come(&c, o, 0);
    leave(&c);
    assert_int_equal(put(o, MCP_OUT_MESSAGE, "a"), RC_NOT_FOUND);
    assert_int_equal(put(o, MCP_OUT_ANSWER, "b"), RC_OK);
    assert_true(mcp_outbox_ended(o));
    mcp_outbox_drop(o);
}

static void test_who_comes_back_gets_what_was_missed(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    come(&c, o, 0);
    say(o, "a");
    say(o, "b");
    say(o, "c");
    takes(&c, 1, "a");
    takes(&c, 2, "b");
    takes(&c, 3, "c");
    leave(&c);
    answer(o, "d");
    come(&c, o, 1);
    takes(&c, 2, "b");
    takes(&c, 3, "c");
    takes(&c, 4, "d");
    takes_nothing(&c);
    leave(&c);
    come(&c, o, 3); /* and once more */
    takes(&c, 4, "d");
    leave(&c);
    come(&c, o, 4);
    takes_nothing(&c);
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_what_the_client_has_is_not_kept(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    say(o, "a");
    say(o, "b");
    come(&c, o, 1); /* of two that nobody took */
    takes(&c, 2, "b");
    leave(&c);
    come(&c, o, 2);
    takes_nothing(&c);
    leave(&c);
    assert_int_equal(attach(&c, o, 1), RC_NOT_FOUND);
    mcp_outbox_drop(o);
}

static void test_an_event_that_is_kept_no_more_is_not_found(void **state)
{
    client_t c;
    char text[16];
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    come(&c, o, 0);
    for (int i = 1; i <= MCP_OUTBOX_KEPT + 10; i++) {
        snprintf(text, sizeof text, "%d", i);
        say(o, text);
        takes(&c, (uint64_t)i, text);
    }
    leave(&c);
    assert_int_equal(attach(&c, o, 9), RC_NOT_FOUND);
    come(&c, o, 10); /* the oldest that is enough */
    takes(&c, 11, "11");
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_an_event_that_never_was_is_not_found(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    say(o, "a");
    assert_int_equal(attach(&c, o, 2), RC_NOT_FOUND);
    come(&c, o, 1);
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_kept_bytes_are_bounded(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    size_t n = MCP_OUTBOX_KEPT_BYTES / 2;
    char *big = malloc(n + 1);
    memset(big, 'x', n);
    big[n] = '\0';
    come(&c, o, 0);
    for (uint64_t i = 1; i <= 3; i++) {
        say(o, big);
        takes(&c, i, big);
    }
    leave(&c);
    assert_int_equal(attach(&c, o, 0), RC_NOT_FOUND);
    come(&c, o, 1);
    takes(&c, 2, big);
    leave(&c);
    mcp_outbox_drop(o);
    free(big);
}

static void test_a_slice_lives_though_its_message_is_kept_no_more(void **state)
{
    client_t c;
    mcp_out_t out;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    size_t n = MCP_OUTBOX_KEPT_BYTES + 1;
    char *big = malloc(n + 1);
    memset(big, 'x', n);
    big[n] = '\0';
    come(&c, o, 0);
    say(o, big);
    assert_true(mcp_reader_take(c.reader, &out));
    assert_str(out.text, str_of(big, n));
    leave(&c);
    mcp_outbox_drop(o);
    free(big);
}

static void test_what_waits_is_bounded_but_for_the_answer(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(false);
    (void)state;
    size_t n = MCP_OUTBOX_BYTES;
    char *big = malloc(n + 2);
    memset(big, 'x', n + 1);
    big[n + 1] = '\0';
    come(&c, o, 0);
    assert_int_equal(put(o, MCP_OUT_MESSAGE, big), RC_LIMIT);
    big[n] = '\0';
    say(o, big);
    assert_int_equal(put(o, MCP_OUT_MESSAGE, "a"), RC_LIMIT);
    answer(o, big);
    takes(&c, 1, big);
    takes(&c, 2, big);
    leave(&c);
    mcp_outbox_drop(o);
    free(big);
}

static void test_what_waits_for_who_comes_back_is_bounded(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    for (int i = 0; i < MCP_OUTBOX_KEPT; i++)
        say(o, "a");
    assert_int_equal(put(o, MCP_OUT_MESSAGE, "b"), RC_LIMIT);
    answer(o, "c");
    come(&c, o, MCP_OUTBOX_KEPT);
    takes(&c, MCP_OUTBOX_KEPT + 1, "c");
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_one_that_was_not_sent_is_taken_again(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(false);
    (void)state;
    come(&c, o, 0);
    mcp_reader_untake(c.reader); /* of nothing */
    takes_nothing(&c);
    say(o, "a");
    say(o, "b");
    takes(&c, 1, "a");
    mcp_reader_untake(c.reader);
    takes(&c, 1, "a");
    takes(&c, 2, "b");
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_one_that_was_not_sent_waits_for_the_next_reader(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    come(&c, o, 0);
    say(o, "a");
    say(o, "b");
    takes(&c, 1, "a");
    takes(&c, 2, "b");
    mcp_reader_untake(c.reader);
    leave(&c);
    come(&c, o, MCP_OUTBOX_UNTAKEN);
    takes(&c, 2, "b");
    takes_nothing(&c);
    leave(&c);
    come(&c, o, MCP_OUTBOX_UNTAKEN);
    takes_nothing(&c);
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_another_reader_replaces_the_one_before(void **state)
{
    client_t old, c;
    mcp_out_t out;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    come(&old, o, 0);
    say(o, "a");
    test_loop_run(&old.loop);
    assert_true(mcp_reader_take(old.reader, &out));
    come(&c, o, 0);
    assert_true(mcp_reader_is_replaced(old.reader));
    assert_false(mcp_reader_is_replaced(c.reader));
    test_loop_run(&old.loop);
    assert_int_equal(old.wakes, 2); /* it learns it */
    takes_nothing(&old);
    leave(&old); /* which ends nothing of the other's */
    assert_true(mcp_outbox_is_attached(o));
    takes(&c, 1, "a");
    leave(&c);
    assert_false(mcp_outbox_is_attached(o));
    mcp_outbox_drop(o);
}

static void test_a_refused_reader_leaves_the_old_one(void **state)
{
    client_t old, c;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    come(&old, o, 0);
    say(o, "a");
    takes(&old, 1, "a");
    mcp_reader_untake(old.reader);
    assert_int_equal(attach(&c, o, 7), RC_NOT_FOUND);
    assert_false(mcp_reader_is_replaced(old.reader));
    takes(&old, 1, "a");
    leave(&old);
    mcp_outbox_drop(o);
}

static void test_who_reads_can_be_let_go_once(void **state)
{
    client_t c;
    mcp_out_t out;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    come(&c, o, 0);
    say(o, "a");
    assert_int_equal(put(o, MCP_OUT_LET_GO, NULL), RC_OK);
    say(o, "b");
    takes(&c, 1, "a");
    assert_true(mcp_reader_take(c.reader, &out));
    assert_int_equal(out.kind, MCP_OUT_LET_GO);
    assert_int_equal(out.number, 1);
    leave(&c);
    come(&c, o, 0); /* none of it comes again */
    takes(&c, 1, "a");
    takes(&c, 2, "b");
    takes_nothing(&c);
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_letting_go_is_for_the_reader_of_that_time(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(true);
    (void)state;
    assert_int_equal(put(o, MCP_OUT_LET_GO, NULL), RC_OK); /* nobody reads */
    come(&c, o, 0);
    takes_nothing(&c);
    say(o, "a");
    assert_int_equal(put(o, MCP_OUT_LET_GO, NULL), RC_OK);
    leave(&c); /* before it came to that */
    come(&c, o, MCP_OUTBOX_UNTAKEN);
    takes(&c, 1, "a");
    takes_nothing(&c);
    say(o, "b");
    takes(&c, 2, "b");
    leave(&c);
    mcp_outbox_drop(o);
}

static void test_nobody_is_let_go_who_could_not_come_back(void **state)
{
    client_t c;
    mcp_outbox_t *o = mcp_outbox_new(false);
    (void)state;
    come(&c, o, 0);
    assert_int_equal(put(o, MCP_OUT_LET_GO, NULL), RC_OK);
    takes_nothing(&c);
    leave(&c);
    mcp_outbox_drop(o);
}

/* Many put in, readers come and go on two threads: everything comes out once, in order. */
enum { WRITERS = 4, EACH = 500 };

typedef struct {
    mcp_outbox_t *o;
    unsigned id;
} writer_t;

static void *write_all(void *arg)
{
    const writer_t *w = arg;
    char text[32];
    for (unsigned i = 0; i < EACH; i++) {
        snprintf(text, sizeof text, "%u %u", w->id, i);
        while (put(w->o, MCP_OUT_MESSAGE, text) == RC_LIMIT)
            sched_yield();
    }
    return NULL;
}

typedef struct {
    test_loop_t loop;
    mcp_outbox_t *o;
    mcp_reader_t *reader;
    uint64_t last;
    unsigned seen[WRITERS];
    bool ended;
} sink_t;

static void sink_wake(void *ctx)
{
    sink_t *s = ctx;
    mcp_out_t out;
    while (mcp_reader_take(s->reader, &out)) {
        unsigned id, i;
        assert_int_equal(out.number, s->last + 1);
        s->last = out.number;
        s->ended = out.kind == MCP_OUT_ANSWER;
        if (s->ended)
            return;
        char text[32];
        snprintf(text, sizeof text, "%" PRIstr, STR_ARG(out.text));
        assert_int_equal(sscanf(text, "%u %u", &id, &i), 2);
        assert_int_equal(i, s->seen[id]++);
    }
}

static void *read_all(void *arg)
{
    sink_t *s = arg;
    for (unsigned turn = 0; !s->ended; turn++) {
        const mcp_reading_t how = {test_loop_port(&s->loop), sink_wake, s, s->last};
        rc_t rc = mcp_outbox_attach(s->o, &how, &s->reader);
        assert_int_equal(rc, RC_OK);
        for (unsigned i = 0; i < 50 + turn % 7 && !s->ended; i++) {
            test_loop_run(&s->loop);
            sched_yield();
        }
        mcp_reader_detach(s->reader);
        s->reader = NULL;
        test_loop_run(&s->loop);
    }
    return NULL;
}

static void test_threads_lose_nothing(void **state)
{
    static sink_t s;
    pthread_t threads[WRITERS], reader;
    writer_t writers[WRITERS];
    (void)state;
    s.o = mcp_outbox_new(true);
    test_loop_init(&s.loop);
    pthread_create(&reader, NULL, read_all, &s);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (writer_t){s.o, i};
        pthread_create(&threads[i], NULL, write_all, &writers[i]);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    answer(s.o, "end");
    pthread_join(reader, NULL);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(s.seen[i], EACH);
    assert_int_equal(s.last, WRITERS * EACH + 1);
    mcp_outbox_drop(s.o);
}

/* Two readers take a stream from each other while others write: nobody touches what is gone. */
typedef struct {
    mcp_outbox_t *o;
    test_loop_t loop;
    mcp_reader_t *reader;
    size_t taken;
    atomic_bool *over;
} rival_t;

static void rival_wake(void *ctx)
{
    rival_t *r = ctx;
    mcp_out_t out;
    while (mcp_reader_take(r->reader, &out)) {
        assert_true(out.text.n > 0);
        r->taken++;
        if (r->taken % 5 == 0)
            mcp_reader_untake(r->reader);
        if (r->taken % 5 == 0)
            return;
    }
}

static void *rival(void *arg)
{
    rival_t *r = arg;
    while (!atomic_load(r->over)) {
        const mcp_reading_t how = {test_loop_port(&r->loop), rival_wake, r, MCP_OUTBOX_UNTAKEN};
        assert_int_equal(mcp_outbox_attach(r->o, &how, &r->reader), RC_OK);
        test_loop_run(&r->loop);
        sched_yield();
        test_loop_run(&r->loop);
        mcp_reader_detach(r->reader);
        test_loop_run(&r->loop);
        sched_yield();
    }
    return NULL;
}

static void *put_some(void *arg)
{
    mcp_outbox_t *o = arg;
    for (unsigned i = 0; i < 3000;)
        if (put(o, MCP_OUT_MESSAGE, "x") == RC_OK)
            i++;
        else
            sched_yield();
    return NULL;
}

static void test_rivals_do_not_tear_a_stream(void **state)
{
    static rival_t rivals[2];
    pthread_t threads[2], writer;
    mcp_outbox_t *o = mcp_outbox_new(true);
    atomic_bool over = false;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        rivals[i].o = o;
        rivals[i].over = &over;
        test_loop_init(&rivals[i].loop);
        pthread_create(&threads[i], NULL, rival, &rivals[i]);
    }
    pthread_create(&writer, NULL, put_some, o);
    pthread_join(writer, NULL);
    atomic_store(&over, true);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_true(rivals[0].taken + rivals[1].taken > 0);
    mcp_outbox_drop(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_come_out_in_order),
        cmocka_unit_test(test_a_reader_is_woken_for_what_waits),
        cmocka_unit_test(test_one_wake_is_on_its_way_at_a_time),
        cmocka_unit_test(test_a_wake_that_found_a_full_queue_comes_with_the_next_put),
        cmocka_unit_test(test_a_reader_whose_loop_is_gone_is_not_woken),
        cmocka_unit_test(test_no_wake_comes_after_detach),
        cmocka_unit_test(test_nothing_comes_behind_the_answer),
        cmocka_unit_test(test_an_end_without_an_answer_has_no_text),
        cmocka_unit_test(test_without_coming_back_a_stream_ends_with_its_reader),
        cmocka_unit_test(test_who_comes_back_gets_what_was_missed),
        cmocka_unit_test(test_what_the_client_has_is_not_kept),
        cmocka_unit_test(test_an_event_that_is_kept_no_more_is_not_found),
        cmocka_unit_test(test_an_event_that_never_was_is_not_found),
        cmocka_unit_test(test_kept_bytes_are_bounded),
        cmocka_unit_test(test_a_slice_lives_though_its_message_is_kept_no_more),
        cmocka_unit_test(test_what_waits_is_bounded_but_for_the_answer),
        cmocka_unit_test(test_what_waits_for_who_comes_back_is_bounded),
        cmocka_unit_test(test_one_that_was_not_sent_is_taken_again),
        cmocka_unit_test(test_one_that_was_not_sent_waits_for_the_next_reader),
        cmocka_unit_test(test_another_reader_replaces_the_one_before),
        cmocka_unit_test(test_a_refused_reader_leaves_the_old_one),
        cmocka_unit_test(test_who_reads_can_be_let_go_once),
        cmocka_unit_test(test_letting_go_is_for_the_reader_of_that_time),
        cmocka_unit_test(test_nobody_is_let_go_who_could_not_come_back),
        cmocka_unit_test(test_threads_lose_nothing),
        cmocka_unit_test(test_rivals_do_not_tear_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
