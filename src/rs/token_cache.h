/* Verified tokens that are remembered, so that the second use costs a hash and not a signature.
 * Bounded; locks itself. */
#ifndef RS_TOKEN_CACHE_H
#define RS_TOKEN_CACHE_H

#include "jose/digest.h"
#include "rs/token.h"

typedef struct rs_token_cache rs_token_cache_t;

typedef struct {
    uint8_t b[SHA256_BYTES];
} rs_token_hash_t;

/** SHA-256 over resource and whole token: what was good for another resource is not found, nor is
 *  a token that differs in its last byte. `resource` is a URL, so it has no line end. */
rs_token_hash_t rs_token_hash(str_t resource, str_t token);

/** What is remembered of a token. */
typedef struct {
    rs_principal_t who;
    size_t server;
    uint64_t keys;        /* generation of the issuer's keys it was verified with */
    uint64_t revocations; /* generation of its list that it was looked up in */
    int64_t exp_ms;       /* the caller's own; that of who is what it is kept for */
} rs_remembered_t;

/** Room for about `tokens`. NULL without memory. */
rs_token_cache_t *rs_token_cache_new(size_t tokens);
/** NULL is fine. */
void rs_token_cache_free(rs_token_cache_t *c);
/** Finds a token that has not expired: now_ms < exp, without any leeway. *out lives in the arena.
 *  The caller compares the generation. Any thread. */
bool rs_token_cache_get(rs_token_cache_t *c, arena_t *a, const rs_token_hash_t *hash,
                        int64_t now_ms, rs_remembered_t *out);
/** Remembers a copy; may forget another token for it, or do nothing without memory. Any thread. */
void rs_token_cache_put(rs_token_cache_t *c, const rs_token_hash_t *hash, int64_t now_ms,
                        const rs_remembered_t *what);

#endif
