#include "http/outbound_request.h"

#include <stdlib.h>

#include "core/limits.h"
#include "http/out.h"
#include "http/scan.h"
#include "http/writer.h"

/* About the connection or written here, next to those that http_writer_may_pass refuses. */
static const str_t OWN[] = {
    STR_INIT("host"), STR_INIT("expect"),  STR_INIT("keep-alive"),
    STR_INIT("te"),   STR_INIT("upgrade"), STR_INIT("proxy-connection"),
};

static bool is_own(str_t name)
{
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) {
        if (name.n == OWN[i].n && str_eq_nocase(name, OWN[i]))
            return true;
    }
    return false;
}

static bool is_origin_form(str_t target)
{
    return str_starts(target, STR("/")) && http_scan_escapes(target) &&
           http_scan_class(target.p, 0, target.n, HTTP_C_QUERY) == target.n;
}

/* How long the head can be, and whether all of it may be sent. */
static rc_t check(const http_outbound_request_t *r, str_t host, size_t *head)
{
    if (!is_origin_form(r->target))
        return RC_MALFORMED;
    /* The method, the version, the names of our own fields, a length, and line ends. */
    size_t n = 128 + r->target.n + host.n;
    for (size_t i = 0; i < r->headers.n; i++) {
        const http_header_t *f = &r->headers.v[i];
        if (!str_is_set(f->value))
            continue;
        if (!http_writer_may_pass(f) || is_own(f->name))
            return RC_MALFORMED;
        n += f->name.n + f->value.n + 4;
    }
    *head = n;
    return n > LIMIT_HTTP_HEAD_BYTES ? RC_LIMIT : RC_OK;
}

/* Who may have a body says how long it is, even when there is none (RFC 9110 section 8.6). */
static bool tells_length(const http_outbound_request_t *r)
{
    return str_is_set(r->body) || r->method == HTTP_POST || r->method == HTTP_PUT ||
           r->method == HTTP_PATCH;
}

static void put_head(http_out_t *o, const http_outbound_request_t *r, str_t host)
{
    http_out_put(o, http_method_name(r->method));
    http_out_put(o, STR(" "));
    http_out_put(o, r->target);
    http_out_put(o, STR(" HTTP/1.1\r\n"));
    http_out_field(o, STR("Host"), host);
    if (tells_length(r)) {
        http_out_put(o, STR("Content-Length: "));
        http_out_number(o, r->body.n);
        http_out_put(o, STR("\r\n"));
    }
    for (size_t i = 0; i < r->headers.n; i++) {
        const http_header_t *f = &r->headers.v[i];
        if (str_is_set(f->value))
            http_out_field(o, f->name, f->value);
    }
    http_out_put(o, STR("\r\n"));
}

rc_t http_outbound_write(const http_outbound_request_t *r, str_t host, char **out, size_t *n)
{
    size_t head = 0;
    TRY(check(r, host, &head));
    http_out_t o = {.p = malloc(head + r->body.n), .cap = head + r->body.n};
    if (!o.p)
        return RC_MEMORY;
    put_head(&o, r, host);
    http_out_put(&o, r->body);
    if (o.full) {
        free(o.p);
        return RC_LIMIT;
    }
    *out = o.p;
    *n = o.n;
    return RC_OK;
}

bool http_outbound_may_repeat(const http_outbound_request_t *r)
{
    return r->again || (r->method != HTTP_POST && r->method != HTTP_PATCH);
}
