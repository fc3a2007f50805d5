#include "mcp/schema_check.h"

#include <stdlib.h>

enum {
    DEPTH = 128,
    BYTES_A_STEP = 256,
    LOOKS_A_STEP = 16,
};

typedef struct {
    schema_checker_t *c;
    unsigned depth;
} walk_t;

static rc_t equal(walk_t *w, const json_t *x, const json_t *y, bool *same);

/* Usually the members stand in the same order; then nothing is searched. */
static rc_t equal_objects(walk_t *w, const json_t *x, const json_t *y, bool *same)
{
    const json_t *beside = y->child;
    for (const json_t *m = x->child; m && *same; m = m->next) {
        const json_t *other = beside && str_eq(beside->key, m->key) ? beside : NULL;
        if (!other) {
            TRY(schema_spend(w->c, 1 + y->count / LOOKS_A_STEP));
            other = json_get(y, m->key);
        }
        *same = other != NULL;
        if (other)
            TRY(equal(w, m, other, same));
        beside = beside ? beside->next : NULL;
    }
    return RC_OK;
}

static rc_t equal_lists(walk_t *w, const json_t *x, const json_t *y, bool *same)
{
    const json_t *other = y->child;
    for (const json_t *v = x->child; v && *same; v = v->next, other = other->next)
        TRY(equal(w, v, other, same));
    return RC_OK;
}

static bool equal_numbers(const json_t *x, const json_t *y)
{
    schema_number_t a = schema_number(x->raw), b = schema_number(y->raw);
    return schema_number_cmp(&a, &b) == 0;
}

static rc_t equal_containers(walk_t *w, const json_t *x, const json_t *y, bool *same)
{
    if (x->count != y->count)
        return RC_OK;
    if (w->depth == DEPTH)
        return RC_LIMIT;
    w->depth++;
    *same = true;
    if (x->type == JSON_OBJECT)
        TRY(equal_objects(w, x, y, same));
    else
        TRY(equal_lists(w, x, y, same));
    w->depth--;
    return RC_OK;
}

static rc_t equal(walk_t *w, const json_t *x, const json_t *y, bool *same)
{
    *same = false;
    if (x->type != y->type)
        return schema_spend(w->c, 1);
    if (x->type == JSON_OBJECT || x->type == JSON_ARRAY) {
        TRY(schema_spend(w->c, 1));
        return equal_containers(w, x, y, same);
    }
    TRY(schema_spend(w->c, 1 + (x->raw.n < y->raw.n ? x->raw.n : y->raw.n) / BYTES_A_STEP));
    if (x->type == JSON_NUMBER)
        *same = equal_numbers(x, y);
    else
        *same = x->type != JSON_STRING || str_eq(x->str, y->str);
    return RC_OK;
}

rc_t schema_equal(schema_checker_t *c, const json_t *x, const json_t *y, bool *same)
{
    walk_t w = {c, 0};
    return equal(&w, x, y, same);
}

static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 32) * 0x9e3779b97f4a7c15ull;
    return h ^ h >> 29;
}

static uint64_t hash_text(str_t s)
{
    uint64_t h = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 0x100000001b3ull;
    return mix(h);
}

static rc_t hash(walk_t *w, const json_t *v, uint64_t *out)
{
    TRY(schema_spend(w->c, 1 + (v->child ? 0 : v->raw.n / BYTES_A_STEP)));
    uint64_t h = v->type;
    schema_number_t number;
    if (v->type == JSON_STRING)
        h ^= hash_text(v->str);
    if (v->type == JSON_NUMBER) {
        number = schema_number(v->raw);
        h ^= schema_number_hash(&number);
    }
    if (w->depth == DEPTH)
        return RC_LIMIT;
    w->depth++;
    for (const json_t *child = v->child; child; child = child->next) {
        uint64_t one;
        TRY(hash(w, child, &one));
        /* Members count in any order, elements in theirs. */
        h = v->type == JSON_OBJECT ? h + mix(one ^ hash_text(child->key)) : mix(h * 31 + one);
    }
    w->depth--;
    *out = mix(h);
    return RC_OK;
}

typedef struct {
    uint64_t hash;
    const json_t *v;
} hashed_t;

static int order_hashed(const void *a, const void *b)
{
    const hashed_t *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Sorted by hash, so that only neighbours are compared. Whoever makes up hashes that collide pays
 * for each comparison with a step. */
static rc_t compare_runs(schema_checker_t *c, const hashed_t *list, size_t n, const json_t **twice)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i + 1; k < n && list[k].hash == list[i].hash; k++) {
            bool same;
            TRY(schema_equal(c, list[i].v, list[k].v, &same));
            if (!same)
                continue;
            *twice = list[k].v;
            return RC_OK;
        }
    }
    return RC_OK;
}

rc_t schema_unique(schema_checker_t *c, const json_t *list, const json_t **twice)
{
    hashed_t *hashed = ARENA_ARRAY(c->a, list->count + 1, hashed_t);
    size_t n = 0;
    walk_t w = {c, 0};
    *twice = NULL;
    if (!hashed)
        return RC_MEMORY;
    for (const json_t *v = list->child; v; v = v->next, n++) {
        hashed[n].v = v;
        TRY(hash(&w, v, &hashed[n].hash));
    }
    qsort(hashed, n, sizeof *hashed, order_hashed);
    return compare_runs(c, hashed, n, twice);
}
