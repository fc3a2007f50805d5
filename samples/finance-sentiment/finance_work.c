#include "finance_work.h"

warder_mcp_next_t finance_run(warder_mcp_call_t *call, void *ctx, finance_step_t step)
{
    finance_work_t k = {.f = ctx, .call = call, .next = WARDER_MCP_DONE};
    k.a = arena_new(FINANCE_ARENA_BYTES);
    rc_t rc = k.a ? step(&k) : RC_MEMORY;
    arena_free(k.a);
    return rc == RC_OK ? k.next : WARDER_MCP_FAIL;
}
