/* The linear model: a file of small weights, read in place (built in, or mapped), and sums over the
 * features of a unit. Sums are integers, so their order cannot matter.
 *
 * A feature's hash names a bucket of MODEL_SLOTS slots; a slot of it holds 13 more bits of the hash
 * and one of five modes, with two weights: how much the feature speaks for bad and for good news,
 * rather than neutral ones. Only the features that matter most have a slot.
 *
 * All numbers are little-endian. Header, MODEL_HEADER bytes: magic (8 bytes), format, buckets,
 * slots in use, scale of sentiment, scale of style, heat of text, heat of target (4 bytes each;
 * scales and heats in units of 2^-20), digest of everything behind the header (8), zeros. Then the
 * buckets, a slot being: 13 bits of hash and 3 of mode (2), weight for bad (1), weight for good
 * (1). */
#ifndef SENTIMENT_ENGINE_MODEL_H
#define SENTIMENT_ENGINE_MODEL_H

#include "engine_features.h"

enum {
    MODEL_HEADER = 64,
    MODEL_FORMAT = 1, /* also goes up whenever features change */
    MODEL_SLOTS = 8,
    MODEL_SLOT_BYTES = 4,
    MODEL_BUCKETS_MOST = 7680, /* 240 KiB: fits into a second-level cache */
    MODEL_BYTES_MOST = MODEL_HEADER + MODEL_BUCKETS_MOST * MODEL_SLOTS * MODEL_SLOT_BYTES,
    MODEL_CHECK_BITS = 13,
    MODEL_UNIT = 1 << 20, /* of scales and heats */
};

#define MODEL_MAGIC "FINSENT1"

/** Weights of a feature count in these modes: everywhere; without a target, in the style of
 *  headlines and of short messages; with a target. The last tells the two styles apart. */
typedef enum {
    MODE_SHARED,
    MODE_HEADLINE,
    MODE_MESSAGE,
    MODE_TARGET,
    MODE_STYLE,
    MODES
} model_mode_t;

/** Borrows the bytes; read-only, for any number of threads. */
typedef struct {
    const uint8_t *slots;
    uint32_t buckets;
    double scale, style_scale;     /* of one step of a weight */
    double text_heat, target_heat; /* calibration: what sums are multiplied by */
} model_t;

/** What the features of a unit say, by mode: for bad, and for good. */
typedef struct {
    int32_t v[MODES][2];
} model_sums_t;

/** Reads a model file and checks all of it: sizes, ranges, digest. RC_MALFORMED, or RC_LIMIT over
 *  MODEL_BYTES_MOST. Nothing is copied. */
rc_t model_open(str_t bytes, model_t *out) MUST_USE;
/** The one in the program; its bytes were checked when the tests ran. */
model_t model_builtin(void);
/** The bytes of the one in the program. */
str_t model_builtin_bytes(void);

/** Good less bad weights of one feature in the modes of sentiment. */
typedef struct {
    int16_t v[MODE_STYLE];
} model_pull_t;

/** Sums over all features of a unit. `pulls`: gets what each one says, in their order. */
model_sums_t model_sums(const model_t *m, const features_t *f, model_pull_t *pulls);
/** What a unit's sums come to. */
typedef struct {
    double probability[CLASSES];
    double message; /* how much it is in the style of a short message, 0 to 1; 0.5 with a target,
                     * where styles do not matter */
} model_verdict_t;

/** The verdict on a unit of n features. */
model_verdict_t model_judge(const model_t *m, const model_sums_t *s, size_t n, bool target);
/** What a step of a pull adds to the log-odds of good news over bad ones in a unit of n features.
 */
double model_step(const model_t *m, size_t n, bool target);
/** How many such steps a pull is. */
double model_steps(const model_pull_t *p, bool target, double message);
/** FNV-1a of 64 bits: finds damage, no forgery. */
uint64_t model_digest(str_t bytes);

#endif
