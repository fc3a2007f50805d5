/* The whole walk over a script: what is asked, within which budget, and what the reports hold. */
#include "doctor/doctor_test_play.h"

#include <stdlib.h>

#include "core/secret.h"
#include "doctor/doctor.h"
#include "doctor/sign_in.h"

#define JSON   "Content-Type: application/json\n"
#define CANARY "CANARY-3q2-access-token-7Zk"
#define SECRET "CANARY-client-secret-9Qx"
#define AS     "https://as.example"
#define PRM    "https://mcp.example/.well-known/oauth-protected-resource"

enum { RUN_ROWS = 64, REPORT_BYTES = 1 << 20 };

typedef struct {
    http_ask_row_t rows[RUN_ROWS];
    http_ask_fake_t fake;
    clock_fake_t clock;
    random_fake_t random;
    arena_t *a;
} run_t;

static void add(run_t *r, http_ask_row_t row)
{
    assert_true(r->fake.n < RUN_ROWS);
    r->rows[r->fake.n++] = row;
}

/* The sound server's answer to a question, at a URL. */
static void add_ask(run_t *r, doctor_ask_t ask, const char *method, const char *url, unsigned times)
{
    http_ask_row_t row = {.method = method, .url = url, .times = times};
    play_row(ask, &row.status, &row.headers, &row.body);
    add(r, row);
}

static const char AUTHORIZE_URL[] =
    AS "/authorize?response_type=code&client_id=warder-doctor-nobody"
       "&redirect_uri=https%3A%2F%2Fwarder-doctor.invalid%2Fcallback&state=warder-doctor"
       "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

#define ASK(name) DOCTOR_ASK_##name
static void add_sound(run_t *r)
{
    static const doctor_ask_t POSTS[] = {ASK(INITIALIZE), ASK(DISCOVER), ASK(LIST), ASK(BOGUS),
                                         ASK(BROWSER)};
    for (size_t i = 0; i < ROWS(POSTS); i++)
        add_ask(r, POSTS[i], "POST", PLAY_URL, 1);
    add_ask(r, ASK(GET), "GET", PLAY_URL, 0);
    add_ask(r, ASK(QUERY), "POST", PLAY_URL "?access_token=warder-doctor-not-a-token", 0);
    add_ask(r, ASK(SLASH), "POST", PLAY_URL "/", 0);
    add_ask(r, ASK(PRM_BROWSER), "GET", PRM "/mcp", 0);
    add_ask(r, ASK(PRM_SLASH), "GET", PRM "/mcp/", 0);
    add_ask(r, ASK(PRM_ROOT), "GET", PRM, 0);
    add_ask(r, ASK(UNKNOWN), "GET", "https://mcp.example/.well-known/warder-doctor-nothing", 0);
    add_ask(r, ASK(AS_BROWSER), "GET", AS "/.well-known/oauth-authorization-server", 0);
    add_ask(r, ASK(AS_OIDC), "GET", AS "/.well-known/openid-configuration", 0);
    add_ask(r, ASK(AS_ORIGIN), "GET", "https://mcp.example/.well-known/oauth-authorization-server",
            0);
    add_ask(r, ASK(AS_UNKNOWN), "GET", AS "/.well-known/warder-doctor-nothing", 0);
    add_ask(r, ASK(JWKS), "GET", AS "/jwks", 0);
    add_ask(r, ASK(REGISTER), "GET", AS "/register", 0);
    add_ask(r, ASK(AUTHORIZE), "GET", AUTHORIZE_URL, 0);
    add_ask(r, ASK(TOKEN), "POST", AS "/token", 1);
    add_ask(r, ASK(PREFLIGHT), "OPTIONS", PLAY_URL, 0);
    add_ask(r, ASK(PRM_PREFLIGHT), "OPTIONS", PRM "/mcp", 0);
    add_ask(r, ASK(AS_PREFLIGHT), "OPTIONS", AS "/.well-known/oauth-authorization-server", 0);
    add_ask(r, ASK(REGISTER_PREFLIGHT), "OPTIONS", AS "/register", 0);
    add_ask(r, ASK(TOKEN_PREFLIGHT), "OPTIONS", AS "/token", 0);
    add_ask(r, ASK(AUTHORIZE_PREFLIGHT), "OPTIONS", AS "/authorize", 0);
}

static int setup(void **state)
{
    run_t *r = calloc(1, sizeof *r);
    r->a = arena_new(TEST_ARENA_BYTES);
    r->fake.rows = r->rows;
    r->clock.ms = 1000000000000;
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    run_t *r = *state;
    http_ask_fake_clear(&r->fake);
    arena_free(r->a);
    free(r);
    return 0;
}

static doctor_config_t config_of(run_t *r)
{
    return (doctor_config_t){.url = STR(PLAY_URL),
                             .http = http_ask_fake(&r->fake),
                             .clock = clock_fake(&r->clock),
                             .random = random_fake(&r->random)};
}

static const doctor_report_t *run(run_t *r, const doctor_config_t *config)
{
    const doctor_report_t *report;
    assert_int_equal(doctor_run(r->a, config, &report), RC_OK);
    return report;
}

typedef void (*write_fn)(const doctor_report_t *r, buf_t *out);

static void write_text(const doctor_report_t *r, buf_t *out)
{
    doctor_report_text(r, false, out);
}

static void write_colored(const doctor_report_t *r, buf_t *out)
{
    doctor_report_text(r, true, out);
}

static str_t written(run_t *r, const doctor_report_t *report, write_fn write)
{
    str_t text;
    buf_t b = buf_new(r->a, REPORT_BYTES);
    write(report, &b);
    assert_int_equal(buf_done(&b, &text), RC_OK);
    return text;
}

static const json_t *as_json(run_t *r, const doctor_report_t *report)
{
    const json_t *json;
    str_t text = str_trim(written(r, report, doctor_report_json), "\n");
    assert_int_equal(json_parse(r->a, text, NULL, &json), RC_OK);
    return json;
}

static bool has_finding(const json_t *report, const char *id)
{
    const json_t *list = json_get(report, STR("findings"));
    for (const json_t *f = list->child; f; f = f->next)
        if (str_eq(json_get_str(f, STR("id")), str_c(id)))
            return true;
    return false;
}

static void a_sound_server_comes_out_fine(void **state)
{
    run_t *r = *state;
    add_sound(r);
    doctor_config_t config = config_of(r);
    const doctor_report_t *report = run(r, &config);
    const json_t *json = as_json(r, report);
    assert_int_equal(json_get(json, STR("findings"))->count, 0);
    assert_int_equal(doctor_report_grade(report), DOCTOR_FINE);
    assert_true(doctor_report_reached(report));
    assert_int_equal(json_get(json, STR("clients"))->count, 9);
    assert_int_equal(r->fake.n_asked, json_get(json, STR("steps"))->count);
    assert_true(str_contains(written(r, report, write_text), STR("no faults")));
}

/* Nothing that is asked without a sign-in may register, and no two questions are the same. */
static void nothing_is_registered_and_nothing_asked_twice(void **state)
{
    run_t *r = *state;
    add_sound(r);
    doctor_config_t config = config_of(r);
    (void)run(r, &config);
    for (size_t i = 0; i < r->fake.n_asked; i++) {
        assert_false(str_starts(str_c(r->fake.asked[i]), STR("POST " AS "/register")));
        for (size_t k = i + 1; k < r->fake.n_asked; k++)
            assert_string_not_equal(r->fake.asked[i], r->fake.asked[k]);
    }
}

static void the_budget_is_kept(void **state)
{
    run_t *r = *state;
    add_sound(r);
    doctor_config_t config = config_of(r);
    config.budget = 7;
    const json_t *json = as_json(r, run(r, &config));
    assert_int_equal(r->fake.n_asked, 7);
    assert_true(json_get(json, STR("beyond_budget"))->count > 0);
}

static void a_dead_server_is_asked_once(void **state)
{
    run_t *r = *state;
    doctor_config_t config = config_of(r);
    const doctor_report_t *report = run(r, &config);
    assert_int_equal(r->fake.n_asked, 1);
    assert_false(doctor_report_reached(report));
    assert_int_equal(doctor_report_grade(report), DOCTOR_FAULT);
    assert_true(has_finding(as_json(r, report), "unreachable"));
}

static void a_session_is_not_left_behind(void **state)
{
    run_t *r = *state;
    add(r, (http_ask_row_t){.method = "POST",
                            .url = PLAY_URL,
                            .status = 200,
                            .headers = JSON "Mcp-Session-Id: a-session\n",
                            .body = "{}"});
    doctor_config_t config = config_of(r);
    const doctor_report_t *report = run(r, &config);
    assert_true(has_finding(as_json(r, report), "open_to_all"));
    assert_true(r->fake.n_asked > 1);
    assert_true(str_starts(str_c(r->fake.asked[1]),
                           STR("DELETE " PLAY_URL "\nMcp-Session-Id: a-session\n")));
}

/* The host of the issuer is not asked again and again when it does not answer. */
static void a_dead_issuer_is_asked_once(void **state)
{
    run_t *r = *state;
    unsigned asked = 0;
    add_sound(r);
    for (size_t i = 0; i < r->fake.n; i++)
        if (str_starts(str_c(r->rows[i].url), STR(AS)))
            r->rows[i].end = HTTP_AGENT_REFUSED;
    doctor_config_t config = config_of(r);
    const doctor_report_t *report = run(r, &config);
    assert_true(has_finding(as_json(r, report), "unreachable"));
    for (size_t i = 0; i < r->fake.n_asked; i++)
        asked += str_starts(str_c(r->fake.asked[i]), STR("GET " AS "/"));
    assert_int_equal(asked, 1);
}

static void a_url_that_is_none_is_refused(void **state)
{
    static const char *const URLS[] = {"mcp.example", "ftp://mcp.example/", "https://u:p@h/mcp",
                                       "https://h/mcp#x", "https:///mcp"};
    run_t *r = *state;
    const doctor_report_t *report;
    doctor_config_t config = config_of(r);
    for (size_t i = 0; i < ROWS(URLS); i++) {
        config.url = str_c(URLS[i]);
        assert_int_equal(doctor_run(r->a, &config, &report), RC_MALFORMED);
    }
    config = config_of(r);
    config.only = STR("nobody");
    assert_int_equal(doctor_run(r->a, &config, &report), RC_CONFIG);
}

/* What a server says can do nothing to a terminal or a page. */
static void hostile_words_are_escaped(void **state)
{
    run_t *r = *state;
    add(r, (http_ask_row_t){.method = "POST",
                            .url = PLAY_URL,
                            .status = 401,
                            .headers = "WWW-Authenticate: Bearer "
                                       "resource_metadata=\"<script>alert(1)</script>\"\n"});
    doctor_config_t config = config_of(r);
    const doctor_report_t *report = run(r, &config);
    assert_true(has_finding(as_json(r, report), "challenge_relative"));
    str_t html = written(r, report, doctor_report_html);
    assert_false(str_contains(html, STR("<script")));
    assert_true(str_contains(html, STR("&lt;script&gt;")));
    assert_true(str_contains(written(r, report, write_colored), STR("\033[31mfault\033[0m")));
    assert_false(str_contains(written(r, report, write_text), STR("\033")));
}

/* A machine's sign-in at a server that repeats every secret that it is shown. */
static const doctor_report_t *run_signed(run_t *r)
{
    add_sound(r);
    add_ask(r, ASK(INITIALIZE), "POST", PLAY_URL, 1); /* of the source */
    add(r, (http_ask_row_t){.method = "POST",
                            .url = AS "/token",
                            .status = 200,
                            .headers = JSON,
                            .body = "{\"access_token\":\"" CANARY "\",\"token_type\":\"Bearer\","
                                    "\"expires_in\":200000}"});
    add(r, (http_ask_row_t){.method = "POST",
                            .url = PLAY_URL,
                            .status = 401,
                            .headers = "WWW-Authenticate: Bearer error=\"" CANARY "\"\nX: " SECRET
                                       "\nLocation: https://x.example/" CANARY "\n",
                            .body = CANARY});
    doctor_config_t config = config_of(r);
    config.sign_in = true;
    config.tokens.way = TOKENS_MACHINE;
    config.tokens.who =
        (client_credentials_t){.client_id = STR("machine"), .secret = secret_of(STR(SECRET))};
    return run(r, &config);
}

static void a_sign_in_is_looked_at(void **state)
{
    run_t *r = *state;
    const doctor_report_t *report = run_signed(r);
    const json_t *json = as_json(r, report);
    bool signed_in = false;
    assert_true(json_get_bool(json, STR("signed_in"), &signed_in) && signed_in);
    assert_true(has_finding(json, "token_refused"));
    assert_true(has_finding(json, "token_lives_long"));
    assert_true(has_finding(json, "refresh_none"));
}

/* The token goes to the endpoint, and to no other place, whatever the documents name. */
static void the_token_goes_nowhere_else(void **state)
{
    run_t *r = *state;
    unsigned at_endpoint = 0;
    (void)run_signed(r);
    for (size_t i = 0; i < r->fake.n_asked; i++) {
        str_t asked = str_c(r->fake.asked[i]);
        if (!str_contains(asked, STR(CANARY)))
            continue;
        bool endpoint = str_starts(asked, STR("POST " PLAY_URL "\n")) ||
                        str_starts(asked, STR("DELETE " PLAY_URL "\n"));
        if (!endpoint)
            fail_msg("the token went along with %s", r->fake.asked[i]);
        at_endpoint++;
    }
    assert_true(at_endpoint > 0);
}

static void no_report_holds_a_secret(void **state)
{
    static const write_fn WRITERS[] = {write_text, write_colored, doctor_report_json,
                                       doctor_report_html};
    run_t *r = *state;
    const doctor_report_t *report = run_signed(r);
    for (size_t i = 0; i < ROWS(WRITERS); i++)
        assert_false(str_contains(written(r, report, WRITERS[i]), STR("CANARY")));
}

/* Keys that people put into URLs stay there. */
static void no_report_holds_the_query_of_the_url(void **state)
{
    run_t *r = *state;
    add(r, (http_ask_row_t){.method = "POST",
                            .url = PLAY_URL "?key=CANARY-of-the-url",
                            .status = 302,
                            .headers = "Location: https://mcp.example/x?key=CANARY-of-the-url\n"});
    doctor_config_t config = config_of(r);
    config.url = STR(PLAY_URL "?key=CANARY-of-the-url");
    const doctor_report_t *report = run(r, &config);
    assert_true(has_finding(as_json(r, report), "endpoint_redirects"));
    assert_false(str_contains(written(r, report, doctor_report_json), STR("CANARY")));
    assert_false(str_contains(written(r, report, doctor_report_html), STR("CANARY")));
    assert_false(str_contains(written(r, report, write_text), STR("CANARY")));
}

static void claims_are_read(void **state)
{
    run_t *r = *state;
    doctor_signed_t sign = {.life_s = 0};
    assert_int_equal(doctor_read_claims(r->a, STR_UNSET, &sign), RC_OK);
    assert_false(sign.is_jwt);
    assert_int_equal(
        doctor_read_claims(
            r->a, STR("{\"iss\":\"i\",\"aud\":[\"a\",\"b\",1],\"iat\":5,\"exp\":65}"), &sign),
        RC_OK);
    assert_true(sign.is_jwt);
    assert_str(sign.token_iss, STR("i"));
    assert_int_equal(sign.token_aud.n, 2);
    assert_int_equal(sign.life_s, 60);
    sign.life_s = 0;
    str_t endless = STR("{\"iat\":-9223372036854775808,\"exp\":9223372036854775807}");
    assert_int_equal(doctor_read_claims(r->a, endless, &sign), RC_OK);
    assert_int_equal(sign.life_s, 0);
    assert_int_equal(doctor_read_claims(r->a, STR("{\"aud\":\"a\"}"), &sign), RC_OK);
    assert_str(sign.token_aud.v[0], STR("a"));
}

static void another_port_is_asked_for(void **state)
{
    run_t *r = *state;
    str_t url = doctor_other_port(
        r->a, STR("https://as.example/a?x=1&redirect_uri=http%3A%2F%2F127.0.0.1%3A4000%2Fcb"));
    assert_str(url,
               STR("https://as.example/a?x=1&redirect_uri=http%3A%2F%2F127.0.0.1%3A24002%2Fcb"));
    assert_false(str_is_set(doctor_other_port(r->a, STR_UNSET)));
    assert_false(str_is_set(doctor_other_port(r->a, STR("https://as.example/a?request_uri=u"))));
    assert_false(str_is_set(
        doctor_other_port(r->a, STR("https://as.example/a?redirect_uri=https%3A%2F%2Fh%2Fcb"))));
}

static void this_machine_is_told_by_its_address(void **state)
{
    (void)state;
    assert_true(doctor_is_loopback(STR("http://127.0.0.1:1/")));
    assert_true(doctor_is_loopback(STR("http://127.9.9.9/")));
    assert_true(doctor_is_loopback(STR("http://[::1]/")));
    assert_true(doctor_is_loopback(STR("http://a.localhost/")));
    assert_false(doctor_is_loopback(STR("http://127.evil.example/")));
    assert_false(doctor_is_loopback(STR("http://10.0.0.1/")));
}

#define RUN_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(a_sound_server_comes_out_fine),
        RUN_TEST(nothing_is_registered_and_nothing_asked_twice),
        RUN_TEST(the_budget_is_kept),
        RUN_TEST(a_dead_server_is_asked_once),
        RUN_TEST(a_dead_issuer_is_asked_once),
        RUN_TEST(a_session_is_not_left_behind),
        RUN_TEST(a_url_that_is_none_is_refused),
        RUN_TEST(hostile_words_are_escaped),
        RUN_TEST(a_sign_in_is_looked_at),
        RUN_TEST(the_token_goes_nowhere_else),
        RUN_TEST(no_report_holds_a_secret),
        RUN_TEST(no_report_holds_the_query_of_the_url),
        RUN_TEST(claims_are_read),
        RUN_TEST(another_port_is_asked_for),
        cmocka_unit_test(this_machine_is_told_by_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
