/* What token endpoints answered, for a while: tokens, and that there are none. The longest unused
 * makes room. Not locked: its owner is. */
#ifndef PROXY_CREDENTIAL_CACHE_H
#define PROXY_CREDENTIAL_CACHE_H

#include "gate/upstream_token.h"

typedef struct credential_cache credential_cache_t;

typedef struct {
    str_t value; /* a secret; borrowed until the next call */
    gate_token_reason_t reason;
    int64_t since_ms, until_ms; /* monotonic */
} credential_kept_t;

/** NULL without memory. */
credential_cache_t *credential_cache_new(const uint8_t seed[16], size_t max);
/** Wipes all. NULL is fine. */
void credential_cache_free(credential_cache_t *c);
/** NULL: nothing, or no longer. */
const credential_kept_t *credential_cache_get(credential_cache_t *c, str_t key, int64_t now_ms);
/** Copies. Without memory nothing is kept. */
void credential_cache_put(credential_cache_t *c, str_t key, const credential_kept_t *kept);
void credential_cache_drop(credential_cache_t *c, str_t key);

#endif
