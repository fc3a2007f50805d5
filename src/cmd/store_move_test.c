/* Stores written to files of text, filled from them, and moved. */
#include "cmd/admin_test_play.h"

#include "cmd/command.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    admin_play_t *from, *to;
    char file[128];
} pair_t;

static int setup(void **state)
{
    void *from, *to;
    pair_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    admin_play_setup(&from);
    admin_play_setup(&to);
    p->from = from;
    p->to = to;
    snprintf(p->file, sizeof p->file, "%s/store.jsonl", p->from->folder);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    pair_t *p = *state;
    void *from = p->from, *to = p->to;
    admin_play_teardown(&from);
    admin_play_teardown(&to);
    free(p);
    return 0;
}

static char *words(pair_t *p, const char *fmt, const char *word)
{
    /* The forms stand in the tests. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return arena_cstr(p->from->a, arena_printf(p->from->a, fmt, word));
#pragma GCC diagnostic pop
}

/* A resource: an account would cost a second of hashing. */
static void add(admin_play_t *p, const char *name)
{
    admin_play_run(
        p, arena_printf(p->a, "admin resource add --uri https://%s.test/mcp --scope a=R", name).p);
}

static void fill(pair_t *p)
{
    add(p->from, "alice");
    add(p->from, "bob");
    admin_play_run(p->from, "admin key rotate");
    admin_play_run(p->from, "admin revoke --token f.j");
}

static const char *text_of(const char *path)
{
    static char text[65536];
    assert_true(test_read(path, text, sizeof text));
    return text;
}

static void export_to_file(pair_t *p)
{
    fill(p);
    admin_play_run(p->from, words(p, "store export %s", p->file));
}

static void exported_file_is_private_and_whole(void **state)
{
    pair_t *p = *state;
    struct stat st;
    export_to_file(p);
    assert_int_equal(stat(p->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    const char *text = text_of(p->file);
    assert_int_equal(strncmp(text, "{\"warder_store\":2,", 18), 0);
    assert_non_null(strstr(text, "{\"table\":\"resource\",\"record\":{\"uri\":"));
    assert_non_null(strstr(text, "https://alice.test/mcp"));
    assert_non_null(
        strstr(text, "{\"end\":{\"revocation\":1,\"counts\":{\"client\":0,\"user\":0,"));
    assert_non_null(strstr(admin_play_trail(p->from), "\"exported\""));
}

static void export_goes_to_a_pipe_too(void **state)
{
    pair_t *p = *state;
    fill(p);
    admin_play_run(p->from, "store export");
    assert_non_null(strstr(p->from->ran.out, "\"sha256\":"));
}

static void file_that_exists_is_left_alone(void **state)
{
    pair_t *p = *state;
    const char *path = test_file(p->from->folder, "mine", "mine");
    admin_play_refused(p->from, words(p, "store export %s", path), EXIT_REFUSED, "exists");
    assert_string_equal(text_of(path), "mine");
}

static void import_brings_all_back(void **state)
{
    pair_t *p = *state;
    export_to_file(p);
    admin_play_run(p->to, words(p, "store import %s", p->file));
    assert_non_null(strstr(p->to->ran.out, "records imported"));
    assert_non_null(strstr(admin_play_trail(p->to), "\"imported\""));
    admin_play_run(p->from, "admin key list");
    char keys[16384];
    snprintf(keys, sizeof keys, "%s", p->from->ran.out);
    admin_play_run(p->to, "admin key list");
    assert_string_equal(p->to->ran.out, keys);
    /* and what is exported there has the same records */
    admin_play_run(p->to, "store export");
    const char *here = strchr(text_of(p->file), '\n'), *there = strchr(p->to->ran.out, '\n');
    size_t n = (size_t)(strstr(here, "{\"end\"") - here);
    assert_int_equal(strncmp(here, there, n), 0);
}

static void import_refused(pair_t *p, const char *text, const char *says)
{
    const char *path = test_file(p->from->folder, "other.jsonl", text);
    admin_play_refused(p->to, words(p, "store import %s", path), EXIT_REFUSED, says);
    admin_play_run(p->to, "store stats --json");
    assert_non_null(strstr(p->to->ran.out, "\"resource\":{\"rows\":0,"));
}

static void file_that_is_not_whole_fills_nothing(void **state)
{
    pair_t *p = *state;
    export_to_file(p);
    char *text = arena_cstr(p->from->a, str_c(text_of(p->file)));
    char *end = strstr(text, "{\"end\"");
    *end = '\0';
    import_refused(p, text, "its end is missing");
    *end = '{';
    char *name = strstr(text, "alice");
    name[0] = 'e';
    import_refused(p, text, "was changed");
    name[0] = 'a';
    text[strlen("{\"warder_store\":")] = '9';
    import_refused(p, text, "newer program");
    import_refused(p, "PK", "no export");
}

static void store_with_records_is_not_filled(void **state)
{
    pair_t *p = *state;
    export_to_file(p);
    add(p->to, "carol");
    admin_play_refused(p->to, words(p, "store import %s", p->file), EXIT_REFUSED,
                       "holds records already");
}

static void words_are_wanted(void **state)
{
    pair_t *p = *state;
    admin_play_refused(p->from, "store import", EXIT_USAGE, "wants one FILE");
    admin_play_refused(p->from, words(p, "store import %s/none/file", p->from->folder), EXIT_FAILED,
                       "cannot be read");
    admin_play_refused(p->from, words(p, "store export %s/none/file", p->from->folder), EXIT_FAILED,
                       "cannot be written");
    admin_play_refused(p->from, "store migrate", EXIT_USAGE, "say where to");
    admin_play_refused(p->from, "store migrate --to-store sqlite", EXIT_USAGE, "say where to");
    admin_play_refused(p->from, "store migrate --to-store memory --to-data /tmp", EXIT_USAGE,
                       "say where to");
    admin_play_refused(p->from, "store migrate --to-store postgres --to-data /tmp", EXIT_USAGE,
                       "say where to");
}

static void store_is_moved(void **state)
{
    pair_t *p = *state;
    fill(p);
    admin_play_run(p->from,
                   words(p, "store migrate --to-store sqlite --to-data %s", p->to->folder));
    assert_non_null(strstr(p->from->ran.out, "records moved, and read again"));
    assert_non_null(strstr(admin_play_trail(p->from), "\"migrated\""));
    admin_play_run(p->to, "admin resource list");
    assert_non_null(strstr(p->to->ran.out, "alice"));
    admin_play_refused(p->from,
                       words(p, "store migrate --to-store sqlite --to-data %s", p->to->folder),
                       EXIT_REFUSED, "name one that is empty");
}

static void store_in_use_is_moved_only_by_will(void **state)
{
    pair_t *p = *state;
    fill(p);
    admin_play_store(p->from);
    char *line = words(p, "store migrate --to-store sqlite --to-data %s", p->to->folder);
    admin_play_refused(
        p->from, line, EXIT_REFUSED,
        arena_printf(p->from->a, "another process uses the store (process %d (", (int)getpid()).p);
    test_command(
        words(p, "%s",
              arena_printf(p->from->a, "%s --while-running --data %s", line, p->from->folder).p),
        STR_UNSET, &p->from->ran);
    assert_int_equal(p->from->ran.code, EXIT_DONE);
    assert_non_null(strstr(p->from->ran.err, "is not moved"));
}

/* Whoever opens a database waits while this is taken. */
static bool is_shut(int gate)
{
    bool shut = flock(gate, LOCK_SH | LOCK_NB) != 0;
    flock(gate, LOCK_UN);
    return shut;
}

static int open_gate(admin_play_t *p)
{
    int fd = open(arena_printf(p->a, "%s/warder.db-lock", p->folder).p, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* Whether the process stands before the gate of the store in `folder`. */
static bool has_open(pid_t pid, const char *folder)
{
    char gate[128];
    snprintf(gate, sizeof gate, "%s/warder.db-lock", folder);
    for (int fd = 0; fd < 64; fd++) {
        char path[64], target[256];
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        ssize_t n = readlink(path, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        if (strcmp(target, gate) == 0)
            return true;
    }
    return false;
}

static pid_t start_to_move(pair_t *p)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3; i++)
        dup2(fd, i);
    execl("/proc/self/exe", "warder", "--command", "store", "migrate", "--to-store", "sqlite",
          "--to-data", p->to->folder, "--data", p->from->folder, (char *)NULL);
    _exit(97);
}

/* A server that starts while the store is moved would write to what is left behind. The one it goes
 * to is kept shut, so that it stands still on its way. */
static void nobody_opens_a_store_while_it_is_moved(void **state)
{
    pair_t *p = *state;
    int status;
    bool waits = false;
    fill(p);
    admin_play_run(p->to, "admin resource list");
    int from = open_gate(p->from), to = open_gate(p->to);
    assert_int_equal(flock(to, LOCK_EX), 0);
    pid_t pid = start_to_move(p);
    for (int i = 0; i < 8000 && !waits; i++) {
        usleep(1000);
        /* in this order: until it is that program, the child has what this one has open */
        waits = is_shut(from) && has_open(pid, p->to->folder);
    }
    bool shut = is_shut(from);
    flock(to, LOCK_UN);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(waits && shut);
    assert_false(is_shut(from));
    admin_play_run(p->to, "admin resource list");
    assert_non_null(strstr(p->to->ran.out, "alice"));
    close(from);
    close(to);
}

static void store_is_not_moved_onto_itself(void **state)
{
    pair_t *p = *state;
    fill(p);
    admin_play_refused(p->from,
                       words(p, "store migrate --to-store sqlite --to-data %s", p->from->folder),
                       EXIT_REFUSED, "holds records already");
}

#define TO   "WARDER_TEST_MOVED_TO"
#define FROM "WARDER_TEST_MOVED_FROM"

/* As a program of before the gate: it asks nobody. */
static int write_to_source(void *ignored)
{
    sqlite3 *handle;
    (void)ignored;
    sqlite3_open(getenv(FROM), &handle);
    sqlite3_exec(handle, "INSERT INTO spent(id, expires_at) VALUES(randomblob(32), 1)", NULL, NULL,
                 NULL);
    sqlite3_close(handle);
    return 0;
}

static int watch(sqlite3 *handle, char **why, const struct sqlite3_api_routines *api)
{
    const char *path = sqlite3_db_filename(handle, "main");
    (void)why;
    (void)api;
    if (path && strcmp(path, getenv(TO)) == 0)
        sqlite3_commit_hook(handle, write_to_source, NULL);
    return SQLITE_OK;
}

/* In the command's process: as all that was read is committed there, something is written here. */
static void write_where_wanted(void)
{
    /* The type that SQLite declares stands for any; the one above is what it calls. */
    if (getenv(TO) && getenv(FROM))
        sqlite3_auto_extension((void (*)(void))watch);
}

static void what_is_written_past_the_gate_fails_the_move(void **state)
{
    pair_t *p = *state;
    char *line = words(p, "store migrate --to-store sqlite --to-data %s", p->to->folder);
    fill(p);
    setenv(TO, words(p, "%s/warder.db", p->to->folder), 1);
    setenv(FROM, words(p, "%s/warder.db", p->from->folder), 1);
    admin_play_refused(p->from, line, EXIT_FAILED, "another program wrote to the store");
    unsetenv(TO);
    unsetenv(FROM);
    assert_null(strstr(admin_play_trail(p->from), "\"migrated\""));
}

#define PAIR_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
    int code;
    write_where_wanted();
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PAIR_TEST(exported_file_is_private_and_whole),
        PAIR_TEST(export_goes_to_a_pipe_too),
        PAIR_TEST(file_that_exists_is_left_alone),
        PAIR_TEST(import_brings_all_back),
        PAIR_TEST(file_that_is_not_whole_fills_nothing),
        PAIR_TEST(store_with_records_is_not_filled),
        PAIR_TEST(words_are_wanted),
        PAIR_TEST(store_is_moved),
        PAIR_TEST(store_in_use_is_moved_only_by_will),
        PAIR_TEST(nobody_opens_a_store_while_it_is_moved),
        PAIR_TEST(what_is_written_past_the_gate_fails_the_move),
        PAIR_TEST(store_is_not_moved_onto_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
