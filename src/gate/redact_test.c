#include "gate/redact.h"

#include "gate/gate_test_util.h"

static void assert_redacted(gate_test_t *t, const char *json, const char *paths, const char *want)
{
    const json_t *v;
    str_t out, list[8], rest = str_c(paths);
    size_t n = 0;
    while (str_split(&rest, ' ', &list[n]))
        n++;
    assert_int_equal(json_parse(t->a, str_c(json), NULL, &v), RC_OK);
    assert_int_equal(gate_redact(t->a, v, (str_list_t){list, n}, 4096, &out), RC_OK);
    assert_str(out, str_c(want));
}

#define ORDER "{\"card\":\"4111\",\"lines\":[{\"a\":1,\"pin\":2},{\"pin\":3}],\"n\":1e3}"

static void what_a_path_names_is_gone(void **state)
{
    gate_test_t *t = *state;
    assert_redacted(t, ORDER, "card",
                    "{\"card\":\"[redacted]\",\"lines\":[{\"a\":1,\"pin\":2},"
                    "{\"pin\":3}],\"n\":1e3}");
    assert_redacted(t, ORDER, "lines.*.pin card",
                    "{\"card\":\"[redacted]\",\"lines\":[{\"a\":1,\"pin\":\"[redacted]\"},"
                    "{\"pin\":\"[redacted]\"}],\"n\":1e3}");
    assert_redacted(t, ORDER, "lines.1",
                    "{\"card\":\"4111\",\"lines\":[{\"a\":1,\"pin\":2},"
                    "\"[redacted]\"],\"n\":1e3}");
    assert_redacted(t, ORDER, "*",
                    "{\"card\":\"[redacted]\",\"lines\":\"[redacted]\",\"n\":\"[redacted]\"}");
    assert_redacted(t, ORDER, "lines.0 lines.*.pin",
                    "{\"card\":\"4111\",\"lines\":[\"[redacted]\",{\"pin\":\"[redacted]\"}],"
                    "\"n\":1e3}");
}

static void what_no_path_names_stays(void **state)
{
    gate_test_t *t = *state;
    assert_redacted(t, ORDER, "other lines.7 card.number lines.pin", ORDER);
    assert_redacted(t, "{}", "a", "{}");
    assert_redacted(t, "{\"a\\u002eb\":\"\\u00e9\"}", "a.b", "{\"a.b\":\"\\u00e9\"}");
}

static void what_is_too_long_is_left_out(void **state)
{
    gate_test_t *t = *state;
    const json_t *v;
    str_t out;
    assert_int_equal(json_parse(t->a, STR(ORDER), NULL, &v), RC_OK);
    assert_int_equal(gate_redact(t->a, v, (str_list_t){0}, 10, &out), RC_LIMIT);
    assert_int_equal(gate_redact(t->a, v, (str_list_t){0}, 4096, &out), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATE_TEST(what_a_path_names_is_gone),
        GATE_TEST(what_no_path_names_stays),
        GATE_TEST(what_is_too_long_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
