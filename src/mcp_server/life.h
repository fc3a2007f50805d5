/* What life.c, run.c and end.c have in common. Private to them. */
#ifndef MCP_SERVER_LIFE_H
#define MCP_SERVER_LIFE_H

#include "mcp_server/server_state.h"

/** Takes a step; *from is the state before. False: the event means nothing there. */
bool life_step(warder_mcp_call_t *call, mcp_call_event_t event, mcp_call_state_t *from);
/** The same with the lock of the server held. */
bool life_step_locked(warder_mcp_call_t *call, mcp_call_event_t event);
/** Out of the lists of server and session, its references dropped: no more than its answer is left.
 */
void life_leave(warder_mcp_call_t *call, mcp_outbox_t **outbox);
/** The last of a life: drops its own reference. */
void life_over(warder_mcp_call_t *call);

/* run.c */
/** The first run of one that has just become ACTIVE. */
mcp_error_t life_run_first(warder_mcp_call_t *call);

/** Runs the function once more, on a thread of the pool. RC_BUSY. */
rc_t life_run(warder_mcp_call_t *call) MUST_USE;
/** The function has returned, or the thread it handed its call to is done. */
void life_returned(warder_mcp_call_t *call, warder_mcp_next_t next);
/** The same where nothing is to follow. */
void life_return(warder_mcp_call_t *call, warder_mcp_next_t next);

/* wait.c */
/** The questions go out, and the call waits for the answers. */
void life_wait(warder_mcp_call_t *call);

/* end.c */
/** In ENDING: the answer is made, written down, and put out. `next`: what the function said last.
 */
void life_end(warder_mcp_call_t *call, warder_mcp_next_t next);
/** Ends one that its transport refuses: nothing is written or put out. */
void life_refuse(warder_mcp_call_t *call);

#endif
