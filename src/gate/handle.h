/* Session and event ids as clients get them: the upstream's own id under a MAC that binds it to who
 * got it. Nothing is stored, and nobody can use, guess or fix another's. Pure. */
#ifndef GATE_HANDLE_H
#define GATE_HANDLE_H

#include "gate/principal.h"

typedef enum { GATE_HANDLE_SESSION, GATE_HANDLE_EVENT } gate_handle_kind_t;

enum {
    GATE_HANDLE_KEY_BYTES = 32,
    GATE_HANDLE_SESSION_BYTES = 256, /* of a value that names a session, */
    GATE_HANDLE_VALUE_BYTES = 520,   /* and of one that names an event */
    GATE_HANDLE_BYTES = 768,
};

/** What an id is good for, beside its principal (issuer, subject, client). */
typedef struct {
    gate_handle_kind_t kind;
    str_t upstream; /* its path */
    str_t session;  /* of an event: the upstream's session id; else unset */
} gate_handle_scope_t;

/** The id to give out: base64url of the upstream's, a dot, 128 bits of HMAC-SHA256. RC_LIMIT: the
 *  upstream's is empty, too long, or has other than visible ASCII (events: any UTF-8). */
rc_t gate_handle_make(arena_t *a, str_t key, const gate_handle_scope_t *scope,
                      const gate_principal_t *who, str_t value, str_t *out) MUST_USE;
/** The upstream's id again. RC_NOT_FOUND: not ours, changed, or somebody else's. */
rc_t gate_handle_open(arena_t *a, str_t key, const gate_handle_scope_t *scope,
                      const gate_principal_t *who, str_t handle, str_t *out) MUST_USE;

#endif
