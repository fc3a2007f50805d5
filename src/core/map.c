#include "core/map.h"

#include <stdlib.h>

typedef struct {
    char *key; /* NULL: free */
    size_t n;
    uint64_t hash;
    void *value;
} slot_t;

struct map {
    uint64_t k0, k1;
    size_t max, count, mask; /* mask + 1 slots */
    slot_t *slots;
};

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-2-4 (Aumasson, Bernstein 2012). */
static uint64_t sip_hash(const map_t *m, str_t s)
{
    uint64_t v[4] = {m->k0 ^ 0x736f6d6570736575u, m->k1 ^ 0x646f72616e646f6du,
                     m->k0 ^ 0x6c7967656e657261u, m->k1 ^ 0x7465646279746573u};
    uint64_t word;
    size_t at = 0;
    for (; at + 8 <= s.n; at += 8) {
        memcpy(&word, s.p + at, 8);
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)s.n << 56;
    for (size_t i = 0; at + i < s.n; i++)
        word |= (uint64_t)(uint8_t)s.p[at + i] << (8 * i);
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

map_t *map_new(const uint8_t seed[16], size_t max)
{
    map_t *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    memcpy(&m->k0, seed, 8);
    memcpy(&m->k1, seed + 8, 8);
    m->max = max;
    m->mask = 15;
    m->slots = calloc(m->mask + 1, sizeof *m->slots);
    if (!m->slots) {
        free(m);
        return NULL;
    }
    return m;
}

void map_free(map_t *m, void (*drop)(void *))
{
    if (!m)
        return;
    for (size_t i = 0; i <= m->mask; i++) {
        if (m->slots[i].key && drop)
            drop(m->slots[i].value);
        free(m->slots[i].key);
    }
    free(m->slots);
    free(m);
}

/* The slot of the key, or the free one where it would stand. */
static slot_t *find(const map_t *m, str_t key, uint64_t hash)
{
    for (size_t i = hash & m->mask;; i = (i + 1) & m->mask) {
        slot_t *s = &m->slots[i];
        if (!s->key)
            return s;
        if (s->hash == hash && str_eq(str_of(s->key, s->n), key))
            return s;
    }
}

void *map_get(const map_t *m, str_t key)
{
    slot_t *s = find(m, key, sip_hash(m, key));
    return s->key ? s->value : NULL;
}

static rc_t grow(map_t *m)
{
    size_t old_mask = m->mask;
    slot_t *old = m->slots;
    slot_t *slots = calloc((old_mask + 1) * 2, sizeof *slots);
    if (!slots)
        return RC_MEMORY;
    m->slots = slots;
    m->mask = old_mask * 2 + 1;
    for (size_t i = 0; i <= old_mask; i++)
        if (old[i].key)
            *find(m, str_of(old[i].key, old[i].n), old[i].hash) = old[i];
    free(old);
    return RC_OK;
}

rc_t map_put(map_t *m, str_t key, void *value, void **old)
{
    uint64_t hash = sip_hash(m, key);
    slot_t *s = find(m, key, hash);
    if (old)
        *old = s->key ? s->value : NULL;
    if (s->key) {
        s->value = value;
        return RC_OK;
    }
    if (m->count >= m->max)
        return RC_LIMIT;
    if ((m->count + 1) * 4 > (m->mask + 1) * 3) {
        TRY(grow(m));
        s = find(m, key, hash);
    }
    char *copy = malloc(key.n + 1);
    if (!copy)
        return RC_MEMORY;
    if (key.n > 0)
        memcpy(copy, key.p, key.n);
    *s = (slot_t){copy, key.n, hash, value};
    m->count++;
    return RC_OK;
}

/* Linear probing: entries behind the hole move up, so that no search stops too early. */
static void close_hole(map_t *m, size_t hole)
{
    for (size_t i = (hole + 1) & m->mask; m->slots[i].key; i = (i + 1) & m->mask) {
        size_t home = m->slots[i].hash & m->mask;
        if (((i - home) & m->mask) < ((i - hole) & m->mask))
            continue;
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (slot_t){0};
}

static void *remove_slot(map_t *m, slot_t *s)
{
    void *value = s->value;
    free(s->key);
    s->key = NULL;
    m->count--;
    close_hole(m, (size_t)(s - m->slots));
    return value;
}

void *map_del(map_t *m, str_t key)
{
    slot_t *s = find(m, key, sip_hash(m, key));
    return s->key ? remove_slot(m, s) : NULL;
}

size_t map_count(const map_t *m)
{
    return m->count;
}

void map_each(map_t *m, bool (*fn)(void *ctx, str_t key, void *value), void *ctx)
{
    /* Starts behind a free slot, so that entries which move up on a removal are not met twice. */
    size_t start = 0;
    while (m->slots[start].key)
        start++;
    for (size_t step = 1; step <= m->mask; step++) {
        size_t i = (start + step) & m->mask;
        while (m->slots[i].key) {
            slot_t *s = &m->slots[i];
            if (fn(ctx, str_of(s->key, s->n), s->value))
                break;
            remove_slot(m, s);
        }
    }
}
