/* The table of sessions. Nothing ends under its lock: what is to end is put aside first. */
#include "mcp_server/session_state.h"

#include "core/map.h"

#include <stdlib.h>

struct mcp_sessions {
    pthread_mutex_t lock;
    map_t *map; /* id to session, which is held */
    mcp_sessions_config_t config;
};

/* Sessions that are in the table no more, and will be closed. */
enum { ENDING = 64 };
typedef struct {
    mcp_session_t *v[ENDING];
    size_t n;
} ending_t;

mcp_sessions_t *mcp_sessions_new(const mcp_sessions_config_t *config)
{
    uint8_t seed[16];
    mcp_sessions_t *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->config = *config;
    if (config->random.fill(config->random.ctx, seed, sizeof seed) == RC_OK)
        t->map = map_new(seed, config->max);
    if (!t->map) {
        free(t);
        return NULL;
    }
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

static void close_all(ending_t *e)
{
    for (size_t i = 0; i < e->n; i++) {
        session_close(e->v[i]);
        mcp_session_drop(e->v[i]);
    }
    e->n = 0;
}

static bool put_aside(void *ctx, str_t key, void *value)
{
    ending_t *e = ctx;
    (void)key;
    if (e->n == ENDING)
        return true;
    mcp_session_t *s = value;
    atomic_store(&s->table, NULL);
    e->v[e->n++] = s;
    return false;
}

void mcp_sessions_free(mcp_sessions_t *t)
{
    if (!t)
        return;
    ending_t e = {.n = 0};
    do {
        pthread_mutex_lock(&t->lock);
        map_each(t->map, put_aside, &e);
        pthread_mutex_unlock(&t->lock);
        close_all(&e);
    } while (map_count(t->map) > 0);
    map_free(t->map, NULL);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

size_t mcp_sessions_count(mcp_sessions_t *t)
{
    pthread_mutex_lock(&t->lock);
    size_t n = map_count(t->map);
    pthread_mutex_unlock(&t->lock);
    return n;
}

static bool same_subject(const mcp_principal_t *a, const mcp_principal_t *b)
{
    return str_eq(a->issuer, b->issuer) && str_eq(a->subject, b->subject);
}

static bool same(const mcp_principal_t *a, const mcp_principal_t *b)
{
    return same_subject(a, b) && str_eq(a->client, b->client);
}

/* Who reads a stream is there; a call that runs for a client who left keeps nothing alive. */
static bool is_idle(mcp_sessions_t *t, mcp_session_t *s, int64_t at)
{
    return at - atomic_load(&s->seen_ms) >= t->config.idle_ms && !session_is_read(s);
}

/* How many there are, and the one that was used longest ago. */
typedef struct {
    size_t n;
    mcp_session_t *oldest;
} tally_t;

static void count(tally_t *t, mcp_session_t *s)
{
    t->n++;
    if (!t->oldest || atomic_load(&s->seen_ms) < atomic_load(&t->oldest->seen_ms))
        t->oldest = s;
}

/* One visit of all sessions: what is idle goes, the principal's own are counted, and those of its
 * subject by any client. */
typedef struct {
    mcp_sessions_t *table;
    const mcp_principal_t *who;
    int64_t at;
    tally_t own, subject;
    ending_t *ending;
} census_t;

static bool census_visit(void *ctx, str_t key, void *value)
{
    census_t *c = ctx;
    mcp_session_t *s = value;
    if (c->ending->n < ENDING - 1 && is_idle(c->table, s, c->at))
        return put_aside(c->ending, key, s);
    if (same_subject(&s->who, c->who))
        count(&c->subject, s);
    if (same(&s->who, c->who))
        count(&c->own, s);
    return true;
}

static void make_room(mcp_sessions_t *t, const mcp_principal_t *who, ending_t *e)
{
    census_t c = {.table = t, .who = who, .ending = e};
    c.at = t->config.clock.mono_ms(t->config.clock.ctx);
    map_each(t->map, census_visit, &c);
    mcp_session_t *goes = c.subject.n >= MCP_SESSIONS_PER_SUBJECT ? c.subject.oldest : NULL;
    if (c.own.n >= MCP_SESSIONS_PER_PRINCIPAL)
        goes = c.own.oldest;
    if (!goes)
        return;
    map_del(t->map, mcp_session_id(goes));
    put_aside(e, STR_UNSET, goes);
}

static bool sweep_visit(void *ctx, str_t key, void *value)
{
    const census_t *c = ctx;
    mcp_session_t *s = value;
    if (c->ending->n < ENDING && is_idle(c->table, s, c->at))
        return put_aside(c->ending, key, s);
    session_trim(s);
    return true;
}

void mcp_sessions_sweep(mcp_sessions_t *t)
{
    ending_t e = {.n = 0};
    census_t c = {.table = t, .ending = &e};
    c.at = t->config.clock.mono_ms(t->config.clock.ctx);
    pthread_mutex_lock(&t->lock);
    map_each(t->map, sweep_visit, &c);
    pthread_mutex_unlock(&t->lock);
    close_all(&e);
}

/* The table's reference, and the caller's. */
static rc_t put(mcp_sessions_t *t, mcp_session_t *s)
{
    void *old;
    rc_t rc = map_put(t->map, mcp_session_id(s), s, &old);
    if (rc != RC_OK)
        return rc == RC_LIMIT ? RC_BUSY : rc;
    atomic_store(&s->table, t);
    mcp_session_hold(s);
    return RC_OK;
}

static rc_t name(mcp_sessions_t *t, mcp_session_t *s)
{
    uint8_t raw[MCP_SESSION_BYTES];
    TRY(t->config.random.fill(t->config.random.ctx, raw, sizeof raw));
    buf_t id = buf_fixed(s->id, sizeof s->id);
    buf_b64url(&id, raw, sizeof raw);
    return RC_OK;
}

rc_t mcp_session_open(mcp_sessions_t *t, const mcp_principal_t *who, const mcp_version_t *version,
                      str_t capabilities, mcp_session_t **out)
{
    ending_t e = {.n = 0};
    mcp_session_t *s = session_new(who, t->config.clock);
    if (!s)
        return RC_MEMORY;
    rc_t rc = session_say(s, version, capabilities);
    if (rc == RC_OK)
        rc = name(t, s);
    if (rc == RC_OK) {
        pthread_mutex_lock(&t->lock);
        make_room(t, who, &e);
        rc = put(t, s);
        pthread_mutex_unlock(&t->lock);
    }
    close_all(&e);
    if (rc != RC_OK) {
        mcp_session_drop(s);
        return rc;
    }
    *out = s;
    return RC_OK;
}

/* Under the lock. */
static mcp_session_t *find(mcp_sessions_t *t, str_t id, const mcp_principal_t *who, ending_t *e)
{
    mcp_session_t *s = map_get(t->map, id);
    if (!s || !same(&s->who, who))
        return NULL;
    int64_t at = t->config.clock.mono_ms(t->config.clock.ctx);
    if (is_idle(t, s, at)) {
        map_del(t->map, id);
        put_aside(e, id, s);
        return NULL;
    }
    atomic_store(&s->seen_ms, at);
    return mcp_session_hold(s);
}

mcp_session_t *mcp_session_find(mcp_sessions_t *t, str_t id, const mcp_principal_t *who)
{
    ending_t e = {.n = 0};
    pthread_mutex_lock(&t->lock);
    mcp_session_t *s = find(t, id, who, &e);
    pthread_mutex_unlock(&t->lock);
    close_all(&e);
    return s;
}

/* Out of its table, whose reference passes to the caller; false: it is in none. */
static bool leave(mcp_session_t *s)
{
    mcp_sessions_t *t = atomic_load(&s->table);
    if (!t)
        return false;
    pthread_mutex_lock(&t->lock);
    bool there = atomic_exchange(&s->table, NULL) != NULL;
    if (there)
        map_del(t->map, mcp_session_id(s));
    pthread_mutex_unlock(&t->lock);
    return there;
}

void mcp_session_end(mcp_session_t *s)
{
    bool was_there = leave(s);
    session_close(s);
    if (was_there)
        mcp_session_drop(s);
}
