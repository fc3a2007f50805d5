/* Audit trails as files, for the tests of the commands that read them. */
#ifndef CMD_CMD_TEST_TRAIL_H
#define CMD_CMD_TEST_TRAIL_H

#include "cmd/cmd_test_run.h"

#include "audit/chain.h"

enum { TRAIL_BYTES = 65536 };

/** A chain of lines under way. Zero-initialize. */
typedef struct {
    audit_head_t head;
    char text[TRAIL_BYTES];
    size_t n;
} test_trail_t;

/** Appends the line of one event; the time is that of its number in seconds after 2025-11-24. */
void test_trail_add(test_trail_t *t, const audit_event_t *e);
/** Appends `n` lines: allowed tokens of user "ann" and client "c1", denied logins of user "bob" and
 *  client "c2", by turns. */
void test_trail_add_turns(test_trail_t *t, size_t n);
/** The text from line number `from` on, counted from 1. */
const char *test_trail_from(const test_trail_t *t, size_t from);
/** The head as --expect-last wants it; static until the next call. */
const char *test_trail_head(const test_trail_t *t);

#endif
