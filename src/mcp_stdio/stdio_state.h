/* The parts of a standard stream that is served. Private to the room; the thread that serves. */
#ifndef MCP_STDIO_STDIO_STATE_H
#define MCP_STDIO_STDIO_STATE_H

#include "mcp_stdio/line.h"
#include "mcp_stdio/posts.h"
#include "mcp_stdio/stdio.h"

typedef struct mcp_stdio mcp_stdio_t;

/** Messages that share the channel: of one call, or of the session. */
typedef struct mcp_lane {
    mcp_stdio_t *s;
    struct mcp_lane *next, **link; /* all lanes of calls */
    struct mcp_lane *after;        /* the next one that may have something */
    bool queued;
    mcp_reader_t *reader;
    warder_mcp_call_t *call; /* one reference; NULL: of the session */
    char *id;                /* of the request, raw JSON; owned */
    size_t id_n;
    bool standing; /* it ends when the client wants it: nobody waits for it at the end */
} mcp_lane_t;

struct mcp_stdio {
    warder_mcp_t *m;
    mcp_stdio_config_t config;
    mcp_posts_t *posts;
    mcp_session_t *session;
    mcp_line_t line;
    bool input_ended, broken; /* nobody writes; nobody reads */
    bool stopped;             /* the server has */
    rc_t failed;              /* sticky */
    mcp_lane_t *lanes;
    size_t lane_count, standing_count;
    mcp_lane_t general;               /* of the session */
    mcp_lane_t *first, **last;        /* lanes that may have something */
    char *out;                        /* owned: what waits to be written */
    size_t out_first, out_n, out_cap; /* bytes from out_first to out_n */
};

/* stdio_out.c */
/** A line: one message. Line ends within, which JSON has between its tokens only, become spaces. */
void mcp_stdio_put(mcp_stdio_t *s, str_t message);
size_t mcp_stdio_unread(const mcp_stdio_t *s);
/** Moves messages from the lanes to the line of bytes, while there is room. */
void mcp_stdio_gather(mcp_stdio_t *s);
/** Writes what can be written without waiting. */
void mcp_stdio_write(mcp_stdio_t *s);

/* stdio_lane.c */
/** Of a call that is running: its outbox, and the raw id of its request. RC_MEMORY. */
rc_t mcp_lane_open(mcp_stdio_t *s, warder_mcp_call_t *call, mcp_outbox_t *outbox,
                   const mcp_operation_t *op) MUST_USE;
/** The lane of the session. RC_MEMORY, and what attaching fails with. */
rc_t mcp_lane_open_general(mcp_stdio_t *s) MUST_USE;
/** Takes no more of it. */
void mcp_lane_close(mcp_lane_t *lane);
/** Cancels the call with that id, if there is one. */
void mcp_lane_cancel(mcp_stdio_t *s, str_t id);
/** All calls but those that stand: the server ends these with what they are due. */
void mcp_lane_cancel_all(mcp_stdio_t *s);
void mcp_lane_close_all(mcp_stdio_t *s);
/** It may have something: once more at the end of the queue. */
void mcp_lane_queue(mcp_lane_t *lane);
/** The first of the queue; NULL: it is empty. */
mcp_lane_t *mcp_lane_next(mcp_stdio_t *s);

/* stdio_in.c */
/** Bytes of the client. */
void mcp_stdio_take(mcp_stdio_t *s, str_t piece);
/** What came without an end, when the input has ended. */
void mcp_stdio_take_last(mcp_stdio_t *s);

#endif
