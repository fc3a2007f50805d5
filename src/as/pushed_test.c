#include "as/as_test_browser.h"

#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define REST                                                                                       \
    "&redirect_uri=https%3A%2F%2Fc.test%2Fcb&state=st&response_type=code&code_"                    \
    "challenge=" CHALLENGE "&code_challenge_method=S256"

static answer_t push(world_t *w, const char *headers, const char *form)
{
    return world_post(w, "/par", headers, str_c(form));
}

/* Where the browser goes with it. */
static str_t target(world_t *w, const answer_t *r, const char *client, const char *more)
{
    assert_status(*r, 201);
    str_t uri = json_get_str(answer_json(w, r), STR("request_uri"));
    assert_true(str_starts(uri, STR("urn:ietf:params:oauth:request_uri:")));
    return arena_printf(w->a, "/authorize?client_id=%s&request_uri=%.*s%s", client, STR_ARG(uri),
                        more);
}

static answer_t approve(browser_t *b, str_t page)
{
    return browser_post(b, "/consent", decision_form(b->w, page, "approve"));
}

static str_t code_of(world_t *w, const answer_t *r)
{
    assert_status(*r, 200);
    return url_parameter(w, page_target(w, r->body), "code");
}

static void what_was_pushed_ends_in_a_code(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t r = push(w, world_basic(w, W_BASIC, W_SECRET), "scope=files:write" REST);
    assert_text(answer_header(&r, "cache-control"), "no-store");
    assert_int_equal(trail_count(w, "pushed", "allow", NULL), 1);
    str_t to = target(w, &r, W_BASIC, "&scope=files:read&state=other");
    browser_sign_in(&b);
    r = browser_get(&b, to);
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("files:write")));
    assert_false(str_contains(r.body, STR("files:read")));
    r = browser_get(&b, to); /* loaded again */
    r = approve(&b, r.body);
    assert_true(str_is_set(code_of(w, &r)));
    assert_text(url_parameter(w, page_target(w, r.body), "state"), "st");
    r = browser_get(&b, to);
    assert_status(r, 400);
    assert_true(answer_is_page(&r));
    assert_int_equal(trail_count(w, "authorize", "deny", "pushed_unknown"), 1);
}

/* attack case: PAR-001 */
static void of_two_windows_one_gets_a_code(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t r = push(w, "", "client_id=" W_PUBLIC REST);
    str_t to = target(w, &r, W_PUBLIC, "");
    browser_sign_in(&b);
    answer_t one = browser_get(&b, to), two = browser_get(&b, to);
    str_t left =
        browser_request(&b, "POST", STR("/consent"), decision_form(w, one.body, "approve"));
    str_t right =
        browser_request(&b, "POST", STR("/consent"), decision_form(w, two.body, "approve"));
    w->faults.hold = true;
    http_direct_t *first = world_send(w, left), *second = world_send(w, right);
    assert_int_equal(w->n_held, 2);
    w->faults.hold = false;
    world_release(w, 1);
    world_release(w, 0);
    two = world_land(w, second);
    one = world_land(w, first);
    assert_true(str_is_set(code_of(w, &two)));
    assert_status(one, 400);
    assert_int_equal(trail_count(w, "consent", "allow", NULL), 1);
    assert_int_equal(trail_count(w, "consent", "deny", "pushed_unknown"), 1);
}

static void another_clients_request_is_a_page(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t r = push(w, "", "client_id=" W_PUBLIC REST);
    str_t to = target(w, &r, W_NATIVE, "");
    browser_sign_in(&b);
    r = browser_get(&b, to);
    assert_status(r, 400);
    assert_false(str_is_set(page_target(w, r.body)));
    assert_int_equal(trail_count(w, "authorize", "deny", "pushed_other_client"), 1);
}

static void slow_people_may_take_their_time(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t r = push(w, "", "client_id=" W_PUBLIC REST);
    str_t to = target(w, &r, W_PUBLIC, "");
    browser_sign_in(&b);
    answer_t page = browser_get(&b, to);
    world_pass(w, 600);
    r = browser_get(&b, to);
    assert_status(r, 400); /* its time to begin is over */
    r = approve(&b, page.body);
    assert_true(str_is_set(code_of(w, &r)));
}

/* attack case: PAR-005 */
static void refusals_are_json(void **state)
{
    world_t *w = *state;
    answer_t r = push(w, "", "client_id=" W_BASIC REST);
    assert_status(r, 401);
    assert_text(answer_error(w, &r), "invalid_client");
    r = push(w, world_basic(w, W_BASIC, "wrong"), "scope=files:read" REST);
    assert_status(r, 401);
    assert_true(str_starts(answer_header(&r, "www-authenticate"), STR("Basic")));
    r = push(w, "", "client_id=" W_PUBLIC "&response_type=code");
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_request");
    assert_int_equal(trail_count(w, "pushed", "deny", "pkce_missing"), 1);
    r = world_get(w, "/par");
    assert_status(r, 405);
    r = push(w, "", "client_id=" W_PUBLIC REST);
    assert_status(r, 201);
}

static void a_server_may_take_nothing_else(void **state)
{
    world_t *w = *state;
    world_restart(w, "require_pushed_authorization_requests", "true");
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    answer_t r = browser_get(&b, authorize_target(w, W_PUBLIC, ""));
    assert_status(r, 303);
    assert_text(url_parameter(w, answer_header(&r, "location"), "error"), "invalid_request");
    r = push(w, "", "client_id=" W_PUBLIC REST);
    r = browser_get(&b, target(w, &r, W_PUBLIC, ""));
    assert_status(r, 200);
}

/* Anybody has as many clients as they like, and each request is a row for minutes. */
static void too_many_of_one_address_are_429(void **state)
{
    static const uint8_t other[4] = {192, 0, 2, 8};
    world_t *w = *state;
    world_restart(w, "page_requests_per_minute", "2");
    for (int i = 0; i < 2; i++) {
        answer_t fine = push(w, "", "client_id=" W_PUBLIC REST);
        assert_status(fine, 201);
    }
    answer_t r = push(w, "", "client_id=" W_PUBLIC REST);
    assert_status(r, 429);
    assert_true(str_is_set(answer_header(&r, "retry-after")));
    r = world_post(w, "/device_authorization", "", STR("client_id=" W_PUBLIC));
    assert_status(r, 429);
    w->peer = http_addr_from_bytes(other, sizeof other);
    r = push(w, "", "client_id=" W_PUBLIC REST);
    assert_status(r, 201);
}

static void without_memory(void **state)
{
    world_t *w = *state;
    str_t form = STR("client_id=" W_PUBLIC REST);
    world_starve(w, world_request(w, "POST", STR("/par"), W_FORM, form), 201);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_was_pushed_ends_in_a_code),
        ON_DISK_TEST(of_two_windows_one_gets_a_code),
        WORLD_TEST(another_clients_request_is_a_page),
        WORLD_TEST(slow_people_may_take_their_time),
        WORLD_TEST(refusals_are_json),
        WORLD_TEST(a_server_may_take_nothing_else),
        WORLD_TEST(too_many_of_one_address_are_429),
        WORLD_TEST(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
