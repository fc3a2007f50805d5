/* What every page says to the browser besides itself. */
#ifndef WEB_HEADERS_H
#define WEB_HEADERS_H

#include "core/str.h"

typedef struct {
    str_t name, value;
} web_header_t;

/**
 * The headers of every page, errors included; const. Content-Type, Content-Security-Policy,
 * X-Frame-Options, Referrer-Policy, Cache-Control. (X-Content-Type-Options is http's own.)
 *
 * - The policy knows neither scripts nor inline style, nothing foreign, and no frame (OAuth 2.1
 *   section 7.10). form-action 'self' holds although consent leads to the client: its answer is a
 *   page that goes on by itself (leave.h), and browsers apply form-action to redirects.
 * - Referrer-Policy same-origin: other sites learn nothing, and our own forms bear their Origin.
 *   With no-referrer browsers send "Origin: null" with a form (Fetch, "append a request Origin
 *   header"), and nobody could tell ours from others'.
 * - No Cross-Origin-Opener-Policy: clients that open the login in a popup need its opener.
 */
const web_header_t *web_security_headers(size_t *n);

#endif
