/* The whole server on loopback, against an authorization server of the test's making: what a client
 * that nobody here wrote goes through, and each start that is refused. */
#include "server.h"

#include "core/ports.h"
#include "http/direct.h"
#include "http/server.h"
#include "rs/rs_test_issuer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_BYTES = 16 << 20, ANSWER_BYTES = 1 << 20 };

typedef struct {
    world_t *w;
    arena_t *a;
    char dir[64];
    test_issuer_t issuer;
    server_config_t config;
    server_t *s;
    uint16_t port;
} fixture_t;

static int setup(void **state)
{
    void *w;
    fixture_t *f = calloc(1, sizeof *f);
    if (!f || world_setup(&w) != 0)
        return -1;
    f->w = w;
    f->a = arena_new(ARENA_BYTES);
    snprintf(f->dir, sizeof f->dir, "/tmp/finance-XXXXXX");
    if (!f->a || !mkdtemp(f->dir))
        return -1;
    test_issuer_start(&f->issuer, f->w, f->a);
    f->config = (server_config_t){
        .options = {.listen = "127.0.0.1:0", .host = STR("127.0.0.1"), .issuer = f->issuer.url},
        .data = f->dir};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    void *w = f->w;
    char command[128];
    server_stop(f->s);
    test_issuer_stop(&f->issuer);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int bad = system(command);
    arena_free(f->a);
    free(f);
    return bad | world_teardown(&w);
}

static void start(fixture_t *f)
{
    str_t why = STR_UNSET;
    if (server_start(f->a, &f->config, &f->s, &why) != EXIT_DONE)
        fail_msg("%.*s", STR_ARG(why));
    str_t url = server_url(f->s);
    unsigned port = 0;
    sscanf(arena_cstr(f->a, url), "http://%*[^:]:%u", &port);
    f->port = (uint16_t)port;
}

static void assert_refused(fixture_t *f, int code, const char *says)
{
    str_t why = STR_UNSET;
    assert_int_equal(server_start(f->a, &f->config, &f->s, &why), code);
    assert_null(f->s);
    if (!str_contains(why, str_c(says)))
        fail_msg("said '%.*s'", STR_ARG(why));
}

static http_direct_answer_t ask(fixture_t *f, str_t request)
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

static http_direct_answer_t get(fixture_t *f, const char *path)
{
    return ask(f, arena_printf(f->a,
                               "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://any.test\r\n"
                               "Connection: close\r\n\r\n",
                               path));
}

static http_direct_answer_t call(fixture_t *f, const char *path, const char *token,
                                 const char *tool, const char *arguments)
{
    str_t body = arena_printf(f->a,
                              "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
                              "{\"name\":\"%s\",\"arguments\":%s}}",
                              tool, arguments);
    return ask(f, arena_printf(f->a,
                               "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                               "Accept: application/json, text/event-stream\r\nContent-Type: "
                               "application/json\r\n%s%s%sContent-Length: %zu\r\n\r\n%" PRIstr,
                               path, token ? "Authorization: Bearer " : "", token ? token : "",
                               token ? "\r\n" : "", body.n, STR_ARG(body)));
}

static const char *token_for(fixture_t *f, const char *resource, const char *scope)
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

static str_t trail_of(fixture_t *f)
{
    char *text = arena_alloc(f->a, ANSWER_BYTES);
    FILE *file = fopen(arena_printf(f->a, "%s/audit.log", f->dir).p, "r");
    assert_non_null(file);
    size_t n = fread(text, 1, ANSWER_BYTES, file);
    fclose(file);
    return str_of(text, n);
}

#define ACME "get_news_sentiment", "{\"ticker\":\"ACME\"}"
#define TEXT "analyze_sentiment", "{\"text\":\"Profit rose.\"}"

static void from_401_to_an_audited_call(void **state)
{
    fixture_t *f = *state;
    start(f);
    const char *resource = arena_cstr(f->a, server_url(f->s));
    http_direct_answer_t r = call(f, "/mcp", NULL, ACME);
    str_t challenge = http_headers_get(r.headers, STR("WWW-Authenticate"));
    assert_int_equal(r.status, 401);
    assert_true(str_contains(challenge, STR("/.well-known/oauth-protected-resource/mcp\"")));
    assert_true(str_contains(challenge, STR("scope=\"news:read\"")));
    assert_false(str_contains(challenge, STR("error")));
    r = call(f, "/mcp", token_for(f, resource, "news:read"), ACME);
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"structuredContent\"")));
    r = call(f, "/mcp", token_for(f, resource, "news:read"), TEXT);
    assert_int_equal(r.status, 403);
    challenge = http_headers_get(r.headers, STR("WWW-Authenticate"));
    assert_true(str_contains(challenge, STR("error=\"insufficient_scope\"")));
    assert_true(str_contains(challenge, STR("scope=\"sentiment:analyze\"")));
    r = call(f, "/mcp", token_for(f, resource, "news:read sentiment:*"), TEXT);
    assert_int_equal(r.status, 200);
    r = call(f, "/mcp", token_for(f, "http://127.0.0.1/other", "news:read"), ACME);
    assert_int_equal(r.status, 401);
    str_t trail = trail_of(f);
    assert_true(str_contains(trail, STR("access deny no_token user= ")));
    assert_true(str_contains(
        trail, STR("tool_call allow ok user=alice client=c1 tool=get_news_sentiment\n")));
    assert_true(str_contains(trail, STR("tool_call deny insufficient_scope user=alice client=c1 "
                                        "tool=analyze_sentiment\n")));
}

static void metadata_of_all_scopes(void **state)
{
    static const char *const PLACES[] = {"/.well-known/oauth-protected-resource",
                                         "/.well-known/oauth-protected-resource/mcp"};
    fixture_t *f = *state;
    start(f);
    for (size_t i = 0; i < 2; i++) {
        http_direct_answer_t r = get(f, PLACES[i]);
        assert_int_equal(r.status, 200);
        assert_true(str_contains(r.body, server_url(f->s)));
        assert_true(str_contains(r.body, str_c(f->issuer.url)));
        assert_true(str_contains(r.body, STR("\"news:read\"")));
        assert_true(str_contains(r.body, STR("\"mcp:exec:workflows:daily-brief\"")));
        assert_true(
            str_eq(http_headers_get(r.headers, STR("Access-Control-Allow-Origin")), STR("*")));
    }
    assert_int_equal(get(f, "/.well-known/oauth-protected-resource/other").status, 404);
    assert_int_equal(get(f, "/").status, 404);
}

static void resource_without_a_path(void **state)
{
    fixture_t *f = *state;
    f->config.options.listen = "127.0.0.1:0";
    f->config.options.resource = "https://mcp.example.com/";
    str_t why;
    assert_int_equal(server_start(f->a, &f->config, &f->s, &why), EXIT_DONE);
    assert_true(str_eq(server_url(f->s), STR("https://mcp.example.com")));
}

static void resource_without_a_path_is_served_at_the_root(void **state)
{
    /* The port must be known before: take one that was free a moment ago. */
    fixture_t *f = *state;
    start(f);
    server_stop(f->s);
    f->s = NULL;
    f->config.options.listen = arena_printf(f->a, "127.0.0.1:%u", f->port).p;
    f->config.options.resource = arena_printf(f->a, "http://127.0.0.1:%u", f->port).p;
    start(f);
    http_direct_answer_t r = call(f, "/", NULL, ACME);
    assert_int_equal(r.status, 401);
    assert_true(str_contains(http_headers_get(r.headers, STR("WWW-Authenticate")),
                             STR("/.well-known/oauth-protected-resource\"")));
    assert_int_equal(get(f, "/.well-known/oauth-protected-resource").status, 200);
    assert_int_equal(
        call(f, "/", token_for(f, f->config.options.resource, "news:read"), ACME).status, 200);
}

static void ipv6_address(void **state)
{
    fixture_t *f = *state;
    str_t why;
    f->config.options.listen = "[::1]:0";
    f->config.options.host = STR("::1");
    int code = server_start(f->a, &f->config, &f->s, &why);
    if (code == EXIT_FAILED) {
        print_message("skipped: this machine has no IPv6\n");
        skip();
    }
    assert_int_equal(code, EXIT_DONE);
    assert_true(str_starts(server_url(f->s), STR("http://[::1]:")));
    assert_true(str_ends(server_url(f->s), STR("/mcp")));
}

static void audit_that_cannot_be_written_holds_answers_back(void **state)
{
    fixture_t *f = *state;
    start(f);
    const char *token = token_for(f, arena_cstr(f->a, server_url(f->s)), "news:read");
    assert_int_equal(call(f, "/mcp", token, ACME).status, 200);
    str_t log = arena_printf(f->a, "%s/audit.log", f->dir);
    assert_int_equal(unlink(log.p) | mkdir(log.p, 0700), 0); /* nothing can be appended to it */
    assert_int_equal(call(f, "/mcp", token, ACME).status, 503);
    assert_int_equal(call(f, "/mcp", NULL, ACME).status, 503);
}

static void issuer_that_is_away_is_503(void **state)
{
    fixture_t *f = *state;
    f->issuer.metadata = STR("{}");
    start(f);
    const char *token = token_for(f, arena_cstr(f->a, server_url(f->s)), "news:read");
    http_direct_answer_t r = call(f, "/mcp", token, ACME);
    assert_int_equal(r.status, 503);
    assert_true(str_eq(http_headers_get(r.headers, STR("Retry-After")), STR("10")));
    assert_int_equal(call(f, "/mcp", NULL, ACME).status, 401);
}

/* --- starts that are refused --- */

static void unsafe_issuer(void **state)
{
    fixture_t *f = *state;
    f->config.options.issuer = "http://issuer.example";
    assert_refused(f, EXIT_SETTING, "issuer must be");
}

static void unsafe_resource(void **state)
{
    static const char *const BAD[] = {
        "http://mcp.example/mcp",
        "https://mcp.example/mcp?x=1",
        "https://mcp.example/mcp#x",
        "ftp://mcp.example/mcp",
        "mcp",
        "https://mcp.example/mcp/",
        "https://mcp.example/a%00",
        "https://mcp.example/.well-known/oauth-protected-resource",
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        f->config.options.resource = BAD[i];
        assert_refused(f, EXIT_SETTING, "resource");
    }
    f->config.options.resource = NULL;
    start(f);
}

static void listening_everywhere_needs_a_resource(void **state)
{
    fixture_t *f = *state;
    f->config.options.listen = "0.0.0.0:0";
    f->config.options.host = STR("0.0.0.0");
    assert_refused(f, EXIT_SETTING, "resource");
}

static void port_in_use(void **state)
{
    fixture_t *f = *state;
    f->config.options.listen =
        arena_printf(f->a, "127.0.0.1:%u", http_server_port(f->issuer.http)).p;
    assert_refused(f, EXIT_FAILED, "listen: 127.0.0.1:");
}

static void broken_feed(void **state)
{
    fixture_t *f = *state;
    f->config.options.feed = "/nowhere";
    assert_refused(f, EXIT_SETTING, "the feed /nowhere does not exist");
}

static void folder_that_cannot_be_used(void **state)
{
    fixture_t *f = *state;
    f->config.data = "/nowhere";
    assert_refused(f, EXIT_SETTING, "/nowhere/news.db");
}

static void live_news_can_be_set_up(void **state)
{
    fixture_t *f = *state;
    f->config.key = secret_of(STR("KEY"));
    start(f);
    assert_int_equal(call(f, "/mcp", NULL, ACME).status, 401);
}

#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(from_401_to_an_audited_call),
        SERVER_TEST(metadata_of_all_scopes),
        SERVER_TEST(resource_without_a_path),
        SERVER_TEST(resource_without_a_path_is_served_at_the_root),
        SERVER_TEST(ipv6_address),
        SERVER_TEST(audit_that_cannot_be_written_holds_answers_back),
        SERVER_TEST(issuer_that_is_away_is_503),
        SERVER_TEST(unsafe_issuer),
        SERVER_TEST(unsafe_resource),
        SERVER_TEST(listening_everywhere_needs_a_resource),
        SERVER_TEST(port_in_use),
        SERVER_TEST(broken_feed),
        SERVER_TEST(folder_that_cannot_be_used),
        SERVER_TEST(live_news_can_be_set_up),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
