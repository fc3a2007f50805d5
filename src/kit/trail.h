/* The audit trail of a server of the kit: audit.log in a folder, lines as docs/AUDIT.md describes.
 */
#ifndef KIT_TRAIL_H
#define KIT_TRAIL_H

#include "audit/audit.h"
#include "mcp_server/server.h"

/** Opens FOLDER/audit.log, made for its owner alone. Errors as audit_open; *why in `a`. */
rc_t kit_trail_open(arena_t *a, const char *folder, const log_t *log, audit_t **out,
                    str_t *why) MUST_USE;
/** Borrows `t`. An event that there is no memory for is not durable; that is said within the call.
 */
mcp_audit_port_t kit_trail_port(audit_t *t);

#endif
