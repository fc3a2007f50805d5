#include "http/addr.h"

#include <arpa/inet.h>

#include "core/num.h"

static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

http_addr_t http_addr_from_bytes(const uint8_t *bytes, size_t n)
{
    http_addr_t a = {0};
    if (n != 4 && n != 16)
        return a;
    bool mapped = n == 16 && memcmp(bytes, MAPPED, sizeof MAPPED) == 0;
    a.family = n == 4 || mapped ? 4 : 6;
    memcpy(a.bytes, mapped ? bytes + 12 : bytes, a.family == 4 ? 4 : 16);
    return a;
}

rc_t http_addr_parse(str_t text, http_addr_t *out)
{
    char copy[HTTP_ADDR_TEXT];
    uint8_t bytes[16];
    *out = (http_addr_t){0};
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, 0, text.n))
        return RC_MALFORMED;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    bool six = memchr(copy, ':', text.n) != NULL;
    if (inet_pton(six ? AF_INET6 : AF_INET, copy, bytes) != 1)
        return RC_MALFORMED;
    *out = http_addr_from_bytes(bytes, six ? 16 : 4);
    return RC_OK;
}

/* Each request has such a text: inet_ntop would spend more on it than the codec on the head. */
static str_t four_text(const uint8_t bytes[4], char *out)
{
    size_t n = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t v = bytes[i];
        if (i)
            out[n++] = '.';
        if (v >= 100)
            out[n++] = (char)('0' + v / 100);
        if (v >= 10)
            out[n++] = (char)('0' + v / 10 % 10);
        out[n++] = (char)('0' + v % 10);
    }
    return str_of(out, n);
}

str_t http_addr_text(const http_addr_t *a, char out[HTTP_ADDR_TEXT])
{
    if (a->family == 0)
        return STR("unknown");
    if (a->family == 4)
        return four_text(a->bytes, out);
    return str_c(inet_ntop(AF_INET6, a->bytes, out, HTTP_ADDR_TEXT));
}

str_t http_addr_rate_key(const http_addr_t *a, uint8_t out[HTTP_ADDR_KEY])
{
    size_t n = a->family == 4 ? 4 : 8;
    out[0] = a->family;
    memcpy(out + 1, a->bytes, n);
    return str_of(out, n + 1);
}

bool http_addr_eq(const http_addr_t *a, const http_addr_t *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

bool http_addr_is_loopback(const http_addr_t *a)
{
    static const uint8_t one[16] = {[15] = 1};
    if (a->family == 4)
        return a->bytes[0] == 127;
    return a->family == 6 && memcmp(a->bytes, one, sizeof one) == 0;
}

static bool is_local_name(str_t host)
{
    static const str_t NAME = STR_INIT("localhost"), UNDER = STR_INIT(".localhost");
    if (str_ends(host, STR(".")))
        host.n--;
    return str_eq_nocase(host, NAME) ||
           (host.n > UNDER.n && str_eq_nocase(str_skip(host, host.n - UNDER.n), UNDER));
}

bool http_host_is_here(str_t host)
{
    http_addr_t a;
    if (http_addr_parse(str_trim(host, "[]"), &a) == RC_OK)
        return http_addr_is_loopback(&a);
    return is_local_name(host);
}

/* "127.1", "0x7f.1", "2130706433" and "1.2.3.4." are addresses to those who look names up. */
static bool ends_in_number(str_t host)
{
    static const char DIGITS[] = "0123456789abcdefABCDEF";
    str_t last = host;
    if (str_ends(last, STR(".")))
        last.n--;
    for (size_t dot; (dot = str_find(last, '.', 0)) < last.n;)
        last = str_skip(last, dot + 1);
    bool is_hex = str_starts(last, STR("0x")) || str_starts(last, STR("0X"));
    if (is_hex)
        return str_trim(str_skip(last, 2), DIGITS).n == 0;
    return last.n > 0 && str_trim(last, "0123456789").n == 0;
}

bool http_host_is_odd(str_t host)
{
    http_addr_t a;
    if (http_addr_parse(str_trim(host, "[]"), &a) == RC_OK)
        return false;
    return str_find(host, '%', 0) < host.n || ends_in_number(host);
}

rc_t http_cidr_parse(str_t text, http_cidr_t *out)
{
    size_t slash = str_find(text, '/', 0);
    TRY(http_addr_parse(str_first(text, slash), &out->base));
    uint64_t most = out->base.family == 4 ? 32 : 128, bits = most;
    if (slash < text.n && !num_u64(str_skip(text, slash + 1), most, &bits))
        return RC_MALFORMED;
    out->bits = (uint8_t)bits;
    for (unsigned i = out->bits; i < most; i++) {
        if (out->base.bytes[i / 8] & (0x80u >> i % 8))
            return RC_MALFORMED;
    }
    return RC_OK;
}

bool http_cidr_has(const http_cidr_t *c, const http_addr_t *a)
{
    if (a->family == 0 || a->family != c->base.family)
        return false;
    unsigned whole = c->bits / 8, left = c->bits % 8;
    if (memcmp(a->bytes, c->base.bytes, whole) != 0)
        return false;
    return left == 0 || (a->bytes[whole] ^ c->base.bytes[whole]) >> (8 - left) == 0;
}
