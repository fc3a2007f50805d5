/* Several processes on one database, and processes that die. */
#include "store/store_test_util.h"

#include "core/limits.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* A pipe that nobody reads holds 16384 numbers, so a writer gets no further than this. */
enum { CRASHES = 20, CRASHES_SERVED = 5, OUTSTANDING = 32, NUMBERS = 20000 };

/* A process of its own with a store of its own; what it plays ends with _exit(0). */
static pid_t fork_player(play_t *p, void (*play)(play_t *child, int out), int *in)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        play_t child;
        play_twin(p, &child);
        play_open(&child);
        play(&child, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    *in = ends[0];
    return pid;
}

static void reap(pid_t pid, bool killed)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(killed ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

typedef struct {
    effects_t effects;
    client_t client;
    family_t family;
    char id[32];
    int number, out;
    bool done;
} acked_t;

static void acknowledge(void *ctx, rc_t rc, size_t failed)
{
    acked_t *job = ctx;
    job->done = true;
    if (rc != RC_OK || write(job->out, &job->number, sizeof job->number) != sizeof job->number)
        _exit(3);
}

/* Applies decisions of two records each, many at once, and tells each that is acknowledged. */
static void write_until_killed(play_t *p, int out)
{
    static acked_t jobs[OUTSTANDING];
    for (int number = 0;; number++) {
        acked_t *job = &jobs[number % OUTSTANDING];
        while (number >= OUTSTANDING && !job->done)
            test_loop_step(&p->loop);
        snprintf(job->id, sizeof job->id, "%d", number);
        job->client = test_client(str_c(job->id));
        job->family = test_family(str_c(job->id));
        job->number = number;
        job->out = out;
        job->done = false;
        job->effects.n = 0;
        effects_add(&job->effects, EFFECT_CLIENT_INSERT, TEST_NOW)->u.client = &job->client;
        effects_add(&job->effects, EFFECT_FAMILY_INSERT, TEST_NOW)->u.family = &job->family;
        store_apply(p->conn, &job->effects, acknowledge, job);
    }
}

/* Each number is there whole or not at all; those that were acknowledged are there. */
static void check_numbers(play_t *p, const bool *acked)
{
    int end = 0;
    for (int number = 0; number < NUMBERS; number++)
        end = acked[number] ? number + 2 * OUTSTANDING : end;
    for (int number = 0; number < end && number < NUMBERS; number++) {
        char id[32];
        snprintf(id, sizeof id, "%d", number);
        ask_t asks[] = {{.kind = ASK_CLIENT, .key = str_c(id)},
                        {.kind = ASK_FAMILY, .key = str_c(id)}};
        assert_int_equal(play_ask_all(p, asks, 2), RC_OK);
        assert_int_equal(asks[0].u.client != NULL, asks[1].u.family != NULL);
        if (acked[number])
            assert_non_null(asks[0].u.client);
    }
}

/* Reads one number that was acknowledged; false: there is none any more. */
static bool take_number(int in, bool *acked)
{
    int number;
    if (read(in, &number, sizeof number) != (ssize_t)sizeof number)
        return false;
    assert_in_range(number, 0, NUMBERS - 1);
    assert_false(acked[number]);
    acked[number] = true;
    return true;
}

static void acknowledged_writes_survive_a_kill(void **state)
{
    play_t *p = *state;
    for (int round = 0; round < (p->conninfo ? CRASHES_SERVED : CRASHES); round++) {
        int in;
        bool acked[NUMBERS] = {false};
        play_close(p);
        play_empty(p);
        pid_t pid = fork_player(p, write_until_killed, &in);
        for (int n = 0; n < 20 + 17 * round; n++)
            assert_true(take_number(in, acked));
        kill(pid, SIGKILL);
        reap(pid, true);
        while (take_number(in, acked))
            ;
        close(in);
        play_open(p);
        check_numbers(p, acked);
    }
}

enum { OF_EACH = 150 };

static void insert_own(play_t *p, str_t prefix)
{
    for (int i = 0; i < OF_EACH; i++) {
        client_t c = test_client(arena_printf(p->a, "%" PRIstr "%d", STR_ARG(prefix), i));
        play_add(p, EFFECT_CLIENT_INSERT)->u.client = &c;
        if (play_apply(p) != RC_OK)
            _exit(4);
    }
}

static void insert_as_child(play_t *p, int out)
{
    insert_own(p, STR("child"));
    play_close(p);
}

static void two_processes_write_side_by_side(void **state)
{
    play_t *p = *state;
    int in;
    play_close(p);
    pid_t pid = fork_player(p, insert_as_child, &in);
    play_open(p);
    insert_own(p, STR("parent"));
    reap(pid, false);
    close(in);
    ask_t all = {.kind = ASK_CLIENTS};
    play_ask(p, &all);
    assert_int_equal(all.count, 2 * OF_EACH);
}

/* A server that is never idle must let an administrator's command in. */
static void busy_writer_lets_another_process_in(void **state)
{
    play_t *p = *state;
    int in, number;
    play_close(p);
    pid_t pid = fork_player(p, write_until_killed, &in);
    assert_int_equal(read(in, &number, sizeof number), sizeof number);
    play_open(p);
    for (int i = 0; i < 5; i++) {
        user_t u = test_user(arena_printf(p->a, "u%d", i), arena_printf(p->a, "n%d", i));
        put_user(p, &u);
    }
    kill(pid, SIGKILL);
    reap(pid, true);
    close(in);
}

static void put_a_resource(play_t *p, int out)
{
    resource_t r = {.uri = STR("https://r.test/mcp")};
    play_add(p, EFFECT_RESOURCE_PUT)->u.resource = &r;
    if (play_apply(p) != RC_OK)
        _exit(4);
    play_close(p);
}

static int64_t mono_ms(void)
{
    clock_port_t clock = clock_system();
    return clock.mono_ms(clock.ctx);
}

/* A server is asked beside the work, whatever the clock of the test says. */
static void wait_for_generation_after(play_t *p, uint64_t before)
{
    int64_t since = mono_ms();
    while (store_generation(p->conn) <= before) {
        assert_true(mono_ms() - since < TEST_SERVER_MS);
        usleep(1000);
    }
}

static void generation_shows_the_change_of_another_process(void **state)
{
    play_t *p = *state;
    int in;
    play_close(p);
    pid_t pid = fork_player(p, put_a_resource, &in);
    reap(pid, false);
    close(in);
    play_open(p);
    uint64_t before = store_generation(p->conn);
    play_t other;
    play_twin(p, &other);
    play_open(&other);
    put_a_resource(&other, 0);
    test_loop_free(&other.loop);
    arena_free(other.a);
    if (p->conninfo) {
        wait_for_generation_after(p, before);
        return;
    }
    p->clock.ms += STORE_GENERATION_MS - 1;
    assert_int_equal(store_generation(p->conn), before);
    p->clock.ms += 1;
    assert_true(store_generation(p->conn) > before);
}

static sqlite3 *hold_the_lock(const play_t *p)
{
    sqlite3 *holder;
    assert_int_equal(sqlite3_open(p->path, &holder), SQLITE_OK);
    assert_int_equal(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return holder;
}

/* attack case: OPS-010. A program sits on the lock for more than five seconds: reading goes on
 * meanwhile, who writes is refused when the wait is over, and the next write is as quick as ever.
 */
static void lock_that_is_held_too_long_is_busy(void **state)
{
    play_t *p = *state;
    client_t before = test_client(STR("before")), c = test_client(STR("c"));
    put_client(p, &before);
    sqlite3 *holder = hold_the_lock(p);
    int64_t since = mono_ms();
    play_add(p, EFFECT_CLIENT_INSERT)->u.client = &c;
    assert_int_equal(play_apply(p), RC_BUSY);
    assert_true(mono_ms() - since >= 5000 && mono_ms() - since < 20000);
    assert_non_null(get_client(p, before.id));
    assert_null(get_client(p, c.id));
    sqlite3_close(holder);
    since = mono_ms();
    put_client(p, &c);
    assert_true(mono_ms() - since < 5000);
}

static void count_down(void *ctx, rc_t rc, size_t failed)
{
    int *counts = ctx;
    counts[rc == RC_BUSY]++;
    assert_true(rc == RC_BUSY || rc == RC_OK);
}

static void queue_that_is_full_is_busy(void **state)
{
    play_t *p = *state;
    effects_t none = {0};
    int counts[2] = {0, 0}, pushed = 0;
    sqlite3 *holder = hold_the_lock(p);
    /* What the writer has taken already does not count as waiting. */
    for (; counts[1] == 0 && pushed < LIMIT_STORE_JOBS * 2; pushed++)
        store_apply(p->conn, &none, count_down, counts);
    assert_int_equal(counts[1], 1);
    assert_true(pushed > LIMIT_STORE_JOBS);
    sqlite3_close(holder);
    while (counts[0] + counts[1] < pushed)
        test_loop_step(&p->loop);
    assert_int_equal(counts[1], 1);
}

/* What a batch of cleaning waits for itself holds up nobody. */
static void wait_for_the_lock_is_no_cleaning(void **state)
{
    enum { WAIT_MS = 20 };
    play_t *p = *state;
    int counts[2] = {0, 0};
    store_expire_t expire = {.now = TEST_NOW, .limit = 1000, .held_ms = -1};
    sqlite3 *holder = hold_the_lock(p);
    int64_t pushed = mono_ms();
    store_expire(p->conn, &expire, count_down, counts);
    while (mono_ms() - pushed < WAIT_MS)
        sqlite3_sleep(5);
    int64_t released = mono_ms();
    sqlite3_close(holder);
    while (counts[0] + counts[1] == 0)
        test_loop_step(&p->loop);
    assert_int_equal(counts[0], 1);
    assert_in_range(expire.held_ms, 0, mono_ms() - released);
}

static void open_and_close(play_t *p, int out)
{
    play_close(p);
}

static void many_processes_make_one_new_database(void **state)
{
    play_t *p = *state;
    enum { PROCESSES = 8 };
    pid_t pids[PROCESSES];
    play_close(p);
    for (int round = 0; round < 5; round++) {
        play_empty(p);
        for (int i = 0; i < PROCESSES; i++) {
            int in;
            pids[i] = fork_player(p, open_and_close, &in);
            close(in);
        }
        for (int i = 0; i < PROCESSES; i++)
            reap(pids[i], false);
    }
    play_open(p);
    assert_int_equal(store_generation(p->conn), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SHARED_STORES(acknowledged_writes_survive_a_kill),
        ON_SHARED_STORES(two_processes_write_side_by_side),
        ON_SHARED_STORES(busy_writer_lets_another_process_in),
        ON_SHARED_STORES(generation_shows_the_change_of_another_process),
        ON_SQLITE(lock_that_is_held_too_long_is_busy),
        ON_SQLITE(wait_for_the_lock_is_no_cleaning),
        ON_SQLITE(queue_that_is_full_is_busy),
        ON_SQLITE(many_processes_make_one_new_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
