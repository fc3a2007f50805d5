/* Who really asks: Forwarded (RFC 7239) and X-Forwarded-For/-Proto, believed only from proxies that
 * the settings name. Host names in these fields are never read: public_url rules. */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "http/addr.h"
#include "http/message.h"

/** The trusted proxies; empty trusts nobody. */
typedef struct {
    const http_cidr_t *v;
    size_t n;
} http_proxies_t;

typedef struct {
    http_addr_t addr; /* the right-most hop that is not a trusted proxy */
    bool https;       /* the scheme that hop used, as the proxy next to it says */
} http_client_t;

/** Parses a list of CIDRs into the arena. RC_MALFORMED: *bad is the piece that is wrong. */
rc_t http_proxies_parse(arena_t *a, str_list_t texts, http_proxies_t *out, str_t *bad) MUST_USE;
bool http_proxies_trust(const http_proxies_t *p, const http_addr_t *a);
/**
 * The client behind `peer`. Fields of an untrusted peer are ignored; a hop that does not parse ends
 * the walk, and the last good hop counts. Where both Forwarded and X-Forwarded-* came and do not
 * agree, one is forged: the peer itself counts. `tls` is whether the connection from the peer is
 * encrypted. Pure.
 */
http_client_t http_forwarded_client(const http_proxies_t *p, const http_addr_t *peer, bool tls,
                                    http_headers_t headers);

#endif
