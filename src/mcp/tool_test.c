#include "mcp/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const mcp_tool_t READER = {
    .name = STR_INIT("read"),
    .title = STR_INIT("Read \"it\""),
    .description = STR_INIT("Reads."),
    .input_schema = STR_INIT("{\"type\":\"object\"}"),
    .output_schema = STR_INIT("{\"type\":\"object\"}"),
    .scope = STR_INIT("a:read"),
    .read_only = true,
};
static const mcp_tool_t WRITER = {
    .name = STR_INIT("write"),
    .title = STR_INIT("Write"),
    .description = STR_INIT("Writes."),
    .input_schema = STR_INIT("{\"type\":\"object\"}"),
};

static const json_t *parsed(arena_t *a, str_t text)
{
    const json_t *root;
    assert_true(str_is_set(text));
    assert_int_equal(json_parse(a, text, NULL, &root), RC_OK);
    return root;
}

static void list_names_every_tool(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    const mcp_tool_t *const tools[] = {&READER, &WRITER};
    const json_t *list = json_get(parsed(a, mcp_tools_list(a, tools, 2)), STR("tools"));
    assert_int_equal(list->count, 2);
    const json_t *first = list->child, *second = first->next;
    assert_true(str_eq(json_get_str(first, STR("title")), STR("Read \"it\"")));
    assert_true(json_is(json_get(first, STR("outputSchema")), JSON_OBJECT));
    assert_null(json_get(second, STR("outputSchema")));
    bool read_only;
    assert_true(
        json_get_bool(json_get(first, STR("annotations")), STR("readOnlyHint"), &read_only));
    assert_true(read_only);
    /* The scope is the server's business. */
    assert_null(json_get(first, STR("scope")));
    arena_free(a);
}

static void result_has_text_and_structure(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    mcp_tool_result_t r = {.text = STR("hello"), .structured = STR("{\"a\":1}")};
    const json_t *root = parsed(a, mcp_tool_answer(a, &r));
    assert_true(
        str_eq(json_get_str(json_get(root, STR("content"))->child, STR("text")), STR("hello")));
    assert_int_equal(json_get(root, STR("structuredContent"))->count, 1);
    assert_null(json_get(root, STR("isError")));
    r.is_error = true;
    root = parsed(a, mcp_tool_answer(a, &r));
    assert_null(json_get(root, STR("structuredContent")));
    assert_true(json_is(json_get(root, STR("isError")), JSON_TRUE));
    arena_free(a);
}

static void bad_utf8_is_no_answer(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    mcp_tool_result_t r = {.text = STR("\xff")};
    assert_false(str_is_set(mcp_tool_answer(a, &r)));
    arena_free(a);
}

static void initialize_tells_who_answers(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    mcp_server_info_t info = {STR("x"), STR("X"), STR("1"), STR_UNSET};
    const json_t *root = parsed(a, mcp_initialize_answer(a, &info, STR("2025-11-25")));
    assert_true(str_eq(json_get_str(root, STR("protocolVersion")), STR("2025-11-25")));
    assert_true(json_is(json_get(json_get(root, STR("capabilities")), STR("tools")), JSON_OBJECT));
    assert_null(json_get(root, STR("instructions")));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_names_every_tool),
        cmocka_unit_test(result_has_text_and_structure),
        cmocka_unit_test(bad_utf8_is_no_answer),
        cmocka_unit_test(initialize_tells_who_answers),
    };
    return cmocka_run_group_tests_name("tool", tests, NULL, NULL);
}
