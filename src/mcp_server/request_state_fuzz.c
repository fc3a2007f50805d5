/* A requestState as clients may send it: none but our own opens. The first byte says whether the
 * rest is such a text, or a payload under our own seal, which must be read without harm. */
#include "mcp_server/request_state.h"
#include "mcp_server/server_state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MCP_SEALED_BYTES)
        return 0;
    clock_fake_t clock = {INT64_C(1790000000000)};
    warder_mcp_t m = {.world.clock = clock_fake(&clock)};
    warder_mcp_call_t *call = mcp_call_new(&m);
    if (!call)
        return 0;
    bool ours = data[0] == 'p';
    str_t text = str_of(data + 1, size - 1);
    call->op.message.method = STR("tools/call");
    mcp_error_t e = mcp_state_open(call, ours ? mcp_state_wrap(call, text) : text);
    check(ours || e != MCP_NO_ERROR);
    if (e == MCP_NO_ERROR) {
        str_t again = mcp_state_seal(call);
        check(!again.p || mcp_state_open(call, again) == MCP_NO_ERROR);
    }
    mcp_call_drop(call);
    return 0;
}
