/* What a link is made of. A call is what somebody asked for; an exchange is one HTTP request made
 * for it: a call that is refused or resumed has several, one after another. The link's thread does
 * all that follows from answers and from time; the agent's thread only fills inboxes; workers wait
 * for tokens. Within the files of link.h. */
#ifndef MCP_CLIENT_LINK_STATE_H
#define MCP_CLIENT_LINK_STATE_H

#include "core/limits.h"
#include "mcp/sse.h"
#include "mcp_client/link.h"

#include <pthread.h>

enum { LINK_WHY_BYTES = 256, LINK_CALL_ARENA_BYTES = LIMIT_MCP_CLIENT_MESSAGE_BYTES + (1 << 20) };

typedef struct link_call link_call_t;
typedef struct link_exchange link_exchange_t;

typedef enum { LINK_SEND, LINK_LISTEN, LINK_DELETE, LINK_STREAM } link_kind_t;

typedef enum {
    LINK_HELD,    /* until notifications/initialized has arrived */
    LINK_BUSY,    /* a worker has it, or waits for it */
    LINK_OPEN,    /* its exchange is under way */
    LINK_WAITING, /* for the time to resume */
    LINK_SEEKING, /* link_old.c: for the endpoint that it will go to */
    LINK_POSTED,  /* link_old.c: taken; the answer comes on the stream */
} link_state_t;

/* The head of an answer, in its exchange's arena. */
typedef struct {
    int status;
    str_t content_type, session, location, nonce;
    str_list_t challenges;
} link_head_t;

struct link_call {
    /* Set once. */
    mcp_link_t *link;
    arena_t *a;
    link_kind_t kind;
    uint64_t tag;
    str_t json, id, method, operation;
    str_t progress; /* its token, raw JSON; unset: none */
    const mcp_version_t *version;
    mcp_fields_t fields;
    bool probe;
    str_t session; /* that it bears; unset: none */

    /* Under the link's lock. */
    link_call_t *next;     /* of those that somebody waits for */
    link_call_t *next_job; /* of those that wait for a worker, or for the link's thread */
    bool listed, told;
    unsigned refs;
    link_state_t state;
    link_exchange_t *x;
    int64_t due;     /* OPEN, POSTED: how long silence may last; WAITING: until when. 0: for ever */
    int64_t latest;  /* POSTED: the end of what talk about other things postpones */
    uint64_t stream; /* of link_old.c: that it belongs to; 0: none */

    /* Of whoever has it: a worker while BUSY, else the link's thread. */
    bool refused;    /* the worker's job: 401 or 403 */
    link_head_t why; /* of it, in why_a */
    arena_t *why_a;
    unsigned tries;
    uint64_t token; /* generation */
    bool resuming, went_well, was_open;
    unsigned resumes; /* that brought nothing */
    int64_t retry_ms, opened_at;
    size_t event_id_n;
    char event_id[MCP_SSE_ID_BYTES];
    mcp_link_failure_t failure;
};

typedef enum { LINK_BODY_NONE, LINK_BODY_EVENTS, LINK_BODY_JSON, LINK_BODY_TEXT } link_body_t;

struct link_exchange {
    mcp_link_t *link;

    /* Under the link's lock. */
    link_exchange_t *prev, *next, *next_ready;
    link_call_t *call; /* NULL: nobody waits for it any more */
    unsigned refs;     /* of whoever started it, and of the agent */
    uint64_t http;
    bool started, unwanted, queued, paused, to_resume, ended, has_head, failed;
    int64_t drain_due; /* until when it may end by itself, for its connection to be used again */
    arena_t *a;
    link_head_t head;
    char *in;
    size_t in_n, in_cap;
    http_agent_end_t end;
    char why[LINK_WHY_BYTES];

    /* Of the link's thread. */
    bool head_seen;
    link_body_t body;
    mcp_sse_t sse;
    char *text;
    size_t text_n, text_cap, text_max;
};

struct mcp_link {
    mcp_link_config_t config; /* url in `a` */
    arena_t *a;
    arena_t *scratch; /* of the link's thread: one message */
    pthread_t thread;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed, some_job;
    bool stopping;
    link_call_t *calls;
    size_t n_calls;
    link_call_t *gate, *listener, *stream;
    uint64_t last_stream; /* the number of the newest; 0: there was none */
    str_t endpoint;       /* that it named; malloc'ed; unset: none, and messages go to the URL */
    link_exchange_t *exchanges, *ready, *ready_last;
    link_call_t *jobs, *jobs_last, *told, *told_last;
    size_t n_jobs, n_idle, n_workers;
    pthread_t workers[LIMIT_MCP_CLIENT_WORKERS];
    str_t session; /* malloc'ed; unset: none */
    bool lost;     /* the server forgot it, and there is no new one yet */
    const mcp_version_t *version;
};

static inline void link_lock(mcp_link_t *l)
{
    pthread_mutex_lock(&l->lock);
}

static inline void link_unlock(mcp_link_t *l)
{
    pthread_mutex_unlock(&l->lock);
}

int64_t link_now(void);

/* link_call.c: calls, with the lock held. */

/** A call with one reference, of the caller. NULL without memory. No lock needed. */
link_call_t *link_call_new(mcp_link_t *l, link_kind_t kind);
void link_call_unref(link_call_t *c);
/** The same, without the lock. NULL is fine. */
void link_call_drop(link_call_t *c);
void link_list(link_call_t *c);
/** Nobody waits for it any more. The number of an exchange to cancel once the lock is free, 0:
 * none; `drain`: let it end by itself. */
uint64_t link_unlist(link_call_t *c, bool drain);
/** The exchange goes its own way. As link_unlist. */
uint64_t link_detach(link_call_t *c, bool drain);
uint64_t link_cut(link_exchange_t *x);
/** Forgets the session; the listener goes silently. As link_unlist. */
uint64_t link_forget_session(mcp_link_t *l);

/* link_launch.c: exchanges */

/** Sends it off: at once where no token is to be waited for, else on a worker. Lock held, given up
 * in between. */
void link_begin(link_call_t *c);
/** The call ends: the link's thread will tell. Slices of `why` live with the call, or are static.
 * Lock held. */
void link_tell(link_call_t *c, const mcp_link_failure_t *why);
/** 401 or 403: asks a worker. Lock held. */
void link_ask_again(link_call_t *c);
/** One more thread for tokens. False: there is none at all. Lock held. */
bool link_add_worker(mcp_link_t *l);
/** Takes it from the list, and the list's reference from it. Lock held. */
void link_exchange_end(link_exchange_t *x);

/* link_inbox.c */

http_agent_events_t link_inbox(link_exchange_t *x);

/* link_answer.c: on the link's thread, without the lock. */

void link_on_head(link_exchange_t *x, link_call_t *c);
void link_on_bytes(link_exchange_t *x, link_call_t *c, str_t bytes);
void link_on_end(link_exchange_t *x, link_call_t *c);

/* link_message.c: on the link's thread, without the lock. */

/** Whether an id is the one that was sent (raw JSON). */
bool link_is_id(mcp_link_t *l, str_t mine, const json_t *theirs);
bool link_is_answer(const link_call_t *c, const mcp_message_t *m);
/** One message, or the first of a batch, all checked; in `scratch`. NULL: it is none of both. */
const json_t *link_read_messages(const link_call_t *c, str_t text);
void link_on_messages(link_call_t *c, const json_t *first);
void link_on_events(link_exchange_t *x, link_call_t *c, str_t bytes);

/* link_end.c: on the link's thread, without the lock. */

/** What the functions above said to cancel; 0: nothing. Any thread. */
void link_cancel(mcp_link_t *l, uint64_t http);
/** Whether it was still waited for. `drain`: as of link_unlist. */
bool link_take_away(link_call_t *c, bool drain);
/** It ends without an answer. */
void link_fail(link_call_t *c, const mcp_link_failure_t *why);
void link_fail_with(link_call_t *c, mcp_link_end_t end, int status, str_t detail);
/** 404 to what bore a session's id: that session is gone, for all (MCP 2025-11-25, Streamable HTTP,
 *  "Session Management"). */
void link_lose_session(link_call_t *c);
/** Its stream ended too early: it is resumed later, or fails. */
void link_broke_off(link_call_t *c, const mcp_link_failure_t *why);

/* link_old.c: the transport of 2024-11-05 */

/** An initialize was refused: asks for the stream instead, where that may be why. On the link's
 *  thread, without the lock, like all that follow but where it says so. `words`: for people. */
bool link_seek(link_call_t *c, int status, str_t body, str_t words);
/** The event that names the endpoint; a second one is none. */
void link_on_endpoint(link_call_t *stream, str_t reference);
/** A call goes where the stream says, if there is one. Lock held. */
bool link_join_stream(mcp_link_t *l, link_call_t *c);
/** Where a call's request goes; in `a`. RC_CONFLICT: its stream has ended; RC_MEMORY. Any thread.
 */
rc_t link_target(arena_t *a, const link_call_t *c, str_t *out) MUST_USE;
/** Something came: the server is there, and calls that were posted wait on, up to their `latest`.
 */
void link_touch_posted(link_call_t *stream);
/** A message of the stream: the time of the call whose progress it is begins anew. */
void link_on_progress(link_call_t *stream, const mcp_message_t *m);
/** Whose answer it is, with a reference; NULL: nobody's. */
link_call_t *link_asker_of(link_call_t *stream, const mcp_message_t *m);
/** Whether the head says all there is to say: the server took it. */
bool link_was_posted(link_exchange_t *x, link_call_t *c);
/** 404 where messages go: the server knows the session no longer. */
void link_lose_stream(link_call_t *c);
/** It is unlisted: whoever waits on it is told. */
void link_stream_ended(link_call_t *stream, const mcp_link_failure_t *why);
/** An initialize goes to the URL again. Lock held. */
void link_leave_stream(mcp_link_t *l);
/** Lock held. */
void link_drop_endpoint(mcp_link_t *l);

/* link_thread.c */

void *link_main(void *link);
/** A thread to which no signal comes. */
bool link_start_thread(pthread_t *out, void *(*run)(void *), mcp_link_t *l);

#endif
