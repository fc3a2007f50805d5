#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ARENA_BYTES = 1 << 16, WORDS = 32 };

static int setup(void **state)
{
    *state = arena_new(ARENA_BYTES);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

/* Splits `line` at blanks and reads it. */
static bool read_line(arena_t *a, const char *line, options_t *o, str_t *why)
{
    char *argv[WORDS], *copy = arena_cstr(a, str_c(line)), *at;
    int n = 0;
    for (char *w = strtok_r(copy, " ", &at); w && n < WORDS; w = strtok_r(NULL, " ", &at))
        argv[n++] = w;
    *why = STR_UNSET;
    return options_read(a, n, argv, o, why);
}

#define LEAST "--listen 127.0.0.1:8081 --issuer http://127.0.0.1:8080 "

static void all_options_are_read(void **state)
{
    options_t o;
    str_t why;
    assert_true(
        read_line(*state,
                  "--listen=[::1]:0 --issuer https://as.test --resource "
                  "https://rs.test/mcp --feed f --data d --calls-per-minute 7 "
                  "--dpop required --dpop-nonce on --acr-values urn:a --max-age 300 "
                  "--refetch 2 --lists own --live-cache 15 --live-budget 5 --keep-articles 100 "
                  "--keep-days 30",
                  &o, &why));
    assert_true(str_eq(o.host, STR("::1")));
    assert_int_equal(o.port, 0);
    assert_string_equal(o.issuer, "https://as.test");
    assert_string_equal(o.resource, "https://rs.test/mcp");
    assert_string_equal(o.feed, "f");
    assert_string_equal(o.data, "d");
    assert_int_equal(o.calls_per_minute, 7);
    assert_int_equal(o.dpop_mode, WARDER_RS_DPOP_REQUIRED);
    assert_true(o.dpop_nonce);
    assert_string_equal(o.acr_values, "urn:a");
    assert_int_equal(o.max_age_s, 300);
    assert_int_equal(o.refetch_s, 2);
    assert_true(o.lists_own && !o.stdio);
    assert_int_equal(o.live_cache_minutes, 15);
    assert_int_equal(o.live_budget_n, 5);
    assert_int_equal(o.keep_articles, 100);
    assert_int_equal(o.keep_days, 30);
    assert_true(read_line(*state, LEAST, &o, &why));
    assert_true(str_eq(o.host, STR("127.0.0.1")));
    assert_int_equal(o.port, 8081);
    assert_null(o.resource);
    assert_null(o.feed);
    assert_int_equal(o.calls_per_minute, 0);
    assert_int_equal(o.dpop_mode, WARDER_RS_DPOP_OPTIONAL);
    assert_false(o.dpop_nonce);
    assert_null(o.acr_values);
    assert_int_equal(o.max_age_s, 0);
    assert_int_equal(o.refetch_s, 0);
    assert_false(o.lists_own || o.stdio);
    assert_int_equal(o.live_cache_minutes, 0);
    assert_int_equal(o.live_budget_n, 0);
    assert_int_equal(o.keep_articles, 0);
    assert_int_equal(o.keep_days, 0);
}

static void standard_streams_need_no_issuer(void **state)
{
    options_t o;
    str_t why;
    assert_true(read_line(*state, "--stdio --data d --keep-days 7", &o, &why) && o.stdio);
    assert_string_equal(o.data, "d");
    assert_int_equal(o.keep_days, 7);
}

static void help_and_version_need_nothing(void **state)
{
    options_t o;
    str_t why;
    assert_true(read_line(*state, "--help", &o, &why) && o.help);
    assert_true(read_line(*state, "--version", &o, &why) && o.version);
}

static void refusals_say_the_mend(void **state)
{
    static const struct {
        const char *line, *says;
    } ROWS[] = {
        {"", "--listen"},
        {"--listen 127.0.0.1:1", "--issuer"},
        {"--issuer https://as.test", "--listen"},
        {LEAST "--port 1", "no option '--port'"},
        {LEAST "--refetch 0", "--refetch wants a number"},
        {LEAST "--refetch 3601", "--refetch wants a number"},
        {LEAST "--max-age 0", "--max-age wants a number"},
        {LEAST "--max-age 1h", "--max-age wants a number"},
        {LEAST "--feed", "--feed wants a value"},
        {LEAST "--feed=", "--feed wants a value"},
        {LEAST "--data a --data b", "--data is given twice"},
        {LEAST "word", "no option 'word'"},
        {"--issuer x --listen 8081", "--listen wants"},
        {"--issuer x --listen localhost:8081", "--listen wants"},
        {"--issuer x --listen 127.0.0.1:65536", "--listen wants"},
        {"--issuer x --listen 127.0.0.1:", "--listen wants"},
        {"--issuer x --listen 127.0.0.1:-1", "--listen wants"},
        {"--issuer x --listen ::1:80", "--listen wants"},
        {"--issuer x --listen [127.0.0.1]:80", "--listen wants"},
        {LEAST "--calls-per-minute 0", "--calls-per-minute wants"},
        {LEAST "--calls-per-minute 1000001", "--calls-per-minute wants"},
        {LEAST "--calls-per-minute many", "--calls-per-minute wants"},
        {LEAST "--dpop maybe", "--dpop wants"},
        {LEAST "--dpop-nonce yes", "--dpop-nonce on or off"},
        {LEAST "--lists some", "--lists wants all or own"},
        {LEAST "--stdio", "--stdio serves the program"},
        {"--stdio --stdio=yes", "no option '--stdio=yes'"},
        {"--stdio --keep-days 0", "--keep-days wants"},
        {LEAST "--live-cache 14", "--live-cache wants"},
        {LEAST "--live-cache 61", "--live-cache wants"},
        {LEAST "--live-budget 0", "--live-budget wants"},
        {LEAST "--live-budget 100001", "--live-budget wants"},
        {LEAST "--live-budget none", "--live-budget wants"},
        {LEAST "--keep-articles 99", "--keep-articles wants"},
        {LEAST "--keep-articles 5000001", "--keep-articles wants"},
        {LEAST "--keep-days 0", "--keep-days wants"},
        {LEAST "--keep-days 36501", "--keep-days wants"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        options_t o;
        str_t why;
        assert_false(read_line(*state, ROWS[i].line, &o, &why));
        if (!str_contains(why, str_c(ROWS[i].says)))
            fail_msg("'%s' said '%.*s'", ROWS[i].line, STR_ARG(why));
        assert_false(str_contains(why, STR("\n")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_options_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(help_and_version_need_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(standard_streams_need_no_issuer, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals_say_the_mend, setup, teardown),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
