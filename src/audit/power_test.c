/* attack case: OPS-002. The power goes at any moment of a trail: all that was synced is there and
 * verifies, and what was not is told apart from lines that somebody changed. */
#include "audit/trail.h"

#include "audit/audit_test_util.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const str_t BODY = STR_INIT("\"time\":\"2025-11-24T16:00:00.002Z\",\"event\":\"token\","
                                   "\"decision\":\"allow\"");

enum { ROUNDS = 30, STEPS = 60, FILES = 64, SECTOR = 512, ROTATE_BYTES = 6000 };

/* The disk: how much of each file was synced. Everything is written at its end alone. */
static struct {
    struct {
        ino_t ino;
        off_t synced;
    } files[FILES];
    size_t n;
    uint64_t seed;
    int changes, lose_at;
    bool lost;
} disk;

/* splitmix64 */
static uint32_t chance(uint32_t n)
{
    uint64_t z = disk.seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

static off_t *synced_of(ino_t ino)
{
    for (size_t i = 0; i < disk.n; i++)
        if (disk.files[i].ino == ino)
            return &disk.files[i].synced;
    assert_true(disk.n < FILES);
    disk.files[disk.n].ino = ino;
    disk.files[disk.n].synced = 0;
    return &disk.files[disk.n++].synced;
}

static struct stat look(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return st;
}

/* False: the power goes at this change, or is gone. */
static bool goes_on(void)
{
    if (!disk.lost && disk.changes++ == disk.lose_at)
        disk.lost = true;
    if (disk.lost)
        errno = EIO;
    return !disk.lost;
}

/* What is under way when the power goes may come through. */
static ssize_t disk_write(int fd, const void *p, size_t n)
{
    bool was_lost = disk.lost, on = goes_on();
    ssize_t got = was_lost ? -1 : write(fd, p, n);
    return on ? got : -1;
}

static int disk_sync(int fd)
{
    struct stat st = look(fd);
    if (!goes_on())
        return -1;
    *synced_of(st.st_ino) = st.st_size;
    return 0;
}

static int disk_truncate(int fd, off_t size)
{
    return goes_on() ? ftruncate(fd, size) : -1;
}

static const audit_disk_t DISK = {disk_write, disk_sync, disk_truncate};

static void put_zeros(int fd, off_t at, off_t end)
{
    static const char ZEROS[SECTOR];
    assert_int_equal(pwrite(fd, ZEROS, (size_t)(end - at), at), end - at);
}

/* Of what was not synced the file keeps some length, and zeros for the sectors that were lost. */
static void survive(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    struct stat st = look(fd);
    off_t synced = *synced_of(st.st_ino), size = st.st_size;
    if (size > synced && chance(2) == 0)
        size = synced + chance((uint32_t)(size - synced) + 1);
    assert_int_equal(ftruncate(fd, size), 0);
    for (off_t at = synced, end; at < size; at = end) {
        end = (at / SECTOR + 1) * SECTOR;
        end = end < size ? end : size;
        if (chance(2) == 0)
            put_zeros(fd, at, end);
    }
    close(fd);
}

/* A rotation whose names were not synced may be undone, or the new file be lost. */
static void survive_names(trail_t *t, bool rotated)
{
    size_t n;
    const char **files = trail_files(t, &n);
    uint32_t what = rotated ? chance(3) : 0;
    if (what > 0)
        unlink(t->path);
    if (what == 2 && n > 1)
        assert_int_equal(rename(files[n - 2], t->path), 0);
    files = trail_files(t, &n);
    for (size_t i = 0; i < n; i++)
        survive(files[i]);
}

typedef struct {
    audit_trail_t trail;
    audit_head_t acknowledged; /* of the last line that is on the disk for sure */
    bool rotated;              /* since the last sync */
    audit_signer_t signer;
} run_t;

static void open_trail(trail_t *t, audit_trail_t *trail, const audit_signer_t *signer)
{
    str_t why;
    audit_trail_config_t config = {.path = t->path,
                                   .log = &t->log,
                                   .clock = clock_system(),
                                   .signer = signer,
                                   .rotate_bytes = ROTATE_BYTES};
    if (audit_trail_open(trail, &config, t->a, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
}

static rc_t write_some(run_t *r)
{
    static char text[1500];
    str_t bodies[4];
    size_t n = 1 + chance(4);
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < n; i++) {
        static char room[4][2000];
        int bytes = snprintf(room[i], sizeof room[i],
                             "\"time\":\"2025-11-24T16:00:00.002Z\",\"event\":\"token\","
                             "\"decision\":\"allow\",\"detail\":\"%.*s\"",
                             (int)chance(sizeof text), text);
        bodies[i] = str_of(room[i], (size_t)bytes);
    }
    return audit_trail_write(&r->trail, bodies, n, AUDIT_WAIT_EVER);
}

static rc_t sync_all(run_t *r)
{
    audit_head_t head = audit_trail_head(&r->trail);
    rc_t rc = audit_trail_sync(&r->trail);
    if (rc == RC_OK) {
        r->acknowledged = head;
        r->rotated = false;
    }
    return rc;
}

/* A checkpoint in the middle: no loss of power may leave zeros in front of one. */
static rc_t sign_all(run_t *r)
{
    rc_t rc = audit_trail_checkpoint(&r->trail);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static rc_t step(trail_t *t, run_t *r)
{
    uint32_t what = chance(7);
    if (what < 3)
        return write_some(r);
    if (what < 5)
        return sync_all(r);
    if (what == 5)
        return sign_all(r);
    if (r->rotated) /* one rotation between two syncs */
        return RC_OK;
    struct stat before, after;
    assert_int_equal(stat(t->path, &before), 0);
    rc_t rc = audit_trail_rotate(&r->trail);
    r->rotated = stat(t->path, &after) != 0 || after.st_ino != before.st_ino;
    return rc;
}

/* What `warder audit verify` says before anybody has mended it. */
static void expect_torn_at_most(trail_t *t)
{
    size_t n;
    const char **files = trail_files(t, &n);
    audit_chain_t c = trail_check(t, files, n, NULL);
    if (c.fault != AUDIT_FAULT_NONE)
        assert_str(audit_fault_name(c.fault), STR("line_torn"));
}

static void expect_acknowledged(trail_t *t, const audit_head_t *head)
{
    size_t n;
    const char **files = trail_files(t, &n);
    audit_chain_t c = trail_check(t, files, n, head->seq > 0 ? head : NULL);
    assert_str(audit_fault_name(c.fault), STR("none"));
    assert_true(c.lines >= head->seq);
}

/* What was put aside: how many files, the last one's path in `path`. */
static size_t put_aside(trail_t *t, char path[200])
{
    char pattern[120];
    glob_t found = {0};
    snprintf(pattern, sizeof pattern, "%s.lost*", t->path);
    glob(pattern, 0, NULL, &found);
    size_t n = found.gl_pathc;
    if (n > 0)
        snprintf(path, 200, "%s", found.gl_pathv[n - 1]);
    globfree(&found);
    return n;
}

static void put_away(trail_t *t)
{
    char path[200];
    while (put_aside(t, path) > 0)
        assert_int_equal(unlink(path), 0);
}

/* Returns the changes until the power went, or all. */
static int play(uint64_t seed, int lose_at)
{
    void *state;
    jwks_t keys;
    trail_setup(&state);
    trail_t *t = state;
    run_t r = {.signer = trail_signer(t, ALG_EDDSA, &keys)};
    memset(&disk, 0, sizeof disk);
    disk.seed = seed;
    disk.lose_at = lose_at;
    open_trail(t, &r.trail, &r.signer);
    r.trail.file.disk = &DISK;
    for (int i = 0; i < STEPS && !disk.lost; i++) {
        rc_t rc = step(t, &r);
        assert_true(rc == RC_OK || disk.lost);
    }
    audit_trail_close(&r.trail);
    survive_names(t, r.rotated);
    expect_torn_at_most(t);
    open_trail(t, &r.trail, &r.signer);
    expect_acknowledged(t, &r.acknowledged);
    assert_int_equal(write_some(&r), RC_OK);
    assert_int_equal(audit_trail_sync(&r.trail), RC_OK);
    expect_acknowledged(t, &r.acknowledged);
    audit_trail_close(&r.trail);
    put_away(t);
    trail_teardown(&state);
    return disk.changes;
}

static void what_was_synced_survives_the_power(void **state)
{
    const char *text = getenv("WARDER_POWER_ROUNDS");
    int rounds = text ? atoi(text) : ROUNDS;
    uint64_t seed = (uint64_t)(text ? getpid() : 1) << 32;
    assert_true(rounds > 0);
    for (int round = 0; round < rounds; round++) {
        int all = play(seed + (uint64_t)round, -1);
        int lose_at = (int)chance((uint32_t)all);
        print_message("round %d: seed %llu, change %d of %d\n", round,
                      (unsigned long long)seed + (unsigned long long)round, lose_at, all);
        play(seed + (uint64_t)round, lose_at);
    }
}

/* Somebody's own file with zeros in it is left as it is. */
static void foreign_file_with_zeros_is_not_touched(void **state)
{
    static const str_t FOREIGN = STR_INIT("hello\nwor\0ld\n");
    trail_t *t = *state;
    audit_file_t f = {.path = t->path, .log = &t->log};
    str_t why;
    trail_write(t->path, FOREIGN);
    assert_int_equal(audit_file_open(&f, t->a, &why), RC_CONFIG);
    assert_str(trail_read(t, t->path), FOREIGN);
}

/* Nothing is destroyed: what stood behind the hole can be looked at. */
static void lines_behind_a_hole_are_put_aside(void **state)
{
    trail_t *t = *state;
    char lost[120];
    audit_file_t f = {.path = t->path, .log = &t->log};
    str_t why, lines = trail_lines(t->a, 6);
    size_t third = str_find(lines, '\n', str_find(lines, '\n', 0) + 1) + 1;
    char *bytes = arena_alloc(t->a, lines.n);
    memcpy(bytes, lines.p, lines.n);
    memset(bytes + third, 0, 10);
    trail_write(t->path, str_of(bytes, lines.n));
    assert_int_equal(audit_file_open(&f, t->a, &why), RC_OK);
    audit_file_close(&f);
    snprintf(lost, sizeof lost, "%s.lost", t->path);
    assert_str(trail_read(t, t->path), str_first(lines, third));
    assert_str(trail_read(t, lost), str_of(bytes + third, lines.n - third));
    assert_true(trail_logged(t, STR("put aside")));
    unlink(lost);
}

/* ---- what is signed ---- */

enum { SIGNED_LINES = 6 };

/* Six lines, a checkpoint, two more. */
static void write_signed(trail_t *t, const audit_signer_t *signer)
{
    str_t why;
    audit_trail_t trail;
    const audit_trail_config_t config = {
        .path = t->path, .log = &t->log, .clock = clock_system(), .signer = signer};
    assert_int_equal(audit_trail_open(&trail, &config, t->a, &why), RC_OK);
    for (int i = 0; i < SIGNED_LINES; i++)
        assert_int_equal(audit_trail_write(&trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
    assert_int_equal(audit_trail_checkpoint(&trail), RC_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(audit_trail_write(&trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
    audit_trail_close(&trail);
}

static size_t line_begins(str_t all, size_t line)
{
    size_t at = 0;
    for (size_t i = 1; i < line; i++)
        at = str_find(all, '\n', at) + 1;
    return at;
}

static void put_bytes(trail_t *t, size_t at, char c, size_t n)
{
    str_t all = trail_read(t, t->path);
    char *bytes = arena_alloc(t->a, all.n);
    memcpy(bytes, all.p, all.n);
    memset(bytes + at, c, n);
    trail_write(t->path, str_of(bytes, all.n));
}

/* Zeros in the line of that number: where it begins. */
static size_t make_hole(trail_t *t, size_t line)
{
    size_t at = line_begins(trail_read(t, t->path), line);
    put_bytes(t, at + 20, 0, 10);
    return at;
}

static rc_t open_signed(trail_t *t, const audit_signer_t *signer, bool mends, str_t *why)
{
    audit_trail_t trail;
    const audit_trail_config_t config = {.path = t->path,
                                         .log = &t->log,
                                         .clock = clock_system(),
                                         .signer = signer,
                                         .mends_signed = mends};
    rc_t rc = audit_trail_open(&trail, &config, t->a, why);
    if (rc == RC_OK)
        audit_trail_close(&trail);
    return rc;
}

static audit_chain_t check_mended(trail_t *t)
{
    audit_chain_t c = trail_check_one(t);
    assert_str(audit_fault_name(c.fault), STR("none"));
    assert_int_equal(c.mends, 1);
    return c;
}

/* Who writes zeros into the file while no server runs has it put nothing aside that is signed. */
static void signed_lines_are_not_put_aside(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    char path[200];
    str_t why;
    const audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    write_signed(t, &signer);
    make_hole(t, 3);
    str_t before = trail_read(t, t->path);
    assert_int_equal(open_signed(t, &signer, false, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("that a checkpoint signs")));
    assert_true(str_contains(why, STR("--mend-audit")));
    assert_str(trail_read(t, t->path), before);
    assert_int_equal(put_aside(t, path), 0);
    assert_str(audit_fault_name(trail_check_one(t).fault), STR("line_torn"));
}

static void expect_refused(trail_t *t, const audit_signer_t *signer)
{
    char path[200];
    str_t why, before = trail_read(t, t->path);
    assert_int_equal(open_signed(t, signer, false, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("that a checkpoint signs")));
    assert_str(trail_read(t, t->path), before);
    assert_int_equal(put_aside(t, path), 0);
}

/* A checkpoint that no longer parses signs all the same. */
static void lines_before_a_damaged_checkpoint_are_not_put_aside(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    const audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    write_signed(t, &signer);
    str_t whole = trail_read(t, t->path);
    size_t third = line_begins(whole, 3), at = line_begins(whole, SIGNED_LINES + 1);
    put_bytes(t, third, 0, at - third); /* with the newline in front of the checkpoint */
    expect_refused(t, &signer);
    put_bytes(t, at, 0, 20); /* with its number */
    expect_refused(t, &signer);
    trail_write(t->path, whole);
    put_bytes(t, third, 0, 1);
    put_bytes(t, at + 100, '"', 1);
    expect_refused(t, &signer);
    trail_write(t->path, str_first(whole, at + 200)); /* its end is gone */
    put_bytes(t, third, 0, at - third);
    expect_refused(t, &signer);
}

/* The power goes while a checkpoint is written: its front is there, and what it signs is kept. */
static void a_hole_in_a_checkpoint_is_mended(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    str_t why;
    const audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    write_signed(t, &signer);
    str_t whole = trail_read(t, t->path);
    put_bytes(t, line_begins(whole, SIGNED_LINES + 1) + 200, 0, 100);
    assert_int_equal(open_signed(t, &signer, false, &why), RC_OK);
    audit_chain_t c = check_mended(t);
    assert_int_equal(c.head.seq, SIGNED_LINES + 1);
    assert_int_equal(c.mend.signed_seq, 0);
    put_away(t);
}

/* Zeros up to the end leave nothing to tell what stood there: that they were many is told. */
static void zeros_up_to_the_end_are_put_aside_and_told(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    char path[200];
    str_t why;
    const audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    write_signed(t, &signer);
    str_t whole = trail_read(t, t->path);
    size_t third = line_begins(whole, 3);
    put_bytes(t, third, 0, whole.n - third);
    assert_int_equal(open_signed(t, &signer, false, &why), RC_OK);
    assert_int_equal(check_mended(t).mend.bytes, whole.n - third);
    assert_int_equal(put_aside(t, path), 1);
    put_away(t);
}

static void number_of_a_damaged_checkpoint_is_told(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    str_t why;
    const audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    for (int i = 0; i < 2; i++) {
        trail_write(t->path, STR(""));
        write_signed(t, &signer);
        str_t whole = trail_read(t, t->path);
        size_t third = line_begins(whole, 3), at = line_begins(whole, SIGNED_LINES + 1);
        put_bytes(t, third, 0, at - third + (i == 0 ? 0 : 10));
        assert_int_equal(open_signed(t, &signer, true, &why), RC_OK);
        assert_int_equal(check_mended(t).mend.signed_seq, i == 0 ? SIGNED_LINES + 1 : 1);
        put_away(t);
    }
}

static void signed_lines_are_put_aside_when_asked_and_that_is_told(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    char path[200];
    str_t why;
    const audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    write_signed(t, &signer);
    size_t at = make_hole(t, 3);
    str_t before = trail_read(t, t->path);
    assert_int_equal(open_signed(t, &signer, true, &why), RC_OK);
    assert_int_equal(put_aside(t, path), 1);
    assert_str(trail_read(t, path), str_skip(before, at)); /* the proof is kept */
    audit_chain_t c = check_mended(t);
    assert_int_equal(c.head.seq, 3);
    assert_int_equal(c.mend.signed_seq, SIGNED_LINES + 1);
    assert_int_equal(c.mend.bytes, before.n - at);
    assert_string_equal(strrchr(path, '/') + 1, c.mend.file);
    assert_int_equal(open_signed(t, &signer, false, &why), RC_OK); /* once */
    check_mended(t);
    put_away(t);
}

/* Behind the last checkpoint: what a loss of power may leave. */
static void a_hole_behind_the_last_checkpoint_is_mended_and_told(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    char path[200];
    str_t why;
    const audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    write_signed(t, &signer);
    make_hole(t, SIGNED_LINES + 2);
    assert_int_equal(open_signed(t, &signer, false, &why), RC_OK);
    audit_chain_t c = check_mended(t);
    assert_int_equal(c.mend.signed_seq, 0);
    assert_int_equal(put_aside(t, path), 1);
    put_away(t);
}

/* The power goes again before the line of the mend is there. */
static void a_mend_that_broke_off_is_told_by_the_next_start(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    char path[200], lost[120];
    str_t why;
    const audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    write_signed(t, &signer);
    snprintf(lost, sizeof lost, "%s.lost", t->path);
    trail_write(lost, STR("what was put aside"));
    assert_int_equal(open_signed(t, &signer, false, &why), RC_OK);
    assert_int_equal(check_mended(t).mend.bytes, 18);
    assert_int_equal(put_aside(t, path), 1);
    assert_string_not_equal(path, lost);
    put_away(t);
}

enum { STARTS = 6, START_ROUNDS = 5 };

static void *start_one(void *arg)
{
    trail_t *t = arg;
    arena_t *a = arena_new(TEST_ARENA_BYTES);
    audit_trail_t trail;
    str_t why;
    const audit_trail_config_t config = {.path = t->path, .log = &t->log, .clock = clock_system()};
    rc_t rc = a ? audit_trail_open(&trail, &config, a, &why) : RC_MEMORY;
    if (rc == RC_OK)
        audit_trail_close(&trail);
    arena_free(a);
    return rc == RC_OK ? NULL : arg;
}

/* The server and a command of the administration, right after a loss. */
static void a_mend_is_told_once_by_those_who_start_together(void **state)
{
    trail_t *t = *state;
    char lost[120];
    snprintf(lost, sizeof lost, "%s.lost", t->path);
    for (uint64_t round = 1; round <= START_ROUNDS; round++) {
        pthread_t threads[STARTS];
        void *failed;
        trail_write(lost, STR("what was put aside"));
        for (int i = 0; i < STARTS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, start_one, t), 0);
        for (int i = 0; i < STARTS; i++) {
            assert_int_equal(pthread_join(threads[i], &failed), 0);
            assert_null(failed);
        }
        assert_int_equal(trail_check_one(t).mends, round);
        put_away(t);
    }
}

/* It lies there as long as somebody looks after it. */
static void what_cannot_be_read_stops_no_start(void **state)
{
    trail_t *t = *state;
    char lost[120];
    audit_trail_t trail;
    snprintf(lost, sizeof lost, "%s.lost", t->path);
    assert_int_equal(symlink("nowhere", lost), 0);
    open_trail(t, &trail, NULL);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
    audit_trail_close(&trail);
    assert_true(trail_logged(t, STR("let this user read the file, or move it away")));
    assert_true(trail_logged(t, str_c(strerror(ELOOP))));
    assert_int_equal(trail_check_one(t).mends, 0);
    assert_int_equal(unlink(lost), 0);
}

/* Only what was there when a process started can be what a loss of power left. */
static void a_running_process_puts_nothing_aside(void **state)
{
    trail_t *t = *state;
    audit_trail_t trail;
    char path[200];
    open_trail(t, &trail, NULL);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
    unlink(t->path);
    trail_write(t->path, trail_lines(t->a, 6));
    make_hole(t, 3);
    str_t before = trail_read(t, t->path);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
    audit_trail_close(&trail);
    assert_true(str_starts(trail_read(t, t->path), before));
    assert_int_equal(put_aside(t, path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_synced_survives_the_power),
        TRAIL_TEST(foreign_file_with_zeros_is_not_touched),
        TRAIL_TEST(lines_behind_a_hole_are_put_aside),
        TRAIL_TEST(signed_lines_are_not_put_aside),
        TRAIL_TEST(lines_before_a_damaged_checkpoint_are_not_put_aside),
        TRAIL_TEST(a_hole_in_a_checkpoint_is_mended),
        TRAIL_TEST(zeros_up_to_the_end_are_put_aside_and_told),
        TRAIL_TEST(number_of_a_damaged_checkpoint_is_told),
        TRAIL_TEST(signed_lines_are_put_aside_when_asked_and_that_is_told),
        TRAIL_TEST(a_hole_behind_the_last_checkpoint_is_mended_and_told),
        TRAIL_TEST(a_mend_that_broke_off_is_told_by_the_next_start),
        TRAIL_TEST(a_mend_is_told_once_by_those_who_start_together),
        TRAIL_TEST(what_cannot_be_read_stops_no_start),
        TRAIL_TEST(a_running_process_puts_nothing_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
