#include "core/core_test_util.h"

#include "core/json.h"

#include <float.h>
#include <math.h>

static void a_document(void **state)
{
    buf_t b = buf_new(*state, 4096);
    json_writer_t w = json_writer(&b);
    str_t words[] = {STR("a"), STR("b")};
    json_begin_object(&w);
    json_member_str(&w, STR("s"), STR("x"));
    json_member_str(&w, STR("unset"), STR_UNSET);
    json_member_str(&w, STR("empty"), STR(""));
    json_member_int(&w, STR("i"), INT64_MIN);
    json_member_bool(&w, STR("t"), true);
    json_member_strs(&w, STR("l"), (str_list_t){words, 2});
    json_member_strs(&w, STR("none"), (str_list_t){0});
    json_key(&w, STR("raw"));
    json_raw(&w, STR("{\"k\": 1}"));
    json_key(&w, STR("v"));
    json_begin_array(&w);
    json_null(&w);
    json_bool(&w, false);
    json_double(&w, 0.5);
    json_begin_object(&w);
    json_end_object(&w);
    json_begin_array(&w);
    json_end_array(&w);
    json_int(&w, 7);
    json_end_array(&w);
    json_end_object(&w);
    str_t out;
    assert_int_equal(buf_done(&b, &out), RC_OK);
    assert_str(out, STR("{\"s\":\"x\",\"empty\":\"\",\"i\":-9223372036854775808,\"t\":true,"
                        "\"l\":[\"a\",\"b\"],\"none\":[],\"raw\":{\"k\": 1},"
                        "\"v\":[null,false,0.5,{},[],7]}"));
}

static void members_but_some(void **state)
{
    const str_t but[] = {STR("a"), STR("d")};
    const json_t *v;
    str_t out;
    buf_t b = buf_new(*state, 4096);
    json_writer_t w = json_writer(&b);
    assert_int_equal(json_parse(*state, STR("{\"a\":1,\"b\": [ 2 ],\"\\u0063\":3}"), NULL, &v),
                     RC_OK);
    json_begin_object(&w);
    json_members_but(&w, v, (str_list_t){but, 2});
    json_members_but(&w, json_get(v, STR("b")), (str_list_t){0});
    json_members_but(&w, NULL, (str_list_t){0});
    json_end_object(&w);
    assert_int_equal(buf_done(&b, &out), RC_OK);
    assert_str(out, STR("{\"b\":[ 2 ],\"c\":3}"));
}

static str_t written(arena_t *a, str_t s)
{
    buf_t b = buf_new(a, 1 << 16);
    json_writer_t w = json_writer(&b);
    json_str(&w, test_exact(a, s));
    str_t out;
    assert_int_equal(buf_done(&b, &out), RC_OK);
    return out;
}

static void escaping(void **state)
{
    assert_str(written(*state, STR("\"\\/\b\f\n\r\t")), STR("\"\\\"\\\\/\\b\\f\\n\\r\\t\""));
    assert_str(written(*state, STR("\0\x01\x1f\x7f")), STR("\"\\u0000\\u0001\\u001f\\u007f\""));
    assert_str(written(*state, STR("\xe2\x82\xac")), STR("\"\xe2\x82\xac\""));
    assert_str(written(*state, STR("")), STR("\"\""));
}

static void every_character_goes_round(void **state)
{
    for (unsigned c = 0; c < 0x80; c++) {
        char text[3] = {'<', (char)c, '>'};
        const json_t *v;
        assert_int_equal(json_parse(*state, written(*state, str_of(text, 3)), NULL, &v), RC_OK);
        assert_str(v->str, str_of(text, 3));
    }
}

static void bad_utf8_fails_the_builder(void **state)
{
    buf_t b = buf_new(*state, 4096);
    json_writer_t w = json_writer(&b);
    json_str(&w, STR("\xff"));
    assert_int_equal(b.failed, RC_MALFORMED);
    b = buf_new(*state, 4096);
    w = json_writer(&b);
    json_begin_object(&w);
    json_member_int(&w, STR("\xc0\xaf"), 1);
    assert_int_equal(b.failed, RC_MALFORMED);
}

static void doubles_go_round(void **state)
{
    static const double VALUES[] = {0,    -0.0,    1,       0.1,    1.0 / 3,    1e21,
                                    1e-7, DBL_MAX, DBL_MIN, 5e-324, -123456.789};
    for (size_t i = 0; i < ROWS(VALUES); i++) {
        buf_t b = buf_new(*state, 64);
        json_writer_t w = json_writer(&b);
        json_double(&w, VALUES[i]);
        const json_t *v;
        double back;
        assert_int_equal(json_parse(*state, buf_str(&b), NULL, &v), RC_OK);
        assert_true(json_f64(v, &back));
        assert_memory_equal(&back, &VALUES[i], sizeof back);
    }
    buf_t b = buf_new(*state, 64);
    json_writer_t w = json_writer(&b);
    json_double(&w, 0.1);
    assert_str(buf_str(&b), STR("0.1"));
}

static void whole_doubles_have_no_exponent(void **state)
{
    buf_t b = buf_new(*state, 64);
    json_writer_t w = json_writer(&b);
    json_begin_array(&w);
    json_double(&w, 50);
    json_double(&w, -1200000);
    json_double(&w, 0);
    json_end_array(&w);
    assert_str(buf_str(&b), STR("[50,-1200000,0]"));
}

static void no_number_fails_the_builder(void **state)
{
    static const double BAD[] = {(double)INFINITY, -(double)INFINITY, (double)NAN};
    for (size_t i = 0; i < ROWS(BAD); i++) {
        buf_t b = buf_new(*state, 64);
        json_writer_t w = json_writer(&b);
        json_double(&w, BAD[i]);
        assert_int_equal(b.failed, RC_MALFORMED);
    }
}

/* Each letter is a call: { } [ ] k(ey) v(alue). */
static rc_t run(arena_t *a, const char *calls)
{
    buf_t b = buf_new(a, 4096);
    json_writer_t w = json_writer(&b);
    for (; *calls; calls++) {
        switch (*calls) {
        case '{':
            json_begin_object(&w);
            break;
        case '}':
            json_end_object(&w);
            break;
        case '[':
            json_begin_array(&w);
            break;
        case ']':
            json_end_array(&w);
            break;
        case 'k':
            json_key(&w, STR("k"));
            break;
        default:
            json_int(&w, 1);
        }
    }
    return b.failed;
}

static void calls_in_place(void **state)
{
    static const char *const GOOD[] = {"v",     "{}",        "[]",           "{kv}",
                                       "{k[]}", "{k{kv}kv}", "[vv[v]v{kv}]", "[{}{}]"};
    for (size_t i = 0; i < ROWS(GOOD); i++)
        if (run(*state, GOOD[i]) != RC_OK)
            fail_msg("%s", GOOD[i]);
}

static void calls_out_of_place(void **state)
{
    static const char *const BAD[] = {"}",    "]",  "{]",  "[}",  "{v",   "{kk",  "{k}",
                                      "{kvv", "[k", "k",   "vv",  "{}v",  "{}{",  "[]k",
                                      "{{",   "{[", "{k]", "[}]", "[{}}", "{k[kv"};
    for (size_t i = 0; i < ROWS(BAD); i++)
        if (run(*state, BAD[i]) != RC_MALFORMED)
            fail_msg("%s", BAD[i]);
}

static void nesting_limit(void **state)
{
    char calls[130];
    memset(calls, '[', 63);
    memset(calls + 63, ']', 63);
    calls[126] = '\0';
    assert_int_equal(run(*state, calls), RC_OK);
    memset(calls, '[', 64);
    memset(calls + 64, ']', 64);
    calls[128] = '\0';
    assert_int_equal(run(*state, calls), RC_LIMIT);
}

static void the_first_failure_stays(void **state)
{
    buf_t b = buf_new(*state, 1);
    json_writer_t w = json_writer(&b);
    json_begin_array(&w);
    json_int(&w, 12);
    assert_int_equal(b.failed, RC_LIMIT);
    json_str(&w, STR("\xff"));
    json_end_object(&w);
    assert_int_equal(b.failed, RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_document),
        ARENA_TEST(members_but_some),
        ARENA_TEST(escaping),
        ARENA_TEST(every_character_goes_round),
        ARENA_TEST(bad_utf8_fails_the_builder),
        ARENA_TEST(doubles_go_round),
        ARENA_TEST(whole_doubles_have_no_exponent),
        ARENA_TEST(no_number_fails_the_builder),
        ARENA_TEST(calls_in_place),
        ARENA_TEST(calls_out_of_place),
        ARENA_TEST(nesting_limit),
        ARENA_TEST(the_first_failure_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
