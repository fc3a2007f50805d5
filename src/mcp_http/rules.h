/* What the transport decides by facts alone: who may come by which door, what a GET means, and what
 * becomes of the next message of a stream. Pure. */
#ifndef MCP_HTTP_RULES_H
#define MCP_HTTP_RULES_H

#include "http/message.h"
#include "mcp/rpc.h"
#include "mcp/version.h"
#include "mcp_server/outbox.h"

enum {
    MCP_QUIET_MS = 5000,      /* a call that says nothing for so long gets its stream: proxies and
                                 clients take silence for an end */
    MCP_RETRY_MS = 500,       /* after which a client comes back whose connection was let go */
    MCP_LAST_WORDS_MS = 2000, /* for the completion of subscriptions once the server drains */
    MCP_EVENT_ID_TEXT = 48,
};

/** Who may speak at all. */
typedef struct {
    str_t own_host; /* of the resource; unset: none */
    str_list_t hosts, origins;
} mcp_place_t;
/** Host and Origin (DNS rebinding): MCP_NO_ERROR, or what is foreign. One that comes twice is, too:
 *  whoever else reads the request may take the other one. */
mcp_error_t mcp_rule_place(http_headers_t headers, const mcp_place_t *place);

/** The head of a POST. Clients must take both JSON and event streams (Transports, "Sending
 *  Messages"); one that takes JSON only is served as far as that goes: *takes_stream is false. */
mcp_error_t mcp_rule_post(http_headers_t headers, unsigned media, bool *takes_stream);

/** Mcp-Session-Id of the handshake era; *id unset: it is absent. */
mcp_error_t mcp_rule_session(http_headers_t headers, str_t *id);

/** What a GET or a DELETE of the handshake era asks. */
typedef enum {
    MCP_BARE_REFUSED,
    MCP_BARE_LISTEN, /* GET: what is no part of a call (stream 0), from what nobody took */
    MCP_BARE_RESUME, /* GET with Last-Event-ID: that stream, from there */
    MCP_BARE_END,    /* DELETE */
} mcp_bare_kind_t;
typedef struct {
    mcp_bare_kind_t kind;
    mcp_error_t error; /* of REFUSED */
    str_t session;
    str_t event; /* of RESUME */
} mcp_bare_t;
mcp_bare_t mcp_rule_bare(http_method_t method, http_headers_t headers);

/** Whether clients of a revision are told to come back while a call goes on, by a first event
 *  without data (2025-11-25 on). NULL: no. */
bool mcp_rule_polls(const mcp_version_t *version);

/** What is known of a stream when its next message comes out. */
typedef struct {
    bool begun;        /* its head is out */
    bool takes_stream; /* the client */
    bool may_let_go;   /* it has ids, and a client that polls */
    bool asks;         /* the message is a request to the client */
} mcp_stream_facts_t;
typedef enum {
    MCP_WAY_JSON,   /* the whole answer, with its own status */
    MCP_WAY_EVENT,  /* an event; the stream begins with it where it has not begun */
    MCP_WAY_DROP,   /* is not said */
    MCP_WAY_REFUSE, /* 406: it cannot go on without a stream */
    MCP_WAY_LET_GO, /* the connection ends, the stream does not */
    MCP_WAY_END,    /* ends without a word */
} mcp_way_t;
mcp_way_t mcp_rule_way(const mcp_stream_facts_t *s, const mcp_out_t *out);

/** What is known of an open exchange once a second. */
typedef struct {
    bool begun, takes_stream;
    bool listens;        /* no call of a function: GET's stream 0, or subscriptions/listen */
    bool ended;          /* its token has expired or was revoked, or its session is gone */
    int64_t silent_ms;   /* since something was sent, or it began to wait */
    int64_t draining_ms; /* since the server drains; -1: it does not */
} mcp_open_facts_t;
typedef enum {
    MCP_OPEN_STAYS,
    MCP_OPEN_BEGINS, /* its stream, with nothing to say yet */
    MCP_OPEN_SPEAKS, /* a comment: it lives */
    MCP_OPEN_ENDS,
} mcp_open_t;
mcp_open_t mcp_rule_open(const mcp_open_facts_t *o);

/** The id of an event: STREAM-NUMBER. */
str_t mcp_event_id(char out[MCP_EVENT_ID_TEXT], uint64_t stream, uint64_t number);

#endif
