/* Any response as each kind of list, with a judge that keeps, drops and marks in turn. What comes
 * out is a list again, without what was dropped; judged once more with mercy it stays as it is. */
#include "mcp/list.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

typedef struct {
    size_t seen, kept;
    bool mercy;
} court_t;

static mcp_item_verdict_t judge_in_turn(void *ctx, const mcp_item_t *item)
{
    court_t *c = ctx;
    check(item->name.p && json_is(item->v, JSON_OBJECT));
    mcp_item_verdict_t verdict = c->mercy ? MCP_ITEM_KEEP : (mcp_item_verdict_t)(c->seen % 3);
    c->seen++;
    c->kept += verdict != MCP_ITEM_DROP;
    return verdict;
}

/* What can be rewritten as a list is seen to be that list, or to be too much. */
static void guess(arena_t *a, str_t response, mcp_list_kind_t kind)
{
    mcp_list_guess_t g;
    rc_t rc = mcp_list_guess(a, response, &g);
    const json_t *root;
    bool list = json_parse(a, response, NULL, &root) == RC_OK && json_get(root, STR("result"));
    check(rc != RC_OK || (g.answer && (!list || g.kind == kind)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (mcp_list_kind_t kind = MCP_LIST_TOOLS; kind < MCP_LIST_NONE; kind++) {
        court_t first = {0}, second = {.mercy = true};
        str_t once, twice;
        arena_t *a = arena_new(64 << 20);
        mcp_list_judge_t judge = {judge_in_turn, &first, true};
        if (a && mcp_list_rewrite(a, kind, str_of(data, size), judge, &once) == RC_OK) {
            guess(a, str_of(data, size), kind);
            judge.ctx = &second;
            /* Marks make a list longer: a little too long is possible. */
            rc_t rc = mcp_list_rewrite(a, kind, once, judge, &twice);
            check(rc == RC_OK || rc == RC_LIMIT || rc == RC_MEMORY);
            check(rc != RC_OK || (second.seen == first.kept && str_eq(once, twice)));
        }
        arena_free(a);
    }
    return 0;
}
