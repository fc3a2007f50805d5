/* Events of a stream (HTML Living Standard, section 9.2), cut into pieces: a message may be longer
 * than what a connection takes at once. Pure. */
#ifndef MCP_HTTP_EVENT_H
#define MCP_HTTP_EVENT_H

#include "core/str.h"
#include "mcp_http/rules.h"

enum { MCP_PIECE_BYTES = 16 << 10 };

/** An event on its way. Borrows the message. */
typedef struct {
    char head[MCP_EVENT_ID_TEXT + 32]; /* up to the message */
    size_t head_n;
    str_t data;
    size_t sent; /* of head, message and end together */
} mcp_event_t;

/** One JSON message; `id` unset: it has none. */
mcp_event_t mcp_event(str_t id, str_t data);
/** The next piece, written to `out`; empty: all is sent. Line ends within the JSON, which are no
 * part of any value, become spaces. */
str_t mcp_event_piece(const mcp_event_t *e, char out[MCP_PIECE_BYTES]);
/** The piece was taken. */
void mcp_event_took(mcp_event_t *e, size_t n);
bool mcp_event_is_sent(const mcp_event_t *e);
/** The first event of a stream that can be come back to: an id without data, and how long to wait.
 */
str_t mcp_event_primer(char out[MCP_PIECE_BYTES], str_t id);
/** What is said before the connection is let go. */
str_t mcp_event_retry(char out[MCP_PIECE_BYTES]);

#endif
