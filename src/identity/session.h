/* Sessions: a browser's login. The browser holds a handle of 256 bits, the store its hash. */
#ifndef IDENTITY_SESSION_H
#define IDENTITY_SESSION_H

#include "core/arena.h"
#include "core/ports.h"
#include "model/effect.h"

/** Seconds. */
typedef struct {
    int64_t idle;     /* setting session_idle */
    int64_t lifetime; /* setting session_lifetime */
} identity_session_times_t;

/** What a login is made of. */
typedef struct {
    const random_port_t *random;
    identity_session_times_t times;
    str_t user_id;           /* borrowed */
    str_t acr;               /* how the person signed in (oauth/acr.h); unset: unknown */
    int64_t auth_time;       /* seconds; 0: now */
    const session_t *before; /* the session that the browser came with; NULL: none */
    int64_t now;             /* seconds */
} identity_session_login_t;

/** A fresh secret handle ("wss_" and 256 bits) in the arena; for the session cookie, and for the
 *  browser cookie of cookie.h. RC_MEMORY, or what the random port answers. */
rc_t identity_session_handle(arena_t *a, const random_port_t *random, str_t *out) MUST_USE;
/** Whether `text` has the form of a handle: only then is it worth a look into the store. */
bool identity_session_is_handle(str_t text);
/** SHA-256, under which the session is stored. */
hash_t identity_session_hash(str_t handle);

/**
 * Signs in: always a new session under a new handle, and the one before ends, so that nobody can
 * fix a session for somebody else (RFC 9700 has no word on it; OWASP ASVS 7.2.4). Adds
 * SESSION_DELETE and SESSION_INSERT to `effects`; *session (may be NULL) is the new one, in the
 * arena. auth_time is now, for max_age and prompt=login.
 */
rc_t identity_session_begin(arena_t *a, const identity_session_login_t *login, effects_t *effects,
                            const session_t **session, str_t *handle) MUST_USE;
/** Whether it has neither ended nor idled away; NULL is not live. A clock that went back does not
 *  bring an ended session to life: times in the future count as now. */
bool identity_session_is_live(const session_t *s, const identity_session_times_t *times,
                              int64_t now);
/** Adds SESSION_TOUCH when the last use was noted more than a minute ago (a write for each request
 *  would be too many); the idle end is that coarse. */
rc_t identity_session_touch(arena_t *a, const session_t *s, int64_t now,
                            effects_t *effects) MUST_USE;

#endif
