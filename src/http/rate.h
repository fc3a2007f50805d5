/* Token buckets keyed by slices, in memory that never grows. */
#ifndef HTTP_RATE_H
#define HTTP_RATE_H

#include "core/rc.h"
#include "core/str.h"

typedef struct http_rate http_rate_t;

/** A bucket holds `burst` tokens and gets one back every `refill_ms`. */
typedef struct {
    uint32_t burst;
    uint32_t refill_ms;
} http_rate_rule_t;

/**
 * Buckets for about `max_keys` keys (rounded up), allocated whole, here. When a row of the table is
 * full, the bucket that is nearest to full makes room: forgetting it forgives least. `seed` (16
 * random bytes) keeps strangers from steering keys into one row. NULL without memory. No lock: one
 * thread, or the caller's lock.
 */
http_rate_t *http_rate_new(const uint8_t seed[16], size_t max_keys, http_rate_rule_t rule);
void http_rate_free(http_rate_t *r);
/** Takes one token of `key` at `now_ms` (monotonic). False: none left, and *retry_after_s (may be
 *  NULL) says in how many whole seconds (at least 1) there is one. */
bool http_rate_take(http_rate_t *r, str_t key, int64_t now_ms, uint32_t *retry_after_s);
/** Like http_rate_take, but takes nothing: asks before the costly work; take only on failure. */
bool http_rate_peek(const http_rate_t *r, str_t key, int64_t now_ms, uint32_t *retry_after_s);
/** Forgets what `key` has used (a success after failures). */
void http_rate_clear(http_rate_t *r, str_t key);

#endif
