#include "client/client_test_util.h"

#include "client/token_request.h"
#include "core/limits.h"

enum { NOW = 1800000000 };

typedef struct {
    client_token_t got;
    str_t error, why;
    rc_t rc;
} read_t;

static const client_token_expect_t PLAIN = {.now = NOW};
static const client_token_expect_t PROVED = {.dpop = true, .now = NOW};
static const client_token_expect_t EXCHANGE = {.exchange = true, .now = NOW};

static client_reason_t read_one(arena_t *a, int status, const char *body,
                                const client_token_expect_t *expect, read_t *r)
{
    return client_token_read(a, status, test_exact(a, str_c(body)), expect, &r->got, &r->error,
                             &r->why, &r->rc);
}

/* Nothing came of a refusal, and a good answer must still pass. */
static void end(arena_t *a, const read_t *r)
{
    read_t good;
    assert_int_equal(r->rc, RC_OK);
    assert_reason(
        read_one(a, 200, "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}", &PLAIN, &good),
        CLIENT_FINE);
    assert_str(good.got.access_token.hidden, STR("t"));
    assert_false(str_is_set(good.why));
}

/* Tokens */

static void a_token_with_everything(void **state)
{
    read_t r;
    assert_reason(read_one(*state, 200,
                           "{\"access_token\":\"a.b-c_d~e+f/g=\",\"token_type\":\"Bearer\","
                           "\"expires_in\":3600,\"refresh_token\":\"r\\/t\",\"scope\":\"b  a b\","
                           "\"id_token\":\"x\",\"more\":{\"deep\":[1]}}",
                           &PLAIN, &r),
                  CLIENT_FINE);
    assert_str(r.got.access_token.hidden, STR("a.b-c_d~e+f/g="));
    assert_str(r.got.refresh_token.hidden, STR("r/t"));
    assert_int_equal(r.got.expires_at, NOW + 3600);
    assert_str(r.got.scope, STR("b a"));
    assert_false(r.got.dpop);
    assert_false(str_is_set(r.got.issued_type));
    end(*state, &r);
}

static void null_members_count_as_absent(void **state)
{
    read_t r;
    assert_reason(read_one(*state, 200,
                           "{\"access_token\":\"t\",\"token_type\":\"bearer\",\"expires_in\":null,"
                           "\"refresh_token\":null,\"scope\":null,\"error\":null,"
                           "\"error_description\":null,\"issued_token_type\":null}",
                           &PLAIN, &r),
                  CLIENT_FINE);
    assert_false(str_is_set(r.got.refresh_token.hidden));
    assert_false(str_is_set(r.got.scope));
    assert_int_equal(r.got.expires_at, 0);
    assert_reason(read_one(*state, 200,
                           "{\"access_token\":\"t\",\"token_type\":\"bearer\",\"error\":\"\","
                           "\"refresh_token\":\"\",\"scope\":\"\"}",
                           &PLAIN, &r),
                  CLIENT_FINE);
    assert_false(str_is_set(r.got.refresh_token.hidden));
    assert_false(str_is_set(r.got.scope));
    end(*state, &r);
}

static void the_type_in_any_case(void **state)
{
    static const struct {
        const char *type;
        const client_token_expect_t *expect;
        bool dpop;
    } CASES[] = {
        {"Bearer", &PLAIN, false}, {"bearer", &PLAIN, false}, {"BEARER", &PLAIN, false},
        {"DPoP", &PROVED, true},   {"dpop", &PROVED, true},
    };
    arena_t *a = *state;
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        str_t body =
            arena_printf(a, "{\"access_token\":\"t\",\"token_type\":\"%s\"}", CASES[i].type);
        assert_reason(read_one(a, 200, body.p, CASES[i].expect, &r), CLIENT_FINE);
        assert_int_equal(r.got.dpop, CASES[i].dpop);
    }
}

static void token_type(void **state)
{
    static const struct {
        const char *type;
        const client_token_expect_t *expect;
    } CASES[] = {
        {"DPoP", &PLAIN}, {"mac", &PLAIN},       {"Bearer ", &PLAIN},
        {"N_A", &PLAIN},  {"Bearer", &PROVED},   {"N_A", &PROVED},
        {"mac", &PROVED}, {"Bearer", &EXCHANGE}, {"DPoP", &EXCHANGE},
    };
    arena_t *a = *state;
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        str_t body = arena_printf(a,
                                  "{\"access_token\":\"t\",\"token_type\":\"%s\","
                                  "\"issued_token_type\":"
                                  "\"urn:ietf:params:oauth:token-type:id-jag\"}",
                                  CASES[i].type);
        assert_reason(read_one(a, 200, body.p, CASES[i].expect, &r), CLIENT_TOKEN_TYPE);
        assert_str(r.why, str_c(CASES[i].type));
    }
    end(a, &r);
}

static void an_exchange_brings_an_id_jag_and_nothing_else(void **state)
{
    read_t r;
    assert_reason(read_one(*state, 200,
                           "{\"access_token\":\"j.a.g\",\"token_type\":\"n_a\","
                           "\"issued_token_type\":\"urn:ietf:params:oauth:token-type:id-jag\"}",
                           &EXCHANGE, &r),
                  CLIENT_FINE);
    assert_str(r.got.access_token.hidden, STR("j.a.g"));
    assert_str(r.got.issued_type, STR("urn:ietf:params:oauth:token-type:id-jag"));
    assert_reason(read_one(*state, 200,
                           "{\"access_token\":\"t\",\"token_type\":\"N_A\",\"issued_token_type\":"
                           "\"urn:ietf:params:oauth:token-type:access_token\"}",
                           &EXCHANGE, &r),
                  CLIENT_TOKEN_TYPE);
    assert_reason(
        read_one(*state, 200, "{\"access_token\":\"t\",\"token_type\":\"N_A\"}", &EXCHANGE, &r),
        CLIENT_TOKEN_TYPE);
    end(*state, &r);
}

static void lifetimes_as_servers_write_them(void **state)
{
    static const struct {
        const char *value;
        int64_t want;
    } CASES[] = {
        {"3600", NOW + 3600},
        {"\"3600\"", NOW + 3600},
        {"3600.7", NOW + 3600},
        {"3.6e3", NOW + 3600},
        {"0", 0},
        {"-5", 0},
        {"0.5", 0},
        {"\"0\"", 0},
        {"1", NOW + 1},
        {"1e300", NOW + 315360000LL},
        {"\"99999999999999999999\"", 0},
        {"\"18446744073709551615\"", NOW + 315360000LL},
        {"\"\"", 0},
        {"\"3600s\"", 0},
        {"\"-1\"", 0},
        {"true", 0},
        {"{}", 0},
    };
    arena_t *a = *state;
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        str_t body =
            arena_printf(a, "{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":%s}",
                         CASES[i].value);
        assert_reason(read_one(a, 200, body.p, &PLAIN, &r), CLIENT_FINE);
        assert_int_equal(r.got.expires_at, CASES[i].want);
    }
}

static void a_scope_that_is_none_counts_as_not_said(void **state)
{
    static const char *const CASES[] = {"\"a\\u0007\"", "\"\xc3\xa4\"", "[\"a\"]", "7", "\" \""};
    arena_t *a = *state;
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        str_t body = arena_printf(
            a, "{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"scope\":%s}", CASES[i]);
        assert_reason(read_one(a, 200, body.p, &PLAIN, &r), CLIENT_FINE);
        assert_false(str_is_set(r.got.scope));
    }
}

static void token_refused(void **state)
{
    static const struct {
        int status;
        const char *body, *error, *why;
    } CASES[] = {
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"too old\"}", "invalid_grant",
         "invalid_grant: too old"},
        {401, "{\"error\":\"invalid_client\"}", "invalid_client", "invalid_client"},
        {400, "{\"error\":\"use_dpop_nonce\",\"error_description\":null}", "use_dpop_nonce",
         "use_dpop_nonce"},
        {503, "{\"error\":\"temporarily_unavailable\"}", "temporarily_unavailable",
         "temporarily_unavailable"},
        {200, "{\"error\":\"bad_verification_code\",\"error_description\":\"d\"}",
         "bad_verification_code", "bad_verification_code: d"},
        {200, "{\"error\":\"x\",\"access_token\":\"t\",\"token_type\":\"Bearer\"}", "x", "x"},
        {400, "{\"error\":\"\\u001b[31m\"}", NULL, "\x1b[31m"},
        {400, "{\"error\":\"x\",\"error_description\":7}", "x", "x"},
    };
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        assert_reason(read_one(*state, CASES[i].status, CASES[i].body, &PLAIN, &r),
                      CLIENT_TOKEN_REFUSED);
        assert_str(r.error, str_c(CASES[i].error));
        assert_str(r.why, str_c(CASES[i].why));
        assert_false(str_is_set(r.got.access_token.hidden));
    }
    end(*state, &r);
}

static void token_bad(void **state)
{
    static const struct {
        int status;
        const char *body;
    } CASES[] = {
        {200, ""},
        {200, "access_token=t&token_type=bearer"},
        {200, "[]"},
        {200, "\"t\""},
        {200, "{\"access_token\":\"t\",\"token_type\":\"Bearer\""},
        {200, "{\"access_token\":\"t\",\"token_type\":\"Bearer\"} x"},
        {200, "{\"access_token\":\"t\",\"access_token\":\"u\",\"token_type\":\"Bearer\"}"},
        {200, "{\"token_type\":\"Bearer\"}"},
        {200, "{\"access_token\":\"\",\"token_type\":\"Bearer\"}"},
        {200, "{\"access_token\":7,\"token_type\":\"Bearer\"}"},
        {200, "{\"access_token\":\"a b\",\"token_type\":\"Bearer\"}"},
        {200, "{\"access_token\":\"a\\r\\nX: y\",\"token_type\":\"Bearer\"}"},
        {200, "{\"access_token\":\"a\\u0000\",\"token_type\":\"Bearer\"}"},
        {200, "{\"access_token\":\"\xc3\xa4\",\"token_type\":\"Bearer\"}"},
        {200, "{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"refresh_token\":7}"},
        {200, "{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"refresh_token\":\"\\n\"}"},
        {200, "{\"access_token\":\"t\"}"},
        {200, "{\"access_token\":\"t\",\"token_type\":null}"},
        {200, "{\"access_token\":\"t\",\"token_type\":7}"},
        {302, "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}"},
        {400, "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}"},
        {400, "<html>"},
        {502, "Bad Gateway"},
        {400, "{\"message\":\"x\"}"},
        {400, "{\"error\":{\"code\":7}}"},
    };
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        assert_reason(read_one(*state, CASES[i].status, CASES[i].body, &PLAIN, &r),
                      CLIENT_TOKEN_BAD);
        assert_true(str_is_set(r.why));
        assert_false(str_is_set(r.error));
    }
    assert_reason(read_one(*state, 502, "Bad Gateway", &PLAIN, &r), CLIENT_TOKEN_BAD);
    assert_str(r.why, STR("status 502"));
    end(*state, &r);
}

static void a_token_too_long_or_an_answer_too_large(void **state)
{
    arena_t *a = *state;
    read_t r;
    buf_t b = buf_new(a, 1 << 20);
    buf_put(&b, STR("{\"token_type\":\"Bearer\",\"access_token\":\""));
    for (size_t i = 0; i <= LIMIT_JWS_BYTES; i++)
        buf_char(&b, 't');
    buf_put(&b, STR("\"}"));
    buf_char(&b, '\0');
    assert_reason(read_one(a, 200, b.p, &PLAIN, &r), CLIENT_TOKEN_BAD);
    b = buf_new(a, 1 << 20);
    buf_put(&b, STR("{\"token_type\":\"Bearer\",\"access_token\":\"t\",\"x\":["));
    for (size_t i = 0; i < 5000; i++)
        buf_put(&b, STR("0,"));
    buf_put(&b, STR("0]}"));
    buf_char(&b, '\0');
    assert_reason(read_one(a, 200, b.p, &PLAIN, &r), CLIENT_TOKEN_BAD);
    end(a, &r);
}

/* The device endpoint */

typedef struct {
    client_device_t got;
    str_t why;
    rc_t rc;
} device_read_t;

static client_reason_t read_device(arena_t *a, int status, const char *body, bool plain_ok,
                                   device_read_t *r)
{
    return client_device_read(a, status, test_exact(a, str_c(body)), NOW, plain_ok, &r->got,
                              &r->why, &r->rc);
}

/* RFC 8628 section 3.2. */
static void the_example_of_rfc_8628(void **state)
{
    device_read_t r;
    assert_reason(read_device(*state, 200,
                              "{\"device_code\":\"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS\","
                              "\"user_code\":\"WDJB-MJHT\","
                              "\"verification_uri\":\"https://example.com/device\","
                              "\"verification_uri_complete\":"
                              "\"https://example.com/device?user_code=WDJB-MJHT\","
                              "\"expires_in\":1800,\"interval\":5}",
                              false, &r),
                  CLIENT_FINE);
    assert_str(r.got.device_code.hidden, STR("GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"));
    assert_str(r.got.user_code, STR("WDJB-MJHT"));
    assert_str(r.got.verification_uri, STR("https://example.com/device"));
    assert_str(r.got.verification_uri_complete,
               STR("https://example.com/device?user_code=WDJB-MJHT"));
    assert_int_equal(r.got.expires_at, NOW + 1800);
    assert_int_equal(r.got.interval, 5);
}

#define DEVICE "{\"device_code\":\"d\",\"user_code\":\"u\",\"expires_in\":\"600\","

static void devices_as_servers_write_them(void **state)
{
    static const struct {
        const char *more;
        int64_t interval;
    } CASES[] = {
        {"\"verification_uri\":\"https://e.test/\"}", 5},
        {"\"verification_url\":\"https://e.test/\",\"interval\":null}", 5},
        {"\"verification_uri\":\"https://e.test/\",\"interval\":0}", 1},
        {"\"verification_uri\":\"https://e.test/\",\"interval\":\"7\"}", 7},
        {"\"verification_uri\":\"https://e.test/\",\"interval\":1e9}", 3600},
        {"\"verification_uri\":\"https://e.test/\",\"verification_uri_complete\":7}", 5},
        {"\"verification_uri\":\"https://e.test/\","
         "\"verification_uri_complete\":\"javascript:x\"}",
         5},
    };
    arena_t *a = *state;
    device_read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        str_t body = arena_printf(a, DEVICE "%s", CASES[i].more);
        assert_reason(read_device(a, 200, body.p, false, &r), CLIENT_FINE);
        assert_int_equal(r.got.interval, CASES[i].interval);
        assert_int_equal(r.got.expires_at, NOW + 600);
        assert_str(r.got.verification_uri, STR("https://e.test/"));
        assert_false(str_is_set(r.got.verification_uri_complete));
    }
}

static void a_page_that_may_not_be_opened(void **state)
{
    static const struct {
        const char *uri;
        client_reason_t reason;
    } CASES[] = {
        {"javascript:alert(1)", CLIENT_URL_SCHEME}, {"file:///etc/passwd", CLIENT_URL_SCHEME},
        {"http://e.test/", CLIENT_URL_PLAIN},       {"--help", CLIENT_URL_BAD},
        {"https://u@e.test/", CLIENT_URL_BAD},
    };
    arena_t *a = *state;
    device_read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        str_t body = arena_printf(a, DEVICE "\"verification_uri\":\"%s\"}", CASES[i].uri);
        assert_reason(read_device(a, 200, body.p, false, &r), CASES[i].reason);
        assert_str(r.why, str_c(CASES[i].uri));
    }
    assert_reason(read_device(a, 200, DEVICE "\"verification_uri\":\"http://e.test/\"}", true, &r),
                  CLIENT_FINE);
}

static void a_device_answer_that_is_refused_or_bad(void **state)
{
    static const struct {
        int status;
        const char *body;
        client_reason_t reason;
    } CASES[] = {
        {400, "{\"error\":\"unauthorized_client\"}", CLIENT_TOKEN_REFUSED},
        {404, "<html>", CLIENT_TOKEN_BAD},
        {200, "{}", CLIENT_TOKEN_BAD},
        {200, DEVICE "\"verification_uri\":null}", CLIENT_TOKEN_BAD},
        {200, "{\"user_code\":\"u\",\"expires_in\":1,\"verification_uri\":\"https://e.test/\"}",
         CLIENT_TOKEN_BAD},
        {200, "{\"device_code\":\"u\",\"expires_in\":1,\"verification_uri\":\"https://e.test/\"}",
         CLIENT_TOKEN_BAD},
        {200,
         "{\"device_code\":\"d\",\"user_code\":\"u\",\"verification_uri\":\"https://e.test/\"}",
         CLIENT_TOKEN_BAD},
        {200,
         "{\"device_code\":\"d\\n\",\"user_code\":\"u\",\"expires_in\":1,"
         "\"verification_uri\":\"https://e.test/\"}",
         CLIENT_TOKEN_BAD},
        {200, DEVICE "\"verification_uri\":\"https://e.test/\"}", CLIENT_FINE},
    };
    device_read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        assert_reason(read_device(*state, CASES[i].status, CASES[i].body, false, &r),
                      CASES[i].reason);
        assert_int_equal(r.rc, RC_OK);
    }
}

/* The pushed request */

static void pushed_bad(void **state)
{
    static const struct {
        int status;
        const char *body;
        client_reason_t reason;
    } CASES[] = {
        {201, "{}", CLIENT_PUSHED_BAD},
        {201, "{\"request_uri\":\"\"}", CLIENT_PUSHED_BAD},
        {201, "{\"request_uri\":7}", CLIENT_PUSHED_BAD},
        {201, "{\"request_uri\":\"urn:x\\n\"}", CLIENT_PUSHED_BAD},
        {500, "{\"request_uri\":\"urn:x\"}", CLIENT_PUSHED_BAD},
        {405, "<html>", CLIENT_PUSHED_BAD},
        {400, "{\"error\":\"invalid_request\",\"error_description\":\"w\"}",
         CLIENT_AUTHORIZATION_REFUSED},
    };
    str_t uri, why;
    rc_t rc;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        assert_reason(
            client_pushed_read(*state, CASES[i].status, str_c(CASES[i].body), &uri, &why, &rc),
            CASES[i].reason);
        assert_int_equal(rc, RC_OK);
        assert_false(str_is_set(uri));
        assert_true(str_is_set(why));
    }
    assert_reason(client_pushed_read(*state, 201,
                                     STR("{\"request_uri\":\"urn:ietf:params:oauth:request_uri:x\","
                                         "\"expires_in\":60}"),
                                     &uri, &why, &rc),
                  CLIENT_FINE);
    assert_str(uri, STR("urn:ietf:params:oauth:request_uri:x"));
}

/* Memory */

static void tokens_are_wiped(void **state)
{
    arena_t *a = arena_new(1 << 16);
    read_t r;
    (void)state;
    assert_reason(read_one(a, 200,
                           "{\"access_token\":\"t\",\"token_type\":\"bearer\","
                           "\"refresh_token\":\"r\"}",
                           &PLAIN, &r),
                  CLIENT_FINE);
    client_test_wiped(a, (const str_t[]){r.got.access_token.hidden, r.got.refresh_token.hidden}, 2);
    arena_free(a);
}

static rc_t read_in(arena_t *a, void *ctx)
{
    read_t r;
    (void)client_token_read(a, 200, str_c(ctx), &PLAIN, &r.got, &r.error, &r.why, &r.rc);
    return r.rc;
}

static rc_t device_in(arena_t *a, void *ctx)
{
    device_read_t r;
    (void)client_device_read(a, 200, str_c(ctx), NOW, false, &r.got, &r.why, &r.rc);
    return r.rc;
}

static void no_memory(void **state)
{
    (void)state;
    static char good[] = "{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"scope\":\"a b\","
                         "\"refresh_token\":\"r\"}";
    static char refused[] = "{\"error\":\"c\",\"error_description\":\"s\"}";
    static char device[] = DEVICE "\"verification_uri\":\"https://e.test/\"}";
    client_test_starve(read_in, good);
    client_test_starve(read_in, refused);
    client_test_starve(device_in, device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_token_with_everything),
        ARENA_TEST(null_members_count_as_absent),
        ARENA_TEST(the_type_in_any_case),
        ARENA_TEST(token_type),
        ARENA_TEST(an_exchange_brings_an_id_jag_and_nothing_else),
        ARENA_TEST(lifetimes_as_servers_write_them),
        ARENA_TEST(a_scope_that_is_none_counts_as_not_said),
        ARENA_TEST(token_refused),
        ARENA_TEST(token_bad),
        ARENA_TEST(a_token_too_long_or_an_answer_too_large),
        ARENA_TEST(the_example_of_rfc_8628),
        ARENA_TEST(devices_as_servers_write_them),
        ARENA_TEST(a_page_that_may_not_be_opened),
        ARENA_TEST(a_device_answer_that_is_refused_or_bad),
        ARENA_TEST(pushed_bad),
        ARENA_TEST(tokens_are_wiped),
        ARENA_TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
