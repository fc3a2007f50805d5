#include "mcp/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct {
    const char *schema, *value, *at, *keyword, *sentence;
} CASES[] = {
    {"{\"properties\":{\"limit\":{\"maximum\":50}}}", "{\"limit\":51}", "/limit", "maximum",
     "`/limit` must be at most 50."},
    {"{\"exclusiveMaximum\":5e1}", "50", "", "exclusiveMaximum", "The value must be below 5e1."},
    {"{\"items\":{\"type\":\"integer\"}}", "[1,\"2\"]", "/1", "type",
     "`/1` must be an integer, not a string."},
    {"{\"type\":\"integer\"}", "1.5", "", "type", "The value must be an integer, not a fraction."},
    {"{\"type\":[\"string\",\"null\"]}", "true", "", "type",
     "The value must be a string or null, not true or false."},
    {"{\"properties\":{\"a/b\":{\"minLength\":3}}}", "{\"a/b\":\"\"}", "/a~1b", "minLength",
     "`/a~1b` must have at least 3 characters."},
    {"{\"maxItems\":1}", "[1,2]", "", "maxItems", "The value must have at most 1 elements."},
    {"{\"minProperties\":1}", "{}", "", "minProperties", "The value must have at least 1 members."},
    {"{\"multipleOf\":0.5}", "0.7", "", "multipleOf", "The value must be a multiple of 0.5."},
    {"{\"uniqueItems\":true}", "[1,1]", "", "uniqueItems",
     "The value must have no two equal elements."},
    {"{\"pattern\":\"^[A-Z]+$\"}", "\"a\"", "", "pattern",
     "The value must match the pattern ^[A-Z]+$."},
    {"{\"required\":[\"a\",\"b\"]}", "{\"a\":1}", "", "required",
     "The value must have the member `b`."},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", "", "dependentRequired",
     "The value must have the member `b`, as it has `a`."},
    {"{\"enum\":[\"new\",\"old\",3]}", "\"x\"", "", "enum",
     "The value must be one of \"new\", \"old\", 3."},
    {"{\"enum\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13]}", "14", "", "enum",
     "The value must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 or one of 2 more."},
    {"{\"const\":7}", "8", "", "const", "The value must be 7."},
    {"{\"oneOf\":[{\"const\":\"a\",\"title\":\"A\"},{\"const\":\"b\"}]}", "\"c\"", "", "oneOf",
     "The value must be one of \"a\", \"b\"."},
    {"{\"oneOf\":[{\"minimum\":1},{\"maximum\":2}]}", "1", "", "oneOf",
     "The value must fit exactly one of 2 forms, and fits more."},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "1", "", "anyOf",
     "The value must fit one of 2 forms, and fits none."},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":3}]}", "1", "", "minimum",
     "The value must be at least 3."},
    /* The branch that was meant is the one whose kind fits. */
    {"{\"oneOf\":[{\"properties\":{\"kind\":{\"const\":\"a\"}}},{\"properties\":{\"kind\":{"
     "\"const\":"
     "\"b\"},\"n\":{\"minimum\":1}}}]}",
     "{\"kind\":\"b\",\"n\":0}", "/n", "minimum", "`/n` must be at least 1."},
    {"{\"anyOf\":[{\"anyOf\":[{\"properties\":{\"n\":{\"minimum\":1}}}]}]}", "{\"n\":0}", "/n",
     "minimum", "`/n` must be at least 1."},
    {"{\"properties\":{\"b\":{},\"a\":{}},\"additionalProperties\":false}", "{\"c\":1}", "/c",
     "additionalProperties", "`/c` is not known; there may be a, b."},
    {"{\"unevaluatedProperties\":false}", "{\"c\":1}", "/c", "unevaluatedProperties",
     "`/c` is not known."},
    {"{\"prefixItems\":[{}],\"items\":false}", "[1,2]", "/1", "items",
     "`/1` is one element too many."},
    {"{\"properties\":{\"a\":false}}", "{\"a\":1}", "/a", "properties", "`/a` must not be there."},
    {"{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}", "", "maxLength",
     "The value must have at most 1 characters."},
    {"{\"contains\":{\"const\":1}}", "[2]", "", "contains",
     "The value must have at least 1 elements of the form of contains."},
    {"{\"not\":{}}", "1", "", "not", "The value has a form that is ruled out."},
    {"false", "1", "", "false", "The value must not be there."},
    /* What could disturb a reader does not come. */
    {"{\"additionalProperties\":false}", "{\"a\\n`\\u202e\\u0085b\":1}",
     "/a\n`\xe2\x80\xae\xc2\x85"
     "b",
     "additionalProperties", "`/a????b` is not known."},
};

static void faults_have_place_keyword_and_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        arena_t *a = arena_new(1 << 20);
        const json_t *json, *value;
        const mcp_schema_t *schema;
        mcp_schema_fault_t fault;
        str_t why;
        bool fits;
        assert_int_equal(json_parse(a, str_c(CASES[i].schema), NULL, &json), RC_OK);
        assert_int_equal(json_parse(a, str_c(CASES[i].value), NULL, &value), RC_OK);
        assert_int_equal(mcp_schema_read(a, json, &schema, &why), RC_OK);
        assert_int_equal(mcp_schema_check(a, schema, value, &fits, &fault), RC_OK);
        assert_false(fits);
        if (!str_eq(fault.at, str_c(CASES[i].at)) ||
            !str_eq(fault.keyword, str_c(CASES[i].keyword)) ||
            !str_eq(fault.sentence, str_c(CASES[i].sentence)))
            fail_msg("%s: %" PRIstr " %" PRIstr " %" PRIstr, CASES[i].schema, STR_ARG(fault.at),
                     STR_ARG(fault.keyword), STR_ARG(fault.sentence));
        arena_free(a);
    }
}

static void long_names_are_cut(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    char name[3000];
    const json_t *json, *value;
    const mcp_schema_t *schema;
    mcp_schema_fault_t fault;
    str_t why;
    bool fits;
    memset(name, 'n', sizeof name);
    str_t text = arena_printf(a, "{\"o\":{\"%.*s\":1}}", (int)sizeof name, name);
    str_t rules = arena_printf(a,
                               "{\"properties\":{\"o\":{\"additionalProperties\":false,"
                               "\"properties\":{\"%.*s\":{}}}}}",
                               2000, name);
    assert_int_equal(json_parse(a, rules, NULL, &json), RC_OK);
    assert_int_equal(json_parse(a, text, NULL, &value), RC_OK);
    assert_int_equal(mcp_schema_read(a, json, &schema, &why), RC_OK);
    assert_int_equal(mcp_schema_check(a, schema, value, &fits, &fault), RC_OK);
    assert_false(fits);
    assert_true(str_eq(fault.at, STR("/o"))); /* as far as whole steps fit */
    assert_true(fault.sentence.n < 200 && str_ends(fault.sentence, STR("....")));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_have_place_keyword_and_sentence),
        cmocka_unit_test(long_names_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
