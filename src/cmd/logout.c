/* warder logout URL */
#include "cmd/client_error.h"

#include <stdio.h>

static int sign_out(client_world_t *w)
{
    client_failure_t why = {CLIENT_FINE, STR_UNSET};
    client_left_t left = {.kept = tokens_source_sign_out(w->source, w->a, &why)};
    left.revoked = left.kept && why.reason == CLIENT_FINE;
    if (why.reason != CLIENT_FINE)
        return client_error_left(w, &why, &left);
    if (!left.kept)
        return client_error_not_kept(
            w, STR("say who the client is, if it is one with an id of its own"), &left);
    if (w->as_json)
        printf("{\"kept\":true,\"revoked\":true}\n");
    else
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
        code = sign_out(&w);
    return client_error_end(&w, code);
}

const command_t CMD_LOGOUT = {
    .name = "logout",
    .usage = "URL [--json] [client options]",
    .about = "forgets the tokens for an MCP server, and revokes them",
    .run = run,
};
