#include "surface.h"

static warder_mcp_next_t static_text(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_fresh(call, 60, true);
    warder_mcp_text(call, "This is the content of the static text resource.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t static_binary(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_blob(call, "image/png", PNG, sizeof PNG);
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t watched(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_text(call, "Watched resource content.");
    return WARDER_MCP_DONE;
}

/* The value as it is, and behind some words; both are escaped as the JSON of the argument is. */
static warder_mcp_next_t by_id(warder_mcp_call_t *call, void *ctx)
{
    const char *id = warder_mcp_json(call, "id");
    warder_mcp_textf(call, "{\"id\":%s,\"templateTest\":true,\"data\":\"Data for ID: %s}", id,
                     id + 1);
    return WARDER_MCP_DONE;
}

static void suggest_ids(warder_mcp_call_t *call, const char *argument, const char *value, void *ctx)
{
    static const char *const IDS[] = {"1", "12", "123"};
    for (size_t i = 0; i < 3; i++)
        if (strncmp(IDS[i], value, strlen(value)) == 0)
            warder_mcp_suggest(call, IDS[i]);
}

const warder_mcp_resource_t RESOURCES[] = {
    {.uri = "test://static-text",
     .name = "static text",
     .description = "A text that stays the same",
     .mime_type = "text/plain",
     .run = static_text},
    {.uri = "test://static-binary",
     .name = "static binary",
     .description = "One red pixel",
     .mime_type = "image/png",
     .size = PNG_BYTES,
     .run = static_binary},
    {.uri = "test://watched-resource",
     .name = "watched",
     .description = "To be subscribed to",
     .mime_type = "text/plain",
     .run = watched},
    {.uri = "test://template/{id}/data",
     .name = "template",
     .description = "Data by id",
     .mime_type = "application/json",
     .run = by_id,
     .complete = suggest_ids},
};
const size_t RESOURCE_COUNT = sizeof RESOURCES / sizeof *RESOURCES;
