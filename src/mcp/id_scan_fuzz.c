/* Any bytes as a message, in pieces: an id that is found is the one that a parser finds. */
#include "mcp/id_scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static str_t scanned(mcp_id_scan_t *s, str_t text, size_t step)
{
    *s = (mcp_id_scan_t){0};
    for (; text.n; text = str_skip(text, step))
        mcp_id_scan(s, str_first(text, step));
    return mcp_id_scanned(s);
}

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const json_limits_t LIMITS = {1 << 20, 64, 20000};
    mcp_id_scan_t whole, cut;
    const json_t *root;
    if (size < 1)
        return 0;
    str_t text = str_of((const char *)data + 1, size - 1);
    str_t id = scanned(&whole, text, text.n + 1);
    check(str_eq(id, scanned(&cut, text, data[0] % 7 + 1)) || !id.p);
    arena_t *a = arena_new(8 << 20);
    if (a && id.p && json_parse(a, text, &LIMITS, &root) == RC_OK) {
        check(json_get(root, STR("id")) && str_eq(json_get(root, STR("id"))->raw, id));
        check(json_get(root, STR("method")) != NULL);
    }
    arena_free(a);
    return 0;
}
