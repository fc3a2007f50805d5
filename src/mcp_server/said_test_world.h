/* A call without a server around it, for tests of what functions read and say. */
#ifndef MCP_SERVER_SAID_TEST_WORLD_H
#define MCP_SERVER_SAID_TEST_WORLD_H

#include "mcp_server/call.h"
#include "mcp_server/server_state.h"

typedef struct {
    warder_mcp_t m;
    mcp_entry_t entry;
    warder_mcp_call_t call;
    log_t log;
    char logged[2048]; /* all lines, one behind the other */
} said_world_t;

/** A call of the tool "t" by alice, in 2025-11-25, with nothing said. */
int said_world_setup(void **state);
int said_world_teardown(void **state);
/** Its arguments from now on. */
void said_world_arguments(said_world_t *w, const char *json);
/** From now on it reads the resource or gets the prompt `name`; nothing is said. */
void said_world_becomes(said_world_t *w, mcp_kind_t kind, const char *name);
/** The elements of content, as they were said. */
str_t said_world_content(said_world_t *w);

#define SAID_TEST(fn) cmocka_unit_test_setup_teardown(fn, said_world_setup, said_world_teardown)
#define assert_text(left, right)                                                                   \
    do {                                                                                           \
        str_t left_ = (left), right_ = STR(right);                                                 \
        if (!str_eq(left_, right_))                                                                \
            fail_msg("%" PRIstr " is not %" PRIstr, STR_ARG(left_), STR_ARG(right_));              \
    } while (0)

#endif
