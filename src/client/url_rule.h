/* Which URLs of strangers a client uses (OAuth 2.1 section 1.5; MCP Security Best Practices, "OAuth
 * URL Validation" and "SSRF"). Pure: addresses behind names are judged when a request connects. */
#ifndef CLIENT_URL_RULE_H
#define CLIENT_URL_RULE_H

#include "client/reason.h"
#include "http/agent.h"

/** CLIENT_FINE for https, and http where the host is loopback; CLIENT_URL_BAD (not absolute,
 * userinfo, fragment, longer than LIMIT_URL_BYTES), CLIENT_URL_SCHEME, CLIENT_URL_PLAIN.
 * `plain_ok`: http to any host is taken (a development switch, never a default). */
client_reason_t client_url_check(str_t url, bool plain_ok);
/** How far requests may go that a server at `url` leads to: a loopback server may name loopback
 *  hosts, others may not; private networks only where the person asked for it (`asked`), or where
 * the URL that she typed is itself a private address. The widest of all reasons counts. */
http_reach_t client_url_reach(str_t url, http_reach_t asked);
/** What can be told without a look-up: CLIENT_URL_OUT_OF_REACH for a literal address, or localhost,
 *  that is beyond `reach`. For URLs that a browser will be sent to, where no connection is judged.
 */
client_reason_t client_url_check_reach(str_t url, http_reach_t reach);
/** Whether both have one origin (RFC 6454 section 4); false for what is no http(s) URL. */
bool client_url_same_origin(str_t first, str_t second);
/** Whether `url` is one to open in a browser: client_url_check, and it does not begin with '-'. */
client_reason_t client_url_check_page(str_t url);

#endif
