#include "http/response.h"

#include "core/num.h"
#include "http/scan.h"

static bool fail(http_response_t *r, str_t why)
{
    r->why = why;
    return false;
}

void http_response_init(http_response_t *r, http_method_t method, size_t max)
{
    /* The fields array stays as it is: header_count says how much of it counts. */
    memset(r, 0, offsetof(http_response_t, head) + offsetof(http_response_head_t, headers));
    r->method = method;
    r->max = max;
}

/* HTTP-version SP 3DIGIT, then a phrase that nobody reads (RFC 9112 section 4). The space before an
 * empty phrase may be missing: servers forget it, and every reader finds the same. */
static bool read_line(http_response_t *r, str_t line)
{
    static const char form[] = "HTTP/1.# ###";
    const size_t n = sizeof form - 1;
    for (size_t i = 0; i < n; i++) {
        char got = i < line.n ? line.p[i] : '\0';
        if (form[i] == '#' ? (got < '0' || got > '9') : got != form[i])
            return fail(r, STR("the status line is malformed"));
    }
    if (line.n > n && line.p[n] != ' ')
        return fail(r, STR("the status line is malformed"));
    http_response_head_t *h = &r->head;
    h->minor = (unsigned)(line.p[7] - '0');
    h->status = (line.p[9] - '0') * 100 + (line.p[10] - '0') * 10 + (line.p[11] - '0');
    h->close = h->minor == 0;
    if (h->minor > 1)
        return fail(r, STR("not HTTP/1.1 or HTTP/1.0"));
    if (h->status < 100 || h->status > 599)
        return fail(r, STR("the status is out of range"));
    return h->status != 101 || fail(r, STR("nobody asked to switch protocols"));
}

/* Fields about the message or its connection: each is read here and goes no further. */

static bool on_length(http_response_t *r, str_t value)
{
    if (r->head.has_length)
        return fail(r, STR("more than one Content-Length"));
    if (!num_u64(value, (uint64_t)INT64_MAX, &r->head.length))
        return fail(r, STR("the Content-Length is not a number"));
    r->head.has_length = true;
    return true;
}

static bool on_coding(http_response_t *r, str_t value)
{
    if (r->has_coding)
        return fail(r, STR("more than one Transfer-Encoding"));
    if (!str_eq(value, STR("chunked")))
        return fail(r, STR("a transfer coding other than chunked"));
    r->has_coding = true;
    return true;
}

static bool on_connection(http_response_t *r, str_t value)
{
    str_t part, rest = value;
    bool names = false;
    while (str_split(&rest, ',', &part)) {
        part = str_trim(part, " \t");
        bool close = str_eq_nocase(part, STR("close"));
        r->head.close |= close;
        names |= !close && !str_eq_nocase(part, STR("keep-alive"));
    }
    if (!names)
        return true;
    if (r->named_count == HTTP_RESPONSE_NAMED)
        return fail(r, STR("too many Connection fields"));
    r->named[r->named_count++] = (http_header_t){STR("connection"), value};
    return true;
}

/* A hint of many servers: "timeout=5, max=100". What is no number says nothing. */
static bool on_keep_alive(http_response_t *r, str_t value)
{
    str_t part;
    uint64_t seconds;
    while (str_split(&value, ',', &part)) {
        part = str_trim(part, " \t");
        if (str_starts(part, STR("timeout=")) && num_u64(str_skip(part, 8), 86400, &seconds))
            r->head.keep_s = (uint32_t)seconds;
    }
    return true;
}

static bool on_other(http_response_t *r, str_t value)
{
    return true;
}

static const struct {
    str_t name;
    bool (*take)(http_response_t *r, str_t value);
} HOPS[] = {
    {STR_INIT("connection"), on_connection},
    {STR_INIT("content-length"), on_length},
    {STR_INIT("transfer-encoding"), on_coding},
    {STR_INIT("keep-alive"), on_keep_alive},
    {STR_INIT("proxy-connection"), on_other},
    {STR_INIT("te"), on_other},
    {STR_INIT("trailer"), on_other},
    {STR_INIT("upgrade"), on_other},
};

enum { HOP_COUNT = sizeof HOPS / sizeof *HOPS };

static size_t hop_of(str_t name)
{
    size_t i = 0;
    while (i < HOP_COUNT && (HOPS[i].name.n != name.n || !str_eq_nocase(HOPS[i].name, name)))
        i++;
    return i;
}

static bool take_field(http_response_t *r)
{
    http_response_head_t *h = &r->head;
    size_t hop = hop_of(r->fields.name);
    if (++r->field_count > LIMIT_HTTP_HEADERS)
        return fail(r, STR("too many header fields"));
    if (hop < HOP_COUNT)
        return HOPS[hop].take(r, r->fields.value);
    h->headers[h->header_count++] = (http_header_t){r->fields.name, r->fields.value};
    return true;
}

/* Leaves out what Connection names. */
static void drop_named(http_response_t *r)
{
    http_response_head_t *h = &r->head;
    http_headers_t named = {r->named, r->named_count};
    size_t kept = 0;
    for (size_t i = 0; i < h->header_count; i++) {
        if (!http_headers_has_token(named, STR("connection"), h->headers[i].name))
            h->headers[kept++] = h->headers[i];
    }
    h->header_count = kept;
}

/* The length of the body (RFC 9112 section 6.3). */
static bool frame(http_response_t *r)
{
    http_response_head_t *h = &r->head;
    if (h->has_length && r->has_coding)
        return fail(r, STR("both Content-Length and Transfer-Encoding"));
    if (r->has_coding && h->minor == 0)
        return fail(r, STR("Transfer-Encoding in HTTP/1.0"));
    bool never = h->status < 200 || h->status == 204;
    if (never && (r->has_coding || h->length))
        return fail(r, STR("a body where none can be"));
    if (never || h->status == 304 || r->method == HTTP_HEAD)
        return true;
    if (r->has_coding)
        h->frame = HTTP_FRAME_CHUNKED;
    else if (h->has_length)
        h->frame = HTTP_FRAME_LENGTH;
    else if (h->close)
        h->frame = HTTP_FRAME_CLOSE;
    else
        return fail(r, STR("neither a length nor a coding nor the end of the connection"));
    return true;
}

static http_step_t refuse(http_response_t *r, str_t why)
{
    r->why = why;
    return HTTP_STEP_BAD;
}

/* The whole status line, once it is there. */
static http_step_t step_line(http_response_t *r, const char *p, size_t end)
{
    size_t at = http_scan_value(p, r->fields.pos, end);
    r->fields.pos = at;
    if (at < end && p[at] != '\r')
        return refuse(r, STR("a byte that may not stand there"));
    if (at + 1 >= end)
        return HTTP_STEP_MORE;
    if (p[at + 1] != '\n')
        return refuse(r, STR("CR without LF"));
    http_fields_init(&r->fields, at + 2);
    r->has_line = true;
    return read_line(r, str_of(p, at)) ? HTTP_STEP_DONE : HTTP_STEP_BAD;
}

static http_step_t step_fields(http_response_t *r, const char *p, size_t end)
{
    http_fields_step_t step;
    while ((step = http_fields_next(&r->fields, p, end)) == HTTP_FIELDS_ONE) {
        if (!take_field(r))
            return HTTP_STEP_BAD;
    }
    if (step == HTTP_FIELDS_MORE)
        return HTTP_STEP_MORE;
    if (step == HTTP_FIELDS_BAD)
        return refuse(r, r->fields.why);
    if (r->named_count)
        drop_named(r);
    return frame(r) ? HTTP_STEP_DONE : HTTP_STEP_BAD;
}

http_step_t http_response_head(http_response_t *r, const char *p, size_t n)
{
    size_t end = n < r->max ? n : r->max;
    http_step_t step = r->has_line ? HTTP_STEP_DONE : step_line(r, p, end);
    if (step == HTTP_STEP_DONE)
        step = step_fields(r, p, end);
    if (step != HTTP_STEP_MORE || n < r->max)
        return step;
    return refuse(r, STR("the head is too long"));
}

http_response_body_t http_response_body(const http_response_head_t *head)
{
    return (http_response_body_t){.frame = head->frame, .left = head->length};
}

static http_step_t next_of_length(http_response_body_t *b, str_t *in, str_t *data)
{
    *data = str_first(*in, b->left < in->n ? (size_t)b->left : in->n);
    *in = str_skip(*in, data->n);
    b->left -= data->n;
    return b->left ? HTTP_STEP_MORE : HTTP_STEP_DONE;
}

http_step_t http_response_next(http_response_body_t *b, str_t *in, str_t *data)
{
    *data = str_first(*in, 0);
    switch (b->frame) {
    case HTTP_FRAME_LENGTH:
        return next_of_length(b, in, data);
    case HTTP_FRAME_CHUNKED:
        return http_chunked_next(&b->chunked, in, data);
    case HTTP_FRAME_CLOSE:
        *data = *in;
        *in = str_skip(*in, in->n);
        return HTTP_STEP_MORE;
    default:
        return HTTP_STEP_DONE;
    }
}
