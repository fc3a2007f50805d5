/* What a hostile server says, as it comes out. */
#include "cmd/cmd_test_run.h"

#include "cmd/client_print.h"
#include "core/core_test_util.h"

#include <stdlib.h>

#define EVIL                                                                                       \
    "\x1b]52;c;ZXZpbA==\x07\x1b[2Jred\xc2\x9b"                                                     \
    "31m\xe2\x80\xae"                                                                              \
    "gnp.exe"

static void text(FILE *out, arena_t *a, const char *t)
{
    (void)a;
    client_print_text(out, str_c(t));
}

static void json(FILE *out, arena_t *a, const char *t)
{
    (void)a;
    client_print_json(out, str_c(t));
}

static void result(FILE *out, arena_t *a, const char *t)
{
    const json_t *v;
    assert_int_equal(json_parse(a, str_c(t), NULL, &v), RC_OK);
    client_print_result(out, v);
}

static void tools(FILE *out, arena_t *a, const char *t)
{
    const json_t *v;
    assert_int_equal(json_parse(a, str_c(t), NULL, &v), RC_OK);
    client_print_tools(out, v);
}

static const char *printed(arena_t *a, void (*print)(FILE *, arena_t *, const char *),
                           const char *t)
{
    char *p = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&p, &n);
    assert_non_null(out);
    print(out, a, t);
    fclose(out);
    const char *copy = arena_cstr(a, str_of(p, n));
    free(p);
    return copy;
}

static void lines_and_tabs_stay(void **state)
{
    assert_string_equal(printed(*state, text, "a\tb\n\nc  d\n"), "a\tb\n\nc  d\n");
    assert_string_equal(printed(*state, text, "a\r\nb"), "a\nb\n");
    assert_string_equal(printed(*state, text, ""), "\n");
}

static void no_escape_sequence_comes_through(void **state)
{
    const char *out = printed(*state, text, EVIL);
    for (const char *c = out; *c; c++)
        assert_false((unsigned char)*c < 0x20 && *c != '\n');
    assert_null(strstr(out, "\xc2\x9b"));
    assert_null(strstr(out, "\xe2\x80\xae"));
    assert_non_null(strstr(out, "gnp.exe"));
}

static void json_means_the_same_and_hides_nothing(void **state)
{
    assert_string_equal(printed(*state, json, "{\"a\":\"x\xc2\x9b\xe2\x80\xaey\xc3\xa9\"}"),
                        "{\"a\":\"x\\u009b\\u202ey\xc3\xa9\"}\n");
    assert_string_equal(printed(*state, json, "{\n\"a\":\r1,\t2}"), "{ \"a\": 1, 2}\n");
    assert_string_equal(printed(*state, json, "\"\xe1\xa0\x8e\xf3\xa0\x81\x81\""),
                        "\"\\u180e\\udb40\\udc41\"\n");
    /* Tags write what only machines read. */
    assert_string_equal(printed(*state, json, "\"\xf3\xa0\x81\xa9\xe3\x85\xa4\""),
                        "\"\\udb40\\udc69\\u3164\"\n");
    assert_string_equal(printed(*state, json, "\"\xf0\x9f\x98\x80\""), "\"\xf0\x9f\x98\x80\"\n");
}

static void results_are_texts_and_lines(void **state)
{
    assert_string_equal(
        printed(*state, result,
                "{\"content\":[{\"type\":\"text\",\"text\":\"hello\\nyou\"},"
                "{\"type\":\"image\",\"mimeType\":\"image/png\",\"data\":\"AAAA\"},"
                "{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b\",\"text\":\"in\"}},"
                "{\"type\":\"resource_link\",\"uri\":\"a:c\"}]}"),
        "hello\nyou\n[image image/png, 4 bytes of base64]\n[resource a:b]\nin\n"
        "[resource_link a:c]\n");
    assert_string_equal(printed(*state, result, "{\"content\":[],\"structuredContent\":{\"a\":1}}"),
                        "{\"a\":1}\n");
    assert_string_equal(printed(*state, result, "{\"content\":7,\"x\":2}"),
                        "{\"content\":7,\"x\":2}\n");
}

static void tools_are_a_line_each(void **state)
{
    assert_string_equal(printed(*state, tools,
                                "[{\"name\":\"a\",\"description\":\"does\\nmore\"},{\"name\":\"b\","
                                "\"title\":\"B\"},{\"name\":\"c\\u001b[2J\"}]"),
                        "a  does\nb  B\nc[2J\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(lines_and_tabs_stay),
        ARENA_TEST(no_escape_sequence_comes_through),
        ARENA_TEST(json_means_the_same_and_hides_nothing),
        ARENA_TEST(results_are_texts_and_lines),
        ARENA_TEST(tools_are_a_line_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
