#include "bridge/talk_do.h"

#include <stdlib.h>

enum { FIRST_PAUSE_MS = 200 };

rc_t talk_keep(str_t *slot, str_t s)
{
    char *p = NULL;
    if (str_is_set(s)) {
        p = malloc(s.n + 1);
        if (!p)
            return RC_MEMORY;
        memcpy(p, s.p, s.n);
    }
    talk_unkeep(slot);
    *slot = str_is_set(s) ? str_of(p, s.n) : STR_UNSET;
    return RC_OK;
}

void talk_unkeep(str_t *slot)
{
    free((void *)(uintptr_t)slot->p);
    *slot = STR_UNSET;
}

uint64_t talk_next_tag(talk_t *t)
{
    return ++t->last_tag;
}

static void append(talk_t *t, talk_call_t *c)
{
    talk_call_t **at = &t->calls;
    while (*at)
        at = &(*at)->next;
    *at = c;
    t->n_calls++;
    t->kept += c->line.n;
}

rc_t talk_call_new(talk_step_t *s, talk_call_kind_t kind, str_t line, talk_call_t **out)
{
    talk_t *t = s->t;
    bool full = t->n_calls >= LIMIT_BRIDGE_CALLS || t->kept + line.n > LIMIT_BRIDGE_KEPT_BYTES;
    if (kind == TALK_CALL_HOST && full)
        return RC_BUSY;
    talk_call_t *c = calloc(1, sizeof *c);
    if (!c)
        return RC_MEMORY;
    c->kind = kind;
    c->again_ms = c->failing_ms = c->until_ms = -1;
    c->pause_ms = FIRST_PAUSE_MS;
    if (talk_keep(&c->line, line) != RC_OK) {
        free(c);
        return RC_MEMORY;
    }
    append(t, c);
    *out = c;
    return RC_OK;
}

rc_t talk_call_of(talk_step_t *s, const mcp_message_t *m, talk_call_t **out)
{
    TRY(talk_call_new(s, TALK_CALL_HOST, m->root->raw, out));
    (*out)->method = talk_method(m->method);
    rc_t rc = talk_keep(&(*out)->id, m->id);
    if (rc != RC_OK)
        talk_call_drop(s->t, *out);
    return rc;
}

static void free_call(talk_call_t *c)
{
    talk_unkeep(&c->line);
    talk_unkeep(&c->id);
    talk_unkeep(&c->uri);
    talk_unkeep(&c->state);
    talk_unkeep(&c->level);
    talk_unkeep(&c->token);
    talk_unkeep(&c->answer);
    free(c);
}

static void drop_asks_of(talk_t *t, const talk_call_t *c)
{
    for (talk_ask_t *ask = t->asks, *next; ask; ask = next) {
        next = ask->next;
        if (ask->call == c)
            talk_ask_drop(t, ask);
    }
}

void talk_call_drop(talk_t *t, talk_call_t *c)
{
    talk_call_t **at = &t->calls;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    t->n_calls--;
    t->kept -= c->line.n;
    drop_asks_of(t, c);
    for (talk_call_t *other = t->calls; other; other = other->next) {
        if (other->behind == c)
            other->behind = NULL;
    }
    free_call(c);
}

talk_call_t *talk_call_by_tag(const talk_t *t, uint64_t tag)
{
    for (talk_call_t *c = t->calls; c && tag; c = c->next) {
        if (c->tag == tag)
            return c;
    }
    return NULL;
}

talk_call_t *talk_call_by_id(const talk_t *t, str_t id)
{
    for (talk_call_t *c = t->calls; c && str_is_set(id); c = c->next) {
        if (str_eq(c->id, id))
            return c;
    }
    return NULL;
}

static void free_ask(talk_ask_t *ask)
{
    talk_unkeep(&ask->id);
    talk_unkeep(&ask->key);
    talk_unkeep(&ask->method);
    talk_unkeep(&ask->params);
    talk_unkeep(&ask->result);
    free(ask);
}

rc_t talk_ask_new(talk_t *t, talk_call_t *c, const mcp_message_t *m, talk_ask_t **out)
{
    if (t->n_asks >= LIMIT_BRIDGE_ASKS)
        return RC_BUSY;
    talk_ask_t *ask = calloc(1, sizeof *ask);
    if (!ask)
        return RC_MEMORY;
    ask->call = c;
    str_t params = m->params ? m->params->raw : STR_UNSET;
    if (talk_keep(&ask->id, m->id) != RC_OK || talk_keep(&ask->method, m->method) != RC_OK ||
        talk_keep(&ask->params, params) != RC_OK) {
        free_ask(ask);
        return RC_MEMORY;
    }
    talk_ask_t **at = &t->asks;
    while (*at)
        at = &(*at)->next;
    *at = ask;
    t->n_asks++;
    *out = ask;
    return RC_OK;
}

void talk_ask_drop(talk_t *t, talk_ask_t *ask)
{
    talk_ask_t **at = &t->asks;
    while (*at != ask)
        at = &(*at)->next;
    *at = ask->next;
    t->n_asks--;
    free_ask(ask);
}

talk_ask_t *talk_ask_by_id(const talk_t *t, str_t id)
{
    for (talk_ask_t *ask = t->asks; ask && str_is_set(id); ask = ask->next) {
        if (str_eq(ask->id, id))
            return ask;
    }
    return NULL;
}

bool talk_is_watched(const talk_t *t, str_t uri)
{
    for (const talk_watched_t *w = t->watched; w; w = w->next) {
        if (str_eq(w->uri, uri))
            return true;
    }
    return false;
}

rc_t talk_watch(talk_t *t, str_t uri)
{
    if (t->n_watched >= LIMIT_BRIDGE_WATCHED || talk_is_watched(t, uri))
        return RC_OK;
    talk_watched_t *w = calloc(1, sizeof *w);
    if (!w || talk_keep(&w->uri, uri) != RC_OK) {
        free(w);
        return RC_MEMORY;
    }
    w->next = t->watched;
    t->watched = w;
    t->n_watched++;
    return RC_OK;
}

void talk_unwatch(talk_t *t, str_t uri)
{
    for (talk_watched_t **at = &t->watched; *at; at = &(*at)->next) {
        talk_watched_t *w = *at;
        if (!str_eq(w->uri, uri))
            continue;
        *at = w->next;
        t->n_watched--;
        talk_unkeep(&w->uri);
        free(w);
        return;
    }
}
