/* The parts of a server. Private to the room.
 *
 * Locks: m->lock guards the list of calls and their states, and the pointer to the registry.
 * Listeners, tasks, sessions and outboxes have their own, and none of them is held while another
 * room or a function is called. Order: changing, m->lock, tasks, listeners, session, outbox.
 * Shares (shares.h) ask for the lock of the pool alone under theirs, and nobody asks for theirs
 * under another. */
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
    pthread_mutex_t changing;       /* of who makes another registry */
    const mcp_registry_t *registry; /* counted; replaced whole */
    warder_mcp_call_t *calls;
    bool stopping;
    size_t running; /* calls that have begun and not ended */
    http_pool_t *pool;
    struct mcp_calls *rates, *request_rates; /* of functions, and of all else */
    struct mcp_shares *shares;
    mcp_listeners_t *listeners;
    mcp_tasks_t *tasks;
    str_t scopes; /* of all tables there have been; ends in NUL */
    str_t info,
        info_whole;   /* Implementation as results bear it, and as discovery and initialize do */
    uint8_t seal[32]; /* key of states (request_state.c) and cursors (cursor.c) */
};

enum { MCP_WHY_BYTES = 4096 };
/** The sentence for `why` of the public calls, cut where it does not fit. */
void mcp_say_why(char *why, size_t size, str_t sentence);

/** What a method of the protocol does. */
typedef struct {
    str_t name;
    unsigned eras;  /* 1 << MCP_ERA_HANDSHAKE | 1 << MCP_ERA_STATELESS */
    bool early;     /* may come before initialize on a transport that knows the order */
    bool uncounted; /* among requests: it runs a function, which is a call, or costs nothing */
    mcp_verdict_t (*handle)(warder_mcp_call_t *call, const mcp_incoming_t *in);
} mcp_method_t;
/** The table (methods.c); NULL: no such method in that era. */
const mcp_method_t *mcp_method_find(mcp_era_t era, str_t name);

/** What is no request: notifications and responses (handle.c). */
mcp_verdict_t mcp_server_notified(warder_mcp_call_t *call, const mcp_incoming_t *in);

/* Verdicts, for methods (verdict.c). All live in the call's arena. */
/** `result` holds the members of the result, JSON object; what every result has is put in. One that
 *  states its resultType does so in its first member. Unset: internal error. */
mcp_verdict_t mcp_answer_result(warder_mcp_call_t *call, str_t result);
/** `sentence` unset takes the row's; `data` is JSON or unset. */
mcp_verdict_t mcp_answer_error(warder_mcp_call_t *call, mcp_error_t e, str_t sentence, str_t data);
/** With the row's sentence. */
mcp_verdict_t mcp_refuse(warder_mcp_call_t *call, mcp_error_t e);
/** There is no such method in the era, or nothing it would be good for. */
mcp_verdict_t mcp_refuse_method(warder_mcp_call_t *call);
/** The token lacks `needed`. */
mcp_verdict_t mcp_refuse_scope(warder_mcp_call_t *call, str_t needed);
/** The client must declare the extension of tasks for this. */
mcp_verdict_t mcp_refuse_without_tasks(warder_mcp_call_t *call);

/* What methods ask. */
/** Whether who asks may use what needs `scope`; unset: nothing is needed. */
bool mcp_server_grants(const warder_mcp_t *m, const mcp_caller_t *who, str_t scope);
mcp_principal_t mcp_caller_principal(const mcp_caller_t *who);
/** Whether there are rows of that kind; templates are resources. */
bool mcp_call_offers(const warder_mcp_call_t *call, mcp_kind_t kind);
/** ttlMs of lists. */
int64_t mcp_list_fresh_ms(const warder_mcp_t *m);
/** Whether the request's client has tasks: by the extension that it declares with each request of
 * the stateless era (SEP-2663), or, in 2025-11-25, because the server declares them. */
bool mcp_call_has_tasks(const warder_mcp_call_t *call);
/** Whether tasks are declared to a client of that revision of the handshake era: of 2025-11-25, and
 *  some tool may be one. */
bool mcp_call_offers_tasks(const warder_mcp_call_t *call);
/** Whether its client may list them: not where all clients are one principal (2025-11-25, Tasks,
 *  "Task Isolation and Access Control"). */
bool mcp_call_may_list_tasks(const warder_mcp_call_t *call);
/** The capabilities of the server in the era, as a member of what is written. */
void mcp_capabilities_write(const warder_mcp_call_t *call, json_writer_t *w);

/* The methods, by theme. */
mcp_verdict_t mcp_do_initialize(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_ping(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_discover(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_list_tools(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_list_resources(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_list_templates(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_list_prompts(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_call_tool(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_read_resource(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_get_prompt(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_complete(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_set_level(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_subscribe(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_unsubscribe(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_listen(warder_mcp_call_t *call, const mcp_incoming_t *in);
/** The row of the resource that the operation names, for call->entry, with its arguments.
 *  MCP_ERROR_UNKNOWN_RESOURCE, MCP_ERROR_INTERNAL. */
mcp_error_t mcp_call_find_resource(warder_mcp_call_t *call);
/** With the URI, and the code of the era. */
mcp_verdict_t mcp_refuse_resource(warder_mcp_call_t *call);
/** The result of a subscription that the server ends: for mcp_call_result. Unset: memory. */
str_t mcp_listen_result(warder_mcp_call_t *call);
/** Ends a call of subscriptions/listen whose listener was removed: its client is told. */
void mcp_listen_end(warder_mcp_call_t *call);
mcp_verdict_t mcp_do_task_list(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_task_result(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_task_get(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_task_update(warder_mcp_call_t *call, const mcp_incoming_t *in);
mcp_verdict_t mcp_do_task_cancel(warder_mcp_call_t *call, const mcp_incoming_t *in);

#endif
