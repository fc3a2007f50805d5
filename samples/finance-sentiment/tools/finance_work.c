#include "finance_work.h"

/* Whether a string of the arguments holds a NUL, which C strings end at: read as C strings, half a
 * text would pass for the whole, and a filter for none. JSON can only write it as an escape. */
static bool has_nul(const char *json)
{
    for (const char *p = json; *p; p++) {
        if (*p != '\\')
            continue;
        if (strncmp(p, "\\u0000", 6) == 0)
            return true;
        p++; /* whatever is escaped, an escaped backslash too */
    }
    return false;
}

static rc_t refuse(finance_work_t *k)
{
    warder_mcp_error(k->call, "Arguments may hold no NUL characters: leave them out.");
    return RC_OK;
}

warder_mcp_next_t finance_run(warder_mcp_call_t *call, void *ctx, finance_step_t step)
{
    finance_work_t k = {.f = ctx, .call = call, .next = WARDER_MCP_DONE};
    const char *arguments = warder_mcp_json(call, "");
    k.a = arena_new(FINANCE_ARENA_BYTES);
    rc_t rc = k.a && arguments ? RC_OK : RC_MEMORY;
    if (rc == RC_OK)
        rc = has_nul(arguments) ? refuse(&k) : step(&k);
    arena_free(k.a);
    return rc == RC_OK ? k.next : WARDER_MCP_FAIL;
}
