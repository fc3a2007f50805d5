/* A talk with the desktop's secret service (Secret Service API 0.2, org.freedesktop.secrets). Each
 * has a connection of its own, so that it outlives restarts of the service, and threads and forks
 * need no care; it is bounded as a whole, so that nothing hangs. */
#ifndef TOKENS_DESKTOP_H
#define TOKENS_DESKTOP_H

#include "core/secret.h"

enum { DESKTOP_TALK_MS = 5000 /* a service that is started for it takes a second or two */ };

typedef struct desktop_talk desktop_talk_t;

/** Begins a talk that may take most_ms until its end. Connects to the session bus and finds the
 * default collection, unlocked. RC_NOT_FOUND with *why: no bus, no service, no such collection, or
 * only a person could unlock it. RC_MEMORY. One thread; what is said later of failures is *why too,
 * in `a`. */
rc_t desktop_begin(arena_t *a, int64_t most_ms, desktop_talk_t **out, str_t *why) MUST_USE;
/** NULL is fine. */
void desktop_end(desktop_talk_t *t);

/* RC_IO with *why, RC_MEMORY. */

/** The paths of our items; of those with this name, unless it is unset. */
rc_t desktop_find(desktop_talk_t *t, str_t name, str_list_t *out) MUST_USE;
/** The name that an item was put with; unset: none. */
rc_t desktop_name(desktop_talk_t *t, str_t item, str_t *out) MUST_USE;
/** RC_NOT_FOUND: it is gone, or longer than anything we put. */
rc_t desktop_get(desktop_talk_t *t, str_t item, secret_t *out) MUST_USE;
/** Makes an item of this name, or replaces what it holds. */
rc_t desktop_put(desktop_talk_t *t, str_t name, secret_t text) MUST_USE;
rc_t desktop_delete(desktop_talk_t *t, str_t item) MUST_USE;

#endif
