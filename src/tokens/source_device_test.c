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

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY_TEST(a_device_shows_a_code_and_waits),
        PLAY_TEST(a_device_waits_through_an_outage),
        PLAY_TEST(a_device_is_declined),
        PLAY_TEST(a_device_code_ends),
        PLAY_TEST(a_device_that_shows_nothing_asks_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
