#include "mcp_client/session_state.h"

#include <stdlib.h>

enum { QUESTION_BYTES = LIMIT_MCP_CLIENT_MESSAGE_ARENA_BYTES };

static const mcp_version_t *version_of(mcp_client_t *c)
{
    pthread_mutex_lock(&c->lock);
    const mcp_version_t *v = c->version;
    pthread_mutex_unlock(&c->lock);
    return v;
}

static void send_back(mcp_client_t *c, str_t json)
{
    const mcp_link_message_t m = {.json = json, .version = version_of(c)};
    if (json.p && mcp_link_send(c->link, &m) != RC_OK)
        LOG(c->config.link.log, LOG_WARN, "answer to the server not sent");
}

/* ---- what the program answers ---- */

static bool is_url_form(const json_t *params)
{
    return str_eq(json_get_str(params, STR("mode")), STR("url"));
}

static bool is_declared(const mcp_client_handlers_t *h, str_t method, const json_t *params)
{
    if (!h->ask)
        return false;
    if (str_eq(method, STR("elicitation/create")))
        return is_url_form(params) ? h->elicits_url : h->elicits;
    if (str_eq(method, STR("sampling/createMessage")))
        return h->samples;
    return str_eq(method, STR("roots/list")) && h->has_roots;
}

bool session_answer(mcp_client_t *c, arena_t *a, str_t method, const json_t *params, str_t *result)
{
    const json_t *checked;
    const mcp_client_handlers_t *h = &c->config.handlers;
    *result = STR_UNSET;
    if (!is_declared(h, method, params))
        return false;
    pthread_mutex_lock(&c->asking);
    bool answered = h->ask(h->ctx, a, method, params, result);
    pthread_mutex_unlock(&c->asking);
    if (!answered || mcp_link_parse(a, *result, &checked) != RC_OK)
        return false;
    return !str_eq(method, STR("elicitation/create")) ||
           session_fill_form(a, params, result) == RC_OK;
}

static void refuse(mcp_client_t *c, arena_t *a, str_t id, bool known)
{
    send_back(c, known ? mcp_error(a, id, MCP_ERROR_QUESTION_REFUSED, STR_UNSET, STR_UNSET)
                       : mcp_error(a, id, MCP_ERROR_UNKNOWN_METHOD,
                                   STR("This client has no such method."), STR_UNSET));
}

/* ---- the thread that answers ---- */

static void answer(mcp_client_t *c, session_question_t *q)
{
    str_t result;
    if (session_answer(c, q->a, q->method, q->params, &result))
        send_back(c, mcp_result(q->a, q->id, result));
    else
        refuse(c, q->a, q->id, true);
}

static session_question_t *next_question(mcp_client_t *c)
{
    pthread_mutex_lock(&c->lock);
    while (!c->questions && !c->ending)
        pthread_cond_wait(&c->changed, &c->lock);
    session_question_t *q = c->ending ? NULL : c->questions;
    if (q) {
        c->questions = q->next;
        c->n_questions--;
    }
    pthread_mutex_unlock(&c->lock);
    return q;
}

static void *answers(void *arg)
{
    mcp_client_t *c = arg;
    session_question_t *q;
    while ((q = next_question(c)) != NULL) {
        answer(c, q);
        arena_free(q->a);
    }
    return NULL;
}

void session_end_answers(mcp_client_t *c)
{
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    bool runs = c->answers;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    if (runs)
        pthread_join(c->thread, NULL);
    while (c->questions) {
        session_question_t *q = c->questions;
        c->questions = q->next;
        arena_free(q->a);
    }
}

static bool admit(mcp_client_t *c, session_question_t *q)
{
    pthread_mutex_lock(&c->lock);
    if (!c->answers && !c->ending)
        c->answers = pthread_create(&c->thread, NULL, answers, c) == 0;
    bool room = c->answers && !c->ending && c->n_questions < LIMIT_MCP_CLIENT_ASKED;
    if (room) {
        *(c->questions ? &c->last_question->next : &c->questions) = q;
        c->last_question = q;
        c->n_questions++;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    return room;
}

static session_question_t *copy_question(arena_t *a, const mcp_message_t *m)
{
    const json_t *root;
    session_question_t *q = ARENA_NEW(a, session_question_t);
    str_t text = arena_dup(a, m->root->raw);
    if (!q || !text.p || mcp_link_parse(a, text, &root) != RC_OK)
        return NULL;
    *q = (session_question_t){.a = a,
                              .id = json_get(root, STR("id"))->raw,
                              .method = json_get_str(root, STR("method")),
                              .params = json_get(root, STR("params"))};
    return q;
}

static void ask_program(mcp_client_t *c, const mcp_message_t *m)
{
    arena_t *a = arena_new(QUESTION_BYTES);
    session_question_t *q = a ? copy_question(a, m) : NULL;
    if (q && admit(c, q))
        return;
    if (a)
        refuse(c, a, m->id, true);
    arena_free(a);
}

/* ---- what comes ---- */

static void on_request(mcp_client_t *c, const mcp_message_t *m)
{
    /* In the stateless era servers ask nothing on streams, and clients send no responses. */
    if (version_of(c) && version_of(c)->era == MCP_ERA_STATELESS)
        return;
    arena_t *a = arena_new(QUESTION_BYTES);
    if (!a)
        return;
    if (str_eq(m->method, STR("ping")))
        send_back(c, mcp_result(a, m->id, STR("{}")));
    else if (is_declared(&c->config.handlers, m->method, m->params))
        ask_program(c, m);
    else
        refuse(c, a, m->id, false);
    arena_free(a);
}

void session_on_message(void *ctx, uint64_t tag, const mcp_message_t *m)
{
    mcp_client_t *c = ctx;
    const mcp_client_handlers_t *h = &c->config.handlers;
    if (m->kind == MCP_RESPONSE)
        session_on_answer(c, tag, m);
    else if (m->kind == MCP_REQUEST)
        on_request(c, m);
    else if (h->hears)
        h->hears(h->ctx, m->method, m->params);
}

void session_on_unheard(void *ctx, const mcp_link_failure_t *why)
{
    const mcp_client_t *c = ctx;
    LOG(c->config.link.log, LOG_DEBUG, "no standing stream", LOG_I("status", why->status));
}
