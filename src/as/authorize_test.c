#include "as/as_test_browser.h"

#include "oauth/handle.h"

static void who_is_not_signed_in_gets_the_login_page(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t r = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    assert_status(r, 200);
    assert_true(answer_is_page(&r));
    assert_true(str_is_set(page_field(r.body, "interaction")));
    assert_true(str_is_set(page_field(r.body, "csrf")));
    assert_true(str_contains(r.body, STR("Client &lt;b&gt;")));
    assert_true(b.browser[0]);
    assert_false(b.session[0]);
    assert_int_equal(trail_text(w).n, 0); /* a page that only asks leaves no event */
}

static void who_is_signed_in_gets_the_consent_page(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    answer_t r = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("name=\"decision\"")));
    assert_true(str_contains(r.body, STR("Read files")));
    assert_true(str_contains(r.body, STR("Files")));
    assert_true(str_contains(r.body, STR(W_USER)));
}

static void a_form_does_the_same_as_a_link(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t target = authorize_target(w, W_PUBLIC, "");
    str_t form = str_skip(target, str_find(target, '?', 0) + 1);
    answer_t r = browser_post(&b, "/authorize", form);
    assert_status(r, 200);
    assert_true(str_is_set(page_field(r.body, "interaction")));
    r = world_ask(w, browser_request(&b, "POST", target, form));
    assert_status(r, 400); /* parameters in two places */
}

static void a_refusal_before_the_redirect_uri_is_trusted_is_a_page(void **state)
{
    static const struct {
        const char *target, *reason;
    } ROWS[] = {
        {"/authorize", "client_id_missing"},
        {"/authorize?client_id=unknown&response_type=code", "client_not_registered"},
        {"/authorize?client_id=" W_PUBLIC "&redirect_uri=https://evil.test/cb",
         "redirect_uri_not_registered"},
        {"/authorize?client_id=" W_PUBLIC "&client_id=" W_PUBLIC, "parameter_repeated"},
        {"/authorize?client_id=%zz", "request_malformed"},
    };
    world_t *w = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        answer_t r = world_get(w, ROWS[i].target);
        assert_status(r, 400);
        assert_true(answer_is_page(&r));
        assert_false(str_is_set(answer_header(&r, "location")));
        assert_false(str_is_set(page_target(w, r.body)));
        assert_int_equal(trail_count(w, "authorize", "deny", ROWS[i].reason), 1);
    }
}

/* pain row 9 */
static void an_unknown_client_is_told_how_to_register_again(void **state)
{
    world_t *w = *state;
    answer_t r = world_get(w, "/authorize?client_id=unknown&response_type=code");
    assert_status(r, 400);
    assert_true(str_contains(r.body, STR(".mcp-auth")));
    assert_true(str_contains(r.body, STR("claude mcp remove")));
}

static void a_refusal_goes_to_the_client(void **state)
{
    world_t *w = *state;
    answer_t r = world_get(w, "/authorize?response_type=code&client_id=" W_PUBLIC "&state=s%20t");
    assert_status(r, 303);
    str_t to = answer_header(&r, "location");
    assert_true(str_starts(to, STR(W_REDIRECT "?")));
    assert_text(url_parameter(w, to, "error"), "invalid_request");
    assert_text(url_parameter(w, to, "state"), "s t");
    assert_text(url_parameter(w, to, "iss"), W_ISSUER); /* pain row 23 */
    assert_text(answer_header(&r, "cache-control"), "no-store");
    assert_int_equal(trail_count(w, "authorize", "deny", "pkce_missing"), 1);
}

/* A client that only registered itself gets no visitor from us while nobody is signed in. */
static void a_stranger_s_refusal_is_a_page_with_a_link(void **state)
{
    world_t *w = *state;
    str_t uri = STR("https://stranger.test/cb");
    const client_t client = {
        .id = STR("stranger"),
        .type = CLIENT_WEB,
        .origin = CLIENT_BY_REGISTRATION,
        .grants = GRANT_AUTHORIZATION_CODE,
        .redirect_uris = {&uri, 1},
        .created_at = W_START_S,
    };
    world_put(w, EFFECT_CLIENT_INSERT, &client);
    answer_t r = world_get(w, "/authorize?response_type=code&client_id=stranger");
    assert_status(r, 400);
    assert_true(answer_is_page(&r));
    assert_true(str_contains(r.body, STR("https://stranger.test/cb?error=")));
    assert_false(str_is_set(page_target(w, r.body)));
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    r = browser_get(&b, STR("/authorize?response_type=code&client_id=stranger"));
    assert_status(r, 303);
}

/* pain row 15: VS Code takes another port when its own is busy. */
static void a_loopback_port_does_not_matter(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_NATIVE, "");
    assert_true(str_contains(page, STR("127.0.0.1:4711")));
    answer_t r = browser_post(&b, "/consent", decision_form(w, page, "approve"));
    assert_status(r, 200);
    assert_true(str_starts(page_target(w, r.body), STR("http://127.0.0.1:4711/cb?code=")));
}

/* pain rows 29 and 30 */
static void unknown_scopes_are_left_out(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t code = browser_walk(&b, W_PUBLIC,
                              "&scope=openid+profile+email+offline_access+files:write+nonsense");
    answer_t r = world_post(w, "/token", "", code_form(w, W_PUBLIC, code));
    assert_text(answer_tokens(w, &r).scope, "files:write");
}

static void an_unknown_resource_is_invalid_target(void **state)
{
    world_t *w = *state;
    answer_t r =
        world_get(w, arena_cstr(w->a, authorize_target(w, W_PUBLIC, "&resource=https://x.test")));
    assert_status(r, 303);
    assert_text(url_parameter(w, answer_header(&r, "location"), "error"), "invalid_target");
}

static void a_remembered_consent_is_silent(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_walk(&b, W_PUBLIC, "");
    answer_t r = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    assert_status(r, 303);
    str_t to = answer_header(&r, "location");
    assert_text(url_parameter(w, to, "state"), "st &");
    assert_int_equal(trail_count(w, "authorize", "allow", NULL), 1);
    str_t code = url_parameter(w, to, "code");
    r = world_post(w, "/token", "", code_form(w, W_PUBLIC, code));
    answer_tokens(w, &r);
    r = browser_get(&b, authorize_target(w, W_PUBLIC, "&scope=files:write"));
    assert_status(r, 200); /* more is asked for */
    assert_true(str_contains(r.body, STR("Approved before")));
}

static void a_native_client_is_always_asked_for(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_walk(&b, W_NATIVE, "");
    answer_t r = browser_get(&b, authorize_target(w, W_NATIVE, ""));
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("name=\"decision\"")));
}

static void prompt_none_never_shows_a_page(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t target = authorize_target(w, W_PUBLIC, "&prompt=none");
    answer_t r = browser_get(&b, target);
    assert_status(r, 303);
    assert_text(url_parameter(w, answer_header(&r, "location"), "error"), "login_required");
    browser_sign_in(&b);
    r = browser_get(&b, target);
    assert_status(r, 303);
    assert_text(url_parameter(w, answer_header(&r, "location"), "error"), "consent_required");
}

static void prompt_login_asks_for_the_password_once(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    world_pass(w, 5);
    answer_t r = browser_get(&b, authorize_target(w, W_PUBLIC, "&prompt=login"));
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("enter your password again")));
    r = browser_login(&b, r.body, W_USER, W_PASSWORD);
    assert_status(r, 303);
    r = browser_get(&b, answer_header(&r, "location"));
    assert_true(str_contains(r.body, STR("name=\"decision\"")));
}

static void an_old_login_is_not_enough_for_max_age(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    world_pass(w, 100);
    answer_t r = browser_get(&b, authorize_target(w, W_PUBLIC, "&max_age=99"));
    assert_true(str_contains(r.body, STR("action=\"/login\"")));
    r = browser_get(&b, authorize_target(w, W_PUBLIC, "&max_age=100"));
    assert_true(str_contains(r.body, STR("name=\"decision\"")));
}

static void an_idle_session_is_over(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    world_pass(w, w->conf->session_idle - 1);
    answer_t r = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    assert_true(str_contains(r.body, STR("name=\"decision\"")));
    world_pass(w, w->conf->session_idle - 1); /* it was in use */
    r = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    assert_true(str_contains(r.body, STR("name=\"decision\"")));
    world_pass(w, w->conf->session_idle);
    r = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    assert_true(str_contains(r.body, STR("action=\"/login\"")));
}

static void a_disabled_account_counts_as_nobody(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    world_put_key(w, EFFECT_USER_DISABLE, STR(W_USER_ID));
    answer_t r = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    assert_true(str_contains(r.body, STR("action=\"/login\"")));
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    world_starve(w, browser_request(&b, "GET", authorize_target(w, W_PUBLIC, ""), STR("")), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(who_is_not_signed_in_gets_the_login_page),
        WORLD_TEST(who_is_signed_in_gets_the_consent_page),
        WORLD_TEST(a_form_does_the_same_as_a_link),
        WORLD_TEST(a_refusal_before_the_redirect_uri_is_trusted_is_a_page),
        WORLD_TEST(an_unknown_client_is_told_how_to_register_again),
        WORLD_TEST(a_refusal_goes_to_the_client),
        WORLD_TEST(a_stranger_s_refusal_is_a_page_with_a_link),
        WORLD_TEST(a_loopback_port_does_not_matter),
        WORLD_TEST(unknown_scopes_are_left_out),
        WORLD_TEST(an_unknown_resource_is_invalid_target),
        WORLD_TEST(a_remembered_consent_is_silent),
        WORLD_TEST(a_native_client_is_always_asked_for),
        WORLD_TEST(prompt_none_never_shows_a_page),
        WORLD_TEST(prompt_login_asks_for_the_password_once),
        WORLD_TEST(an_old_login_is_not_enough_for_max_age),
        WORLD_TEST(an_idle_session_is_over),
        WORLD_TEST(a_disabled_account_counts_as_nobody),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
