#include "mcp_server/tables.h"

#include "mcp_server/entry.h"

#include <string.h>

/* Where the texts of a row stand in it. */
typedef struct {
    size_t row_bytes;
    const size_t *texts;
    size_t n;
} shape_t;

#define SHAPE(type, texts)                                                                         \
    {                                                                                              \
        sizeof(type), texts, sizeof(texts) / sizeof *(texts)                                       \
    }
#define TOOL(member)     offsetof(warder_mcp_tool_t, member)
#define RESOURCE(member) offsetof(warder_mcp_resource_t, member)
#define PROMPT(member)   offsetof(warder_mcp_prompt_t, member)
#define ARGUMENT(member) offsetof(warder_mcp_argument_t, member)
#define CONFIG(member)   offsetof(warder_mcp_config_t, member)

static const size_t TOOL_TEXTS[] = {TOOL(name),         TOOL(title),         TOOL(description),
                                    TOOL(input_schema), TOOL(output_schema), TOOL(scope),
                                    TOOL(icons),        TOOL(meta)};
static const size_t RESOURCE_TEXTS[] = {
    RESOURCE(uri),   RESOURCE(name),  RESOURCE(title), RESOURCE(description), RESOURCE(mime_type),
    RESOURCE(scope), RESOURCE(icons), RESOURCE(meta),  RESOURCE(annotations)};
static const size_t PROMPT_TEXTS[] = {PROMPT(name),  PROMPT(title), PROMPT(description),
                                      PROMPT(scope), PROMPT(icons), PROMPT(meta)};
static const size_t ARGUMENT_TEXTS[] = {ARGUMENT(name), ARGUMENT(title), ARGUMENT(description)};
static const size_t CONFIG_TEXTS[] = {
    CONFIG(name),         CONFIG(title),       CONFIG(version), CONFIG(instructions),
    CONFIG(state_secret), CONFIG(website_url), CONFIG(icons)};

static const shape_t TOOLS = SHAPE(warder_mcp_tool_t, TOOL_TEXTS);
static const shape_t RESOURCES = SHAPE(warder_mcp_resource_t, RESOURCE_TEXTS);
static const shape_t PROMPTS = SHAPE(warder_mcp_prompt_t, PROMPT_TEXTS);
static const shape_t ARGUMENTS = SHAPE(warder_mcp_argument_t, ARGUMENT_TEXTS);
static const shape_t CONFIGS = SHAPE(warder_mcp_config_t, CONFIG_TEXTS);

static rc_t copy_texts(arena_t *a, void *row, const shape_t *shape)
{
    for (size_t i = 0; i < shape->n; i++) {
        const char **text = (const char **)(void *)((char *)row + shape->texts[i]);
        if (!*text)
            continue;
        *text = arena_cstr(a, str_c(*text));
        if (!*text)
            return RC_MEMORY;
    }
    return RC_OK;
}

/* NULL: no memory. */
static void *copy_rows(arena_t *a, const void *rows, size_t n, const shape_t *shape)
{
    char *copy = arena_alloc(a, (n + 1) * shape->row_bytes);
    if (copy && n > 0)
        memcpy(copy, rows, n * shape->row_bytes);
    for (size_t i = 0; copy && i < n; i++) {
        if (copy_texts(a, copy + i * shape->row_bytes, shape) != RC_OK)
            return NULL;
    }
    return copy;
}

rc_t mcp_tables_copy_tools(arena_t *a, warder_mcp_config_t *c)
{
    c->tools = copy_rows(a, c->tools, c->tool_count, &TOOLS);
    return c->tools ? RC_OK : RC_MEMORY;
}

rc_t mcp_tables_copy_resources(arena_t *a, warder_mcp_config_t *c)
{
    c->resources = copy_rows(a, c->resources, c->resource_count, &RESOURCES);
    return c->resources ? RC_OK : RC_MEMORY;
}

/* What is wrong with a count is said when the row is read. */
static rc_t copy_arguments(arena_t *a, warder_mcp_prompt_t *p)
{
    if (!p->arguments || p->argument_count > MCP_ARGUMENTS)
        return RC_OK;
    p->arguments = copy_rows(a, p->arguments, p->argument_count, &ARGUMENTS);
    return p->arguments ? RC_OK : RC_MEMORY;
}

rc_t mcp_tables_copy_prompts(arena_t *a, warder_mcp_config_t *c)
{
    warder_mcp_prompt_t *copy = copy_rows(a, c->prompts, c->prompt_count, &PROMPTS);
    c->prompts = copy;
    for (size_t i = 0; copy && i < c->prompt_count; i++)
        TRY(copy_arguments(a, &copy[i]));
    return copy ? RC_OK : RC_MEMORY;
}

rc_t mcp_tables_copy_config(arena_t *a, warder_mcp_config_t *c)
{
    return copy_texts(a, c, &CONFIGS);
}
