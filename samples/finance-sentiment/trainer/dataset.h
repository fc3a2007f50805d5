/* Examples as the learner sees them: each the numbers of its features. */
#ifndef SENTIMENT_DATASET_H
#define SENTIMENT_DATASET_H

#include "corpus.h"
#include "engine_run.h"

enum { DEV_FOLDS = 5, DEV_FOLD = 0, DATASET_FEATURES = 1 << 21 };

typedef struct {
    const example_t *example;
    bool target;    /* its entity was found in the text */
    uint32_t first; /* of dataset_t.ids */
    uint32_t n;
} sample_t;

typedef struct {
    corpus_file_t files[CORPORA];
    sample_t *v;
    size_t n;
    uint32_t *ids; /* of all samples, one behind the other */
    size_t id_count, id_cap;
    uint32_t *hashes; /* of feature number i; numbers in the order of first sight */
    size_t features;
    uint32_t *table; /* hash to number + 1, open addressing */
} dataset_t;

/** Reads DIR/sentfin/train.csv, DIR/twitter-financial/train.csv and the drills. RC_NOT_FOUND,
 * RC_LIMIT (more features or examples than there is room for), RC_MALFORMED, RC_MEMORY. Free with
 * dataset_free, in any case. */
rc_t dataset_read(const char *dir, const char *drills, dataset_t *out) MUST_USE;
void dataset_free(dataset_t *d);
/** Whether a fold that is left out holds the example. Drills are never left out. */
bool dataset_in_fold(const example_t *e, uint32_t fold);

#endif
