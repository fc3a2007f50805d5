/* A server without a transport, for tests: its tables, a caller, and whatever comes out of it on
 * the test's own thread. Messages come in as lines of a standard stream do, in either era. */
#ifndef MCP_SERVER_TEST_WORLD_H
#define MCP_SERVER_TEST_WORLD_H

#include "mcp_server/server_state.h"

#include <pthread.h>

enum { TEST_POSTS = 256, TEST_EVENTS = 64, TEST_MESSAGES = 32 };

typedef struct {
    arena_t *a;
    clock_fake_t clock;
    random_fake_t random;
    warder_mcp_t *m;
    mcp_world_ports_t ports;
    mcp_caller_t who;       /* of the next message: alice, who may read news, until it is changed */
    mcp_session_t *session; /* of the next message; begun in 2025-11-25 */
    bool has_fields;        /* of the next message */
    mcp_fields_t fields;
    unsigned id;    /* of the last request */
    size_t room;    /* that the next call has left in its arena; 0: all of it */
    str_t declared; /* clientCapabilities of the stateless era */
    /* what was posted to the test's thread */
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } posts[TEST_POSTS];
    size_t first, n;
    /* what was written down */
    char reasons[TEST_EVENTS][64];
    size_t events;
    /* what the last call said before its answer, parsed */
    const json_t *messages[TEST_MESSAGES];
    size_t message_count;
    atomic_bool go_on; /* the tool "waits" is done when it is set */
} server_world_t;

/** The tables of test_config, started, with a session that has begun. */
int server_world_setup(void **state);
int server_world_teardown(void **state);
#define SERVER_TEST(name)                                                                          \
    cmocka_unit_test_setup_teardown(name, server_world_setup, server_world_teardown)

/** Tools: add (a and b, schema), secret (scope news:read), hidden (scope admin), waits (until
 * go_on), job (TASK), job_only (TASK_ONLY), repeats (argument `region` as Mcp-Param-Region), asks
 * (elicits). Resources: test://static, test://hidden (scope admin), template test://items/{id}
 * (completes). Prompts: greet (argument name is required, style is not; completes), plain. */
warder_mcp_config_t test_config(void);

/** What came of one message. */
typedef struct {
    mcp_verdict_t verdict;
    int status;
    const json_t *root; /* of the answer; NULL: none */
    mcp_error_t error;  /* of a message that could not be read */
} test_answer_t;

/** Hands in one message and, where it runs, waits for its answer. */
test_answer_t test_line(server_world_t *w, str_t line);
/** A request; `params` is a JSON object, which gets the _meta of the era. */
test_answer_t test_ask(server_world_t *w, mcp_era_t era, const char *method, const char *params);
#define H(w, method, params) test_ask(w, MCP_ERA_HANDSHAKE, method, params)
#define S(w, method, params) test_ask(w, MCP_ERA_STATELESS, method, params)
/** What a path leads to in an answer. */
const json_t *test_at(const test_answer_t *answer, const char *path);
str_t test_text(const test_answer_t *answer, const char *path);
int64_t test_code(const test_answer_t *answer);

/** A running call whose answer is not waited for. */
typedef struct {
    warder_mcp_call_t *call;
    mcp_outbox_t *outbox;
    mcp_reader_t *reader;
    mcp_verdict_t verdict;
} test_running_t;
/** As test_ask, but comes back at once. */
test_running_t test_begin(server_world_t *w, mcp_era_t era, const char *method, const char *params);
/** The next message of it, parsed; waits for one. NULL: the stream ended without an answer. */
const json_t *test_next(server_world_t *w, test_running_t *r);
/** Whether nothing has come. */
bool test_is_quiet(server_world_t *w, test_running_t *r);
void test_end(test_running_t *r);
/** A reader of the session's own stream. */
test_running_t test_general(server_world_t *w);

/** The reason of the event that was written last; "" before the first. */
const char *test_last_reason(const server_world_t *w);

#define assert_str(left, right)                                                                    \
    do {                                                                                           \
        str_t left_ = (left);                                                                      \
        if (!str_eq(left_, STR(right)))                                                            \
            fail_msg("\"%" PRIstr "\" is not \"%s\"", STR_ARG(left_), right);                      \
    } while (0)

#endif
