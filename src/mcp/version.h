/* The revisions of the Model Context Protocol that are spoken here. */
#ifndef MCP_VERSION_H
#define MCP_VERSION_H

#include "core/buf.h"
#include "core/str.h"

/** How client and server talk. */
typedef enum {
    MCP_ERA_HANDSHAKE, /* up to 2025-11-25: initialize, sessions, GET stream */
    MCP_ERA_STATELESS, /* 2026-07-28: every request says all there is to know */
} mcp_era_t;

/** Newest first. A tool server of our own offers those of the handshake era and says the same in
 *  each: members that came later (title, outputSchema, structuredContent) are unknown ones to older
 *  clients, whose schemas allow them. Kinds of content are not: 2025-03-26 gets no links. Of
 * 2025-03-26 batches are left out, which the next revision took back: no client of that age sent
 * them, and each call has to be judged by itself. The gateway reads all rows. */
typedef struct {
    str_t name; /* "2025-11-25" */
    mcp_era_t era;
} mcp_version_t;

typedef struct {
    const mcp_version_t *v;
    size_t n;
} mcp_versions_t;

/** The table, newest first. Static. */
mcp_versions_t mcp_versions(void);
/** Its rows of the handshake era: what initialize may negotiate. Static. */
mcp_versions_t mcp_versions_handshake(void);
/** The other ones: what a request may state of itself. Static. */
mcp_versions_t mcp_versions_stateless(void);
/** NULL when the revision is not among them. */
const mcp_version_t *mcp_version_find(mcp_versions_t among, str_t name);
/** What a server's initialize has negotiated, as clients take it: one of the handshake era, or
 * 2024-11-05, which is not offered here but said in the same words (servers that were never renewed
 * answer with it). NULL: unknown here. */
const mcp_version_t *mcp_version_of_server(str_t name);
/** What initialize answers: the asked revision if it is one of the handshake era, else the newest
 * of them (lifecycle, "Version negotiation"). Never NULL. */
const mcp_version_t *mcp_version_negotiate(str_t asked);
/** The revision of a request without MCP-Protocol-Version header: 2025-03-26, as the transport
 *  section of 2025-06-18 and later says. Never NULL. */
const mcp_version_t *mcp_version_assumed(void);
/** The data member of an unsupported-version error: {"supported":[…],"requested":…}. Clients of
 *  revision 2026-07-28 read it to try another one. Unset without memory. */
str_t mcp_unsupported_data(arena_t *a, mcp_versions_t spoken, str_t asked);

#endif
