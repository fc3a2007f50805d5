/* The parameters of a request, from a query or a body. */
#ifndef OAUTH_PARAMETERS_H
#define OAUTH_PARAMETERS_H

#include "core/form.h"
#include "oauth/reason.h"

/** Parses `text`; *reason is OAUTH_FINE, or OAUTH_REQUEST_MALFORMED when it cannot be decoded or
 * has more than LIMIT_FORM_FIELDS parameters: then *out is empty. RC_MEMORY. */
rc_t oauth_parameters_read(arena_t *a, str_t text, form_t *out, oauth_reason_t *reason) MUST_USE;

#endif
