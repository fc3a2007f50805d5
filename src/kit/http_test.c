/* A whole server on loopback, against an authorization server of the test's making: what a client
 * that nobody here wrote goes through, and each start that is refused. */
#include "core/ports.h"
#include "http/direct.h"
#include "http/http_test_tls.h"
#include "http/server.h"
#include "kit/options.h"
#include "rs/rs_test_world.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_BYTES = 16 << 20, ANSWER_BYTES = 1 << 20, SOON_MS = 300 };

static atomic_bool RUNS;

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
    atomic_store(&RUNS, true);
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

typedef struct {
    world_t *w;
    arena_t *a;
    char dir[64], issuer[64];
    str_t metadata, keys;
    http_route_t routes[2];
    http_app_t app;
    http_server_t *as;
    warder_rs_server_t server;
    warder_rs_config_t protect;
    warder_mcp_http_t http;
    warder_mcp_t *m;
    warder_mcp_server_t *s;
    uint16_t port;
    char ready[128];
} fixture_t;

static void serve_text(http_exchange_t *x)
{
    const str_t *text = x->route->data;
    http_reply_json(x, 200, *text);
}

static void start_issuer(fixture_t *f)
{
    str_t why;
    http_server_config_t c = http_server_defaults();
    f->routes[0] = (http_route_t){.path = STR("/.well-known/oauth-authorization-server"),
                                  .methods = HTTP_M(GET),
                                  .handler = serve_text,
                                  .data = &f->metadata};
    f->routes[1] = (http_route_t){
        .path = STR("/jwks"), .methods = HTTP_M(GET), .handler = serve_text, .data = &f->keys};
    f->app = (http_app_t){.routes = {f->routes, 2}};
    c.app = &f->app;
    assert_int_equal(http_server_new(&c, &f->as, &why), RC_OK);
    snprintf(f->issuer, sizeof f->issuer, "http://127.0.0.1:%u", http_server_port(f->as));
    f->metadata =
        arena_printf(f->a, "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/jwks\"}", f->issuer, f->issuer);
    for (size_t i = 0; i < W_PAGES && f->w->pages[i].url; i++) {
        if (strcmp(f->w->pages[i].url, W_JWKS) == 0)
            f->keys = f->w->pages[i].body;
    }
    assert_true(f->keys.n > 0);
    assert_int_equal(http_server_start(f->as), RC_OK);
}

static void on_ready(void *ctx, const char *url)
{
    fixture_t *f = ctx;
    snprintf(f->ready, sizeof f->ready, "%s", url);
}

static int setup(void **state)
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
    atomic_store(&RUNS, false);
    start_issuer(f);
    f->server = (warder_rs_server_t){.issuer = f->issuer};
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

static int teardown(void **state)
{
    fixture_t *f = *state;
    void *w = f->w;
    char command[128];
    warder_mcp_http_stop(f->s);
    warder_mcp_free(f->m);
    http_server_stop(f->as);
    http_server_join(f->as);
    http_server_free(f->as);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int bad = system(command);
    arena_free(f->a);
    free(f);
    return bad | world_teardown(&w);
}

static void start(fixture_t *f)
{
    char why[256] = "";
    unsigned port = 0;
    if (warder_mcp_http_start(f->m, &f->http, &f->s, why, sizeof why) != KIT_DONE)
        fail_msg("%s", why);
    sscanf(warder_mcp_http_url(f->s), "%*[^:]://%*[^:]:%u", &port);
    f->port = (uint16_t)port;
}

static void assert_refused(fixture_t *f, int code, const char *says)
{
    char why[256] = "";
    assert_int_equal(warder_mcp_http_start(f->m, &f->http, &f->s, why, sizeof why), code);
    assert_null(f->s);
    if (!strstr(why, says))
        fail_msg("said '%s'", why);
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

static str_t call_text(fixture_t *f, const char *token, const char *tool, const char *arguments)
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

static http_direct_answer_t call(fixture_t *f, const char *token, const char *tool,
                                 const char *arguments)
{
    return ask(f, call_text(f, token, tool, arguments));
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
                                   f->issuer, resource, now, now + 600, scope)
                          .p);
}

static const char *token(fixture_t *f, const char *scope)
{
    return token_for(f, warder_mcp_http_url(f->s), scope);
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

static str_t challenge_of(const http_direct_answer_t *r)
{
    return http_headers_get(r->headers, STR("WWW-Authenticate"));
}

/* Whether one line of the trail holds all four. */
static bool has_line(str_t trail, const char *a, const char *b, const char *c, const char *d)
{
    str_t line;
    while (str_split(&trail, '\n', &line)) {
        if (str_contains(line, str_c(a)) && str_contains(line, str_c(b)) &&
            str_contains(line, str_c(c)) && str_contains(line, str_c(d)))
            return true;
    }
    return false;
}

#define TWO "{\"a\":1,\"b\":1.5}"

static void from_401_to_an_audited_call(void **state)
{
    fixture_t *f = *state;
    start(f);
    http_direct_answer_t r = call(f, NULL, "add", TWO);
    assert_int_equal(r.status, 401);
    assert_true(str_contains(challenge_of(&r), STR("/.well-known/oauth-protected-resource/mcp\"")));
    assert_false(str_contains(challenge_of(&r), STR("error")));
    r = call(f, token(f, "math:add"), "add", TWO);
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"2.5\"")));
    r = call(f, token(f, "math:add"), "soon", "{}");
    assert_int_equal(r.status, 403);
    assert_true(str_contains(challenge_of(&r), STR("error=\"insufficient_scope\"")));
    assert_true(str_contains(challenge_of(&r), STR("scope=\"math:wait\"")));
    r = call(f, token(f, "math:*"), "soon", "{}");
    assert_int_equal(r.status, 200);
    r = call(f, token_for(f, "http://127.0.0.1/other", "math:add"), "add", TWO);
    assert_int_equal(r.status, 401);
    str_t trail = trail_of(f);
    assert_true(has_line(trail, "\"access\"", "\"deny\"", "\"no_token\"", ""));
    assert_true(has_line(trail, "\"tool_call\"", "\"allow\"", "\"alice\"", "\"add\""));
    assert_true(has_line(trail, "\"deny\"", "\"insufficient_scope\"", "\"alice\"", "\"soon\""));
}

static void functions_know_who_calls(void **state)
{
    fixture_t *f = *state;
    start(f);
    http_direct_answer_t r = call(f, token(f, ""), "whoami", "{}");
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, arena_printf(f->a, "alice by c1 at %s", f->issuer)));
}

static void metadata_and_health(void **state)
{
    static const char *const PLACES[] = {"/.well-known/oauth-protected-resource",
                                         "/.well-known/oauth-protected-resource/mcp"};
    fixture_t *f = *state;
    start(f);
    assert_string_equal(f->ready, warder_mcp_http_url(f->s));
    for (size_t i = 0; i < 2; i++) {
        http_direct_answer_t r = get(f, PLACES[i]);
        assert_int_equal(r.status, 200);
        assert_true(str_contains(r.body, str_c(warder_mcp_http_url(f->s))));
        assert_true(str_contains(r.body, str_c(f->issuer)));
        assert_true(str_contains(r.body, STR("\"scopes_supported\":[\"math:add\",\"math:wait\"]")));
        assert_true(
            str_eq(http_headers_get(r.headers, STR("Access-Control-Allow-Origin")), STR("*")));
    }
    assert_int_equal(get(f, "/.well-known/oauth-protected-resource/other").status, 404);
    assert_int_equal(get(f, "/healthz").status, 200);
}

static void nothing_is_borrowed_after_the_start(void **state)
{
    fixture_t *f = *state;
    start(f);
    memset(&f->http, 0xff, sizeof f->http);
    memset(&f->protect, 0xff, sizeof f->protect);
    memset(&f->server, 0xff, sizeof f->server);
    assert_int_equal(call(f, NULL, "add", TWO).status, 401);
    assert_int_equal(call(f, token(f, "math:add"), "add", TWO).status, 200);
}

static void audit_that_cannot_be_written_holds_answers_back(void **state)
{
    fixture_t *f = *state;
    struct rlimit before, none;
    struct stat st;
    start(f);
    const char *t = token(f, "math:add");
    assert_int_equal(call(f, t, "add", TWO).status, 200);
    assert_int_equal(stat(arena_printf(f->a, "%s/audit.log", f->dir).p, &st), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)st.st_size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    int called = call(f, t, "add", TWO).status, refused = call(f, NULL, "add", TWO).status;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(called, 503);
    assert_int_equal(refused, 503);
}

static void issuer_that_is_away_is_503(void **state)
{
    fixture_t *f = *state;
    f->metadata = STR("{}");
    start(f);
    http_direct_answer_t r = call(f, token(f, "math:add"), "add", TWO);
    assert_int_equal(r.status, 503);
    assert_true(http_headers_get(r.headers, STR("Retry-After")).n > 0);
    assert_int_equal(call(f, NULL, "add", TWO).status, 401);
}

static void without_protection_everybody_may_call(void **state)
{
    fixture_t *f = *state;
    f->http.protect = NULL;
    start(f);
    http_direct_answer_t r = call(f, NULL, "add", TWO);
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"2.5\"")));
    assert_int_equal(get(f, "/.well-known/oauth-protected-resource").status, 404);
    assert_true(has_line(trail_of(f), "\"tool_call\"", "\"allow\"", "\"add\"", ""));
}

typedef struct {
    fixture_t *f;
    str_t request;
    http_direct_answer_t answer;
} asked_t;

static void *ask_aside(void *arg)
{
    asked_t *q = arg;
    q->answer = ask(q->f, q->request);
    return NULL;
}

static void stop_lets_open_calls_end(void **state)
{
    fixture_t *f = *state;
    pthread_t thread;
    start(f);
    assert_int_equal(call(f, token(f, "math:add"), "add", TWO).status, 200); /* keys are here */
    asked_t q = {.f = f, .request = call_text(f, token(f, "math:wait"), "soon", "{}")};
    assert_int_equal(pthread_create(&thread, NULL, ask_aside, &q), 0);
    for (int i = 0; i < 10000 && !atomic_load(&RUNS); i++)
        usleep(1000);
    warder_mcp_http_stop(f->s);
    f->s = NULL;
    pthread_join(thread, NULL);
    assert_true(atomic_load(&RUNS));
    assert_int_equal(q.answer.status, 200);
    assert_true(str_contains(q.answer.body, STR("\"whole\"")));
}

static void write_file(const char *path, str_t text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.p, 1, text.n, file), text.n);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

/* One request by TLS, to a server whose certificate the test's authority signed. */
static str_t ask_by_tls(fixture_t *f, str_t request)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(f->port)};
    char *answer = arena_alloc(f->a, ANSWER_BYTES);
    str_t authority = test_cert_authority(f->a);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    BIO *bio = BIO_new_mem_buf(authority.p, (int)authority.n);
    X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    int fd = socket(AF_INET, SOCK_STREAM, 0), n = 0, got;
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca), 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    assert_int_equal(SSL_connect(ssl), 1);
    assert_int_equal(SSL_write(ssl, request.p, (int)request.n), request.n);
    while (n < ANSWER_BYTES && (got = SSL_read(ssl, answer + n, ANSWER_BYTES - n)) > 0)
        n += got;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    X509_free(ca);
    BIO_free(bio);
    close(fd);
    return str_of(answer, (size_t)n);
}

static void by_tls(void **state)
{
    fixture_t *f = *state;
    http_direct_answer_t r;
    test_pem_t pem = test_cert_make(f->a, (test_cert_t){.host = "IP:127.0.0.1", .until_s = 3600});
    f->http.certificate = arena_printf(f->a, "%s/chain.pem", f->dir).p;
    f->http.key = arena_printf(f->a, "%s/key.pem", f->dir).p;
    write_file(f->http.certificate, pem.chain);
    write_file(f->http.key, pem.key);
    start(f);
    assert_memory_equal(warder_mcp_http_url(f->s), "https://127.0.0.1:", 18);
    str_t text = ask_by_tls(f, call_text(f, token(f, "math:add"), "add", TWO));
    assert_int_equal(http_direct_parse(f->a, text, &r), RC_OK);
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"2.5\"")));
}

static void one_table_can_be_served_again(void **state)
{
    fixture_t *f = *state;
    for (int i = 0; i < 2; i++) {
        start(f);
        assert_int_equal(call(f, token(f, "math:add"), "add", TWO).status, 200);
        warder_mcp_http_stop(f->s);
        f->s = NULL;
    }
}

static void resource_of_another_name(void **state)
{
    fixture_t *f = *state;
    f->protect.resource = "https://mcp.example.com/";
    char why[256];
    assert_int_equal(warder_mcp_http_start(f->m, &f->http, &f->s, why, sizeof why), KIT_DONE);
    assert_string_equal(warder_mcp_http_url(f->s), "https://mcp.example.com");
}

static void ipv6_address(void **state)
{
    fixture_t *f = *state;
    char why[256];
    f->http.listen = "[::1]:0";
    int code = warder_mcp_http_start(f->m, &f->http, &f->s, why, sizeof why);
    if (code == KIT_FAILED) {
        print_message("skipped: this machine has no IPv6\n");
        skip();
    }
    assert_int_equal(code, KIT_DONE);
    assert_memory_equal(warder_mcp_http_url(f->s), "http://[::1]:", 13);
}

/* --- starts that are refused --- */

static void wrong_setting(void **state)
{
    fixture_t *f = *state;
    f->http.listen = "nowhere";
    assert_refused(f, KIT_SETTING, "listen must be");
    assert_int_equal(warder_mcp_http_start(f->m, &f->http, &f->s, NULL, 0), KIT_SETTING);
    assert_string_equal(f->ready, "");
    f->http.listen = "127.0.0.1:0";
    start(f);
}

static void port_in_use(void **state)
{
    fixture_t *f = *state;
    f->http.listen = arena_printf(f->a, "127.0.0.1:%u", (unsigned)http_server_port(f->as)).p;
    assert_refused(f, KIT_FAILED, "the address is in use");
    f->http.listen = "127.0.0.1:0";
    start(f);
}

static void audit_that_is_no_trail(void **state)
{
    fixture_t *f = *state;
    FILE *file = fopen(arena_printf(f->a, "%s/audit.log", f->dir).p, "w");
    assert_non_null(file);
    fputs("notes of somebody\n", file);
    fclose(file);
    assert_refused(f, KIT_SETTING, "audit: ");
    assert_int_equal(unlink(arena_printf(f->a, "%s/audit.log", f->dir).p), 0);
    start(f);
}

#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(from_401_to_an_audited_call),
        HTTP_TEST(functions_know_who_calls),
        HTTP_TEST(metadata_and_health),
        HTTP_TEST(nothing_is_borrowed_after_the_start),
        HTTP_TEST(audit_that_cannot_be_written_holds_answers_back),
        HTTP_TEST(issuer_that_is_away_is_503),
        HTTP_TEST(without_protection_everybody_may_call),
        HTTP_TEST(stop_lets_open_calls_end),
        HTTP_TEST(by_tls),
        HTTP_TEST(one_table_can_be_served_again),
        HTTP_TEST(resource_of_another_name),
        HTTP_TEST(ipv6_address),
        HTTP_TEST(wrong_setting),
        HTTP_TEST(port_in_use),
        HTTP_TEST(audit_that_is_no_trail),
    };
    return cmocka_run_group_tests_name("kit_http", tests, NULL, NULL);
}
