/* A stream of answers, read whole and in pieces as long as the first byte says: the same heads, the
 * same bodies, the same end. The second byte chooses the method. */
#include <stdlib.h>

#include "http/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_HEAD = 2000 };

typedef struct {
    http_step_t end; /* of the last answer */
    uint64_t sum;    /* of all heads and body bytes */
    size_t heads, rest;
} result_t;

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void add(result_t *r, str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        r->sum = r->sum * 31 + (uint8_t)s.p[i];
}

static void add_head(result_t *r, const http_response_head_t *h)
{
    r->heads++;
    check(h->status >= 100 && h->status <= 599 && h->status != 101);
    check(h->frame != HTTP_FRAME_CLOSE || h->close);
    r->sum = r->sum * 31 + (uint64_t)h->status + h->frame + h->close + h->keep_s;
    for (size_t i = 0; i < h->header_count; i++) {
        check(!str_eq_nocase(h->headers[i].name, STR("transfer-encoding")));
        add(r, h->headers[i].name);
        add(r, h->headers[i].value);
    }
}

/* How much of the `have` bytes at p is a head. */
static size_t read_head(result_t *r, http_response_t *response, str_t in, size_t step)
{
    r->end = HTTP_STEP_MORE;
    for (size_t have = 0; r->end == HTTP_STEP_MORE && have < in.n;) {
        have = in.n - have < step ? in.n : have + step;
        r->end = http_response_head(response, in.p, have);
    }
    check(r->end != HTTP_STEP_BAD || str_is_set(response->why));
    if (r->end == HTTP_STEP_DONE)
        add_head(r, &response->head);
    return response->fields.pos;
}

static void read_body(result_t *r, const http_response_head_t *head, str_t *in, size_t step)
{
    http_response_body_t body = http_response_body(head);
    str_t data;
    r->end = HTTP_STEP_MORE;
    do {
        str_t piece = str_first(*in, step);
        size_t before = piece.n;
        do {
            r->end = http_response_next(&body, &piece, &data);
            if (r->end != HTTP_STEP_BAD)
                add(r, data);
        } while (r->end == HTTP_STEP_MORE && piece.n);
        *in = str_skip(*in, before - piece.n);
    } while (r->end == HTTP_STEP_MORE && in->n);
}

static result_t read_all(str_t in, http_method_t method, size_t step)
{
    static http_response_t response;
    result_t r = {0};
    do {
        http_response_init(&response, method, MAX_HEAD);
        in = str_skip(in, read_head(&r, &response, in, step));
        if (r.end == HTTP_STEP_DONE)
            read_body(&r, &response.head, &in, step);
    } while (r.end == HTTP_STEP_DONE && in.n);
    r.rest = in.n;
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    http_method_t method = data[1] % HTTP_METHOD_COUNT;
    str_t in = str_of(data + 2, size - 2);
    result_t whole = read_all(in, method, in.n ? in.n : 1);
    result_t cut = read_all(in, method, (size_t)data[0] + 1);
    check(whole.end == cut.end && whole.heads == cut.heads);
    check(whole.end == HTTP_STEP_BAD || whole.sum == cut.sum);
    check(whole.end != HTTP_STEP_DONE || whole.rest == cut.rest);
    return 0;
}
