/* The keys of who signed a registration's software statement. */
#ifndef AS_STATEMENT_H
#define AS_STATEMENT_H

#include "as/flow.h"

/** Looks into the request's body for a software statement of a trusted issuer whose keys must be
 *  fetched, and wants them from the next as_flow_gather on. *out is that document, or NULL: none is
 *  needed. RC_MEMORY. */
rc_t as_statement_want_keys(as_flow_t *f, const as_flow_document_t **out) MUST_USE;
/** Its text for oauth_statement_facts_t.keys; unset: there is none. */
str_t as_statement_keys(const as_flow_document_t *document);

#endif
