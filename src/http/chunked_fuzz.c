/* A chunked body, read whole and in pieces as long as the first byte says: the same data, the same
 * end, and the same rest behind it. */
#include <stdlib.h>

#include "http/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    http_step_t end;
    uint64_t sum;
    size_t data, rest;
} result_t;

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void add(result_t *r, str_t data)
{
    r->data += data.n;
    for (size_t i = 0; i < data.n; i++)
        r->sum = r->sum * 31 + (uint8_t)data.p[i];
}

static result_t read_in_pieces(str_t in, size_t step)
{
    result_t r = {HTTP_STEP_MORE, 0, 0, 0};
    http_chunked_t c = {0};
    while (in.n && r.end == HTTP_STEP_MORE) {
        str_t piece = str_first(in, step), data;
        in = str_skip(in, step);
        do {
            r.end = http_chunked_next(&c, &piece, &data);
            if (r.end != HTTP_STEP_BAD)
                add(&r, data);
        } while (r.end == HTTP_STEP_MORE && piece.n);
        r.rest = piece.n + in.n;
    }
    check(r.end != HTTP_STEP_BAD || c.status == 400 || c.status == 431);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    str_t in = str_of(data + 1, size - 1);
    result_t whole = read_in_pieces(in, in.n), cut = read_in_pieces(in, (size_t)data[0] + 1);
    check(whole.end == cut.end && whole.sum == cut.sum && whole.data == cut.data);
    check(whole.end != HTTP_STEP_DONE || whole.rest == cut.rest);
    check(whole.data <= in.n);
    return 0;
}
