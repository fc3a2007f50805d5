#include "proxy/params.h"

#include "core/map.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SEED_BYTES = 16 };

/* One tool's, in one block. */
typedef struct {
    size_t bytes;
    mcp_params_t params;
} known_t;

struct params {
    pthread_mutex_t lock; /* of `tools` */
    map_t *tools;         /* upstream, NUL, tool -> known_t, owned */
    atomic_size_t count;  /* of them: none are looked for where there are none */
};

rc_t params_new(random_port_t random, params_t **out)
{
    uint8_t seed[SEED_BYTES];
    params_t *p = calloc(1, sizeof *p);
    *out = NULL;
    rc_t rc = p ? random.fill(random.ctx, seed, sizeof seed) : RC_MEMORY;
    if (rc == RC_OK) {
        p->tools = map_new(seed, PARAMS_TOOLS);
        rc = p->tools ? RC_OK : RC_MEMORY;
    }
    if (rc != RC_OK) {
        free(p);
        return rc;
    }
    pthread_mutex_init(&p->lock, NULL);
    *out = p;
    return RC_OK;
}

void params_free(params_t *p)
{
    if (!p)
        return;
    map_free(p->tools, free);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static str_t key_of(arena_t *a, str_t upstream, str_t tool)
{
    str_t key;
    buf_t b = buf_new(a, upstream.n + tool.n + 1);
    buf_put(&b, upstream);
    buf_char(&b, '\0');
    buf_put(&b, tool);
    return buf_done(&b, &key) == RC_OK ? key : STR_UNSET;
}

static size_t measure(mcp_params_t from)
{
    size_t n = sizeof(known_t) + from.n * sizeof(mcp_param_t);
    for (size_t i = 0; i < from.n; i++) {
        n += from.v[i].path.n * sizeof(str_t) + from.v[i].header.n;
        for (size_t k = 0; k < from.v[i].path.n; k++)
            n += from.v[i].path.v[k].n;
    }
    return n;
}

static str_t copy_text(str_t s, char **to)
{
    str_t out = str_of(*to, s.n);
    if (s.n > 0)
        memcpy(*to, s.p, s.n);
    *to += s.n;
    return out;
}

/* Copies into a block of measure() bytes: records first, then lists of slices, then text. */
static known_t *copy(mcp_params_t from, void *block)
{
    known_t *known = block;
    mcp_param_t *v = (mcp_param_t *)(known + 1);
    str_t *steps = (str_t *)(v + from.n);
    size_t count = 0;
    for (size_t i = 0; i < from.n; i++)
        count += from.v[i].path.n;
    char *text = (char *)(steps + count);
    for (size_t i = 0; i < from.n; i++) {
        str_list_t path = from.v[i].path;
        v[i] = (mcp_param_t){copy_text(from.v[i].header, &text), {steps, path.n}};
        for (size_t k = 0; k < path.n; k++)
            *steps++ = copy_text(path.v[k], &text);
    }
    *known = (known_t){measure(from), {v, from.n}};
    return known;
}

/* Under the lock. */
static rc_t put(params_t *p, str_t key, known_t *known)
{
    void *old = NULL;
    rc_t rc = RC_OK;
    if (known)
        rc = map_put(p->tools, key, known, &old);
    else
        old = map_del(p->tools, key);
    free(old);
    atomic_store(&p->count, map_count(p->tools));
    return rc;
}

rc_t params_learn(params_t *p, arena_t *a, str_t upstream, str_t tool, mcp_params_t params)
{
    size_t n = measure(params);
    if (params.n == 0 && atomic_load(&p->count) == 0)
        return RC_OK;
    if (n > PARAMS_BYTES)
        return RC_LIMIT;
    str_t key = key_of(a, upstream, tool);
    void *block = params.n > 0 ? malloc(n) : NULL;
    if (!key.p || (params.n > 0 && !block)) {
        free(block);
        return RC_MEMORY;
    }
    known_t *known = block ? copy(params, block) : NULL;
    pthread_mutex_lock(&p->lock);
    rc_t rc = put(p, key, known);
    pthread_mutex_unlock(&p->lock);
    if (rc != RC_OK)
        free(known);
    return rc;
}

rc_t params_find(params_t *p, arena_t *a, str_t upstream, str_t tool, mcp_params_t *out)
{
    *out = (mcp_params_t){0};
    if (atomic_load(&p->count) == 0)
        return RC_OK;
    str_t key = key_of(a, upstream, tool);
    if (!key.p)
        return RC_MEMORY;
    rc_t rc = RC_OK;
    pthread_mutex_lock(&p->lock);
    const known_t *known = map_get(p->tools, key);
    void *block = known ? arena_alloc(a, known->bytes) : NULL;
    if (block)
        *out = copy(known->params, block)->params;
    else if (known)
        rc = RC_MEMORY;
    pthread_mutex_unlock(&p->lock);
    return rc;
}
