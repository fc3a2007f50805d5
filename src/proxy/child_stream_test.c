#include "core/core_test_util.h"

#include "proxy/child_stream.h"

#include <stdlib.h>

static void events_have_ids_and_can_be_had_again(void **state)
{
    char room[CHILD_PRIMER_BYTES];
    child_stream_t s = {.number = 3};
    str_t e;
    uint64_t at = 0;
    assert_false(child_stream_next(&s, &at, &e));
    assert_true(str_eq(child_stream_primer(&s, 0, room), STR("id: 3.0\nretry: 1000\ndata: \n\n")));
    assert_int_equal(child_stream_add(&s, STR("{}"), &e), RC_OK);
    assert_true(str_eq(e, STR("id: 3.1\ndata: {}\n\n")));
    assert_int_equal(child_stream_add(&s, STR("[]"), &e), RC_OK);
    assert_true(child_stream_next(&s, &at, &e));
    assert_true(str_eq(e, STR("id: 3.1\ndata: {}\n\n")));
    assert_true(child_stream_next(&s, &at, &e));
    assert_true(str_eq(e, STR("id: 3.2\ndata: []\n\n")));
    assert_false(child_stream_next(&s, &at, &e));
    assert_true(str_starts(child_stream_primer(&s, 2, room), STR("id: 3.2\n")));
    assert_int_equal(child_stream_add(&s, STR("a\rb"), &e), RC_MALFORMED);
    static char wide[3 * 1000]; /* what is longer when it is written has its room */
    for (size_t i = 0; i < sizeof wide; i++)
        wide[i] = "\xe2\x80\xa8"[i % 3];
    assert_int_equal(child_stream_add(&s, str_of(wide, sizeof wide), &e), RC_OK);
    assert_true(str_ends(e, STR("\\u2028\\u2028\n\n")));
    child_stream_clear(&s);
}

static void only_the_last_are_kept(void **state)
{
    child_stream_t s = {.number = 1};
    str_t e;
    uint64_t at = 0;
    for (int i = 0; i < 3 * CHILD_REPLAY_EVENTS; i++)
        assert_int_equal(child_stream_add(&s, STR("{}"), &e), RC_OK);
    size_t n = 0;
    while (child_stream_next(&s, &at, &e))
        n++;
    assert_int_equal(n, CHILD_REPLAY_EVENTS);
    assert_int_equal(at, 3 * CHILD_REPLAY_EVENTS);
    child_stream_clear(&s);
}

static void bytes_are_bounded_but_the_newest_is_kept(void **state)
{
    child_stream_t s = {.number = 1};
    size_t n = CHILD_REPLAY_BYTES / 2;
    char *p = malloc(3 * n);
    str_t e;
    assert_non_null(p);
    memset(p, 'x', 3 * n);
    assert_int_equal(child_stream_add(&s, str_of(p, n), &e), RC_OK);
    assert_int_equal(child_stream_add(&s, str_of(p, n), &e), RC_OK);
    assert_int_equal(s.count, 1);
    assert_int_equal(child_stream_add(&s, str_of(p, 3 * n), &e), RC_OK);
    assert_int_equal(s.count, 1);
    uint64_t at = 0;
    assert_true(child_stream_next(&s, &at, &e));
    assert_true(e.n > 3 * n);
    child_stream_clear(&s);
    free(p);
}

static void ids(void **state)
{
    static const str_t BAD[] = {
        STR_INIT(""),      STR_INIT("1"),           STR_INIT("1."),  STR_INIT(".1"),
        STR_INIT("1.1.1"), STR_INIT("a.1"),         STR_INIT("1.a"), STR_INIT("-1.1"),
        STR_INIT("1.-1"),  STR_INIT("4294967296.1")};
    uint32_t number;
    uint64_t place;
    for (size_t i = 0; i < ROWS(BAD); i++)
        assert_false(child_event_read(BAD[i], &number, &place));
    assert_false(child_event_read(STR_UNSET, &number, &place));
    assert_true(child_event_read(STR("4294967295.17"), &number, &place));
    assert_int_equal(number, UINT32_MAX);
    assert_int_equal(place, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_have_ids_and_can_be_had_again),
        cmocka_unit_test(only_the_last_are_kept),
        cmocka_unit_test(bytes_are_bounded_but_the_newest_is_kept),
        cmocka_unit_test(ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
