/* Tokens of providers that came before RFC 9068: the claims that stand elsewhere, and how an access
 * token is told from an ID token. Pure. */
#ifndef RS_DIALECT_H
#define RS_DIALECT_H

#include "rs/token.h"

/** Puts client_id and scope where the dialect has them into token->claims; what has another type
 *  than it should refuses the token (token->reason). RC_MEMORY. */
rc_t rs_dialect_apply(arena_t *a, const rs_dialect_t *d, rs_token_t *token) MUST_USE;
/** What `aud` may be. Where the token has none and the dialect has another claim for it, that claim
 *  becomes token->claims.aud, and only the audiences that were named for the server count. */
str_list_t rs_dialect_audiences(const rs_server_t *server, const rs_token_t *token);
/** Whether header and claims say that it is an access token. Without a dialect: yes, as the type
 *  alone decides (jose/jwt.h). */
bool rs_dialect_is_access_token(const rs_dialect_t *d, const rs_token_t *token);

#endif
