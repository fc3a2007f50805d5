/* The signing side of a vault (vault.h): it holds keys and answers frames. Nothing in a frame is
 * trusted. No I/O. */
#ifndef AS_VAULT_ROOM_H
#define AS_VAULT_ROOM_H

#include "as/kek.h"
#include "as/vault_frame.h"
#include "jose/signer.h"

/** Borrowed for the room's life. */
typedef struct {
    as_kek_t kek;          /* with its key */
    jose_key_t *audit_key; /* signs checkpoints; NULL: there is none */
    random_port_t random;
    clock_port_t clock;
} vault_config_t;

/** What all desks share. */
typedef struct vault_room vault_room_t;
/** RC_MEMORY, RC_CONFIG: no key to open with; or RC_MALFORMED: an audit key of another kind. */
rc_t vault_room_new(const vault_config_t *config, vault_room_t **out) MUST_USE;
/** After its desks. NULL is fine. */
void vault_room_free(vault_room_t *room);
/** Thumbprint of the audit key; empty: there is none. */
str_t vault_room_audit_kid(const vault_room_t *room);

/** Answers for one thread: it holds prepared signing contexts. */
typedef struct vault_desk vault_desk_t;
rc_t vault_desk_new(vault_room_t *room, vault_desk_t **out) MUST_USE;
/** NULL is fine. */
void vault_desk_free(vault_desk_t *d);
/** Answers one question, whatever it is, by one frame in `b` (LIMIT_VAULT_FRAME_BYTES of room). */
str_t vault_desk_answer(vault_desk_t *d, str_t question, buf_t *b);

/* Between the two files. */

enum { VAULT_KEYS_MAX = LIMIT_JWKS_KEYS };

/** One thread at a time through its own desk; RC_NOT_FOUND. Drop *key with jose_key_free. */
rc_t vault_room_find(vault_room_t *room, alg_t alg, str_t kid, jose_key_t **key) MUST_USE;
/** Grows when keys were forgotten: whoever has prepared some gives all of them up. */
unsigned vault_room_age(const vault_room_t *room);
/** Opens what a record holds, and of KEY_SIGN keeps it and gives the public half. */
rc_t vault_room_open(vault_room_t *room, arena_t *a, const key_record_t *sealed,
                     str_t *out) MUST_USE;
void vault_room_settle(vault_room_t *room);
bool vault_room_is_settled(const vault_room_t *room);
rc_t vault_room_checkpoint(vault_room_t *room, str_t input, signature_t *out) MUST_USE;
const vault_config_t *vault_room_config(const vault_room_t *room);

#endif
