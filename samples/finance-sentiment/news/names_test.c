/* What feeds are read with: names of companies, dates, and HTML as text. */
#include "names_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void names_in_texts(void **state)
{
    static const struct {
        const char *text, *want;
    } ROWS[] = {
        {"Acme's profit", "ACME:0.5"},
        {"the acme of success", ""}, /* a word, not the company */
        {"ACME Instruments", "ACME:0.5"},
        {"acme instruments plc", "ACME:0.5"},
        {"Halden-Shipping and Orbit, Grain", "HLDN:0.5 ORBT:0.5"},
        {"Haldenmarine", ""},
        {"Common Name wins", ""}, /* two companies go by it */
        {"buy $TSLA, $BRK.B and $5", "TSLA:0.5 BRK.B:0.5"},
        {"$tsla US$ $ABCDEFGHIJ", ""},
        {"Foo (NYSE: FOO) and Bar (NASDAQ:BAR)", "FOO:0.5 BAR:0.5"},
        {"Foo (since: NOW)", ""},
        {"", ""},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        names_found_t found = {0};
        assert_int_equal(names_in_text(f->a, &f->names, str_c(ROWS[i].text), 0.5, &found), RC_OK);
        article_t x = {.tickers = found.v, .ticker_count = found.n};
        print_message("# %s\n", ROWS[i].text);
        assert_tickers(&x, ROWS[i].want);
    }
}

static void tables_of_names_that_are_wrong(void **state)
{
    static const struct {
        const char *csv;
        size_t line;
    } ROWS[] = {
        {"ACME", 1},
        {"ACME,Acme\nlower,Name", 2},
        {"ACME,", 1},
        {",Name", 1},
        {"ACME,\"Acme", 1},
        {"ACME,\"Acme\"x", 1},
        {"A,B,C,D", 1},
        {"A B,Name", 1},
        {"\n\nTOOLONGTOOLONGTOOLONG,N", 3},
    };
    fixture_t *f = *state;
    names_t names;
    size_t line;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        assert_int_equal(names_read(f->a, str_c(ROWS[i].csv), &names, &line), RC_MALFORMED);
        assert_int_equal(line, ROWS[i].line);
    }
    assert_int_equal(names_read(f->a, STR("ACME,\"Acme, Inc.\"\n"), &names, &line), RC_OK);
    assert_true(names.n == 1 && names_has(&names, STR("ACME")) && !names_has(&names, STR("ACM")));
}

static void dates(void **state)
{
    static const struct {
        const char *in, *out;
    } ROWS[] = {
        {"Sun, 03 May 2026 12:00:00 GMT", "20260503T120000"},
        {"3 May 26 12:00 EST", "20260503T170000"},
        {"Sun, 03 May 2026 00:30:00 +0200", "20260502T223000"},
        {"Thu, 31 Dec 2026 23:00:00 -0100", "20270101T000000"},
        {"03 Sept 2026 12:00:00 Z", "20260903T120000"},
        {" 03 May 2026 12:00:60 UT ", "20260503T120059"},
        {"03 May 2026 12:00:00", "20260503T120000"},
        {"03 May 99 12:00:00 pdt", "19990503T190000"},
        {"2026-05-03T12:00:00Z", "20260503T120000"},
        {"2026-05-03T12:00:00.123456+05:30", "20260503T063000"},
        {"2026-05-03t12:00z", "20260503T120000"},
        {"2026-05-03", "20260503T000000"},
        {"2024-02-29T23:00:00-02:00", "20240301T010000"},
        {"2026-02-29", NULL},
        {"2026-05-03T12:00:00", NULL}, /* no offset: RFC 3339 wants one */
        {"2026-05-03T24:00:00Z", NULL},
        {"2026-13-03", NULL},
        {"1969-12-31T23:00:00Z", NULL},
        {"1970-01-01T00:00:00+01:00", NULL},
        {"Sun, 31 Feb 2026 12:00:00 GMT", NULL},
        {"Sun, 03 Mai 2026 12:00:00 GMT", NULL},
        {"03 May 2026 12:00:00 XYZ", NULL},
        {"03 May 2026 12:60 GMT", NULL},
        {"03 May 2026", NULL},
        {"yesterday", NULL},
        {"", NULL},
        {"2026-05-03T12:00:00Zx", NULL},
        {"99999-01-01", NULL},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        str_t got = news_date(f->a, str_c(ROWS[i].in));
        if (!str_eq(got, str_c(ROWS[i].out)))
            fail_msg("%s gave %.*s", ROWS[i].in, STR_ARG(got));
    }
}

static void html_as_text(void **state)
{
    static const struct {
        const char *in, *out;
    } ROWS[] = {
        {"plain", "plain"},
        {"a<br>b<p>c</p>d", "a b c d"},
        {"AT&T &amp; co; &unknown; &#65;&#x42; &#xZ; &#99999999;", "AT&T & co; &unknown; AB &#xZ;"},
        {"1 < 2 > 0 <3", "1 < 2 > 0 <3"},
        {"<a title=\"x > y\" href='z'>link</a>!", "link!"},
        {"a<!-- <b>c</b> -->d", "ad"},
        {"a<style>b{}</style>c<SCRIPT>if (a<b) x()</SCRIPT>d", "a c d"},
        {"a<b", "a"},
        {"a<script>never ends", "a"},
        {"&lt;script&gt;", "<script>"},
        {"&#x202e;a&#0;b&#xd800;", "ab"},
        {"\xf0\x9f\x93\x88 &#x1f4c8;", "\xf0\x9f\x93\x88 \xf0\x9f\x93\x88"},
        {"&euro;5", "\xe2\x82\xac"
                    "5"},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_str(news_html(f->a, str_c(ROWS[i].in), 100), ROWS[i].out);
}

#define NAMES_TEST(name) cmocka_unit_test_setup_teardown(name, names_setup, names_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAMES_TEST(names_in_texts),
        NAMES_TEST(tables_of_names_that_are_wrong),
        NAMES_TEST(dates),
        NAMES_TEST(html_as_text),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
