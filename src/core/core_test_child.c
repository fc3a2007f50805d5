#include "core/core_test_child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void slurp(int fd, char text[TEST_CHILD_TEXT])
{
    size_t n = 0;
    ssize_t got;
    while (n < TEST_CHILD_TEXT - 1 && (got = read(fd, text + n, TEST_CHILD_TEXT - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(fd);
}

static void become(int from, int to)
{
    dup2(from, to);
    close(from);
}

test_child_t test_child_run(int (*body)(void), str_t in)
{
    test_child_t r;
    int to[2], out[2], err[2];
    assert_int_equal(pipe2(to, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        become(to[0], 0);
        become(out[1], 1);
        become(err[1], 2);
        close(to[1]);
        exit(body());
    }
    close(to[0]);
    close(out[1]);
    close(err[1]);
    assert_int_equal(write(to[1], in.p, in.n), in.n);
    close(to[1]);
    slurp(out[0], r.out);
    slurp(err[0], r.err);
    assert_int_equal(waitpid(child, &r.status, 0), child);
    return r;
}
