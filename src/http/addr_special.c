#include "http/addr.h"

/* IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), with multicast and what is
 * reserved. Entries that the registry calls globally reachable but that no document server has
 * (AS112, AMT, relays) are in as well. */
static const http_cidr_t SPECIAL[] = {
    {{4, {0}}, 8},              /* this network, RFC 791 */
    {{4, {10}}, 8},             /* private, RFC 1918 */
    {{4, {100, 64}}, 10},       /* shared, RFC 6598 */
    {{4, {127}}, 8},            /* loopback, RFC 1122 */
    {{4, {169, 254}}, 16},      /* link local, RFC 3927; cloud metadata services */
    {{4, {172, 16}}, 12},       /* private, RFC 1918 */
    {{4, {192, 0, 0}}, 24},     /* IETF protocol assignments, RFC 6890 */
    {{4, {192, 0, 2}}, 24},     /* documentation, RFC 5737 */
    {{4, {192, 31, 196}}, 24},  /* AS112, RFC 7535 */
    {{4, {192, 52, 193}}, 24},  /* AMT, RFC 7450 */
    {{4, {192, 88, 99}}, 24},   /* 6to4 relay, RFC 7526 */
    {{4, {192, 168}}, 16},      /* private, RFC 1918 */
    {{4, {192, 175, 48}}, 24},  /* AS112, RFC 7534 */
    {{4, {198, 18}}, 15},       /* benchmarking, RFC 2544 */
    {{4, {198, 51, 100}}, 24},  /* documentation, RFC 5737 */
    {{4, {203, 0, 113}}, 24},   /* documentation, RFC 5737 */
    {{4, {224}}, 4},            /* multicast, RFC 5771 */
    {{4, {240}}, 4},            /* reserved and broadcast, RFC 1112 */
    {{6, {0x20, 0x01, 0}}, 23}, /* IETF assignments: Teredo, ORCHID, benchmarking, RFC 2928 */
    {{6, {0x20, 0x01, 0x0d, 0xb8}}, 32},       /* documentation, RFC 3849 */
    {{6, {0x20, 0x02}}, 16},                   /* 6to4 carries an IPv4 address, RFC 3056 */
    {{6, {0x26, 0x20, 0, 0x4f, 0x80, 0}}, 48}, /* AS112, RFC 7534 */
    {{6, {0x3f, 0xff}}, 20},                   /* documentation, RFC 9637 */
};

/* Only 2000::/3 is global unicast (RFC 4291 section 2.4): loopback, unique local, link local, the
 * discard prefix, multicast and all that is not assigned lie outside. */
static const http_cidr_t GLOBAL_UNICAST = {{6, {0x20}}, 3};

/* The well-known NAT64 prefix (RFC 6052): behind it is the IPv4 address of its last four bytes. */
static const http_cidr_t NAT64 = {{6, {0, 0x64, 0xff, 0x9b}}, 96};

bool http_addr_is_special(const http_addr_t *a)
{
    if (http_cidr_has(&NAT64, a)) {
        http_addr_t inner = http_addr_from_bytes(a->bytes + 12, 4);
        return http_addr_is_special(&inner);
    }
    for (size_t i = 0; i < sizeof SPECIAL / sizeof *SPECIAL; i++) {
        if (http_cidr_has(&SPECIAL[i], a))
            return true;
    }
    return a->family != 4 && !http_cidr_has(&GLOBAL_UNICAST, a);
}
