#include "mcp/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static int setup(void **state)
{
    *state = arena_new(4 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static const json_t *parsed(arena_t *a, const char *text)
{
    const json_t *root;
    assert_int_equal(json_parse(a, str_c(text), NULL, &root), RC_OK);
    return root;
}

static rc_t params_of(void **state, const char *schema, mcp_params_t *out)
{
    return mcp_params_read(*state, parsed(*state, schema), out);
}

#define REGION "\"region\":{\"type\":\"string\",\"x-mcp-header\":\"Region\"}"
#define SCHEMA                                                                                     \
    "{\"type\":\"object\",\"properties\":{" REGION ",\"n\":{\"type\":\"integer\","                 \
    "\"x-mcp-header\":\"Count\"},\"o\":{\"type\":\"object\",\"properties\":{\"deep\":{"            \
    "\"type\":[\"boolean\",\"null\"],\"x-mcp-header\":\"Deep\"}}}}}"

static void annotated_arguments_are_found(void **state)
{
    mcp_params_t p;
    assert_int_equal(params_of(state, SCHEMA, &p), RC_OK);
    assert_int_equal(p.n, 3);
    assert_true(str_eq(p.v[0].header, STR("Region")));
    assert_int_equal(p.v[2].path.n, 2);
    assert_true(str_eq(p.v[2].path.v[0], STR("o")) && str_eq(p.v[2].path.v[1], STR("deep")));
    assert_int_equal(params_of(state, "{\"type\":\"object\"}", &p), RC_OK);
    assert_int_equal(p.n, 0);
}

static void what_only_looks_like_an_annotation_is_none(void **state)
{
    mcp_params_t p;
    assert_int_equal(
        params_of(state,
                  "{\"properties\":{\"x-mcp-header\":{\"type\":\"string\"},\"a\":{\"default\":"
                  "{\"x-mcp-header\":\"A\"},\"enum\":[{\"x-mcp-header\":\"B\"}]}}}",
                  &p),
        RC_OK);
    assert_int_equal(p.n, 0);
}

static void bad_annotations_make_a_bad_tool(void **state)
{
    static const char *const BAD[] = {
        "{\"x-mcp-header\":\"Root\",\"type\":\"string\"}",
        "{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"\"}}}",
        "{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":1}}}",
        "{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A B\"}}}",
        "{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A:\"}}}",
        "{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\\r\\nB\"}}}",
        "{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\\u0000\"}}}",
        "{\"properties\":{\"a\":{\"type\":\"number\",\"x-mcp-header\":\"A\"}}}",
        "{\"properties\":{\"a\":{\"type\":\"object\",\"x-mcp-header\":\"A\"}}}",
        "{\"properties\":{\"a\":{\"type\":[],\"x-mcp-header\":\"A\"}}}",
        "{\"properties\":{\"a\":{\"x-mcp-header\":\"A\"}}}",
        "{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"},"
        "\"b\":{\"type\":\"string\",\"x-mcp-header\":\"a\"}}}",
        "{\"properties\":{\"a\":{\"items\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}}",
        "{\"oneOf\":[{\"properties\":{" REGION "}}]}",
        "{\"if\":{\"properties\":{" REGION "}}}",
        "{\"$defs\":{\"d\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}",
        "{\"patternProperties\":{\".\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}",
        "{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-\\u0068eader\":\"A B\"}}}",
    };
    mcp_params_t p;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        if (params_of(state, BAD[i], &p) != RC_MALFORMED)
            fail_msg("%s", BAD[i]);
        assert_int_equal(p.n, 0);
    }
    assert_int_equal(params_of(state, SCHEMA, &p), RC_OK);
}

static mcp_error_t check(void **state, mcp_era_t era, const char *arguments, const char *header,
                         const char *value)
{
    mcp_params_t p;
    mcp_operation_t o = {.era = era};
    o.arguments = arguments ? parsed(*state, arguments) : NULL;
    mcp_field_t field = {str_c(header), str_c(value)};
    assert_int_equal(params_of(state, SCHEMA, &p), RC_OK);
    return mcp_params_check(*state, (mcp_fields_t){&field, header ? 1 : 0}, p, &o);
}

static void repeated_arguments_must_equal(void **state)
{
    static const struct {
        const char *arguments, *header, *value;
        bool good;
    } ROWS[] = {
        {"{\"region\":\"us\"}", "Mcp-Param-Region", "us", true},
        {"{\"region\":\"us\"}", "mcp-param-REGION", "us", true},
        {"{\"region\":\"us\"}", "Mcp-Param-Region", "=?base64?dXM=?=", true},
        {"{\"region\":\"us\"}", "Mcp-Param-Region", "=?base64?dXM?=", false},
        {"{\"region\":\"us\"}", "Mcp-Param-Region", "=?base64?dX!=?=", false},
        {"{\"region\":\"dXM=\"}", "Mcp-Param-Region", "dXM=", true},
        {"{\"region\":\"us\"}", "Mcp-Param-Region", "US", false},
        {"{\"region\":\"\xc3\xa9\"}", "Mcp-Param-Region", "\xc3\xa9", false},
        {"{\"region\":\"\xc3\xa9\"}", "Mcp-Param-Region", "=?base64?w6k=?=", true},
        {"{\"region\":\"us\"}", NULL, NULL, false},
        {"{\"region\":null}", NULL, NULL, true},
        {"{\"region\":null}", "Mcp-Param-Region", "null", false},
        {"{}", "Mcp-Param-Region", "us", false},
        {"{}", "Mcp-Param-Other", "us", true},
        {NULL, NULL, NULL, true},
        {"{\"n\":42}", "Mcp-Param-Count", "42", true},
        {"{\"n\":42}", "Mcp-Param-Count", "42.0", true},
        {"{\"n\":42.0}", "Mcp-Param-Count", "42", true},
        {"{\"n\":-7}", "Mcp-Param-Count", "-7", true},
        {"{\"n\":42}", "Mcp-Param-Count", "43", false},
        {"{\"n\":42}", "Mcp-Param-Count", "0x2a", false},
        {"{\"n\":42.5}", "Mcp-Param-Count", "42.5", false},
        {"{\"n\":9007199254740993}", "Mcp-Param-Count", "9007199254740992", false},
        {"{\"n\":\"42\"}", "Mcp-Param-Count", "42", true},
        {"{\"n\":\"42\"}", "Mcp-Param-Count", "42.0", false},
        {"{\"n\":{}}", "Mcp-Param-Count", "{}", false},
        {"{\"o\":{\"deep\":true}}", "Mcp-Param-Deep", "true", true},
        {"{\"o\":{\"deep\":true}}", "Mcp-Param-Deep", "True", false},
        {"{\"o\":{\"deep\":false}}", "Mcp-Param-Deep", "false", true},
        {"{\"o\":[true]}", NULL, NULL, true},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        mcp_error_t want = ROWS[i].good ? MCP_NO_ERROR : MCP_ERROR_HEADER_MISMATCH;
        if (check(state, MCP_ERA_STATELESS, ROWS[i].arguments, ROWS[i].header, ROWS[i].value) !=
            want)
            fail_msg("%s %s", ROWS[i].arguments, ROWS[i].value);
    }
}

static void a_field_may_come_once(void **state)
{
    mcp_params_t p;
    mcp_operation_t o = {.era = MCP_ERA_STATELESS};
    o.arguments = parsed(*state, "{\"region\":\"us\"}");
    mcp_field_t twice[] = {{STR("Mcp-Param-Region"), STR("us")},
                           {STR("mcp-param-region"), STR("us")}};
    assert_int_equal(params_of(state, SCHEMA, &p), RC_OK);
    assert_int_equal(mcp_params_check(*state, (mcp_fields_t){twice, 2}, p, &o),
                     MCP_ERROR_HEADER_MISMATCH);
    assert_int_equal(mcp_params_check(*state, (mcp_fields_t){twice, 1}, p, &o), MCP_NO_ERROR);
}

static void the_handshake_era_needs_no_fields(void **state)
{
    const char *us = "{\"region\":\"us\"}";
    assert_int_equal(check(state, MCP_ERA_HANDSHAKE, us, NULL, NULL), MCP_NO_ERROR);
    assert_int_equal(check(state, MCP_ERA_HANDSHAKE, us, "Mcp-Param-Region", "us"), MCP_NO_ERROR);
    assert_int_equal(check(state, MCP_ERA_HANDSHAKE, us, "Mcp-Param-Region", "eu"),
                     MCP_ERROR_HEADER_MISMATCH);
}

#define PARAMS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARAMS_TEST(annotated_arguments_are_found),
        PARAMS_TEST(what_only_looks_like_an_annotation_is_none),
        PARAMS_TEST(bad_annotations_make_a_bad_tool),
        PARAMS_TEST(repeated_arguments_must_equal),
        PARAMS_TEST(a_field_may_come_once),
        PARAMS_TEST(the_handshake_era_needs_no_fields),
    };
    return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
