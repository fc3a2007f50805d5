/* A server of the kit on loopback, and clients that do everything they can at once and in any
 * order, also what they should not: they share their sessions, come back to streams of others, end
 * what runs, go away in the middle, and are still there when the server stops. What fails here
 * fails in a sanitizer, or never ends.
 *
 * WARDER_STRESS_MS says how long; two seconds without it. */
#include "core/core_test_util.h"
#include "kit/kit_test_stress.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CLIENTS = 16,
    SESSIONS = 12,
    ID_BYTES = 64,
    TEXT_BYTES = 8192,
    PATIENCE_MS = 25,
    GOOD_PATIENCE_MS = 5000,
    DEFAULT_MS = 2000,
    QUESTIONS = 40,
};

/* What all share. */
typedef struct {
    pthread_mutex_t lock;
    char sessions[SESSIONS][ID_BYTES], tasks[SESSIONS][ID_BYTES];
    atomic_bool over;
    atomic_uint answered;
    stress_desk_t desk;
    uint16_t port;
    warder_mcp_t *m;
} shared_t;

typedef struct {
    shared_t *all;
    uint64_t state;
    int64_t patience_ms;
    char out[TEXT_BYTES], in[TEXT_BYTES];
} client_t;

static unsigned pick(client_t *c, unsigned n)
{
    c->state ^= c->state << 13;
    c->state ^= c->state >> 7;
    c->state ^= c->state << 17;
    return (unsigned)(c->state >> 33) % n;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- one exchange ---- */

static int dial(const shared_t *all)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval wait = {0, 20000};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(all->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Until the server closes, or patience ends. */
static void receive(client_t *c, int fd, int64_t patience_ms)
{
    size_t n = 0;
    const int64_t until = now_ms() + patience_ms;
    while (n < sizeof c->in - 1 && now_ms() < until) {
        ssize_t got = recv(fd, c->in + n, sizeof c->in - 1 - n, 0);
        if (got == 0)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    c->in[n] = '\0';
}

static void exchange(client_t *c, const char *method, const char *fields, const char *body)
{
    int n = snprintf(c->out, sizeof c->out,
                     "%s /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                     "Accept: application/json, text/event-stream\r\nConnection: close\r\n%s"
                     "Content-Length: %zu\r\n\r\n%s",
                     method, fields, strlen(body), body);
    int fd = dial(c->all);
    c->in[0] = '\0';
    if (fd < 0)
        return;
    if (send(fd, c->out, (size_t)n, MSG_NOSIGNAL) == n && pick(c, 4) > 0)
        receive(c, fd, pick(c, 3) ? c->patience_ms : 1);
    if (strstr(c->in, " 200 OK"))
        atomic_fetch_add(&c->all->answered, 1);
    close(fd);
}

/* The word behind `before` in what came is shared with the others. */
static void share(client_t *c, const char *before, char list[SESSIONS][ID_BYTES])
{
    const char *at = strstr(c->in, before);
    if (!at)
        return;
    at += strlen(before);
    size_t n = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    unsigned place = pick(c, SESSIONS);
    pthread_mutex_lock(&c->all->lock);
    if (n < ID_BYTES)
        snprintf(list[place], ID_BYTES, "%.*s", (int)n, at);
    pthread_mutex_unlock(&c->all->lock);
}

static void any_of(client_t *c, char list[SESSIONS][ID_BYTES], char out[ID_BYTES])
{
    unsigned place = pick(c, SESSIONS);
    pthread_mutex_lock(&c->all->lock);
    memcpy(out, list[place], ID_BYTES);
    pthread_mutex_unlock(&c->all->lock);
}

static void in_session(client_t *c, const char *method, const char *more, const char *body)
{
    char id[ID_BYTES], fields[512];
    any_of(c, c->all->sessions, id);
    snprintf(fields, sizeof fields, "MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: %s\r\n%s",
             id[0] ? id : "none", more);
    exchange(c, method, fields, body);
}

/* ---- what clients do ---- */

static void open_session(client_t *c)
{
    exchange(c, "POST", "",
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
             "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"elicitation\":{},"
             "\"roots\":{}},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}");
    share(c, "Mcp-Session-Id: ", c->all->sessions);
    in_session(c, "POST", "", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
}

static void call_tool(client_t *c)
{
    char body[512];
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
             "\"_meta\":{\"progressToken\":%u}}}",
             pick(c, 16), STRESS_TOOLS[pick(c, STRESS_TOOL_COUNT)].name, pick(c, 9));
    in_session(c, "POST", "", body);
}

static void cancel(client_t *c)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
             "\"requestId\":%u}}",
             pick(c, 16));
    in_session(c, "POST", "", body);
}

static void answer(client_t *c)
{
    char body[256];
    static const char *const WHAT[] = {"\"result\":{\"action\":\"accept\",\"content\":{}}",
                                       "\"result\":{\"roots\":[]}", "\"result\":7",
                                       "\"error\":{\"code\":1,\"message\":\"no\"}"};
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%u,%s}", 1 + pick(c, QUESTIONS),
             WHAT[pick(c, 4)]);
    in_session(c, "POST", "", body);
}

static void come_back(client_t *c)
{
    char field[128];
    snprintf(field, sizeof field, "Last-Event-ID: %u-%u\r\n", pick(c, 20), pick(c, 6));
    in_session(c, "GET", pick(c, 3) ? field : "", "");
}

static void end_session(client_t *c)
{
    if (pick(c, 4) == 0)
        in_session(c, "DELETE", "", "");
}

static void watch(client_t *c)
{
    in_session(c, "POST", "",
               "{\"jsonrpc\":\"2.0\",\"id\":20,\"method\":\"resources/subscribe\",\"params\":{"
               "\"uri\":\"test://a\"}}");
}

#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{},\"roots\":{},"             \
    "\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}}"

static void stateless(client_t *c, const char *method, const char *name, const char *params)
{
    char fields[256], body[1024];
    snprintf(fields, sizeof fields, "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: %s\r\n%s%s%s",
             method, name ? "Mcp-Name: " : "", name ? name : "", name ? "\r\n" : "");
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"%s\",\"params\":{%s" META "}}", method,
             params);
    exchange(c, "POST", fields, body);
}

static void call_stateless(client_t *c)
{
    char params[128];
    const char *name = STRESS_TOOLS[pick(c, STRESS_TOOL_COUNT)].name;
    snprintf(params, sizeof params, "\"name\":\"%s\",", name);
    stateless(c, "tools/call", name, params);
    share(c, "\"taskId\":\"", c->all->tasks);
}

static void move_task(client_t *c)
{
    char id[ID_BYTES], params[256];
    static const char *const METHODS[] = {"tasks/get", "tasks/update", "tasks/cancel"};
    any_of(c, c->all->tasks, id);
    snprintf(params, sizeof params,
             "\"taskId\":\"%s\",\"inputResponses\":{\"a\":{\"action\":\"accept\",\"content\":{}},"
             "\"b\":{\"roots\":[]}},",
             id[0] ? id : "none");
    stateless(c, METHODS[pick(c, 3)], id[0] ? id : "none", params);
}

static void listen_to_all(client_t *c)
{
    char id[ID_BYTES], params[256];
    any_of(c, c->all->tasks, id);
    snprintf(params, sizeof params,
             "\"notifications\":{\"toolsListChanged\":true,\"resourceSubscriptions\":["
             "\"test://a\"],\"taskIds\":[\"%s\"]},",
             id);
    stateless(c, "subscriptions/listen", NULL, params);
}

static void change_something(client_t *c)
{
    char why[256];
    switch (pick(c, 3)) {
    case 0:
        warder_mcp_resource_updated(c->all->m, "test://a");
        return;
    case 1:
        warder_mcp_tools_changed(c->all->m);
        return;
    default:
        if (!warder_mcp_set_tools(c->all->m, STRESS_TOOLS, STRESS_TOOL_COUNT - pick(c, 2), why,
                                  sizeof why))
            abort();
    }
}

static void (*const DEEDS[])(client_t *) = {
    open_session, call_tool,      call_tool, call_tool,     cancel,           answer, answer,
    come_back,    call_stateless, move_task, listen_to_all, change_something, watch,  end_session,
};
enum { DEED_COUNT = sizeof DEEDS / sizeof *DEEDS };

static void *live(void *arg)
{
    client_t *c = arg;
    while (!atomic_load(&c->all->over))
        DEEDS[pick(c, DEED_COUNT)](c);
    return NULL;
}

/* ---- the test ---- */

static warder_mcp_server_t *start(shared_t *all)
{
    char why[256] = "";
    warder_mcp_server_t *s = NULL;
    const warder_mcp_config_t config = {.name = "stress",
                                        .version = "1",
                                        .tools = STRESS_TOOLS,
                                        .tool_count = STRESS_TOOL_COUNT,
                                        .resources = STRESS_RESOURCES,
                                        .resource_count = STRESS_RESOURCE_COUNT,
                                        .calls_per_minute = 1000000,
                                        .waiting = 8,
                                        .ctx = &all->desk};
    const warder_mcp_http_t http = {.listen = "127.0.0.1:0", .log_level = -1};
    all->m = warder_mcp_new(&config, why, sizeof why);
    if (!all->m || warder_mcp_http_start(all->m, &http, &s, why, sizeof why) != 0)
        fail_msg("%s", why);
    all->port = (uint16_t)atoi(strrchr(warder_mcp_http_url(s), ':') + 1);
    return s;
}

static int64_t how_long_ms(void)
{
    const char *text = getenv("WARDER_STRESS_MS");
    int64_t ms = text ? atoll(text) : 0;
    return ms > 0 ? ms : DEFAULT_MS;
}

/* A good client is answered in the midst of them all. */
static void assert_serves(shared_t *all)
{
    client_t c = {.all = all, .state = 7, .patience_ms = GOOD_PATIENCE_MS};
    for (int i = 0; i < 1000; i++) {
        stateless(&c, "tools/call", "quick", "\"name\":\"quick\",");
        if (strstr(c.in, "\"text\":\"quick\""))
            return;
    }
    fail_msg("%s", c.in);
}

static void clients_that_do_everything_at_once(void **state)
{
    (void)state;
    static shared_t all;
    static client_t clients[CLIENTS];
    pthread_t threads[CLIENTS], finisher;
    pthread_mutex_init(&all.lock, NULL);
    stress_desk_init(&all.desk);
    warder_mcp_server_t *s = start(&all);
    assert_int_equal(pthread_create(&finisher, NULL, stress_finish_all, &all.desk), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = (client_t){
            .all = &all, .state = 0x9e3779b97f4a7c15u * (i + 1), .patience_ms = PATIENCE_MS};
        assert_int_equal(pthread_create(&threads[i], NULL, live, &clients[i]), 0);
    }
    const struct timespec turn = {0, 50000000};
    for (int64_t end = now_ms() + how_long_ms(); now_ms() < end;)
        nanosleep(&turn, NULL);
    assert_serves(&all);
    warder_mcp_http_stop(s); /* with all of them still at it */
    atomic_store(&all.over, true);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    stress_desk_close(&all.desk);
    pthread_join(finisher, NULL);
    warder_mcp_free(all.m);
    assert_true(atomic_load(&all.answered) > 0);
    assert_true(atomic_load(&all.desk.runs) > 0);
    stress_desk_clear(&all.desk);
    pthread_mutex_destroy(&all.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(clients_that_do_everything_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
