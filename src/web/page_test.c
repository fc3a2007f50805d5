#include "web/web_test_page.h"

#include "web/page.h"

static void the_frame_is_what_every_page_has(void **state)
{
    (void)state;
    page_t p = page_begin();
    web_page_begin(&p.b, &(web_frame_t){.title = STR("Sign in")});
    HTML(&p.b, "<h1>a</h1>");
    web_page_end(&p.b);
    str_t page = page_done(&p);
    assert_true(str_starts(page, STR("<!doctype html>\n<html lang=\"en\">\n")));
    assert_has(page, "<title>Sign in \xe2\x80\x93 Warder</title>");
    assert_has(page, "name=\"viewport\" content=\"width=device-width, initial-scale=1\"");
    assert_has(page, "<link rel=\"stylesheet\" href=\"/assets/warder.css\">");
    assert_has(page, "<a class=\"skip\" href=\"#main\">");
    assert_has(page, "<main id=\"main\" class=\"card\">");
    assert_lacks(page, "refresh");
    assert_lacks(page, "style=");
    page_free(&p);
}

static void a_wide_page_that_goes_on(void **state)
{
    (void)state;
    page_t p = page_begin();
    web_frame_t frame = {
        .title = STR("a"), .refresh = STR("https://c.test/cb?a=1&b=2"), .wide = true};
    web_page_begin(&p.b, &frame);
    HTML(&p.b, "<h1>a</h1>");
    web_page_end(&p.b);
    str_t page = page_done(&p);
    assert_has(page,
               "<meta http-equiv=\"refresh\" content=\"0;url=https://c.test/cb?a=1&amp;b=2\">");
    assert_has(page, "class=\"card wide\"");
    page_free(&p);
}

static void hostile_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_HOSTILE_COUNT; i++) {
        page_t p = page_begin();
        web_page_begin(&p.b, &(web_frame_t){.title = hostile(i), .refresh = hostile(i)});
        HTML(&p.b, "<h1>a</h1>");
        web_page_hidden(&p.b, STR("a"), hostile(i));
        web_page_alert(&p.b, STR("problem"), hostile(i));
        web_page_end(&p.b);
        page_done(&p);
        page_free(&p);
    }
}

static void an_unset_hidden_field_is_left_out(void **state)
{
    (void)state;
    page_t p = page_begin();
    web_page_hidden(&p.b, STR("a"), STR_UNSET);
    assert_int_equal(p.b.n, 0);
    web_page_hidden(&p.b, STR("a"), STR("b"));
    assert_has(buf_str(&p.b), "<input type=\"hidden\" name=\"a\" value=\"b\">");
    page_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_frame_is_what_every_page_has),
        cmocka_unit_test(a_wide_page_that_goes_on),
        cmocka_unit_test(hostile_frames),
        cmocka_unit_test(an_unset_hidden_field_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
