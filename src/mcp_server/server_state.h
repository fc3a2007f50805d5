/* The parts of a server. Private to the room.
 *
 * Locks: m->lock guards the list of calls and their states, and the pointer to the registry.
 * Listeners, tasks, sessions and outboxes have their own, and none of them is held while another
 * room or a function is called. Order: m->lock, tasks, session, listeners, outbox. */
#ifndef MCP_SERVER_SERVER_STATE_H
#define MCP_SERVER_SERVER_STATE_H

#include "http/pool.h"
#include "http/rate.h"
#include "mcp_server/call.h"
#include "mcp_server/listeners.h"
#include "mcp_server/tasks.h"

#include <pthread.h>

struct warder_mcp {
    arena_t *arena; /* of what lives as long as the server */
    warder_mcp_config_t config;
    mcp_world_ports_t world;
    pthread_mutex_t lock;
    const mcp_registry_t *registry; /* counted; replaced whole */
    warder_mcp_call_t *calls;
    bool stopping;
    size_t running; /* calls that have begun and not ended */
    http_pool_t *pool;
    struct mcp_calls *rates;
    mcp_listeners_t *listeners;
    mcp_tasks_t *tasks;
    str_t scopes;
    uint8_t seal[32]; /* key of states (request_state.c) */
};

/** What a method of the protocol does. */
typedef struct {
    str_t name;
    unsigned eras; /* 1 << MCP_ERA_HANDSHAKE | 1 << MCP_ERA_STATELESS */
    mcp_verdict_t (*handle)(warder_mcp_call_t *call, const mcp_incoming_t *in);
} mcp_method_t;
/** The table (methods.c); NULL: no such method in that era. */
const mcp_method_t *mcp_method_find(mcp_era_t era, str_t name);

/* Verdicts, for methods. */
/** `result` holds the members of the result, JSON object; what every result has is put in. Unset:
 *  internal error. */
mcp_verdict_t mcp_answer_result(warder_mcp_call_t *call, str_t result);
mcp_verdict_t mcp_answer_error(warder_mcp_call_t *call, mcp_error_t e, str_t sentence, str_t data);

#endif
