#include "core/core_test_util.h"

#include "tokens/keep.h"
#include "tokens/record.h"

#define assert_ok(rc) assert_int_equal((rc), RC_OK)

static const str_t URIS[] = {STR_INIT("http://127.0.0.1:1/cb"), STR_INIT("http://[::1]:1/cb")};

static tokens_client_t a_client(void)
{
    return (tokens_client_t){
        .issuer = STR("https://as.test/\"x"),
        .client = {.client_id = STR("me"),
                   .method = STR("client_secret_post"),
                   .secret = secret_of(STR("s\\\n\x7f\xc3\xa4")),
                   .secret_expires_at = 1900000000,
                   .registration_uri = STR("https://as.test/r"),
                   .registration_token = STR("rat")},
        .redirect_uris = {URIS, ROWS(URIS)},
        .at = 1800000000,
    };
}

static tokens_record_t a_record(void)
{
    return (tokens_record_t){
        .url = STR("https://rs.test/mcp?a=b"),
        .resource = STR("https://rs.test/mcp"),
        .issuer = STR("https://as.test"),
        .client_id = STR("me"),
        .token = {.access_token = secret_of(STR("at")),
                  .refresh_token = secret_of(STR("rt")),
                  .dpop = true,
                  .expires_at = 1800003600,
                  .scope = STR("a b")},
        .asked = STR("a b c"),
        .dpop_key = STR("{\"kty\":\"EC\"}"),
        .at = 1800000000,
        .generation = 7,
    };
}

static tokens_server_t a_server(void)
{
    return (tokens_server_t){
        .url = STR("https://rs.test/mcp"),
        .resource = STR("https://rs.test/mcp"),
        .issuer = STR("https://as.test"),
        .client_id = STR("me"),
        .resource_metadata = STR("{\"resource\":\"https://rs.test/mcp\"}\n"),
        .server_metadata = STR("{}"),
        .guessed = true,
        .at = 1800000000,
    };
}

/* Written and read back */

static void a_registration(void **state)
{
    arena_t *a = *state;
    tokens_client_t want = a_client(), got;
    secret_t text;
    assert_ok(tokens_client_write(a, &want, &text));
    assert_ok(tokens_client_read(a, test_exact(a, text.hidden), &got));
    assert_str(got.issuer, want.issuer);
    assert_str(got.client.client_id, want.client.client_id);
    assert_str(got.client.method, want.client.method);
    assert_str(got.client.secret.hidden, want.client.secret.hidden);
    assert_int_equal(got.client.secret_expires_at, 1900000000);
    assert_str(got.client.registration_uri, want.client.registration_uri);
    assert_str(got.client.registration_token, want.client.registration_token);
    assert_int_equal(got.redirect_uris.n, 2);
    assert_str(got.redirect_uris.v[0], URIS[0]);
    assert_str(got.redirect_uris.v[1], URIS[1]);
    assert_int_equal(got.at, 1800000000);
}

static void tokens(void **state)
{
    arena_t *a = *state;
    tokens_record_t want = a_record(), got;
    secret_t text;
    assert_ok(tokens_record_write(a, &want, &text));
    assert_ok(tokens_record_read(a, test_exact(a, text.hidden), &got));
    assert_str(got.url, want.url);
    assert_str(got.resource, want.resource);
    assert_str(got.issuer, want.issuer);
    assert_str(got.client_id, want.client_id);
    assert_str(got.token.access_token.hidden, STR("at"));
    assert_str(got.token.refresh_token.hidden, STR("rt"));
    assert_true(got.token.dpop);
    assert_int_equal(got.token.expires_at, 1800003600);
    assert_str(got.token.scope, STR("a b"));
    assert_str(got.asked, STR("a b c"));
    assert_str(got.dpop_key, want.dpop_key);
    assert_int_equal(got.at, 1800000000);
    assert_int_equal(got.generation, 7);
}

static void a_place(void **state)
{
    arena_t *a = *state;
    tokens_server_t want = a_server(), got;
    secret_t text;
    assert_ok(tokens_server_write(a, &want, &text));
    assert_ok(tokens_server_read(a, test_exact(a, text.hidden), &got));
    assert_str(got.url, want.url);
    assert_str(got.resource, want.resource);
    assert_str(got.issuer, want.issuer);
    assert_str(got.client_id, want.client_id);
    assert_str(got.resource_metadata, want.resource_metadata);
    assert_str(got.server_metadata, want.server_metadata);
    assert_true(got.guessed);
    assert_int_equal(got.at, 1800000000);
}

/* A legacy server without metadata, a public client, a bearer token without an end. */
static void what_is_absent_stays_absent(void **state)
{
    arena_t *a = *state;
    const tokens_client_t client = {.client = {.client_id = STR("c")}};
    const tokens_record_t record = {.url = STR("https://rs.test"),
                                    .token = {.access_token = secret_of(STR("t"))}};
    const tokens_server_t server = {.url = STR("https://rs.test")};
    tokens_client_t got_client;
    tokens_record_t got_record;
    tokens_server_t got_server;
    secret_t text;
    assert_ok(tokens_client_write(a, &client, &text));
    assert_ok(tokens_client_read(a, text.hidden, &got_client));
    assert_memory_equal(&got_client.issuer, &client.issuer, sizeof client.issuer);
    assert_false(str_is_set(got_client.client.secret.hidden));
    assert_false(str_is_set(got_client.client.method));
    assert_int_equal(got_client.redirect_uris.n, 0);
    assert_ok(tokens_record_write(a, &record, &text));
    assert_ok(tokens_record_read(a, text.hidden, &got_record));
    assert_false(str_is_set(got_record.resource));
    assert_false(str_is_set(got_record.token.refresh_token.hidden));
    assert_false(str_is_set(got_record.dpop_key));
    assert_false(got_record.token.dpop);
    assert_int_equal(got_record.generation, 0);
    assert_ok(tokens_server_write(a, &server, &text));
    assert_ok(tokens_server_read(a, text.hidden, &got_server));
    assert_false(str_is_set(got_server.resource_metadata));
    assert_false(got_server.guessed);
}

/* Reading what is none */

static void what_is_no_record(void **state)
{
#define TOKENS_ "{\"kind\":\"tokens\",\"version\":1,\"url\":\"u\",\"access_token\":\"t\""
    static const char *const CASES[] = {
        "",
        "x",
        "[]",
        "null",
        "{}",
        TOKENS_,
        TOKENS_ "} ,",
        "{\"kind\":\"client\",\"version\":1,\"url\":\"u\",\"access_token\":\"t\"}",
        "{\"version\":1,\"url\":\"u\",\"access_token\":\"t\"}",
        "{\"kind\":\"tokens\",\"url\":\"u\",\"access_token\":\"t\"}",
        "{\"kind\":\"tokens\",\"version\":2,\"url\":\"u\",\"access_token\":\"t\"}",
        "{\"kind\":\"tokens\",\"version\":\"1\",\"url\":\"u\",\"access_token\":\"t\"}",
        "{\"kind\":\"tokens\",\"version\":1,\"url\":\"u\"}",
        "{\"kind\":\"tokens\",\"version\":1,\"access_token\":\"t\"}",
        "{\"kind\":\"tokens\",\"version\":1,\"url\":\"u\",\"access_token\":\"\"}",
        TOKENS_ ",\"scope\":null}",
        TOKENS_ ",\"scope\":[]}",
        TOKENS_ ",\"dpop\":1}",
        TOKENS_ ",\"expires_at\":\"1\"}",
        TOKENS_ ",\"expires_at\":-1}",
        TOKENS_ ",\"generation\":1.5}",
        TOKENS_ ",\"url\":\"v\"}",
    };
    arena_t *a = *state;
    tokens_record_t got;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        assert_int_equal(tokens_record_read(a, test_exact(a, str_c(CASES[i])), &got), RC_MALFORMED);
        assert_false(str_is_set(got.token.access_token.hidden));
    }
    assert_ok(tokens_record_read(a, STR(TOKENS_ ",\"new\":[1]}"), &got));
    assert_str(got.token.access_token.hidden, STR("t"));
}

static void lists_that_are_none(void **state)
{
#define CLIENT_ "{\"kind\":\"client\",\"version\":1,\"client_id\":\"c\",\"redirect_uris\":"
    static const char *const CASES[] = {CLIENT_ "[1]}", CLIENT_ "{\"a\":\"b\"}}",
                                        CLIENT_ "[\"a\",null]}", CLIENT_ "\"a\"}"};
    arena_t *a = *state;
    tokens_client_t got;
    for (size_t i = 0; i < ROWS(CASES); i++)
        assert_int_equal(tokens_client_read(a, str_c(CASES[i]), &got), RC_MALFORMED);
    assert_ok(tokens_client_read(a, STR(CLIENT_ "[\"a\"]}"), &got));
    assert_int_equal(got.redirect_uris.n, 1);
}

static void a_record_of_one_kind_is_none_of_another(void **state)
{
    arena_t *a = *state;
    const tokens_client_t client = a_client();
    const tokens_record_t record = a_record();
    secret_t client_text, record_text;
    tokens_client_t got_client;
    tokens_record_t got_record;
    tokens_server_t got_server;
    assert_ok(tokens_client_write(a, &client, &client_text));
    assert_ok(tokens_record_write(a, &record, &record_text));
    assert_int_equal(tokens_record_read(a, client_text.hidden, &got_record), RC_MALFORMED);
    assert_int_equal(tokens_client_read(a, record_text.hidden, &got_client), RC_MALFORMED);
    assert_int_equal(tokens_server_read(a, record_text.hidden, &got_server), RC_MALFORMED);
}

static void more_than_is_kept(void **state)
{
    arena_t *a = *state;
    tokens_server_t server = a_server(), got;
    secret_t text;
    char *long_text = arena_alloc(a, TOKENS_KEEP_BYTES);
    memset(long_text, 'x', TOKENS_KEEP_BYTES);
    server.server_metadata = str_of(long_text, TOKENS_KEEP_BYTES);
    assert_int_equal(tokens_server_write(a, &server, &text), RC_LIMIT);
    assert_false(str_is_set(text.hidden));
    server.server_metadata = str_of(long_text, TOKENS_KEEP_BYTES - 1024);
    assert_ok(tokens_server_write(a, &server, &text));
    assert_ok(tokens_server_read(a, text.hidden, &got));
    assert_int_equal(got.server_metadata.n, TOKENS_KEEP_BYTES - 1024);
}

/* Names */

static void check_name(str_t name, const char *kind)
{
    assert_true(str_starts(name, str_c(kind)));
    assert_true(name.n <= TOKENS_NAME_BYTES);
    for (size_t i = 0; i < name.n; i++)
        assert_true((name.p[i] >= '0' && name.p[i] <= '9') ||
                    (name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '-');
}

static void names_tell_nothing_and_differ(void **state)
{
    arena_t *a = *state;
    str_t client, server, first, second, again;
    assert_ok(tokens_client_name(a, STR("https://as.test"), &client));
    assert_ok(tokens_server_name(a, STR("https://as.test"), &server));
    assert_ok(tokens_token_name(a, STR("https://as.test"), STR("r"), STR("c"), &first));
    check_name(client, "client-");
    check_name(server, "server-");
    check_name(first, "tokens-");
    assert_ok(tokens_client_name(a, STR("https://as.test/"), &again));
    assert_false(str_eq(client, again));
    assert_ok(tokens_token_name(a, STR("https://as.test"), STR("r"), STR("c"), &again));
    assert_str(first, again);
    assert_ok(tokens_token_name(a, STR("https://as.test"), STR("rc"), STR(""), &second));
    assert_false(str_eq(first, second));
    assert_ok(tokens_token_name(a, STR("https://as.test"), STR(""), STR("rc"), &again));
    assert_false(str_eq(again, second));
    assert_ok(tokens_token_name(a, STR_UNSET, STR("r"), STR("c"), &again));
    assert_false(str_eq(again, first));
}

/* Memory */

static rc_t write_in(arena_t *a)
{
    const tokens_client_t client = a_client();
    tokens_client_t got;
    secret_t text;
    str_t name;
    TRY(tokens_client_name(a, STR("i"), &name));
    TRY(tokens_client_write(a, &client, &text));
    return tokens_client_read(a, text.hidden, &got);
}

static void no_memory(void **state)
{
    (void)state;
    size_t failures = 0;
    rc_t rc = RC_MEMORY;
    for (size_t budget = 64; rc != RC_OK; budget += budget < TOKENS_KEEP_BYTES ? 4096 : 64) {
        arena_t *a = arena_new(budget);
        rc = write_in(a);
        arena_free(a);
        failures += rc == RC_MEMORY;
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        assert_true(budget < TEST_ARENA_BYTES);
    }
    assert_true(failures > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_registration),
        ARENA_TEST(tokens),
        ARENA_TEST(a_place),
        ARENA_TEST(what_is_absent_stays_absent),
        ARENA_TEST(what_is_no_record),
        ARENA_TEST(lists_that_are_none),
        ARENA_TEST(a_record_of_one_kind_is_none_of_another),
        ARENA_TEST(more_than_is_kept),
        ARENA_TEST(names_tell_nothing_and_differ),
        ARENA_TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
