#include "oauth/parameters.h"

rc_t oauth_parameters_read(arena_t *a, str_t text, form_t *out, oauth_reason_t *reason)
{
    rc_t rc = form_parse(a, text, out);
    *reason = rc == RC_OK ? OAUTH_FINE : OAUTH_REQUEST_MALFORMED;
    if (rc != RC_OK)
        *out = (form_t){0};
    return rc == RC_MALFORMED || rc == RC_LIMIT ? RC_OK : rc;
}
