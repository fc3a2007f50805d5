/* A text from anywhere, as either kind of key; what is taken is written in one spelling, which
 * reads back as the same key. */
#include "jose/pem.h"

#include <stdlib.h>

static void check_round_trip(arena_t *a, const jose_key_t *key, bool is_private)
{
    str_t text, again;
    jose_key_t *back = NULL;
    rc_t rc = is_private ? pem_private_write(a, key, &text) : pem_public_write(a, key, &text);
    if (rc == RC_LIMIT || rc == RC_MEMORY)
        return;
    if (rc != RC_OK)
        abort();
    rc = is_private ? pem_private_read(a, text, &back) : pem_public_read(a, text, &back);
    if (rc != RC_OK)
        abort();
    rc = is_private ? pem_private_write(a, back, &again) : pem_public_write(a, back, &again);
    if (rc == RC_OK && !str_eq(text, again))
        abort();
    jose_key_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(1 << 20);
    jose_key_t *key;
    str_t text = str_of(data, size);
    if (pem_private_read(a, text, &key) == RC_OK) {
        check_round_trip(a, key, true);
        check_round_trip(a, key, false);
        jose_key_free(key);
    }
    if (pem_public_read(a, text, &key) == RC_OK) {
        check_round_trip(a, key, false);
        jose_key_free(key);
    }
    arena_free(a);
    return 0;
}
