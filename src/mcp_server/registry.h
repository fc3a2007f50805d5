/* What a server offers: the public tables, checked, parsed and indexed once. Read-only, counted,
 * replaced whole. */
#ifndef MCP_SERVER_REGISTRY_H
#define MCP_SERVER_REGISTRY_H

#include "jose/digest.h"
#include "mcp/operation.h"
#include "mcp/schema.h"
#include "mcp/uri_template.h"
#include "warder/mcp.h"

/* Of one row; what is longer no token would be found to grant. */
enum { MCP_SCOPE_BYTES = 255 };

typedef enum { MCP_TOOL, MCP_RESOURCE, MCP_TEMPLATE, MCP_PROMPT, MCP_KINDS } mcp_kind_t;

/** A row of a table. */
typedef struct {
    mcp_kind_t kind;
    str_t name;  /* of a tool or prompt; URI or template of a resource */
    str_t scope; /* unset: none is needed */
    unsigned flags;
    warder_mcp_run_t run;
    warder_mcp_complete_t complete;
    str_t listed; /* the entry of a list, JSON as clients get it */
    str_t mime_type;
    const mcp_schema_t *input, *output; /* of a tool; output NULL: none */
    mcp_params_t params;         /* of a tool: arguments that are repeated as header fields */
    mcp_uri_template_t template; /* of MCP_TEMPLATE */
    const warder_mcp_argument_t *arguments; /* of a prompt */
    size_t argument_count;
} mcp_entry_t;

typedef struct {
    const mcp_entry_t *v;
    size_t n;
} mcp_entries_t;

typedef struct mcp_registry mcp_registry_t;

/** One reference. The tables are copied. NULL: *why (in `a`) is one sentence with the mend. */
mcp_registry_t *mcp_registry_new(arena_t *a, const warder_mcp_config_t *config, str_t *why);
/** The tables as they were copied; they live as long as r. */
const warder_mcp_config_t *mcp_registry_tables(const mcp_registry_t *r);
const mcp_registry_t *mcp_registry_hold(const mcp_registry_t *r);
void mcp_registry_drop(const mcp_registry_t *r);

mcp_entries_t mcp_registry_list(const mcp_registry_t *r, mcp_kind_t kind);
/** Of a tool or prompt, by name; NULL: none. */
const mcp_entry_t *mcp_registry_find(const mcp_registry_t *r, mcp_kind_t kind, str_t name);
/** The row that a URI belongs to, however it is spelled (mcp_uri_normal): resources first, then
 *  templates in order, whose values are put in `values` (in `a`). *rc is RC_OK unless memory
 * failed.
 */
const mcp_entry_t *mcp_registry_resource(arena_t *a, const mcp_registry_t *r, str_t uri,
                                         str_t values[MCP_TEMPLATE_VARIABLES], rc_t *rc);
/** Of what clients get of the list: it changes when the list does. */
void mcp_registry_digest(const mcp_registry_t *r, mcp_kind_t kind, uint8_t out[SHA256_BYTES]);
/** All scopes of all rows, space-separated, each once. */
str_t mcp_registry_scopes(const mcp_registry_t *r);
/** Whether any row suggests values. */
bool mcp_registry_completes(const mcp_registry_t *r);
/** Whether any row of that kind needs a scope. */
bool mcp_registry_is_scoped(const mcp_registry_t *r, mcp_kind_t kind);

#endif
