/* An address or a range that parses has one canonical text, which parses to the same value. */
#include <stdlib.h>

#include "http/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[HTTP_ADDR_TEXT], other[HTTP_ADDR_TEXT];
    uint8_t key[HTTP_ADDR_KEY];
    http_addr_t a, b;
    http_cidr_t c;
    str_t in = str_of(data, size);
    if (http_cidr_parse(in, &c) == RC_OK) {
        check(c.bits <= (c.base.family == 4 ? 32 : 128));
        check(http_cidr_has(&c, &c.base));
    }
    if (http_addr_parse(in, &a) != RC_OK) {
        check(a.family == 0);
        return 0;
    }
    check(a.family == 4 || a.family == 6);
    str_t canonical = http_addr_text(&a, text);
    check(http_addr_parse(canonical, &b) == RC_OK && http_addr_eq(&a, &b));
    check(str_eq(canonical, http_addr_text(&b, other)));
    check(http_addr_rate_key(&a, key).n == (a.family == 4 ? 5 : 9));
    check(!http_addr_is_loopback(&a) || http_addr_is_special(&a));
    return 0;
}
