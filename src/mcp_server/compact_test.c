#include "mcp_server/compact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void assert_compact(const char *json, const char *want)
{
    char room[256];
    buf_t b = buf_fixed(room, sizeof room);
    mcp_compact(&b, str_c(json));
    assert_int_equal(b.failed, RC_OK);
    assert_int_equal(b.n, strlen(want));
    assert_memory_equal(room, want, b.n);
}

static void white_space_between_tokens_goes(void **state)
{
    (void)state;
    assert_compact(" { \"a\" : [ 1 ,\r\n\t2 ] }\n", "{\"a\":[1,2]}");
    assert_compact("true", "true");
    assert_compact("", "");
}

static void strings_stay_as_they_are(void **state)
{
    (void)state;
    assert_compact("[ \"a b\" , \" \\\" \\\\\" , \"\" ]", "[\"a b\",\" \\\" \\\\\",\"\"]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_between_tokens_goes),
        cmocka_unit_test(strings_stay_as_they_are),
    };
    return cmocka_run_group_tests_name("compact", tests, NULL, NULL);
}
