/* Calls of the tools as a client sends them, {"name", "arguments"}: whatever fits the schema of the
 * input must give a result, which the schema of the output holds. */
#include "finance_work.h"

#include "articles_import.h"
#include "live_double.h"
#include "mcp_server/call.h"
#include "mcp_server/server_state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOOLS = 16, ARENA_BYTES = 64 << 20 };

/* Made once: schemas are read-only, and what is watched stays bounded. */
static struct {
    bool ready;
    arena_t *a;
    clock_fake_t clock;
    live_t live;
    finance_t f;
    warder_mcp_config_t offer;
    warder_mcp_t m;
    const mcp_schema_t *input[TOOLS], *output[TOOLS];
} world;

static void must(bool good)
{
    if (!good)
        abort();
}

static const mcp_schema_t *schema(const char *text)
{
    const json_t *v;
    const mcp_schema_t *out;
    str_t why;
    must(json_parse(world.a, str_c(text), NULL, &v) == RC_OK);
    must(mcp_schema_read(world.a, v, &out, &why) == RC_OK);
    return out;
}

static void fill(void)
{
    static const str_t FEED = STR_INIT(
        "{\"feed\":[{\"title\":\"Acme profit rose\",\"time_published\":\"20261123T080000\",\"url\":"
        "\"https://n.test/1\",\"summary\":\"But Orbit's net loss widened.\",\"source\":\"W\","
        "\"topics\":[{\"topic\":\"Earnings\"}],\"ticker_sentiment\":[{\"ticker\":\"ACME\"},"
        "{\"ticker\":\"ORBT\",\"relevance_score\":\"0.2\"}]},{\"title\":\"Orbit cuts outlook\","
        "\"time_published\":\"20261101T080000\",\"ticker_sentiment\":[{\"ticker\":\"ORBT\"}]}]}");
    static const articles_from_t FROM = {STR_INIT("file"), STR_INIT("f"), STR_INIT("f")};
    news_t news;
    news_verdict_t verdict;
    articles_import_t got;
    must(news_parse(world.a, FEED, &news, &verdict) == RC_OK && news.n == 2);
    must(articles_import(world.f.articles, &news, &FROM, &got) == RC_OK);
}

static void begin(void)
{
    str_t why;
    world.a = arena_new(ARENA_BYTES);
    world.clock.ms = 1795478400000;
    world.f.clock = clock_fake(&world.clock);
    world.live.says = (live_answer_t){LIVE_STALE, STR("away"), STR("20261101T080000")};
    world.f.live = &world.live;
    articles_config_t articles = {.engine = articles_engine(), .clock = world.f.clock};
    watchlists_config_t watchlists = {0};
    must(articles_open(world.a, &articles, &world.f.articles, &why) == RC_OK);
    must(watchlists_open(world.a, &watchlists, &world.f.watchlists, &why) == RC_OK);
    finance_offer(&world.f, &world.offer);
    must(world.offer.tool_count <= TOOLS);
    for (size_t i = 0; i < world.offer.tool_count; i++) {
        world.input[i] = schema(world.offer.tools[i].input_schema);
        world.output[i] = schema(world.offer.tools[i].output_schema);
    }
    fill();
    world.ready = true;
}

static void run(arena_t *a, size_t tool, const json_t *arguments)
{
    mcp_entry_t entry = {.kind = MCP_TOOL, .output = world.output[tool]};
    warder_mcp_call_t *call = ARENA_NEW(a, warder_mcp_call_t);
    mcp_schema_fault_t fault;
    const json_t *v;
    bool fits;
    if (!call || mcp_schema_check(a, world.input[tool], arguments, &fits, &fault) != RC_OK || !fits)
        return;
    call->m = &world.m;
    call->arena = a;
    call->entry = &entry;
    call->arguments = arguments;
    call->who.subject = STR("alice");
    mcp_said_reset(call);
    must(world.offer.tools[tool].run(call, &world.f) == WARDER_MCP_DONE);
    str_t result = mcp_call_result(call);
    must(str_is_set(result) && json_parse(a, result, NULL, &v) == RC_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const json_t *v;
    if (!world.ready)
        begin();
    arena_t *a = arena_new(ARENA_BYTES);
    if (!a)
        return 0;
    bool good = json_parse(a, str_of(data, size), NULL, &v) == RC_OK;
    for (size_t i = 0; good && i < world.offer.tool_count; i++) {
        if (str_eq(json_get_str(v, STR("name")), str_c(world.offer.tools[i].name)) &&
            json_is(json_get(v, STR("arguments")), JSON_OBJECT))
            run(a, i, json_get(v, STR("arguments")));
    }
    arena_free(a);
    return 0;
}
