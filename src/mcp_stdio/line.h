/* Bytes of a standard stream to lines: each is one message (MCP 2025-11-25 and 2026-07-28, stdio).
 * Pure; one thread. */
#ifndef MCP_STDIO_LINE_H
#define MCP_STDIO_LINE_H

#include "core/str.h"
#include "mcp/id_scan.h"

enum {
    MCP_LINE_BYTES = MCP_MESSAGE_BYTES, /* of a line, without its end */
    MCP_LINE_KEPT_BYTES = 64 << 10,     /* room that stays between two lines */
};

/** Zeroed is ready; free with mcp_line_clear. */
typedef struct {
    char *p; /* owned: what of a line has come */
    size_t n, cap;
    size_t most;        /* bytes of a line, without its end; 0: MCP_LINE_BYTES */
    bool skipping;      /* the rest of a line that was given up */
    bool lost;          /* which was told already */
    mcp_id_scan_t scan; /* of that line */
} mcp_line_t;

typedef enum {
    MCP_LINE_MORE,     /* the piece is used up */
    MCP_LINE_WHOLE,    /* *line: without its end, LF or CRLF; not empty */
    MCP_LINE_TOO_LONG, /* it was given up, and is over; *line: the id of the request, raw JSON, or
                        * unset where it was none */
    MCP_LINE_LOST,     /* it is given up for want of memory; its rest is passed over */
} mcp_line_step_t;

/** What the next bytes of `piece` make; advances *piece, which may end anywhere. Empty lines are
 * passed over. *line lives until the next call, and until the bytes of the piece go. */
mcp_line_step_t mcp_line_next(mcp_line_t *l, str_t *piece, str_t *line);
/** The stream has ended: what came behind the last end of a line, as a line of its own.
 * MCP_LINE_MORE: nothing did. */
mcp_line_step_t mcp_line_last(mcp_line_t *l, str_t *line);
void mcp_line_clear(mcp_line_t *l);

#endif
