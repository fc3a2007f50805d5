/* What functions ask of the client, and read of its answers. */
#include "mcp_server/said.h"
#include "mcp_server/server_state.h"

enum { PARAMS_BYTES = 1 << 20, ID_BYTES = 12 };

/* What each kind of question is called, and takes of the client. */
static const struct {
    str_t method;
    const char *capability;
} KINDS[] = {
    [MCP_ASK_FORM] = {STR_INIT("elicitation/create"), "elicitation.form"},
    [MCP_ASK_URL] = {STR_INIT("elicitation/create"), "elicitation.url"},
    [MCP_ASK_SAMPLE] = {STR_INIT("sampling/createMessage"), "sampling"},
    [MCP_ASK_ROOTS] = {STR_INIT("roots/list"), "roots"},
};

bool warder_mcp_client_can(const warder_mcp_call_t *call, const char *path)
{
    return mcp_capability_has(call->capabilities, path);
}

static bool client_can(warder_mcp_call_t *call, const char *capability)
{
    if (mcp_capability_has(call->capabilities, capability))
        return true;
    call->questions.missing = capability;
    return false;
}

/* Answers that fit */

static bool is_action(const json_t *answer)
{
    str_t action = json_get_str(answer, STR("action"));
    return str_eq(action, STR("accept")) || str_eq(action, STR("decline")) ||
           str_eq(action, STR("cancel"));
}

static bool fits_form(warder_mcp_call_t *call, const mcp_question_t *q)
{
    if (!is_action(q->answer))
        return false;
    if (!q->form || !str_eq(json_get_str(q->answer, STR("action")), STR("accept")))
        return true;
    mcp_schema_fault_t fault;
    bool fits = false;
    const json_t *content = json_get(q->answer, STR("content"));
    rc_t rc = content ? mcp_schema_check(call->arena, q->form, content, &fits, &fault) : RC_OK;
    return rc == RC_OK && fits;
}

static bool fits(warder_mcp_call_t *call, const mcp_question_t *q)
{
    switch (q->what) {
    case MCP_ASK_SAMPLE:
        return json_is(json_get(q->answer, STR("role")), JSON_STRING) &&
               json_get(q->answer, STR("content"));
    case MCP_ASK_ROOTS:
        return json_is(json_get(q->answer, STR("roots")), JSON_ARRAY);
    default:
        return fits_form(call, q);
    }
}

/* What came with the request: of earlier rounds, then of this one. */
static const json_t *brought(const warder_mcp_call_t *call, str_t key)
{
    const json_t *kept = json_get(call->questions.kept, key);
    return kept ? kept : json_get(call->questions.given, key);
}

static mcp_question_t *question(warder_mcp_call_t *call, const char *key)
{
    mcp_questions_t *all = &call->questions;
    mcp_question_t *q = mcp_question_find(call, key ? str_c(key) : STR(""));
    if (q)
        return q;
    str_t copy = arena_dup(call->arena, key ? str_c(key) : STR(""));
    if (!copy.p || all->n == MCP_QUESTIONS) {
        mcp_said_fail(call, copy.p ? RC_LIMIT : RC_MEMORY);
        return NULL;
    }
    q = &all->v[all->n++];
    *q = (mcp_question_t){.key = copy, .round = all->round, .page = STR_UNSET};
    return q;
}

/* A question ready to be asked; its params may have failed. */
typedef struct {
    const char *key;
    mcp_ask_t what;
    const mcp_schema_t *form;
    const buf_t *params;
    str_t page;
} asking_t;

static const char *ask(warder_mcp_call_t *call, const asking_t *asking)
{
    str_t params;
    rc_t rc = buf_done(asking->params, &params);
    mcp_question_t *q = rc == RC_OK ? question(call, asking->key) : NULL;
    if (rc != RC_OK)
        mcp_said_fail(call, rc);
    if (!q)
        return NULL;
    q->what = asking->what;
    q->method = KINDS[q->what].method;
    q->params = params;
    q->page = asking->page;
    q->form = asking->form;
    q->asked = true;
    if (!q->answer)
        q->answer = brought(call, q->key);
    if (q->answer && !fits(call, q)) {
        q->answer = NULL;
        q->round = call->questions.round;
    }
    return q->answer ? arena_cstr(call->arena, q->answer->raw) : NULL;
}

/* Forms and pages */

static rc_t read_form(warder_mcp_call_t *call, const char *text, const mcp_schema_t **form,
                      str_t *raw)
{
    const json_t *v;
    str_t why = STR_UNSET;
    str_t copy = arena_dup(call->arena, text ? str_c(text) : STR(""));
    if (!copy.p)
        return RC_MEMORY;
    TRY(json_parse(call->arena, copy, &MCP_SAID_LIMITS, &v));
    *raw = v->raw;
    rc_t rc = mcp_schema_read_form(call->arena, v, form, &why);
    if (rc != RC_OK)
        LOG(call->m->world.log, LOG_ERROR, "the schema of a form is wrong",
            LOG_S("name", call->op.name), LOG_S("why", why));
    return rc;
}

const char *warder_mcp_elicit(warder_mcp_call_t *call, const char *key, const char *message,
                              const char *schema)
{
    const mcp_schema_t *form = NULL;
    str_t raw = STR_UNSET;
    if (!client_can(call, KINDS[MCP_ASK_FORM].capability))
        return NULL;
    rc_t rc = read_form(call, schema, &form, &raw);
    if (rc != RC_OK) {
        mcp_said_fail(call, rc);
        return NULL;
    }
    buf_t b = buf_new(call->arena, PARAMS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("message"), str_c(message ? message : ""));
    json_key(&w, STR("requestedSchema"));
    json_raw(&w, raw);
    json_end_object(&w);
    return ask(call, &(asking_t){key, MCP_ASK_FORM, form, &b, STR_UNSET});
}

/* Clients of the revision before want one to tell pages apart: the same in each run. Unset: none.
 */
static str_t page_id(warder_mcp_call_t *call, const char *key)
{
    uint8_t raw[ID_BYTES];
    const random_port_t *random = &call->m->world.random;
    const mcp_question_t *q = mcp_question_find(call, str_c(key ? key : ""));
    if (call->op.era != MCP_ERA_HANDSHAKE)
        return STR_UNSET;
    if (q && q->page.p)
        return q->page;
    if (random->fill(random->ctx, raw, sizeof raw) != RC_OK)
        return STR_UNSET;
    str_t id;
    buf_t b = buf_new(call->arena, ID_BYTES * 2);
    buf_hex(&b, raw, sizeof raw);
    return buf_done(&b, &id) == RC_OK ? id : STR_UNSET;
}

const char *warder_mcp_elicit_url(warder_mcp_call_t *call, const char *key, const char *message,
                                  const char *url)
{
    if (!client_can(call, KINDS[MCP_ASK_URL].capability))
        return NULL;
    str_t page = page_id(call, key);
    buf_t b = buf_new(call->arena, PARAMS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("mode"), STR("url"));
    json_member_str(&w, STR("message"), str_c(message ? message : ""));
    json_member_str(&w, STR("url"), str_c(url ? url : ""));
    json_member_str(&w, STR("elicitationId"), page);
    json_end_object(&w);
    return ask(call, &(asking_t){key, MCP_ASK_URL, NULL, &b, page});
}

/* 2025-11-25, "Completion Notifications for URL Mode Elicitation". */
void warder_mcp_elicit_done(warder_mcp_call_t *call, const char *key)
{
    enum { ID_PARAMS_BYTES = 64 };
    const mcp_question_t *q = mcp_question_find(call, str_c(key ? key : ""));
    if (!q || !q->page.p || !q->answer)
        return;
    str_t params;
    buf_t b = buf_new(call->arena, ID_PARAMS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("elicitationId"), q->page);
    json_end_object(&w);
    if (buf_done(&b, &params) == RC_OK)
        mcp_call_notify(call, STR("notifications/elicitation/complete"), params);
}

/* Models and roots */

const char *warder_mcp_sample(warder_mcp_call_t *call, const char *key, const char *params)
{
    const json_t *v = NULL;
    if (!client_can(call, KINDS[MCP_ASK_SAMPLE].capability))
        return NULL;
    str_t copy = arena_dup(call->arena, str_c(params ? params : ""));
    rc_t rc = copy.p ? json_parse(call->arena, copy, &MCP_SAID_LIMITS, &v) : RC_MEMORY;
    if (rc == RC_OK && !json_is(v, JSON_OBJECT))
        rc = RC_MALFORMED;
    if (rc != RC_OK) {
        mcp_said_fail(call, rc);
        return NULL;
    }
    if (json_get(v, STR("tools")) && !client_can(call, "sampling.tools"))
        return NULL;
    buf_t b = buf_new(call->arena, PARAMS_BYTES);
    buf_put(&b, v->raw);
    return ask(call, &(asking_t){key, MCP_ASK_SAMPLE, NULL, &b, STR_UNSET});
}

const char *warder_mcp_roots(warder_mcp_call_t *call, const char *key)
{
    if (!client_can(call, KINDS[MCP_ASK_ROOTS].capability))
        return NULL;
    buf_t b = buf_new(call->arena, PARAMS_BYTES);
    buf_put(&b, STR("{}"));
    return ask(call, &(asking_t){key, MCP_ASK_ROOTS, NULL, &b, STR_UNSET});
}

/* Reading answers */

/* Only of what was asked in this run: what fits was looked at there. */
static const json_t *answer_of(const warder_mcp_call_t *call, const char *key)
{
    const mcp_questions_t *all = &call->questions;
    for (size_t i = 0; key && i < all->n; i++)
        if (all->v[i].asked && str_eq(all->v[i].key, str_c(key)))
            return all->v[i].answer;
    return NULL;
}

static const char *string_of(const warder_mcp_call_t *call, const json_t *v)
{
    return json_is(v, JSON_STRING) ? arena_cstr(call->arena, v->str) : NULL;
}

const char *warder_mcp_answer_string(const warder_mcp_call_t *call, const char *key,
                                     const char *path)
{
    return path ? string_of(call, json_path(answer_of(call, key), str_c(path))) : NULL;
}

const char *warder_mcp_answer_action(const warder_mcp_call_t *call, const char *key)
{
    return string_of(call, json_get(answer_of(call, key), STR("action")));
}

const char *warder_mcp_state(const warder_mcp_call_t *call)
{
    return call->questions.state.p ? arena_cstr(call->arena, call->questions.state) : NULL;
}

void warder_mcp_set_state(warder_mcp_call_t *call, const char *text)
{
    if (text && strlen(text) > MCP_STATE_BYTES) {
        mcp_said_fail(call, RC_LIMIT);
        return;
    }
    call->questions.state = arena_dup(call->arena, str_c(text));
    if (text && !call->questions.state.p)
        mcp_said_fail(call, RC_MEMORY);
}
