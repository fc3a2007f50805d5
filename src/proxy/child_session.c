#include "proxy/child_keeper.h"

#include <stdlib.h>

#include "core/limits.h"

enum { SWEEP_MS = 1000 };

/* Channels. */

static void keep_few(child_session_t *s)
{
    child_channel_t *oldest = NULL;
    size_t n = 0;
    for (child_channel_t *ch = s->channels; ch; ch = ch->next) {
        if (ch->flight || ch->call)
            continue;
        n++;
        if (!oldest || ch->ended_ms <= oldest->ended_ms)
            oldest = ch;
    }
    if (n >= CHILD_CHANNELS_MAX)
        child_channel_free(oldest);
}

child_channel_t *child_channel_new(child_t *c, child_session_t *session)
{
    child_channel_t *ch = calloc(1, sizeof *ch);
    if (!ch)
        return NULL;
    ch->child = c;
    ch->session = session;
    if (!session)
        return ch;
    keep_few(session);
    ch->stream.number = ++session->last_number;
    ch->next = session->channels;
    session->channels = ch;
    return ch;
}

void child_channel_free(child_channel_t *ch)
{
    child_channel_t **at = ch->session ? &ch->session->channels : NULL;
    while (at && *at && *at != ch)
        at = &(*at)->next;
    if (at && *at)
        *at = ch->next;
    child_stream_clear(&ch->stream);
    free(ch);
}

/* Sessions. */

static bool make_id(child_keeper_t *k, char id[CHILD_SESSION_ID_BYTES + 1])
{
    uint8_t bytes[CHILD_SESSION_ID_BYTES / 2];
    if (k->config.random.fill(k->config.random.ctx, bytes, sizeof bytes) != RC_OK)
        return false;
    buf_t b = buf_fixed(id, CHILD_SESSION_ID_BYTES);
    buf_hex(&b, bytes, sizeof bytes);
    id[CHILD_SESSION_ID_BYTES] = '\0';
    return b.failed == RC_OK;
}

static child_session_t *drop_half(child_session_t *s)
{
    free(s->who);
    free(s);
    return NULL;
}

child_session_t *child_session_new(child_keeper_t *k, child_t *c, const child_ask_t *ask)
{
    void *old;
    child_session_t *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->child = c;
    s->get = (child_channel_t){.session = s, .child = c};
    s->used_ms = child_now(k);
    s->who = malloc(ask->who.n + 1);
    if (!s->who || !make_id(k, s->id))
        return drop_half(s);
    memcpy(s->who, ask->who.p, ask->who.n);
    s->who_n = ask->who.n;
    if (map_put(k->sessions, str_c(s->id), s, &old) != RC_OK)
        return drop_half(s);
    s->next = k->session_list;
    if (s->next)
        s->next->prev = s;
    k->session_list = s;
    return s;
}

child_session_t *child_session_find(child_keeper_t *k, str_t id)
{
    return map_get(k->sessions, id);
}

/* Its requests end with it, also those that a shared child still works at. */
static void end_channels(child_session_t *s)
{
    str_t line;
    child_t *c = s->child;
    child_keeper_t *k = c->keeper;
    while (s->channels) {
        child_channel_t *ch = s->channels;
        arena_reset(k->scratch);
        bool told = !ch->flight || c->state == CHILD_ENDING ||
                    (child_router_cancel(k->scratch, ch->flight, &line) == RC_OK &&
                     child_pipes_write(c->pipes, line) == RC_OK);
        if (!told)
            LOG(k->config.log, LOG_DEBUG, "a child was not told of a cancelled request",
                LOG_S("upstream", k->path));
        child_channel_end(ch);
    }
    child_channel_end(&s->get);
    child_stream_clear(&s->get.stream);
}

void child_session_end(child_keeper_t *k, child_session_t *s, child_reason_t reason)
{
    child_t *c = s->child;
    if (!map_del(k->sessions, str_c(s->id)))
        return; /* under way already */
    end_channels(s);
    *(s->prev ? &s->prev->next : &k->session_list) = s->next;
    if (s->next)
        s->next->prev = s->prev;
    for (size_t i = 0; i < s->n_uris; i++)
        free(s->uris[i].p);
    free(s->who);
    bool alone = c->session == s;
    free(s);
    c->used_ms = child_now(k);
    if (!alone)
        return;
    c->session = NULL;
    child_end(c, reason);
}

void child_sessions_of(child_t *c, void (*fn)(child_session_t *s, void *arg), void *arg)
{
    for (child_session_t *s = c->keeper->session_list, *next; s; s = next) {
        next = s->next;
        if (s->child == c)
            fn(s, arg);
    }
}

bool child_session_is_of(const child_session_t *s, str_t who)
{
    return str_eq(str_of(s->who, s->who_n), who);
}

bool child_session_room(child_keeper_t *k, str_t who)
{
    child_session_t *oldest = NULL;
    size_t n = 0, half = ((size_t)k->conf.max_children + 1) / 2;
    for (child_session_t *s = k->session_list; s; s = s->next) {
        if (!child_session_is_of(s, who))
            continue;
        n++;
        if (s->calls == 0 && (!oldest || s->used_ms < oldest->used_ms))
            oldest = s;
    }
    bool full = !k->conf.shared && k->n_children >= (size_t)k->conf.max_children;
    if (n < (k->conf.shared ? CHILD_SESSIONS_PER_CALLER : half) && !full)
        return map_count(k->sessions) < LIMIT_MCP_SESSIONS;
    if (oldest)
        child_session_end(k, oldest, CHILD_REASON_SESSION_REPLACED);
    return oldest != NULL;
}

static void sweep_channels(child_session_t *s, int64_t now)
{
    for (child_channel_t *ch = s->channels, *next; ch; ch = next) {
        next = ch->next;
        if (!ch->flight && !ch->call && now - ch->ended_ms >= CHILD_KEEP_MS)
            child_channel_free(ch);
    }
}

void child_session_sweep(child_keeper_t *k)
{
    int64_t now = child_now(k);
    int64_t idle_ms = k->conf.shared ? LIMIT_MCP_SESSION_IDLE_MS : k->conf.idle_s * 1000;
    if (now - k->swept_ms < SWEEP_MS)
        return;
    k->swept_ms = now;
    for (child_session_t *s = k->session_list, *next; s; s = next) {
        next = s->next;
        sweep_channels(s, now);
        if (idle_ms && s->calls == 0 && s->opened && now - s->used_ms >= idle_ms)
            child_session_end(k, s, CHILD_REASON_IDLE);
    }
}

/* Subscriptions to resources of a shared child. */

static size_t find_uri(const child_session_t *s, str_t uri)
{
    size_t i = 0;
    while (i < s->n_uris && !str_eq(str_of(s->uris[i].p, s->uris[i].n), uri))
        i++;
    return i;
}

bool child_session_has_uri(const child_session_t *s, str_t uri)
{
    return find_uri(s, uri) < s->n_uris;
}

bool child_session_add_uri(child_session_t *s, str_t uri)
{
    if (child_session_has_uri(s, uri))
        return true;
    char *p = s->n_uris < CHILD_URIS_MAX ? malloc(uri.n + 1) : NULL;
    if (!p)
        return false;
    memcpy(p, uri.p, uri.n);
    s->uris[s->n_uris].p = p;
    s->uris[s->n_uris++].n = uri.n;
    return true;
}

void child_session_drop_uri(child_session_t *s, str_t uri)
{
    size_t i = find_uri(s, uri);
    if (i == s->n_uris)
        return;
    free(s->uris[i].p);
    s->uris[i] = s->uris[--s->n_uris];
}
