/* A server whose every function does what the test says, for tests of the life of calls. */
#ifndef MCP_SERVER_LIFE_TEST_WORLD_H
#define MCP_SERVER_LIFE_TEST_WORLD_H

#include "core/core_test_util.h"
#include "mcp_server/loop_test_util.h"
#include "mcp_server/server_state.h"

enum { LIFE_EVENTS = 512 };

typedef struct life_world life_world_t;
struct life_world {
    arena_t *a;
    clock_fake_t clock;
    random_fake_t random;
    warder_mcp_t *m;
    warder_mcp_run_t script; /* what every function does; its ctx is the world */
    atomic_uint runs;
    void *note; /* for the script */
    mcp_caller_t who;
    mcp_session_t *session; /* of the next message; NULL: none */
    str_t declared;         /* capabilities of the stateless era */
    str_t meta;             /* members of _meta beside them, as ,"key":value; both eras */
    unsigned id;            /* of the last request */
    test_loop_t loop;
    /* the trail */
    pthread_mutex_t lock;
    enum { TRAIL_GOOD, TRAIL_BROKEN, TRAIL_HELD } trail;
    char reasons[LIFE_EVENTS][64];
    audit_event_t last; /* its slices are the call's */
    size_t events;
    void (*held)(void *arg, bool durable);
    void *held_arg;
};

/** Tools: t, quick (QUICK), job (TASK); resource test://r; prompt p. Alice asks, in a session of
 *  2025-11-25 that can do everything. */
int life_world_setup(void **state);
int life_world_teardown(void **state);
#define LIFE_TEST(name) cmocka_unit_test_setup_teardown(name, life_world_setup, life_world_teardown)

/** One request and what it left. */
typedef struct {
    life_world_t *w;
    warder_mcp_call_t *call;
    mcp_outbox_t *outbox;
    mcp_reader_t *reader;
    mcp_verdict_t verdict;
    mcp_out_t out;
    const json_t *json; /* of what was taken last */
    str_t id;
} asked_t;

/** tools/call of `name`; `more`: members of params beside name and arguments, as ,"key":value. */
asked_t life_call(life_world_t *w, mcp_era_t era, const char *name, const char *more);
asked_t life_ask(life_world_t *w, mcp_era_t era, const char *method, const char *params);
/** A message that is no request, or is answered at once. */
mcp_verdict_t life_tell(life_world_t *w, const char *line);
/** The next that comes out, waited for; false: the stream ended without an answer. */
bool life_next(asked_t *q);
/** Whether nothing is there. */
bool life_is_quiet(asked_t *q);
/** What a path of it leads to; unset: no string. */
str_t life_text(const asked_t *q, const char *path);
int64_t life_int(const asked_t *q, const char *path);
void life_end_ask(asked_t *q);
/** The reason of the last event, once n were written. */
const char *life_reason(life_world_t *w, size_t n);
/** Waits until the call is in that state. */
void life_until(asked_t *q, mcp_call_state_t state);

#define HAND                     MCP_ERA_HANDSHAKE
#define LESS                     MCP_ERA_STATELESS
#define assert_text(left, right) assert_str((left), STR(right))

#endif
