/* warder call URL TOOL [JSON] */
#include "cmd/client_error.h"
#include "cmd/client_print.h"
#include "cmd/client_session.h"
#include "cmd/text_file.h"

#include <errno.h>
#include <string.h>

enum { ARGUMENTS_BYTES = 1 << 20 };

/* The arguments: a word, "-" for standard input, @FILE, or none. */
static int read_text(arena_t *a, str_t word, str_t *out)
{
    bool is_input = str_eq(word, STR("-"));
    *out = word;
    if (!is_input && !str_starts(word, STR("@")))
        return EXIT_DONE;
    const char *path = is_input ? "-" : arena_cstr(a, str_skip(word, 1));
    rc_t rc = is_input ? text_stream_read(a, stdin, ARGUMENTS_BYTES, out)
                       : text_file_read(a, path, ARGUMENTS_BYTES, out);
    if (rc == RC_MEMORY)
        return command_out_of_memory();
    return rc == RC_OK ? EXIT_DONE
                       : command_fail(EXIT_USAGE, "the arguments cannot be read from '%s': %s",
                                      path, strerror(errno));
}

static int read_arguments(arena_t *a, str_t word, str_t *out)
{
    const json_t *json;
    str_t text;
    int code = read_text(a, word, &text);
    if (code != EXIT_DONE)
        return code;
    *out = STR_UNSET;
    if (!text.p)
        return EXIT_DONE;
    if (text.n > ARGUMENTS_BYTES || json_parse(a, text, NULL, &json) != RC_OK ||
        !json_is(json, JSON_OBJECT))
        return command_fail(EXIT_USAGE, "the arguments must be one JSON object, e.g. "
                                        "'{\"city\":\"Oslo\"}', '@FILE' or '-'");
    *out = json->raw;
    return EXIT_DONE;
}

static str_t call_params(arena_t *a, str_t tool, str_t arguments)
{
    buf_t b = buf_new(a, 2 * ARGUMENTS_BYTES);
    json_writer_t w = json_writer(&b);
    str_t out;
    json_begin_object(&w);
    json_member_str(&w, STR("name"), tool);
    json_key(&w, STR("arguments"));
    json_raw(&w, arguments.p ? arguments : STR("{}"));
    json_end_object(&w);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

static int malformed(client_session_t *s)
{
    const client_error_t e = {.code = STR("malformed"),
                              .sentence = STR("The result is no JSON that can be read"),
                              .mend = STR("'warder doctor URL' looks closer")};
    return client_error_json(s->world, &e,
                             command_fail(EXIT_FAILED, "%" PRIstr, STR_ARG(e.sentence)));
}

static int print_result(client_session_t *s, str_t text, bool as_json)
{
    const json_t *result;
    bool failed = false;
    client_session_clear(s);
    if (json_parse(s->world->a, text, NULL, &result) != RC_OK)
        return malformed(s);
    json_get_bool(result, STR("isError"), &failed);
    if (as_json)
        client_print_json(stdout, text);
    else
        client_print_result(failed ? stderr : stdout, result);
    return failed ? EXIT_TOOL : EXIT_DONE;
}

static int call(client_session_t *s, str_t tool, str_t arguments, bool as_json)
{
    mcp_client_failure_t why;
    const json_t *tools;
    str_t result, params = call_params(s->world->a, tool, arguments);
    const mcp_client_options_t options = {.progress = s->shows_progress, .cancel = &s->world->stop};
    if (!params.p)
        return command_out_of_memory();
    /* What a tool wants repeated in header fields stands in its schema. */
    rc_t rc = RC_OK;
    if (mcp_client_version(s->client)->era == MCP_ERA_STATELESS)
        rc = mcp_client_tools(s->client, s->world->a, &tools, &why);
    if (rc == RC_OK)
        rc = mcp_client_request(s->client, s->world->a, STR("tools/call"), params, &options,
                                &result, &why);
    if (rc == RC_NOT_FOUND)
        return client_session_fail(s, &why);
    return rc == RC_OK ? print_result(s, result, as_json) : client_session_machine(s, rc);
}

static int run(int argc, char **argv)
{
    option_t rows[] = {CLIENT_OPTION_ROWS, {.name = "json", .is_switch = true}, {NULL}};
    str_t words[3] = {STR_UNSET, STR_UNSET, STR_UNSET}, arguments;
    size_t n;
    client_world_t w;
    client_session_t s = {NULL};
    if (!options_parse(argc, argv, rows, words, 3, &n))
        return EXIT_USAGE;
    if (n < 2)
        return command_fail(
            EXIT_USAGE, "call wants a URL and the name of a tool; 'warder tools URL' lists them");
    bool as_json = option_is_set(rows, "json");
    int code = client_world_open(&w, rows, words[0], CLIENT_ASK_TERMINAL);
    if (code == EXIT_DONE)
        code = read_arguments(w.a, words[2], &arguments);
    if (code == EXIT_DONE)
        code = client_session_open(&s, &w, as_json);
    if (code == EXIT_DONE)
        code = call(&s, words[1], arguments, as_json);
    client_session_close(&s);
    return client_error_end(&w, code);
}

const command_t CMD_CALL = {
    .name = "call",
    .usage = "URL TOOL [JSON|@FILE|-] [--json] [client options]",
    .about = "calls a tool of an MCP server, signing in where that is needed",
    .run = run,
};
