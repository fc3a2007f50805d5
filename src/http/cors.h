/* Which headers a page of another origin may send us (Fetch standard, CORS protocol). Internal to
 * the room. */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "core/arena.h"
#include "http/message.h"

/** The value of Access-Control-Allow-Headers: what browsers of MCP clients send besides the
 *  safelisted fields, and of what the preflight `request` asks for the headers Mcp-Param-NAME, each
 *  of whose names is a tool's own (MCP 2026-07-28, transports). A star would not cover
 *  Authorization. In `a`; without memory only what is static. */
str_t http_cors_allow_headers(arena_t *a, http_headers_t request);

#endif
