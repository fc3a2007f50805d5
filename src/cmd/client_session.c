#include "cmd/client_session.h"

#include "client/plain.h"
#include "cmd/client_ask.h"
#include "cmd/client_error.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { SAID_BYTES = 512, BAR = 24, LINE_ARENA = 64 << 10 };

void client_session_clear(client_session_t *s)
{
    if (s->has_line)
        fputs("\r\033[K", stderr);
    s->has_line = false;
}

/* "[#####     ] 40% reading" in place of the line before. */
static void show_progress(client_session_t *s, const json_t *params)
{
    double progress = 0, total = 0;
    char bar[BAR + 1];
    arena_t *a = arena_new(LINE_ARENA);
    str_t message = json_get_str(params, STR("message"));
    if (!a || !json_f64(json_get(params, STR("progress")), &progress)) {
        arena_free(a);
        return;
    }
    str_t plain = message.p ? client_plain(a, message, 60) : STR("");
    if (json_f64(json_get(params, STR("total")), &total) && total > 0) {
        double part = fmin(fmax(progress / total, 0), 1);
        for (int i = 0; i < BAR; i++)
            bar[i] = i < (int)(part * BAR) ? '#' : ' ';
        bar[BAR] = '\0';
        fprintf(stderr, "\r\033[K[%s] %3.0f%% %" PRIstr, bar, part * 100, STR_ARG(plain));
    } else {
        fprintf(stderr, "\r\033[K%g %" PRIstr, progress, STR_ARG(plain));
    }
    fflush(stderr);
    s->has_line = true;
    arena_free(a);
}

static void hears(void *ctx, str_t method, const json_t *params)
{
    client_session_t *s = ctx;
    if (s->shows_progress && str_eq(method, STR("notifications/progress")))
        show_progress(s, params);
}

static bool ask(void *ctx, arena_t *a, str_t method, const json_t *params, str_t *result)
{
    client_session_t *s = ctx;
    client_session_clear(s);
    return client_ask(a, s->world->reach, method, params, result);
}

int client_session_open(client_session_t *s, client_world_t *w, bool json)
{
    mcp_client_failure_t why;
    bool person = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    *s = (client_session_t){.world = w, .shows_progress = !json && isatty(STDERR_FILENO)};
    const mcp_client_config_t config = {
        .link = {.agent = w->agent,
                 .tokens = w->source,
                 .url = w->options.tokens.url,
                 .reach = w->reach,
                 .log = &w->log},
        .name = STR("warder"),
        .version = STR(WARDER_VERSION),
        .handlers = {.ask = person ? ask : NULL,
                     .elicits = person,
                     .elicits_url = person,
                     .hears = hears,
                     .ctx = s},
        .stop = &w->stop,
    };
    rc_t rc = mcp_client_open(&config, w->a, &s->client, &why);
    if (rc == RC_OK && !s->client)
        return client_session_fail(s, &why);
    return rc == RC_OK ? EXIT_DONE : client_session_machine(s, rc);
}

int client_session_machine(client_session_t *s, rc_t rc)
{
    const client_error_t e = {.code = STR("machine"),
                              .sentence = STR("This machine failed"),
                              .detail = str_c(rc_name(rc)),
                              .mend = STR("See that there is memory and room on the disk")};
    client_session_clear(s);
    return client_error_json(s->world, &e,
                             command_fail(EXIT_FAILED, "this machine failed: %s", rc_name(rc)));
}

void client_session_close(client_session_t *s)
{
    client_session_clear(s);
    mcp_client_close(s->client);
}

static int fail_link(client_session_t *s, const mcp_link_failure_t *why)
{
    if (why->end == MCP_LINK_AUTH)
        return client_world_fail(s->world, &why->failure);
    const mcp_link_end_row_t *row = mcp_link_end_row(why->end);
    str_t plain = why->detail.p ? client_plain(s->world->a, why->detail, SAID_BYTES) : STR("");
    int code = why->end == MCP_LINK_STOPPED ? EXIT_STOPPED : EXIT_FAILED;
    str_t status = why->status ? arena_printf(s->world->a, " (HTTP %d)", why->status) : STR("");
    command_fail(
        code, "%" PRIstr "%" PRIstr "%s%" PRIstr ". %" PRIstr "; 'warder doctor URL' looks closer",
        STR_ARG(row->sentence), STR_ARG(status), plain.n ? ": " : "", STR_ARG(plain),
        STR_ARG(mcp_link_mend(why)));
    const client_error_t e = {.code = row->name,
                              .sentence = row->sentence,
                              .detail = why->detail,
                              .mend = mcp_link_mend(why),
                              .status = why->status};
    return client_error_json(s->world, &e, code);
}

int client_session_fail(client_session_t *s, const mcp_client_failure_t *why)
{
    client_session_clear(s);
    if (!why->is_rpc_error)
        return fail_link(s, &why->link);
    str_t plain = client_plain(s->world->a, why->message, SAID_BYTES);
    const client_error_t e = {.code = STR("server_error"),
                              .sentence = STR("The server answered with an error"),
                              .mend = STR("Read its words: rpc holds them"),
                              .rpc = why};
    return client_error_json(s->world, &e,
                             command_fail(EXIT_REFUSED, "the server refused: %" PRIstr " (%lld)",
                                          STR_ARG(plain), (long long)why->code));
}
