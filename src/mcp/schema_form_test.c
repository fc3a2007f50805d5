#include "mcp/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define FORM(field) "{\"type\":\"object\",\"properties\":{\"f\":" field "}}"

static const struct {
    const char *schema, *value;
    bool fits;
} CASES[] = {
    {FORM("{\"type\":\"string\",\"title\":\"F\",\"minLength\":1,\"default\":\"a\"}"),
     "{\"f\":\"x\"}", true},
    {FORM("{\"type\":\"string\",\"pattern\":\"^x\"}"), "{\"f\":\"y\"}", false},
    {FORM("{\"type\":\"integer\",\"minimum\":1,\"maximum\":3}"), "{\"f\":4}", false},
    {FORM("{\"type\":\"number\"}"), "{}", true},
    {FORM("{\"type\":\"boolean\",\"default\":true}"), "{\"f\":1}", false},
    {FORM("{\"type\":\"string\",\"enum\":[\"a\"],\"enumNames\":[\"A\"]}"), "{\"f\":\"a\"}", true},
    {FORM("{\"type\":\"string\",\"oneOf\":[{\"const\":\"a\",\"title\":\"A\"}]}"), "{\"f\":\"b\"}",
     false},
    {FORM("{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}}"),
     "{\"f\":[\"a\",\"b\"]}", true},
    {FORM("{\"type\":\"array\",\"minItems\":1,\"items\":{\"anyOf\":[{\"const\":\"a\",\"title\":"
          "\"A\"}]}}"),
     "{\"f\":[]}", false},
    {"{\"type\":\"object\",\"properties\":{},\"required\":[\"f\"]}", "{}", false},
    {FORM("{\"type\":\"string\",\"format\":\"email\"}"), "{\"f\":\"a.b+c@example.com\"}", true},
    {FORM("{\"type\":\"string\",\"format\":\"email\"}"), "{\"f\":\"\\\"a b\\\"@example.com\"}",
     true},
    {FORM("{\"type\":\"string\",\"format\":\"email\"}"), "{\"f\":\"a@b@c\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"email\"}"), "{\"f\":\"a..b@example.com\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"email\"}"), "{\"f\":\".a@example.com\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"email\"}"), "{\"f\":\"a@-example.com\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"email\"}"), "{\"f\":\"@example.com\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"email\"}"), "{\"f\":\"a@\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"uri\"}"), "{\"f\":\"https://example.com/a?b\"}", true},
    {FORM("{\"type\":\"string\",\"format\":\"uri\"}"), "{\"f\":\"/relative\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"uri\"}"), "{\"f\":\"https://a b\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"date\"}"), "{\"f\":\"2024-02-29\"}", true},
    {FORM("{\"type\":\"string\",\"format\":\"date\"}"), "{\"f\":\"2023-02-29\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"date\"}"), "{\"f\":\"1900-02-29\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"date\"}"), "{\"f\":\"2023-13-01\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"date\"}"), "{\"f\":\"2023-1-01\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"date\"}"), "{\"f\":\"2023-01-00\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"date-time\"}"), "{\"f\":\"2024-01-31T23:59:59.25Z\"}",
     true},
    {FORM("{\"type\":\"string\",\"format\":\"date-time\"}"),
     "{\"f\":\"1998-12-31t15:59:60-08:00\"}", true},
    {FORM("{\"type\":\"string\",\"format\":\"date-time\"}"), "{\"f\":\"1998-12-31T23:58:60Z\"}",
     false},
    {FORM("{\"type\":\"string\",\"format\":\"date-time\"}"), "{\"f\":\"2024-01-31T24:00:00Z\"}",
     false},
    {FORM("{\"type\":\"string\",\"format\":\"date-time\"}"), "{\"f\":\"2024-01-31T23:59:59\"}",
     false},
    {FORM("{\"type\":\"string\",\"format\":\"date-time\"}"),
     "{\"f\":\"2024-01-31T23:59:59+24:00\"}", false},
    {FORM("{\"type\":\"string\",\"format\":\"date-time\"}"), "{\"f\":\"2024-01-31 23:59:59Z\"}",
     false},
    {FORM("{\"type\":\"string\",\"format\":\"date-time\"}"), "{\"f\":\"2024-01-31T23:59:59.Z\"}",
     false},
};

static void forms_are_checked_with_their_formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        arena_t *a = arena_new(1 << 20);
        const json_t *json, *value;
        const mcp_schema_t *form;
        mcp_schema_fault_t fault;
        str_t why = STR_UNSET;
        bool fits;
        assert_int_equal(json_parse(a, str_c(CASES[i].schema), NULL, &json), RC_OK);
        assert_int_equal(json_parse(a, str_c(CASES[i].value), NULL, &value), RC_OK);
        if (mcp_schema_read_form(a, json, &form, &why) != RC_OK)
            fail_msg("%s: %" PRIstr, CASES[i].schema, STR_ARG(why));
        assert_int_equal(mcp_schema_check(a, form, value, &fits, &fault), RC_OK);
        if (fits != CASES[i].fits)
            fail_msg("%s: %s", CASES[i].schema, CASES[i].value);
        arena_free(a);
    }
}

static const struct {
    const char *schema, *why;
} REFUSED[] = {
    {"true", "must be an object"},
    {"{\"properties\":{}}", "a form has the type object"},
    {"{\"type\":\"string\",\"properties\":{}}", "a form has the type object"},
    {"{\"type\":\"object\"}", "a form has properties"},
    {"{\"type\":\"object\",\"properties\":{},\"allOf\":[{}]}", "allOf is not for forms"},
    {"{\"type\":\"object\",\"properties\":{},\"$defs\":{}}", "$defs is not for forms"},
    {"{\"type\":\"object\",\"properties\":{},\"additionalProperties\":{}}", "true or false"},
    {FORM("{\"type\":\"object\"}"), "`#/properties/f`: a field of a form is"},
    {FORM("{\"type\":[\"string\"]}"), "a field of a form is"},
    {FORM("{\"enum\":[\"a\"]}"), "a field of a form is"},
    {FORM("true"), "a field of a form is"},
    {FORM("{\"type\":\"null\"}"), "a field of a form is"},
    {FORM("{\"$ref\":\"#\"}"), "a field of a form is"},
    {FORM("{\"type\":\"string\",\"$ref\":\"#\"}"), "$ref is not for forms"},
    {FORM("{\"type\":\"string\",\"maximum\":1}"), "maximum is not for forms, or not here"},
    {FORM("{\"type\":\"boolean\",\"enum\":[true]}"), "enum is not for forms, or not here"},
    {FORM("{\"type\":\"number\",\"multipleOf\":2}"), "multipleOf is not for forms"},
    {FORM("{\"type\":\"string\",\"format\":\"ipv4\"}"), "formats of forms are"},
    {FORM("{\"type\":\"string\",\"enum\":[1]}"), "among strings"},
    {FORM("{\"type\":\"string\",\"enum\":[]}"), "at least one string"},
    {FORM("{\"type\":\"string\",\"oneOf\":[{\"title\":\"A\"}]}"), "among strings"},
    {FORM("{\"type\":\"string\",\"oneOf\":[{\"const\":\"a\",\"pattern\":\"b\"}]}"),
     "pattern is not for"},
    {FORM("{\"type\":\"array\"}"), "says in items"},
    {FORM("{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"), "choices among strings"},
    {FORM("{\"type\":\"array\",\"items\":{\"type\":\"object\"}}"), "choices among strings"},
    {FORM("{\"type\":\"array\",\"items\":{\"enum\":[\"a\"]}}"), "lists in forms are of strings"},
    {FORM("{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{}}}"),
     "items is not for forms"},
    {FORM("{\"type\":\"string\",\"minLength\":-1}"), "minLength must be"},
};

static void what_no_client_can_draw_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        arena_t *a = arena_new(1 << 20);
        const json_t *json;
        const mcp_schema_t *form;
        str_t why = STR_UNSET;
        assert_int_equal(json_parse(a, str_c(REFUSED[i].schema), NULL, &json), RC_OK);
        rc_t rc = mcp_schema_read_form(a, json, &form, &why);
        if (rc != RC_CONFIG || form || !str_contains(why, str_c(REFUSED[i].why)))
            fail_msg("%s: %" PRIstr, REFUSED[i].schema, STR_ARG(why));
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_checked_with_their_formats),
        cmocka_unit_test(what_no_client_can_draw_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
