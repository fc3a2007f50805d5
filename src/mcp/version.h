/* The revisions of the Model Context Protocol this server speaks. */
#ifndef MCP_VERSION_H
#define MCP_VERSION_H

#include "core/buf.h"
#include "core/str.h"

/** All of the handshake era (initialize, sessions). Newest first. A tool server says the same in
 *  each: members that came later (title, outputSchema, structuredContent) are unknown ones to older
 *  clients, whose schemas allow them. Of 2025-03-26 batches are left out, which the next revision
 *  took back: no client of that age sent them, and each call has to be judged by itself. */
typedef struct {
    str_t name; /* "2025-11-25" */
} mcp_version_t;

/** The table; *n rows, newest first. Static. */
const mcp_version_t *mcp_versions(size_t *n);
/** NULL when the revision is not spoken here. */
const mcp_version_t *mcp_version_find(str_t name);
/** What initialize answers: the asked revision if spoken, else the newest (lifecycle, "Version
 *  negotiation"). Never NULL. */
const mcp_version_t *mcp_version_negotiate(str_t asked);
/** The revision of a request without MCP-Protocol-Version header: 2025-03-26, as the transport
 *  section of 2025-06-18 and later says. Never NULL. */
const mcp_version_t *mcp_version_assumed(void);

#endif
