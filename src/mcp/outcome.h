/* What an upstream's message answers and how that ends, told while its bytes pass: whose request it
 * names, whether it is a result, a result of a tool with isError, or an error with its code. No
 * tree is built, and nothing is kept but the id; whatever clients could read in more than one way
 * is unclear. JSON-RPC 2.0 section 5; MCP 2025-11-25, Tools, "Error Handling". Pure. */
#ifndef MCP_OUTCOME_H
#define MCP_OUTCOME_H

#include "core/buf.h"

typedef enum {
    MCP_OUTCOME_NONE, /* no answer: a notification, a request, or no object at all */
    MCP_OUTCOME_RESULT,
    MCP_OUTCOME_TOOL_ERROR, /* a result with isError: true */
    MCP_OUTCOME_ERROR,      /* see code */
} mcp_outcome_kind_t;

enum {
    MCP_OUTCOME_KEY_BYTES = 16,
    MCP_OUTCOME_ID_BYTES = 1540, /* of an id of MCP_ID_BYTES whose every byte is escaped */
    MCP_OUTCOME_SPARE_BYTES = 48,
};

/** A reader of one message; zeroed is ready. The answer does not depend on how bytes were split. */
typedef struct {
    mcp_outcome_kind_t kind;
    int64_t code; /* of MCP_OUTCOME_ERROR; 0: it has none */
    uint32_t depth;
    uint8_t objects; /* which of the first two levels are objects */
    uint8_t member;  /* of the first level that is being read */
    uint8_t value;   /* of the second level that is being read */
    uint8_t seen;    /* members of the first level */
    bool in_string, escaped, is_key, wants_key, negative, counted;
    bool closed;  /* all of it was read */
    bool unclear; /* two readers could take it for two messages: members that come twice, are
                     spelled with escapes or in another case, bytes behind the end, an answer within
                     a batch */
    bool odd;     /* the same of cacheScope in its result */
    bool scope;   /* the value of cacheScope is being read */
    bool any, cached, scoped; /* its result has members; ttlMs, to some reader; cacheScope */
    bool is_stateless;        /* set before the first piece: a result of 2026-07-28, in which
                                 cacheScope is due also without ttlMs */
    bool named;               /* its id was read to the end */
    uint8_t key_n;            /* beyond MCP_OUTCOME_KEY_BYTES: longer, or escaped: none of ours */
    uint16_t id_n;
    char key[MCP_OUTCOME_KEY_BYTES];
    char id[MCP_OUTCOME_ID_BYTES]; /* as it was written; beyond `id_n` unset */
} mcp_outcome_t;

void mcp_outcome_feed(mcp_outcome_t *o, str_t piece);
/** The same for a result that depends on who asked: writes the piece to `out`, and "private" for
 *  whatever its cacheScope says, and where it says none though clients may keep it (2026-07-28,
 *  Caching). At most twice as many bytes and MCP_OUTCOME_SPARE_BYTES. */
void mcp_outcome_feed_private(mcp_outcome_t *o, str_t piece, buf_t *out);

/** What a message is to whoever asked one request and waits for its answer. */
typedef enum {
    MCP_ANSWER_NONE,     /* none: a notification, a request, a ping */
    MCP_ANSWER_OURS,     /* to that request */
    MCP_ANSWER_NAMELESS, /* an error without an id, which answers nothing */
    MCP_ANSWER_FOREIGN,  /* to another one */
    MCP_ANSWER_UNCLEAR,  /* to more than one, or to one that readers do not agree about */
} mcp_answer_t;

/** Judges a message that was fed whole. `asked` is the request's id as JSON; unset: nothing was
 *  asked. "1" is not 1, but 1.0 is, and so is a string whatever its escapes. `a` is for work alone.
 */
mcp_answer_t mcp_outcome_answer(arena_t *a, const mcp_outcome_t *o, str_t asked);
/** Of one that was fed in part: whether it can still become MCP_ANSWER_OURS. */
bool mcp_outcome_may_be(arena_t *a, const mcp_outcome_t *o, str_t asked);
/** Of one whose id was read: whether it is that of the request but for its type, as "1" for 1.
 *  JSON-RPC 2.0 section 5 has the same value; clients differ in whether they take such an answer.
 */
bool mcp_outcome_is_mistyped(arena_t *a, const mcp_outcome_t *o, str_t asked);

#endif
