#include "mcp_stdio/stdio_test_world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WAIT_MS = 60000, QUIET_MS = 100, ROOM = 16 << 20, NODES = 1 << 16 };

atomic_bool SLOW_RUNS, SLOW_CANCELLED;

static warder_mcp_next_t hello(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_text(call, "hello");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t slow(warder_mcp_call_t *call, void *ctx)
{
    atomic_store(&SLOW_RUNS, true);
    while (warder_mcp_sleep(call, WAIT_MS))
        ;
    atomic_store(&SLOW_CANCELLED, true);
    warder_mcp_text(call, "nobody hears this");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t soon(warder_mcp_call_t *call, void *ctx)
{
    atomic_store(&SLOW_RUNS, true);
    warder_mcp_sleep(call, QUIET_MS);
    warder_mcp_text(call, "soon");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t steps(warder_mcp_call_t *call, void *ctx)
{
    for (int i = 1; i <= 3; i++)
        warder_mcp_progress(call, i, 3, "on");
    warder_mcp_log(call, WARDER_MCP_WARNING, "test", "mind the gap");
    warder_mcp_text(call, "there");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t ask(warder_mcp_call_t *call, void *ctx)
{
    if (!warder_mcp_elicit(call, "day", "Which day?",
                           "{\"type\":\"object\",\"properties\":{\"day\":{\"type\":\"string\"}},"
                           "\"required\":[\"day\"]}"))
        return WARDER_MCP_ASK;
    warder_mcp_textf(call, "On %s.", warder_mcp_answer_string(call, "day", "content.day"));
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t big(warder_mcp_call_t *call, void *ctx)
{
    char *text = malloc(STDIO_BIG_BYTES + 1);
    if (!text)
        return WARDER_MCP_FAIL;
    memset(text, 'x', STDIO_BIG_BYTES);
    text[STDIO_BIG_BYTES] = '\0';
    warder_mcp_text(call, text);
    free(text);
    return WARDER_MCP_DONE;
}

static struct {
    pthread_mutex_t lock;
    warder_mcp_call_t *v[MCP_STDIO_OPEN + 1];
    size_t n;
} OFF = {.lock = PTHREAD_MUTEX_INITIALIZER};

static warder_mcp_next_t put_off(warder_mcp_call_t *call, void *ctx)
{
    pthread_mutex_lock(&OFF.lock);
    bool room = OFF.n < ROWS(OFF.v);
    if (room)
        OFF.v[OFF.n++] = call;
    pthread_mutex_unlock(&OFF.lock);
    return room ? WARDER_MCP_LATER : WARDER_MCP_FAIL;
}

void stdio_finish_all(void)
{
    pthread_mutex_lock(&OFF.lock);
    while (OFF.n > 0) {
        OFF.n--;
        warder_mcp_text(OFF.v[OFF.n], "late");
        warder_mcp_finish(OFF.v[OFF.n], WARDER_MCP_DONE);
    }
    pthread_mutex_unlock(&OFF.lock);
}

/* The line ends within its description's JSON must not end the line of a message. */
static const warder_mcp_tool_t TOOLS[] = {
    {.name = "hello",
     .description = "Says hello",
     .input_schema = "{\n\"type\":\r\n\"object\"}",
     .scope = "test:hello",
     .flags = WARDER_MCP_QUICK,
     .run = hello},
    {.name = "slow", .description = "Sleeps", .run = slow},
    {.name = "soon", .description = "Sleeps a little", .run = soon},
    {.name = "steps", .description = "Tells steps", .run = steps},
    {.name = "ask", .description = "Asks for a day", .run = ask},
    {.name = "put_off", .description = "Ends later", .flags = WARDER_MCP_QUICK, .run = put_off},
    {.name = "big", .description = "Says much", .run = big},
};

static void *serve(void *arg)
{
    stdio_world_t *w = arg;
    w->rc = mcp_stdio_serve(w->m, &w->config);
    close(w->config.in);
    close(w->config.out);
    return NULL;
}

static bool open_pipes(stdio_world_t *w)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return false;
    w->config.in = in[0];
    w->to = in[1];
    w->from = out[0];
    w->config.out = out[1];
    return fcntl(w->to, F_SETFL, O_NONBLOCK) == 0 && fcntl(w->from, F_SETFL, O_NONBLOCK) == 0;
}

int stdio_world_setup(void **state)
{
    const warder_mcp_config_t config = {
        .name = "test", .version = "1", .tools = TOOLS, .tool_count = ROWS(TOOLS)};
    stdio_world_t *w = calloc(1, sizeof *w);
    char why[256] = "";
    if (!w)
        return -1;
    *state = w;
    atomic_store(&SLOW_RUNS, false);
    atomic_store(&SLOW_CANCELLED, false);
    w->a = arena_new(64 << 20);
    w->got = malloc(ROOM);
    w->config = mcp_stdio_defaults();
    w->m = warder_mcp_new(&config, why, sizeof why);
    if (!w->m)
        print_error("%s\n", why);
    if (!w->a || !w->got || !w->m || !open_pipes(w))
        return -1;
    const mcp_world_ports_t world = {.clock = clock_system(), .random = random_system()};
    mcp_server_wire(w->m, &world);
    w->serving = pthread_create(&w->thread, NULL, serve, w) == 0;
    return w->serving ? 0 : -1;
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int stdio_world_teardown(void **state)
{
    stdio_world_t *w = *state;
    shut(&w->from);
    shut(&w->to);
    if (w->serving)
        pthread_join(w->thread, NULL);
    warder_mcp_free(w->m);
    free(w->got);
    arena_free(w->a);
    free(w);
    return 0;
}

static bool ready(int fd, short events, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, wait_ms) > 0;
}

/* false: it did not read for so long, or not to the end. */
static bool put(stdio_world_t *w, str_t bytes, int wait_ms)
{
    while (bytes.n > 0) {
        ssize_t n = write(w->to, bytes.p, bytes.n);
        if (n < 0 && (errno != EAGAIN || !ready(w->to, POLLOUT, wait_ms)))
            return false;
        bytes = str_skip(bytes, n > 0 ? (size_t)n : 0);
    }
    return true;
}

bool stdio_write(stdio_world_t *w, str_t bytes)
{
    return put(w, bytes, WAIT_MS);
}

bool stdio_write_soon(stdio_world_t *w, str_t bytes)
{
    return put(w, bytes, QUIET_MS);
}

void stdio_say(stdio_world_t *w, const char *line)
{
    assert_true(put(w, arena_printf(w->a, "%s\n", line), WAIT_MS));
}

/* More bytes; false: the end, or nothing for so long. */
static bool fill(stdio_world_t *w, int wait_ms)
{
    if (w->got_at > 0)
        memmove(w->got, w->got + w->got_at, w->got_n - w->got_at);
    w->got_n -= w->got_at;
    w->got_at = 0;
    assert_true(w->got_n < ROOM);
    if (!ready(w->from, POLLIN, wait_ms))
        return false;
    ssize_t n = read(w->from, w->got + w->got_n, ROOM - w->got_n);
    w->got_n += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static bool take_line(stdio_world_t *w, str_t *line)
{
    str_t rest = str_of(w->got + w->got_at, w->got_n - w->got_at);
    size_t at = str_find(rest, '\n', 0);
    if (at == rest.n)
        return false;
    *line = str_first(rest, at);
    w->got_at += at + 1;
    return true;
}

str_t stdio_hear_text(stdio_world_t *w)
{
    str_t line = STR_UNSET;
    while (!take_line(w, &line))
        if (!fill(w, WAIT_MS))
            fail_msg("nothing came");
    return arena_dup(w->a, line);
}

const json_t *stdio_hear(stdio_world_t *w)
{
    static const json_limits_t LIMITS = {ROOM, 64, NODES};
    const json_t *root = NULL;
    str_t line = stdio_hear_text(w);
    if (json_parse(w->a, line, &LIMITS, &root) != RC_OK)
        fail_msg("'%.200s' is no JSON", line.p);
    return root;
}

bool stdio_is_quiet(stdio_world_t *w)
{
    str_t line;
    return !take_line(w, &line) && !ready(w->from, POLLIN, QUIET_MS);
}

rc_t stdio_end(stdio_world_t *w)
{
    shut(&w->to);
    pthread_join(w->thread, NULL);
    w->serving = false;
    return w->rc;
}

bool stdio_left(stdio_world_t *w, str_t *line)
{
    while (!take_line(w, line))
        if (!fill(w, 0))
            return false;
    return true;
}

bool stdio_is_at_end(stdio_world_t *w)
{
    str_t line;
    return !stdio_left(w, &line);
}

void stdio_initialize(stdio_world_t *w)
{
    stdio_say(w, "{\"jsonrpc\":\"2.0\",\"id\":\"i\",\"method\":\"initialize\",\"params\":{"
                 "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"elicitation\":{}},"
                 "\"clientInfo\":{\"name\":\"test\",\"version\":\"1\"}}}");
    const json_t *answer = stdio_hear(w);
    assert_str(json_get_str(json_get(answer, STR("result")), STR("protocolVersion")),
               STR("2025-11-25"));
    stdio_say(w, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
}

void stdio_wait(const atomic_bool *flag)
{
    for (int i = 0; i < WAIT_MS && !atomic_load(flag); i++)
        (void)poll(NULL, 0, 1);
    assert_true(atomic_load(flag));
}
