#include "core/host_list.h"

#include "core/num.h"

/* Splits "host:port"; the port is unset where there is none. An IPv6 literal stands in brackets. */
static void split(str_t row, str_t *host, str_t *port)
{
    size_t from = str_starts(row, STR("[")) ? str_find(row, ']', 0) : 0;
    size_t colon = str_find(row, ':', from);
    *host = str_first(row, colon);
    *port = colon < row.n ? str_skip(row, colon + 1) : STR_UNSET;
}

static bool host_fits(str_t row, str_t host)
{
    if (!str_starts(row, STR("*.")))
        return str_eq_nocase(row, host);
    str_t tail = str_skip(row, 1);
    return host.n > tail.n && str_eq_nocase(str_skip(host, host.n - tail.n), tail);
}

static bool port_fits(str_t port, const url_t *u)
{
    uint64_t number;
    return !str_is_set(port) || (num_u64(port, UINT16_MAX, &number) && number == u->port_number);
}

bool host_list_has(str_list_t list, const url_t *u)
{
    for (size_t i = 0; i < list.n; i++) {
        str_t host, port;
        split(list.v[i], &host, &port);
        if (host_fits(host, u->host) && port_fits(port, u))
            return true;
    }
    return false;
}

static bool is_host(str_t host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool other = (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        if (!letter && !other)
            return false;
    }
    return host.n > 0;
}

bool host_list_row_is_sound(str_t row)
{
    str_t host, port;
    uint64_t number;
    split(row, &host, &port);
    if (str_is_set(port) && (!num_u64(port, UINT16_MAX, &number) || number == 0))
        return false;
    if (str_starts(host, STR("[")))
        return host.n > 2 && str_ends(host, STR("]"));
    return is_host(str_starts(host, STR("*.")) ? str_skip(host, 2) : host);
}
