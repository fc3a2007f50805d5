#include "pack.h"

#include <math.h>
#include <stdlib.h>

enum {
    STYLE_SLOTS = 9000,
    BUCKET_BYTES = MODEL_SLOTS * MODEL_SLOT_BYTES,
    AT_FORMAT = 8,
    AT_BUCKETS = 12,
    AT_USED = 16,
    AT_SCALE = 20,
    AT_STYLE = 24,
    AT_TEXT = 28,
    AT_TARGET = 32,
    AT_DIGEST = 40
};

/* Weights of one feature in one mode that may get a slot. */
typedef struct {
    uint32_t hash;
    model_mode_t mode;
    float bad, good; /* against neutral; style has only one, in `bad` */
    float worth;
} candidate_t;

/* Rare features matter less than their weights say. The fourth root is two square roots, which are
 * the same on each machine. */
static float worth(float size, uint32_t seen)
{
    return size * sqrtf(sqrtf((float)seen));
}

static candidate_t candidate(const dataset_t *d, const learned_t *l, size_t i, int mode)
{
    candidate_t c = {.hash = d->hashes[i], .mode = (model_mode_t)mode};
    if (mode == MODE_STYLE) {
        c.bad = l->v[i].style;
        c.worth = worth(fabsf(c.bad), l->seen[i][mode]);
        return c;
    }
    const float *w = l->v[i].classes[mode];
    c.bad = w[CLASS_NEGATIVE] - w[CLASS_NEUTRAL];
    c.good = w[CLASS_POSITIVE] - w[CLASS_NEUTRAL];
    c.worth = worth(sqrtf(c.bad * c.bad + c.good * c.good), l->seen[i][mode]);
    return c;
}

/* The worthiest first; what is worth the same in an order that everything else decides. */
static int by_worth(const void *a, const void *b)
{
    const candidate_t *x = a, *y = b;
    if (x->worth != y->worth)
        return x->worth > y->worth ? -1 : 1;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->mode > y->mode) - (x->mode < y->mode);
}

static size_t collect(const dataset_t *d, const learned_t *l, bool style, candidate_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        for (int mode = 0; mode < MODES; mode++) {
            if ((mode == MODE_STYLE) != style || l->seen[i][mode] == 0)
                continue;
            candidate_t c = candidate(d, l, i, mode);
            if (c.worth > 0)
                out[n++] = c;
        }
    }
    qsort(out, n, sizeof *out, by_worth);
    return n;
}

static uint8_t *bucket_of(packed_t *p, uint32_t hash)
{
    return p->bytes + MODEL_HEADER + ((uint64_t)hash * MODEL_BUCKETS_MOST >> 32) * BUCKET_BYTES;
}

static int8_t steps(float w, float scale)
{
    float v = w / scale;
    v = v > 127 ? 127 : v < -127 ? -127 : v;
    return (int8_t)(v < 0 ? v - 0.5F : v + 0.5F);
}

/* Puts it into the next free slot of its bucket, unless that is full, another feature that looks
 * the same is there, or nothing is left of the weights. */
static bool place(packed_t *p, const candidate_t *c, float scale)
{
    uint32_t key = (c->hash & ((1U << MODEL_CHECK_BITS) - 1)) << 3 | c->mode;
    int8_t bad = steps(c->bad, scale), good = steps(c->good, scale);
    uint8_t *slot = bucket_of(p, c->hash);
    for (int i = 0; i < MODEL_SLOTS; i++, slot += MODEL_SLOT_BYTES) {
        bool used = slot[2] != 0 || slot[3] != 0;
        if (used && (slot[0] | (uint32_t)slot[1] << 8) == key)
            return false;
        if (used || (bad == 0 && good == 0))
            continue;
        slot[0] = (uint8_t)key;
        slot[1] = (uint8_t)(key >> 8);
        slot[2] = (uint8_t)bad;
        slot[3] = (uint8_t)good;
        p->kept++;
        return true;
    }
    return false;
}

/* The step that lets the largest weight just fit. */
static float scale_of(const candidate_t *v, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fabsf(v[i].bad) > most ? fabsf(v[i].bad) : most;
        most = fabsf(v[i].good) > most ? fabsf(v[i].good) : most;
    }
    return most > 0 ? most / 127 : 1;
}

static void put32(packed_t *p, size_t at, uint64_t v)
{
    for (int i = 0; i < 4; i++)
        p->bytes[at + i] = (uint8_t)(v >> (8 * i));
}

static void put_units(packed_t *p, size_t at, double v)
{
    put32(p, at, (uint64_t)(v * MODEL_UNIT + 0.5));
}

/* Fills in candidates until `most` have a place; returns the scale. */
static float fill(packed_t *p, const candidate_t *v, size_t n, size_t most)
{
    float scale = scale_of(v, n < most ? n : most);
    size_t placed = 0;
    for (size_t i = 0; i < n && placed < most; i++)
        placed += place(p, &v[i], scale);
    p->candidates += n;
    return scale;
}

rc_t pack(const dataset_t *d, const learned_t *l, packed_t *out)
{
    *out = (packed_t){.n = MODEL_BYTES_MOST};
    candidate_t *v = calloc(l->n * MODES + 1, sizeof *v);
    if (!v)
        return RC_MEMORY;
    size_t n = collect(d, l, true, v);
    put_units(out, AT_STYLE, fill(out, v, n, STYLE_SLOTS));
    n = collect(d, l, false, v);
    put_units(out, AT_SCALE, fill(out, v, n, (size_t)MODEL_BUCKETS_MOST * MODEL_SLOTS));
    free(v);
    memcpy(out->bytes, MODEL_MAGIC, 8);
    put32(out, AT_FORMAT, MODEL_FORMAT);
    put32(out, AT_BUCKETS, MODEL_BUCKETS_MOST);
    put32(out, AT_USED, out->kept);
    uint64_t digest = model_digest(str_of(out->bytes + MODEL_HEADER, out->n - MODEL_HEADER));
    put32(out, AT_DIGEST, digest);
    put32(out, AT_DIGEST + 4, digest >> 32);
    pack_heats(out, 1, 1);
    return RC_OK;
}

void pack_heats(packed_t *p, double text, double target)
{
    put_units(p, AT_TEXT, text);
    put_units(p, AT_TARGET, target);
}

model_t pack_open(const packed_t *p)
{
    model_t m;
    rc_t rc = model_open(str_of(p->bytes, p->n), &m);
    return rc == RC_OK ? m : (model_t){0};
}
