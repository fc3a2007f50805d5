/* A key set from anywhere; what is taken must come out of the writer as it went in. */
#include "jose/jwk.h"

#include <stdlib.h>

static void check_round_trip(arena_t *a, const jwks_t *set)
{
    buf_t b = buf_new(a, 1 << 20);
    json_writer_t w = json_writer(&b);
    jwks_t again;
    if (jwks_write(a, &w, set) != RC_OK)
        abort();
    rc_t rc = jwks_parse(a, buf_str(&b), &again);
    /* Default members make the text longer, which may exceed the limit. */
    if (rc == RC_LIMIT)
        return;
    if (rc != RC_OK || again.n != set->n || again.skipped != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(8 << 20);
    jwks_t set;
    if (jwks_parse(a, str_of(data, size), &set) == RC_OK && set.n > 0)
        check_round_trip(a, &set);
    const json_t *json;
    jwk_t key;
    if (json_parse(a, str_of(data, size), NULL, &json) == RC_OK &&
        jwk_parse_private(a, json, &key) == JWK_OK)
        jwk_free(&key);
    arena_free(a);
    return 0;
}
