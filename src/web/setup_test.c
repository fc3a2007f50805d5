#include "web/web_test_page.h"

#include <stdio.h>

#include "web/login.h"

static str_t setup(page_t *p, const web_setup_t *v)
{
    *p = page_begin();
    web_page_setup(&p->b, v);
    return page_done(p);
}

static void a_form_for_a_new_password(void **state)
{
    (void)state;
    page_t p;
    str_t page = setup(&p, &(web_setup_t){.csrf = STR("c"), .token = STR("wsu_x")});
    assert_has(page, "<title>Create the first account \xe2\x80\x93 Warder</title>");
    assert_has(page, "<form method=\"post\" action=\"/setup\">");
    assert_has(page, "<input type=\"hidden\" name=\"csrf\" value=\"c\">");
    assert_has(page, "<input type=\"hidden\" name=\"token\" value=\"wsu_x\">");
    assert_has(page, "name=\"username\" value=\"\" autocomplete=\"username\"");
    assert_has(page, "name=\"password\" autocomplete=\"new-password\"");
    assert_has(page, "name=\"password_again\" autocomplete=\"new-password\"");
    assert_has(page, "At least 10 characters");
    assert_lacks(page, "role=\"alert\"");
    assert_lacks(page, "aria-invalid");
    page_free(&p);
}

static void the_hint_says_the_number(void **state)
{
    (void)state;
    char text[8];
    int n = snprintf(text, sizeof text, "%d", WEB_PASSWORD_CHARS_MIN);
    assert_true(str_eq(STR(WEB_PASSWORD_CHARS_MIN_TEXT), str_of(text, (size_t)n)));
}

static void a_problem_stands_at_its_field(void **state)
{
    (void)state;
    page_t p;
    web_setup_t v = {STR("c"), STR("t"), STR("alice"), STR("Too short."), false};
    str_t page = setup(&p, &v);
    assert_has(page, "role=\"alert\" id=\"problem\">Too short.</p>");
    assert_has(page, "<title>Problem: Create the first account");
    assert_int_equal(count_of(page, "aria-describedby=\"problem password-hint\""), 2);
    assert_int_equal(count_of(page, "aria-invalid=\"true\""), 2);
    page_free(&p);
    v.problem_of_username = true;
    page = setup(&p, &v);
    assert_int_equal(count_of(page, "aria-describedby=\"problem username-hint\""), 1);
    assert_int_equal(count_of(page, "aria-invalid=\"true\""), 1);
    page_free(&p);
}

static void hostile_setups(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_HOSTILE_COUNT; i++) {
        page_t p;
        str_t s = hostile(i);
        setup(&p, &(web_setup_t){s, s, s, s, i % 2});
        page_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_for_a_new_password),
        cmocka_unit_test(the_hint_says_the_number),
        cmocka_unit_test(a_problem_stands_at_its_field),
        cmocka_unit_test(hostile_setups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
