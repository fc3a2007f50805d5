#include "core/core_test_util.h"

#include "proxy/trace.h"

#define ID     "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define VALID  "00-" ID "-" PARENT "-01"

static const uint8_t RANDOM[TRACE_RANDOM_BYTES] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                                   13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};
#define NEW_ID     "0102030405060708090a0b0c0d0e0f10"
#define NEW_PARENT "1112131415161718"

static trace_t make(const char *value)
{
    return trace_make(HTTP_HEADERS({STR("Traceparent"), str_c(value)}), RANDOM);
}

static str_t sent(const trace_t *t)
{
    return str_of(t->parent, sizeof t->parent);
}

static void a_trace_goes_on_under_a_new_parent(void **state)
{
    static const struct {
        const char *came, *flags;
    } rows[] = {{VALID, "01"},
                {"00-" ID "-" PARENT "-00", "00"},
                {"00-" ID "-" PARENT "-03", "01"},
                {"00-" ID "-" PARENT "-fa", "00"},
                {"00-" ID "-" PARENT "-0b", "01"},
                {"cc-" ID "-" PARENT "-01", "01"},
                {"cc-" ID "-" PARENT "-01-what-comes", "01"}};
    arena_t *a = *state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        trace_t t = make(rows[i].came);
        assert_true(t.continued);
        assert_str(sent(&t), arena_printf(a, "00-" ID "-" NEW_PARENT "-%s", rows[i].flags));
        assert_str(trace_id(&t), STR(ID));
    }
}

static void what_is_malformed_begins_a_new_trace(void **state)
{
    static const char *const rows[] = {NULL,
                                       "",
                                       "00",
                                       VALID "0",
                                       VALID "-more",
                                       "ff-" ID "-" PARENT "-01",
                                       "0G-" ID "-" PARENT "-01",
                                       "00-00000000000000000000000000000000-" PARENT "-01",
                                       "00-" ID "-0000000000000000-01",
                                       "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
                                       "00_" ID "-" PARENT "-01",
                                       "00-" ID "_" PARENT "-01",
                                       "00-" ID "-" PARENT "_01",
                                       "00-" ID "-" PARENT "-0x",
                                       "cc-" ID "-" PARENT "-01x"};
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        trace_t t = make(rows[i]);
        if (t.continued)
            fail_msg("taken: %s", rows[i]);
        assert_str(sent(&t), STR("00-" NEW_ID "-" NEW_PARENT "-00"));
    }
}

static void two_parents_are_none(void **state)
{
    (void)state;
    trace_t t = trace_make(
        HTTP_HEADERS({STR("traceparent"), STR(VALID)}, {STR("traceparent"), STR(VALID)}), RANDOM);
    assert_false(t.continued);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_trace_goes_on_under_a_new_parent),
        cmocka_unit_test(what_is_malformed_begins_a_new_trace),
        cmocka_unit_test(two_parents_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
