/* A whole server on loopback, against an authorization server of the test's making: what a client
 * that nobody here wrote goes through, and each start that is refused. */
#include "kit/kit_test_server.h"

#include "http/http_test_tls.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Judged before it is read; the client that still sends is told all the same. */
static void large_body_of_a_bad_token(void **state)
{
    fixture_t *f = *state;
    start(f);
    const char *large = arena_printf(f->a, "{\"a\":1,\"b\":2,\"more\":\"%0*d\"}", 400000, 1).p;
    for (int i = 0; i < 3; i++) {
        http_direct_answer_t r =
            call(f, token_for(f, "http://127.0.0.1/other", "math:add"), "add", large);
        assert_int_equal(r.status, 401);
        assert_true(str_contains(challenge_of(&r), STR("error=\"invalid_token\"")));
    }
    http_direct_answer_t r = call(f, token(f, "math:add"), "add", large);
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"text\":\"3\"")));
}

static void functions_know_who_calls(void **state)
{
    fixture_t *f = *state;
    start(f);
    http_direct_answer_t r = call(f, token(f, ""), "whoami", "{}");
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, arena_printf(f->a, "alice by c1 at %s", f->issuer.url)));
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
        assert_true(str_contains(r.body, str_c(f->issuer.url)));
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
    f->issuer.metadata = STR("{}");
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
    for (int i = 0; i < 60000 && !atomic_load(&KIT_RUNS); i++)
        usleep(1000);
    warder_mcp_http_stop(f->s);
    f->s = NULL;
    pthread_join(thread, NULL);
    assert_true(atomic_load(&KIT_RUNS));
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
    f->http.listen =
        arena_printf(f->a, "127.0.0.1:%u", (unsigned)http_server_port(f->issuer.http)).p;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(from_401_to_an_audited_call),
        HTTP_TEST(large_body_of_a_bad_token),
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
