#include "mcp/outcome.h"

#include "core/json.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
    if (!holds)
        abort();
}

static mcp_outcome_t feed(str_t all, size_t step)
{
    mcp_outcome_t o = {0};
    for (str_t rest = all; rest.n > 0; rest = str_skip(rest, step))
        mcp_outcome_feed(&o, str_first(rest, step));
    return o;
}

/* Whole and in pieces must tell the same. */
static void check_pieces(str_t all, const mcp_outcome_t *whole, size_t step)
{
    mcp_outcome_t parts = feed(all, step);
    require(memcmp(whole, &parts, sizeof parts) == 0);
}

/* What the strict reader of JSON finds is what was told. */
static void check_tree(arena_t *a, str_t all, const mcp_outcome_t *o)
{
    const json_t *root;
    if (json_parse(a, all, NULL, &root) != RC_OK || o->unclear)
        return;
    const json_t *id = json_get(root, STR("id"));
    bool answers = json_get(root, STR("result")) || json_get(root, STR("error"));
    mcp_answer_t answer = mcp_outcome_answer(a, o, id ? id->raw : STR_UNSET);
    require(!answers || answer != MCP_ANSWER_NONE);
    require(answers || answer == MCP_ANSWER_NONE);
    bool good = id && (json_is(id, JSON_STRING) || json_is(id, JSON_NUMBER));
    require(!answers || !good || json_get(root, STR("method")) || answer == MCP_ANSWER_OURS);
    require(mcp_outcome_answer(a, o, STR("\"another\"")) != MCP_ANSWER_OURS ||
            str_eq(id->str, STR("another")));
}

/* No result with another scope goes out of it, but for those that are told to be odd. */
static void check_scope(arena_t *a, str_t all)
{
    const json_t *root;
    mcp_outcome_t o = {.is_stateless = all.n % 2 == 1};
    buf_t b = buf_new(a, 2 * all.n + MCP_OUTCOME_SPARE_BYTES);
    mcp_outcome_feed_private(&o, all, &b);
    require(b.failed == RC_OK);
    if (json_parse(a, buf_str(&b), NULL, &root) != RC_OK || o.unclear || o.odd)
        return;
    const json_t *result = json_get(root, STR("result"));
    const json_t *scope = json_get(result, STR("cacheScope"));
    bool due = json_is(result, JSON_OBJECT) && (o.is_stateless || json_get(result, STR("ttlMs")));
    require(scope ? str_eq(scope->str, STR("private")) : !due);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(4 * size + (8 << 20));
    str_t all = str_of(data, size);
    mcp_outcome_t whole = feed(all, size > 0 ? size : 1);
    check_pieces(all, &whole, size > 0 ? 1 + data[0] % 7u : 1);
    check_tree(a, all, &whole);
    check_scope(a, all);
    arena_free(a);
    return 0;
}
