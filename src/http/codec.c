#include "http/codec.h"

#include "core/num.h"
#include "http/addr.h"
#include "http/scan.h"

/* The states of a head, in the order of its bytes. */
enum { START, METHOD, TARGET, VERSION, FIELDS, STATE_COUNT };

/* STEP_ON is the machine's own: the state is complete, go on with the next one. */
enum { STEP_ON = HTTP_STEP_BAD + 1 };

typedef struct {
    const char *p;
    size_t end;  /* bytes that may be looked at */
    bool at_max; /* `end` is the limit, more bytes would not help */
} view_t;

static int bad(http_codec_t *c, int status, str_t why)
{
    c->status = status;
    c->why = why;
    return HTTP_STEP_BAD;
}

void http_codec_init(http_codec_t *c)
{
    /* The fields array stays as it is: header_count says how much of it counts. */
    memset(c, 0, offsetof(http_codec_t, head) + offsetof(http_head_t, headers));
}

/* The bytes ran out: wait for more, or refuse with `status` when the limit is reached. Never
 * looking beyond the limit keeps the answer free of how the bytes were split. */
static int starved(http_codec_t *c, const view_t *v, int status)
{
    if (!v->at_max)
        return HTTP_STEP_MORE;
    return bad(c, status, STR("the request head is too long"));
}

/* Expects CR LF at c->pos. */
static int take_crlf(http_codec_t *c, const view_t *v, int status)
{
    if (c->pos < v->end && v->p[c->pos] != '\r')
        return bad(c, 400, STR("a byte that may not stand there"));
    if (c->pos + 1 >= v->end)
        return starved(c, v, status);
    if (v->p[c->pos + 1] != '\n')
        return bad(c, 400, STR("CR without LF"));
    c->pos += 2;
    c->mark = c->pos;
    return STEP_ON;
}

/* One empty line before the request is let pass (RFC 9112 section 2.2). */
static int step_start(http_codec_t *c, const view_t *v)
{
    if (c->pos >= v->end)
        return HTTP_STEP_MORE;
    if (v->p[c->pos] == '\r') {
        int step = take_crlf(c, v, 400);
        if (step != STEP_ON)
            return step;
    }
    c->state = METHOD;
    return STEP_ON;
}

static int step_method(http_codec_t *c, const view_t *v)
{
    c->pos = http_scan_class(v->p, c->pos, v->end, HTTP_C_TOKEN);
    if (c->pos == v->end)
        return starved(c, v, 400);
    if (v->p[c->pos] != ' ' || c->pos == c->mark)
        return bad(c, 400, STR("the method is not a token"));
    if (!http_method_parse(str_of(v->p + c->mark, c->pos - c->mark), &c->head.method))
        return bad(c, 501, STR("unknown method"));
    c->mark = ++c->pos;
    c->state = TARGET;
    return STEP_ON;
}

/* The path and query of `s`, which begins with '/' (RFC 9112 section 3.2.1). */
static bool split_origin_form(http_head_t *h, str_t s)
{
    size_t q = http_scan_class(s.p, 0, s.n, HTTP_C_PATH);
    h->path = str_first(s, q);
    if (!http_scan_escapes(h->path))
        return false;
    if (q == s.n)
        return true;
    h->query = str_skip(s, q + 1);
    return s.p[q] == '?' && http_scan_class(s.p, q, s.n, HTTP_C_QUERY) == s.n;
}

static bool is_port(str_t s)
{
    uint64_t number;
    return s.n == 0 || num_u64(s, 65535, &number);
}

/* uri-host [ ":" port ] (RFC 9112 section 3.2). A comma is legal in a reg-name and refused: that is
 * how two Host fields look once a proxy has joined them. */
static bool is_authority(str_t s)
{
    http_addr_t literal;
    bool six = str_starts(s, STR("["));
    size_t end = six ? str_find(s, ']', 0) + 1 : str_find(s, ':', 0);
    str_t name = str_first(s, end), port = str_skip(s, end);
    if (port.n && (port.p[0] != ':' || !is_port(str_skip(port, 1))))
        return false;
    if (six)
        return str_ends(name, STR("]")) && str_contains(name, STR(":")) &&
               http_addr_parse(str_skip(str_first(name, name.n - 1), 1), &literal) == RC_OK;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!(HTTP_BYTES[(uint8_t)c] & HTTP_C_HOST) || c == '[' || c == ']' || c == ',')
            return false;
    }
    return name.n && http_scan_escapes(name);
}

/* absolute-form: the authority must be that of the Host field, and goes nowhere else, as public_url
 * rules (RFC 9112 section 3.2.2). */
static bool split_absolute_form(http_codec_t *c, str_t s)
{
    http_head_t *h = &c->head;
    size_t colon = str_find(s, ':', 0);
    str_t scheme = str_first(s, colon);
    if (!str_eq_nocase(scheme, STR("http")) && !str_eq_nocase(scheme, STR("https")))
        return false;
    str_t rest = str_skip(s, colon);
    if (!str_starts(rest, STR("://")))
        return false;
    rest = str_skip(rest, 3);
    size_t n = http_scan_class(rest.p, 0, rest.n, HTTP_C_HOST);
    c->authority = str_first(rest, n);
    if (!is_authority(c->authority))
        return false;
    if (n == rest.n || rest.p[n] == '?') {
        h->path = STR("/");
        h->query = n == rest.n ? STR_UNSET : str_skip(rest, n + 1);
        return http_scan_class(rest.p, n, rest.n, HTTP_C_QUERY) == rest.n;
    }
    return rest.p[n] == '/' && split_origin_form(h, str_skip(rest, n));
}

static bool split_target(http_codec_t *c)
{
    http_head_t *h = &c->head;
    str_t s = h->target;
    if (s.n == 0)
        return false;
    if (s.p[0] == '/')
        return split_origin_form(h, s);
    if (!str_eq(s, STR("*")))
        return split_absolute_form(c, s);
    h->path = s;
    return h->method == HTTP_OPTIONS;
}

static int step_target(http_codec_t *c, const view_t *v)
{
    c->pos = http_scan_class(v->p, c->pos, v->end, HTTP_C_QUERY);
    if (c->pos == v->end)
        return starved(c, v, 414);
    if (v->p[c->pos] != ' ')
        return bad(c, 400, STR("a byte that no request target has"));
    c->head.target = str_of(v->p + c->mark, c->pos - c->mark);
    if (!split_target(c))
        return bad(c, 400, STR("the request target follows no form"));
    c->mark = ++c->pos;
    c->state = VERSION;
    return STEP_ON;
}

static int step_version(http_codec_t *c, const view_t *v)
{
    static const char form[] = "HTTP/#.#";
    for (; c->pos < v->end && c->pos - c->mark < sizeof form - 1; c->pos++) {
        char want = form[c->pos - c->mark], got = v->p[c->pos];
        if (want == '#' ? (got < '0' || got > '9') : got != want)
            return bad(c, 400, STR("the version is malformed"));
    }
    if (c->pos - c->mark < sizeof form - 1)
        return starved(c, v, 414);
    str_t version = str_of(v->p + c->mark, sizeof form - 1);
    size_t mark = c->mark;
    int step = take_crlf(c, v, 414);
    if (step != STEP_ON)
        return step;
    if (!str_eq(version, STR("HTTP/1.1")) && !str_eq(version, STR("HTTP/1.0")))
        return bad(c, 505, STR("not HTTP/1.1 or HTTP/1.0"));
    c->head.minor = (unsigned)(v->p[mark + 7] - '0');
    /* HTTP/1.0 keep-alive is guesswork between proxies: such a connection carries one request. */
    c->head.close = c->head.minor == 0;
    http_fields_init(&c->fields, c->pos);
    c->state = FIELDS;
    return STEP_ON;
}

/* Fields that frame the message. Each may come once, whatever its value (RFC 9112 section 6.3). */

static int on_host(http_codec_t *c, str_t value)
{
    if (c->has_host)
        return bad(c, 400, STR("more than one Host"));
    if (!is_authority(value))
        return bad(c, 400, STR("the Host is malformed"));
    c->has_host = true;
    c->head.host = value;
    return STEP_ON;
}

static int on_content_length(http_codec_t *c, str_t value)
{
    if (c->has_length)
        return bad(c, 400, STR("more than one Content-Length"));
    if (!num_u64(value, (uint64_t)INT64_MAX, &c->head.length))
        return bad(c, 400, STR("the Content-Length is not a number"));
    c->has_length = true;
    return STEP_ON;
}

/* Whether a list has "chunked" anywhere but at its end: no framing at all then (section 6.3). */
static bool is_chunked_inside(str_t value)
{
    str_t part;
    bool seen = false;
    while (str_split(&value, ',', &part)) {
        if (seen)
            return true;
        seen = str_eq_nocase(str_trim(part, " \t"), STR("chunked"));
    }
    return false;
}

static int on_transfer_encoding(http_codec_t *c, str_t value)
{
    if (c->has_coding)
        return bad(c, 400, STR("more than one Transfer-Encoding"));
    if (is_chunked_inside(value) || value.n == 0)
        return bad(c, 400, STR("chunked is not the last coding"));
    /* Other spellings are where two readers differ, and nobody sends them in earnest. */
    if (!str_eq(value, STR("chunked")))
        return bad(c, 501, STR("unknown transfer coding"));
    c->has_coding = true;
    return STEP_ON;
}

/* CGI and its heirs read "_" as "-": behind us this would be the field itself, and frame anew. */
static int on_imitation(http_codec_t *c, str_t value)
{
    return bad(c, 400, STR("a field name that others take for one that frames"));
}

static int on_connection(http_codec_t *c, str_t value)
{
    str_t part;
    while (str_split(&value, ',', &part)) {
        if (str_eq_nocase(str_trim(part, " \t"), STR("close")))
            c->head.close = true;
    }
    return STEP_ON;
}

static int on_expect(http_codec_t *c, str_t value)
{
    if (!str_eq_nocase(value, STR("100-continue")))
        return bad(c, 417, STR("unknown expectation"));
    c->head.expect_continue = c->head.minor == 1;
    return STEP_ON;
}

static const struct {
    str_t name;
    int (*take)(http_codec_t *c, str_t value);
} FRAMING[] = {
    {STR_INIT("host"), on_host},
    {STR_INIT("content-length"), on_content_length},
    {STR_INIT("transfer-encoding"), on_transfer_encoding},
    {STR_INIT("content_length"), on_imitation},
    {STR_INIT("transfer_encoding"), on_imitation},
    {STR_INIT("connection"), on_connection},
    {STR_INIT("expect"), on_expect},
};

static int take_field(http_codec_t *c, str_t name, str_t value)
{
    http_head_t *h = &c->head;
    if (h->header_count == LIMIT_HTTP_HEADERS)
        return bad(c, 431, STR("too many header fields"));
    h->headers[h->header_count++] = (http_header_t){name, value};
    for (size_t i = 0; i < sizeof FRAMING / sizeof *FRAMING; i++) {
        if (FRAMING[i].name.n == name.n && str_eq_nocase(FRAMING[i].name, name))
            return FRAMING[i].take(c, value);
    }
    return STEP_ON;
}

/* The empty line came: what the fields say together. */
static int finish(http_codec_t *c)
{
    http_head_t *h = &c->head;
    if (h->minor == 1 && !c->has_host)
        return bad(c, 400, STR("no Host"));
    if (c->has_host && str_is_set(c->authority) && !str_eq_nocase(c->authority, h->host))
        return bad(c, 400, STR("the target and the Host name different servers"));
    if (c->has_length && c->has_coding)
        return bad(c, 400, STR("both Content-Length and Transfer-Encoding"));
    if (c->has_coding && h->minor == 0)
        return bad(c, 400, STR("Transfer-Encoding in HTTP/1.0"));
    if (c->has_coding)
        h->frame = HTTP_FRAME_CHUNKED;
    if (c->has_length)
        h->frame = HTTP_FRAME_LENGTH;
    return HTTP_STEP_DONE;
}

static int step_fields(http_codec_t *c, const view_t *v)
{
    http_fields_step_t step;
    int taken = STEP_ON;
    do {
        step = http_fields_next(&c->fields, v->p, v->end);
        c->pos = c->fields.pos;
        if (step == HTTP_FIELDS_ONE)
            taken = take_field(c, c->fields.name, c->fields.value);
    } while (step == HTTP_FIELDS_ONE && taken == STEP_ON);
    if (taken != STEP_ON)
        return taken;
    if (step == HTTP_FIELDS_BAD)
        return bad(c, 400, c->fields.why);
    return step == HTTP_FIELDS_END ? finish(c) : starved(c, v, 431);
}

static int (*const STEPS[STATE_COUNT])(http_codec_t *, const view_t *) = {
    [START] = step_start,     [METHOD] = step_method, [TARGET] = step_target,
    [VERSION] = step_version, [FIELDS] = step_fields,
};

http_step_t http_codec_head(http_codec_t *c, const char *p, size_t n)
{
    for (;;) {
        size_t max = c->state < FIELDS ? LIMIT_HTTP_LINE_BYTES : LIMIT_HTTP_HEAD_BYTES;
        view_t v = {p, n < max ? n : max, n >= max};
        int step = STEPS[c->state](c, &v);
        if (step != STEP_ON)
            return (http_step_t)step;
    }
}
