#include "as/as_test_browser.h"

#include <semaphore.h>

static str_t login_page(browser_t *b)
{
    answer_t r = browser_get(b, STR("/login"));
    assert_status(r, 200);
    return r.body;
}

static answer_t try(browser_t *b, const char *name, const char *password)
{
    return browser_login(b, login_page(b), name, password);
}

static void put_person(world_t *w, const char *id, const char *name)
{
    identity_password_hash_t hash;
    assert_ok(identity_password_hash(&w->as->password_cost, secret_of(STR(W_PASSWORD)), &hash));
    const user_t user = {
        .id = str_c(id),
        .name = str_c(name),
        .password = identity_password_hash_text(&hash),
        .created_at = W_START_S,
    };
    world_put(w, EFFECT_USER_INSERT, &user);
}

static void the_right_password_signs_in(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t r = try(&b, " Alice ", W_PASSWORD);
    assert_status(r, 303);
    assert_text(answer_header(&r, "location"), "/");
    assert_text(answer_header(&r, "cache-control"), "no-store");
    str_t cookie = answer_header(&r, "set-cookie");
    assert_true(str_starts(cookie, STR("__Host-warder=wss_")));
    assert_true(str_contains(cookie, STR("; HttpOnly")));
    assert_true(str_contains(cookie, STR("; Secure")));
    assert_true(str_contains(cookie, STR("; SameSite=Lax")));
    assert_int_equal(trail_count(w, "login", "allow", "signed_in"), 1);
    assert_text(json_get_str(trail_last(w), STR("user")), W_USER_ID);
    r = browser_get(&b, STR("/"));
    assert_true(str_contains(r.body, STR(W_USER)));
    assert_false(str_contains(trail_text(w), STR(W_PASSWORD)));
}

/* Who has seen the key that forms are made with could make some: once it is replaced, none of them
 * is taken, by no worker. */
static void a_form_of_before_a_leak_is_not_taken(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = login_page(&b);
    world_rotate(w, w->admin);
    world_pass(w, 1);
    answer_t r = browser_login(&b, page, W_USER, W_PASSWORD);
    assert_status(r, 403);
    assert_int_equal(trail_count(w, "login", "deny", "form_not_ours"), 1);
    r = try(&b, W_USER, W_PASSWORD);
    assert_status(r, 303);
}

static void who_is_signed_in_need_not_again(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    answer_t r = browser_get(&b, STR("/login"));
    assert_status(r, 303);
    assert_text(answer_header(&r, "location"), "/");
}

/* A person hears the same, whatever was wrong; the trail hears which. */
static void refusals_look_alike(void **state)
{
    static const struct {
        const char *name, *password, *reason;
    } ROWS[] = {
        {"alice", "not the password", "login_password_wrong"},
        {"alicf", "not the password", "login_user_unknown"},
        {"carol", W_PASSWORD, "login_user_disabled"},
        {"a!?<>", "not the password", "login_name_malformed"},
    };
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t sentence = STR("The user name or the password is wrong");
    size_t n = 0;
    put_person(w, "user-carol", "carol");
    world_put_key(w, EFFECT_USER_DISABLE, STR("user-carol"));
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        answer_t r = try(&b, ROWS[i].name, ROWS[i].password);
        assert_status(r, 403);
        assert_true(str_contains(r.body, sentence));
        assert_false(str_is_set(answer_header(&r, "set-cookie")));
        assert_int_equal(trail_count(w, "login", "deny", ROWS[i].reason), 1);
        if (i == 0)
            n = r.body.n;
        else if (i < 3) /* the last echoes its name escaped */
            assert_int_equal(r.body.n, n);
    }
    assert_false(b.session[0]);
}

static void empty_fields_are_refused(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t r = try(&b, "", "");
    assert_status(r, 403);
    r = try(&b, W_USER, "");
    assert_status(r, 403);
}

static void too_many_failures_must_wait(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    for (int i = 0; i < 5; i++) {
        answer_t fine = try(&b, W_USER, "not the password");
        assert_status(fine, 403);
    }
    answer_t r = try(&b, W_USER, W_PASSWORD);
    assert_status(r, 429);
    assert_true(answer_is_page(&r));
    assert_true(str_is_set(answer_header(&r, "retry-after")));
    assert_true(str_contains(r.body, STR("Too many attempts have failed")));
    assert_int_equal(trail_count(w, "login", "deny", "login_throttled"), 1);
    assert_text(json_get_str(trail_last(w), STR("user")), W_USER_ID);
    world_pass(w, 5);
    r = try(&b, W_USER, W_PASSWORD);
    assert_status(r, 303);
}

static void a_name_without_account_must_wait_as_well(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    answer_t r;
    int n = 0;
    do {
        r = try(&b, "nobody", "not the password");
        n++;
    } while (r.status == 403 && n < 20);
    assert_status(r, 429);
    assert_int_equal(n, 6);
}

/* Guesses that are under way count: many at once gain nothing. */
static void guesses_at_once_are_counted_before_they_are_made(void **state)
{
    enum { N = 8 };
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t form = login_form(w, login_page(&b), W_USER, "not the password");
    http_direct_t *flights[N];
    size_t later = 0;
    for (int i = 0; i < N; i++)
        flights[i] = world_send(w, browser_request(&b, "POST", STR("/login"), form));
    for (int i = 0; i < N; i++) {
        answer_t r = world_land(w, flights[i]);
        later += r.status == 429 || r.status == 503;
    }
    assert_true(later >= 2);
}

/* Work that stands still until it is told to go on. */
typedef struct {
    sem_t begun, go;
    int done;
} stuck_t;

static void stand_still(void *arg)
{
    stuck_t *s = arg;
    sem_post(&s->begun);
    sem_wait(&s->go);
}

static void count_done(void *arg)
{
    ((stuck_t *)arg)->done++;
}

static void fill_pool(world_t *w, stuck_t *s)
{
    sem_init(&s->begun, 0, 0);
    sem_init(&s->go, 0, 0);
    for (int i = 0; i < 2; i++) {
        assert_ok(http_pool_run(w->pool, world_post_port(w), stand_still, count_done, s));
        sem_wait(&s->begun);
    }
    for (int i = 0; i < 4; i++)
        assert_ok(http_pool_run(w->pool, world_post_port(w), stand_still, count_done, s));
}

static void empty_pool(world_t *w, stuck_t *s)
{
    for (int i = 0; i < 6; i++)
        sem_post(&s->go);
    while (s->done < 6)
        assert_true(world_pump(w, 10000));
    sem_destroy(&s->begun);
    sem_destroy(&s->go);
}

static void a_full_pool_is_503_and_costs_nothing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    stuck_t stuck = {.done = 0};
    fill_pool(w, &stuck);
    for (int i = 0; i < 20; i++) {
        answer_t r = try(&b, W_USER, W_PASSWORD);
        assert_status(r, 503);
        assert_true(answer_is_page(&r));
        assert_text(answer_header(&r, "retry-after"), "2");
        assert_int_equal(http_headers_count(r.headers, STR("retry-after")), 1);
        assert_true(str_contains(r.body, STR("Your password was not looked at")));
    }
    assert_int_equal(trail_text(w).n, 0);
    empty_pool(w, &stuck);
    answer_t r = try(&b, W_USER, W_PASSWORD);
    assert_status(r, 303);
}

static void a_failing_store_is_503_and_costs_nothing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t form = login_form(w, login_page(&b), W_USER, W_PASSWORD);
    w->faults.ask = RC_IO;
    for (int i = 0; i < 20; i++) {
        answer_t r = browser_post(&b, "/login", form);
        assert_status(r, 503);
    }
    w->faults.ask = RC_OK;
    answer_t r = browser_post(&b, "/login", form);
    assert_status(r, 303);
}

static void a_session_that_cannot_be_stored_is_none(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = login_page(&b);
    w->faults.apply = RC_BUSY;
    answer_t r = browser_login(&b, page, W_USER, W_PASSWORD);
    assert_status(r, 503);
    assert_false(str_is_set(answer_header(&r, "set-cookie")));
    assert_int_equal(trail_count(w, "login", "allow", NULL), 0);
}

static void a_hash_that_cannot_be_made_is_503_and_costs_nothing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    const identity_password_cost_t cost = w->as->password_cost;
    w->as->password_cost.passes = 0; /* libsodium refuses, as it does without memory */
    for (int i = 0; i < 8; i++) {
        answer_t fine = try(&b, "nobody", W_PASSWORD);
        assert_status(fine, 503);
    }
    w->as->password_cost = cost;
    answer_t r = try(&b, "nobody", W_PASSWORD);
    assert_status(r, 403);
}

static void a_form_without_its_token_is_not_looked_at(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w), other = browser_new(w);
    str_t page = login_page(&other);
    login_page(&b);
    answer_t r = browser_login(&b, page, W_USER, W_PASSWORD); /* another browser's */
    assert_status(r, 403);
    assert_true(str_contains(r.body, STR("open for too long")));
    assert_false(b.session[0]);
    browser_t bare = browser_new(w);
    r = browser_login(&bare, page, W_USER, W_PASSWORD);
    assert_status(r, 403);
    r = browser_login(&bare, r.body, W_USER, W_PASSWORD); /* its page has a token that fits */
    assert_status(r, 303);
}

/* OWASP ASVS 7.2.4: nobody fixes a session for somebody else. */
static void each_login_makes_a_new_session(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w), thief;
    browser_sign_in(&b);
    thief = b;
    answer_t r = browser_get(&b, authorize_target(w, W_PUBLIC, "&prompt=login"));
    r = browser_login(&b, r.body, W_USER, W_PASSWORD);
    assert_status(r, 303);
    assert_string_not_equal(b.session, thief.session);
    r = browser_get(&thief, STR("/login"));
    assert_status(r, 200); /* the one before has ended */
    r = browser_get(&b, STR("/login"));
    assert_status(r, 303);
}

static void a_made_up_session_does_not_survive_login(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t handle;
    random_port_t random = world_random(w);
    assert_ok(identity_session_handle(w->a, &random, &handle));
    memcpy(b.session, handle.p, handle.n);
    browser_sign_in(&b);
    assert_false(str_eq(str_c(b.session), handle));
}

static void switching_accounts_takes_the_request_along(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    put_person(w, "user-bob", "bob");
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    str_t handle = page_field(page, "interaction");
    str_t href = arena_printf(w->a, "/login?interaction=%" PRIstr, STR_ARG(handle));
    assert_true(str_contains(page, href));
    answer_t r = browser_get(&b, href);
    assert_status(r, 200);
    assert_str(page_field(r.body, "interaction"), handle);
    r = browser_login(&b, r.body, "bob", W_PASSWORD);
    assert_status(r, 303);
    r = browser_get(&b, answer_header(&r, "location"));
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("bob")));
    r = browser_post(&b, "/consent", decision_form(w, r.body, "approve"));
    assert_true(str_is_set(url_parameter(w, page_target(w, r.body), "code")));
    assert_text(json_get_str(trail_last(w), STR("user")), "user-bob");
}

static void a_request_of_another_session_is_not_taken_along(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w), thief = browser_new(w);
    put_person(w, "user-bob", "bob");
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    str_t handle = page_field(page, "interaction");
    answer_t r =
        browser_get(&thief, arena_printf(w->a, "/login?interaction=%" PRIstr, STR_ARG(handle)));
    r = browser_login(&thief, r.body, "bob", W_PASSWORD);
    assert_status(r, 303);
    r = browser_get(&thief, answer_header(&r, "location"));
    assert_status(r, 403);
    r = browser_post(&b, "/consent", decision_form(w, page, "approve"));
    assert_true(str_is_set(url_parameter(w, page_target(w, r.body), "code")));
}

static void a_login_that_loses_a_race_looks_again(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = browser_to_consent(&b, W_PUBLIC, "");
    str_t handle = page_field(page, "interaction");
    answer_t login =
        browser_get(&b, arena_printf(w->a, "/login?interaction=%" PRIstr, STR_ARG(handle)));
    str_t request =
        browser_request(&b, "POST", STR("/login"), login_form(w, login.body, W_USER, W_PASSWORD));
    w->faults.hold = true;
    http_direct_t *d = world_send(w, request);
    while (w->n_held == 0)
        assert_true(world_pump(w, 10000));
    w->faults.hold = false;
    browser_t tab = b;
    answer_t r = browser_post(&tab, "/consent", decision_form(w, page, "approve"));
    assert_true(str_is_set(page_target(w, r.body)));
    world_release(w, 0);
    r = world_land(w, d);
    assert_status(r, 303);
    assert_int_equal(trail_count(w, "login", "allow", "signed_in"), 2);
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = login_page(&b);
    world_starve(w, browser_request(&b, "GET", STR("/login"), STR("")), 200);
    world_starve(
        w, browser_request(&b, "POST", STR("/login"), login_form(w, page, W_USER, W_PASSWORD)),
        303);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_right_password_signs_in),
        WORLD_TEST(a_form_of_before_a_leak_is_not_taken),
        WORLD_TEST(who_is_signed_in_need_not_again),
        WORLD_TEST(refusals_look_alike),
        WORLD_TEST(empty_fields_are_refused),
        WORLD_TEST(too_many_failures_must_wait),
        WORLD_TEST(a_name_without_account_must_wait_as_well),
        WORLD_TEST(guesses_at_once_are_counted_before_they_are_made),
        WORLD_TEST(a_full_pool_is_503_and_costs_nothing),
        WORLD_TEST(a_failing_store_is_503_and_costs_nothing),
        WORLD_TEST(a_session_that_cannot_be_stored_is_none),
        WORLD_TEST(a_hash_that_cannot_be_made_is_503_and_costs_nothing),
        WORLD_TEST(a_form_without_its_token_is_not_looked_at),
        WORLD_TEST(each_login_makes_a_new_session),
        WORLD_TEST(a_made_up_session_does_not_survive_login),
        WORLD_TEST(switching_accounts_takes_the_request_along),
        WORLD_TEST(a_request_of_another_session_is_not_taken_along),
        WORLD_TEST(a_login_that_loses_a_race_looks_again),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
