#include "as/client.h"

#include "as/as_test_browser.h"

#include "core/limits.h"

static answer_t guess(world_t *w, const char *id)
{
    return world_post(w, "/token", world_basic(w, id, "wrong"),
                      STR("grant_type=client_credentials"));
}

static void each_unknown_client_is_counted_by_itself(void **state)
{
    world_t *w = *state;
    world_restart(w, "token_failures_per_minute", "1");
    answer_t r = guess(w, "one");
    assert_status(r, 401);
    r = guess(w, "two");
    assert_status(r, 401);
    r = guess(w, "one");
    assert_status(r, 429);
}

/* Longer ones share what they begin with: no caller chooses how much is kept. */
static void a_long_id_is_counted_by_its_beginning(void **state)
{
    world_t *w = *state;
    char id[LIMIT_CLIENT_ID_BYTES + 2] = {0};
    memset(id, 'x', LIMIT_CLIENT_ID_BYTES + 1);
    world_restart(w, "token_failures_per_minute", "1");
    answer_t r = guess(w, id);
    assert_status(r, 401);
    id[LIMIT_CLIENT_ID_BYTES] = 'y';
    r = guess(w, id);
    assert_status(r, 429);
}

static void an_ipv6_network_is_one_address(void **state)
{
    static const uint8_t one[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    static const uint8_t two[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};
    static const uint8_t far[16] = {0x20, 0x01, 0x0d, 0xb8, [7] = 1, [15] = 1};
    world_t *w = *state;
    world_restart(w, "token_failures_per_minute", "1");
    w->peer = http_addr_from_bytes(one, sizeof one);
    answer_t r = guess(w, "x");
    assert_status(r, 401);
    w->peer = http_addr_from_bytes(two, sizeof two);
    r = guess(w, "x");
    assert_status(r, 429);
    w->peer = http_addr_from_bytes(far, sizeof far);
    r = guess(w, "x");
    assert_status(r, 401);
}

/* Who says nothing of itself is counted, too. */
static void no_id_is_counted_as_well(void **state)
{
    world_t *w = *state;
    world_restart(w, "token_failures_per_minute", "1");
    answer_t r = world_post(w, "/token", "", STR("grant_type=refresh_token"));
    assert_status(r, 401);
    r = world_post(w, "/token", "", STR("grant_type=refresh_token"));
    assert_status(r, 429);
}

static void what_is_not_about_the_client_is_not_counted(void **state)
{
    world_t *w = *state;
    world_restart(w, "token_failures_per_minute", "1");
    for (int i = 0; i < 3; i++) {
        answer_t r = world_post(
            w, "/token", "", STR("grant_type=refresh_token&refresh_token=x&client_id=" W_PUBLIC));
        assert_status(r, 400);
    }
}

/* A claim that is refused by its form needs no look into the store. */
static void a_bad_claim_asks_nothing(void **state)
{
    world_t *w = *state;
    unsigned before = w->faults.asks;
    answer_t r =
        world_post(w, "/token", "Authorization: Basic !\r\n", STR("grant_type=client_credentials"));
    assert_status(r, 401);
    assert_int_equal(w->faults.asks, before);
}

/* Made-up clients cost a durable line each: an address may not write as many as it likes. */
static void strangers_are_counted_by_address(void **state)
{
    world_t *w = *state;
    world_restart(w, "page_requests_per_minute", "2");
    answer_t r = guess(w, "one");
    assert_status(r, 401);
    r = guess(w, "two");
    assert_status(r, 401);
    r = guess(w, "three");
    assert_status(r, 429);
    assert_true(str_is_set(answer_header(&r, "retry-after")));
    assert_int_equal(trail_count(w, "token", "deny", "client_unknown"), 2);
    r = guess(w, W_BASIC);
    assert_status(r, 401); /* who is known is counted by itself */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(each_unknown_client_is_counted_by_itself),
        WORLD_TEST(a_long_id_is_counted_by_its_beginning),
        WORLD_TEST(an_ipv6_network_is_one_address),
        WORLD_TEST(no_id_is_counted_as_well),
        WORLD_TEST(strangers_are_counted_by_address),
        WORLD_TEST(what_is_not_about_the_client_is_not_counted),
        WORLD_TEST(a_bad_claim_asks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
