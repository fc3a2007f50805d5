/* What is known of authorization servers that go ways of their own (providers.def). Pure. */
#ifndef PROXY_PROVIDER_H
#define PROXY_PROVIDER_H

#include "core/json.h"
#include "warder/rs.h"

typedef struct {
    str_t id, name;
    warder_rs_dialect_t dialect;
    str_t groups, roles; /* paths of claims; empty: the usual ones */
    bool usable;         /* false: its tokens cannot be checked */
    str_t note, source;
} provider_t;

/** The table; *n rows. Static. */
const provider_t *providers(size_t *n);
/** NULL: none is called so. */
const provider_t *provider_find(str_t id);
/** The claims with `groups` and `roles` where policies look for them: `claims` itself, or a copy of
 *  its head in `a`. NULL without memory. */
const json_t *provider_claims(arena_t *a, const provider_t *p, const json_t *claims);
/** docs/PROVIDERS.md. RC_MEMORY, RC_LIMIT. */
rc_t provider_document(arena_t *a, str_t *out) MUST_USE;

#endif
