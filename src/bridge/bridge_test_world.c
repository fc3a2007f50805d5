#include "bridge/bridge_test_world.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, HEARD_BYTES = 48 << 20 };

/* ---- the server ---- */

static bool calls(const test_asked_t *r, const char *tool)
{
    char want[64];
    int n = snprintf(want, sizeof want, "\"name\":\"%s\"", tool);
    return str_contains(r->body, str_of(want, (size_t)n));
}

static bool event(int fd, const char *json)
{
    return test_say(fd, "data: %s\n\n", json);
}

static bool end_stream(int fd, const test_asked_t *r, const char *text)
{
    char id[64];
    test_say(fd,
             "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"content\":[{\"type\":\"text\","
             "\"text\":\"%s\"}]}}\n\n",
             test_id(r, id), text);
    return false;
}

static bool answer_step(const test_asked_t *r, int fd)
{
    test_stream(fd, "");
    event(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
              "\"progressToken\":1,\"progress\":1}}");
    return end_stream(fd, r, "stepped");
}

/* Until the client leaves. */
static bool answer_slow(test_mcp_t *s, int fd)
{
    char byte;
    test_stream(fd, "");
    event(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
              "\"progressToken\":1,\"progress\":1}}");
    while (!atomic_load(&s->ending)) {
        if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0)
            break;
        test_pause(s, 2);
    }
    return false;
}

static bool answer_big(bridge_world_t *w, const test_asked_t *r, int fd)
{
    char *big = malloc(BIG_BYTES + 1);
    memset(big, 'x', BIG_BYTES);
    big[BIG_BYTES] = 0;
    test_stream(fd, "");
    for (int i = 0; i < BIG_TOTAL; i++) {
        if (!test_say(fd,
                      "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
                      "{\"progressToken\":1,\"progress\":%d,\"message\":\"%s\"}}\n\n",
                      i, big))
            break;
        atomic_fetch_add(&w->big_sent, 1);
    }
    free(big);
    return end_stream(fd, r, "all");
}

static bool answer_ask_old(test_mcp_t *s, const test_asked_t *r, int fd)
{
    test_stream(fd, "");
    event(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"elicitation/create\",\"params\":{"
              "\"message\":\"m\",\"requestedSchema\":{}}}");
    while (!atomic_load(&s->ending) && test_mcp_holding(s, "\"id\":\"q\",\"result\"") == 0)
        test_pause(s, 2);
    bool accepted = test_mcp_holding(s, "\"action\":\"accept\"") > 0;
    return end_stream(fd, r, accepted ? "accepted" : "not");
}

static bool answer_ask_new(const test_asked_t *r, int fd)
{
    if (str_contains(r->body, STR("\"requestState\":\"S\"")))
        return test_result(fd, r, "",
                           "{\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":"
                           "\"accepted\"}]}");
    return test_result(fd, r, "",
                       "{\"resultType\":\"input_required\",\"inputRequests\":{\"f\":{\"method\":"
                       "\"elicitation/create\",\"params\":{\"message\":\"m\",\"requestedSchema\":{}"
                       "}}},\"requestState\":\"S\"}");
}

static bool answer_tool(bridge_world_t *w, test_mcp_t *s, const test_asked_t *r, int fd)
{
    if (calls(r, "slow"))
        return answer_slow(s, fd);
    if (calls(r, "step"))
        return answer_step(r, fd);
    if (calls(r, "big"))
        return answer_big(w, r, fd);
    if (calls(r, "ask"))
        return w->era == MCP_ERA_HANDSHAKE ? answer_ask_old(s, r, fd) : answer_ask_new(r, fd);
    return test_result(fd, r, "", "{\"content\":[{\"type\":\"text\",\"text\":\"hello\"}]}");
}

static bool initialize(bridge_world_t *w, const test_asked_t *r, int fd)
{
    char field[64];
    snprintf(field, sizeof field, "Mcp-Session-Id: s%u\r\n", atomic_load(&w->session));
    return test_result(fd, r, field,
                       "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},"
                       "\"serverInfo\":{\"name\":\"old\",\"version\":\"1\"}}");
}

static bool has_session(bridge_world_t *w, const test_asked_t *r)
{
    char want[32];
    int n = snprintf(want, sizeof want, "s%u", atomic_load(&w->session));
    return str_eq(test_field(r, "Mcp-Session-Id"), str_of(want, (size_t)n));
}

static bool answer_old(test_mcp_t *s, const test_asked_t *r, int fd)
{
    bridge_world_t *w = s->ctx;
    if (test_asks(r, "initialize"))
        return initialize(w, r, fd);
    if (str_eq(r->method, STR("GET")))
        return test_status(fd, 405, "");
    if (test_asks(r, "server/discover"))
        return test_json(
            fd, 400, "",
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"Bad Request: "
            "No valid session ID\"},\"id\":null}");
    if (!has_session(w, r))
        return test_status(fd, 404, "");
    if (!str_contains(r->body, STR("\"method\"")) || !str_contains(r->body, STR("\"id\"")))
        return test_status(fd, 202, "");
    return answer_tool(w, s, r, fd);
}

static bool answer_new(test_mcp_t *s, const test_asked_t *r, int fd)
{
    char id[64];
    if (test_asks(r, "server/discover"))
        return test_result(
            fd, r, "",
            "{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],"
            "\"capabilities\":{\"tools\":{}},\"ttlMs\":0,\"cacheScope\":\"private\"}");
    if (test_asks(r, "initialize"))
        return test_json(fd, 404, "",
                         "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32601,\"message\":"
                         "\"speak 2026-07-28\"}}",
                         test_id(r, id));
    return answer_tool(s->ctx, s, r, fd);
}

/* ---- the bridge ---- */

static void *run(void *arg)
{
    bridge_world_t *w = arg;
    bridge_config_t config = {
        .link = {.agent = w->agent, .url = str_c(w->server->url), .reach = HTTP_REACH_LOOPBACK},
        .in = w->in,
        .out = w->out,
        .name = STR("warder"),
        .version = STR("0"),
        .clock = clock_system(),
        .stop = w->stop};
    w->rc = bridge_run(&config);
    close(w->out);
    return NULL;
}

static int setup(void **state, mcp_era_t era)
{
    static const http_agent_config_t AGENT = {.user_agent = {"test", 4}};
    int in[2], out[2];
    bridge_world_t *w = calloc(1, sizeof *w);
    signal(SIGPIPE, SIG_IGN); /* as warder does */
    w->era = era;
    w->a = arena_new(TEST_ARENA_BYTES);
    w->text = malloc(HEARD_BYTES);
    atomic_store(&w->session, 1);
    if (http_agent_new(&AGENT, &w->agent) != RC_OK || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        return -1;
    w->stop = eventfd(0, EFD_CLOEXEC);
    w->in = in[0];
    w->to = in[1];
    w->from = out[0];
    w->out = out[1];
    w->server = test_mcp_start(era == MCP_ERA_HANDSHAKE ? answer_old : answer_new, w);
    w->runs = pthread_create(&w->thread, NULL, run, w) == 0;
    *state = w;
    return w->runs ? 0 : -1;
}

int bridge_world_setup_handshake(void **state)
{
    return setup(state, MCP_ERA_HANDSHAKE);
}

int bridge_world_setup_stateless(void **state)
{
    return setup(state, MCP_ERA_STATELESS);
}

void host_closes(bridge_world_t *w)
{
    if (w->to >= 0)
        close(w->to);
    w->to = -1;
}

void bridge_stops(bridge_world_t *w)
{
    assert_int_equal(eventfd_write(w->stop, 1), 0);
}

rc_t bridge_ends(bridge_world_t *w)
{
    if (w->runs)
        pthread_join(w->thread, NULL);
    w->runs = false;
    return w->rc;
}

int bridge_world_teardown(void **state)
{
    bridge_world_t *w = *state;
    bridge_stops(w);
    host_closes(w);
    bridge_ends(w);
    test_mcp_stop(w->server);
    http_agent_free(w->agent);
    close(w->in);
    close(w->stop);
    if (w->from >= 0)
        close(w->from);
    arena_free(w->a);
    free(w->text);
    free(w);
    return 0;
}

/* ---- the host ---- */

str_t test_quoted(arena_t *a, const char *line)
{
    char *p = arena_cstr(a, str_c(line));
    for (char *c = p; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    return str_c(p);
}

void host_says(bridge_world_t *w, const char *line)
{
    str_t text = arena_printf(w->a, "%s\n", test_quoted(w->a, line).p);
    assert_int_equal(write(w->to, text.p, text.n), (ssize_t)text.n);
}

static bool read_more(bridge_world_t *w)
{
    struct pollfd p = {.fd = w->from, .events = POLLIN};
    if (poll(&p, 1, PATIENCE_MS) <= 0)
        return false;
    ssize_t n = read(w->from, w->text + w->n, HEARD_BYTES - w->n);
    w->n += n > 0 ? (size_t)n : 0;
    return n > 0;
}

str_t host_hears(bridge_world_t *w)
{
    for (size_t looked = w->at;;) {
        const char *end = memchr(w->text + looked, '\n', w->n - looked);
        if (end) {
            str_t line = str_of(w->text + w->at, (size_t)(end - w->text) - w->at);
            w->at += line.n + 1;
            return line;
        }
        looked = w->n;
        if (!read_more(w))
            fail_msg("the bridge says nothing");
    }
}

void assert_silent_end(bridge_world_t *w)
{
    assert_int_equal(w->at, w->n);
    assert_false(read_more(w));
}

void server_was_asked(bridge_world_t *w, const char *part, size_t times)
{
    str_t want = test_quoted(w->a, part);
    int64_t until = clock_micros() / 1000 + PATIENCE_MS;
    while (test_mcp_holding(w->server, want.p) < times) {
        if (clock_micros() / 1000 > until)
            fail_msg("the server was not asked %s", part);
        test_pause(w->server, 2);
    }
}
