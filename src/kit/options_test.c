#include "http/http_test_tls.h"
#include "kit/options.h"
#include "kit/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const warder_rs_server_t SERVER = {.issuer = "https://auth.example.com"};

typedef struct {
    arena_t *a;
    char dir[64], certificate[96], key[96];
    warder_rs_config_t protect;
    warder_mcp_http_t http;
    kit_options_t o;
    str_t why;
} fixture_t;

static void write_file(const char *path, str_t text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    f->a = arena_new(8 << 20);
    snprintf(f->dir, sizeof f->dir, "/tmp/kit-XXXXXX");
    if (!f->a || !mkdtemp(f->dir))
        return -1;
    snprintf(f->certificate, sizeof f->certificate, "%s/chain.pem", f->dir);
    snprintf(f->key, sizeof f->key, "%s/key.pem", f->dir);
    f->protect = (warder_rs_config_t){.servers = &SERVER, .server_count = 1};
    f->http = (warder_mcp_http_t){.listen = "127.0.0.1:8081", .protect = &f->protect};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    http_tls_free(f->o.tls);
    unlink(f->certificate);
    unlink(f->key);
    rmdir(f->dir);
    arena_free(f->a);
    free(f);
    return 0;
}

static int read_options(fixture_t *f)
{
    http_tls_free(f->o.tls);
    f->why = STR_UNSET;
    return kit_options_read(f->a, &f->http, "math:add math:sum", &f->o, &f->why);
}

static void assert_taken(fixture_t *f)
{
    if (read_options(f) != KIT_DONE)
        fail_msg("%.*s", STR_ARG(f->why));
}

static void assert_refused(fixture_t *f, const char *says)
{
    assert_int_equal(read_options(f), KIT_SETTING);
    assert_null(f->o.tls);
    if (!str_contains(f->why, str_c(says)))
        fail_msg("said '%.*s'", STR_ARG(f->why));
}

static void address_and_port(void **state)
{
    static const char *const BAD[] = {
        NULL,           "",         "127.0.0.1",     "8081",       ":8081",
        "localhost:1",  "::1:8081", "[127.0.0.1]:1", "127.0.0.1:", "127.0.0.1:65536",
        "127.0.0.1:-1", "[::1]"};
    fixture_t *f = *state;
    for (size_t i = 0; i < ROWS(BAD); i++) {
        f->http.listen = BAD[i];
        assert_refused(f, "listen must be");
    }
    f->http.listen = "[::1]:0";
    assert_taken(f);
    assert_str(f->o.host, STR("::1"));
    assert_int_equal(f->o.port, 0);
    assert_str(kit_options_resource(f->a, &f->o, 17), STR("http://[::1]:17/mcp"));
    f->http.listen = "127.0.0.1:8081";
    assert_taken(f);
    assert_int_equal(f->o.port, 8081);
    assert_str(kit_options_resource(f->a, &f->o, 8081), STR("http://127.0.0.1:8081/mcp"));
}

static void defaults(void **state)
{
    fixture_t *f = *state;
    assert_taken(f);
    assert_str(f->o.path, STR("/mcp"));
    assert_str(f->o.scopes, STR("math:add math:sum"));
    assert_int_equal(f->o.workers, KIT_WORKERS);
    assert_null(f->o.tls);
    warder_rs_config_t rs = kit_options_rs(&f->http, &f->o, "http://127.0.0.1:1/mcp");
    assert_string_equal(rs.resource, "http://127.0.0.1:1/mcp");
    assert_string_equal(rs.scopes_supported, "math:add math:sum");
}

static void unprotected_is_for_loopback(void **state)
{
    static const char *const BAD[] = {"0.0.0.0:8081", "[::]:8081", "192.0.2.1:8081"};
    static const char *const GOOD[] = {"127.0.0.1:8081", "127.1.2.3:8081", "[::1]:8081"};
    fixture_t *f = *state;
    f->http.protect = NULL;
    for (size_t i = 0; i < ROWS(BAD); i++) {
        f->http.listen = BAD[i];
        assert_refused(f, "nothing protects");
    }
    for (size_t i = 0; i < ROWS(GOOD); i++) {
        f->http.listen = GOOD[i];
        assert_taken(f);
    }
}

static void listening_everywhere_needs_a_resource(void **state)
{
    fixture_t *f = *state;
    f->http.listen = "0.0.0.0:8081";
    assert_refused(f, "resource must be");
    f->protect.resource = "https://mcp.example.com/mcp";
    assert_taken(f);
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
    for (size_t i = 0; i < ROWS(BAD); i++) {
        f->protect.resource = BAD[i];
        assert_refused(f, "resource");
    }
    f->protect.resource = "https://mcp.example/a%20b";
    assert_taken(f);
    assert_str(f->o.path, STR("/a b"));
    f->protect.resource = "https://mcp.example";
    assert_taken(f);
    assert_str(f->o.path, STR("/"));
}

static void unsafe_issuer(void **state)
{
    static const warder_rs_server_t BAD = {.issuer = "http://issuer.example"};
    fixture_t *f = *state;
    f->protect.servers = &BAD;
    assert_refused(f, "issuer must be");
    f->protect.server_count = 0;
    assert_refused(f, "servers must hold");
}

static void scopes_that_no_table_knows(void **state)
{
    fixture_t *f = *state;
    f->protect.scopes = "math:divide";
    assert_refused(f, "scopes_supported must hold all of scopes");
    f->protect.scopes = "math:add";
    assert_taken(f);
    f->protect.scopes = "math:divide";
    f->protect.scopes_supported = "math:divide math:add";
    assert_taken(f);
}

static void step_up_without_protection(void **state)
{
    fixture_t *f = *state;
    f->http.max_age_s = -1;
    assert_refused(f, "max_age_s must be");
    f->http.max_age_s = 60;
    assert_taken(f);
    f->http.protect = NULL;
    assert_refused(f, "without protect");
}

static void numbers_out_of_range(void **state)
{
    fixture_t *f = *state;
    f->http.workers = KIT_WORKERS_MAX + 1;
    assert_refused(f, "workers must be");
    f->http.workers = KIT_WORKERS_MAX;
    f->http.log_level = 3;
    assert_refused(f, "log_level must be");
    f->http.log_level = -1;
    assert_taken(f);
}

static void lists(void **state)
{
    static const char *const HOSTS[] = {"mcp.example.com", ""};
    fixture_t *f = *state;
    f->http.hosts = HOSTS;
    f->http.host_count = 2;
    assert_refused(f, "is empty");
    f->http.host_count = KIT_LISTS_MAX + 1;
    assert_refused(f, "64 entries");
    f->http.host_count = 1;
    assert_taken(f);
    assert_int_equal(f->o.hosts.n, 1);
    assert_str(f->o.hosts.v[0], STR("mcp.example.com"));
}

static void audit_folder_that_is_not_there(void **state)
{
    fixture_t *f = *state;
    f->http.audit = "/nowhere";
    assert_refused(f, "there is no folder /nowhere; make it first");
    f->http.audit = f->dir;
    assert_taken(f);
}

/* Whoever can write there can put a link in the place of the trail. */
static void audit_folder_of_everybody(void **state)
{
    fixture_t *f = *state;
    f->http.audit = f->dir;
    assert_int_equal(chmod(f->dir, 0777), 0);
    assert_refused(f, "chmod o-w");
    assert_int_equal(chmod(f->dir, 01777), 0);
    assert_refused(f, "chmod o-w");
    assert_int_equal(chmod(f->dir, 0775), 0);
    assert_taken(f);
    assert_int_equal(chmod(f->dir, 0700), 0);
    assert_taken(f);
}

static void certificate_and_key(void **state)
{
    fixture_t *f = *state;
    test_pem_t pem = test_cert_make(f->a, (test_cert_t){.host = "IP:127.0.0.1", .until_s = 3600});
    f->http.certificate = f->certificate;
    assert_refused(f, "come together");
    f->http.key = f->key;
    assert_refused(f, "chain.pem cannot be read");
    write_file(f->certificate, pem.chain, 0644);
    assert_refused(f, "key.pem cannot be read");
    write_file(f->key, pem.key, 0644);
    assert_refused(f, "chmod 600");
    write_file(f->key, STR("no key"), 0600);
    assert_refused(f, "certificate and key: ");
    write_file(f->key, pem.key, 0600);
    assert_taken(f);
    assert_non_null(f->o.tls);
    assert_str(kit_options_resource(f->a, &f->o, 8443), STR("https://127.0.0.1:8443/mcp"));
}

static void certificate_that_has_expired_is_told(void **state)
{
    fixture_t *f = *state;
    test_pem_t pem = test_cert_make(
        f->a, (test_cert_t){.host = "IP:127.0.0.1", .from_s = -7200, .until_s = -3600});
    write_file(f->certificate, pem.chain, 0644);
    write_file(f->key, pem.key, 0600);
    f->http.certificate = f->certificate;
    f->http.key = f->key;
    assert_taken(f);
    assert_true(f->o.tls_warning.n > 0);
}

static void file_that_is_too_long(void **state)
{
    fixture_t *f = *state;
    char *text = arena_alloc(f->a, KIT_PEM_BYTES + 1);
    write_file(f->certificate, str_of(text, KIT_PEM_BYTES + 1), 0644);
    f->http.certificate = f->certificate;
    f->http.key = f->key;
    assert_refused(f, "is longer than");
}

#define OPTIONS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPTIONS_TEST(address_and_port),
        OPTIONS_TEST(defaults),
        OPTIONS_TEST(unprotected_is_for_loopback),
        OPTIONS_TEST(listening_everywhere_needs_a_resource),
        OPTIONS_TEST(unsafe_resource),
        OPTIONS_TEST(unsafe_issuer),
        OPTIONS_TEST(scopes_that_no_table_knows),
        OPTIONS_TEST(step_up_without_protection),
        OPTIONS_TEST(numbers_out_of_range),
        OPTIONS_TEST(lists),
        OPTIONS_TEST(audit_folder_that_is_not_there),
        OPTIONS_TEST(audit_folder_of_everybody),
        OPTIONS_TEST(certificate_and_key),
        OPTIONS_TEST(certificate_that_has_expired_is_told),
        OPTIONS_TEST(file_that_is_too_long),
    };
    return cmocka_run_group_tests_name("kit_options", tests, NULL, NULL);
}
