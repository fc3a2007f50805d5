#include "core/core_test_util.h"

#include "core/json.h"
#include "core/limits.h"

static rc_t judge(arena_t *a, str_t text)
{
    const json_t *out = (const json_t *)1;
    rc_t rc = json_parse(a, test_exact(a, text), NULL, &out);
    assert_true((rc == RC_OK) == (out != NULL));
    return rc;
}

static const json_t *parsed(arena_t *a, str_t text)
{
    const json_t *out;
    if (json_parse(a, test_exact(a, text), NULL, &out) != RC_OK)
        fail_msg("'%" PRIstr "' was refused", STR_ARG(text));
    return out;
}

static void all_refused(arena_t *a, const str_t *bad, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (judge(a, bad[i]) != RC_MALFORMED)
            fail_msg("'%" PRIstr "' was taken", STR_ARG(bad[i]));
}

static void a_document_as_a_tree(void **state)
{
    const json_t *doc = parsed(*state, STR(" {\"a\" : [1, true,false , null,\"x\"] ,\"b\":{}}\n"));
    assert_int_equal(doc->type, JSON_OBJECT);
    assert_int_equal(doc->count, 2);
    assert_false(str_is_set(doc->key));
    assert_null(doc->next);
    const json_t *a = json_get(doc, STR("a"));
    assert_int_equal(a->type, JSON_ARRAY);
    assert_int_equal(a->count, 5);
    assert_str(a->raw, STR("[1, true,false , null,\"x\"]"));
    static const json_type_t TYPES[] = {JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL, JSON_STRING};
    static const str_t RAW[] = {STR_INIT("1"), STR_INIT("true"), STR_INIT("false"),
                                STR_INIT("null"), STR_INIT("\"x\"")};
    const json_t *item = a->child;
    for (size_t i = 0; i < ROWS(TYPES); i++, item = item->next) {
        assert_int_equal(item->type, TYPES[i]);
        assert_str(item->raw, RAW[i]);
        assert_false(str_is_set(item->key));
    }
    assert_null(item);
    assert_null(json_get(doc, STR("b"))->child);
    assert_str(doc->raw, STR("{\"a\" : [1, true,false , null,\"x\"] ,\"b\":{}}"));
}

static void strings_are_decoded(void **state)
{
    static const struct {
        str_t text, value;
    } TABLE[] = {
        {STR_INIT("\"\""), STR_INIT("")},
        {STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), STR_INIT("\"\\/\b\f\n\r\t")},
        {STR_INIT("\"\\u0000\""), STR_INIT("\0")},
        {STR_INIT("\"\\u007f\\u0080\\u07ff\\u0800\\uFfFf\""),
         STR_INIT("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
        {STR_INIT("\"\\ud83d\\ude00\""), STR_INIT("\xf0\x9f\x98\x80")},
        {STR_INIT("\"\\uD800\\uDC00\\uDBFF\\uDFFF\""),
         STR_INIT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
        {STR_INIT("\"\xe2\x82\xac\\n\xe2\x82\xac\""), STR_INIT("\xe2\x82\xac\n\xe2\x82\xac")},
        {STR_INIT("\"0123456789abcdef0123456789abcdef\""),
         STR_INIT("0123456789abcdef0123456789abcdef")},
        {STR_INIT("\"0123456789abcde\\n0123456789abcdef\\\"\""),
         STR_INIT("0123456789abcde\n0123456789abcdef\"")},
        {STR_INIT("\"\x7f\""), STR_INIT("\x7f")},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        const json_t *v = parsed(*state, TABLE[i].text);
        assert_int_equal(v->type, JSON_STRING);
        assert_str(v->str, TABLE[i].value);
        assert_str(v->raw, TABLE[i].text);
    }
}

/* The string scanner takes sixteen bytes at a time: each kind of byte at each place of strings that
 * end within, at and behind a block, and with bytes behind them. */
static void every_byte_at_every_place(void **state)
{
    static const unsigned char BYTES[] = {0,    1,   0x1f, ' ',  '!',  '"',  '#', '[',
                                          '\\', ']', 0x7f, 0x80, 0xbf, 0xe2, 0xff};
    char text[128];
    for (size_t n = 1; n < 50; n++) {
        for (size_t at = 0; at < n * ROWS(BYTES); at++) {
            unsigned char c = BYTES[at % ROWS(BYTES)];
            memset(text, 'x', n + 2);
            memset(text + n + 2, ' ', 40);
            text[0] = text[n + 1] = '"';
            text[1 + at / ROWS(BYTES)] = (char)c;
            bool good = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
            arena_reset(*state);
            if ((judge(*state, str_of(text, n + 42)) == RC_OK) != good)
                fail_msg("byte %d at %zu of %zu", c, at / ROWS(BYTES), n);
        }
    }
}

static void escapes_malformed(void **state)
{
    static const str_t BAD[] = {
        STR_INIT("\""),         STR_INIT("\"a"),         STR_INIT("\"\\"),
        STR_INIT("\"\\\""),     STR_INIT("\"\\x\""),     STR_INIT("\"\\u\""),
        STR_INIT("\"\\u123\""), STR_INIT("\"\\u12g4\""), STR_INIT("\"\\u+123\""),
        STR_INIT("\"\\u12"),    STR_INIT("\"\\u1234"),   STR_INIT("\"\\'\""),
        STR_INIT("\"\\0\""),    STR_INIT("\"\\U0041\""), STR_INIT("\"\\n\n\""),
        STR_INIT("\"\\n\\"),    STR_INIT("\"\\\xff\""),  STR_INIT("\"a\0b\""),
    };
    all_refused(*state, BAD, ROWS(BAD));
}

static void lone_surrogates(void **state)
{
    static const str_t BAD[] = {
        STR_INIT("\"\\ud800\""),        STR_INIT("\"\\udc00\""),
        STR_INIT("\"\\ud800x\""),       STR_INIT("\"\\ud800\\n\""),
        STR_INIT("\"\\ud800\\u0041\""), STR_INIT("\"\\ud800\\ud800\""),
        STR_INIT("\"\\udc00\\ud800\""), STR_INIT("\"\\ud800\\ue000\""),
        STR_INIT("\"\\ud800\\u\""),     STR_INIT("\"\\ud800\\udc0"),
        STR_INIT("\"\\ud800\\udc0g\""), STR_INIT("{\"\\udead\":1}"),
        STR_INIT("\"\xed\xa0\x80\""),   STR_INIT("\"\\ud800\xed\xb0\x80\""),
    };
    all_refused(*state, BAD, ROWS(BAD));
}

static void bad_utf8(void **state)
{
    static const str_t BAD[] = {
        STR_INIT("\"\xff\""),
        STR_INIT("\"\xc3\""),
        STR_INIT("\"\xc0\xaf\""),
        STR_INIT("\"\xf4\x90\x80\x80\""),
        STR_INIT("{\"\xff\":1}"),
        STR_INIT("\"\xc3\\u00a9\""),
        STR_INIT("\"\\n\xff\""),
        STR_INIT("\"\xff\\n\""),
        STR_INIT("\"0123456789abcdef\xff\""),
        STR_INIT("\"\xff"
                 "0123456789abcdef\""),
        STR_INIT("\xff"),
    };
    all_refused(*state, BAD, ROWS(BAD));
}

static void byte_order_mark(void **state)
{
    static const str_t BAD[] = {STR_INIT("\xef\xbb\xbf{}"), STR_INIT("\xef\xbb\xbf"),
                                STR_INIT("\xfe\xff\0{\0}"), STR_INIT("{}\xef\xbb\xbf")};
    all_refused(*state, BAD, ROWS(BAD));
}

static void duplicate_members(void **state)
{
    static const str_t BAD[] = {
        STR_INIT("{\"a\":1,\"a\":1}"),           STR_INIT("{\"a\":1,\"b\":2,\"a\":3}"),
        STR_INIT("{\"a\":1,\"\\u0061\":2}"),     STR_INIT("{\"\":1,\"\":2}"),
        STR_INIT("[{\"x\":{\"a\":1,\"a\":2}}]"),
    };
    all_refused(*state, BAD, ROWS(BAD));
    assert_int_equal(judge(*state, STR("{\"a\":1,\"A\":2,\"a\\u0000\":3,\"\":4}")), RC_OK);
    assert_int_equal(judge(*state, STR("[{\"a\":1},{\"a\":1}]")), RC_OK);
}

static str_t many_members(arena_t *a, int n, int twin)
{
    buf_t b = buf_new(a, 1 << 20);
    buf_char(&b, '{');
    for (int i = 0; i < n; i++)
        buf_fmt(&b, "%s\"k%d\":%d", i ? "," : "", i == n - 1 && twin >= 0 ? twin : i, i);
    buf_char(&b, '}');
    return buf_str(&b);
}

/* Below and above the size from which on names are sorted. */
static void duplicates_in_objects_of_any_size(void **state)
{
    for (int n = 2; n < 40; n++) {
        arena_reset(*state);
        assert_int_equal(judge(*state, many_members(*state, n, -1)), RC_OK);
        for (int twin = 0; twin < n - 1; twin++)
            assert_int_equal(judge(*state, many_members(*state, n, twin)), RC_MALFORMED);
    }
}

static void grammar(void **state)
{
    static const str_t BAD[] = {
        STR_INIT(""),
        STR_INIT(" "),
        STR_INIT("[1,]"),
        STR_INIT("[,1]"),
        STR_INIT("[1 2]"),
        STR_INIT("[1"),
        STR_INIT("["),
        STR_INIT("]"),
        STR_INIT("{"),
        STR_INIT("}"),
        STR_INIT("{\"a\"}"),
        STR_INIT("{\"a\":}"),
        STR_INIT("{\"a\":1,}"),
        STR_INIT("{,\"a\":1}"),
        STR_INIT("{a:1}"),
        STR_INIT("{1:1}"),
        STR_INIT("{\"a\" 1}"),
        STR_INIT("{\"a\"::1}"),
        STR_INIT("[}"),
        STR_INIT("{]"),
        STR_INIT("[1}"),
        STR_INIT("{} {}"),
        STR_INIT("1 2"),
        STR_INIT("nul"),
        STR_INIT("nulll"),
        STR_INIT("True"),
        STR_INIT("tru"),
        STR_INIT("fals"),
        STR_INIT("NaN"),
        STR_INIT("Infinity"),
        STR_INIT("'a'"),
        STR_INIT("[1]//"),
        STR_INIT("/**/1"),
        STR_INIT("\v1"),
        STR_INIT("\f1"),
        STR_INIT("\xc2\xa0"
                 "1"),
        STR_INIT("1\0"),
        STR_INIT("\0"),
        STR_INIT("{}}"),
        STR_INIT("[]]"),
        STR_INIT("{\"a"),
        STR_INIT("{\"a\""),
        STR_INIT("{\"a\":"),
        STR_INIT("{\"a\":1"),
        STR_INIT("{\"a\":1,"),
    };
    all_refused(*state, BAD, ROWS(BAD));
    assert_int_equal(judge(*state, STR_UNSET), RC_MALFORMED);
}

static void numbers_malformed(void **state)
{
    static const str_t BAD[] = {
        STR_INIT("-"),   STR_INIT("+1"),           STR_INIT("01"),   STR_INIT("-01"),
        STR_INIT("1."),  STR_INIT(".5"),           STR_INIT("1.e1"), STR_INIT("1e"),
        STR_INIT("1e+"), STR_INIT("1e1.5"),        STR_INIT("0x1"),  STR_INIT("1_0"),
        STR_INIT("--1"), STR_INIT("1-"),           STR_INIT("0e"),   STR_INIT("-.5"),
        STR_INIT("1E-"), STR_INIT("\xef\xbc\x91"),
    };
    all_refused(*state, BAD, ROWS(BAD));
}

static void integers(void **state)
{
    static const struct {
        str_t text;
        bool good;
        int64_t value;
    } TABLE[] = {
        {STR_INIT("0"), true, 0},
        {STR_INIT("-0"), true, 0},
        {STR_INIT("-1"), true, -1},
        {STR_INIT("9223372036854775807"), true, INT64_MAX},
        {STR_INIT("-9223372036854775808"), true, INT64_MIN},
        {STR_INIT("9223372036854775808"), false, 0},
        {STR_INIT("1.0"), false, 0},
        {STR_INIT("1e2"), false, 0},
        {STR_INIT("\"1\""), false, 0},
        {STR_INIT("true"), false, 0},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        int64_t v = 7;
        assert_int_equal(json_i64(parsed(*state, TABLE[i].text), &v), TABLE[i].good);
        assert_int_equal(v, TABLE[i].good ? TABLE[i].value : 7);
    }
    int64_t v;
    assert_false(json_i64(NULL, &v));
}

static void doubles(void **state)
{
    double v = 7;
    assert_true(json_f64(parsed(*state, STR("-1.25e2")), &v));
    assert_true(v == -125);
    assert_true(json_f64(parsed(*state, STR("3")), &v));
    assert_true(v == 3);
    assert_false(json_f64(parsed(*state, STR("1e999")), &v));
    assert_false(json_f64(parsed(*state, STR("\"1\"")), &v));
    assert_false(json_f64(NULL, &v));
}

static void readers_answer_absent(void **state)
{
    const json_t *doc =
        parsed(*state, STR("{\"s\":\"x\",\"n\":1,\"t\":true,\"f\":false,\"z\":null,\"e\":\"\"}"));
    int64_t n;
    bool b = true;
    assert_str(json_get_str(doc, STR("s")), STR("x"));
    assert_str(json_get_str(doc, STR("e")), STR(""));
    assert_false(str_is_set(json_get_str(doc, STR("n"))));
    assert_false(str_is_set(json_get_str(doc, STR("z"))));
    assert_false(str_is_set(json_get_str(doc, STR("none"))));
    assert_false(str_is_set(json_get_str(NULL, STR("s"))));
    assert_true(json_get_i64(doc, STR("n"), &n) && n == 1);
    assert_false(json_get_i64(doc, STR("s"), &n));
    assert_false(json_get_i64(doc, STR("none"), &n));
    assert_true(json_get_bool(doc, STR("f"), &b) && !b);
    assert_true(json_get_bool(doc, STR("t"), &b) && b);
    assert_false(json_get_bool(doc, STR("z"), &b));
    assert_false(json_get_bool(doc, STR("none"), &b));
    assert_null(json_get(json_get(doc, STR("s")), STR("s")));
    assert_null(json_get(parsed(*state, STR("[\"s\"]")), STR("s")));
    assert_null(json_get(doc, STR_UNSET));
    assert_true(json_is(json_get(doc, STR("z")), JSON_NULL));
    assert_false(json_is(NULL, JSON_NULL));
}

static rc_t limited(arena_t *a, str_t text, json_limits_t limits)
{
    const json_t *out;
    rc_t rc = json_parse(a, text, &limits, &out);
    assert_true((rc == RC_OK) == (out != NULL));
    return rc;
}

static void byte_limit(void **state)
{
    assert_int_equal(limited(*state, STR("[1]"), (json_limits_t){3, 9, 9}), RC_OK);
    assert_int_equal(limited(*state, STR("[1]"), (json_limits_t){2, 9, 9}), RC_LIMIT);
}

static void depth_limit(void **state)
{
    assert_int_equal(limited(*state, STR("[[{}]]"), (json_limits_t){99, 3, 9}), RC_OK);
    assert_int_equal(limited(*state, STR("[[{}]]"), (json_limits_t){99, 2, 9}), RC_LIMIT);
    assert_int_equal(limited(*state, STR("[[],[],[[]]]"), (json_limits_t){99, 3, 9}), RC_OK);
    assert_int_equal(limited(*state, STR("1"), (json_limits_t){99, 0, 9}), RC_OK);
    assert_int_equal(limited(*state, STR("[]"), (json_limits_t){99, 0, 9}), RC_LIMIT);
}

static void node_limit(void **state)
{
    assert_int_equal(limited(*state, STR("[1,{\"a\":2}]"), (json_limits_t){99, 9, 4}), RC_OK);
    assert_int_equal(limited(*state, STR("[1,{\"a\":2}]"), (json_limits_t){99, 9, 3}), RC_LIMIT);
    assert_int_equal(limited(*state, STR("1"), (json_limits_t){99, 9, 0}), RC_LIMIT);
}

static void default_limits(void **state)
{
    arena_t *a = *state;
    char deep[2 * LIMIT_JSON_DEPTH + 2];
    memset(deep, '[', LIMIT_JSON_DEPTH + 1);
    memset(deep + LIMIT_JSON_DEPTH + 1, ']', LIMIT_JSON_DEPTH + 1);
    assert_int_equal(judge(a, str_of(deep, sizeof deep)), RC_LIMIT);
    assert_int_equal(judge(a, str_of(deep + 1, sizeof deep - 2)), RC_OK);
    char *large = arena_alloc(a, LIMIT_JSON_BYTES + 1);
    memset(large, ' ', LIMIT_JSON_BYTES + 1);
    large[0] = '1';
    assert_int_equal(judge(a, str_of(large, LIMIT_JSON_BYTES)), RC_OK);
    assert_int_equal(judge(a, str_of(large, LIMIT_JSON_BYTES + 1)), RC_LIMIT);
}

/* Whatever the budget: the whole document, or RC_MEMORY and nothing. */
static void every_failing_allocation(void **state)
{
    str_t text = many_members(*state, 40, -1);
    buf_t b = buf_new(*state, 4096);
    buf_fmt(&b, "[\"\\n\",%" PRIstr "]", STR_ARG(text));
    size_t failures = 0;
    rc_t rc = RC_MEMORY;
    for (size_t budget = 0; rc != RC_OK; budget += 16) {
        arena_t *a = arena_new(budget);
        const json_t *out;
        rc = json_parse(a, buf_str(&b), NULL, &out);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        assert_true((rc == RC_OK) == (out != NULL));
        failures += rc != RC_OK;
        arena_free(a);
    }
    assert_true(failures > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_document_as_a_tree),
        ARENA_TEST(strings_are_decoded),
        ARENA_TEST(every_byte_at_every_place),
        ARENA_TEST(escapes_malformed),
        ARENA_TEST(lone_surrogates),
        ARENA_TEST(bad_utf8),
        ARENA_TEST(byte_order_mark),
        ARENA_TEST(duplicate_members),
        ARENA_TEST(duplicates_in_objects_of_any_size),
        ARENA_TEST(grammar),
        ARENA_TEST(numbers_malformed),
        ARENA_TEST(integers),
        ARENA_TEST(doubles),
        ARENA_TEST(readers_answer_absent),
        ARENA_TEST(byte_limit),
        ARENA_TEST(depth_limit),
        ARENA_TEST(node_limit),
        ARENA_TEST(default_limits),
        ARENA_TEST(every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
