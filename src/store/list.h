/* A list of strings in one column: netstrings ("5:hello,0:,"), and "-," for an unset one, so that
 * any bytes and the difference of unset and empty survive. Internal to the room. */
#ifndef STORE_LIST_H
#define STORE_LIST_H

#include "core/arena.h"
#include "model/records.h"

/** *out->p is malloced, the caller's, never NULL on success. RC_MEMORY. */
rc_t store_list_write(str_list_t list, str_t *out) MUST_USE;
/** The slices borrow `bytes`. RC_MALFORMED: no list that store_list_write wrote; RC_MEMORY. */
rc_t store_list_read(arena_t *a, str_t bytes, str_list_t *out) MUST_USE;
/** A resource's scopes as such a list: name, text, name, text. */
rc_t store_scopes_write(const resource_t *r, str_t *out) MUST_USE;
/** Fills scopes and n_scopes from a list that was read. */
rc_t store_scopes_read(arena_t *a, str_list_t list, resource_t *r) MUST_USE;

#endif
