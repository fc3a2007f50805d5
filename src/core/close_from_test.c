#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/close_from.h"
#include "core/core_test_old_kernel.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST = 40, MANY = 300, SURE = 1, UNSURE = 2, LEFT = 3, BROKEN = 4 };

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int judge(bool closed)
{
    if (!closed)
        return UNSURE;
    for (int fd = FIRST; fd < FIRST + MANY; fd++)
        if (is_open(fd))
            return LEFT;
    return is_open(FIRST - 1) ? SURE : BROKEN;
}

static int run(bool (*prepare)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY);
        for (int fd = FIRST - 1; fd < FIRST + MANY; fd++)
            if (dup2(null, fd) < 0)
                _exit(BROKEN);
        _exit(prepare() ? judge(close_from(FIRST)) : BROKEN);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool nothing(void)
{
    return true;
}

/* No descriptor is left to read the list by. */
static bool forbid_both(void)
{
    const struct rlimit none = {3, 3};
    return forbid_close_range() && setrlimit(RLIMIT_NOFILE, &none) == 0;
}

static void all_from_there_are_closed(void **state)
{
    (void)state;
    assert_int_equal(run(nothing), SURE);
}

static void an_old_kernel_leaves_none_either(void **state)
{
    (void)state;
    assert_int_equal(run(forbid_close_range), SURE);
}

static void what_cannot_be_closed_is_said(void **state)
{
    (void)state;
    assert_int_equal(run(forbid_both), UNSURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_from_there_are_closed),
        cmocka_unit_test(an_old_kernel_leaves_none_either),
        cmocka_unit_test(what_cannot_be_closed_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
