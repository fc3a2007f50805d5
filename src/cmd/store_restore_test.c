/* Restores beside processes that start all the time, as a server does that is started again. */
#include "cmd/admin_test_play.h"

#include "cmd/command.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STARTERS = 3, ROUNDS = 12 };

static char *in_folder(admin_play_t *p, const char *name)
{
    return arena_cstr(p->a, arena_printf(p->a, "%s/%s", p->folder, name));
}

static void silence(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3; i++)
        dup2(fd, i);
}

static pid_t start_one(const char *folder)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    silence();
    execl("/proc/self/exe", "warder", "--command", "admin", "resource", "list", "--data", folder,
          (char *)NULL);
    _exit(97);
}

static volatile sig_atomic_t ending;

static void end(int number)
{
    ending = number;
}

/* A process that starts commands one after the other until it is told to end. */
static pid_t start_on_and_on(const char *folder)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = end, .sa_flags = SA_RESTART}, NULL);
    while (getppid() == parent && !ending)
        waitpid(start_one(folder), NULL, 0);
    _exit(0);
}

/* And what they have started: nothing has the database open then. */
static void end_starters(const pid_t *starters)
{
    for (int i = 0; i < STARTERS; i++)
        kill(starters[i], SIGTERM);
    for (int i = 0; i < STARTERS; i++)
        waitpid(starters[i], NULL, 0);
}

static void start_starters(admin_play_t *p, pid_t *starters)
{
    for (int i = 0; i < STARTERS; i++)
        assert_true((starters[i] = start_on_and_on(p->folder)) > 0);
}

static void add(admin_play_t *p, const char *name)
{
    admin_play_run(
        p, arena_printf(p->a, "admin resource add --uri https://%s.test/mcp --scope a=R", name).p);
}

static void saved(admin_play_t *p)
{
    add(p, "alice");
    admin_play_run(p, arena_printf(p->a, "store backup %s/saved.db", p->folder).p);
}

/* Refused where somebody has just opened it, which is right; else done, and then all is there. */
static bool restore_once(admin_play_t *p, const char *how)
{
    test_command(
        arena_printf(p->a, "store restore %s/saved.db%s --data %s", p->folder, how, p->folder).p,
        STR_UNSET, &p->ran);
    assert_one_line(&p->ran);
    assert_true(p->ran.code == EXIT_DONE || p->ran.code == EXIT_REFUSED);
    return p->ran.code == EXIT_DONE;
}

static void is_restored(admin_play_t *p)
{
    admin_play_run(p, "admin resource list");
    assert_non_null(strstr(p->ran.out, "alice"));
    admin_play_run(p, "store check");
}

static void lose_database(admin_play_t *p)
{
    static const char *const NAMES[] = {"warder.db", "warder.db-wal", "warder.db-shm"};
    for (size_t i = 0; i < 3; i++)
        unlink(in_folder(p, NAMES[i]));
}

static bool rounds(admin_play_t *p, const char *how, void (*before)(admin_play_t *))
{
    pid_t starters[STARTERS];
    int done = 0;
    for (int i = 0; i < ROUNDS; i++) {
        before(p);
        start_starters(p, starters);
        usleep(1000u * (unsigned)(i % 4) * 40u);
        bool restored = false;
        for (int k = 0; k < 20 && !restored; k++)
            restored = restore_once(p, how);
        end_starters(starters);
        done += restored;
        if (restored)
            is_restored(p);
    }
    return done > 0;
}

static void what_starts_again_and_again_writes_nothing_over_a_new_store(void **state)
{
    admin_play_t *p = *state;
    saved(p);
    assert_true(rounds(p, "", lose_database));
}

/* The one of before as the version before left it: its tables are missing what came last. */
static void make_older(admin_play_t *p)
{
    static const char SQL[] =
        "DROP INDEX client_used; DROP INDEX consent_used; ALTER TABLE client DROP COLUMN used_at;"
        "ALTER TABLE consent DROP COLUMN used_at; DELETE FROM resource; PRAGMA user_version=%d";
    sqlite3 *handle;
    sqlite3_stmt *s;
    lose_database(p);
    admin_play_run(p, "admin resource list");
    assert_int_equal(sqlite3_open(in_folder(p, "warder.db"), &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, "PRAGMA user_version", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int version = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    char *sql = sqlite3_mprintf(SQL, version - 1);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_free(sql);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void what_starts_again_and_again_migrates_nothing_over_a_new_store(void **state)
{
    admin_play_t *p = *state;
    saved(p);
    assert_true(rounds(p, " --replace", make_older));
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(what_starts_again_and_again_writes_nothing_over_a_new_store),
        PLAY_TEST(what_starts_again_and_again_migrates_nothing_over_a_new_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
