/* Hosts of both eras before servers of both, over pipes and HTTP. */
#include "bridge/bridge_test_world.h"

#include "core/limits.h"

#include <stdio.h>
#include <unistd.h>

#define SAID(id, text)                                                                             \
    "{'jsonrpc':'2.0','id':" id ",'result':{'content':[{'type':'text','text':'" text "'}]}}"
#define SAID_NEW(id, text)                                                                         \
    "{'jsonrpc':'2.0','id':" id                                                                    \
    ",'result':{'resultType':'complete','content':[{'type':'text','text':'" text "'}]}}"
#define PROGRESS                                                                                   \
    "{'jsonrpc':'2.0','method':'notifications/"                                                    \
    "progress','params':{'progressToken':1,'progress':1}}"

static void open_old(bridge_world_t *w)
{
    host_says(w, OLD_INITIALIZE);
    str_t answer = host_hears(w);
    assert_true(str_contains(answer, STR("\"protocolVersion\":\"2025-11-25\"")));
    host_says(w, OLD_INITIALIZED);
}

static void serves_old(bridge_world_t *w)
{
    host_says(w, OLD_CALL("'control'", "echo"));
    assert_hears(w, SAID("'control'", "hello"));
}

static void old_host_old_server(void **state)
{
    bridge_world_t *w = *state;
    open_old(w);
    host_says(w, OLD_CALL("1", "step"));
    assert_hears(w, PROGRESS);
    assert_hears(w, SAID("1", "stepped"));
    host_says(w, OLD_CALL("2", "ask"));
    assert_hears(w, "{'jsonrpc':'2.0','id':'q','method':'elicitation/create','params':{'message':"
                    "'m','requestedSchema':{}}}");
    host_says(w, "{'jsonrpc':'2.0','id':'q','result':{'action':'accept'}}");
    assert_hears(w, SAID("2", "accepted"));
    host_closes(w);
    assert_int_equal(bridge_ends(w), RC_OK);
    assert_silent_end(w);
    assert_true(test_mcp_holding(w->server, "DELETE /mcp") == 1);
}

static void new_host_new_server(void **state)
{
    bridge_world_t *w = *state;
    host_says(w, NEW_CALL("1", "step", ""));
    assert_hears(w, PROGRESS);
    assert_hears(w, SAID("1", "stepped"));
    host_says(w, NEW_CALL("2", "ask", ""));
    assert_true(str_contains(host_hears(w), STR("input_required")));
    host_says(w, NEW_CALL("3", "ask", "'requestState':'S',"));
    assert_hears(w, SAID_NEW("3", "accepted"));
    assert_true(test_mcp_holding(w->server, "Mcp-Method: tools/call") == 3);
}

static void old_host_new_server(void **state)
{
    bridge_world_t *w = *state;
    open_old(w);
    host_says(w, OLD_CALL("1", "step"));
    assert_hears(w, PROGRESS);
    assert_hears(w, SAID("1", "stepped"));
    host_says(w, OLD_CALL("2", "ask"));
    str_t asked = host_hears(w);
    assert_true(str_contains(asked, STR("\"method\":\"elicitation/create\"")));
    host_says(w, "{'jsonrpc':'2.0','id':'nobody','result':{}}");
    size_t at = str_find(asked, ':', 0) + 1;
    str_t id = str_skip(asked, at + str_find(str_skip(asked, at), ':', 0) + 1);
    id = str_first(id, str_find(id, ',', 0));
    host_says(w,
              arena_printf(w->a, "{'jsonrpc':'2.0','id':%" PRIstr ",'result':{'action':'accept'}}",
                           STR_ARG(id))
                  .p);
    assert_hears(w, SAID("2", "accepted"));
}

static void new_host_old_server(void **state)
{
    bridge_world_t *w = *state;
    host_says(w, NEW_CALL("1", "ask", ""));
    const json_t *root = NULL;
    assert_int_equal(json_parse(w->a, host_hears(w), NULL, &root), RC_OK);
    const json_t *result = json_get(root, STR("result"));
    str_t state_text = json_get_str(result, STR("requestState"));
    str_t key = json_get(result, STR("inputRequests"))->child->key;
    host_says(w, arena_printf(w->a,
                              "{'jsonrpc':'2.0','id':2,'method':'tools/call','params':{'name':"
                              "'ask','requestState':'%" PRIstr "','inputResponses':{'%" PRIstr
                              "':{'action':'accept'}}," NEW_META "}}",
                              STR_ARG(state_text), STR_ARG(key))
                     .p);
    assert_hears(w, SAID_NEW("2", "accepted"));
}

static void old_host_cancels(void **state)
{
    bridge_world_t *w = *state;
    open_old(w);
    host_says(w, OLD_CALL("1", "slow"));
    assert_hears(w, PROGRESS);
    host_says(w, "{'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':1}}");
    server_was_asked(w, "{'jsonrpc':'2.0','method':'notifications/cancelled'", 1);
    serves_old(w);
}

static void new_host_cancels(void **state)
{
    bridge_world_t *w = *state;
    host_says(w, NEW_CALL("1", "slow", ""));
    assert_hears(w, PROGRESS);
    host_says(w, "{'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':1}}");
    host_says(w, NEW_CALL("2", "echo", ""));
    assert_hears(w, SAID("2", "hello"));
    assert_int_equal(test_mcp_holding(w->server, "notifications/cancelled"), 0);
}

static void the_host_does_not_notice_a_restart(void **state)
{
    bridge_world_t *w = *state;
    open_old(w);
    serves_old(w);
    for (unsigned i = 2; i < 5; i++) {
        atomic_store(&w->session, i);
        serves_old(w);
    }
    server_was_asked(w, "'method':'initialize'", 4);
    server_was_asked(w, "'method':'notifications/initialized'", 4);
}

static void lines_that_are_no_messages(void **state)
{
    bridge_world_t *w = *state;
    host_says(w, "hello");
    assert_hears(w, "{'jsonrpc':'2.0','error':{'code':-32700,'message':'The body is not JSON.'}}");
    char *line = arena_alloc(w->a, (9 << 20) + 1);
    memset(line, 'x', 9 << 20);
    /* The pipe takes it only as the bridge reads. */
    host_says(w, line);
    assert_hears(w,
                 "{'jsonrpc':'2.0','error':{'code':-32600,'message':'The message is too large or "
                 "too deep.'}}");
    memcpy(line, "{\"method\":\"ping\",\"id\":\"long\"}", 29);
    memset(line + 29, ' ', (9 << 20) - 29);
    host_says(w, line);
    assert_hears(
        w, "{'jsonrpc':'2.0','id':'long','error':{'code':-32600,'message':'The message is too "
           "large or too deep.'}}");
    open_old(w);
    serves_old(w);
}

/* Until the server can send no more. */
static void fill_up(bridge_world_t *w)
{
    host_says(w, OLD_CALL("1", "big"));
    unsigned before = 0;
    for (int still = 0; still < 10; still++) {
        test_pause(w->server, 20);
        unsigned sent = atomic_load(&w->big_sent);
        still = sent == before && sent > 0 ? still : -1;
        before = sent;
        assert_true(sent < BIG_TOTAL);
    }
}

/* What waits for a host that does not read is bounded, and none of it is lost. */
static void a_host_that_does_not_read(void **state)
{
    bridge_world_t *w = *state;
    open_old(w);
    fill_up(w);
    for (int i = 0; i < BIG_TOTAL; i++) {
        char want[32];
        int n = snprintf(want, sizeof want, "\"progress\":%d,", i);
        str_t line = host_hears(w);
        assert_true(str_contains(str_first(line, 200), str_of(want, (size_t)n)));
        assert_true(line.n > BIG_BYTES);
    }
    assert_hears(w, SAID("1", "all"));
}

static void stopped_while_the_host_does_not_read(void **state)
{
    bridge_world_t *w = *state;
    open_old(w);
    fill_up(w);
    bridge_stops(w);
    assert_int_equal(bridge_ends(w), RC_OK);
}

static void the_host_goes_while_a_call_runs(void **state)
{
    bridge_world_t *w = *state;
    open_old(w);
    host_says(w, OLD_CALL("1", "slow"));
    assert_hears(w, PROGRESS);
    host_closes(w);
    assert_int_equal(bridge_ends(w), RC_OK);
    assert_silent_end(w);
    assert_true(test_mcp_holding(w->server, "DELETE /mcp") == 1);
}

static void the_host_stops_reading_for_good(void **state)
{
    bridge_world_t *w = *state;
    open_old(w);
    close(w->from);
    w->from = -1;
    assert_int_equal(bridge_ends(w), RC_OK);
}

static void stopped(void **state)
{
    bridge_world_t *w = *state;
    open_old(w);
    host_says(w, OLD_CALL("1", "slow"));
    assert_hears(w, PROGRESS);
    bridge_stops(w);
    assert_int_equal(bridge_ends(w), RC_OK);
}

static void what_was_asked_before_the_end_is_answered(void **state)
{
    bridge_world_t *w = *state;
    host_says(w, OLD_INITIALIZE);
    host_says(w, OLD_INITIALIZED);
    host_says(w, OLD_CALL("1", "echo"));
    host_closes(w);
    assert_true(str_contains(host_hears(w), STR("serverInfo")));
    assert_hears(w, SAID("1", "hello"));
    assert_int_equal(bridge_ends(w), RC_OK);
    assert_silent_end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDSHAKE_TEST(old_host_old_server),
        STATELESS_TEST(new_host_new_server),
        STATELESS_TEST(old_host_new_server),
        HANDSHAKE_TEST(new_host_old_server),
        HANDSHAKE_TEST(old_host_cancels),
        STATELESS_TEST(new_host_cancels),
        HANDSHAKE_TEST(the_host_does_not_notice_a_restart),
        HANDSHAKE_TEST(lines_that_are_no_messages),
        HANDSHAKE_TEST(a_host_that_does_not_read),
        HANDSHAKE_TEST(stopped_while_the_host_does_not_read),
        HANDSHAKE_TEST(the_host_goes_while_a_call_runs),
        HANDSHAKE_TEST(the_host_stops_reading_for_good),
        HANDSHAKE_TEST(stopped),
        HANDSHAKE_TEST(what_was_asked_before_the_end_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
