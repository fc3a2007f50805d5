#include "conf/conf_address.h"

#include "core/num.h"

#include <arpa/inet.h>

/* Bytes of the address in network order: 4, 16, or 0 when it is none. IPv4 written as IPv6 is
 * refused: one host has one spelling. */
static size_t parse_address(str_t text, uint8_t out[16])
{
    static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};
    char c[INET6_ADDRSTRLEN + 1] = {0};
    if (text.n == 0 || text.n >= sizeof c || memchr(text.p, '\0', text.n))
        return 0;
    memcpy(c, text.p, text.n);
    if (inet_pton(AF_INET, c, out) == 1)
        return 4;
    if (inet_pton(AF_INET6, c, out) == 1 && memcmp(out, MAPPED, sizeof MAPPED) != 0)
        return 16;
    return 0;
}

bool conf_listen_split(str_t text, str_t *host, uint16_t *port)
{
    uint8_t bytes[16];
    uint64_t number;
    bool bracket = str_starts(text, STR("["));
    size_t end = str_find(text, bracket ? ']' : ':', 0);
    str_t behind = str_skip(text, end + (bracket ? 1 : 0));
    *host = bracket ? str_skip(str_first(text, end), 1) : str_first(text, end);
    if (str_eq(*host, STR("localhost")) && !bracket)
        *host = STR("127.0.0.1");
    if (!str_starts(behind, STR(":")) || parse_address(*host, bytes) != (bracket ? 16 : 4))
        return false;
    behind = str_skip(behind, 1);
    if (behind.n > 5 || !num_u64(behind, UINT16_MAX, &number))
        return false;
    *port = (uint16_t)number;
    return true;
}

bool conf_is_cidr(str_t text)
{
    uint8_t bytes[16];
    size_t slash = str_find(text, '/', 0);
    uint64_t most = 8 * parse_address(str_first(text, slash), bytes), bits = most;
    str_t behind = str_skip(text, slash + 1);
    if (most == 0 || (slash < text.n && (behind.n > 3 || !num_u64(behind, most, &bits))))
        return false;
    for (uint64_t i = bits; i < most; i++)
        if (bytes[i / 8] & (0x80u >> i % 8))
            return false;
    return true;
}

static const struct {
    size_t n; /* bytes of the address */
    uint8_t base[2], bits;
} PRIVATE[] = {
    {4, {127, 0}, 8},   {4, {10, 0}, 8},     {4, {172, 16}, 12}, {4, {192, 168}, 16},
    {4, {100, 64}, 10}, {4, {169, 254}, 16}, {16, {0xfc, 0}, 7}, {16, {0xfe, 0x80}, 10},
};

static bool is_private_address(const uint8_t *bytes, size_t n)
{
    static const uint8_t ONE[16] = {[15] = 1};
    if (n == 16 && memcmp(bytes, ONE, sizeof ONE) == 0)
        return true;
    for (size_t i = 0; i < sizeof PRIVATE / sizeof PRIVATE[0]; i++) {
        unsigned mask = 0xffffu << (16 - PRIVATE[i].bits);
        unsigned differs = ((unsigned)(bytes[0] ^ PRIVATE[i].base[0]) << 8) |
                           (unsigned)(bytes[1] ^ PRIVATE[i].base[1]);
        if (n == PRIVATE[i].n && (differs & mask) == 0)
            return true;
    }
    return false;
}

static bool ends_nocase(str_t s, str_t suffix)
{
    return s.n >= suffix.n && str_eq_nocase(str_skip(s, s.n - suffix.n), suffix);
}

bool conf_host_is_private(str_t host)
{
    static const str_t ENDS[] = {STR_INIT(".localhost"), STR_INIT(".local"), STR_INIT(".internal"),
                                 STR_INIT(".home.arpa")};
    uint8_t bytes[16];
    size_t n = parse_address(str_trim(host, "[]"), bytes);
    if (n > 0)
        return is_private_address(bytes, n);
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++)
        if (ends_nocase(host, ENDS[i]))
            return true;
    /* 2130706433 and 0x7f000001 are addresses to some readers. */
    bool digit = host.n > 0 && host.p[0] >= '0' && host.p[0] <= '9';
    return host.n > 0 && !digit && str_find(host, '.', 0) == host.n &&
           str_find(host, ':', 0) == host.n;
}
