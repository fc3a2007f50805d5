#include "web/web_test_page.h"

#include <stdio.h>

page_t page_begin(void)
{
    arena_t *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    assert_non_null(a);
    return (page_t){a, buf_new(a, LIMIT_PAGE_BYTES)};
}

void page_free(page_t *p)
{
    arena_free(p->a);
}

str_t page_done(page_t *p)
{
    str_t html;
    assert_int_equal(buf_done(&p->b, &html), RC_OK);
    const char *problem = page_problem(html);
    if (problem)
        fail_msg("%s in:\n%.*s", problem, (int)(html.n < 4000 ? html.n : 4000), html.p);
    return html;
}

void assert_has(str_t page, const char *part)
{
    if (!str_contains(page, str_c(part)))
        fail_msg("\"%s\" is missing in:\n%.*s", part, (int)page.n, page.p);
}

void assert_lacks(str_t page, const char *part)
{
    if (str_contains(page, str_c(part)))
        fail_msg("\"%s\" must not be in:\n%.*s", part, (int)page.n, page.p);
}

size_t count_of(str_t page, const char *part)
{
    size_t n = 0;
    for (str_t rest = page; rest.n > 0; rest = str_skip(rest, 1))
        n += str_starts(rest, str_c(part));
    return n;
}

#define TEN(s) s s s s s s s s s s

static const str_t HOSTILE[TEST_HOSTILE_COUNT] = {
    STR_INIT("<script>alert(1)</script>"),
    STR_INIT("\"><img src=x onerror=alert(1)>"),
    STR_INIT("' onmouseover='alert(1)"),
    STR_INIT("\" autofocus onfocus=\"alert(1)"),
    STR_INIT("</title></main></body><h1>Approved</h1>"),
    STR_INIT("<!--"),
    STR_INIT("&lt;b&gt; &amp;amp; &#60; &"),
    STR_INIT("a\0b\x01\x1f\x7f\r\n\tc"),
    STR_INIT("user\xe2\x80\xae"
             "moc.live\xe2\x80\xac\xe2\x81\xa6\xe2\x81\xa9"),
    STR_INIT("pay\xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbfpal\xc2\xad\xf3\xa0\x81\xa1\xe3\x85\xa4"),
    STR_INIT("\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x80"),
    STR_INIT("{}{=}{uri}{host}%s%n$1"),
    STR_INIT("javascript:alert(1)"),
    STR_INIT("A" TEN("\xcc\x81\xcd\xa0") "Z"),
    STR_INIT("\xe2\x80\xa8\xc2\x85\xc2\xa0\xe3\x80\x80"),
};

str_t hostile(size_t i)
{
    static char quotes[TEST_HOSTILE_LONG], marks[TEST_HOSTILE_LONG];
    if (i + 2 < TEST_HOSTILE_COUNT)
        return HOSTILE[i];
    memset(quotes, '"', sizeof quotes);
    memset(marks, '<', sizeof marks);
    return i + 1 < TEST_HOSTILE_COUNT ? str_of(quotes, sizeof quotes) : str_of(marks, sizeof marks);
}
