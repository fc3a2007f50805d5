/* watchlist: whose it is, and that clearing it is confirmed. */
#include "tools_test_world.h"

static str_t watched(tools_t *t)
{
    const json_t *s = tools_good(t, "watchlist", "{\"action\":\"list\"}");
    buf_t b = buf_new(t->a, 4096);
    for (const json_t *e = json_get(s, STR("tickers"))->child; e; e = e->next) {
        buf_put(&b, e->str);
        buf_put(&b, STR(" "));
    }
    buf_put(&b, STR("."));
    return buf_str(&b);
}

static void lists_are_changed(void **state)
{
    tools_t *t = *state;
    const json_t *s = tools_good(t, "watchlist",
                                 "{\"action\":\"add\",\"tickers\":[\"acme\",\"$ORBT\",\"ACME\"]}");
    assert_true(tools_number(s, "changed") == 2);
    assert_text(watched(t), "ACME ORBT .");
    tools_good(t, "watchlist", "{\"action\":\"rename\",\"tickers\":[\"ACME\",\"ACMX\"]}");
    assert_text(watched(t), "ACMX ORBT .");
    s = tools_good(t, "watchlist", "{\"action\":\"remove\",\"tickers\":[\"ORBT\",\"NOPE\"]}");
    assert_true(tools_number(s, "changed") == 1);
    assert_text(watched(t), "ACMX .");
    tools_good(t, "watchlist", "{\"action\":\"clear\"}"); /* this client cannot be asked */
    assert_text(watched(t), ".");
}

static void nobody_sees_anothers_list(void **state)
{
    tools_t *t = *state;
    tools_good(t, "watchlist", "{\"action\":\"add\",\"tickers\":[\"ACME\"]}");
    tools_become(t, "bob");
    assert_text(watched(t), ".");
    tools_good(t, "watchlist", "{\"action\":\"add\",\"tickers\":[\"ORBT\"]}");
    tools_good(t, "watchlist", "{\"action\":\"clear\"}");
    tools_become(t, "alice");
    assert_text(watched(t), "ACME .");
    t->said->call.who.issuer = STR("https://other.example");
    assert_text(watched(t), ".");
}

static void bad_changes_change_nothing(void **state)
{
    tools_t *t = *state;
    buf_t b = buf_new(t->a, 1 << 16);
    buf_put(&b, STR("{\"action\":\"add\",\"tickers\":["));
    for (int i = 0; i < WATCHLIST_TICKERS; i++)
        buf_fmt(&b, "%s\"T%d\"", i ? "," : "", i);
    buf_put(&b, STR("]}"));
    buf_char(&b, '\0');
    tools_good(t, "watchlist", "{\"action\":\"add\",\"tickers\":[\"ACME\",\"ORBT\"]}");
    tools_bad(t, "watchlist", buf_str(&b).p, "at most 100");
    tools_bad(t, "watchlist", "{\"action\":\"add\"}", "to add");
    tools_bad(t, "watchlist", "{\"action\":\"remove\"}", "to remove");
    tools_bad(t, "watchlist", "{\"action\":\"rename\",\"tickers\":[\"ACME\"]}", "two different");
    tools_bad(t, "watchlist", "{\"action\":\"rename\",\"tickers\":[\"X\",\"Y\"]}", "not watched");
    tools_bad(t, "watchlist", "{\"action\":\"rename\",\"tickers\":[\"ACME\",\"ORBT\"]}",
              "watched already");
    tools_bad(t, "watchlist", "{\"action\":\"add\",\"tickers\":[\"A B\"]}", "Give each ticker");
    tools_misfit(t, "watchlist", "{\"action\":\"drop\"}");
    tools_misfit(t, "watchlist", "{}");
    assert_text(watched(t), "ACME ORBT .");
}

/* --- where the client can ask its person --- */

static const json_t *parsed(tools_t *t, const char *text)
{
    const json_t *v;
    assert_int_equal(json_parse(t->a, str_c(text), NULL, &v), RC_OK);
    return v;
}

static warder_mcp_next_t clear(tools_t *t)
{
    said_world_arguments(t->said, "{\"action\":\"clear\"}");
    said_world_becomes(t->said, MCP_TOOL, "watchlist");
    for (size_t i = 0; i < t->offer.tool_count; i++) {
        if (strcmp(t->offer.tools[i].name, "watchlist") == 0)
            return t->offer.tools[i].run(&t->said->call, &t->f);
    }
    return WARDER_MCP_FAIL;
}

static void answers(tools_t *t, const char *json)
{
    mcp_question_t *q = &t->said->call.questions.v[0];
    assert_int_equal(t->said->call.questions.n, 1);
    q->answer = parsed(t, json);
    assert_int_equal(clear(t), WARDER_MCP_DONE);
}

static void clearing_is_confirmed(void **state)
{
    tools_t *t = *state;
    tools_good(t, "watchlist", "{\"action\":\"add\",\"tickers\":[\"ACME\"]}");
    t->said->call.capabilities = parsed(t, "{\"elicitation\":{\"form\":{}}}");
    assert_int_equal(clear(t), WARDER_MCP_ASK);
    assert_text(watched(t), "ACME .");
    assert_int_equal(clear(t), WARDER_MCP_ASK);
    answers(t, "{\"action\":\"decline\"}");
    assert_text(watched(t), "ACME .");
    answers(t, "{\"action\":\"accept\",\"content\":{\"confirm\":false}}");
    assert_text(watched(t), "ACME .");
    answers(t, "{\"action\":\"accept\",\"content\":{\"confirm\":true}}");
    assert_text(watched(t), ".");
}

static void who_cannot_show_a_form_is_not_asked(void **state)
{
    tools_t *t = *state;
    tools_good(t, "watchlist", "{\"action\":\"add\",\"tickers\":[\"ACME\"]}");
    t->said->call.capabilities = parsed(t, "{\"elicitation\":{\"url\":{}}}");
    assert_int_equal(clear(t), WARDER_MCP_DONE);
    assert_text(watched(t), ".");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOOLS_TEST(lists_are_changed),
        TOOLS_TEST(nobody_sees_anothers_list),
        TOOLS_TEST(bad_changes_change_nothing),
        TOOLS_TEST(clearing_is_confirmed),
        TOOLS_TEST(who_cannot_show_a_form_is_not_asked),
    };
    return cmocka_run_group_tests_name("tools_watch", tests, NULL, NULL);
}
