/* The token endpoint over the real store: each grant, each way to authenticate, and what becomes of
 * codes and tokens that come twice. */
#include "as/as_test_browser.h"

#include "oauth/handle.h"

static answer_t redeem(world_t *w, str_t code)
{
    return world_post(w, "/token", "", code_form(w, W_PUBLIC, code));
}

static answer_t refresh(world_t *w, str_t token)
{
    return world_post(w, "/token", "", refresh_form(w, W_PUBLIC, token));
}

static str_t walk(world_t *w)
{
    browser_t b = browser_new(w);
    return browser_walk(&b, W_PUBLIC, "");
}

static void assert_grant_error(world_t *w, const answer_t *r)
{
    assert_status(*r, 400);
    assert_text(answer_error(w, r), "invalid_grant");
    assert_false(str_is_set(answer_header(r, "www-authenticate")));
    assert_text(answer_header(r, "cache-control"), "no-store");
}

static void a_code_gives_tokens(void **state)
{
    world_t *w = *state;
    str_t code = walk(w);
    answer_t r = redeem(w, code);
    tokens_t t = answer_tokens(w, &r);
    assert_true(str_is_set(t.access) && str_is_set(t.refresh));
    assert_text(t.scope, "files:read");
    assert_text(json_get_str(answer_json(w, &r), STR("token_type")), "Bearer");
    assert_text(answer_header(&r, "cache-control"), "no-store");
    assert_text(answer_header(&r, "access-control-allow-origin"), "*");
    assert_int_equal(trail_count(w, "token", "allow", NULL), 1);
    assert_text(json_get_str(trail_last(w), STR("user")), W_USER_ID);
    assert_text(json_get_str(trail_last(w), STR("client")), W_PUBLIC);
    assert_text(json_get_str(trail_last(w), STR("resource")), W_RESOURCE);
    assert_false(str_contains(trail_text(w), t.access));
    assert_false(str_contains(trail_text(w), t.refresh));
    assert_false(str_contains(trail_text(w), code));
}

/* pain row 28: whatever way the client registered, by header or form. */
static void clients_authenticate_as_they_registered(void **state)
{
    static const char *const CLIENTS[] = {W_PUBLIC, W_BASIC, W_POSTED};
    world_t *w = *state;
    browser_t b = browser_new(w);
    for (size_t i = 0; i < 3; i++) {
        const char *id = CLIENTS[i];
        str_t form = code_form(w, id, browser_walk(&b, id, ""));
        if (strcmp(id, W_POSTED) == 0)
            form = arena_printf(w->a, "%" PRIstr "&client_secret=" W_SECRET, STR_ARG(form));
        const char *header = strcmp(id, W_BASIC) == 0 ? world_basic(w, id, W_SECRET) : "";
        answer_t r = world_post(w, "/token", header, form);
        answer_tokens(w, &r);
    }
}

static void a_machine_gets_a_token_of_its_own(void **state)
{
    world_t *w = *state;
    answer_t r = world_post(w, "/token", world_basic(w, W_MACHINE, W_SECRET),
                            STR("grant_type=client_credentials&scope=files:write"));
    tokens_t t = answer_tokens(w, &r);
    assert_true(str_is_set(t.access));
    assert_false(str_is_set(t.refresh));
    assert_text(t.scope, "files:write");
    assert_text(json_get_str(trail_last(w), STR("client")), W_MACHINE);
}

static void a_public_client_gets_no_token_of_its_own(void **state)
{
    world_t *w = *state;
    answer_t r =
        world_post(w, "/token", "", STR("grant_type=client_credentials&client_id=" W_PUBLIC));
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "unauthorized_client");
}

/* RFC 6749 section 5.2; pain row 9: clients register anew on 401 invalid_client alone. */
static void who_fails_to_authenticate_gets_401(void **state)
{
    world_t *w = *state;
    struct {
        const char *header;
        str_t form;
        bool challenge;
        const char *reason;
    } rows[] = {
        {"", STR("grant_type=refresh_token&refresh_token=x&client_id=unknown"), false,
         "client_unknown"},
        {"", STR("grant_type=refresh_token&refresh_token=x"), false, "client_auth_missing"},
        {world_basic(w, W_BASIC, "wrong"), STR("grant_type=refresh_token&refresh_token=x"), true,
         "client_auth_secret"},
        {world_basic(w, "unknown", W_SECRET), STR("grant_type=refresh_token&refresh_token=x"), true,
         "client_unknown"},
        {"Authorization: Bearer x\r\n", STR("grant_type=refresh_token&refresh_token=x"), true,
         "client_auth_scheme"},
        {"Authorization: Basic !\r\n", STR("grant_type=refresh_token&refresh_token=x"), true,
         "client_auth_malformed"},
        {"", STR("grant_type=refresh_token&refresh_token=x&client_id=" W_BASIC), false,
         "client_auth_method"},
        {"",
         STR("grant_type=refresh_token&refresh_token=x&client_id=" W_BASIC
             "&client_secret=" W_SECRET),
         false, "client_auth_method"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        answer_t r = world_post(w, "/token", rows[i].header, rows[i].form);
        assert_status(r, 401);
        assert_text(answer_error(w, &r), "invalid_client");
        str_t challenge = answer_header(&r, "www-authenticate");
        assert_int_equal(str_is_set(challenge), rows[i].challenge);
        if (rows[i].challenge)
            assert_true(str_starts(challenge, STR("Basic")));
        assert_str(json_get_str(trail_last(w), STR("reason")), str_c(rows[i].reason));
    }
}

static void two_ways_at_once_are_refused(void **state)
{
    world_t *w = *state;
    answer_t r = world_post(w, "/token", world_basic(w, W_BASIC, W_SECRET),
                            STR("grant_type=refresh_token&refresh_token=x&client_id=" W_BASIC
                                "&client_secret=" W_SECRET));
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_request");
    const char *basic = world_basic(w, W_BASIC, W_SECRET);
    str_t twice = arena_printf(w->a, "%s%s", basic, basic);
    r = world_post(w, "/token", arena_cstr(w->a, twice),
                   STR("grant_type=refresh_token&refresh_token=x"));
    assert_status(r, 400);
}

static void bad_requests_are_told_apart(void **state)
{
    static const struct {
        const char *form, *error;
    } ROWS[] = {
        {"client_id=" W_PUBLIC, "invalid_request"},
        {"client_id=" W_PUBLIC "&grant_type=password", "unsupported_grant_type"},
        {"client_id=" W_PUBLIC "&grant_type=authorization_code", "invalid_request"},
        {"client_id=" W_PUBLIC
         "&grant_type=authorization_code&code=wrc_x&code_verifier=" W_VERIFIER,
         "invalid_grant"},
        {"client_id=" W_PUBLIC "&grant_type=refresh_token&refresh_token=wrr_x", "invalid_grant"},
        {"client_id=" W_PUBLIC "&grant_type=refresh_token", "invalid_request"},
        {"client_id=" W_PUBLIC "&grant_type=refresh_token&refresh_token=a&refresh_token=b",
         "invalid_request"},
        {"client_id=%zz", "invalid_request"},
    };
    world_t *w = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        answer_t r = world_post(w, "/token", "", str_c(ROWS[i].form));
        assert_status(r, 400);
        assert_str(answer_error(w, &r), str_c(ROWS[i].error));
    }
    assert_int_equal(trail_count(w, "token", "allow", NULL), 0);
}

static void a_replayed_code_ends_its_family(void **state)
{
    world_t *w = *state;
    str_t code = walk(w);
    answer_t r = redeem(w, code);
    tokens_t t = answer_tokens(w, &r);
    r = redeem(w, code);
    assert_grant_error(w, &r);
    assert_int_equal(trail_count(w, "code_replay", "deny", "code_replayed"), 1);
    r = refresh(w, t.refresh);
    assert_grant_error(w, &r);
    assert_text(json_get_str(trail_last(w), STR("reason")), "refresh_revoked");
}

static void a_replay_without_the_verifier_ends_nothing(void **state)
{
    world_t *w = *state;
    str_t code = walk(w);
    answer_t r = redeem(w, code);
    tokens_t t = answer_tokens(w, &r);
    r = world_post(w, "/token", "",
                   arena_printf(w->a,
                                "grant_type=authorization_code&client_id=" W_PUBLIC "&code=%" PRIstr
                                "&code_verifier=" W_VERIFIER "x",
                                STR_ARG(code)));
    assert_grant_error(w, &r);
    r = refresh(w, t.refresh);
    answer_tokens(w, &r);
}

static void an_expired_code_is_refused(void **state)
{
    world_t *w = *state;
    str_t code = walk(w);
    world_pass(w, w->conf->code_lifetime);
    answer_t r = redeem(w, code);
    assert_grant_error(w, &r);
    assert_text(json_get_str(trail_last(w), STR("reason")), "code_expired");
}

static void a_code_of_another_client_is_refused(void **state)
{
    world_t *w = *state;
    str_t code = walk(w);
    answer_t r =
        world_post(w, "/token", world_basic(w, W_BASIC, W_SECRET), code_form(w, W_BASIC, code));
    assert_grant_error(w, &r);
    r = redeem(w, code);
    answer_tokens(w, &r); /* and is not burnt */
}

/* Both looked before either had redeemed: the store lets one through, the other looks again and
 * finds the code used. */
static void of_two_redemptions_exactly_one_wins(void **state)
{
    world_t *w = *state;
    str_t code = walk(w);
    str_t request = world_request(w, "POST", STR("/token"), W_FORM, code_form(w, W_PUBLIC, code));
    w->faults.hold = true;
    http_direct_t *one = world_send(w, request), *two = world_send(w, request);
    assert_int_equal(w->n_held, 2);
    w->faults.hold = false;
    world_release(w, 1);
    world_release(w, 0);
    answer_t second = world_land(w, two), first = world_land(w, one);
    tokens_t t = answer_tokens(w, &second);
    assert_grant_error(w, &first);
    assert_int_equal(trail_count(w, "token", "allow", NULL), 1);
    assert_int_equal(trail_count(w, "code_replay", "deny", "code_replayed"), 1);
    first = refresh(w, t.refresh);
    assert_grant_error(w, &first); /* whose is it? nobody's any more */
}

static void of_many_redemptions_exactly_one_wins(void **state)
{
    enum { N = 10 };
    world_t *w = *state;
    str_t code = walk(w);
    str_t request = world_request(w, "POST", STR("/token"), W_FORM, code_form(w, W_PUBLIC, code));
    http_direct_t *flights[N];
    int won = 0;
    for (int i = 0; i < N; i++)
        flights[i] = world_send(w, request);
    for (int i = 0; i < N; i++) {
        answer_t r = world_land(w, flights[i]);
        won += r.status == 200;
        if (r.status != 200)
            assert_grant_error(w, &r);
    }
    assert_int_equal(won, 1);
}

static void a_disabled_person_gets_no_more_tokens(void **state)
{
    world_t *w = *state;
    str_t code = walk(w);
    tokens_t t = world_grant(w);
    world_put_key(w, EFFECT_USER_DISABLE, STR(W_USER_ID));
    answer_t r = refresh(w, t.refresh);
    assert_grant_error(w, &r);
    r = redeem(w, code);
    assert_grant_error(w, &r);
    assert_text(json_get_str(trail_last(w), STR("reason")), "code_unknown");
}

static void a_withdrawn_resource_gives_no_more_tokens(void **state)
{
    world_t *w = *state;
    tokens_t t = world_grant(w);
    world_put_key(w, EFFECT_RESOURCE_DELETE, STR(W_RESOURCE));
    answer_t r = refresh(w, t.refresh);
    assert_grant_error(w, &r);
    assert_text(json_get_str(trail_last(w), STR("reason")), "resource_withdrawn");
}

/* One client that guesses at one address must not keep others out, nor itself elsewhere. */
static void failures_are_counted_by_client_and_address(void **state)
{
    static const uint8_t other[4] = {192, 0, 2, 8};
    world_t *w = *state;
    world_restart(w, "token_failures_per_minute", "2");
    const char *wrong = world_basic(w, W_MACHINE, "wrong");
    str_t form = STR("grant_type=client_credentials");
    for (int i = 0; i < 2; i++) {
        answer_t r = world_post(w, "/token", wrong, form);
        assert_status(r, 401);
    }
    answer_t r = world_post(w, "/token", world_basic(w, W_MACHINE, W_SECRET), form);
    assert_status(r, 429);
    assert_text(answer_header(&r, "retry-after"), "30");
    r = world_post(w, "/token", world_basic(w, W_BASIC, W_SECRET), form);
    assert_status(r, 400);
    w->peer = http_addr_from_bytes(other, sizeof other);
    r = world_post(w, "/token", world_basic(w, W_MACHINE, W_SECRET), form);
    assert_status(r, 200);
}

static void good_requests_do_not_count_as_failures(void **state)
{
    world_t *w = *state;
    world_restart(w, "token_failures_per_minute", "1");
    for (int i = 0; i < 5; i++) {
        answer_t r = world_post(w, "/token", world_basic(w, W_MACHINE, W_SECRET),
                                STR("grant_type=client_credentials"));
        assert_status(r, 200);
    }
}

static void requests_are_counted_by_client(void **state)
{
    world_t *w = *state;
    world_restart(w, "token_requests_per_minute", "2");
    for (int i = 0; i < 2; i++) {
        answer_t r = refresh(w, STR("wrr_x"));
        assert_status(r, 400);
    }
    answer_t r = refresh(w, STR("wrr_x"));
    assert_status(r, 429);
    r = world_post(w, "/token", world_basic(w, W_MACHINE, W_SECRET),
                   STR("grant_type=client_credentials"));
    assert_status(r, 200);
}

static void no_limit_is_no_limit(void **state)
{
    world_t *w = *state;
    world_restart(w, "token_requests_per_minute", "0");
    for (int i = 0; i < 700; i++) {
        answer_t r = refresh(w, STR("wrr_x"));
        assert_status(r, 400);
    }
}

static void memory_ends_anywhere(void **state)
{
    world_t *w = *state;
    str_t code = walk(w);
    world_starve(w, world_request(w, "POST", STR("/token"), W_FORM, code_form(w, W_PUBLIC, code)),
                 200);
    assert_int_equal(trail_count(w, "token", "allow", NULL), 1);
}

static void no_randomness_is_503(void **state)
{
    world_t *w = *state;
    str_t code = walk(w);
    atomic_store(&w->random_fails, true);
    answer_t r = redeem(w, code);
    assert_status(r, 503);
    atomic_store(&w->random_fails, false);
    r = redeem(w, code);
    answer_tokens(w, &r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_code_gives_tokens),
        WORLD_TEST(clients_authenticate_as_they_registered),
        WORLD_TEST(a_machine_gets_a_token_of_its_own),
        WORLD_TEST(a_public_client_gets_no_token_of_its_own),
        WORLD_TEST(who_fails_to_authenticate_gets_401),
        WORLD_TEST(two_ways_at_once_are_refused),
        WORLD_TEST(bad_requests_are_told_apart),
        WORLD_TEST(a_replayed_code_ends_its_family),
        WORLD_TEST(a_replay_without_the_verifier_ends_nothing),
        WORLD_TEST(an_expired_code_is_refused),
        WORLD_TEST(a_code_of_another_client_is_refused),
        WORLD_TEST(of_two_redemptions_exactly_one_wins),
        WORLD_TEST(of_many_redemptions_exactly_one_wins),
        WORLD_TEST(a_disabled_person_gets_no_more_tokens),
        WORLD_TEST(a_withdrawn_resource_gives_no_more_tokens),
        WORLD_TEST(failures_are_counted_by_client_and_address),
        WORLD_TEST(good_requests_do_not_count_as_failures),
        WORLD_TEST(requests_are_counted_by_client),
        WORLD_TEST(no_limit_is_no_limit),
        WORLD_TEST(memory_ends_anywhere),
        WORLD_TEST(no_randomness_is_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
