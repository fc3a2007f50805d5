/* The host of a redirect URI. Browsers read more spellings of one host than lists of hosts and
 * people do: "ev%69l.test", "evil.test." and "evil.test" are the same to them, and so are
 * 127.0.0.1, 127.1 and 0x7f000001 (URL Standard, "host parsing"). */
#ifndef OAUTH_REDIRECT_HOST_H
#define OAUTH_REDIRECT_HOST_H

#include "core/str.h"

/** Whether a host of a parsed URL is written in the one way that all readers share: a name without
 *  percent-escapes and without a dot at its end, four decimal numbers, or an IPv6 literal. */
bool oauth_redirect_host_is_plain(str_t host);
/** Whether a plain host is this machine: localhost and what is below it (RFC 6761 section 6.3),
 *  127.0.0.0/8, ::1, the unspecified addresses, and IPv6 literals that carry an IPv4 address, which
 * no client needs. */
bool oauth_redirect_host_is_loopback(str_t host);

#endif
