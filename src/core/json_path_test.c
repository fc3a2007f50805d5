#include "core/core_test_util.h"
#include "core/json.h"

static void assert_raw(const json_t *v, const char *want)
{
    if (!v)
        assert_null(want);
    else
        assert_str(v->raw, str_c(want));
}

static void paths(void **state)
{
    const json_t *v;
    str_t text = STR("{\"a\":{\"b\":[1,{\"c\":2}]},\"x.y\":3,\"x\":{\"y\":4},\"0\":5}");
    assert_int_equal(json_parse(*state, text, NULL, &v), RC_OK);
    assert_raw(json_path(v, STR("a.b.0")), "1");
    assert_raw(json_path(v, STR("a.b.1.c")), "2");
    assert_raw(json_path(v, STR("a.b.2")), NULL);
    assert_raw(json_path(v, STR("a.b.-1")), NULL);
    assert_raw(json_path(v, STR("a.b.x")), NULL);
    assert_raw(json_path(v, STR("a.c")), NULL);
    assert_raw(json_path(v, STR("a..b")), NULL);
    assert_raw(json_path(v, STR("0")), "5");
    assert_raw(json_path(v, STR("x.y")), "4");
    assert_raw(json_path(v, STR("x.y.z")), NULL);
    assert_raw(json_path(NULL, STR("x")), NULL);
    assert_raw(json_claim(v, STR("x.y")), "3");
    assert_raw(json_claim(v, STR("a.b.0")), "1");
    assert_raw(json_claim(v, STR("none")), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
