/* The way of a checked request, step by step. */
#ifndef OAUTH_OAUTH_TEST_WAY_H
#define OAUTH_OAUTH_TEST_WAY_H

#include "oauth/oauth_test_world.h"

#include "oauth/authorize.h"

typedef struct {
    world_t w;
    authz_request_t request;
    consent_t consent;
    interaction_t interaction;
    oauth_authorize_facts_t facts;
    oauth_authorize_verdict_t out;
} way_t;

/** The world's person, signed in, comes with a good request, and nothing is approved yet. */
void way_begin(way_t *p);
/** Decides. */
void way_next(way_t *p);
/** Goes on with the interaction that the last verdict made. */
void way_go_on(way_t *p);
/** Nobody is signed in. */
void way_of_nobody(way_t *p);
/** Signs in: each time in a session of its own. */
void way_of_somebody(way_t *p, int64_t auth_time);

#endif
