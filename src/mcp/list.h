/* Lists of tools, resources and prompts in a server's answers: what a caller may not use is taken
 * out or marked. What stays keeps its bytes. Pure. */
#ifndef MCP_LIST_H
#define MCP_LIST_H

#include "mcp/operation.h"

typedef enum {
    MCP_LIST_TOOLS,
    MCP_LIST_RESOURCES,
    MCP_LIST_TEMPLATES,
    MCP_LIST_PROMPTS,
    MCP_LIST_NONE,
} mcp_list_kind_t;

enum {
    MCP_LIST_BYTES = 4 << 20,
    MCP_LIST_NODES = 200000,
    MCP_LIST_EVENT_BYTES = 8 << 20, /* of a message that may be one */
    MCP_LIST_EVENT_NODES = 500000,
};

/** The list that a request with this method asks for. */
mcp_list_kind_t mcp_list_kind(str_t method);

typedef struct {
    mcp_list_kind_t kind;
    str_t name;      /* of a tool or prompt; the uri or uriTemplate of a resource */
    const json_t *v; /* the whole entry */
} mcp_item_t;

typedef enum { MCP_ITEM_KEEP, MCP_ITEM_DROP, MCP_ITEM_MARK } mcp_item_verdict_t;

typedef struct {
    mcp_item_verdict_t (*judge)(void *ctx, const mcp_item_t *item);
    void *ctx;
    bool narrows; /* what is shown depends on who asks: cacheScope becomes private */
    /** After the last entry of a list: whether another page follows (nextCursor). NULL: nobody
     * asks.
     */
    void (*end)(void *ctx, bool more);
    bool is_stateless; /* a list of 2026-07-28, in which cacheScope is due also without ttlMs */
} mcp_list_judge_t;

/**
 * Reads one JSON-RPC response to a list request and writes the one to send: entries judged in their
 * order, all other members as they came, raw; with `narrows` cacheScope is "private", also where
 * it is missing and due. A marked entry gets _meta["warder/denied"]: true beside what its _meta
 * held. An error response comes back as it is. RC_MALFORMED: it is no such response (an entry
 * without a name, a list that is no array, a member that is the list only to readers that fold
 * case), and must not be sent. RC_LIMIT, RC_MEMORY. *out lives in `a` or is `response`. `a` needs
 * room for the tree: about 100 bytes a JSON value, and three times the response.
 */
rc_t mcp_list_rewrite(arena_t *a, mcp_list_kind_t kind, str_t response, mcp_list_judge_t judge,
                      str_t *out) MUST_USE;

/** What a server's message on a stream may be taken for, by whoever knows no more than the message:
 *  a resumed stream brings answers to requests of others (MCP 2025-11-25, Streamable HTTP,
 *  "Resumability"), and clients find the request by the id alone. */
typedef struct {
    bool answer;          /* a response, also to readers that fold case */
    mcp_list_kind_t kind; /* by the members of its result */
} mcp_list_guess_t;

/** RC_MALFORMED: no JSON, an array that holds a response, or a result with more than one list.
 *  RC_LIMIT, RC_MEMORY. What holds no object is no answer. */
rc_t mcp_list_guess(arena_t *a, str_t message, mcp_list_guess_t *out) MUST_USE;

#endif
