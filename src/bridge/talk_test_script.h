/* A conversation as a script: what comes in, and exactly what goes out of each. A quotation mark is
 * written as an apostrophe, an apostrophe as a grave accent.
 *
 *   "H json"         the host says                  "> json"          the host hears
 *   "S7 json"        the server says, on tag 7      "<7 VERSION json" goes to the server, under tag
 * 7 "F7 END 404 why" tag 7 fails                    "<7? - json"      the same as a probe, of no
 * version "U END"          the standing stream ends       "x7"              tag 7 is cancelled "T
 * 500"          time passes                    "l VERSION"       the standing stream is opened "E"
 * the host goes                  "=7 Header"       an argument that is repeated "L"              a
 * line that is too long
 */
#ifndef BRIDGE_TALK_TEST_SCRIPT_H
#define BRIDGE_TALK_TEST_SCRIPT_H

#include "bridge/talk.h"
#include "core/core_test_util.h"

#define TALK_NEW_META                                                                              \
    "'io.modelcontextprotocol/protocolVersion':'2026-07-28',"                                      \
    "'io.modelcontextprotocol/clientInfo':{'name':'host','version':'1'},"                          \
    "'io.modelcontextprotocol/clientCapabilities':{'elicitation':{},'roots':{}}"
#define TALK_INITIALIZE                                                                            \
    "{'jsonrpc':'2.0','id':0,'method':'initialize','params':{'protocolVersion':'2025-06-18',"      \
    "'capabilities':{'elicitation':{},'roots':{}},'clientInfo':{'name':'host','version':'1'}}}"
#define TALK_INITIALIZED "{'jsonrpc':'2.0','method':'notifications/initialized'}"

/** Runs the script, which ends with NULL, on a machine of its own. */
void talk_script(const char *const *lines);
/** What comes in of a script, with an arena of `budget` bytes a step, as far as it goes. */
rc_t talk_script_within(const char *const *lines, size_t budget);
#define TALK_SCRIPT(...) talk_script((const char *const[]){__VA_ARGS__, NULL})

#endif
