/* Copies of a database that is in use. */
#include "store/store_test_dump.h"

#include <stdlib.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *copy_path(play_t *p)
{
    return arena_cstr(p->a, arena_printf(p->a, "%s.copy", p->path));
}

/* The copy as a store of its own; the original closed. */
static void open_copy(play_t *p, const char *path)
{
    play_close(p);
    unlink(p->path);
    assert_int_equal(rename(path, p->path), 0);
    play_open(p);
}

static void copy_holds_all_and_is_private(void **state)
{
    play_t *p = *state;
    str_t why;
    struct stat st;
    char *path = copy_path(p);
    play_put_all(p);
    str_t before = play_dump(p);
    assert_int_equal(store_backup(p->store, p->a, path, &why), RC_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    open_copy(p, path);
    assert_str(play_dump(p), before);
}

typedef struct {
    play_t *p;
    pthread_t thread;
    atomic_bool stop;
    int written;
} writer_t;

/* Each family with its refresh token in one step: a copy that holds one without the other is of no
 * moment. */
static void *write_on(void *arg)
{
    writer_t *w = arg;
    test_loop_t *loop = malloc(sizeof *loop);
    assert_non_null(loop);
    test_loop_init(loop);
    store_conn_t *conn = play_connect(w->p->store, loop);
    while (!w->stop) {
        char name[32];
        snprintf(name, sizeof name, "w%d", w->written);
        family_t f = test_family(str_c(name));
        f.user_id = STR_UNSET;
        f.revoked_at = 0;
        refresh_t r = test_refresh(name, str_c(name));
        r.uses = 0;
        r.rotated_at = 0;
        effects_t effects = {0};
        test_result_t result = {0};
        effects_add(&effects, EFFECT_FAMILY_INSERT, TEST_NOW)->u.family = &f;
        effects_add(&effects, EFFECT_REFRESH_INSERT, TEST_NOW)->u.refresh = &r;
        store_apply(conn, &effects, test_done, &result);
        while (!result.done)
            test_loop_step(loop);
        w->written += result.rc == RC_OK;
    }
    store_disconnect(conn);
    test_loop_free(loop);
    free(loop);
    return NULL;
}

static void nothing_found(void *ctx, str_t sentence)
{
    (void)ctx;
    fail_msg("%" PRIstr, STR_ARG(sentence));
}

static void copy_under_load_is_of_one_moment(void **state)
{
    play_t *p = *state;
    str_t why = STR_UNSET;
    store_stats_t stats;
    char *path = copy_path(p);
    writer_t w = {.p = p};
    play_put_all(p);
    assert_int_equal(pthread_create(&w.thread, NULL, write_on, &w), 0);
    for (int round = 0; round < 5; round++) {
        unlink(path);
        usleep(20000);
        if (store_backup(p->store, p->a, path, &why) != RC_OK)
            fail_msg("%" PRIstr, STR_ARG(why));
    }
    w.stop = true;
    pthread_join(w.thread, NULL);
    assert_true(w.written > 0);
    open_copy(p, path);
    const store_finder_t finder = {nothing_found, NULL};
    assert_int_equal(store_check(p->store, p->a, &finder, &why), RC_OK);
    assert_int_equal(store_stats(p->store, &stats, p->a, &why), RC_OK);
    assert_int_equal(stats.table[TABLE_FAMILY].rows, stats.table[TABLE_REFRESH].rows);
}

static void file_that_exists_is_left_alone(void **state)
{
    play_t *p = *state;
    str_t why;
    char *path = copy_path(p);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("mine", f);
    fclose(f);
    assert_int_equal(store_backup(p->store, p->a, path, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("the file exists")));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4);
    unlink(path);
}

static void folder_that_is_missing_gives_a_sentence(void **state)
{
    play_t *p = *state;
    str_t why;
    const char *path = arena_printf(p->a, "%s/missing/copy", p->dir).p;
    assert_int_equal(store_backup(p->store, p->a, path, &why), RC_IO);
    assert_true(str_contains(why, STR("No such file")));
}

/* /dev/full has no room, but is no file either: a limit on the size of files stands in for a full
 * disk. */
static void half_a_copy_is_removed(void **state)
{
    play_t *p = *state;
    char *path = copy_path(p);
    play_put_all(p);
    pid_t pid = fork();
    if (pid == 0) {
        str_t why;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){40960, 40960});
        rc_t rc = store_backup(p->store, p->a, path, &why);
        _exit(rc == RC_IO && access(path, F_OK) != 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void damaged_store_gives_no_copy(void **state)
{
    play_t *p = *state;
    str_t why;
    char page[64], *path = copy_path(p);
    memset(page, 0x5a, sizeof page);
    play_put_all(p);
    play_close(p);
    FILE *f = fopen(p->path, "r+b");
    assert_non_null(f);
    fseek(f, -4096 + 8, SEEK_END);
    fwrite(page, 1, sizeof page, f);
    fclose(f);
    play_open(p);
    assert_int_equal(store_backup(p->store, p->a, path, &why), RC_IO);
    assert_true(str_contains(why, STR("would be damaged")));
    assert_int_not_equal(access(path, F_OK), 0);
}

static bool is_idle(play_t *p)
{
    bool idle;
    str_t why;
    int status;
    const store_config_t config = {.driver = STR("sqlite"), .path = str_c(p->path)};
    /* Another process asks: locks are between processes. */
    pid_t pid = fork();
    if (pid == 0)
        _exit(store_idle(&config, p->a, &idle, &why) != RC_OK ? 2 : idle);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 2);
    return WEXITSTATUS(status) == 1;
}

static void store_that_is_open_is_not_idle(void **state)
{
    play_t *p = *state;
    play_put_all(p);
    assert_false(is_idle(p));
    play_close(p);
    assert_true(is_idle(p));
    unlink(p->path);
    assert_true(is_idle(p));
    play_open(p);
}

static void memory_has_no_file(void **state)
{
    play_t *p = *state;
    str_t why;
    assert_int_equal(store_backup(p->store, p->a, copy_path(p), &why), RC_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(copy_holds_all_and_is_private),
        ON_SQLITE(copy_under_load_is_of_one_moment),
        ON_SQLITE(file_that_exists_is_left_alone),
        ON_SQLITE(folder_that_is_missing_gives_a_sentence),
        ON_SQLITE(half_a_copy_is_removed),
        ON_SQLITE(damaged_store_gives_no_copy),
        ON_SQLITE(store_that_is_open_is_not_idle),
        cmocka_unit_test_setup_teardown(memory_has_no_file, play_begin_memory, play_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
