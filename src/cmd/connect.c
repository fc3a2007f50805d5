/* warder connect URL: the stdio MCP server that a local host runs in front of a remote one. */
#include "bridge/bridge.h"
#include "client/registration.h"
#include "cmd/client_options.h"
#include "cmd/client_world.h"
#include "cmd/connect_config.h"
#include "mcp_stdio/streams.h"

#include <limits.h>
#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

enum { CONFIG_BYTES = 64 << 10, ARGS_MAX = 3 * OPTION_VALUES_MAX };

/* A relative path means another file where the host runs the command. */
static str_t as_argument(arena_t *a, const char *option, str_t value)
{
    char path[PATH_MAX];
    bool is_path = strstr(option, "-file") || strcmp(option, "folder") == 0;
    if (!is_path || !realpath(arena_cstr(a, value), path))
        return value;
    return arena_dup(a, str_c(path));
}

static size_t add_options(arena_t *a, const option_t *rows, str_t *args, size_t n)
{
    for (const option_t *row = rows; row->name; row++) {
        if (row->n == 0 || strcmp(row->name, "print-config") == 0 ||
            strcmp(row->name, "server-name") == 0)
            continue;
        args[n++] = arena_printf(a, "--%s", row->name);
        if (!row->is_switch)
            args[n++] = as_argument(a, row->name, row->values[0]);
    }
    return n;
}

static int print_config(const option_t *rows, str_t url)
{
    char self[PATH_MAX];
    str_t args[ARGS_MAX] = {STR("connect"), url}, text;
    arena_t *a = arena_new(4 * CONFIG_BYTES);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    if (!a || n <= 0) {
        arena_free(a);
        return command_out_of_memory();
    }
    str_t name = option_get(rows, "server-name");
    const connect_config_t config = {
        .name = connect_config_name(a, name.p ? name : url),
        .command = str_of(self, (size_t)n),
        .args = {args, add_options(a, rows, args, 2)},
    };
    buf_t b = buf_new(a, CONFIG_BYTES);
    int code = EXIT_DONE;
    if (!connect_config_write(option_get(rows, "print-config"), &config, &b))
        code = command_fail(EXIT_USAGE, "--print-config wants claude, vscode, cursor, codex, "
                                        "windsurf, zed or gemini-cli; any other "
                                        "host takes the form of one of them");
    else if (buf_done(&b, &text) != RC_OK)
        code = command_out_of_memory();
    else
        fwrite(text.p, 1, text.n, stdout);
    arena_free(a);
    return code;
}

/* What a person puts at the URL of --client-metadata-url, to be known by it. */
static int print_document(const option_t *rows, str_t url)
{
    str_t text, name = option_get(rows, "client-name");
    const client_registration_want_t want = {.name = name.p ? name : STR("Warder"),
                                             .scope = option_get(rows, "scope")};
    arena_t *a = arena_new(4 * CONFIG_BYTES);
    rc_t rc = a ? client_document_write(a, url, &want, STR_UNSET, &text) : RC_MEMORY;
    int code = EXIT_DONE;
    if (rc == RC_MALFORMED)
        code = command_fail(EXIT_USAGE, "--print-client-metadata wants the https URL, with a path, "
                                        "at which the document will be");
    else if (rc == RC_LIMIT)
        code = command_fail(EXIT_USAGE, "the document would be longer than servers read");
    else if (rc != RC_OK)
        code = command_out_of_memory();
    else
        printf("%" PRIstr "\n", STR_ARG(text));
    arena_free(a);
    return code;
}

/* At a terminal somebody tries it by hand: sign in at once, and say what comes then. */
static int greet(client_world_t *w)
{
    client_failure_t why = {CLIENT_FINE, STR_UNSET};
    if (!isatty(STDIN_FILENO))
        return EXIT_DONE;
    if (tokens_source_sign_in(w->source, w->a, false, &why) != TOKENS_AGAIN)
        return client_world_fail(w, &why);
    fprintf(stderr, "warder: signed in; this is now an MCP server on standard streams, Ctrl-D ends "
                    "it. 'warder connect URL --print-config claude' prints what a host needs.\n");
    return EXIT_DONE;
}

/* The host reads standard output as messages: what a library prints must not get there. */
static int bridge(client_world_t *w)
{
    mcp_streams_t streams;
    if (mcp_streams_take(&streams) != RC_OK)
        return command_fail(EXIT_FAILED, "standard input or output is not open");
    const bridge_config_t config = {
        .link = {.agent = w->agent,
                 .tokens = w->source,
                 .url = w->options.tokens.url,
                 .reach = w->reach,
                 .log = &w->log},
        .in = streams.in,
        .out = streams.out,
        .name = STR("warder"),
        .version = STR(WARDER_VERSION),
        .clock = clock_system(),
        .stop = w->stop_fd,
        .log = &w->log,
    };
    rc_t rc = bridge_run(&config);
    mcp_streams_give_back(&streams);
    return rc == RC_OK ? EXIT_DONE
                       : command_fail(EXIT_FAILED, "this machine failed: %s", rc_name(rc));
}

static int run(int argc, char **argv)
{
    option_t rows[] = {CLIENT_OPTION_ROWS,
                       {.name = "print-config"},
                       {.name = "server-name"},
                       {.name = "print-client-metadata"},
                       {NULL}};
    str_t url = STR_UNSET;
    size_t n;
    client_world_t w;
    if (!options_parse(argc, argv, rows, &url, 1, &n))
        return EXIT_USAGE;
    if (option_is_set(rows, "print-client-metadata"))
        return print_document(rows, option_get(rows, "print-client-metadata"));
    if (n < 1)
        return command_fail(EXIT_USAGE, "connect wants a URL, as https://mcp.example.com/mcp");
    if (option_is_set(rows, "print-config"))
        return client_options_url(url) == EXIT_DONE ? print_config(rows, url) : EXIT_USAGE;
    int code = client_world_open(&w, rows, url, CLIENT_ASK_ALWAYS);
    if (code == EXIT_DONE)
        code = greet(&w);
    if (code == EXIT_DONE)
        code = bridge(&w);
    client_world_close(&w);
    return code;
}

const command_t CMD_CONNECT = {
    .name = "connect",
    .usage = "URL [--print-config HOST] [--server-name N] "
             "[--print-client-metadata URL] [client options]",
    .about =
        "is a local stdio MCP server in front of a remote one, signing in where that is needed",
    .run = run,
};
