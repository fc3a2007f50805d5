#include "http/http_test_wire.h"

#include <stdlib.h>

/* Moves what the window lets through from the pending pieces to the client. */
static void carry(test_wire_t *t)
{
    unsigned done = 0;
    for (; done < t->pending_n; done++) {
        struct iovec *v = &t->pending[done];
        size_t n = v->iov_len < t->window ? v->iov_len : t->window;
        assert_true(t->out_n + n <= TEST_WIRE_OUT);
        if (n)
            memcpy(t->out + t->out_n, v->iov_base, n);
        t->out_n += n;
        t->window -= n;
        v->iov_base = (char *)v->iov_base + n;
        v->iov_len -= n;
        if (v->iov_len)
            break;
    }
    memmove(t->pending, t->pending + done, (t->pending_n - done) * sizeof *t->pending);
    t->pending_n -= done;
}

static http_send_t wire_send(http_wire_t *w, const struct iovec *v, unsigned n)
{
    test_wire_t *t = (test_wire_t *)w;
    assert_int_equal(t->pending_n, 0);
    assert_true(n <= 4);
    if (t->dead)
        return HTTP_DEAD;
    memcpy(t->pending, v, n * sizeof *v);
    t->pending_n = n;
    carry(t);
    return t->pending_n ? HTTP_PENDING : HTTP_SENT;
}

static size_t wire_unsent(http_wire_t *w)
{
    test_wire_t *t = (test_wire_t *)w;
    size_t n = 0;
    for (unsigned i = 0; i < t->pending_n; i++)
        n += t->pending[i].iov_len;
    return n;
}

static void wire_resume(http_wire_t *w)
{
    ((test_wire_t *)w)->paused = false;
}

static void wire_close(http_wire_t *w)
{
    test_wire_t *t = (test_wire_t *)w;
    assert_int_equal(t->pending_n, 0);
    t->conn = NULL;
}

static void wire_abort(http_wire_t *w)
{
    test_wire_t *t = (test_wire_t *)w;
    t->pending_n = 0;
    t->conn = NULL;
    t->aborted = true;
}

static const http_wire_ops_t WIRE = {wire_send, wire_unsent, wire_resume, wire_close, wire_abort};

void test_wire_begin(test_wire_t *t, const http_app_t *app)
{
    static const uint8_t client[4] = {192, 0, 2, 1};
    memset(t, 0, sizeof *t);
    t->out = malloc(TEST_WIRE_OUT);
    assert_non_null(t->out);
    t->wire.ops = &WIRE;
    t->window = SIZE_MAX;
    t->clock.ms = 1700000000000;
    t->hub.apps[t->hub.app_count++].app = app;
    t->hub.clock = clock_fake(&t->clock);
    t->hub.random = random_fake(&t->random);
    t->hub.times = (http_times_t){TEST_WIRE_MS, TEST_WIRE_MS, TEST_WIRE_MS, TEST_WIRE_MS, 0};
    t->conn = http_conn_open(&t->hub, &t->wire, http_addr_from_bytes(client, sizeof client), false);
    assert_non_null(t->conn);
}

void test_wire_end(test_wire_t *t)
{
    test_wire_break(t);
    assert_int_equal(t->hub.conn_count, 0);
    http_hub_close(&t->hub);
    free(t->out);
}

void test_wire_say(test_wire_t *t, str_t bytes)
{
    while (bytes.n && t->conn) {
        http_sink_t *sink = &t->conn->sink;
        size_t room;
        sink->ops->room(sink, &room);
        t->paused = room == 0;
        if (t->paused)
            return;
        void *to = sink->ops->space(sink, &room);
        assert_non_null(to);
        str_t piece = str_first(bytes, room);
        memcpy(to, piece.p, piece.n);
        bytes = str_skip(bytes, piece.n);
        sink->ops->filled(sink, piece.n);
    }
}

void test_wire_take(test_wire_t *t, size_t n)
{
    bool waiting = t->pending_n > 0;
    t->window = n;
    carry(t);
    if (!waiting || t->pending_n || !t->conn)
        return;
    t->conn->sink.ops->sent(&t->conn->sink);
}

void test_wire_finish(test_wire_t *t)
{
    if (t->conn)
        t->conn->sink.ops->ended(&t->conn->sink);
}

void test_wire_break(test_wire_t *t)
{
    http_conn_t *c = t->conn;
    t->conn = NULL;
    t->pending_n = 0;
    if (c)
        c->sink.ops->gone(&c->sink);
}

void test_wire_pass(test_wire_t *t, int64_t ms)
{
    t->clock.ms += ms;
    http_hub_tick(&t->hub);
}

str_t test_wire_heard(const test_wire_t *t)
{
    return str_of(t->out, t->out_n);
}

size_t test_count(str_t s, str_t part)
{
    size_t n = 0;
    for (size_t i = 0; i + part.n <= s.n; i++)
        n += memcmp(s.p + i, part.p, part.n) == 0;
    return n;
}

void test_assert_str(str_t left, str_t right, const char *file, int line)
{
    if (str_eq(left, right))
        return;
    print_error("%s:%d: '%" PRIstr "' is not '%" PRIstr "'\n", file, line, STR_ARG(left),
                STR_ARG(right));
    fail();
}
