#include "audit/trail.h"

#include "audit/audit_test_util.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const str_t BODY = STR_INIT("\"time\":\"2025-11-24T16:00:00.002Z\",\"event\":\"token\","
                                   "\"decision\":\"allow\"");

static void opened_as(trail_t *t, audit_trail_config_t config, audit_trail_t *out)
{
    str_t why;
    config.path = t->path;
    config.log = &t->log;
    if (!config.clock.now_ms)
        config.clock = clock_system();
    assert_int_equal(audit_trail_open(out, &config, t->a, &why), RC_OK);
}

static void opened(trail_t *t, audit_trail_t *out)
{
    opened_as(t, (audit_trail_config_t){0}, out);
}

static void write_lines(audit_trail_t *trail, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(audit_trail_write(trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
}

/* All files, with their signatures; `unproven` as for audit_chain_t. */
static audit_chain_t check_all(trail_t *t, const jwks_t *keys, uint64_t unproven)
{
    size_t n;
    const char **files = trail_files(t, &n);
    audit_chain_t c = audit_chain_begin(t->scratch, NULL);
    c.keys = keys;
    c.unproven_max = unproven;
    for (size_t i = 0; i < n; i++) {
        str_t rest = trail_read(t, files[i]);
        audit_chain_next_file(&c);
        while (rest.n > 0) {
            str_t line = str_first(rest, str_find(rest, '\n', 0) + 1);
            assert_int_equal(audit_chain_line(&c, line), RC_OK);
            rest = str_skip(rest, line.n);
        }
    }
    audit_chain_end(&c);
    assert_str(audit_fault_name(c.fault), STR("none"));
    return c;
}

/* A disk whose syncs take as long as the test wants, and fail when it wants. */
static sem_t begun, go_on;
static atomic_size_t syncs;

static int sync_slowly(int fd)
{
    atomic_fetch_add(&syncs, 1);
    sem_post(&begun);
    while (sem_wait(&go_on) != 0)
        ;
    return fdatasync(fd);
}

static int sync_fails(int fd)
{
    errno = EIO;
    return -1;
}

static void *sync_it(void *arg)
{
    assert_int_equal(audit_trail_sync(arg), RC_OK);
    return NULL;
}

static void writes_do_not_wait_for_a_sync(void **state)
{
    static const audit_disk_t SLOW = {write, sync_slowly, ftruncate};
    trail_t *t = *state;
    audit_trail_t trail;
    pthread_t thread;
    assert_int_equal(sem_init(&begun, 0, 0) | sem_init(&go_on, 0, 0), 0);
    opened(t, &trail);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
    trail.file.disk = &SLOW;
    assert_int_equal(pthread_create(&thread, NULL, sync_it, &trail), 0);
    sem_wait(&begun);
    for (int i = 0; i < 10; i++)
        assert_int_equal(audit_trail_write(&trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
    assert_int_equal(rename(t->path, t->other), 0);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
    sem_post(&go_on);
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&syncs), 1);
    trail.file.disk = &AUDIT_DISK;
    assert_int_equal(audit_trail_sync(&trail), RC_OK);
    audit_trail_close(&trail);
    const char *both[] = {t->other, t->path};
    audit_chain_t c = trail_check(t, both, 2, NULL);
    assert_int_equal(c.fault, AUDIT_FAULT_NONE);
    assert_int_equal(c.lines, 12);
}

static audit_trail_t *written_meanwhile;
static off_t on_disk;

static off_t size_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return st.st_size;
}

/* Another thread writes a line while the first sync is under way. */
static int sync_overtaken(int fd)
{
    audit_trail_t *trail = written_meanwhile;
    on_disk = size_of(fd);
    written_meanwhile = NULL;
    if (trail)
        write_lines(trail, 1);
    return fdatasync(fd);
}

static ssize_t write_watched(int fd, const void *p, size_t n)
{
    if (str_contains(str_of(p, n), STR("\"event\":\"checkpoint\"")))
        assert_int_equal(on_disk, size_of(fd));
    return write(fd, p, n);
}

static void what_a_checkpoint_signs_is_on_the_disk_before(void **state)
{
    static const audit_disk_t WATCHED = {write_watched, sync_overtaken, ftruncate};
    trail_t *t = *state;
    audit_trail_t trail;
    jwks_t keys;
    const audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    opened_as(t, (audit_trail_config_t){.signer = &signer}, &trail);
    trail.file.disk = &WATCHED;
    for (int i = 0; i < 2; i++) {
        write_lines(&trail, 3);
        written_meanwhile = i == 0 ? &trail : NULL;
        assert_int_equal(audit_trail_checkpoint(&trail), RC_OK);
    }
    audit_trail_close(&trail);
    assert_int_equal(check_all(t, &keys, 0).checkpoints, 2);
}

static void failed_sync_before_a_checkpoint_breaks_the_trail(void **state)
{
    static const audit_disk_t BAD = {write, sync_fails, ftruncate};
    trail_t *t = *state;
    audit_trail_t trail;
    jwks_t keys;
    const audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    opened_as(t, (audit_trail_config_t){.signer = &signer}, &trail);
    write_lines(&trail, 1);
    trail.file.disk = &BAD;
    assert_int_equal(audit_trail_checkpoint(&trail), RC_IO);
    trail.file.disk = &AUDIT_DISK;
    assert_int_equal(audit_trail_write(&trail, &BODY, 1, AUDIT_WAIT_EVER), RC_IO);
    audit_trail_close(&trail);
    assert_int_equal(trail_check_one(t).checkpoints, 0);
}

static void failed_sync_breaks_the_trail(void **state)
{
    static const audit_disk_t BAD = {write, sync_fails, ftruncate};
    trail_t *t = *state;
    audit_trail_t trail;
    opened(t, &trail);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
    trail.file.disk = &BAD;
    assert_int_equal(audit_trail_sync(&trail), RC_IO);
    trail.file.disk = &AUDIT_DISK;
    assert_int_equal(audit_trail_sync(&trail), RC_IO);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1, 0), RC_IO);
    audit_trail_close(&trail);
    opened(t, &trail);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
    assert_int_equal(audit_trail_sync(&trail), RC_OK);
    audit_trail_close(&trail);
}

static void checkpoints_are_written_once(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    audit_trail_t trail, other;
    opened_as(t, (audit_trail_config_t){.signer = &signer}, &trail);
    opened_as(t, (audit_trail_config_t){.signer = &signer}, &other);
    assert_int_equal(audit_trail_checkpoint(&trail), RC_NOT_FOUND);
    write_lines(&trail, 2);
    assert_int_equal(audit_trail_checkpoint(&trail), RC_OK);
    assert_int_equal(audit_trail_checkpoint(&trail), RC_NOT_FOUND);
    assert_int_equal(audit_trail_checkpoint(&other), RC_NOT_FOUND);
    write_lines(&other, 1);
    assert_int_equal(audit_trail_checkpoint(&trail), RC_OK);
    assert_int_equal(audit_trail_checkpoints(&trail), 2);
    audit_trail_close(&trail);
    audit_trail_close(&other);
    audit_chain_t c = check_all(t, &keys, 0);
    assert_int_equal(c.lines, 5);
    assert_int_equal(c.checkpoints, 2);
}

static rc_t sign_fails(void *ctx, str_t bytes, signature_t *out)
{
    return RC_IO;
}

static void failing_signer_does_not_end_the_trail(void **state)
{
    trail_t *t = *state;
    audit_signer_t signer = {.sign = sign_fails, .kid = STR("k")};
    audit_trail_t trail;
    opened_as(t, (audit_trail_config_t){.signer = &signer}, &trail);
    write_lines(&trail, 1);
    assert_int_equal(audit_trail_checkpoint(&trail), RC_OK);
    assert_true(trail_logged(t, STR("the audit trail cannot be signed")));
    write_lines(&trail, 1);
    audit_trail_close(&trail);
    assert_int_equal(check_all(t, NULL, UINT64_MAX).lines, 2);
}

/* Whoever finds a new file at the path signs the seam. */
static void renamed_file_is_followed_by_a_checkpoint(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    audit_signer_t signer = trail_signer(t, ALG_ES256, &keys);
    audit_trail_t trail;
    opened_as(t, (audit_trail_config_t){.signer = &signer}, &trail);
    write_lines(&trail, 3);
    assert_int_equal(rename(t->path, t->other), 0);
    write_lines(&trail, 2);
    audit_trail_close(&trail);
    assert_true(str_contains(trail_read(t, t->path), STR("\"head\":\"3:")));
    audit_chain_t c = check_all(t, &keys, 2);
    assert_int_equal(c.first.seq, 4);
    assert_int_equal(c.signed_seq, 4);
    /* The name of the chain is known from that line, too. */
    opened_as(t, (audit_trail_config_t){.signer = &signer}, &trail);
    assert_int_equal(audit_trail_checkpoint(&trail), RC_OK);
    audit_trail_close(&trail);
    c = check_all(t, &keys, 0);
    audit_chain_t whole = trail_check(t, (const char *[]){t->other, t->path}, 2, NULL);
    assert_int_equal(whole.fault, AUDIT_FAULT_NONE);
    assert_memory_equal(whole.chain.bytes, c.chain.bytes, SHA256_BYTES);
}

static void file_is_rotated_at_its_size(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    audit_trail_t trail;
    size_t n;
    opened_as(t, (audit_trail_config_t){.signer = &signer, .rotate_bytes = 1000}, &trail);
    assert_int_equal(audit_trail_rotate(&trail), RC_OK);
    for (int round = 0; round < 3; round++) {
        write_lines(&trail, 10);
        assert_int_equal(audit_trail_rotate(&trail), RC_OK);
        assert_int_equal(audit_trail_rotate(&trail), RC_OK);
    }
    assert_int_equal(audit_trail_sync(&trail), RC_OK);
    audit_trail_close(&trail);
    trail_files(t, &n);
    assert_int_equal(n, 4);
    audit_chain_t c = check_all(t, &keys, 0);
    assert_int_equal(c.lines, 36);
    assert_int_equal(c.checkpoints, 6);
}

static void file_is_rotated_at_its_age(void **state)
{
    trail_t *t = *state;
    clock_fake_t now = {.ms = 1764083102123};
    audit_trail_config_t config = {.rotate_s = 60, .clock = clock_fake(&now)};
    audit_trail_t trail;
    size_t n;
    opened_as(t, config, &trail);
    write_lines(&trail, 1);
    audit_trail_close(&trail);
    trail_write(t->path, trail_lines(t->a, 2)); /* of 2025-11-24T16:00:00.000Z */
    now.ms = 1764000000000 + 59999;
    opened_as(t, config, &trail);
    assert_int_equal(audit_trail_rotate(&trail), RC_OK);
    trail_files(t, &n);
    assert_int_equal(n, 1);
    now.ms++;
    assert_int_equal(audit_trail_rotate(&trail), RC_OK);
    const char **files = trail_files(t, &n);
    assert_int_equal(n, 2);
    assert_true(str_ends(str_c(files[0]), STR(".20251124T160100Z.2")));
    write_lines(&trail, 1);
    now.ms += 59999;
    assert_int_equal(audit_trail_rotate(&trail), RC_OK);
    audit_trail_close(&trail);
    trail_files(t, &n);
    assert_int_equal(n, 2);
    assert_int_equal(check_all(t, NULL, UINT64_MAX).lines, 3);
}

/* The server died between the rename and the first line of the new file. */
static void new_process_continues_the_newest_rotated_file(void **state)
{
    trail_t *t = *state;
    audit_trail_t trail;
    char newest[192], older[192];
    opened(t, &trail);
    write_lines(&trail, 3);
    audit_trail_close(&trail);
    snprintf(older, sizeof older, "%s.20251124T160100Z.2", t->path);
    snprintf(newest, sizeof newest, "%s.20251124T160100Z.3", t->path);
    trail_write(older, trail_lines(t->a, 2));
    assert_int_equal(rename(t->path, newest), 0);
    opened(t, &trail);
    write_lines(&trail, 1);
    audit_trail_close(&trail);
    unlink(older);
    assert_int_equal(check_all(t, NULL, UINT64_MAX).lines, 4);
}

/* Two processes that both want to rotate: each line once, each seam signed. */
enum { ROTATORS = 4, EACH = 400 };

static void *write_and_rotate(void *arg)
{
    audit_trail_t *trail = arg;
    for (int i = 0; i < EACH; i++) {
        assert_int_equal(audit_trail_write(trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
        assert_int_equal(audit_trail_rotate(trail), RC_OK);
        if (i % 20 == 0)
            assert_int_equal(audit_trail_sync(trail), RC_OK);
    }
    return NULL;
}

static void many_rotate_one_chain(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys), signers[ROTATORS];
    audit_trail_t trails[ROTATORS];
    pthread_t threads[ROTATORS];
    size_t n;
    for (size_t i = 0; i < ROTATORS; i++) {
        signers[i] = i == 0 ? signer : trail_signer(t, ALG_EDDSA, &(jwks_t){0});
        opened_as(t, (audit_trail_config_t){.signer = &signers[i], .rotate_bytes = 20000},
                  &trails[i]);
    }
    for (size_t i = 0; i < ROTATORS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_and_rotate, &trails[i]), 0);
    for (size_t i = 0; i < ROTATORS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < ROTATORS; i++)
        audit_trail_close(&trails[i]);
    trail_files(t, &n);
    assert_true(n > 10);
    audit_chain_t c = check_all(t, NULL, UINT64_MAX);
    assert_int_equal(c.lines, ROTATORS * EACH + c.checkpoints);
    assert_int_equal(c.checkpoints, 2 * (n - 1));
}

/* The line that names the deleted file is the anchor for what is left. */
static void old_files_are_deleted_and_named(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    clock_fake_t now = {.ms = 1764083102000};
    audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    audit_trail_t trail;
    size_t n;
    opened_as(
        t,
        (audit_trail_config_t){
            .signer = &signer, .rotate_bytes = 1000, .keep_s = 150, .clock = clock_fake(&now)},
        &trail);
    for (int round = 0; round < 3; round++) {
        write_lines(&trail, 10);
        assert_int_equal(audit_trail_rotate(&trail), RC_OK);
        now.ms += 60000;
    }
    assert_int_equal(audit_trail_expire(&trail), RC_OK);
    trail_files(t, &n);
    assert_int_equal(n, 3); /* that of 180 s ago is gone, those of 120 and 60 s: */
    audit_chain_t c = check_all(t, &keys, 1);
    assert_int_equal(c.first.seq, 12);
    assert_true(c.deleted_by > 0);
    audit_trail_close(&trail);
}

static void file_that_is_not_what_its_name_says_is_kept(void **state)
{
    trail_t *t = *state;
    clock_fake_t now = {.ms = 1764083102000};
    audit_trail_t trail;
    char wrong[192];
    opened_as(t, (audit_trail_config_t){.keep_s = 1, .clock = clock_fake(&now)}, &trail);
    snprintf(wrong, sizeof wrong, "%s.20200101T000000Z.7", t->path);
    trail_write(wrong, trail_lines(t->a, 2));
    assert_int_equal(audit_trail_expire(&trail), RC_OK);
    assert_true(trail_logged(t, STR("is not what its name says")));
    assert_int_equal(access(wrong, F_OK), 0);
    audit_trail_close(&trail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(writes_do_not_wait_for_a_sync),
        TRAIL_TEST(failed_sync_breaks_the_trail),
        TRAIL_TEST(what_a_checkpoint_signs_is_on_the_disk_before),
        TRAIL_TEST(failed_sync_before_a_checkpoint_breaks_the_trail),
        TRAIL_TEST(checkpoints_are_written_once),
        TRAIL_TEST(failing_signer_does_not_end_the_trail),
        TRAIL_TEST(renamed_file_is_followed_by_a_checkpoint),
        TRAIL_TEST(file_is_rotated_at_its_size),
        TRAIL_TEST(file_is_rotated_at_its_age),
        TRAIL_TEST(new_process_continues_the_newest_rotated_file),
        TRAIL_TEST(many_rotate_one_chain),
        TRAIL_TEST(old_files_are_deleted_and_named),
        TRAIL_TEST(file_that_is_not_what_its_name_says_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
