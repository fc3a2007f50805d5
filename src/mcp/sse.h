/* Server-sent events (HTML Living Standard, section 9.2), read and written. Events are read whole,
 * so that what is looked at is what goes on. Pure. */
#ifndef MCP_SSE_H
#define MCP_SSE_H

#include "core/buf.h"

/* An event with all its lines; an id or a type. */
enum { MCP_SSE_EVENT_BYTES = 8 << 20, MCP_SSE_ID_BYTES = 1024 };

typedef enum {
    MCP_SSE_MORE,  /* all bytes are used up */
    MCP_SSE_EVENT, /* *out is one */
    MCP_SSE_BAD,   /* longer than the limits, or not UTF-8: the stream must end */
} mcp_sse_step_t;

/** Slices borrow the reader until its next call. Fields that the standard ignores (an id with NUL,
 * a retry that is no number, unknown names) are not there. */
typedef struct {
    str_t event;      /* its type; unset: message */
    str_t id;         /* unset: the event has none of its own */
    str_t data;       /* lines joined by LF; unset: no data field (a primer, a bare retry) */
    int64_t retry_ms; /* -1: none */
} mcp_sse_event_t;

/** A reader; zeroed is ready. Holds memory only within an event. */
typedef struct {
    char *p; /* owned: the lines of the event so far, comments left out */
    size_t n, cap;
    size_t line;    /* where the current line begins */
    unsigned state; /* of sse.c */
} mcp_sse_t;

/** Eats from the front of *in. Comments are dropped, every line end is taken, and the answer does
 *  not depend on how the bytes were split. RC_MEMORY through *rc, with MCP_SSE_BAD. */
mcp_sse_step_t mcp_sse_next(mcp_sse_t *s, str_t *in, mcp_sse_event_t *out, rc_t *rc);
/** Frees what is held. The stream has ended: an event without its empty line is dropped, as the
 * standard says. */
void mcp_sse_free(mcp_sse_t *s);

/** Appends one event; nothing where nothing is set. `data` with LF becomes several lines; a CR in
 * it, CR or LF in the rest, or NUL in the id fails the builder; so does what is not UTF-8. `data`
 * is JSON: characters at which some readers end a line, although the standard does not (VT, FF, FS,
 * GS, RS, NEL, U+2028, U+2029), go out as the escapes that mean the same in its strings, lest what
 * stands behind one be read as a line of the stream. */
void mcp_sse_write(buf_t *b, const mcp_sse_event_t *event);
/** How many bytes longer data of one line is for its escapes. */
size_t mcp_sse_growth(str_t data);
/** Appends a line of data as mcp_sse_write does, with its escapes, and nothing around it: for who
 *  sends an event in pieces. Exactly mcp_sse_growth bytes longer. */
void mcp_sse_write_line(buf_t *b, str_t line);
/** A comment that keeps the connection open; static. */
str_t mcp_sse_keep_alive(void);

#endif
