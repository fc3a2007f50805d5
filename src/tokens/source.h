/* How a client comes by access tokens for one MCP server, keeps them, and loses them: discovery,
 * registration, sign-in, refresh and step-up, each by the pure rules of src/client. Everything
 * blocks; any thread, and threads that need the same wait for one that gets it. Of several
 * processes one refreshes, the others take what it kept. */
#ifndef TOKENS_SOURCE_H
#define TOKENS_SOURCE_H

#include "client/scopes.h"
#include "client/registration.h"
#include "core/log.h"
#include "core/ports.h"
#include "http/agent.h"
#include "tokens/keep.h"

typedef struct tokens_source tokens_source_t;

typedef enum {
    TOKENS_PERSON,     /* authorization code with PKCE, in a browser */
    TOKENS_DEVICE,     /* RFC 8628: on another machine */
    TOKENS_MACHINE,    /* client credentials */
    TOKENS_WORKLOAD,   /* RFC 7523 with an assertion of the platform */
    TOKENS_ENTERPRISE, /* MCP enterprise-managed authorization: ID token, ID-JAG, token */
    TOKENS_GIVEN,      /* a token that the person gave: never refreshed, never kept */
    TOKENS_NONE,       /* never gets one */
} tokens_way_t;

/** The person, where there is one. All on the thread that called; each may be NULL. */
typedef struct {
    /** Open this page, or print it; checked already. False: nobody can be asked. It may take until
     *  the answer is there: that is waited for on a thread of its own meanwhile. */
    bool (*open)(void *ctx, str_t url);
    /** Show this code, and where to type it (RFC 8628 section 3.3). */
    bool (*code)(void *ctx, str_t user_code, str_t uri, str_t uri_complete);
    /** What goes on, a short plain sentence: "Registering at https://…". */
    void (*says)(void *ctx, str_t sentence);
    void *ctx;
} tokens_person_t;

/** For TOKENS_ENTERPRISE: the person's identity provider. */
typedef struct {
    str_t issuer;         /* whose metadata names the token endpoint, or */
    str_t token_endpoint; /* this */
    str_t client_id;
    secret_t client_secret;
    str_t id_token; /* of it */
} tokens_provider_t;

/** Everything is copied but `key` and what ports point at, which must outlive the source. */
typedef struct {
    str_t url; /* of the MCP endpoint, as it was typed */
    tokens_way_t way;
    client_credentials_t
        who;          /* given by the person: pre-registered. Empty: what registration gives */
    str_t who_issuer; /* the issuer that it is for; unset: the first that is met, and kept */
    str_t document;   /* URL of the client's metadata document; unset: none */
    client_registration_want_t registration;
    str_t scope;          /* of the person; unset: as the server says */
    str_t issuer;         /* this authorization server and no other; unset: the first */
    str_t assertion;      /* of TOKENS_WORKLOAD, or */
    str_t assertion_file; /* the file that holds it, read anew each time */
    tokens_provider_t provider;
    str_t given; /* of TOKENS_GIVEN */
    bool dpop;   /* bind tokens to a key, where the server can */
    client_strictness_t strict;
    bool plain_ok;
    bool no_fallback;
    http_reach_t reach;
    uint16_t callback_port; /* 0: the system chooses */
    int64_t sign_in_ms;     /* how long a person may take [300000] */
    tokens_person_t person;
    http_ask_port_t http;
    tokens_keep_t keep;
    clock_port_t clock;
    random_port_t random;
    const log_t *log; /* NULL: silence */
} tokens_config_t;

rc_t tokens_source_new(const tokens_config_t *config, tokens_source_t **out) MUST_USE;
/** NULL is fine. After tokens_source_stop, once nobody waits in a call. */
void tokens_source_free(tokens_source_t *s);
/** Calls that wait end soon with CLIENT_STOPPED. Any thread; a second time does nothing. */
void tokens_source_stop(tokens_source_t *s);

/** What goes along with one request to the MCP endpoint. In the caller's arena; secrets. */
typedef struct {
    str_t authorization; /* unset: no token is there yet */
    str_t dpop;          /* a fresh proof; unset: none is due */
    uint64_t generation; /* of the token: for tokens_source_refused */
} tokens_headers_t;

/** For a request with `method` to `url` of the endpoint's origin, unset: the endpoint itself. Takes
 * what is kept; a token that has ended, or ends within 30 s, is refreshed first where that goes
 * without a person. Never asks a person. None goes to a URL that client_url_check refuses, as http
 * is outside of this machine. RC_MEMORY; failures to refresh leave the header unset, as the
 * server's 401 then tells what to do.
 */
rc_t tokens_source_headers(tokens_source_t *s, arena_t *a, str_t method, str_t url,
                           tokens_headers_t *out) MUST_USE;
/** The same without any wait: RC_BUSY where it takes more than a look at what is held (the keep is
 * to be read, a token to be refreshed, a proof to be signed). */
rc_t tokens_source_headers_now(tokens_source_t *s, arena_t *a, str_t method, str_t url,
                               tokens_headers_t *out) MUST_USE;
/** DPoP-Nonce of any answer of the endpoint (RFC 9449 section 8.2). */
void tokens_source_nonce(tokens_source_t *s, str_t nonce);

/** A 401 or 403 of the endpoint. */
typedef struct {
    int status;
    str_list_t challenges; /* WWW-Authenticate values */
    str_t nonce;           /* DPoP-Nonce; unset: none */
    uint64_t generation;   /* of the headers that were refused; 0: there was no token */
    str_t operation;       /* "tools/call weather": for the bound of step-ups */
} tokens_refusal_t;

typedef enum {
    TOKENS_AGAIN,   /* send it once more, with new headers */
    TOKENS_GIVE_UP, /* *why has the reason */
} tokens_verdict_t;

/** Does what mends it: nothing if somebody did since; a nonce; a refresh; a sign-in, also for more
 *  scope. Bounded: a token that is refused though it is fresh is CLIENT_TOKEN_NOT_TAKEN, a step-up
 *  that brings nothing CLIENT_STEP_UP_LIMIT. After a failure the same answer is given for a while
 *  without asking anybody: one second where the network failed, five where a sign-in did, twice as
 *  long each time; tokens_source_sign_in asks in any case. Pages and codes for a person are bounded
 *  over all that is refused: eight at once, then one in ten minutes. `why` is in `a`. */
tokens_verdict_t tokens_source_refused(tokens_source_t *s, arena_t *a, const tokens_refusal_t *r,
                                       client_failure_t *why);
/** `operation` went well: its bound begins anew. */
void tokens_source_went_well(tokens_source_t *s, str_t operation);

/** Signs in though nothing was refused yet: asks the endpoint without a token (initialize, then
 *  server/discover: what both eras answer with 401), and goes on from its challenge. Done at once
 * where a good token is kept, unless `anew`. TOKENS_AGAIN: a token is there, or none is needed. */
tokens_verdict_t tokens_source_sign_in(tokens_source_t *s, arena_t *a, bool anew,
                                       client_failure_t *why);
/** Forgets the tokens, and revokes them where the server can (RFC 7009); what is kept goes even
 * where the server cannot be reached, which *why then says. False: nothing was kept. */
bool tokens_source_sign_out(tokens_source_t *s, arena_t *a, client_failure_t *why);

/** What is kept, for a person; secrets only in `token`. In `a`. */
typedef struct {
    bool kept;
    str_t url, resource, issuer, client_id, scope, asked;
    int64_t expires_at, since; /* Unix seconds; 0: not known */
    bool dpop, has_refresh;
    secret_t token;
    str_t claims; /* JSON of a JWT's claims, not verified; unset: opaque */
    str_t place;  /* of the keep */
} tokens_state_t;
rc_t tokens_source_state(tokens_source_t *s, arena_t *a, tokens_state_t *out) MUST_USE;

#endif
