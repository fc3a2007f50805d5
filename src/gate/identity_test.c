#include "gate/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const str_t STRIPPED[] = {STR_INIT("X-Tenant")};
static const conf_upstream_t UPSTREAM = {
    .identity = CONF_IDENTITY_HEADERS,
    .identity_header = STR_INIT("X-Who"),
    .strip = {STRIPPED, 1},
    .credential = {.header = STR_INIT("X-Backend-Key")},
};

static int setup(void **state)
{
    *state = arena_new(1 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static gate_principal_t principal(void **state, const char *claims)
{
    gate_principal_t who = {.issuer = STR("https://as"),
                            .subject = STR("\xc3\xa9va 1%"),
                            .client = STR("app"),
                            .scope = STR("news:read  orders:write"),
                            .expires_at = 5000};
    assert_int_equal(json_parse(*state, str_c(claims), NULL, &who.claims), RC_OK);
    return who;
}

static void what_clients_of_mcp_send_goes_on(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"Accept",
                                       "Accept-Language",
                                       "Content-Type",
                                       "User-Agent",
                                       "MCP-Protocol-Version",
                                       "Mcp-Method",
                                       "Mcp-Name",
                                       "Mcp-Param-Region",
                                       "mcp-param-user_id",
                                       "traceparent",
                                       "tracestate",
                                       "baggage",
                                       "X-Request-Id",
                                       "X-Custom"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        if (!gate_identity_passes(&UPSTREAM, str_c(GOOD[i])))
            fail_msg("%s", GOOD[i]);
}

/* attack case: GWM-001 */
static void credentials_stay_here(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "Authorization",       "authorization", "AUTHORIZATION",  "DPoP",          "Cookie",
        "Proxy-Authorization", "X-Api-Key",     "X-Access-Token", "X-Backend-Key", "x-backend_key"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (gate_identity_passes(&UPSTREAM, str_c(BAD[i])))
            fail_msg("%s", BAD[i]);
    assert_true(gate_identity_passes(&UPSTREAM, STR("Accept")));
}

static void what_could_pass_for_identity_stays_here(void **state)
{
    (void)state;
    static const char *const BAD[] = {"X-Forwarded-User", "X-Forwarded-For",
                                      "Forwarded",        "X-Auth-Request-User",
                                      "X-User",           "X-User-Id",
                                      "X-Remote-User",    "Remote-User",
                                      "X-Warder-Subject", "X-Who",
                                      "X-Tenant",         "x-tenant",
                                      "X_Tenant",         "X_Forwarded_User",
                                      "X-Forwarded_User", "Remote_User",
                                      "X_Custom",         "Mcp_Param_Region",
                                      "X.Forwarded.User", "X-Real-IP",
                                      "Origin",           "Host",
                                      "x_warder_subject", ""};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (gate_identity_passes(&UPSTREAM, str_c(BAD[i])))
            fail_msg("%s", BAD[i]);
    assert_true(gate_identity_passes(&UPSTREAM, STR("Accept")));
}

static void what_frames_or_redirects_stays_here(void **state)
{
    (void)state;
    static const char *const BAD[] = {"Connection",
                                      "Keep-Alive",
                                      "TE",
                                      "Trailer",
                                      "Transfer-Encoding",
                                      "Upgrade",
                                      "Content-Length",
                                      "Expect",
                                      "Content-Encoding",
                                      "Accept-Encoding",
                                      "Range",
                                      "X-Original-URL",
                                      "X-Rewrite-URL",
                                      "X-HTTP-Method-Override",
                                      "Proxy-Anything",
                                      "Mcp-Session-Id",
                                      "Last-Event-ID"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (gate_identity_passes(&UPSTREAM, str_c(BAD[i])))
            fail_msg("%s", BAD[i]);
    assert_true(gate_identity_passes(&UPSTREAM, STR("Accept")));
}

static str_t field(const gate_field_t *v, size_t n, str_t name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(v[i].name, name))
            return v[i].value;
    }
    return STR_UNSET;
}

static void fields_say_who_it_is(void **state)
{
    gate_principal_t who = principal(state, "{\"groups\":[\"a\",\"b, c\",1,\"\"]}");
    const gate_field_t *v;
    size_t n;
    assert_int_equal(gate_identity_fields(*state, &UPSTREAM, &who, &v, &n), RC_OK);
    assert_int_equal(n, 5);
    assert_true(str_eq(field(v, n, STR("X-Warder-Issuer")), STR("https://as")));
    assert_true(str_eq(field(v, n, STR("X-Warder-Subject")), STR("%C3%A9va%201%25")));
    assert_true(str_eq(field(v, n, STR("X-Warder-Scope")), STR("news:read orders:write")));
    assert_true(str_eq(field(v, n, STR("X-Warder-Groups")), STR("a,b%2C%20c")));
    for (size_t i = 0; i < n; i++)
        assert_false(gate_identity_passes(&UPSTREAM, v[i].name));
}

static void what_is_not_known_has_no_field(void **state)
{
    gate_principal_t who = principal(state, "{\"groups\":\"a\"}");
    const gate_field_t *v;
    size_t n;
    who.client = STR("");
    who.scope = STR_UNSET;
    assert_int_equal(gate_identity_fields(*state, &UPSTREAM, &who, &v, &n), RC_OK);
    assert_int_equal(n, 2);
    conf_upstream_t none = {.identity = CONF_IDENTITY_JWT};
    assert_int_equal(gate_identity_fields(*state, &none, &who, &v, &n), RC_OK);
    assert_int_equal(n, 0);
}

static void a_field_is_no_longer_than_a_line(void **state)
{
    gate_principal_t who = principal(state, "{}");
    const gate_field_t *v;
    size_t n;
    char *p = arena_alloc(*state, 10000);
    memset(p, 'x', 10000);
    who.subject = str_of(p, 10000);
    assert_int_equal(gate_identity_fields(*state, &UPSTREAM, &who, &v, &n), RC_LIMIT);
}

static void claims_say_who_it_is(void **state)
{
    gate_principal_t who = principal(state, "{\"groups\":[\"a\",2,\"b\"],\"secret\":\"x\"}");
    gate_assertion_t about = {STR("https://gw"), STR("https://up/mcp"), STR("j1"), 1000};
    str_t text;
    const json_t *c;
    int64_t at;
    assert_int_equal(gate_identity_claims(*state, &about, &who, &text), RC_OK);
    assert_int_equal(json_parse(*state, text, NULL, &c), RC_OK);
    assert_true(str_eq(json_get_str(c, STR("iss")), STR("https://gw")));
    assert_true(str_eq(json_get_str(c, STR("aud")), STR("https://up/mcp")));
    assert_true(str_eq(json_get_str(c, STR("sub")), who.subject));
    assert_true(str_eq(json_get_str(c, STR("orig_iss")), STR("https://as")));
    assert_true(str_eq(json_get_str(c, STR("client_id")), STR("app")));
    assert_int_equal(json_get(c, STR("groups"))->count, 2);
    assert_null(json_get(c, STR("secret")));
    assert_true(json_get_i64(c, STR("exp"), &at));
    assert_int_equal(at, 1000 + GATE_IDENTITY_LIFE_S);
}

static void claims_end_with_the_token(void **state)
{
    gate_principal_t who = principal(state, "{}");
    gate_assertion_t about = {STR("https://gw"), STR("https://up/mcp"), STR("j1"), 1000};
    str_t text;
    const json_t *c;
    int64_t at;
    who.expires_at = 1010;
    assert_int_equal(gate_identity_claims(*state, &about, &who, &text), RC_OK);
    assert_int_equal(json_parse(*state, text, NULL, &c), RC_OK);
    assert_true(json_get_i64(c, STR("exp"), &at));
    assert_int_equal(at, 1010);
    assert_null(json_get(c, STR("groups")));
}

#define IDENTITY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IDENTITY_TEST(what_clients_of_mcp_send_goes_on),
        IDENTITY_TEST(credentials_stay_here),
        IDENTITY_TEST(what_could_pass_for_identity_stays_here),
        IDENTITY_TEST(what_frames_or_redirects_stays_here),
        IDENTITY_TEST(fields_say_who_it_is),
        IDENTITY_TEST(what_is_not_known_has_no_field),
        IDENTITY_TEST(a_field_is_no_longer_than_a_line),
        IDENTITY_TEST(claims_say_who_it_is),
        IDENTITY_TEST(claims_end_with_the_token),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
