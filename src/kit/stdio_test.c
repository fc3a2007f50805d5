/* A program that a host starts, whose function and whose child print where they must not. */
#include "core/core_test_util.h"

#include "kit/options.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT = 8192 };

static warder_mcp_next_t noisy(warder_mcp_call_t *call, void *ctx)
{
    printf("stray\n");
    (void)fflush(stdout);
    int child = system("echo child; cat");
    warder_mcp_textf(call, "%s %d", warder_mcp_subject(call), child);
    return WARDER_MCP_DONE;
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "noisy", .description = "Prints", .scope = "noise:make", .run = noisy}};

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

static int serve(void)
{
    char why[256] = "";
    const warder_mcp_config_t config = {
        .name = "test", .version = "1", .tools = TOOLS, .tool_count = 1};
    warder_mcp_t *m = warder_mcp_new(&config, why, sizeof why);
    int code = m ? warder_mcp_serve_stdio(m, why, sizeof why) : 99;
    fprintf(stderr, "%s", why);
    printf("after\n");
    warder_mcp_free(m);
    return code;
}

static int serve_without_input(void)
{
    close(0);
    return serve();
}

/* A child with pipes for its streams; `in` is all that it reads. */
static run_t run(int (*body)(void), str_t in)
{
    run_t r;
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

#define INITIALIZE                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"     \
    "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}\n"     \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"
#define CALL                                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"noisy\"}}\n"

static void only_messages_are_on_the_channel(void **state)
{
    run_t r = run(serve, STR(INITIALIZE CALL));
    str_t rest = str_c(r.out), line;
    assert_int_equal(WEXITSTATUS(r.status), KIT_DONE);
    assert_true(str_split(&rest, '\n', &line));
    assert_true(str_contains(line, STR("\"protocolVersion\":\"2025-11-25\"")));
    assert_true(str_split(&rest, '\n', &line));
    assert_true(
        str_contains(line, STR("\"text\":\" 0\""))); /* nobody's name; the child read nothing */
    assert_str(rest, STR("after\n"));
    assert_non_null(strstr(r.err, "stray\n"));
    assert_non_null(strstr(r.err, "child\n"));
}

static void without_standard_input_it_is_refused(void **state)
{
    run_t r = run(serve_without_input, STR(""));
    assert_int_equal(WEXITSTATUS(r.status), KIT_FAILED);
    assert_non_null(strstr(r.err, "standard input and output are not open"));
    assert_string_equal(r.out, "after\n");
}

static void input_that_ends_at_once(void **state)
{
    run_t r = run(serve, STR(""));
    assert_int_equal(WEXITSTATUS(r.status), KIT_DONE);
    assert_string_equal(r.out, "after\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_messages_are_on_the_channel),
        cmocka_unit_test(without_standard_input_it_is_refused),
        cmocka_unit_test(input_that_ends_at_once),
    };
    return cmocka_run_group_tests_name("kit_stdio", tests, NULL, NULL);
}
