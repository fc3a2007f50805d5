/* A model file, as it is and with its digest and count set right: what opens gives answers. */
#include "engine_run.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AT_USED = 16, AT_DIGEST = 40 };

static void must(bool good)
{
    if (!good)
        abort();
}

static void put(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static void mend(uint8_t *p, size_t n)
{
    uint32_t used = 0;
    for (size_t at = MODEL_HEADER; at + MODEL_SLOT_BYTES <= n; at += MODEL_SLOT_BYTES)
        used += (p[at + 2] | p[at + 3]) != 0;
    put(p + AT_USED, used, 4);
    put(p + AT_DIGEST, model_digest(str_of(p + MODEL_HEADER, n - MODEL_HEADER)), 8);
}

static void answer(const uint8_t *p, size_t n)
{
    model_t m;
    sentiment_t s;
    str_t name = STR("Acme");
    rc_t rc = model_open(str_of(p, n), &m);
    must(rc == RC_OK || rc == RC_MALFORMED || rc == RC_LIMIT);
    arena_t *a = rc == RC_OK ? arena_new(ENGINE_ARENA_BYTES) : NULL;
    for (size_t names = 0; a && names < 2; names++) {
        rc = engine_run(&m, a, STR("Acme profit rose 5%, Beta fell"), (str_list_t){&name, names},
                        &s);
        double sum = s.probability[0] + s.probability[1] + s.probability[2];
        must(rc == RC_OK && sum > 0.999999 && sum < 1.000001);
        must(s.score >= -1 && s.score <= 1);
    }
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    answer(data, size);
    if (size < MODEL_HEADER || size > MODEL_BYTES_MOST)
        return 0;
    uint8_t *copy = malloc(size);
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    mend(copy, size);
    answer(copy, size);
    free(copy);
    return 0;
}
