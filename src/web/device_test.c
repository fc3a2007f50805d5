#include "web/web_test_page.h"

#include "web/device.h"

static str_t device(page_t *p, const web_device_t *v)
{
    *p = page_begin();
    web_page_device(&p->b, v);
    return page_done(p);
}

static void asks_for_the_code(void **state)
{
    (void)state;
    page_t p;
    str_t page = device(&p, &(web_device_t){.csrf = STR("tok")});
    assert_has(page, "<form method=\"post\" action=\"/device\">");
    assert_has(page, "<input type=\"hidden\" name=\"csrf\" value=\"tok\">");
    assert_has(page, "name=\"user_code\" value=\"\"");
    assert_has(page, "Type the code that your device shows.");
    assert_has(page, "only if you have just started this yourself");
    assert_lacks(page, "role=\"alert\"");
    assert_int_equal(count_of(page, "<button"), 1);
    page_free(&p);
}

/* RFC 8628 section 3.3.1 */
static void a_link_does_not_spare_the_comparison(void **state)
{
    (void)state;
    page_t p;
    const web_device_t v = {STR("tok"), STR("WDJB-MJHT"), true, STR_UNSET};
    str_t page = device(&p, &v);
    assert_has(page, "value=\"WDJB-MJHT\"");
    assert_has(page, "Compare the code with the one that your device shows");
    assert_has(page, ">Continue<");
    page_free(&p);
}

static void says_what_is_wrong_beside_the_field(void **state)
{
    (void)state;
    page_t p;
    const web_device_t v = {STR("tok"), STR("WDJB"), false, STR("This code is not valid.")};
    str_t page = device(&p, &v);
    assert_has(page, "<title>Problem: Connect a device");
    assert_has(page, "role=\"alert\" id=\"problem\">This code is not valid.<");
    assert_has(page, "aria-invalid=\"true\" aria-describedby=\"problem user-code-hint\"");
    assert_has(page, "value=\"WDJB\"");
    page_free(&p);
}

static void sends_back_to_the_device(void **state)
{
    (void)state;
    page_t p = page_begin();
    web_page_device_done(&p.b, &(web_device_done_t){STR("Living room"), true});
    str_t page = page_done(&p);
    assert_has(page, "<h1>Access approved</h1>");
    assert_has(page, "<bdi>Living room</bdi></strong> may now act in your name.");
    assert_has(page, "You may go back to your device");
    assert_lacks(page, "http-equiv");
    assert_lacks(page, "<form");
    page_free(&p);
    p = page_begin();
    web_page_device_done(&p.b, &(web_device_done_t){STR_UNSET, false});
    page = page_done(&p);
    assert_has(page, "<h1>Access denied</h1>");
    assert_has(page, "<bdi>The application</bdi></strong> was given no access.");
    page_free(&p);
}

static void hostile_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_HOSTILE_COUNT; i++) {
        page_t p;
        str_t s = hostile(i);
        str_t page = device(&p, &(web_device_t){s, s, i % 2 == 0, s});
        assert_int_equal(count_of(page, "<button"), 1);
        page_free(&p);
        p = page_begin();
        web_page_device_done(&p.b, &(web_device_done_t){s, true});
        page_done(&p);
        page_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_the_code),
        cmocka_unit_test(a_link_does_not_spare_the_comparison),
        cmocka_unit_test(says_what_is_wrong_beside_the_field),
        cmocka_unit_test(sends_back_to_the_device),
        cmocka_unit_test(hostile_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
