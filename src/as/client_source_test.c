/* Clients by document through the whole server: each leg, each way in which a document can be
 * missing, and what a person approves of it. */
#include "as/as_test_browser.h"

#include "core/limits.h"

#define URL  "https://app.test/client.json"
#define KEYS "https://app.test/keys.json"
#define CORE                                                                                       \
    "\"client_id\":\"" URL "\",\"client_name\":\"App <b>\",\"redirect_uris\":[\"" W_REDIRECT "\"]"
#define GRANT ",\"grant_types\":[\"authorization_code\",\"refresh_token\"]"

static http_fetch_fake_row_t *serve(world_t *w, const char *body)
{
    http_fetch_fake_row_t *row = ARENA_NEW(w->a, http_fetch_fake_row_t);
    *row = (http_fetch_fake_row_t){.url = URL,
                                   .status = 200,
                                   .content_type = "application/json",
                                   .body = body,
                                   .cache_control = "no-store"};
    w->web.rows = row;
    w->web.n = 1;
    return row;
}

static answer_t authorize(world_t *w, browser_t *b)
{
    return browser_get(b, authorize_target(w, URL, ""));
}

static str_t target_to(world_t *w, const char *redirect)
{
    return arena_printf(w->a,
                        "/authorize?response_type=code&client_id=" URL "&redirect_uri=%s"
                        "&code_challenge_method=S256&code_challenge="
                        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                        redirect);
}

static bool trail_says(world_t *w, const char *text)
{
    return str_contains(trail_text(w), str_c(text));
}

/* attack case: CIMD-010; one document for authorize, token, refresh and revocation. */
static void a_document_is_a_client_on_every_leg(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    serve(w, "{" CORE GRANT "}");
    str_t code = browser_walk(&b, URL, "");
    answer_t r = world_post(w, "/token", "", code_form(w, URL, code));
    tokens_t t = answer_tokens(w, &r);
    assert_true(str_is_set(t.access) && str_is_set(t.refresh));
    r = world_post(w, "/token", "", refresh_form(w, URL, t.refresh));
    t = answer_tokens(w, &r);
    str_t form = arena_printf(w->a, "client_id=" URL "&token=%" PRIstr, STR_ARG(t.refresh));
    r = world_post(w, "/revoke", "", form);
    assert_status(r, 200);
    r = world_post(w, "/token", "", refresh_form(w, URL, t.refresh));
    assert_text(answer_error(w, &r), "invalid_grant");
    assert_true(w->web.calls >= 5);
}

static void the_consent_page_names_the_host(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    serve(w, "{" CORE "}");
    answer_t r = authorize(w, &b);
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("<strong class=\"host\"><bdi>app.test</bdi></strong>")));
    assert_true(str_contains(r.body, STR("<strong class=\"host\"><bdi>c.test</bdi></strong>")));
    assert_true(str_is_set(page_field(r.body, "document")));
}

/* No letters that look like others: hosts are names as DNS has them. */
static void an_international_host_is_shown_in_punycode(void **state)
{
    static const http_fetch_fake_row_t ROW = {
        .url = "https://xn--80ak6aa92e.test/c.json",
        .status = 200,
        .content_type = "application/json",
        .body = "{\"client_id\":\"https://xn--80ak6aa92e.test/c.json\",\"client_name\":\"A\","
                "\"redirect_uris\":[\"" W_REDIRECT "\"]}",
    };
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    w->web = (http_fetch_fake_t){&ROW, 1};
    answer_t r = browser_get(&b, authorize_target(w, ROW.url, ""));
    assert_status(r, 200);
    assert_true(str_contains(
        r.body, STR("<strong class=\"host\"><bdi>xn--80ak6aa92e.test</bdi></strong>")));
}

/* attack case: CIMD-016 */
static void loopback_alone_is_warned_of(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    serve(w, "{\"client_id\":\"" URL "\",\"client_name\":\"GitHub\",\"redirect_uris\":"
             "[\"http://localhost/callback\"]}");
    answer_t r = browser_get(&b, target_to(w, "http://localhost:4711/callback"));
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("answered only on this computer")));
    assert_true(str_contains(r.body, STR("<strong class=\"host\"><bdi>localhost:4711</bdi>")));
    assert_true(str_contains(r.body, STR("Published by <bdi>app.test</bdi>")));
}

/* ---- documents that are none ---- */

typedef struct {
    const char *reason;
    int page, token;
    http_fetch_fake_row_t row;
} bad_row_t;

#define ANSWER(s, type, text) .row = {URL, s, type, text}
#define FAILS(v)              .row = {.url = URL, .verdict = v}
#define JSON                  "application/json"

static const bad_row_t BAD[] = {
    {"client_document_answer", 400, 401, ANSWER(404, JSON, "{" CORE "}")},
    {"client_document_answer", 400, 401, ANSWER(204, JSON, "")},
    {"client_document_answer", 400, 401, ANSWER(206, JSON, "{" CORE "}")},
    {"client_document_answer", 400, 401, ANSWER(200, "text/html", "{" CORE "}")},
    {"client_document_answer", 400, 401, FAILS(HTTP_FETCH_REDIRECT)},
    {"client_document_answer", 400, 401, FAILS(HTTP_FETCH_TOO_LONG)},
    {"client_document_answer", 400, 401, FAILS(HTTP_FETCH_SPECIAL)},
    {"client_document_unavailable", 503, 503, FAILS(HTTP_FETCH_TIMEOUT)},
    {"client_document_unavailable", 503, 503, FAILS(HTTP_FETCH_TLS)},
    {"client_document_unavailable", 503, 503, FAILS(HTTP_FETCH_FAILED)},
    {"client_document_unavailable", 503, 503, ANSWER(500, JSON, "")},
    {"client_document_unavailable", 503, 503, ANSWER(429, JSON, "")},
    {"client_document_malformed", 400, 401, ANSWER(200, JSON, "[]")},
    {"client_document_other_id", 400, 401, ANSWER(200, JSON, "{}")},
    {"client_document_secret", 400, 401, ANSWER(200, JSON, "{" CORE ",\"client_secret\":\"x\"}")},
};

static void a_document_that_is_none_is_a_page_and_no_redirect(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        w->web = (http_fetch_fake_t){&BAD[i].row, 1};
        size_t before = trail_count(w, "authorize", "deny", BAD[i].reason);
        answer_t r = authorize(w, &b);
        assert_status(r, BAD[i].page);
        assert_true(answer_is_page(&r));
        assert_false(str_is_set(answer_header(&r, "location")));
        assert_int_equal(str_is_set(answer_header(&r, "retry-after")), BAD[i].page == 503);
        assert_false(str_contains(r.body, STR("fetch:")));
        assert_int_equal(trail_count(w, "authorize", "deny", BAD[i].reason), before + 1);
    }
    assert_true(trail_says(w, "fetch: timeout"));
    assert_true(trail_says(w, "fetch: special_address"));
    assert_true(trail_says(w, "fetch: status 404"));
    serve(w, "{" CORE "}");
    answer_t r = authorize(w, &b);
    assert_status(r, 200); /* nothing of it was kept */
}

static void at_the_token_endpoint_it_is_an_error_of_the_client_or_of_the_moment(void **state)
{
    world_t *w = *state;
    world_restart(w, "token_failures_per_minute", "1000");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        w->web = (http_fetch_fake_t){&BAD[i].row, 1};
        answer_t r = world_post(w, "/token", "", refresh_form(w, URL, STR("wrr_x")));
        assert_status(r, BAD[i].token);
        bool later = BAD[i].token == 503;
        assert_str(answer_error(w, &r),
                   later ? STR("temporarily_unavailable") : STR("invalid_client"));
        assert_int_equal(str_is_set(answer_header(&r, "retry-after")), later);
        assert_false(str_contains(r.body, STR("fetch:")));
        r = world_post(w, "/revoke", "", STR("client_id=" URL "&token=x"));
        assert_status(r, BAD[i].token);
    }
    assert_true(trail_says(w, "fetch: timeout"));
}

/* attack case: CIMD-001: nothing is looked up for an id that cannot be one. */
static void an_id_that_cannot_be_one_is_not_fetched(void **state)
{
    static const char *const IDS[] = {"http://app.test/c.json", "https://app.test",
                                      "https://app.test/a/../c.json", "https://127.0.0.1/c.json",
                                      "https://app.test/c.json%3Fx=1"};
    world_t *w = *state;
    for (size_t i = 0; i < sizeof IDS / sizeof *IDS; i++) {
        answer_t r =
            world_get(w, arena_cstr(w->a, arena_printf(w->a, "/authorize?client_id=%s", IDS[i])));
        assert_status(r, 400);
        assert_true(answer_is_page(&r));
    }
    assert_int_equal(w->web.calls, 0);
    assert_int_equal(trail_count(w, "authorize", "deny", "client_id_url"),
                     sizeof IDS / sizeof *IDS);
}

static void hosts_may_be_denied(void **state)
{
    world_t *w = *state;
    world_restart(w, "client_document_denied_hosts", "*.other.test,app.test");
    serve(w, "{" CORE "}");
    answer_t r = world_get(w, "/authorize?client_id=" URL);
    assert_status(r, 400);
    assert_int_equal(w->web.calls, 0);
    assert_int_equal(trail_count(w, "authorize", "deny", "client_id_host"), 1);
}

static void documents_may_be_off(void **state)
{
    world_t *w = *state;
    world_restart(w, "client_documents", "off");
    serve(w, "{" CORE "}");
    answer_t r = world_get(w, "/authorize?client_id=" URL);
    assert_status(r, 400);
    assert_int_equal(w->web.calls, 0);
    assert_int_equal(trail_count(w, "authorize", "deny", "client_not_registered"), 1);
    r = world_get(w, "/.well-known/oauth-authorization-server");
    assert_false(str_contains(r.body, STR("client_id_metadata_document_supported")));
}

static void metadata_says_that_they_are_on(void **state)
{
    world_t *w = *state;
    answer_t r = world_get(w, "/.well-known/oauth-authorization-server");
    assert_true(str_contains(r.body, STR("\"client_id_metadata_document_supported\":true")));
}

/* Whoever makes us fetch what nobody has is held to a number of it; what is at hand costs nothing.
 */
static void one_address_may_have_so_many_documents_fetched(void **state)
{
    world_t *w = *state;
    world_restart(w, "fetches_per_minute", "2");
    serve(w, "{" CORE "}")->cache_control = "max-age=600";
    for (int i = 0; i < 5; i++) {
        answer_t r = world_get(w, arena_cstr(w->a, authorize_target(w, URL, "")));
        assert_status(r, 200);
    }
    answer_t r = world_get(w, "/authorize?client_id=https://b.test/c.json");
    assert_status(r, 503);
    assert_int_equal(w->web.calls, 2);
    r = world_get(w, "/authorize?client_id=https://d.test/c.json");
    assert_status(r, 503);
    assert_int_equal(w->web.calls, 2);
    assert_true(trail_says(w, "too many fetches"));
    world_pass(w, 30);
    r = world_get(w, "/authorize?client_id=https://d.test/c.json");
    assert_status(r, 503);
    assert_int_equal(w->web.calls, 3);
}

/* Made-up documents of hosts that are away are strangers' failures, too: each is a line of the
 * trail. */
static void documents_that_are_away_do_not_fill_the_trail(void **state)
{
    world_t *w = *state;
    world_restart(w, "page_requests_per_minute", "2");
    w->web.n = 0;
    for (int i = 0; i < 2; i++) {
        answer_t r = world_post(w, "/token", "", refresh_form(w, URL, STR("wrr_x")));
        assert_status(r, 503);
    }
    size_t lines = trail_count(w, "token", "deny", NULL);
    answer_t r = world_post(w, "/token", "", refresh_form(w, URL, STR("wrr_x")));
    assert_status(r, 429);
    assert_int_equal(trail_count(w, "token", "deny", NULL), lines);
    r = world_post(w, "/token", "", refresh_form(w, W_PUBLIC, STR("wrr_x")));
    assert_status(r, 400); /* whoever is known is heard */
}

/* ---- what is approved ---- */

/* attack case: UI-019 */
static void what_was_approved_is_not_asked_again_until_it_changes(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    serve(w, "{" CORE "}");
    browser_walk(&b, URL, "");
    answer_t r = authorize(w, &b);
    assert_status(r, 303);
    serve(w, "{" CORE ",\"logo_uri\":\"https://app.test/logo\"}");
    r = authorize(w, &b);
    assert_status(r, 303);
    serve(w, "{" CORE ",\"jwks_uri\":\"" KEYS "\"}");
    r = authorize(w, &b);
    assert_status(r, 200);
}

static void a_document_that_changes_under_the_page_is_shown_again(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    serve(w, "{" CORE "}");
    answer_t r = authorize(w, &b);
    str_t form = decision_form(w, r.body, "approve");
    serve(w, "{\"client_id\":\"" URL "\",\"client_name\":\"Other\",\"redirect_uris\":[\"" W_REDIRECT
             "\"]}");
    r = browser_post(&b, "/consent", form);
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("Give <bdi>Other</bdi> access?")));
    assert_int_equal(trail_count(w, "consent", "allow", NULL), 0);
    serve(w, "{\"client_id\":\"" URL "\",\"client_name\":\"Other\",\"redirect_uris\":"
             "[\"https://c.test/other\"]}");
    r = browser_post(&b, "/consent", form);
    assert_status(r, 400);
    assert_int_equal(trail_count(w, "consent", "deny", "redirect_uri_not_registered"), 1);
}

/* Facts from before a wait are old: the client that an administrator removed meanwhile is gone. */
static void facts_are_asked_again_after_a_fetch(void **state)
{
    world_t *w = *state;
    serve(w, "{" CORE "}");
    pthread_mutex_lock(&w->web_gate);
    http_direct_t *d =
        world_send(w, world_request(w, "GET", authorize_target(w, URL, ""), "", STR("")));
    unsigned before = w->faults.asks;
    pthread_mutex_unlock(&w->web_gate);
    answer_t r = world_land(w, d);
    assert_status(r, 200);
    assert_true(w->faults.asks > before);
}

/* What an administrator decided for the id outlives each version of the document. */
static void a_row_adds_to_the_document(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    const client_t row = {
        .id = STR(URL),
        .origin = CLIENT_BY_DOCUMENT,
        .lenient_loopback = true,
        .created_at = W_START_S,
    };
    serve(w, "{\"client_id\":\"" URL "\",\"client_name\":\"A\",\"redirect_uris\":"
             "[\"http://localhost/callback\"]}");
    str_t target = target_to(w, "http://localhost:1/callback/x");
    answer_t r = browser_get(&b, target);
    assert_status(r, 400);
    assert_true(str_contains(r.body, STR("http://localhost:1/callback/x")));
    assert_true(str_contains(r.body, STR("http://localhost/callback ")));
    world_put(w, EFFECT_CLIENT_PUT, &row);
    r = browser_get(&b, target);
    assert_status(r, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_document_is_a_client_on_every_leg),
        WORLD_TEST(the_consent_page_names_the_host),
        WORLD_TEST(an_international_host_is_shown_in_punycode),
        WORLD_TEST(loopback_alone_is_warned_of),
        WORLD_TEST(a_document_that_is_none_is_a_page_and_no_redirect),
        WORLD_TEST(at_the_token_endpoint_it_is_an_error_of_the_client_or_of_the_moment),
        WORLD_TEST(an_id_that_cannot_be_one_is_not_fetched),
        WORLD_TEST(hosts_may_be_denied),
        WORLD_TEST(documents_may_be_off),
        WORLD_TEST(metadata_says_that_they_are_on),
        WORLD_TEST(one_address_may_have_so_many_documents_fetched),
        WORLD_TEST(documents_that_are_away_do_not_fill_the_trail),
        WORLD_TEST(what_was_approved_is_not_asked_again_until_it_changes),
        WORLD_TEST(a_document_that_changes_under_the_page_is_shown_again),
        WORLD_TEST(facts_are_asked_again_after_a_fetch),
        WORLD_TEST(a_row_adds_to_the_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
