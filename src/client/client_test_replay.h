/* Whole discoveries, answered from a table of places. */
#ifndef CLIENT_CLIENT_TEST_REPLAY_H
#define CLIENT_CLIENT_TEST_REPLAY_H

#include "core/core_test_util.h"

#include "client/discovery.h"

/* A protected server, its authorization server, and the well-known places. */
#define H  "https://h.example"
#define A  "https://a.example"
#define RM "/.well-known/oauth-protected-resource"
#define AS "/.well-known/oauth-authorization-server"
#define OC "/.well-known/openid-configuration"

#define RESOURCE(resource, issuer)                                                                 \
    "{\"resource\":\"" resource "\",\"authorization_servers\":[\"" issuer "\"]}"
#define SERVER(issuer)                                                                             \
    "{\"issuer\":\"" issuer "\",\"authorization_endpoint\":\"" A "/authorize\","                   \
    "\"token_endpoint\":\"" A "/token\",\"response_types_supported\":[\"code\"],"                  \
    "\"code_challenge_methods_supported\":[\"S256\"]}"

/** What is at a place; a place that is in no row answers 404. */
typedef struct {
    const char *place;
    int status;
    const char *type; /* NULL: application/json; "": no Content-Type */
    const char *body;
    http_agent_end_t end;
} replay_row_t;

enum { REPLAY_ROWS = 6 };

typedef struct {
    client_discovery_t d;
    str_t asked; /* all places, in order, each with a line end behind it */
    size_t steps;
} replay_t;

/** Drives a discovery to its end; fails the test where it takes more than any may. */
void replay(arena_t *a, const client_discovery_want_t *want, const replay_row_t rows[REPLAY_ROWS],
            replay_t *out);

#endif
