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
