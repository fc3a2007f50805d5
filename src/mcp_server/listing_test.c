#include "mcp_server/mcp_server_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static bool lists(const test_answer_t *a, const char *list, const char *member, const char *value)
{
    const json_t *v = json_get(json_get(a->root, STR("result")), str_c(list));
    for (const json_t *e = v ? v->child : NULL; e; e = e->next) {
        if (str_eq(json_get_str(e, str_c(member)), str_c(value)))
            return true;
    }
    return false;
}

static void lists_show_what_the_token_may_use(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = S(w, "tools/list", "{}");
    assert_true(lists(&a, "tools", "name", "secret"));
    assert_false(lists(&a, "tools", "name", "hidden"));
    assert_str(test_text(&a, "result.cacheScope"), "private");
    a = S(w, "resources/list", "{}");
    assert_true(lists(&a, "resources", "uri", "test://static"));
    assert_false(lists(&a, "resources", "uri", "test://hidden"));
    assert_false(lists(&a, "resources", "uri", "test://items/{id}"));
    assert_str(test_text(&a, "result.cacheScope"), "private");
    w->who.scope = STR("admin");
    a = S(w, "tools/list", "{}");
    assert_false(lists(&a, "tools", "name", "secret"));
    assert_true(lists(&a, "tools", "name", "hidden"));
    w->who.scope = STR("");
    w->who.everything = true;
    a = H(w, "tools/list", "{}");
    assert_true(lists(&a, "tools", "name", "secret"));
    assert_true(lists(&a, "tools", "name", "hidden"));
}

static void lists_without_scopes_are_for_all(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = S(w, "prompts/list", "{}");
    assert_true(lists(&a, "prompts", "name", "greet"));
    assert_str(test_text(&a, "result.cacheScope"), "public");
    assert_str(test_at(&a, "result.ttlMs")->raw, "60000");
    a = S(w, "resources/templates/list", "{}");
    assert_true(lists(&a, "resourceTemplates", "uriTemplate", "test://items/{id}"));
    assert_str(test_text(&a, "result.cacheScope"), "public");
}

static void handshake_lists_say_nothing_of_caches(void **state)
{
    server_world_t *w = *state;
    static const char *const METHODS[] = {"tools/list", "prompts/list", "resources/list",
                                          "resources/templates/list"};
    for (size_t i = 0; i < 4; i++) {
        test_answer_t a = H(w, METHODS[i], "{}");
        assert_int_equal(test_at(&a, "result")->count, 1);
    }
}

/* Another server of the same tables, for what its config changes. */
static warder_mcp_t *other_server(server_world_t *w, const warder_mcp_config_t *c)
{
    warder_mcp_t *m = warder_mcp_new(c, NULL, 0);
    mcp_server_wire(m, &w->ports);
    assert_int_equal(mcp_server_start(m), RC_OK);
    return m;
}

static void free_server(warder_mcp_t *m)
{
    mcp_server_stop(m);
    warder_mcp_free(m);
}

static void list_all_shows_all(void **state)
{
    server_world_t *w = *state;
    warder_mcp_t *first = w->m;
    warder_mcp_config_t c = test_config();
    c.list_all = true;
    c.list_fresh_s = -1;
    w->m = other_server(w, &c);
    test_answer_t a = S(w, "tools/list", "{}");
    assert_true(lists(&a, "tools", "name", "hidden"));
    assert_str(test_text(&a, "result.cacheScope"), "public");
    assert_str(test_at(&a, "result.ttlMs")->raw, "0");
    free_server(w->m);
    w->m = first;
}

/* Page by page, each entry once, in the order of the table, and none that is not the token's. */
static void pages_hold_each_entry_once(void **state)
{
    server_world_t *w = *state;
    warder_mcp_t *first = w->m;
    warder_mcp_config_t c = test_config();
    c.page = 2;
    test_answer_t whole = S(w, "tools/list", "{}");
    const json_t *want = test_at(&whole, "result.tools")->child;
    assert_null(test_at(&whole, "result.nextCursor"));
    w->m = other_server(w, &c);
    const char *params = "{}";
    unsigned pages = 0;
    while (params) {
        test_answer_t a = S(w, "tools/list", params);
        const json_t *list = test_at(&a, "result.tools");
        assert_in_range(list->count, 1, 2);
        assert_str(test_text(&a, "result.cacheScope"), "private");
        for (const json_t *e = list->child; e; e = e->next, want = want->next)
            assert_true(str_eq(e->raw, want->raw));
        str_t next = test_text(&a, "result.nextCursor");
        params =
            next.p ? arena_printf(w->a, "{\"cursor\":\"%" PRIstr "\"}", STR_ARG(next)).p : NULL;
        pages++;
    }
    assert_null(want);
    assert_int_equal(pages, 4); /* 7 of the 8 tools */
    free_server(w->m);
    w->m = first;
}

static str_t cursor_of(server_world_t *w)
{
    test_answer_t a = S(w, "tools/list", "{}");
    str_t cursor = test_text(&a, "result.nextCursor");
    assert_true(cursor.p != NULL);
    return cursor;
}

static void refused(server_world_t *w, const char *method, const char *params)
{
    test_answer_t a = S(w, method, params);
    assert_int_equal(test_code(&a), -32602);
    assert_int_equal(a.verdict.error, MCP_ERROR_BAD_CURSOR);
}

static void bad_cursor(void **state)
{
    server_world_t *w = *state;
    warder_mcp_t *first = w->m;
    warder_mcp_config_t c = test_config();
    c.page = 1;
    w->m = other_server(w, &c);
    str_t cursor = cursor_of(w);
    const char *good = arena_printf(w->a, "{\"cursor\":\"%" PRIstr "\"}", STR_ARG(cursor)).p;
    static const char *const BAD[] = {"{\"cursor\":\"\"}", "{\"cursor\":1}", "{\"cursor\":null}",
                                      "{\"cursor\":\"AAAAAAAAAAAAAAAAAAAAAA\"}",
                                      "{\"cursor\":\"!\"}"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        refused(w, "tools/list", BAD[i]);
    refused(w, "prompts/list", good); /* of another list */
    for (size_t i = 0; i < cursor.n; i++) {
        char *bent = arena_cstr(w->a, cursor);
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        refused(w, "tools/list", arena_printf(w->a, "{\"cursor\":\"%s\"}", bent).p);
    }
    test_answer_t a = S(w, "tools/list", good);
    assert_str(test_text(&a, "result.tools.0.name"), "secret");
    assert_true(warder_mcp_set_tools(w->m, c.tools, 2, NULL, 0));
    refused(w, "tools/list", good); /* of what the list was */
    free_server(w->m);
    w->m = first;
}

/* Several processes of one server know each other's. */
static void a_secret_makes_cursors_good_for_all(void **state)
{
    server_world_t *w = *state;
    warder_mcp_t *first = w->m;
    warder_mcp_config_t c = test_config();
    c.page = 1;
    c.state_secret = "0123456789abcdef0123456789abcdef";
    w->m = other_server(w, &c);
    const char *params =
        arena_printf(w->a, "{\"cursor\":\"%" PRIstr "\"}", STR_ARG(cursor_of(w))).p;
    free_server(w->m);
    w->m = other_server(w, &c);
    test_answer_t a = S(w, "tools/list", params);
    assert_str(test_text(&a, "result.tools.0.name"), "secret");
    free_server(w->m);
    c.state_secret = "1123456789abcdef0123456789abcdef";
    w->m = other_server(w, &c);
    refused(w, "tools/list", params);
    free_server(w->m);
    w->m = first;
}

/* Clients read answers whole: a page of large entries holds fewer. */
static void large_entries_make_short_pages(void **state)
{
    enum { TOOLS = 12, TEXT = 200 << 10 };
    server_world_t *w = *state;
    warder_mcp_t *first = w->m;
    warder_mcp_config_t c = test_config();
    static warder_mcp_tool_t tools[TOOLS];
    static char names[TOOLS][16];
    char *text = arena_alloc(w->a, TEXT + 1);
    memset(text, 'x', TEXT);
    for (int i = 0; i < TOOLS; i++) {
        snprintf(names[i], sizeof names[i], "t%02d", i);
        tools[i] = c.tools[0];
        tools[i].name = names[i];
        tools[i].description = text;
    }
    c.tools = tools;
    c.tool_count = TOOLS;
    w->m = other_server(w, &c);
    test_answer_t a = S(w, "tools/list", "{}");
    assert_in_range(test_at(&a, "result.tools")->count, 5, 7);
    assert_true(test_text(&a, "result.nextCursor").p != NULL);
    free_server(w->m);
    w->m = first;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(lists_show_what_the_token_may_use),
        SERVER_TEST(lists_without_scopes_are_for_all),
        SERVER_TEST(handshake_lists_say_nothing_of_caches),
        SERVER_TEST(list_all_shows_all),
        SERVER_TEST(pages_hold_each_entry_once),
        SERVER_TEST(bad_cursor),
        SERVER_TEST(a_secret_makes_cursors_good_for_all),
        SERVER_TEST(large_entries_make_short_pages),
    };
    return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
