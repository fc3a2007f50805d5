/* The machine when memory ends: each of its own allocations fails once, and each step has too
 * little room. What is under test is compiled here, with an allocator that fails on demand. */
#include "bridge/talk_test_script.h"

#include <stdlib.h>

static int allocations; /* so far */
static int fails_at;    /* the number of the one that fails; 0: none */

static bool fails(void)
{
    return ++allocations == fails_at;
}

static void *failing_malloc(size_t n)
{
    return fails() ? NULL : malloc(n);
}

static void *failing_calloc(size_t n, size_t size)
{
    return fails() ? NULL : calloc(n, size);
}

#define malloc(n)       failing_malloc(n)
#define calloc(n, size) failing_calloc(n, size)
#include "bridge/talk.c"
#include "bridge/talk_calls.c"
#include "bridge/talk_tools.c"
#undef malloc
#undef calloc

enum { ENOUGH_BYTES = 1 << 20, LEAST_BYTES = 256, MOST_BYTES = 128 << 10 };

#define NEW(id, method, more)                                                                      \
    "H {'jsonrpc':'2.0','id':" id ",'method':'" method "','params':{" more                         \
    "'_meta':{" TALK_NEW_META "}}}"

static const char *const SAME[] = {
    "H " TALK_INITIALIZE,
    "S1 {'jsonrpc':'2.0','id':0,'result':{'protocolVersion':'2025-11-25','capabilities':{'tools':{"
    "'listChanged':true}}}}",
    "H " TALK_INITIALIZED,
    "H {'jsonrpc':'2.0','id':1,'method':'resources/subscribe','params':{'uri':'a:b'}}",
    "S2 {'jsonrpc':'2.0','id':1,'result':{}}",
    "S0 {'jsonrpc':'2.0','id':'q','method':'roots/list'}",
    "H {'jsonrpc':'2.0','id':2,'method':'tools/call'}",
    "F3 lost 404",
    "S4 {'jsonrpc':'2.0','id':'warder-4','result':{'protocolVersion':'2025-11-25'}}",
    "F6 http 500 broken",
    "H {'jsonrpc':'2.0','id':3,'method':'tools/list'}",
    "F7 unreachable 0 refused",
    "T 300",
    "E",
    NULL,
};
static const char *const STATELESS[] = {
    NEW("1", "tools/list", ""),
    "S1 {'jsonrpc':'2.0','id':'warder-1','result':{'supportedVersions':['2026-07-28']}}",
    "S2 {'jsonrpc':'2.0','id':1,'result':{'tools':[{'name':'good','inputSchema':{'type':'object',"
    "'properties':{'r':{'type':'string','x-mcp-header':'Region'}}}},{'name':'bad','inputSchema':{"
    "'type':'object','properties':{'r':{'type':'string','x-mcp-header':''}}}}]}}",
    NEW("2", "tools/call", "'name':'good',"),
    "S3 {'jsonrpc':'2.0','id':2,'error':{'code':-32020,'message':'header'}}",
    "S4 {'jsonrpc':'2.0','id':'warder-4','result':{'tools':[]}}",
    "E",
    NULL,
};
static const char *const UP[] = {
    "H " TALK_INITIALIZE,
    "F1 http 404",
    "S2 {'jsonrpc':'2.0','id':'warder-2','result':{'supportedVersions':['2026-07-28'],"
    "'capabilities':{'tools':{'listChanged':true}}}}",
    "H " TALK_INITIALIZED,
    "H {'jsonrpc':'2.0','id':1,'method':'logging/setLevel','params':{'level':'info'}}",
    "H {'jsonrpc':'2.0','id':1,'method':'resources/subscribe','params':{'uri':'a:b'}}",
    "H {'jsonrpc':'2.0','id':2,'method':'tools/call','params':{'name':'t'}}",
    "S5 {'jsonrpc':'2.0','id':'warder-5','result':{'resultType':'input_required','inputRequests':{"
    "'a':{'method':'roots/list'}},'requestState':'s'}}",
    "H {'jsonrpc':'2.0','id':'warder-6','result':{'roots':[]}}",
    "S7 {'jsonrpc':'2.0','id':'warder-7','result':{'content':[]}}",
    "E",
    NULL,
};
static const char *const DOWN[] = {
    NEW("0", "tools/call", "'name':'t',"),
    "F1 http 400",
    "S2 {'jsonrpc':'2.0','id':'warder-2','result':{'protocolVersion':'2025-11-25','capabilities':{"
    "'resources':{'subscribe':true}}}}",
    "S3 {'jsonrpc':'2.0','id':7,'method':'roots/list'}",
    NEW("1", "tools/call",
        "'name':'t','requestState':'000102030405060708090a0b0c0d0e0f','inputResponses':{'ask-4':{"
        "'roots':[]}},"),
    "S3 {'jsonrpc':'2.0','id':'warder-3','result':{'content':[]}}",
    NEW("2", "subscriptions/listen", "'notifications':{'resourceSubscriptions':['a:b']},"),
    "S0 {'jsonrpc':'2.0','method':'notifications/resources/updated','params':{'uri':'a:b'}}",
    "H {'jsonrpc':'2.0','method':'notifications/cancelled','params':{'requestId':2}}",
    "E",
    NULL,
};
static const char *const *const SCRIPTS[] = {SAME, STATELESS, UP, DOWN};

static void each_allocation_fails_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(SCRIPTS); i++) {
        int ended = 0;
        fails_at = 0;
        do {
            allocations = 0;
            fails_at++;
            rc_t rc = talk_script_within(SCRIPTS[i], ENOUGH_BYTES);
            assert_true(rc == RC_MEMORY || rc == RC_OK);
            ended += rc == RC_MEMORY;
        } while (allocations >= fails_at);
        assert_true(ended > 8);
    }
    fails_at = 0;
}

static void each_step_has_too_little_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(SCRIPTS); i++) {
        int ended = 0;
        for (size_t bytes = LEAST_BYTES; bytes < MOST_BYTES; bytes += bytes / 16 + 16) {
            rc_t rc = talk_script_within(SCRIPTS[i], bytes);
            assert_true(rc == RC_MEMORY || rc == RC_OK);
            ended += rc == RC_MEMORY;
        }
        assert_true(ended > 8);
        assert_int_equal(talk_script_within(SCRIPTS[i], ENOUGH_BYTES), RC_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(each_step_has_too_little_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
