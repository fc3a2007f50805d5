/* Header fields and a body of a client into a whole server with a row of every kind. The input is a
 * method, header lines, an empty line and the body; $S in the lines is the id of a live session.
 * Whatever comes: there is one answer, who has no token gets nothing, what says that it is JSON is,
 * every event is one message, and nothing is left open when the client has gone. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/direct.h"
#include "mcp/sse.h"
#include "mcp_http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_POSTS = 4096, ARENA_BYTES = 64 << 20 };

static struct {
    http_direct_t *d;
    warder_mcp_t *mcp;
    mcp_http_t *h;
    void *worker;
    clock_fake_t clock;
    random_fake_t random;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } posts[MAX_POSTS];
    size_t n;
} g;

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* All functions are quick, so that all posts come on the one thread there is. */
static rc_t post(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    check(g.n < MAX_POSTS);
    g.posts[g.n].fn = fn;
    g.posts[g.n++].arg = arg;
    return RC_OK;
}

static void run_posts(void)
{
    while (g.n > 0) {
        void (*fn)(void *arg) = g.posts[0].fn;
        void *arg = g.posts[0].arg;
        memmove(&g.posts[0], &g.posts[1], --g.n * sizeof g.posts[0]);
        fn(arg);
    }
}

/* Functions */

static warder_mcp_next_t say(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_log(call, WARDER_MCP_INFO, NULL, "said");
    warder_mcp_progress(call, 1, 2, "half");
    warder_mcp_text(call, warder_mcp_json(call, "") ? warder_mcp_json(call, "") : "");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t go(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_let_go(call);
    return say(call, ctx);
}

static warder_mcp_next_t need(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_need_scope(call, "b");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t ask(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    if (!warder_mcp_elicit(call, "k", "?", "{\"type\":\"object\",\"properties\":{}}") ||
        !warder_mcp_roots(call, "r"))
        return WARDER_MCP_ASK;
    warder_mcp_text(call, "answered");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t task(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_become_task(call);
    return ask(call, ctx);
}

static void suggest(warder_mcp_call_t *call, const char *argument, const char *value, void *ctx)
{
    (void)argument;
    (void)ctx;
    warder_mcp_suggest(call, value);
}

#define SCHEMA                                                                                     \
    "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"x-mcp-header\":"         \
    "\"City\"}}}"

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "say",
     .description = "d",
     .input_schema = SCHEMA,
     .scope = "a",
     .run = say,
     .flags = WARDER_MCP_QUICK},
    {.name = "go", .description = "d", .run = go, .flags = WARDER_MCP_QUICK},
    {.name = "need", .description = "d", .run = need, .flags = WARDER_MCP_QUICK},
    {.name = "ask", .description = "d", .run = ask, .flags = WARDER_MCP_QUICK},
    {.name = "task", .description = "d", .run = task, .flags = WARDER_MCP_QUICK},
    {.name = "b", .description = "d", .scope = "b", .run = say, .flags = WARDER_MCP_QUICK},
};
static const warder_mcp_resource_t RESOURCES[] = {
    {.uri = "test://one", .name = "one", .description = "d", .run = say, .flags = WARDER_MCP_QUICK},
    {.uri = "test://{x}/y",
     .name = "two",
     .description = "d",
     .run = say,
     .complete = suggest,
     .flags = WARDER_MCP_QUICK},
};
static const warder_mcp_argument_t ARGUMENTS[] = {
    {.name = "x", .description = "d", .required = true}};
static const warder_mcp_prompt_t PROMPTS[] = {{.name = "p",
                                               .description = "d",
                                               .arguments = ARGUMENTS,
                                               .argument_count = 1,
                                               .run = say,
                                               .complete = suggest,
                                               .flags = WARDER_MCP_QUICK}};

/* Tokens: "Bearer SCOPES". */

static void judge(void *ctx, http_exchange_t *x,
                  void (*done)(void *arg, const mcp_access_t *verdict), void *arg)
{
    (void)ctx;
    str_t value = http_header(x, STR("Authorization"));
    mcp_access_t v = {.status = 401,
                      .reason = STR("no_token"),
                      .challenge = STR("Bearer resource_metadata=\"https://rs.test/\"")};
    v.allowed = str_starts(value, STR("Bearer "));
    v.issuer = STR("i");
    v.subject = STR("s");
    v.client = STR("c");
    v.scope = str_skip(value, 7);
    v.expires_at = INT64_MAX;
    done(arg, &v);
}

static bool covers(void *ctx, str_t granted, str_t needed)
{
    (void)ctx;
    return str_contains(granted, needed);
}

static str_t insufficient(void *ctx, arena_t *a, const mcp_access_t *who, str_t needed)
{
    (void)ctx;
    (void)who;
    return arena_printf(a, "Bearer error=\"insufficient_scope\", scope=\"%.*s\"", STR_ARG(needed));
}

static void record(void *ctx, post_port_t back, const audit_event_t *e,
                   void (*done)(void *arg, bool durable), void *arg)
{
    (void)ctx;
    (void)back;
    check(e->reason.n > 0);
    done(arg, true);
}

static void make_server(void)
{
    char why[200] = "";
    const warder_mcp_config_t mcp = {.name = "t",
                                     .version = "1",
                                     .tools = TOOLS,
                                     .tool_count = sizeof TOOLS / sizeof *TOOLS,
                                     .resources = RESOURCES,
                                     .resource_count = sizeof RESOURCES / sizeof *RESOURCES,
                                     .prompts = PROMPTS,
                                     .prompt_count = 1,
                                     .threads = 1,
                                     .calls_per_minute = 1000000,
                                     .state_secret = "0123456789abcdef0123456789abcdef"};
    const mcp_identity_t id = {STR("https://rs.test/mcp"), STR("rs.test"), STR("{}")};
    g.mcp = warder_mcp_new(&mcp, why, sizeof why);
    if (!g.mcp)
        fprintf(stderr, "%s\n", why);
    check(g.mcp != NULL);
    const mcp_http_config_t http = {
        .path = STR("/mcp"), .clock = clock_fake(&g.clock), .random = random_fake(&g.random)};
    g.h = mcp_http_new(g.mcp, &http);
    check(g.h != NULL);
    mcp_http_protect(g.h, &id, (mcp_access_port_t){judge, covers, insufficient, NULL, NULL},
                     (mcp_audit_port_t){record, NULL});
    check(mcp_server_start(g.mcp) == RC_OK);
    check(mcp_http_worker_init(g.h, NULL, &g.worker) == RC_OK);
    ((mcp_worker_t *)g.worker)->back = (post_port_t){post, NULL};
    g.d = http_direct_new(mcp_http_app(g.h), g.worker);
    check(g.d != NULL);
}

static str_t ask_server(arena_t *a, str_t request)
{
    http_direct_reset(g.d);
    http_direct_send(g.d, request);
    run_posts();
    return arena_dup(a, http_direct_output(g.d));
}

static str_t open_session(arena_t *a)
{
    static const char INIT[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-11-25\",\"capabilities\":{\"elicitation\":{},\"roots\":{}},\"clientInfo\":{"
        "\"name\":\"c\",\"version\":\"1\"}}}";
    http_direct_answer_t r;
    str_t out = ask_server(a, arena_printf(a,
                                           "POST /mcp HTTP/1.1\r\nHost: rs.test\r\nAuthorization: "
                                           "Bearer a\r\nContent-Type: application/json\r\n"
                                           "Content-Length: %zu\r\n\r\n%s",
                                           sizeof INIT - 1, INIT));
    check(http_direct_parse(a, out, &r) == RC_OK && r.status == 200);
    str_t id = http_headers_get(r.headers, STR("Mcp-Session-Id"));
    check(id.n == MCP_SESSION_TEXT);
    return id;
}

/* The request that the input stands for; unset: none. */
static str_t request_of(arena_t *a, str_t in, str_t session)
{
    str_t line, method;
    buf_t b = buf_new(a, ARENA_BYTES / 4);
    if (!str_split(&in, '\n', &method) || !in.p)
        return STR_UNSET;
    buf_put(&b, method);
    buf_put(&b, STR(" /mcp HTTP/1.1\r\nHost: rs.test\r\nContent-Type: application/json\r\n"));
    while (str_split(&in, '\n', &line) && line.n > 0) {
        size_t at = str_find(line, '$', 0);
        bool named = at + 1 < line.n && line.p[at + 1] == 'S';
        buf_put(&b, named ? str_first(line, at) : line);
        buf_put(&b, named ? session : STR(""));
        buf_put(&b, named ? str_skip(line, at + 2) : STR(""));
        buf_put(&b, STR("\r\n"));
    }
    buf_fmt(&b, "Content-Length: %zu\r\n\r\n", in.n);
    buf_put(&b, in);
    return b.failed == RC_OK ? buf_str(&b) : STR_UNSET;
}

static void check_json(arena_t *a, str_t text)
{
    const json_t *root;
    static const json_limits_t WIDE = {ARENA_BYTES, 100, 1000000};
    check(json_parse(a, text, &WIDE, &root) == RC_OK && json_is(root, JSON_OBJECT));
}

static void check_events(arena_t *a, str_t body)
{
    mcp_sse_t reader = {0};
    mcp_sse_event_t e;
    rc_t rc;
    while (mcp_sse_next(&reader, &body, &e, &rc) == MCP_SSE_EVENT) {
        if (e.data.n > 0)
            check_json(a, e.data);
    }
    mcp_sse_free(&reader);
}

static void check_answer(arena_t *a, str_t request, str_t out)
{
    http_direct_answer_t r;
    if (!str_starts(out, STR("HTTP/1.1 ")))
        return; /* the request is not whole */
    bool stream = str_contains(out, STR("Transfer-Encoding: chunked"));
    if (stream) /* may be open still */
        out = arena_printf(a, "%.*s0\r\n\r\n", STR_ARG(out));
    check(http_direct_parse(a, out, &r) == RC_OK && r.status >= 200 && r.status < 600);
    check(r.status < 300 || r.status >= 400);
    if (!str_contains(request, STR("Bearer ")))
        check(r.status >= 400 || str_starts(request, STR("OPTIONS")));
    str_t type = http_headers_get(r.headers, STR("Content-Type"));
    if (str_eq(type, STR("application/json")) && r.body.n > 0)
        check_json(a, r.body);
    if (str_eq(type, STR("text/event-stream")))
        check_events(a, r.body);
    bool opened = http_headers_get(r.headers, STR("Mcp-Session-Id")).p != NULL;
    check(!opened || r.status == 200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(ARENA_BYTES);
    if (!g.d)
        make_server();
    str_t session = open_session(a);
    str_t request = request_of(a, str_of(data, size), session);
    if (request.p) {
        check_answer(a, request, ask_server(a, request));
        g.clock.ms += MCP_QUIET_MS;
        mcp_streams_tick(g.worker);
        run_posts();
        check_answer(a, request, arena_dup(a, http_direct_output(g.d)));
    }
    http_direct_hang_up(g.d);
    run_posts();
    check(!((mcp_worker_t *)g.worker)->streams);
    arena_free(a);
    return 0;
}
