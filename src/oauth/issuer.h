/* Who is trusted to sign assertions (RFC 7523 section 3), as the settings have it: identity
 * providers of other domains, platforms of workloads, and those who vouch for software. */
#ifndef OAUTH_ISSUER_H
#define OAUTH_ISSUER_H

#include "core/arena.h"
#include "jose/alg.h"
#include "model/records.h"

/* What an issuer is trusted for, as bits: trust in one is none in the others. */
enum {
    OAUTH_ISSUER_ID_JAG = 1u << 0,             /* people of an identity provider */
    OAUTH_ISSUER_WORKLOAD = 1u << 1,           /* programs of a platform */
    OAUTH_ISSUER_SOFTWARE_STATEMENT = 1u << 2, /* RFC 7591 section 2.3 */
};

/** A claim that must be `value`, or begin with it. */
typedef struct {
    str_t name, value;
    bool prefix;
} oauth_rule_claim_t;

/** Which workload may do what. */
typedef struct {
    str_t client_id; /* what its tokens say: "workload:" and the name of the rule, which no other
                      * client can have */
    const oauth_rule_claim_t *claims; /* all must fit */
    size_t n_claims;
    str_list_t resources; /* canonical identifiers */
    str_t scope;          /* space-separated; unset: none */
} oauth_rule_t;

typedef struct {
    str_t issuer;         /* the `iss`, byte for byte */
    str_t jwks_uri;       /* unset: see jwks, or else the issuer's metadata */
    str_t jwks;           /* its keys as JSON text; unset: fetched */
    uint32_t uses;        /* OAUTH_ISSUER_* */
    uint32_t algs;        /* bits 1u << alg_t; 0: all there are */
    str_t tenant_claim;   /* names the tenant; unset: there are none. Of ID-JAGs, as all below */
    str_list_t tenants;   /* empty: all */
    str_list_t resources; /* canonical identifiers, at most these; empty: all */
    str_t scope;          /* at most this; unset: all */
    bool reuse;           /* tokens of workloads may come again while they last */
    const oauth_rule_t *rules; /* of workloads, in the order in which they are tried */
    size_t n_rules;
} oauth_issuer_t;

typedef struct {
    const oauth_issuer_t *v;
    size_t n;
} oauth_issuers_t;

/** The issuer of exactly this name that is trusted for `use` (any bit of it), or NULL. */
const oauth_issuer_t *oauth_issuer_find(const oauth_issuers_t *issuers, str_t name, uint32_t use);
/** Whether any is trusted for `use`. */
bool oauth_issuer_any(const oauth_issuers_t *issuers, uint32_t use);
/** Whether it may sign with `alg`. */
bool oauth_issuer_takes(const oauth_issuer_t *issuer, alg_t alg);

/** Where its metadata are (OpenID Connect Discovery section 4). RC_MEMORY, RC_LIMIT. */
rc_t oauth_issuer_metadata_url(arena_t *a, str_t issuer, str_t *out) MUST_USE;
/** Reads them: who says to be their issuer, and where its keys are; unset when they do not say. In
 *  the arena, borrowing `body`. RC_MEMORY. */
rc_t oauth_issuer_metadata_read(arena_t *a, str_t body, str_t *issuer, str_t *jwks_uri) MUST_USE;

#endif
