/* Each tool with less and less memory: it fails as a whole, or gives the whole answer; never half
 * of one, nor a refusal that blames the arguments. */
#include "core/arena.h"

static size_t budget; /* of each run */

static arena_t *small_arena(size_t bytes)
{
    return arena_new(bytes < budget ? bytes : budget);
}

#define arena_new(n) small_arena(n)
#include "finance_work.c"
#undef arena_new

#include "tools_test_world.h"

enum { LARGEST = 4 << 20, STEPS = 300 };

static const struct {
    const char *tool, *arguments;
} CALLS[] = {
    {"get_news_sentiment",
     "{\"tickers\":[\"ACME\",\"ORBT\"],\"topics\":[\"Earnings\"],\"q\":\"profit\","
     "\"from\":\"2026-11-01\",\"limit\":5}"},
    {"analyze_sentiment",
     "{\"texts\":[\"Acme profit rose.\",\"Sales fell.\"],\"target\":\"ACME\"}"},
    {"ticker_sentiment", "{\"ticker\":\"ACME\",\"window\":\"14d\"}"},
    {"compare_tickers", "{\"tickers\":[\"ACME\",\"ORBT\"]}"},
    {"explain_article", "{\"url\":\"https://news.example/ORBT/23\"}"},
    {"watchlist", "{\"action\":\"add\",\"tickers\":[\"ACME\"]}"},
    {"list_tickers", "{\"prefix\":\"a\"}"},
    {"daily_brief", "{\"tickers\":[\"ACME\",\"ORBT\"]}"},
};

/* Whether it was a whole answer. */
static bool whole(tools_t *t, size_t i)
{
    mcp_said_t *said = &t->said->call.said;
    if (!tools_try(t, CALLS[i].tool, CALLS[i].arguments))
        return false;
    if (said->is_error)
        fail_msg("%s blames its arguments at %zu bytes", CALLS[i].tool, budget);
    bool structured = said->structured.begun || str_is_set(said->structured_raw);
    return structured && str_is_set(mcp_call_result(&t->said->call));
}

static void every_answer_is_whole_or_none(void **state)
{
    tools_t *t = *state;
    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) {
        size_t enough = 4096, failures = 0;
        for (budget = enough; !whole(t, i) && budget < LARGEST * 16; budget *= 2)
            enough = budget * 2;
        for (size_t k = 0; k < STEPS; k++) {
            budget = enough * k / STEPS;
            failures += !whole(t, i);
        }
        budget = enough;
        assert_true(failures > 0);
        assert_true(whole(t, i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TOOLS_TEST(every_answer_is_whole_or_none)};
    return cmocka_run_group_tests_name("tools_memory", tests, NULL, NULL);
}
