#include "mcp/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define DRAFT_07 "\"$schema\":\"http://json-schema.org/draft-07/schema#\","

typedef struct {
    const char *schema, *value;
    bool fits;
} case_t;

/* One of a kind each, and what the official suite does not ask; schema_suite_test.c runs that. */
static const case_t CASES[] = {
    {"true", "1", true},
    {"false", "1", false},
    {"{}", "null", true},
    {"{\"type\":\"integer\"}", "1.0", true},
    {"{\"type\":\"integer\"}", "1.5", false},
    {"{\"type\":\"integer\"}", "12e-1", false},
    {"{\"type\":[\"string\",\"null\"]}", "null", true},
    {"{\"type\":[\"string\",\"null\"]}", "false", false},
    {"{\"enum\":[1,\"a\"]}", "1.0", true},
    {"{\"enum\":[1,\"a\"]}", "\"\\u0061\"", true},
    {"{\"enum\":[1,\"a\"]}", "\"1\"", false},
    {"{\"const\":{\"a\":[1],\"b\":2}}", "{\"b\":2.0,\"a\":[1e0]}", true},
    {"{\"const\":{\"a\":[1],\"b\":2}}", "{\"b\":2,\"a\":[1,1]}", false},
    {"{\"const\":0}", "false", false},
    {"{\"multipleOf\":0.01}", "19.99", true},
    {"{\"multipleOf\":0.01}", "19.999", false},
    {"{\"maximum\":9007199254740992}", "9007199254740993", false},
    {"{\"exclusiveMinimum\":0}", "0.0", false},
    {"{\"exclusiveMinimum\":0}", "1e-400", true},
    {"{\"maxLength\":2}", "\"\\ud83d\\ude00\\ud83d\\ude00\"", true},
    {"{\"minLength\":2}", "\"\\u00e9\"", false},
    {"{\"maxLength\":2.0}", "\"abc\"", false},
    {"{\"format\":\"email\"}", "\"nonsense\"", true}, /* an annotation */
    {"{\"format\":\"no-such\"}", "\"nonsense\"", true},
    {"{\"no-such\":7}", "1", true},
    {"{\"uniqueItems\":true}", "[1,\"1\",[1],{\"a\":1}]", true},
    {"{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},{\"b\":2.0,\"a\":1}]", false},
    {"{\"uniqueItems\":true}", "[[1,2],[2,1]]", true},
    {"{\"uniqueItems\":false}", "[1,1]", true},
    {"{\"contains\":{\"type\":\"string\"},\"maxContains\":1}", "[\"a\",\"b\"]", false},
    {"{\"contains\":{\"type\":\"string\"},\"minContains\":0}", "[]", true},
    {"{\"prefixItems\":[true],\"items\":false}", "[1,2]", false},
    {"{\"prefixItems\":[true],\"items\":false}", "[1]", true},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}},\"patternProperties\":{\"^x\":{}},"
     "\"additionalProperties\":false}",
     "{\"a\":\"\",\"xy\":1}", true},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}},\"patternProperties\":{\"^x\":{}},"
     "\"additionalProperties\":false}",
     "{\"a\":\"\",\"y\":1}", false},
    {"{\"propertyNames\":{\"enum\":[\"a\"]}}", "{\"b\":1}", false},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", false},
    {"{\"dependentSchemas\":{\"a\":{\"required\":[\"b\"]}}}", "{\"a\":1,\"b\":2}", true},
    {"{\"allOf\":[{\"minimum\":1},{\"maximum\":2}]}", "3", false},
    {"{\"anyOf\":[{\"minimum\":1},{\"type\":\"string\"}]}", "0", false},
    {"{\"oneOf\":[{\"minimum\":1},{\"maximum\":2}]}", "1.5", false},
    {"{\"not\":{\"type\":\"string\"}}", "\"\"", false},
    {"{\"if\":{\"minimum\":1},\"then\":{\"maximum\":2},\"else\":{\"maximum\":-1}}", "0", false},
    {"{\"if\":{\"minimum\":1},\"then\":{\"maximum\":2},\"else\":{\"maximum\":-1}}", "2", true},
    {"{\"allOf\":[{\"properties\":{\"a\":true}}],\"unevaluatedProperties\":false}", "{\"a\":1}",
     true},
    {"{\"allOf\":[{\"properties\":{\"a\":true}}],\"unevaluatedProperties\":false}", "{\"b\":1}",
     false},
    {"{\"not\":{\"not\":{\"properties\":{\"a\":true}}},\"unevaluatedProperties\":false}",
     "{\"a\":1}", false},
    {"{\"prefixItems\":[true],\"contains\":{\"const\":2},\"unevaluatedItems\":false}", "[1,2]",
     true},
    {"{\"prefixItems\":[true],\"contains\":{\"const\":2},\"unevaluatedItems\":false}", "[1,2,3]",
     false},
    {"{\"$ref\":\"#/$defs/a\",\"maximum\":5,\"$defs\":{\"a\":{\"type\":\"number\"}}}", "6", false},
    {"{\"$ref\":\"#/$defs/a%20b~1c\",\"$defs\":{\"a b/c\":false}}", "6", false},
    {"{\"$ref\":\"#/definitions/a\",\"definitions\":{\"a\":{\"type\":\"string\"}}}", "6", false},
    {"{\"$ref\":\"#here\",\"$defs\":{\"a\":{\"$anchor\":\"here\",\"type\":\"string\"}}}", "6",
     false},
    {"{\"$id\":\"https://a.example/x/\",\"$ref\":\"y\",\"$defs\":{\"a\":{\"$id\":\"y\",\"type\":"
     "\"string\"}}}",
     "6", false},
    {"{\"properties\":{\"child\":{\"$ref\":\"#\"}},\"additionalProperties\":false}",
     "{\"child\":{\"child\":{\"x\":1}}}", false},
    {"{" DRAFT_07 "\"items\":[{\"type\":\"string\"}],\"additionalItems\":false}", "[\"a\"]", true},
    {"{" DRAFT_07 "\"items\":[{\"type\":\"string\"}],\"additionalItems\":false}", "[\"a\",1]",
     false},
    {"{" DRAFT_07 "\"$ref\":\"#/definitions/a\",\"maximum\":5,\"definitions\":{\"a\":{}}}", "6",
     true},
    {"{" DRAFT_07 "\"dependencies\":{\"a\":[\"b\"],\"c\":{\"maxProperties\":1}}}",
     "{\"c\":1,\"d\":1}", false},
    {"{" DRAFT_07 "\"unevaluatedProperties\":false}", "{\"c\":1}", true},
};

static const json_t *parse(arena_t *a, str_t text)
{
    static const json_limits_t LIMITS = {8 << 20, 1000, 1000000};
    const json_t *v;
    assert_int_equal(json_parse(a, text, &LIMITS, &v), RC_OK);
    return v;
}

static rc_t check(arena_t *a, str_t schema, str_t value, bool *fits, mcp_schema_fault_t *fault)
{
    const mcp_schema_t *read;
    str_t why = STR_UNSET;
    rc_t rc = mcp_schema_read(a, parse(a, schema), &read, &why);
    if (rc != RC_OK)
        fail_msg("%" PRIstr ": %" PRIstr, STR_ARG(schema), STR_ARG(why));
    return mcp_schema_check(a, read, parse(a, value), fits, fault);
}

static void values_fit_or_do_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        arena_t *a = arena_new(1 << 20);
        mcp_schema_fault_t fault;
        bool fits;
        rc_t rc = check(a, str_c(CASES[i].schema), str_c(CASES[i].value), &fits, &fault);
        if (rc != RC_OK || fits != CASES[i].fits || (!fits && fault.sentence.n == 0))
            fail_msg("%s: %s", CASES[i].schema, CASES[i].value);
        arena_free(a);
    }
}

static const struct {
    const char *schema, *why; /* `why` holds that */
} REFUSED[] = {
    {"1", "a schema is an object"},
    {"{\"properties\":{\"a/b\":[]}}", "`#/properties/a~1b`: a schema is"},
    {"{\"type\":\"text\"}", "`#/type`: type must be object"},
    {"{\"type\":[]}", "type must be"},
    {"{\"enum\":1}", "enum must be a list"},
    {"{\"minimum\":\"1\"}", "minimum must be a number"},
    {"{\"exclusiveMinimum\":true}", "exclusiveMinimum must be a number"},
    {"{\"multipleOf\":0}", "multipleOf must be above 0"},
    {"{\"multipleOf\":-1}", "multipleOf must be above 0"},
    {"{\"multipleOf\":1.234567890123456789}", "at most 18 digits"},
    {"{\"minLength\":-1}", "minLength must be an integer"},
    {"{\"minLength\":1.5}", "minLength must be an integer"},
    {"{\"uniqueItems\":1}", "uniqueItems must be true or false"},
    {"{\"pattern\":\"(\"}", "this is no pattern"},
    {"{\"pattern\":1}", "pattern must be a string"},
    {"{\"patternProperties\":{\"[\":{}}}", "this is no pattern"},
    {"{\"required\":\"a\"}", "required must be a list of names"},
    {"{\"required\":[1]}", "required must be a list of names"},
    {"{\"dependentRequired\":{\"a\":{}}}", "dependentRequired must be lists of names"},
    {"{\"items\":[{}]}", "those of single places are prefixItems"},
    {"{\"allOf\":[]}", "allOf must be a list of at least one schema"},
    {"{\"properties\":[]}", "properties must be an object"},
    {"{\"format\":1}", "format must be a string"},
    {"{\"$ref\":1}", "$ref must be a string"},
    {"{\"$ref\":\"#/$defs/a\"}", "leads to nothing"},
    {"{\"$ref\":\"#a\"}", "names no anchor"},
    {"{\"$ref\":\"#/%zz\"}", "is no reference"},
    {"{\"$ref\":\"https://example.com/a\"}", "leads out of the schema"},
    {"{\"items\":{\"$ref\":\"a.json\"}}", "`#/items/$ref`: \"a.json\" leads out of the schema"},
    {"{\"$ref\":\"#/required\",\"required\":[]}", "a schema is an object"},
    {"{\"$id\":1}", "$id must be"},
    {"{\"$id\":\"a#b\"}", "$id has no fragment"},
    {"{\"$anchor\":1}", "$anchor must be a name"},
    {"{\"$schema\":\"http://json-schema.org/draft-03/schema#\"}", "dialect is not known"},
    {"{\"$schema\":7}", "dialect is not known"},
    {"{\"$ref\":\"#\"}", "leads to itself"},
    {"{\"anyOf\":[true,{\"allOf\":[{\"$ref\":\"#\"}]}]}", "leads to itself"},
    {"{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}}}",
     "leads to itself"},
};

static void what_is_no_schema_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        arena_t *a = arena_new(1 << 20);
        const mcp_schema_t *read;
        str_t why = STR_UNSET;
        rc_t rc = mcp_schema_read(a, parse(a, str_c(REFUSED[i].schema)), &read, &why);
        if (rc != RC_CONFIG || read || !str_contains(why, str_c(REFUSED[i].why)))
            fail_msg("%s: %" PRIstr, REFUSED[i].schema, STR_ARG(why));
        arena_free(a);
    }
}

static void repeat(buf_t *b, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_put(b, str_c(text));
}

/* `before` and `behind` around `middle`, each n times. */
static str_t nested(arena_t *a, size_t n, const char *before, const char *middle,
                    const char *behind)
{
    buf_t b = buf_new(a, 8 << 20);
    str_t out;
    repeat(&b, before, n);
    buf_put(&b, str_c(middle));
    repeat(&b, behind, n);
    assert_int_equal(buf_done(&b, &out), RC_OK);
    return out;
}

static rc_t read_text(arena_t *a, str_t text)
{
    const mcp_schema_t *read;
    str_t why = STR_UNSET;
    rc_t rc = mcp_schema_read(a, parse(a, text), &read, &why);
    assert_true(rc == RC_OK || why.n > 0);
    return rc;
}

static void large_schemas_are_refused(void **state)
{
    (void)state;
    arena_t *a = arena_new(64 << 20);
    assert_int_equal(read_text(a, nested(a, 63, "{\"not\":", "{}", "}")), RC_OK);
    assert_int_equal(read_text(a, nested(a, 64, "{\"not\":", "{}", "}")), RC_LIMIT);
    assert_int_equal(read_text(a, nested(a, 200, "{\"default\":", "{}", "}")), RC_LIMIT);
    str_t values = nested(a, MCP_SCHEMA_NODES, "", "{\"default\":[0", ",0");
    assert_int_equal(read_text(a, arena_printf(a, "%" PRIstr "]}", STR_ARG(values))), RC_LIMIT);
    str_t bytes = nested(a, MCP_SCHEMA_BYTES, "a", "", "");
    assert_int_equal(read_text(a, arena_printf(a, "{\"title\":\"%" PRIstr "\"}", STR_ARG(bytes))),
                     RC_LIMIT);
    arena_free(a);
}

static void long_chains_of_references_are_refused(void **state)
{
    (void)state;
    arena_t *a = arena_new(64 << 20);
    buf_t b = buf_new(a, 1 << 20);
    str_t text;
    buf_put(&b, STR("{\"$defs\":{"));
    for (int i = 0; i < 2000; i++)
        buf_fmt(&b, "\"%d\":{\"$ref\":\"#/$defs/%d\"},", i, i + 1);
    buf_put(&b, STR("\"2000\":{}}}"));
    assert_int_equal(buf_done(&b, &text), RC_OK);
    assert_int_equal(read_text(a, text), RC_CONFIG);
    arena_free(a);
}

static void a_dynamic_loop_ends(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    mcp_schema_fault_t fault;
    bool fits;
    str_t schema =
        STR("{\"$id\":\"a\",\"$dynamicAnchor\":\"n\",\"$ref\":\"b\",\"$defs\":{\"b\":{\"$id\":"
            "\"b\",\"$dynamicRef\":\"#n\",\"$defs\":{\"c\":{\"$dynamicAnchor\":\"n\"}}}}}");
    assert_int_equal(check(a, schema, STR("1"), &fits, &fault), RC_LIMIT);
    assert_false(fits);
    assert_true(fault.sentence.n > 0);
    arena_free(a);
}

/* Each branch leads to the next level twice: 2^40 ways. */
static void composition_that_multiplies_ends(void **state)
{
    (void)state;
    arena_t *a = arena_new(64 << 20);
    mcp_schema_fault_t fault;
    bool fits;
    buf_t b = buf_new(a, 1 << 20);
    str_t text;
    buf_put(&b, STR("{\"$ref\":\"#/$defs/0\",\"$defs\":{"));
    for (int i = 0; i < 25; i++)
        buf_fmt(&b, "\"%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/%d\"},{\"$ref\":\"#/$defs/%d\"}]},", i,
                i + 1, i + 1);
    buf_put(&b, STR("\"25\":false}}"));
    assert_int_equal(buf_done(&b, &text), RC_OK);
    assert_int_equal(check(a, text, STR("1"), &fits, &fault), RC_LIMIT);
    assert_false(fits);
    arena_free(a);
}

static void deep_values_end(void **state)
{
    (void)state;
    arena_t *a = arena_new(64 << 20);
    mcp_schema_fault_t fault;
    bool fits;
    str_t schema = STR("{\"items\":{\"$ref\":\"#\"}}"), deep = nested(a, 500, "[", "", "]");
    assert_int_equal(check(a, schema, deep, &fits, &fault), RC_LIMIT);
    assert_int_equal(check(a, schema, nested(a, 30, "[", "", "]"), &fits, &fault), RC_OK);
    assert_true(fits);
    assert_int_equal(check(a, STR("{\"uniqueItems\":true}"), deep, &fits, &fault), RC_LIMIT);
    arena_free(a);
}

static void long_lists_are_compared_fast(void **state)
{
    (void)state;
    enum { N = 200000 };
    arena_t *a = arena_new(256 << 20);
    mcp_schema_fault_t fault;
    bool fits;
    buf_t b = buf_new(a, 8 << 20);
    str_t text;
    buf_char(&b, '[');
    for (int i = 0; i < N; i++)
        buf_fmt(&b, "%d,", i);
    buf_put(&b, STR("-1]"));
    assert_int_equal(buf_done(&b, &text), RC_OK);
    assert_int_equal(check(a, STR("{\"uniqueItems\":true}"), text, &fits, &fault), RC_OK);
    assert_true(fits);
    arena_free(a);
}

static void a_pattern_costs_steps(void **state)
{
    (void)state;
    arena_t *a = arena_new(64 << 20);
    mcp_schema_fault_t fault;
    bool fits;
    str_t bad = nested(a, 5000, "a", "", "");
    str_t value = arena_printf(a, "[\"%" PRIstr "!\"]", STR_ARG(bad));
    assert_int_equal(check(a, STR("{\"items\":{\"pattern\":\"^(a+)+$\"}}"), value, &fits, &fault),
                     RC_LIMIT);
    assert_false(fits);
    assert_int_equal(check(a, STR("{\"items\":{\"pattern\":\"^a+!$\"}}"), value, &fits, &fault),
                     RC_OK);
    assert_true(fits);
    arena_free(a);
}

/* Whatever the budget, the answer is one of the two, and nothing leaks. */
static void memory_that_ends_is_said(void **state)
{
    (void)state;
    str_t schema = STR("{\"properties\":{\"a\":{\"pattern\":\"^x\"},\"b\":{\"uniqueItems\":true}},"
                       "\"unevaluatedProperties\":false,\"$defs\":{\"c\":{\"$id\":\"c\"}}}");
    size_t enough = 0;
    for (size_t budget = 64; budget < 60000; budget += 64) {
        arena_t *p = arena_new(1 << 20), *a = arena_new(budget);
        const json_t *json = parse(p, schema);
        const json_t *value = parse(p, STR("{\"a\":\"x\",\"b\":[1,2],\"c\":1}"));
        const mcp_schema_t *read;
        mcp_schema_fault_t fault;
        str_t why;
        bool fits;
        rc_t rc = mcp_schema_read(a, json, &read, &why);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        if (rc == RC_OK)
            rc = mcp_schema_check(a, read, value, &fits, &fault);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        assert_true(rc == RC_MEMORY || !fits);
        enough += rc == RC_OK;
        arena_free(a);
        arena_free(p);
    }
    assert_true(enough > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_fit_or_do_not),
        cmocka_unit_test(what_is_no_schema_is_refused),
        cmocka_unit_test(large_schemas_are_refused),
        cmocka_unit_test(long_chains_of_references_are_refused),
        cmocka_unit_test(a_dynamic_loop_ends),
        cmocka_unit_test(composition_that_multiplies_ends),
        cmocka_unit_test(deep_values_end),
        cmocka_unit_test(long_lists_are_compared_fast),
        cmocka_unit_test(a_pattern_costs_steps),
        cmocka_unit_test(memory_that_ends_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
