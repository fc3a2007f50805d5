/* What becomes of the folder when processes begin, work and die at the same time, and when the disk
 * is full. attack case: CLI-015 */
#include "core/core_test_util.h"
#include "tokens/tokens_test_drivers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MS = 60000,
    MANY = 4,
    TWO = 2,
    ROUNDS = 100,
    KEY_ROUNDS = 10,
    KILLS = 60,
    RECORD = 8000
};

#define SECRET "the-access-token-itself"

/* Each is forked before it opens the folder, and starts when the gate opens. */

typedef struct {
    int gate[2];
    pid_t pids[MANY];
    int n;
} crowd_t;

static void crowd_start(crowd_t *c, tokens_test_keep_t *k, int (*body)(tokens_test_keep_t *, int))
{
    char byte;
    assert_int_equal(pipe2(c->gate, O_CLOEXEC), 0);
    for (int i = 0; i < c->n; i++) {
        c->pids[i] = fork();
        assert_true(c->pids[i] >= 0);
        if (c->pids[i] != 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        close(c->gate[1]);
        if (read(c->gate[0], &byte, 1) < 0)
            _exit(9);
        _exit(body(k, i));
    }
}

static void crowd_end(crowd_t *c)
{
    close(c->gate[0]);
    close(c->gate[1]);
    for (int i = 0; i < c->n; i++) {
        int status;
        assert_int_equal(waitpid(c->pids[i], &status, 0), c->pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static int open_and_put(tokens_test_keep_t *k, int i)
{
    tokens_folder_t *f;
    str_t why;
    if (tokens_folder_open(k->arena, tokens_test_at(k, ""), &f, &why) != RC_OK)
        return 1;
    k->keep = tokens_folder_keep(f);
    return tokens_test_put(k, arena_printf(k->arena, "tokens-%d", i), STR(SECRET), &why) == RC_OK
               ? 0
               : 2;
}

static void processes_that_begin_at_once_agree_on_one_key(void **state)
{
    tokens_test_keep_t *k = *state;
    for (int round = 0; round < KEY_ROUNDS; round++) {
        crowd_t crowd = {.n = MANY};
        tokens_test_keep_t fresh = {.arena = k->arena, .folder = tokens_test_folder()};
        crowd_start(&crowd, &fresh, open_and_put);
        crowd_end(&crowd);
        TOKENS_TEST_DRIVERS[TOKENS_TEST_FOLDER].open(&fresh);
        for (int i = 0; i < MANY; i++)
            tokens_test_assert_kept(&fresh, arena_printf(k->arena, "tokens-%d", i), STR(SECRET));
        assert_int_equal(tokens_test_files_ending(&fresh, STR(".draft")), 0);
        TOKENS_TEST_DRIVERS[TOKENS_TEST_FOLDER].close(&fresh);
        tokens_test_folder_remove(fresh.folder);
    }
}

static int count_up(tokens_test_keep_t *k, int i)
{
    (void)i;
    for (int round = 0; round < ROUNDS; round++) {
        tokens_lock_t *lock;
        str_t text, why;
        if (k->keep.lock(k->keep.ctx, STR("tokens-1"), WAIT_MS, &lock) != RC_OK)
            return 1;
        if (tokens_test_get(k, STR("tokens-1"), &text, &why) != RC_OK)
            return 2;
        int n = atoi(arena_cstr(k->arena, text));
        if (tokens_test_put(k, STR("tokens-1"), arena_printf(k->arena, "%d", n + 1), &why) != RC_OK)
            return 3;
        k->keep.unlock(k->keep.ctx, lock);
    }
    return 0;
}

static void processes_that_count_under_a_lock_lose_nothing(void **state)
{
    tokens_test_keep_t *k = *state;
    crowd_t crowd = {.n = TWO};
    tokens_test_assert_put(k, STR("tokens-1"), STR("0"));
    crowd_start(&crowd, k, count_up);
    crowd_end(&crowd);
    tokens_test_assert_kept(k, STR("tokens-1"), arena_printf(k->arena, "%d", TWO * ROUNDS));
}

/* A child that does `body`, tells so, and goes on until it is killed. */
static pid_t child_at_work(tokens_test_keep_t *k, void (*body)(tokens_test_keep_t *k, int tell))
{
    int ends[2];
    char byte;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        body(k, ends[1]);
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static void kill_child(pid_t pid)
{
    int status;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void take_and_stay(tokens_test_keep_t *k, int tell)
{
    tokens_lock_t *lock;
    if (k->keep.lock(k->keep.ctx, STR("tokens-1"), WAIT_MS, &lock) == RC_OK &&
        write(tell, "", 1) == 1)
        pause();
}

static void a_lock_ends_with_its_process(void **state)
{
    tokens_test_keep_t *k = *state;
    tokens_lock_t *lock;
    pid_t pid = child_at_work(k, take_and_stay);
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), 30, &lock), RC_BUSY);
    kill_child(pid);
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), WAIT_MS, &lock), RC_OK);
    k->keep.unlock(k->keep.ctx, lock);
}

static void a_lock_does_not_stay_with_a_process_that_was_forked_meanwhile(void **state)
{
    tokens_test_keep_t *k = *state;
    tokens_lock_t *lock, *again;
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), WAIT_MS, &lock), RC_OK);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
        _exit(1);
    }
    k->keep.unlock(k->keep.ctx, lock);
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), 0, &again), RC_OK);
    k->keep.unlock(k->keep.ctx, again);
    kill_child(pid);
}

static void a_lock_whose_file_was_removed_is_taken_anew(void **state)
{
    tokens_test_keep_t *k = *state;
    tokens_lock_t *lock, *again;
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), WAIT_MS, &lock), RC_OK);
    assert_int_equal(unlink(tokens_test_at(k, "tokens-1.lock").p), 0);
    k->keep.unlock(k->keep.ctx, lock);
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), WAIT_MS, &lock), RC_OK);
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), 0, &again), RC_BUSY);
    k->keep.unlock(k->keep.ctx, lock);
    /* A lock that is a link into somebody's files is none. */
    assert_int_equal(unlink(tokens_test_at(k, "tokens-1.lock").p), 0);
    assert_int_equal(symlink("key", tokens_test_at(k, "tokens-1.lock").p), 0);
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), 0, &lock), RC_IO);
    assert_null(lock);
}

static void fill_record(char text[RECORD], int i)
{
    memset(text, 'a' + i % 26, RECORD);
}

static void write_without_end(tokens_test_keep_t *k, int tell)
{
    static char text[RECORD];
    str_t why;
    for (int i = 0;; i++) {
        fill_record(text, i);
        arena_reset(k->arena);
        if (tokens_test_put(k, STR("tokens-1"), str_of(text, RECORD), &why) != RC_OK)
            return;
        if (i == 0 && write(tell, "", 1) != 1)
            return;
    }
}

static void assert_whole(str_t text)
{
    assert_int_equal(text.n, RECORD);
    for (size_t i = 1; i < text.n; i++)
        if (text.p[i] != text.p[0])
            fail_msg("byte %zu is of another record", i);
}

/* attack case: CLI-015 */
static void a_writer_that_is_killed_leaves_a_whole_record(void **state)
{
    tokens_test_keep_t *k = *state;
    uint64_t bits = 0;
    for (int i = 0; i < KILLS; i++) {
        str_t text, why;
        pid_t pid = child_at_work(k, write_without_end);
        assert_int_equal(random_system().fill(NULL, &bits, sizeof bits), RC_OK);
        /* Anywhere within the time of some writes. */
        const struct timespec some = {0, (long)(bits % 2000000)};
        nanosleep(&some, NULL);
        kill_child(pid);
        assert_int_equal(tokens_test_get(k, STR("tokens-1"), &text, &why), RC_OK);
        assert_whole(text);
    }
    print_message("%zu writes were cut short\n", tokens_test_files_ending(k, STR(".draft")));
}

/* attack case: CLI-015 */
static void a_full_disk_leaves_the_old_record(void **state)
{
    tokens_test_keep_t *k = *state;
    static char text[RECORD];
    struct rlimit old, small;
    str_t why;
    fill_record(text, 0);
    tokens_test_assert_put(k, STR("tokens-1"), str_of(text, RECORD));
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){RECORD / 2, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    fill_record(text, 1);
    rc_t rc = tokens_test_put(k, STR("tokens-1"), str_of(text, RECORD), &why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(rc, RC_IO);
    assert_true(str_contains(why, STR("cannot write in")));
    assert_false(str_contains(why, STR("bbbb")));
    assert_int_equal(tokens_test_files_ending(k, STR(".draft")), 0);
    fill_record(text, 0);
    tokens_test_assert_kept(k, STR("tokens-1"), str_of(text, RECORD));
}

static int setup(void **state)
{
    *state = (void *)(uintptr_t)&TOKENS_TEST_DRIVERS[TOKENS_TEST_FOLDER];
    return tokens_test_setup(state);
}

#define FOLDER_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, tokens_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(processes_that_begin_at_once_agree_on_one_key),
        FOLDER_TEST(processes_that_count_under_a_lock_lose_nothing),
        FOLDER_TEST(a_lock_ends_with_its_process),
        FOLDER_TEST(a_lock_does_not_stay_with_a_process_that_was_forked_meanwhile),
        FOLDER_TEST(a_lock_whose_file_was_removed_is_taken_anew),
        FOLDER_TEST(a_writer_that_is_killed_leaves_a_whole_record),
        FOLDER_TEST(a_full_disk_leaves_the_old_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
