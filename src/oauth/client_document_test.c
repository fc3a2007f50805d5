/* Clients by metadata document: which URLs, which answers, and what a person approves. */
#include "oauth/oauth_test_world.h"

#include "core/limits.h"
#include "oauth/client_document.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define URL          "https://c.test/c.json"
#define CORE                                                                                       \
    "\"client_id\":\"" URL "\",\"client_name\":\"C\",\"redirect_uris\":[\"https://c.test/cb\"]"
#define KEY_SET                                                                                    \
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"1\","                                  \
    "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","                                       \
    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}"

static const str_t DENIED[] = {STR_INIT("*.evil.test"), STR_INIT("evil.test")};
static const str_t ACCEPTED[] = {STR_INIT("c.test"), STR_INIT("*.c.test")};
static const str_t PRIVATE[] = {STR_INIT("localhost:8443"), STR_INIT("[::1]:81")};

/* ---- URLs ---- */

static const struct url_row {
    const char *reason, *url;
} URLS[] = {
    {"client_id_url", "http://c.test/c.json"},
    {"client_id_url", "https://c.test"},
    {"client_id_url", "https://c.test/"},
    {"client_id_url", "https://c.test/a/../c.json"},
    {"client_id_url", "https://c.test/./c.json"},
    {"client_id_url", "https://c.test/.."},
    {"client_id_url", "https://c.test/%2e%2e/c.json"},
    {"client_id_url", "https://c.test/.%2E/c.json"},
    {"client_id_url", "https://c.test/%2e"},
    {"client_id_url", "https://c.test/c.json#f"},
    {"client_id_url", "https://c.test/c.json#"},
    {"client_id_url", "https://u:p@c.test/c.json"},
    {"client_id_url", "https://@c.test/c.json"},
    {"client_id_url", "https://c.test/c.json?x=1"},
    {"client_id_url", "https://c.test/c.json?"},
    {"client_id_url", "HTTPS://c.test/c.json"},
    {"client_id_url", "https://C.test/c.json"},
    {"client_id_url", "https://c.test:99999/c.json"},
    {"client_id_url", "https://c.test:0/c.json"},
    {"client_id_url", "https://[::1]/c.json"},
    {"client_id_url", "https://127.0.0.1/c.json"},
    {"client_id_url", "https://127.1/c.json"},
    {"client_id_url", "https://0x7f000001/c.json"},
    {"client_id_url", "https://2130706433/c.json"},
    {"client_id_url", "https://0177.0.0.1/c.json"},
    {"client_id_url", "https://8.8.8.8/c.json"},
    {"client_id_url", "https://c\xe3\x80\x82test/c.json"},
    {"client_id_url", "https://c%2etest/c.json"},
    {"client_id_url", "https://c..test/c.json"},
    {"client_id_url", "https://c.test./c.json"},
    {"client_id_url", "https://-c.test/c.json"},
    {"client_id_url", "https:///c.json"},
    {"client_id_url", "https:c.test/c.json"},
    {"client_id_url", "https://c.test\\c.json"},
    {"client_id_url", "https://c.test/c .json"},
    {"client_id_url", "http://localhost:8444/c.json"},
    {"client_id_url", "http://localhost/c.json"},
    {"client_id_host", "https://evil.test/c.json"},
    {"client_id_host", "https://www.evil.test/c.json"},
    {"client_id_host", "https://other.test/c.json"},
    {"allowed", "https://c.test/c.json"},
    {"allowed", "https://c.test:8443/c.json"},
    {"allowed", "https://c.test//c.json"},
    {"allowed", "https://c.test/c"},
    {"allowed", "https://xn--80ak6aa92e.c.test/c.json"},
};

static void judged_row(void **state)
{
    const struct url_row *row = *state;
    world_t w;
    world_begin(&w);
    w.settings.denied_document_hosts = (str_list_t){DENIED, COUNT(DENIED)};
    w.settings.document_hosts = (str_list_t){ACCEPTED, COUNT(ACCEPTED)};
    assert_reason(oauth_client_document_check_url(&w.settings, str_c(row->url)),
                  world_reason(row->reason));
    world_end(&w);
}

static void what_is_meant_as_a_document(void **state)
{
    (void)state;
    assert_true(oauth_client_document_is_meant(STR("https://c.test/c.json")));
    assert_true(oauth_client_document_is_meant(STR("HTTPS://c.test/c.json")));
    assert_true(oauth_client_document_is_meant(STR("http://c.test/c.json")));
    assert_false(oauth_client_document_is_meant(STR("wcl_1")));
    assert_false(oauth_client_document_is_meant(STR("https:")));
    assert_false(oauth_client_document_is_meant(STR("")));
    assert_false(oauth_client_document_is_meant(STR_UNSET));
}

static void private_hosts_are_for_development(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    w.settings.private_hosts = (str_list_t){PRIVATE, COUNT(PRIVATE)};
    assert_reason(oauth_client_document_check_url(&w.settings, STR("http://localhost:8443/c.json")),
                  OAUTH_FINE);
    assert_reason(oauth_client_document_check_url(&w.settings, STR("https://[::1]:81/c.json")),
                  OAUTH_FINE);
    assert_reason(oauth_client_document_check_url(&w.settings, STR("https://[::1]:82/c.json")),
                  OAUTH_CLIENT_ID_URL);
    assert_reason(oauth_client_document_check_url(&w.settings, STR("http://localhost:82/c.json")),
                  OAUTH_CLIENT_ID_URL);
    world_end(&w);
}

/* ---- documents ---- */

static const struct document_row {
    const char *reason;
    int status;
    const char *type, *body;
} DOCUMENTS[] = {
    {"client_document_answer", 201, "application/json", "{" CORE "}"},
    {"client_document_answer", 204, "application/json", "{" CORE "}"},
    {"client_document_answer", 206, "application/json", "{" CORE "}"},
    {"client_document_answer", 404, "application/json", "{" CORE "}"},
    {"client_document_answer", 410, "application/json", "{" CORE "}"},
    {"client_document_answer", 200, "text/html", "{" CORE "}"},
    {"client_document_answer", 200, "text/json", "{" CORE "}"},
    {"client_document_answer", 200, "application/jsonx", "{" CORE "}"},
    {"client_document_answer", 200, "application/+json", "{" CORE "}"},
    {"client_document_answer", 200, "application/javascript", "{" CORE "}"},
    {"client_document_answer", 200, NULL, "{" CORE "}"},
    {"client_document_malformed", 200, "application/json", ""},
    {"client_document_malformed", 200, "application/json", "[{" CORE "}]"},
    {"client_document_malformed", 200, "application/json", "{" CORE "} x"},
    {"client_document_malformed", 200, "application/json", "{" CORE ",\"client_id\":\"" URL "\"}"},
    {"client_document_other_id", 200, "application/json",
     "{\"client_name\":\"C\",\"redirect_uris\":[\"https://c.test/cb\"]}"},
    {"client_document_other_id", 200, "application/json",
     "{\"client_id\":\"" URL
     "/\",\"client_name\":\"C\",\"redirect_uris\":[\"https://c.test/cb\"]}"},
    {"client_document_other_id", 200, "application/json",
     "{\"client_id\":\"https://c.test:443/c.json\",\"client_name\":\"C\"}"},
    {"client_document_other_id", 200, "application/json", "{\"client_id\":[\"" URL "\"]}"},
    {"client_document_secret", 200, "application/json", "{" CORE ",\"client_secret\":\"x\"}"},
    {"client_document_secret", 200, "application/json", "{" CORE ",\"client_secret\":null}"},
    {"client_document_secret", 200, "application/json",
     "{" CORE ",\"client_secret_expires_at\":0}"},
    {"client_document_auth_method", 200, "application/json",
     "{" CORE ",\"token_endpoint_auth_method\":\"client_secret_basic\"}"},
    {"client_document_auth_method", 200, "application/json",
     "{" CORE ",\"token_endpoint_auth_method\":\"client_secret_post\"}"},
    {"client_document_auth_method", 200, "application/json",
     "{" CORE ",\"token_endpoint_auth_method\":\"client_secret_jwt\"}"},
    {"client_document_auth_method", 200, "application/json",
     "{" CORE ",\"token_endpoint_auth_method\":1}"},
    {"client_document_auth_method", 200, "application/json",
     "{" CORE ",\"token_endpoint_auth_methods_supported\":[\"client_secret_basic\"]}"},
    {"client_document_incomplete", 200, "application/json",
     "{\"client_id\":\"" URL "\",\"redirect_uris\":[\"https://c.test/cb\"]}"},
    {"client_document_incomplete", 200, "application/json",
     "{\"client_id\":\"" URL "\",\"client_name\":\"\",\"redirect_uris\":[\"https://c.test/cb\"]}"},
    {"client_document_metadata", 200, "application/json",
     "{\"client_id\":\"" URL "\",\"client_name\":\"C\"}"},
    {"client_document_metadata", 200, "application/json",
     "{\"client_id\":\"" URL "\",\"client_name\":\"C\",\"redirect_uris\":[]}"},
    {"client_document_metadata", 200, "application/json",
     "{\"client_id\":\"" URL "\",\"client_name\":\"C\",\"redirect_uris\":[\"javascript:x\"]}"},
    {"client_document_metadata", 200, "application/json",
     "{\"client_id\":\"" URL "\",\"client_name\":\"C\",\"redirect_uris\":\"https://c.test/cb\"}"},
    {"client_document_metadata", 200, "application/json", "{" CORE ",\"logo_uri\":1}"},
    {"client_document_keys", 200, "application/json",
     "{" CORE ",\"jwks\":{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}}"},
    {"client_document_keys", 200, "application/json", "{" CORE ",\"jwks\":{\"keys\":[]}}"},
    {"client_document_keys", 200, "application/json",
     "{" CORE ",\"jwks\":" KEY_SET ",\"jwks_uri\":\"https://c.test/keys\"}"},
    {"client_document_keys", 200, "application/json",
     "{" CORE ",\"jwks_uri\":\"http://c.test/keys\"}"},
    {"client_document_keys", 200, "application/json",
     "{" CORE ",\"jwks_uri\":\"https://u@c.test/keys\"}"},
    {"allowed", 200, "application/json", "{" CORE "}"},
    {"allowed", 200, "Application/JSON; charset=utf-8", "{" CORE "}"},
    {"allowed", 200, "application/oauth-client+json", "{" CORE "}"},
    {"allowed", 200, "application/json",
     "{" CORE ",\"unknown\":{\"a\":[1]},\"token_endpoint_auth_method\":null,\"scope\":\"a b\"}"},
    {"allowed", 200, "application/json", "{" CORE ",\"token_endpoint_auth_method\":\"none\"}"},
    {"allowed", 200, "application/json",
     "{" CORE ",\"token_endpoint_auth_methods_supported\":[\"client_secret_post\",\"none\"]}"},
};

static void read_as(world_t *w, int status, const char *type, const char *body,
                    oauth_client_document_t *out)
{
    const oauth_client_document_answer_t answer = {status, str_c(type), str_c(body)};
    assert_int_equal(oauth_client_document_read(w->a, &w->settings, STR(URL), &answer, out), RC_OK);
}

static void read_row(void **state)
{
    const struct document_row *row = *state;
    world_t w;
    oauth_client_document_t out;
    world_begin(&w);
    read_as(&w, row->status, row->type, row->body, &out);
    assert_reason(out.reason, world_reason(row->reason));
    assert_int_equal(out.reason == OAUTH_FINE, str_is_set(out.client.id));
    world_end(&w);
}

static client_t client_of(world_t *w, const char *members)
{
    oauth_client_document_t out;
    str_t body = arena_printf(w->a, "{" CORE "%s}", members);
    read_as(w, 200, "application/json", arena_cstr(w->a, body), &out);
    assert_reason(out.reason, OAUTH_FINE);
    return out.client;
}

static void a_client_comes_out_of_it(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    client_t c =
        client_of(&w, ",\"client_uri\":\"https://c.test/\",\"logo_uri\":\"https://c.test/l\"");
    assert_text(c.id, URL);
    assert_text(c.name, "C");
    assert_text(c.client_uri, "https://c.test/");
    assert_text(c.logo_uri, "https://c.test/l");
    assert_int_equal(c.origin, CLIENT_BY_DOCUMENT);
    assert_int_equal(c.auth, CLIENT_AUTH_NONE);
    assert_int_equal(c.type, CLIENT_WEB);
    assert_false(c.has_secret);
    assert_int_equal(c.expires_at, 0);
    assert_int_equal(c.grants, GRANT_AUTHORIZATION_CODE);
    assert_int_equal(c.redirect_uris.n, 1);
    world_end(&w);
}

/* What a client could do elsewhere is no reason to refuse it. */
static void grants_are_intersected(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    client_t c = client_of(&w, ",\"grant_types\":[\"authorization_code\",\"refresh_token\","
                               "\"urn:ietf:params:oauth:grant-type:jwt-bearer\","
                               "\"client_credentials\",\"urn:x\"],\"response_types\":[\"token\"]");
    assert_int_equal(c.grants, GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN);
    c = client_of(&w, ",\"grant_types\":[\"urn:x\"]");
    assert_int_equal(c.grants, 0);
    world_end(&w);
}

static void bad_redirect_uris_are_dropped_and_good_ones_stay(void **state)
{
    (void)state;
    world_t w;
    oauth_client_document_t out;
    world_begin(&w);
    read_as(&w, 200, "application/json",
            "{\"client_id\":\"" URL "\",\"client_name\":\"C\",\"redirect_uris\":"
            "[\"http://c.test/cb\",\"http://localhost/callback\"]}",
            &out);
    assert_reason(out.reason, OAUTH_FINE);
    assert_int_equal(out.client.redirect_uris.n, 1);
    assert_text(out.client.redirect_uris.v[0], "http://localhost/callback");
    assert_int_equal(out.client.type, CLIENT_NATIVE);
    assert_true(oauth_client_is_loopback_only(&out.client));
    world_end(&w);
}

static void keys_stand_inside_or_elsewhere(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    client_t c = client_of(&w, ",\"jwks\":" KEY_SET);
    assert_text(c.jwks, KEY_SET);
    assert_unset(c.jwks_uri);
    c = client_of(&w, ",\"jwks_uri\":\"https://c.test/keys\"");
    assert_unset(c.jwks);
    assert_text(c.jwks_uri, "https://c.test/keys");
    world_end(&w);
}

static bool approved_alike(world_t *w, const char *members, const char *others)
{
    client_t a = client_of(w, members), b = client_of(w, others);
    return memcmp(a.document.b, b.document.b, sizeof a.document.b) == 0;
}

static void what_must_be_approved_anew_has_another_hash(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    assert_true(approved_alike(&w, "", ",\"logo_uri\":\"https://c.test/l\""));
    assert_true(approved_alike(&w, "", ",\"grant_types\":[\"refresh_token\"]"));
    assert_false(approved_alike(&w, "", ",\"client_uri\":\"https://c.test/\""));
    assert_false(approved_alike(&w, "", ",\"jwks_uri\":\"https://c.test/keys\""));
    assert_false(approved_alike(&w, ",\"jwks_uri\":\"https://c.test/keys\"",
                                ",\"jwks_uri\":\"https://c.test/other\""));
    assert_false(approved_alike(&w, "", ",\"jwks\":" KEY_SET));
    world_end(&w);
}

static hash_t hash_of(world_t *w, const client_t *c)
{
    hash_t hash;
    assert_int_equal(oauth_client_document_hash(w->a, c, &hash), RC_OK);
    return hash;
}

static void redirect_uris_count_and_their_order_does_not(void **state)
{
    static const str_t AB[] = {STR_INIT("https://c.test/a"), STR_INIT("https://c.test/b")};
    static const str_t BA[] = {STR_INIT("https://c.test/b"), STR_INIT("https://c.test/a")};
    (void)state;
    world_t w;
    world_begin(&w);
    client_t c = {.name = STR("C"), .redirect_uris = {AB, 2}};
    hash_t ab = hash_of(&w, &c), other;
    c.redirect_uris = (str_list_t){BA, 2};
    other = hash_of(&w, &c);
    assert_memory_equal(ab.b, other.b, sizeof ab.b);
    c.redirect_uris = (str_list_t){AB, 1};
    other = hash_of(&w, &c);
    assert_memory_not_equal(ab.b, other.b, sizeof ab.b);
    c.redirect_uris = (str_list_t){AB, 2};
    c.name = STR("D");
    other = hash_of(&w, &c);
    assert_memory_not_equal(ab.b, other.b, sizeof ab.b);
    world_end(&w);
}

static void some_redirects_elsewhere_are_not_loopback_only(void **state)
{
    static const str_t MIXED[] = {STR_INIT("http://127.0.0.1/cb"), STR_INIT("https://c.test/cb")};
    (void)state;
    client_t c = {.redirect_uris = {MIXED, 1}};
    assert_true(oauth_client_is_loopback_only(&c));
    c.redirect_uris.n = 2;
    assert_false(oauth_client_is_loopback_only(&c));
    c.redirect_uris.n = 0;
    assert_false(oauth_client_is_loopback_only(&c));
}

static rc_t read_in(world_t *w, arena_t *a, void *ctx)
{
    oauth_client_document_t out;
    const oauth_client_document_answer_t answer = {200, STR("application/json"),
                                                   STR("{" CORE ",\"jwks\":" KEY_SET "}")};
    (void)ctx;
    return oauth_client_document_read(a, &w->settings, STR(URL), &answer, &out);
}

static void without_memory(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    world_starve(read_in, &w, NULL);
    world_end(&w);
}

/* Whether the host answers is not this room's to see; the shell says so (client_source_test.c). */
static void client_document_unavailable(void **state)
{
    (void)state;
    assert_int_equal(oauth_reason_status(OAUTH_CLIENT_DOCUMENT_UNAVAILABLE), 503);
    assert_text(oauth_reason_error(OAUTH_CLIENT_DOCUMENT_UNAVAILABLE), "temporarily_unavailable");
}

static const struct CMUnitTest OTHERS[] = {
    cmocka_unit_test(what_is_meant_as_a_document),
    cmocka_unit_test(private_hosts_are_for_development),
    cmocka_unit_test(a_client_comes_out_of_it),
    cmocka_unit_test(grants_are_intersected),
    cmocka_unit_test(bad_redirect_uris_are_dropped_and_good_ones_stay),
    cmocka_unit_test(keys_stand_inside_or_elsewhere),
    cmocka_unit_test(what_must_be_approved_anew_has_another_hash),
    cmocka_unit_test(redirect_uris_count_and_their_order_does_not),
    cmocka_unit_test(some_redirects_elsewhere_are_not_loopback_only),
    cmocka_unit_test(without_memory),
    cmocka_unit_test(client_document_unavailable),
};

int main(void)
{
    struct CMUnitTest tests[COUNT(URLS) + COUNT(DOCUMENTS) + COUNT(OTHERS)], *at = tests;
    for (size_t i = 0; i < COUNT(URLS); i++)
        *at++ = world_row_test(URLS[i].reason, judged_row, &URLS[i]);
    for (size_t i = 0; i < COUNT(DOCUMENTS); i++)
        *at++ = world_row_test(DOCUMENTS[i].reason, read_row, &DOCUMENTS[i]);
    memcpy(at, OTHERS, sizeof OTHERS);
    return world_run(tests, COUNT(tests));
}
