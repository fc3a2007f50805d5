#include "audit/audit.h"

#include "audit/audit_test_util.h"
#include "core/limits.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, EACH = 500, ROUNDS = 20 };

/* Completions, run on the writing thread itself; what they count is atomic. */
typedef struct {
    atomic_size_t ok, busy, failed;
    atomic_int refuse; /* posts that are still refused as busy */
    atomic_bool gone;  /* the loop has ended */
} answers_t;

static rc_t post_here(void *ctx, void (*fn)(void *arg), void *arg)
{
    answers_t *s = ctx;
    if (atomic_load(&s->gone))
        return RC_IO;
    if (atomic_load(&s->refuse) > 0) {
        atomic_fetch_sub(&s->refuse, 1);
        return RC_BUSY;
    }
    fn(arg);
    return RC_OK;
}

static void count(void *ctx, rc_t rc)
{
    answers_t *s = ctx;
    atomic_fetch_add(rc == RC_OK ? &s->ok : rc == RC_BUSY ? &s->busy : &s->failed, 1);
}

static audit_t *opened(trail_t *t)
{
    audit_t *audit;
    str_t why;
    audit_config_t config = {.path = str_c(t->path), .log = &t->log, .clock = clock_system()};
    assert_int_equal(audit_open(t->a, &config, &audit, &why), RC_OK);
    return audit;
}

static void append(audit_t *audit, answers_t *s, str_t id)
{
    audit_event_t e = {.kind = AUDIT_TOKEN, .allowed = true, .request_id = id};
    audit_append(audit, (post_port_t){post_here, s}, &e, count, s);
}

static void expect_sound(trail_t *t, uint64_t lines)
{
    audit_chain_t c = trail_check_one(t);
    assert_str(audit_fault_name(c.fault), STR("none"));
    assert_int_equal(c.lines, lines);
}

static void close_writes_what_waits(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    audit_t *audit = opened(t);
    for (int i = 0; i < 1000; i++)
        append(audit, &s, STR("r"));
    audit_close(audit);
    assert_int_equal(atomic_load(&s.ok), 1000);
    expect_sound(t, 1000);
    assert_true(trail_logged(t, STR("\"head\":\"1000:")));
}

static void event_is_copied(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    audit_t *audit = opened(t);
    char id[] = "first";
    append(audit, &s, str_c(id));
    memcpy(id, "other", 5);
    audit_close(audit);
    assert_true(str_contains(trail_read(t, t->path), STR("\"request_id\":\"first\"")));
}

static void one_caller_keeps_its_order(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    audit_t *audit = opened(t);
    for (int i = 0; i < 300; i++)
        append(audit, &s, arena_printf(t->a, "r%d.", i));
    audit_close(audit);
    str_t text = trail_read(t, t->path);
    for (int i = 0; i < 300; i++) {
        str_t id = arena_printf(t->a, "\"r%d.\"", i);
        const char *hit = memmem(text.p, text.n, id.p, id.n);
        assert_non_null(hit);
        text = str_skip(text, (size_t)(hit - text.p));
    }
}

typedef struct {
    audit_t *audit;
    answers_t *answers;
} caller_t;

static void *append_many(void *arg)
{
    caller_t *c = arg;
    for (int i = 0; i < EACH; i++)
        append(c->audit, c->answers, STR("r"));
    return NULL;
}

static void run_callers(caller_t *callers, size_t n)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, &callers[i]), 0);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static void many_threads_append(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    caller_t callers[THREADS];
    audit_t *audit = opened(t);
    for (size_t i = 0; i < THREADS; i++)
        callers[i] = (caller_t){audit, &s};
    run_callers(callers, THREADS);
    audit_close(audit);
    assert_int_equal(atomic_load(&s.ok), THREADS * EACH);
    expect_sound(t, THREADS * EACH);
}

/* As two processes do: each has the file open for itself. */
static void two_trails_on_one_file(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    audit_t *one = opened(t), *two = opened(t);
    caller_t callers[] = {{one, &s}, {two, &s}, {one, &s}, {two, &s}};
    run_callers(callers, 4);
    audit_close(one);
    audit_close(two);
    assert_int_equal(atomic_load(&s.ok), 4 * EACH);
    expect_sound(t, 4 * EACH);
}

static void renames_under_load(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    audit_t *one = opened(t), *two = opened(t);
    append(one, &s, STR("r"));
    while (atomic_load(&s.ok) < 1)
        usleep(100);
    caller_t callers[] = {{one, &s}, {two, &s}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, &callers[i]), 0);
    usleep(3000);
    assert_int_equal(rename(t->path, t->other), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    append(one, &s, STR("r"));
    audit_close(one);
    audit_close(two);
    assert_int_equal(atomic_load(&s.ok), 2 * EACH + 2);
    const char *both[] = {t->other, t->path};
    audit_chain_t c = trail_check(t, both, 2, NULL);
    assert_str(audit_fault_name(c.fault), STR("none"));
    assert_int_equal(c.lines, 2 * EACH + 2);
}

/* The largest events, so that they need more than one batch. */
static void more_than_one_batch(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    char *text = arena_alloc(t->a, LIMIT_AUDIT_LONG_BYTES);
    memset(text, 1, LIMIT_AUDIT_LONG_BYTES);
    str_t big = str_of(text, LIMIT_AUDIT_LONG_BYTES);
    audit_event_t e = {
        .kind = AUDIT_ACCESS, .client = big, .resource = big, .scope = big, .object = big};
    audit_t *audit = opened(t);
    int held = open(t->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(held, LOCK_EX), 0);
    for (int i = 0; i < 30; i++)
        audit_append(audit, (post_port_t){post_here, &s}, &e, count, &s);
    close(held);
    audit_close(audit);
    assert_int_equal(atomic_load(&s.ok), 30);
    expect_sound(t, 30);
}

/* The lock is held elsewhere, as by a process that hangs: events wait, until too many do. */
static void busy(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    audit_t *audit = opened(t);
    int held = open(t->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(held, LOCK_EX), 0);
    size_t n = 0;
    for (; n < 2 * LIMIT_AUDIT_QUEUE_BYTES / 100 && atomic_load(&s.busy) == 0; n++)
        append(audit, &s, STR("r"));
    assert_int_equal(atomic_load(&s.busy), 1);
    assert_int_equal(atomic_load(&s.ok), 0);
    close(held);
    audit_close(audit);
    assert_int_equal(atomic_load(&s.ok), n - 1);
    assert_int_equal(trail_count(trail_read(t, t->path), '\n'), n - 1);
}

static void full_loop_is_asked_again(void **state)
{
    trail_t *t = *state;
    answers_t s = {.refuse = 5};
    audit_t *audit = opened(t);
    append(audit, &s, STR("r"));
    audit_close(audit);
    assert_int_equal(atomic_load(&s.ok), 1);
}

static void ended_loop_gets_no_answer(void **state)
{
    trail_t *t = *state;
    answers_t s = {.gone = true};
    audit_t *audit = opened(t);
    append(audit, &s, STR("r"));
    audit_close(audit);
    assert_int_equal(atomic_load(&s.ok), 0);
    expect_sound(t, 1);
}

static void broken_trail_says_so(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    audit_t *audit = opened(t);
    trail_add(t->path, STR("garbage\n"));
    append(audit, &s, STR("r"));
    audit_close(audit);
    assert_int_equal(atomic_load(&s.failed), 1);
    assert_int_equal(atomic_load(&s.ok), 0);
}

static void open_says_why(void **state)
{
    trail_t *t = *state;
    audit_t *audit;
    str_t why;
    trail_write(t->path, STR("hello\n"));
    audit_config_t config = {.path = str_c(t->path), .log = &t->log, .clock = clock_system()};
    assert_int_equal(audit_open(t->a, &config, &audit, &why), RC_CONFIG);
    assert_null(audit);
    assert_true(why.n > 0);
}

/* In a child: appends without end; each event that is acknowledged writes a byte to the pipe. */
static void acknowledge(void *ctx, rc_t rc)
{
    int fd = *(int *)ctx;
    if (rc != RC_OK || write(fd, "a", 1) != 1)
        _exit(1);
}

static rc_t run_here(void *ctx, void (*fn)(void *arg), void *arg)
{
    fn(arg);
    return RC_OK;
}

static void append_until_killed(trail_t *t, int fd, int round)
{
    audit_t *audit = opened(t);
    for (int i = 0;; i++) {
        char id[32];
        audit_event_t e = {.kind = AUDIT_TOKEN, .allowed = true};
        e.request_id = str_of(id, (size_t)snprintf(id, sizeof id, "r%d-%d.", round, i));
        audit_append(audit, (post_port_t){run_here, NULL}, &e, acknowledge, &fd);
        if (i % 50 == 49)
            usleep(200);
    }
}

static size_t acknowledged(int fd)
{
    char bytes[4096];
    size_t n = 0;
    for (ssize_t got; (got = read(fd, bytes, sizeof bytes)) > 0;)
        n += (size_t)got;
    return n;
}

/* One child: all that it acknowledged is in the file, in order, and the chain holds. */
static size_t kill_one(trail_t *t, int round, void (*run)(trail_t *t, int fd, int round))
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        run(t, ends[1], round);
    }
    close(ends[1]);
    usleep(3000 + (useconds_t)(round * 7919 % 23000));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    size_t n = acknowledged(ends[0]);
    close(ends[0]);
    return n;
}

static void killed(trail_t *t, int rounds, void (*run)(trail_t *t, int fd, int round))
{
    size_t total = 0;
    for (int round = 0; round < rounds; round++) {
        arena_reset(t->a);
        size_t n = kill_one(t, round, run);
        total += n;
        audit_close(opened(t)); /* mends what was torn */
        str_t text = trail_read(t, t->path);
        assert_int_equal(trail_check_one(t).fault, AUDIT_FAULT_NONE);
        for (size_t i = 0; i < n; i++) {
            char id[32];
            int length = snprintf(id, sizeof id, "\"r%d-%zu.\"", round, i);
            const char *hit = memmem(text.p, text.n, id, (size_t)length);
            if (!hit)
                fail_msg("acknowledged, but lost: %s", id);
            text = str_skip(text, (size_t)(hit - text.p));
        }
    }
    assert_true(total > 0);
}

static void killed_while_appending(void **state)
{
    killed(*state, ROUNDS, append_until_killed);
}

static const audit_event_t CALL = {
    .kind = AUDIT_CALL_BEGIN, .allowed = true, .tool = STR_INIT("get_news")};

static void written_lines_are_there_at_once(void **state)
{
    trail_t *t = *state;
    const audit_event_t other = {.kind = AUDIT_CALL_END, .request_id = STR("r2")};
    const audit_event_t *events[] = {&CALL, &other, &CALL};
    audit_t *audit = opened(t);
    assert_int_equal(audit_write(audit, events, 3), RC_OK);
    assert_int_equal(audit_write(audit, events, 0), RC_OK);
    expect_sound(t, 3);
    assert_true(str_contains(trail_read(t, t->path), STR("\"request_id\":\"r2\"")));
    audit_close(audit);
    assert_int_equal(audit_counts(audit = opened(t)).events, 0);
    audit_close(audit);
}

static void counts_tell_what_was_written(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    const audit_event_t *events[] = {&CALL, &CALL};
    audit_t *audit = opened(t);
    append(audit, &s, STR("r"));
    while (atomic_load(&s.ok) < 1)
        usleep(100);
    assert_int_equal(audit_write(audit, events, 2), RC_OK);
    assert_int_equal(audit_counts(audit).events, 3);
    assert_int_equal(audit_counts(audit).failures, 0);
    audit_close(audit);
}

/* Events of every size at once, so that the room for lines must grow. */
static void many_large_events_are_one_write(void **state)
{
    trail_t *t = *state;
    char *text = arena_alloc(t->a, LIMIT_AUDIT_LONG_BYTES);
    memset(text, 1, LIMIT_AUDIT_LONG_BYTES);
    str_t big = str_of(text, LIMIT_AUDIT_LONG_BYTES);
    audit_event_t e = {
        .kind = AUDIT_CALL_BEGIN, .client = big, .resource = big, .scope = big, .object = big};
    const audit_event_t *events[32];
    for (size_t i = 0; i < 32; i++)
        events[i] = i % 2 ? &CALL : &e;
    audit_t *audit = opened(t);
    assert_int_equal(audit_write(audit, events, 32), RC_OK);
    audit_close(audit);
    expect_sound(t, 32);
}

static void *write_many(void *arg)
{
    caller_t *c = arg;
    const audit_event_t *events[] = {&CALL, &CALL};
    for (int i = 0; i < EACH; i++) {
        count(c->answers, audit_write(c->audit, events, 2));
        if (i % 10 == 0)
            append(c->audit, c->answers, STR("r"));
    }
    return NULL;
}

static void threads_write_and_append(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    audit_t *one = opened(t), *two = opened(t);
    caller_t callers[] = {{one, &s}, {two, &s}, {one, &s}, {two, &s}};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &callers[i]), 0);
    usleep(3000);
    assert_int_equal(rename(t->path, t->other), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    audit_close(one);
    audit_close(two);
    assert_int_equal(atomic_load(&s.ok), 4 * EACH + 4 * EACH / 10);
    const char *both[] = {t->other, t->path};
    audit_chain_t c = trail_check(t, both, 2, NULL);
    assert_str(audit_fault_name(c.fault), STR("none"));
    assert_int_equal(c.lines, 4 * (2 * EACH + EACH / 10));
}

/* Sets how far the files of this process may grow beyond the trail: -1: as they like. */
static void set_room(trail_t *t, ssize_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < 0 ? limit.rlim_max : trail_read(t, t->path).n + (size_t)bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* AUD-004: by default nothing is answered that could not be recorded. */
static void full_disk_stops_answers(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    const audit_event_t *events[] = {&CALL, &CALL};
    audit_t *audit = opened(t);
    assert_int_equal(audit_write(audit, events, 2), RC_OK);
    set_room(t, 300);
    assert_int_equal(audit_write(audit, events, 2), RC_IO);
    append(audit, &s, STR("r"));
    append(audit, &s, STR("r"));
    while (atomic_load(&s.failed) + atomic_load(&s.ok) < 2)
        usleep(100);
    set_room(t, -1);
    assert_true(audit_counts(audit).failures >= 2);
    expect_sound(t, 2 + atomic_load(&s.ok));
    assert_int_equal(audit_write(audit, events, 2), RC_OK);
    audit_close(audit);
    expect_sound(t, 4 + atomic_load(&s.ok));
}

/* AUD-004, the other setting: answered, counted, and told. */
static void lenient_trail_goes_on_and_says_so(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    str_t why;
    audit_t *audit;
    const audit_event_t *events[] = {&CALL, &CALL};
    audit_config_t config = {.path = str_c(t->path), .log = &t->log, .clock = clock_system()};
    config.lenient = true;
    assert_int_equal(audit_open(t->a, &config, &audit, &why), RC_OK);
    assert_int_equal(audit_write(audit, events, 2), RC_OK);
    set_room(t, 10);
    for (int i = 0; i < 50; i++)
        assert_int_equal(audit_write(audit, events, 2), RC_OK);
    append(audit, &s, STR("r"));
    while (atomic_load(&s.ok) < 1)
        usleep(100);
    set_room(t, -1);
    assert_int_equal(audit_counts(audit).events, 2);
    assert_int_equal(audit_counts(audit).failures, 101);
    assert_true(trail_logged(t, STR("events are not recorded, and answered all the same")));
    assert_true(trail_count(str_of(t->logged, t->n_logged), '\n') < 10);
    audit_close(audit);
    expect_sound(t, 2);
}

/* A process that hangs with the lock: nobody waits for it for ever, and nothing is lost. */
static void lock_held_elsewhere_is_given_up(void **state)
{
    trail_t *t = *state;
    answers_t s = {0};
    const audit_event_t *events[] = {&CALL};
    audit_t *audit = opened(t);
    int held = open(t->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(held, LOCK_EX), 0);
    append(audit, &s, STR("r"));
    assert_int_equal(audit_write(audit, events, 1), RC_BUSY);
    close(held);
    assert_int_equal(audit_write(audit, events, 1), RC_OK);
    audit_close(audit);
    assert_int_equal(atomic_load(&s.ok), 1);
    expect_sound(t, 2);
}

static void broken_trail_refuses_what_is_written(void **state)
{
    trail_t *t = *state;
    const audit_event_t *events[] = {&CALL};
    audit_t *audit = opened(t);
    trail_add(t->path, STR("garbage\n"));
    assert_int_equal(audit_write(audit, events, 1), RC_IO);
    audit_close(audit);
    assert_int_equal(trail_count(trail_read(t, t->path), '\n'), 1);
}

/* In a child: each event is acknowledged once audit_write has returned. */
static void write_until_killed(trail_t *t, int fd, int round)
{
    audit_t *audit = opened(t);
    for (int i = 0;; i++) {
        char id[32];
        audit_event_t e = {.kind = AUDIT_CALL_BEGIN, .allowed = true};
        const audit_event_t *events[] = {&e};
        e.request_id = str_of(id, (size_t)snprintf(id, sizeof id, "r%d-%d.", round, i));
        acknowledge(&fd, audit_write(audit, events, 1));
    }
}

static void killed_while_writing(void **state)
{
    killed(*state, 50, write_until_killed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(close_writes_what_waits),
        TRAIL_TEST(event_is_copied),
        TRAIL_TEST(one_caller_keeps_its_order),
        TRAIL_TEST(many_threads_append),
        TRAIL_TEST(two_trails_on_one_file),
        TRAIL_TEST(renames_under_load),
        TRAIL_TEST(more_than_one_batch),
        TRAIL_TEST(busy),
        TRAIL_TEST(full_loop_is_asked_again),
        TRAIL_TEST(ended_loop_gets_no_answer),
        TRAIL_TEST(broken_trail_says_so),
        TRAIL_TEST(open_says_why),
        TRAIL_TEST(killed_while_appending),
        TRAIL_TEST(written_lines_are_there_at_once),
        TRAIL_TEST(counts_tell_what_was_written),
        TRAIL_TEST(many_large_events_are_one_write),
        TRAIL_TEST(threads_write_and_append),
        TRAIL_TEST(full_disk_stops_answers),
        TRAIL_TEST(lenient_trail_goes_on_and_says_so),
        TRAIL_TEST(lock_held_elsewhere_is_given_up),
        TRAIL_TEST(broken_trail_refuses_what_is_written),
        TRAIL_TEST(killed_while_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
