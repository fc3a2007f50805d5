#include "proxy/relay_test_world.h"

static relay_asked_t ask(const char *method, mcp_message_kind_t kind, mcp_object_t object)
{
    mcp_operation_t o = {.message = {.kind = kind, .id = STR("7"), .method = str_c(method)},
                         .object = object};
    return asked_of(&o);
}

static void only_a_request_asks(void **state)
{
    (void)state;
    assert_true(str_eq(ask("tools/list", MCP_REQUEST, MCP_ON_METHOD).id, STR("7")));
    assert_int_equal(ask("tools/list", MCP_REQUEST, MCP_ON_METHOD).list, MCP_LIST_TOOLS);
    assert_false(ask("tools/list", MCP_NOTIFICATION, MCP_ON_METHOD).id.p);
    assert_int_equal(ask("tools/list", MCP_RESPONSE, MCP_ON_METHOD).list, MCP_LIST_NONE);
    assert_true(ask("resources/read", MCP_REQUEST, MCP_ON_RESOURCE).is_private);
    assert_false(ask("tools/call", MCP_REQUEST, MCP_ON_TOOL).is_private);
}

static void an_event_id_says_what_was_asked(void **state)
{
    static const char *const METHODS[] = {"tools/list", "resources/list",
                                          "resources/templates/list", "prompts/list", "tools/call"};
    arena_t *a = arena_new(1 << 16);
    str_t packed, event;
    relay_asked_t back;
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        relay_asked_t asked =
            ask(METHODS[i / 2], MCP_REQUEST, i % 2 ? MCP_ON_PROMPT : MCP_ON_METHOD);
        assert_int_equal(asked_pack(a, &asked, STR("a\tb-"), &packed), RC_OK);
        assert_true(asked_unpack(packed, &back, &event));
        assert_true(str_eq(event, STR("a\tb-")));
        assert_true(str_eq(back.id, STR("7")));
        assert_int_equal(back.is_private, i % 2);
        assert_int_equal(back.list, i % 2 ? MCP_LIST_NONE : asked.list);
    }
    relay_asked_t nothing = {.id = STR_UNSET};
    assert_int_equal(asked_pack(a, &nothing, STR("e"), &packed), RC_OK);
    assert_true(asked_unpack(packed, &back, &event));
    assert_false(back.id.p);
    assert_int_equal(back.list, MCP_LIST_NONE);
    arena_free(a);
}

static void what_names_no_event_is_none(void **state)
{
    static const str_t BAD[] = {STR_INIT(""), STR_INIT("o"), STR_INIT("o1"), STR_INIT("\ne"),
                                STR_INIT("x1\ne")};
    char longest[RELAY_EVENT_ID_BYTES + 1];
    memset(longest, 'e', sizeof longest);
    arena_t *a = arena_new(1 << 16);
    relay_asked_t asked = ask("tools/call", MCP_REQUEST, MCP_ON_TOOL);
    str_t out;
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_false(asked_unpack(BAD[i], &asked, &out));
    asked = ask("tools/call", MCP_REQUEST, MCP_ON_TOOL);
    assert_int_equal(asked_pack(a, &asked, STR(""), &out), RC_LIMIT);
    assert_int_equal(asked_pack(a, &asked, str_of(longest, sizeof longest), &out), RC_LIMIT);
    assert_int_equal(asked_pack(a, &asked, str_of(longest, sizeof longest - 1), &out), RC_OK);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_request_asks),
        cmocka_unit_test(an_event_id_says_what_was_asked),
        cmocka_unit_test(what_names_no_event_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
