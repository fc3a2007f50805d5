#include "mcp/version.h"

#include "core/json.h"

/* Newest first, so that each era's rows stand together. */
static const mcp_version_t VERSIONS[] = {
    {STR_INIT("2026-07-28"), MCP_ERA_STATELESS},
    {STR_INIT("2025-11-25"), MCP_ERA_HANDSHAKE},
    {STR_INIT("2025-06-18"), MCP_ERA_HANDSHAKE},
    {STR_INIT("2025-03-26"), MCP_ERA_HANDSHAKE},
};

enum {
    VERSION_COUNT = sizeof VERSIONS / sizeof *VERSIONS,
    FIRST_HANDSHAKE = 1,
    VERSION_BYTES = 64,
    DATA_BYTES = 1024,
};

mcp_versions_t mcp_versions(void)
{
    return (mcp_versions_t){VERSIONS, VERSION_COUNT};
}

mcp_versions_t mcp_versions_handshake(void)
{
    return (mcp_versions_t){VERSIONS + FIRST_HANDSHAKE, VERSION_COUNT - FIRST_HANDSHAKE};
}

mcp_versions_t mcp_versions_stateless(void)
{
    return (mcp_versions_t){VERSIONS, FIRST_HANDSHAKE};
}

const mcp_version_t *mcp_version_find(mcp_versions_t among, str_t name)
{
    for (size_t i = 0; i < among.n; i++) {
        if (str_eq(among.v[i].name, name))
            return &among.v[i];
    }
    return NULL;
}

const mcp_version_t *mcp_version_of_server(str_t name)
{
    static const mcp_version_t OLDEST = {STR_INIT("2024-11-05"), MCP_ERA_HANDSHAKE};
    return str_eq(name, OLDEST.name) ? &OLDEST : mcp_version_find(mcp_versions_handshake(), name);
}

const mcp_version_t *mcp_version_negotiate(str_t asked)
{
    const mcp_version_t *v = mcp_version_find(mcp_versions_handshake(), asked);
    return v ? v : &VERSIONS[FIRST_HANDSHAKE];
}

const mcp_version_t *mcp_version_assumed(void)
{
    return &VERSIONS[VERSION_COUNT - 1];
}

str_t mcp_unsupported_data(arena_t *a, mcp_versions_t spoken, str_t asked)
{
    buf_t b = buf_new(a, DATA_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_key(&w, STR("supported"));
    json_begin_array(&w);
    for (size_t i = 0; i < spoken.n; i++)
        json_str(&w, spoken.v[i].name);
    json_end_array(&w);
    /* A header holds any bytes; what is no text of ours is not echoed. */
    if (str_is_printable_ascii(asked))
        json_member_str(&w, STR("requested"), str_first(asked, VERSION_BYTES));
    json_end_object(&w);
    str_t out;
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}
