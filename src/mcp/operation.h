/* What one request to an MCP endpoint asks, from its header fields and its body together: era,
 * revision, and what it is about. Pure; the same for a server and for a gateway. */
#ifndef MCP_OPERATION_H
#define MCP_OPERATION_H

#include "mcp/rpc.h"
#include "mcp/version.h"

/** How client and server talk. */
typedef enum {
    MCP_ERA_HANDSHAKE, /* up to 2025-11-25: initialize, sessions, GET stream */
    MCP_ERA_STATELESS, /* 2026-07-28: every request says all there is to know */
} mcp_era_t;

/** What a message is about: what rules name. */
typedef enum {
    MCP_ON_METHOD,   /* nothing narrower than its method */
    MCP_ON_TOOL,     /* tools/call */
    MCP_ON_RESOURCE, /* resources/read, subscribe, unsubscribe; completion of a template */
    MCP_ON_PROMPT,   /* prompts/get; completion of a prompt */
} mcp_object_t;

/** A header field as it came. */
typedef struct {
    str_t name, value;
} mcp_field_t;
typedef struct {
    const mcp_field_t *v;
    size_t n;
} mcp_fields_t;

/** An argument of a tool that clients repeat as the field Mcp-Param-NAME (2026-07-28, Streamable
 *  HTTP, "x-mcp-header"). */
typedef struct {
    str_t header;     /* NAME */
    str_list_t path;  /* through `properties`, to the argument */
} mcp_param_t;
typedef struct {
    const mcp_param_t *v;
    size_t n;
} mcp_params_t;

typedef struct {
    mcp_message_t message;
    mcp_era_t era;
    const mcp_version_t *version;
    mcp_object_t object;
    str_t name;              /* of the object, decoded: tool or prompt name, URI; unset with METHOD */
    const json_t *arguments; /* of tools/call and prompts/get: an object, or NULL when absent */
    str_list_t resources;    /* of subscriptions/listen: the URIs it names */
} mcp_operation_t;

/**
 * Reads a POST: the envelope (mcp_message_parse), the revision, and what both say twice. Refuses
 * what is missing, comes twice, or differs between field and body (2026-07-28, Streamable HTTP,
 * "Server Validation"). Everything lives in `a` and borrows the input. MCP_NO_ERROR or why not;
 * out->message.id is then set as far as it was readable. *rc as in mcp_message_parse.
 */
mcp_error_t mcp_operation_read(arena_t *a, mcp_fields_t fields, str_t body, mcp_operation_t *out,
                             rc_t *rc);
/** The same for GET and DELETE, which have no body and belong to the handshake era: its revision.
 *  An error for the stateless one (405). */
mcp_error_t mcp_operation_read_bare(mcp_fields_t fields, const mcp_version_t **out);

/** The arguments that `input_schema` (an object) wants repeated; those that break the rules of
 *  x-mcp-header make RC_MALFORMED: such a tool must not be offered. */
rc_t mcp_params_read(arena_t *a, const json_t *input_schema, mcp_params_t *out) MUST_USE;
/** Whether the Mcp-Param fields are what the arguments say: MCP_NO_ERROR or the header mismatch.
 *  Fields that the schema does not name are not looked at. */
mcp_error_t mcp_params_check(arena_t *a, mcp_fields_t fields, mcp_params_t params,
                             const mcp_operation_t *r);

#endif
