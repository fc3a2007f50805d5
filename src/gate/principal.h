/* Who asks: what a verified token says. */
#ifndef GATE_PRINCIPAL_H
#define GATE_PRINCIPAL_H

#include "core/json.h"

/** Slices live as long as the request. */
typedef struct {
    str_t issuer, subject,
        client;        /* a subject means nothing without its issuer; client may be "" */
    str_t scope;       /* granted, space-separated */
    str_t token;       /* jti; may be unset */
    str_t key;         /* thumbprint the token is bound to (RFC 9449); unset: bearer */
    str_t acr;         /* unset: the token does not say */
    int64_t auth_time; /* Unix seconds; 0: it does not say */
    int64_t issued_at, expires_at; /* Unix seconds; issued_at -1: it does not say */
    const json_t *claims;          /* the token's payload or introspection answer; never NULL, but
                                      empty where neither rules nor identity ask for any */
} gate_principal_t;

#endif
