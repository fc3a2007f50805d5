/* A stateless host before a server of the handshake era. */
#include "bridge/talk_test_script.h"

#define NEW(id, method, more)                                                                      \
    "{'jsonrpc':'2.0','id':" id ",'method':'" method "','params':{" more "'_meta':{" TALK_NEW_META \
    "}}}"
#define INIT(tag)                                                                                  \
    "{'jsonrpc':'2.0','id':'warder-" tag "','method':'initialize','params':{'protocolVersion':"    \
    "'2025-11-25','capabilities':{'elicitation':{},'roots':{}},'clientInfo':{'name':'host',"       \
    "'version':'1'}}}"
#define SAYS                                                                                       \
    "'capabilities':{'logging':{},'tools':{'listChanged':true},'resources':{'subscribe':true},"    \
    "'tasks':{}},'serverInfo':{'name':'s','version':'1'},'instructions':'do'"
#define INIT_RESULT(tag)                                                                           \
    "{'jsonrpc':'2.0','id':'warder-" tag "','result':{'protocolVersion':'2025-11-25'," SAYS "}}"
#define DISCOVERED(id)                                                                             \
    "{'jsonrpc':'2.0','id':" id ",'result':{'resultType':'complete','supportedVersions':['2026-"   \
    "07-28'],'capabilities':{'logging':{},'tools':{'listChanged':true},'resources':{'subscribe':"  \
    "true}},'instructions':'do','ttlMs':0,'cacheScope':'private','_meta':{"                        \
    "'io.modelcontextprotocol/serverInfo':{'name':'s','version':'1'}}}}"
#define OPEN                                                                                       \
    "H " NEW("0", "server/discover", ""),                                                          \
        "<1? 2026-07-28 " NEW("'warder-1'", "server/discover", ""),                                \
        "S1 {'jsonrpc':'2.0','id':'warder-1','error':{'code':-32601,'message':'no'}}",             \
        "<2? - " INIT("2"), "S2 " INIT_RESULT("2"), "<0 2025-11-25 " TALK_INITIALIZED,             \
        "l 2025-11-25", "> " DISCOVERED("0")
#define OLD(tag, method, more)                                                                     \
    "{'jsonrpc':'2.0','id':'warder-" tag "','method':'" method "','params':{" more "'_meta':{}}}"
#define CANCELLED(tag)                                                                             \
    "{'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':'warder-" tag "'}}"

static void discovery_is_answered_from_initialize(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN, "H " NEW("1", "server/discover", ""), "> " DISCOVERED("1"));
}

static void every_way_to_refuse_discovery(void **state)
{
    (void)state;
    static const char *const WAYS[] = {
        "F1 http 400",
        "F1 http 404",
        "F1 http 405 no",
        "F1 http 400 {'jsonrpc':'2.0','error':{'code':-32600,'message':'Bad Request: Server not "
        "initialized'}}",
        "S1 {'jsonrpc':'2.0','id':'warder-1','error':{'code':-32602,'message':'x'}}",
        "S1 {'jsonrpc':'2.0','id':'warder-1','error':{'code':-32022,'message':'x','data':{"
        "'supported':['2025-11-25']}}}",
        "S1 {'jsonrpc':'2.0','id':'warder-1','result':{'supportedVersions':['2025-11-25']}}"};
    for (size_t i = 0; i < ROWS(WAYS); i++)
        TALK_SCRIPT("H " NEW("0", "tools/list", ""),
                    "<1? 2026-07-28 " NEW("'warder-1'", "server/discover", ""), WAYS[i],
                    "<2? - " INIT("2"), "S2 " INIT_RESULT("2"), "<0 2025-11-25 " TALK_INITIALIZED,
                    "l 2025-11-25", "<3 2025-11-25 " OLD("3", "tools/list", ""));
}

static void words_of_the_new_era_come_from_a_server_that_speaks_it(void **state)
{
    (void)state;
    TALK_SCRIPT("H " NEW("0", "tools/list", ""),
                "<1? 2026-07-28 " NEW("'warder-1'", "server/discover", ""),
                "F1 http 400 {'jsonrpc':'2.0','error':{'code':-32021,'message':'lacks'}}",
                "<2 2026-07-28 " NEW("0", "tools/list", ""));
}

static void both_refused(void **state)
{
    (void)state;
    TALK_SCRIPT(
        "H " NEW("0", "tools/list", ""), "<1? 2026-07-28 " NEW("'warder-1'", "server/discover", ""),
        "H " NEW("1", "tools/list", ""), "F1 http 404", "<2? - " INIT("2"), "F2 http 404 gone",
        "> {'jsonrpc':'2.0','id':0,'error':{'code':-32603,'message':'The server refused with "
        "an HTTP status (HTTP 404): gone. Give the whole URL of the endpoint, as https://host/mcp, "
        "with or without a last slash as the server has "
        "it.','data':{'reason':'http_status','status':404}}}",
        "> {'jsonrpc':'2.0','id':1,'error':{'code':-32603,'message':'The server refused with "
        "an HTTP status (HTTP 404): gone. Give the whole URL of the endpoint, as https://host/mcp, "
        "with or without a last slash as the server has "
        "it.','data':{'reason':'http_status','status':404}}}",
        "H " NEW("0", "tools/list", ""),
        "<3? 2026-07-28 " NEW("'warder-3'", "server/discover", ""));
}

static void results_have_what_the_era_demands(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN, "H " NEW("1", "tools/list", "'cursor':'c',"),
                "<3 2025-11-25 " OLD("3", "tools/list", "'cursor':'c',"),
                "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'tools':[]}}",
                "> {'jsonrpc':'2.0','id':1,'result':{'resultType':'complete','tools':[],'ttlMs':0,"
                "'cacheScope':'private'}}",
                "H " NEW("2", "resources/read", "'uri':'a:b',"),
                "<4 2025-11-25 " OLD("4", "resources/read", "'uri':'a:b',"),
                "S4 {'jsonrpc':'2.0','id':'warder-4','error':{'code':-32002,'message':'none'}}",
                "> {'jsonrpc':'2.0','id':2,'error':{'code':-32602,'message':'none'}}",
                "H " NEW("3", "logging/setLevel", ""),
                "> {'jsonrpc':'2.0','id':3,'error':{'code':-32601,'message':'This revision of the "
                "protocol has no such method.'}}",
                "H {'jsonrpc':'2.0','id':4,'method':'tools/list'}",
                "> {'jsonrpc':'2.0','id':4,'error':{'code':-32602,'message':'The member _meta must "
                "hold protocolVersion and clientCapabilities.'}}");
}

static void log_messages_only_for_those_who_ask(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN, "H " NEW("1", "tools/call", ""), "<3 2025-11-25 " OLD("3", "tools/call", ""),
        "S3 {'jsonrpc':'2.0','method':'notifications/message','params':{'level':'error'}}",
        "H {'jsonrpc':'2.0','id':2,'method':'tools/call','params':{'_meta':{"
        "'io.modelcontextprotocol/logLevel':'warning','progressToken':4," TALK_NEW_META "}}}",
        "<4 2025-11-25 {'jsonrpc':'2.0','id':'warder-4','method':'logging/setLevel','params':{"
        "'level':'warning'}}",
        "<5 2025-11-25 {'jsonrpc':'2.0','id':'warder-5','method':'tools/call','params':{'_meta':{"
        "'progressToken':4}}}",
        "S5 {'jsonrpc':'2.0','method':'notifications/message','params':{'level':'info'}}",
        "S5 {'jsonrpc':'2.0','method':'notifications/message','params':{'level':'error'}}",
        "> {'jsonrpc':'2.0','method':'notifications/message','params':{'level':'error'}}",
        "S0 {'jsonrpc':'2.0','method':'notifications/message','params':{'level':'error'}}",
        "> {'jsonrpc':'2.0','method':'notifications/message','params':{'level':'error'}}");
}

static void a_request_of_the_server_becomes_required_input(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN, "H " NEW("1", "tools/call", "'name':'t',"),
        "<3 2025-11-25 " OLD("3", "tools/call", "'name':'t',"),
        "S3 {'jsonrpc':'2.0','id':7,'method':'elicitation/create','params':{'message':'m'}}",
        "> {'jsonrpc':'2.0','id':1,'result':{'resultType':'input_required','inputRequests':{'ask-4'"
        ":{'method':'elicitation/create','params':{'message':'m'}}},'requestState':"
        "'000102030405060708090a0b0c0d0e0f'}}",
        /* while the host is away */
        "S3 {'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':1}}",
        "S3 {'jsonrpc':'2.0','id':8,'method':'roots/list'}",
        "H {'jsonrpc':'2.0','id':2,'method':'tools/call','params':{'name':'t','requestState':"
        "'000102030405060708090a0b0c0d0e0f','inputResponses':{'ask-4':{'action':'accept'}},'_meta':"
        "{'progressToken':2," TALK_NEW_META "}}}",
        "<0 2025-11-25 {'jsonrpc':'2.0','id':7,'result':{'action':'accept'}}",
        "> {'jsonrpc':'2.0','id':2,'result':{'resultType':'input_required','inputRequests':{'ask-5'"
        ":{'method':'roots/list'}},'requestState':'101112131415161718191a1b1c1d1e1f'}}",
        "H {'jsonrpc':'2.0','id':3,'method':'tools/call','params':{'name':'t','requestState':"
        "'101112131415161718191a1b1c1d1e1f','inputResponses':{'ask-5':{'roots':[]}},'_meta':"
        "{'progressToken':3," TALK_NEW_META "}}}",
        "<0 2025-11-25 {'jsonrpc':'2.0','id':8,'result':{'roots':[]}}",
        "S3 {'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':1,"
        "'progress':1}}",
        "> {'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':3,"
        "'progress':1}}",
        "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'content':[]}}",
        "> {'jsonrpc':'2.0','id':3,'result':{'resultType':'complete','content':[]}}");
}

static void an_answer_waits_for_the_host(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN, "H " NEW("1", "tools/call", "'name':'t',"),
        "<3 2025-11-25 " OLD("3", "tools/call", "'name':'t',"),
        /* a server that does not say for which call */
        "S0 {'jsonrpc':'2.0','id':7,'method':'roots/list'}",
        "> {'jsonrpc':'2.0','id':1,'result':{'resultType':'input_required','inputRequests':{'ask-4'"
        ":{'method':'roots/list'}},'requestState':'000102030405060708090a0b0c0d0e0f'}}",
        "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'content':[]}}",
        "H " NEW("2", "tools/call",
                 "'name':'t','requestState':'000102030405060708090a0b0c0d0e0f',"),
        "> {'jsonrpc':'2.0','id':2,'result':{'resultType':'complete','content':[]}}",
        "H " NEW("3", "tools/call",
                 "'name':'t','requestState':'000102030405060708090a0b0c0d0e0f',"),
        "> {'jsonrpc':'2.0','id':3,'error':{'code':-32602,'message':'The member requestState is "
        "not "
        "what this server gave for this request: begin anew.'}}");
}

static void a_host_that_does_not_come_back(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN, "H " NEW("1", "tools/call", "'name':'t',"),
        "<3 2025-11-25 " OLD("3", "tools/call", "'name':'t',"),
        "S3 {'jsonrpc':'2.0','id':7,'method':'roots/list'}",
        "> {'jsonrpc':'2.0','id':1,'result':{'resultType':'input_required','inputRequests':{'ask-4'"
        ":{'method':'roots/list'}},'requestState':'000102030405060708090a0b0c0d0e0f'}}",
        "T 600000",
        "<0 2025-11-25 {'jsonrpc':'2.0','id':7,'error':{'code':-32603,'message':'The client did "
        "not "
        "answer what it was asked in time.'}}",
        "<0 2025-11-25 " CANCELLED("3"), "x3");
}

static void nothing_can_carry_it(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN, "S0 {'jsonrpc':'2.0','id':7,'method':'roots/list'}",
                "<0 2025-11-25 {'jsonrpc':'2.0','id':7,'error':{'code':-32603,'message':'The "
                "client refused "
                "a request of the server.'}}",
                "H " NEW("1", "tools/call", "'name':'t',"),
                "<3 2025-11-25 " OLD("3", "tools/call", "'name':'t',"),
                /* the host has not said that it can */
                "S3 {'jsonrpc':'2.0','id':8,'method':'sampling/createMessage'}",
                "<0 2025-11-25 {'jsonrpc':'2.0','id':8,'error':{'code':-32603,'message':'The "
                "client refused "
                "a request of the server.'}}",
                "S3 {'jsonrpc':'2.0','id':9,'method':'tasks/get'}",
                "<0 2025-11-25 {'jsonrpc':'2.0','id':9,'error':{'code':-32601,'message':'This "
                "server has no "
                "such method.'}}",
                "S0 {'jsonrpc':'2.0','id':10,'method':'ping'}",
                "<0 2025-11-25 {'jsonrpc':'2.0','id':10,'result':{}}");
}

static void pages_that_must_be_visited_first(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN, "H " NEW("1", "tools/call", "'name':'t',"),
        "<3 2025-11-25 " OLD("3", "tools/call", "'name':'t',"),
        "S3 {'jsonrpc':'2.0','id':'warder-3','error':{'code':-32042,'message':'visit','data':{"
        "'elicitations':[{'mode':'url','url':'https://x/','message':'m'}]}}}",
        "> {'jsonrpc':'2.0','id':1,'result':{'resultType':'input_required','inputRequests':{'ask-4'"
        ":{'method':'elicitation/create','params':{'mode':'url','url':'https://x/','message':'m'}}}"
        ",'requestState':'000102030405060708090a0b0c0d0e0f'}}",
        "H " NEW("2", "tools/call",
                 "'name':'t','requestState':'000102030405060708090a0b0c0d0e0f','inputResponses':{"
                 "'ask-4':{'action':'accept'}},"),
        "<5 2025-11-25 " OLD("5", "tools/call", "'name':'t',"));
}

static void cancelled(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN, "H " NEW("1", "tools/call", "'name':'t',"),
                "<3 2025-11-25 " OLD("3", "tools/call", "'name':'t',"),
                "H {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':1}}",
                "<0 2025-11-25 " CANCELLED("3"), "x3");
}

static void subscriptions_hear_of_changes_under_their_id(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN,
        "H " NEW("'l'", "subscriptions/listen",
                 "'notifications':{'toolsListChanged':true,'promptsListChanged':true,"
                 "'resourceSubscriptions':['a:b']},"),
        "<3 2025-11-25 {'jsonrpc':'2.0','id':'warder-3','method':'resources/subscribe','params':{"
        "'uri':'a:b'}}",
        "> {'jsonrpc':'2.0','method':'notifications/subscriptions/acknowledged','params':{'_meta':{"
        "'io.modelcontextprotocol/subscriptionId':'l'},'notifications':{'toolsListChanged':true,"
        "'resourceSubscriptions':['a:b']}}}",
        "S0 {'jsonrpc':'2.0','method':'notifications/tools/list_changed'}",
        "> {'jsonrpc':'2.0','method':'notifications/tools/list_changed','params':{'_meta':{"
        "'io.modelcontextprotocol/subscriptionId':'l'}}}",
        "S0 {'jsonrpc':'2.0','method':'notifications/resources/list_changed'}",
        "S0 {'jsonrpc':'2.0','method':'notifications/resources/updated','params':{'uri':'a:b'}}",
        "> {'jsonrpc':'2.0','method':'notifications/resources/updated','params':{'_meta':{"
        "'io.modelcontextprotocol/subscriptionId':'l'},'uri':'a:b'}}",
        "H {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':'l'}}",
        "<4 2025-11-25 {'jsonrpc':'2.0','id':'warder-4','method':'resources/unsubscribe','params':{"
        "'uri':'a:b'}}",
        "S0 {'jsonrpc':'2.0','method':'notifications/tools/list_changed'}");
}

static void a_new_session_may_have_other_lists(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN, "H " NEW("'l'", "subscriptions/listen", "'notifications':{'toolsListChanged':true},"),
        "> {'jsonrpc':'2.0','method':'notifications/subscriptions/acknowledged','params':{'_meta':{"
        "'io.modelcontextprotocol/subscriptionId':'l'},'notifications':{'toolsListChanged':true}}}",
        "U lost 404", "<3? - " INIT("3"), "S3 " INIT_RESULT("3"), "<0 2025-11-25 " TALK_INITIALIZED,
        "l 2025-11-25",
        "> {'jsonrpc':'2.0','method':'notifications/tools/list_changed','params':{'_meta':{"
        "'io.modelcontextprotocol/subscriptionId':'l'}}}");
}

/* Who probes with discovery gives up when it takes long, as while a person signs in. */
static void a_host_that_lost_patience_with_discovery(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN, "H " TALK_INITIALIZE, "<3? - " TALK_INITIALIZE,
                "S3 {'jsonrpc':'2.0','id':0,'result':{'protocolVersion':'2025-06-18'}}",
                "> {'jsonrpc':'2.0','id':0,'result':{'protocolVersion':'2025-06-18'}}",
                "H " TALK_INITIALIZED, "<0 2025-06-18 " TALK_INITIALIZED, "l 2025-06-18",
                "H {'jsonrpc':'2.0','id':1,'method':'tools/list'}",
                "<4 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/list'}");
    TALK_SCRIPT(
        "H " NEW("'d'", "server/discover", ""),
        "<1? 2026-07-28 " NEW("'warder-1'", "server/discover", ""), "H " TALK_INITIALIZE,
        "S1 {'jsonrpc':'2.0','id':'warder-1','result':{'supportedVersions':['2026-07-28']}}",
        "> {'jsonrpc':'2.0','id':'d','result':{'supportedVersions':['2026-07-28']}}",
        "<2? - " TALK_INITIALIZE, "F2 http 404",
        "<3? 2026-07-28 " NEW("'warder-3'", "server/discover", ""),
        "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'supportedVersions':['2026-07-28'],"
        "'capabilities':{}}}",
        "> {'jsonrpc':'2.0','id':0,'result':{'protocolVersion':'2025-06-18','capabilities':"
        "{},'serverInfo':{'name':'unknown','version':'unknown'}}}");
}

static void a_lost_session_is_made_anew(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN, "H " NEW("1", "tools/call", "'name':'t',"),
                "<3 2025-11-25 " OLD("3", "tools/call", "'name':'t',"), "F3 lost 404",
                "<4? - " INIT("4"), "S4 " INIT_RESULT("4"), "<0 2025-11-25 " TALK_INITIALIZED,
                "l 2025-11-25", "<5 2025-11-25 " OLD("5", "tools/call", "'name':'t',"),
                "S5 {'jsonrpc':'2.0','id':'warder-5','result':{}}",
                "> {'jsonrpc':'2.0','id':1,'result':{'resultType':'complete'}}", "E");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discovery_is_answered_from_initialize),
        cmocka_unit_test(every_way_to_refuse_discovery),
        cmocka_unit_test(words_of_the_new_era_come_from_a_server_that_speaks_it),
        cmocka_unit_test(both_refused),
        cmocka_unit_test(results_have_what_the_era_demands),
        cmocka_unit_test(log_messages_only_for_those_who_ask),
        cmocka_unit_test(a_request_of_the_server_becomes_required_input),
        cmocka_unit_test(an_answer_waits_for_the_host),
        cmocka_unit_test(a_host_that_does_not_come_back),
        cmocka_unit_test(nothing_can_carry_it),
        cmocka_unit_test(pages_that_must_be_visited_first),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(subscriptions_hear_of_changes_under_their_id),
        cmocka_unit_test(a_new_session_may_have_other_lists),
        cmocka_unit_test(a_host_that_lost_patience_with_discovery),
        cmocka_unit_test(a_lost_session_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
