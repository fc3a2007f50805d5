/* Tokens that are bound to a key (RFC 9449). */
#include "tokens/tokens_test_world.h"

static void a_resource_that_demands_it_gets_proofs(void **state)
{
    play_t *p = *state;
    p->w->bound = true;
    play_begin(p);
    play_goes(p, NULL);
    play_goes(p, NULL);
    assert_string_not_equal(p->w->tokens[0].jkt, "");
    assert_string_equal(p->w->codes[0].jkt, p->w->tokens[0].jkt);
}

static void the_key_stays_over_refreshes_and_runs(void **state)
{
    play_t *p = *state;
    p->w->bound = true;
    play_begin(p);
    play_goes(p, NULL);
    play_begin(p);
    p->w->now += p->w->lifetime;
    play_goes(p, NULL);
    assert_int_equal(p->w->refreshes, 1);
    assert_string_equal(p->w->tokens[1].jkt, p->w->tokens[0].jkt);
}

static void wanted_and_listed(void **state)
{
    play_t *p = *state;
    p->config.dpop = true;
    p->w->bound_listed = true;
    play_begin(p);
    play_goes(p, NULL);
    assert_string_not_equal(p->w->tokens[0].jkt, "");
}

static void wanted_and_not_listed_is_a_bearer_token(void **state)
{
    play_t *p = *state;
    p->config.dpop = true;
    play_begin(p);
    play_goes(p, NULL);
    assert_string_equal(p->w->tokens[0].jkt, "");
}

static void listed_and_not_wanted_is_a_bearer_token(void **state)
{
    play_t *p = *state;
    p->w->bound_listed = true;
    play_begin(p);
    play_goes(p, NULL);
    assert_string_equal(p->w->tokens[0].jkt, "");
}

static void nonces_of_both_servers_are_learned(void **state)
{
    play_t *p = *state;
    p->w->bound = p->w->server_nonce = p->w->endpoint_nonce = true;
    play_begin(p);
    play_goes(p, NULL);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), 2);
    assert_int_equal(p->w->calls, 3); /* no token, no nonce, both */
    play_goes(p, NULL);
    assert_int_equal(p->w->calls, 4);
    p->w->now += p->w->lifetime;
    play_goes(p, NULL);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), 3);
    assert_int_equal(p->w->calls, 5);
}

static void nonce_loop_of_the_authorization_server(void **state)
{
    play_t *p = *state;
    p->w->bound = p->w->server_nonce = p->w->nonce_never_taken = true;
    play_begin(p);
    play_fails(p, NULL, CLIENT_NONCE_LOOP);
    assert_int_equal(world_asked(p->w, "POST " WORLD_ISSUER "/token"), 2);
}

static void nonce_loop_of_the_endpoint(void **state)
{
    play_t *p = *state;
    p->w->bound = p->w->endpoint_nonce = p->w->nonce_never_taken = true;
    play_begin(p);
    play_fails(p, NULL, CLIENT_NONCE_LOOP);
    assert_true(p->w->calls <= 5);
    p->w->nonce_never_taken = false;
    play_goes(p, NULL);
}

static const char *last_jkt(const play_t *p)
{
    return p->w->tokens[p->w->n_tokens - 1].jkt;
}

static void a_server_that_stops_binding_is_signed_in_to_once_more(void **state)
{
    play_t *p = *state;
    p->w->bound_listed = p->config.dpop = true;
    play_begin(p);
    play_goes(p, NULL);
    assert_string_not_equal(last_jkt(p), "");
    p->w->unbinds = true;
    p->config.dpop = false;
    play_begin(p);
    p->w->now += p->w->lifetime;
    play_goes(p, NULL);
    assert_string_equal(last_jkt(p), "");
    p->w->now += p->w->lifetime;
    play_goes(p, NULL);
    assert_int_equal(p->w->refreshes, 2);
    assert_int_equal(p->w->bad_refreshes, 0); /* the one that went is not sent again */
}

/* It went for an answer that was not taken: the server has another in its place. */
static void a_refresh_token_that_went_for_nothing_is_forgotten(void **state)
{
    play_t *p = *state;
    p->w->bound_listed = p->config.dpop = true;
    play_begin(p);
    play_goes(p, NULL);
    p->w->unbinds = true;
    p->w->now += p->w->lifetime;
    play_fails(p, NULL, CLIENT_TOKEN_TYPE);
    p->w->unbinds = false;
    p->w->mono += 600000; /* no failure counts any more */
    play_goes(p, NULL);
    assert_string_not_equal(last_jkt(p), "");
    assert_int_equal(p->w->refreshes, 1);
    assert_int_equal(p->w->bad_refreshes, 0);
}

static void a_kept_key_binds_nothing_that_need_not_be(void **state)
{
    play_t *p = *state;
    p->w->bound_listed = p->config.dpop = p->w->no_refresh_tokens = true;
    play_begin(p);
    play_goes(p, NULL);
    p->w->unbinds = true;
    p->config.dpop = false;
    play_begin(p);
    p->w->now += p->w->lifetime;
    play_goes(p, NULL);
    assert_string_equal(last_jkt(p), "");
}

static void token_type_where_binding_is_wanted(void **state)
{
    play_t *p = *state;
    p->w->bound_listed = p->config.dpop = p->w->unbinds = true;
    play_begin(p);
    play_fails(p, NULL, CLIENT_TOKEN_TYPE);
    p->config.dpop = false;
    play_begin(p);
    play_goes(p, NULL);
    assert_string_equal(last_jkt(p), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY_TEST(a_resource_that_demands_it_gets_proofs),
        PLAY_TEST(the_key_stays_over_refreshes_and_runs),
        PLAY_TEST(wanted_and_listed),
        PLAY_TEST(wanted_and_not_listed_is_a_bearer_token),
        PLAY_TEST(listed_and_not_wanted_is_a_bearer_token),
        PLAY_TEST(a_server_that_stops_binding_is_signed_in_to_once_more),
        PLAY_TEST(a_refresh_token_that_went_for_nothing_is_forgotten),
        PLAY_TEST(a_kept_key_binds_nothing_that_need_not_be),
        PLAY_TEST(token_type_where_binding_is_wanted),
        PLAY_TEST(nonces_of_both_servers_are_learned),
        PLAY_TEST(nonce_loop_of_the_authorization_server),
        PLAY_TEST(nonce_loop_of_the_endpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
