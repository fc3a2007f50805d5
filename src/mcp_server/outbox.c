/* Putting in. reader.c takes out. */
#include "mcp_server/outbox_state.h"

#include <stdlib.h>

mcp_outbox_t *mcp_outbox_new(bool kept)
{
    mcp_outbox_t *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    atomic_init(&o->refs, 1);
    o->kept = kept;
    o->last = o->waiting = &o->first;
    pthread_mutex_init(&o->lock, NULL);
    return o;
}

rc_t mcp_outbox_guard(mcp_outbox_t *o, str_t scope)
{
    if (!scope.p)
        return RC_OK;
    o->scope = malloc(scope.n + 1);
    if (!o->scope)
        return RC_MEMORY;
    memcpy(o->scope, scope.p, scope.n);
    o->scope_n = scope.n;
    return RC_OK;
}

str_t mcp_outbox_scope(const mcp_outbox_t *o)
{
    return o->scope ? str_of(o->scope, o->scope_n) : STR_UNSET;
}

mcp_outbox_t *mcp_outbox_hold(mcp_outbox_t *o)
{
    atomic_fetch_add(&o->refs, 1);
    return o;
}

void outbox_release(outbox_message_t *m)
{
    if (m && --m->refs == 0)
        free(m);
}

void mcp_outbox_drop(mcp_outbox_t *o)
{
    if (!o || atomic_fetch_sub(&o->refs, 1) != 1)
        return;
    for (outbox_message_t *next; o->first; o->first = next) {
        next = o->first->next;
        outbox_release(o->first);
    }
    pthread_mutex_destroy(&o->lock);
    free(o->scope);
    free(o);
}

static str_t copy(char **to, str_t s)
{
    if (!s.p)
        return STR_UNSET;
    char *p = *to;
    memcpy(p, s.p, s.n);
    *to += s.n;
    return str_of(p, s.n);
}

static outbox_message_t *message_new(const mcp_out_t *out)
{
    if (out->text.n > SIZE_MAX / 4 || out->needed.n > SIZE_MAX / 4)
        return NULL;
    outbox_message_t *m = malloc(sizeof *m + out->text.n + out->needed.n + 1);
    if (!m)
        return NULL;
    char *to = m->bytes;
    m->next = NULL;
    m->refs = 1;
    m->out = *out;
    m->out.text = copy(&to, out->text);
    m->out.needed = copy(&to, out->needed);
    return m;
}

/* RC_OK: there is room. Who reads may let bytes wait; for who may come back some messages do. */
static rc_t room(const mcp_outbox_t *o, const mcp_out_t *out)
{
    if (o->ended || (o->left && out->kind != MCP_OUT_ANSWER))
        return RC_NOT_FOUND;
    if (out->kind != MCP_OUT_MESSAGE)
        return RC_OK;
    bool read = o->reader != NULL;
    size_t most = o->kept && !read ? MCP_OUTBOX_KEPT_BYTES : MCP_OUTBOX_BYTES;
    if (out->text.n > most || o->wait_bytes > most - out->text.n)
        return RC_LIMIT;
    return o->kept && !read && o->wait_count >= MCP_OUTBOX_KEPT ? RC_LIMIT : RC_OK;
}

static void append(mcp_outbox_t *o, outbox_message_t *m)
{
    if (m->out.kind != MCP_OUT_LET_GO)
        o->number++;
    m->out.number = o->number;
    *o->last = m;
    o->last = &m->next;
    o->wait_count++;
    o->wait_bytes += m->out.text.n;
    o->ended = m->out.kind == MCP_OUT_ANSWER;
}

static bool is_for_nobody(const mcp_outbox_t *o, const mcp_out_t *out)
{
    if (o->left || out->kind != MCP_OUT_LET_GO)
        return o->left;
    return !o->kept || (o->met && !o->reader);
}

rc_t mcp_outbox_put(mcp_outbox_t *o, const mcp_out_t *out)
{
    outbox_message_t *m = message_new(out);
    if (!m)
        return RC_MEMORY;
    mcp_reader_t *r = NULL;
    pthread_mutex_lock(&o->lock);
    rc_t rc = room(o, out);
    if (rc == RC_OK && is_for_nobody(o, out)) {
        o->ended = out->kind == MCP_OUT_ANSWER;
    } else if (rc == RC_OK) {
        append(o, m);
        r = outbox_due(o->reader);
        m = NULL;
    }
    pthread_mutex_unlock(&o->lock);
    free(m);
    outbox_post(r);
    return rc;
}

void mcp_outbox_end(mcp_outbox_t *o)
{
    const mcp_out_t nothing = {.kind = MCP_OUT_ANSWER};
    if (mcp_outbox_put(o, &nothing) != RC_MEMORY)
        return;
    mcp_reader_t *r;
    pthread_mutex_lock(&o->lock);
    o->ended = true;
    r = outbox_due(o->reader);
    pthread_mutex_unlock(&o->lock);
    outbox_post(r);
}

bool mcp_outbox_is_attached(mcp_outbox_t *o)
{
    pthread_mutex_lock(&o->lock);
    bool attached = o->reader != NULL;
    pthread_mutex_unlock(&o->lock);
    return attached;
}

bool mcp_outbox_is_kept(const mcp_outbox_t *o)
{
    return o->kept;
}

size_t mcp_outbox_bytes(mcp_outbox_t *o)
{
    pthread_mutex_lock(&o->lock);
    size_t n = o->wait_bytes + o->kept_bytes;
    pthread_mutex_unlock(&o->lock);
    return n;
}

bool mcp_outbox_ended(mcp_outbox_t *o)
{
    pthread_mutex_lock(&o->lock);
    bool ended = o->ended;
    pthread_mutex_unlock(&o->lock);
    return ended;
}
