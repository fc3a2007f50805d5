/* A settings file with policies, for the tests of the policy commands. */
#ifndef CMD_POLICY_TEST_PLAY_H
#define CMD_POLICY_TEST_PLAY_H

#include "cmd/admin_test_play.h"
#include "cmd/command.h"

/** Writes the file "warder.yaml" with two policies and one upstream at /mcp. */
void policy_play_file(admin_play_t *p);
/** Runs "policy WORDS --config FILE"; it must end with `code`. */
void policy_play(admin_play_t *p, const char *words, int code);
/** The same, and what it prints. */
void policy_play_prints(admin_play_t *p, const char *words, const char *out);
void policy_play_refused(admin_play_t *p, const char *words, int code, const char *says);

#endif
