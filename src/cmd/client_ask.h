/* What a server asks of the person at the terminal in the midst of a call (MCP, Elicitation). */
#ifndef CMD_CLIENT_ASK_H
#define CMD_CLIENT_ASK_H

#include "core/json.h"
#include "http/agent.h"

/** Asks on standard error and reads standard input. elicitation/create in form mode: each property
 * on a line, its default where the line is empty; in URL mode: the whole URL, which is opened only
 * after a yes, and only within `reach`, that of the server: a public one asks for no page of this
 * machine. False: it is no such question, or the terminal is gone. */
bool client_ask(arena_t *a, http_reach_t reach, str_t method, const json_t *params, str_t *result);

#endif
