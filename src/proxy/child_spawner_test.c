/* The process that starts children in the server's name: it runs what the settings have, and
 * nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/child_spawner.h"

static const str_t ECHO[] = {STR_INIT("cat")};
static const str_t SLEEPER[] = {STR_INIT("sleep"), STR_INIT("60")};
static const str_t MISSING[] = {STR_INIT("no-such-program-here")};
static const str_t STRANGE[] = {STR_INIT("sh"), STR_INIT("-c"), STR_INIT("id")};

typedef struct {
    child_spawner_t *spawner;
} play_t;

static conf_child_t command(const str_t *words, size_t n)
{
    return (conf_child_t){.command = {words, n}};
}

/* In the spawner: the three that stand in the settings. */
static bool find(void *ctx, const child_digest_t *digest, conf_child_t *child, str_t *directory)
{
    const conf_child_t known[] = {command(ECHO, 1), command(SLEEPER, 2), command(MISSING, 1)};
    for (size_t i = 0; i < 3; i++) {
        child_digest_t has = child_digest(&known[i], STR("/tmp"));
        if (memcmp(has.b, digest->b, sizeof has.b) != 0)
            continue;
        *child = known[i];
        *directory = STR("/tmp");
        return true;
    }
    return false;
}

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    assert_int_equal(child_spawner_new((child_commands_t){.find = find}, &p->spawner), RC_OK);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    child_spawner_free(p->spawner);
    free(p);
    return 0;
}

static rc_t start(play_t *p, conf_child_t child, str_t directory, child_process_t *out, int *error)
{
    str_t why;
    return child_process_start(p->spawner, &child, directory, out, &why, error);
}

static bool ends_within(const child_process_t *c, int ms)
{
    struct pollfd p = {.fd = c->exit, .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

static void shut(child_process_t *c)
{
    close(c->in);
    close(c->out);
    close(c->err);
    close(c->exit);
}

static void a_command_of_the_settings_runs(void **state)
{
    child_process_t c;
    int error;
    char got[8] = "";
    struct pollfd readable = {.events = POLLIN};
    assert_int_equal(start(*state, command(ECHO, 1), STR("/tmp"), &c, &error), RC_OK);
    assert_int_equal(write(c.in, "hello\n", 6), 6);
    readable.fd = c.out;
    assert_int_equal(poll(&readable, 1, 60000), 1);
    assert_int_equal(read(c.out, got, sizeof got), 6);
    assert_string_equal(got, "hello\n");
    /* It is not ours: whoever takes us over can neither wait for it nor, by the filter, signal it.
     */
    assert_int_equal(waitpid(c.pid, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    child_process_signal(&c, SIGTERM);
    assert_true(ends_within(&c, 60000));
    int status = child_process_reap(&c);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    shut(&c);
}

/* attack case: OPS-019 */
static void a_command_of_nobody_is_refused(void **state)
{
    child_process_t c;
    int error;
    assert_int_equal(start(*state, command(STRANGE, 3), STR("/tmp"), &c, &error), RC_IO);
    assert_int_equal(error, EPERM);
    /* The same words elsewhere, with a variable, or cut differently are another command. */
    assert_int_equal(start(*state, command(ECHO, 1), STR("/"), &c, &error), RC_IO);
    conf_child_t odd = command(ECHO, 1);
    odd.environment = (str_list_t){STRANGE, 1};
    assert_int_equal(start(*state, odd, STR("/tmp"), &c, &error), RC_IO);
    odd = command(ECHO, 1);
    odd.memory_mb = 1;
    assert_int_equal(start(*state, odd, STR("/tmp"), &c, &error), RC_IO);
    assert_int_equal(error, EPERM);
}

static void a_missing_program_is_told(void **state)
{
    child_process_t c;
    str_t why;
    int error;
    play_t *p = *state;
    const conf_child_t child = command(MISSING, 1);
    assert_int_equal(child_process_start(p->spawner, &child, STR("/tmp"), &c, &why, &error), RC_IO);
    assert_int_equal(error, ENOENT);
    assert_true(str_eq(why, STR("the command is not in PATH")));
}

/* attack case: OPS-019 */
static void other_processes_are_not_signalled(void **state)
{
    play_t *p = *state;
    pid_t stranger = fork();
    if (stranger == 0) {
        pause();
        _exit(0);
    }
    setpgid(stranger, stranger);
    child_spawner_signal(p->spawner, stranger, SIGKILL);
    assert_int_equal(child_spawner_collect(p->spawner, stranger), 0);
    assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0);
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
}

static void children_end_with_the_spawner(void **state)
{
    play_t *p = *state;
    child_process_t c;
    int error;
    assert_int_equal(start(p, command(SLEEPER, 2), STR("/tmp"), &c, &error), RC_OK);
    child_spawner_free(p->spawner);
    p->spawner = NULL;
    assert_true(ends_within(&c, 60000));
    shut(&c);
}

/* What is not of its form ends it: both halves are of one program. */
static void a_broken_packet_ends_it(void **state)
{
    int ends[2], fds[SPAWN_STREAMS];
    size_t n;
    char byte[sizeof(spawn_request_t)] = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_true(spawn_send(ends[0], byte, 3, ends, 2));
    assert_false(spawn_receive(ends[1], byte, sizeof byte, fds, &n));
    assert_int_equal(n, 0);
    assert_true(spawn_send(ends[0], byte, sizeof byte, ends, 2));
    assert_true(spawn_receive(ends[1], byte, sizeof byte, fds, &n));
    assert_int_equal(n, 2);
    while (n > 0)
        close(fds[--n]);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
#define PLAY(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        PLAY(a_command_of_the_settings_runs), PLAY(a_command_of_nobody_is_refused),
        PLAY(a_missing_program_is_told),      PLAY(other_processes_are_not_signalled),
        PLAY(children_end_with_the_spawner),  cmocka_unit_test(a_broken_packet_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
