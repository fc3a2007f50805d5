/* Sign-ins on another machine (RFC 8628). */
#include "tokens/tokens_test_world.h"

static void device(play_t *p)
{
    p->config.way = TOKENS_DEVICE;
    p->w->mono_step = 1000;
    p->w->challenge_scope = "a";
}

static void a_device_shows_a_code_and_waits(void **state)
{
    play_t *p = *state;
    device(p);
    p->w->pending = 2; /* one "slow down", one "pending" */
    play_begin(p);
    play_goes(p, "a");
    assert_string_equal(p->w->said, "ABCD-EFGH");
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), 3);
    assert_int_equal(p->w->opened, 0);
}

static void a_device_waits_through_an_outage(void **state)
{
    play_t *p = *state;
    device(p);
    p->w->token_500 = 1;
    p->w->token_down = 1;
    play_begin(p);
    play_goes(p, "a");
}

static void a_device_is_declined(void **state)
{
    play_t *p = *state;
    device(p);
    p->w->device_error = "access_denied";
    play_begin(p);
    play_fails(p, "a", CLIENT_AUTHORIZATION_REFUSED);
}

static void a_device_code_ends(void **state)
{
    play_t *p = *state;
    device(p);
    p->w->device_error = "expired_token";
    play_begin(p);
    play_fails(p, "a", CLIENT_SIGN_IN_TIMEOUT);
}

static void a_device_that_shows_nothing_asks_nobody(void **state)
{
    play_t *p = *state;
    device(p);
    p->w->nobody = true;
    play_begin(p);
    play_fails(p, "a", CLIENT_SIGN_IN_NEEDED);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), 0);
}

static void a_code_is_shown_without_what_rules_a_terminal(void **state)
{
    play_t *p = *state;
    device(p);
    p->w->user_code = "AB\\u001b[2JCD\\r\\nEF\\u202e";
    play_begin(p);
    play_goes(p, "a");
    assert_string_equal(p->w->said, "AB[2JCD EF");
}

/* What listens on this machine is no page of a public server. */
static void url_out_of_reach(void **state)
{
    static const char *const PAGES[] = {"http://127.0.0.1:8080/x", "https://localhost/x",
                                        "https://192.168.1.1/x"};
    play_t *p = *state;
    device(p);
    for (size_t i = 0; i < ROWS(PAGES); i++) {
        p->w->device_page = PAGES[i];
        play_begin(p);
        play_fails(p, "a", CLIENT_URL_OUT_OF_REACH);
        assert_string_equal(p->w->said, "");
    }
    p->config.reach = HTTP_REACH_ANY;
    play_begin(p);
    play_goes(p, "a");
}

static void a_code_that_never_ends_is_not_waited_for(void **state)
{
    play_t *p = *state;
    device(p);
    p->w->mono_step = 100000;
    p->w->device_life = 300000000;
    p->w->device_error = "authorization_pending";
    play_begin(p);
    play_fails(p, "a", CLIENT_SIGN_IN_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY_TEST(a_device_shows_a_code_and_waits),
        PLAY_TEST(a_device_waits_through_an_outage),
        PLAY_TEST(a_device_is_declined),
        PLAY_TEST(a_device_code_ends),
        PLAY_TEST(a_device_that_shows_nothing_asks_nobody),
        PLAY_TEST(a_code_is_shown_without_what_rules_a_terminal),
        PLAY_TEST(url_out_of_reach),
        PLAY_TEST(a_code_that_never_ends_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
