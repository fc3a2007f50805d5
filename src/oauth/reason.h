/* Why a request is refused: one value for each row of reasons.def. */
#ifndef OAUTH_REASON_H
#define OAUTH_REASON_H

#include "core/arena.h"

typedef enum {
    OAUTH_FINE, /* no refusal */
#define REASON(name, text, error, status, description, audit, rule) OAUTH_##name,
#include "oauth/reasons.def"
#undef REASON
    OAUTH_REASON_COUNT
} oauth_reason_t;

/* All of these are static texts. OAUTH_FINE has "allowed", 200 and otherwise empty texts. */

/** The name for audit events, metrics and family_t.revoked_reason, e.g. "pkce_mismatch". */
str_t oauth_reason_name(oauth_reason_t r);
/** The error code of the RFCs, e.g. "invalid_grant". */
str_t oauth_reason_error(oauth_reason_t r);
/** HTTP status of a JSON answer or a page. */
int oauth_reason_status(oauth_reason_t r);
/** error_description for the wire and for pages. */
str_t oauth_reason_description(oauth_reason_t r);
/** What the audit trail says. */
str_t oauth_reason_audit(oauth_reason_t r);
/** The rule it serves: RFC and section. */
str_t oauth_reason_rule(oauth_reason_t r);

/** The body {"error":…,"error_description":…} in the arena (RFC 6749 section 5.2). `description`
 *  unset takes the row's; characters that RFC 6749 appendix A.8 does not allow in it come out as
 *  '?'. RC_LIMIT, RC_MEMORY. */
rc_t oauth_reason_json(arena_t *a, oauth_reason_t r, str_t description, str_t *out) MUST_USE;

#endif
