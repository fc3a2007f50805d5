/* The server's signing keys as a snapshot, and the decision when they change. */
#ifndef JOSE_KEYRING_H
#define JOSE_KEYRING_H

#include "core/secret.h"
#include "jose/jwk.h"
#include "jose/signer.h"

typedef enum {
    KEYRING_NEXT,    /* published, not used yet */
    KEYRING_CURRENT, /* signs */
    KEYRING_RETIRED, /* published until what it signed has expired */
} keyring_state_t;

/** A key as the store holds it. Times are Unix seconds. */
typedef struct {
    str_t kid;
    alg_t alg;
    keyring_state_t state;
    secret_t pkcs8;
    str_t
        spki; /* in place of pkcs8, where the private half is in another process: for keyring_new */
    int64_t created_at;
    int64_t activated_at; /* became current; 0: never */
    int64_t retired_at;   /* 0: not yet */
} keyring_record_t;

/** A new key for `alg` in state `state`, as a record in the arena; its kid is its thumbprint. Slow
 *  for RSA. RC_MEMORY, RC_IO. */
rc_t keyring_record_make(arena_t *a, alg_t alg, keyring_state_t state, int64_t now,
                         keyring_record_t *out) MUST_USE;

/** A read-only snapshot, reference-counted; any thread. */
typedef struct keyring keyring_t;

/** Builds a ring with one reference; borrows nothing. RC_MALFORMED: a key that cannot be read, two
 *  current keys, or a kid twice; RC_LIMIT: more than LIMIT_JWKS_KEYS; RC_MEMORY, RC_IO. */
rc_t keyring_new(const keyring_record_t *records, size_t n, keyring_t **out) MUST_USE;
keyring_t *keyring_ref(keyring_t *ring);
/** NULL is fine. */
void keyring_unref(keyring_t *ring);
/** The key that signs now, or NULL. Borrowed from the ring, as below. */
const jwk_t *keyring_current(const keyring_t *ring);
/** All keys: for signer_local_new, and for verifying one's own tokens with jwks_find. */
const jwks_t *keyring_keys(const keyring_t *ring);
/** The published document {"keys":[...]}: next, current and retired keys, public members only. */
str_t keyring_document(const keyring_t *ring);

/** What rotation obeys. Seconds. */
typedef struct {
    alg_t alg;              /* what new keys are made for */
    int64_t token_lifetime; /* the longest life of anything signed */
    int64_t cache_age;      /* how long others may keep the published document */
    int64_t rotate_every;   /* age at which the current key is replaced; 0: only on demand */
    bool rotate_now;        /* somebody asked for it */
} keyring_policy_t;

typedef enum {
    KEYRING_MAKE_CURRENT, /* make a key and use it at once: there is none, so nobody has a cache */
    KEYRING_MAKE_NEXT,    /* make a key and publish it */
    KEYRING_PROMOTE,      /* next becomes current */
    KEYRING_RETIRE,       /* current becomes retired */
    KEYRING_DELETE,       /* forget it */
} keyring_step_kind_t;

typedef struct {
    keyring_step_kind_t kind;
    str_t kid; /* which; unset for the two that make a key. Borrowed from the records */
} keyring_step_t;

enum { KEYRING_STEPS_MAX = 72 };

/** Steps in the order they must be applied, all in one transaction. */
typedef struct {
    keyring_step_t v[KEYRING_STEPS_MAX];
    size_t n;
    int64_t next_at; /* when to ask again, Unix seconds; 0: no need before somebody asks */
} keyring_plan_t;

/**
 * Which keys change state at `now`. Pure. A new key is published for cache_age before it signs; a
 * retired one stays for token_lifetime + cache_age + the leeway of a minute; a next key of another
 * algorithm than the policy's, which has signed nothing, is deleted and made anew.
 */
void keyring_plan(const keyring_record_t *records, size_t n, const keyring_policy_t *policy,
                  int64_t now, keyring_plan_t *out);

#endif
