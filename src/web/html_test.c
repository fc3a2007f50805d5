#include "web/web_test_page.h"

#include "web/html.h"

static str_t label(page_t *p, str_t text)
{
    p->b = buf_new(p->a, LIMIT_PAGE_BYTES);
    HTML(&p->b, "{}", text);
    str_t out;
    assert_int_equal(buf_done(&p->b, &out), RC_OK);
    return out;
}

static void assert_text(str_t got, str_t want)
{
    if (!str_eq(got, want))
        fail_msg("\"%.*s\" instead of \"%.*s\"", (int)got.n, got.p, (int)want.n, want.p);
}

static void labels(void **state)
{
    (void)state;
    static const struct {
        str_t text, shown;
    } ROWS[] = {
        {STR_INIT("Claude Code"), STR_INIT("Claude Code")},
        {STR_INIT(""), STR_INIT("")},
        {STR_INIT("  a \t\r\n b  "), STR_INIT("a b")},
        {STR_INIT("<b>&\"'"), STR_INIT("&lt;b&gt;&amp;&quot;&#39;")},
        {STR_INIT("a\0b\x1b\x7f"
                  "c"),
         STR_INIT("abc")},
        {STR_INIT("a\xc2\xa0\xe3\x80\x80\xe2\x80\xa8"
                  "b"),
         STR_INIT("a b")}, /* no-break, ideographic, line separator */
        {STR_INIT("\xe2\x80\xaelive\xe2\x80\xac"), STR_INIT("live")},
        {STR_INIT("p\xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbf\xc2\xad\xe2\x81\xa6l"), STR_INIT("pl")},
        {STR_INIT("\xf3\xa0\x81\xa1x\xef\xb8\x8f\xe3\x85\xa4"), STR_INIT("x")},
        {STR_INIT("\xee\x80\x80\xef\xbf\xbf\xf4\x8f\xbf\xbd"), STR_INIT("")}, /* private use */
        {STR_INIT("e\xcc\x81\xcc\xa3\xcc\x80\xcc\x80o\xcc\x80"),
         STR_INIT("e\xcc\x81\xcc\xa3o\xcc\x80")},
        {STR_INIT("na\xc3\xafve \xf0\x9f\x98\x80 \xd8\xa7"),
         STR_INIT("na\xc3\xafve \xf0\x9f\x98\x80 \xd8\xa7")},
        {STR_INIT("a\xff"
                  "b"),
         STR_INIT("a\xef\xbf\xbd"
                  "b")},
        {STR_INIT("\xc0\xaf"), STR_INIT("\xef\xbf\xbd\xef\xbf\xbd")},   /* overlong */
        {STR_INIT("x\xe2\x80"), STR_INIT("x\xef\xbf\xbd\xef\xbf\xbd")}, /* cut short */
        {STR_INIT("{} {=} %s"), STR_INIT("{} {=} %s")},
    };
    page_t p = page_begin();
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        assert_text(label(&p, ROWS[i].text), ROWS[i].shown);
    assert_text(label(&p, STR_UNSET), STR(""));
    page_free(&p);
}

static void a_long_label_ends_at_a_whole_character(void **state)
{
    (void)state;
    page_t p = page_begin();
    char text[4 * LIMIT_WEB_LABEL_BYTES];
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    for (size_t lead = 0; lead < 4; lead++) {
        memset(text, 'a', lead);
        if (lead % 2)
            text[lead] = 'b';
        str_t out = label(&p, str_of(text, sizeof text));
        assert_true(str_is_utf8(out) && str_ends(out, STR("\xc3\xa9\xe2\x80\xa6")));
        assert_in_range(out.n, LIMIT_WEB_LABEL_BYTES - 1, LIMIT_WEB_LABEL_BYTES);
    }
    memset(text, 'x', sizeof text);
    str_t whole = str_of(text, LIMIT_WEB_LABEL_BYTES);
    assert_text(label(&p, whole), whole);
    page_free(&p);
}

static void hidden_characters_do_not_count(void **state)
{
    (void)state;
    page_t p = page_begin();
    char text[3 * LIMIT_WEB_LABEL_BYTES + 1];
    for (size_t i = 0; i + 1 < sizeof text; i += 3)
        memcpy(text + i, "\xe2\x80\x8b", 3);
    text[sizeof text - 1] = 'x';
    assert_text(label(&p, str_of(text, sizeof text)), STR("x"));
    page_free(&p);
}

static void a_long_host_keeps_its_end(void **state)
{
    (void)state;
    page_t p = page_begin();
    char text[1000];
    memset(text, 'a', sizeof text);
    memcpy(text, "accounts.google.com.", 20);
    memcpy(text + sizeof text - 10, ".evil.test", 10);
    HTML(&p.b, "{host}", str_of(text, sizeof text));
    str_t out = buf_str(&p.b);
    assert_int_equal(out.n, LIMIT_WEB_URI_BYTES);
    assert_true(str_starts(out, STR("\xe2\x80\xa6"
                                    "aaa")));
    assert_true(str_ends(out, STR("aaa.evil.test")));
    page_free(&p);
}

static void exact_is_whole_or_nothing(void **state)
{
    (void)state;
    static char text[LIMIT_WEB_EXACT_BYTES + 1];
    static const struct {
        str_t value, shown;
    } ROWS[] = {
        {STR_INIT("a  b&c=\"d"), STR_INIT("a  b&amp;c=&quot;d")},
        {STR_INIT("a\0b"), STR_INIT("")},
        {STR_INIT("a\nb"), STR_INIT("")},
        {STR_INIT("\xc3\xa9"), STR_INIT("")},
        {STR_INIT("\xff"), STR_INIT("")},
    };
    page_t p = page_begin();
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        p.b = buf_new(p.a, LIMIT_PAGE_BYTES);
        HTML(&p.b, "{=}", ROWS[i].value);
        assert_text(buf_str(&p.b), ROWS[i].shown);
    }
    memset(text, 'x', sizeof text);
    p.b = buf_new(p.a, LIMIT_PAGE_BYTES);
    HTML(&p.b, "{=}", str_of(text, sizeof text - 1));
    assert_int_equal(p.b.n, LIMIT_WEB_EXACT_BYTES);
    HTML(&p.b, "{=}", str_of(text, sizeof text));
    assert_int_equal(p.b.n, LIMIT_WEB_EXACT_BYTES);
    page_free(&p);
}

static void a_hole_without_value_fails(void **state)
{
    (void)state;
    page_t p = page_begin();
    HTML(&p.b, "<p>{}{}</p>", STR("a"));
    assert_int_equal(p.b.failed, RC_MALFORMED);
    page_free(&p);
}

static void a_value_without_hole_fails(void **state)
{
    (void)state;
    page_t p = page_begin();
    HTML(&p.b, "<p>{}</p>", STR("a"), STR("b"));
    assert_int_equal(p.b.failed, RC_MALFORMED);
    page_free(&p);
}

static void an_unknown_hole_fails(void **state)
{
    (void)state;
    page_t p = page_begin();
    HTML(&p.b, "<p>{raw}</p>", STR("a"));
    assert_int_equal(p.b.failed, RC_MALFORMED);
    p.b = buf_new(p.a, LIMIT_PAGE_BYTES);
    HTML(&p.b, "<p>{", STR("a"));
    assert_int_equal(p.b.failed, RC_MALFORMED);
    page_free(&p);
}

static void the_first_failure_stays(void **state)
{
    (void)state;
    char room[4];
    buf_t b = buf_fixed(room, sizeof room);
    HTML(&b, "<p>{}</p>", STR("a"));
    assert_int_equal(b.failed, RC_LIMIT);
    HTML(&b, "{raw}", STR("a"));
    assert_int_equal(b.failed, RC_LIMIT);
}

static void blank(void **state)
{
    (void)state;
    assert_true(web_html_is_blank(STR_UNSET));
    assert_true(web_html_is_blank(STR(" \t\xe2\x80\x8b\xc2\xa0")));
    assert_false(web_html_is_blank(STR(" \xff")));
    assert_text(web_html_or(STR("\xe2\x80\xae"), STR("x")), STR("x"));
    assert_text(web_html_or(STR(" a"), STR("x")), STR(" a"));
}

/* The reader that judges the pages must itself refuse what it is there for. */
static void the_reader_sees_what_breaks_out(void **state)
{
    (void)state;
#define BODY(s) "<!doctype html>\n<title>t</title><main id=\"m\"><h1>a</h1>" s "</main>"
    static const str_t BAD[] = {
        STR_INIT(BODY("<script>")),
        STR_INIT(BODY("<p onclick=\"x\">a</p>")),
        STR_INIT(BODY("<p class=x>a</p>")),
        STR_INIT(BODY("<p class=\"a<b\">a</p>")),
        STR_INIT(BODY("a > b")),
        STR_INIT(BODY("a & b")),
        STR_INIT(BODY("it's")),
        STR_INIT(BODY("<p>")),
        STR_INIT(BODY("</p>")),
        STR_INIT(BODY("<p id=\"m\"></p>")),
        STR_INIT(BODY("<p aria-describedby=\"n\"></p>")),
        STR_INIT(BODY("<input type=\"text\" id=\"i\">")),
        STR_INIT(BODY("<label for=\"i\">a</label>")),
        STR_INIT(BODY("<form method=\"get\" action=\"/x\"></form>")),
        STR_INIT(BODY("<form method=\"post\" action=\"https://x\"></form>")),
        STR_INIT(BODY("<h1>again</h1>")),
        STR_INIT(BODY("\x01")),
        STR_INIT(BODY("\xe2\x80\xae")),
        STR_INIT(BODY("\xff")),
        STR_INIT("<p>no doctype</p>"),
    };
    assert_null(page_problem(STR(BODY("<p class=\"x\">&amp; \xe2\x80\x93</p>"))));
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        if (!page_problem(BAD[i]))
            fail_msg("taken: %.*s", (int)BAD[i].n, BAD[i].p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels),
        cmocka_unit_test(a_long_label_ends_at_a_whole_character),
        cmocka_unit_test(hidden_characters_do_not_count),
        cmocka_unit_test(a_long_host_keeps_its_end),
        cmocka_unit_test(exact_is_whole_or_nothing),
        cmocka_unit_test(a_hole_without_value_fails),
        cmocka_unit_test(a_value_without_hole_fails),
        cmocka_unit_test(an_unknown_hole_fails),
        cmocka_unit_test(the_first_failure_stays),
        cmocka_unit_test(blank),
        cmocka_unit_test(the_reader_sees_what_breaks_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
