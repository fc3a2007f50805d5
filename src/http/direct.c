#include "http/direct.h"

#include <stdlib.h>

#include "core/buf.h"
#include "core/num.h"
#include "http/conn.h"

/* Far more than any test answers with. */
enum { OUTPUT_MAX = 64 << 20 };

struct http_direct {
    http_wire_t wire;
    http_hub_t hub;
    clock_fake_t clock;
    random_fake_t random;
    http_addr_t peer;
    http_conn_t *conn; /* NULL once closed */
    http_bytes_t output;
};

static http_send_t direct_send(http_wire_t *w, const struct iovec *v, unsigned n)
{
    http_direct_t *d = (http_direct_t *)w;
    for (unsigned i = 0; i < n; i++) {
        if (http_bytes_room(&d->output, v[i].iov_len, OUTPUT_MAX) != RC_OK)
            return HTTP_DEAD;
        if (v[i].iov_len)
            memcpy(d->output.p + d->output.n, v[i].iov_base, v[i].iov_len);
        d->output.n += v[i].iov_len;
    }
    return HTTP_SENT;
}

static size_t direct_unsent(http_wire_t *w)
{
    return 0;
}

static void direct_resume(http_wire_t *w)
{
}

static void direct_close(http_wire_t *w)
{
    ((http_direct_t *)w)->conn = NULL;
}

static const http_wire_ops_t WIRE = {direct_send, direct_unsent, direct_resume, direct_close,
                                     direct_close};

http_direct_t *http_direct_new(const http_app_t *app, void *worker)
{
    http_direct_t *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    static const uint8_t client[4] = {192, 0, 2, 1};
    d->wire.ops = &WIRE;
    d->peer = http_addr_from_bytes(client, sizeof client);
    http_direct_mount(d, app, worker);
    d->clock.ms = 1700000000000;
    d->hub.clock = clock_fake(&d->clock);
    d->hub.random = random_fake(&d->random);
    http_direct_reset(d);
    return d;
}

void http_direct_mount(http_direct_t *d, const http_app_t *app, void *worker)
{
    if (d->hub.app_count < HTTP_MOUNTS_MAX)
        d->hub.apps[d->hub.app_count++] = (http_hosted_t){app, worker};
}

void http_direct_reset(http_direct_t *d)
{
    http_direct_hang_up(d);
    d->output.n = 0;
    d->conn = http_conn_open(&d->hub, &d->wire, d->peer, false);
}

void http_direct_peer(http_direct_t *d, http_addr_t peer, http_proxies_t proxies)
{
    d->peer = peer;
    d->hub.proxies = proxies;
    http_direct_reset(d);
}

void http_direct_send(http_direct_t *d, str_t bytes)
{
    while (bytes.n && d->conn) {
        http_sink_t *sink = &d->conn->sink;
        size_t room;
        void *to = sink->ops->space(sink, &room);
        if (room == 0)
            return;
        str_t piece = str_first(bytes, room);
        memcpy(to, piece.p, piece.n);
        bytes = str_skip(bytes, piece.n);
        sink->ops->filled(sink, piece.n);
    }
}

str_t http_direct_output(const http_direct_t *d)
{
    return d->output.n ? str_of(d->output.p, d->output.n) : STR("");
}

bool http_direct_closed(const http_direct_t *d)
{
    return d->conn == NULL;
}

void http_direct_hang_up(http_direct_t *d)
{
    http_conn_t *c = d->conn;
    d->conn = NULL;
    if (c)
        c->sink.ops->gone(&c->sink);
}

void http_direct_free(http_direct_t *d)
{
    if (!d)
        return;
    http_direct_hang_up(d);
    http_hub_close(&d->hub);
    http_bytes_free(&d->output);
    free(d);
}

/* The line in front of *s, without its CR LF. */
static bool take_line(str_t *s, str_t *line)
{
    size_t n = str_find(*s, '\r', 0);
    if (s->n - n < 2 || s->p[n + 1] != '\n')
        return false;
    *line = str_first(*s, n);
    *s = str_skip(*s, n + 2);
    return true;
}

static rc_t parse_fields(arena_t *a, str_t *s, http_headers_t *out)
{
    http_header_t *v = ARENA_ARRAY(a, LIMIT_HTTP_HEADERS, http_header_t);
    size_t n = 0;
    str_t line;
    if (!v)
        return RC_MEMORY;
    while (take_line(s, &line)) {
        if (line.n == 0) {
            *out = (http_headers_t){v, n};
            return RC_OK;
        }
        size_t colon = str_find(line, ':', 0);
        if (colon == line.n || n == LIMIT_HTTP_HEADERS)
            return RC_MALFORMED;
        v[n++] = (http_header_t){str_first(line, colon), str_trim(str_skip(line, colon + 1), " ")};
    }
    return RC_MALFORMED;
}

static rc_t join_chunks(arena_t *a, str_t in, str_t *out)
{
    http_chunked_t chunks = {0};
    buf_t b = buf_new(a, LIMIT_REQUEST_ARENA_BYTES);
    http_step_t step;
    str_t data;
    do {
        step = http_chunked_next(&chunks, &in, &data);
        if (step == HTTP_STEP_BAD)
            return RC_MALFORMED;
        buf_put(&b, data);
    } while (step == HTTP_STEP_MORE && in.n);
    TRY(buf_done(&b, out));
    return step == HTTP_STEP_DONE ? RC_OK : RC_MALFORMED;
}

rc_t http_direct_parse(arena_t *a, str_t output, http_direct_answer_t *out)
{
    *out = (http_direct_answer_t){0};
    str_t line;
    uint64_t status, length;
    if (!take_line(&output, &line) || !str_starts(line, STR("HTTP/1.1 ")) ||
        !num_u64(str_first(str_skip(line, 9), 3), 999, &status))
        return RC_MALFORMED;
    TRY(parse_fields(a, &output, &out->headers));
    out->body = STR("");
    str_t declared = http_headers_get(out->headers, STR("content-length"));
    if (http_headers_has_token(out->headers, STR("transfer-encoding"), STR("chunked")))
        TRY(join_chunks(a, output, &out->body));
    else if (str_is_set(declared) && num_u64(declared, SIZE_MAX, &length))
        out->body = str_first(output, (size_t)length);
    out->status = (int)status;
    return RC_OK;
}

http_direct_answer_t http_direct_run(http_direct_t *d, arena_t *a, str_t request)
{
    http_direct_answer_t answer;
    http_direct_reset(d);
    http_direct_send(d, request);
    if (http_direct_parse(a, arena_dup(a, http_direct_output(d)), &answer) != RC_OK)
        answer = (http_direct_answer_t){0};
    return answer;
}
