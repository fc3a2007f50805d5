/* The server's keys between store and key ring: records to and fro, and the effects of a rotation.
 * No I/O: the caller asks, applies and tries again on conflict. */
#ifndef AS_KEYS_H
#define AS_KEYS_H

#include "as/vault.h"
#include "conf/conf.h"
#include "core/ports.h"
#include "jose/keyring.h"
#include "model/effect.h"

/** The signing keys among the records (plain), for keyring_new. RC_IO: a record names no known
 *  algorithm. */
rc_t as_keys_signing(arena_t *a, const key_record_t *records, size_t n, keyring_record_t **out,
                     size_t *n_out) MUST_USE;
/** The current key for derivations, copied into the arena and wiped with it. RC_NOT_FOUND. */
rc_t as_keys_derive(arena_t *a, const key_record_t *records, size_t n, str_t *out) MUST_USE;

/** A key that client ids are sealed under (jose/seal.h). */
typedef struct {
    str_t kid;
    str_t key; /* SEAL_KEY_BYTES, hidden */
} as_seal_key_t;

/** Those of the server: the first seals, all of them open. */
typedef struct {
    const as_seal_key_t *v;
    size_t n;
} as_seal_keys_t;

/** The keys for sealing among the records (plain): the current one, then retired ones. Copied into
 *  the arena and wiped with it. RC_NOT_FOUND: none is current; RC_IO: one of wrong length. */
rc_t as_keys_sealing(arena_t *a, const key_record_t *records, size_t n,
                     as_seal_keys_t *out) MUST_USE;

/** How to rotate. */
typedef struct {
    const conf_t *conf;
    random_port_t random;
    int64_t now;       /* seconds */
    bool rotate_now;   /* an administrator asked: publish a new key now */
    bool at_once;      /* and use it at once, though others may not have seen it (a key leaked) */
    bool keep_clients; /* with at_once: what was sealed may still be opened */
    as_kek_t kek;      /* what the records are sealed under, and are to be */
    const as_vault_t *vault;     /* who opens and makes them; NULL: this process */
    const resource_t *resources; /* whose tokens may live longer than the setting says */
    size_t n_resources;
} as_keys_policy_t;

/** By what the policy opens records and makes them. */
as_opener_t as_keys_opener(const as_keys_policy_t *policy);

/** The records as the store has them. */
typedef struct {
    const key_record_t *v;
    size_t n;
} as_keys_t;

/** What must change now. RC_CONFLICT on apply: another process was faster, ask and plan again. */
typedef struct {
    effects_t effects; /* none: nothing */
    str_t about;       /* a sentence for the trail */
    int64_t next_at;   /* when to look again, seconds; 0: not by itself */
} as_keys_plan_t;

/** Whether as_keys_plan would change anything, without making keys; else *next_at is as there.
 * RC_CONFIG likewise. */
rc_t as_keys_due(arena_t *a, const as_keys_t *keys, const as_keys_policy_t *policy, bool *due,
                 int64_t *next_at) MUST_USE;

/** What the policy changes. Makes keys: slow for RSA. RC_CONFIG: a record is sealed under another
 *  key. RC_LIMIT: rotate_now, but as many keys are published as fit; retired ones must go first. */
rc_t as_keys_plan(arena_t *a, const as_keys_t *keys, const as_keys_policy_t *policy,
                  as_keys_plan_t *out) MUST_USE;

/** What seals all records anew under policy->kek, in one effect; opened are they with `old` (zero:
 *  they are plain). None when all are. With a vault signing keys that are plain are deleted: it
 *  takes no private key from this side. RC_CONFIG: one is sealed under a third key, or
 * as_kek_planted. */
rc_t as_keys_reseal(arena_t *a, const as_keys_t *keys, const as_kek_t *old,
                    const as_keys_policy_t *policy, as_keys_plan_t *out) MUST_USE;

typedef enum {
    AS_KEYS_REMOVED,
    AS_KEYS_UNKNOWN, /* there is no key of that kid */
    AS_KEYS_ALONE,   /* it signs, and no other is published that could */
    AS_KEYS_IN_USE,  /* it derives or seals: only as_keys_plan with at_once replaces it */
} as_keys_removal_t;

typedef struct {
    as_keys_removal_t verdict; /* no AS_KEYS_REMOVED: there are no effects */
    effects_t effects;
    str_t about;
} as_removal_t;

/** What removes the key `kid` now. Where it signs, the key published next takes its place at once.
 */
rc_t as_keys_remove(arena_t *a, const as_keys_t *keys, str_t kid, int64_t now,
                    as_removal_t *out) MUST_USE;

#endif
