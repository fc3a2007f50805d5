/* What of keep.h only the folder can show: modes, keys, what others may have done to it.
 * attack case: CLI-015 */
#include "core/core_test_util.h"
#include "jose/seal.h"
#include "tokens/tokens_test_drivers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 60000 };

#define SECRET "the-access-token-itself"

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

/* attack case: CLI-015 */
static void files_are_for_their_owner_and_show_nothing(void **state)
{
    static const char *const FILES[] = {"key", "tokens-1.sealed", "tokens-1.lock"};
    tokens_test_keep_t *k = *state;
    tokens_lock_t *lock;
    mode_t old = umask(0);
    assert_int_equal(unlink(tokens_test_at(k, "key").p) | rmdir(tokens_test_at(k, "").p), 0);
    tokens_test_reopen(k);
    assert_int_equal(k->keep.lock(k->keep.ctx, STR("tokens-1"), WAIT_MS, &lock), RC_OK);
    tokens_test_assert_put(k, STR("tokens-1"), STR(SECRET));
    k->keep.unlock(k->keep.ctx, lock);
    umask(old);
    assert_int_equal(mode_of(tokens_test_at(k, "")), 0700);
    for (size_t i = 0; i < ROWS(FILES); i++) {
        assert_int_equal(mode_of(tokens_test_at(k, FILES[i])), 0600);
        str_t bytes = test_read_file(k->arena, tokens_test_at(k, FILES[i]).p);
        assert_false(str_contains(bytes, STR(SECRET)));
        assert_false(str_contains(bytes, STR("access-token")));
    }
    assert_int_equal(test_read_file(k->arena, tokens_test_at(k, "key").p).n, SEAL_KEY_BYTES);
    assert_int_equal(tokens_test_files_ending(k, STR(".draft")), 0);
}

/* attack case: CLI-015 */
static void who_reads_while_it_is_replaced_sees_the_whole_old_one(void **state)
{
    tokens_test_keep_t *k = *state;
    struct stat before, after;
    char bytes[256];
    tokens_test_assert_put(k, STR("tokens-1"), STR(SECRET));
    int fd = open(tokens_test_at(k, "tokens-1.sealed").p, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &before), 0);
    tokens_test_assert_put(k, STR("tokens-1"), STR("new"));
    assert_int_equal(stat(tokens_test_at(k, "tokens-1.sealed").p, &after), 0);
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
    assert_int_equal(chmod(tokens_test_at(k, "").p, 0755), 0);
}

static void a_group_may_write_the_folder(tokens_test_keep_t *k)
{
    assert_int_equal(chmod(tokens_test_at(k, "").p, 0720), 0);
}

static void the_folder_is_a_link(tokens_test_keep_t *k)
{
    str_t real = arena_printf(k->arena, "%s/real", k->folder);
    assert_int_equal(rename(tokens_test_at(k, "").p, real.p), 0);
    assert_int_equal(symlink(real.p, tokens_test_at(k, "").p), 0);
}

static void the_folder_is_a_file(tokens_test_keep_t *k)
{
    str_t real = arena_printf(k->arena, "%s/real", k->folder);
    assert_int_equal(rename(tokens_test_at(k, "").p, real.p), 0);
    write_file(tokens_test_at(k, ""), STR("x"), 0600);
}

static void others_may_read_the_key(tokens_test_keep_t *k)
{
    assert_int_equal(chmod(tokens_test_at(k, "key").p, 0604), 0);
}

static void a_group_may_write_the_key(tokens_test_keep_t *k)
{
    assert_int_equal(chmod(tokens_test_at(k, "key").p, 0620), 0);
}

static void the_key_is_a_link(tokens_test_keep_t *k)
{
    assert_int_equal(rename(tokens_test_at(k, "key").p, tokens_test_at(k, "real").p), 0);
    assert_int_equal(symlink("real", tokens_test_at(k, "key").p), 0);
}

static void the_key_is_a_pipe(tokens_test_keep_t *k)
{
    assert_int_equal(unlink(tokens_test_at(k, "key").p), 0);
    assert_int_equal(mkfifo(tokens_test_at(k, "key").p, 0600), 0);
}

static void the_key_is_too_short(tokens_test_keep_t *k)
{
    write_file(tokens_test_at(k, "key"), STR("0123456789012345678901234567890"), 0600);
}

static void the_key_is_too_long(tokens_test_keep_t *k)
{
    write_file(tokens_test_at(k, "key"), STR("012345678901234567890123456789012"), 0600);
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
        assert_int_equal(tokens_folder_open(k->arena, tokens_test_at(&fresh, ""), &f, &why), want);
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
    assert_int_equal(chown(tokens_test_at(k, "key").p, 65534, (gid_t)-1), 0);
    assert_int_equal(tokens_folder_open(k->arena, tokens_test_at(k, ""), &f, &why), RC_CONFIG);
    assert_str(why, STR("'key' belongs to another user"));
    assert_int_equal(chown(tokens_test_at(k, "").p, 65534, (gid_t)-1), 0);
    assert_int_equal(tokens_folder_open(k->arena, tokens_test_at(k, ""), &f, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("/warder' belongs to another user")));
}

static void the_path_of_the_folder_may_end_in_slashes_but_not_lead_through_a_link(void **state)
{
    tokens_test_keep_t *k = *state;
    tokens_folder_t *f;
    str_t why, slashes = arena_printf(k->arena, "%s//", tokens_test_at(k, "").p);
    str_t link = arena_printf(k->arena, "%s/link", k->folder);
    assert_int_equal(tokens_folder_open(k->arena, slashes, &f, &why), RC_OK);
    tokens_folder_close(f);
    assert_int_equal(symlink(tokens_test_at(k, "").p, link.p), 0);
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
    str_t why, text, file = tokens_test_at(k, "tokens-1.sealed");
    tokens_test_assert_put(k, STR("tokens-1"), STR(SECRET));
    assert_int_equal(chmod(file.p, 0640), 0);
    assert_int_equal(tokens_test_get(k, STR("tokens-1"), &text, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("others can use 'tokens-1.sealed' (mode 640)")));
    assert_int_equal(rename(file.p, tokens_test_at(k, "real").p), 0);
    assert_int_equal(chmod(tokens_test_at(k, "real").p, 0600), 0);
    assert_int_equal(symlink("real", file.p), 0);
    assert_int_equal(tokens_test_get(k, STR("tokens-1"), &text, &why), RC_CONFIG);
    assert_int_equal(unlink(file.p), 0);
    assert_int_equal(mkfifo(file.p, 0600), 0);
    assert_int_equal(tokens_test_get(k, STR("tokens-1"), &text, &why), RC_CONFIG);
    assert_int_equal(unlink(file.p), 0);
    assert_int_equal(rename(tokens_test_at(k, "real").p, file.p), 0);
    tokens_test_assert_kept(k, STR("tokens-1"), STR(SECRET));
}

static void a_write_goes_into_no_link(void **state)
{
    tokens_test_keep_t *k = *state;
    str_t other = arena_printf(k->arena, "%s/other", k->folder);
    write_file(other, STR("of somebody"), 0644);
    assert_int_equal(symlink(other.p, tokens_test_at(k, "tokens-1.sealed").p), 0);
    tokens_test_assert_put(k, STR("tokens-1"), STR(SECRET));
    assert_str(test_read_file(k->arena, other.p), STR("of somebody"));
    assert_int_equal(mode_of(tokens_test_at(k, "tokens-1.sealed")), 0600);
    tokens_test_assert_kept(k, STR("tokens-1"), STR(SECRET));
}

static void assert_as_if_not_there(tokens_test_keep_t *k, str_t bytes)
{
    str_t why, text;
    str_list_t names;
    write_file(tokens_test_at(k, "tokens-1.sealed"), bytes, 0600);
    assert_int_equal(tokens_test_get(k, STR("tokens-1"), &text, &why), RC_NOT_FOUND);
    assert_true(str_contains(why, STR("cannot be opened with the key beside it")));
    assert_false(str_is_set(text));
    assert_str(test_read_file(k->arena, tokens_test_at(k, "tokens-1.sealed").p), bytes);
    assert_int_equal(k->keep.names(k->keep.ctx, k->arena, &names, &why), RC_OK);
    assert_int_equal(names.n, 2);
}

static void what_the_key_does_not_open_is_as_if_it_were_not_there(void **state)
{
    tokens_test_keep_t *k = *state;
    tokens_test_assert_put(k, STR("tokens-1"), STR(SECRET));
    tokens_test_assert_put(k, STR("tokens-2"), STR("another"));
    str_t good = test_read_file(k->arena, tokens_test_at(k, "tokens-1.sealed").p);
    str_t other = test_read_file(k->arena, tokens_test_at(k, "tokens-2.sealed").p);
    str_t changed = arena_dup(k->arena, good);
    ((char *)(uintptr_t)changed.p)[good.n / 2] ^= 1;
    assert_as_if_not_there(k, changed);
    assert_as_if_not_there(k, other); /* under another name */
    assert_as_if_not_there(k, str_first(good, good.n - 1));
    assert_as_if_not_there(k, STR(""));
    char *longer = arena_alloc(k->arena, TOKENS_KEEP_BYTES + 4096);
    assert_as_if_not_there(k, str_of(longer, TOKENS_KEEP_BYTES + 4096));
    write_file(tokens_test_at(k, "tokens-1.sealed"), good, 0600);
    tokens_test_assert_kept(k, STR("tokens-1"), STR(SECRET));
}

static void a_new_key_leaves_what_was_kept_closed_until_it_is_written_anew(void **state)
{
    tokens_test_keep_t *k = *state;
    str_t why, text;
    tokens_test_assert_put(k, STR("tokens-1"), STR(SECRET));
    assert_int_equal(unlink(tokens_test_at(k, "key").p), 0);
    tokens_test_reopen(k);
    assert_int_equal(tokens_test_get(k, STR("tokens-1"), &text, &why), RC_NOT_FOUND);
    tokens_test_assert_put(k, STR("tokens-1"), STR("new"));
    tokens_test_assert_kept(k, STR("tokens-1"), STR("new"));
}

static void strange_files_are_no_names(void **state)
{
    static const char *const FILES[] = {".sealed",  "A.sealed", "a.b.sealed",
                                        "tokens-1", "x.draft",  "tokens-1.sealed.bak"};
    tokens_test_keep_t *k = *state;
    str_list_t names;
    str_t why;
    for (size_t i = 0; i < ROWS(FILES); i++)
        write_file(tokens_test_at(k, FILES[i]), STR("x"), 0600);
    tokens_test_assert_put(k, STR("tokens-2"), STR("x"));
    assert_int_equal(k->keep.names(k->keep.ctx, k->arena, &names, &why), RC_OK);
    assert_int_equal(names.n, 1);
    assert_str(names.v[0], STR("tokens-2"));
}

static void old_drafts_are_swept_and_young_ones_not(void **state)
{
    tokens_test_keep_t *k = *state;
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    write_file(tokens_test_at(k, "old.draft"), STR("x"), 0600);
    write_file(tokens_test_at(k, "young.draft"), STR("x"), 0600);
    times[1] = (struct timespec){.tv_sec = time(NULL) - 7200};
    assert_int_equal(utimensat(AT_FDCWD, tokens_test_at(k, "old.draft").p, times, 0), 0);
    tokens_test_reopen(k);
    assert_int_not_equal(access(tokens_test_at(k, "old.draft").p, F_OK), 0);
    assert_int_equal(access(tokens_test_at(k, "young.draft").p, F_OK), 0);
}

static void a_folder_that_is_gone_fails_and_says_so(void **state)
{
    tokens_test_keep_t *k = *state;
    str_t why, text;
    assert_int_equal(unlink(tokens_test_at(k, "key").p), 0);
    assert_int_equal(rmdir(tokens_test_at(k, "").p), 0);
    assert_int_equal(tokens_test_put(k, STR("tokens-1"), STR("x"), &why), RC_IO);
    assert_true(str_contains(why, STR("cannot write in")));
    assert_int_equal(tokens_test_get(k, STR("tokens-1"), &text, &why), RC_NOT_FOUND);
}

static void the_folder_is_where_the_environment_says(void **state)
{
    tokens_test_keep_t *k = *state;
    str_t path;
    assert_int_equal(setenv("HOME", "/home/ada", 1) | setenv("XDG_STATE_HOME", "/state", 1), 0);
    assert_int_equal(tokens_folder_default(k->arena, &path), RC_OK);
    assert_str(path, STR("/state/warder/client"));
    assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
    assert_int_equal(tokens_folder_default(k->arena, &path), RC_OK);
    assert_str(path, STR("/home/ada/.local/state/warder/client"));
    assert_int_equal(setenv("XDG_STATE_HOME", "", 1), 0);
    assert_int_equal(tokens_folder_default(k->arena, &path), RC_OK);
    assert_str(path, STR("/home/ada/.local/state/warder/client"));
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
        FOLDER_TEST(the_folder_is_where_the_environment_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
