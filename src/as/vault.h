/* The server's keys behind a wall: the key that they are encrypted under, and private keys that
 * sign, are in another process, which opens, makes and uses them for this one. Where there is none
 * (NULL), this process does the same by itself, with an as_kek_t. */
#ifndef AS_VAULT_H
#define AS_VAULT_H

#include "as/kek.h"
#include "jose/keyring.h"

/** All calls: any thread, and they wait for the answer. RC_IO: the other process is gone. */
typedef struct {
    /* What a sealed record holds, in the arena: of KEY_SIGN the public half (SubjectPublicKeyInfo),
     * of the others the key itself, wiped with it. From then on `sign` knows it. RC_CONFIG: sealed
     * under another key, or not at all; RC_MALFORMED: changed since; RC_LIMIT. */
    rc_t (*open)(void *ctx, arena_t *a, const key_record_t *sealed, str_t *out);
    /* All that are in the store have been opened: others may be forgotten, and nothing plain is
     * sealed any more. */
    rc_t (*settle)(void *ctx);
    /* As as_vault_make, but for sealed_by. */
    rc_t (*make)(void *ctx, arena_t *a, key_record_t *r);
    /* As as_kek_seal, but for sealed_by; RC_CONFIG after `settle`, and for KEY_SIGN ever. */
    rc_t (*seal)(void *ctx, arena_t *a, const key_record_t *plain, key_record_t *out);
    /* Of signer_port_t. RC_CONFIG: it is nothing that this server signs. */
    rc_t (*sign)(void *ctx, const sign_request_t *req, signature_t *out);
    void *ctx;
} as_vault_t;

/** The keys of the store, and how they are opened. */
typedef struct {
    const as_vault_t *vault; /* NULL: this process */
    as_kek_t kek;            /* with a vault the name alone */
    random_port_t random;
} as_opener_t;

/** The records with their secrets plain, as as_kek_open; with a vault those of KEY_SIGN are public
 *  halves (as_vault_public). */
rc_t as_vault_open(arena_t *a, const as_opener_t *o, const key_record_t *records, size_t n,
                   const key_record_t **out) MUST_USE;
/** Makes a key for r->use and r->alg, sealed where there is a key for that: sets kid, secret and
 *  sealed_by. Slow for RSA. RC_MALFORMED: no such algorithm. */
rc_t as_vault_make(arena_t *a, const as_opener_t *o, key_record_t *r) MUST_USE;
/** A plain record as it is to be stored; one that is sealed stays as it is. */
rc_t as_vault_seal(arena_t *a, const as_opener_t *o, const key_record_t *r,
                   key_record_t *out) MUST_USE;
/** Says of records that a vault opened that they are public halves. */
void as_vault_public(keyring_record_t *records, size_t n);

#endif
