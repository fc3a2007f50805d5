/* Sealing: what is encrypted so that nobody reads it and nobody changes it (AES-256-GCM, NIST SP
 * 800-38D). A sealed text is a random nonce of 12 bytes, the encrypted bytes, a tag of 16. */
#ifndef JOSE_SEAL_H
#define JOSE_SEAL_H

#include "core/arena.h"
#include "core/ports.h"

enum { SEAL_KEY_BYTES = 32, SEAL_NONCE_BYTES = 12, SEAL_TAG_BYTES = 16 };
/** How much longer than its plain text a sealed one is. */
enum { SEAL_EXTRA_BYTES = SEAL_NONCE_BYTES + SEAL_TAG_BYTES };

/** Seals `plain` (may be empty, at most LIMIT_SEAL_BYTES) into the arena. `ad` is sealed with it
 * and not in it: whoever opens must name the same. One key is good for 2^32 texts, as the nonces
 * are random (section 8.3). RC_MALFORMED: the key has not SEAL_KEY_BYTES; RC_LIMIT, RC_MEMORY,
 * RC_IO. Any thread. */
rc_t jose_seal(arena_t *a, random_port_t random, str_t key, str_t ad, str_t plain,
               str_t *out) MUST_USE;
/** Opens into the arena; the plain text is wiped with it. RC_MALFORMED: not sealed by this key, not
 *  for this `ad`, changed, too short or too long. RC_MEMORY, RC_IO. Any thread. */
rc_t jose_open(arena_t *a, str_t key, str_t ad, str_t sealed, str_t *out) MUST_USE;

#endif
