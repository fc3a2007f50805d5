/* One message, as a line of a standard stream or with header fields before it (lines "Name: value"
 * up to an empty one, after a first line "fields"), against a server with every kind of row.
 * Functions run at once, on this thread. What comes out is one JSON-RPC message of the request's
 * id, whose result or error its verdict stands by. */
#include "mcp_server/server_state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS_MAX = 16, OUT_MAX = 64, WORK_BYTES = 64 << 20 };

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* ---- tables ---- */

static warder_mcp_next_t run_done(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_text(call, warder_mcp_name(call));
    warder_mcp_progress(call, 1, 2, NULL);
    warder_mcp_log(call, WARDER_MCP_ERROR, NULL, "said");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t run_asks(warder_mcp_call_t *call, void *ctx)
{
    static const char SCHEMA[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}";
    (void)ctx;
    const char *form = warder_mcp_elicit(call, "form", "A?", SCHEMA);
    const char *roots = warder_mcp_roots(call, "roots");
    if (!form || !roots)
        return WARDER_MCP_ASK;
    warder_mcp_text(call, form);
    return WARDER_MCP_DONE;
}

static void complete(warder_mcp_call_t *call, const char *argument, const char *value, void *ctx)
{
    (void)ctx;
    warder_mcp_suggest(call, argument);
    warder_mcp_suggest(call, value);
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "echo",
     .description = "E",
     .input_schema = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"},\"r\":{"
                     "\"type\":\"string\",\"x-mcp-header\":\"R\"}},\"required\":[\"n\"]}",
     .flags = WARDER_MCP_QUICK,
     .run = run_done},
    {.name = "asks", .description = "A", .flags = WARDER_MCP_QUICK, .run = run_asks},
    {.name = "secret",
     .description = "S",
     .scope = "s",
     .flags = WARDER_MCP_QUICK,
     .run = run_done},
    {.name = "only", .description = "O", .flags = WARDER_MCP_TASK_ONLY, .run = run_done},
};
static const warder_mcp_resource_t RESOURCES[] = {
    {.uri = "f://a", .name = "a", .flags = WARDER_MCP_QUICK, .run = run_done},
    {.uri = "f://b/{x}/{y}",
     .name = "b",
     .flags = WARDER_MCP_QUICK,
     .run = run_done,
     .complete = complete},
    {.uri = "f://s", .name = "s", .scope = "s", .flags = WARDER_MCP_QUICK, .run = run_done},
};
static const warder_mcp_argument_t ARGUMENTS[] = {{.name = "x", .required = true}, {.name = "y"}};
static const warder_mcp_prompt_t PROMPTS[] = {{.name = "p",
                                               .arguments = ARGUMENTS,
                                               .argument_count = 2,
                                               .flags = WARDER_MCP_QUICK,
                                               .run = run_done,
                                               .complete = complete}};

/* ---- the world ---- */

static clock_fake_t now = {INT64_C(1790000000000)};
static random_fake_t bytes;

static rc_t post(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    (void)fn;
    (void)arg;
    return RC_BUSY; /* wakes are for who waits */
}

static const post_port_t HERE = {post, NULL};

static warder_mcp_t *server_new(void)
{
    warder_mcp_config_t c = {.name = "f",
                             .version = "1",
                             .tools = TOOLS,
                             .tool_count = sizeof TOOLS / sizeof *TOOLS,
                             .resources = RESOURCES,
                             .resource_count = sizeof RESOURCES / sizeof *RESOURCES,
                             .prompts = PROMPTS,
                             .prompt_count = 1,
                             .threads = 1,
                             .page = 1};
    mcp_world_ports_t ports = {.clock = clock_fake(&now), .random = random_fake(&bytes)};
    warder_mcp_t *m = warder_mcp_new(&c, NULL, 0);
    check(m != NULL);
    mcp_server_wire(m, &ports);
    check(mcp_server_start(m) == RC_OK);
    return m;
}

/* ---- what goes in ---- */

typedef struct {
    mcp_field_t v[FIELDS_MAX];
    mcp_fields_t fields;
    bool has_fields;
    str_t body;
} input_t;

static void split(str_t rest, input_t *in)
{
    str_t line;
    *in = (input_t){.body = rest};
    if (!str_starts(rest, STR("fields\n")))
        return;
    in->has_fields = true;
    in->fields.v = in->v;
    rest = str_skip(rest, 7);
    while (in->fields.n < FIELDS_MAX && str_split(&rest, '\n', &line) && line.n > 0) {
        size_t colon = str_find(line, ':', 0);
        mcp_field_t *f = &in->v[in->fields.n++];
        f->name = str_first(line, colon);
        f->value = str_trim(str_skip(line, colon + 1), " ");
    }
    in->body = rest.p ? rest : STR("");
}

static mcp_session_t *session_new(bool begun)
{
    mcp_session_t *s = mcp_session_local(clock_fake(&now));
    check(s != NULL);
    rc_t rc = begun ? mcp_session_begin(s, mcp_versions_handshake().v,
                                        STR("{\"elicitation\":{},\"roots\":{}}"))
                    : RC_OK;
    check(rc == RC_OK);
    return s;
}

/* ---- what comes out ---- */

static const json_t *parse(arena_t *a, str_t text)
{
    static const json_limits_t LIMITS = {16 << 20, 128, 500000};
    const json_t *root = NULL;
    check(json_parse(a, text, &LIMITS, &root) == RC_OK);
    check(str_eq(json_get_str(root, STR("jsonrpc")), STR("2.0")));
    return root;
}

/* The response to a request, or to what was none as far as that could be told. */
static void check_response(arena_t *a, const mcp_message_t *m, str_t text)
{
    const json_t *root = parse(a, text);
    const json_t *id = json_get(root, STR("id"));
    check((json_get(root, STR("result")) != NULL) != (json_get(root, STR("error")) != NULL));
    check(id ? m->id.p && str_eq(id->raw, m->id) : !m->id.p);
}

static void check_stream(arena_t *a, const mcp_message_t *m, mcp_reader_t *reader)
{
    mcp_out_t out;
    for (int i = 0; i < OUT_MAX && mcp_reader_take(reader, &out); i++) {
        if (out.kind == MCP_OUT_ANSWER && out.text.p)
            check_response(a, m, out.text);
        else if (out.text.p)
            check(json_get(parse(a, out.text), STR("method")) != NULL);
    }
}

static void check_verdict(arena_t *a, const mcp_operation_t *op, const mcp_verdict_t *v)
{
    if (v->kind == MCP_ACCEPTED)
        check(op->message.kind != MCP_REQUEST && v->status == 202 && !v->body.p);
    if (v->kind == MCP_SCOPE)
        check(v->needed.n > 0 && v->status == 403 && v->body.p);
    if (v->kind == MCP_ANSWERED)
        check(v->status >= 200 && v->body.p);
    if (v->kind == MCP_RUNNING)
        check(op->message.kind == MCP_REQUEST && !v->body.p);
    if (v->body.p)
        check_response(a, &op->message, v->body);
    check(!v->opens || str_eq(op->message.method, STR("initialize")));
}

static mcp_error_t read_message(arena_t *a, const input_t *in, mcp_operation_t *op)
{
    rc_t rc;
    str_t body = arena_dup(a, in->body);
    return in->has_fields ? mcp_operation_read(a, in->fields, body, op, &rc)
                          : mcp_operation_read_line(a, body, op, &rc);
}

/* All of it with one call. */
static void play(warder_mcp_t *m, const input_t *in, mcp_session_t *session)
{
    mcp_reader_t *reader = NULL;
    mcp_operation_t op;
    arena_t *a = arena_new(WORK_BYTES);
    warder_mcp_call_t *call = mcp_call_new(m);
    mcp_outbox_t *outbox = mcp_outbox_new(false);
    const mcp_reading_t how = {.back = HERE};
    check(a && call && outbox && mcp_outbox_attach(outbox, &how, &reader) == RC_OK);
    mcp_error_t e = read_message(mcp_call_arena(call), in, &op);
    mcp_incoming_t incoming = {.operation = &op,
                               .fields = in->fields,
                               .has_fields = in->has_fields,
                               .who = {.subject = STR("a"), .scope = STR("")},
                               .session = session,
                               .outbox = outbox,
                               .back = HERE};
    mcp_verdict_t v =
        e == MCP_NO_ERROR ? mcp_server_handle(call, &incoming) : mcp_server_refuse(call, &op, e);
    check_verdict(a, &op, &v);
    check_stream(a, &op.message, reader);
    mcp_call_cancel(call);
    check_stream(a, &op.message, reader);
    mcp_reader_detach(reader);
    mcp_outbox_drop(outbox);
    mcp_call_drop(call);
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t in;
    split(str_of(data, size), &in);
    warder_mcp_t *m = server_new();
    for (int begun = 0; begun < 2; begun++) {
        mcp_session_t *session = session_new(begun);
        play(m, &in, session);
        mcp_session_end(session);
        mcp_session_drop(session);
    }
    play(m, &in, NULL);
    mcp_server_stop(m);
    warder_mcp_free(m);
    return 0;
}
