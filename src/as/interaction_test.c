/* What the pages of an authorization show of client, address, resource and scopes. */
#include "as/interaction.h"

#include "as/as_test_browser.h"

static void put_client(world_t *w, client_origin_t origin, client_type_t type, str_t uri)
{
    str_t *uris = ARENA_NEW(w->a, str_t);
    *uris = uri;
    const client_t client = {
        .id = STR("shown"),
        .name = STR("Shown"),
        .type = type,
        .origin = origin,
        .grants = GRANT_AUTHORIZATION_CODE,
        .redirect_uris = {uris, 1},
        .created_at = W_START_S,
    };
    world_put(w, EFFECT_CLIENT_INSERT, &client);
}

static str_t consent_of(world_t *w, const char *more)
{
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    str_t target = arena_printf(w->a,
                                "/authorize?response_type=code&client_id=shown"
                                "&code_challenge_method=S256&code_challenge=%s%s",
                                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", more);
    answer_t r = browser_get(&b, target);
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("name=\"decision\"")));
    return r.body;
}

static void a_host_is_shown_with_its_port(void **state)
{
    world_t *w = *state;
    put_client(w, CLIENT_BY_REGISTRATION, CLIENT_WEB, STR("https://c.test:8443/cb"));
    str_t page = consent_of(w, "");
    assert_true(str_contains(page, STR("c.test:8443</bdi>")));
    assert_true(str_contains(page, STR("Unverified")));
}

static void an_administrator_s_client_is_shown_as_such(void **state)
{
    world_t *w = *state;
    put_client(w, CLIENT_BY_ADMIN, CLIENT_WEB, STR("https://c.test/cb"));
    str_t page = consent_of(w, "");
    assert_true(str_contains(page, STR("Added by the administrator")));
    assert_false(str_contains(page, STR("Unverified")));
}

static void a_private_scheme_is_shown_as_an_app(void **state)
{
    world_t *w = *state;
    world_restart(w, "redirect_schemes", "cursor");
    put_client(w, CLIENT_BY_REGISTRATION, CLIENT_NATIVE, STR("cursor://anysphere/cb"));
    str_t page = consent_of(w, "");
    assert_true(str_contains(page, STR("cursor:</code> links")));
}

static void loopback_is_shown_as_this_computer(void **state)
{
    world_t *w = *state;
    put_client(w, CLIENT_BY_REGISTRATION, CLIENT_NATIVE, STR("http://localhost/cb"));
    str_t page = consent_of(w, "");
    assert_true(str_contains(page, STR("A program on this computer")));
}

static void each_scope_is_shown_with_its_text(void **state)
{
    world_t *w = *state;
    put_client(w, CLIENT_BY_REGISTRATION, CLIENT_WEB, STR("https://c.test/cb"));
    str_t page = consent_of(w, "&scope=files:read+files:write");
    assert_true(str_contains(page, STR("Read files")));
    assert_true(str_contains(page, STR("Change files")));
    assert_true(str_contains(page, STR(">Files<")));
    assert_false(str_contains(page, STR("while you are away"))); /* no refresh tokens */
}

static void a_client_with_refresh_tokens_says_so(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    assert_true(str_contains(page, STR("while you are away")));
}

/* pain row 18: from a form to a private scheme, by a page of our own. */
static void a_private_scheme_is_gone_to_by_a_page(void **state)
{
    world_t *w = *state;
    world_restart(w, "redirect_schemes", "cursor");
    browser_t b = browser_new(w);
    put_client(w, CLIENT_BY_REGISTRATION, CLIENT_NATIVE, STR("cursor://anysphere/cb"));
    browser_sign_in(&b);
    answer_t r = browser_get(&b, STR("/authorize?response_type=code&client_id=shown"
                                     "&code_challenge_method=S256&code_challenge="
                                     "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    r = browser_post(&b, "/consent", decision_form(w, r.body, "approve"));
    assert_status(r, 200);
    assert_true(str_starts(page_target(w, r.body), STR("cursor://anysphere/cb?code=wrc_")));
    assert_true(
        str_contains(answer_header(&r, "content-security-policy"), STR("form-action 'self'")));
}

static void a_silent_code_behind_a_form_goes_by_a_page(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w), again = browser_new(w);
    browser_walk(&b, W_PUBLIC, "");
    answer_t r = browser_get(&again, authorize_target(w, W_PUBLIC, ""));
    r = browser_login(&again, r.body, W_USER, W_PASSWORD);
    assert_status(r, 303);
    r = browser_get(&again, answer_header(&r, "location"));
    assert_status(r, 200);
    assert_true(str_is_set(url_parameter(w, page_target(w, r.body), "code")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_host_is_shown_with_its_port),
        WORLD_TEST(an_administrator_s_client_is_shown_as_such),
        WORLD_TEST(a_private_scheme_is_shown_as_an_app),
        WORLD_TEST(loopback_is_shown_as_this_computer),
        WORLD_TEST(each_scope_is_shown_with_its_text),
        WORLD_TEST(a_client_with_refresh_tokens_says_so),
        WORLD_TEST(a_private_scheme_is_gone_to_by_a_page),
        WORLD_TEST(a_silent_code_behind_a_form_goes_by_a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
