/* The token endpoint (RFC 6749 section 3.2).
 *
 *   oauth_client_auth_read   who asks
 *   oauth_token_read         for what: which records the shell asks for, in the same round
 *   oauth_token_decide       tokens, or the refusal; one file a grant: grant_*.c
 *   (the shell signs `claims` as a JWT of type at+jwt; an opaque token is there already)
 *   oauth_token_answer       the body of 200
 *
 * Minted before it is committed: a crash can burn a code, never issue twice. */
#ifndef OAUTH_TOKEN_H
#define OAUTH_TOKEN_H

#include "model/audit_event.h"
#include "model/effect.h"
#include "oauth/bearer.h"
#include "oauth/client_auth.h"
#include "oauth/dpop.h"
#include "oauth/own_token.h"
#include "oauth/settings.h"
#include "core/ports.h"

/** How often one refresh token may be exchanged, counting racing callers in the grace time. */
enum { OAUTH_REFRESH_SIBLINGS_MAX = 16 };

/** What is exchanged (RFC 8693 section 2.1). Unset when absent. */
typedef struct {
    str_t subject_token, subject_token_type;
    str_t actor_token, actor_token_type;
    str_t requested_token_type;
    str_list_t audiences;
} oauth_exchange_request_t;

/** What a token request asks for. Borrows from the form, or lives in the arena. */
typedef struct {
    oauth_reason_t reason; /* refuses once the client is known; OAUTH_FINE: ask for hash */
    uint32_t grant;        /* GRANT_*; 0 with a reason */
    bool has_hash;         /* a code (ASK_CODE), refresh token (ASK_REFRESH) or device code
                            * (ASK_DEVICE) came */
    hash_t hash;
    str_t redirect_uri, code_verifier, scope; /* unset when absent */
    str_list_t resources;
    oauth_exchange_request_t exchange;
    const oauth_bearer_t *bearer; /* jwt-bearer: the assertion, checked (bearer.h); else NULL */
} oauth_token_request_t;

/** Reads the form. RC_MEMORY. */
rc_t oauth_token_read(arena_t *a, const form_t *form, oauth_token_request_t *out) MUST_USE;

typedef struct {
    const oauth_settings_t *settings;
    const random_port_t *random;
    int64_t now; /* seconds */
    const oauth_resources_t *resources;
    const oauth_client_claim_t *claim;
    const oauth_token_request_t *request;
    const client_t *client;    /* of the claim's id; NULL: unknown */
    const code_t *code;        /* authorization_code: of the hash, or NULL */
    const refresh_t *refresh;  /* refresh_token: of the hash, or NULL */
    const device_t *device;    /* device_code: of the hash, or NULL */
    const family_t *family;    /* of code or refresh token; NULL before redemption */
    const user_t *owner;       /* of either, or of the device; NULL: gone. jwt-bearer: of the
                                * subject, NULL: new */
    const oauth_dpop_t *proof; /* NULL: DPoP is off */
    oauth_spent_t seen;
    oauth_own_facts_t subject, actor; /* token-exchange: of the tokens that came */
} oauth_token_facts_t;

/** Lives in the arena or borrows from the facts. Effects may come with a refusal, too: a replayed
 *  code and a reused refresh token revoke their family. */
typedef struct {
    oauth_reason_t reason; /* OAUTH_FINE: sign claims, then oauth_token_answer */
    int status;
    str_t description;       /* of a refusal, where it says more than the reason's; else unset */
    str_t body;              /* of a refusal: JSON */
    str_t www_authenticate;  /* of a refusal; unset: none */
    str_t jkt;               /* the access token is bound to that key; unset: a bearer token */
    str_t claims;            /* JSON of the access token (RFC 9068 section 2.2); unset: see below */
    str_t access_token;      /* an opaque one: there is nothing to sign */
    str_t refresh_token;     /* unset: none */
    str_t issued_token_type; /* of an exchange (RFC 8693 section 2.2.1); else unset */
    str_t scope;             /* granted */
    int64_t expires_in;
    effects_t effects;
    bool quiet; /* leaves no event: a device polls, and nothing has happened */
    audit_event_t event;
} oauth_token_verdict_t;

/** Thumbprint of the key whose possession the request proves; unset: of none. */
str_t oauth_token_jkt(const oauth_token_facts_t *facts);
/** Decides. Fails as the arena and the random port do. */
rc_t oauth_token_decide(arena_t *a, const oauth_token_facts_t *facts,
                        oauth_token_verdict_t *out) MUST_USE;
/** The body of the answer with the signed token (RFC 6749 section 5.1). RC_LIMIT, RC_MEMORY. */
rc_t oauth_token_answer(arena_t *a, const oauth_token_verdict_t *verdict, str_t access_token,
                        str_t *body) MUST_USE;

#endif
