/* What an upstream is told about the caller, and which fields of a request go on to it. Pure. */
#ifndef GATE_IDENTITY_H
#define GATE_IDENTITY_H

#include "conf/conf.h"
#include "gate/principal.h"

/** Whether a field that the client sent may go upstream. Never: Authorization, DPoP, Cookie,
 *  hop-by-hop and framing fields, Host, Forwarded and X-Forwarded-*, Origin, and whatever could pass
 *  for identity (x-auth-*, x-user*, x-remote-*, x-forwarded-user, the configured names), with `_`
 *  for `-` and in any case. Session and event ids are the caller's to translate. */
bool gate_identity_passes(const conf_upstream_t *upstream, str_t name);

/** A field to set. */
typedef struct {
    str_t name, value;
} gate_field_t;

/** The plain fields of `identity: headers`; values are percent-encoded where they are not visible
 *  ASCII. *n of them in `a`. */
rc_t gate_identity_fields(arena_t *a, const conf_upstream_t *upstream, const gate_principal_t *who,
                          const gate_field_t **out, size_t *n) MUST_USE;
/** The claims of `identity: jwt`: iss (ours), aud (the upstream), sub, client_id, scope, groups,
 *  orig_iss, iat, exp, jti. JSON in `a`, to be signed by the caller. */
typedef struct {
    str_t issuer, audience, id;
    int64_t now_s;
} gate_assertion_t;
rc_t gate_identity_claims(arena_t *a, const gate_assertion_t *about, const gate_principal_t *who,
                          str_t *out) MUST_USE;

#endif
