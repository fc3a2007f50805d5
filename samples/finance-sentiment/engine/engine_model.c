#include "engine_model.h"

#include "engine_math.h"

#include <math.h>

enum {
    AT_FORMAT = 8,
    AT_BUCKETS = 12,
    AT_USED = 16,
    AT_SCALE = 20,
    AT_STYLE = 24,
    AT_TEXT = 28,
    AT_TARGET = 32,
    AT_DIGEST = 40,
    BUCKET_BYTES = MODEL_SLOTS * MODEL_SLOT_BYTES,
    HEAT_MOST = 16 * MODEL_UNIT,
    MODE_BITS = 3,
    CHECK_MASK = 0xfff8
};

static uint32_t u32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static double in_units(const uint8_t *p)
{
    return (double)u32(p) / MODEL_UNIT;
}

uint64_t model_digest(str_t bytes)
{
    uint64_t h = 0xcbf29ce484222325U;
    for (size_t i = 0; i < bytes.n; i++)
        h = (h ^ (uint8_t)bytes.p[i]) * 0x100000001b3U;
    return h;
}

static model_t view(const uint8_t *p)
{
    return (model_t){.slots = p + MODEL_HEADER,
                     .buckets = u32(p + AT_BUCKETS),
                     .scale = in_units(p + AT_SCALE),
                     .style_scale = in_units(p + AT_STYLE),
                     .text_heat = in_units(p + AT_TEXT),
                     .target_heat = in_units(p + AT_TARGET)};
}

static bool ranges_hold(const uint8_t *p)
{
    for (int at = AT_SCALE; at <= AT_TARGET; at += 4) {
        if (u32(p + at) == 0 || u32(p + at) > HEAT_MOST)
            return false;
    }
    for (int at = AT_TARGET + 4; at < MODEL_HEADER; at++) {
        bool digest = at >= AT_DIGEST && at < AT_DIGEST + 8;
        if (!digest && p[at] != 0)
            return false;
    }
    return true;
}

/* No mode beyond the last, and as many slots in use as the header says. */
static bool slots_hold(const uint8_t *p, size_t buckets)
{
    uint32_t used = 0;
    for (size_t i = 0; i < buckets * MODEL_SLOTS; i++) {
        const uint8_t *slot = p + MODEL_HEADER + i * MODEL_SLOT_BYTES;
        if ((slot[0] & 7) >= MODES)
            return false;
        used += (slot[2] | slot[3]) != 0;
    }
    return used == u32(p + AT_USED);
}

rc_t model_open(str_t bytes, model_t *out)
{
    const uint8_t *p = (const uint8_t *)bytes.p;
    *out = (model_t){0};
    if (bytes.n > MODEL_BYTES_MOST)
        return RC_LIMIT;
    if (bytes.n < MODEL_HEADER || memcmp(p, MODEL_MAGIC, 8) != 0 ||
        u32(p + AT_FORMAT) != MODEL_FORMAT)
        return RC_MALFORMED;
    size_t buckets = u32(p + AT_BUCKETS);
    if (buckets == 0 || buckets > MODEL_BUCKETS_MOST ||
        bytes.n != MODEL_HEADER + buckets * BUCKET_BYTES)
        return RC_MALFORMED;
    uint64_t digest = u32(p + AT_DIGEST) | (uint64_t)u32(p + AT_DIGEST + 4) << 32;
    if (digest != model_digest(str_skip(bytes, MODEL_HEADER)))
        return RC_MALFORMED;
    if (!ranges_hold(p) || !slots_hold(p, buckets))
        return RC_MALFORMED;
    *out = view(p);
    return RC_OK;
}

model_t model_builtin(void)
{
    return view((const uint8_t *)model_builtin_bytes().p);
}

static const uint8_t *bucket_of(const model_t *m, uint32_t hash)
{
    return m->slots + ((uint64_t)hash * m->buckets >> 32) * BUCKET_BYTES;
}

static uint32_t slot_load(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap32(v) : v;
}

static void slot_add(uint32_t slot, model_sums_t *s, model_pull_t *pull)
{
    int8_t bad = (int8_t)(slot >> 16), good = (int8_t)(slot >> 24);
    uint32_t mode = slot & 7;
    s->v[mode][0] += bad;
    s->v[mode][1] += good;
    if (mode < MODE_STYLE)
        pull->v[mode] = (int16_t)(pull->v[mode] + good - bad);
}

/* Adds the weights of one feature in every mode; an empty slot adds nothing. Most features have no
 * slot, which the first loop says for all slots at once. */
static void sum_feature(const model_t *m, uint32_t hash, model_sums_t *s, model_pull_t *pull)
{
    const uint8_t *p = bucket_of(m, hash);
    uint32_t want = (hash & ((1U << MODEL_CHECK_BITS) - 1)) << MODE_BITS, slots[MODEL_SLOTS];
    uint32_t found = 0;
    for (int i = 0; i < MODEL_SLOTS; i++) {
        slots[i] = slot_load(p + i * MODEL_SLOT_BYTES);
        found |= (slots[i] & CHECK_MASK) == want;
    }
    for (int i = 0; found && i < MODEL_SLOTS; i++) {
        if ((slots[i] & CHECK_MASK) == want)
            slot_add(slots[i], s, pull);
    }
}

model_sums_t model_sums(const model_t *m, const features_t *f, model_pull_t *pulls)
{
    model_sums_t s = {0};
    memset(pulls, 0, f->n * sizeof *pulls);
    for (size_t i = 0; i < f->n; i++)
        sum_feature(m, f->v[i].hash, &s, &pulls[i]);
    return s;
}

/* A unit's features vote together, whatever their number. */
static double vote(size_t n)
{
    return 1 / sqrt((double)(n > 0 ? n : 1));
}

static void classify(const int32_t shared[2], const int32_t own[2], double scale,
                     double out[CLASSES])
{
    out[CLASS_NEGATIVE] = (double)(shared[0] + own[0]) * scale;
    out[CLASS_NEUTRAL] = 0;
    out[CLASS_POSITIVE] = (double)(shared[1] + own[1]) * scale;
    math_softmax(out, CLASSES);
}

model_verdict_t model_judge(const model_t *m, const model_sums_t *s, size_t n, bool target)
{
    model_verdict_t v = {.message = 0.5};
    double scale = m->scale * vote(n), other[CLASSES];
    if (target) {
        classify(s->v[MODE_SHARED], s->v[MODE_TARGET], scale * m->target_heat, v.probability);
        return v;
    }
    double style = math_exp(-(double)s->v[MODE_STYLE][0] * m->style_scale * vote(n));
    v.message = 1 / (1 + style);
    scale *= m->text_heat;
    classify(s->v[MODE_SHARED], s->v[MODE_HEADLINE], scale, v.probability);
    classify(s->v[MODE_SHARED], s->v[MODE_MESSAGE], scale, other);
    for (int c = 0; c < CLASSES; c++)
        v.probability[c] += v.message * (other[c] - v.probability[c]);
    return v;
}

double model_step(const model_t *m, size_t n, bool target)
{
    return m->scale * vote(n) * (target ? m->target_heat : m->text_heat);
}

double model_steps(const model_pull_t *p, bool target, double message)
{
    if (target)
        return p->v[MODE_SHARED] + p->v[MODE_TARGET];
    double apart = p->v[MODE_MESSAGE] - p->v[MODE_HEADLINE];
    return p->v[MODE_SHARED] + p->v[MODE_HEADLINE] + message * apart;
}
