/* Client metadata (RFC 7591 section 2): JSON into the record of a client, and back. */
#ifndef OAUTH_CLIENT_METADATA_H
#define OAUTH_CLIENT_METADATA_H

#include "core/json.h"
#include "oauth/reason.h"
#include "oauth/settings.h"

/** What a client registers with. */
typedef struct {
    str_t body;
    const json_t *claims; /* of a software statement, and win over the body (RFC 7591 section 2.3);
                           * NULL: none */
} oauth_client_body_t;

/** Reads it; *reason is OAUTH_FINE and *client filled but for id, secret, origin and times, or
 *  *reason says why not. The client lives in the arena and borrows the body. RC_MEMORY. */
rc_t oauth_client_metadata_read(arena_t *a, const oauth_settings_t *settings,
                                const oauth_client_body_t *from, client_t *client,
                                oauth_reason_t *reason) MUST_USE;
/** The same of a client's metadata document, parsed; how it authenticates is chosen already. Grants
 *  that are not offered, or do not fit `auth`, are left out, were it all of them. */
rc_t oauth_client_metadata_of_document(arena_t *a, const oauth_settings_t *settings,
                                       const json_t *document, client_auth_t auth, client_t *client,
                                       oauth_reason_t *reason) MUST_USE;
/** Writes the members of the client's metadata into an object that is open. Absent ones are left
 *  out, never null. */
void oauth_client_metadata_write(json_writer_t *w, const client_t *client);
/** Whether `jwks` is a JWK Set in which every key is sound and public, has a kid of its own, and
 *  brings no certificates to be believed (RFC 7517). Keys of kinds that are not supported pass. */
bool oauth_client_jwks_is_sound(arena_t *a, const json_t *jwks);

#endif
