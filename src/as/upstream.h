/* The provider of setting login_issuer: as the decisions read it, and how it is posted to. */
#ifndef AS_UPSTREAM_H
#define AS_UPSTREAM_H

#include "as/flow.h"
#include "identity/upstream.h"

/** What the button calls it; unset: there is none. Borrowed from the settings. */
str_t as_upstream_name(const as_t *as);
/** The settings, with the redirect URI of this issuer. RC_NOT_FOUND: there is none; RC_MEMORY. */
rc_t as_upstream_settings(as_flow_t *f, identity_upstream_t *out) MUST_USE;

/** One post to the provider, on the pool of fetches. Lives in the flow's arena; the caller fills
 *  `request`. */
typedef struct {
    http_fetch_request_t request;
    http_fetch_result_t response; /* in an arena of its own, which ends with the flow's */
    rc_t rc;                      /* of the fetch, as http_fetch_port_t */
    arena_t *a;
    http_fetch_port_t fetch; /* a copy: the job may outlive its worker */
    as_flow_t *flow;
    as_step_t done;
} as_upstream_post_t;

/** Sends it; then `done` runs on the worker's loop. RC_MEMORY; RC_BUSY: too many fetches wait. */
rc_t as_upstream_send(as_flow_t *f, as_upstream_post_t *post, as_step_t done) MUST_USE;

#endif
