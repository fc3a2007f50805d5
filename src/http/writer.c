#include "http/writer.h"

#include <stdio.h>
#include <time.h>

#include "http/out.h"
#include "http/scan.h"

/* The server's own fields: a handler that sets one would frame the message anew. */
static bool is_reserved(str_t name)
{
    static const str_t NAMES[] = {STR_INIT("content-length"), STR_INIT("transfer-encoding"),
                                  STR_INIT("connection"), STR_INIT("date"), STR_INIT("trailer")};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (name.n == NAMES[i].n && str_eq_nocase(name, NAMES[i]))
            return true;
    }
    return false;
}

static bool is_ascii(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] & 0x80)
            return false;
    }
    return true;
}

bool http_writer_may_pass(const http_header_t *h)
{
    return h->name.n && http_scan_class(h->name.p, 0, h->name.n, HTTP_C_TOKEN) == h->name.n &&
           http_scan_value(h->value.p, 0, h->value.n) == h->value.n && !is_reserved(h->name);
}

bool http_writer_is_field(const http_header_t *h)
{
    return http_writer_may_pass(h) && is_ascii(h->value);
}

static void put_status(http_out_t *o, int status)
{
    if (status == 200) {
        http_out_put(o, STR("HTTP/1.1 200 OK\r\nDate: "));
        return;
    }
    http_out_put(o, STR("HTTP/1.1 "));
    http_out_number(o, (uint64_t)status);
    http_out_put(o, STR(" "));
    http_out_put(o, http_status_phrase(status));
    http_out_put(o, STR("\r\nDate: "));
}

static void put_end(http_out_t *o, const http_answer_head_t *h)
{
    if (h->end == HTTP_END_CHUNKED)
        http_out_put(o, STR("\r\nTransfer-Encoding: chunked"));
    if (h->end != HTTP_END_LENGTH)
        return;
    http_out_put(o, STR("\r\nContent-Length: "));
    http_out_number(o, h->length);
}

static rc_t put_fields(http_out_t *o, const http_answer_head_t *h)
{
    for (size_t i = 0; i < h->headers.n; i++) {
        const http_header_t *f = &h->headers.v[i];
        if (!str_is_set(f->value))
            continue;
        if (!http_writer_is_field(f))
            return RC_MALFORMED;
        if (h->no_store && str_eq_nocase(f->name, STR("cache-control")))
            continue;
        http_out_field(o, f->name, f->value);
    }
    return RC_OK;
}

rc_t http_writer_head(const http_answer_head_t *h, char *out, size_t cap, size_t *n)
{
    http_out_t o = {out, 0, cap, false};
    put_status(&o, h->status);
    http_out_put(&o, h->date);
    put_end(&o, h);
    http_out_put(&o, STR("\r\nX-Content-Type-Options: nosniff\r\n"));
    if (h->close)
        http_out_put(&o, STR("Connection: close\r\n"));
    if (h->no_store)
        http_out_put(&o, STR("Cache-Control: no-store\r\n"));
    if (h->cors)
        http_out_put(&o, STR("Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: "
                             "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, DPoP-Nonce, "
                             "Retry-After\r\n"));
    TRY(put_fields(&o, h));
    http_out_put(&o, STR("\r\n"));
    *n = o.n;
    return o.full ? RC_LIMIT : RC_OK;
}

void http_writer_date(int64_t unix_s, char out[HTTP_DATE_TEXT])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t t = (time_t)unix_s;
    struct tm tm = {0};
    char text[64];
    gmtime_r(&t, &tm);
    snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
             tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
    memcpy(out, text, HTTP_DATE_TEXT);
}
