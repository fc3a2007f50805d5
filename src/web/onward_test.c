#include "web/web_test_page.h"

#include "web/onward.h"

static str_t onward(page_t *p, str_t url, str_t name)
{
    *p = page_begin();
    web_page_onward(&p->b, &(web_onward_t){url, name});
    return page_done(p);
}

static void goes_on_by_itself_and_by_a_link(void **state)
{
    (void)state;
    page_t p;
    str_t page = onward(&p, STR("https://op.test/a?b=c&d=e"), STR("A & B"));
    assert_has(page, "<title>Sign in \xe2\x80\x93 Warder</title>");
    assert_has(page, "<meta http-equiv=\"refresh\" "
                     "content=\"0;url=https://op.test/a?b=c&amp;d=e\">");
    assert_has(page, "href=\"https://op.test/a?b=c&amp;d=e\" rel=\"noreferrer\">");
    assert_has(page, "<bdi>A &amp; B</bdi>");
    assert_lacks(page, "<form");
    page_free(&p);
}

static void address_that_is_not_safe_is_no_link(void **state)
{
    (void)state;
    page_t p;
    str_t page = onward(&p, STR("javascript:alert(1)"), STR("Evil"));
    assert_lacks(page, "javascript");
    assert_lacks(page, "http-equiv=\"refresh\"");
    assert_has(page, "role=\"alert\"");
    page_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_by_itself_and_by_a_link),
        cmocka_unit_test(address_that_is_not_safe_is_no_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
