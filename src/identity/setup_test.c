#include "identity/identity_test_util.h"

#include "identity/setup.h"

enum { NOW = 1000000 };

static const str_t KEY = STR_INIT("0123456789abcdef0123456789abcdef");
static const str_t OTHER_KEY = STR_INIT("0123456789abcdef0123456789abcdeg");

typedef struct {
    arena_t *a;
    random_fake_t random_state;
    random_port_t random;
    str_t token;
} start_t;

static void begin(start_t *s)
{
    *s = (start_t){.a = test_arena()};
    s->random = random_fake(&s->random_state);
    assert_ok(identity_setup_open(s->a, KEY, &s->random, NOW, &s->token));
}

static identity_setup_verdict_t judge(str_t token, int64_t now)
{
    return identity_setup_judge(KEY, token, now);
}

static void fine(void **state)
{
    (void)state;
    start_t s;
    begin(&s);
    assert_true(str_starts(s.token, STR("wsu_")));
    assert_int_equal(s.token.n, 4 + 75);
    assert_int_equal(judge(s.token, NOW), IDENTITY_SETUP_FINE);
    assert_int_equal(judge(s.token, NOW), IDENTITY_SETUP_FINE);     /* judging changes nothing */
    assert_int_equal(judge(s.token, NOW - 5), IDENTITY_SETUP_FINE); /* a node that is behind */
    assert_int_equal(judge(s.token, NOW + IDENTITY_SETUP_LIFETIME_S - 1), IDENTITY_SETUP_FINE);
    arena_free(s.a);
}

static void expired(void **state)
{
    (void)state;
    start_t s;
    begin(&s);
    assert_int_equal(judge(s.token, NOW + IDENTITY_SETUP_LIFETIME_S), IDENTITY_SETUP_EXPIRED);
    arena_free(s.a);
}

static void wrong(void **state)
{
    (void)state;
    start_t s;
    begin(&s);
    assert_int_equal(judge(STR_UNSET, NOW), IDENTITY_SETUP_WRONG);
    assert_int_equal(judge(STR(""), NOW), IDENTITY_SETUP_WRONG);
    assert_int_equal(judge(STR("wsu_"), NOW), IDENTITY_SETUP_WRONG);
    assert_int_equal(judge(str_first(s.token, s.token.n - 1), NOW), IDENTITY_SETUP_WRONG);
    assert_int_equal(judge(str_skip(s.token, 4), NOW), IDENTITY_SETUP_WRONG);
    assert_int_equal(identity_setup_judge(OTHER_KEY, s.token, NOW), IDENTITY_SETUP_WRONG);
    arena_free(s.a);
}

static void each_changed_character_is_wrong(void **state)
{
    (void)state;
    start_t s;
    begin(&s);
    for (size_t i = 0; i < s.token.n - 1; i++) { /* of the last one two bits count for nothing */
        char *changed = arena_cstr(s.a, s.token);
        changed[i] = s.token.p[i] == 'A' ? 'B' : 'A';
        assert_int_equal(judge(str_c(changed), NOW), IDENTITY_SETUP_WRONG);
    }
    arena_free(s.a);
}

static void no_two_are_alike(void **state)
{
    (void)state;
    start_t s;
    str_t other;
    begin(&s);
    assert_ok(identity_setup_open(s.a, KEY, &s.random, NOW, &other));
    assert_false(str_eq(s.token, other));
    assert_int_equal(judge(other, NOW), IDENTITY_SETUP_FINE); /* as another node's */
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
    assert_int_equal(identity_setup_open(s.a, KEY, &none, NOW, &s.token), RC_IO);
    arena_free(s.a);
}

static rc_t open_and_link(arena_t *a, void *ctx)
{
    start_t *s = ctx;
    str_t token, link;
    TRY(identity_setup_open(a, KEY, &s->random, NOW, &token));
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
        cmocka_unit_test(fine),
        cmocka_unit_test(expired),
        cmocka_unit_test(wrong),
        cmocka_unit_test(each_changed_character_is_wrong),
        cmocka_unit_test(no_two_are_alike),
        cmocka_unit_test(the_link),
        cmocka_unit_test(without_randomness),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
