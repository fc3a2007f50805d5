#include "core/core_test_child.h"
#include "core/core_test_util.h"

#include "mcp_stdio/streams.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int print_and_write(void)
{
    mcp_streams_t s;
    char got[16] = "", none[16];
    printf("before ");
    if (mcp_streams_take(&s) != RC_OK)
        return 2;
    printf("stray ");
    if (read(s.in, got, sizeof got) != 9 || read(0, none, sizeof none) != 0)
        return 3;
    if (write(s.out, "answer ", 7) != 7)
        return 4;
    mcp_streams_give_back(&s);
    printf("after");
    return s.in == -1 && s.out == -1 ? 0 : 5;
}

static void stray_prints_go_to_standard_error(void **state)
{
    test_child_t r = test_child_run(print_and_write, STR("question\n"));
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "before answer after");
    assert_string_equal(r.err, "stray ");
}

static int without_standard_error(void)
{
    mcp_streams_t s;
    close(2);
    if (mcp_streams_take(&s) != RC_OK)
        return 2;
    printf("stray");
    mcp_streams_give_back(&s);
    printf("after");
    return 0;
}

static void without_standard_error_they_go_nowhere(void **state)
{
    test_child_t r = test_child_run(without_standard_error, STR("question\n"));
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "after");
}

static int without_input(void)
{
    mcp_streams_t s;
    close(0);
    if (mcp_streams_take(&s) != RC_IO)
        return 2;
    printf("still here");
    return 0;
}

static void closed_input_is_refused_and_nothing_changes(void **state)
{
    test_child_t r = test_child_run(without_input, STR("question\n"));
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "still here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stray_prints_go_to_standard_error),
        cmocka_unit_test(without_standard_error_they_go_nowhere),
        cmocka_unit_test(closed_input_is_refused_and_nothing_changes),
    };
    return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}
