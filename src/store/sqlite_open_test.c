/* Opening a database: who may read it, and a sentence for each way in which it cannot be. */
#include "store/store_test_util.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void execute(const play_t *p, const char *sql)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(p->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

static rc_t try_to_open(play_t *p, str_t path, str_t *why)
{
    store_config_t config = {.driver = STR("sqlite"), .path = path, .clock = clock_fake(&p->clock)};
    store_t *store;
    *why = STR_UNSET;
    rc_t rc = store_open(p->a, &config, &store, why);
    if (rc == RC_OK)
        store_close(store);
    return rc;
}

static void assert_not_opened(play_t *p, rc_t want, str_t sentence)
{
    str_t why;
    assert_int_equal(try_to_open(p, str_c(p->path), &why), want);
    if (!str_contains(why, sentence))
        fail_msg("%" PRIstr, STR_ARG(why));
    assert_true(str_contains(why, str_c(p->path)));
}

/* Starts over, without a database. */
static void start_empty(play_t *p)
{
    play_close(p);
    assert_int_equal(unlink(p->path), 0);
}

static void finish(play_t *p)
{
    remove(p->path);
    play_open(p);
}

static void write_file(const play_t *p, str_t bytes)
{
    int fd = open(p->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
    close(fd);
}

static void assert_private(const play_t *p, const char *suffix)
{
    char path[96];
    struct stat st;
    snprintf(path, sizeof path, "%s%s", p->path, suffix);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void files_are_the_owners_alone(void **state)
{
    play_t *p = *state;
    mode_t before = umask(0);
    start_empty(p);
    play_open(p);
    client_t c = test_client(STR("c"));
    put_client(p, &c);
    umask(before);
    assert_private(p, "");
    assert_private(p, "-wal");
    assert_private(p, "-shm");
}

static void file_that_others_could_read_is_closed_to_them(void **state)
{
    play_t *p = *state;
    play_close(p);
    assert_int_equal(chmod(p->path, 0664), 0);
    play_open(p);
    assert_private(p, "");
}

static int version_of(const play_t *p)
{
    sqlite3 *handle;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(p->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, "PRAGMA user_version", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int version = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(handle);
    return version;
}

static void newer_database_is_refused(void **state)
{
    play_t *p = *state;
    str_t why;
    int version = version_of(p);
    execute(p, arena_printf(p->a,
                            "PRAGMA user_version=%d;"
                            "UPDATE meta SET value=%d WHERE name='schema_min'",
                            version + 1, version + 1)
                   .p);
    assert_not_opened(p, RC_CONFIG, STR("start the newer program"));
    execute(p, arena_printf(p->a, "PRAGMA user_version=%d", version).p);
    assert_int_equal(try_to_open(p, str_c(p->path), &why), RC_OK);
}

static void database_of_another_program_is_refused_and_left_alone(void **state)
{
    play_t *p = *state;
    start_empty(p);
    execute(p, "CREATE TABLE client(theirs)");
    assert_not_opened(p, RC_CONFIG, STR("belongs to another program"));
    execute(p, "INSERT INTO client(theirs) VALUES(1)");
    finish(p);
}

static void file_that_is_no_database_is_refused_and_left_alone(void **state)
{
    static const str_t TEXT = STR_INIT("a letter to a friend, longer than any header is");
    play_t *p = *state;
    char got[64];
    start_empty(p);
    write_file(p, TEXT);
    assert_not_opened(p, RC_CONFIG, STR("not a database of Warder"));
    int fd = open(p->path, O_RDONLY);
    assert_int_equal(read(fd, got, sizeof got), TEXT.n);
    assert_memory_equal(got, TEXT.p, TEXT.n);
    close(fd);
    finish(p);
}

static void damaged_database_is_refused(void **state)
{
    play_t *p = *state;
    play_close(p);
    int fd = open(p->path, O_WRONLY);
    char rubbish[3000];
    memset(rubbish, 0x5a, sizeof rubbish);
    /* Behind the header: the table of tables. */
    assert_int_equal(pwrite(fd, rubbish, sizeof rubbish, 100), sizeof rubbish);
    close(fd);
    assert_not_opened(p, RC_IO, STR("restore it from a backup"));
    finish(p);
}

static void link_is_refused(void **state)
{
    play_t *p = *state;
    start_empty(p);
    assert_int_equal(symlink("/dev/null", p->path), 0);
    assert_not_opened(p, RC_CONFIG, STR("not a plain file"));
    finish(p);
}

static void folder_is_refused(void **state)
{
    play_t *p = *state;
    start_empty(p);
    assert_int_equal(mkdir(p->path, 0700), 0);
    assert_not_opened(p, RC_CONFIG, STR("not a plain file"));
    finish(p);
}

static void missing_folder_gives_a_sentence(void **state)
{
    play_t *p = *state;
    str_t why;
    assert_int_equal(try_to_open(p, STR("/nonexistent/folder/db"), &why), RC_IO);
    assert_true(str_contains(why, STR("No such file")));
    assert_true(str_contains(why, STR("give the setting data a folder")));
}

static void path_that_is_no_file_is_refused(void **state)
{
    play_t *p = *state;
    str_t why;
    assert_int_equal(try_to_open(p, STR(":memory:"), &why), RC_CONFIG);
    assert_int_equal(try_to_open(p, STR(""), &why), RC_CONFIG);
    assert_int_equal(try_to_open(p, STR_UNSET, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("path of a file")));
}

/* As a user who is not root and for whom file modes count. */
static void as_nobody(play_t *p, str_t sentence)
{
    pid_t pid = fork();
    if (pid == 0) {
        str_t why;
        bool dropped = geteuid() != 0 || (setegid(65534) == 0 && seteuid(65534) == 0);
        rc_t rc = dropped ? try_to_open(p, str_c(p->path), &why) : RC_OK;
        _exit(rc == RC_IO && str_contains(why, sentence) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void read_only_file_gives_a_sentence(void **state)
{
    play_t *p = *state;
    play_close(p);
    assert_int_equal(chmod(p->dir, 0777), 0);
    assert_int_equal(chmod(p->path, 0444), 0);
    as_nobody(p, STR("Permission denied"));
    assert_int_equal(chmod(p->path, 0600), 0);
    play_open(p);
}

static void read_only_folder_gives_a_sentence(void **state)
{
    play_t *p = *state;
    play_close(p);
    if (geteuid() == 0)
        assert_int_equal(chown(p->path, 65534, 65534), 0);
    assert_int_equal(unlink(arena_printf(p->a, "%s-lock", p->path).p), 0);
    assert_int_equal(chmod(p->dir, 0555), 0);
    /* The log cannot be made beside the file; that the lock file cannot is no matter. */
    as_nobody(p, STR("let this user write the file and its folder"));
    assert_int_equal(chmod(p->dir, 0700), 0);
    play_open(p);
}

/* As after a command of root's where there was no database yet. */
static void lock_file_of_another_gives_a_sentence(void **state)
{
    play_t *p = *state;
    if (geteuid() != 0)
        skip();
    play_close(p);
    assert_int_equal(chown(p->path, 65534, 65534), 0);
    assert_int_equal(chown(p->dir, 65534, 65534), 0);
    as_nobody(p, STR("-lock cannot be opened (Permission denied); let this user read it"));
    /* One that root makes beside a database is its owner's. */
    assert_int_equal(unlink(arena_printf(p->a, "%s-lock", p->path).p), 0);
    play_open(p);
    play_close(p);
    struct stat st;
    assert_int_equal(stat(arena_printf(p->a, "%s-lock", p->path).p, &st), 0);
    assert_int_equal(st.st_uid, 65534);
    play_open(p);
}

static void database_that_another_program_holds_is_busy(void **state)
{
    play_t *p = *state;
    sqlite3 *holder;
    play_close(p);
    assert_int_equal(sqlite3_open(p->path, &holder), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(holder, "PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE", NULL, NULL, NULL),
        SQLITE_OK);
    assert_not_opened(p, RC_BUSY, STR("another program holds it"));
    sqlite3_close(holder);
    play_open(p);
}

static void data_stays_from_one_opening_to_the_next(void **state)
{
    play_t *p = *state;
    client_t c = test_client(STR("c"));
    put_client(p, &c);
    for (int i = 0; i < 3; i++) {
        play_close(p);
        play_open(p);
        assert_non_null(get_client(p, c.id));
    }
}

static bool file_holds(play_t *p, const char *end, str_t secret)
{
    static char bytes[1 << 20];
    FILE *f = fopen(arena_printf(p->a, "%s%s", p->path, end).p, "rb");
    if (!f)
        return false;
    str_t text = {bytes, fread(bytes, 1, sizeof bytes, f)};
    assert_int_equal(fclose(f), 0);
    return str_contains(text, secret);
}

/* Beside a store that stays open, as that of a server does: a backup must not hold what is gone. */
static void key_that_is_deleted_leaves_the_files(void **state)
{
    play_t *p = *state;
    const str_t secret = STR("a secret that nobody else has, of some length");
    const key_record_t key = {.kid = STR("k"), .alg = STR("ES256"), .secret = secret};
    play_add(p, EFFECT_KEY_PUT)->u.key_record = &key;
    assert_applied(p);
    assert_true(file_holds(p, "", secret) || file_holds(p, "-wal", secret));
    play_add(p, EFFECT_KEY_DELETE)->u.key = key.kid;
    assert_applied(p);
    assert_false(file_holds(p, "", secret));
    assert_false(file_holds(p, "-wal", secret));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(files_are_the_owners_alone),
        ON_SQLITE(file_that_others_could_read_is_closed_to_them),
        ON_SQLITE(newer_database_is_refused),
        ON_SQLITE(database_of_another_program_is_refused_and_left_alone),
        ON_SQLITE(file_that_is_no_database_is_refused_and_left_alone),
        ON_SQLITE(damaged_database_is_refused),
        ON_SQLITE(link_is_refused),
        ON_SQLITE(folder_is_refused),
        ON_SQLITE(missing_folder_gives_a_sentence),
        ON_SQLITE(path_that_is_no_file_is_refused),
        ON_SQLITE(read_only_file_gives_a_sentence),
        ON_SQLITE(read_only_folder_gives_a_sentence),
        ON_SQLITE(lock_file_of_another_gives_a_sentence),
        ON_SQLITE(database_that_another_program_holds_is_busy),
        ON_SQLITE(key_that_is_deleted_leaves_the_files),
        ON_SQLITE(data_stays_from_one_opening_to_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
