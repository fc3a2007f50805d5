/* An authorization server on loopback that publishes the metadata and keys of rs_test_world.h. */
#ifndef RS_RS_TEST_ISSUER_H
#define RS_RS_TEST_ISSUER_H

#include "http/server.h"
#include "rs/rs_test_world.h"

typedef struct {
    char url[64];
    str_t metadata, keys; /* what it answers; a test may put others in their place */
    http_route_t routes[2];
    http_app_t app;
    http_server_t *http;
} test_issuer_t;

/** Texts live in `a`. */
void test_issuer_start(test_issuer_t *i, const world_t *w, arena_t *a);
void test_issuer_stop(test_issuer_t *i);

#endif
