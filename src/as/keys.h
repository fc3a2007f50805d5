/* The server's keys between store and key ring: records to and fro, and the effects of a rotation.
 * No I/O: the caller asks, applies and tries again on conflict. */
#ifndef AS_KEYS_H
#define AS_KEYS_H

#include "conf/conf.h"
#include "core/ports.h"
#include "jose/keyring.h"
#include "model/effect.h"

/** The signing keys among the records, for keyring_new. RC_IO: a record names no known algorithm.
 */
rc_t as_keys_signing(arena_t *a, const key_record_t *records, size_t n, keyring_record_t **out,
                     size_t *n_out) MUST_USE;
/** The current key for derivations, copied into the arena and wiped with it. RC_NOT_FOUND. */
rc_t as_keys_derive(arena_t *a, const key_record_t *records, size_t n, str_t *out) MUST_USE;

/** How to rotate. */
typedef struct {
    const conf_t *conf;
    random_port_t random;
    int64_t now;     /* seconds */
    bool rotate_now; /* an administrator asked: publish a new key now */
    bool at_once;    /* and use it at once, though others may not have seen it (a key leaked) */
} as_keys_policy_t;

/**
 * What must change now, as effects (none: n is 0); *about is a sentence for the trail, *next_at
 * when to look again (0: not by itself). Makes keys: slow for RSA. RC_CONFLICT on apply: another
 * process was faster, ask and plan again.
 */
rc_t as_keys_plan(arena_t *a, const key_record_t *records, size_t n, const as_keys_policy_t *policy,
                  effects_t *effects, str_t *about, int64_t *next_at) MUST_USE;

#endif
