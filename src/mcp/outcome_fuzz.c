#include "mcp/outcome.h"

#include <stdlib.h>

/* Whole and in pieces must tell the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mcp_outcome_t whole = {0}, parts = {0};
    size_t step = size > 0 ? 1 + data[0] % 7u : 1;
    str_t all = str_of(data, size);
    mcp_outcome_feed(&whole, all);
    for (str_t rest = all; rest.n > 0; rest = str_skip(rest, step))
        mcp_outcome_feed(&parts, str_first(rest, step));
    if (whole.kind != parts.kind || whole.code != parts.code || whole.depth != parts.depth)
        abort();
    return 0;
}
