#include "http/forwarded.h"

#include "core/num.h"
#include "http/scan.h"

/* Hops looked at, from the right: chains of proxies are short. */
enum { HOPS = 16 };

typedef struct {
    str_t node;   /* the "for" of a hop, as written; unset when it has none */
    str_t scheme; /* unset when it has none */
} hop_t;

/* The last HOPS hops; hop i from the right is v[(n - 1 - i) % HOPS]. */
typedef struct {
    hop_t v[HOPS];
    size_t n;
} chain_t;

rc_t http_proxies_parse(arena_t *a, str_list_t texts, http_proxies_t *out, str_t *bad)
{
    http_cidr_t *v = ARENA_ARRAY(a, texts.n ? texts.n : 1, http_cidr_t);
    *out = (http_proxies_t){0};
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < texts.n; i++) {
        *bad = texts.v[i];
        TRY(http_cidr_parse(texts.v[i], &v[i]));
    }
    *out = (http_proxies_t){v, texts.n};
    return RC_OK;
}

bool http_proxies_trust(const http_proxies_t *p, const http_addr_t *a)
{
    for (size_t i = 0; i < p->n; i++) {
        if (http_cidr_has(&p->v[i], a))
            return true;
    }
    return false;
}

/* The address of a node: "1.2.3.4", "1.2.3.4:56", "[::1]", "[::1]:56", "::1" (RFC 7239 section 6,
 * and what proxies write). Obfuscated and unknown nodes have none. */
static bool parse_node(str_t node, http_addr_t *out)
{
    str_t host = node, port = STR_UNSET;
    size_t colon = str_find(node, ':', 0);
    if (str_starts(node, STR("["))) {
        size_t end = str_find(node, ']', 0);
        host = str_skip(str_first(node, end), 1);
        port = str_skip(node, end + 1);
        if (end == node.n || (port.n && port.p[0] != ':'))
            return false;
        port = port.n ? str_skip(port, 1) : STR_UNSET;
    } else if (colon < node.n && str_find(node, ':', colon + 1) == node.n) {
        host = str_first(node, colon);
        port = str_skip(node, colon + 1);
    }
    uint64_t number;
    if (str_is_set(port) && !num_u64(port, 65535, &number))
        return false;
    return http_addr_parse(host, out) == RC_OK;
}

static hop_t *push(chain_t *c)
{
    hop_t *hop = &c->v[c->n++ % HOPS];
    *hop = (hop_t){0};
    return hop;
}

/* Splits at `sep` outside of quotes. */
static bool split_quoted(str_t *rest, char sep, str_t *part)
{
    if (!str_is_set(*rest))
        return false;
    bool quoted = false;
    for (size_t i = 0; i < rest->n; i++) {
        if (rest->p[i] == '"')
            quoted = !quoted;
        if (quoted || rest->p[i] != sep)
            continue;
        *part = str_first(*rest, i);
        *rest = str_skip(*rest, i + 1);
        return true;
    }
    *part = *rest;
    *rest = STR_UNSET;
    return true;
}

static str_t unquote(str_t s)
{
    bool quoted = s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"';
    return quoted ? str_skip(str_first(s, s.n - 1), 1) : s;
}

/* One forwarded-element. A parameter that comes twice makes the hop one without an address. */
static void read_element(str_t element, hop_t *hop)
{
    str_t pair;
    bool twice = false;
    while (split_quoted(&element, ';', &pair)) {
        size_t eq = str_find(pair, '=', 0);
        str_t name = str_trim(str_first(pair, eq), " \t");
        str_t value = unquote(str_trim(str_skip(pair, eq + 1), " \t"));
        str_t *slot = str_eq_nocase(name, STR("for"))     ? &hop->node
                      : str_eq_nocase(name, STR("proto")) ? &hop->scheme
                                                          : NULL;
        if (!slot)
            continue;
        twice |= str_is_set(*slot);
        *slot = value;
    }
    if (twice)
        *hop = (hop_t){0};
}

/* With a quote left open, what a proxy appends would become part of what the client wrote. */
static bool is_quoted_well(str_t s)
{
    bool open = false;
    for (size_t i = 0; i < s.n; i++)
        open ^= s.p[i] == '"';
    return !open;
}

static void read_forwarded(http_headers_t h, chain_t *c)
{
    size_t at = 0;
    str_t value, element;
    while (http_headers_next(h, STR("forwarded"), &at, &value)) {
        if (!is_quoted_well(value)) {
            push(c);
            continue;
        }
        while (split_quoted(&value, ',', &element))
            read_element(element, push(c));
    }
}

static void read_x_forwarded(http_headers_t h, chain_t *c)
{
    size_t at = 0, schemes = 0;
    str_t value, part, scheme[HOPS] = {0};
    while (http_headers_next(h, STR("x-forwarded-for"), &at, &value)) {
        while (str_split(&value, ',', &part))
            push(c)->node = str_trim(part, " \t");
    }
    at = 0;
    while (http_headers_next(h, STR("x-forwarded-proto"), &at, &value)) {
        while (str_split(&value, ',', &part))
            scheme[schemes++ % HOPS] = str_trim(part, " \t");
    }
    if (schemes && c->n == 0)
        push(c);
    /* Proxies either append one scheme a hop, or pass on the one the outermost of them wrote. */
    bool paired = schemes == c->n;
    for (size_t i = 0; schemes && i < c->n && i < HOPS; i++)
        c->v[(c->n - 1 - i) % HOPS].scheme = scheme[(schemes - 1 - (paired ? i : 0)) % HOPS];
}

/* From the peer leftwards, as long as whoever wrote the hop is trusted. */
static http_client_t walk(const http_proxies_t *p, const http_addr_t *peer, bool tls,
                          const chain_t *c)
{
    http_client_t client = {*peer, tls};
    for (size_t i = 0; i < c->n && i < HOPS && http_proxies_trust(p, &client.addr); i++) {
        const hop_t *hop = &c->v[(c->n - 1 - i) % HOPS];
        if (str_is_set(hop->scheme))
            client.https = str_eq_nocase(hop->scheme, STR("https"));
        http_addr_t next;
        if (!parse_node(hop->node, &next))
            break;
        client.addr = next;
    }
    return client;
}

http_client_t http_forwarded_client(const http_proxies_t *p, const http_addr_t *peer, bool tls,
                                    http_headers_t headers)
{
    http_client_t nobody = {*peer, tls};
    if (p->n == 0 || !http_proxies_trust(p, peer))
        return nobody;
    chain_t standard = {0}, legacy = {0};
    read_forwarded(headers, &standard);
    read_x_forwarded(headers, &legacy);
    http_client_t a = walk(p, peer, tls, &standard), b = walk(p, peer, tls, &legacy);
    if (legacy.n == 0)
        return a;
    if (standard.n == 0)
        return b;
    /* A proxy that writes one kind passes the other on from the client as it came: two answers that
     * differ are one forgery, and nobody can say which. */
    if (http_addr_eq(&a.addr, &b.addr) && a.https == b.https)
        return a;
    return (http_client_t){*peer, tls};
}
