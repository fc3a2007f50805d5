#include "dataset.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = ENGINE_ARENA_BYTES, TABLE = DATASET_FEATURES * 2, IDS_FIRST = 1 << 20 };

bool dataset_in_fold(const example_t *e, uint32_t fold)
{
    return e->corpus != CORPUS_DRILLS && e->fold % DEV_FOLDS == fold;
}

/* The number of a hash, a new one if it was never seen; DATASET_FEATURES when there is no room. */
static uint32_t number_of(dataset_t *d, uint32_t hash)
{
    size_t at = (hash * 0x9e3779b1U) % TABLE;
    while (d->table[at] != 0 && d->hashes[d->table[at] - 1] != hash)
        at = (at + 1) % TABLE;
    if (d->table[at] != 0)
        return d->table[at] - 1;
    if (d->features == DATASET_FEATURES)
        return DATASET_FEATURES;
    d->hashes[d->features] = hash;
    d->table[at] = (uint32_t)++d->features;
    return d->table[at] - 1;
}

static rc_t make_room(dataset_t *d, size_t n)
{
    if (d->id_count + n <= d->id_cap)
        return RC_OK;
    size_t cap = (d->id_cap + n) * 2;
    uint32_t *ids = realloc(d->ids, cap * sizeof *ids);
    if (!ids)
        return RC_MEMORY;
    d->ids = ids;
    d->id_cap = cap;
    return RC_OK;
}

static rc_t keep(dataset_t *d, const example_t *e, const features_t *f, bool target)
{
    TRY(make_room(d, f->n));
    d->v[d->n++] = (sample_t){e, target, (uint32_t)d->id_count, (uint32_t)f->n};
    for (size_t i = 0; i < f->n; i++) {
        uint32_t id = number_of(d, f->v[i].hash);
        if (id == DATASET_FEATURES)
            return RC_LIMIT;
        d->ids[d->id_count++] = id;
    }
    return RC_OK;
}

/* Headlines have one unit; of what is longer only the first one is learned from. */
static rc_t add_example(dataset_t *d, arena_t *a, const example_t *e)
{
    tokens_t tokens;
    reading_t r;
    features_t f;
    places_t places = {0};
    unit_t units[ENGINE_TOKENS / 8];
    arena_reset(a);
    TRY(engine_tokenize(a, e->text, &tokens));
    if (tokens.n == 0 || tokens.n > sizeof units / sizeof *units)
        return RC_OK;
    TRY(reading_open(a, tokens, &r));
    rules_run(&r);
    TRY(reading_weigh(a, &r));
    TRY(features_open(a, &r, &f));
    if (str_is_set(e->entity))
        TRY(target_find(a, &tokens, (str_list_t){&e->entity, 1}, &places));
    engine_units(&tokens, units);
    while (places.n > 0 && places.v[places.n - 1].to >= units[0].to)
        places.n--;
    if (str_is_set(e->entity) && places.n == 0)
        return RC_OK;
    features_of(&f, units[0], places);
    return keep(d, e, &f, places.n > 0);
}

static rc_t add_file(dataset_t *d, corpus_file_t *c)
{
    arena_t *a = arena_new(ARENA_BYTES);
    rc_t rc = a ? RC_OK : RC_MEMORY;
    for (size_t i = 0; rc == RC_OK && i < c->n; i++)
        rc = add_example(d, a, &c->v[i]);
    arena_free(a);
    return rc;
}

static rc_t read_files(const char *dir, const char *drills, dataset_t *d)
{
    static const char *const NAMES[] = {"sentfin", "twitter-financial"};
    for (int i = 0; i < 2; i++) {
        char path[4096];
        int n = snprintf(path, sizeof path, "%s/%s/train.csv", dir, NAMES[i]);
        if (n < 0 || (size_t)n >= sizeof path)
            return RC_LIMIT;
        TRY(corpus_read(path, (corpus_t)i, &d->files[i]));
    }
    return corpus_read(drills, CORPUS_DRILLS, &d->files[CORPUS_DRILLS]);
}

rc_t dataset_read(const char *dir, const char *drills, dataset_t *out)
{
    *out = (dataset_t){0};
    TRY(read_files(dir, drills, out));
    size_t examples = 0;
    for (int i = 0; i < CORPORA; i++)
        examples += out->files[i].n;
    out->v = calloc(examples, sizeof *out->v);
    out->hashes = calloc(DATASET_FEATURES, sizeof *out->hashes);
    out->table = calloc(TABLE, sizeof *out->table);
    if (!out->v || !out->hashes || !out->table)
        return RC_MEMORY;
    TRY(make_room(out, IDS_FIRST));
    for (int i = 0; i < CORPORA; i++)
        TRY(add_file(out, &out->files[i]));
    return RC_OK;
}

void dataset_free(dataset_t *d)
{
    for (int i = 0; i < CORPORA; i++)
        corpus_free(&d->files[i]);
    free(d->v);
    free(d->ids);
    free(d->hashes);
    free(d->table);
    *d = (dataset_t){0};
}
