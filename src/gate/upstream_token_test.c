#include "gate/upstream_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/b64.h"

#define NOW 1000

static const str_t RULE_SCOPES[] = {STR_INIT("news:read"), STR_INIT("mcp:tools:{name}")};
static const conf_gate_rule_t RULE = {.scopes = {RULE_SCOPES, 2}};
static const conf_policy_t POLICY = {.rules = &RULE, .n_rules = 1};
static const conf_scope_t TEXTS[] = {{STR_INIT("orders:write"), STR_INIT("Trade")}};

static conf_upstream_t upstream(void)
{
    return (conf_upstream_t){
        .policy = &POLICY,
        .scopes = TEXTS,
        .n_scopes = 1,
        .credential = {.kind = CONF_CREDENTIAL_TOKEN_EXCHANGE,
                       .client_id = STR("gw id"),
                       .secret = {STR_INIT("s+c")},
                       .audience = STR("https://up")},
    };
}

static const gate_principal_t ALICE = {.issuer = STR_INIT("https://as"),
                                       .subject = STR_INIT("alice"),
                                       .scope = STR_INIT("news:read mcp:tools:a"),
                                       .expires_at = 5000};

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

static void an_exchange_asks_for_what_the_caller_holds(void **state)
{
    static const struct {
        const char *configured, *want;
    } ROWS[] = {
        {"", "news:read mcp:tools:a"},
        {"news:read orders:write", "news:read"},
        {"mcp:tools:a mcp:tools:b", "mcp:tools:a"},
        {"backend.read news:read", "backend.read news:read"},
        {"orders:write mcp:tools:b", NULL},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        conf_upstream_t u = upstream();
        gate_token_ask_t ask = {&u, &ALICE, STR("t")};
        str_t scope;
        u.credential.scope = str_c(ROWS[i].configured);
        rc_t rc = gate_token_scope(*state, &ask, &scope);
        assert_int_equal(rc, ROWS[i].want ? RC_OK : RC_NOT_FOUND);
        if (ROWS[i].want)
            assert_true(str_eq(scope, str_c(ROWS[i].want)));
    }
}

static void the_gateways_own_token_has_the_configured_scope(void **state)
{
    conf_upstream_t u = upstream();
    gate_token_ask_t ask = {&u, NULL, STR_UNSET};
    str_t scope;
    assert_int_equal(gate_token_scope(*state, &ask, &scope), RC_OK);
    assert_false(str_is_set(scope));
    u.credential.scope = STR("orders:write");
    assert_int_equal(gate_token_scope(*state, &ask, &scope), RC_OK);
    assert_true(str_eq(scope, STR("orders:write")));
}

static void forms_say_what_is_asked(void **state)
{
    conf_upstream_t u = upstream();
    gate_token_ask_t ask = {&u, &ALICE, STR("a.b+c")};
    buf_t b = buf_new(*state, 4096);
    gate_token_form(&b, &ask, STR("x y"));
    assert_true(str_eq(
        buf_str(&b),
        STR("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=a.b"
            "%2Bc&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&"
            "requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&audience="
            "https%3A%2F%2Fup&scope=x+y")));
    buf_t c = buf_new(*state, 4096);
    gate_token_form(&c, &(gate_token_ask_t){&u, NULL, STR_UNSET}, STR_UNSET);
    assert_true(
        str_eq(buf_str(&c), STR("grant_type=client_credentials&audience=https%3A%2F%2Fup")));
    /* gw+id:s%2Bc */
    assert_true(
        str_eq(gate_token_authorization(*state, &u.credential), STR("Basic Z3craWQ6cyUyQmM=")));
}

static gate_token_reason_t read_answer(void **state, const gate_principal_t *who, int status,
                                       const char *body, gate_token_t *out)
{
    conf_upstream_t u = upstream();
    gate_token_ask_t ask = {&u, who, STR("subject-token")};
    gate_token_answer_t answer = {status, str_c(body), STR("news:read"), NOW};
    return gate_token_read(*state, &ask, &answer, out);
}

#define TYPE   "\"token_type\":\"Bearer\",\"issued_token_type\":"
#define ISSUED "\"urn:ietf:params:oauth:token-type:access_token\""

static const char *jwt_answer(void **state, const char *claims)
{
    str_t payload = b64url_encode(*state, claims, strlen(claims));
    return arena_printf(*state, "{\"access_token\":\"e30.%.*s.c2ln\"," TYPE ISSUED "}",
                        STR_ARG(payload))
        .p;
}

static void a_good_answer_is_taken(void **state)
{
    gate_token_t t;
    assert_int_equal(read_answer(state, &ALICE, 200,
                                 "{\"access_token\":\"new\"," TYPE ISSUED
                                 ",\"expires_in\":300,\"scope\":\"news:read\"}",
                                 &t),
                     GATE_TOKEN_GOOD);
    assert_true(str_eq(t.token, STR("new")));
    assert_int_equal(t.keep_s, 270);
    assert_int_equal(
        read_answer(state, NULL, 200, "{\"access_token\":\"new\",\"token_type\":\"bearer\"}", &t),
        GATE_TOKEN_GOOD);
    assert_int_equal(t.keep_s, 45);
    const char *jwt = jwt_answer(state, "{\"aud\":[\"x\",\"https://up\"],\"exp\":2000}");
    assert_int_equal(read_answer(state, &ALICE, 200, jwt, &t), GATE_TOKEN_GOOD);
}

static void nothing_is_kept_longer_than_the_callers_token(void **state)
{
    gate_token_t t;
    gate_principal_t who = ALICE;
    who.expires_at = NOW + 10;
    const char *body = "{\"access_token\":\"new\"," TYPE ISSUED ",\"expires_in\":99999999}";
    assert_int_equal(read_answer(state, &who, 200, body, &t), GATE_TOKEN_GOOD);
    assert_int_equal(t.keep_s, 10);
    assert_int_equal(read_answer(state, &ALICE, 200, body, &t), GATE_TOKEN_GOOD);
    assert_int_equal(t.keep_s, GATE_TOKEN_KEEP_MOST_S - GATE_TOKEN_MARGIN_S);
}

/* attack case: GWM-017 */
static void answers_that_may_not_be_used(void **state)
{
    static const struct {
        int status;
        const char *body;
        gate_token_reason_t want;
    } ROWS[] = {
        {400, "{\"error\":\"invalid_grant\"}", GATE_TOKEN_REFUSED},
        {401, "", GATE_TOKEN_REFUSED},
        {429, "", GATE_TOKEN_AWAY},
        {503, "", GATE_TOKEN_AWAY},
        {204, "", GATE_TOKEN_AWAY},
        {200, "", GATE_TOKEN_MALFORMED},
        {200, "[]", GATE_TOKEN_MALFORMED},
        {200, "{\"access_token\":1," TYPE ISSUED "}", GATE_TOKEN_MALFORMED},
        {200, "{\"access_token\":\"\"," TYPE ISSUED "}", GATE_TOKEN_MALFORMED},
        {200, "{\"access_token\":\"a\\r\\nX: y\"," TYPE ISSUED "}", GATE_TOKEN_MALFORMED},
        {200, "{\"access_token\":\"a\",\"access_token\":\"b\"," TYPE ISSUED "}",
         GATE_TOKEN_MALFORMED},
        {200, "{\"access_token\":\"a\",\"token_type\":\"DPoP\",\"issued_token_type\":" ISSUED "}",
         GATE_TOKEN_TYPE},
        {200, "{\"access_token\":\"a\",\"token_type\":\"N_A\",\"issued_token_type\":" ISSUED "}",
         GATE_TOKEN_TYPE},
        {200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\"}", GATE_TOKEN_TYPE},
        {200, "{\"access_token\":\"a\"," TYPE "\"urn:ietf:params:oauth:token-type:id_token\"}",
         GATE_TOKEN_TYPE},
        {200, "{\"access_token\":\"a\"," TYPE ISSUED ",\"scope\":\"news:read orders:write\"}",
         GATE_TOKEN_WIDER},
        {200, "{\"access_token\":\"a\"," TYPE ISSUED ",\"scope\":[\"news:read\"]}",
         GATE_TOKEN_WIDER},
        {200, "{\"access_token\":\"subject-token\"," TYPE ISSUED "}", GATE_TOKEN_SAME},
        {200, "{\"access_token\":\"a\"," TYPE ISSUED ",\"expires_in\":0}", GATE_TOKEN_EXPIRED},
        {200, "{\"access_token\":\"a\"," TYPE ISSUED ",\"expires_in\":\"300\"}",
         GATE_TOKEN_EXPIRED},
    };
    gate_token_t t;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (read_answer(state, &ALICE, ROWS[i].status, ROWS[i].body, &t) != ROWS[i].want)
            fail_msg("%s", ROWS[i].body);
        assert_false(str_is_set(t.token));
    }
    assert_int_equal(
        read_answer(state, &ALICE, 200, "{\"access_token\":\"a\"," TYPE ISSUED "}", &t),
        GATE_TOKEN_GOOD);
}

/* attack case: GWM-017 */
static void claims_of_a_token_are_looked_at(void **state)
{
    static const struct {
        const char *claims;
        gate_token_reason_t want;
    } ROWS[] = {
        {"{\"aud\":\"https://other\"}", GATE_TOKEN_AUDIENCE},
        {"{\"aud\":[\"https://other\",1]}", GATE_TOKEN_AUDIENCE},
        {"{\"aud\":\"https://up/\"}", GATE_TOKEN_AUDIENCE},
        {"{\"aud\":\"https://up\",\"exp\":1000}", GATE_TOKEN_EXPIRED},
        {"{\"aud\":\"https://up\",\"scope\":\"news:read admin\"}", GATE_TOKEN_WIDER},
        {"{\"aud\":\"https://up\",\"scope\":\"news:read\"}", GATE_TOKEN_GOOD},
        {"{}", GATE_TOKEN_GOOD},
        {"[]", GATE_TOKEN_GOOD},
    };
    gate_token_t t;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (read_answer(state, &ALICE, 200, jwt_answer(state, ROWS[i].claims), &t) != ROWS[i].want)
            fail_msg("%s", ROWS[i].claims);
}

static void every_reason_has_its_name(void **state)
{
    (void)state;
    for (int r = 0; r < GATE_TOKEN_REASON_COUNT; r++)
        assert_true(gate_token_reason_name((gate_token_reason_t)r).n > 0);
}

#define TOKEN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKEN_TEST(an_exchange_asks_for_what_the_caller_holds),
        TOKEN_TEST(the_gateways_own_token_has_the_configured_scope),
        TOKEN_TEST(forms_say_what_is_asked),
        TOKEN_TEST(a_good_answer_is_taken),
        TOKEN_TEST(nothing_is_kept_longer_than_the_callers_token),
        TOKEN_TEST(answers_that_may_not_be_used),
        TOKEN_TEST(claims_of_a_token_are_looked_at),
        TOKEN_TEST(every_reason_has_its_name),
    };
    return cmocka_run_group_tests_name("upstream_token", tests, NULL, NULL);
}
