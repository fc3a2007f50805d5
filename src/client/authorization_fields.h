/* The parameters of an authorization request, for its URL and for a pushed one. */
#ifndef CLIENT_AUTHORIZATION_FIELDS_H
#define CLIENT_AUTHORIZATION_FIELDS_H

#include "client/authorization.h"
#include "client/fields.h"

/** Adds them; they borrow from both. RC_MEMORY. */
rc_t client_authorization_fields(arena_t *a, const client_authorization_want_t *want,
                                 const client_pending_t *pending, client_fields_t *f) MUST_USE;

#endif
