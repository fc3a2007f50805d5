/* What endpoints do about the DPoP header (RFC 9449). */
#ifndef AS_DPOP_H
#define AS_DPOP_H

#include "as/flow.h"
#include "oauth/dpop.h"

typedef struct {
    oauth_dpop_t proof; /* none where DPoP is off */
    str_t nonce;        /* for the next proof; unset: none are asked for */
} as_dpop_t;

/** Checks the proof for a POST to `path` below the issuer. RC_MEMORY. */
rc_t as_dpop_read(as_flow_t *f, str_t path, as_dpop_t *out) MUST_USE;
/** Adds the nonce of the next proof to the answer, whatever it is. */
void as_dpop_answer(as_flow_t *f, const as_dpop_t *d);

#endif
