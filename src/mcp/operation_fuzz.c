/* Header fields and a body in one input: lines "Name: value" up to an empty one, then the body.
 * What was taken names what it is about, and says the same where it says something twice. */
#include "mcp/operation.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS_MAX = 16 };

static void check(bool ok)
{
    if (!ok)
        abort();
}

static size_t split_fields(str_t *rest, mcp_field_t *v)
{
    str_t line;
    size_t n = 0;
    while (n < FIELDS_MAX && str_split(rest, '\n', &line) && line.n > 0) {
        size_t colon = str_find(line, ':', 0);
        v[n].name = str_first(line, colon);
        v[n++].value = str_trim(str_skip(line, colon + 1), " ");
    }
    return n;
}

static void check_taken(const mcp_operation_t *o)
{
    check(o->version && o->version->era == o->era);
    check(o->object == MCP_ON_METHOD ? !o->name.p : o->name.n > 0);
    check(!o->name.p || (!memchr(o->name.p, 0, o->name.n) && str_is_utf8(o->name)));
    check(!o->arguments || json_is(o->arguments, JSON_OBJECT));
    check(o->message.kind == MCP_REQUEST || o->object == MCP_ON_METHOD);
    bool calls = o->message.kind == MCP_REQUEST && str_eq(o->message.method, STR("tools/call"));
    check(!calls || o->object == MCP_ON_TOOL);
}

static void check_params(arena_t *a, mcp_fields_t fields, const mcp_operation_t *o)
{
    mcp_params_t params;
    if (mcp_params_read(a, o->arguments, &params) != RC_OK)
        return;
    check(params.n <= MCP_PARAMS_MAX);
    for (size_t i = 0; i < params.n; i++)
        check(params.v[i].header.n > 0 && params.v[i].path.n > 0);
    mcp_error_t e = mcp_params_check(a, fields, params, o);
    check(e == MCP_NO_ERROR || e == MCP_ERROR_HEADER_MISMATCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mcp_field_t v[FIELDS_MAX];
    mcp_operation_t o;
    rc_t rc;
    str_t rest = str_of(data, size);
    mcp_fields_t fields = {v, split_fields(&rest, v)};
    arena_t *a = arena_new(32 << 20);
    if (!a)
        return 0;
    mcp_error_t e = mcp_operation_read(a, fields, rest.p ? rest : STR(""), &o, &rc);
    check((rc == RC_OK) == (e != MCP_ERROR_INTERNAL));
    if (e == MCP_NO_ERROR) {
        check_taken(&o);
        check_params(a, fields, &o);
    }
    if (mcp_operation_read_line(a, str_of(data, size), &o, &rc) == MCP_NO_ERROR)
        check_taken(&o);
    const mcp_version_t *bare;
    if (mcp_operation_read_bare(fields, &bare) == MCP_NO_ERROR)
        check(bare->era == MCP_ERA_HANDSHAKE);
    arena_free(a);
    return 0;
}
