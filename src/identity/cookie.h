/* Cookies (RFC 6265bis): three of them, written one way and read strictly. */
#ifndef IDENTITY_COOKIE_H
#define IDENTITY_COOKIE_H

#include "core/arena.h"

typedef enum {
    IDENTITY_COOKIE_SESSION,  /* the handle of the login */
    IDENTITY_COOKIE_BROWSER,  /* binds the forms before login (csrf.h); lives an hour */
    IDENTITY_COOKIE_UPSTREAM, /* a sign-in elsewhere that was begun (upstream.h), sealed */
} identity_cookie_t;

enum { IDENTITY_COOKIE_BROWSER_S = 3600, IDENTITY_COOKIE_SEALED_MAX = 1024 };

/** "__Host-warder" over https: only this very host could set it, over TLS, for all paths. "warder"
 *  over http on loopback, where browsers do not take that prefix. Static. */
str_t identity_cookie_name(identity_cookie_t which, bool secure);
/** A Set-Cookie value: HttpOnly, SameSite=Lax, Path=/, no Domain, Max-Age, and Secure over https.
 *  Lax, not Strict: the visit begins at the client's site. `value` is a handle of session.h,
 *  for UPSTREAM base64url of at most IDENTITY_COOKIE_SEALED_MAX; RC_MALFORMED for anything else;
 * RC_MEMORY. */
rc_t identity_cookie_set(arena_t *a, identity_cookie_t which, bool secure, str_t value,
                         int64_t max_age, str_t *out) MUST_USE;
/** A Set-Cookie value that deletes it. RC_MEMORY. */
rc_t identity_cookie_clear(arena_t *a, identity_cookie_t which, bool secure, str_t *out) MUST_USE;
/**
 * The value in the Cookie header (unset: no header), borrowed. Unset when it is absent or
 * cannot be one, and when the name comes more than once: then somebody else has put one beside
 * ours, and there is no telling which is which.
 */
str_t identity_cookie_read(str_t header, identity_cookie_t which, bool secure);

#endif
