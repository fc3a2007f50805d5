/* warder logout URL */
#include "cmd/client_world.h"

#include "core/json.h"

#include <stdio.h>

static int sign_out(client_world_t *w, bool as_json)
{
    client_failure_t why = {CLIENT_FINE, STR_UNSET};
    bool kept = tokens_source_sign_out(w->source, w->a, &why);
    if (as_json)
        printf("{\"kept\":%s,\"revoked\":%s}\n", kept ? "true" : "false",
               kept && why.reason == CLIENT_FINE ? "true" : "false");
    if (!kept && why.reason == CLIENT_FINE)
        return command_fail(EXIT_REFUSED,
                            "no token is kept for this URL; say who the client is, if it "
                            "is one with an id of its own");
    if (why.reason != CLIENT_FINE)
        return client_world_fail(w, &why);
    if (!as_json)
        fprintf(stderr, "warder: signed out\n");
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    option_t rows[] = {CLIENT_OPTION_ROWS, {.name = "json", .is_switch = true}, {NULL}};
    str_t url = STR_UNSET;
    client_world_t w;
    if (!options_parse_one(argc, argv, rows, "logout wants a URL, as https://mcp.example.com/mcp",
                           &url))
        return EXIT_USAGE;
    int code = client_world_open(&w, rows, url, CLIENT_ASK_NOBODY);
    if (code == EXIT_DONE)
        code = sign_out(&w, option_is_set(rows, "json"));
    client_world_close(&w);
    return code;
}

const command_t CMD_LOGOUT = {
    .name = "logout",
    .usage = "URL [--json] [client options]",
    .about = "forgets the tokens for an MCP server, and revokes them",
    .run = run,
};
