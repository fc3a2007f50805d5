/* The provider of setting login_issuer, as the decisions read it. */
#ifndef AS_UPSTREAM_H
#define AS_UPSTREAM_H

#include "as/flow.h"
#include "identity/upstream.h"

/** What the button calls it; unset: there is none. Borrowed from the settings. */
str_t as_upstream_name(const as_t *as);
/** The settings, with the redirect URI of this issuer. RC_NOT_FOUND: there is none; RC_MEMORY. */
rc_t as_upstream_settings(as_flow_t *f, identity_upstream_t *out) MUST_USE;

#endif
