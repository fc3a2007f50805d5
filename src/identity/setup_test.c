#include "identity/identity_test_util.h"

#include "identity/setup.h"

enum { NOW = 1000000 };

typedef struct {
    arena_t *a;
    random_fake_t random_state;
    random_port_t random;
    identity_setup_t setup;
    str_t token;
} start_t;

static void begin(start_t *s)
{
    *s = (start_t){.a = test_arena()};
    s->random = random_fake(&s->random_state);
    assert_ok(identity_setup_open(s->a, &s->random, NOW, &s->setup, &s->token));
}

static identity_setup_verdict_t judge(const start_t *s, str_t token, int64_t now)
{
    return identity_setup_judge(&s->setup, token, now);
}

static void fine(void **state)
{
    (void)state;
    start_t s;
    begin(&s);
    assert_true(str_starts(s.token, STR("wsu_")));
    assert_int_equal(s.token.n, 4 + 43);
    assert_int_equal(judge(&s, s.token, NOW), IDENTITY_SETUP_FINE);
    assert_int_equal(judge(&s, s.token, NOW), IDENTITY_SETUP_FINE); /* judging changes nothing */
    assert_int_equal(judge(&s, s.token, NOW + IDENTITY_SETUP_LIFETIME_S - 1), IDENTITY_SETUP_FINE);
    arena_free(s.a);
}

static void expired(void **state)
{
    (void)state;
    start_t s;
    begin(&s);
    assert_int_equal(judge(&s, s.token, NOW + IDENTITY_SETUP_LIFETIME_S), IDENTITY_SETUP_EXPIRED);
    assert_int_equal(judge(&s, STR("x"), NOW + 2 * IDENTITY_SETUP_LIFETIME_S),
                     IDENTITY_SETUP_EXPIRED);
    arena_free(s.a);
}

static void wrong(void **state)
{
    (void)state;
    start_t s;
    begin(&s);
    assert_int_equal(judge(&s, STR_UNSET, NOW), IDENTITY_SETUP_WRONG);
    assert_int_equal(judge(&s, STR(""), NOW), IDENTITY_SETUP_WRONG);
    assert_int_equal(judge(&s, str_first(s.token, s.token.n - 1), NOW), IDENTITY_SETUP_WRONG);
    assert_int_equal(judge(&s, str_skip(s.token, 4), NOW), IDENTITY_SETUP_WRONG);
    identity_setup_t other;
    str_t token;
    assert_ok(identity_setup_open(s.a, &s.random, NOW, &other, &token));
    assert_int_equal(judge(&s, token, NOW), IDENTITY_SETUP_WRONG);
    /* what is kept is no way in */
    assert_int_equal(judge(&s, str_of(s.setup.token.b, sizeof s.setup.token.b), NOW),
                     IDENTITY_SETUP_WRONG);
    arena_free(s.a);
}

static void closed(void **state)
{
    (void)state;
    start_t s;
    begin(&s);
    s.setup = (identity_setup_t){0};
    assert_int_equal(judge(&s, s.token, NOW), IDENTITY_SETUP_CLOSED);
    assert_int_equal(judge(&s, STR_UNSET, NOW), IDENTITY_SETUP_CLOSED);
    arena_free(s.a);
}

static void the_link(void **state)
{
    (void)state;
    start_t s;
    str_t link;
    begin(&s);
    assert_ok(identity_setup_link(s.a, STR("http://localhost:8080"), STR("wsu_x"), &link));
    assert_text(link, "http://localhost:8080/setup?token=wsu_x");
    arena_free(s.a);
}

static void without_randomness(void **state)
{
    (void)state;
    start_t s;
    begin(&s);
    random_port_t none = test_no_random();
    assert_int_equal(identity_setup_open(s.a, &none, NOW, &s.setup, &s.token), RC_IO);
    assert_int_equal(judge(&s, s.token, NOW), IDENTITY_SETUP_CLOSED);
    arena_free(s.a);
}

static rc_t open_and_link(arena_t *a, void *ctx)
{
    start_t *s = ctx;
    str_t token, link;
    identity_setup_t setup;
    rc_t rc = identity_setup_open(a, &s->random, NOW, &setup, &token);
    assert_int_equal(setup.open, rc == RC_OK);
    TRY(rc);
    return identity_setup_link(a, STR("https://as.test"), token, &link);
}

static void without_memory(void **state)
{
    (void)state;
    start_t s;
    begin(&s);
    test_starve(open_and_link, &s);
    arena_free(s.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fine),           cmocka_unit_test(expired),
        cmocka_unit_test(wrong),          cmocka_unit_test(closed),
        cmocka_unit_test(the_link),       cmocka_unit_test(without_randomness),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
