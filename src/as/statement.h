/* The keys of who signed a registration's software statement. */
#ifndef AS_STATEMENT_H
#define AS_STATEMENT_H

#include "as/issuer.h"

/** Looks into the request's body for a software statement of a trusted issuer, and wants the keys
 * of that from the next as_flow_gather on. RC_MEMORY, RC_LIMIT. */
rc_t as_statement_want(as_flow_t *f, as_issuer_t *out) MUST_USE;
/** After a decision: sets *more when something must be fetched before it counts, the keys that the
 *  issuer's metadata name, or those keys once more, as the one that signed is not among them: then
 *  gather, and decide again. RC_MEMORY. */
rc_t as_statement_follow(as_flow_t *f, as_issuer_t *issuer, oauth_reason_t reason,
                         bool *more) MUST_USE;

#endif
