#include "mcp/version.h"

static const mcp_version_t VERSIONS[] = {
    {STR_INIT("2025-11-25")},
    {STR_INIT("2025-06-18")},
    {STR_INIT("2025-03-26")},
};

enum { VERSION_COUNT = sizeof VERSIONS / sizeof *VERSIONS };

const mcp_version_t *mcp_versions(size_t *n)
{
    *n = VERSION_COUNT;
    return VERSIONS;
}

const mcp_version_t *mcp_version_find(str_t name)
{
    for (size_t i = 0; i < VERSION_COUNT; i++) {
        if (str_eq(VERSIONS[i].name, name))
            return &VERSIONS[i];
    }
    return NULL;
}

const mcp_version_t *mcp_version_negotiate(str_t asked)
{
    const mcp_version_t *v = mcp_version_find(asked);
    return v ? v : &VERSIONS[0];
}

const mcp_version_t *mcp_version_assumed(void)
{
    return &VERSIONS[VERSION_COUNT - 1];
}
