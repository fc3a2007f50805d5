/* How one server gives its sockets to the next, and to whom it does not. */
#include "cmd/cmd_test_run.h"

#include "cmd/handover.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    char folder[64], path[96];
    handover_t *running;
    clock_fake_t clock;
    char room[4096];
    log_t log;
    sockets_t own, got;
    atomic_bool over, done;
    pid_t pid;
} play_t;

static void hear_log(void *ctx, str_t line)
{
    play_t *p = ctx;
    size_t has = strlen(p->room);
    snprintf(p->room + has, sizeof p->room - has, "%" PRIstr, STR_ARG(line));
}

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    test_folder(p->folder);
    snprintf(p->path, sizeof p->path, "%s/take-over.sock", p->folder);
    sockets_init(&p->own);
    sockets_init(&p->got);
    for (size_t i = 0; i < 2; i++)
        p->own.main[p->own.n_main++] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    p->log = (log_t){.write = hear_log, .ctx = p};
    assert_int_equal(handover_listen(p->path, &p->log, clock_fake(&p->clock), &p->running), RC_OK);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    handover_free(p->running);
    sockets_close(&p->own);
    sockets_close(&p->got);
    test_folder_remove(p->folder);
    free(p);
    return 0;
}

/* The running server looks several times a second. */
static void *look(void *arg)
{
    static const struct timespec MOMENT = {0, 1000000};
    play_t *p = arg;
    while (!p->done && !atomic_load(&p->over)) {
        p->done = handover_look(p->running, &p->own, &p->pid);
        nanosleep(&MOMENT, NULL);
    }
    return NULL;
}

static rc_t ask(play_t *p, pthread_t *looker)
{
    assert_int_equal(pthread_create(looker, NULL, look, p), 0);
    return handover_ask(p->path, &p->got);
}

static void end(play_t *p, pthread_t looker)
{
    atomic_store(&p->over, true);
    pthread_join(looker, NULL);
}

static bool is_same_socket(int a, int b)
{
    struct stat one, other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_ino == other.st_ino;
}

/* attack case: OPS-015 */
static void sockets_go_to_the_next(void **state)
{
    play_t *p = *state;
    pthread_t looker;
    p->own.metrics = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    p->own.has_metrics = true;
    assert_int_equal(ask(p, &looker), RC_OK);
    assert_int_equal(p->got.n_main, 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(is_same_socket(p->got.main[i], p->own.main[i]));
    assert_true(p->got.has_metrics && is_same_socket(p->got.metrics, p->own.metrics));
    assert_int_equal(handover_done(&p->got), RC_OK);
    pthread_join(looker, NULL);
    assert_true(p->done);
    assert_int_equal(p->pid, getpid());
}

static void one_that_ends_without_a_word_changes_nothing(void **state)
{
    play_t *p = *state;
    pthread_t looker;
    assert_int_equal(ask(p, &looker), RC_OK);
    close(p->got.peer);
    sockets_close(&p->got);
    assert_int_equal(handover_ask(p->path, &p->got), RC_OK); /* another may come */
    assert_false(p->done);
    assert_int_equal(handover_done(&p->got), RC_OK);
    pthread_join(looker, NULL);
    assert_true(p->done);
}

/* Without a thread beside, where the clock is to be moved in between. */
static void look_now(play_t *p)
{
    p->done = handover_look(p->running, &p->own, &p->pid);
}

/* Connected by hand: what follows is said by the test. */
static int come(play_t *p)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", p->path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void another_can_come(play_t *p)
{
    pthread_t looker;
    atomic_store(&p->over, false);
    assert_int_equal(ask(p, &looker), RC_OK);
    assert_int_equal(handover_done(&p->got), RC_OK);
    pthread_join(looker, NULL);
    assert_true(p->done);
}

/* attack case: OPS-015 */
static void one_that_hangs_is_given_up(void **state)
{
    play_t *p = *state;
    int fd = come(p);
    look_now(p);
    p->clock.ms += HANDOVER_START_S * 1000 - 1;
    look_now(p);
    assert_null(strstr(p->room, "does not say that it serves"));
    p->clock.ms += 1;
    look_now(p);
    assert_false(p->done);
    assert_non_null(strstr(p->room, "does not say that it serves; this one goes on"));
    another_can_come(p);
    close(fd);
}

/* It serves already: two would, for ever. */
static void who_comes_late_is_told(void **state)
{
    play_t *p = *state;
    pthread_t looker;
    assert_int_equal(ask(p, &looker), RC_OK);
    end(p, looker);
    p->clock.ms += HANDOVER_START_S * 1000;
    look_now(p);
    assert_false(p->done);
    assert_int_equal(handover_done(&p->got), RC_CONFLICT);
}

static void a_word_counts_however_late_it_is_read(void **state)
{
    static const uint32_t DONE = 0x57524448;
    play_t *p = *state;
    int fd = come(p);
    look_now(p);
    assert_int_equal(send(fd, &DONE, sizeof DONE, 0), sizeof DONE);
    p->clock.ms += HANDOVER_START_S * 2000;
    look_now(p);
    assert_true(p->done);
    close(fd);
}

static void half_a_word_changes_nothing(void **state)
{
    static const uint32_t WORDS[][2] = {{0x57524448, 0}, {0x57524448, 0}, {0x57524449, 0}};
    static const size_t BYTES[] = {2, 8, 4};
    play_t *p = *state;
    for (size_t i = 0; i < 3; i++) {
        int fd = come(p);
        p->room[0] = '\0';
        look_now(p);
        assert_int_equal(send(fd, WORDS[i], BYTES[i], 0), BYTES[i]);
        look_now(p);
        assert_false(p->done);
        assert_non_null(strstr(p->room, "did not start; this one goes on"));
        close(fd);
    }
    another_can_come(p);
}

static void one_at_a_time_has_the_sockets(void **state)
{
    play_t *p = *state;
    pthread_t looker;
    sockets_t other;
    assert_int_equal(ask(p, &looker), RC_OK);
    assert_int_equal(handover_ask(p->path, &other), RC_BUSY);
    assert_int_equal(other.n_main, 0);
    assert_int_equal(handover_done(&p->got), RC_OK);
    pthread_join(looker, NULL);
    assert_true(p->done);
}

/* The one before was killed, or is older and says nothing: this one has the sockets. */
static void one_that_ended_needs_no_sockets(void **state)
{
    play_t *p = *state;
    pthread_t looker;
    assert_int_equal(ask(p, &looker), RC_OK);
    end(p, looker);
    handover_free(p->running);
    p->running = NULL;
    assert_int_equal(handover_done(&p->got), RC_OK);
}

typedef struct {
    const char *path;
    rc_t rc;
} asked_t;

static void *ask_beside(void *arg)
{
    asked_t *a = arg;
    sockets_t none;
    a->rc = handover_ask(a->path, &none);
    return NULL;
}

/* One accepts and says nothing; the other is stopped, and nothing more fits into its queue. */
static void a_server_that_does_not_answer_is_not_waited_for(void **state)
{
    enum { FULL = 1 };
    play_t *p = *state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/stopped", p->folder);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int waits = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, FULL - 1), 0);
    assert_int_equal(connect(waits, (struct sockaddr *)&at, sizeof at), 0);
    asked_t asked[2] = {{.path = p->path}, {.path = at.sun_path}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_beside, &asked[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(asked[i].rc, RC_LIMIT);
    }
    close(waits);
    close(fd);
}

static void nobody_there_is_told_apart(void **state)
{
    play_t *p = *state;
    handover_free(p->running);
    p->running = NULL;
    assert_int_equal(handover_ask(p->path, &p->got), RC_NOT_FOUND);
    unlink(p->path);
    assert_int_equal(handover_ask(p->path, &p->got), RC_NOT_FOUND);
}

/* attack case: OPS-020 */
static void another_user_gets_nothing(void **state)
{
    play_t *p = *state;
    pthread_t looker;
    int status;
    if (geteuid() != 0)
        skip(); /* only root can be another user */
    assert_int_equal(chmod(p->folder, 0755), 0);
    assert_int_equal(chmod(p->path, 0666), 0);
    pid_t stranger = fork();
    if (stranger == 0)
        _exit(setresuid(65534, 65534, 65534) == 0 && handover_ask(p->path, &p->got) == RC_IO ? 0
                                                                                             : 1);
    assert_int_equal(pthread_create(&looker, NULL, look, p), 0);
    assert_int_equal(waitpid(stranger, &status, 0), stranger);
    end(p, looker);
    assert_int_equal(status, 0);
    assert_false(p->done);
}

static void the_socket_is_its_owners_alone(void **state)
{
    play_t *p = *state;
    struct stat st;
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* What answers there is no server of ours. */
static void a_strange_answer_is_refused(void **state)
{
    play_t *p = *state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/strange", p->folder);
    static const uint32_t ANSWERS[][3] = {
        {0x57524448, 1, 0}, {0, 0, 0}, {0x57524448, 0, 0}, {0x57524448, UINT32_MAX, 1}};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            int peer = accept(fd, NULL, NULL);
            ssize_t n = send(peer, ANSWERS[i], i == 1 ? 5 : sizeof ANSWERS[i], 0);
            _exit(n > 0 ? 0 : 1);
        }
        assert_int_equal(handover_ask(at.sun_path, &p->got), RC_IO);
        assert_int_equal(p->got.n_main, 0);
        waitpid(pid, NULL, 0);
    }
    close(fd);
}

static void a_path_that_no_socket_can_have_is_refused(void **state)
{
    char path[200];
    handover_t *h;
    play_t *p = *state;
    memset(path, 'a', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_int_equal(handover_listen(path, NULL, clock_system(), &h), RC_LIMIT);
    assert_int_equal(handover_ask(path, &p->got), RC_NOT_FOUND);
}

static void set_manager(const char *pid, const char *n, const char *names)
{
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", n, 1);
    setenv("LISTEN_FDNAMES", names, 1);
}

static void sockets_of_the_manager_are_found(void **state)
{
    play_t *p = *state;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    set_manager("1", "2", "");
    assert_int_equal(sockets_of_manager(&p->got), RC_NOT_FOUND);
    assert_null(getenv("LISTEN_FDS"));
    set_manager(pid, "x", "");
    assert_int_equal(sockets_of_manager(&p->got), RC_NOT_FOUND);
    set_manager(pid, "3", "warder.socket:metrics:other");
    assert_int_equal(sockets_of_manager(&p->got), RC_OK);
    assert_int_equal(p->got.n_main, 2);
    assert_int_equal(p->got.main[0], 3);
    assert_int_equal(p->got.main[1], 5);
    assert_int_equal(p->got.metrics, 4);
    set_manager(pid, "5000", "");
    assert_int_equal(sockets_of_manager(&p->got), RC_LIMIT);
    sockets_init(&p->got); /* none of these numbers was ours */
}

int main(void)
{
#define PLAY(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        PLAY(sockets_go_to_the_next),
        PLAY(one_that_ends_without_a_word_changes_nothing),
        PLAY(one_that_hangs_is_given_up),
        PLAY(who_comes_late_is_told),
        PLAY(a_word_counts_however_late_it_is_read),
        PLAY(half_a_word_changes_nothing),
        PLAY(one_at_a_time_has_the_sockets),
        PLAY(one_that_ended_needs_no_sockets),
        PLAY(a_server_that_does_not_answer_is_not_waited_for),
        PLAY(nobody_there_is_told_apart),
        PLAY(another_user_gets_nothing),
        PLAY(the_socket_is_its_owners_alone),
        PLAY(a_strange_answer_is_refused),
        PLAY(a_path_that_no_socket_can_have_is_refused),
        PLAY(sockets_of_the_manager_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
