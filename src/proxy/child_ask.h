/* What a request becomes for a child: everything that is needed of it, copied, so that it can go to
 * another thread. Pure. */
#ifndef PROXY_CHILD_ASK_H
#define PROXY_CHILD_ASK_H

#include "proxy/child_splice.h"
#include "proxy/upstream.h"

/** Lives in the arena it was read into. Slices that are said to be of the text are parts of it. */
typedef struct {
    http_method_t http;      /* POST, GET or DELETE */
    mcp_message_kind_t kind; /* of a POST, as the following */
    bool stateless;
    str_t text;      /* the message */
    str_t id;        /* of the text; raw; unset for notifications */
    str_t token;     /* of the text: params._meta.progressToken, raw; unset: none */
    str_t cancelled; /* of the text: params.requestId of notifications/cancelled, raw */
    str_t key;       /* of a response: the id as child_id_key spells it */
    str_t method;    /* unset for responses */
    str_t uri;       /* of resources/subscribe and resources/unsubscribe; else unset */
    str_t asked;     /* of initialize: params.protocolVersion; else unset */
    str_t version;   /* the revision that is spoken; static */
    str_t session, last_event;
    str_t who; /* issuer, subject and client, in a form that no other three have */
} child_ask_t;

/** RC_LIMIT: a progress token or request id longer than MCP_ID_BYTES; RC_MALFORMED: the message is
 *  not of the body; RC_MEMORY. */
rc_t child_ask_read(arena_t *a, const upstream_request_t *request, child_ask_t *out) MUST_USE;
/** The one spelling of an id that is raw JSON: "i5", "sabc". Unset: it is none, or no memory. */
str_t child_id_key(arena_t *a, str_t raw);
/** The revision of the stateless era. */
#define CHILD_STATELESS STR("2026-07-28")

#endif
