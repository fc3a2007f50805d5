#include "mcp_server/said_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void has_output_schema(said_world_t *w, const char *schema)
{
    const json_t *v;
    str_t why = STR_UNSET;
    assert_int_equal(json_parse(w->call.arena, str_c(schema), NULL, &v), RC_OK);
    assert_int_equal(mcp_schema_read(w->call.arena, v, &w->entry.output, &why), RC_OK);
}

static const char SCHEMA[] = "{\"type\":\"object\",\"required\":[\"n\"],"
                             "\"properties\":{\"n\":{\"type\":\"integer\",\"maximum\":9}}}";

static void tool_without_words_has_no_content(void **state)
{
    said_world_t *w = *state;
    assert_text(mcp_call_result(&w->call), "{\"content\":[]}");
}

static void structured_is_said_as_text_too(void **state)
{
    said_world_t *w = *state;
    warder_json_t *j = warder_mcp_structured(&w->call);
    warder_json_string(j, "a", "b");
    warder_json_end(j);
    assert_text(mcp_call_result(&w->call),
                "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"a\\\":\\\"b\\\"}\"}],"
                "\"structuredContent\":{\"a\":\"b\"}}");
}

static void structured_beside_text_stays_alone(void **state)
{
    said_world_t *w = *state;
    warder_mcp_structured_json(&w->call, "{\"a\":1}");
    warder_mcp_text(&w->call, "one");
    assert_text(mcp_call_result(&w->call), "{\"content\":[{\"type\":\"text\",\"text\":\"one\"}],"
                                           "\"structuredContent\":{\"a\":1}}");
}

static void failed_call_is_marked(void **state)
{
    said_world_t *w = *state;
    warder_mcp_error(&w->call, "no");
    assert_text(mcp_call_result(&w->call),
                "{\"content\":[{\"type\":\"text\",\"text\":\"no\"}],\"isError\":true}");
}

static void misfit_of_output_never_goes_out(void **state)
{
    said_world_t *w = *state;
    has_output_schema(w, SCHEMA);
    warder_mcp_structured_json(&w->call, "{\"n\":10}");
    assert_false(str_is_set(mcp_call_result(&w->call)));
    assert_non_null(strstr(w->logged, "does not fit the output schema"));
    assert_non_null(strstr(w->logged, "\"tool\":\"t\""));
    mcp_said_reset(&w->call);
    warder_mcp_structured_json(&w->call, "{\"n\":9}");
    assert_true(str_ends(mcp_call_result(&w->call), STR("\"structuredContent\":{\"n\":9}}")));
}

static void missing_output_never_goes_out(void **state)
{
    said_world_t *w = *state;
    has_output_schema(w, SCHEMA);
    warder_mcp_text(&w->call, "nine");
    assert_false(str_is_set(mcp_call_result(&w->call)));
    assert_non_null(strstr(w->logged, "gave no structured content"));
    mcp_said_reset(&w->call);
    warder_mcp_error(&w->call, "no"); /* a failure needs none */
    assert_true(str_is_set(mcp_call_result(&w->call)));
}

static void open_structure_is_no_answer(void **state)
{
    said_world_t *w = *state;
    warder_json_list(warder_mcp_structured(&w->call), "l");
    assert_false(str_is_set(mcp_call_result(&w->call)));
    assert_non_null(strstr(w->logged, "is no answer"));
}

static void failure_is_no_answer(void **state)
{
    said_world_t *w = *state;
    warder_mcp_text(&w->call, "\xff");
    assert_false(str_is_set(mcp_call_result(&w->call)));
    assert_non_null(strstr(w->logged, "RC_MALFORMED"));
    mcp_said_reset(&w->call);
    warder_mcp_blob(&w->call, NULL, "", 0);
    assert_false(str_is_set(mcp_call_result(&w->call)));
    mcp_said_reset(&w->call);
    assert_true(str_is_set(mcp_call_result(&w->call)));
}

static void resource_says_how_long_it_is_fresh(void **state)
{
    said_world_t *w = *state;
    said_world_becomes(w, MCP_RESOURCE, "x://a");
    w->call.op.era = MCP_ERA_STATELESS;
    warder_mcp_text(&w->call, "A");
    warder_mcp_fresh(&w->call, 60, true);
    assert_text(mcp_call_result(&w->call), "{\"contents\":[{\"uri\":\"x://a\",\"text\":\"A\"}],"
                                           "\"ttlMs\":60000,\"cacheScope\":\"public\"}");
    mcp_said_reset(&w->call);
    assert_text(mcp_call_result(&w->call),
                "{\"contents\":[],\"ttlMs\":0,\"cacheScope\":\"private\"}");
}

/* Who keeps it for others cannot ask what they may see. */
static void what_needs_a_scope_is_kept_for_nobody_else(void **state)
{
    said_world_t *w = *state;
    said_world_becomes(w, MCP_RESOURCE, "x://a");
    w->call.op.era = MCP_ERA_STATELESS;
    w->entry.scope = STR("news:read");
    warder_mcp_fresh(&w->call, 60, true);
    assert_text(mcp_call_result(&w->call),
                "{\"contents\":[],\"ttlMs\":60000,\"cacheScope\":\"private\"}");
}

static void handshake_era_knows_no_freshness(void **state)
{
    said_world_t *w = *state;
    said_world_becomes(w, MCP_RESOURCE, "x://a");
    warder_mcp_fresh(&w->call, 60, true);
    assert_text(mcp_call_result(&w->call), "{\"contents\":[]}");
}

static void prompt_has_its_description(void **state)
{
    said_world_t *w = *state;
    said_world_becomes(w, MCP_PROMPT, "p");
    w->entry.listed = STR("{\"name\":\"p\",\"description\":\"D\"}");
    warder_mcp_text(&w->call, "q");
    assert_text(mcp_call_result(&w->call),
                "{\"description\":\"D\",\"messages\":[{\"role\":\"user\",\"content\":"
                "{\"type\":\"text\",\"text\":\"q\"}}]}");
    mcp_said_reset(&w->call);
    w->entry.listed = STR("{\"name\":\"p\"}");
    assert_text(mcp_call_result(&w->call), "{\"messages\":[]}");
}

static void meta_of_a_function_is_the_results(void **state)
{
    said_world_t *w = *state;
    warder_mcp_set_meta(&w->call, "a.example/x", "{\"y\":1}");
    warder_mcp_set_meta(&w->call, "z", "2");
    assert_text(mcp_call_result(&w->call),
                "{\"content\":[],\"_meta\":{\"a.example/x\":{\"y\":1},\"z\":2}}");
}

/* It stands beside what the server says of itself. */
static void meta_is_joined_with_the_servers(void **state)
{
    said_world_t *w = *state;
    w->call.op.era = MCP_ERA_STATELESS;
    w->call.op.message.id = STR("1");
    w->m.info = STR("{\"name\":\"s\"}");
    warder_mcp_set_meta(&w->call, "z", "2");
    str_t result = mcp_call_result(&w->call);
    assert_text(result, "{\"content\":[]}");
    str_t body = mcp_answer_result(&w->call, result).body;
    assert_true(str_ends(body, STR("\"_meta\":{\"io.modelcontextprotocol/serverInfo\":"
                                   "{\"name\":\"s\"},\"z\":2},\"content\":[]}}")));
}

static void bad_meta_is_no_answer(void **state)
{
    said_world_t *w = *state;
    static const char *const BAD[][2] = {
        {"io.modelcontextprotocol/serverInfo", "{}"}, {"", "1"}, {"a", "{"}, {"b", NULL}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        warder_mcp_set_meta(&w->call, BAD[i][0], BAD[i][1]);
        assert_false(str_is_set(mcp_call_result(&w->call)));
        mcp_said_reset(&w->call);
    }
    warder_mcp_set_meta(&w->call, "twice", "1");
    warder_mcp_set_meta(&w->call, "twice", "1");
    assert_false(str_is_set(mcp_call_result(&w->call)));
    mcp_said_reset(&w->call);
    warder_mcp_set_meta(&w->call, "once", "1");
    assert_true(str_is_set(mcp_call_result(&w->call)));
}

static void completion_is_counted_and_cut(void **state)
{
    said_world_t *w = *state;
    said_world_becomes(w, MCP_PROMPT, "p");
    w->call.completing = STR("argument");
    warder_mcp_suggest(&w->call, "a");
    warder_mcp_suggest(&w->call, "b");
    assert_text(mcp_call_result(&w->call),
                "{\"completion\":{\"values\":[\"a\",\"b\"],\"total\":2,\"hasMore\":false}}");
    mcp_said_reset(&w->call);
    for (int i = 0; i < MCP_SUGGESTIONS + 1; i++)
        warder_mcp_suggest(&w->call, "v");
    str_t cut = mcp_call_result(&w->call);
    assert_true(str_ends(cut, STR("\"v\"],\"total\":101,\"hasMore\":true}}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAID_TEST(tool_without_words_has_no_content),
        SAID_TEST(structured_is_said_as_text_too),
        SAID_TEST(structured_beside_text_stays_alone),
        SAID_TEST(failed_call_is_marked),
        SAID_TEST(misfit_of_output_never_goes_out),
        SAID_TEST(missing_output_never_goes_out),
        SAID_TEST(open_structure_is_no_answer),
        SAID_TEST(failure_is_no_answer),
        SAID_TEST(resource_says_how_long_it_is_fresh),
        SAID_TEST(what_needs_a_scope_is_kept_for_nobody_else),
        SAID_TEST(handshake_era_knows_no_freshness),
        SAID_TEST(prompt_has_its_description),
        SAID_TEST(completion_is_counted_and_cut),
        SAID_TEST(meta_of_a_function_is_the_results),
        SAID_TEST(meta_is_joined_with_the_servers),
        SAID_TEST(bad_meta_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
