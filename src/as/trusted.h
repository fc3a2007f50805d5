/* The trusted issuers of the settings file, as the decisions read them. Pure. */
#ifndef AS_TRUSTED_H
#define AS_TRUSTED_H

#include "conf/conf.h"
#include "oauth/issuer.h"

/** All of them, in the arena; they borrow from conf. RC_MEMORY, RC_LIMIT. */
rc_t as_trusted_issuers(arena_t *a, const conf_t *conf, oauth_issuers_t *out) MUST_USE;

#endif
