#include "http/http_test_wire.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "http/pool.h"

/* A loop of the tests: a queue that the main thread empties. `full` makes it say RC_BUSY. */
typedef struct {
    pthread_mutex_t lock;
    void (*fn[64])(void *arg);
    void *arg[64];
    size_t n;
    atomic_bool full, ended;
    atomic_int refused;
} loop_t;

typedef struct {
    pthread_t worked_on, done_on;
    atomic_bool worked;
    bool done;
    atomic_bool *gate; /* work waits until it is true */
} job_t;

static loop_t loop;

static rc_t post(void *ctx, void (*fn)(void *arg), void *arg)
{
    loop_t *l = ctx;
    if (atomic_load(&l->ended))
        return RC_IO;
    if (atomic_load(&l->full)) {
        atomic_fetch_add(&l->refused, 1);
        return RC_BUSY;
    }
    pthread_mutex_lock(&l->lock);
    l->fn[l->n] = fn;
    l->arg[l->n++] = arg;
    pthread_mutex_unlock(&l->lock);
    return RC_OK;
}

static void nap(void)
{
    const struct timespec t = {0, 1000000};
    nanosleep(&t, NULL);
}

/* Runs what is posted until n calls have run. */
static void turn(size_t n)
{
    for (int i = 0; i < 60000 && n; i++) {
        pthread_mutex_lock(&loop.lock);
        size_t have = loop.n;
        loop.n = 0;
        for (size_t k = 0; k < have; k++)
            loop.fn[k](loop.arg[k]);
        pthread_mutex_unlock(&loop.lock);
        n -= have;
        if (n)
            nap();
    }
    assert_int_equal(n, 0);
}

static void work(void *arg)
{
    job_t *job = arg;
    while (job->gate && !atomic_load(job->gate))
        nap();
    job->worked_on = pthread_self();
    atomic_store(&job->worked, true);
}

static void done(void *arg)
{
    job_t *job = arg;
    job->done_on = pthread_self();
    job->done = true;
}

static int begin(void **state)
{
    memset(&loop, 0, sizeof loop);
    return pthread_mutex_init(&loop.lock, NULL);
}

static int end(void **state)
{
    return pthread_mutex_destroy(&loop.lock);
}

static void work_runs_elsewhere_and_done_runs_here(void **state)
{
    static job_t jobs[16];
    memset(jobs, 0, sizeof jobs);
    http_pool_t *p = http_pool_new(2, 16);
    assert_non_null(p);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(http_pool_run(p, (post_port_t){post, &loop}, work, done, &jobs[i]), RC_OK);
    turn(16);
    for (size_t i = 0; i < 16; i++) {
        assert_true(jobs[i].worked && jobs[i].done);
        assert_false(pthread_equal(jobs[i].worked_on, pthread_self()));
        assert_true(pthread_equal(jobs[i].done_on, pthread_self()));
    }
    http_pool_free(p);
}

static void wait_until_taken(http_pool_t *p, job_t *jobs, size_t queue)
{
    /* The first job is with the thread once the queue takes as many again. */
    for (size_t i = 1; i <= queue;) {
        if (http_pool_run(p, (post_port_t){post, &loop}, work, done, &jobs[i]) == RC_OK)
            i++;
        else
            nap();
    }
}

static void a_full_queue_is_busy(void **state)
{
    static job_t jobs[4];
    static atomic_bool gate;
    memset(jobs, 0, sizeof jobs);
    atomic_store(&gate, false);
    jobs[0].gate = &gate;
    http_pool_t *p = http_pool_new(1, 2);
    assert_int_equal(http_pool_run(p, (post_port_t){post, &loop}, work, done, &jobs[0]), RC_OK);
    wait_until_taken(p, jobs, 2);
    assert_int_equal(http_pool_run(p, (post_port_t){post, &loop}, work, done, &jobs[3]), RC_BUSY);
    atomic_store(&gate, true);
    turn(3);
    assert_false(atomic_load(&jobs[3].worked));
    http_pool_free(p);
}

static void *open_gate(void *arg)
{
    for (int i = 0; i < 20; i++)
        nap();
    atomic_store((atomic_bool *)arg, true);
    return NULL;
}

static void the_end_waits_for_running_jobs_and_drops_waiting_ones(void **state)
{
    static job_t jobs[3];
    static atomic_bool gate;
    pthread_t opener;
    memset(jobs, 0, sizeof jobs);
    atomic_store(&gate, false);
    jobs[0].gate = &gate;
    http_pool_t *p = http_pool_new(1, 2);
    assert_int_equal(http_pool_run(p, (post_port_t){post, &loop}, work, done, &jobs[0]), RC_OK);
    wait_until_taken(p, jobs, 2);
    assert_int_equal(pthread_create(&opener, NULL, open_gate, &gate), 0);
    http_pool_free(p);
    pthread_join(opener, NULL);
    assert_true(atomic_load(&jobs[0].worked));
    assert_false(atomic_load(&jobs[1].worked));
    assert_false(atomic_load(&jobs[2].worked));
    turn(1);
    assert_true(jobs[0].done);
}

/* A result is not lost while the loop's queue is full: it is offered again. */
static void give_back(void *arg)
{
    ((job_t *)arg)->done = true;
}

/* What a job owns is given back where it never ran, and only there. */
static void dropped_jobs_are_told(void **state)
{
    static job_t first, second;
    atomic_bool gate = false;
    pthread_t opener;
    (void)state;
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    first.gate = &gate;
    http_pool_t *p = http_pool_new(1, 2);
    const http_job_t running = {work, done, give_back, &first},
                     waiting = {work, done, give_back, &second};
    assert_int_equal(http_pool_add(p, (post_port_t){post, &loop}, &running), RC_OK);
    assert_int_equal(http_pool_add(p, (post_port_t){post, &loop}, &waiting), RC_OK);
    assert_int_equal(pthread_create(&opener, NULL, open_gate, &gate), 0);
    atomic_store(&loop.ended, true);
    nap();
    http_pool_free(p);
    pthread_join(opener, NULL);
    assert_true(atomic_load(&first.worked) != first.done);
    assert_true(atomic_load(&second.worked) != second.done);
}

static void a_result_waits_for_room_in_the_loop(void **state)
{
    static job_t job;
    memset(&job, 0, sizeof job);
    http_pool_t *p = http_pool_new(1, 1);
    atomic_store(&loop.full, true);
    assert_int_equal(http_pool_run(p, (post_port_t){post, &loop}, work, done, &job), RC_OK);
    for (int i = 0; i < 60000 && atomic_load(&loop.refused) < 3; i++)
        nap();
    assert_true(atomic_load(&loop.refused) >= 3);
    atomic_store(&loop.full, false);
    turn(1);
    assert_true(job.done);
    http_pool_free(p);
}

static void a_result_for_an_ended_loop_is_dropped(void **state)
{
    static job_t job;
    memset(&job, 0, sizeof job);
    http_pool_t *p = http_pool_new(1, 1);
    atomic_store(&loop.ended, true);
    assert_int_equal(http_pool_run(p, (post_port_t){post, &loop}, work, done, &job), RC_OK);
    while (!atomic_load(&job.worked))
        nap();
    http_pool_free(p);
    assert_false(job.done);
}

static void a_pool_of_nothing_is_refused(void **state)
{
    assert_null(http_pool_new(0, 1));
    assert_null(http_pool_new(1, 0));
    http_pool_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(work_runs_elsewhere_and_done_runs_here),
        TEST(a_full_queue_is_busy),
        TEST(the_end_waits_for_running_jobs_and_drops_waiting_ones),
        TEST(a_result_waits_for_room_in_the_loop),
        TEST(dropped_jobs_are_told),
        TEST(a_result_for_an_ended_loop_is_dropped),
        TEST(a_pool_of_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
