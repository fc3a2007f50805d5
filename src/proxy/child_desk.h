/* How workers and the keeper's thread hand things to each other. A call's request goes in by a
 * note, its answer comes back as events in order; nothing else is shared. */
#ifndef PROXY_CHILD_DESK_H
#define PROXY_CHILD_DESK_H

#include <pthread.h>
#include <stdatomic.h>

#include "proxy/child_ask.h"

enum {
    /* A child is not read while a call has more than this unread; twice as much as a client may
     * keep waiting (LIMIT_HTTP_STREAM_BYTES). */
    CHILD_QUEUE_BYTES = 512 << 10,
    CHILD_QUEUE_LOW_BYTES = 128 << 10,
    CHILD_SESSION_ID_BYTES = 32, /* hexadecimal: 128 bits */
};

typedef struct child_desk child_desk_t;
typedef struct child_inbox child_inbox_t;

/** A piece of an answer; owned by the queue it is in. */
typedef struct child_event {
    struct child_event *next;
    int status; /* of the head, which comes first; 0: none */
    str_t type; /* static; unset: no body */
    char session[CHILD_SESSION_ID_BYTES + 1];
    uint32_t retry_s; /* Retry-After; 0: none */
    bool whole;       /* the body is `bytes`: its length is said */
    bool ends;
    http_outbound_end_t how;
    size_t n;
    const char *bytes; /* behind the event */
} child_event_t;

typedef enum {
    CHILD_NOTE_START,
    CHILD_NOTE_CANCEL,
    CHILD_NOTE_DRAINED,
    CHILD_NOTE_NUDGE
} child_note_kind_t;

/** A word to the keeper; embedded in a call or a desk, so that it needs no memory. */
typedef struct child_note {
    struct child_note *next;
    child_note_kind_t kind;
    void *about; /* the call or the desk */
    bool queued;
} child_note_t;

/** What the keeper knows of a call; child_keeper.h. Its thread only. */
struct child_channel;
typedef struct {
    upstream_call_t *prev, *next; /* of all calls that are open */
    struct child_channel *channel;
    int64_t since_ms;
    bool listed, waits, streams, over, full;
} child_call_state_t;

struct upstream_call {
    atomic_int refs;
    arena_t *arena;
    child_ask_t ask; /* read-only once it is sent */
    child_desk_t *desk;
    /* the worker's thread */
    http_outbound_events_t out;
    bool paused, closed;
    /* desk->lock */
    child_event_t *first, *last;
    size_t queued;
    bool full; /* the keeper waits for CHILD_NOTE_DRAINED */
    bool hot;  /* in desk->hot */
    upstream_call_t *hot_next;
    /* notes; inbox->lock */
    child_note_t start, cancel, drained;
    child_event_t end; /* for when there is no memory for another */
    child_call_state_t state;
};

/** One worker's side. Made by its worker; ends with the port, or with the last post to its worker
 * that has not run yet. */
struct child_desk {
    atomic_int refs;
    pthread_mutex_t lock; /* guards `hot`, `posted`, and the queues of its calls */
    upstream_call_t *hot, **hot_end;
    bool posted, gone;
    post_port_t post;
    child_inbox_t *inbox;
    child_note_t nudge; /* inbox->lock */
};

/** The keeper's side. */
struct child_inbox {
    pthread_mutex_t lock;
    child_note_t *first, **end;
    void (*wake)(void *ctx); /* any thread */
    void *ctx;
    bool closed;
};

void child_inbox_init(child_inbox_t *inbox, void (*wake)(void *ctx), void *ctx);
void child_inbox_free(child_inbox_t *inbox);
/** The oldest note, or NULL. The keeper's thread. */
child_note_t *child_inbox_take(child_inbox_t *inbox);

child_desk_t *child_desk_new(child_inbox_t *inbox, post_port_t post);
/** Nothing is told or posted any more. NULL is fine. The keeper's thread, or after it. */
void child_desk_close(child_desk_t *desk);
/** After child_desk_close, when the worker uses the port no more. NULL is fine. */
void child_desk_free(child_desk_t *desk);

/** The worker's thread: */
void child_call_send(upstream_call_t *call);
void child_call_pause(upstream_call_t *call);
void child_call_resume(upstream_call_t *call);
void child_call_cancel(upstream_call_t *call);

/** The keeper's thread: hands an event over. `body` may be unset. True: the call has more than it
 * may keep waiting, and its drained note will come. */
bool child_call_push(upstream_call_t *call, const child_event_t *head, str_t body);
/** Wakes the desk's worker, where something waits. RC_BUSY: its queue is full, call again soon. */
rc_t child_desk_wake(child_desk_t *desk);

/** Any thread. */
void child_call_ref(upstream_call_t *call);
void child_call_unref(upstream_call_t *call);

#endif
