#include "as/as_test_browser.h"

#include "web/form.h"

#define OTHER    "bob"
#define OTHER_ID "user-bob"

/* The form of the first grant on the account page; unset members: there is none. */
static str_t first_form(world_t *w, str_t page)
{
    str_t mark = STR("action=\"" WEB_PATH_REVOKE "\""), out;
    const char *hit = memmem(page.p, page.n, mark.p, mark.n);
    str_t form = hit ? str_skip(page, (size_t)(hit - page.p)) : STR("");
    assert_true(form.n > 0);
    buf_t b = buf_new(w->a, 8192);
    buf_put(&b, STR("csrf="));
    buf_form(&b, page_field(form, WEB_FIELD_CSRF));
    buf_put(&b, STR("&client_id="));
    buf_form(&b, page_field(form, WEB_FIELD_CLIENT));
    buf_put(&b, STR("&resource="));
    buf_form(&b, page_field(form, WEB_FIELD_RESOURCE));
    buf_put(&b, STR("&redirect_uri="));
    buf_form(&b, page_field(form, WEB_FIELD_REDIRECT));
    assert_ok(buf_done(&b, &out));
    return out;
}

/* Approves W_PUBLIC as W_USER; what was granted, and a second code that nobody has redeemed. */
static tokens_t grant(browser_t *b, str_t *code)
{
    world_t *w = b->w;
    str_t redeemed = browser_walk(b, W_PUBLIC, "");
    answer_t r = world_post(w, "/token", "", code_form(w, W_PUBLIC, redeemed));
    *code = browser_walk(b, W_PUBLIC, "");
    return answer_tokens(w, &r);
}

static str_t home(browser_t *b)
{
    answer_t r = browser_get(b, STR("/"));
    assert_status(r, 200);
    return r.body;
}

static bool is_granted(world_t *w)
{
    ask_t consent = world_look(w, (ask_t){.kind = ASK_CONSENT,
                                          .key = STR(W_USER_ID),
                                          .key2 = STR(W_PUBLIC),
                                          .key3 = STR(W_RESOURCE),
                                          .key4 = STR(W_REDIRECT)});
    return consent.u.consent != NULL;
}

static void add_other(world_t *w)
{
    static const identity_password_cost_t FAST = {1, 8192};
    identity_password_hash_t hash;
    assert_ok(identity_password_hash(&FAST, secret_of(STR(W_PASSWORD)), &hash));
    const user_t user = {
        .id = STR(OTHER_ID),
        .name = STR(OTHER),
        .password = identity_password_hash_text(&hash),
        .created_at = W_START_S,
        .password_changed_at = W_START_S,
    };
    world_put(w, EFFECT_USER_INSERT, &user);
}

static void sign_in_other(browser_t *b)
{
    add_other(b->w);
    answer_t page = browser_get(b, STR("/login"));
    answer_t r = browser_login(b, page.body, OTHER, W_PASSWORD);
    assert_status(r, 303);
}

static void access_is_listed_with_client_resource_and_scope(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    str_t page = home(&b);
    assert_true(str_contains(page, STR("Client &lt;b&gt;")));
    assert_true(str_contains(page, STR("Files")));
    assert_true(str_contains(page, STR("files:read")));
    assert_false(str_contains(page, STR("files:write")));
    assert_true(str_contains(page, STR("14 November 2023"))); /* W_START_S */
    assert_str(page_field(page, WEB_FIELD_CLIENT), STR(W_PUBLIC));
    assert_str(page_field(page, WEB_FIELD_RESOURCE), STR(W_RESOURCE));
}

static void taking_back_leads_home_and_says_so(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    answer_t r = browser_post(&b, WEB_PATH_REVOKE, first_form(w, home(&b)));
    assert_status(r, 303);
    assert_text(answer_header(&r, "location"), "/?revoked");
    r = browser_get(&b, STR("/?revoked"));
    assert_true(str_contains(r.body, STR("The access was taken back")));
    assert_true(str_contains(r.body, STR("No application may act in your name")));
    assert_false(str_contains(home(&b), STR("The access was taken back")));
}

static void taking_back_ends_consent_refresh_token_and_code(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    tokens_t tokens = grant(&b, &code);
    browser_post(&b, WEB_PATH_REVOKE, first_form(w, home(&b)));
    assert_false(is_granted(w));
    answer_t r = world_post(w, "/token", "", refresh_form(w, W_PUBLIC, tokens.refresh));
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_grant");
    r = world_post(w, "/token", "", code_form(w, W_PUBLIC, code));
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_grant");
    browser_to_consent(&b, W_PUBLIC, ""); /* is asked again */
}

static void taking_back_one_leaves_the_others(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    str_t form = first_form(w, home(&b)), native = browser_walk(&b, W_NATIVE, "");
    browser_post(&b, WEB_PATH_REVOKE, form);
    assert_false(is_granted(w));
    assert_str(page_field(home(&b), WEB_FIELD_CLIENT), STR(W_NATIVE));
    str_t redeem = arena_printf(w->a, "%" PRIstr "&redirect_uri=http://127.0.0.1:4711/cb",
                                STR_ARG(code_form(w, W_NATIVE, native)));
    answer_t r = world_post(w, "/token", "", redeem);
    assert_status(r, 200);
}

static void taking_back_is_audited_once(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    browser_post(&b, WEB_PATH_REVOKE, first_form(w, home(&b)));
    assert_int_equal(trail_count(w, "revoke", "allow", NULL), 1);
    const json_t *last = trail_last(w);
    assert_text(json_get_str(last, STR("reason")), "consent_withdrawn");
    assert_text(json_get_str(last, STR("user")), W_USER_ID);
    assert_text(json_get_str(last, STR("client")), W_PUBLIC);
    assert_text(json_get_str(last, STR("resource")), W_RESOURCE);
    assert_text(json_get_str(last, STR("scope")), "files:read");
}

static void what_is_gone_already_leads_home(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    str_t form = first_form(w, home(&b));
    browser_post(&b, WEB_PATH_REVOKE, form);
    answer_t r = browser_post(&b, WEB_PATH_REVOKE, form);
    assert_status(r, 303);
    assert_text(answer_header(&r, "location"), "/");
    assert_int_equal(trail_count(w, "revoke", "allow", NULL), 1);
}

static void who_is_signed_out_takes_nothing_back(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    str_t form = first_form(w, home(&b));
    world_pass(w, w->conf->session_lifetime + 1); /* the cookie is still there */
    answer_t r = browser_post(&b, WEB_PATH_REVOKE, form);
    assert_status(r, 303);
    assert_text(answer_header(&r, "location"), "/");
    assert_true(is_granted(w));
    assert_int_equal(trail_count(w, "revoke", "allow", NULL), 0);
}

static void the_form_of_another_session_is_refused(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w), other = browser_new(w);
    grant(&b, &code);
    sign_in_other(&other);
    answer_t r = browser_post(&other, WEB_PATH_REVOKE, first_form(w, home(&b)));
    assert_status(r, 403);
    assert_true(answer_is_page(&r));
    assert_int_equal(trail_count(w, "revoke", "deny", "form_not_ours"), 1);
    assert_true(is_granted(w));
}

/* The token of one form opens no other, though both are of the same session. */
static void the_token_of_another_form_is_refused(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    str_t logout = page_field(home(&b), WEB_FIELD_CSRF);
    str_t form = arena_printf(w->a, "csrf=%" PRIstr "&client_id=" W_PUBLIC "&resource=" W_RESOURCE,
                              STR_ARG(logout));
    answer_t r = browser_post(&b, WEB_PATH_REVOKE, form);
    assert_status(r, 403);
    assert_true(is_granted(w));
}

static void nobody_takes_back_what_another_granted(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w), other = browser_new(w);
    grant(&b, &code);
    sign_in_other(&other);
    const consent_t own = {.user_id = STR(OTHER_ID),
                           .client_id = STR(W_PUBLIC),
                           .resource = STR(W_RESOURCE),
                           .scope = STR("files:read"),
                           .granted_at = W_START_S};
    world_put(w, EFFECT_CONSENT_PUT, &own);
    answer_t r = browser_post(&other, WEB_PATH_REVOKE, first_form(w, home(&other)));
    assert_status(r, 303);
    assert_text(json_get_str(trail_last(w), STR("user")), OTHER_ID);
    assert_true(is_granted(w)); /* to the same client, by W_USER */
    r = browser_post(&other, WEB_PATH_REVOKE, first_form(w, home(&b)));
    assert_status(r, 403);
    assert_true(is_granted(w));
}

static void a_form_without_token_is_refused(void **state)
{
    static const char *const FORMS[] = {"", "client_id=" W_PUBLIC "&resource=" W_RESOURCE,
                                        "csrf=&client_id=" W_PUBLIC "&resource=" W_RESOURCE,
                                        "csrf=x&client_id=" W_PUBLIC "&resource=" W_RESOURCE};
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        answer_t r = browser_post(&b, WEB_PATH_REVOKE, str_c(FORMS[i]));
        assert_status(r, 403);
        assert_int_equal(trail_count(w, "revoke", "deny", "form_not_ours"), i + 1);
    }
    assert_true(is_granted(w));
}

static void a_form_that_names_nothing_leads_home(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    str_t form = first_form(w, home(&b));
    answer_t r = browser_post(&b, WEB_PATH_REVOKE, str_first(form, str_find(form, '&', 0)));
    assert_status(r, 303);
    assert_text(answer_header(&r, "location"), "/");
    assert_true(is_granted(w));
}

/* Both have seen the consent before either takes it back. */
static void of_two_at_once_one_takes_back_and_both_lead_home(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    str_t request = browser_request(&b, "POST", STR(WEB_PATH_REVOKE), first_form(w, home(&b)));
    w->faults.hold = true;
    http_direct_t *one = world_send(w, request), *two = world_send(w, request);
    while (w->n_held < 2)
        assert_true(world_pump(w, 10000));
    w->faults.hold = false;
    world_release(w, 0);
    world_release(w, 1);
    answer_t first = world_land(w, one), second = world_land(w, two);
    assert_status(first, 303);
    assert_text(answer_header(&first, "location"), "/?revoked");
    assert_status(second, 303);
    assert_text(answer_header(&second, "location"), "/");
    assert_int_equal(trail_count(w, "revoke", "allow", NULL), 1);
}

static void a_store_that_fails_takes_nothing_back(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    str_t form = first_form(w, home(&b));
    w->faults.apply = RC_IO;
    answer_t r = browser_post(&b, WEB_PATH_REVOKE, form);
    assert_status(r, 503);
    assert_true(answer_is_page(&r));
    w->faults.apply = RC_OK;
    w->faults.ask = RC_IO;
    r = browser_post(&b, WEB_PATH_REVOKE, form);
    assert_status(r, 503);
    assert_true(answer_is_page(&r));
    assert_true(is_granted(w));
    assert_int_equal(trail_count(w, "revoke", "allow", NULL), 0);
}

static void a_trail_that_fails_says_nothing_is_done(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    str_t form = first_form(w, home(&b));
    trail_break(w, true);
    answer_t r = browser_post(&b, WEB_PATH_REVOKE, form);
    trail_break(w, false);
    assert_status(r, 503);
    assert_true(answer_is_page(&r));
}

static void memory_ends_anywhere(void **state)
{
    str_t code;
    world_t *w = *state;
    browser_t b = browser_new(w);
    grant(&b, &code);
    str_t form = first_form(w, home(&b));
    world_starve(w, browser_request(&b, "POST", STR(WEB_PATH_REVOKE), form), 303);
    assert_false(is_granted(w));
    assert_int_equal(trail_count(w, "revoke", "allow", NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(access_is_listed_with_client_resource_and_scope),
        WORLD_TEST(taking_back_leads_home_and_says_so),
        WORLD_TEST(taking_back_ends_consent_refresh_token_and_code),
        WORLD_TEST(taking_back_one_leaves_the_others),
        WORLD_TEST(taking_back_is_audited_once),
        WORLD_TEST(what_is_gone_already_leads_home),
        WORLD_TEST(who_is_signed_out_takes_nothing_back),
        WORLD_TEST(the_form_of_another_session_is_refused),
        WORLD_TEST(the_token_of_another_form_is_refused),
        WORLD_TEST(nobody_takes_back_what_another_granted),
        WORLD_TEST(a_form_without_token_is_refused),
        WORLD_TEST(a_form_that_names_nothing_leads_home),
        WORLD_TEST(of_two_at_once_one_takes_back_and_both_lead_home),
        WORLD_TEST(a_store_that_fails_takes_nothing_back),
        WORLD_TEST(a_trail_that_fails_says_nothing_is_done),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
