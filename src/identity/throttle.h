/* How fast passwords may be guessed: delays that grow with failures, never a lock.
 *
 *   counted by               free   forgiven, one each   then waits   at most
 *   account and address         5         10 min          2 s × 2ⁿ     5 min
 *   account, any address       10          2 min          1 s × 2ⁿ      30 s
 *   address, any account       60           20 s          1 s × 2ⁿ      60 s
 *
 * So a guesser with many addresses has about 3000 guesses a day and account, and one with a single
 * address about 300. Somebody who signed in from an address in the last 30 days is held there by
 * their own mistakes only, not by what strangers do to the account or neighbours at the address;
 * elsewhere the right user waits half a minute at most each time, under attack.
 *
 * An account that does not exist is counted the same, so that the delay tells nothing. A guess is
 * counted before it is made, so that many at once gain nothing. Memory is bounded: when a row of
 * the table is full, the entry that holds back least is forgotten. No lock: the caller's. */
#ifndef IDENTITY_THROTTLE_H
#define IDENTITY_THROTTLE_H

#include "core/rc.h"
#include "core/str.h"

typedef struct identity_throttle identity_throttle_t;

/** Who tries; borrowed. */
typedef struct {
    str_t account; /* normalized user name; unset when what was typed is no name */
    str_t address; /* http_addr_rate_key: IPv4, or the /64 of an IPv6 address */
} identity_throttle_who_t;

typedef enum {
    IDENTITY_ATTEMPT_FITTED, /* the password fits: forgives this account's failures from here */
    IDENTITY_ATTEMPT_FAILED,
    IDENTITY_ATTEMPT_UNDONE, /* the machine failed (pool full, no memory): nothing happened */
} identity_attempt_t;

/** A table for about `max` entries, allocated whole; `seed` is 32 random bytes, so that nobody can
 *  aim at a row. NULL without memory. */
identity_throttle_t *identity_throttle_new(const uint8_t seed[32], size_t max);
void identity_throttle_free(identity_throttle_t *t);
/** Whether `who` may try now (monotonic ms). True: the attempt is counted as failed until
 *  identity_throttle_end tells. False: look at no password, and answer 429 with *retry_after_s. */
bool identity_throttle_begin(identity_throttle_t *t, const identity_throttle_who_t *who,
                             int64_t now_ms, uint32_t *retry_after_s);
/** How the attempt that identity_throttle_begin let through has ended. */
void identity_throttle_end(identity_throttle_t *t, const identity_throttle_who_t *who,
                           identity_attempt_t how, int64_t now_ms);

#endif
