#include "http/http_test_wire.h"

static void bodies_are_told_by_their_type(void **state)
{
    static const struct {
        const char *type;
        unsigned body;
    } rows[] = {
        {"application/json", HTTP_BODY_JSON},
        {"application/x-www-form-urlencoded", HTTP_BODY_FORM},
        {"APPLICATION/Json", HTTP_BODY_JSON},
        {" application/json ", HTTP_BODY_JSON},
        {"application/json; charset=utf-8", HTTP_BODY_JSON},
        {"application/json;charset=UTF-8", HTTP_BODY_JSON},
        {"application/json ;\tcharset=\"utf-8\"", HTTP_BODY_JSON},
        {"application/json; version=1; charset=utf-8", HTTP_BODY_JSON},
        {"application/json; x=\"a;b\\\"c\"", HTTP_BODY_JSON},
        {"application/json;", HTTP_BODY_JSON},
        {"application/json; ; charset=utf-8 ;", HTTP_BODY_JSON},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(http_media_body(str_c(rows[i].type)), rows[i].body);
}

/* attack case: TOK-012 (what is not exactly one of ours is no body of ours) */
static void other_types_are_no_bodies(void **state)
{
    static const char *const rows[] = {
        "",
        "json",
        "text/plain",
        "text/json",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json-seq",
        "application/json, text/plain",
        "application/ json",
        "application/x-www-form-urlencoded, application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset=\"utf-16\"",
        "application/json; charset=\"utf-8",
        "application/json; charset=",
        "application/json; charset",
        "application/json; =utf-8",
        "application/json; charset =utf-8",
        "application/json; charset= utf-8",
        "application/json; a=b c=d",
        "application/json; a=\"b\"c",
        "application/json; a=\"\\",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (http_media_body(str_c(rows[i])) != 0)
            fail_msg("%s is taken", rows[i]);
    }
    assert_int_equal(http_media_body(STR_UNSET), 0);
}

static void accept_takes_by_name_and_wildcard(void **state)
{
    static const struct {
        const char *accept;
        bool takes;
    } rows[] = {
        {"text/html", true},
        {"Text/HTML", true},
        {"text/*", true},
        {"*/*", true},
        {"application/json, text/html;q=0.1", true},
        {"application/json , text/html ; level=1", true},
        {"text/html;q=0.001", true},
        {"application/json", false},
        {"application/*", false},
        {"", false},
        {"text", false},
        {"text/htm", false},
        {"text/html5", false},
        {"*", false},
        {"*/html", false},
        {"text/html;q=0", false},
        {"text/html; q=0.000", false},
        {"text/html;Q=0", false},
        {"text/html;q=0, */*", false},
        {"*/*, text/html;q=0", false},
        {"text/*;q=0, */*;q=1", false},
        {"*/*;q=0, text/html", true},
        {"text/html, */*;q=0", true},
        {"text/html;level=1;q=0, text/html", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (http_media_accepts(str_c(rows[i].accept), STR("text/html")) != rows[i].takes)
            fail_msg("%s", rows[i].accept);
    }
    assert_true(http_media_accepts(STR_UNSET, STR("text/html")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_told_by_their_type),
        cmocka_unit_test(other_types_are_no_bodies),
        cmocka_unit_test(accept_takes_by_name_and_wildcard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
