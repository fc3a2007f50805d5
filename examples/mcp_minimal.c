/* A protected MCP server with two tools: mcp_minimal ADDRESS:PORT ISSUER. Scopes are a column of
 * its table; include/warder/mcp.h says what each call does. */
#include <stdio.h>
#include <warder/mcp.h>

static warder_mcp_next_t add(warder_mcp_call_t *call, void *ctx)
{
    double a = 0, b = 0;
    (void)ctx;
    warder_mcp_number(call, "a", &a); /* both are there: the schema was checked */
    warder_mcp_number(call, "b", &b);
    warder_mcp_textf(call, "%g", a + b);
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t whoami(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_textf(call, "You are %s, by way of %s.", warder_mcp_subject(call),
                     warder_mcp_client(call));
    return WARDER_MCP_DONE;
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "add",
     .description = "Adds two numbers",
     .input_schema = "{\"type\":\"object\",\"required\":[\"a\",\"b\"],\"properties\":"
                     "{\"a\":{\"type\":\"number\"},\"b\":{\"type\":\"number\"}}}",
     .scope = "math:add",
     .flags = WARDER_MCP_READ_ONLY | WARDER_MCP_QUICK,
     .run = add},
    {.name = "whoami", .description = "Who calls", .flags = WARDER_MCP_READ_ONLY, .run = whoami},
};

static void ready(void *ctx, const char *url)
{
    (void)ctx;
    printf("ready at %s\n", url);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char why[256] = "give ADDRESS:PORT and ISSUER";
    const warder_mcp_config_t config = {
        .name = "mcp-minimal", .version = "1.0.0", .tools = TOOLS, .tool_count = 2};
    const warder_rs_server_t issuer = {.issuer = argc == 3 ? argv[2] : ""};
    const warder_rs_config_t protect = {.servers = &issuer, .server_count = 1};
    const warder_mcp_http_t http = {
        .listen = argc == 3 ? argv[1] : "", .protect = &protect, .ready = ready};
    warder_mcp_t *mcp = argc == 3 ? warder_mcp_new(&config, why, sizeof why) : NULL;
    int code = mcp ? warder_mcp_serve_http(mcp, &http, why, sizeof why) : 2;
    if (code)
        fprintf(stderr, "mcp_minimal: %s\n", why);
    warder_mcp_free(mcp);
    return code;
}
