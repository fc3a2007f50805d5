/* Addresses as the settings write them. Names are never resolved. */
#ifndef CONF_CONF_ADDRESS_H
#define CONF_CONF_ADDRESS_H

#include "core/str.h"

/** Splits "127.0.0.1:8080", "[::1]:8080" or "localhost:8080"; *host without brackets, borrowed
 *  (localhost is 127.0.0.1, so that it is plain where we listen). False when it is none of them. */
bool conf_listen_split(str_t text, str_t *host, uint16_t *port);
/** Whether text is an IP address or a CIDR whose host bits are zero ("10.0.0.0/8", "fd00::/8"). */
bool conf_is_cidr(str_t text);

/** Whether only this machine or an inner network reaches that host of a URL, brackets and all: an
 *  address of loopback, of a private or link-local range (RFC 1918, 4193, 6598, 3927), or a name
 * that no public name server may know: one without a dot, or under localhost, local, internal or
 *  home.arpa (RFC 6761, 6762, 8375). */
bool conf_host_is_private(str_t host);

#endif
