/* warder tools URL */
#include "cmd/client_error.h"
#include "cmd/client_print.h"
#include "cmd/client_session.h"

static int list(client_session_t *s, bool as_json)
{
    mcp_client_failure_t why;
    const json_t *tools;
    rc_t rc = mcp_client_tools(s->client, s->world->a, &tools, &why);
    if (rc == RC_NOT_FOUND)
        return client_session_fail(s, &why);
    if (rc != RC_OK)
        return client_session_machine(s, rc);
    client_session_clear(s);
    if (as_json)
        client_print_json(stdout, tools->raw);
    else
        client_print_tools(stdout, tools);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    option_t rows[] = {CLIENT_OPTION_ROWS, {.name = "json", .is_switch = true}, {NULL}};
    str_t url = STR_UNSET;
    client_world_t w;
    client_session_t s = {NULL};
    if (!options_parse_one(argc, argv, rows, "tools wants a URL, as https://mcp.example.com/mcp",
                           &url))
        return EXIT_USAGE;
    int code = client_world_open(&w, rows, url, CLIENT_ASK_TERMINAL);
    if (code == EXIT_DONE)
        code = client_session_open(&s, &w, option_is_set(rows, "json"));
    if (code == EXIT_DONE)
        code = list(&s, option_is_set(rows, "json"));
    client_session_close(&s);
    return client_error_end(&w, code);
}

const command_t CMD_TOOLS = {
    .name = "tools",
    .usage = "URL [--json] [client options]",
    .about = "lists the tools of an MCP server, signing in where that is needed",
    .run = run,
};
