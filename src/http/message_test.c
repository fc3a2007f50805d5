#include "http/http_test_wire.h"

static const http_header_t FIELDS[] = {
    {STR_INIT("Accept"), STR_INIT("a, b")},
    {STR_INIT("X"), STR_INIT("1")},
    {STR_INIT("accept"), STR_INIT(" C ,\td")},
    {STR_INIT("Empty"), STR_INIT("")},
};
static const http_headers_t ALL = {FIELDS, sizeof FIELDS / sizeof *FIELDS};

static void fields_are_found_in_any_case(void **state)
{
    assert_text(http_headers_get(ALL, STR("ACCEPT")), "a, b");
    assert_text(http_headers_get(ALL, STR("x")), "1");
    assert_text(http_headers_get(ALL, STR("empty")), "");
    assert_unset(http_headers_get(ALL, STR("accep")));
    assert_unset(http_headers_get(HTTP_NO_HEADERS, STR("x")));
    assert_int_equal(http_headers_count(ALL, STR("accept")), 2);
    assert_int_equal(http_headers_count(ALL, STR("y")), 0);
    size_t at = 0;
    str_t value;
    assert_true(http_headers_next(ALL, STR("accept"), &at, &value));
    assert_true(http_headers_next(ALL, STR("accept"), &at, &value));
    assert_text(value, " C ,\td");
    assert_false(http_headers_next(ALL, STR("accept"), &at, &value));
}

static void all_values_of_a_name_stand_in_order(void **state)
{
    (void)state;
    str_list_t values;
    arena_t *a = arena_new(4096);
    assert_int_equal(http_headers_all(a, ALL, STR("ACCEPT"), &values), RC_OK);
    assert_int_equal(values.n, 2);
    assert_text(values.v[0], "a, b");
    assert_text(values.v[1], " C ,\td");
    assert_int_equal(http_headers_all(a, ALL, STR("y"), &values), RC_OK);
    assert_int_equal(values.n, 0);
    arena_free(a);
}

static void tokens_are_found_over_all_fields(void **state)
{
    static const char *const has[] = {"a", "B", "c", "D"};
    for (size_t i = 0; i < 4; i++)
        assert_true(http_headers_has_token(ALL, STR("Accept"), str_c(has[i])));
    assert_false(http_headers_has_token(ALL, STR("Accept"), STR("a, b")));
    assert_false(http_headers_has_token(ALL, STR("Accept"), STR("e")));
    assert_false(http_headers_has_token(ALL, STR("Y"), STR("a")));
}

static void methods_are_case_sensitive(void **state)
{
    http_method_t m;
    for (unsigned i = 0; i < HTTP_METHOD_COUNT; i++) {
        assert_true(http_method_parse(http_method_name((http_method_t)i), &m));
        assert_int_equal(m, i);
    }
    static const char *const no[] = {"get", "GE", "GETS", "", "TRACE", "CONNECT", "PRI"};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(http_method_parse(str_c(no[i]), &m));
}

static void statuses_have_phrases(void **state)
{
    assert_text(http_status_phrase(200), "OK");
    assert_text(http_status_phrase(431), "Request Header Fields Too Large");
    assert_text(http_status_phrase(505), "HTTP Version Not Supported");
    assert_text(http_status_phrase(299), "Unknown");
}

/* RFC 9110 section 5.6.2 */
static void tokens_have_their_characters(void **state)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (unsigned c = 0; c < 256; c++) {
        bool is = c && strchr(token, (int)c);
        assert_int_equal(http_is_tchar((unsigned char)c), is);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found_in_any_case),
        cmocka_unit_test(all_values_of_a_name_stand_in_order),
        cmocka_unit_test(tokens_are_found_over_all_fields),
        cmocka_unit_test(methods_are_case_sensitive),
        cmocka_unit_test(statuses_have_phrases),
        cmocka_unit_test(tokens_have_their_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
