/* Client ids that hold their whole registration (RFC 7591 appendix A.5.2): whoever registers
 * anonymously leaves no row behind, and an id that was handed out works for as long as the key is
 * there. A row is written when somebody uses the client, and from then on the row counts.
 *
 *   "wrx_" base64url(nonce, AES-256-GCM(registration), tag)
 *
 * The client's secret and its registration access token are derived of the id and the key, so they
 * need no row either. Old keys stay and open what they sealed; where a key had to go, because it
 * leaked, the clients under it are not known any longer and register anew. */
#ifndef OAUTH_SEALED_CLIENT_H
#define OAUTH_SEALED_CLIENT_H

#include "core/arena.h"
#include "core/ports.h"
#include "model/records.h"

/** What the client is told once, in the arena. */
typedef struct {
    str_t secret;     /* unset for public clients */
    str_t management; /* its registration access token (RFC 7592) */
} oauth_sealed_secrets_t;

/** Whether the id is of this kind, by its looks. */
bool oauth_sealed_client_is(str_t id);
/** Seals a registration under keys.v[0] (SEAL_KEY_BYTES) and sets id, sealed, has_secret,
 *  secret_hash and management of `client`. RC_LIMIT: the id would be longer than
 *  LIMIT_CLIENT_ID_BYTES, nothing was set; RC_NOT_FOUND: there is no key; else as jose_seal. */
rc_t oauth_sealed_client_seal(arena_t *a, str_list_t keys, const random_port_t *random,
                              client_t *client, oauth_sealed_secrets_t *out) MUST_USE;
/** Opens an id under one of the keys; *out lives in the arena and is NULL when it is none of ours.
 *  `secrets` may be NULL. RC_MEMORY, RC_IO. */
rc_t oauth_sealed_client_open(arena_t *a, str_list_t keys, str_t id, const client_t **out,
                              oauth_sealed_secrets_t *secrets) MUST_USE;
/**
 * The client of `id`, *out NULL when there is none: its row (NULL: none) where it has one, else
 * what the id holds. A row with deleted_at is nobody. The row of a sealed client whose key is gone
 * is nobody when the client has a secret, and else nobody may manage it: secret and token were
 * derived of a key that leaked. RC_MEMORY, RC_IO.
 */
rc_t oauth_sealed_client_resolve(arena_t *a, str_list_t keys, str_t id, const client_t *row,
                                 const client_t **out) MUST_USE;

#endif
