#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "as/vault_frame.h"

static char room[2 * LIMIT_VAULT_FRAME_BYTES], big[UINT16_MAX];

static str_t write_frame(const vault_frame_t *frame)
{
    str_t out;
    buf_t b = buf_fixed(room, sizeof room);
    assert_int_equal(vault_frame_write(&b, frame, &out), RC_OK);
    return out;
}

static const vault_frame_t SIGN = {.kind = VAULT_SIGN,
                                   .fields = {STR_INIT("ES256"), STR_INIT("kid"), STR_INIT("a.b")}};

static rc_t read_back(str_t bytes)
{
    vault_frame_t frame;
    return vault_frame_read(bytes, &frame);
}

/* The one byte at `at` is another. */
static rc_t with(size_t at, char c)
{
    char bytes[64];
    str_t good = write_frame(&SIGN);
    assert_true(good.n <= sizeof bytes);
    memcpy(bytes, good.p, good.n);
    bytes[at] = c;
    return read_back(str_of(bytes, good.n));
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    vault_frame_t back;
    for (unsigned kind = 0; kind < VAULT_KINDS; kind++) {
        bool answers = kind == VAULT_HELLO || kind == VAULT_ANSWER;
        vault_frame_t frame = {
            .kind = (vault_kind_t)kind, .code = answers ? 7 : 0, .number = 0xfffefdfc - kind};
        for (size_t i = 0; i < VAULT_FIELDS_MAX; i++)
            frame.fields[i] = str_of("fields", i);
        assert_int_equal(vault_frame_read(write_frame(&frame), &back), RC_OK);
        assert_int_equal(back.kind, kind);
        assert_int_equal(back.code, frame.code);
        assert_int_equal(back.number, frame.number);
        for (size_t i = 0; i < VAULT_FIELDS_MAX && str_is_set(back.fields[i]); i++)
            assert_true(str_eq(back.fields[i], frame.fields[i]));
    }
}

static void the_form_is_what_the_header_says(void **state)
{
    (void)state;
    static const char BYTES[] = "\2\5\0\0\21\0\0\0\0\0\0\0\5\0ES256\3\0kid\3\0a.b";
    assert_true(str_eq(write_frame(&SIGN), str_of(BYTES, sizeof BYTES - 1)));
}

static void every_cut_is_malformed(void **state)
{
    (void)state;
    str_t good = write_frame(&SIGN);
    for (size_t n = 0; n < good.n; n++)
        assert_int_equal(read_back(str_first(good, n)), RC_MALFORMED);
    assert_int_equal(read_back(good), RC_OK);
}

static void another_version_is_malformed(void **state)
{
    (void)state;
    assert_int_equal(with(0, 0), RC_MALFORMED);
    assert_int_equal(with(0, 1), RC_MALFORMED);
    assert_int_equal(with(0, 3), RC_MALFORMED);
}

static void an_unknown_kind_is_malformed(void **state)
{
    (void)state;
    assert_int_equal(with(1, VAULT_KINDS), RC_MALFORMED);
    assert_int_equal(with(1, (char)0xff), RC_MALFORMED);
}

static void a_code_in_a_question_is_malformed(void **state)
{
    (void)state;
    assert_int_equal(with(2, 1), RC_MALFORMED);
    assert_int_equal(with(3, 1), RC_MALFORMED);
}

static void lengths_that_do_not_fit_are_malformed(void **state)
{
    (void)state;
    assert_int_equal(with(4, 16), RC_MALFORMED);
    assert_int_equal(with(4, 18), RC_MALFORMED);
    assert_int_equal(with(7, (char)0x80), RC_MALFORMED);
    assert_int_equal(with(12, 6), RC_MALFORMED);
    assert_int_equal(with(13, (char)0xff), RC_MALFORMED);
    assert_int_equal(with(1, VAULT_MAKE), RC_MALFORMED); /* a field is left over */
    assert_int_equal(with(1, VAULT_OPEN), RC_MALFORMED); /* two are missing */
}

static void what_is_longer_than_the_limit_is_neither_written_nor_read(void **state)
{
    (void)state;
    str_t out;
    vault_frame_t frame = SIGN;
    size_t head = VAULT_HEAD_BYTES + 3 * 2 + 5 + 3;
    frame.fields[2] = str_of(big, LIMIT_VAULT_FRAME_BYTES - head);
    str_t longest = write_frame(&frame);
    assert_int_equal(longest.n, LIMIT_VAULT_FRAME_BYTES);
    assert_int_equal(read_back(longest), RC_OK);
    room[longest.n] = 0;
    assert_int_equal(read_back(str_of(room, longest.n + 1)), RC_MALFORMED);
    buf_t b = buf_fixed(room, sizeof room);
    frame.fields[2].n++;
    assert_int_equal(vault_frame_write(&b, &frame, &out), RC_LIMIT);
    frame.fields[2].n = SIZE_MAX / 2;
    assert_int_equal(vault_frame_write(&b, &frame, &out), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_form_is_what_the_header_says),
        cmocka_unit_test(every_cut_is_malformed),
        cmocka_unit_test(another_version_is_malformed),
        cmocka_unit_test(an_unknown_kind_is_malformed),
        cmocka_unit_test(a_code_in_a_question_is_malformed),
        cmocka_unit_test(lengths_that_do_not_fit_are_malformed),
        cmocka_unit_test(what_is_longer_than_the_limit_is_neither_written_nor_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
