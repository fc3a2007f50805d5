#include "kit/kit_test_server.h"

#include "core/ports.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ARENA_BYTES = 16 << 20, SOON_MS = 300 };

atomic_bool KIT_RUNS;

static warder_mcp_next_t add(warder_mcp_call_t *call, void *ctx)
{
    double a = 0, b = 0;
    warder_mcp_number(call, "a", &a);
    warder_mcp_number(call, "b", &b);
    warder_mcp_textf(call, "%g", a + b);
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t whoami(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_textf(call, "%s by %s at %s", warder_mcp_subject(call), warder_mcp_client(call),
                     warder_mcp_issuer(call));
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t soon(warder_mcp_call_t *call, void *ctx)
{
    atomic_store(&KIT_RUNS, true);
    warder_mcp_sleep(call, SOON_MS);
    warder_mcp_text(call, warder_mcp_cancelled(call) ? "cut" : "whole");
    return WARDER_MCP_DONE;
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "add",
     .description = "Adds",
     .input_schema = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"},"
                     "\"b\":{\"type\":\"number\"}},\"required\":[\"a\",\"b\"]}",
     .scope = "math:add",
     .flags = WARDER_MCP_QUICK,
     .run = add},
    {.name = "whoami", .description = "Who calls", .run = whoami},
    {.name = "soon", .description = "Sleeps", .scope = "math:wait", .run = soon},
};

static void on_ready(void *ctx, const char *url)
{
    fixture_t *f = ctx;
    snprintf(f->ready, sizeof f->ready, "%s", url);
}

int kit_test_setup(void **state)
{
    void *w;
    char why[256] = "";
    const warder_mcp_config_t config = {
        .name = "test", .version = "1", .tools = TOOLS, .tool_count = 3};
    fixture_t *f = calloc(1, sizeof *f);
    if (!f || world_setup(&w) != 0)
        return -1;
    f->w = w;
    f->a = arena_new(ARENA_BYTES);
    snprintf(f->dir, sizeof f->dir, "/tmp/kit-XXXXXX");
    if (!f->a || !mkdtemp(f->dir))
        return -1;
    atomic_store(&KIT_RUNS, false);
    test_issuer_start(&f->issuer, f->w, f->a);
    f->server = (warder_rs_server_t){.issuer = f->issuer.url};
    f->protect = (warder_rs_config_t){.servers = &f->server, .server_count = 1};
    f->http = (warder_mcp_http_t){.listen = "127.0.0.1:0",
                                  .protect = &f->protect,
                                  .audit = f->dir,
                                  .ready = on_ready,
                                  .ready_ctx = f,
                                  .log_level = -1};
    f->m = warder_mcp_new(&config, why, sizeof why);
    if (!f->m)
        print_error("%s\n", why);
    *state = f;
    return f->m ? 0 : -1;
}

int kit_test_teardown(void **state)
{
    fixture_t *f = *state;
    void *w = f->w;
    char command[128];
    warder_mcp_http_stop(f->s);
    warder_mcp_free(f->m);
    test_issuer_stop(&f->issuer);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int bad = system(command);
    arena_free(f->a);
    free(f);
    return bad | world_teardown(&w);
}

void start(fixture_t *f)
{
    char why[256] = "";
    unsigned port = 0;
    if (warder_mcp_http_start(f->m, &f->http, &f->s, why, sizeof why) != KIT_DONE)
        fail_msg("%s", why);
    sscanf(warder_mcp_http_url(f->s), "%*[^:]://%*[^:]:%u", &port);
    f->port = (uint16_t)port;
}

void assert_refused(fixture_t *f, int code, const char *says)
{
    char why[256] = "";
    assert_int_equal(warder_mcp_http_start(f->m, &f->http, &f->s, why, sizeof why), code);
    assert_null(f->s);
    if (!strstr(why, says))
        fail_msg("said '%s'", why);
}

http_direct_answer_t ask(fixture_t *f, str_t request)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(f->port)};
    http_direct_answer_t out;
    size_t n = 0;
    ssize_t got;
    char *answer = arena_alloc(f->a, ANSWER_BYTES);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(write(fd, request.p, request.n), request.n);
    while (n < ANSWER_BYTES && (got = read(fd, answer + n, ANSWER_BYTES - n)) > 0)
        n += (size_t)got;
    close(fd);
    assert_int_equal(http_direct_parse(f->a, str_of(answer, n), &out), RC_OK);
    return out;
}

http_direct_answer_t get(fixture_t *f, const char *path)
{
    return ask(f, arena_printf(f->a,
                               "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://any.test\r\n"
                               "Connection: close\r\n\r\n",
                               path));
}

str_t call_text(fixture_t *f, const char *token, const char *tool, const char *arguments)
{
    str_t body = arena_printf(
        f->a,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
        "\"arguments\":%s,\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"test\",\"version\":\"1\"},"
        "\"io.modelcontextprotocol/clientCapabilities\":{}}}}",
        tool, arguments);
    return arena_printf(
        f->a,
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        "Accept: application/json, text/event-stream\r\n"
        "Content-Type: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\n"
        "Mcp-Method: tools/call\r\nMcp-Name: %s\r\n%s%s%sContent-Length: %zu\r\n\r\n"
        "%" PRIstr,
        tool, token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "",
        body.n, STR_ARG(body));
}

http_direct_answer_t call(fixture_t *f, const char *token, const char *tool, const char *arguments)
{
    return ask(f, call_text(f, token, tool, arguments));
}

const char *token_for(fixture_t *f, const char *resource, const char *scope)
{
    clock_port_t c = clock_system();
    long long now = clock_seconds(&c);
    return world_sign(f->w, &f->w->key,
                      arena_printf(f->a,
                                   "{\"iss\":\"%s\",\"sub\":\"alice\",\"client_id\":\"c1\","
                                   "\"jti\":\"j1\",\"aud\":\"%s\",\"iat\":%lld,\"exp\":%lld,"
                                   "\"scope\":\"%s\"}",
                                   f->issuer.url, resource, now, now + 600, scope)
                          .p);
}

const char *token(fixture_t *f, const char *scope)
{
    return token_for(f, warder_mcp_http_url(f->s), scope);
}

str_t trail_of(fixture_t *f)
{
    char *text = arena_alloc(f->a, ANSWER_BYTES);
    FILE *file = fopen(arena_printf(f->a, "%s/audit.log", f->dir).p, "r");
    assert_non_null(file);
    size_t n = fread(text, 1, ANSWER_BYTES, file);
    fclose(file);
    return str_of(text, n);
}

str_t challenge_of(const http_direct_answer_t *r)
{
    return http_headers_get(r->headers, STR("WWW-Authenticate"));
}

bool has_line(str_t trail, const char *a, const char *b, const char *c, const char *d)
{
    str_t line;
    while (str_split(&trail, '\n', &line)) {
        if (str_contains(line, str_c(a)) && str_contains(line, str_c(b)) &&
            str_contains(line, str_c(c)) && str_contains(line, str_c(d)))
            return true;
    }
    return false;
}
