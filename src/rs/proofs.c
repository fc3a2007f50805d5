/* Shards by the first byte of the name, each a table of chains over a fixed pool of entries. What
 * has ended makes room when the pool is empty, and whoever finds it in its chain takes its place.
 */
#include "rs/proofs.h"

#include <pthread.h>
#include <stdlib.h>

enum { SHARDS = 16, NAME_BYTES = 16 };

/* Half of a SHA-256 is enough to tell names apart: 2^64 of them before two are alike by chance. */
typedef struct {
    uint8_t name[NAME_BYTES];
    int64_t forget_at;
    uint32_t next; /* index plus one; 0: none */
} entry_t;

typedef struct {
    pthread_mutex_t lock;
    entry_t *v;
    uint32_t *heads;
    uint32_t room;    /* of both */
    uint32_t used;    /* entries that were ever taken */
    uint32_t free;    /* first of those that are free again, as `next` */
    int64_t swept_at; /* at most once a second: a full shard must not cost a walk each time */
} shard_t;

struct rs_proofs {
    shard_t shards[SHARDS];
};

void rs_proofs_free(rs_proofs_t *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        free(p->shards[i].v);
        free(p->shards[i].heads);
        pthread_mutex_destroy(&p->shards[i].lock);
    }
    free(p);
}

rs_proofs_t *rs_proofs_new(size_t max)
{
    rs_proofs_t *p = calloc(1, sizeof *p);
    size_t room = (max + SHARDS - 1) / SHARDS;
    bool good = p != NULL && room < UINT32_MAX;
    for (size_t i = 0; p && i < SHARDS; i++) {
        shard_t *s = &p->shards[i];
        pthread_mutex_init(&s->lock, NULL);
        s->room = (uint32_t)room;
        s->v = calloc(room ? room : 1, sizeof *s->v);
        s->heads = calloc(room ? room : 1, sizeof *s->heads);
        good = good && s->v && s->heads;
    }
    if (good)
        return p;
    rs_proofs_free(p);
    return NULL;
}

static uint32_t *head_of(const shard_t *s, const uint8_t *name)
{
    uint64_t bits;
    memcpy(&bits, name + 1, sizeof bits);
    return &s->heads[bits % s->room];
}

/* Takes the ended entries out of their chains. */
static void sweep(shard_t *s, int64_t now)
{
    if (s->swept_at == now)
        return;
    s->swept_at = now;
    for (uint32_t h = 0; h < s->room; h++)
        for (uint32_t *at = &s->heads[h]; *at != 0;) {
            uint32_t i = *at;
            entry_t *e = &s->v[i - 1];
            if (e->forget_at > now) {
                at = &e->next;
                continue;
            }
            *at = e->next;
            e->next = s->free;
            s->free = i;
        }
}

/* Index plus one of an entry that is nobody's; 0: there is none. */
static uint32_t take(shard_t *s, int64_t now)
{
    if (s->used < s->room)
        return ++s->used;
    if (s->free == 0)
        sweep(s, now);
    uint32_t i = s->free;
    if (i != 0)
        s->free = s->v[i - 1].next;
    return i;
}

static rc_t spend(shard_t *s, const uint8_t *name, int64_t now, int64_t forget_at)
{
    uint32_t *head = head_of(s, name);
    for (uint32_t i = *head; i != 0; i = s->v[i - 1].next) {
        entry_t *e = &s->v[i - 1];
        if (memcmp(e->name, name, NAME_BYTES) != 0)
            continue;
        if (e->forget_at > now)
            return RC_CONFLICT;
        e->forget_at = forget_at;
        return RC_OK;
    }
    uint32_t i = take(s, now);
    if (i == 0)
        return RC_LIMIT;
    entry_t *e = &s->v[i - 1];
    memcpy(e->name, name, NAME_BYTES);
    e->forget_at = forget_at;
    e->next = *head; /* read again: a sweep may have changed the chain */
    *head = i;
    return RC_OK;
}

rc_t rs_proofs_spend(rs_proofs_t *p, const hash_t *name, int64_t now, int64_t forget_at)
{
    shard_t *s = &p->shards[name->b[0] % SHARDS];
    if (s->room == 0)
        return RC_LIMIT;
    pthread_mutex_lock(&s->lock);
    rc_t rc = spend(s, name->b, now, forget_at);
    pthread_mutex_unlock(&s->lock);
    return rc;
}
