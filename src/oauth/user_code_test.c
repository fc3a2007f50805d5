#include "oauth/oauth_test_world.h"

#include "oauth/user_code.h"

static void eight_letters_that_spell_nothing(void **state)
{
    (void)state;
    world_t w;
    str_t before = STR_UNSET, code;
    world_begin(&w);
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(oauth_user_code_new(w.a, &w.random, &code), RC_OK);
        assert_int_equal(code.n, OAUTH_USER_CODE_LETTERS);
        for (size_t k = 0; k < code.n; k++)
            assert_true(str_find(STR("BCDFGHJKLMNPQRSTVWXZ"), code.p[k], 0) < 20);
        assert_false(str_eq(code, before));
        before = code;
    }
    world_end(&w);
}

/* Bytes that would make some letters likelier are thrown away. */
static rc_t high_then_low(void *ctx, void *out, size_t n)
{
    uint8_t *next = ctx;
    memset(out, *next, n);
    *next = *next == 240 ? 239 : 240;
    return RC_OK;
}

static void all_letters_are_alike_likely(void **state)
{
    (void)state;
    world_t w;
    str_t code;
    uint8_t next = 240;
    const random_port_t random = {high_then_low, &next};
    world_begin(&w);
    assert_int_equal(oauth_user_code_new(w.a, &random, &code), RC_OK);
    assert_text(code, "ZZZZZZZZ");
    world_end(&w);
}

static void what_people_type(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *code;
    } ROWS[] = {
        {"WDJB-MJHT", "WDJBMJHT"},
        {"wdjbmjht", "WDJBMJHT"},
        {" wdjb - mjht ", "WDJBMJHT"},
        {"W-D-J-BMJHT", "WDJBMJHT"},
        {"WDJBMJH", NULL},
        {"WDJBMJHTT", NULL},
        {"WDJB_MJHT", NULL},
        {"ADJBMJHT", NULL},
        {"W0JBMJHT", NULL},
        {"", NULL},
        {"WDJB\xe2\x80\x91MJHT", NULL},
        {"--------", NULL},
    };
    world_t w;
    str_t code;
    world_begin(&w);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        assert_int_equal(oauth_user_code_read(w.a, str_c(ROWS[i].typed), &code), RC_OK);
        assert_str(code, str_c(ROWS[i].code));
    }
    assert_int_equal(oauth_user_code_read(w.a, arena_printf(w.a, "WDJBMJHT%060d", 0), &code),
                     RC_OK);
    assert_unset(code);
    assert_text(oauth_user_code_show(w.a, STR("WDJBMJHT")), "WDJB-MJHT");
    world_end(&w);
}

static rc_t both_in(world_t *w, arena_t *a, void *ctx)
{
    str_t code, typed;
    (void)ctx;
    TRY(oauth_user_code_new(a, &w->random, &code));
    return oauth_user_code_read(a, code, &typed);
}

static void without_random_and_memory(void **state)
{
    (void)state;
    world_t w;
    str_t code;
    world_begin(&w);
    const random_port_t none = world_no_random();
    assert_int_equal(oauth_user_code_new(w.a, &none, &code), RC_IO);
    world_starve(both_in, &w, NULL);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_letters_that_spell_nothing),
        cmocka_unit_test(all_letters_are_alike_likely),
        cmocka_unit_test(what_people_type),
        cmocka_unit_test(without_random_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
