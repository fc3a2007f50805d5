#include "http/http_test_wire.h"

/* Decodes in pieces of `step` bytes; joins the data into `out`. */
static http_step_t unchunk(str_t in, size_t step, char *out, size_t *n, size_t *left)
{
    http_chunked_t c = {0};
    http_step_t result = HTTP_STEP_MORE;
    *n = 0;
    while (in.n && result == HTTP_STEP_MORE) {
        str_t piece = str_first(in, step), data;
        in = str_skip(in, piece.n);
        do {
            result = http_chunked_next(&c, &piece, &data);
            if (result == HTTP_STEP_BAD)
                return result;
            memcpy(out + *n, data.p, data.n);
            *n += data.n;
        } while (result == HTTP_STEP_MORE && piece.n);
        *left = piece.n + in.n;
    }
    return result;
}

static void chunks_are_joined_at_any_split(void **state)
{
    str_t in = STR("4\r\nWiki\r\n0000000A;x=\"y\"\r\n0123456789\r\n0\r\nA: b\r\nC:\r\n\r\nrest");
    char out[64];
    size_t n, left;
    for (size_t step = 1; step <= in.n; step++) {
        assert_int_equal(unchunk(in, step, out, &n, &left), HTTP_STEP_DONE);
        assert_true(str_eq(str_of(out, n), STR("Wiki0123456789")));
        assert_int_equal(left, 4);
    }
}

static void bad_chunks_are_refused(void **state)
{
    static const char *const rows[] = {
        "\r\n",
        "g\r\n",
        "-1\r\n",
        " 4\r\n",
        "4 \r\n",
        "0x4\r\n",
        "4\nWiki",
        "4\r\nWikix",
        "4\r\nWiki\n",
        "4\r\rWiki",
        "000000004\r\n",
        ";a\r\n",
        "4;a\nb\r\n",
        "0\r\n x: y\r\n",
        "0\r\nx\r\n\r\n",
        "0\r\n\n",
        "+4\r\n",
        "4\r\nWiki\r\n\r\n",
        "4;a\x01\r\n",
        "4;a\rb\r\n",
        "FFFFFFFFF\r\n",
        "0\r\nx : y\r\n",
        "0\r\nx: y\r\n z\r\n",
        "0\r\nx:\x01\r",
        "0\r\n: y\r\n",
        "100000000\r\n",
        "4\r\nWiki\r\nZ",
    };
    char out[64];
    size_t n, left;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 1; step < 8; step++)
            assert_int_equal(unchunk(str_c(rows[i]), step, out, &n, &left), HTTP_STEP_BAD);
    }
    assert_int_equal(unchunk(STR("0\r\n\r\n"), 1, out, &n, &left), HTTP_STEP_DONE);
}

static void trailers_beyond_the_limit_are_431(void **state)
{
    http_chunked_t c = {0};
    str_t in = STR("0\r\nA: "), data, pad = STR("aaaaaaaaaaaaaaaa");
    assert_int_equal(http_chunked_next(&c, &in, &data), HTTP_STEP_MORE);
    http_step_t step = HTTP_STEP_MORE;
    size_t sent = 0;
    for (; step == HTTP_STEP_MORE && sent < 2 * LIMIT_HTTP_TRAILER_BYTES; sent += pad.n) {
        str_t piece = pad;
        step = http_chunked_next(&c, &piece, &data);
    }
    assert_int_equal(step, HTTP_STEP_BAD);
    assert_int_equal(c.status, 431);
}

static void extensions_beyond_the_limit_are_400(void **state)
{
    http_chunked_t c = {0};
    static char text[LIMIT_HTTP_CHUNK_LINE_BYTES + 8];
    memset(text, 'a', sizeof text);
    memcpy(text, "1;", 2);
    str_t in = str_of(text, sizeof text), data;
    assert_int_equal(http_chunked_next(&c, &in, &data), HTTP_STEP_BAD);
    assert_int_equal(c.status, 400);
}

/* A size is read whole, whatever its letters: 4294967295 bytes wait, none is taken for granted. */
static void the_largest_size_is_counted_exactly(void **state)
{
    http_chunked_t c = {0};
    str_t in = STR("fFfFfFfF\r\nab"), data;
    assert_int_equal(http_chunked_next(&c, &in, &data), HTTP_STEP_MORE);
    assert_text(data, "ab");
    assert_int_equal(c.left, 0xffffffffu - 2);
}

static void nothing_follows_an_ended_body(void **state)
{
    http_chunked_t c = {0};
    str_t in = STR("0\r\n\r\n"), more = STR("x"), data;
    assert_int_equal(http_chunked_next(&c, &in, &data), HTTP_STEP_DONE);
    assert_int_equal(http_chunked_next(&c, &more, &data), HTTP_STEP_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_joined_at_any_split),
        cmocka_unit_test(bad_chunks_are_refused),
        cmocka_unit_test(trailers_beyond_the_limit_are_431),
        cmocka_unit_test(extensions_beyond_the_limit_are_400),
        cmocka_unit_test(the_largest_size_is_counted_exactly),
        cmocka_unit_test(nothing_follows_an_ended_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
