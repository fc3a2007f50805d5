/* What the client's commands stand on: signals, and what is not left behind. */
#include "cmd/cmd_test_run.h"

#include "cmd/client_world.h"
#include "core/core_test_util.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { NEVER = 77, WAITS = 5000 };

static void open_world(client_world_t *w)
{
    static const char *const ARGV[] = {"--keep", "memory", NULL};
    option_t rows[] = {CLIENT_OPTION_ROWS, {NULL}};
    if (!options_parse(2, (char **)(uintptr_t)ARGV, rows, NULL, 0, NULL) ||
        client_world_open(w, rows, STR("https://mcp.example/mcp"), CLIENT_ASK_NOBODY) != EXIT_DONE)
        _exit(NEVER);
}

static void nap(void)
{
    const struct timespec ms = {.tv_nsec = 1000000};
    nanosleep(&ms, NULL);
}

static void wait_for_stop(const client_world_t *w)
{
    for (int i = 0; i < WAITS && !w->stop; i++)
        nap();
}

static int after_one_signal(void *arg)
{
    client_world_t w;
    (void)arg;
    open_world(&w);
    kill(getpid(), SIGTERM);
    wait_for_stop(&w);
    bool stopped = w.stop;
    client_world_close(&w);
    return stopped ? EXIT_DONE : NEVER;
}

static int after_two_signals(void *arg)
{
    client_world_t w;
    (void)arg;
    open_world(&w);
    kill(getpid(), SIGINT);
    wait_for_stop(&w);
    kill(getpid(), SIGINT);
    for (int i = 0; i < WAITS; i++)
        nap();
    return NEVER;
}

static int limit_of_cores(void *arg)
{
    struct rlimit limit;
    client_world_t w;
    (void)arg;
    open_world(&w);
    getrlimit(RLIMIT_CORE, &limit);
    client_world_close(&w);
    return limit.rlim_max <= 1 ? EXIT_DONE : NEVER;
}

static int code_of(int (*fn)(void *))
{
    ran_t ran;
    test_child(fn, NULL, STR(""), &ran);
    return ran.code;
}

static void a_signal_stops_what_goes_on(void **state)
{
    (void)state;
    assert_int_equal(code_of(after_one_signal), EXIT_DONE);
}

static void a_second_signal_waits_for_nothing(void **state)
{
    (void)state;
    assert_int_equal(code_of(after_two_signals), EXIT_STOPPED);
}

static void memory_is_written_to_no_file(void **state)
{
    (void)state;
    assert_int_equal(code_of(limit_of_cores), EXIT_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_stops_what_goes_on),
        cmocka_unit_test(a_second_signal_waits_for_nothing),
        cmocka_unit_test(memory_is_written_to_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
