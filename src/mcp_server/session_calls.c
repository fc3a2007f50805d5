/* What a session knows of its calls. */
#include "mcp_server/session_state.h"

#include "core/num.h"

#include <stdlib.h>

/* Everything that a session holds of calls; what the lists hold passes to the caller. */
static session_call_t *take_calls(mcp_session_t *s)
{
    session_call_t *all = s->calls;
    s->calls = NULL;
    s->call_count = 0;
    return all;
}

static session_question_t *take_questions(mcp_session_t *s)
{
    session_question_t *all = s->questions;
    s->questions = NULL;
    s->question_count = 0;
    return all;
}

static void drop_questions(session_question_t *q)
{
    for (session_question_t *next; q; q = next) {
        next = q->next;
        mcp_call_drop(q->call);
        free(q);
    }
}

void session_drop_calls(mcp_session_t *s, bool cancel)
{
    pthread_mutex_lock(&s->lock);
    session_call_t *c = take_calls(s);
    session_question_t *q = take_questions(s);
    pthread_mutex_unlock(&s->lock);
    for (session_call_t *next; c; c = next) {
        next = c->next;
        if (cancel)
            mcp_call_cancel(c->call);
        mcp_call_drop(c->call);
        free(c);
    }
    drop_questions(q);
}

static session_call_t **find_call(mcp_session_t *s, str_t id)
{
    session_call_t **at = &s->calls;
    while (*at && !str_eq((*at)->id, id))
        at = &(*at)->next;
    return at;
}

static rc_t may_add(mcp_session_t *s, str_t id)
{
    if (!atomic_load(&s->alive))
        return RC_NOT_FOUND;
    if (*find_call(s, id))
        return RC_CONFLICT;
    return s->call_count < MCP_CALLS_PER_SESSION ? RC_OK : RC_LIMIT;
}

rc_t mcp_session_add_call(mcp_session_t *s, str_t id, warder_mcp_call_t *call)
{
    session_call_t *c = malloc(sizeof *c + id.n + 1);
    if (!c)
        return RC_MEMORY;
    char *bytes = memcpy(c + 1, id.p, id.n);
    c->id = str_of(bytes, id.n);
    c->call = call;
    pthread_mutex_lock(&s->lock);
    rc_t rc = may_add(s, id);
    if (rc == RC_OK) {
        mcp_call_hold(call);
        c->next = s->calls;
        s->calls = c;
        s->call_count++;
    }
    pthread_mutex_unlock(&s->lock);
    if (rc != RC_OK)
        free(c);
    return rc;
}

void mcp_session_remove_call(mcp_session_t *s, str_t id, const warder_mcp_call_t *call)
{
    pthread_mutex_lock(&s->lock);
    session_call_t **at = find_call(s, id), *c = *at;
    if (c && c->call == call) {
        *at = c->next;
        s->call_count--;
    } else {
        c = NULL;
    }
    pthread_mutex_unlock(&s->lock);
    if (c)
        mcp_call_drop(c->call);
    free(c);
}

warder_mcp_call_t *mcp_session_call(mcp_session_t *s, str_t id)
{
    pthread_mutex_lock(&s->lock);
    session_call_t *c = *find_call(s, id);
    warder_mcp_call_t *call = c ? mcp_call_hold(c->call) : NULL;
    pthread_mutex_unlock(&s->lock);
    return call;
}

/* Questions */

rc_t mcp_session_add_question(mcp_session_t *s, warder_mcp_call_t *call, str_t key, int64_t *id)
{
    session_question_t *q = malloc(sizeof *q + key.n + 1);
    if (!q)
        return RC_MEMORY;
    char *bytes = memcpy(q + 1, key.p, key.n);
    q->key = str_of(bytes, key.n);
    q->call = call;
    rc_t rc = RC_OK;
    pthread_mutex_lock(&s->lock);
    if (!atomic_load(&s->alive))
        rc = RC_NOT_FOUND;
    else if (s->question_count >= MCP_QUESTIONS_PER_SESSION)
        rc = RC_LIMIT;
    if (rc == RC_OK) {
        mcp_call_hold(call);
        *id = q->id = ++s->last_question;
        q->next = s->questions;
        s->questions = q;
        s->question_count++;
    }
    pthread_mutex_unlock(&s->lock);
    if (rc != RC_OK)
        free(q);
    return rc;
}

/* Those of the call, or the one of the id where `call` is NULL, out of the list. */
static session_question_t *cut(mcp_session_t *s, const warder_mcp_call_t *call, int64_t id)
{
    session_question_t *out = NULL;
    session_question_t **at = &s->questions;
    while (*at) {
        session_question_t *q = *at;
        if (call ? q->call != call : q->id != id) {
            at = &q->next;
            continue;
        }
        *at = q->next;
        q->next = out;
        out = q;
        s->question_count--;
    }
    return out;
}

warder_mcp_call_t *mcp_session_asked(mcp_session_t *s, str_t id)
{
    int64_t number;
    if (!num_i64(id, 1, INT64_MAX, &number))
        return NULL;
    pthread_mutex_lock(&s->lock);
    const session_question_t *q = s->questions;
    while (q && q->id != number)
        q = q->next;
    warder_mcp_call_t *call = q ? mcp_call_hold(q->call) : NULL;
    pthread_mutex_unlock(&s->lock);
    return call;
}

warder_mcp_call_t *mcp_session_answered(mcp_session_t *s, arena_t *a, str_t id, str_t *key)
{
    int64_t number;
    if (!num_i64(id, 1, INT64_MAX, &number))
        return NULL;
    pthread_mutex_lock(&s->lock);
    session_question_t *q = cut(s, NULL, number);
    pthread_mutex_unlock(&s->lock);
    if (!q)
        return NULL;
    warder_mcp_call_t *call = q->call;
    *key = arena_dup(a, q->key);
    free(q);
    if (key->p)
        return call;
    mcp_call_cancel(call);
    mcp_call_drop(call);
    return NULL;
}

void mcp_session_forget_questions(mcp_session_t *s, const warder_mcp_call_t *call)
{
    pthread_mutex_lock(&s->lock);
    session_question_t *q = cut(s, call, 0);
    pthread_mutex_unlock(&s->lock);
    drop_questions(q);
}
