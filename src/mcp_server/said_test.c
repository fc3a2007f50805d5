#include "mcp_server/said_test_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void text_is_a_block_of_a_tool(void **state)
{
    said_world_t *w = *state;
    warder_mcp_text(&w->call, "a \"b\"");
    warder_mcp_textf(&w->call, "%d of %s", 2, "n");
    assert_text(said_world_content(w), "{\"type\":\"text\",\"text\":\"a \\\"b\\\"\"},"
                                       "{\"type\":\"text\",\"text\":\"2 of n\"}");
    assert_int_equal(w->call.said.blocks, 2);
}

static void text_is_contents_of_a_resource(void **state)
{
    said_world_t *w = *state;
    said_world_becomes(w, MCP_RESOURCE, "x://a");
    w->entry.mime_type = STR("text/plain");
    warder_mcp_text(&w->call, "hello");
    warder_mcp_embed_text(&w->call, "x://b", NULL, "more");
    assert_text(said_world_content(w),
                "{\"uri\":\"x://a\",\"mimeType\":\"text/plain\",\"text\":\"hello\"},"
                "{\"uri\":\"x://b\",\"text\":\"more\"}");
}

static void text_is_a_message_of_a_prompt(void **state)
{
    said_world_t *w = *state;
    said_world_becomes(w, MCP_PROMPT, "p");
    warder_mcp_text(&w->call, "q");
    warder_mcp_role(&w->call, "assistant");
    warder_mcp_text(&w->call, "a");
    assert_text(said_world_content(w),
                "{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"q\"}},"
                "{\"role\":\"assistant\",\"content\":{\"type\":\"text\",\"text\":\"a\"}}");
}

static void bytes_are_base64_with_padding(void **state)
{
    said_world_t *w = *state;
    warder_mcp_image(&w->call, "image/png", "\xff\xfe\xfd\xfc", 4);
    warder_mcp_audio(&w->call, "audio/wav", "", 0);
    warder_mcp_embed_blob(&w->call, "x://a", "a/b", "\0", 1);
    assert_text(said_world_content(w),
                "{\"type\":\"image\",\"data\":\"//79/A==\",\"mimeType\":\"image/png\"},"
                "{\"type\":\"audio\",\"data\":\"\",\"mimeType\":\"audio/wav\"},"
                "{\"type\":\"resource\",\"resource\":"
                "{\"uri\":\"x://a\",\"mimeType\":\"a/b\",\"blob\":\"AA==\"}}");
}

static void blob_is_bytes_of_a_resource(void **state)
{
    said_world_t *w = *state;
    said_world_becomes(w, MCP_TEMPLATE, "x://7");
    w->entry.mime_type = STR("image/png");
    warder_mcp_blob(&w->call, NULL, "abc", 3);
    warder_mcp_image(&w->call, "image/gif", "abc", 3);
    assert_text(said_world_content(w),
                "{\"uri\":\"x://7\",\"mimeType\":\"image/png\",\"blob\":\"YWJj\"},"
                "{\"uri\":\"x://7\",\"mimeType\":\"image/gif\",\"blob\":\"YWJj\"}");
}

static void link_has_a_name(void **state)
{
    said_world_t *w = *state;
    warder_mcp_link(&w->call, "x://a", "A", "d", "text/plain");
    warder_mcp_link(&w->call, "x://b", NULL, NULL, NULL);
    assert_text(said_world_content(w),
                "{\"type\":\"resource_link\",\"uri\":\"x://a\",\"name\":\"A\","
                "\"description\":\"d\",\"mimeType\":\"text/plain\"},"
                "{\"type\":\"resource_link\",\"uri\":\"x://b\",\"name\":\"x://b\"}");
}

static void link_is_text_where_none_is_known(void **state)
{
    said_world_t *w = *state;
    w->call.op.version = mcp_version_find(mcp_versions(), STR("2025-03-26"));
    warder_mcp_link(&w->call, "x://a", "A", "d", "text/plain");
    assert_text(said_world_content(w), "{\"type\":\"text\",\"text\":\"A: x://a\"}");
    mcp_said_reset(&w->call);
    w->call.op.version = mcp_version_find(mcp_versions(), STR("2025-06-18"));
    warder_mcp_link(&w->call, "x://a", "A", NULL, NULL);
    assert_text(said_world_content(w),
                "{\"type\":\"resource_link\",\"uri\":\"x://a\",\"name\":\"A\"}");
}

static void annotations_hold_for_what_follows(void **state)
{
    said_world_t *w = *state;
    warder_mcp_annotate(&w->call, "user", 0.5);
    warder_mcp_text(&w->call, "a");
    warder_mcp_embed_text(&w->call, "x://a", NULL, "b");
    warder_mcp_annotate(&w->call, NULL, -1);
    warder_mcp_text(&w->call, "c");
    assert_text(said_world_content(w),
                "{\"type\":\"text\",\"text\":\"a\",\"annotations\":{\"audience\":[\"user\"],"
                "\"priority\":0.5}},"
                "{\"type\":\"resource\",\"resource\":{\"uri\":\"x://a\",\"text\":\"b\"},"
                "\"annotations\":{\"audience\":[\"user\"],\"priority\":0.5}},"
                "{\"type\":\"text\",\"text\":\"c\"}");
}

static void annotations_stand_within_a_message(void **state)
{
    said_world_t *w = *state;
    said_world_becomes(w, MCP_PROMPT, "p");
    warder_mcp_annotate(&w->call, NULL, 1);
    warder_mcp_text(&w->call, "q");
    assert_text(said_world_content(w),
                "{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"q\","
                "\"annotations\":{\"priority\":1}}}");
}

static void bad_annotations_fail_the_call(void **state)
{
    said_world_t *w = *state;
    static const double BAD[] = {1.01, NAN, INFINITY};
    warder_mcp_annotate(&w->call, "everybody", 1);
    assert_int_equal(w->call.said.failed, RC_MALFORMED);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        mcp_said_reset(&w->call);
        warder_mcp_annotate(&w->call, NULL, BAD[i]);
        assert_int_equal(w->call.said.failed, RC_MALFORMED);
    }
    mcp_said_reset(&w->call);
    warder_mcp_annotate(&w->call, "assistant", 0);
    assert_int_equal(w->call.said.failed, RC_OK);
}

static void misplaced_words_fail_the_call(void **state)
{
    said_world_t *w = *state;
    warder_mcp_blob(&w->call, NULL, "abc", 3); /* a tool has no bytes of its own */
    assert_int_equal(w->call.said.failed, RC_MALFORMED);
    said_world_becomes(w, MCP_RESOURCE, "x://a");
    warder_mcp_link(&w->call, "x://a", "A", NULL, NULL);
    assert_int_equal(w->call.said.failed, RC_MALFORMED);
    said_world_becomes(w, MCP_PROMPT, "p");
    warder_mcp_role(&w->call, "system");
    assert_int_equal(w->call.said.failed, RC_MALFORMED);
    said_world_becomes(w, MCP_TOOL, "t");
    warder_mcp_text(&w->call, "fine");
    assert_text(said_world_content(w), "{\"type\":\"text\",\"text\":\"fine\"}");
}

static void bad_utf8_fails_the_call(void **state)
{
    said_world_t *w = *state;
    warder_mcp_text(&w->call, "\xff");
    assert_int_equal(w->call.said.content.failed, RC_MALFORMED);
    warder_mcp_text(&w->call, "fine");
    assert_int_equal(w->call.said.content.failed, RC_MALFORMED); /* it sticks */
}

static void answers_are_bounded(void **state)
{
    said_world_t *w = *state;
    size_t n = MCP_SAID_BYTES;
    char *big = malloc(n + 1);
    assert_non_null(big);
    memset(big, 'x', n);
    big[n] = '\0';
    warder_mcp_text(&w->call, big);
    assert_int_equal(w->call.said.content.failed, RC_LIMIT);
    mcp_said_reset(&w->call);
    warder_mcp_textf(&w->call, "%s%s", big, big);
    assert_int_equal(w->call.said.failed, RC_LIMIT);
    mcp_said_reset(&w->call);
    warder_mcp_image(&w->call, "image/png", big, n);
    assert_int_equal(w->call.said.failed, RC_LIMIT);
    mcp_said_reset(&w->call);
    warder_mcp_text(&w->call, "fine");
    assert_text(said_world_content(w), "{\"type\":\"text\",\"text\":\"fine\"}");
    free(big);
}

static void errors_of_tools_are_results(void **state)
{
    said_world_t *w = *state;
    warder_mcp_errorf(&w->call, "no %s", "luck");
    assert_true(w->call.said.is_error);
    assert_int_equal(w->call.said.error_code, 0);
    assert_text(said_world_content(w), "{\"type\":\"text\",\"text\":\"no luck\"}");
}

static void errors_of_others_are_the_protocols(void **state)
{
    said_world_t *w = *state;
    said_world_becomes(w, MCP_PROMPT, "p");
    char sentence[] = "no luck";
    warder_mcp_error(&w->call, sentence);
    sentence[0] = 'X'; /* it was copied */
    assert_false(w->call.said.is_error);
    assert_int_equal(w->call.said.error_code, -32602);
    assert_text(w->call.said.error_message, "no luck");
    said_world_becomes(w, MCP_RESOURCE, "p:");
    warder_mcp_error(&w->call, "no luck");
    assert_int_equal(w->call.said.error_code, -32603);
}

static void protocol_errors_hold_json(void **state)
{
    said_world_t *w = *state;
    warder_mcp_protocol_error(&w->call, 7, "m", "{\"a\":1}");
    assert_int_equal(w->call.said.failed, RC_OK);
    assert_int_equal(w->call.said.error_code, 7);
    assert_text(w->call.said.error_message, "m");
    assert_text(w->call.said.error_data, "{\"a\":1}");
    warder_mcp_protocol_error(&w->call, 7, "m", "{\"a\":1},\"b\":2");
    assert_int_equal(w->call.said.failed, RC_MALFORMED);
}

static void not_found_has_the_code_of_its_era(void **state)
{
    said_world_t *w = *state;
    said_world_becomes(w, MCP_TEMPLATE, "x://7");
    warder_mcp_not_found(&w->call);
    assert_int_equal(w->call.said.error_code, -32002);
    assert_text(w->call.said.error_data, "{\"uri\":\"x://7\"}");
    w->call.op.era = MCP_ERA_STATELESS;
    warder_mcp_not_found(&w->call);
    assert_int_equal(w->call.said.error_code, -32602);
}

static void needed_scope_is_kept(void **state)
{
    said_world_t *w = *state;
    char scope[] = "a:b";
    warder_mcp_need_scope(&w->call, scope);
    scope[0] = 'X';
    assert_text(w->call.said.needed, "a:b");
    mcp_said_reset(&w->call);
    assert_false(str_is_set(w->call.said.needed));
}

static void memory_that_is_used_up_fails_the_call(void **state)
{
    said_world_t *w = *state;
    arena_t *whole = w->call.arena;
    w->call.arena = arena_new(16);
    mcp_said_reset(&w->call);
    warder_mcp_text(&w->call, "longer than what is there");
    assert_int_equal(w->call.said.content.failed, RC_MEMORY);
    warder_mcp_need_scope(&w->call, "longer than what is there");
    assert_int_equal(w->call.said.failed, RC_MEMORY);
    arena_free(w->call.arena);
    w->call.arena = whole;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAID_TEST(text_is_a_block_of_a_tool),
        SAID_TEST(text_is_contents_of_a_resource),
        SAID_TEST(text_is_a_message_of_a_prompt),
        SAID_TEST(bytes_are_base64_with_padding),
        SAID_TEST(blob_is_bytes_of_a_resource),
        SAID_TEST(link_has_a_name),
        SAID_TEST(link_is_text_where_none_is_known),
        SAID_TEST(annotations_hold_for_what_follows),
        SAID_TEST(annotations_stand_within_a_message),
        SAID_TEST(bad_annotations_fail_the_call),
        SAID_TEST(misplaced_words_fail_the_call),
        SAID_TEST(bad_utf8_fails_the_call),
        SAID_TEST(answers_are_bounded),
        SAID_TEST(errors_of_tools_are_results),
        SAID_TEST(errors_of_others_are_the_protocols),
        SAID_TEST(protocol_errors_hold_json),
        SAID_TEST(not_found_has_the_code_of_its_era),
        SAID_TEST(needed_scope_is_kept),
        SAID_TEST(memory_that_is_used_up_fails_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
