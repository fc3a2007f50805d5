#include "audit/file.h"

#include "audit/audit_test_util.h"
#include "core/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static audit_file_t opened(trail_t *t)
{
    audit_file_t f = {.path = t->path, .log = &t->log};
    str_t why;
    assert_int_equal(audit_file_open(&f, t->a, &why), RC_OK);
    return f;
}

static rc_t refused(trail_t *t, str_t *why)
{
    audit_file_t f = {.path = t->path, .log = &t->log};
    return audit_file_open(&f, t->a, why);
}

/* Appends n lines in one batch. */
static rc_t append(audit_file_t *f, size_t n)
{
    char bytes[8192];
    buf_t b = buf_fixed(bytes, sizeof bytes);
    rc_t rc = audit_file_lock(f);
    if (rc != RC_OK)
        return rc;
    audit_head_t head = f->head;
    for (size_t i = 0; i < n; i++)
        audit_line_write(&b, &head,
                         STR("\"time\":\"2025-11-24T16:00:00.002Z\",\"event\":\"token\","
                             "\"decision\":\"allow\""));
    rc = audit_file_write(f, buf_str(&b), &head);
    audit_file_unlock(f);
    audit_unsynced_t set = audit_file_unsynced(f);
    rc_t synced = audit_unsynced_sync(f->disk, &set);
    if (synced != RC_OK)
        audit_file_break(f, "sync");
    return rc == RC_OK ? synced : rc;
}

static void expect_sound(trail_t *t, uint64_t lines)
{
    audit_chain_t c = trail_check_one(t);
    assert_str(audit_fault_name(c.fault), STR("none"));
    assert_int_equal(c.lines, lines);
}

static void new_file_is_private(void **state)
{
    trail_t *t = *state;
    struct stat st;
    audit_file_t f = opened(t);
    assert_int_equal(stat(t->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(append(&f, 3), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 3);
}

/* Two chains never share a name, so that no line fits into both. */
static void chains_have_names(void **state)
{
    trail_t *t = *state;
    audit_file_t one = opened(t), two = opened(t);
    assert_memory_not_equal(one.head.hash, two.head.hash, SHA256_BYTES);
    audit_file_close(&one);
    audit_file_close(&two);
}

static void chain_goes_on_after_reopening(void **state)
{
    trail_t *t = *state;
    for (int i = 0; i < 3; i++) {
        audit_file_t f = opened(t);
        assert_int_equal(append(&f, 2), RC_OK);
        audit_file_close(&f);
    }
    expect_sound(t, 6);
}

static void two_writers_take_turns(void **state)
{
    trail_t *t = *state;
    audit_file_t one = opened(t), two = opened(t);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(append(&one, 1), RC_OK);
        assert_int_equal(append(&two, 2), RC_OK);
        assert_int_equal(append(&two, 1), RC_OK);
    }
    audit_file_close(&one);
    audit_file_close(&two);
    expect_sound(t, 20);
}

static void torn_line_is_cut_when_opened(void **state)
{
    trail_t *t = *state;
    trail_write(t->path, trail_lines(t->a, 4));
    trail_add(t->path, STR("{\"seq\":5,\"time\":\"20"));
    audit_file_t f = opened(t);
    assert_true(trail_logged(t, STR("torn last line")));
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 5);
}

static void expect_lost(trail_t *t, size_t n)
{
    char lost[120];
    snprintf(lost, sizeof lost, "%s.lost", t->path);
    assert_int_equal(trail_read(t, lost).n, n);
    unlink(lost);
}

/* Nobody can tell what stood there. */
static void zeros_at_the_end_are_put_aside(void **state)
{
    trail_t *t = *state;
    trail_write(t->path, trail_lines(t->a, 4));
    trail_add(t->path, str_of((char[5000]){0}, 5000));
    audit_file_t f = opened(t);
    expect_lost(t, 5000);
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 5);
}

static void more_than_a_torn_line_is_put_aside(void **state)
{
    trail_t *t = *state;
    size_t n = LIMIT_AUDIT_LINE_BYTES + 1;
    char *bytes = arena_alloc(t->a, n);
    memset(bytes, 'x', n);
    bytes[0] = '{';
    trail_write(t->path, trail_lines(t->a, 4));
    trail_add(t->path, str_of(bytes, n));
    audit_file_t f = opened(t);
    expect_lost(t, n);
    audit_file_close(&f);
    expect_sound(t, 4);
}

static void torn_first_line_is_cut(void **state)
{
    trail_t *t = *state;
    trail_write(t->path, STR("{\"seq\":1,"));
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 1);
}

/* Another process died in the middle of its write while this one runs. */
static void torn_line_of_another_process_is_cut(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 1), RC_OK);
    trail_add(t->path, STR("{\"seq\":2,\"ti"));
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 2);
}

/* Somebody's own file is left as it is. */
static void foreign_file_is_not_touched(void **state)
{
    static const str_t ROWS[] = {STR_INIT("hello"), STR_INIT("hello\n"), STR_INIT("a\nb"),
                                 STR_INIT("{}\n")};
    trail_t *t = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        str_t why;
        trail_write(t->path, ROWS[i]);
        assert_int_equal(refused(t, &why), RC_CONFIG);
        assert_true(str_contains(why, STR("does not end like an audit trail")));
        assert_str(trail_read(t, t->path), ROWS[i]);
    }
}

static void line_longer_than_any_at_the_end(void **state)
{
    trail_t *t = *state;
    str_t why;
    char *bytes = arena_alloc(t->a, LIMIT_AUDIT_LINE_BYTES + 2);
    memset(bytes, '{', LIMIT_AUDIT_LINE_BYTES + 1);
    bytes[LIMIT_AUDIT_LINE_BYTES + 1] = '\n';
    trail_write(t->path, str_of(bytes, LIMIT_AUDIT_LINE_BYTES + 2));
    assert_int_equal(refused(t, &why), RC_CONFIG);
}

static void no_folder(void **state)
{
    trail_t *t = *state;
    str_t why;
    snprintf(t->path, sizeof t->path, "%s/none/audit.log", t->folder);
    assert_int_equal(refused(t, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("--audit-file")));
}

static void not_a_regular_file(void **state)
{
    trail_t *t = *state;
    str_t why;
    strcpy(t->path, "/dev/full");
    assert_int_equal(refused(t, &why), RC_CONFIG);
    strcpy(t->path, "");
}

static void chain_goes_on_after_a_rename(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 2), RC_OK);
    assert_int_equal(rename(t->path, t->other), 0);
    assert_int_equal(append(&f, 3), RC_OK);
    assert_true(trail_logged(t, STR("goes on in a new file")));
    audit_file_close(&f);
    const char *both[] = {t->other, t->path};
    audit_chain_t c = trail_check(t, both, 2, NULL);
    assert_int_equal(c.fault, AUDIT_FAULT_NONE);
    assert_int_equal(c.lines, 5);
    audit_chain_t second = trail_check_one(t);
    assert_int_equal(second.fault, AUDIT_FAULT_NONE);
    assert_int_equal(second.first.seq, 3);
}

/* Both writers had the old file open; each of its lines comes before each of the new one's. */
static void two_writers_and_a_rename(void **state)
{
    trail_t *t = *state;
    audit_file_t one = opened(t), two = opened(t);
    assert_int_equal(append(&one, 1), RC_OK);
    assert_int_equal(append(&two, 1), RC_OK);
    assert_int_equal(rename(t->path, t->other), 0);
    assert_int_equal(append(&one, 1), RC_OK);
    assert_int_equal(append(&two, 1), RC_OK);
    assert_int_equal(append(&one, 1), RC_OK);
    audit_file_close(&one);
    audit_file_close(&two);
    const char *both[] = {t->other, t->path};
    audit_chain_t c = trail_check(t, both, 2, NULL);
    assert_str(audit_fault_name(c.fault), STR("none"));
    assert_int_equal(c.lines, 5);
}

/* The new process never had the old file open. */
static void new_process_continues_the_rotated_file(void **state)
{
    for (int made = 0; made < 2; made++) {
        trail_t *t = *state;
        audit_file_t f = opened(t);
        assert_int_equal(append(&f, 2), RC_OK);
        audit_file_close(&f);
        assert_int_equal(rename(t->path, t->other), 0);
        if (made)
            trail_write(t->path, STR("")); /* as logrotate's `create` does */
        f = opened(t);
        assert_int_equal(append(&f, 2), RC_OK);
        audit_file_close(&f);
        const char *both[] = {t->other, t->path};
        audit_chain_t c = trail_check(t, both, 2, NULL);
        assert_str(audit_fault_name(c.fault), STR("none"));
        assert_int_equal(c.lines, 4);
        unlink(t->path);
        unlink(t->other);
    }
}

/* An idle process comes back after two rotations: it goes through the file between. */
static void two_renames_while_idle(void **state)
{
    trail_t *t = *state;
    char oldest[120];
    snprintf(oldest, sizeof oldest, "%s.2", t->path);
    audit_file_t idle = opened(t), other = opened(t);
    assert_int_equal(append(&idle, 2), RC_OK);
    assert_int_equal(rename(t->path, oldest), 0);
    assert_int_equal(append(&other, 3), RC_OK);
    assert_int_equal(rename(t->path, t->other), 0);
    assert_int_equal(append(&idle, 1), RC_OK);
    assert_int_equal(append(&other, 1), RC_OK);
    audit_file_close(&idle);
    audit_file_close(&other);
    const char *all[] = {oldest, t->other, t->path};
    audit_chain_t c = trail_check(t, all, 3, NULL);
    assert_str(audit_fault_name(c.fault), STR("none"));
    assert_int_equal(c.lines, 7);
    unlink(oldest);
}

/* A file of that name from long ago does not set the chain back. */
static void stale_rotated_file_is_passed_over(void **state)
{
    trail_t *t = *state;
    char dated[120];
    snprintf(dated, sizeof dated, "%s-dated", t->path);
    trail_write(t->other, trail_lines(t->a, 2));
    trail_write(t->path, trail_lines(t->a, 5));
    audit_file_t f = opened(t);
    assert_int_equal(rename(t->path, dated), 0);
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    const char *both[] = {dated, t->path};
    audit_chain_t c = trail_check(t, both, 2, NULL);
    assert_str(audit_fault_name(c.fault), STR("none"));
    assert_int_equal(c.lines, 6);
    unlink(dated);
}

static void foreign_rotated_file_begins_a_chain(void **state)
{
    trail_t *t = *state;
    trail_write(t->other, STR("hello\n"));
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 1);
    assert_str(trail_read(t, t->other), STR("hello\n"));
}

static void foreign_file_after_a_rename(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 1), RC_OK);
    assert_int_equal(rename(t->path, t->other), 0);
    trail_write(t->path, STR("hello\n"));
    assert_int_equal(append(&f, 1), RC_IO);
    assert_str(trail_read(t, t->path), STR("hello\n"));
    unlink(t->path);
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    const char *both[] = {t->other, t->path};
    assert_int_equal(trail_check(t, both, 2, NULL).fault, AUDIT_FAULT_NONE);
}

/* The gap must not heal. */
static void lines_cut_off_meanwhile_stay_visible(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 4), RC_OK);
    str_t all = trail_read(t, t->path);
    trail_write(t->path, str_first(all, str_find(all, '\n', 0) + 1));
    assert_int_equal(append(&f, 1), RC_OK);
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    assert_true(trail_logged(t, STR("lines were cut off")));
    audit_chain_t c = trail_check_one(t);
    assert_int_equal(c.fault, AUDIT_FAULT_SEQUENCE_GAP);
    assert_int_equal(c.line, 2);
}

/* As tools do that copy a log and empty it. */
static void chain_goes_on_in_an_emptied_file(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 4), RC_OK);
    trail_write(t->other, trail_read(t, t->path));
    trail_write(t->path, STR(""));
    assert_int_equal(append(&f, 2), RC_OK);
    audit_file_close(&f);
    const char *both[] = {t->other, t->path};
    assert_int_equal(trail_check(t, both, 2, NULL).fault, AUDIT_FAULT_NONE);
}

static void garbage_of_another_process(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 1), RC_OK);
    str_t sound = trail_read(t, t->path);
    trail_add(t->path, STR("garbage\n"));
    assert_int_equal(append(&f, 1), RC_IO);
    trail_write(t->path, sound);
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 2);
}

static void folder_away_after_a_rename(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    char away[80];
    snprintf(away, sizeof away, "%s.away", t->folder);
    assert_int_equal(append(&f, 1), RC_OK);
    assert_int_equal(rename(t->folder, away), 0);
    assert_int_equal(append(&f, 1), RC_IO);
    assert_int_equal(rename(away, t->folder), 0);
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 2);
}

/* A disk that is full after some bytes: the limit of the process on the size of files. */
static void disk_full(void **state)
{
    trail_t *t = *state;
    struct rlimit before, small;
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 2), RC_OK);
    str_t sound = trail_read(t, t->path);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = sound.n + 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    rc_t first = append(&f, 1), second = append(&f, 3);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(first, RC_IO);
    assert_int_equal(second, RC_IO);
    assert_str(trail_read(t, t->path), sound);
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 3);
}

static ssize_t write_half(int fd, const void *p, size_t n)
{
    return write(fd, p, n / 2);
}

static ssize_t write_fails(int fd, const void *p, size_t n)
{
    errno = EIO;
    return -1;
}

static ssize_t write_interrupted_once(int fd, const void *p, size_t n)
{
    static bool done; /* of this test alone */
    if (done)
        return write(fd, p, n);
    done = true;
    errno = EINTR;
    return -1;
}

static int sync_fails(int fd)
{
    errno = EIO;
    return -1;
}

static int truncate_fails(int fd, off_t size)
{
    errno = EIO;
    return -1;
}

/* With this disk the append fails, nothing is left of it, and afterwards all is well. */
static void expect_mended(trail_t *t, const audit_disk_t *disk)
{
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 2), RC_OK);
    str_t sound = trail_read(t, t->path);
    f.disk = disk;
    assert_int_equal(append(&f, 2), RC_IO);
    assert_str(trail_read(t, t->path), sound);
    f.disk = &AUDIT_DISK;
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 3);
}

static void short_write(void **state)
{
    expect_mended(*state, &(audit_disk_t){write_half, fdatasync, ftruncate});
}

static void failed_write(void **state)
{
    expect_mended(*state, &(audit_disk_t){write_fails, fdatasync, ftruncate});
}

/* The kernel may forget the bytes it could not write: a sync that succeeds later proves nothing. */
static void failed_sync_stops_all_appends(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 1), RC_OK);
    f.disk = &(audit_disk_t){write, sync_fails, ftruncate};
    assert_int_equal(append(&f, 1), RC_IO);
    f.disk = &AUDIT_DISK;
    assert_int_equal(append(&f, 1), RC_IO);
    audit_file_close(&f);
    audit_file_t again = opened(t);
    assert_int_equal(append(&again, 1), RC_OK);
    audit_file_close(&again);
    expect_sound(t, 3);
}

static bool holds_lock(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    bool held = flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    return held;
}

/* A file that was left waits for its sync, unlocked, and is closed by it. */
static void left_file_is_synced_and_closed(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 1), RC_OK);
    int old = f.fd;
    assert_int_equal(rename(t->path, t->other), 0);
    assert_int_equal(audit_file_lock(&f), RC_OK);
    assert_false(holds_lock(t->other));
    assert_true(holds_lock(t->path));
    audit_file_unlock(&f);
    audit_unsynced_t set = audit_file_unsynced(&f);
    assert_int_equal(set.n, 2);
    assert_int_equal(fcntl(old, F_GETFD), FD_CLOEXEC);
    assert_int_equal(audit_unsynced_sync(f.disk, &set), RC_OK);
    assert_int_equal(fcntl(old, F_GETFD), -1);
    audit_file_close(&f);
}

static void interrupted_write_is_repeated(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    f.disk = &(audit_disk_t){write_interrupted_once, fdatasync, ftruncate};
    assert_int_equal(append(&f, 2), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 2);
}

/* What could not be removed ends recording; the next start mends it. */
static void leftovers_stop_all_appends(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 1), RC_OK);
    f.disk = &(audit_disk_t){write_half, fdatasync, truncate_fails};
    assert_int_equal(append(&f, 1), RC_IO);
    f.disk = &AUDIT_DISK;
    assert_int_equal(append(&f, 1), RC_IO);
    assert_true(trail_logged(t, STR("nothing more is recorded")));
    audit_file_close(&f);
    audit_file_t again = opened(t);
    assert_int_equal(append(&again, 1), RC_OK);
    audit_file_close(&again);
    expect_sound(t, 2);
}

static void torn_line_that_cannot_be_cut(void **state)
{
    trail_t *t = *state;
    audit_file_t f = opened(t);
    assert_int_equal(append(&f, 1), RC_OK);
    trail_add(t->path, STR("{\"seq\":2,\"ti"));
    f.disk = &(audit_disk_t){write, fdatasync, truncate_fails};
    assert_int_equal(append(&f, 1), RC_IO);
    f.disk = &AUDIT_DISK;
    assert_int_equal(append(&f, 1), RC_OK);
    audit_file_close(&f);
    expect_sound(t, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(new_file_is_private),
        TRAIL_TEST(chains_have_names),
        TRAIL_TEST(chain_goes_on_after_reopening),
        TRAIL_TEST(two_writers_take_turns),
        TRAIL_TEST(torn_line_is_cut_when_opened),
        TRAIL_TEST(zeros_at_the_end_are_put_aside),
        TRAIL_TEST(more_than_a_torn_line_is_put_aside),
        TRAIL_TEST(torn_first_line_is_cut),
        TRAIL_TEST(torn_line_of_another_process_is_cut),
        TRAIL_TEST(torn_line_that_cannot_be_cut),
        TRAIL_TEST(foreign_file_is_not_touched),
        TRAIL_TEST(line_longer_than_any_at_the_end),
        TRAIL_TEST(no_folder),
        TRAIL_TEST(not_a_regular_file),
        TRAIL_TEST(chain_goes_on_after_a_rename),
        TRAIL_TEST(two_writers_and_a_rename),
        TRAIL_TEST(new_process_continues_the_rotated_file),
        TRAIL_TEST(two_renames_while_idle),
        TRAIL_TEST(stale_rotated_file_is_passed_over),
        TRAIL_TEST(foreign_rotated_file_begins_a_chain),
        TRAIL_TEST(foreign_file_after_a_rename),
        TRAIL_TEST(lines_cut_off_meanwhile_stay_visible),
        TRAIL_TEST(chain_goes_on_in_an_emptied_file),
        TRAIL_TEST(garbage_of_another_process),
        TRAIL_TEST(folder_away_after_a_rename),
        TRAIL_TEST(disk_full),
        TRAIL_TEST(short_write),
        TRAIL_TEST(failed_write),
        TRAIL_TEST(failed_sync_stops_all_appends),
        TRAIL_TEST(left_file_is_synced_and_closed),
        TRAIL_TEST(interrupted_write_is_repeated),
        TRAIL_TEST(leftovers_stop_all_appends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
