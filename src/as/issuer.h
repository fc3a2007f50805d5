/* The keys of a trusted issuer, for a flow: out of the settings, from its jwks_uri, or from where
 * its own metadata say that they are. */
#ifndef AS_ISSUER_H
#define AS_ISSUER_H

#include "as/flow.h"
#include "oauth/issuer.h"

typedef struct {
    const oauth_issuer_t *issuer; /* NULL: nobody's keys are wanted */
    as_flow_document_t *metadata; /* NULL: not needed */
    as_flow_document_t *keys;     /* NULL: they stand in the settings, or nobody knows where yet */
} as_issuer_t;

/** Wants the keys of `issuer` (NULL: none) from the next as_flow_gather on. RC_MEMORY, RC_LIMIT. */
rc_t as_issuer_want(as_flow_t *f, const oauth_issuer_t *issuer, as_issuer_t *out) MUST_USE;
/** After a gather: sets *more when the metadata have come and the keys must be fetched, too: then
 *  gather again. RC_MEMORY. */
rc_t as_issuer_follow(as_flow_t *f, as_issuer_t *i, bool *more) MUST_USE;
/** A key that was named is not among them. True: gather again, then decide by what is published
 *  now. False: it would change nothing. */
bool as_issuer_keys_again(as_issuer_t *i) MUST_USE;
/** The keys as a JWK Set; unset: there are none, or they cannot be had. */
str_t as_issuer_jwks(const as_issuer_t *i);
/** Whether they cannot be had right now, which says nothing about an assertion. */
bool as_issuer_is_away(const as_issuer_t *i);

#endif
