/* A bridge that waits for a person when its host goes. */
#include "mcp_client/mcp_client_test_server.h"

#include "bridge/bridge.h"
#include "core/core_test_util.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { PERSON_MS = 90000, SOON_MS = 45000 };

/* A server of 2025-03-26 without metadata: all of it is one origin. */
static bool answer(test_mcp_t *s, const test_asked_t *r, int fd)
{
    (void)s;
    if (str_starts(r->head, STR("POST /register")))
        return test_json(fd, 201, "", "{\"client_id\":\"c\",\"redirect_uris\":[]}");
    if (str_starts(r->head, STR("POST /mcp")))
        return test_status(fd, 401, "WWW-Authenticate: Bearer\r\n");
    return test_status(fd, 404, "");
}

static bool nobody_signs_in(void *ctx, str_t url)
{
    atomic_bool *open = ctx;
    (void)url;
    atomic_store(open, true);
    return true;
}

typedef struct {
    bridge_config_t config;
    rc_t rc;
} run_t;

static void *run(void *arg)
{
    run_t *r = arg;
    r->rc = bridge_run(&r->config);
    return NULL;
}

static int64_t now_ms(void)
{
    return clock_micros() / 1000;
}

static void wait_until_open(atomic_bool *open)
{
    int64_t end = now_ms() + SOON_MS;
    while (!atomic_load(open)) {
        assert_true(now_ms() < end);
        usleep(1000);
    }
}

static void the_host_goes_while_a_person_is_waited_for(void **state)
{
    static const http_agent_config_t AGENT = {.user_agent = {"test", 4}};
    static const char ASKS[] =
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
        "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"
        "\"clientInfo\":{\"name\":\"host\",\"version\":\"1\"}}}\n";
    int in[2], out[2];
    atomic_bool open = false;
    http_agent_t *agent;
    tokens_memory_t *memory;
    tokens_source_t *source;
    pthread_t thread;
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    test_mcp_t *server = test_mcp_start(answer, NULL);
    assert_int_equal(http_agent_new(&AGENT, &agent), RC_OK);
    assert_int_equal(tokens_memory_new(&memory), RC_OK);
    assert_true(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    const tokens_config_t tokens = {.url = str_c(server->url),
                                    .sign_in_ms = PERSON_MS,
                                    .person = {.open = nobody_signs_in, .ctx = &open},
                                    .http = http_agent_ask(agent),
                                    .keep = tokens_memory_keep(memory),
                                    .clock = clock_system(),
                                    .random = random_system()};
    assert_int_equal(tokens_source_new(&tokens, &source), RC_OK);
    run_t r = {.config = {.link = {.agent = agent,
                                   .tokens = source,
                                   .url = str_c(server->url),
                                   .reach = HTTP_REACH_LOOPBACK},
                          .in = in[0],
                          .out = out[1],
                          .stop = -1,
                          .name = STR("warder"),
                          .version = STR("0"),
                          .clock = clock_system()}};
    assert_int_equal(pthread_create(&thread, NULL, run, &r), 0);
    assert_int_equal(write(in[1], ASKS, sizeof ASKS - 1), sizeof ASKS - 1);
    wait_until_open(&open);
    int64_t gone = now_ms();
    close(in[1]);
    pthread_join(thread, NULL);
    assert_int_equal(r.rc, RC_OK);
    assert_true(now_ms() - gone < SOON_MS);
    tokens_source_free(source);
    tokens_memory_free(memory);
    http_agent_free(agent);
    test_mcp_stop(server);
    close(in[0]);
    close(out[0]);
    close(out[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_goes_while_a_person_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
