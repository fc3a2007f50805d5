/* The contract of users and their sessions, for every driver. */
#include "store/store_test_util.h"

static void assert_user(const user_t *got, const user_t *want)
{
    assert_non_null(got);
    assert_str(got->id, want->id);
    assert_str(got->name, want->name);
    assert_str(got->password, want->password);
    assert_int_equal(got->disabled, want->disabled);
    assert_int_equal(got->admin, want->admin);
    assert_int_equal(got->created_at, want->created_at);
    assert_int_equal(got->password_changed_at, want->password_changed_at);
    assert_str(got->issuer, want->issuer);
    assert_str(got->subject, want->subject);
    assert_list(got->groups, want->groups);
}

static void groups_are_replaced(void **state)
{
    play_t *p = *state;
    user_t u = test_user(STR("u1"), STR("mia")), other = test_user(STR("u2"), STR("tom"));
    user_t change = {.id = STR("u1"), .groups = {(str_t[]){STR("a\0b")}, 1}};
    session_t session = test_session("s", u.id);
    put_user(p, &u);
    put_user(p, &other);
    play_add(p, EFFECT_SESSION_INSERT)->u.session = &session;
    assert_applied(p);
    play_add(p, EFFECT_USER_SET_GROUPS)->u.user = &change;
    assert_applied(p);
    u.groups = change.groups;
    assert_user(get_user(p, u.id), &u);
    assert_user(get_user(p, other.id), &other);
    assert_non_null(get_session(p, "s"));
    change.groups = (str_list_t){0};
    play_add(p, EFFECT_USER_SET_GROUPS)->u.user = &change;
    assert_applied(p);
    assert_int_equal(get_user(p, u.id)->groups.n, 0);
    change.id = STR("nobody");
    play_add(p, EFFECT_USER_SET_GROUPS)->u.user = &change;
    assert_refused(p, RC_CONFLICT, 0);
}

static void user_comes_back_by_id_and_by_name(void **state)
{
    play_t *p = *state;
    user_t u = test_user(STR("u1"), STR("mia")), bare = {.id = STR("u2"), .name = STR("tom")};
    put_user(p, &u);
    put_user(p, &bare);
    assert_user(get_user(p, u.id), &u);
    assert_user(get_user(p, bare.id), &bare);
    ask_t found = {.kind = ASK_USER_BY_NAME, .key = STR("mia")};
    ask_t other_case = {.kind = ASK_USER_BY_NAME, .key = STR("Mia")};
    play_ask(p, &found);
    play_ask(p, &other_case);
    assert_user(found.u.user, &u);
    assert_null(other_case.u.user);
}

static void user_insert_conflicts_when_the_name_is_taken(void **state)
{
    play_t *p = *state;
    user_t u = test_user(STR("u1"), STR("mia")), same_name = test_user(STR("u2"), STR("mia"));
    user_t same_id = test_user(STR("u1"), STR("tom"));
    put_user(p, &u);
    play_add(p, EFFECT_USER_INSERT)->u.user = &same_name;
    assert_refused(p, RC_CONFLICT, 0);
    play_add(p, EFFECT_USER_INSERT)->u.user = &same_id;
    assert_refused(p, RC_CONFLICT, 0);
    assert_null(get_user(p, same_name.id));
    assert_user(get_user(p, u.id), &u);
}

static void user_without_an_id_is_an_error_of_the_caller(void **state)
{
    play_t *p = *state;
    user_t u = {.name = STR("mia")};
    play_add(p, EFFECT_USER_INSERT)->u.user = &u;
    /* No conflict: asking again would not help. */
    assert_refused(p, RC_IO, 0);
}

static void first_user_conflicts_when_there_is_one(void **state)
{
    play_t *p = *state;
    user_t u = test_user(STR("u1"), STR("mia")), late = test_user(STR("u2"), STR("tom"));
    ask_t count = {.kind = ASK_ANY_USER};
    play_ask(p, &count);
    assert_int_equal(count.count, 0);
    play_add(p, EFFECT_USER_INSERT_FIRST)->u.user = &u;
    assert_applied(p);
    play_add(p, EFFECT_USER_INSERT_FIRST)->u.user = &late;
    assert_refused(p, RC_CONFLICT, 0);
    play_ask(p, &count);
    assert_int_equal(count.count, 1);
    assert_null(get_user(p, late.id));
}

static void users_are_listed_by_name(void **state)
{
    play_t *p = *state;
    user_t a = test_user(STR("1"), STR("zoe")), b = test_user(STR("2"), STR("ann"));
    put_user(p, &a);
    put_user(p, &b);
    ask_t all = {.kind = ASK_USERS}, one = {.kind = ASK_USERS, .limit = 1};
    ask_t any = {.kind = ASK_ANY_USER};
    play_ask(p, &all);
    play_ask(p, &one);
    play_ask(p, &any);
    assert_int_equal(any.count, 1);
    assert_int_equal(all.count, 2);
    assert_int_equal(one.count, 1);
    assert_user(&all.u.users[0], &b);
    assert_user(&all.u.users[1], &a);
    assert_user(&one.u.users[0], &b);
}

/* Two users, each with a session, a family, a code that is good, and one that is spent. */
static void settle_two(play_t *p)
{
    static const char *const SPENT[] = {"spent1", "spent2"};
    static const str_t IDS[] = {STR_INIT("u1"), STR_INIT("u2")};
    for (int i = 0; i < 2; i++) {
        user_t u = test_user(IDS[i], IDS[i]);
        session_t s = test_session(IDS[i].p, IDS[i]);
        family_t f = test_family(IDS[i]);
        code_t c = test_code(IDS[i].p, IDS[i]), spent = test_code(SPENT[i], IDS[i]);
        f.user_id = c.user_id = spent.user_id = IDS[i];
        spent.consumed_at = TEST_NOW - 1;
        put_user(p, &u);
        put_session(p, &s);
        put_family(p, &f);
        put_code(p, &c);
        put_code(p, &spent);
    }
}

static void assert_ended(play_t *p, str_t reason)
{
    assert_null(get_session(p, "u1"));
    assert_null(get_code(p, "u1"));
    assert_non_null(get_code(p, "spent1")); /* a replay is still known */
    assert_non_null(get_code(p, "u2"));
    assert_int_equal(get_family(p, STR("u1"))->revoked_at, TEST_NOW);
    assert_str(get_family(p, STR("u1"))->revoked_reason, reason);
    assert_non_null(get_session(p, "u2"));
    assert_int_equal(get_family(p, STR("u2"))->revoked_at, 0);
}

static void set_password_ends_all_that_was_opened(void **state)
{
    play_t *p = *state;
    settle_two(p);
    user_t changed = {.id = STR("u1"), .password = STR("$argon2id$new")};
    play_add(p, EFFECT_USER_SET_PASSWORD)->u.user = &changed;
    assert_applied(p);
    const user_t *got = get_user(p, STR("u1"));
    assert_str(got->password, changed.password);
    assert_int_equal(got->password_changed_at, TEST_NOW);
    assert_true(got->admin);
    assert_ended(p, STR("password_changed"));
}

static void set_password_conflicts_without_the_user(void **state)
{
    play_t *p = *state;
    user_t nobody = {.id = STR("nobody"), .password = STR("x")};
    play_add(p, EFFECT_USER_SET_PASSWORD)->u.user = &nobody;
    assert_refused(p, RC_CONFLICT, 0);
}

static void disable_ends_all_that_was_opened(void **state)
{
    play_t *p = *state;
    settle_two(p);
    play_add(p, EFFECT_USER_DISABLE)->u.key = STR("u1");
    assert_applied(p);
    assert_true(get_user(p, STR("u1"))->disabled);
    assert_false(get_user(p, STR("u2"))->disabled);
    assert_ended(p, STR("user_disabled"));
}

static void disable_conflicts_without_the_user(void **state)
{
    play_t *p = *state;
    play_add(p, EFFECT_USER_DISABLE)->u.key = STR("nobody");
    assert_refused(p, RC_CONFLICT, 0);
}

static void ended_family_keeps_its_first_reason(void **state)
{
    play_t *p = *state;
    settle_two(p);
    family_t revoke = {
        .id = STR("u1"), .revoked_at = TEST_NOW - 50, .revoked_reason = STR("refresh_reuse")};
    play_add(p, EFFECT_FAMILY_REVOKE)->u.family = &revoke;
    assert_applied(p);
    play_add(p, EFFECT_USER_DISABLE)->u.key = STR("u1");
    assert_applied(p);
    assert_int_equal(get_family(p, STR("u1"))->revoked_at, TEST_NOW - 50);
    assert_str(get_family(p, STR("u1"))->revoked_reason, revoke.revoked_reason);
}

static void session_comes_back_with_its_user(void **state)
{
    play_t *p = *state;
    user_t u = test_user(STR("u1"), STR("mia"));
    session_t s = test_session("s", u.id), orphan = test_session("o", STR("gone"));
    put_user(p, &u);
    put_session(p, &s);
    put_session(p, &orphan);
    ask_t asks[] = {{.kind = ASK_SESSION, .hash = s.id},
                    {.kind = ASK_SESSION, .hash = orphan.id},
                    {.kind = ASK_SESSION, .hash = test_hash("?")}};
    assert_int_equal(play_ask_all(p, asks, 3), RC_OK);
    assert_non_null(asks[0].u.session);
    assert_memory_equal(&asks[0].u.session->id, &s.id, sizeof s.id);
    assert_str(asks[0].u.session->user_id, u.id);
    assert_int_equal(asks[0].u.session->auth_time, s.auth_time);
    assert_int_equal(asks[0].u.session->created_at, s.created_at);
    assert_int_equal(asks[0].u.session->seen_at, s.seen_at);
    assert_int_equal(asks[0].u.session->expires_at, s.expires_at);
    assert_str(asks[0].u.session->acr, s.acr);
    assert_user(asks[0].owner, &u);
    assert_non_null(asks[1].u.session);
    assert_null(asks[1].owner);
    assert_null(asks[2].u.session);
    assert_null(asks[2].owner);
}

static void session_touch_moves_only_its_last_use(void **state)
{
    play_t *p = *state;
    session_t s = test_session("s", STR("u1")), touch = {.id = s.id, .seen_at = TEST_NOW + 9};
    put_session(p, &s);
    play_add(p, EFFECT_SESSION_TOUCH)->u.session = &touch;
    assert_applied(p);
    assert_int_equal(get_session(p, "s")->seen_at, TEST_NOW + 9);
    assert_int_equal(get_session(p, "s")->expires_at, s.expires_at);
    assert_str(get_session(p, "s")->user_id, s.user_id);
}

static void session_touch_conflicts_without_the_session(void **state)
{
    play_t *p = *state;
    session_t s = test_session("s", STR("u1"));
    play_add(p, EFFECT_SESSION_TOUCH)->u.session = &s;
    assert_refused(p, RC_CONFLICT, 0);
    assert_null(get_session(p, "s"));
}

static void session_delete_needs_no_session(void **state)
{
    play_t *p = *state;
    session_t s = test_session("s", STR("u1"));
    put_session(p, &s);
    for (int i = 0; i < 2; i++) {
        play_add(p, EFFECT_SESSION_DELETE)->u.hash = &s.id;
        assert_applied(p);
        assert_null(get_session(p, "s"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(user_comes_back_by_id_and_by_name),
        ON_EVERY_STORE(groups_are_replaced),
        ON_EVERY_STORE(user_insert_conflicts_when_the_name_is_taken),
        ON_EVERY_STORE(user_without_an_id_is_an_error_of_the_caller),
        ON_EVERY_STORE(first_user_conflicts_when_there_is_one),
        ON_EVERY_STORE(users_are_listed_by_name),
        ON_EVERY_STORE(set_password_ends_all_that_was_opened),
        ON_EVERY_STORE(set_password_conflicts_without_the_user),
        ON_EVERY_STORE(disable_ends_all_that_was_opened),
        ON_EVERY_STORE(disable_conflicts_without_the_user),
        ON_EVERY_STORE(ended_family_keeps_its_first_reason),
        ON_EVERY_STORE(session_comes_back_with_its_user),
        ON_EVERY_STORE(session_touch_moves_only_its_last_use),
        ON_EVERY_STORE(session_touch_conflicts_without_the_session),
        ON_EVERY_STORE(session_delete_needs_no_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
