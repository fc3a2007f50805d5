#include "http/http_test_wire.h"
#include "http/scan.h"

/* Every byte at every offset, so that the wide step and the rest agree. */
static void field_values_stop_at_control_bytes(void **state)
{
    char text[40];
    for (size_t at = 0; at < sizeof text; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            bool good = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
            memset(text, 'a', sizeof text);
            text[at] = (char)byte;
            assert_int_equal(http_scan_value(text, 0, sizeof text), good ? sizeof text : at);
            assert_int_equal(http_scan_value(text, at, at + 1), good ? at + 1 : at);
        }
    }
}

static void classes_stop_at_the_first_other_byte(void **state)
{
    assert_int_equal(http_scan_class("GET /", 0, 5, HTTP_C_TOKEN), 3);
    assert_int_equal(http_scan_class("GET /", 3, 5, HTTP_C_TOKEN), 3);
    assert_int_equal(http_scan_class("/a?b", 0, 4, HTTP_C_PATH), 2);
    assert_int_equal(http_scan_class("/a?{b}", 0, 6, HTTP_C_QUERY), 6);
    assert_int_equal(http_scan_class("a.b:80/", 0, 7, HTTP_C_HOST), 6);
    assert_int_equal(http_scan_class("09afAFgG", 0, 8, HTTP_C_HEX), 6);
    for (unsigned c = 0x7f; c < 256; c++)
        assert_int_equal(HTTP_BYTES[c], 0);
    for (unsigned c = 0; c <= 0x20; c++)
        assert_int_equal(HTTP_BYTES[c], 0);
}

static void cut_escapes_are_found(void **state)
{
    static const char *const good[] = {"", "a", "%00", "%aF%Fa", "a%20b"};
    static const char *const bad[] = {"%", "%2", "a%", "%g0", "%0g", "%%20", "%20%", "%2%20"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(http_scan_escapes(str_c(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(http_scan_escapes(str_c(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field_values_stop_at_control_bytes),
        cmocka_unit_test(classes_stop_at_the_first_other_byte),
        cmocka_unit_test(cut_escapes_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
