/* The credentials of an HTTP request, as warder/rs.h takes them. */
#ifndef RS_CREDENTIALS_H
#define RS_CREDENTIALS_H

#include "http/exchange.h"
#include "warder/rs.h"

/* Of Authorization and of DPoP; one is right, two are refused already. */
enum { RS_CREDENTIALS_MAX = 4 };

/** What a request points at: lives as long as it. */
typedef struct {
    const char *headers[RS_CREDENTIALS_MAX], *proofs[RS_CREDENTIALS_MAX];
} rs_credentials_t;

/** Fills method, headers and proofs of `out` from the exchange; its other members are zero: the
 * path that arrived is not the one that clients sign where a proxy has rewritten it. The texts live
 * in the exchange's arena. RC_MEMORY: also for a value with a NUL, which no C string holds. */
rc_t rs_credentials_read(const http_exchange_t *x, rs_credentials_t *keep,
                         warder_rs_request_t *out) MUST_USE;

#endif
