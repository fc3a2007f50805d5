/* A host of the handshake era before a stateless server. */
#include "bridge/talk_test_script.h"

#include <stdio.h>

#define REFUSED "{'jsonrpc':'2.0','id':0,'error':{'code':-32601,'message':'no such method'}}"
#define CAPABILITIES                                                                               \
    "'capabilities':{'tools':{'listChanged':true},'resources':{'subscribe':true},'extensions':{"   \
    "'io.modelcontextprotocol/tasks':{},'x/y':{}}}"
#define OLD_CAPABILITIES                                                                           \
    "'capabilities':{'tools':{'listChanged':true},'resources':{'subscribe':true},'extensions':{"   \
    "'x/y':{}}}"
#define INFO "{'name':'s','version':'1'}"
#define DISCOVERED(id, capabilities)                                                               \
    "{'jsonrpc':'2.0','id':" id ",'result':{'resultType':'complete','supportedVersions':['2026-"   \
    "07-28']," capabilities ",'instructions':'do','_meta':{'io.modelcontextprotocol/serverInfo'"   \
    ":" INFO "},'ttlMs':0,'cacheScope':'public'}}"
#define INITIALIZE_RESULT(capabilities)                                                            \
    "{'jsonrpc':'2.0','id':0,'result':{'protocolVersion':'2025-06-18'," capabilities               \
    ",'serverInfo':" INFO ",'instructions':'do'}}"
#define NEW(tag, method, more)                                                                     \
    "{'jsonrpc':'2.0','id':'warder-" tag "','method':'" method "','params':{" more                 \
    "'_meta':{" TALK_NEW_META "}}}"
#define OPEN                                                                                       \
    "H " TALK_INITIALIZE, "<1? - " TALK_INITIALIZE, "S1 " REFUSED,                                 \
        "<2? 2026-07-28 " NEW("2", "server/discover", ""),                                         \
        "S2 " DISCOVERED("'warder-2'", "'capabilities':{}"),                                       \
        "> " INITIALIZE_RESULT("'capabilities':{}"), "H " TALK_INITIALIZED

static void initialize_is_answered_from_discovery(void **state)
{
    (void)state;
    TALK_SCRIPT("H " TALK_INITIALIZE, "<1? - " TALK_INITIALIZE, "S1 " REFUSED,
                "<2? 2026-07-28 " NEW("2", "server/discover", ""),
                /* meanwhile */
                "H {'jsonrpc':'2.0','id':'p','method':'ping'}",
                "> {'jsonrpc':'2.0','id':'p','result':{}}",
                "S2 " DISCOVERED("'warder-2'", CAPABILITIES),
                "> " INITIALIZE_RESULT(OLD_CAPABILITIES), "H " TALK_INITIALIZED,
                "<3 2026-07-28 " NEW("3", "subscriptions/listen",
                                     "'notifications':{'toolsListChanged':true},"),
                "S3 {'jsonrpc':'2.0','method':'notifications/subscriptions/acknowledged'}",
                "S3 {'jsonrpc':'2.0','method':'notifications/tools/list_changed'}",
                "> {'jsonrpc':'2.0','method':'notifications/tools/list_changed'}",
                /* a graceful end: it listens again */
                "S3 {'jsonrpc':'2.0','id':'warder-3','result':{}}", "T 700",
                "<4 2026-07-28 " NEW("3", "subscriptions/listen",
                                     "'notifications':{'toolsListChanged':true},"),
                /* and nobody knows what changed in between */
                "S4 {'jsonrpc':'2.0','method':'notifications/subscriptions/acknowledged'}",
                "> {'jsonrpc':'2.0','method':'notifications/tools/list_changed'}");
}

static void every_way_to_refuse_initialize(void **state)
{
    (void)state;
    static const char *const WAYS[] = {
        "F1 http 400",
        "F1 http 404 <html>",
        "F1 http 405",
        "F1 http 400 {'jsonrpc':'2.0','error':{'code':-32600,'message':'x'}}",
        "S1 {'jsonrpc':'2.0','id':0,'error':{'code':-32022,'message':'x'}}",
        "S1 {'jsonrpc':'2.0','id':0,'error':{'code':-32602,'message':'x'}}"};
    for (size_t i = 0; i < ROWS(WAYS); i++)
        TALK_SCRIPT("H " TALK_INITIALIZE, "<1? - " TALK_INITIALIZE, WAYS[i],
                    "<2? 2026-07-28 " NEW("2", "server/discover", ""),
                    "S2 " DISCOVERED("'warder-2'", "'capabilities':{}"),
                    "> " INITIALIZE_RESULT("'capabilities':{}"));
}

static void no_translation_for_a_failed_sign_in(void **state)
{
    (void)state;
    TALK_SCRIPT(
        "H " TALK_INITIALIZE, "<1? - " TALK_INITIALIZE, "F1 auth 401",
        "> {'jsonrpc':'2.0','id':0,'error':{'code':-32603,'message':'A person must sign in, "
        "and there is none to ask (HTTP 401). Run warder connect or warder call on a terminal "
        "first, or give --interactive where a page can be "
        "opened.','data':{'reason':'sign_in_needed','status':401}}}",
        /* it may begin anew */
        "H " TALK_INITIALIZE, "<2? - " TALK_INITIALIZE);
}

static void what_was_refused_first_is_the_reason(void **state)
{
    (void)state;
    TALK_SCRIPT("H " TALK_INITIALIZE, "<1? - " TALK_INITIALIZE,
                "S1 {'jsonrpc':'2.0','id':0,'error':{'code':-32602,'message':'speak 2024'}}",
                "<2? 2026-07-28 " NEW("2", "server/discover", ""), "F2 http 404",
                "> {'jsonrpc':'2.0','id':0,'error':{'code':-32602,'message':'speak 2024'}}",
                "H " TALK_INITIALIZE, "<3? - " TALK_INITIALIZE);
}

static void requests_say_all_there_is_to_know(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN, "H {'jsonrpc':'2.0','id':1,'method':'logging/setLevel','params':{'level':'loud'}}",
        "> {'jsonrpc':'2.0','id':1,'error':{'code':-32602,'message':'The member level must "
        "be one of debug, info, notice, warning, error, critical, alert, emergency.'}}",
        "H {'jsonrpc':'2.0','id':1,'method':'logging/setLevel','params':{'level':'info'}}",
        "> {'jsonrpc':'2.0','id':1,'result':{}}",
        "H {'jsonrpc':'2.0','id':2,'method':'tools/call','params':{'name':'t','_meta':{"
        "'progressToken':5,'io.modelcontextprotocol/protocolVersion':'x'}}}",
        "<3 2026-07-28 "
        "{'jsonrpc':'2.0','id':'warder-3','method':'tools/call','params':{'name':'t',"
        "'_meta':{'progressToken':5," TALK_NEW_META ",'io.modelcontextprotocol/logLevel':'info'}}}",
        "S3 {'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':5}}",
        "> {'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':5}}",
        "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'resultType':'complete','content':[],"
        "'structuredContent':[1]}}",
        "> {'jsonrpc':'2.0','id':2,'result':{'content':[]}}",
        "H {'jsonrpc':'2.0','method':'notifications/roots/list_changed'}", "H " TALK_INITIALIZE,
        "> {'jsonrpc':'2.0','id':0,'error':{'code':-32600,'message':'This connection is "
        "initialized.'}}");
}

static void lists_hold_what_the_host_knows(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN, "H {'jsonrpc':'2.0','id':1,'method':'tools/list'}",
        "<3 2026-07-28 " NEW("3", "tools/list", ""),
        "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'resultType':'complete','tools':[{"
        "'name':'a','outputSchema':{'type':'array'}},{'name':'b','outputSchema':{'type':"
        "'object'},'inputSchema':{'type':'object','properties':{'r':{'type':'string','x-"
        "mcp-header':'R'}}}}],'ttlMs':5,'cacheScope':'public'}}",
        "> {'jsonrpc':'2.0','id':1,'result':{'tools':[{'name':'a'},{'name':'b','outputSchema'"
        ":{'type':'object'},'inputSchema':{'type':'object','properties':{'r':{'type':"
        "'string','x-mcp-header':'R'}}}}]}}",
        "H {'jsonrpc':'2.0','id':2,'method':'tools/call','params':{'name':'b'}}",
        "<4 2026-07-28 " NEW("4", "tools/call", "'name':'b',"), "=4 R");
}

static void input_is_asked_of_the_host(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN, "H {'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'t'}}",
        "<3 2026-07-28 " NEW("3", "tools/call", "'name':'t',"),
        "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'resultType':'input_required',"
        "'inputRequests':{'a':{'method':'elicitation/create','params':{'message':'m'}},'b':{"
        "'method':'elicitation/create','params':{'mode':'url','url':'https://x/'}},'c':{'method':"
        "'roots/list'}},'requestState':'s\\u0041'}}",
        "> "
        "{'jsonrpc':'2.0','id':'warder-4','method':'elicitation/create','params':{'message':'m'}}",
        "> {'jsonrpc':'2.0','id':'warder-5','method':'elicitation/create','params':{'mode':'url',"
        "'url':'https://x/','elicitationId':'warder-5'}}",
        "> {'jsonrpc':'2.0','id':'warder-6','method':'roots/list'}",
        "H {'jsonrpc':'2.0','id':'warder-5','error':{'code':-1,'message':'no'}}",
        "H {'jsonrpc':'2.0','id':'warder-4','result':{'action':'accept'}}",
        /* once */
        "H {'jsonrpc':'2.0','id':'warder-4','result':{'action':'decline'}}",
        "H {'jsonrpc':'2.0','id':'warder-6','result':{'roots':[]}}",
        "<7 2026-07-28 " NEW("7", "tools/call",
                             "'name':'t','inputResponses':{'a':{'action':'accept'},'b':{'action':"
                             "'cancel'},'c':{'roots':[]}},'requestState':'s\\u0041',"),
        "S7 "
        "{'jsonrpc':'2.0','id':'warder-7','result':{'resultType':'input_required','requestState':"
        "'next'}}",
        "T 250", "<8 2026-07-28 " NEW("8", "tools/call", "'name':'t','requestState':'next',"),
        "S8 {'jsonrpc':'2.0','id':'warder-8','result':{'resultType':'complete','content':[]}}",
        "> {'jsonrpc':'2.0','id':1,'result':{'content':[]}}");
}

static void a_refused_question_ends_the_call(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN, "H {'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'t'}}",
                "<3 2026-07-28 " NEW("3", "tools/call", "'name':'t',"),
                "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'resultType':'input_required',"
                "'inputRequests':{'a':{'method':'roots/list'},'b':{'method':'roots/list'}}}}",
                "> {'jsonrpc':'2.0','id':'warder-4','method':'roots/list'}",
                "> {'jsonrpc':'2.0','id':'warder-5','method':'roots/list'}",
                "H {'jsonrpc':'2.0','id':'warder-4','error':{'code':-1,'message':'no'}}",
                "> {'jsonrpc':'2.0','id':1,'error':{'code':-1,'message':'no'}}",
                "> {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':"
                "'warder-5'}}",
                "H {'jsonrpc':'2.0','id':'warder-5','result':{'roots':[]}}");
}

static void what_may_not_be_asked_ends_the_call(void **state)
{
    (void)state;
    static const char *const INPUTS[] = {
        "'inputRequests':{'a':{'method':'tools/call'}}", "'inputRequests':[]", "'requestState':7",
        "'inputRequests':{'a':{'method':'roots/list','params':[]}}", "'x':1"};
    for (size_t i = 0; i < ROWS(INPUTS); i++) {
        char result[512];
        int n = snprintf(result, sizeof result,
                         "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'resultType':"
                         "'input_required',%s}}",
                         INPUTS[i]);
        assert_in_range(n, 1, sizeof result - 1);
        TALK_SCRIPT(OPEN, "H {'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'t'}}",
                    "<3 2026-07-28 " NEW("3", "tools/call", "'name':'t',"), result,
                    "> {'jsonrpc':'2.0','id':1,'error':{'code':-32603,'message':'The server`s "
                    "answer cannot be used: it asks for input that cannot be asked for. "
                    "Check the URL, or tell who runs the server.','data':{'reason':'malformed'"
                    "}}}");
    }
}

static void a_cancelled_call_takes_its_questions_back(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN, "H {'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'t'}}",
        "<3 2026-07-28 " NEW("3", "tools/call", "'name':'t',"),
        "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'resultType':'input_required',"
        "'inputRequests':{'a':{'method':'roots/list'}}}}",
        "> {'jsonrpc':'2.0','id':'warder-4','method':'roots/list'}",
        "H {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':1}}",
        "> {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':'warder-4'}}",
        "H {'jsonrpc':'2.0','id':'warder-4','result':{'roots':[]}}",
        "H {'jsonrpc':'2.0','id':2,'method':'tools/call','params':{'name':'t'}}",
        "<5 2026-07-28 " NEW("5", "tools/call", "'name':'t',"),
        "H {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':2}}", "x5");
}

static void a_resource_has_a_stream_of_its_own(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN, "H {'jsonrpc':'2.0','id':1,'method':'resources/subscribe','params':{'uri':'a:b'}}",
        "<3 2026-07-28 " NEW("3", "subscriptions/listen",
                             "'notifications':{'resourceSubscriptions':['a:b']},"),
        "S3 {'jsonrpc':'2.0','method':'notifications/subscriptions/acknowledged'}",
        "> {'jsonrpc':'2.0','id':1,'result':{}}",
        "S3 {'jsonrpc':'2.0','method':'notifications/resources/updated','params':{'uri':'a:b'}}",
        "> {'jsonrpc':'2.0','method':'notifications/resources/updated','params':{'uri':'a:b'}}",
        "H {'jsonrpc':'2.0','id':2,'method':'resources/subscribe','params':{'uri':'a:b'}}",
        "> {'jsonrpc':'2.0','id':2,'result':{}}",
        "H {'jsonrpc':'2.0','id':3,'method':'resources/unsubscribe','params':{'uri':'a:b'}}", "x3",
        "> {'jsonrpc':'2.0','id':3,'result':{}}",
        "H {'jsonrpc':'2.0','id':4,'method':'resources/subscribe','params':{'uri':'no:no'}}",
        "<4 2026-07-28 " NEW("4", "subscriptions/listen",
                             "'notifications':{'resourceSubscriptions':['no:no']},"),
        "S4 {'jsonrpc':'2.0','id':'warder-4','error':{'code':-32602,'message':'no'}}",
        "> {'jsonrpc':'2.0','id':4,'error':{'code':-32602,'message':'no'}}");
}

static void unsubscribed_while_opening(void **state)
{
    (void)state;
    TALK_SCRIPT(
        "H " TALK_INITIALIZE, "<1? - " TALK_INITIALIZE, "S1 " REFUSED,
        "<2? 2026-07-28 " NEW("2", "server/discover", ""),
        "H {'jsonrpc':'2.0','id':1,'method':'resources/subscribe','params':{'uri':'a:b'}}",
        "H {'jsonrpc':'2.0','id':2,'method':'resources/unsubscribe','params':{'uri':'a:b'}}",
        "S2 " DISCOVERED("'warder-2'", "'capabilities':{}"),
        "> " INITIALIZE_RESULT("'capabilities':{}"),
        "<3 2026-07-28 " NEW("3", "subscriptions/listen",
                             "'notifications':{'resourceSubscriptions':['a:b']},"),
        "> {'jsonrpc':'2.0','id':1,'result':{}}", "x3", "> {'jsonrpc':'2.0','id':2,'result':{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(initialize_is_answered_from_discovery),
        cmocka_unit_test(every_way_to_refuse_initialize),
        cmocka_unit_test(no_translation_for_a_failed_sign_in),
        cmocka_unit_test(what_was_refused_first_is_the_reason),
        cmocka_unit_test(requests_say_all_there_is_to_know),
        cmocka_unit_test(lists_hold_what_the_host_knows),
        cmocka_unit_test(input_is_asked_of_the_host),
        cmocka_unit_test(a_refused_question_ends_the_call),
        cmocka_unit_test(what_may_not_be_asked_ends_the_call),
        cmocka_unit_test(a_cancelled_call_takes_its_questions_back),
        cmocka_unit_test(a_resource_has_a_stream_of_its_own),
        cmocka_unit_test(unsubscribed_while_opening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
