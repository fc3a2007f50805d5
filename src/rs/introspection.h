/* Opaque tokens, which say nothing by themselves: their server is asked (RFC 7662), by the thread
 * that refreshes, for all requests that wait. Answers are remembered for a while, both kinds;
 * without an answer nobody is let in. Tokens are kept only while their question is open, and wiped.
 * Ages are monotonic milliseconds. */
#ifndef RS_INTROSPECTION_H
#define RS_INTROSPECTION_H

#include "rs/token_cache.h"

typedef struct rs_introspection rs_introspection_t;

/** Borrows the settings and the ports. NULL without memory. */
rs_introspection_t *rs_introspection_new(const rs_settings_t *s, const warder_rs_ports_t *ports);
/** NULL is fine. */
void rs_introspection_free(rs_introspection_t *i);
/** Where to ask, as the metadata says (copied); the first place stays. Any thread. */
void rs_introspection_found(rs_introspection_t *i, str_t uri);

typedef enum {
    RS_ASKED_ACTIVE,   /* *who is filled */
    RS_ASKED_INACTIVE, /* not active, or not for us */
    RS_ASKED_WAIT,     /* the question is noted: refresh */
    RS_ASKED_FULL,     /* too many are asked about: come again */
    RS_ASKED_AWAY,     /* there is no answer to be had just now */
} rs_asked_t;

/** Who wants to know. What is open for long has fewer places, which are its own: thousands of
 *  streams keep no caller out, and callers keep no stream from being looked at. */
typedef enum { RS_ASKER_CALLER, RS_ASKER_STREAM } rs_asker_t;

/** What is known of a token of that hash; notes the question where nothing is. *who lives in the
 *  arena. Any thread; does not block. */
rs_asked_t rs_introspection_look(rs_introspection_t *i, arena_t *a, const rs_token_hash_t *hash,
                                 str_t token, rs_asker_t asker, rs_principal_t *who);
/** Asks all that is noted. One thread asks; the others wait for it. Any thread; blocks. */
void rs_introspection_refresh(rs_introspection_t *i, int64_t now_ms);

#endif
