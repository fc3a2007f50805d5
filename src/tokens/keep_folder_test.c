/* What of keep.h only the folder can show: modes, keys, processes, crashes.
 * attack case: CLI-015 */
#include "core/core_test_util.h"
#include "jose/seal.h"
#include "tokens/tokens_test_drivers.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 60000, PROCESSES = 4, ROUNDS = 100, KEY_ROUNDS = 10, KILLS = 200, RECORD = 8000 };

#define SECRET "the-access-token-itself"

static str_t at(tokens_test_keep_t *k, const char *file)
{
    return arena_printf(k->arena, "%s/state/warder%s%s", k->folder, *file ? "/" : "", file);
}

static rc_t put(tokens_test_keep_t *k, str_t name, str_t text, str_t *why)
{
    return k->keep.write(k->keep.ctx, k->arena, name, secret_of(text), why);
}

static rc_t get(tokens_test_keep_t *k, str_t name, str_t *text, str_t *why)
{
    secret_t out;
    rc_t rc = k->keep.read(k->keep.ctx, k->arena, name, &out, why);
    *text = out.hidden;
    return rc;
}

static void assert_put(tokens_test_keep_t *k, str_t name, str_t text)
{
    str_t why;
    assert_int_equal(put(k, name, text, &why), RC_OK);
}

static void assert_kept(tokens_test_keep_t *k, str_t name, str_t want)
{
    str_t why, text;
    assert_int_equal(get(k, name, &text, &why), RC_OK);
    assert_str(text, want);
}

static void write_file(str_t path, str_t bytes, mode_t mode)
{
    (void)unlink(path.p);
    int fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static unsigned mode_of(str_t path)
{
    struct stat st;
    assert_int_equal(lstat(path.p, &st), 0);
    return st.st_mode & 07777;
}

static size_t files_ending(tokens_test_keep_t *k, str_t end)
{
    size_t n = 0;
    DIR *dir = opendir(at(k, "").p);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir));)
        n += str_ends(str_c(e->d_name), end);
    closedir(dir);
    return n;
}

/* attack case: CLI-015 */
static void files_are_for_their_owner_and_show_nothing(void **state)
{
    static const char *const FILES[] = {"key", "tokens-1.sealed", "tokens-1.lock"};
    tokens_test_keep_t *k = *state;
    tokens_lock_t *lock;
    mode_t old = umask(0);
    assert_int_equal(unlink(at(k, "key").p) | rmdir(at(k, "").p), 0);
    tokens_test_reopen(k);
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), WAIT_MS, &lock), RC_OK);
    assert_put(k, STR("tokens-1"), STR(SECRET));
    k->keep.unlock(k->keep.ctx, lock);
    umask(old);
    assert_int_equal(mode_of(at(k, "")), 0700);
    for (size_t i = 0; i < ROWS(FILES); i++) {
        assert_int_equal(mode_of(at(k, FILES[i])), 0600);
        str_t bytes = test_read_file(k->arena, at(k, FILES[i]).p);
        assert_false(str_contains(bytes, STR(SECRET)));
        assert_false(str_contains(bytes, STR("access-token")));
    }
    assert_int_equal(test_read_file(k->arena, at(k, "key").p).n, SEAL_KEY_BYTES);
    assert_int_equal(files_ending(k, STR(".draft")), 0);
}

/* attack case: CLI-015 */
static void who_reads_while_it_is_replaced_sees_the_whole_old_one(void **state)
{
    tokens_test_keep_t *k = *state;
    struct stat before, after;
    char bytes[256];
    assert_put(k, STR("tokens-1"), STR(SECRET));
    int fd = open(at(k, "tokens-1.sealed").p, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &before), 0);
    assert_put(k, STR("tokens-1"), STR("new"));
    assert_int_equal(stat(at(k, "tokens-1.sealed").p, &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
    assert_int_equal(read(fd, bytes, sizeof bytes), sizeof SECRET - 1 + SEAL_EXTRA_BYTES);
    close(fd);
}

/* What somebody may have made of the folder before it is opened; the sentence names the reason. */
static void spoil_nothing(tokens_test_keep_t *k)
{
    (void)k;
}

static void others_may_read_the_folder(tokens_test_keep_t *k)
{
    assert_int_equal(chmod(at(k, "").p, 0755), 0);
}

static void a_group_may_write_the_folder(tokens_test_keep_t *k)
{
    assert_int_equal(chmod(at(k, "").p, 0720), 0);
}

static void the_folder_is_a_link(tokens_test_keep_t *k)
{
    str_t real = arena_printf(k->arena, "%s/real", k->folder);
    assert_int_equal(rename(at(k, "").p, real.p), 0);
    assert_int_equal(symlink(real.p, at(k, "").p), 0);
}

static void the_folder_is_a_file(tokens_test_keep_t *k)
{
    str_t real = arena_printf(k->arena, "%s/real", k->folder);
    assert_int_equal(rename(at(k, "").p, real.p), 0);
    write_file(at(k, ""), STR("x"), 0600);
}

static void others_may_read_the_key(tokens_test_keep_t *k)
{
    assert_int_equal(chmod(at(k, "key").p, 0604), 0);
}

static void a_group_may_write_the_key(tokens_test_keep_t *k)
{
    assert_int_equal(chmod(at(k, "key").p, 0620), 0);
}

static void the_key_is_a_link(tokens_test_keep_t *k)
{
    assert_int_equal(rename(at(k, "key").p, at(k, "real").p), 0);
    assert_int_equal(symlink("real", at(k, "key").p), 0);
}

static void the_key_is_a_pipe(tokens_test_keep_t *k)
{
    assert_int_equal(unlink(at(k, "key").p), 0);
    assert_int_equal(mkfifo(at(k, "key").p, 0600), 0);
}

static void the_key_is_too_short(tokens_test_keep_t *k)
{
    write_file(at(k, "key"), STR("0123456789012345678901234567890"), 0600);
}

static void the_key_is_too_long(tokens_test_keep_t *k)
{
    write_file(at(k, "key"), STR("012345678901234567890123456789012"), 0600);
}

static void what_others_could_use_is_not_opened(void **state)
{
    static const struct {
        void (*spoil)(tokens_test_keep_t *k);
        str_t says;
    } CASES[] = {
        {others_may_read_the_folder, STR_INIT("others can use")},
        {a_group_may_write_the_folder, STR_INIT("others can use")},
        {the_folder_is_a_link, STR_INIT("symbolic link")},
        {the_folder_is_a_file, STR_INIT("is no folder")},
        {others_may_read_the_key, STR_INIT("others can use 'key' (mode 604): chmod 600")},
        {a_group_may_write_the_key, STR_INIT("others can use")},
        {the_key_is_a_link, STR_INIT("symbolic link")},
        {the_key_is_a_pipe, STR_INIT("no regular file")},
        {the_key_is_too_short, STR_INIT("32 bytes")},
        {the_key_is_too_long, STR_INIT("32 bytes")},
        {spoil_nothing, STR_INIT("")},
    };
    tokens_test_keep_t *k = *state;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        tokens_folder_t *f;
        str_t why;
        tokens_test_keep_t fresh = {.arena = k->arena, .folder = tokens_test_folder()};
        TOKENS_TEST_DRIVERS[TOKENS_TEST_FOLDER].open(&fresh);
        TOKENS_TEST_DRIVERS[TOKENS_TEST_FOLDER].close(&fresh);
        CASES[i].spoil(&fresh);
        rc_t want = CASES[i].says.n > 0 ? RC_CONFIG : RC_OK;
        assert_int_equal(tokens_folder_open(k->arena, at(&fresh, ""), &f, &why), want);
        if (!str_contains(str_is_set(why) ? why : STR(""), CASES[i].says))
            fail_msg("case %zu: '%" PRIstr "'", i, STR_ARG(why));
        tokens_folder_close(f);
        tokens_test_folder_remove(fresh.folder);
    }
}

static void what_belongs_to_another_user_is_not_opened(void **state)
{
    tokens_test_keep_t *k = *state;
    tokens_folder_t *f;
    str_t why;
    if (geteuid() != 0) {
        print_message("only root can give files away\n");
        skip();
    }
    assert_int_equal(chown(at(k, "key").p, 65534, (gid_t)-1), 0);
    assert_int_equal(tokens_folder_open(k->arena, at(k, ""), &f, &why), RC_CONFIG);
    assert_str(why, STR("'key' belongs to another user"));
    assert_int_equal(chown(at(k, "").p, 65534, (gid_t)-1), 0);
    assert_int_equal(tokens_folder_open(k->arena, at(k, ""), &f, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("/warder' belongs to another user")));
}

static void the_path_of_the_folder_may_end_in_slashes_but_not_lead_through_a_link(void **state)
{
    tokens_test_keep_t *k = *state;
    tokens_folder_t *f;
    str_t why, slashes = arena_printf(k->arena, "%s//", at(k, "").p);
    str_t link = arena_printf(k->arena, "%s/link", k->folder);
    assert_int_equal(tokens_folder_open(k->arena, slashes, &f, &why), RC_OK);
    tokens_folder_close(f);
    assert_int_equal(symlink(at(k, "").p, link.p), 0);
    link = arena_printf(k->arena, "%s/", link.p);
    assert_int_equal(tokens_folder_open(k->arena, link, &f, &why), RC_CONFIG);
    assert_int_equal(tokens_folder_open(k->arena, STR(""), &f, &why), RC_CONFIG);
    assert_int_equal(tokens_folder_open(k->arena, STR("/"), &f, &why), RC_CONFIG);
}

static void a_folder_that_cannot_be_made_is_told(void **state)
{
    tokens_test_keep_t *k = *state;
    tokens_folder_t *f;
    str_t why;
    assert_int_equal(tokens_folder_open(k->arena, STR("/proc/none/warder"), &f, &why), RC_IO);
    assert_true(str_contains(why, STR("/proc/none/warder")));
    assert_null(f);
}

static void a_file_that_others_could_use_is_not_read(void **state)
{
    tokens_test_keep_t *k = *state;
    str_t why, text, file = at(k, "tokens-1.sealed");
    assert_put(k, STR("tokens-1"), STR(SECRET));
    assert_int_equal(chmod(file.p, 0640), 0);
    assert_int_equal(get(k, STR("tokens-1"), &text, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("others can use 'tokens-1.sealed' (mode 640)")));
    assert_int_equal(rename(file.p, at(k, "real").p), 0);
    assert_int_equal(chmod(at(k, "real").p, 0600), 0);
    assert_int_equal(symlink("real", file.p), 0);
    assert_int_equal(get(k, STR("tokens-1"), &text, &why), RC_CONFIG);
    assert_int_equal(unlink(file.p), 0);
    assert_int_equal(mkfifo(file.p, 0600), 0);
    assert_int_equal(get(k, STR("tokens-1"), &text, &why), RC_CONFIG);
    assert_int_equal(unlink(file.p), 0);
    assert_int_equal(rename(at(k, "real").p, file.p), 0);
    assert_kept(k, STR("tokens-1"), STR(SECRET));
}

static void a_write_goes_into_no_link(void **state)
{
    tokens_test_keep_t *k = *state;
    str_t other = arena_printf(k->arena, "%s/other", k->folder);
    write_file(other, STR("of somebody"), 0644);
    assert_int_equal(symlink(other.p, at(k, "tokens-1.sealed").p), 0);
    assert_put(k, STR("tokens-1"), STR(SECRET));
    assert_str(test_read_file(k->arena, other.p), STR("of somebody"));
    assert_int_equal(mode_of(at(k, "tokens-1.sealed")), 0600);
    assert_kept(k, STR("tokens-1"), STR(SECRET));
}

static void assert_as_if_not_there(tokens_test_keep_t *k, str_t bytes)
{
    str_t why, text;
    str_list_t names;
    write_file(at(k, "tokens-1.sealed"), bytes, 0600);
    assert_int_equal(get(k, STR("tokens-1"), &text, &why), RC_NOT_FOUND);
    assert_true(str_contains(why, STR("cannot be opened with the key beside it")));
    assert_false(str_is_set(text));
    assert_str(test_read_file(k->arena, at(k, "tokens-1.sealed").p), bytes);
    assert_int_equal(k->keep.names(k->keep.ctx, k->arena, &names, &why), RC_OK);
    assert_int_equal(names.n, 2);
}

static void what_the_key_does_not_open_is_as_if_it_were_not_there(void **state)
{
    tokens_test_keep_t *k = *state;
    assert_put(k, STR("tokens-1"), STR(SECRET));
    assert_put(k, STR("tokens-2"), STR("another"));
    str_t good = test_read_file(k->arena, at(k, "tokens-1.sealed").p);
    str_t other = test_read_file(k->arena, at(k, "tokens-2.sealed").p);
    str_t changed = arena_dup(k->arena, good);
    ((char *)(uintptr_t)changed.p)[good.n / 2] ^= 1;
    assert_as_if_not_there(k, changed);
    assert_as_if_not_there(k, other); /* under another name */
    assert_as_if_not_there(k, str_first(good, good.n - 1));
    assert_as_if_not_there(k, STR(""));
    char *longer = arena_alloc(k->arena, TOKENS_KEEP_BYTES + 4096);
    assert_as_if_not_there(k, str_of(longer, TOKENS_KEEP_BYTES + 4096));
    write_file(at(k, "tokens-1.sealed"), good, 0600);
    assert_kept(k, STR("tokens-1"), STR(SECRET));
}

static void a_new_key_leaves_what_was_kept_closed_until_it_is_written_anew(void **state)
{
    tokens_test_keep_t *k = *state;
    str_t why, text;
    assert_put(k, STR("tokens-1"), STR(SECRET));
    assert_int_equal(unlink(at(k, "key").p), 0);
    tokens_test_reopen(k);
    assert_int_equal(get(k, STR("tokens-1"), &text, &why), RC_NOT_FOUND);
    assert_put(k, STR("tokens-1"), STR("new"));
    assert_kept(k, STR("tokens-1"), STR("new"));
}

static void strange_files_are_no_names(void **state)
{
    static const char *const FILES[] = {".sealed",  "A.sealed", "a.b.sealed",
                                        "tokens-1", "x.draft",  "tokens-1.sealed.bak"};
    tokens_test_keep_t *k = *state;
    str_list_t names;
    str_t why;
    for (size_t i = 0; i < ROWS(FILES); i++)
        write_file(at(k, FILES[i]), STR("x"), 0600);
    assert_put(k, STR("tokens-2"), STR("x"));
    assert_int_equal(k->keep.names(k->keep.ctx, k->arena, &names, &why), RC_OK);
    assert_int_equal(names.n, 1);
    assert_str(names.v[0], STR("tokens-2"));
}

static void old_drafts_are_swept_and_young_ones_not(void **state)
{
    tokens_test_keep_t *k = *state;
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    write_file(at(k, "old.draft"), STR("x"), 0600);
    write_file(at(k, "young.draft"), STR("x"), 0600);
    times[1] = (struct timespec){.tv_sec = time(NULL) - 7200};
    assert_int_equal(utimensat(AT_FDCWD, at(k, "old.draft").p, times, 0), 0);
    tokens_test_reopen(k);
    assert_int_not_equal(access(at(k, "old.draft").p, F_OK), 0);
    assert_int_equal(access(at(k, "young.draft").p, F_OK), 0);
}

static void a_folder_that_is_gone_fails_and_says_so(void **state)
{
    tokens_test_keep_t *k = *state;
    str_t why, text;
    assert_int_equal(unlink(at(k, "key").p), 0);
    assert_int_equal(rmdir(at(k, "").p), 0);
    assert_int_equal(put(k, STR("tokens-1"), STR("x"), &why), RC_IO);
    assert_true(str_contains(why, STR("cannot write in")));
    assert_int_equal(get(k, STR("tokens-1"), &text, &why), RC_NOT_FOUND);
}

/* Processes. Each is forked before it opens the folder, and starts when the gate opens. */

typedef struct {
    int gate[2];
    pid_t pids[PROCESSES];
} crowd_t;

static void crowd_start(crowd_t *c, tokens_test_keep_t *k, int (*body)(tokens_test_keep_t *, int))
{
    char byte;
    assert_int_equal(pipe2(c->gate, O_CLOEXEC), 0);
    for (int i = 0; i < PROCESSES; i++) {
        c->pids[i] = fork();
        assert_true(c->pids[i] >= 0);
        if (c->pids[i] != 0)
            continue;
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
    for (int i = 0; i < PROCESSES; i++) {
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
    if (tokens_folder_open(k->arena, at(k, ""), &f, &why) != RC_OK)
        return 1;
    k->keep = tokens_folder_keep(f);
    return put(k, arena_printf(k->arena, "tokens-%d", i), STR(SECRET), &why) == RC_OK ? 0 : 2;
}

static void processes_that_begin_at_once_agree_on_one_key(void **state)
{
    tokens_test_keep_t *k = *state;
    for (int round = 0; round < KEY_ROUNDS; round++) {
        crowd_t crowd;
        tokens_test_keep_t fresh = {.arena = k->arena, .folder = tokens_test_folder()};
        crowd_start(&crowd, &fresh, open_and_put);
        crowd_end(&crowd);
        TOKENS_TEST_DRIVERS[TOKENS_TEST_FOLDER].open(&fresh);
        for (int i = 0; i < PROCESSES; i++)
            assert_kept(&fresh, arena_printf(k->arena, "tokens-%d", i), STR(SECRET));
        assert_int_equal(files_ending(&fresh, STR(".draft")), 0);
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
        if (get(k, STR("tokens-1"), &text, &why) != RC_OK)
            return 2;
        int n = atoi(arena_cstr(k->arena, text));
        if (put(k, STR("tokens-1"), arena_printf(k->arena, "%d", n + 1), &why) != RC_OK)
            return 3;
        k->keep.unlock(k->keep.ctx, lock);
    }
    return 0;
}

static void processes_that_count_under_a_lock_lose_nothing(void **state)
{
    tokens_test_keep_t *k = *state;
    crowd_t crowd;
    assert_put(k, STR("tokens-1"), STR("0"));
    crowd_start(&crowd, k, count_up);
    crowd_end(&crowd);
    assert_kept(k, STR("tokens-1"), arena_printf(k->arena, "%d", PROCESSES * ROUNDS));
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
    assert_int_equal(unlink(at(k, "tokens-1.lock").p), 0);
    k->keep.unlock(k->keep.ctx, lock);
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), WAIT_MS, &lock), RC_OK);
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), 0, &again), RC_BUSY);
    k->keep.unlock(k->keep.ctx, lock);
    /* A lock that is a link into somebody's files is none. */
    assert_int_equal(unlink(at(k, "tokens-1.lock").p), 0);
    assert_int_equal(symlink("key", at(k, "tokens-1.lock").p), 0);
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
        if (put(k, STR("tokens-1"), str_of(text, RECORD), &why) != RC_OK)
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
        assert_int_equal(get(k, STR("tokens-1"), &text, &why), RC_OK);
        assert_whole(text);
    }
    print_message("%zu writes were cut short\n", files_ending(k, STR(".draft")));
}

/* attack case: CLI-015 */
static void a_full_disk_leaves_the_old_record(void **state)
{
    tokens_test_keep_t *k = *state;
    static char text[RECORD];
    struct rlimit old, small;
    str_t why;
    fill_record(text, 0);
    assert_put(k, STR("tokens-1"), str_of(text, RECORD));
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){RECORD / 2, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    fill_record(text, 1);
    rc_t rc = put(k, STR("tokens-1"), str_of(text, RECORD), &why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(rc, RC_IO);
    assert_true(str_contains(why, STR("cannot write in")));
    assert_false(str_contains(why, STR("bbbb")));
    assert_int_equal(files_ending(k, STR(".draft")), 0);
    fill_record(text, 0);
    assert_kept(k, STR("tokens-1"), str_of(text, RECORD));
}

static void the_folder_is_where_the_environment_says(void **state)
{
    tokens_test_keep_t *k = *state;
    str_t path;
    assert_int_equal(setenv("HOME", "/home/ada", 1) | setenv("XDG_STATE_HOME", "/state", 1), 0);
    assert_int_equal(tokens_folder_default(k->arena, &path), RC_OK);
    assert_str(path, STR("/state/warder"));
    assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
    assert_int_equal(tokens_folder_default(k->arena, &path), RC_OK);
    assert_str(path, STR("/home/ada/.local/state/warder"));
    assert_int_equal(setenv("XDG_STATE_HOME", "", 1), 0);
    assert_int_equal(tokens_folder_default(k->arena, &path), RC_OK);
    assert_str(path, STR("/home/ada/.local/state/warder"));
    assert_int_equal(unsetenv("HOME"), 0);
    assert_int_equal(tokens_folder_default(k->arena, &path), RC_CONFIG);
    assert_false(str_is_set(path));
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
        FOLDER_TEST(files_are_for_their_owner_and_show_nothing),
        FOLDER_TEST(who_reads_while_it_is_replaced_sees_the_whole_old_one),
        FOLDER_TEST(what_others_could_use_is_not_opened),
        FOLDER_TEST(what_belongs_to_another_user_is_not_opened),
        FOLDER_TEST(the_path_of_the_folder_may_end_in_slashes_but_not_lead_through_a_link),
        FOLDER_TEST(a_folder_that_cannot_be_made_is_told),
        FOLDER_TEST(a_file_that_others_could_use_is_not_read),
        FOLDER_TEST(a_write_goes_into_no_link),
        FOLDER_TEST(what_the_key_does_not_open_is_as_if_it_were_not_there),
        FOLDER_TEST(a_new_key_leaves_what_was_kept_closed_until_it_is_written_anew),
        FOLDER_TEST(strange_files_are_no_names),
        FOLDER_TEST(old_drafts_are_swept_and_young_ones_not),
        FOLDER_TEST(a_folder_that_is_gone_fails_and_says_so),
        FOLDER_TEST(processes_that_begin_at_once_agree_on_one_key),
        FOLDER_TEST(processes_that_count_under_a_lock_lose_nothing),
        FOLDER_TEST(a_lock_ends_with_its_process),
        FOLDER_TEST(a_lock_does_not_stay_with_a_process_that_was_forked_meanwhile),
        FOLDER_TEST(a_lock_whose_file_was_removed_is_taken_anew),
        FOLDER_TEST(a_writer_that_is_killed_leaves_a_whole_record),
        FOLDER_TEST(a_full_disk_leaves_the_old_record),
        FOLDER_TEST(the_folder_is_where_the_environment_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
