/* The keeper: the one thread that owns the children of one upstream, their sessions and their
 * streams. Internal to the room's child files. Nothing here is locked: whoever is not on this
 * thread speaks through child_desk.h. It is a thread of its own because the kernel ends a child
 * with the thread that started it (PR_SET_PDEATHSIG), because a shared child serves the callers of
 * all workers, and because reading a hostile child's megabytes must not hold up a worker. */
#ifndef PROXY_CHILD_KEEPER_H
#define PROXY_CHILD_KEEPER_H

#include <uv.h>

#include "core/map.h"
#include "http/rate.h"
#include "proxy/child_desk.h"
#include "proxy/child_pipes.h"
#include "proxy/child_router.h"
#include "proxy/child_stderr.h"
#include "proxy/child_stream.h"
#include "proxy/upstream_child.h"

enum {
    CHILD_TICK_MS = 100,
    CHILD_YOUNG_MS = 400,    /* then a request is answered as a stream */
    CHILD_STALL_MS = 2000,   /* so long a full stream may hold up a shared child */
    CHILD_KEEP_MS = 300000,  /* so long an ended stream can be read again */
    CHILD_CHANNELS_MAX = 16, /* ended streams of a session that are kept */
    CHILD_BAD_MAX = 100,     /* malformed lines in a minute; then the child is ended */
    CHILD_MINUTE_MS = 60000,
    CHILD_WAITERS_MAX = 256,        /* requests that wait for a child to start */
    CHILD_SESSIONS_PER_CALLER = 64, /* of a shared child; of others half of max_children */
    CHILD_DELAY_MS = 500,           /* after a first failure; doubles */
    CHILD_DELAY_MAX_MS = 30000,
    CHILD_SOUND_MS = 60000, /* who has lived so long does not count as failing at once */
    CHILD_SPARE_MS = 30000, /* so long the child that was asked for its era is kept unused */
    CHILD_HEALED_MS = 1000, /* who has lived so long, started to see whether any can, is well */
    CHILD_FLIGHTS_PER_CALLER = 256, /* of the requests that a shared child works at */
    CHILD_DESKS_MAX = 256,          /* workers */
    CHILD_URIS_MAX = 64,            /* subscriptions of a session of a shared child */
    CHILD_SCRATCH_BYTES = 64 << 20, /* for one message, above its own length */
};

/** child_reasons.def */
typedef enum {
    CHILD_REASON_NONE,
#define CHILD_REASON(name, audit, good, text) CHILD_REASON_##name,
#include "proxy/child_reasons.def"
#undef CHILD_REASON
} child_reason_t;

typedef struct child child_t;
typedef struct child_session child_session_t;
typedef struct child_keeper child_keeper_t;

/** Where the messages of one request, or of a session's GET, go. */
typedef struct child_channel {
    struct child_channel *next; /* of its session, or of the keeper's stateless ones */
    child_session_t *session;   /* NULL: stateless, nothing is kept */
    child_t *child;
    child_flight_t *flight; /* NULL: answered, or the channel of GET */
    upstream_call_t *call;  /* who listens; NULL: nobody */
    bool streams;           /* events with ids went out */
    uint64_t sent;          /* the place of the last one */
    int64_t ended_ms;
    child_stream_t stream;
} child_channel_t;

/** Of the handshake era. */
struct child_session {
    char id[CHILD_SESSION_ID_BYTES + 1];
    child_session_t *prev, *next;
    child_t *child;
    char *who; /* owned */
    size_t who_n;
    child_channel_t get; /* number 0 */
    child_channel_t *channels;
    uint32_t last_number;
    unsigned calls; /* open ones */
    bool opened;    /* initialize was answered */
    int64_t used_ms;
    struct {
        char *p; /* owned */
        size_t n;
    } uris[CHILD_URIS_MAX];
    size_t n_uris;
};

typedef enum {
    CHILD_PROBED,  /* asked for its era */
    CHILD_SPARE,   /* that is known; nobody uses it yet */
    CHILD_OPENING, /* our initialize is under way, of a shared one */
    CHILD_READY,
    CHILD_ENDING,
} child_state_t;

struct child {
    child_keeper_t *keeper;
    child_t *prev, *next;
    child_pipes_t *pipes;
    child_router_t *router;
    child_state_t state;
    bool
        stateless; /* it is used so, or has begun so: many keep to the era of their first message */
    child_flight_t *own; /* our own question */
    char *who;           /* owned: a stateless one's caller; NULL: all */
    size_t who_n;
    char *opened; /* owned: the initialize result of a shared one */
    size_t opened_n;
    child_session_t *session; /* whose it is alone */
    unsigned calls;           /* open ones */
    unsigned full;            /* of those, held up */
    unsigned bad;
    int64_t bad_ms, started_ms, deadline_ms, used_ms, full_ms;
    child_reason_t reason; /* why it was ended by us */
    child_stderr_t stderr_lines;
};

/** What is known of the program. */
typedef enum {
    CHILD_ERA_UNKNOWN,
    CHILD_ERA_HANDSHAKE,
    CHILD_ERA_STATELESS,
    CHILD_ERA_BOTH
} child_era_t;

struct child_keeper {
    atomic_uint refs; /* of states of the settings whose upstream it is */
    upstream_child_config_t config;
    conf_child_t conf;
    str_t directory, path;
    arena_t *settings; /* of the two above */
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t tick;
    child_inbox_t inbox;
    atomic_bool stop, ready;
    atomic_bool running;        /* the workers went on when they let go of this */
    pthread_mutex_t quiet_lock; /* guards the two below */
    pthread_cond_t changed;
    bool quiet;                           /* nothing borrowed is used any more */
    bool left;                            /* who stopped it has seen that */
    bool detached;                        /* it ends and frees itself; set before stop */
    child_desk_t *desks[CHILD_DESKS_MAX]; /* each is set by its worker alone, and sent in a call */
    child_desk_t *known[CHILD_DESKS_MAX]; /* the keeper's own list */
    size_t n_known;
    bool stopping;
    bool assumed; /* the era is */
    bool proven;  /* a child has answered a caller's initialize */
    child_era_t era;
    bool speaks_ours; /* CHILD_STATELESS is among its versions */
    bool modern_only; /* it names no version of the handshake, and has refused one */
    char *supported;  /* owned: JSON list of the versions it named; NULL: none */
    size_t supported_n;
    child_t *children;
    size_t n_children;
    map_t *sessions;
    child_session_t *session_list;
    upstream_call_t *calls;
    size_t waiters;
    unsigned fails;
    int64_t not_before_ms, swept_ms;
    http_rate_t *starts, *starts_of;
    arena_t *scratch; /* for one message */
};

int64_t child_now(const child_keeper_t *k);

/* child_thread.c */
void child_list_call(child_keeper_t *k, upstream_call_t *call);
void child_unlist_call(child_keeper_t *k, upstream_call_t *call);
void child_record(child_keeper_t *k, child_reason_t reason, str_t detail);

/* child_start.c: processes. */
/** A child for `who`; the spare one first, if it has not begun in the other era. NULL: not now, ask
 * again in *retry_s. */
child_t *child_start(child_keeper_t *k, str_t who, bool stateless, uint32_t *retry_s);
/** Asks a new child for its era. */
bool child_probe(child_keeper_t *k, uint32_t *retry_s);
/** Asks for the handshake in our own name. */
bool child_open_shared(child_t *c);
/** Ends it, with what it is asked. */
void child_end(child_t *c, child_reason_t reason);
void child_started_well(child_t *c);
/** Counts a failure: the next start has to wait. */
void child_failed(child_keeper_t *k);
/** Starts one where none is known to work, so that readiness comes back without a request. */
void child_heal(child_keeper_t *k);
/** What is due for it. */
void child_look_at(child_t *c);

/* child_era.c: the answers to our own questions. */
void child_take_own(child_t *c, const child_line_t *line);
/** No answer came in time, or it ended over the question. */
void child_own_silent(child_t *c, bool ended);

/* child_dispatch.c: requests. */
void child_dispatch(child_keeper_t *k, upstream_call_t *call);
/** Looks again at all that wait. */
void child_dispatch_waiting(child_keeper_t *k);
void child_cancelled(child_keeper_t *k, upstream_call_t *call);

/* child_answer.c: what goes out. */
void child_refuse(child_keeper_t *k, upstream_call_t *call, mcp_error_t e, str_t data);
void child_refuse_busy(child_keeper_t *k, upstream_call_t *call, uint32_t retry_s);
/** A whole answer; `type` unset: without a body. */
void child_reply(child_keeper_t *k, upstream_call_t *call, const child_event_t *head, str_t body);
/** The answer breaks off. */
void child_break(child_keeper_t *k, upstream_call_t *call, http_outbound_end_t how);
/** A message on the way; begins the stream where needed. False: nobody is or will be there. */
bool child_channel_say(child_channel_t *ch, str_t text);
void child_channel_answer(child_channel_t *ch, str_t text, int64_t code);
/** The stream ends without an answer. */
void child_channel_end(child_channel_t *ch);
void child_channel_begin(child_channel_t *ch);
/** GET: attaches, and gives again what came after place `after`. */
void child_channel_attach(child_channel_t *ch, upstream_call_t *call, uint64_t after);
/** `call` listens from now on. */
void child_channel_join(child_channel_t *ch, upstream_call_t *call);
/** Who listened is gone. */
void child_channel_detach(child_channel_t *ch);

/* child_session.c */
child_channel_t *child_channel_new(child_t *c, child_session_t *session);
void child_channel_free(child_channel_t *ch);
child_session_t *child_session_new(child_keeper_t *k, child_t *c, const child_ask_t *ask);
child_session_t *child_session_find(child_keeper_t *k, str_t id);
/** Ends it with its streams, and its child where that is its own. */
void child_session_end(child_keeper_t *k, child_session_t *s, child_reason_t reason);
bool child_session_is_of(const child_session_t *s, str_t who);
void child_sessions_of(child_t *c, void (*fn)(child_session_t *s, void *arg), void *arg);
/** Makes room for one more of that caller. False: there is none. */
bool child_session_room(child_keeper_t *k, str_t who);
void child_session_sweep(child_keeper_t *k);
bool child_session_has_uri(const child_session_t *s, str_t uri);
bool child_session_add_uri(child_session_t *s, str_t uri);
void child_session_drop_uri(child_session_t *s, str_t uri);

/* child_deliver.c: what a child says. */
void child_take_line(child_t *c, str_t line);
void child_count_bad(child_t *c, str_t why);

#endif
