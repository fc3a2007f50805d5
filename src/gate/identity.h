/* What an upstream is told about the caller, and which fields of a request go on to it. Pure. */
#ifndef GATE_IDENTITY_H
#define GATE_IDENTITY_H

#include "conf/conf.h"
#include "gate/principal.h"

/** Of the JWT: the typ of its header, and how long it counts. */
#define GATE_IDENTITY_TYP STR("warder-identity+jwt")
enum { GATE_IDENTITY_LIFE_S = 120 };

/** Whether a field that the client sent may go upstream. Never: credentials (Authorization, DPoP,
 *  Cookie), hop-by-hop and framing fields, Host, Forwarded and X-Forwarded-*, Origin, other methods
 *  and paths (X-HTTP-Method-Override, X-Original-URL), content codings, whatever could pass for
 *  identity (x-auth-*, x-user*, x-remote-*, those of known proxies), and the configured names; nor
 *  any name with other than letters, digits and hyphens (`_` reads as `-` to many servers), but
 *  behind Mcp-Param-, where the protocol allows any token. Case makes no difference. Session and
 *  event ids are the caller's to translate. All others go on (RFC 9110 section 5.1). */
bool gate_identity_passes(const conf_upstream_t *upstream, str_t name);

/** A field to set. */
typedef struct {
    str_t name, value;
} gate_field_t;

/** The plain fields of `identity: headers`, *n of them in `a`; none with another identity:
 *    X-Warder-Issuer, X-Warder-Subject, X-Warder-Client: as the token says
 *    X-Warder-Scope: what was granted, space-separated
 *    X-Warder-Groups: its claim `groups`, comma-separated
 *  Other than visible ASCII, the percent sign and the comma are percent-encoded; what is empty has
 * no field. RC_LIMIT: a value is longer than a header line should be. */
rc_t gate_identity_fields(arena_t *a, const conf_upstream_t *upstream, const gate_principal_t *who,
                          const gate_field_t **out, size_t *n) MUST_USE;
/** The claims of `identity: jwt`: iss (ours), aud (the upstream), sub, client_id, scope, groups,
 *  orig_iss, iat, exp (GATE_IDENTITY_LIFE_S later, but never after the token's), jti. JSON in `a`,
 * to be signed by the caller with GATE_IDENTITY_TYP. A subject means nothing without its orig_iss.
 *  RC_LIMIT. */
typedef struct {
    str_t issuer, audience, id;
    int64_t now_s;
} gate_assertion_t;
rc_t gate_identity_claims(arena_t *a, const gate_assertion_t *about, const gate_principal_t *who,
                          str_t *out) MUST_USE;

#endif
