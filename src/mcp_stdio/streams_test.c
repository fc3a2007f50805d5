#include "core/core_test_util.h"

#include "mcp_stdio/streams.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT = 4096 };

/* A child with pipes for its three streams; what came out of the last two. */
typedef struct {
    char out[TEXT], err[TEXT];
    int status;
} run_t;

static void slurp(int fd, char text[TEXT])
{
    size_t n = 0;
    ssize_t got;
    while (n < TEXT - 1 && (got = read(fd, text + n, TEXT - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(fd);
}

static void become(int from, int to)
{
    dup2(from, to);
    close(from);
}

static run_t run(int (*body)(void))
{
    run_t r;
    int in[2], out[2], err[2];
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        become(in[0], 0);
        become(out[1], 1);
        become(err[1], 2);
        int code = body();
        (void)fflush(NULL);
        _exit(code);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    assert_int_equal(write(in[1], "question\n", 9), 9);
    close(in[1]);
    slurp(out[0], r.out);
    slurp(err[0], r.err);
    assert_int_equal(waitpid(child, &r.status, 0), child);
    return r;
}

static int print_and_write(void)
{
    mcp_streams_t s;
    char got[16] = "", none[16];
    printf("before ");
    if (mcp_streams_take(&s) != RC_OK)
        return 2;
    printf("stray ");
    if (read(s.in, got, sizeof got) != 9 || read(0, none, sizeof none) != 0)
        return 3;
    if (write(s.out, "answer ", 7) != 7)
        return 4;
    mcp_streams_give_back(&s);
    printf("after");
    return s.in == -1 && s.out == -1 ? 0 : 5;
}

static void stray_prints_go_to_standard_error(void **state)
{
    run_t r = run(print_and_write);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "before answer after");
    assert_string_equal(r.err, "stray ");
}

static int without_standard_error(void)
{
    mcp_streams_t s;
    close(2);
    if (mcp_streams_take(&s) != RC_OK)
        return 2;
    printf("stray");
    mcp_streams_give_back(&s);
    printf("after");
    return 0;
}

static void without_standard_error_they_go_nowhere(void **state)
{
    run_t r = run(without_standard_error);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "after");
}

static int without_input(void)
{
    mcp_streams_t s;
    close(0);
    if (mcp_streams_take(&s) != RC_IO)
        return 2;
    printf("still here");
    return 0;
}

static void closed_input_is_refused_and_nothing_changes(void **state)
{
    run_t r = run(without_input);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "still here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stray_prints_go_to_standard_error),
        cmocka_unit_test(without_standard_error_they_go_nowhere),
        cmocka_unit_test(closed_input_is_refused_and_nothing_changes),
    };
    return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}
