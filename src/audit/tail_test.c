#include "audit/tail.h"

#include "audit/audit_test_util.h"

#define PREV "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\"}\n"
#define LINE(members)                                                                              \
    STR("{\"seq\":1,\"time\":\"2025-11-24T16:00:00.002Z\",\"event\":\"token\",\"decision\":"       \
        "\"deny\"," members PREV)

static void filters_by_each_member(void **state)
{
    trail_t *t = *state;
    str_t line = LINE("\"user\":\"ann\",\"client\":\"c1\",");
    const struct {
        audit_filter_t filter;
        bool takes;
    } ROWS[] = {
        {{STR_UNSET, STR_UNSET, STR_UNSET}, true},
        {{STR("token"), STR_UNSET, STR_UNSET}, true},
        {{STR("login"), STR_UNSET, STR_UNSET}, false},
        {{STR_UNSET, STR("ann"), STR_UNSET}, true},
        {{STR_UNSET, STR("an"), STR_UNSET}, false},
        {{STR_UNSET, STR_UNSET, STR("c1")}, true},
        {{STR_UNSET, STR_UNSET, STR("c2")}, false},
        {{STR("token"), STR("ann"), STR("c1")}, true},
        {{STR("token"), STR("ann"), STR("c2")}, false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        assert_int_equal(audit_filter_takes(&ROWS[i].filter, t->scratch, line), ROWS[i].takes);
}

static void unreadable_line_shows_without_filter(void **state)
{
    trail_t *t = *state;
    audit_filter_t all = {0}, some = {.kind = STR("token")};
    assert_true(audit_filter_takes(&all, t->scratch, STR("garbage\n")));
    assert_false(audit_filter_takes(&some, t->scratch, STR("garbage\n")));
}

static void finds_the_last_lines(void **state)
{
    trail_t *t = *state;
    audit_filter_t all = {0}, ann = {.user = STR("ann")};
    str_t text = trail_lines(t->a, 9); /* ann: lines 1, 4, 7 */
    uint64_t want = 2;
    size_t at = audit_filter_back(&all, t->scratch, text, true, &want);
    assert_int_equal(want, 0);
    assert_true(str_starts(str_skip(text, at), STR("{\"seq\":8,")));
    want = 2;
    at = audit_filter_back(&ann, t->scratch, text, true, &want);
    assert_true(str_starts(str_skip(text, at), STR("{\"seq\":4,")));
    want = 20;
    assert_int_equal(audit_filter_back(&all, t->scratch, text, true, &want), 0);
    assert_int_equal(want, 11);
    want = 20;
    at = audit_filter_back(&all, t->scratch, str_skip(text, 5), false, &want);
    assert_true(str_starts(str_skip(text, at + 5), STR("{\"seq\":2,")));
    assert_int_equal(want, 12);
}

static void human_line_in_columns(void **state)
{
    trail_t *t = *state;
    buf_t b = buf_new(t->a, 4096);
    audit_put_human(&b, t->scratch,
                    LINE("\"reason\":\"pkce_mismatch\",\"detail\":\"wrong verifier\","
                         "\"client\":\"c1\",\"duration_us\":12,"));
    assert_str(buf_str(&b), STR("2025-11-24T16:00:00.002Z deny     token             pkce_mismatch"
                                "                client=c1 duration_us=12 - wrong verifier\n"));
}

static void heads_stand_over_the_columns(void **state)
{
    trail_t *t = *state;
    buf_t b = buf_new(t->a, 4096);
    audit_put_human(&b, t->scratch, LINE("\"reason\":\"r\",\"user\":\"ann\","));
    static const struct {
        const char *head, *value;
    } ROWS[] = {{"DECISION", "deny"}, {"EVENT", "token"}, {"REASON", "r "}, {"WHO", "user=ann"}};
    str_t heads = audit_human_heads();
    for (size_t i = 0; i < 4; i++) {
        const char *head = memmem(heads.p, heads.n, ROWS[i].head, strlen(ROWS[i].head));
        assert_non_null(head);
        size_t column = (size_t)(head - heads.p);
        assert_true(str_starts(str_skip(buf_str(&b), column), str_c(ROWS[i].value)));
    }
}

static void long_value_moves_its_column(void **state)
{
    trail_t *t = *state;
    buf_t b = buf_new(t->a, 4096);
    audit_put_human(&b, t->scratch,
                    LINE("\"reason\":\"a_reason_that_is_longer_than_its_column\",\"user\":\"u\","));
    assert_true(str_contains(buf_str(&b), STR("a_reason_that_is_longer_than_its_column user=u\n")));
}

/* ESC, the eight-bit CSI, bidi override, newline and bytes that are no UTF-8 reach no terminal. */
static void terminal_escapes_are_made_visible(void **state)
{
    trail_t *t = *state;
    buf_t b = buf_new(t->a, 4096);
    audit_put_human(
        &b, t->scratch,
        LINE("\"user\":\"\\u001b[2J\\n\",\"client\":\"\xc2\x9b\xe2\x80\xae\xc3\xa4\","));
    assert_true(str_contains(buf_str(&b), STR("user=\\u001b[2J\\u000a ")));
    assert_true(str_contains(buf_str(&b), STR("client=\\u009b\\u202e\xc3\xa4\n")));
}

static void unreadable_line_is_made_visible(void **state)
{
    trail_t *t = *state;
    buf_t b = buf_new(t->a, 4096);
    audit_put_human(&b, t->scratch, STR("\x1b]0;x\x07\xff\n"));
    assert_str(buf_str(&b), STR("\\u001b]0;x\\u0007\\ufffd\n"));
}

static void visible_json_stays_json(void **state)
{
    trail_t *t = *state;
    const json_t *json;
    buf_t b = buf_new(t->a, 4096);
    audit_put_visible(&b, STR("{\"a\":\"\xc2\x9b\xe2\x80\xae\"}"));
    assert_str(buf_str(&b), STR("{\"a\":\"\\u009b\\u202e\"}"));
    assert_int_equal(json_parse(t->a, buf_str(&b), NULL, &json), RC_OK);
    assert_str(json_get_str(json, STR("a")), STR("\xc2\x9b\xe2\x80\xae"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(filters_by_each_member),
        TRAIL_TEST(unreadable_line_shows_without_filter),
        TRAIL_TEST(finds_the_last_lines),
        TRAIL_TEST(human_line_in_columns),
        TRAIL_TEST(heads_stand_over_the_columns),
        TRAIL_TEST(long_value_moves_its_column),
        TRAIL_TEST(terminal_escapes_are_made_visible),
        TRAIL_TEST(unreadable_line_is_made_visible),
        TRAIL_TEST(visible_json_stays_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
