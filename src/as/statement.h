/* The keys of who signed a registration's software statement. */
#ifndef AS_STATEMENT_H
#define AS_STATEMENT_H

#include "as/issuer.h"

/** Looks into the request's body for a software statement of a trusted issuer, and wants the keys
 * of that from the next as_flow_gather on. RC_MEMORY, RC_LIMIT. */
rc_t as_statement_want(as_flow_t *f, as_issuer_t *out) MUST_USE;

#endif
