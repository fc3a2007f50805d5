#include "mcp_server/session_state.h"

#include "core/num.h"
#include "mcp_server/kept_json.h"

#include <stdlib.h>

enum {
    CAPABILITIES_DEPTH = 16,
    CAPABILITIES_NODES = 1000,
    CAPABILITIES_TREE_BYTES = 256 << 10,
};

static str_t keep(char **to, str_t s)
{
    if (!s.p)
        return STR_UNSET;
    char *p = *to;
    memcpy(p, s.p, s.n);
    *to += s.n;
    return str_of(p, s.n);
}

mcp_session_t *session_new(const mcp_principal_t *who, clock_port_t clock)
{
    mcp_session_t *s = calloc(1, sizeof *s + who->issuer.n + who->subject.n + who->client.n + 1);
    mcp_outbox_t *general = mcp_outbox_new(true);
    if (!s || !general) {
        free(s);
        mcp_outbox_drop(general);
        return NULL;
    }
    char *to = (char *)(s + 1);
    s->who.issuer = keep(&to, who->issuer);
    s->who.subject = keep(&to, who->subject);
    s->who.client = keep(&to, who->client);
    s->general = general;
    s->clock = clock;
    atomic_init(&s->refs, 1);
    atomic_init(&s->alive, true);
    atomic_init(&s->seen_ms, clock.mono_ms(clock.ctx));
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static rc_t read_capabilities(mcp_session_t *s, str_t text)
{
    static const json_limits_t LIMITS = {MCP_CAPABILITIES_BYTES, CAPABILITIES_DEPTH,
                                         CAPABILITIES_NODES};
    if (!text.p)
        return RC_OK;
    if (text.n > MCP_CAPABILITIES_BYTES)
        return RC_LIMIT;
    arena_t *a = arena_new(CAPABILITIES_TREE_BYTES);
    const json_t *v;
    rc_t rc = a ? json_parse(a, text, &LIMITS, &v) : RC_MEMORY;
    if (rc == RC_OK && !(s->capabilities = mcp_json_keep(v)))
        rc = RC_MEMORY;
    arena_free(a);
    return rc;
}

rc_t session_say(mcp_session_t *s, const mcp_version_t *version, str_t capabilities)
{
    TRY(read_capabilities(s, capabilities));
    atomic_store(&s->version, version);
    return RC_OK;
}

mcp_session_t *mcp_session_local(clock_port_t clock)
{
    const mcp_principal_t nobody = {STR_UNSET, STR_UNSET, STR_UNSET};
    mcp_session_t *s = session_new(&nobody, clock);
    if (s)
        s->local = true;
    return s;
}

rc_t mcp_session_begin(mcp_session_t *s, const mcp_version_t *version, str_t capabilities)
{
    return atomic_load(&s->version) ? RC_CONFLICT : session_say(s, version, capabilities);
}

mcp_session_t *mcp_session_hold(mcp_session_t *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void mcp_session_drop(mcp_session_t *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    session_drop_calls(s, false);
    for (size_t i = 0; i < s->stream_count; i++)
        mcp_outbox_drop(s->streams[i].outbox);
    for (size_t i = 0; i < s->watched_count; i++)
        free(s->watched[i]);
    free(s->watched);
    mcp_outbox_drop(s->general);
    free(s->capabilities);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void session_close(mcp_session_t *s)
{
    if (!atomic_exchange(&s->alive, false))
        return;
    session_drop_calls(s, true);
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->stream_count; i++)
        mcp_outbox_end(s->streams[i].outbox);
    pthread_mutex_unlock(&s->lock);
    mcp_outbox_end(s->general);
}

bool mcp_session_is_alive(mcp_session_t *s)
{
    if (!atomic_load(&s->alive))
        return false;
    atomic_store(&s->seen_ms, s->clock.mono_ms(s->clock.ctx));
    return true;
}

str_t mcp_session_id(const mcp_session_t *s)
{
    return s->local ? STR("") : str_of(s->id, sizeof s->id);
}

const mcp_version_t *mcp_session_version(const mcp_session_t *s)
{
    return atomic_load(&s->version);
}

const json_t *mcp_session_capabilities(const mcp_session_t *s)
{
    return atomic_load(&s->version) ? s->capabilities : NULL;
}

/* Streams */

bool session_is_read(mcp_session_t *s)
{
    pthread_mutex_lock(&s->lock);
    bool read = mcp_outbox_is_attached(s->general);
    for (size_t i = 0; i < s->stream_count && !read; i++)
        read = mcp_outbox_is_attached(s->streams[i].outbox);
    pthread_mutex_unlock(&s->lock);
    return read;
}

/* One that has ended makes room: the oldest that nobody reads, or else the oldest. s->stream_count:
 * all of them run. */
static size_t over(const mcp_session_t *s)
{
    size_t found = s->stream_count;
    for (size_t i = 0; i < s->stream_count; i++) {
        mcp_outbox_t *o = s->streams[i].outbox;
        if (!mcp_outbox_ended(o))
            continue;
        if (!mcp_outbox_is_attached(o))
            return i;
        if (found == s->stream_count)
            found = i;
    }
    return found;
}

/* Streams that are forgotten, to be dropped under no lock. */
typedef struct {
    mcp_outbox_t *v[MCP_STREAMS_PER_SESSION];
    size_t n;
} forgotten_t;

static void forget(mcp_session_t *s, size_t i, forgotten_t *f)
{
    f->v[f->n++] = s->streams[i].outbox;
    s->stream_count--;
    memmove(&s->streams[i], &s->streams[i + 1], (s->stream_count - i) * sizeof s->streams[0]);
}

/* Answers that nobody came back for; the newest may still be fetched. */
static void forget_bytes(mcp_session_t *s, forgotten_t *f)
{
    size_t bytes = 0;
    bool newest = true;
    for (size_t i = s->stream_count; i-- > 0;) {
        mcp_outbox_t *o = s->streams[i].outbox;
        if (!mcp_outbox_ended(o) || mcp_outbox_is_attached(o))
            continue;
        bytes += mcp_outbox_bytes(o);
        if (bytes > MCP_STREAMS_BYTES && !newest)
            forget(s, i, f);
        newest = false;
    }
}

static void drop_forgotten(forgotten_t *f)
{
    while (f->n > 0)
        mcp_outbox_drop(f->v[--f->n]);
}

void session_trim(mcp_session_t *s)
{
    forgotten_t f = {.n = 0};
    pthread_mutex_lock(&s->lock);
    forget_bytes(s, &f);
    pthread_mutex_unlock(&s->lock);
    drop_forgotten(&f);
}

static rc_t make_room(mcp_session_t *s, forgotten_t *f)
{
    if (s->stream_count == MCP_STREAMS_PER_SESSION) {
        size_t i = over(s);
        if (i == s->stream_count)
            return RC_LIMIT;
        forget(s, i, f);
    }
    forget_bytes(s, f);
    return RC_OK;
}

rc_t mcp_session_add_stream(mcp_session_t *s, mcp_outbox_t *o, uint64_t *stream)
{
    forgotten_t f = {.n = 0};
    pthread_mutex_lock(&s->lock);
    rc_t rc = atomic_load(&s->alive) ? make_room(s, &f) : RC_NOT_FOUND;
    if (rc == RC_OK) {
        *stream = ++s->last_stream;
        s->streams[s->stream_count++] = (session_stream_t){*stream, mcp_outbox_hold(o)};
    }
    pthread_mutex_unlock(&s->lock);
    drop_forgotten(&f);
    return rc;
}

static mcp_outbox_t *stream_of(mcp_session_t *s, uint64_t number)
{
    if (number == 0)
        return s->general;
    for (size_t i = 0; i < s->stream_count; i++)
        if (s->streams[i].number == number)
            return s->streams[i].outbox;
    return NULL;
}

mcp_outbox_t *mcp_session_stream(mcp_session_t *s, str_t event_id, uint64_t *stream,
                                 uint64_t *after)
{
    size_t dash = str_find(event_id, '-', 0);
    if (!num_u64(str_first(event_id, dash), UINT64_MAX - 1, stream) ||
        !num_u64(str_skip(event_id, dash + 1), UINT64_MAX - 1, after))
        return NULL;
    pthread_mutex_lock(&s->lock);
    mcp_outbox_t *o = stream_of(s, *stream);
    if (o)
        mcp_outbox_hold(o);
    pthread_mutex_unlock(&s->lock);
    return o;
}

mcp_outbox_t *mcp_session_general(mcp_session_t *s)
{
    return s->general;
}

/* Levels and watched resources */

void mcp_session_set_level(mcp_session_t *s, warder_mcp_level_t level)
{
    pthread_mutex_lock(&s->lock);
    s->level = level;
    pthread_mutex_unlock(&s->lock);
}

bool mcp_session_wants(mcp_session_t *s, warder_mcp_level_t level)
{
    pthread_mutex_lock(&s->lock);
    bool wants = level >= s->level;
    pthread_mutex_unlock(&s->lock);
    return wants;
}

/* Where a URI stands, or would. */
static size_t watched_at(const mcp_session_t *s, str_t uri, bool *there)
{
    size_t low = 0, high = s->watched_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (str_cmp(str_c(s->watched[mid]), uri) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *there = low < s->watched_count && str_eq(str_c(s->watched[low]), uri);
    return low;
}

static rc_t grow_watched(mcp_session_t *s)
{
    if (s->watched_count < s->watched_cap)
        return RC_OK;
    if (s->watched_count >= MCP_WATCHED_PER_SESSION)
        return RC_LIMIT;
    size_t cap = s->watched_cap ? s->watched_cap * 2 : 8;
    if (cap > MCP_WATCHED_PER_SESSION)
        cap = MCP_WATCHED_PER_SESSION;
    char **v = realloc(s->watched, cap * sizeof *v);
    if (!v)
        return RC_MEMORY;
    s->watched = v;
    s->watched_cap = cap;
    return RC_OK;
}

static rc_t watch_locked(mcp_session_t *s, str_t uri)
{
    bool there;
    size_t at = watched_at(s, uri, &there);
    if (there)
        return RC_OK;
    if (uri.n > MCP_WATCHED_BYTES - s->watched_bytes)
        return RC_LIMIT;
    TRY(grow_watched(s));
    char *copy = strndup(uri.p, uri.n);
    if (!copy)
        return RC_MEMORY;
    memmove(&s->watched[at + 1], &s->watched[at], (s->watched_count - at) * sizeof *s->watched);
    s->watched[at] = copy;
    s->watched_count++;
    s->watched_bytes += uri.n;
    return RC_OK;
}

rc_t mcp_session_watch(mcp_session_t *s, str_t uri)
{
    pthread_mutex_lock(&s->lock);
    rc_t rc = watch_locked(s, uri);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

void mcp_session_unwatch(mcp_session_t *s, str_t uri)
{
    bool there;
    pthread_mutex_lock(&s->lock);
    size_t at = watched_at(s, uri, &there);
    if (there) {
        free(s->watched[at]);
        s->watched_count--;
        s->watched_bytes -= uri.n;
        memmove(&s->watched[at], &s->watched[at + 1], (s->watched_count - at) * sizeof *s->watched);
    }
    pthread_mutex_unlock(&s->lock);
}

bool mcp_session_watches(mcp_session_t *s, str_t uri)
{
    bool there;
    pthread_mutex_lock(&s->lock);
    watched_at(s, uri, &there);
    pthread_mutex_unlock(&s->lock);
    return there;
}
