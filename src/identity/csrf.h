/* Whether a form was sent from the page that we showed to this browser.
 *
 * Two checks, both must pass: where the request says it comes from, and a token that only our page
 * held. The token is a MAC of what it binds, so nothing is stored; and it is masked with fresh
 * random bytes, so that it never appears twice alike in a page that somebody compresses on the way
 * (the BREACH attack). */
#ifndef IDENTITY_CSRF_H
#define IDENTITY_CSRF_H

#include "core/arena.h"
#include "core/ports.h"

/** A form. SETUP, LOGIN, FORWARD and DEVICE come before there is a session: bind them to the
 * browser cookie, also when there is a session, so that nobody is signed in to a stranger's account
 * (login CSRF). The others bind to the session cookie. */
typedef enum {
    IDENTITY_CSRF_SETUP,
    IDENTITY_CSRF_LOGIN,
    IDENTITY_CSRF_CONSENT,
    IDENTITY_CSRF_LOGOUT,
    IDENTITY_CSRF_REVOKE,
    IDENTITY_CSRF_DEVICE,
    IDENTITY_CSRF_FORWARD, /* to the provider that people may sign in at */
    IDENTITY_CSRF_COUNT
} identity_csrf_form_t;

/** What a token binds; all borrowed. */
typedef struct {
    str_t key; /* the server's derive key, at least 32 bytes */
    identity_csrf_form_t form;
    str_t binding; /* value of the cookie; unset: no token fits */
    str_t subject; /* what the form decides on: the interaction's handle, else empty */
} identity_csrf_t;

/** A token for one page, in the arena. RC_MEMORY, RC_MALFORMED (no binding), or what the random
 *  port answers. */
rc_t identity_csrf_token(arena_t *a, const random_port_t *random, const identity_csrf_t *csrf,
                         str_t *out) MUST_USE;
/** Whether `token` (unset: the form had none) belongs to `csrf`. Constant time. */
bool identity_csrf_check(const identity_csrf_t *csrf, str_t token);

/**
 * Whether a POST may come from where it says: `origin` and `fetch_site` are the headers Origin and
 * Sec-Fetch-Site (unset when absent), `own` is public_url. Our pages send both ("same-origin"
 * referrer policy, web/headers.h); old browsers may send neither, then the token alone decides.
 * The three names of this machine count as one host when public_url is one of them.
 */
bool identity_csrf_origin_fits(str_t origin, str_t fetch_site, str_t own);

#endif
