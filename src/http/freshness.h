/* How long an answer may be used again (RFC 9111 section 4.2), as far as a cache of public
 * documents needs it. Pure. */
#ifndef HTTP_FRESHNESS_H
#define HTTP_FRESHNESS_H

#include "http/fetch.h"

enum { HTTP_FRESHNESS_UNSAID = -1 };

/** Seconds that `r` stays fresh from `now` (Unix seconds) on: 0 for no-store, no-cache, Vary: *,
 *  what has expired, and what cannot be read; HTTP_FRESHNESS_UNSAID where the answer says nothing
 *  about it. What its Age has used up is gone. */
int64_t http_freshness(const http_fetch_result_t *r, int64_t now);
/** An IMF-fixdate (RFC 9110 section 5.6.7) in Unix seconds; the two obsolete forms are not read. */
bool http_date_parse(str_t text, int64_t *out);

#endif
