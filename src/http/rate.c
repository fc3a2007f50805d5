#include "http/rate.h"

#include <stdlib.h>

enum { ROW = 8 };

/* A bucket is one time: when it will be full again. Not full by x means x / refill tokens used. */
typedef struct {
    uint64_t tag; /* seeded hash of the key; equal tags are taken for equal keys */
    int64_t full_at;
} bucket_t;

struct http_rate {
    http_rate_rule_t rule;
    uint64_t seed[2];
    size_t rows; /* a power of two */
    bucket_t v[];
};

static uint64_t rotl(uint64_t x, int b)
{
    return (x << b) | (x >> (64 - b));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] = rotl(v[2], 32);
}

/* SipHash-1-3, as hash tables use it. */
static uint64_t sip_hash(const uint64_t seed[2], str_t s)
{
    uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575u, seed[1] ^ 0x646f72616e646f6du,
                     seed[0] ^ 0x6c7967656e657261u, seed[1] ^ 0x7465646279746573u};
    for (size_t i = 0; i <= s.n / 8; i++) {
        uint64_t m = 0;
        size_t left = s.n - i * 8;
        if (left)
            memcpy(&m, s.p + i * 8, left < 8 ? left : 8);
        if (left < 8)
            m |= (uint64_t)s.n << 56;
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

http_rate_t *http_rate_new(const uint8_t seed[16], size_t max_keys, http_rate_rule_t rule)
{
    size_t rows = 1;
    while (rows * ROW < max_keys && rows < SIZE_MAX / 4 / ROW / sizeof(bucket_t))
        rows *= 2;
    http_rate_t *r = calloc(1, sizeof *r + rows * ROW * sizeof(bucket_t));
    if (!r)
        return NULL;
    r->rule = rule;
    r->rows = rows;
    memcpy(r->seed, seed, sizeof r->seed);
    for (size_t i = 0; i < rows * ROW; i++)
        r->v[i].full_at = INT64_MIN;
    return r;
}

void http_rate_free(http_rate_t *r)
{
    free(r);
}

/* The bucket of `tag`, or NULL; *victim is the one of its row that is nearest to full. */
static bucket_t *find(const http_rate_t *r, uint64_t tag, bucket_t **victim)
{
    bucket_t *row = (bucket_t *)(uintptr_t)&r->v[(tag & (r->rows - 1)) * ROW];
    *victim = row;
    for (size_t i = 0; i < ROW; i++) {
        if (row[i].tag == tag && row[i].full_at != INT64_MIN)
            return &row[i];
        if (row[i].full_at < (*victim)->full_at)
            *victim = &row[i];
    }
    return NULL;
}

/* When the bucket would be full after taking one, or -1 and the wait when there is none. */
static int64_t after_take(const http_rate_t *r, const bucket_t *b, int64_t now, uint32_t *wait)
{
    int64_t refill = r->rule.refill_ms, room = refill * r->rule.burst;
    int64_t full = (b && b->full_at > now ? b->full_at : now) + refill;
    if (full - now <= room)
        return full;
    if (wait)
        *wait = (uint32_t)((full - now - room + 999) / 1000);
    return -1;
}

bool http_rate_take(http_rate_t *r, str_t key, int64_t now_ms, uint32_t *retry_after_s)
{
    uint64_t tag = sip_hash(r->seed, key);
    bucket_t *victim, *b = find(r, tag, &victim);
    int64_t full = after_take(r, b, now_ms, retry_after_s);
    if (full < 0)
        return false;
    *(b ? b : victim) = (bucket_t){tag, full};
    return true;
}

bool http_rate_peek(const http_rate_t *r, str_t key, int64_t now_ms, uint32_t *retry_after_s)
{
    bucket_t *victim;
    return after_take(r, find(r, sip_hash(r->seed, key), &victim), now_ms, retry_after_s) >= 0;
}

void http_rate_clear(http_rate_t *r, str_t key)
{
    bucket_t *victim, *b = find(r, sip_hash(r->seed, key), &victim);
    if (b)
        b->full_at = INT64_MIN;
}
