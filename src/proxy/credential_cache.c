#include "proxy/credential_cache.h"

#include <stdlib.h>

#include "core/map.h"
#include "core/secret.h"

/* Also a link of the list from the last used to the longest unused. Key and value stand behind. */
typedef struct row {
    struct row *newer, *older;
    credential_kept_t kept;
    size_t n_key, n_value;
    char bytes[];
} row_t;

struct credential_cache {
    map_t *rows;
    size_t max;
    row_t *newest, *oldest;
};

static str_t key_of(const row_t *r)
{
    return str_of(r->bytes, r->n_key);
}

static void unlink_row(credential_cache_t *c, row_t *r)
{
    *(r->newer ? &r->newer->older : &c->newest) = r->older;
    *(r->older ? &r->older->newer : &c->oldest) = r->newer;
    r->newer = r->older = NULL;
}

static void link_newest(credential_cache_t *c, row_t *r)
{
    r->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = r;
    c->newest = r;
}

static void row_free(void *row)
{
    row_t *r = row;
    secret_wipe(r->bytes, r->n_key + r->n_value);
    free(r);
}

credential_cache_t *credential_cache_new(const uint8_t seed[16], size_t max)
{
    credential_cache_t *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->max = max;
    c->rows = map_new(seed, max);
    if (c->rows)
        return c;
    free(c);
    return NULL;
}

void credential_cache_free(credential_cache_t *c)
{
    if (!c)
        return;
    map_free(c->rows, row_free);
    free(c);
}

static void remove_row(credential_cache_t *c, row_t *r)
{
    map_del(c->rows, key_of(r));
    unlink_row(c, r);
    row_free(r);
}

const credential_kept_t *credential_cache_get(credential_cache_t *c, str_t key, int64_t now_ms)
{
    row_t *r = map_get(c->rows, key);
    if (!r)
        return NULL;
    if (now_ms >= r->kept.until_ms) {
        remove_row(c, r);
        return NULL;
    }
    unlink_row(c, r);
    link_newest(c, r);
    return &r->kept;
}

void credential_cache_drop(credential_cache_t *c, str_t key)
{
    row_t *r = map_get(c->rows, key);
    if (r)
        remove_row(c, r);
}

static row_t *row_new(str_t key, const credential_kept_t *kept)
{
    size_t n = kept->value.n;
    row_t *r = malloc(sizeof *r + key.n + n);
    if (!r)
        return NULL;
    *r = (row_t){.kept = *kept, .n_key = key.n, .n_value = n};
    memcpy(r->bytes, key.p, key.n);
    if (n > 0)
        memcpy(r->bytes + key.n, kept->value.p, n);
    r->kept.value = str_of(r->bytes + key.n, n);
    return r;
}

void credential_cache_put(credential_cache_t *c, str_t key, const credential_kept_t *kept)
{
    void *old;
    credential_cache_drop(c, key);
    if (map_count(c->rows) >= c->max)
        remove_row(c, c->oldest);
    row_t *r = row_new(key, kept);
    if (!r)
        return;
    if (map_put(c->rows, key, r, &old) == RC_OK)
        link_newest(c, r);
    else
        row_free(r);
}
