/* JSON Schema 2020-12, as MCP uses it for arguments, results and forms (MCP 2025-11-25 and
 * 2026-07-28, "JSON Schema Usage"). A schema is read once and then checks any number of values.
 * Nothing is ever fetched: a $ref leads into the schema itself. Pure but for the machine of
 * patterns.
 */
#ifndef MCP_SCHEMA_H
#define MCP_SCHEMA_H

#include "core/json.h"

enum {
    MCP_SCHEMA_BYTES = 256 << 10,
    MCP_SCHEMA_NODES = 20000,
    MCP_SCHEMA_DEPTH = 64,      /* of subschemas within one check, with $ref counted */
    MCP_SCHEMA_STEPS = 1000000, /* keywords looked at in one check: composition may multiply */
    MCP_SCHEMA_PATTERN_BYTES = 1024,
};

typedef struct mcp_schema mcp_schema_t;

/** Reads a schema that was parsed (an object or a boolean). It lives in `a`, and borrows `schema`;
 *  foreign handles are cleaned up with the arena. Any thread may check with it afterwards.
 * RC_CONFIG: it is no schema, or leads outside itself; *why says where and what, in `a`. RC_LIMIT,
 * RC_MEMORY: so too. Unknown keywords and formats are annotations. */
rc_t mcp_schema_read(arena_t *a, const json_t *schema, const mcp_schema_t **out,
                     str_t *why) MUST_USE;

/** The same for the requestedSchema of a form (MCP 2025-11-25 and 2026-07-28, elicitation):
 * RC_CONFIG, too, where it is no flat object of strings, numbers, booleans and choices. The formats
 * email, uri, date and date-time are asserted by its checks. */
rc_t mcp_schema_read_form(arena_t *a, const json_t *schema, const mcp_schema_t **out,
                          str_t *why) MUST_USE;

/** Why a value does not fit: the first fault, of the innermost subschema that tells. */
typedef struct {
    str_t at;       /* where in the value, as a JSON Pointer (RFC 6901); "" is the whole */
    str_t keyword;  /* that failed; static */
    str_t sentence; /* for people and models: `/limit` must be at most 50. Bounded, and without
                       bytes of the value beyond names of members */
} mcp_schema_fault_t;

/** RC_OK and *fits; *fault in `a` where it does not. RC_LIMIT: the check would take too many steps
 * or too much depth: treat as a misfit. RC_MEMORY. */
rc_t mcp_schema_check(arena_t *a, const mcp_schema_t *schema, const json_t *value, bool *fits,
                      mcp_schema_fault_t *fault) MUST_USE;

#endif
