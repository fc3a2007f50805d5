/* Sets of four ways; a full set forgets what has expired, else one in turn. Only verified tokens
 * get in, so that nobody can push others out at will. */
#include "rs/token_cache.h"

#include "core/limits.h"

#include <pthread.h>
#include <stdlib.h>

enum { WAYS = 4, LOCKS = 16, TEXTS = 8 };

typedef struct {
    rs_token_hash_t hash;
    size_t server;
    uint64_t keys, revocations;
    int64_t exp_ms, iat_ms, auth_ms, own_exp_ms;
    size_t texts[TEXTS]; /* where they begin */
    size_t n;
    char bytes[];
} entry_t;

struct rs_token_cache {
    pthread_mutex_t locks[LOCKS];
    size_t sets; /* a power of two */
    unsigned turn[LOCKS];
    entry_t *v[];
};

rs_token_hash_t rs_token_hash(str_t resource, str_t token)
{
    rs_token_hash_t hash;
    const str_t parts[] = {resource, STR("\n"), token};
    sha256_parts(parts, sizeof parts / sizeof *parts, hash.b);
    return hash;
}

rs_token_cache_t *rs_token_cache_new(size_t tokens)
{
    size_t sets = 1;
    while (sets * WAYS < tokens)
        sets *= 2;
    rs_token_cache_t *c = calloc(1, sizeof *c + sets * WAYS * sizeof(entry_t *));
    if (!c)
        return NULL;
    c->sets = sets;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&c->locks[i], NULL);
    return c;
}

void rs_token_cache_free(rs_token_cache_t *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->sets * WAYS; i++)
        free(c->v[i]);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&c->locks[i]);
    free(c);
}

static size_t set_of(const rs_token_cache_t *c, const rs_token_hash_t *hash)
{
    uint64_t bits;
    memcpy(&bits, hash->b, sizeof bits);
    return (size_t)bits & (c->sets - 1);
}

static bool is_for(const entry_t *e, const rs_token_hash_t *hash)
{
    return e && memcmp(e->hash.b, hash->b, sizeof hash->b) == 0;
}

static bool copy_out(arena_t *a, const entry_t *e, rs_remembered_t *out)
{
    const char **to[TEXTS] = {&out->who.iss, &out->who.sub, &out->who.client_id, &out->who.scope,
                              &out->who.jti, &out->who.jkt, &out->who.acr,       &out->who.claims};
    str_t all = arena_dup(a, str_of(e->bytes, e->n));
    if (!all.p)
        return false;
    *out = (rs_remembered_t){.who.exp_ms = e->exp_ms,
                             .who.iat_ms = e->iat_ms,
                             .who.auth_ms = e->auth_ms,
                             .server = e->server,
                             .keys = e->keys,
                             .revocations = e->revocations,
                             .exp_ms = e->own_exp_ms};
    for (size_t i = 0; i < TEXTS; i++)
        *to[i] = all.p + e->texts[i];
    return true;
}

bool rs_token_cache_get(rs_token_cache_t *c, arena_t *a, const rs_token_hash_t *hash,
                        int64_t now_ms, rs_remembered_t *out)
{
    size_t set = set_of(c, hash);
    bool found = false;
    pthread_mutex_lock(&c->locks[set % LOCKS]);
    for (size_t i = set * WAYS; i < (set + 1) * WAYS && !found; i++)
        found = is_for(c->v[i], hash) && now_ms < c->v[i]->exp_ms && copy_out(a, c->v[i], out);
    pthread_mutex_unlock(&c->locks[set % LOCKS]);
    return found;
}

static entry_t *make(const rs_token_hash_t *hash, const rs_remembered_t *what)
{
    const char *from[TEXTS] = {what->who.iss, what->who.sub, what->who.client_id, what->who.scope,
                               what->who.jti, what->who.jkt, what->who.acr,       what->who.claims};
    size_t lengths[TEXTS], total = 0;
    for (size_t i = 0; i < TEXTS; i++)
        total += lengths[i] = strlen(from[i]) + 1;
    if (total > LIMIT_RS_TOKEN_BYTES)
        return NULL;
    entry_t *e = malloc(sizeof *e + total);
    if (!e)
        return NULL;
    *e = (entry_t){.hash = *hash,
                   .server = what->server,
                   .keys = what->keys,
                   .revocations = what->revocations,
                   .own_exp_ms = what->exp_ms,
                   .exp_ms = what->who.exp_ms,
                   .iat_ms = what->who.iat_ms,
                   .auth_ms = what->who.auth_ms};
    for (size_t i = 0; i < TEXTS; i++) {
        memcpy(e->bytes + e->n, from[i], lengths[i]);
        e->texts[i] = e->n;
        e->n += lengths[i];
    }
    return e;
}

/* The place of the same token, else a free or expired one, else the next in turn. */
static size_t choose(rs_token_cache_t *c, size_t set, const rs_token_hash_t *hash, int64_t now_ms)
{
    size_t first = set * WAYS;
    for (size_t i = first; i < first + WAYS; i++)
        if (is_for(c->v[i], hash))
            return i;
    for (size_t i = first; i < first + WAYS; i++)
        if (!c->v[i] || c->v[i]->exp_ms <= now_ms)
            return i;
    return first + c->turn[set % LOCKS]++ % WAYS;
}

void rs_token_cache_put(rs_token_cache_t *c, const rs_token_hash_t *hash, int64_t now_ms,
                        const rs_remembered_t *what)
{
    entry_t *e = make(hash, what);
    if (!e)
        return;
    size_t set = set_of(c, hash);
    pthread_mutex_lock(&c->locks[set % LOCKS]);
    size_t at = choose(c, set, hash, now_ms);
    entry_t *old = c->v[at];
    c->v[at] = e;
    pthread_mutex_unlock(&c->locks[set % LOCKS]);
    free(old);
}
