/* What one worker knows of resources and keys, and the documents made of them. Made anew when the
 * store's generation changes; requests in flight keep the one they began with. */
#ifndef AS_SNAPSHOT_H
#define AS_SNAPSHOT_H

#include "as/keys.h"
#include "jose/keyring.h"
#include "oauth/metadata.h"

struct as_worker;

typedef enum { AS_DOCUMENT_SERVER, AS_DOCUMENT_OPENID, AS_DOCUMENT_JWKS, AS_DOCUMENTS } as_doc_t;

/** A published document. */
typedef struct {
    str_t body, etag;
} as_document_t;

/** Counted; one thread. Everything lives as long as the snapshot. */
typedef struct {
    unsigned refs;
    uint64_t generation;
    arena_t *arena;
    oauth_resources_t resources;
    keyring_t *ring;
    alg_t alg; /* of the key that signs */
    str_t kid;
    signer_local_t *local; /* NULL: a vault signs */
    signer_port_t signer;
    str_t derive_key;         /* OAUTH_DERIVE_KEY_BYTES; wiped at the end */
    as_seal_keys_t seal_keys; /* for client ids: the first seals, all open; wiped at the end */
    as_document_t documents[AS_DOCUMENTS];
} as_snapshot_t;

/** Looks whether w->snapshot is still true, and asks the store when it is not. Until the answer is
 *  there, and when it cannot be had, the one before serves (NULL: there was none). */
void as_snapshot_refresh(struct as_worker *w);
/** Somebody who goes on when the snapshot is the newest, or cannot be had. It must live until then.
 */
typedef struct as_snapshot_waiter {
    struct as_snapshot_waiter *next;
    void (*fn)(void *arg);
    void *arg;
} as_snapshot_waiter_t;
/** Looks, and where the store is being asked lets the waiter wait: fn(arg) later, on this worker.
 *  False: there is nothing to wait for, and fn is not called. */
bool as_snapshot_wait(struct as_worker *w, as_snapshot_waiter_t *waiter) MUST_USE;
/** The first one, waited for, so that no visitor comes before it. Without it none is served until
 *  as_snapshot_refresh has one. */
void as_snapshot_first(struct as_worker *w);
/** The keys that client ids are sealed under as the decisions take them, the one that seals first.
 *  RC_MEMORY. */
rc_t as_snapshot_seal_keys(arena_t *a, const as_snapshot_t *s, str_list_t *out) MUST_USE;
as_snapshot_t *as_snapshot_hold(as_snapshot_t *s);
/** NULL is fine. */
void as_snapshot_release(as_snapshot_t *s);

#endif
