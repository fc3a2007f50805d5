#include "tool_http/session.h"

#include "core/map.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct {
    principal_t who; /* its bytes stand behind the struct */
    const mcp_version_t *version;
    int64_t seen_ms;
    unsigned streams;
    char id[SESSION_ID_TEXT];
} session_entry_t;

struct sessions {
    pthread_mutex_t lock;
    map_t *map;
    sessions_config_t config;
};

sessions_t *sessions_new(const sessions_config_t *config)
{
    uint8_t seed[16];
    sessions_t *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->config = *config;
    if (config->random.fill(config->random.ctx, seed, sizeof seed) == RC_OK)
        s->map = map_new(seed, config->max);
    if (!s->map) {
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void sessions_free(sessions_t *s)
{
    if (!s)
        return;
    map_free(s->map, free);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static int64_t now(const sessions_t *s)
{
    return s->config.clock.mono_ms(s->config.clock.ctx);
}

static bool is_idle(const sessions_t *s, const session_entry_t *e, int64_t at)
{
    return at - e->seen_ms >= s->config.idle_ms;
}

static bool same(const principal_t *a, const principal_t *b)
{
    return str_eq(a->issuer, b->issuer) && str_eq(a->subject, b->subject) &&
           str_eq(a->client, b->client);
}

/* One visit of all sessions: what is idle goes, the principal's own are counted, and the one it
 * used longest ago is remembered. */
typedef struct {
    sessions_t *s;
    const principal_t *who;
    int64_t at;
    size_t own;
    session_entry_t *oldest;
} census_t;

static bool census_visit(void *ctx, str_t key, void *value)
{
    census_t *c = ctx;
    session_entry_t *e = value;
    (void)key;
    if (is_idle(c->s, e, c->at)) {
        free(e);
        return false;
    }
    if (!same(&e->who, c->who))
        return true;
    c->own++;
    if (!c->oldest || e->seen_ms < c->oldest->seen_ms)
        c->oldest = e;
    return true;
}

static void make_room(sessions_t *s, const principal_t *who, int64_t at)
{
    census_t c = {.s = s, .who = who, .at = at};
    map_each(s->map, census_visit, &c);
    if (c.own < SESSIONS_PER_PRINCIPAL)
        return;
    free(map_del(s->map, str_of(c.oldest->id, SESSION_ID_TEXT)));
}

static str_t keep(char **to, str_t s)
{
    if (!s.p)
        return STR_UNSET;
    char *p = *to;
    memcpy(p, s.p, s.n);
    *to += s.n;
    return str_of(p, s.n);
}

static session_entry_t *session_new(sessions_t *s, const principal_t *who)
{
    uint8_t raw[SESSION_ID_BYTES];
    if (s->config.random.fill(s->config.random.ctx, raw, sizeof raw) != RC_OK)
        return NULL;
    session_entry_t *e = calloc(1, sizeof *e + who->issuer.n + who->subject.n + who->client.n + 1);
    if (!e)
        return NULL;
    char *to = (char *)(e + 1);
    e->who.issuer = keep(&to, who->issuer);
    e->who.subject = keep(&to, who->subject);
    e->who.client = keep(&to, who->client);
    buf_t id = buf_fixed(e->id, sizeof e->id);
    buf_b64url(&id, raw, sizeof raw);
    return e;
}

static rc_t open_locked(sessions_t *s, const principal_t *who, const mcp_version_t *version,
                        char id[SESSION_ID_TEXT])
{
    void *old;
    int64_t at = now(s);
    make_room(s, who, at);
    session_entry_t *e = session_new(s, who);
    if (!e)
        return RC_MEMORY;
    e->version = version;
    e->seen_ms = at;
    rc_t rc = map_put(s->map, str_of(e->id, SESSION_ID_TEXT), e, &old);
    if (rc != RC_OK) {
        free(e);
        return rc == RC_LIMIT ? RC_BUSY : rc;
    }
    memcpy(id, e->id, SESSION_ID_TEXT);
    return RC_OK;
}

rc_t sessions_open(sessions_t *s, const principal_t *who, const mcp_version_t *version,
                   char id[SESSION_ID_TEXT])
{
    pthread_mutex_lock(&s->lock);
    rc_t rc = open_locked(s, who, version, id);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* The live session of that id, and of that principal unless `who` is NULL. Under the lock. */
static session_entry_t *find(sessions_t *s, str_t id, const principal_t *who)
{
    session_entry_t *e = map_get(s->map, id);
    if (!e || (who && !same(&e->who, who)))
        return NULL;
    int64_t at = now(s);
    if (is_idle(s, e, at)) {
        free(map_del(s->map, id));
        return NULL;
    }
    e->seen_ms = at;
    return e;
}

const mcp_version_t *sessions_use(sessions_t *s, str_t id, const principal_t *who)
{
    pthread_mutex_lock(&s->lock);
    session_entry_t *e = find(s, id, who);
    const mcp_version_t *version = e ? e->version : NULL;
    pthread_mutex_unlock(&s->lock);
    return version;
}

bool sessions_close(sessions_t *s, str_t id, const principal_t *who)
{
    pthread_mutex_lock(&s->lock);
    session_entry_t *e = find(s, id, who);
    if (e)
        free(map_del(s->map, id));
    pthread_mutex_unlock(&s->lock);
    return e != NULL;
}

rc_t sessions_stream_open(sessions_t *s, str_t id, const principal_t *who)
{
    rc_t rc = RC_OK;
    pthread_mutex_lock(&s->lock);
    session_entry_t *e = find(s, id, who);
    if (!e)
        rc = RC_NOT_FOUND;
    else if (e->streams >= STREAMS_PER_SESSION)
        rc = RC_LIMIT;
    else
        e->streams++;
    pthread_mutex_unlock(&s->lock);
    return rc;
}

bool sessions_stream_alive(sessions_t *s, str_t id)
{
    pthread_mutex_lock(&s->lock);
    bool alive = find(s, id, NULL) != NULL;
    pthread_mutex_unlock(&s->lock);
    return alive;
}

void sessions_stream_close(sessions_t *s, str_t id)
{
    pthread_mutex_lock(&s->lock);
    session_entry_t *e = map_get(s->map, id);
    if (e && e->streams > 0)
        e->streams--;
    pthread_mutex_unlock(&s->lock);
}

size_t sessions_count(sessions_t *s)
{
    pthread_mutex_lock(&s->lock);
    size_t n = map_count(s->map);
    pthread_mutex_unlock(&s->lock);
    return n;
}
