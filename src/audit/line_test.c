#include "audit/line.h"

#include "audit/audit_test_util.h"
#include "core/limits.h"

#include <stdlib.h>

static const int64_t NOW = 1764083102123; /* 2025-11-25T15:05:02.123Z */

static str_t body_at(trail_t *t, const audit_event_t *e, int64_t now)
{
    size_t n = audit_body_bound(e);
    buf_t b = buf_fixed(arena_alloc(t->a, n), n);
    str_t out;
    assert_int_equal(audit_body_write(&b, e, now, &out), RC_OK);
    return out;
}

static const json_t *parsed(trail_t *t, str_t body)
{
    const json_t *json;
    str_t text = arena_printf(t->a, "{%" PRIstr "}", STR_ARG(body));
    assert_int_equal(json_parse(t->a, text, NULL, &json), RC_OK);
    return json;
}

static void golden_line_with_all_members(void **state)
{
    trail_t *t = *state;
    audit_event_t e = {
        .kind = AUDIT_TOOL_CALL,
        .allowed = true,
        .reason = STR("fine"),
        .detail = STR("said \"so\"\n"),
        .user = STR("u1"),
        .client = STR("c1"),
        .resource = STR("https://mcp.example/mcp"),
        .scope = STR("news:read"),
        .tool = STR("get_news"),
        .family = STR("f1"),
        .token = STR("j1"),
        .address = STR("192.0.2.1"),
        .request_id = STR("r1"),
        .duration_us = 1500,
    };
    audit_head_t head = {.seq = 6, .hash = {0xab, 0x01}};
    char bytes[1024];
    buf_t b = buf_fixed(bytes, sizeof bytes);
    audit_line_write(&b, &head, body_at(t, &e, NOW));
    assert_str(buf_str(&b),
               STR("{\"seq\":7,\"time\":\"2025-11-25T15:05:02.123Z\",\"event\":\"tool_call\","
                   "\"decision\":\"allow\",\"reason\":\"fine\",\"detail\":\"said \\\"so\\\"\\n\","
                   "\"user\":\"u1\",\"client\":\"c1\",\"resource\":\"https://mcp.example/mcp\","
                   "\"scope\":\"news:read\",\"tool\":\"get_news\",\"family\":\"f1\","
                   "\"token\":\"j1\",\"address\":\"192.0.2.1\",\"request_id\":\"r1\","
                   "\"duration_us\":1500,\"prev\":\"ab01000000000000000000000000000000000000000000"
                   "000000000000000000\"}\n"));
    uint8_t hash[SHA256_BYTES];
    sha256(buf_str(&b), hash);
    assert_int_equal(head.seq, 7);
    assert_memory_equal(head.hash, hash, sizeof hash);
}

static void golden_line_of_a_call(void **state)
{
    trail_t *t = *state;
    audit_event_t e = {
        .kind = AUDIT_CALL_END,
        .allowed = true,
        .request_id = STR("r1"),
        .duration_us = 1500,
        .issuer = STR("https://as.example"),
        .user = STR("u1"),
        .client = STR("c1"),
        .upstream = STR("/mcp"),
        .method = STR("tools/call"),
        .tool = STR("get_news"),
        .object = STR("file:///a"),
        .rule = STR("read"),
        .shadow = STR("allow"),
        .arguments_hash = STR("00ff"),
        .arguments = STR("{ \"b\" : 1.50, \"a\":[\"\\u0041\\/\",null] }"),
        .trace = STR("4bf92f3577b34da6a3ce929d0e0e4736"),
        .status = 200,
        .bytes_in = 300,
        .bytes_out = 1024,
    };
    assert_str(
        body_at(t, &e, NOW),
        STR("\"time\":\"2025-11-25T15:05:02.123Z\",\"event\":\"call.end\",\"decision\":\"allow\","
            "\"rule\":\"read\",\"shadow\":\"allow\",\"user\":\"u1\",\"issuer\":\"https://"
            "as.example\",\"client\":\"c1\",\"upstream\":\"/mcp\",\"method\":\"tools/call\","
            "\"tool\":\"get_news\",\"object\":\"file:///a\",\"arguments_hash\":\"00ff\","
            "\"arguments\":{\"b\":1.50,\"a\":[\"A/\",null]},\"request_id\":\"r1\","
            "\"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"status\":200,\"bytes_in\":300,"
            "\"bytes_out\":1024,\"duration_us\":1500"));
}

static str_t omitted(trail_t *t, str_t arguments)
{
    audit_event_t e = {.kind = AUDIT_CALL_BEGIN, .arguments = arguments};
    const json_t *json = parsed(t, body_at(t, &e, NOW));
    assert_null(json_get(json, STR("arguments")));
    return json_get_str(json, STR("arguments_omitted"));
}

static void arguments_that_are_no_json_are_left_out(void **state)
{
    static const str_t ROWS[] = {
        STR_INIT(""),
        STR_INIT("{"),
        STR_INIT("{}}"),
        STR_INIT("{} {}"),
        STR_INIT("\"\xff\""),
        STR_INIT("{\"a\":1,\"a\":2}"),
        STR_INIT("1,\"prev\":2"),
    };
    trail_t *t = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        assert_str(omitted(t, ROWS[i]), STR("malformed"));
}

static void arguments_without_bounds_are_left_out(void **state)
{
    trail_t *t = *state;
    char *text = arena_alloc(t->a, LIMIT_AUDIT_ARGUMENTS_BYTES + 1);
    memset(text, ' ', LIMIT_AUDIT_ARGUMENTS_BYTES);
    text[LIMIT_AUDIT_ARGUMENTS_BYTES] = '1';
    assert_str(omitted(t, str_of(text, LIMIT_AUDIT_ARGUMENTS_BYTES + 1)), STR("too_large"));
    memset(text, '[', 17);
    memset(text + 17, ']', 17);
    assert_str(omitted(t, str_of(text, 34)), STR("too_large"));
    audit_event_t e = {.kind = AUDIT_CALL_BEGIN, .arguments = str_of(text + 1, 32)};
    assert_non_null(json_get(parsed(t, body_at(t, &e, NOW)), STR("arguments")));
}

static void golden_line_with_least_members(void **state)
{
    trail_t *t = *state;
    audit_event_t e = {.kind = AUDIT_LOGIN};
    assert_str(body_at(t, &e, NOW), STR("\"time\":\"2025-11-25T15:05:02.123Z\","
                                        "\"event\":\"login\",\"decision\":\"deny\""));
}

static void what_is_empty_is_left_out(void **state)
{
    trail_t *t = *state;
    audit_event_t e = {
        .kind = AUDIT_CALL_BEGIN, .user = STR(""), .client = STR(""), .scope = STR("s")};
    const json_t *json = parsed(t, body_at(t, &e, NOW));
    assert_null(json_get(json, STR("user")));
    assert_null(json_get(json, STR("client")));
    assert_str(json_get_str(json, STR("scope")), STR("s"));
}

static void times_of_all_kinds(void **state)
{
    trail_t *t = *state;
    static const struct {
        int64_t ms;
        const char *text;
    } ROWS[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1970-01-01T00:00:00.000Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1709251199000, "2024-02-29T23:59:59.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        audit_event_t e = {.kind = AUDIT_SERVER};
        str_t time = json_get_str(parsed(t, body_at(t, &e, ROWS[i].ms)), STR("time"));
        assert_str(time, str_c(ROWS[i].text));
        if (ROWS[i].ms >= 0 && ROWS[i].ms < INT64_MAX)
            assert_int_equal(audit_time_parse(time), ROWS[i].ms);
    }
}

static void bad_utf8_is_replaced(void **state)
{
    trail_t *t = *state;
    audit_event_t e = {.kind = AUDIT_LOGIN, .user = STR("a\xff\xc3\xa4\xed\xa0\x80\xc3")};
    str_t user = json_get_str(parsed(t, body_at(t, &e, NOW)), STR("user"));
    assert_str(user, STR("a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
}

static void control_bytes_are_escaped(void **state)
{
    trail_t *t = *state;
    audit_event_t e = {.kind = AUDIT_LOGIN, .user = str_of("\0\x1b[2J\n\x7f", 7)};
    str_t body = body_at(t, &e, NOW);
    assert_true(str_contains(body, STR("\\u0000\\u001b[2J\\n\\u007f")));
    assert_str(json_get_str(parsed(t, body), STR("user")), e.user);
}

/* Node's readline and Python's splitlines end lines there: a caller must not cut his own record. */
static void line_ends_of_other_readers_are_escaped(void **state)
{
    trail_t *t = *state;
    audit_event_t e = {
        .kind = AUDIT_CALL_BEGIN,
        .tool = STR("\xc2\x85\xe2\x80\xa8{\xe2\x80\xa9\xe2\x80\xa7\xc2\x84\xc3\x85\xc2\x85{"),
        .arguments = STR("{\"\xe2\x80\xa8\":\"\xc2\x85\"}")};
    str_t body = body_at(t, &e, NOW);
    assert_true(
        str_contains(body, STR("\"\\u0085\\u2028{\\u2029\xe2\x80\xa7\xc2\x84\xc3\x85\\u0085{\"")));
    assert_true(str_contains(body, STR("\"arguments\":{\"\\u2028\":\"\\u0085\"}")));
    assert_str(json_get_str(parsed(t, body), STR("tool")), e.tool);
}

static void long_text_is_cut(void **state)
{
    trail_t *t = *state;
    char *text = arena_alloc(t->a, 10000);
    memset(text, 'x', 10000);
    audit_event_t e = {.kind = AUDIT_LOGIN, .user = str_of(text, 10000), .scope = e.user};
    e.scope = e.user;
    const json_t *json = parsed(t, body_at(t, &e, NOW));
    assert_int_equal(json_get_str(json, STR("user")).n, LIMIT_AUDIT_TEXT_BYTES);
    assert_int_equal(json_get_str(json, STR("scope")).n, LIMIT_AUDIT_LONG_BYTES);
}

static void character_at_the_cut_is_replaced(void **state)
{
    trail_t *t = *state;
    char text[LIMIT_AUDIT_TEXT_BYTES + 1];
    memset(text, 'x', sizeof text);
    memcpy(text + LIMIT_AUDIT_TEXT_BYTES - 1, "\xc3\xa4", 2);
    audit_event_t e = {.kind = AUDIT_LOGIN, .user = str_of(text, sizeof text)};
    str_t user = json_get_str(parsed(t, body_at(t, &e, NOW)), STR("user"));
    assert_int_equal(user.n, LIMIT_AUDIT_TEXT_BYTES + 2);
    assert_true(str_ends(user, STR("\xef\xbf\xbd")));
}

/* Every text of an event, in the order of the struct. */
static void set_all_texts(audit_event_t *e, str_t s)
{
    str_t *const texts[] = {&e->reason,   &e->detail,         &e->user,       &e->client,
                            &e->resource, &e->scope,          &e->tool,       &e->family,
                            &e->token,    &e->address,        &e->request_id, &e->issuer,
                            &e->upstream, &e->method,         &e->object,     &e->rule,
                            &e->shadow,   &e->arguments_hash, &e->trace};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = s;
}

/* Every member at its longest, and each byte escaped or replaced to as many as there can be. */
static void worst_line_fits_its_limit(void **state)
{
    trail_t *t = *state;
    for (int c = 0; c < 256; c += 255) {
        char *text = arena_alloc(t->a, 10000), *arguments = arena_alloc(t->a, 10000);
        memset(text, c, 10000);
        memset(arguments, 0x7f, LIMIT_AUDIT_ARGUMENTS_BYTES);
        arguments[0] = arguments[LIMIT_AUDIT_ARGUMENTS_BYTES - 1] = '"';
        audit_event_t e = {.kind = AUDIT_REGISTRATION_TOKEN,
                           .duration_us = INT64_MIN,
                           .status = INT64_MIN,
                           .bytes_in = INT64_MIN,
                           .bytes_out = INT64_MIN,
                           .arguments = str_of(arguments, LIMIT_AUDIT_ARGUMENTS_BYTES)};
        set_all_texts(&e, str_of(text, 10000));
        buf_t b = buf_new(t->a, LIMIT_AUDIT_LINE_BYTES);
        audit_head_t head = {.seq = INT64_MAX - 1};
        str_t line, body = body_at(t, &e, INT64_MAX);
        audit_line_write(&b, &head, body);
        assert_int_equal(buf_done(&b, &line), RC_OK);
        assert_true(line.n <= body.n + AUDIT_LINE_FRAME);
        audit_record_t r;
        assert_int_equal(audit_record_read(t->scratch, line, &r), RC_OK);
    }
}

static void line_that_does_not_fit_moves_no_head(void **state)
{
    (void)state;
    char bytes[64];
    buf_t b = buf_fixed(bytes, sizeof bytes);
    audit_head_t head = {.seq = 3}, before = head;
    audit_line_write(&b, &head, STR("\"time\":\"x\""));
    assert_int_equal(b.failed, RC_LIMIT);
    assert_memory_equal(&head, &before, sizeof head);
}

static void body_that_does_not_fit(void **state)
{
    (void)state;
    char bytes[64];
    buf_t b = buf_fixed(bytes, sizeof bytes);
    audit_event_t e = {.kind = AUDIT_LOGIN};
    str_t out;
    assert_int_equal(audit_body_write(&b, &e, 0, &out), RC_LIMIT);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_str(audit_kind_name(AUDIT_REFRESH_REUSE), STR("refresh_reuse"));
    assert_true(audit_kind_exists(STR("client.registered")));
    assert_false(audit_kind_exists(STR("client")));
}

static str_t page(trail_t *t)
{
    const char *root = getenv("WARDER_SOURCE");
    if (!root)
        skip();
    return trail_read(t, arena_cstr(t->a, arena_printf(t->a, "%s/docs/AUDIT.md", root)));
}

static void every_kind_is_documented(void **state)
{
    trail_t *t = *state;
    static const char *const ROWS[] = {
#define AUDIT(name, text, about) "| `" text "` | " about " |\n",
        AUDIT_TABLE(AUDIT)
#undef AUDIT
    };
    str_t text = page(t);
    for (size_t i = 0; i < AUDIT_KIND_COUNT; i++)
        if (!str_contains(text, str_c(ROWS[i])))
            fail_msg("docs/AUDIT.md lacks %s", ROWS[i]);
}

static void every_fault_is_documented(void **state)
{
    trail_t *t = *state;
    str_t text = page(t);
    for (audit_fault_t f = AUDIT_FAULT_NONE + 1; f < AUDIT_FAULT_COUNT; f++) {
        str_t row = arena_printf(t->a, "| `%" PRIstr "` | %" PRIstr " |\n",
                                 STR_ARG(audit_fault_name(f)), STR_ARG(audit_fault_about(f)));
        if (!str_contains(text, row))
            fail_msg("docs/AUDIT.md lacks %" PRIstr, STR_ARG(row));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(golden_line_with_all_members),
        TRAIL_TEST(golden_line_of_a_call),
        TRAIL_TEST(arguments_that_are_no_json_are_left_out),
        TRAIL_TEST(arguments_without_bounds_are_left_out),
        TRAIL_TEST(golden_line_with_least_members),
        TRAIL_TEST(what_is_empty_is_left_out),
        TRAIL_TEST(times_of_all_kinds),
        TRAIL_TEST(bad_utf8_is_replaced),
        TRAIL_TEST(control_bytes_are_escaped),
        TRAIL_TEST(line_ends_of_other_readers_are_escaped),
        TRAIL_TEST(long_text_is_cut),
        TRAIL_TEST(character_at_the_cut_is_replaced),
        TRAIL_TEST(worst_line_fits_its_limit),
        TRAIL_TEST(line_that_does_not_fit_moves_no_head),
        TRAIL_TEST(body_that_does_not_fit),
        TRAIL_TEST(kinds_have_names),
        TRAIL_TEST(every_kind_is_documented),
        TRAIL_TEST(every_fault_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
