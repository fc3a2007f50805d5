/* Which scopes are asked for, and how often. */
#include "tokens/tokens_test_world.h"

static void the_scopes_of_the_challenge_come_first(void **state)
{
    play_t *p = *state;
    p->w->challenge_scope = "c";
    p->w->scopes = "a b";
    play_begin(p);
    play_goes(p, NULL);
    assert_string_equal(p->w->scope_asked, "c");
}

static void what_the_person_wants_comes_before_all(void **state)
{
    play_t *p = *state;
    p->w->challenge_scope = "c";
    p->config.scope = STR("d");
    play_begin(p);
    play_goes(p, NULL);
    assert_string_equal(p->w->scope_asked, "d");
    play_goes(p, "e");
    assert_string_equal(p->w->scope_asked, "d e");
}

static void no_scope_is_sent_where_nobody_names_one(void **state)
{
    play_t *p = *state;
    play_begin(p);
    play_goes(p, NULL);
    assert_string_equal(p->w->scope_asked, "");
}

static void scopes_are_not_lost_by_a_new_sign_in(void **state)
{
    play_t *p = *state;
    p->w->challenge_scope = "a";
    play_begin(p);
    play_goes(p, "b");
    for (size_t i = 0; i < p->w->n_tokens; i++)
        p->w->tokens[i].refresh_live = p->w->tokens[i].access_live = false;
    play_goes(p, NULL);
    assert_string_equal(p->w->scope_asked, "a b");
}

/* attack case: CLI-018 */
static void a_step_up_asks_for_the_union(void **state)
{
    play_t *p = *state;
    p->w->challenge_scope = "a";
    play_begin(p);
    play_goes(p, "a");
    play_goes(p, "b");
    assert_string_equal(p->w->scope_asked, "a b");
    play_goes(p, "a");
    play_goes(p, "c");
    assert_string_equal(p->w->scope_asked, "a b c");
    assert_int_equal(p->w->opened, 3);
    assert_int_equal(p->w->refreshes, 0);
}

static void offline_access_where_the_server_lists_it(void **state)
{
    play_t *p = *state;
    p->w->challenge_scope = "a";
    p->w->server_scopes = "offline_access";
    play_begin(p);
    play_goes(p, "a");
    assert_string_equal(p->w->scope_asked, "a offline_access");
}

/* attack case: CLI-017 */
static void step_up_limit(void **state)
{
    play_t *p = *state;
    p->w->challenge_scope = "a";
    p->w->never_enough = true;
    play_begin(p);
    play_fails(p, "b", CLIENT_STEP_UP_LIMIT);
    assert_int_equal(p->w->opened, 3); /* the first, "b" too, the same again */
    play_fails(p, "b", CLIENT_STEP_UP_LIMIT);
    assert_int_equal(p->w->opened, 3);
    p->w->never_enough = false;
    play_goes(p, "b");
}

static void step_up_limit_of_scopes_that_never_end(void **state)
{
    static const char *const SCOPES[] = {"b", "c", "d", "e", "f", "g", "h", "i"};
    play_t *p = *state;
    p->w->challenge_scope = "a";
    p->w->never_enough = true;
    play_begin(p);
    for (size_t i = 0; i < ROWS(SCOPES); i++)
        (void)play_call(p, SCOPES[i]);
    assert_int_equal(p->why.reason, CLIENT_STEP_UP_LIMIT);
    assert_true(p->w->opened <= 1 + CLIENT_STEP_UP_IN_A_ROW);
}

static void forbidden(void **state)
{
    play_t *p = *state;
    play_begin(p);
    play_fails(p, "nobody", CLIENT_FORBIDDEN);
    play_goes(p, NULL);
    assert_int_equal(p->w->opened, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY_TEST(the_scopes_of_the_challenge_come_first),
        PLAY_TEST(what_the_person_wants_comes_before_all),
        PLAY_TEST(no_scope_is_sent_where_nobody_names_one),
        PLAY_TEST(scopes_are_not_lost_by_a_new_sign_in),
        PLAY_TEST(a_step_up_asks_for_the_union),
        PLAY_TEST(offline_access_where_the_server_lists_it),
        PLAY_TEST(step_up_limit),
        PLAY_TEST(step_up_limit_of_scopes_that_never_end),
        PLAY_TEST(forbidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
