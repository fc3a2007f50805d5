/* Where a client looks, in the order that the specification gives: a machine of steps. It is handed
 * what each step brought, and says what to GET next. Pure.
 *
 *   RESOURCE  the challenge's URL alone; without one path insertion, then root   (MCP 2025-11-25,
 *             "Protected Resource Metadata Discovery Requirements": the well-known places are for
 *             where the challenge names none, so that nothing is looked for where it named one)
 *   SERVER    for the chosen issuer: RFC 8414 and OpenID Connect, path insertion and appending
 *             ("Authorization Server Metadata Discovery")
 *   LEGACY    no resource metadata at all, and none named: RFC 8414 at the origin of the MCP URL,
 *             then its default endpoints (2025-03-26). Never after a failure of TLS, network or
 *             issuer. Its issuer is the origin, with or without a slash behind it: servers of that
 *             time wrote both.
 */
#ifndef CLIENT_DISCOVERY_H
#define CLIENT_DISCOVERY_H

#include "client/resource_metadata.h"
#include "client/server_metadata.h"
#include "http/agent.h"

enum { CLIENT_PLACES_MAX = 4 };

/** Places to look at, in order, in the arena: of a resource (RFC 9728 section 3.1: a query stays at
 *  the end, and only the slash directly behind the host is dropped), and of an issuer (RFC 8414
 *  section 3.1, OpenID Connect Discovery section 4.1: its last slash is dropped). RC_MALFORMED: no
 *  http(s) URL, an issuer with a query or fragment; RC_MEMORY. */
rc_t client_resource_places(arena_t *a, str_t url, str_list_t *out) MUST_USE;
rc_t client_server_places(arena_t *a, str_t issuer, str_list_t *out) MUST_USE;

typedef struct {
    str_t url;      /* the MCP endpoint as it was typed */
    str_t metadata; /* resource_metadata of the challenge; unset: none */
    str_t issuer;   /* set: choose this one, where the resource names it; else the first */
    client_strictness_t strict;
    bool plain_ok;      /* client_url_check */
    http_reach_t reach; /* what the person allows; what `url` itself allows is added */
    bool no_fallback;   /* 2025-03-26 is not looked for */
} client_discovery_want_t;

typedef enum {
    CLIENT_LOOK,   /* GET *url, and tell client_discovery_took */
    CLIENT_FOUND,  /* resource (unless legacy) and server are there */
    CLIENT_FAILED, /* failure says why */
} client_discovery_step_t;

typedef enum { CLIENT_PHASE_RESOURCE, CLIENT_PHASE_SERVER, CLIENT_PHASE_LEGACY } client_phase_t;

/** All in the arena it was begun with; read-only for others. */
typedef struct {
    client_discovery_want_t want;
    arena_t *a;
    client_phase_t phase;
    str_list_t places; /* of this phase */
    size_t at;         /* the one that is asked now */
    bool has_resource;
    client_resource_metadata_t resource;
    str_t issuer; /* the chosen one, which state is kept by; legacy: the origin of the MCP URL */
    client_server_metadata_t server;
    str_t resource_place, server_place; /* where they were found; unset: not */
    bool legacy, guessed;               /* no resource metadata; endpoints of client_server_guess */
    bool troubled; /* a place of this phase answered with an error of the server's own */
    str_t seen;    /* what the places of this phase said that had nothing: "URL: 404; URL: …" */
    client_failure_t failure;
} client_discovery_t;

/** RC_MEMORY. Begins at RESOURCE. A URL that may not be used is a failure, told by _next. */
rc_t client_discovery_begin(arena_t *a, const client_discovery_want_t *want,
                            client_discovery_t *out) MUST_USE;
client_discovery_step_t client_discovery_next(client_discovery_t *d, str_t *url);
/** What the GET of _next brought.
 *   not found: 4xx but 429, 502, a redirect, 200 that begins no JSON object or has another content
 *   type than JSON. The next place.
 *   429 and other 5xx: a failure; for an issuer, whose places are all about it, the next place.
 *   no connection, bad TLS, more than the limits allow: a failure.
 *   a document that is there and wrong (broken, another issuer or resource): a failure, never a
 *   reason to look on.
 *  Nothing is kept of `answer`. Where nothing was asked it does nothing. RC_MEMORY. */
rc_t client_discovery_took(client_discovery_t *d, const http_answer_t *answer) MUST_USE;

#endif
