/* Signing in at an OpenID provider of the settings (OpenID Connect Core section 3.1, with PKCE and
 * RFC 9207). Facts in, verdict out; the shell (as/login_upstream.c) fetches.
 *
 *   identity_upstream_begin    the person pressed the button: where to send them, and a cookie
 *   identity_upstream_open     they are back: is it the answer to what this browser began?
 *   identity_upstream_answer   does the provider say a code, and is it this provider?
 *   identity_upstream_id_token who is it? After the shell has redeemed the code
 *   identity_upstream_account  the account here; made at the first time
 *
 * What the provider gave is dropped then: who may do what here, this server alone says. */
#ifndef IDENTITY_UPSTREAM_H
#define IDENTITY_UPSTREAM_H

#include "core/form.h"
#include "core/json.h"
#include "core/ports.h"
#include "model/effect.h"

/* UPSTREAM(NAME, "reason in the audit trail", "what the audit trail says") */
#define IDENTITY_UPSTREAM_TABLE(UPSTREAM)                                                          \
    UPSTREAM(FINE, "signed_in_elsewhere", "the provider vouches for the person")                   \
    UPSTREAM(STATE_MISSING, "login_state_missing", "this browser has begun no such sign-in")       \
    UPSTREAM(STATE_WRONG, "login_state_wrong", "the answer is to another sign-in")                 \
    UPSTREAM(STATE_EXPIRED, "login_state_expired", "the sign-in was begun too long ago")           \
    UPSTREAM(STATE_USED, "login_state_used", "the answer was used before")                         \
    UPSTREAM(ANSWER_ISSUER, "login_answer_issuer", "the answer is not from the provider")          \
    UPSTREAM(PROVIDER_ERROR, "login_provider_error", "the provider said no")                       \
    UPSTREAM(CODE_MISSING, "login_code_missing", "the answer has no code, or two")                 \
    UPSTREAM(UNAVAILABLE, "login_provider_unavailable", "the provider cannot be reached")          \
    UPSTREAM(EXCHANGE, "login_exchange_refused", "the provider did not take its code")             \
    UPSTREAM(ID_TOKEN_MISSING, "login_id_token_missing", "no ID token came for the code")          \
    UPSTREAM(ID_TOKEN_MALFORMED, "login_id_token_malformed", "the ID token is none")               \
    UPSTREAM(ID_TOKEN_KEY, "login_id_token_key", "no published key is that of the ID token")       \
    UPSTREAM(ID_TOKEN_SIGNATURE, "login_id_token_signature", "the ID token was changed")           \
    UPSTREAM(ID_TOKEN_ISSUER, "login_id_token_issuer", "the ID token is of another issuer")        \
    UPSTREAM(ID_TOKEN_AUDIENCE, "login_id_token_audience", "the ID token is for somebody else")    \
    UPSTREAM(ID_TOKEN_PARTY, "login_id_token_party", "the ID token was issued to somebody else")   \
    UPSTREAM(ID_TOKEN_TIME, "login_id_token_time", "the ID token is over, or of the future")       \
    UPSTREAM(ID_TOKEN_NONCE, "login_id_token_nonce", "the ID token is of another sign-in")         \
    UPSTREAM(ID_TOKEN_SUBJECT, "login_id_token_subject", "the ID token names nobody")              \
    UPSTREAM(NOT_AGAIN, "login_not_again", "the person was to sign in anew, and did not")          \
    UPSTREAM(NOT_ALLOWED, "login_not_allowed", "login_allowed does not let the person in")         \
    UPSTREAM(USER_DISABLED, "login_user_disabled", "the account is disabled")

typedef enum {
#define UPSTREAM(name, reason, about) IDENTITY_UPSTREAM_##name,
    IDENTITY_UPSTREAM_TABLE(UPSTREAM)
#undef UPSTREAM
        IDENTITY_UPSTREAM_COUNT
} identity_upstream_verdict_t;

/** The name of the verdict in the audit trail; static. */
str_t identity_upstream_reason(identity_upstream_verdict_t verdict);
/** One sentence for the audit trail; static. */
str_t identity_upstream_about(identity_upstream_verdict_t verdict);

/** Settings login_*; borrowed. */
typedef struct {
    str_t issuer; /* unset: nobody signs in elsewhere */
    str_t client_id;
    str_t secret; /* hidden; unset: a public client */
    str_t scopes; /* space-separated, with openid */
    str_t redirect_uri;
    str_list_t allowed; /* see identity_upstream_is_allowed */
    str_t groups_claim; /* which claim names a person's groups; empty: none does */
} identity_upstream_t;

/** What the provider says of itself (OpenID Connect Discovery section 3). */
typedef struct {
    str_t issuer, authorization_endpoint, token_endpoint, jwks_uri;
    bool says_issuer; /* with each answer (RFC 9207 section 3) */
    bool takes_basic; /* HTTP Basic for the secret; else it goes into the form */
} identity_upstream_provider_t;

/** Where that is said: the issuer and a well-known path. RC_MEMORY. */
rc_t identity_upstream_metadata_url(arena_t *a, str_t issuer, str_t *out) MUST_USE;
/** Reads what stands at `url`. RC_MALFORMED: no such document, or one of another issuer than its
 *  place says (section 4.3); endpoints that are neither https nor http on loopback. */
rc_t identity_upstream_provider(arena_t *a, str_t url, str_t json,
                                identity_upstream_provider_t *out) MUST_USE;

enum { IDENTITY_UPSTREAM_S = 600 }; /* so long a person may take elsewhere */

/** A sign-in under way: what the browser's cookie holds, sealed. */
typedef struct {
    str_t interaction; /* the handle of what waits here; unset: nothing */
    bool again;        /* the person must sign in anew, though signed in there */
    int64_t begun_at;  /* seconds */
    str_t state, nonce, verifier;
} identity_upstream_pending_t;

/** Where the person goes, and the value of the cookie IDENTITY_COOKIE_UPSTREAM. */
typedef struct {
    str_t url, cookie;
} identity_upstream_begun_t;

/** Begins: `pending` has its first three members, the rest is made here. `key` seals the cookie
 *  (SEAL_KEY_BYTES). RC_MEMORY, RC_LIMIT, or what the random port answers. */
rc_t identity_upstream_begin(arena_t *a, const random_port_t *random, const identity_upstream_t *u,
                             const identity_upstream_provider_t *p, str_t key,
                             identity_upstream_pending_t *pending,
                             identity_upstream_begun_t *out) MUST_USE;

/** Whether the cookie (unset: none) and the answer's state belong together: FINE and *out, or
 *  STATE_*. Nothing is asked of anybody before that. */
identity_upstream_verdict_t identity_upstream_open(arena_t *a, const identity_upstream_t *u,
                                                   str_t key, str_t cookie, const form_t *answer,
                                                   int64_t now, identity_upstream_pending_t *out);
/** What is remembered for as long as the cookie could come again (EFFECT_SPEND). */
spent_t identity_upstream_spent(const identity_upstream_pending_t *pending);
/** FINE and the code, or ANSWER_ISSUER, PROVIDER_ERROR (*detail is its word, for the audit),
 *  CODE_MISSING. */
identity_upstream_verdict_t identity_upstream_answer(const identity_upstream_provider_t *p,
                                                     const form_t *answer, str_t *code,
                                                     str_t *detail);

/** The request that redeems the code: a form, and the Authorization header (unset: none). Both are
 *  secrets. RC_MEMORY, RC_LIMIT. */
rc_t identity_upstream_exchange(arena_t *a, const identity_upstream_t *u,
                                const identity_upstream_provider_t *p,
                                const identity_upstream_pending_t *pending, str_t code, str_t *form,
                                str_t *authorization) MUST_USE;

/** Who signed in there. */
typedef struct {
    str_t subject;
    str_t name;        /* what to call them here; unset: nothing fits. For display alone */
    str_t acr;         /* how; unset: unknown */
    int64_t auth_time; /* when, seconds; 0: not said */
    bool says_groups;  /* the provider decides on the groups, also that there are none */
    str_list_t groups;
} identity_upstream_person_t;

/** What the code was exchanged for, and what it is judged by. */
typedef struct {
    const identity_upstream_t *settings;
    const identity_upstream_pending_t *pending;
    str_t body;  /* of the token endpoint's 200 */
    str_t jwks;  /* the provider's key set, as JSON */
    int64_t now; /* seconds */
} identity_upstream_tokens_t;

/** Verifies the ID token (OpenID Connect Core section 3.1.3.7): *verdict is FINE, and *out who it
 *  is, or ID_TOKEN_*, NOT_AGAIN, NOT_ALLOWED. RC_MEMORY. */
rc_t identity_upstream_id_token(arena_t *a, const identity_upstream_tokens_t *tokens,
                                identity_upstream_person_t *out,
                                identity_upstream_verdict_t *verdict) MUST_USE;

/** What is known of the account. */
typedef struct {
    const identity_upstream_person_t *person;
    str_t issuer;           /* who says so */
    str_t id;               /* that the person has here, by issuer and subject */
    const user_t *user;     /* of that id; NULL: the first time */
    const user_t *namesake; /* who has person->name already; NULL: nobody */
    int64_t now;            /* seconds */
} identity_upstream_account_t;

/** *verdict is FINE, and *out the account, which EFFECT_USER_INSERT makes where it is new: without
 *  a password, and never one that was there before, whatever name or mail address says; or
 *  USER_DISABLED. Groups that the provider names and that have changed become those of the account
 *  (EFFECT_USER_SET_GROUPS). RC_MEMORY, RC_LIMIT. */
rc_t identity_upstream_account(arena_t *a, const identity_upstream_account_t *facts,
                               effects_t *effects, const user_t **out,
                               identity_upstream_verdict_t *verdict) MUST_USE;

#endif
