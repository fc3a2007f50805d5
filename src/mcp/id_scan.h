/* The id of a request whose text is too long to be parsed, so that its sender can be told: eats it
 * piece by piece and keeps no more than the id. Pure; one thread. */
#ifndef MCP_ID_SCAN_H
#define MCP_ID_SCAN_H

#include "mcp/rpc.h"

/** Zeroed is ready. */
typedef struct {
    unsigned depth;
    bool began, string, escape; /* within a text, behind a backslash */
    bool at_key, key, value;    /* a key may come; is read; the id's value is read */
    bool bad, method;
    unsigned ids;
    char word[8];
    size_t word_n;
    char id[MCP_ID_BYTES];
    size_t id_n;
} mcp_id_scan_t;

void mcp_id_scan(mcp_id_scan_t *s, str_t piece);
/** Raw JSON: of an object with a method and exactly one id that may be one (JSON-RPC 2.0, section
 * 4; no null, no fraction). Borrows *s. Unset: it is no such request. */
str_t mcp_id_scanned(const mcp_id_scan_t *s);

#endif
