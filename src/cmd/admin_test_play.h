/* A data folder on which tests run the administrative commands, each in a process of its own. */
#ifndef CMD_ADMIN_TEST_PLAY_H
#define CMD_ADMIN_TEST_PLAY_H

#include "cmd/cmd_test_run.h"
#include "cmd/once.h"
#include "store/store.h"

#define PASSWORD "a passphrase nobody else has"

typedef struct {
    char folder[64];
    ran_t ran;
    arena_t *a;
    /* the store beside the commands, as a running server holds it */
    once_t once;
    store_t *store;
    store_conn_t *conn;
} admin_play_t;

/** Setup and teardown of a cmocka test whose state is a play. */
int admin_play_setup(void **state);
int admin_play_teardown(void **state);

/** Runs `line` with the data folder (see test_command); fails unless it ends with `code`. A failure
 *  prints one line, and nothing on standard output. */
void admin_play_input(admin_play_t *p, const char *line, str_t input, int code);
void admin_play_run(admin_play_t *p, const char *line);
void admin_play_refused(admin_play_t *p, const char *line, int code, const char *says);
/** Adds an account with PASSWORD. */
void admin_play_user(admin_play_t *p, const char *name);
/** The audit trail as text; static until the next call. */
const char *admin_play_trail(admin_play_t *p);
size_t admin_play_trail_lines(admin_play_t *p);
/** Opens the store beside the commands, as a running server has it. */
void admin_play_store(admin_play_t *p);
void admin_play_ask(admin_play_t *p, ask_t *question);

#define PLAY_TEST(fn) cmocka_unit_test_setup_teardown(fn, admin_play_setup, admin_play_teardown)

#endif
