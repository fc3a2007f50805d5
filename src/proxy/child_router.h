/* The messages between one child and those who ask it: every request gets an id of ours, and what
 * the child says is led back to the one it is for (MCP 2025-11-25 and 2026-07-28, stdio). So two
 * clients with the same id, progress token or subscription never meet. Pure; one thread. */
#ifndef PROXY_CHILD_ROUTER_H
#define PROXY_CHILD_ROUTER_H

#include "proxy/child_ask.h"

enum {
    CHILD_FLIGHTS_MAX = 1024, /* requests that a child works at; a power of two */
    CHILD_QUESTIONS_MAX = 64, /* of a child to clients, unanswered */
};

/** A request that the child has and has not answered. */
typedef struct child_flight {
    int64_t id;       /* ours; 0: free */
    void *owner;      /* the caller's, who waits; NULL: nobody does */
    void *session;    /* the caller's; NULL: none */
    str_t raw, token; /* of the client, as it wrote them; token unset: it wants no progress */
    bool listens;     /* subscriptions/listen */
    char *copy;       /* owned: what raw and token point into */
    size_t next;      /* of the free ones */
} child_flight_t;

typedef struct child_router child_router_t;

child_router_t *child_router_new(void);
/** NULL is fine. */
void child_router_free(child_router_t *r);

/** A place for a request. `raw` and `token` are copied; see child_flight_t. RC_BUSY: the child has
 *  too many; RC_MEMORY. */
rc_t child_router_open(child_router_t *r, const child_ask_t *ask, child_flight_t **out) MUST_USE;
void child_router_close(child_router_t *r, child_flight_t *flight);
/** The line for the child, without its end. `flight` NULL: a notification or response, which goes
 * as it came; a notifications/cancelled names what `session` called so: RC_NOT_FOUND when there is
 *  nothing. */
rc_t child_router_line(child_router_t *r, arena_t *a, const child_ask_t *ask,
                       const child_flight_t *flight, const void *session, str_t *out) MUST_USE;
/** notifications/cancelled for a flight of ours, in `a`. */
rc_t child_router_cancel(arena_t *a, const child_flight_t *flight, str_t *out) MUST_USE;
/** Visits the flights; fn may close the one it is given. */
void child_router_each(child_router_t *r, void (*fn)(void *ctx, child_flight_t *f), void *ctx);
size_t child_router_count(const child_router_t *r);

typedef enum {
    CHILD_LINE_BAD,      /* no message of the protocol; `why`. With `flight`: as its answer */
    CHILD_LINE_LATE,     /* for a request that has ended, or of nobody */
    CHILD_LINE_ANSWER,   /* the last of `flight` */
    CHILD_LINE_NEWS,     /* on the way of `flight` */
    CHILD_LINE_STOP,     /* the child ends the subscription `flight` */
    CHILD_LINE_QUESTION, /* a request of the child */
    CHILD_LINE_DROPPED,  /* the child takes its question `id` back */
    CHILD_LINE_NOTICE,   /* any other notification */
} child_line_kind_t;

/** What a child said. Slices live in the arena or are static. */
typedef struct {
    child_line_kind_t kind;
    child_flight_t *flight;
    str_t text;   /* for the client: with its own id, token, subscription */
    str_t method; /* unset: an answer */
    str_t id;     /* of a question: raw */
    str_t key;    /* of a question: child_id_key */
    str_t uri;    /* of a notice: params.uri; may be unset */
    int64_t code; /* of an answer that is an error; else 0 */
    const json_t *root;
    str_t why; /* of a bad one */
} child_line_t;

/** Reads a line (without its end), at most `max` bytes. RC_MEMORY. */
rc_t child_router_read(child_router_t *r, arena_t *a, str_t line, size_t max,
                       child_line_t *out) MUST_USE;

/** Remembers who was asked; RC_LIMIT: too many questions are open; RC_CONFLICT: an open one has the
 *  same id; RC_MEMORY. */
rc_t child_router_asked(child_router_t *r, str_t key, const void *session) MUST_USE;
/** Whether `session` was asked this and has not answered; not any more then. */
bool child_router_answered(child_router_t *r, str_t key, const void *session);
/** Who was asked, NULL: nobody. */
const void *child_router_whom(child_router_t *r, str_t key);

#endif
