/* Both sides speak the same era: bytes go through as they came. */
#include "bridge/talk_test_script.h"
#include "core/limits.h"

#include <stdio.h>

#define INIT_RESULT                                                                                \
    "{'jsonrpc':'2.0','id':0,'result':{'protocolVersion':'2025-06-18','capabilities':{},"          \
    "'serverInfo':{'name':'s','version':'1'}}}"
#define OPEN_HANDSHAKE                                                                             \
    "H " TALK_INITIALIZE, "<1? - " TALK_INITIALIZE, "S1 " INIT_RESULT, "> " INIT_RESULT,           \
        "H " TALK_INITIALIZED, "<0 2025-06-18 " TALK_INITIALIZED, "l 2025-06-18"

static void handshake_goes_through_untouched(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN_HANDSHAKE,
        "H { 'jsonrpc': '2.0', 'id': 'a b', 'method': 'tools/call', 'params': {'x':1.0e3} }",
        "<2 2025-06-18 { 'jsonrpc': '2.0', 'id': 'a b', 'method': 'tools/call', 'params': "
        "{'x':1.0e3} }",
        "S2 {'jsonrpc':'2.0','method':'notifications/progress','params':{'progress':1}}",
        "> {'jsonrpc':'2.0','method':'notifications/progress','params':{'progress':1}}",
        "S2 {'jsonrpc':'2.0', 'result':{'zzz':[ ]}, 'id':'a b'}",
        "> {'jsonrpc':'2.0', 'result':{'zzz':[ ]}, 'id':'a b'}");
}

static void a_message_is_one_line(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':1,'method':'ping'}",
                "<2 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'ping'}",
                "S2 {'jsonrpc':'2.0',\r\n 'id':1,\n'result':{}}",
                "> {'jsonrpc':'2.0',   'id':1, 'result':{}}");
}

static void an_error_without_id_gets_that_of_its_request(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':1,'method':'x'}",
                "<2 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'x'}",
                "S2 {'jsonrpc':'2.0','id':7,'error':{'code':-32601,'message':'no'}}",
                "> {'jsonrpc':'2.0','id':1,'error':{'code':-32601,'message':'no'}}");
}

static void what_the_server_asks_goes_to_the_host_and_back(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_HANDSHAKE, "S0 {'jsonrpc':'2.0','id':5,'method':'roots/list'}",
                "> {'jsonrpc':'2.0','id':5,'method':'roots/list'}",
                "H {'jsonrpc':'2.0','id':5,'result':{'roots':[]}}",
                "<0 2025-06-18 {'jsonrpc':'2.0','id':5,'result':{'roots':[]}}",
                /* once */
                "H {'jsonrpc':'2.0','id':5,'result':{'roots':[]}}");
}

static void a_host_that_does_not_wait(void **state)
{
    (void)state;
    TALK_SCRIPT("H " TALK_INITIALIZE, "<1? - " TALK_INITIALIZE, "H " TALK_INITIALIZED,
                "H {'jsonrpc':'2.0','id':1,'method':'tools/list'}",
                "H {'jsonrpc':'2.0','id':2,'method':'tools/list'}",
                "H {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':2}}",
                "S1 " INIT_RESULT, "> " INIT_RESULT, "<0 2025-06-18 " TALK_INITIALIZED,
                "l 2025-06-18", "<2 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/list'}");
}

static void cancelled_in_the_handshake_era(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':1,'method':'tools/call'}",
                "<2 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/call'}",
                "H {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':1}}",
                "<0 2025-06-18 "
                "{'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':1}}",
                "x2", "S2 {'jsonrpc':'2.0','id':1,'result':{}}",
                /* the id is free again */
                "H {'jsonrpc':'2.0','id':1,'method':'ping'}",
                "<3 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'ping'}");
}

static void the_host_goes(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':1,'method':'tools/call'}",
                "<2 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/call'}", "E",
                "<0 2025-06-18 "
                "{'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':1}}",
                "x2");
}

static void a_lost_session_is_made_anew(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN_HANDSHAKE,
        "H {'jsonrpc':'2.0','id':1,'method':'logging/setLevel','params':{'level':'info'}}",
        "<2 2025-06-18 "
        "{'jsonrpc':'2.0','id':1,'method':'logging/setLevel','params':{'level':'info'}}",
        "S2 {'jsonrpc':'2.0','id':1,'result':{}}", "> {'jsonrpc':'2.0','id':1,'result':{}}",
        "H {'jsonrpc':'2.0','id':2,'method':'resources/subscribe','params':{'uri':'a:b'}}",
        "<3 2025-06-18 "
        "{'jsonrpc':'2.0','id':2,'method':'resources/subscribe','params':{'uri':'a:b'}}",
        "S3 {'jsonrpc':'2.0','id':2,'result':{}}", "> {'jsonrpc':'2.0','id':2,'result':{}}",
        "S0 {'jsonrpc':'2.0','id':'q','method':'roots/list'}",
        "> {'jsonrpc':'2.0','id':'q','method':'roots/list'}",
        "H {'jsonrpc':'2.0','id':3,'method':'tools/call'}",
        "<4 2025-06-18 {'jsonrpc':'2.0','id':3,'method':'tools/call'}", "F4 lost 404",
        "> {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':'q'}}",
        "<5? - {'jsonrpc':'2.0','id':'warder-5','method':'initialize','params':{"
        "'protocolVersion':'2025-06-18','capabilities':{'elicitation':{},'roots':{}},"
        "'clientInfo':{'name':'host','version':'1'}}}",
        /* what comes meanwhile waits */
        "H {'jsonrpc':'2.0','id':4,'method':'tools/list'}",
        "S5 {'jsonrpc':'2.0','id':'warder-5','result':{'protocolVersion':'2025-06-18'}}",
        "<0 2025-06-18 " TALK_INITIALIZED, "l 2025-06-18",
        "<6 2025-06-18 {'jsonrpc':'2.0','id':'warder-6','method':'logging/setLevel','params':{"
        "'level':'info'}}",
        "<7 2025-06-18 {'jsonrpc':'2.0','id':'warder-7','method':'resources/subscribe','params':{"
        "'uri':'a:b'}}",
        "<8 2025-06-18 {'jsonrpc':'2.0','id':3,'method':'tools/call'}",
        "<9 2025-06-18 {'jsonrpc':'2.0','id':4,'method':'tools/list'}",
        "S6 {'jsonrpc':'2.0','id':'warder-6','result':{}}",
        "S8 {'jsonrpc':'2.0','id':3,'result':{}}", "> {'jsonrpc':'2.0','id':3,'result':{}}",
        "F9 lost 404",
        "<10? - {'jsonrpc':'2.0','id':'warder-10','method':'initialize','params':{"
        "'protocolVersion':'2025-06-18','capabilities':{'elicitation':{},'roots':{}},"
        "'clientInfo':{'name':'host','version':'1'}}}");
}

static void a_session_that_is_lost_twice_is_an_error(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':3,'method':'x'}",
                "<2 2025-06-18 {'jsonrpc':'2.0','id':3,'method':'x'}", "F2 lost 404",
                "<3? - {'jsonrpc':'2.0','id':'warder-3','method':'initialize','params':{"
                "'protocolVersion':'2025-06-18','capabilities':{'elicitation':{},'roots':{}},"
                "'clientInfo':{'name':'host','version':'1'}}}",
                "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'protocolVersion':'2025-11-25'}}",
                "<0 2025-11-25 " TALK_INITIALIZED, "l 2025-11-25",
                "<4 2025-11-25 {'jsonrpc':'2.0','id':3,'method':'x'}", "F4 lost 404",
                "> {'jsonrpc':'2.0','id':3,'error':{'code':-32603,'message':'The server forgot the "
                "session, "
                "and a new one did not help (HTTP 404). Start the host`s connection "
                "anew.','data':{'reason':'session_lost','status':404}}}");
}

static void a_session_that_cannot_be_made_anew_is_tried_by_the_next_request(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':3,'method':'x'}",
                "<2 2025-06-18 {'jsonrpc':'2.0','id':3,'method':'x'}", "F2 lost 404",
                "<3? - {'jsonrpc':'2.0','id':'warder-3','method':'initialize','params':{"
                "'protocolVersion':'2025-06-18','capabilities':{'elicitation':{},'roots':{}},"
                "'clientInfo':{'name':'host','version':'1'}}}",
                "S3 {'jsonrpc':'2.0','id':'warder-3','error':{'code':-1,'message':'later'}}",
                "> {'jsonrpc':'2.0','id':3,'error':{'code':-1,'message':'later'}}",
                "H {'jsonrpc':'2.0','id':4,'method':'x'}",
                "<4? - {'jsonrpc':'2.0','id':'warder-4','method':'initialize','params':{"
                "'protocolVersion':'2025-06-18','capabilities':{'elicitation':{},'roots':{}},"
                "'clientInfo':{'name':'host','version':'1'}}}",
                "S4 {'jsonrpc':'2.0','id':'warder-4','result':{'protocolVersion':'2025-06-18'}}",
                "<0 2025-06-18 " TALK_INITIALIZED, "l 2025-06-18",
                "<5 2025-06-18 {'jsonrpc':'2.0','id':4,'method':'x'}");
}

static void the_standing_stream_tells_of_a_lost_session(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_HANDSHAKE, "U lost 404",
                "<2? - {'jsonrpc':'2.0','id':'warder-2','method':'initialize','params':{"
                "'protocolVersion':'2025-06-18','capabilities':{'elicitation':{},'roots':{}},"
                "'clientInfo':{'name':'host','version':'1'}}}",
                /* and that there is none is nothing */
                "U http 405");
}

static void unreachable_for_a_while(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':1,'method':'tools/call'}",
        "<2 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/call'}", "F2 unreachable 0 refused",
        "T 199", "T 1", "<3 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/call'}",
        "F3 unreachable 0 refused", "T 400",
        "<4 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/call'}",
        "S4 {'jsonrpc':'2.0','id':1,'result':{}}", "> {'jsonrpc':'2.0','id':1,'result':{}}");
}

static void unreachable_by_what_no_time_mends(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':1,'method':'tools/list'}",
                "<2 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/list'}",
                "F2 unreachable 0 tls",
                "> {'jsonrpc':'2.0','id':1,'error':{'code':-32603,'message':'The server cannot be "
                "reached: tls. Check the URL, the network and the "
                "certificate.','data':{'reason':'unreachable'}}}");
}

static void unreachable_for_long(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':1,'method':'tools/call'}",
                "<2 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/call'}",
                "F2 unreachable 0 refused", "T 9900",
                "<3 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/call'}",
                "F3 unreachable 0 refused",
                "> {'jsonrpc':'2.0','id':1,'error':{'code':-32603,'message':'The server cannot be "
                "reached: refused. Start the server, or check host and port: nobody listens "
                "there.','data':{'reason':'unreachable'}}}");
}

static void broken_is_asked_anew_only_where_it_changes_nothing(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':1,'method':'tools/list'}",
                "<2 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/list'}",
                "H {'jsonrpc':'2.0','id':2,'method':'tools/call'}",
                "<3 2025-06-18 {'jsonrpc':'2.0','id':2,'method':'tools/call'}", "F3 broken",
                "> {'jsonrpc':'2.0','id':2,'error':{'code':-32603,'message':'The connection ended "
                "before the answer came. The request may have been carried out: look before you "
                "repeat it.','data':{'reason':'broken'}}}",
                "F2 broken", "T 200",
                "<4 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'tools/list'}", "F4 broken",
                "> {'jsonrpc':'2.0','id':1,'error':{'code':-32603,'message':'The connection ended "
                "before the answer came. The request may have been carried out: look before you "
                "repeat it.','data':{'reason':'broken'}}}");
}

enum { CALL_BYTES = 128 };

/* The host asks for more at once than is kept for it: each too many is refused, and answers make
 * room. */
static void too_many_requests(void **state)
{
    static char says[LIMIT_BRIDGE_CALLS][CALL_BYTES], sends[LIMIT_BRIDGE_CALLS][CALL_BYTES];
    static const char *script[2 * LIMIT_BRIDGE_CALLS + 32];
    static const char *const OPENS[] = {OPEN_HANDSHAKE};
    static const char *const ENDS[] = {
        "H {'jsonrpc':'2.0','id':'more','method':'x'}",
        "> {'jsonrpc':'2.0','id':'more','error':{'code':-32603,'message':'The server is busy: try "
        "again soon.'}}",
        "S2 {'jsonrpc':'2.0','id':0,'result':{}}",
        "> {'jsonrpc':'2.0','id':0,'result':{}}",
        "H {'jsonrpc':'2.0','id':'more','method':'x'}",
        "<258 2025-06-18 {'jsonrpc':'2.0','id':'more','method':'x'}",
        NULL};
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < ROWS(OPENS); i++)
        script[n++] = OPENS[i];
    for (int i = 0; i < LIMIT_BRIDGE_CALLS; i++) {
        snprintf(says[i], CALL_BYTES, "H {'jsonrpc':'2.0','id':%d,'method':'x'}", i);
        snprintf(sends[i], CALL_BYTES, "<%d 2025-06-18 %s", i + 2, says[i] + 2);
        script[n++] = says[i];
        script[n++] = sends[i];
    }
    for (size_t i = 0; i < ROWS(ENDS); i++)
        script[n++] = ENDS[i];
    talk_script(script);
}

/* Each of the server's questions too many is refused at once. */
static void too_many_questions(void **state)
{
    static char asks[LIMIT_BRIDGE_ASKS][CALL_BYTES], hears[LIMIT_BRIDGE_ASKS][CALL_BYTES];
    static const char *script[2 * LIMIT_BRIDGE_ASKS + 32];
    static const char *const OPENS[] = {OPEN_HANDSHAKE};
    static const char *const ENDS[] = {
        "S0 {'jsonrpc':'2.0','id':'more','method':'roots/list'}",
        "<0 2025-06-18 {'jsonrpc':'2.0','id':'more','error':{'code':-32603,'message':'The server "
        "is "
        "busy: try again soon.'}}",
        "S0 {'jsonrpc':'2.0','id':3,'method':'roots/list'}",
        "<0 2025-06-18 {'jsonrpc':'2.0','id':3,'error':{'code':-32600,'message':'A request with "
        "this "
        "id is under way.'}}",
        "S0 {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':3}}",
        "> {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':3}}",
        "S0 {'jsonrpc':'2.0','id':'more','method':'roots/list'}",
        "> {'jsonrpc':'2.0','id':'more','method':'roots/list'}",
        NULL};
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < ROWS(OPENS); i++)
        script[n++] = OPENS[i];
    for (int i = 0; i < LIMIT_BRIDGE_ASKS; i++) {
        snprintf(asks[i], CALL_BYTES, "S0 {'jsonrpc':'2.0','id':%d,'method':'roots/list'}", i);
        snprintf(hears[i], CALL_BYTES, "> %s", asks[i] + 3);
        script[n++] = asks[i];
        script[n++] = hears[i];
    }
    for (size_t i = 0; i < ROWS(ENDS); i++)
        script[n++] = ENDS[i];
    talk_script(script);
}

static void failures_are_errors_with_a_reason(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':1,'method':'x'}",
        "<2 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'x'}", "F2 auth 401",
        "> {'jsonrpc':'2.0','id':1,'error':{'code':-32603,'message':'A person must sign in, "
        "and there is none to ask (HTTP 401). Run warder connect or warder call on a terminal "
        "first, or give --interactive where a page can be "
        "opened.','data':{'reason':'sign_in_needed','status':401}}}",
        "H {'jsonrpc':'2.0','id':2,'method':'x'}",
        "<3 2025-06-18 {'jsonrpc':'2.0','id':2,'method':'x'}",
        "F3 http 502 <html>\x1b[31mbad</html>",
        "> {'jsonrpc':'2.0','id':2,'error':{'code':-32603,'message':'The server refused with "
        "an HTTP status (HTTP 502): <html>[31mbad</html>. Try again later, or tell who runs the "
        "server.','data':{'reason':'http_status','status':502}}}",
        "H {'jsonrpc':'2.0','id':3,'method':'x'}",
        "<4 2025-06-18 {'jsonrpc':'2.0','id':3,'method':'x'}", "S4 [1,2]",
        "> {'jsonrpc':'2.0','id':3,'error':{'code':-32603,'message':'The server`s answer cannot be "
        "used. Check the URL, or tell who runs the server.','data':{'reason':'malformed'}}}");
}

#define NEW_REQUEST(id, method, more)                                                              \
    "{'jsonrpc':'2.0','id':" id ",'method':'" method "','params':{" more "'_meta':{" TALK_NEW_META \
    "}}}"
#define DISCOVER NEW_REQUEST("'warder-1'", "server/discover", "")
#define DISCOVERED                                                                                 \
    "{'jsonrpc':'2.0','id':'warder-1','result':{'resultType':'complete','supportedVersions':["     \
    "'2026-07-28'],'capabilities':{}}}"
#define OPEN_STATELESS                                                                             \
    "H " NEW_REQUEST("1", "tools/list", ""), "<1? 2026-07-28 " DISCOVER, "S1 " DISCOVERED,         \
        "<2 2026-07-28 " NEW_REQUEST("1", "tools/list", "")

static void stateless_goes_through_untouched(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_STATELESS,
                "S2 {'jsonrpc':'2.0','id':1,'result':{'tools':[{'name':'t','x': 1}]}}",
                "> {'jsonrpc':'2.0','id':1,'result':{'tools':[{'name':'t','x': 1}]}}",
                "H " NEW_REQUEST("2", "tools/call", "'name':'t',"),
                "<3 2026-07-28 " NEW_REQUEST("2", "tools/call", "'name':'t',"),
                "S3 {'jsonrpc':'2.0','id':2,'result':{'resultType':'input_required'}}",
                "> {'jsonrpc':'2.0','id':2,'result':{'resultType':'input_required'}}");
}

static void discovery_is_asked_once(void **state)
{
    (void)state;
    TALK_SCRIPT("H " NEW_REQUEST("5", "server/discover", ""), "<1? 2026-07-28 " DISCOVER,
                "S1 " DISCOVERED,
                "> {'jsonrpc':'2.0','id':5,'result':{'resultType':'complete','supportedVersions':["
                "'2026-07-28'],'capabilities':{}}}",
                "H " NEW_REQUEST("6", "server/discover", ""),
                "<2 2026-07-28 " NEW_REQUEST("6", "server/discover", ""));
}

static void cancelled_in_the_stateless_era_ends_the_stream(void **state)
{
    (void)state;
    TALK_SCRIPT(OPEN_STATELESS,
                "H {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':1}}",
                "x2");
}

static void another_revision_is_refused_with_a_list(void **state)
{
    (void)state;
    TALK_SCRIPT("H {'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'_meta':{"
                "'io.modelcontextprotocol/protocolVersion':'2099-01-01'}}}",
                "> {'jsonrpc':'2.0','id':1,'error':{'code':-32022,'message':'Unsupported protocol "
                "version.','data':{'supported':['2026-07-28'],'requested':'2099-01-01'}}}",
                OPEN_STATELESS);
}

static void arguments_are_repeated_and_wrong_tools_left_out(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN_STATELESS,
        "S2 {'jsonrpc':'2.0','id':1,'result':{'tools':[{'name':'good','inputSchema':{'type':"
        "'object','properties':{'r':{'type':'string','x-mcp-header':'Region'}}}},{'name':'bad',"
        "'inputSchema':{'type':'object','properties':{'r':{'type':'string','x-mcp-header':'a "
        "b'}}}}],'ttlMs':0}}",
        "> {'jsonrpc':'2.0','id':1,'result':{'ttlMs':0,'tools':[{'name':'good','inputSchema':{"
        "'type':'object','properties':{'r':{'type':'string','x-mcp-header':'Region'}}}}]}}",
        "H " NEW_REQUEST("2", "tools/call", "'name':'good','arguments':{'r':'eu'},"),
        "<3 2026-07-28 " NEW_REQUEST("2", "tools/call", "'name':'good','arguments':{'r':'eu'},"),
        "=3 Region");
}

static void a_tool_that_was_never_listed_is_looked_up(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN_STATELESS,
        "H " NEW_REQUEST("2", "tools/call", "'name':'good','arguments':{'r':'eu'},"),
        "<3 2026-07-28 " NEW_REQUEST("2", "tools/call", "'name':'good','arguments':{'r':'eu'},"),
        "S3 {'jsonrpc':'2.0','id':2,'error':{'code':-32020,'message':'header'}}",
        "<4 2026-07-28 " NEW_REQUEST("'warder-4'", "tools/list", ""),
        "S4 {'jsonrpc':'2.0','id':'warder-4','result':{'nextCursor':'n','tools':[]}}",
        "<5 2026-07-28 " NEW_REQUEST("'warder-5'", "tools/list", "'cursor':'n',"),
        "S5 {'jsonrpc':'2.0','id':'warder-5','result':{'tools':[{'name':'good','inputSchema':{"
        "'type':'object','properties':{'r':{'type':'string','x-mcp-header':'Region'}}}}]}}",
        "<6 2026-07-28 " NEW_REQUEST("2", "tools/call", "'name':'good','arguments':{'r':'eu'},"),
        "=6 Region",
        /* once */
        "S6 {'jsonrpc':'2.0','id':2,'error':{'code':-32020,'message':'header'}}",
        "> {'jsonrpc':'2.0','id':2,'error':{'code':-32020,'message':'header'}}");
}

static void a_subscription_outlives_a_restart(void **state)
{
    (void)state;
    TALK_SCRIPT(
        OPEN_STATELESS, "H " NEW_REQUEST("9", "subscriptions/listen", "'notifications':{},"),
        "<3 2026-07-28 " NEW_REQUEST("9", "subscriptions/listen", "'notifications':{},"),
        "S3 {'jsonrpc':'2.0','method':'notifications/subscriptions/acknowledged','params':{}}",
        "> {'jsonrpc':'2.0','method':'notifications/subscriptions/acknowledged','params':{}}",
        "F3 broken", "T 200",
        "<4 2026-07-28 " NEW_REQUEST("9", "subscriptions/listen", "'notifications':{},"),
        "F4 unreachable", "T 400",
        "<5 2026-07-28 " NEW_REQUEST("9", "subscriptions/listen", "'notifications':{},"),
        "S5 {'jsonrpc':'2.0','method':'notifications/subscriptions/acknowledged','params':{}}",
        "S5 {'jsonrpc':'2.0','method':'notifications/tools/list_changed'}",
        "> {'jsonrpc':'2.0','method':'notifications/tools/list_changed'}");
}

static void lines_that_are_no_messages(void **state)
{
    (void)state;
    TALK_SCRIPT(
        "H nonsense",
        "> {'jsonrpc':'2.0','error':{'code':-32700,'message':'The body is not JSON.'}}", "H []",
        "> {'jsonrpc':'2.0','error':{'code':-32600,'message':'Batches are not supported: send "
        "one message.'}}",
        "H {'jsonrpc':'2.0','id':7,'method':''}",
        "> {'jsonrpc':'2.0','id':7,'error':{'code':-32600,'message':'The member method must "
        "be a string of 1 to 128 bytes.'}}",
        "H {'jsonrpc':'2.0','id':7}",
        "> {'jsonrpc':'2.0','error':{'code':-32600,'message':'A response holds an id and "
        "either result or error.'}}",
        "L",
        "> {'jsonrpc':'2.0','error':{'code':-32600,'message':'The message is too large or too "
        "deep.'}}",
        "H {'jsonrpc':'2.0','id':7,'method':'tools/list'}",
        "> {'jsonrpc':'2.0','id':7,'error':{'code':-32600,'message':'Send initialize "
        "first.'}}",
        "H {'jsonrpc':'2.0','id':8,'method':'ping'}", "> {'jsonrpc':'2.0','id':8,'result':{}}",
        OPEN_HANDSHAKE, "H {'jsonrpc':'2.0','id':1,'method':'x'}",
        "<2 2025-06-18 {'jsonrpc':'2.0','id':1,'method':'x'}",
        "H {'jsonrpc':'2.0','id':1,'method':'x'}",
        "> {'jsonrpc':'2.0','id':1,'error':{'code':-32600,'message':'A request with this id "
        "is under way.'}}",
        "H " TALK_INITIALIZE,
        "> {'jsonrpc':'2.0','id':0,'error':{'code':-32600,'message':'This connection is "
        "initialized.'}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_goes_through_untouched),
        cmocka_unit_test(a_message_is_one_line),
        cmocka_unit_test(an_error_without_id_gets_that_of_its_request),
        cmocka_unit_test(what_the_server_asks_goes_to_the_host_and_back),
        cmocka_unit_test(a_host_that_does_not_wait),
        cmocka_unit_test(cancelled_in_the_handshake_era),
        cmocka_unit_test(the_host_goes),
        cmocka_unit_test(a_lost_session_is_made_anew),
        cmocka_unit_test(a_session_that_is_lost_twice_is_an_error),
        cmocka_unit_test(a_session_that_cannot_be_made_anew_is_tried_by_the_next_request),
        cmocka_unit_test(the_standing_stream_tells_of_a_lost_session),
        cmocka_unit_test(unreachable_for_a_while),
        cmocka_unit_test(unreachable_by_what_no_time_mends),
        cmocka_unit_test(unreachable_for_long),
        cmocka_unit_test(broken_is_asked_anew_only_where_it_changes_nothing),
        cmocka_unit_test(too_many_requests),
        cmocka_unit_test(too_many_questions),
        cmocka_unit_test(failures_are_errors_with_a_reason),
        cmocka_unit_test(stateless_goes_through_untouched),
        cmocka_unit_test(discovery_is_asked_once),
        cmocka_unit_test(cancelled_in_the_stateless_era_ends_the_stream),
        cmocka_unit_test(another_revision_is_refused_with_a_list),
        cmocka_unit_test(arguments_are_repeated_and_wrong_tools_left_out),
        cmocka_unit_test(a_tool_that_was_never_listed_is_looked_up),
        cmocka_unit_test(a_subscription_outlives_a_restart),
        cmocka_unit_test(lines_that_are_no_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
