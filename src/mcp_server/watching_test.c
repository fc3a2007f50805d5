#include "mcp_server/level.h"
#include "mcp_server/mcp_server_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

static void assert_refused(const test_answer_t *a, mcp_error_t e)
{
    assert_int_equal(a->verdict.error, e);
    assert_int_equal(a->status, mcp_error_row(e)->status);
}

/* ---- sessions ---- */

static void level_is_set(void **state)
{
    server_world_t *w = *state;
    assert_true(mcp_session_wants(w->session, WARDER_MCP_DEBUG));
    test_answer_t a = H(w, "logging/setLevel", "{\"level\":\"error\"}");
    assert_int_equal(test_at(&a, "result")->count, 0);
    assert_false(mcp_session_wants(w->session, WARDER_MCP_WARNING));
    assert_true(mcp_session_wants(w->session, WARDER_MCP_CRITICAL));
    static const char *const BAD[] = {"{}", "{\"level\":\"loud\"}", "{\"level\":1}"};
    for (size_t i = 0; i < 3; i++) {
        a = H(w, "logging/setLevel", BAD[i]);
        assert_refused(&a, MCP_ERROR_BAD_LEVEL);
    }
    assert_false(mcp_session_wants(w->session, WARDER_MCP_WARNING));
}

static void levels_have_their_names(void **state)
{
    warder_mcp_level_t level;
    (void)state;
    for (int i = WARDER_MCP_DEBUG; i <= WARDER_MCP_EMERGENCY; i++) {
        assert_true(mcp_level_read(mcp_level_name((warder_mcp_level_t)i), &level));
        assert_int_equal(level, i);
    }
    assert_false(mcp_level_read(STR(""), &level));
    assert_false(mcp_level_read(STR_UNSET, &level));
    assert_null(mcp_level_name((warder_mcp_level_t)8).p);
    assert_null(mcp_level_name((warder_mcp_level_t)-1).p);
}

static void initialized(server_world_t *w)
{
    test_line(w, STR("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"));
}

static void sessions_are_told_what_changed(void **state)
{
    server_world_t *w = *state;
    test_running_t general = test_general(w);
    warder_mcp_tools_changed(w->m);
    assert_true(test_is_quiet(w, &general)); /* not before it is initialized */
    initialized(w);
    initialized(w); /* once is enough */
    warder_mcp_tools_changed(w->m);
    const json_t *m = test_next(w, &general);
    assert_str(json_get_str(m, STR("method")), "notifications/tools/list_changed");
    assert_str(json_get(m, STR("params"))->raw, "{}");
    assert_true(test_is_quiet(w, &general));
    warder_mcp_prompts_changed(w->m);
    m = test_next(w, &general);
    assert_str(json_get_str(m, STR("method")), "notifications/prompts/list_changed");
    warder_mcp_resources_changed(w->m);
    m = test_next(w, &general);
    assert_str(json_get_str(m, STR("method")), "notifications/resources/list_changed");
    test_end(&general);
}

static void watched_resources_are_told(void **state)
{
    server_world_t *w = *state;
    test_running_t general = test_general(w);
    initialized(w);
    warder_mcp_resource_updated(w->m, "test://static");
    assert_true(test_is_quiet(w, &general));
    test_answer_t a = H(w, "resources/subscribe", "{\"uri\":\"test://static\"}");
    assert_int_equal(test_at(&a, "result")->count, 0);
    warder_mcp_resource_updated(w->m, "test://items/1");
    warder_mcp_resource_updated(w->m, "test://static");
    const json_t *m = test_next(w, &general);
    assert_str(json_get_str(m, STR("method")), "notifications/resources/updated");
    assert_str(json_get_str(json_get(m, STR("params")), STR("uri")), "test://static");
    H(w, "resources/unsubscribe", "{\"uri\":\"test://static\"}");
    warder_mcp_resource_updated(w->m, "test://static");
    assert_true(test_is_quiet(w, &general));
    test_end(&general);
}

static void what_may_not_be_read_may_not_be_watched(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = H(w, "resources/subscribe", "{\"uri\":\"test://lost\"}");
    assert_refused(&a, MCP_ERROR_RESOURCE_NOT_FOUND);
    a = H(w, "resources/subscribe", "{\"uri\":\"test://hidden\"}");
    assert_int_equal(a.verdict.kind, MCP_SCOPE);
    assert_str(a.verdict.needed, "admin");
    a = H(w, "resources/subscribe", "{\"uri\":\"test://items/1\"}");
    assert_non_null(test_at(&a, "result"));
}

static void too_much_watched(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = {.root = NULL};
    for (int i = 0; i <= MCP_WATCHED_PER_SESSION; i++)
        a = H(w, "resources/subscribe", arena_printf(w->a, "{\"uri\":\"test://items/%d\"}", i).p);
    assert_refused(&a, MCP_ERROR_TOO_MUCH_WATCHED);
    H(w, "resources/unsubscribe", "{\"uri\":\"test://items/1\"}");
    a = H(w, "resources/subscribe", "{\"uri\":\"test://items/x\"}");
    assert_non_null(test_at(&a, "result"));
}

static void ended_sessions_are_forgotten(void **state)
{
    server_world_t *w = *state;
    mcp_session_t *first = w->session;
    w->session = mcp_session_local(clock_fake(&w->clock));
    assert_int_equal(mcp_session_begin(w->session, mcp_version_assumed(), STR_UNSET), RC_OK);
    test_running_t general = test_general(w);
    initialized(w);
    warder_mcp_tools_changed(w->m);
    assert_non_null(test_next(w, &general));
    mcp_session_end(w->session);
    warder_mcp_tools_changed(w->m);
    assert_false(mcp_listeners_any(w->m->listeners, MCP_CHANGED_TOOLS, STR_UNSET));
    test_end(&general);
    mcp_session_drop(w->session);
    w->session = first;
}

/* ---- subscriptions ---- */

static const json_t *id_in(const json_t *message)
{
    const json_t *params = json_get(message, STR("params"));
    return json_get(json_get(params, STR("_meta")), STR(SUBSCRIPTION));
}

static const json_t *honored(const json_t *message)
{
    return json_get(json_get(message, STR("params")), STR("notifications"));
}

/* Its first message, with the id of the request. */
static const json_t *acknowledged(server_world_t *w, test_running_t *r)
{
    int64_t id;
    assert_int_equal(r->verdict.kind, MCP_RUNNING);
    const json_t *m = test_next(w, r);
    assert_str(json_get_str(m, STR("method")), "notifications/subscriptions/acknowledged");
    assert_true(json_i64(id_in(m), &id));
    assert_int_equal(id, w->id);
    return honored(m);
}

static test_running_t listen_to(server_world_t *w, const char *filter)
{
    return test_begin(w, MCP_ERA_STATELESS, "subscriptions/listen",
                      arena_printf(w->a, "{\"notifications\":%s}", filter).p);
}

static void subscription_hears_what_it_asked_for(void **state)
{
    server_world_t *w = *state;
    test_running_t r = listen_to(w, "{\"toolsListChanged\":true,\"promptsListChanged\":false,"
                                    "\"resourceSubscriptions\":[\"test://static\"]}");
    const json_t *h = acknowledged(w, &r);
    assert_str(h->raw, "{\"toolsListChanged\":true,\"resourceSubscriptions\":[\"test://static\"]}");
    warder_mcp_prompts_changed(w->m);
    warder_mcp_resources_changed(w->m);
    warder_mcp_resource_updated(w->m, "test://items/1");
    assert_true(test_is_quiet(w, &r));
    warder_mcp_tools_changed(w->m);
    const json_t *m = test_next(w, &r);
    assert_str(json_get_str(m, STR("method")), "notifications/tools/list_changed");
    assert_non_null(id_in(m));
    warder_mcp_resource_updated(w->m, "test://static");
    m = test_next(w, &r);
    assert_str(json_get_str(json_get(m, STR("params")), STR("uri")), "test://static");
    assert_non_null(id_in(m));
    mcp_call_cancel(r.call);
    assert_null(test_next(w, &r));
    assert_false(mcp_listeners_any(w->m->listeners, MCP_CHANGED_TOOLS, STR_UNSET));
    test_end(&r);
}

/* What there is not, and what the token may not see, is left out of what is acknowledged. */
static void subscription_is_honored_in_part(void **state)
{
    server_world_t *w = *state;
    test_running_t r =
        listen_to(w, "{\"resourcesListChanged\":true,\"other\":1,\"resourceSubscriptions\":["
                     "\"test://hidden\",\"test://items/1\",\"test://lost\"]}");
    const json_t *h = acknowledged(w, &r);
    assert_str(h->raw,
               "{\"resourcesListChanged\":true,\"resourceSubscriptions\":[\"test://items/1\"]}");
    warder_mcp_resource_updated(w->m, "test://hidden");
    assert_true(test_is_quiet(w, &r));
    mcp_call_cancel(r.call);
    mcp_call_cancel(r.call);
    test_end(&r);
}

static void several_subscriptions_hear_each_their_own(void **state)
{
    server_world_t *w = *state;
    test_running_t a = listen_to(w, "{\"toolsListChanged\":true}");
    acknowledged(w, &a);
    test_running_t b = listen_to(w, "{\"promptsListChanged\":true}");
    acknowledged(w, &b);
    warder_mcp_tools_changed(w->m);
    assert_non_null(test_next(w, &a));
    assert_true(test_is_quiet(w, &b));
    mcp_call_cancel(a.call);
    warder_mcp_prompts_changed(w->m);
    const json_t *m = test_next(w, &b);
    assert_str(json_get_str(m, STR("method")), "notifications/prompts/list_changed");
    mcp_call_cancel(b.call);
    test_end(&a);
    test_end(&b);
}

static void new_tools_are_news(void **state)
{
    server_world_t *w = *state;
    test_running_t r = listen_to(w, "{\"toolsListChanged\":true}");
    acknowledged(w, &r);
    assert_true(warder_mcp_set_tools(w->m, test_config().tools, 1, NULL, 0));
    const json_t *m = test_next(w, &r);
    assert_str(json_get_str(m, STR("method")), "notifications/tools/list_changed");
    test_answer_t a = S(w, "tools/list", "{}");
    assert_int_equal(test_at(&a, "result.tools")->count, 1);
    mcp_call_cancel(r.call);
    test_end(&r);
}

static warder_mcp_next_t say_uri(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_text(call, warder_mcp_name(call));
    return WARDER_MCP_DONE;
}

/* Sets what goes before it is used: the server has copies. */
static void set_passing_resources(warder_mcp_t *m)
{
    char uri[] = "test://new", name[] = "new", type[] = "text/plain", scope[] = "news:read";
    char annotations[] = "{\"audience\": [\"user\"], \"priority\": 0.5}";
    const warder_mcp_resource_t rows[] = {{.uri = uri,
                                           .name = name,
                                           .mime_type = type,
                                           .scope = scope,
                                           .annotations = annotations,
                                           .run = say_uri}};
    assert_true(warder_mcp_set_resources(m, rows, 1, NULL, 0));
    memset(uri, 'x', sizeof uri);
    memset(name, 'x', sizeof name);
    memset(type, 'x', sizeof type);
    memset(scope, 'x', sizeof scope);
    memset(annotations, 'x', sizeof annotations);
}

static void new_resources_are_news(void **state)
{
    server_world_t *w = *state;
    test_running_t r = listen_to(w, "{\"resourcesListChanged\":true}");
    acknowledged(w, &r);
    set_passing_resources(w->m);
    const json_t *m = test_next(w, &r);
    assert_str(json_get_str(m, STR("method")), "notifications/resources/list_changed");
    test_answer_t a = S(w, "resources/list", "{}");
    assert_int_equal(test_at(&a, "result.resources")->count, 1);
    assert_str(test_text(&a, "result.resources.0.uri"), "test://new");
    assert_str(test_at(&a, "result.resources.0.annotations")->raw,
               "{\"audience\":[\"user\"],\"priority\":0.5}");
    a = S(w, "resources/read", "{\"uri\":\"test://new\"}");
    assert_str(test_text(&a, "result.contents.0.mimeType"), "text/plain");
    assert_str(test_text(&a, "result.contents.0.text"), "test://new");
    a = S(w, "resources/read", "{\"uri\":\"test://static\"}");
    assert_non_null(test_at(&a, "error"));
    a = S(w, "tools/list", "{}"); /* all else is as it was */
    assert_true(test_at(&a, "result.tools")->count > 1);
    mcp_call_cancel(r.call);
    test_end(&r);
}

static void set_passing_prompts(warder_mcp_t *m)
{
    char name[] = "new", argument[] = "who";
    const warder_mcp_argument_t arguments[] = {{.name = argument, .required = true}};
    const warder_mcp_prompt_t rows[] = {
        {.name = name, .arguments = arguments, .argument_count = 1, .run = say_uri}};
    assert_true(warder_mcp_set_prompts(m, rows, 1, NULL, 0));
    memset(name, 'x', sizeof name);
    memset(argument, 'x', sizeof argument);
}

static void new_prompts_are_news(void **state)
{
    server_world_t *w = *state;
    test_running_t r = listen_to(w, "{\"promptsListChanged\":true}");
    acknowledged(w, &r);
    set_passing_prompts(w->m);
    const json_t *m = test_next(w, &r);
    assert_str(json_get_str(m, STR("method")), "notifications/prompts/list_changed");
    test_answer_t a = S(w, "prompts/get", "{\"name\":\"new\"}");
    assert_non_null(test_at(&a, "error"));
    a = S(w, "prompts/get", "{\"name\":\"new\",\"arguments\":{\"who\":\"me\"}}");
    assert_str(test_text(&a, "result.messages.0.content.text"), "new");
    mcp_call_cancel(r.call);
    test_end(&r);
}

static void wrong_rows_change_nothing(void **state)
{
    server_world_t *w = *state;
    char why[128];
    test_running_t r = listen_to(w, "{\"resourcesListChanged\":true,\"promptsListChanged\":true}");
    acknowledged(w, &r);
    const warder_mcp_resource_t resource = {.uri = "none", .name = "n", .run = say_uri};
    assert_false(warder_mcp_set_resources(w->m, &resource, 1, why, sizeof why));
    assert_non_null(strstr(why, "needs a URI"));
    const warder_mcp_prompt_t prompt = {.name = "p"};
    assert_false(warder_mcp_set_prompts(w->m, &prompt, 1, why, sizeof why));
    assert_non_null(strstr(why, "needs a function"));
    assert_false(warder_mcp_set_prompts(w->m, NULL, 1, why, sizeof why));
    assert_non_null(strstr(why, "correct its count"));
    assert_true(test_is_quiet(w, &r));
    test_answer_t a = S(w, "resources/read", "{\"uri\":\"test://static\"}");
    assert_non_null(test_at(&a, "result"));
    mcp_call_cancel(r.call);
    test_end(&r);
}

static void a_stopping_server_completes_subscriptions(void **state)
{
    server_world_t *w = *state;
    test_running_t r = listen_to(w, "{\"toolsListChanged\":true}");
    acknowledged(w, &r);
    mcp_server_stop(w->m);
    const json_t *m = test_next(w, &r);
    assert_str(json_get_str(m, STR("method")), "notifications/cancelled");
    assert_non_null(json_get(json_get(m, STR("params")), STR("requestId")));
    assert_non_null(id_in(m));
    test_answer_t a = {.root = test_next(w, &r)};
    assert_str(test_text(&a, "result.resultType"), "complete");
    assert_non_null(json_get(test_at(&a, "result._meta"), STR(SUBSCRIPTION)));
    assert_int_equal(test_at(&a, "result")->count, 2);
    test_end(&r);
}

static void bad_filter(void **state)
{
    server_world_t *w = *state;
    static const char *const BAD[] = {
        "{}", "{\"notifications\":1}", "{\"notifications\":{\"resourceSubscriptions\":1}}",
        "{\"notifications\":{\"taskIds\":1}}", "{\"notifications\":{\"taskIds\":[1]}}"};
    w->declared = STR("{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        test_answer_t a = S(w, "subscriptions/listen", BAD[i]);
        if (a.error == MCP_NO_ERROR)
            assert_refused(&a, MCP_ERROR_BAD_FILTER);
        assert_int_equal(test_code(&a), -32602);
    }
    subscription_is_honored_in_part(state);
}

static void too_many_subscriptions(void **state)
{
    server_world_t *w = *state;
    test_running_t all[MCP_LISTENERS_PER_PRINCIPAL];
    for (size_t i = 0; i < MCP_LISTENERS_PER_PRINCIPAL; i++) {
        all[i] = listen_to(w, "{\"toolsListChanged\":true}");
        acknowledged(w, &all[i]);
    }
    test_answer_t a =
        S(w, "subscriptions/listen", "{\"notifications\":{\"toolsListChanged\":true}}");
    assert_int_equal(test_code(&a), -32600);
    assert_int_equal(a.status, 409);
    w->who.subject = STR("bob");
    test_running_t other = listen_to(w, "{\"toolsListChanged\":true}");
    acknowledged(w, &other);
    mcp_call_cancel(other.call);
    test_end(&other);
    for (size_t i = 0; i < MCP_LISTENERS_PER_PRINCIPAL; i++) {
        mcp_call_cancel(all[i].call);
        test_end(&all[i]);
    }
    w->who.subject = STR("alice");
    subscription_hears_what_it_asked_for(state);
}

/* Sessions of one principal are as many as it may have, and each is told. */
static void many_sessions_are_told(void **state)
{
    server_world_t *w = *state;
    mcp_session_t *first = w->session, *all[MCP_LISTENERS_PER_PRINCIPAL];
    test_running_t subscription = listen_to(w, "{\"toolsListChanged\":true}");
    acknowledged(w, &subscription);
    for (size_t i = 0; i < MCP_LISTENERS_PER_PRINCIPAL; i++) {
        w->session = all[i] = mcp_session_local(clock_fake(&w->clock));
        assert_int_equal(mcp_session_begin(all[i], mcp_version_assumed(), STR_UNSET), RC_OK);
        initialized(w);
    }
    test_running_t last = test_general(w);
    warder_mcp_tools_changed(w->m);
    assert_non_null(test_next(w, &last));
    test_end(&last);
    for (size_t i = 0; i < MCP_LISTENERS_PER_PRINCIPAL; i++) {
        mcp_session_end(all[i]);
        mcp_session_drop(all[i]);
    }
    w->session = first;
    mcp_call_cancel(subscription.call);
    test_end(&subscription);
}

/* Who does not read is told no more than its outbox holds, and holds up nobody. */
static void a_client_that_does_not_read_costs_no_more(void **state)
{
    server_world_t *w = *state;
    test_running_t slow = listen_to(w, "{\"toolsListChanged\":true}");
    acknowledged(w, &slow);
    for (int i = 0; i < 60000; i++)
        warder_mcp_tools_changed(w->m);
    size_t n = 0;
    mcp_out_t out;
    while (mcp_reader_take(slow.reader, &out))
        n++;
    assert_in_range(n, 1000, 59999);
    warder_mcp_tools_changed(w->m);
    assert_non_null(test_next(w, &slow));
    mcp_call_cancel(slow.call);
    test_end(&slow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(level_is_set),
        SERVER_TEST(levels_have_their_names),
        SERVER_TEST(sessions_are_told_what_changed),
        SERVER_TEST(watched_resources_are_told),
        SERVER_TEST(what_may_not_be_read_may_not_be_watched),
        SERVER_TEST(too_much_watched),
        SERVER_TEST(ended_sessions_are_forgotten),
        SERVER_TEST(subscription_hears_what_it_asked_for),
        SERVER_TEST(subscription_is_honored_in_part),
        SERVER_TEST(several_subscriptions_hear_each_their_own),
        SERVER_TEST(new_tools_are_news),
        SERVER_TEST(new_resources_are_news),
        SERVER_TEST(new_prompts_are_news),
        SERVER_TEST(wrong_rows_change_nothing),
        SERVER_TEST(a_stopping_server_completes_subscriptions),
        SERVER_TEST(bad_filter),
        SERVER_TEST(too_many_subscriptions),
        SERVER_TEST(many_sessions_are_told),
        SERVER_TEST(a_client_that_does_not_read_costs_no_more),
    };
    return cmocka_run_group_tests_name("watching", tests, NULL, NULL);
}
