/* Signs in at an MCP server, lists its tools, and calls one: client_minimal URL [TOOL [JSON]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <warder/client.h>

/* Without this callback the desktop's browser is opened. */
static bool show_page(void *ctx, const char *url)
{
    (void)ctx;
    fprintf(stderr, "open this page to sign in: %s\n", url);
    return true;
}

static void hear(void *ctx, const char *method, const char *params)
{
    (void)ctx;
    if (strcmp(method, "notifications/progress") == 0)
        fprintf(stderr, "progress: %s\n", params);
}

/* Prints what came, or why nothing did. */
static bool show(warder_client_end_t end, char *json, const char *why)
{
    if (end == WARDER_CLIENT_DONE)
        puts(json);
    else
        fprintf(stderr, "client_minimal: %s\n", why);
    warder_client_free_text(json);
    return end == WARDER_CLIENT_DONE;
}

int main(int argc, char **argv)
{
    char why[512] = "", *json = NULL;
    const warder_client_options_t options = {.progress = true};
    const warder_client_config_t config = {
        .url = argc > 1 ? argv[1] : "",
        .name = "client-minimal",
        .version = "1.0",
        .folder = getenv("CLIENT_MINIMAL_FOLDER"), /* NULL: sign in at each run */
        .callbacks = {.open = show_page, .hears = hear},
    };
    warder_client_t *client = warder_client_new(&config, why, sizeof why);
    if (!client)
        return fprintf(stderr, "client_minimal: %s\n", why), 2;
    warder_client_end_t end = warder_client_tools(client, &json, why, sizeof why);
    bool well = show(end, json, why);
    if (well && argc > 2) {
        json = NULL;
        end = warder_client_call(client, argv[2], argc > 3 ? argv[3] : NULL, &options, &json, why,
                                 sizeof why);
        well = show(end, json, why);
    }
    warder_client_free(client);
    return well ? 0 : 1;
}
