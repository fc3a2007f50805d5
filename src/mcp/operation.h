/* What one request to an MCP endpoint asks, from its header fields and its body together: era,
 * revision, and what it is about. Pure; the same for a server and for a gateway. */
#ifndef MCP_OPERATION_H
#define MCP_OPERATION_H

#include "mcp/rpc.h"
#include "mcp/version.h"

enum {
    MCP_NAME_BYTES = 8192,       /* of a name or URI: a header line carries it */
    MCP_LISTEN_RESOURCES = 1000, /* URIs of one subscriptions/listen */
    MCP_PARAMS_MAX = 64,         /* arguments of a tool that are repeated as header fields */
};

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
    str_t header;    /* NAME */
    str_list_t path; /* through `properties`, to the argument */
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
    str_t name; /* of the object, decoded: tool or prompt name, URI; unset with METHOD */
    const json_t *arguments; /* of tools/call and prompts/get: an object, or NULL when absent */
    str_list_t resources;    /* of subscriptions/listen: the URIs it names */
    str_t asked;             /* the revision it asks for, where that is not spoken; else unset */
    mcp_versions_t offered;  /* those to name in the refusal of that */
} mcp_operation_t;

/**
 * Reads a POST: the envelope (mcp_message_parse), the revision, and what both say twice. Everything
 * lives in `a` and borrows the input. MCP_NO_ERROR or why not; out->message.id is then set as far
 * as it was readable. *rc as in mcp_message_parse.
 *
 * Era: a message whose _meta states a revision, or whose MCP-Protocol-Version is of the stateless
 * era, is read by that revision's rules (2026-07-28, Streamable HTTP, "Server Validation"): what is
 * missing, comes twice, or differs between field and body is refused. All others are of the
 * handshake era, where Mcp-Method, Mcp-Name and Mcp-Param-* say nothing; they may be absent, but
 * one that differs from the body is refused all the same, lest somebody further on trust it. Of
 * initialize the version is what it would negotiate here, whatever its header says.
 *
 * In both eras: a name or URI that rules would miss (no string, empty, a control character) is an
 * error; so are members that readers who fold case take for one of the protocol's, and
 * notifications with the method of a request.
 */
mcp_error_t mcp_operation_read(arena_t *a, mcp_fields_t fields, str_t body, mcp_operation_t *out,
                               rc_t *rc);
/** The same for a message of a transport without header fields (standard streams): the body alone
 * says its era, and is all there is to check. Without a revision in _meta it is of the handshake
 * era, whose version the session knows; out->version is then the one that is assumed. */
mcp_error_t mcp_operation_read_line(arena_t *a, str_t line, mcp_operation_t *out, rc_t *rc);
/** Whether a member of `object` is `name` only to readers that fold case (as those of Go do). NULL
 * and other types have none. */
bool mcp_member_has_twin(const json_t *object, str_t name);
/** The same of one name of a member. */
bool mcp_is_twin(str_t key, str_t name);
/** The same for GET and DELETE, which have no body and belong to the handshake era: its revision.
 *  MCP_ERROR_STATELESS_METHOD (405) for the stateless one. */
mcp_error_t mcp_operation_read_bare(mcp_fields_t fields, const mcp_version_t **out);

/** The member of params that the field Mcp-Name repeats; unset: none for this method. Static. */
str_t mcp_name_member(str_t method);

/** The arguments that `input_schema` (an object) wants repeated; those that break the rules of
 *  x-mcp-header make RC_MALFORMED: such a tool must not be offered. Names and paths borrow the
 *  schema, the lists live in `a`. (2026-07-28, Streamable HTTP, "Schema Extension".) */
rc_t mcp_params_read(arena_t *a, const json_t *input_schema, mcp_params_t *out) MUST_USE;
/** Whether the Mcp-Param fields are what the arguments say: MCP_NO_ERROR or the header mismatch.
 *  Fields that the schema does not name are not looked at. An argument that is absent or null has
 * no field. In the handshake era fields may be absent. */
mcp_error_t mcp_params_check(arena_t *a, mcp_fields_t fields, mcp_params_t params,
                             const mcp_operation_t *r);
/** The field of one of them, of these arguments (an object, or NULL): its name is unset where the
 *  argument is absent or null, or nothing that has one form as text. In `a`. RC_MEMORY. */
rc_t mcp_param_write(arena_t *a, const mcp_param_t *param, const json_t *arguments,
                     mcp_field_t *out) MUST_USE;

#endif
