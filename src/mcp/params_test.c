#include "mcp/field.h"

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

/* Servers that hand fields on as variables would read the other one. */
static void a_field_has_no_shadow(void **state)
{
    static const str_t NAMES[] = {STR_INIT("Mcp-Param_Region"), STR_INIT("MCP_PARAM_REGION"),
                                  STR_INIT("Mcp.Param.Region")};
    mcp_params_t p;
    mcp_operation_t o = {.era = MCP_ERA_STATELESS};
    o.arguments = parsed(*state, "{\"region\":\"us\"}");
    mcp_field_t both[] = {{STR("Mcp-Param-Region"), STR("us")}, {STR_UNSET, STR("eu")}};
    assert_int_equal(params_of(state, SCHEMA, &p), RC_OK);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        both[1].name = NAMES[i];
        assert_int_equal(mcp_params_check(*state, (mcp_fields_t){both, 2}, p, &o),
                         MCP_ERROR_HEADER_MISMATCH);
    }
    both[1].name = STR("Mcp-Param-Regional");
    assert_int_equal(mcp_params_check(*state, (mcp_fields_t){both, 2}, p, &o), MCP_NO_ERROR);
}

static void the_handshake_era_needs_no_fields(void **state)
{
    const char *us = "{\"region\":\"us\"}";
    assert_int_equal(check(state, MCP_ERA_HANDSHAKE, us, NULL, NULL), MCP_NO_ERROR);
    assert_int_equal(check(state, MCP_ERA_HANDSHAKE, us, "Mcp-Param-Region", "us"), MCP_NO_ERROR);
    assert_int_equal(check(state, MCP_ERA_HANDSHAKE, us, "Mcp-Param-Region", "eu"),
                     MCP_ERROR_HEADER_MISMATCH);
}

/* What a client writes, a server must take: the fields of a call, read as the server reads them. */
static mcp_fields_t written(void **state, const char *body, mcp_params_t params,
                            mcp_operation_t *out)
{
    mcp_fields_t f;
    mcp_message_t m;
    rc_t rc;
    assert_int_equal(mcp_message_parse(*state, str_c(body), &m, &rc), MCP_NO_ERROR);
    assert_int_equal(mcp_fields_write(*state, &m, params, &f), RC_OK);
    mcp_field_t *all = ARENA_ARRAY(*state, f.n + 1, mcp_field_t);
    memcpy(all, f.v, f.n * sizeof *f.v);
    all[f.n] = (mcp_field_t){STR("MCP-Protocol-Version"), STR("2026-07-28")};
    mcp_fields_t sent = {all, f.n + 1};
    assert_int_equal(mcp_operation_read(*state, sent, str_c(body), out, &rc), MCP_NO_ERROR);
    assert_int_equal(mcp_params_check(*state, sent, params, out), MCP_NO_ERROR);
    return f;
}

#define WRITTEN_CALL(name, arguments)                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"" name         \
    "\",\"arguments\":" arguments ",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"       \
    "\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{}}}}"

static void fields_that_a_client_writes_are_read_again(void **state)
{
    static const struct {
        const char *body, *name, *region, *count;
    } ROWS[] = {
        {WRITTEN_CALL("w", "{\"region\":\"us-west1\",\"n\":42}"), "w", "us-west1", "42"},
        {WRITTEN_CALL("w", "{\"region\":\"Hello, \xe4\xb8\x96\xe7\x95\x8c\",\"n\":-7}"), "w",
         "=?base64?SGVsbG8sIOS4lueVjA==?=", "-7"},
        {WRITTEN_CALL("w", "{\"region\":\" padded \",\"n\":42.0}"), "w",
         "=?base64?IHBhZGRlZCA=?=", "42"},
        {WRITTEN_CALL("w", "{\"region\":\"line1\\nline2\",\"n\":4e1}"), "w",
         "=?base64?bGluZTEKbGluZTI=?=", "40"},
        {WRITTEN_CALL("w", "{\"region\":\"=?base64?literal?=\",\"n\":0}"), "w",
         "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "0"},
        {WRITTEN_CALL("\xc3\xb8l", "{\"region\":null}"), "=?base64?w7hs?=", NULL, NULL},
        {WRITTEN_CALL("w", "{}"), "w", NULL, NULL},
    };
    mcp_params_t p;
    mcp_operation_t o;
    str_t value;
    assert_int_equal(params_of(state, SCHEMA, &p), RC_OK);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        mcp_fields_t f = written(state, ROWS[i].body, p, &o);
        mcp_field_find(f, STR("Mcp-Method"), &value);
        assert_true(str_eq(value, STR("tools/call")));
        mcp_field_find(f, STR("Mcp-Name"), &value);
        assert_true(str_eq(value, str_c(ROWS[i].name)));
        mcp_field_find(f, STR("Mcp-Param-Region"), &value);
        assert_true(str_eq(value, str_c(ROWS[i].region)));
        mcp_field_find(f, STR("Mcp-Param-Count"), &value);
        assert_true(str_eq(value, str_c(ROWS[i].count)));
        assert_int_equal(mcp_field_find(f, STR("Mcp-Param-Deep"), &value), 0);
    }
}

static void a_method_that_no_field_can_bear_is_not_written(void **state)
{
    mcp_fields_t f;
    mcp_message_t m = {.kind = MCP_REQUEST, .method = STR("x\r\nEvil: 1")};
    assert_int_equal(mcp_fields_write(*state, &m, (mcp_params_t){NULL, 0}, &f), RC_MALFORMED);
    m.method = STR("x");
    assert_int_equal(mcp_fields_write(*state, &m, (mcp_params_t){NULL, 0}, &f), RC_OK);
    assert_int_equal(f.n, 1);
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
        PARAMS_TEST(a_field_has_no_shadow),
        PARAMS_TEST(the_handshake_era_needs_no_fields),
        PARAMS_TEST(fields_that_a_client_writes_are_read_again),
        PARAMS_TEST(a_method_that_no_field_can_bear_is_not_written),
    };
    return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
