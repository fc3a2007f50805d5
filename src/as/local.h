/* This server for a resource server in the same process: its documents and its list of revocations
 * without a connection to itself, and signatures by its current key. Any thread; the calls block
 * for a read of the store at most. */
#ifndef AS_LOCAL_H
#define AS_LOCAL_H

#include "as/as.h"

typedef struct as_local as_local_t;

/** Connects to the store; its keys must be there, and the server must know its issuer. RC_MEMORY,
 *  RC_NOT_FOUND: no key signs; or what the store answers. */
rc_t as_local_new(as_t *as, as_local_t **out) MUST_USE;
/** After the threads that use it, before the store. NULL is fine. */
void as_local_free(as_local_t *l);

/** The document at `url`, which begins with the issuer: metadata, keys, or revocations. Returns the
 *  number of bytes written, or -1: nothing is there, it does not fit, or the store does not answer.
 *  For access_local_t (proxy/access.h). */
int64_t as_local_get(void *local, str_t url, char *body, size_t cap);
/** Signs claims as a JWT of type `typ` with the current key; it lives in `a`. */
rc_t as_local_sign(void *local, arena_t *a, str_t typ, str_t claims, str_t *jwt) MUST_USE;
/** Makes a link for the first account; *link is in the arena. Only while there is no account, and
 *  before the workers start. */
rc_t as_local_open_setup(as_local_t *l, arena_t *a, str_t *link) MUST_USE;
/** Whether the store answers. */
bool as_local_store_answers(as_local_t *l);

#endif
