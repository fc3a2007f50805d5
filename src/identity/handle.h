/* Secret handles of this room: a prefix that says what it is, and 256 random bits. */
#ifndef IDENTITY_HANDLE_H
#define IDENTITY_HANDLE_H

#include "core/arena.h"
#include "core/ports.h"
#include "model/records.h"

/** A fresh handle in the arena: `prefix` and 43 characters of base64url. RC_MEMORY, or what the
 *  random port answers. */
rc_t identity_handle_new(arena_t *a, const random_port_t *random, str_t prefix,
                         str_t *out) MUST_USE;
/** Whether `text` could have come from identity_handle_new with this prefix. */
bool identity_handle_has_form(str_t text, str_t prefix);
/** SHA-256 of the text; the only thing that is kept. */
hash_t identity_handle_hash(str_t handle);
/** Equality whose time tells nothing of the bytes. */
bool identity_handle_hash_eq(const hash_t *a, const hash_t *b);

#endif
