#include "core/core_test_util.h"

#include "mcp/outcome.h"

typedef struct {
    const char *text;
    mcp_outcome_kind_t kind;
    int64_t code;
} row_t;

static const row_t ANSWERS[] = {
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":{\"isError\":true,\"content\":[]},\"id\":1}", MCP_OUTCOME_TOOL_ERROR, 0},
    {"{\"result\":{\"content\":[{\"isError\":true}],\"isError\" : \n true}}",
     MCP_OUTCOME_TOOL_ERROR, 0},
    {"{\"result\":{\"isError\":false}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":{\"content\":[{\"isError\":true}]}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":{\"text\":\"isError\",\"more\":true}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":{\"isErrors\":true,\"sError\":true}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":{\"a\":\"\\\"},\\\"isError\\\":true\"}}", MCP_OUTCOME_RESULT, 0},
    {"{\"result\":\"error\",\"id\":{\"code\":7}}", MCP_OUTCOME_RESULT, 0},
    {"{\"id\":1,\"error\":{\"code\":-32602,\"message\":\"no\"}}", MCP_OUTCOME_ERROR, -32602},
    {"{\"error\":{\"message\":\"code 7\",\"data\":{\"code\":9},\"code\": 12 }}", MCP_OUTCOME_ERROR,
     12},
    {"{\"error\":{\"message\":\"none\"}}", MCP_OUTCOME_ERROR, 0},
    {"{\"error\":{\"code\":5,\"n\":77}}", MCP_OUTCOME_ERROR, 5},
    {"{\"error\":{\"code\":99999999999999999999}}", MCP_OUTCOME_ERROR, 999999999},
    {"{\"error\":null,\"result\":{}}", MCP_OUTCOME_RESULT, 0},
    {"{\"method\":\"notifications/progress\",\"params\":{\"result\":1,\"error\":{}}}",
     MCP_OUTCOME_NONE, 0},
    {"[{\"result\":{}}]", MCP_OUTCOME_NONE, 0},
    {"\"result\"", MCP_OUTCOME_NONE, 0},
    {"}}}}{\"result\":{}}", MCP_OUTCOME_RESULT, 0},
    {"", MCP_OUTCOME_NONE, 0},
};

static void assert_row(const row_t *row, const mcp_outcome_t *o)
{
    if (o->kind != row->kind || o->code != row->code)
        fail_msg("%s: kind %d, code %lld", row->text, (int)o->kind, (long long)o->code);
}

static void tells_how_an_answer_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(ANSWERS); i++) {
        mcp_outcome_t o = {0};
        mcp_outcome_feed(&o, str_c(ANSWERS[i].text));
        assert_row(&ANSWERS[i], &o);
    }
}

static void does_not_depend_on_how_bytes_were_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(ANSWERS); i++) {
        str_t text = str_c(ANSWERS[i].text);
        for (size_t size = 1; size < 6; size++) {
            mcp_outcome_t o = {0};
            for (str_t rest = text; rest.n > 0; rest = str_skip(rest, size))
                mcp_outcome_feed(&o, str_first(rest, size));
            assert_row(&ANSWERS[i], &o);
        }
    }
}

typedef struct {
    const char *asked, *text;
    mcp_answer_t answer;
} answer_row_t;

#define R "\"result\":{}"
#define E "\"error\":{\"code\":1}"

/* What answers which id: the request's own alone. */
static const answer_row_t WHOSE[] = {
    {"1", "{\"id\":1," R "}", MCP_ANSWER_OURS},
    {"1", "{" R ", \"id\" : 1 }", MCP_ANSWER_OURS},
    {"1", "{\"id\":1.0," R "}", MCP_ANSWER_OURS},
    {"10", "{\"id\":1e1," R "}", MCP_ANSWER_OURS},
    {"1", "{\"id\":\"1\"," R "}", MCP_ANSWER_FOREIGN},
    {"\"1\"", "{\"id\":1," R "}", MCP_ANSWER_FOREIGN},
    {"1", "{\"id\":2," R "}", MCP_ANSWER_FOREIGN},
    {"1", "{\"id\":11," R "}", MCP_ANSWER_FOREIGN},
    {"1", "{\"id\":2," E "}", MCP_ANSWER_FOREIGN},
    {"1", "{\"id\":true," R "}", MCP_ANSWER_FOREIGN},
    {"\"aß,}\"", "{\"id\":\"a\\u00df,}\"," R "}", MCP_ANSWER_OURS},
    {"\"a\"", "{\"id\":\"\\u0061\"," R "}", MCP_ANSWER_OURS},
    {"\"a\"", "{\"id\":\" a\"," R "}", MCP_ANSWER_FOREIGN},
    {NULL, "{\"id\":1," R "}", MCP_ANSWER_FOREIGN},
    {NULL, "{\"id\":1,\"method\":\"ping\"}", MCP_ANSWER_NONE},
    {"1", "{\"id\":1,\"method\":\"ping\"}", MCP_ANSWER_NONE},
    {"1", "{\"method\":\"notifications/x\",\"params\":{\"id\":1," R "}}", MCP_ANSWER_NONE},
    {"1", "ping", MCP_ANSWER_NONE},
    {"1", "[]", MCP_ANSWER_NONE},
    {"1", "[{\"method\":\"a\",\"params\":{" R "}},{\"method\":\"b\"}]", MCP_ANSWER_NONE},
    {"1", "{\"id\":null," E "}", MCP_ANSWER_NAMELESS},
    {"1", "{" E "}", MCP_ANSWER_NAMELESS},
    {"1", "{\"error\":null,\"id\":1," R "}", MCP_ANSWER_OURS},
    {"1", "\xef\xbb\xbf{\"id\":1," R "}\r\n", MCP_ANSWER_OURS},
    {"1", "{\"id\":null," R "}", MCP_ANSWER_UNCLEAR},
    {"1", "{" R "}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":1,\"id\":2," R "}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":1,\"ID\":2," R "}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":1," R ",\"Result\":{}}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":1," R "," R "}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":1,\"re\xc5\xbfult\":{}}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"\\u0069d\":1," R "}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":1,\"\\u0072esult\":{}}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":1,\"method\":\"ping\"," R "}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":[1]," R "}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":{\"a\":1}," R "}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":1," R "}{\"id\":2," R "}", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":1," R "}]", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":1," R, MCP_ANSWER_UNCLEAR},
    {"1", "[{\"id\":1," R "}]", MCP_ANSWER_UNCLEAR},
    {"1", "[{\"method\":\"a\"},{\"\\u0065rror\":{}}]", MCP_ANSWER_UNCLEAR},
    {"1", "[{\"Result\":{}}]", MCP_ANSWER_UNCLEAR},
    {"1", "[[{\"id\":1," R "}]]", MCP_ANSWER_UNCLEAR},
    {"1", "{\"id\":1," R ",\"a\":\"\x01\"}", MCP_ANSWER_OURS},
};

static void feed_by(mcp_outcome_t *o, str_t text, size_t size)
{
    for (str_t rest = text; rest.n > 0; rest = str_skip(rest, size))
        mcp_outcome_feed(o, str_first(rest, size));
}

static void tells_whose_answer_it_is(void **state)
{
    arena_t *a = arena_new(1 << 16);
    (void)state;
    for (size_t i = 0; i < ROWS(WHOSE); i++) {
        str_t asked = WHOSE[i].asked ? str_c(WHOSE[i].asked) : STR_UNSET;
        for (size_t size = 1; size < 80; size += 6) {
            mcp_outcome_t o = {0};
            feed_by(&o, str_c(WHOSE[i].text), size);
            mcp_answer_t answer = mcp_outcome_answer(a, &o, asked);
            if (answer != WHOSE[i].answer)
                fail_msg("%s asked by %s: %d", WHOSE[i].text, WHOSE[i].asked, (int)answer);
            bool good = answer == MCP_ANSWER_OURS || answer == MCP_ANSWER_NAMELESS;
            if (o.closed && good != mcp_outcome_may_be(a, &o, asked))
                fail_msg("%s may be: not as it is", WHOSE[i].text);
        }
        arena_reset(a);
    }
    arena_free(a);
}

/* Where a piece ends makes no difference: what is good at its end is good all the way. */
static void tells_the_same_at_every_split(void **state)
{
    arena_t *a = arena_new(1 << 16);
    (void)state;
    for (size_t i = 0; i < ROWS(WHOSE); i++) {
        str_t asked = WHOSE[i].asked ? str_c(WHOSE[i].asked) : STR_UNSET,
              text = str_c(WHOSE[i].text);
        bool good = WHOSE[i].answer == MCP_ANSWER_OURS || WHOSE[i].answer == MCP_ANSWER_NAMELESS;
        for (size_t at = 0; at <= text.n; at++) {
            mcp_outcome_t o = {0};
            mcp_outcome_feed(&o, str_first(text, at));
            if (good && !mcp_outcome_may_be(a, &o, asked))
                fail_msg("%.*s may not be what it is", (int)at, text.p);
            mcp_outcome_feed(&o, str_skip(text, at));
            assert_int_equal(mcp_outcome_answer(a, &o, asked), WHOSE[i].answer);
            arena_reset(a);
        }
    }
    arena_free(a);
}

static void a_result_without_an_id_is_seen_before_the_end(void **state)
{
    arena_t *a = arena_new(1 << 16);
    mcp_outcome_t o = {0};
    (void)state;
    mcp_outcome_feed(&o, STR("{\"id\":null,"));
    assert_true(mcp_outcome_may_be(a, &o, STR("1")));
    mcp_outcome_feed(&o, STR("\"result\":"));
    assert_false(mcp_outcome_may_be(a, &o, STR("1")));
    arena_free(a);
}

/* As UTF-16 the same bytes are another message: Python looks for a NUL to tell. */
static void a_nul_makes_it_unclear(void **state)
{
    static const char TEXT[] = "{\"id\":1,\"result\":\"\0\"}";
    arena_t *a = arena_new(1 << 16);
    mcp_outcome_t o = {0};
    (void)state;
    mcp_outcome_feed(&o, str_of(TEXT, sizeof TEXT - 1));
    assert_int_equal(mcp_outcome_answer(a, &o, STR("1")), MCP_ANSWER_UNCLEAR);
    assert_false(mcp_outcome_may_be(a, &o, STR("1")));
    arena_free(a);
}

static void a_foreign_id_is_seen_before_the_end(void **state)
{
    arena_t *a = arena_new(1 << 16);
    mcp_outcome_t o = {0};
    (void)state;
    mcp_outcome_feed(&o, STR("{\"id\":1"));
    assert_true(mcp_outcome_may_be(a, &o, STR("2"))); /* it may go on */
    mcp_outcome_feed(&o, STR("2,"));
    assert_false(mcp_outcome_may_be(a, &o, STR("2")));
    assert_true(mcp_outcome_may_be(a, &o, STR("12")));
    mcp_outcome_feed(&o, STR("\"ID\":"));
    assert_false(mcp_outcome_may_be(a, &o, STR("12")));
    arena_free(a);
}

static void a_huge_id_is_nobodys(void **state)
{
    arena_t *a = arena_new(1 << 16);
    mcp_outcome_t o = {0};
    (void)state;
    mcp_outcome_feed(&o, STR("{\"id\":\""));
    for (int i = 0; i < 100000; i++)
        mcp_outcome_feed(&o, STR("aaaa"));
    mcp_outcome_feed(&o, STR("\",\"result\":{}}"));
    assert_int_equal(mcp_outcome_answer(a, &o, STR("\"aaaa\"")), MCP_ANSWER_UNCLEAR);
    arena_free(a);
}

static const struct {
    const char *from, *to;
    bool odd, is_stateless;
} SCOPES[] = {
    /* none, where one is due */
    {"{\"result\":{\"ttlMs\":1,\"a\":{\"cacheScope\":2}},\"id\":1}",
     "{\"result\":{\"ttlMs\":1,\"a\":{\"cacheScope\":2},\"cacheScope\":\"private\"},\"id\":1}"},
    {"{\"result\":{\"TTLMS\":1 }}", "{\"result\":{\"TTLMS\":1 ,\"cacheScope\":\"private\"}}"},
    {"{\"result\":{\"a\":\"}\"}}", "{\"result\":{\"a\":\"}\",\"cacheScope\":\"private\"}}", false,
     true},
    {"{\"result\":{}}", "{\"result\":{\"cacheScope\":\"private\"}}", false, true},
    {"{\"result\":{\"cacheScope\":1}}", "{\"result\":{\"cacheScope\":\"private\"}}", false, true},
    {"{\"result\":{}{}{}}", "{\"result\":{\"cacheScope\":\"private\"}{}{}}", false, true},
    {"{\"result\":{\"a\":[{\"ttlMs\":1}]}}", "{\"result\":{\"a\":[{\"ttlMs\":1}]}}"},
    {"{\"result\":[{}],\"error\":{},\"a\":{}}", "{\"result\":[{}],\"error\":{},\"a\":{}}", false,
     true},
    {"{\"ttlMs\":1,\"result\":{\"b\":1}}", "{\"ttlMs\":1,\"result\":{\"b\":1}}"},
    {"{\"result\":{\"cacheScope\":\"public\",\"a\":1}}",
     "{\"result\":{\"cacheScope\":\"private\",\"a\":1}}", false},
    {"{\"result\":{\"a\":{\"cacheScope\":\"public\"},\"cacheScope\" : {\"x\":[1,2]} }}",
     "{\"result\":{\"a\":{\"cacheScope\":\"public\"},\"cacheScope\" :\"private\"}}", false},
    {"{\"cacheScope\":\"public\",\"error\":{\"cacheScope\":\"public\"}}",
     "{\"cacheScope\":\"public\",\"error\":{\"cacheScope\":\"public\"}}", false},
    {"{\"result\":{\"cacheScope\":1,\"cacheScope\":2}}",
     "{\"result\":{\"cacheScope\":\"private\",\"cacheScope\":\"private\"}}", false},
    {"{\"result\":{\"cachescope\":\"public\"}}", "{\"result\":{\"cachescope\":\"public\"}}", true},
    {"{\"result\":{\"cache\\u0053cope\":\"public\"}}",
     "{\"result\":{\"cache\\u0053cope\":\"public\"}}", true},
    {"{\"result\":{\"cacheScope\":1,:,:,:,:2}}",
     "{\"result\":{\"cacheScope\":\"private\",:,:,:,:2}}", false},
};

static void what_depends_on_who_asked_is_private(void **state)
{
    char out[256];
    (void)state;
    for (size_t i = 0; i < ROWS(SCOPES); i++) {
        for (size_t size = 1; size < 70; size++) {
            mcp_outcome_t o = {.is_stateless = SCOPES[i].is_stateless};
            buf_t b = buf_fixed(out, sizeof out);
            for (str_t rest = str_c(SCOPES[i].from); rest.n > 0; rest = str_skip(rest, size))
                mcp_outcome_feed_private(&o, str_first(rest, size), &b);
            assert_int_equal(b.failed, RC_OK);
            assert_int_equal(b.n, strlen(SCOPES[i].to));
            assert_memory_equal(out, SCOPES[i].to, b.n);
            assert_int_equal(o.odd, SCOPES[i].odd);
        }
    }
}

static void another_type_of_id_is_seen(void **state)
{
    static const struct {
        const char *said, *asked;
        bool mistyped;
    } TYPES[] = {
        {"\"1\"", "1", true},       {"1", "\"1\"", true},        {"\"1.0\"", "1", true},
        {"\"\\u0031\"", "1", true}, {"1", "1", false},           {"\"1\"", "\"1\"", false},
        {"\"2\"", "1", false},      {"\"a\"", "1", false},       {"\"\"", "0", false},
        {"\" 1\"", "1", false},     {"null", "\"null\"", false}, {"true", "1", false},
    };
    arena_t *a = arena_new(1 << 16);
    (void)state;
    for (size_t i = 0; i < ROWS(TYPES); i++) {
        mcp_outcome_t o = {0};
        mcp_outcome_feed(&o, arena_printf(a, "{\"id\":%s,\"result\":{}}", TYPES[i].said));
        if (mcp_outcome_is_mistyped(a, &o, str_c(TYPES[i].asked)) != TYPES[i].mistyped)
            fail_msg("%s for %s", TYPES[i].said, TYPES[i].asked);
        assert_false(mcp_outcome_is_mistyped(a, &o, STR_UNSET));
    }
    arena_free(a);
}

static void depth_needs_no_memory(void **state)
{
    mcp_outcome_t o = {0};
    (void)state;
    for (int i = 0; i < 1000000; i++)
        mcp_outcome_feed(&o, STR("[{"));
    assert_int_equal(o.kind, MCP_OUTCOME_NONE);
    assert_int_equal(o.depth, 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_how_an_answer_ends),
        cmocka_unit_test(does_not_depend_on_how_bytes_were_split),
        cmocka_unit_test(tells_whose_answer_it_is),
        cmocka_unit_test(tells_the_same_at_every_split),
        cmocka_unit_test(a_result_without_an_id_is_seen_before_the_end),
        cmocka_unit_test(a_nul_makes_it_unclear),
        cmocka_unit_test(a_foreign_id_is_seen_before_the_end),
        cmocka_unit_test(a_huge_id_is_nobodys),
        cmocka_unit_test(what_depends_on_who_asked_is_private),
        cmocka_unit_test(another_type_of_id_is_seen),
        cmocka_unit_test(depth_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
