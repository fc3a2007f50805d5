#include "as/as_test_browser.h"
#include "as/local.h"
#include "identity/setup.h"

#define NAME     "root"
#define PASSWORD "a good long phrase"

/* The token of a fresh link. */
static str_t open_link(world_t *w)
{
    str_t link;
    as_local_t *local;
    store_conn_t *behind = w->behind; /* the worker's, not that of `local` */
    world_make_keys(w);
    world_pass(w, 2);
    assert_ok(as_local_new(w->as, &local));
    assert_ok(as_local_open_setup(local, w->a, &link));
    as_local_free(local);
    w->behind = behind;
    assert_true(str_starts(link, STR(W_ISSUER "/setup?token=wsu_")));
    return url_parameter(w, link, "token");
}

static str_t target(world_t *w, str_t token)
{
    return arena_printf(w->a, "/setup?token=%" PRIstr, STR_ARG(token));
}

static str_t form(world_t *w, str_t page, const char *name, const char *password, const char *again)
{
    str_t out;
    buf_t b = buf_new(w->a, 8192);
    buf_put(&b, STR("csrf="));
    buf_form(&b, page_field(page, "csrf"));
    buf_put(&b, STR("&token="));
    buf_form(&b, page_field(page, "token"));
    buf_put(&b, STR("&username="));
    buf_form(&b, str_c(name));
    buf_put(&b, STR("&password="));
    buf_form(&b, str_c(password));
    buf_put(&b, STR("&password_again="));
    buf_form(&b, str_c(again));
    assert_ok(buf_done(&b, &out));
    return out;
}

static size_t users(world_t *w)
{
    return world_look(w, (ask_t){.kind = ASK_USERS}).count;
}

static str_t setup_page(browser_t *b, str_t token)
{
    answer_t r = browser_get(b, target(b->w, token));
    assert_status(r, 200);
    assert_str(page_field(r.body, "token"), token);
    return r.body;
}

static void the_link_makes_the_first_account(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t token = open_link(w);
    str_t page = setup_page(&b, token);
    answer_t r = browser_post(&b, "/setup", form(w, page, " Root ", PASSWORD, PASSWORD));
    assert_status(r, 303);
    assert_text(answer_header(&r, "location"), "/");
    ask_t user = world_look(w, (ask_t){.kind = ASK_USER_BY_NAME, .key = STR(NAME)});
    assert_true(user.u.user->admin);
    assert_int_equal(trail_count(w, "user.created", "allow", NULL), 1);
    assert_str(json_get_str(trail_last(w), STR("user")), user.u.user->id);
    assert_false(str_contains(trail_text(w), token));
    r = browser_get(&b, STR("/"));
    assert_true(str_contains(r.body, STR(NAME))); /* and is signed in */
    browser_t later = browser_new(w);
    r = browser_get(&later, STR("/login"));
    r = browser_login(&later, r.body, NAME, PASSWORD);
    assert_status(r, 303);
}

static void assert_refused(world_t *w, const answer_t *r, const char *reason)
{
    assert_status(*r, 403);
    assert_true(answer_is_page(r));
    assert_int_equal(trail_count(w, "user.created", "deny", reason), 1);
}

static void a_wrong_link_is_refused(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    open_link(w);
    answer_t r = browser_get(&b, STR("/setup?token=wsu_x"));
    assert_refused(w, &r, "setup_wrong");
    r = browser_get(&b, STR("/setup"));
    assert_status(r, 403);
}

static void an_expired_link_is_refused(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t token = open_link(w), page = setup_page(&b, token);
    world_pass(w, IDENTITY_SETUP_LIFETIME_S);
    answer_t r = browser_get(&b, target(w, token));
    assert_refused(w, &r, "setup_expired");
    r = browser_post(&b, "/setup", form(w, page, NAME, PASSWORD, PASSWORD));
    assert_status(r, 403);
    assert_int_equal(users(w), 0);
}

/* The first one to come is asked for an account, whichever node it reaches. */
static void a_link_of_another_node_is_taken(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t token = open_link(w);
    world_restart(w, NULL, NULL);
    answer_t r = browser_get(&b, target(w, token));
    assert_status(r, 200);
}

static void a_used_link_is_closed(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w), other = browser_new(w);
    str_t token = open_link(w), page = setup_page(&other, token), mine = setup_page(&b, token);
    answer_t r = browser_post(&b, "/setup", form(w, mine, NAME, PASSWORD, PASSWORD));
    assert_status(r, 303);
    r = browser_post(&other, "/setup", form(w, page, "second", PASSWORD, PASSWORD));
    assert_refused(w, &r, "setup_closed");
    r = browser_get(&other, target(w, token));
    assert_status(r, 403);
    assert_int_equal(users(w), 1);
}

static void of_two_set_ups_at_once_one_wins(void **state)
{
    world_t *w = *state;
    browser_t a = browser_new(w), b = browser_new(w);
    str_t token = open_link(w), one = setup_page(&a, token), two = setup_page(&b, token);
    w->faults.hold = true;
    http_direct_t *first = world_send(
        w, browser_request(&a, "POST", STR("/setup"), form(w, one, "one", PASSWORD, PASSWORD)));
    http_direct_t *second = world_send(
        w, browser_request(&b, "POST", STR("/setup"), form(w, two, "two", PASSWORD, PASSWORD)));
    while (w->n_held < 2)
        assert_true(world_pump(w, 10000));
    w->faults.hold = false;
    world_release(w, 0);
    world_release(w, 1);
    answer_t r = world_land(w, first), s = world_land(w, second);
    assert_int_equal(r.status + s.status, 303 + 403);
    assert_int_equal(users(w), 1);
    assert_int_equal(trail_count(w, "user.created", "allow", NULL), 1);
    assert_int_equal(trail_count(w, "user.created", "deny", "setup_closed"), 1);
    assert_int_equal(str_is_set(answer_header(&r, "set-cookie")), r.status == 303);
}

static void what_is_no_good_password_is_refused(void **state)
{
    static const struct {
        const char *name, *password, *again, *says;
    } ROWS[] = {
        {NAME, "short", "short", "role=\"alert\""},
        {NAME, PASSWORD, "another long phrase", "The two passwords differ"},
        {NAME, PASSWORD, "", "The two passwords differ"},
        {"administrator", "Administrator", "Administrator", "role=\"alert\""},
        {NAME, "1234567890", "1234567890", "role=\"alert\""},
        {"no such name!", PASSWORD, PASSWORD, "for the name"},
        {"", PASSWORD, PASSWORD, "for the name"},
    };
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = setup_page(&b, open_link(w));
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        answer_t r = browser_post(&b, "/setup",
                                  form(w, page, ROWS[i].name, ROWS[i].password, ROWS[i].again));
        assert_status(r, 400);
        assert_true(str_contains(r.body, str_c(ROWS[i].says)));
        page = r.body; /* goes on with what is shown */
    }
    assert_int_equal(users(w), 0);
    answer_t r = browser_post(&b, "/setup", form(w, page, NAME, PASSWORD, PASSWORD));
    assert_status(r, 303);
}

static void a_form_without_its_token_makes_nothing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w), other = browser_new(w);
    str_t token = open_link(w), page = setup_page(&b, token);
    setup_page(&other, token);
    answer_t r = browser_post(&other, "/setup", form(w, page, NAME, PASSWORD, PASSWORD));
    assert_refused(w, &r, "form_not_ours");
    assert_int_equal(users(w), 0);
}

static void a_failing_store_makes_nothing(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = setup_page(&b, open_link(w));
    w->faults.apply = RC_IO;
    answer_t r = browser_post(&b, "/setup", form(w, page, NAME, PASSWORD, PASSWORD));
    assert_status(r, 503);
    assert_int_equal(trail_count(w, "user.created", "allow", NULL), 0);
    w->faults.apply = RC_OK;
    r = browser_post(&b, "/setup", form(w, page, NAME, PASSWORD, PASSWORD));
    assert_status(r, 303);
}

static void a_hash_that_cannot_be_made_is_503(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t page = setup_page(&b, open_link(w));
    w->as->password_cost.passes = 0;
    answer_t r = browser_post(&b, "/setup", form(w, page, NAME, PASSWORD, PASSWORD));
    assert_status(r, 503);
    assert_int_equal(users(w), 0);
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    browser_t b = browser_new(w);
    str_t token = open_link(w), page = setup_page(&b, token);
    world_starve(w, browser_request(&b, "GET", target(w, token), STR("")), 200);
    world_starve(
        w, browser_request(&b, "POST", STR("/setup"), form(w, page, NAME, PASSWORD, PASSWORD)),
        303);
    assert_int_equal(users(w), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EMPTY_TEST(the_link_makes_the_first_account),
        EMPTY_TEST(a_wrong_link_is_refused),
        EMPTY_TEST(an_expired_link_is_refused),
        EMPTY_TEST(a_link_of_another_node_is_taken),
        EMPTY_TEST(a_used_link_is_closed),
        EMPTY_TEST(of_two_set_ups_at_once_one_wins),
        EMPTY_TEST(what_is_no_good_password_is_refused),
        EMPTY_TEST(a_form_without_its_token_makes_nothing),
        EMPTY_TEST(a_failing_store_makes_nothing),
        EMPTY_TEST(a_hash_that_cannot_be_made_is_503),
        EMPTY_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
