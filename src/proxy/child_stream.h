/* One stream of a session as server-sent events, with ids, and the last of them kept for who comes
 * back (MCP 2025-11-25, Transports, "Resumability and Redelivery"). Pure; one thread. */
#ifndef PROXY_CHILD_STREAM_H
#define PROXY_CHILD_STREAM_H

#include "core/rc.h"
#include "core/str.h"

enum {
    CHILD_REPLAY_EVENTS = 64,
    CHILD_REPLAY_BYTES = 128 << 10, /* of a stream; the newest event is kept however long it is */
    CHILD_EVENT_ID_BYTES = 48,
    CHILD_PRIMER_BYTES = 128,
    CHILD_RETRY_MS = 1000, /* how soon a client may come back */
};

/** Zeroed, but for its number, is ready. */
typedef struct {
    uint32_t number; /* within its session; 0 is that of GET */
    uint64_t last;   /* the newest event's place; 0: none yet */
    struct {
        char *p; /* owned: the whole event */
        size_t n;
    } kept[CHILD_REPLAY_EVENTS]; /* a ring by place */
    size_t count, bytes;
} child_stream_t;

/** Makes an event of one line of JSON, and keeps it. *event lives until it is forgotten, at least
 *  until the next call. RC_MALFORMED: not one line of UTF-8; RC_MEMORY. */
rc_t child_stream_add(child_stream_t *s, str_t text, str_t *event) MUST_USE;
/** The first event of a connection, without data: its id is that of place `at`, so that a client
 *  that loses the connection comes back to there. Into `room` of CHILD_PRIMER_BYTES. */
str_t child_stream_primer(const child_stream_t *s, uint64_t at, char *room);
/** The events behind place `after`, oldest first: start with *at = after; false: no more. */
bool child_stream_next(const child_stream_t *s, uint64_t *at, str_t *event);
/** Reads an event id of a stream. False: it is none. */
bool child_event_read(str_t id, uint32_t *number, uint64_t *place);
/** Forgets and frees all. */
void child_stream_clear(child_stream_t *s);

#endif
