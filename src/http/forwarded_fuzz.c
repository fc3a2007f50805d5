/* Three lines: Forwarded, X-Forwarded-For, X-Forwarded-Proto, as a client may have written them. A
 * trusted proxy appends what it knows, and that is what must come out. */
#include <stdlib.h>

#include "http/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT = 8192 };

static void check(bool ok)
{
    if (!ok)
        abort();
}

static str_t append(char out[TEXT], str_t said, const char *more)
{
    size_t n = strlen(more);
    memcpy(out, said.p, said.n);
    memcpy(out + said.n, more, n);
    return str_of(out, said.n + n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const http_cidr_t ranges[] = {{{4, {10}}, 8}};
    static const http_proxies_t proxies = {ranges, 1};
    static const http_addr_t peer = {4, {10, 0, 0, 1}}, client = {4, {192, 0, 2, 7}};
    static char a[TEXT], b[TEXT];
    str_t rest = str_of(data, size), line[3] = {STR(""), STR(""), STR("")};
    for (size_t i = 0; i < 3 && str_split(&rest, '\n', &line[i]); i++) {
    }
    if (size > TEXT - 64)
        return 0;
    http_headers_t said =
        HTTP_HEADERS({STR("Forwarded"), line[0]}, {STR("X-Forwarded-For"), line[1]},
                     {STR("X-Forwarded-Proto"), line[2]});
    http_client_t c = http_forwarded_client(&proxies, &client, true, said);
    check(http_addr_eq(&c.addr, &client) && c.https);
    c = http_forwarded_client(&proxies, &peer, false, said);
    check(c.addr.family == 4 || c.addr.family == 6);
    /* What the proxy appends to a list counts, or the list is refused whole: never what it said
     * before. */
    http_headers_t standard =
        HTTP_HEADERS({STR("Forwarded"), append(a, line[0], ", for=192.0.2.7;proto=http")});
    c = http_forwarded_client(&proxies, &peer, false, standard);
    check(http_addr_eq(&c.addr, &client) || http_addr_eq(&c.addr, &peer));
    http_headers_t legacy =
        HTTP_HEADERS({STR("X-Forwarded-For"), append(b, line[1], ", 192.0.2.7")});
    c = http_forwarded_client(&proxies, &peer, false, legacy);
    check(http_addr_eq(&c.addr, &client));
    return 0;
}
