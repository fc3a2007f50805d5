/* Tools whose answers show each kind of content. */
#include "surface.h"

const unsigned char PNG[PNG_BYTES] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
    0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00,
    0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78,
    0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0x00, 0x05, 0x00, 0x01, 0xff, 0x89, 0x99,
    0x3d, 0x1d, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};
const unsigned char WAV[WAV_BYTES] = {
    0x52, 0x49, 0x46, 0x46, 0x24, 0x00, 0x00, 0x00, 0x57, 0x41, 0x56, 0x45, 0x66, 0x6d, 0x74,
    0x20, 0x10, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x40, 0x1f, 0x00, 0x00, 0x40, 0x1f,
    0x00, 0x00, 0x01, 0x00, 0x08, 0x00, 0x64, 0x61, 0x74, 0x61, 0x00, 0x00, 0x00, 0x00,
};

#define RICH_SCHEMA                                                                                \
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"$defs\":" \
    "{\"address\":{\"$anchor\":\"addressDef\",\"type\":\"object\",\"properties\":{"                \
    "\"street\":{\"type\":\"string\"},\"city\":{\"type\":\"string\"}}}},\"properties\":{"          \
    "\"name\":{\"type\":\"string\"},\"address\":{\"$ref\":\"#/$defs/address\"},\"contactMethod\":" \
    "{\"type\":\"string\",\"enum\":[\"phone\",\"email\"]},\"phone\":{\"type\":\"string\"},"        \
    "\"email\":{\"type\":\"string\"}},\"allOf\":[{\"anyOf\":[{\"required\":[\"phone\"]},"          \
    "{\"required\":[\"email\"]}]}],\"if\":{\"properties\":{\"contactMethod\":{\"const\":"          \
    "\"phone\"}},\"required\":[\"contactMethod\"]},\"then\":{\"required\":[\"phone\"]},\"else\":"  \
    "{\"required\":[\"email\"]},\"additionalProperties\":false}"

static warder_mcp_next_t simple_text(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_text(call, "This is a simple text response for testing.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t image(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_image(call, "image/png", PNG, sizeof PNG);
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t sound(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_audio(call, "audio/wav", WAV, sizeof WAV);
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t embedded(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_embed_text(call, "test://embedded-resource", "text/plain",
                          "This is an embedded resource content.");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t several(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_text(call, "Multiple content types test:");
    warder_mcp_image(call, "image/png", PNG, sizeof PNG);
    warder_mcp_embed_text(call, "test://mixed-content-resource", "application/json",
                          "{\"test\":\"data\",\"value\":123}");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t failing(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_error(call, "This tool intentionally returns an error for testing");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t echo(warder_mcp_call_t *call, void *ctx)
{
    const char *value = warder_mcp_string(call, "value");
    warder_json_t *w = warder_mcp_structured(call);
    warder_json_string(w, "value", value);
    warder_json_end(w);
    warder_mcp_text(call, value ? value : "");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t rich(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_text(call, warder_mcp_json(call, ""));
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t region(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_textf(call, "region %s", warder_mcp_string(call, "region"));
    return WARDER_MCP_DONE;
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "test_simple_text",
     .description = "Plain text",
     .flags = WARDER_MCP_QUICK,
     .run = simple_text},
    {.name = "test_image_content", .description = "An image", .run = image},
    {.name = "test_audio_content", .description = "A sound", .run = sound},
    {.name = "test_embedded_resource",
     .description = "A resource within the answer",
     .run = embedded},
    {.name = "test_multiple_content_types", .description = "Several kinds at once", .run = several},
    {.name = "test_error_handling", .description = "Always fails", .run = failing},
    {.name = "test_echo",
     .description = "Says what it was told",
     .input_schema = OBJECT(STRING("value"), "\"value\""),
     .output_schema = OBJECT(STRING("value"), "\"value\""),
     .flags = WARDER_MCP_READ_ONLY,
     .run = echo},
    {.name = "json_schema_2020_12_tool",
     .description = "Tool with JSON Schema 2020-12 features",
     .input_schema = RICH_SCHEMA,
     .run = rich},
    {.name = "test_header_region",
     .description = "One argument is repeated as a header field",
     .input_schema =
         OBJECT("\"region\":{\"type\":\"string\",\"x-mcp-header\":\"Region\"}", "\"region\""),
     .run = region},
};

tools_t content_tools(void)
{
    return (tools_t){TOOLS, sizeof TOOLS / sizeof *TOOLS};
}
