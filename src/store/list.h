/* A list of strings in one column: netstrings ("5:hello,0:,"), and "-," for an unset one, so that
 * any bytes and the difference of unset and empty survive. Internal to the driver. */
#ifndef STORE_LIST_H
#define STORE_LIST_H

#include "core/arena.h"

/** *out->p is malloced, the caller's, never NULL on success. RC_MEMORY. */
rc_t store_list_write(str_list_t list, str_t *out) MUST_USE;
/** The slices borrow `bytes`. RC_MALFORMED: no list that store_list_write wrote; RC_MEMORY. */
rc_t store_list_read(arena_t *a, str_t bytes, str_list_t *out) MUST_USE;

#endif
