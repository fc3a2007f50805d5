#include "audit/trail.h"

#include "audit/audit_test_util.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static const str_t BODY = STR_INIT("\"time\":\"2025-11-24T16:00:00.002Z\",\"event\":\"token\","
                                   "\"decision\":\"allow\"");

static void opened(trail_t *t, audit_trail_t *out)
{
    str_t why;
    assert_int_equal(audit_trail_open(out, t->path, &t->log, t->a, &why), RC_OK);
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
    assert_int_equal(audit_trail_write(&trail, &BODY, 1), RC_OK);
    trail.file.disk = &SLOW;
    assert_int_equal(pthread_create(&thread, NULL, sync_it, &trail), 0);
    sem_wait(&begun);
    for (int i = 0; i < 10; i++)
        assert_int_equal(audit_trail_write(&trail, &BODY, 1), RC_OK);
    assert_int_equal(rename(t->path, t->other), 0);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1), RC_OK);
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

static void failed_sync_breaks_the_trail(void **state)
{
    static const audit_disk_t BAD = {write, sync_fails, ftruncate};
    trail_t *t = *state;
    audit_trail_t trail;
    opened(t, &trail);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1), RC_OK);
    trail.file.disk = &BAD;
    assert_int_equal(audit_trail_sync(&trail), RC_IO);
    trail.file.disk = &AUDIT_DISK;
    assert_int_equal(audit_trail_sync(&trail), RC_IO);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1), RC_IO);
    audit_trail_close(&trail);
    opened(t, &trail);
    assert_int_equal(audit_trail_write(&trail, &BODY, 1), RC_OK);
    assert_int_equal(audit_trail_sync(&trail), RC_OK);
    audit_trail_close(&trail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(writes_do_not_wait_for_a_sync),
        TRAIL_TEST(failed_sync_breaks_the_trail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
