/* The parts of the machine of talk.h. Private to the room. */
#ifndef BRIDGE_TALK_STATE_H
#define BRIDGE_TALK_STATE_H

#include "bridge/talk.h"
#include "core/json.h"
#include "core/limits.h"

#define TALK_META_VERSION      STR("io.modelcontextprotocol/protocolVersion")
#define TALK_META_INFO         STR("io.modelcontextprotocol/clientInfo")
#define TALK_META_CAPABILITIES STR("io.modelcontextprotocol/clientCapabilities")
#define TALK_META_LEVEL        STR("io.modelcontextprotocol/logLevel")
#define TALK_META_SUBSCRIPTION STR("io.modelcontextprotocol/subscriptionId")
#define TALK_META_SERVER       STR("io.modelcontextprotocol/serverInfo")

typedef struct talk_call talk_call_t;

/** One step: where it works, and what it has yielded. */
typedef struct {
    talk_t *t;
    arena_t *a;
    int64_t now_ms;
    talk_effect_t *first, **last;
} talk_step_t;

typedef rc_t (*talk_do_t)(talk_step_t *s, const mcp_message_t *m);

/** A method of hosts. NULL in a column: the request goes on, translated. */
typedef struct {
    str_t name;
    talk_do_t up;   /* from a handshake host to a stateless server */
    talk_do_t down; /* from a stateless host to a handshake server */
    bool reads;     /* changes nothing: may be sent again though it may have arrived */
    bool asks;      /* its answer may ask for input (2026-07-28, MRTR, "Supported Requests") */
    bool caches;    /* its result says how long it is good (2026-07-28, Caching) */
    bool stands;    /* its stream stays open */
} talk_method_t;

typedef enum {
    TALK_CALL_HOST,       /* of the host; the others are the bridge's own */
    TALK_CALL_INITIALIZE, /* opens, or opens again */
    TALK_CALL_DISCOVER,   /* opens */
    TALK_CALL_LISTEN,     /* up: what changes; with `uri` a resource, whose `id` waits */
    TALK_CALL_TOOLS,      /* reads what arguments a tool wants repeated; `behind` waits for it */
    TALK_CALL_OWN,        /* nobody waits for its answer */
} talk_call_kind_t;

/** A request that waits. Strings are owned. */
struct talk_call {
    talk_call_t *next;
    talk_call_kind_t kind;
    const talk_method_t *method;  /* NULL: one that the table does not know */
    const mcp_version_t *version; /* same: the one that it states */
    str_t line;                   /* what the host sent, or what goes out */
    str_t id;                     /* raw; the host waits under it. Unset: it does not, now */
    uint64_t tag;                 /* on the link; 0: it is not there */
    bool held;                    /* until the server is open */
    bool fresh;                   /* held before anybody looked at it */
    int64_t again_ms;             /* when to send it again; -1 */
    int64_t failing_ms;           /* since when it fails; -1 */
    int64_t pause_ms;             /* before the next time */
    unsigned rounds;              /* of input */
    bool sent_anew, renewed, relisted, acked;
    talk_call_t *behind;
    str_t uri;
    str_t
        state; /* up: requestState, raw; down: our own, while the host has not come back with it */
    int64_t until_ms; /* down: how long we wait for that; -1 */
    str_t level;      /* down: from which on the host wants log messages of it; unset: none */
    str_t token;      /* down: the progress token that the host came back with, raw */
    str_t answer;     /* down: what came while the host was away */
};

/** A request of the server to the host. Strings are owned. */
typedef struct talk_ask {
    struct talk_ask *next;
    talk_call_t *call; /* on whose behalf; NULL: same, which does not know */
    str_t id;  /* raw. same: the server's; up: ours; down: the server's, unset: it has none */
    str_t key; /* up and down: in inputRequests */
    str_t method;
    str_t params; /* down: raw, or unset */
    str_t result; /* up: raw, once it is there */
    bool told;    /* the host knows of it */
} talk_ask_t;

/** A resource that a handshake server tells changes of. */
typedef struct talk_watched {
    struct talk_watched *next;
    str_t uri; /* owned */
} talk_watched_t;

/** How two eras meet. */
typedef struct {
    talk_do_t request, notification, response; /* of the host */
    /** Puts a call of the host on its way, again and again. */
    rc_t (*send)(talk_step_t *s, talk_call_t *c);
    rc_t (*answer)(talk_step_t *s, talk_call_t *c, const mcp_message_t *m);
    /** A request or a notification of the server; c is NULL on the standing stream. */
    rc_t (*asked)(talk_step_t *s, talk_call_t *c, const mcp_message_t *m);
    rc_t (*heard)(talk_step_t *s, talk_call_t *c, const mcp_message_t *m);
    /** The host no longer wants it; `m` is its notification, whole or empty. */
    rc_t (*cancel)(talk_step_t *s, talk_call_t *c, const mcp_message_t *m);
    /** The server has forgotten what it asked. */
    rc_t (*forget)(talk_step_t *s);
} talk_pair_t;

typedef enum {
    TALK_FRESH,   /* nobody has said anything */
    TALK_OPENING, /* the server's era is being found out */
    TALK_OPEN,
    TALK_RENEWING, /* the session was lost */
    TALK_PHASES
} talk_phase_t;

typedef struct talk_tools talk_tools_t;

struct talk {
    talk_config_t config;
    talk_phase_t phase;
    bool ready;             /* the host has said notifications/initialized before it could go on */
    bool lost;              /* open, but without a session: the next request makes one */
    mcp_era_t host, server; /* once they are known */
    const mcp_version_t *version; /* of the server, as negotiated */
    const talk_pair_t *pair;      /* once open */
    talk_call_t *calls;
    size_t n_calls, n_asks, n_watched;
    size_t kept; /* bytes of what waits */
    talk_ask_t *asks;
    talk_watched_t *watched;
    uint64_t last_tag;
    str_t params;      /* of initialize, raw: to open with, and again */
    str_t meta;        /* up: what is put into every request's _meta, an object */
    str_t refusal;     /* the answer to the first way of opening, as an error's members, raw */
    str_t server_says; /* the result of initialize, raw; up: what we made of it */
    str_t level;       /* raw JSON string: the host's log level */
    talk_tools_t *tools;
};

#endif
