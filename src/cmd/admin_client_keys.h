/* The keys of a client that an administrator adds: it signs, and has no secret. */
#ifndef CMD_ADMIN_CLIENT_KEYS_H
#define CMD_ADMIN_CLIENT_KEYS_H

#include "cmd/admin.h"

/** Whether --jwks or --jwks-uri was given. */
bool admin_client_keys_given(const option_t *rows);
/** Reads them into the client, whose method becomes private_key_jwt (RFC 7523 section 2.2). 0, or
 * an exit code after it has said why. */
int admin_client_keys(admin_t *admin, const option_t *rows, client_t *c);

#endif
