/* The credentials of a request. Pure. */
#ifndef RS_BEARER_H
#define RS_BEARER_H

#include "core/str.h"

typedef enum {
    RS_BEARER_NONE,      /* none came */
    RS_BEARER_OTHER,     /* of another scheme */
    RS_BEARER_REPEATED,  /* more than one field */
    RS_BEARER_MALFORMED, /* nothing behind the scheme */
    RS_BEARER_TOKEN,     /* something behind "Bearer" */
    RS_BEARER_DPOP,      /* something behind "DPoP" (RFC 9449 section 7.1) */
} rs_bearer_t;

/** Takes the token out of the values of all Authorization fields (RFC 6750 section 2.1, RFC 9110
 *  section 11.6.2); *token borrows. Without `dpop` that scheme is another one. What is found was
 *  not looked at: a token that is remembered was, so that only others need to be. */
rs_bearer_t rs_bearer_read(const char *const *values, size_t n, bool dpop, str_t *token);
/** Whether it is one token (b64token). */
bool rs_bearer_is_token(str_t s);

#endif
