/* Backups, and what a restore does to what followers and clients have seen. */
#include "cmd/admin_test_play.h"

#include "cmd/command.h"

#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A resource: an account would cost a second of hashing. */
static void add(admin_play_t *p, const char *name)
{
    admin_play_run(
        p, arena_printf(p->a, "admin resource add --uri https://%s.test/mcp --scope a=R", name).p);
}

static char *in_folder(admin_play_t *p, const char *name)
{
    return arena_cstr(p->a, arena_printf(p->a, "%s/%s", p->folder, name));
}

/* Closes what admin_play_store has opened. */
static void stop(admin_play_t *p)
{
    store_disconnect(p->conn);
    store_close(p->store);
    p->conn = NULL;
    p->store = NULL;
}

static void run_with(admin_play_t *p, const char *before, const char *file, const char *behind)
{
    admin_play_run(p, arena_printf(p->a, "%s %s/%s%s", before, p->folder, file, behind).p);
}

static void refused_with(admin_play_t *p, const char *before, const char *file, int code,
                         const char *says)
{
    admin_play_refused(p, arena_printf(p->a, "%s %s/%s", before, p->folder, file).p, code, says);
}

static void has(admin_play_t *p, const char *name, bool has)
{
    admin_play_run(p, "admin resource list");
    assert_int_equal(strstr(p->ran.out, name) != NULL, has);
}

static void saved(admin_play_t *p)
{
    add(p, "alice");
    admin_play_run(p, "admin revoke --token a.1");
    run_with(p, "store backup", "saved.db", "");
    run_with(p, "store export", "saved.jsonl", "");
    add(p, "bob");
    admin_play_run(p, "admin revoke --token a.2");
}

static void backup_is_recorded(void **state)
{
    admin_play_t *p = *state;
    saved(p);
    assert_non_null(strstr(admin_play_trail(p), "\"saved\""));
    refused_with(p, "store backup", "saved.db", EXIT_REFUSED, "the file exists");
}

/* The folder without its database, as on a new machine. */
static void lose_database(admin_play_t *p)
{
    unlink(in_folder(p, "warder.db"));
    unlink(in_folder(p, "warder.db-wal"));
    unlink(in_folder(p, "warder.db-shm"));
}

/* SQLite would play it over whatever database it finds beside it. */
static void leave_log(admin_play_t *p, const char *name)
{
    FILE *f = fopen(in_folder(p, name), "w");
    assert_non_null(f);
    assert_true(fputs("of a database that is gone", f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void no_log_of_before_is_left(void **state)
{
    static const char *const LOGS[] = {"warder.db-wal", "warder.db.saved-wal"};
    admin_play_t *p = *state;
    saved(p);
    lose_database(p);
    for (size_t i = 0; i < 2; i++)
        leave_log(p, LOGS[i]);
    run_with(p, "store restore", "saved.db", "");
    for (size_t i = 0; i < 2; i++)
        assert_int_not_equal(access(in_folder(p, LOGS[i]), F_OK), 0);
    has(p, "alice", true);
}

static void copy_file(admin_play_t *p, const char *from, const char *to)
{
    char block[65536];
    size_t n;
    FILE *in = fopen(in_folder(p, from), "rb"), *out = fopen(in_folder(p, to), "wb");
    assert_non_null(in);
    assert_non_null(out);
    while ((n = fread(block, 1, sizeof block, in)) > 0)
        assert_int_equal(fwrite(block, 1, n, out), n);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* A whole log, as a process that was killed leaves one: SQLite would believe it. */
static void keep_log(admin_play_t *p)
{
    admin_play_store(p); /* so that the command does not clear it away */
    add(p, "logged");
    copy_file(p, "warder.db-wal", "kept-wal");
    stop(p);
}

static void log_of_another_database_is_not_played_over_what_is_restored(void **state)
{
    static const char *const LOGS[] = {"warder.db.saved-wal", "warder.db-wal"};
    admin_play_t *p = *state;
    saved(p);
    keep_log(p);
    for (size_t i = 0; i < 2; i++) {
        lose_database(p);
        copy_file(p, "kept-wal", LOGS[i]);
        run_with(p, "store restore", "saved.db", "");
        has(p, "alice", true);
        has(p, "logged", false);
        has(p, "bob", false);
        admin_play_run(p, "store check");
    }
}

static void restores_where_nothing_is(void **state)
{
    static const char *const FILES[] = {"saved.db", "saved.jsonl"};
    admin_play_t *p = *state;
    saved(p);
    for (size_t i = 0; i < 2; i++) {
        lose_database(p);
        run_with(p, "store restore", FILES[i], "");
        assert_non_null(strstr(p->ran.out, "records restored"));
        has(p, "alice", true);
        has(p, "bob", false);
    }
    assert_non_null(strstr(admin_play_trail(p), "records of a backup"));
    assert_non_null(strstr(admin_play_trail(p), "records of an export"));
}

static void store_with_records_is_kept(void **state)
{
    admin_play_t *p = *state;
    saved(p);
    refused_with(p, "store restore", "saved.db", EXIT_REFUSED, "--replace");
    has(p, "bob", true);
    assert_int_not_equal(access(in_folder(p, "warder.db.restoring"), F_OK), 0);
    assert_int_not_equal(access(in_folder(p, "warder.db.saved"), F_OK), 0);
}

static void replaced_database_is_put_aside(void **state)
{
    admin_play_t *p = *state;
    glob_t found;
    struct stat st;
    saved(p);
    run_with(p, "store restore", "saved.db", " --replace");
    has(p, "bob", false);
    assert_int_equal(glob(in_folder(p, "warder.db.before-*"), 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    assert_int_equal(stat(found.gl_pathv[0], &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    /* and is a store that can be put back */
    admin_play_run(p, arena_printf(p->a, "store restore %s --replace", found.gl_pathv[0]).p);
    has(p, "bob", true);
    globfree(&found);
}

static void backup_is_not_written_by_a_restore(void **state)
{
    admin_play_t *p = *state;
    struct stat before, after;
    saved(p);
    lose_database(p);
    assert_int_equal(stat(in_folder(p, "saved.db"), &before), 0);
    run_with(p, "store restore", "saved.db", "");
    assert_int_equal(stat(in_folder(p, "saved.db"), &after), 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
    assert_int_not_equal(access(in_folder(p, "saved.db-wal"), F_OK), 0);
}

static uint64_t newest_revocation(admin_play_t *p)
{
    ask_t list = {.kind = ASK_REVOCATIONS};
    admin_play_store(p);
    admin_play_ask(p, &list);
    uint64_t seq = list.count ? list.u.revoked[list.count - 1].seq : 0;
    stop(p);
    return seq;
}

/* attack case: OPS-014. A follower asks for what is above the newest it has seen, which may have
 * been given after the saving, or after an earlier restore of the same file. */
static void followers_see_what_is_revoked_after_a_restore(void **state)
{
    admin_play_t *p = *state;
    saved(p);
    uint64_t seen = newest_revocation(p);
    assert_int_equal(seen, 2);
    for (int i = 0; i < 2; i++) {
        run_with(p, "store restore", i ? "saved.jsonl" : "saved.db", " --replace");
        admin_play_run(p, "admin revoke --token new.1");
        uint64_t now = newest_revocation(p);
        assert_true(now > seen);
        assert_true(now < (1ull << 53));
        seen = now;
    }
}

/* attack case: OPS-014 */
static void all_ends_with_revoke_after_restore(void **state)
{
    admin_play_t *p = *state;
    const family_t family = {.id = STR("f"),
                             .user_id = STR("u"),
                             .client_id = STR("c"),
                             .created_at = 5,
                             .expires_at = 1ll << 40};
    const session_t session = {.user_id = STR("u"), .expires_at = 1ll << 40};
    effects_t effects = {0};
    once_result_t result = {0};
    add(p, "alice");
    admin_play_store(p);
    effects_add(&effects, EFFECT_FAMILY_INSERT, 5)->u.family = &family;
    effects_add(&effects, EFFECT_SESSION_INSERT, 5)->u.session = &session;
    store_apply(p->conn, &effects, once_done, &result);
    once_wait(&p->once, &result);
    assert_int_equal(result.rc, RC_OK);
    stop(p);
    run_with(p, "store backup", "saved.db", "");
    run_with(p, "store restore", "saved.db", " --replace --revoke-after-restore");
    ask_t ended = {.kind = ASK_FAMILY, .key = STR("f")}, signed_in = {.kind = ASK_SESSION};
    ask_t list = {.kind = ASK_REVOCATIONS};
    admin_play_store(p);
    admin_play_ask(p, &ended);
    assert_true(ended.family->revoked_at > 0);
    admin_play_ask(p, &signed_in);
    assert_null(signed_in.u.session);
    admin_play_ask(p, &list);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.u.revoked[0].kind, REVOKED_ALL);
    stop(p);
    assert_non_null(strstr(admin_play_trail(p), "all grants were ended"));
}

static void store_in_use_is_not_restored(void **state)
{
    admin_play_t *p = *state;
    saved(p);
    admin_play_store(p);
    refused_with(p, "store restore --replace", "saved.db", EXIT_REFUSED, "another process uses");
}

/* So much that putting it back takes a while. All at once, so that few syncs do. */
static void put_many(admin_play_t *p)
{
    enum { ROUNDS = 700 };
    effects_t *effects = ARENA_ARRAY(p->a, ROUNDS, effects_t);
    family_t *families = ARENA_ARRAY(p->a, ROUNDS * EFFECTS_MAX, family_t);
    once_result_t *results = ARENA_ARRAY(p->a, ROUNDS, once_result_t);
    admin_play_store(p);
    for (int i = 0; i < ROUNDS * EFFECTS_MAX; i++) {
        families[i] = (family_t){
            .id = arena_printf(p->a, "many-%d", i), .client_id = STR("c"), .expires_at = 1ll << 40};
        effects_add(&effects[i / EFFECTS_MAX], EFFECT_FAMILY_INSERT, 5)->u.family = &families[i];
    }
    for (int i = 0; i < ROUNDS; i++)
        store_apply(p->conn, &effects[i], once_done, &results[i]);
    for (int i = 0; i < ROUNDS; i++) {
        once_wait(&p->once, &results[i]);
        assert_int_equal(results[i].rc, RC_OK);
    }
    stop(p);
}

typedef struct {
    const char *line;
    ran_t ran;
    atomic_bool done;
} beside_t;

static void *run_beside(void *arg)
{
    beside_t *b = arg;
    test_command(b->line, STR_UNSET, &b->ran);
    atomic_store(&b->done, true);
    return NULL;
}

/* Whoever starts while a restore runs must not write what is put aside with the old database: it
 * waits, and works on the new one. */
static void what_starts_while_a_restore_runs_works_on_the_new_store(void **state)
{
    admin_play_t *p = *state;
    static beside_t beside;
    pthread_t thread;
    saved(p);
    put_many(p);
    run_with(p, "store export", "many.jsonl", "");
    beside =
        (beside_t){.line = arena_printf(p->a, "store restore %s/many.jsonl --replace --data %s",
                                        p->folder, p->folder)
                               .p};
    assert_int_equal(pthread_create(&thread, NULL, run_beside, &beside), 0);
    while (access(in_folder(p, "warder.db.restoring"), F_OK) != 0 && !atomic_load(&beside.done))
        usleep(1000);
    bool was_running = !atomic_load(&beside.done);
    add(p, "late");
    pthread_join(thread, NULL);
    assert_int_equal(beside.ran.code, EXIT_DONE);
    assert_true(was_running);
    has(p, "late", true);
    has(p, "bob", true);
}

/* A command that may write so much to a file and no more, as on a disk that is full. */
typedef struct {
    const char *file, *folder;
    rlim_t bytes;
} full_t;

static int restore_with_little_room(void *arg)
{
    const full_t *f = arg;
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){f->bytes, f->bytes}) != 0)
        return 96;
    execl("/proc/self/exe", "warder", "--command", "store", "restore", f->file, "--replace",
          "--data", f->folder, (char *)NULL);
    return 97;
}

static bool is_there(admin_play_t *p, const char *name)
{
    return access(in_folder(p, name), F_OK) == 0;
}

/* Wherever the room ends: in the copy of the backup, in the new database or in its log. */
static void full_disk_leaves_the_old_database_in_place(void **state)
{
#ifdef __SANITIZE_THREAD__
    skip(); /* as it starts, the sanitizer writes files of its own and reads them as memory */
#endif
    static const char *const FILES[] = {"saved.db", "saved.jsonl"};
    static const char *const LEFT[] = {"warder.db.restoring", "warder.db.restoring-wal",
                                       "warder.db.restoring-shm", "warder.db.saved",
                                       "warder.db.saved-wal"};
    admin_play_t *p = *state;
    int failed = 0;
    put_many(p);
    saved(p);
    for (size_t i = 0; i < 2; i++) {
        full_t f = {in_folder(p, FILES[i]), p->folder, 4096};
        for (;; f.bytes *= 8) {
            assert_true(f.bytes < 256 << 20);
            test_child(restore_with_little_room, &f, STR_UNSET, &p->ran);
            if (p->ran.code == EXIT_DONE)
                break;
            failed++;
            assert_one_line(&p->ran);
            assert_true(p->ran.err[0] != '\0');
            for (size_t k = 0; k < sizeof LEFT / sizeof LEFT[0]; k++)
                assert_false(is_there(p, LEFT[k]));
            has(p, "bob", true);
        }
        has(p, "bob", false);
        add(p, "bob");
    }
    assert_true(failed > 3);
}

static void damaged_files_change_nothing(void **state)
{
    admin_play_t *p = *state;
    saved(p);
    test_file(p->folder, "cut.jsonl", "{\"warder_store\":1,\"program\":\"1\",\"at\":1}\n");
    refused_with(p, "store restore --replace", "cut.jsonl", EXIT_REFUSED, "its end is missing");
    test_file(p->folder, "bad.db", "SQLite format 3");
    FILE *f = fopen(in_folder(p, "bad.db"), "r+b");
    assert_non_null(f);
    fseek(f, 8191, SEEK_SET);
    fputc(0, f);
    fclose(f);
    refused_with(p, "store restore --replace", "bad.db", EXIT_REFUSED, "not a database");
    test_file(p->folder, "saved.db-wal", "rest");
    refused_with(p, "store restore --replace", "saved.db", EXIT_REFUSED, "while it was in use");
    refused_with(p, "store restore --replace", "none.db", EXIT_FAILED, "cannot be read");
    has(p, "bob", true);
    assert_int_not_equal(access(in_folder(p, "warder.db.restoring"), F_OK), 0);
    assert_int_not_equal(access(in_folder(p, "warder.db.saved"), F_OK), 0);
}

/* What a restore is for. */
static void damaged_database_is_replaced(void **state)
{
    admin_play_t *p = *state;
    saved(p);
    test_file(p->folder, "warder.db",
              "no database at all, and longer than the head of one is: "
              "a hundred bytes of it are looked at by whoever opens it");
    test_file(p->folder, "warder.db-wal", "its log");
    refused_with(p, "store restore", "saved.db", EXIT_REFUSED, "not a database");
    run_with(p, "store restore", "saved.db", " --replace");
    has(p, "alice", true);
    /* The log of the old one would be played over the new. */
    assert_int_not_equal(access(in_folder(p, "warder.db-wal"), F_OK), 0);
}

static void empty_store_is_filled_without_a_word(void **state)
{
    admin_play_t *p = *state;
    glob_t found;
    saved(p);
    lose_database(p);
    admin_play_run(p, "store stats");
    run_with(p, "store restore", "saved.db", "");
    has(p, "alice", true);
    assert_int_equal(glob(in_folder(p, "warder.db.before-*"), 0, NULL, &found), GLOB_NOMATCH);
    globfree(&found);
}

static void leftovers_of_a_killed_restore_do_not_matter(void **state)
{
    admin_play_t *p = *state;
    saved(p);
    test_file(p->folder, "warder.db.restoring", "half");
    test_file(p->folder, "warder.db.restoring-wal", "half");
    test_file(p->folder, "warder.db.saved", "half");
    run_with(p, "store restore", "saved.db", " --replace");
    has(p, "bob", false);
}

static void stats_and_check_say_how_it_is(void **state)
{
    admin_play_t *p = *state;
    saved(p);
    admin_play_run(p, "store stats");
    assert_non_null(strstr(p->ran.out, "newest revocation: 2\n"));
    admin_play_run(p, "store stats --json");
    assert_non_null(strstr(p->ran.out, "\"resource\":{\"rows\":2,\"bytes\":"));
    admin_play_run(p, "store check");
    assert_string_equal(p->ran.out, "the store is sound\n");
}

static void check_names_what_is_wrong(void **state)
{
    admin_play_t *p = *state;
    const refresh_t lost = {.family_id = STR("f"), .rotated_at = 5};
    const family_t family = {.id = STR("f"), .user_id = STR("nobody"), .expires_at = 1ll << 40};
    effects_t effects = {0};
    once_result_t result = {0};
    admin_play_store(p);
    effects_add(&effects, EFFECT_FAMILY_INSERT, 5)->u.family = &family;
    effects_add(&effects, EFFECT_REFRESH_INSERT, 5)->u.refresh = &lost;
    store_apply(p->conn, &effects, once_done, &result);
    once_wait(&p->once, &result);
    stop(p);
    test_command(arena_printf(p->a, "store check --data %s", p->folder).p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_REFUSED);
    assert_non_null(strstr(p->ran.out, "1 refresh tokens were used"));
    assert_non_null(strstr(p->ran.out, "1 grants are of people"));
    assert_non_null(strstr(p->ran.err, "2 things are wrong"));
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(backup_is_recorded),
        PLAY_TEST(no_log_of_before_is_left),
        PLAY_TEST(log_of_another_database_is_not_played_over_what_is_restored),
        PLAY_TEST(restores_where_nothing_is),
        PLAY_TEST(store_with_records_is_kept),
        PLAY_TEST(replaced_database_is_put_aside),
        PLAY_TEST(backup_is_not_written_by_a_restore),
        PLAY_TEST(followers_see_what_is_revoked_after_a_restore),
        PLAY_TEST(all_ends_with_revoke_after_restore),
        PLAY_TEST(store_in_use_is_not_restored),
        PLAY_TEST(what_starts_while_a_restore_runs_works_on_the_new_store),
        PLAY_TEST(full_disk_leaves_the_old_database_in_place),
        PLAY_TEST(damaged_files_change_nothing),
        PLAY_TEST(damaged_database_is_replaced),
        PLAY_TEST(empty_store_is_filled_without_a_word),
        PLAY_TEST(leftovers_of_a_killed_restore_do_not_matter),
        PLAY_TEST(stats_and_check_say_how_it_is),
        PLAY_TEST(check_names_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
