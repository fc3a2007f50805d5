/* The key-encryption key: what the keys of the store are encrypted under. The one place where a
 * key_record_t's secret is sealed and opened. No I/O. */
#ifndef AS_KEK_H
#define AS_KEK_H

#include "core/arena.h"
#include "core/ports.h"
#include "model/records.h"

/** Zero: there is none, and the store's keys are plain. A name without a key: it is in another
 * process (vault.h). The bytes belong to whoever read them. */
typedef struct {
    str_t key;  /* SEAL_KEY_BYTES, hidden; unset: none here */
    str_t name; /* what key_record_t.sealed_by says: short, tells two keys apart, and not what it is
                 */
} as_kek_t;

/** Of what a file or variable holds: 32 bytes as they are, or as base64, base64url or hexadecimal
 *  with whitespace around it. Copied into the arena and wiped with it. RC_MALFORMED: none of these,
 *  or 32 bytes that are the hexadecimal of only 16. */
rc_t as_kek_read(arena_t *a, str_t bytes, as_kek_t *out) MUST_USE;

/** The first record that is sealed under another key than `kek` (or under any, if there is none);
 *  NULL: all can be opened. */
const key_record_t *as_kek_misfit(const as_kek_t *kek, const key_record_t *records, size_t n);
/** A signing key that is plain where another record is sealed; NULL: there is none. A server that
 *  has a key seals all records at once, so this one was put there by somebody else. */
const key_record_t *as_kek_planted(const key_record_t *records, size_t n);
/** The records with their secrets plain, in the arena; wiped with it. A record that is not sealed
 *  stays as it is. RC_CONFIG: as_kek_misfit; RC_MALFORMED: changed since it was sealed. */
rc_t as_kek_open(arena_t *a, const as_kek_t *kek, const key_record_t *records, size_t n,
                 const key_record_t **out) MUST_USE;
/** A plain record as it is to be stored: sealed, if there is a key. Bound to kid and use: a sealed
 *  secret under another name does not open. RC_CONFIG: the key is in another process. */
rc_t as_kek_seal(arena_t *a, const as_kek_t *kek, random_port_t random, const key_record_t *plain,
                 key_record_t *out) MUST_USE;

#endif
