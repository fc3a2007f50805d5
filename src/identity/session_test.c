#include "identity/identity_test_util.h"

#include "identity/session.h"

enum { NOW = 1000000, IDLE = 3600, LIFETIME = 86400 };

static const identity_session_times_t TIMES = {.idle = IDLE, .lifetime = LIFETIME};

typedef struct {
    arena_t *a;
    random_fake_t random_state;
    random_port_t random;
    identity_session_login_t login;
    effects_t effects;
    const session_t *session;
    str_t handle;
} browser_t;

static void begin(browser_t *b)
{
    *b = (browser_t){.a = test_arena()};
    b->random = random_fake(&b->random_state);
    b->login = (identity_session_login_t){
        .random = &b->random, .times = TIMES, .user_id = STR("u1"), .now = NOW};
}

static rc_t sign_in(browser_t *b)
{
    b->effects.n = 0;
    return identity_session_begin(b->a, &b->login, &b->effects, &b->session, &b->handle);
}

static bool hash_eq(const hash_t *one, const hash_t *other)
{
    return memcmp(one->b, other->b, sizeof one->b) == 0;
}

static void a_first_login(void **state)
{
    (void)state;
    browser_t b;
    begin(&b);
    assert_ok(sign_in(&b));
    assert_int_equal(b.effects.n, 1);
    assert_int_equal(b.effects.v[0].kind, EFFECT_SESSION_INSERT);
    assert_ptr_equal(b.effects.v[0].u.session, b.session);
    hash_t id = identity_session_hash(b.handle);
    assert_true(hash_eq(&b.session->id, &id));
    assert_text(b.session->user_id, "u1");
    assert_int_equal(b.session->auth_time, NOW);
    assert_int_equal(b.session->created_at, NOW);
    assert_int_equal(b.session->seen_at, NOW);
    assert_int_equal(b.session->expires_at, NOW + LIFETIME);
    assert_true(identity_session_is_live(b.session, &TIMES, NOW));
    arena_free(b.a);
}

/* Somebody else knows when the person signed in there; the session here begins now all the same. */
static void a_login_that_was_elsewhere(void **state)
{
    (void)state;
    browser_t b;
    begin(&b);
    b.login.auth_time = NOW - 500;
    assert_ok(sign_in(&b));
    assert_int_equal(b.session->auth_time, NOW - 500);
    assert_int_equal(b.session->created_at, NOW);
    assert_int_equal(b.session->expires_at, NOW + LIFETIME);
    arena_free(b.a);
}

static void nobody_asks_for_the_session(void **state)
{
    (void)state;
    browser_t b;
    begin(&b);
    assert_ok(identity_session_begin(b.a, &b.login, &b.effects, NULL, &b.handle));
    assert_int_equal(b.effects.n, 1);
    arena_free(b.a);
}

/* Session fixation: what the browser came with never becomes what it leaves with. */
static void a_login_ends_the_session_before(void **state)
{
    (void)state;
    browser_t b;
    begin(&b);
    session_t before = {.user_id = STR("mallory"), .expires_at = NOW + 1};
    before.id = identity_session_hash(STR("fixed"));
    hash_t fixed = before.id;
    b.login.before = &before;
    assert_ok(sign_in(&b));
    memset(&before, 0, sizeof before); /* the effects hold no part of it */
    assert_int_equal(b.effects.n, 2);
    assert_int_equal(b.effects.v[0].kind, EFFECT_SESSION_DELETE);
    assert_true(hash_eq(b.effects.v[0].u.hash, &fixed));
    assert_int_equal(b.effects.v[1].kind, EFFECT_SESSION_INSERT);
    assert_false(hash_eq(&b.session->id, &fixed));
    assert_text(b.session->user_id, "u1");
    arena_free(b.a);
}

/* Signing in anew under the same name: a new handle too, and the time of it counts. */
static void each_login_has_a_new_handle(void **state)
{
    (void)state;
    browser_t b;
    begin(&b);
    assert_ok(sign_in(&b));
    const session_t *first = b.session;
    str_t handle = b.handle;
    b.login.before = first;
    b.login.now = NOW + 100;
    assert_ok(sign_in(&b));
    assert_false(str_eq(handle, b.handle));
    assert_false(hash_eq(&first->id, &b.session->id));
    assert_int_equal(b.session->auth_time, NOW + 100);
    arena_free(b.a);
}

static void form_of_a_handle(void **state)
{
    (void)state;
    browser_t b;
    begin(&b);
    assert_ok(identity_session_handle(b.a, &b.random, &b.handle));
    assert_true(str_starts(b.handle, STR("wss_")));
    assert_int_equal(b.handle.n, 4 + 43);
    assert_true(identity_session_is_handle(b.handle));
    assert_false(identity_session_is_handle(STR_UNSET));
    assert_false(identity_session_is_handle(STR("")));
    assert_false(identity_session_is_handle(STR("wss_")));
    assert_false(identity_session_is_handle(str_first(b.handle, b.handle.n - 1)));
    assert_false(identity_session_is_handle(str_skip(b.handle, 4)));
    assert_false(identity_session_is_handle(
        arena_printf(b.a, "wsu_%" PRIstr, STR_ARG(str_skip(b.handle, 4)))));
    assert_false(identity_session_is_handle(arena_printf(b.a, "%" PRIstr " ", STR_ARG(b.handle))));
    arena_free(b.a);
}

static void no_session_is_not_live(void **state)
{
    (void)state;
    assert_false(identity_session_is_live(NULL, &TIMES, NOW));
}

static void ended_after_its_lifetime(void **state)
{
    (void)state;
    session_t s = {.created_at = NOW, .seen_at = NOW + LIFETIME - 1, .expires_at = NOW + LIFETIME};
    assert_true(identity_session_is_live(&s, &TIMES, NOW + LIFETIME - 1));
    assert_false(identity_session_is_live(&s, &TIMES, NOW + LIFETIME));
    s.expires_at = 0; /* no session lives for ever */
    assert_false(identity_session_is_live(&s, &TIMES, NOW));
}

static void ended_when_idle(void **state)
{
    (void)state;
    session_t s = {.created_at = NOW, .seen_at = NOW, .expires_at = NOW + LIFETIME};
    assert_true(identity_session_is_live(&s, &TIMES, NOW + IDLE - 1));
    assert_false(identity_session_is_live(&s, &TIMES, NOW + IDLE));
    s.seen_at = NOW + 1;
    assert_true(identity_session_is_live(&s, &TIMES, NOW + IDLE));
}

static void the_clock_goes_back(void **state)
{
    (void)state;
    session_t s = {.created_at = NOW, .seen_at = NOW + 50, .expires_at = NOW + LIFETIME};
    assert_true(identity_session_is_live(&s, &TIMES, NOW));
    assert_true(identity_session_is_live(&s, &TIMES, NOW - LIFETIME));
    s.expires_at = NOW + 50; /* it was seen at its end: that time has been */
    assert_false(identity_session_is_live(&s, &TIMES, NOW));
    s = (session_t){.created_at = NOW, .seen_at = NOW - IDLE, .expires_at = NOW + LIFETIME};
    assert_false(identity_session_is_live(&s, &TIMES, NOW - 10));
}

static void touched_once_a_minute(void **state)
{
    (void)state;
    browser_t b;
    begin(&b);
    session_t s = {.user_id = STR("u1"), .seen_at = NOW, .expires_at = NOW + LIFETIME};
    s.id = identity_session_hash(STR("x"));
    assert_ok(identity_session_touch(b.a, &s, NOW, &b.effects));
    assert_ok(identity_session_touch(b.a, &s, NOW + 60, &b.effects));
    assert_int_equal(b.effects.n, 0);
    assert_ok(identity_session_touch(b.a, &s, NOW + 61, &b.effects));
    assert_int_equal(b.effects.n, 1);
    assert_int_equal(b.effects.v[0].kind, EFFECT_SESSION_TOUCH);
    assert_int_equal(b.effects.v[0].at, NOW + 61);
    const session_t *touched = b.effects.v[0].u.session;
    assert_true(hash_eq(&touched->id, &s.id));
    assert_int_equal(touched->seen_at, NOW + 61);
    assert_int_equal(touched->expires_at, s.expires_at);
    assert_int_equal(s.seen_at, NOW);
    arena_free(b.a);
}

/* Noted by a clock that was wrong: else the session would not idle away until that time. */
static void touched_when_seen_in_the_future(void **state)
{
    (void)state;
    browser_t b;
    begin(&b);
    session_t s = {.seen_at = NOW + 60, .expires_at = NOW + LIFETIME};
    assert_ok(identity_session_touch(b.a, &s, NOW, &b.effects));
    assert_int_equal(b.effects.n, 0);
    s.seen_at = NOW + 61;
    assert_ok(identity_session_touch(b.a, &s, NOW, &b.effects));
    assert_int_equal(b.effects.n, 1);
    assert_int_equal(b.effects.v[0].u.session->seen_at, NOW);
    arena_free(b.a);
}

static void without_randomness(void **state)
{
    (void)state;
    browser_t b;
    begin(&b);
    random_port_t none = test_no_random();
    b.login.random = &none;
    assert_int_equal(sign_in(&b), RC_IO);
    assert_int_equal(b.effects.n, 0);
    arena_free(b.a);
}

static rc_t sign_in_and_touch(arena_t *a, void *ctx)
{
    browser_t *b = ctx;
    effects_t effects = {.n = 0};
    const session_t *session;
    str_t handle;
    rc_t rc = identity_session_begin(a, &b->login, &effects, &session, &handle);
    assert_int_equal(effects.n, rc == RC_OK);
    TRY(rc);
    return identity_session_touch(a, session, NOW + 61, &effects);
}

static void without_memory(void **state)
{
    (void)state;
    browser_t b;
    begin(&b);
    test_starve(sign_in_and_touch, &b);
    arena_free(b.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_login),
        cmocka_unit_test(a_login_that_was_elsewhere),
        cmocka_unit_test(nobody_asks_for_the_session),
        cmocka_unit_test(a_login_ends_the_session_before),
        cmocka_unit_test(each_login_has_a_new_handle),
        cmocka_unit_test(form_of_a_handle),
        cmocka_unit_test(no_session_is_not_live),
        cmocka_unit_test(ended_after_its_lifetime),
        cmocka_unit_test(ended_when_idle),
        cmocka_unit_test(the_clock_goes_back),
        cmocka_unit_test(touched_once_a_minute),
        cmocka_unit_test(touched_when_seen_in_the_future),
        cmocka_unit_test(without_randomness),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
