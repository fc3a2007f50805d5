/* Requests of a handshake server in the midst of a call: the host's request ends with what is asked
 * (input_required), and the server's call waits until the host comes back with the answers. The
 * state that it brings back is a random handle of the waiting call. */
#include "bridge/talk_do.h"

enum { HANDLE_BYTES = 16, URL_NEEDED = -32042 };

static rc_t new_handle(talk_step_t *s, talk_call_t *c)
{
    uint8_t random[HANDLE_BYTES];
    char text[2 * HANDLE_BYTES];
    const random_port_t *r = &s->t->config.random;
    TRY(r->fill(r->ctx, random, sizeof random));
    buf_t b = buf_fixed(text, sizeof text);
    buf_hex(&b, random, sizeof random);
    return talk_keep(&c->state, buf_str(&b));
}

static void write_asks(const talk_step_t *s, json_writer_t *w, const talk_call_t *c)
{
    for (talk_ask_t *ask = s->t->asks; ask; ask = ask->next) {
        if (ask->call != c)
            continue;
        ask->told = true;
        json_key(w, ask->key);
        json_begin_object(w);
        json_member_str(w, STR("method"), ask->method);
        if (str_is_set(ask->params)) {
            json_key(w, STR("params"));
            json_raw(w, ask->params);
        }
        json_end_object(w);
    }
}

static size_t bytes_of_asks(const talk_step_t *s, const talk_call_t *c)
{
    size_t n = 0;
    for (const talk_ask_t *ask = s->t->asks; ask; ask = ask->next)
        n += ask->call == c ? ask->params.n + ask->key.n + ask->method.n + 64 : 0;
    return n;
}

/* The host's request ends with all that is asked; the call waits for another one. */
static rc_t say_required(talk_step_t *s, talk_call_t *c)
{
    str_t out;
    TRY(new_handle(s, c));
    buf_t b = talk_buf(s->a, bytes_of_asks(s, c));
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("resultType"), STR("input_required"));
    json_key(&w, STR("inputRequests"));
    json_begin_object(&w);
    write_asks(s, &w, c);
    json_end_object(&w);
    json_member_str(&w, STR("requestState"), c->state);
    json_end_object(&w);
    TRY(buf_done(&b, &out));
    TRY(talk_say_result(s, c->id, out));
    talk_unkeep(&c->id);
    c->until_ms = s->now_ms + LIMIT_BRIDGE_ASK_MS;
    return RC_OK;
}

/* The member of the host's capabilities that a request needs. */
static str_t capability_for(str_t method)
{
    static const struct {
        str_t method, capability;
    } ROWS[] = {
        {STR_INIT("elicitation/create"), STR_INIT("elicitation")},
        {STR_INIT("sampling/createMessage"), STR_INIT("sampling")},
        {STR_INIT("roots/list"), STR_INIT("roots")},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (str_eq(ROWS[i].method, method))
            return ROWS[i].capability;
    }
    return STR_UNSET;
}

/* Whether the host's request may end with this: its method, and what it says of the host. */
static rc_t can_carry(talk_step_t *s, const talk_call_t *c, str_t method, bool *can)
{
    const json_t *root;
    *can = false;
    if (!c || c->kind != TALK_CALL_HOST || !c->method || !c->method->asks || c->held)
        return RC_OK;
    TRY(mcp_link_parse(s->a, c->line, &root));
    const json_t *meta = talk_meta_of(json_get(root, STR("params")));
    const json_t *capabilities = json_get(meta, TALK_META_CAPABILITIES);
    *can = json_is(json_get(capabilities, capability_for(method)), JSON_OBJECT);
    return RC_OK;
}

/* Servers that do not say for which call they ask do so on the standing stream: any that can carry
 * it will do, as the answer goes to the request's own id. */
static rc_t carrier(talk_step_t *s, talk_call_t *c, str_t method, talk_call_t **out)
{
    bool can;
    *out = NULL;
    TRY(can_carry(s, c, method, &can));
    if (can) {
        *out = c;
        return RC_OK;
    }
    for (c = c ? NULL : s->t->calls; c; c = c->next) {
        TRY(can_carry(s, c, method, &can));
        if (can)
            *out = c;
    }
    return RC_OK;
}

static rc_t name_ask(talk_step_t *s, talk_ask_t *ask)
{
    str_t key = arena_printf(s->a, "ask-%llu", (unsigned long long)talk_next_tag(s->t));
    return str_is_set(key) ? talk_keep(&ask->key, key) : RC_MEMORY;
}

static rc_t answer_ping(talk_step_t *s, const mcp_message_t *m)
{
    return talk_tell(s, mcp_result(s->a, m->id, STR("{}")));
}

rc_t talk_down_asked(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    talk_ask_t *ask;
    if (str_eq(m->method, STR("ping")))
        return answer_ping(s, m);
    if (!str_is_set(capability_for(m->method)))
        return talk_tell_error(s, m->id, MCP_ERROR_UNKNOWN_METHOD);
    if (talk_ask_by_id(s->t, m->id))
        return talk_tell_error(s, m->id, MCP_ERROR_DUPLICATE_ID);
    TRY(carrier(s, c, m->method, &c));
    if (!c)
        return talk_tell_error(s, m->id, MCP_ERROR_QUESTION_REFUSED);
    rc_t rc = talk_ask_new(s->t, c, m, &ask);
    if (rc == RC_BUSY)
        return talk_tell_error(s, m->id, MCP_ERROR_BUSY);
    TRY(rc);
    TRY(name_ask(s, ask));
    return str_is_set(c->id) ? say_required(s, c) : RC_OK;
}

/* 2025-11-25 could answer a call with pages that must be visited first; the call is then made
 * again. */
rc_t talk_down_url_needed(talk_step_t *s, talk_call_t *c, const mcp_message_t *m, bool *asks)
{
    int64_t code = 0;
    bool can = false;
    const json_t *error = json_get(m->root, STR("error"));
    const json_t *pages = json_path(error, STR("data.elicitations"));
    json_get_i64(error, STR("code"), &code);
    *asks = false;
    if (code != URL_NEEDED || !json_is(pages, JSON_ARRAY) || pages->count == 0)
        return RC_OK;
    TRY(can_carry(s, c, STR("elicitation/create"), &can));
    if (!can || s->t->n_asks + pages->count > LIMIT_BRIDGE_ASKS ||
        ++c->rounds > LIMIT_BRIDGE_ROUNDS)
        return RC_OK;
    for (const json_t *page = pages->child; page; page = page->next) {
        talk_ask_t *ask;
        mcp_message_t request = {.method = STR("elicitation/create"), .params = page};
        TRY(talk_ask_new(s->t, c, &request, &ask));
        TRY(name_ask(s, ask));
    }
    *asks = true;
    c->tag = 0;
    return say_required(s, c);
}

static talk_call_t *call_by_state(const talk_t *t, str_t state)
{
    for (talk_call_t *c = t->calls; c && str_is_set(state); c = c->next) {
        if (c->kind == TALK_CALL_HOST && !str_is_set(c->id) && str_eq(c->state, state))
            return c;
    }
    return NULL;
}

static rc_t hand_on(talk_step_t *s, const talk_call_t *c, const json_t *responses)
{
    for (talk_ask_t *ask = s->t->asks, *next; ask; ask = next) {
        next = ask->next;
        const json_t *r = ask->call == c && ask->told ? json_get(responses, ask->key) : NULL;
        if (!r)
            continue;
        if (str_is_set(ask->id))
            TRY(talk_tell(s, mcp_result(s->a, ask->id, r->raw)));
        talk_ask_drop(s->t, ask);
    }
    return RC_OK;
}

static bool has_asks(const talk_t *t, const talk_call_t *c)
{
    for (const talk_ask_t *ask = t->asks; ask; ask = ask->next) {
        if (ask->call == c)
            return true;
    }
    return false;
}

/* What came while the host was away is its answer now. */
static rc_t take_kept(talk_step_t *s, talk_call_t *c)
{
    mcp_message_t m;
    const json_t *root;
    str_t kept = arena_dup(s->a, c->answer);
    if (!str_is_set(kept))
        return RC_MEMORY;
    talk_unkeep(&c->answer);
    TRY(mcp_link_parse(s->a, kept, &root));
    return mcp_message_of(root, &m) == MCP_NO_ERROR ? s->t->pair->answer(s, c, &m) : RC_MALFORMED;
}

static rc_t come_back(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    const json_t *meta = talk_meta_of(m->params);
    const json_t *token = json_get(meta, STR("progressToken"));
    c->until_ms = -1;
    talk_unkeep(&c->state);
    TRY(talk_keep(&c->id, m->id));
    TRY(talk_keep(&c->token, token ? token->raw : STR_UNSET));
    TRY(talk_keep(&c->level, json_get_str(meta, TALK_META_LEVEL)));
    return hand_on(s, c, json_get(m->params, STR("inputResponses")));
}

rc_t talk_down_retry(talk_step_t *s, const mcp_message_t *m)
{
    talk_call_t *c = call_by_state(s->t, json_get_str(m->params, STR("requestState")));
    if (!c || c->method != talk_method(m->method))
        return talk_say_error(s, m->id, MCP_ERROR_BAD_REQUEST_STATE, STR_UNSET);
    TRY(come_back(s, c, m));
    if (str_is_set(c->answer))
        return take_kept(s, c);
    if (has_asks(s->t, c))
        return say_required(s, c);
    bool nowhere = !c->tag && !c->held && c->again_ms < 0;
    return nowhere ? talk_call_send(s, c) : RC_OK;
}

/* The host did not come back. */
rc_t talk_down_expire(talk_step_t *s, talk_call_t *c)
{
    for (const talk_ask_t *ask = s->t->asks; ask; ask = ask->next) {
        if (ask->call == c && str_is_set(ask->id))
            TRY(talk_tell_error(s, ask->id, MCP_ERROR_UNANSWERED));
    }
    static const mcp_message_t NOTHING = {.kind = MCP_NOTIFICATION};
    TRY(s->t->pair->cancel(s, c, &NOTHING));
    talk_call_drop(s->t, c);
    return RC_OK;
}
