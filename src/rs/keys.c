#include "rs/keys.h"

#include "core/limits.h"
#include "jose/digest.h"

#include "rs/flight.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A set that was fetched a moment ago holds what there is: the request that made us fetch it is
 * decided by it. */
enum { SETTLED_MS = 1000 };
enum { KEY_ARENA_BYTES = 4 * 1024 * 1024, FETCH_ARENA_BYTES = 1024 * 1024 };

struct rs_key_set {
    atomic_uint count;
    arena_t *arena; /* holds the set itself */
    jwks_t keys;
    uint64_t generation;
    uint8_t digest[SHA256_BYTES]; /* of the document */
};

typedef struct {
    rs_key_set_t *set;
    rs_key_times_t times;
    bool wanted;
    /* Only the fetching thread touches these. */
    arena_t *found; /* holds jwks_uri */
    str_t jwks_uri; /* as configured or discovered; unset: to be discovered */
} source_t;

struct rs_keys {
    const rs_settings_t *settings;
    const warder_rs_ports_t *ports;
    rs_told_t told;
    rs_flight_t flight;
    uint64_t generation; /* of the newest set */
    source_t sources[RS_SERVERS_MAX];
};

/* ---- decisions ---- */

rs_key_age_t rs_key_age(const rs_key_times_t *t, const rs_settings_t *s, int64_t mono_ms)
{
    int64_t age = mono_ms - t->fetched_at;
    if (!t->have || age >= s->fresh_ms + s->stale_ms)
        return RS_KEYS_GONE;
    return age < s->fresh_ms ? RS_KEYS_FRESH : RS_KEYS_DUE;
}

bool rs_key_may_fetch(const rs_key_times_t *t, const rs_settings_t *s, int64_t mono_ms)
{
    return !t->tried || mono_ms - t->tried_at >= s->refetch_ms;
}

bool rs_key_may_search(const rs_key_times_t *t, const rs_settings_t *s, int64_t mono_ms)
{
    if (t->have && mono_ms - t->fetched_at < SETTLED_MS)
        return false;
    return !t->searched || mono_ms - t->searched_at >= s->refetch_ms;
}

/* ---- sets ---- */

const jwks_t *rs_key_set_keys(const rs_key_set_t *set)
{
    return &set->keys;
}

uint64_t rs_key_set_generation(const rs_key_set_t *set)
{
    return set->generation;
}

void rs_key_set_unref(rs_key_set_t *set)
{
    if (set && atomic_fetch_sub(&set->count, 1) == 1)
        arena_free(set->arena);
}

/* A document without one usable key is no key set: a mishap of its server must not lock all out. */
static rs_key_set_t *set_parse(str_t text)
{
    arena_t *arena = arena_new(KEY_ARENA_BYTES);
    rs_key_set_t *set = arena ? ARENA_NEW(arena, rs_key_set_t) : NULL;
    str_t copy = set ? arena_dup(arena, text) : STR_UNSET;
    if (!str_is_set(copy) || jwks_parse(arena, copy, &set->keys) != RC_OK || set->keys.n == 0) {
        arena_free(arena);
        return NULL;
    }
    atomic_init(&set->count, 1);
    set->arena = arena;
    sha256(text, set->digest);
    return set;
}

/* ---- the fetching thread ---- */

static str_t get(rs_keys_t *k, arena_t *a, str_t url)
{
    char *body = arena_alloc(a, LIMIT_JWKS_BYTES);
    const char *c = arena_cstr(a, url);
    int64_t n = body && c ? k->ports->fetch(k->ports->ctx, c, body, LIMIT_JWKS_BYTES) : -1;
    return n >= 0 && n <= LIMIT_JWKS_BYTES ? str_of(body, (size_t)n) : STR_UNSET;
}

static void tell(rs_keys_t *k, size_t server, const rs_places_t *places)
{
    rs_revocations_found(k->told.revocations, server, places->revocations_uri);
    if (k->told.introspection && server == k->settings->introspector)
        rs_introspection_found(k->told.introspection, places->introspection_uri);
}

/* The first place that answers decides: trying on after a wrong issuer would be shopping around. */
static rc_t discover(rs_keys_t *k, size_t server, str_t *jwks_uri)
{
    source_t *source = &k->sources[server];
    const rs_server_t *settings = &k->settings->servers[server];
    for (size_t i = 0;; i++) {
        str_t url;
        rs_places_t places;
        arena_reset(source->found);
        TRY(rs_server_metadata_url(source->found, settings, i, &url));
        if (!str_is_set(url))
            return RC_NOT_FOUND;
        str_t text = get(k, source->found, url);
        if (!str_is_set(text))
            continue;
        TRY(rs_server_read_metadata(source->found, settings, text, &places));
        tell(k, server, &places);
        *jwks_uri = places.jwks_uri;
        return RC_OK;
    }
}

static rs_key_set_t *fetch(rs_keys_t *k, size_t server)
{
    source_t *source = &k->sources[server];
    if (!str_is_set(source->jwks_uri) && discover(k, server, &source->jwks_uri) != RC_OK)
        return NULL;
    arena_t *a = arena_new(FETCH_ARENA_BYTES);
    str_t text = a ? get(k, a, source->jwks_uri) : STR_UNSET;
    rs_key_set_t *set = str_is_set(text) ? set_parse(text) : NULL;
    arena_free(a);
    /* Keys may have moved: look again next time. */
    if (!set)
        source->jwks_uri = k->settings->servers[server].jwks_uri;
    return set;
}

/* Under the lock. The same document keeps its generation, and so the tokens verified with it. */
static void take(rs_keys_t *k, source_t *source, rs_key_set_t *set, int64_t mono_ms)
{
    if (!set)
        return;
    source->times.have = true;
    source->times.fetched_at = mono_ms;
    if (source->set && memcmp(source->set->digest, set->digest, sizeof set->digest) == 0) {
        rs_key_set_unref(set);
        return;
    }
    set->generation = ++k->generation;
    rs_key_set_unref(source->set);
    source->set = set;
}

/* Under the lock: whether to fetch, and that it is being done. */
static bool begin(const rs_settings_t *s, source_t *source, int64_t mono_ms)
{
    rs_key_times_t *t = &source->times;
    bool search = source->wanted && rs_key_may_search(t, s, mono_ms);
    bool due = rs_key_age(t, s, mono_ms) != RS_KEYS_FRESH && rs_key_may_fetch(t, s, mono_ms);
    if (!search && !due)
        return false;
    if (source->wanted) {
        t->searched = true;
        t->searched_at = mono_ms;
    }
    source->wanted = false;
    t->tried = true;
    t->tried_at = mono_ms;
    return true;
}

static int64_t mono(const rs_keys_t *k)
{
    return k->ports->mono_ms(k->ports->ctx);
}

/* With the lock, which is let go while bytes are on their way. */
static void fetch_due(rs_keys_t *k)
{
    for (size_t i = 0; i < k->settings->n_servers; i++) {
        if (!begin(k->settings, &k->sources[i], mono(k)))
            continue;
        pthread_mutex_unlock(&k->flight.lock);
        rs_key_set_t *set = fetch(k, i);
        pthread_mutex_lock(&k->flight.lock);
        take(k, &k->sources[i], set, mono(k));
    }
}

static bool all_usable(const rs_keys_t *k)
{
    for (size_t i = 0; i < k->settings->n_servers; i++)
        if (rs_key_age(&k->sources[i].times, k->settings, mono(k)) == RS_KEYS_GONE)
            return false;
    return true;
}

bool rs_keys_refresh(rs_keys_t *k)
{
    pthread_mutex_lock(&k->flight.lock);
    if (rs_flight_begin(&k->flight, LIMIT_RS_WAITERS)) {
        fetch_due(k);
        rs_flight_end(&k->flight);
    }
    bool usable = all_usable(k);
    pthread_mutex_unlock(&k->flight.lock);
    return usable;
}

/* ---- everybody else ---- */

void rs_keys_look(rs_keys_t *k, size_t server, rs_keys_view_t *out)
{
    source_t *source = &k->sources[server];
    int64_t now = mono(k);
    pthread_mutex_lock(&k->flight.lock);
    *out = (rs_keys_view_t){.age = rs_key_age(&source->times, k->settings, now),
                            .fetching = k->flight.busy,
                            .may_fetch = rs_key_may_fetch(&source->times, k->settings, now),
                            .may_search = rs_key_may_search(&source->times, k->settings, now)};
    if (out->age != RS_KEYS_GONE) {
        out->set = source->set;
        atomic_fetch_add(&out->set->count, 1);
    }
    pthread_mutex_unlock(&k->flight.lock);
}

void rs_keys_want(rs_keys_t *k, size_t server)
{
    pthread_mutex_lock(&k->flight.lock);
    k->sources[server].wanted = true;
    pthread_mutex_unlock(&k->flight.lock);
}

rs_keys_t *rs_keys_new(const rs_settings_t *s, const warder_rs_ports_t *ports, rs_told_t told)
{
    rs_keys_t *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->settings = s;
    k->ports = ports;
    k->told = told;
    rs_flight_init(&k->flight);
    for (size_t i = 0; i < s->n_servers; i++) {
        k->sources[i].jwks_uri = s->servers[i].jwks_uri;
        k->sources[i].found = arena_new(FETCH_ARENA_BYTES);
        if (!k->sources[i].found) {
            rs_keys_free(k);
            return NULL;
        }
    }
    return k;
}

void rs_keys_free(rs_keys_t *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < RS_SERVERS_MAX; i++) {
        rs_key_set_unref(k->sources[i].set);
        arena_free(k->sources[i].found);
    }
    rs_flight_destroy(&k->flight);
    free(k);
}
