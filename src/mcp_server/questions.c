/* Questions to the client: those that a function asked, and the answers that came with a request.
 */
#include "mcp_server/request_state.h"
#include "mcp_server/server_state.h"

enum { QUESTIONS_BYTES = MCP_SAID_BYTES };

/* An object of objects (2026-07-28, "Multi Round-Trip Requests", "Error Handling"). */
static mcp_error_t read_given(warder_mcp_call_t *call, const json_t *given)
{
    if (!given)
        return MCP_NO_ERROR;
    if (!json_is(given, JSON_OBJECT))
        return MCP_ERROR_BAD_INPUT_RESPONSES;
    for (const json_t *v = given->child; v; v = v->next)
        if (!json_is(v, JSON_OBJECT))
            return MCP_ERROR_BAD_INPUT_RESPONSES;
    call->questions.given = given;
    return MCP_NO_ERROR;
}

mcp_error_t mcp_questions_read(warder_mcp_call_t *call)
{
    const json_t *params = call->op.message.params;
    const json_t *state = json_get(params, STR("requestState"));
    mcp_error_t e = read_given(call, json_get(params, STR("inputResponses")));
    if (e != MCP_NO_ERROR || !state)
        return e;
    if (!json_is(state, JSON_STRING))
        return MCP_ERROR_BAD_REQUEST_STATE;
    return mcp_state_open(call, state->str);
}

void mcp_questions_begin(warder_mcp_call_t *call)
{
    call->questions.missing = NULL;
    for (size_t i = 0; i < call->questions.n; i++)
        call->questions.v[i].asked = false;
}

void mcp_questions_settle(warder_mcp_call_t *call)
{
    mcp_questions_t *q = &call->questions;
    size_t kept = 0;
    for (size_t i = 0; i < q->n; i++)
        if (q->v[i].asked)
            q->v[kept++] = q->v[i];
    q->n = kept;
}

mcp_question_t *mcp_question_find(warder_mcp_call_t *call, str_t key)
{
    for (size_t i = 0; i < call->questions.n; i++)
        if (str_eq(call->questions.v[i].key, key))
            return &call->questions.v[i];
    return NULL;
}

enum { TAIL_BYTES = 16 };

/* What a task puts behind a question's key: nothing in the first round. */
static str_t tail_of(const warder_mcp_call_t *call, const mcp_question_t *q, char out[TAIL_BYTES])
{
    buf_t b = buf_fixed(out, TAIL_BYTES);
    if (call->task && call->op.era == MCP_ERA_STATELESS && q->round > 0)
        buf_fmt(&b, "~%u", q->round);
    return str_of(out, b.n);
}

mcp_question_t *mcp_question_find_open(warder_mcp_call_t *call, str_t key)
{
    char room[TAIL_BYTES];
    for (size_t i = 0; i < call->questions.n; i++) {
        mcp_question_t *q = &call->questions.v[i];
        str_t tail = tail_of(call, q, room);
        if (str_eq(str_first(key, q->key.n), q->key) && str_eq(str_skip(key, q->key.n), tail))
            return q;
    }
    return NULL;
}

/* Without memory the writer fails, as it does for a key that is none. */
static void write_key(const warder_mcp_call_t *call, const mcp_question_t *q, json_writer_t *w)
{
    char room[TAIL_BYTES];
    str_t tail = tail_of(call, q, room);
    str_t key = tail.n == 0 ? q->key
                            : arena_printf(w->buf->arena, "%" PRIstr "%" PRIstr, STR_ARG(q->key),
                                           STR_ARG(tail));
    if (!key.p)
        buf_fail(w->buf, RC_MEMORY);
    json_key(w, key);
}

bool mcp_questions_answered(const warder_mcp_call_t *call)
{
    for (size_t i = 0; i < call->questions.n; i++)
        if (!call->questions.v[i].answer)
            return false;
    return true;
}

void mcp_questions_open(const warder_mcp_call_t *call, json_writer_t *w)
{
    json_begin_object(w);
    for (size_t i = 0; i < call->questions.n; i++) {
        const mcp_question_t *q = &call->questions.v[i];
        if (q->answer)
            continue;
        write_key(call, q, w);
        json_begin_object(w);
        json_member_str(w, STR("method"), q->method);
        json_key(w, STR("params"));
        json_raw(w, q->params);
        json_end_object(w);
    }
    json_end_object(w);
}

str_t mcp_questions_result(warder_mcp_call_t *call)
{
    str_t out, state = mcp_state_seal(call);
    if (!state.p)
        return STR_UNSET;
    buf_t b = buf_new(call->arena, QUESTIONS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("resultType"), STR("input_required"));
    json_key(&w, STR("inputRequests"));
    mcp_questions_open(call, &w);
    json_member_str(&w, STR("requestState"), state);
    json_end_object(&w);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

/* Capabilities */

static bool holds(const json_t *v)
{
    return v && v->type != JSON_NULL && v->type != JSON_FALSE;
}

/* An empty object stands for forms alone (2025-11-25 and 2026-07-28, elicitation). */
static bool has_forms(const json_t *capabilities)
{
    const json_t *v = json_get(capabilities, STR("elicitation"));
    return holds(v) && (holds(json_get(v, STR("form"))) || !holds(json_get(v, STR("url"))));
}

static const str_t EXTENSIONS = STR_INIT("extensions.");

bool mcp_capability_has(const json_t *capabilities, const char *path)
{
    str_t rest = str_c(path), name;
    if (!path)
        return false;
    if (str_eq(rest, STR("elicitation.form")))
        return has_forms(capabilities);
    if (str_starts(rest, EXTENSIONS))
        return holds(
            json_get(json_get(capabilities, STR("extensions")), str_skip(rest, EXTENSIONS.n)));
    const json_t *v = capabilities;
    while (str_split(&rest, '.', &name))
        v = json_get(v, name);
    return holds(v);
}

/* The names of extensions hold dots. */
static bool next_name(str_t *path, bool whole, str_t *name)
{
    if (!whole)
        return str_split(path, '.', name);
    *name = *path;
    *path = STR_UNSET;
    return name->p != NULL;
}

static void write_nested(json_writer_t *w, str_t path)
{
    str_t name;
    unsigned depth = 0;
    bool extension = str_starts(path, EXTENSIONS);
    while (next_name(&path, extension && depth > 0, &name)) {
        json_key(w, name);
        json_begin_object(w);
        depth++;
    }
    while (depth-- > 0)
        json_end_object(w);
}

str_t mcp_capability_needed(arena_t *a, const char *path)
{
    enum { NEEDED_BYTES = 4096 };
    str_t out;
    buf_t b = buf_new(a, NEEDED_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_key(&w, STR("requiredCapabilities"));
    json_begin_object(&w);
    write_nested(&w, str_c(path));
    json_end_object(&w);
    json_end_object(&w);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}
