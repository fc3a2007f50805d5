#include "mcp/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static int setup(void **state)
{
    *state = arena_new(16 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

/* By the first letter: d is dropped, m is marked. */
static mcp_item_verdict_t judge_letter(void *ctx, const mcp_item_t *item)
{
    if (ctx)
        assert_int_equal(item->kind, *(mcp_list_kind_t *)ctx);
    char c = item->name.n > 0 ? item->name.p[0] : 0;
    return c == 'd' ? MCP_ITEM_DROP : c == 'm' ? MCP_ITEM_MARK : MCP_ITEM_KEEP;
}

static rc_t rewrite(void **state, mcp_list_kind_t kind, const char *response, str_t *out)
{
    mcp_list_judge_t judge = {judge_letter, &kind, true};
    return mcp_list_rewrite(*state, kind, str_c(response), judge, out);
}

static void gives(void **state, const char *response, const char *want)
{
    str_t out;
    assert_int_equal(rewrite(state, MCP_LIST_TOOLS, response, &out), RC_OK);
    if (!str_eq(out, str_c(want)))
        fail_msg("%.*s instead of %s", STR_ARG(out), want);
}

#define HEAD "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":"

static void dropped_entries_are_gone(void **state)
{
    gives(state, HEAD "{\"tools\":[{\"name\":\"a\"},{\"name\":\"d\"},{\"name\":\"b\"}]}}",
          HEAD "{\"tools\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}");
    gives(state, HEAD "{\"tools\":[{\"name\":\"d\"},{\"name\":\"a\"}]}}",
          HEAD "{\"tools\":[{\"name\":\"a\"}]}}");
    gives(state, HEAD "{\"tools\":[{\"name\":\"d\"}]}}", HEAD "{\"tools\":[]}}");
    gives(state, HEAD "{\"tools\":[]}}", HEAD "{\"tools\":[]}}");
}

static void kept_entries_keep_their_bytes(void **state)
{
    gives(state,
          " { \"result\" : {\"x\": 1.50, \"tools\" : [ { \"name\":\"\\u0061\", \"n\":1e2 } , "
          "{\"name\":\"d\"}], \"nextCursor\":\"c\" }, \"id\": \"q\", \"jsonrpc\":\"2.0\" } ",
          " { \"result\" : {\"x\": 1.50, \"tools\" : [{ \"name\":\"\\u0061\", \"n\":1e2 }], "
          "\"nextCursor\":\"c\" }, \"id\": \"q\", \"jsonrpc\":\"2.0\" } ");
}

static void marked_entries_say_so(void **state)
{
    gives(state, HEAD "{\"tools\":[{\"name\":\"m\"}]}}",
          HEAD "{\"tools\":[{\"_meta\":{\"warder/denied\":true},\"name\":\"m\"}]}}");
    gives(state, HEAD "{\"tools\":[{\"name\":\"m\",\"_meta\":{\"a\":1}}]}}",
          HEAD "{\"tools\":[{\"name\":\"m\",\"_meta\":{\"warder/denied\":true,\"a\":1}}]}}");
    gives(state, HEAD "{\"tools\":[{\"name\":\"m\",\"_meta\":{}}]}}",
          HEAD "{\"tools\":[{\"name\":\"m\",\"_meta\":{\"warder/denied\":true}}]}}");
    gives(state, HEAD "{\"tools\":[{\"name\":\"m\",\"_meta\":null}]}}",
          HEAD "{\"tools\":[{\"name\":\"m\",\"_meta\":{\"warder/denied\":true}}]}}");
    gives(state, HEAD "{\"tools\":[{\"name\":\"m\",\"_meta\":{\"warder/denied\":false}}]}}",
          HEAD "{\"tools\":[{\"name\":\"m\",\"_meta\":{\"warder/denied\":true}}]}}");
}

static void the_cache_becomes_private(void **state)
{
    gives(state, HEAD "{\"cacheScope\":\"public\",\"ttlMs\":5,\"tools\":[{\"name\":\"a\"}]}}",
          HEAD "{\"cacheScope\":\"private\",\"ttlMs\":5,\"tools\":[{\"name\":\"a\"}]}}");
    gives(state, HEAD "{\"tools\":[{\"name\":\"d\"}],\"cacheScope\":\"public\"}}",
          HEAD "{\"tools\":[],\"cacheScope\":\"private\"}}");
    gives(state, HEAD "{\"ttlMs\":5,\"tools\":[{\"name\":\"a\"}]}}",
          HEAD "{\"cacheScope\":\"private\",\"ttlMs\":5,\"tools\":[{\"name\":\"a\"}]}}");
    gives(state, HEAD "{\"tools\":[],\"TTLms\":5}}",
          HEAD "{\"cacheScope\":\"private\",\"tools\":[],\"TTLms\":5}}");
    gives(state, HEAD "{\"_meta\":{\"ttlMs\":5},\"tools\":[]}}",
          HEAD "{\"_meta\":{\"ttlMs\":5},\"tools\":[]}}");
    str_t out;
    mcp_list_judge_t stateless = {.judge = judge_letter, .narrows = true, .is_stateless = true};
    assert_int_equal(
        mcp_list_rewrite(*state, MCP_LIST_TOOLS, STR(HEAD "{\"tools\":[]}}"), stateless, &out),
        RC_OK);
    assert_true(str_eq(out, STR(HEAD "{\"cacheScope\":\"private\",\"tools\":[]}}")));
    mcp_list_judge_t same_for_all = {judge_letter, NULL, false};
    str_t response = STR(HEAD "{\"tools\":[],\"cacheScope\":\"public\"}}");
    same_for_all.is_stateless = true;
    assert_int_equal(mcp_list_rewrite(*state, MCP_LIST_TOOLS, response, same_for_all, &out), RC_OK);
    assert_true(str_eq(out, response));
}

static void every_kind_has_its_name(void **state)
{
    static const struct {
        const char *method;
        mcp_list_kind_t kind;
        const char *response;
    } ROWS[] = {
        {"tools/list", MCP_LIST_TOOLS, HEAD "{\"tools\":[{\"name\":\"d\"}]}}"},
        {"prompts/list", MCP_LIST_PROMPTS, HEAD "{\"prompts\":[{\"name\":\"d\"}]}}"},
        {"resources/list", MCP_LIST_RESOURCES,
         HEAD "{\"resources\":[{\"name\":\"a\",\"uri\":\"d:1\"}]}}"},
        {"resources/templates/list", MCP_LIST_TEMPLATES,
         HEAD "{\"resourceTemplates\":[{\"name\":\"a\",\"uriTemplate\":\"d:{x}\"}]}}"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        str_t out;
        assert_int_equal(mcp_list_kind(str_c(ROWS[i].method)), ROWS[i].kind);
        assert_int_equal(rewrite(state, ROWS[i].kind, ROWS[i].response, &out), RC_OK);
        assert_true(str_ends(out, STR(":[]}}")));
    }
    assert_int_equal(mcp_list_kind(STR("tools/call")), MCP_LIST_NONE);
    assert_int_equal(mcp_list_kind(STR_UNSET), MCP_LIST_NONE);
}

static void an_error_stays(void **state)
{
    const char *error = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,\"message\":\"x\"}}";
    gives(state, error, error);
}

static void what_is_no_list_is_not_sent(void **state)
{
    static const char *const BAD[] = {
        "",
        "[]",
        "{}",
        "{\"jsonrpc\":\"2.0\",\"id\":1}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":{\"tools\":[]}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[]},\"error\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[]},\"Result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}",
        HEAD "[]}",
        HEAD "{}}",
        HEAD "{\"tools\":{}}}",
        HEAD "{\"prompts\":[]}}",
        HEAD "{\"tools\":[],\"tools\":[]}}",
        HEAD "{\"tools\":[],\"Tools\":[{\"name\":\"d\"}]}}",
        HEAD "{\"tools\":[1]}}",
        HEAD "{\"tools\":[{}]}}",
        HEAD "{\"tools\":[{\"name\":1}]}}",
        HEAD "{\"tools\":[{\"name\":\"a\",\"NAME\":\"d\"}]}}",
        HEAD "{\"tools\":[{\"name\":\"\xff\"}]}}",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        str_t out;
        if (rewrite(state, MCP_LIST_TOOLS, BAD[i], &out) != RC_MALFORMED)
            fail_msg("%s", BAD[i]);
    }
    gives(state, HEAD "{\"tools\":[]}}", HEAD "{\"tools\":[]}}");
}

static void note_end(void *ctx, bool more)
{
    *(int *)ctx = more ? 2 : 1;
}

static mcp_item_verdict_t keep_all(void *ctx, const mcp_item_t *item)
{
    assert_int_equal(*(int *)ctx, 0);
    assert_true(str_is_set(item->name));
    return MCP_ITEM_KEEP;
}

static void the_end_says_whether_more_follows(void **state)
{
    static const struct {
        const char *response;
        int want;
    } ROWS[] = {
        {HEAD "{\"nextCursor\":\"c\",\"tools\":[{\"name\":\"a\"}]}}", 2},
        {HEAD "{\"tools\":[{\"name\":\"a\"}]}}", 1},
        {HEAD "{\"tools\":[],\"nextCursor\":null}}", 1},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}", 0},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        str_t out;
        int end = 0;
        mcp_list_judge_t judge = {keep_all, &end, false, note_end};
        assert_int_equal(
            mcp_list_rewrite(*state, MCP_LIST_TOOLS, str_c(ROWS[i].response), judge, &out), RC_OK);
        assert_int_equal(end, ROWS[i].want);
    }
}

static void a_list_is_bounded(void **state)
{
    str_t out;
    char *p = arena_alloc(*state, MCP_LIST_BYTES + 1);
    memset(p, ' ', MCP_LIST_BYTES + 1);
    mcp_list_judge_t judge = {judge_letter, NULL, false};
    assert_int_equal(
        mcp_list_rewrite(*state, MCP_LIST_TOOLS, str_of(p, MCP_LIST_BYTES + 1), judge, &out),
        RC_LIMIT);
}

static void a_message_is_known_by_its_members(void **state)
{
    static const struct {
        const char *message;
        rc_t rc;
        bool answer;
        mcp_list_kind_t kind;
    } CASES[] = {
        {"", RC_OK, false, MCP_LIST_NONE},
        {"{}", RC_OK, false, MCP_LIST_NONE},
        {"{\"method\":\"m\",\"params\":{\"tools\":[]}}", RC_OK, false, MCP_LIST_NONE},
        {"{\"result\":{\"content\":[]}}", RC_OK, true, MCP_LIST_NONE},
        {"{\"result\":{\"tools\":7}}", RC_OK, true, MCP_LIST_NONE},
        {"{\"error\":{}}", RC_OK, true, MCP_LIST_NONE},
        {"{\"result\":{\"tools\":[]}}", RC_OK, true, MCP_LIST_TOOLS},
        {"{\"re\\u0073ult\":{\"prompt\\u0073\":[]}}", RC_OK, true, MCP_LIST_PROMPTS},
        {"{\"result\":{\"Resources\":[]}}", RC_OK, true, MCP_LIST_RESOURCES},
        {"{\"result\":{\"resourceTemplates\":[]}}", RC_OK, true, MCP_LIST_TEMPLATES},
        {"{\"Error\":{}}", RC_OK, true, MCP_LIST_NONE},
        {"{\"Result\":{\"tools\":[]}}", RC_MALFORMED, true, MCP_LIST_NONE},
        {"{\"result\":{\"tools\":[],\"prompts\":[]}}", RC_MALFORMED, true, MCP_LIST_PROMPTS},
        {"[{\"method\":\"m\"}]", RC_OK, false, MCP_LIST_NONE},
        {"[{\"method\":\"m\"},{\"result\":{}}]", RC_MALFORMED, false, MCP_LIST_NONE},
        {"[[{\"method\":\"m\"}]]", RC_MALFORMED, false, MCP_LIST_NONE},
        {"{\"result\":1,\"result\":{\"tools\":[]}}", RC_MALFORMED, false, MCP_LIST_NONE},
        {"ping", RC_OK, false, MCP_LIST_NONE},
        {"x{", RC_MALFORMED, false, MCP_LIST_NONE},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        mcp_list_guess_t g;
        assert_int_equal(mcp_list_guess(*state, str_c(CASES[i].message), &g), CASES[i].rc);
        if (CASES[i].rc != RC_OK)
            continue;
        assert_int_equal(g.answer, CASES[i].answer);
        assert_int_equal(g.kind, CASES[i].kind);
    }
}

#define LIST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIST_TEST(dropped_entries_are_gone),    LIST_TEST(kept_entries_keep_their_bytes),
        LIST_TEST(marked_entries_say_so),       LIST_TEST(the_cache_becomes_private),
        LIST_TEST(every_kind_has_its_name),     LIST_TEST(an_error_stays),
        LIST_TEST(what_is_no_list_is_not_sent), LIST_TEST(the_end_says_whether_more_follows),
        LIST_TEST(a_list_is_bounded),           LIST_TEST(a_message_is_known_by_its_members),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
