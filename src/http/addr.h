/* Network addresses as values: one spelling for each host, and the table of special ranges. */
#ifndef HTTP_ADDR_H
#define HTTP_ADDR_H

#include "core/arena.h"

/** An address in network order. IPv4-mapped IPv6 (::ffff:1.2.3.4) is always kept as IPv4, so that
 *  one host has one value. family is 4, 6, or 0 for unknown (a Unix socket, an obfuscated hop). */
typedef struct {
    uint8_t family;
    uint8_t bytes[16];
} http_addr_t;

typedef struct {
    http_addr_t base;
    uint8_t bits;
} http_cidr_t;

enum { HTTP_ADDR_TEXT = 46, HTTP_ADDR_KEY = 9 };

/** Parses an IPv4 dotted quad (four plain decimals) or any RFC 4291 spelling of IPv6, without
 *  brackets, port or zone. RC_MALFORMED. */
rc_t http_addr_parse(str_t text, http_addr_t *out) MUST_USE;
/** Canonical text (RFC 5952), "unknown" for family 0. Borrows `out`. */
str_t http_addr_text(const http_addr_t *a, char out[HTTP_ADDR_TEXT]);
/** What limits are counted by: the whole IPv4 address, the /64 of an IPv6 one. Borrows `out`. */
str_t http_addr_rate_key(const http_addr_t *a, uint8_t out[HTTP_ADDR_KEY]);
/** From the four or sixteen bytes of a socket address; n is 4 or 16, else family 0. */
http_addr_t http_addr_from_bytes(const uint8_t *bytes, size_t n);
bool http_addr_eq(const http_addr_t *a, const http_addr_t *b);
bool http_addr_is_loopback(const http_addr_t *a);
/** Whether the address is special-purpose (RFC 6890 and its IANA registries), multicast, reserved,
 *  or an IPv6 form that carries a special IPv4 address (NAT64, 6to4, compatible). */
bool http_addr_is_special(const http_addr_t *a);
/** Whether the host of a URL is this machine by its spelling: a loopback address, localhost or a
 *  name under it (RFC 6761 section 6.3). */
bool http_host_is_here(str_t host);
/** Whether a host could be an address to others though http_addr_parse takes it for none: its last
 *  label is a number ("127.1", "0x7f.1", "1.2.3.4."; RFC 3986 section 7.4), or it holds escapes. */
bool http_host_is_odd(str_t host);

/** "10.0.0.0/8", "fd00::/8", or a bare address. Host bits must be zero. RC_MALFORMED. */
rc_t http_cidr_parse(str_t text, http_cidr_t *out) MUST_USE;
bool http_cidr_has(const http_cidr_t *c, const http_addr_t *a);

#endif
