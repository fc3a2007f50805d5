/* warder token URL: what is kept of a sign-in, and the token itself only where it is asked for. */
#include "cmd/client_error.h"
#include "cmd/client_print.h"
#include "client/plain.h"

#include <unistd.h>

enum { VALUE_BYTES = 1024, STATE_BYTES = 64 << 10 };

static void print_value(client_world_t *w, const char *name, str_t value)
{
    if (!value.p)
        return;
    str_t plain = client_plain(w->a, value, VALUE_BYTES);
    printf("%-12s %" PRIstr "\n", name, STR_ARG(plain));
}

/* 0: not known. */
static void print_time(client_world_t *w, const char *name, int64_t seconds)
{
    print_value(w, name, seconds > 0 ? command_time(w->a, seconds) : STR_UNSET);
}

static void print_text(client_world_t *w, const tokens_state_t *state)
{
    print_value(w, "server", state->url);
    print_value(w, "resource", state->resource);
    print_value(w, "issuer", state->issuer);
    print_value(w, "client", state->client_id);
    print_value(w, "scope", state->scope);
    print_value(w, "type", state->dpop ? STR("DPoP") : STR("Bearer"));
    print_time(w, "since", state->since);
    print_time(w, "expires", state->expires_at);
    print_value(w, "refreshes", state->has_refresh ? STR("yes") : STR("no"));
    print_value(w, "kept in", state->place);
    if (state->claims.p) {
        printf("%-12s ", "claims");
        client_print_json(stdout, state->claims);
    }
}

static int print_json(client_world_t *w, const tokens_state_t *s)
{
    buf_t b = buf_new(w->a, STATE_BYTES);
    json_writer_t j = json_writer(&b);
    str_t text;
    json_begin_object(&j);
    json_member_str(&j, STR("url"), s->url);
    json_member_str(&j, STR("resource"), s->resource);
    json_member_str(&j, STR("issuer"), s->issuer);
    json_member_str(&j, STR("client_id"), s->client_id);
    json_member_str(&j, STR("scope"), s->scope);
    json_member_str(&j, STR("token_type"), s->dpop ? STR("DPoP") : STR("Bearer"));
    if (s->since)
        json_member_int(&j, STR("since"), s->since);
    if (s->expires_at)
        json_member_int(&j, STR("expires_at"), s->expires_at);
    json_member_bool(&j, STR("refreshes"), s->has_refresh);
    json_member_str(&j, STR("kept_in"), s->place);
    if (s->claims.p) {
        json_key(&j, STR("claims"));
        json_raw(&j, s->claims);
    }
    json_end_object(&j);
    if (buf_done(&b, &text) != RC_OK)
        return command_out_of_memory();
    client_print_json(stdout, text);
    return EXIT_DONE;
}

static int not_kept(client_world_t *w)
{
    return client_error_not_kept(
        w,
        STR("'warder token URL --fresh' signs in, if the server wants it; the URL must "
            "be the one that was signed in to, byte for byte; say who the client is, "
            "if it is one with an id of its own"),
        NULL);
}

static int show(client_world_t *w, const option_t *rows)
{
    tokens_state_t state;
    rc_t rc = tokens_source_state(w->source, w->a, &state);
    if (rc != RC_OK)
        return command_fail(EXIT_FAILED, "what is kept cannot be read: %s", rc_name(rc));
    if (!state.kept)
        return not_kept(w);
    if (option_is_set(rows, "secret")) {
        printf("%" PRIstr "\n", STR_ARG(state.token.hidden));
        return EXIT_DONE;
    }
    if (option_is_set(rows, "json"))
        return print_json(w, &state);
    print_text(w, &state);
    return EXIT_DONE;
}

/* A token that is good for now, so that scripts get one that works. */
static int make_fresh(client_world_t *w)
{
    client_failure_t why = {CLIENT_FINE, STR_UNSET};
    if (tokens_source_sign_in(w->source, w->a, false, &why) == TOKENS_AGAIN)
        return EXIT_DONE;
    return client_world_fail(w, &why);
}

static int run(int argc, char **argv)
{
    option_t rows[] = {CLIENT_OPTION_ROWS,
                       {.name = "json", .is_switch = true},
                       {.name = "secret", .is_switch = true},
                       {.name = "fresh", .is_switch = true},
                       {NULL}};
    str_t url = STR_UNSET;
    client_world_t w;
    if (!options_parse_one(argc, argv, rows, "token wants a URL, as https://mcp.example.com/mcp",
                           &url))
        return EXIT_USAGE;
    int code = client_world_open(&w, rows, url, CLIENT_ASK_TERMINAL);
    if (code == EXIT_DONE && option_is_set(rows, "fresh"))
        code = make_fresh(&w);
    if (code == EXIT_DONE)
        code = show(&w, rows);
    return client_error_end(&w, code);
}

const command_t CMD_TOKEN = {
    .name = "token",
    .usage = "URL [--json] [--fresh] [--secret] [client options]",
    .about = "shows what is kept of a sign-in; the token itself only with --secret",
    .run = run,
};
