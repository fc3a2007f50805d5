/* A registration in as few bytes as can be: what a sealed client id holds (sealed_client.h). */
#ifndef OAUTH_SEALED_CONTENT_H
#define OAUTH_SEALED_CONTENT_H

#include "core/arena.h"
#include "model/records.h"

/** Writes what a stranger can register: metadata and created_at. RC_LIMIT when it is longer than
 *  LIMIT_CLIENT_ID_BYTES, RC_MEMORY. */
rc_t oauth_sealed_content_write(arena_t *a, const client_t *client, str_t *out) MUST_USE;
/** Reads it into a blank client; the texts live in the arena. RC_MALFORMED: not ours, or of a
 *  version that is not known yet; RC_MEMORY. */
rc_t oauth_sealed_content_read(arena_t *a, str_t content, client_t *client) MUST_USE;

#endif
