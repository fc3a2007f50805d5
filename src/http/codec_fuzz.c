/* Feeds a request to the codec twice, whole and cut where the first byte says: both must agree. */
#include <stdlib.h>

#include "http/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static uint64_t body_sum(const char *p, size_t n, size_t step, http_step_t *end)
{
    http_chunked_t c = {0};
    uint64_t sum = 0;
    *end = HTTP_STEP_MORE;
    for (size_t at = 0; at < n && *end == HTTP_STEP_MORE; at += step) {
        str_t in = str_of(p + at, n - at < step ? n - at : step), data;
        do {
            *end = http_chunked_next(&c, &in, &data);
            for (size_t i = 0; *end != HTTP_STEP_BAD && i < data.n; i++)
                sum = sum * 31 + (uint8_t)data.p[i];
        } while (*end == HTTP_STEP_MORE && in.n);
    }
    return sum;
}

static void compare_heads(const http_codec_t *a, const http_codec_t *b)
{
    check(a->pos == b->pos && a->status == b->status);
    check(a->head.header_count == b->head.header_count && a->head.frame == b->head.frame);
    check(a->head.length == b->head.length && str_eq(a->head.path, b->head.path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static http_codec_t whole, cut;
    if (size < 1)
        return 0;
    size_t step = (size_t)data[0] + 1;
    const char *p = (const char *)data + 1;
    size_t n = size - 1;
    http_codec_init(&whole);
    http_codec_init(&cut);
    http_step_t a = http_codec_head(&whole, p, n), b = HTTP_STEP_MORE;
    for (size_t have = 0; b == HTTP_STEP_MORE && have < n;) {
        have = n - have < step ? n : have + step;
        b = http_codec_head(&cut, p, have);
    }
    check(a == b || n == 0);
    if (a == b && a != HTTP_STEP_MORE)
        compare_heads(&whole, &cut);
    if (a != HTTP_STEP_DONE || whole.head.frame != HTTP_FRAME_CHUNKED)
        return 0;
    http_step_t end_whole, end_cut;
    uint64_t sum = body_sum(p + whole.pos, n - whole.pos, n, &end_whole);
    check(body_sum(p + whole.pos, n - whole.pos, step, &end_cut) == sum ||
          end_cut == HTTP_STEP_BAD);
    check(end_whole == end_cut);
    return 0;
}
