/* Any body through the envelope; what was taken must be answered with valid JSON. */
#include "mcp/rpc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_json(arena_t *a, str_t text)
{
    const json_t *root;
    if (!text.p || json_parse(a, text, NULL, &root) != RC_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mcp_message_t m;
    rc_t rc;
    arena_t *a = arena_new(32 << 20);
    if (!a)
        return 0;
    mcp_error_t e = mcp_message_parse(a, str_of(data, size), &m, &rc);
    if (rc == RC_OK && e != MCP_NO_ERROR)
        must_be_json(a, mcp_error(a, m.id, e, STR_UNSET, STR_UNSET));
    if (rc == RC_OK && e == MCP_NO_ERROR && m.kind == MCP_REQUEST)
        must_be_json(a, mcp_result(a, m.id, STR("{}")));
    arena_free(a);
    return 0;
}
