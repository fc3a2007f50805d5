/* Scopes: one grammar for the authorization server, the gateway and the resource server library.
 *
 * A scope token is that of RFC 6749 section 3.3; ':' cuts it into segments. In a granted token a
 * segment that is just '*' is a wildcard: an inner one stands for exactly one segment, a last one
 * for one or more, never for none. A needed token holds no wildcard: there '*' is a character like
 * any other that only an equal grant covers. Nothing else is implied: `openid` is not `openid.x`,
 * and `files` is not `files:read`. */
#ifndef OAUTH_SCOPE_H
#define OAUTH_SCOPE_H

#include "core/arena.h"

/** Whether s is one scope token: printable ASCII without space, '"' and '\'. */
bool oauth_scope_is_token(str_t s);
/** Whether s is scope tokens with single spaces between them (RFC 6749 section 3.3). */
bool oauth_scope_is_valid(str_t s);
/** Takes the next token off *rest; spaces are passed over. False when there is none. */
bool oauth_scope_next(str_t *rest, str_t *token);
/** Whether `scope` holds nothing but openid, profile, email and offline_access, which clients ask
 * for by habit; so does an unset one. */
bool oauth_scope_is_habit(str_t scope);
/** Whether the list `scope` names exactly `token`. */
bool oauth_scope_has(str_t scope, str_t token);
/** Whether the token has a wildcard segment, to be marked where people consent. */
bool oauth_scope_is_wildcard(str_t token);
/** Whether the granted token holds the needed token. */
bool oauth_scope_token_covers(str_t granted, str_t needed);
/** Whether the granted list holds every token of the needed list. Nothing needed is held by
 *  anything. */
bool oauth_scope_covers(str_t granted, str_t needed);

/** What a request wrote, in one form: each token once, in order, single spaces between (spaces
 *  around and between are forgiven). In the arena; unset when there is no token. RC_MALFORMED: a
 *  character that no scope has; RC_LIMIT: over LIMIT_SCOPE_TOKENS or LIMIT_SCOPE_BYTES; RC_MEMORY.
 */
rc_t oauth_scope_parse(arena_t *a, str_t text, str_t *out) MUST_USE;
/** The tokens of a list as they stand, single spaces between; unset when there is none. RC_LIMIT:
 *  over LIMIT_SCOPE_BYTES; RC_MEMORY. */
rc_t oauth_scope_of_words(arena_t *a, str_list_t words, str_t *out) MUST_USE;
/** The tokens of `asked` that `allowed` holds, in the order asked; unset when there is none. */
rc_t oauth_scope_narrow(arena_t *a, str_t asked, str_t allowed, str_t *out) MUST_USE;
/** The tokens of both, each once, those of `first` first; unset when there is none. */
rc_t oauth_scope_union(arena_t *a, str_t first, str_t second, str_t *out) MUST_USE;

#endif
