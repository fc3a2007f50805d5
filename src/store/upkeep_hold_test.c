/* A store that is held: who wants to open it touches nothing until another has its place. */
#include "store/sqlite_test_version_1.h"
#include "store/store_test_dump.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *beside(play_t *p, const char *suffix)
{
    return arena_cstr(p->a, arena_printf(p->a, "%s%s", p->path, suffix));
}

static store_hold_t *hold_it(play_t *p)
{
    store_hold_t *hold;
    str_t why = STR_UNSET;
    const store_config_t config = {.driver = STR("sqlite"), .path = str_c(p->path)};
    if (store_hold(&config, p->a, &hold, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    return hold;
}

typedef struct {
    play_t *p;
    arena_t *a;
    store_t *store;
    rc_t rc;
    pthread_t thread;
} opening_t;

static void *open_beside(void *arg)
{
    opening_t *o = arg;
    str_t why;
    const store_config_t config = play_config(o->p);
    o->rc = store_open(o->a, &config, &o->store, &why);
    return NULL;
}

/* Somebody opens it, and has to wait; then `file` takes its place. The play goes on with what was
 * opened. */
static void replace_beside_a_start(play_t *p, store_hold_t *hold, const char *file)
{
    opening_t o = {.p = p, .a = arena_new(1 << 20)};
    assert_int_equal(pthread_create(&o.thread, NULL, open_beside, &o), 0);
    usleep(300000);
    unlink(beside(p, "-wal")); /* of the old one */
    unlink(beside(p, "-shm"));
    assert_int_equal(rename(file, p->path), 0);
    store_release(hold);
    pthread_join(o.thread, NULL);
    assert_int_equal(o.rc, RC_OK);
    p->store = o.store;
    p->conn = play_connect(p->store, &p->loop);
    arena_free(o.a);
}

/* A copy with one family, of a store that then goes on; closed. */
static const char *copy_of_before(play_t *p)
{
    str_t why;
    const char *copy = beside(p, ".copy");
    family_t before = test_family(STR("before")), late = test_family(STR("late"));
    put_family(p, &before);
    assert_int_equal(store_backup(p->store, p->a, copy, &why), RC_OK);
    put_family(p, &late);
    play_close(p);
    return copy;
}

/* Pages of another database would leave some that belong to nothing. */
static void is_sound(play_t *p)
{
    sqlite3 *handle;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(p->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, "PRAGMA integrity_check(1)", -1, &s, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(s, 0), "ok");
    sqlite3_finalize(s);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* In what was opened, and in the file as the next one opens it. */
static void holds_what_was_copied(play_t *p)
{
    for (int i = 0; i < 2; i++) {
        assert_non_null(get_family(p, STR("before")));
        assert_null(get_family(p, STR("late")));
        play_close(p);
        is_sound(p);
        play_open(p);
    }
}

static void who_waits_for_a_store_that_is_held_opens_what_took_its_place(void **state)
{
    play_t *p = *state;
    const char *copy = copy_of_before(p);
    replace_beside_a_start(p, hold_it(p), copy);
    holds_what_was_copied(p);
}

/* Else the new schema of the old one would be in a log that is played over the new one. */
static void who_waits_migrates_nothing_that_is_replaced(void **state)
{
    play_t *p = *state;
    const char *copy = copy_of_before(p);
    assert_int_equal(unlink(p->path), 0);
    test_write_version_1(p->path);
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(p->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, "PRAGMA journal_mode=WAL", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    replace_beside_a_start(p, hold_it(p), copy);
    holds_what_was_copied(p);
}

static void who_waits_where_nothing_is_makes_no_store(void **state)
{
    play_t *p = *state;
    const char *copy = copy_of_before(p);
    assert_int_equal(unlink(p->path), 0);
    replace_beside_a_start(p, hold_it(p), copy);
    holds_what_was_copied(p);
}

/* Nobody could open it, but everybody may try. */
static void damaged_store_is_held_too(void **state)
{
    play_t *p = *state;
    const char *copy = copy_of_before(p);
    char page[8192];
    int fd = open(p->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    memset(page, 'x', sizeof page);
    assert_int_equal(write(fd, page, sizeof page), sizeof page);
    close(fd);
    store_hold_t *hold = hold_it(p);
    assert_true(store_hold_is_full(hold));
    replace_beside_a_start(p, hold, copy);
    holds_what_was_copied(p);
}

static void store_that_is_open_is_not_held(void **state)
{
    play_t *p = *state;
    str_t why;
    store_hold_t *hold = (store_hold_t *)p;
    const store_config_t config = {.driver = STR("sqlite"), .path = str_c(p->path)};
    assert_int_equal(store_hold(&config, p->a, &hold, &why), RC_BUSY);
    assert_null(hold);
    play_close(p);
    store_release(hold_it(p));
    play_open(p);
}

static bool is_idle(play_t *p)
{
    bool idle = true;
    str_t why;
    const store_config_t config = {.driver = STR("sqlite"), .path = str_c(p->path)};
    assert_int_equal(store_idle(&config, p->a, &idle, &why), RC_OK);
    return idle;
}

/* Whether others are kept out, as they find it. */
static bool gate_is_shut(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    bool shut = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
    return shut;
}

/* Who has the database open, and leaves as soon as somebody waits for that: SQLite sleeps where it
 * finds a lock taken. By then nobody else comes in. */
static struct {
    sqlite3 *handle;
    sqlite3_vfs *usual, waiting;
    const char *gate;
    bool shut;
} leaving;

static int leave_and_sleep(sqlite3_vfs *vfs, int us)
{
    if (leaving.handle) {
        leaving.shut = gate_is_shut(leaving.gate);
        sqlite3_close(leaving.handle);
        leaving.handle = NULL;
    }
    return leaving.usual->xSleep(vfs, us);
}

static void open_to_leave(play_t *p)
{
    leaving.gate = beside(p, "-lock");
    leaving.shut = false;
    assert_int_equal(sqlite3_open(p->path, &leaving.handle), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(leaving.handle, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL),
        SQLITE_OK);
}

static void start_to_watch_sleeps(void)
{
    leaving.usual = sqlite3_vfs_find(NULL);
    leaving.waiting = *leaving.usual;
    leaving.waiting.zName = "waiting";
    leaving.waiting.xSleep = leave_and_sleep;
    assert_int_equal(sqlite3_vfs_register(&leaving.waiting, 1), SQLITE_OK);
}

static void end_to_watch_sleeps(void)
{
    sqlite3_vfs_register(leaving.usual, 1);
    sqlite3_vfs_unregister(&leaving.waiting);
}

/* As commands do that start and end beside a restore. */
static void who_is_about_to_end_is_waited_for(void **state)
{
    play_t *p = *state;
    play_close(p);
    start_to_watch_sleeps();
    open_to_leave(p);
    assert_true(is_idle(p));
    assert_true(!leaving.handle && leaving.shut);
    open_to_leave(p);
    store_hold_t *hold = hold_it(p);
    assert_true(!leaving.handle && leaving.shut);
    store_release(hold);
    end_to_watch_sleeps();
    play_open(p);
}

typedef struct {
    pid_t pid;
    int end;
} user_of_t;

static user_of_t start_user_of(const char *path)
{
    int to[2], from[2];
    char byte = 0;
    assert_int_equal(pipe(to) + pipe(from), 0);
    pid_t pid = fork();
    if (pid == 0) {
        sqlite3 *handle;
        close(to[1]);
        sqlite3_open(path, &handle);
        sqlite3_exec(handle, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
        byte = (char)write(from[1], "x", 1);
        byte = (char)read(to[0], &byte, 1);
        _exit(0);
    }
    close(to[0]);
    assert_int_equal(read(from[0], &byte, 1), 1);
    close(from[0]);
    close(from[1]);
    return (user_of_t){pid, to[1]};
}

static void who_has_it_open_is_named(void **state)
{
    play_t *p = *state;
    bool idle = true;
    str_t why;
    store_t *store;
    store_hold_t *hold;
    const store_config_t config = play_config(p);
    play_close(p);
    user_of_t user = start_user_of(p->path);
    const str_t who = arena_printf(p->a, "process %d (", (int)user.pid);
    assert_int_equal(store_idle(&config, p->a, &idle, &why), RC_OK);
    assert_false(idle);
    assert_true(str_starts(why, who));
    assert_int_equal(store_hold(&config, p->a, &hold, &why), RC_BUSY);
    assert_true(str_starts(why, who));
    assert_int_equal(store_open_held(p->a, &config, &store, &hold, &why), RC_BUSY);
    assert_true(str_starts(why, who));
    assert_null(hold);
    close(user.end);
    waitpid(user.pid, NULL, 0);
    play_open(p);
}

/* What is read whole, to be moved, is written by nobody until that is done. */
static void store_that_is_opened_alone_is_kept_from_others(void **state)
{
    play_t *p = *state;
    str_t why;
    store_t *store;
    store_hold_t *hold;
    const store_config_t config = play_config(p);
    family_t f = test_family(STR("f1"));
    put_family(p, &f);
    play_close(p);
    assert_int_equal(store_open_held(p->a, &config, &store, &hold, &why), RC_OK);
    p->store = store;
    p->conn = play_connect(store, &p->loop);
    assert_true(gate_is_shut(beside(p, "-lock")));
    assert_non_null(get_family(p, STR("f1")));
    assert_true(str_contains(play_dump(p), STR("f1")));
    assert_true(gate_is_shut(beside(p, "-lock")));
    play_close(p);
    store_release(hold);
    assert_false(gate_is_shut(beside(p, "-lock")));
    play_open(p);
}

static void store_that_is_not_there_is_held_without_a_file(void **state)
{
    play_t *p = *state;
    play_close(p);
    unlink(p->path);
    store_hold_t *hold = hold_it(p);
    assert_int_not_equal(access(p->path, F_OK), 0);
    assert_false(store_hold_is_there(hold));
    assert_false(store_hold_is_full(hold));
    assert_false(is_idle(p));
    store_release(hold);
    assert_true(is_idle(p));
    play_open(p);
}

static void held_store_tells_whether_it_has_records(void **state)
{
    play_t *p = *state;
    for (int i = 0; i < 2; i++) {
        play_close(p);
        store_hold_t *hold = hold_it(p);
        assert_true(store_hold_is_there(hold));
        assert_int_equal(store_hold_is_full(hold), i == 1);
        store_release(hold);
        play_open(p);
        if (i == 0)
            play_put_all(p);
    }
}

/* It holds no secret, but who has a lock on it keeps the server from its start. */
static void lock_file_is_the_owners_alone(void **state)
{
    play_t *p = *state;
    struct stat st;
    mode_t before = umask(0);
    play_close(p);
    unlink(beside(p, "-lock"));
    play_open(p);
    umask(before);
    assert_int_equal(stat(beside(p, "-lock"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 0);
}

static void lock_file_that_is_a_link_is_refused(void **state)
{
    play_t *p = *state;
    store_t *store;
    str_t why;
    const store_config_t config = play_config(p);
    play_close(p);
    unlink(beside(p, "-lock"));
    assert_int_equal(symlink("elsewhere", beside(p, "-lock")), 0);
    assert_int_equal(store_open(p->a, &config, &store, &why), RC_IO);
    assert_true(str_contains(why, STR("-lock cannot be opened")));
    unlink(beside(p, "-lock"));
    play_open(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(who_waits_for_a_store_that_is_held_opens_what_took_its_place),
        ON_SQLITE(who_waits_migrates_nothing_that_is_replaced),
        ON_SQLITE(who_waits_where_nothing_is_makes_no_store),
        ON_SQLITE(damaged_store_is_held_too),
        ON_SQLITE(store_that_is_open_is_not_held),
        ON_SQLITE(who_is_about_to_end_is_waited_for),
        ON_SQLITE(who_has_it_open_is_named),
        ON_SQLITE(store_that_is_opened_alone_is_kept_from_others),
        ON_SQLITE(store_that_is_not_there_is_held_without_a_file),
        ON_SQLITE(held_store_tells_whether_it_has_records),
        ON_SQLITE(lock_file_is_the_owners_alone),
        ON_SQLITE(lock_file_that_is_a_link_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
