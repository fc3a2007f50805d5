#include "core/core_test_util.h"

#include "core/buf.h"

typedef void (*put_t)(buf_t *b, str_t s);

static str_t written(arena_t *a, put_t put, str_t s)
{
    buf_t b = buf_new(a, 4096);
    put(&b, s);
    str_t out;
    assert_int_equal(buf_done(&b, &out), RC_OK);
    return out;
}

static void put_hex(buf_t *b, str_t s)
{
    buf_hex(b, (const uint8_t *)s.p, s.n);
}

static void put_b64url(buf_t *b, str_t s)
{
    buf_b64url(b, (const uint8_t *)s.p, s.n);
}

static void escapes(void **state)
{
    static const struct {
        put_t put;
        str_t in, out;
    } TABLE[] = {
        {buf_percent, STR_INIT("aZ09-._~"), STR_INIT("aZ09-._~")},
        {buf_percent, STR_INIT(" +&=/\xff\0"), STR_INIT("%20%2B%26%3D%2F%FF%00")},
        {buf_form, STR_INIT("a b+c~\n"), STR_INIT("a+b%2Bc~%0A")},
        {buf_html, STR_INIT("<a href=\"x\" id='y'>&amp;"),
         STR_INIT("&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;")},
        {buf_html, STR_INIT("\xe2\x82\xac"), STR_INIT("\xe2\x82\xac")},
        {put_hex, STR_INIT("\x00\x0f\xf0\xff"), STR_INIT("000ff0ff")},
        {put_b64url, STR_INIT(""), STR_INIT("")},
        {put_b64url, STR_INIT("f"), STR_INIT("Zg")},
        {put_b64url, STR_INIT("fo"), STR_INIT("Zm8")},
        {put_b64url, STR_INIT("foo"), STR_INIT("Zm9v")},
        {put_b64url, STR_INIT("\xfb\xff\xfe"), STR_INIT("-__-")},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++)
        assert_str(written(*state, TABLE[i].put, test_exact(*state, TABLE[i].in)), TABLE[i].out);
}

static void numbers(void **state)
{
    buf_t b = buf_new(*state, 4096);
    buf_i64(&b, 0);
    buf_char(&b, ' ');
    buf_i64(&b, INT64_MIN);
    buf_char(&b, ' ');
    buf_i64(&b, INT64_MAX);
    buf_char(&b, ' ');
    buf_u64(&b, UINT64_MAX);
    assert_str(buf_str(&b), STR("0 -9223372036854775808 9223372036854775807 18446744073709551615"));
}

static void growth_keeps_what_is_written(void **state)
{
    buf_t b = buf_new(*state, 100000);
    for (int i = 0; i < 10000; i++)
        buf_fmt(&b, "%04d", i);
    str_t out;
    assert_int_equal(buf_done(&b, &out), RC_OK);
    assert_int_equal(out.n, 40000);
    assert_str(str_first(out, 8), STR("00000001"));
    assert_str(str_skip(out, 39992), STR("99989999"));
}

static void a_full_builder_fails_and_stays_failed(void **state)
{
    buf_t b = buf_new(*state, 4);
    buf_put(&b, STR("abcd"));
    assert_int_equal(b.failed, RC_OK);
    buf_char(&b, 'e');
    assert_int_equal(b.failed, RC_LIMIT);
    buf_put(&b, STR(""));
    buf_fail(&b, RC_MEMORY);
    str_t out;
    assert_int_equal(buf_done(&b, &out), RC_LIMIT);
    assert_false(str_is_set(out));
    assert_int_equal(b.n, 4);
}

static void what_does_not_fit_is_not_begun(void **state)
{
    (void)state;
    char bytes[4] = "....";
    buf_t b = buf_fixed(bytes, sizeof bytes);
    buf_put(&b, STR("abcde"));
    assert_int_equal(b.failed, RC_LIMIT);
    assert_memory_equal(bytes, "....", 4);
    buf_put(&b, STR("a"));
    assert_memory_equal(bytes, "....", 4);
}

static void a_fixed_builder_fills_to_the_last_byte(void **state)
{
    (void)state;
    char bytes[6] = "......";
    buf_t b = buf_fixed(bytes, 5);
    buf_fmt(&b, "%d", 12345);
    assert_int_equal(b.failed, RC_OK);
    assert_str(buf_str(&b), STR("12345"));
    assert_int_equal(bytes[5], '.');
    buf_fmt(&b, "%s", "");
    assert_int_equal(b.failed, RC_OK);
    buf_fmt(&b, "%d", 6);
    assert_int_equal(b.failed, RC_LIMIT);
}

static void a_growing_builder_fills_to_the_last_byte(void **state)
{
    buf_t b = buf_new(*state, 300);
    buf_fmt(&b, "%300d", 1);
    assert_int_equal(b.failed, RC_OK);
    assert_int_equal(b.n, 300);
    buf_char(&b, 'x');
    assert_int_equal(b.failed, RC_LIMIT);
}

static void a_builder_without_memory_fails(void **state)
{
    (void)state;
    arena_t *a = arena_new(600);
    buf_t b = buf_new(a, 100000);
    for (int i = 0; i < 256; i++)
        buf_char(&b, 'a');
    assert_int_equal(b.failed, RC_OK);
    buf_char(&b, 'a');
    assert_int_equal(b.failed, RC_MEMORY);
    str_t out;
    assert_int_equal(buf_done(&b, &out), RC_MEMORY);
    arena_free(a);
}

static void nothing_written_is_empty_not_unset(void **state)
{
    buf_t b = buf_new(*state, 4);
    str_t out;
    assert_int_equal(buf_done(&b, &out), RC_OK);
    assert_str(out, STR(""));
    buf_put(&b, STR_UNSET);
    assert_int_equal(buf_done(&b, &out), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(escapes),
        ARENA_TEST(numbers),
        ARENA_TEST(growth_keeps_what_is_written),
        ARENA_TEST(a_full_builder_fails_and_stays_failed),
        ARENA_TEST(what_does_not_fit_is_not_begun),
        ARENA_TEST(a_fixed_builder_fills_to_the_last_byte),
        ARENA_TEST(a_growing_builder_fills_to_the_last_byte),
        ARENA_TEST(a_builder_without_memory_fails),
        ARENA_TEST(nothing_written_is_empty_not_unset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
