#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/freshness.h"
#include "http/writer.h"

enum { NOW = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */

static void dates_are_read_in_one_form(void **state)
{
    static const char *const BAD[] = {
        "",
        "0",
        "-1",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nox 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun,x06 Nov 1994 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
    };
    int64_t t;
    assert_true(http_date_parse(STR("Sun, 06 Nov 1994 08:49:37 GMT"), &t));
    assert_int_equal(t, NOW);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (http_date_parse(str_c(BAD[i]), &t))
            fail_msg("%s", BAD[i]);
    assert_false(http_date_parse(STR_UNSET, &t));
}

/* What our own answers say is read back, over leap years and centuries. */
static void dates_that_are_written_are_read(void **state)
{
    for (int64_t t = 0; t < 253402300799; t += 86400 * 37 + 4321) {
        char text[HTTP_DATE_TEXT];
        int64_t back;
        http_writer_date(t, text);
        assert_true(http_date_parse(str_of(text, 29), &back));
        assert_int_equal(back, t);
    }
}

static void an_answer_is_as_fresh_as_it_says(void **state)
{
    static const struct {
        const char *control, *expires, *date, *age, *vary;
        int64_t seconds;
    } TABLE[] = {
        {NULL, NULL, NULL, NULL, NULL, HTTP_FRESHNESS_UNSAID},
        {"public", NULL, NULL, NULL, NULL, HTTP_FRESHNESS_UNSAID},
        {"max-age=60", NULL, NULL, NULL, NULL, 60},
        {"Max-Age=\"60\"", NULL, NULL, NULL, NULL, 60},
        {"public, max-age=60", NULL, NULL, "20", NULL, 40},
        {"max-age=60", NULL, NULL, "60", NULL, 0},
        {"max-age=60", NULL, NULL, "x", NULL, 0},
        {"max-age=0", NULL, NULL, NULL, NULL, 0},
        {"max-age=x", NULL, NULL, NULL, NULL, 0},
        {"max-age", NULL, NULL, NULL, NULL, 0},
        {"max-age=315360000", NULL, NULL, NULL, NULL, 315360000},
        {"max-age=99999999999999999999", NULL, NULL, NULL, NULL, 0},
        {"max-age=9999999999", NULL, NULL, NULL, NULL, INT32_MAX},
        {"max-age=60, max-age=30", NULL, NULL, NULL, NULL, 30},
        {"max-age=60, s-maxage=10", NULL, NULL, NULL, NULL, 10},
        {"max-age=60, no-store", NULL, NULL, NULL, NULL, 0},
        {"NO-CACHE", NULL, NULL, NULL, NULL, 0},
        {"no-cache=\"a, b\", max-age=60", NULL, NULL, NULL, NULL, 0},
        {"max-age=60", NULL, NULL, NULL, "Accept", 60},
        {"max-age=60", NULL, NULL, NULL, "Accept, *", 0},
        {NULL, NULL, NULL, NULL, "*", 0},
        {NULL, "Sun, 06 Nov 1994 08:50:37 GMT", NULL, NULL, NULL, 60},
        {NULL, "Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:50:07 GMT", NULL, NULL, 30},
        {NULL, "Sun, 06 Nov 1994 08:49:36 GMT", NULL, NULL, NULL, 0},
        {NULL, "0", NULL, NULL, NULL, 0},
        {NULL, "Sun, 06 Nov 1994 08:50:37 GMT", "yesterday", NULL, NULL, 0},
        {"max-age=10", "Sun, 06 Nov 1994 08:50:37 GMT", NULL, NULL, NULL, 10},
        {"public", "Sun, 06 Nov 1994 08:50:37 GMT", NULL, "50", NULL, 10},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        const http_fetch_result_t r = {
            .cache_control = str_c(TABLE[i].control),
            .expires = str_c(TABLE[i].expires),
            .date = str_c(TABLE[i].date),
            .age = str_c(TABLE[i].age),
            .vary = str_c(TABLE[i].vary),
        };
        int64_t got = http_freshness(&r, NOW);
        if (got != TABLE[i].seconds)
            fail_msg("row %zu: %lld", i, (long long)got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read_in_one_form),
        cmocka_unit_test(dates_that_are_written_are_read),
        cmocka_unit_test(an_answer_is_as_fresh_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
