/* Lines of a hostile child, with requests of two clients between them. A line that begins with 'A'
 * or 'B' is what that client sends; all others are the child's. What comes out for a client must be
 * one line of JSON with an id, a token or a subscription that this client has given. */
#include "proxy/child_router.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 1 << 16, CLIENTS = 2 };

static char sessions[CLIENTS];

static void must(bool good)
{
    if (!good)
        abort();
}

static void must_be_a_line(arena_t *a, str_t text, const json_t **root)
{
    must(text.p && !memchr(text.p, '\n', text.n) && !memchr(text.p, '\r', text.n));
    must(json_parse(a, text, NULL, root) == RC_OK);
}

static void client_says(child_router_t *r, arena_t *a, int who, str_t body)
{
    static const gate_principal_t WHO = {
        .issuer = STR_INIT("i"), .subject = STR_INIT("s"), .client = STR_INIT("c")};
    rc_t rc;
    mcp_operation_t op = {.era = MCP_ERA_HANDSHAKE};
    child_ask_t ask;
    child_flight_t *f = NULL;
    const json_t *root;
    str_t line;
    if (mcp_message_parse(a, body, &op.message, &rc) != MCP_NO_ERROR)
        return;
    const upstream_request_t request = {.method = HTTP_POST,
                                        .message = &op,
                                        .version = mcp_version_assumed(),
                                        .body = body,
                                        .who = &WHO};
    if (child_ask_read(a, &request, &ask) != RC_OK)
        return;
    if (ask.kind == MCP_RESPONSE) {
        child_router_answered(r, ask.key, &sessions[who]);
        return;
    }
    if (ask.kind == MCP_REQUEST && child_router_open(r, &ask, &f) != RC_OK)
        return;
    if (f) {
        f->session = &sessions[who];
        f->owner = &sessions[who];
    }
    if (child_router_line(r, a, &ask, f, &sessions[who], &line) != RC_OK)
        return;
    must_be_a_line(a, line, &root);
    must(json_get(root, STR("method")) != NULL);
    int64_t id;
    must(!f || (json_get_i64(root, STR("id"), &id) && id == f->id));
}

static void check_news(arena_t *a, const child_line_t *line, const json_t *root)
{
    const json_t *params = json_get(root, STR("params"));
    const json_t *token = json_get(params, STR("progressToken"));
    const json_t *about =
        json_get(json_get(params, STR("_meta")), STR("io.modelcontextprotocol/subscriptionId"));
    if (str_eq(line->method, STR("notifications/progress")))
        must(str_eq(token->raw, line->flight->token));
    else
        must(str_eq(about->raw, line->flight->raw) && line->flight->listens);
}

static void child_says(child_router_t *r, arena_t *a, str_t text)
{
    child_line_t line;
    const json_t *root;
    if (child_router_read(r, a, text, MAX, &line) != RC_OK)
        return;
    must((line.flight != NULL) == (line.kind == CHILD_LINE_ANSWER || line.kind == CHILD_LINE_NEWS ||
                                   line.kind == CHILD_LINE_STOP ||
                                   (line.kind == CHILD_LINE_BAD && line.flight)));
    if (line.kind == CHILD_LINE_BAD) {
        must(line.why.p != NULL);
        return;
    }
    if (line.kind == CHILD_LINE_LATE)
        return;
    must_be_a_line(a, line.text, &root);
    if (line.kind == CHILD_LINE_NEWS)
        check_news(a, &line, root);
    if (line.kind == CHILD_LINE_QUESTION)
        (void)!child_router_asked(r, line.key, &sessions[text.n % CLIENTS]);
    if (line.kind != CHILD_LINE_ANSWER)
        return;
    must(str_eq(json_get(root, STR("id"))->raw, line.flight->raw));
    child_router_close(r, line.flight);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    child_router_t *r = child_router_new();
    arena_t *a = arena_new(32 << 20);
    str_t rest = str_of(size ? (const char *)data : "", size), line;
    while (r && a && str_split(&rest, '\n', &line)) {
        arena_reset(a);
        if (line.n && (line.p[0] == 'A' || line.p[0] == 'B'))
            client_says(r, a, line.p[0] - 'A', str_skip(line, 1));
        else
            child_says(r, a, line);
    }
    arena_free(a);
    child_router_free(r);
    return 0;
}
