/* What a bridge says next: a machine that is handed what its two sides and its clock brought, and
 * yields what goes out. Each side speaks its own era (mcp/version.h): where both speak the same,
 * messages go through as they came; where they differ, they are translated. Pure but for its own
 * memory; one thread.
 *
 *   host's first message   tried with the server              refused there
 *   initialize             initialize                         server/discover, and translate
 *   states a revision      server/discover                    initialize, and translate
 */
#ifndef BRIDGE_TALK_H
#define BRIDGE_TALK_H

#include "core/log.h"
#include "core/ports.h"
#include "mcp_client/link.h"

enum {
    TALK_ARENA_BYTES = 192 << 20
}; /* of one step: a message of 8 MiB, its tree, its translation */

typedef struct talk talk_t;

typedef struct {
    str_t name, version; /* of the bridge, where it speaks for itself; must outlive the machine */
    random_port_t random;
    const log_t *log;
} talk_config_t;

/** RC_MEMORY. */
rc_t talk_new(const talk_config_t *config, talk_t **out) MUST_USE;
/** NULL is fine. */
void talk_free(talk_t *t);

typedef enum {
    TALK_LINE,     /* `text`: a line of the host */
    TALK_TOO_LONG, /* the host sent a line that is too long; `text`: the id of its request, or unset
                    */
    TALK_MESSAGE, /* `text`: a message of the server, on the stream of `tag` or the standing one (0)
                   */
    TALK_FAILED,  /* `failure`: the request `tag` ends without an answer */
    TALK_UNHEARD, /* `failure`: the standing stream ended for good */
    TALK_TIME,    /* what was due may be */
    TALK_END,     /* the host has gone */
} talk_fact_kind_t;

/** Everything is borrowed for the step. */
typedef struct {
    talk_fact_kind_t kind;
    int64_t now_ms; /* of a clock that never goes back */
    str_t text;
    uint64_t tag;
    mcp_link_failure_t failure;
} talk_fact_t;

typedef enum {
    TALK_SAY,    /* `line` to the host, without its end */
    TALK_SEND,   /* `message` on the link; where that fails, TALK_FAILED is due for its tag */
    TALK_CANCEL, /* mcp_link_cancel(tag) */
    TALK_LISTEN, /* mcp_link_listen(version) */
} talk_effect_kind_t;

typedef struct talk_effect {
    talk_effect_kind_t kind;
    str_t line;
    mcp_link_message_t message;
    uint64_t tag;
    const mcp_version_t *version;
    struct talk_effect *next;
} talk_effect_t;

/** What one fact makes: effects in their order, in `a`, borrowing the fact and the machine until
 * its next step. RC_MEMORY, RC_IO (no randomness). */
rc_t talk_step(talk_t *t, arena_t *a, const talk_fact_t *fact, const talk_effect_t **out) MUST_USE;
/** When TALK_TIME is due; -1: at no time. */
int64_t talk_due_ms(const talk_t *t);
/** Requests of the host that wait for an answer, but for those that stand (subscriptions/listen).
 */
size_t talk_waiting(const talk_t *t);

#endif
