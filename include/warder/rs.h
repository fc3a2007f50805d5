/* Protect a service with OAuth 2.1 access tokens, as MCP asks of a server: the 401 that leads
 * clients to the authorization server, the metadata document (RFC 9728), and the checks of each
 * token (RFC 9068, RFC 6750, RFC 8707) and of the key it may be bound to (RFC 9449).
 *
 *     warder_rs_config_t config = {
 *         .resource = "https://mcp.example.com/mcp",
 *         .servers = &(warder_rs_server_t){.issuer = "https://auth.example.com"},
 *         .server_count = 1,
 *         .scopes = "files:read",
 *     };
 *     char why[256];
 *     warder_rs_t *rs = warder_rs_new(&config, why, sizeof why);
 *
 *     const char *value = ...;     // of the Authorization header; none: header_count 0
 *     warder_rs_request_t request = {.headers = &value, .header_count = 1, .scope = "files:read"};
 *     warder_rs_verdict_t *v = warder_rs_check(rs, &request);
 *     if (!v || v->outcome != WARDER_RS_ALLOW)
 *         ...                      // answer v->status, v->www_authenticate, v->body (no v: 503)
 *     else
 *         ...                      // serve v->sub
 *     warder_rs_verdict_free(v);
 *
 * examples/rs_minimal.c is a whole program.
 *
 * Threads: a warder_rs_t may be used by any number of threads at once; create it before they start
 * and free it after they have ended. A verdict belongs to the thread that got it. The library has
 * no global state, starts no threads, and calls the ports on the thread that called it.
 * Strings: NUL-terminated, and borrowed for the length of the call; the config is copied. */
#ifndef WARDER_RS_H
#define WARDER_RS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct warder_rs warder_rs_t;

/** How the access tokens of an authorization server differ from RFC 9068, for providers that came
 *  before it. Only what is named here is taken differently; members are NULL where nothing is. */
typedef struct {
    /** Media types of the header, space-separated, in place of at+jwt; "none": it says none. Needs
     *  `needs`: with another type an ID token must be told by something else. */
    const char *typ;
    /** Claims, space-separated, of which one must be there: "scp roles", "token_use=access". */
    const char *needs;
    /** Claims of which none may be: those of ID tokens are "nonce at_hash c_hash". */
    const char *refuses;
    const char *client_claims; /* in place of client_id; the first that is there counts */
    const char *scope_claim;   /* in place of scope: a text, or a list */
    /** In place of `aud` where a token has none: compared with `audiences` alone. */
    const char *audience_claim;
} warder_rs_dialect_t;

/** An authorization server whose tokens are taken. */
typedef struct {
    const char *issuer;   /* https URL, or http on a loopback host; compared byte for byte */
    const char *jwks_uri; /* NULL: found through the issuer's metadata (RFC 8414) */
    /** The list of access tokens that were revoked, as Warder publishes it. NULL: where the
     *  metadata says, when it is read (jwks_uri NULL) and names one; else none is followed. */
    const char *revocations_uri;
    /** This resource's registration at the server, by HTTP Basic: opaque tokens are asked about
     *  there (RFC 7662), at introspection_uri or where the metadata says. NULL: such tokens are
     *  refused. At most one server may have them; the secret is copied, and wiped at the end. */
    const char *client_id, *client_secret;
    const char *introspection_uri;
    /** What `aud` may be beside the resource, byte for byte: for servers that cannot name it. The
     *  less they say of this resource, the more others' tokens are good here. */
    const char *const *audiences;
    size_t audience_count;              /* at most 8 */
    const warder_rs_dialect_t *dialect; /* NULL: RFC 9068 */
} warder_rs_server_t;

/** What the library needs of the world. */
typedef struct {
    int64_t (*now_ms)(void *ctx);  /* Unix time */
    int64_t (*mono_ms)(void *ctx); /* never goes back */
    /** GETs a document: no redirects, no credentials, certificates checked, bounded time. Writes
     *  at most `cap` bytes; returns their number, or -1 for anything but a whole 200 answer. */
    int64_t (*fetch)(void *ctx, const char *url, char *body, size_t cap);
    void *ctx;
    /** POSTs a form under an Authorization header; otherwise as fetch. Only for introspection. */
    int64_t (*post)(void *ctx, const char *url, const char *authorization, const char *form,
                    char *body, size_t cap);
} warder_rs_ports_t;

/** Tokens bound to a key of their client (RFC 9449): who has only the token has nothing. A bound
 *  token is never taken as a bearer token, whatever is chosen here. */
typedef enum {
    WARDER_RS_DPOP_OFF,      /* bound tokens are refused */
    WARDER_RS_DPOP_OPTIONAL, /* bound ones with their proof, and bearer tokens */
    WARDER_RS_DPOP_REQUIRED, /* bound ones only */
} warder_rs_dpop_t;

/** Zero takes the default of a number. */
typedef struct {
    /** Identifier (RFC 8707): the https URL clients use, or http on a loopback host; no query, no
     *  fragment. The `aud` of a token must be its canonical form byte for byte (scheme and host in
     *  lower case, no default port); only the lone slash of a URL without a path is one with none.
     */
    const char *resource;
    const char *name; /* for people; may be NULL */
    const warder_rs_server_t *servers;
    size_t server_count; /* 1 to 8 */
    /** What a client without a token should ask for at first, space-separated: the scope of the
     *  challenge (MCP 2025-11-25, "Scope Selection Strategy"). NULL: what the operation needs. */
    const char *scopes;
    /** All scopes there are: scopes_supported of the metadata, where clients look who got no
     *  scope in a challenge. Holds those of `scopes`. NULL: the same as `scopes`. */
    const char *scopes_supported;
    int leeway_s;     /* for clocks that differ: 0 to 60, default 30; -1: none */
    int keys_fresh_s; /* keys are fetched again after that: 30 to 86400, default 300 */
    int keys_stale_s; /* and still used for so long while that fails, default 3600 */
    int refetch_s;    /* between two fetches for unknown key ids: 1 to 3600, default 10 */
    /** A revoked token is refused after so long at the latest: lists of revocations are never older
     *  when a token is let in. 1 to 60, default 2; -1: none is followed, and tokens end by
     *  themselves alone. */
    int revocation_poll_s;
    /** A list that cannot be had counts for so long, then all requests are answered with 503 until
     *  it can. 1 to 86400, default 300; -1: the last one that came counts for ever. */
    int revocation_stale_s;
    /** What introspection said of an opaque token counts for so long, and never longer than the
     *  token lives; the list of revocations ends it sooner. 1 to 60, default 10. */
    int introspection_cache_s;
    size_t cache_tokens;            /* verified tokens that are remembered, default 4096 */
    const warder_rs_ports_t *ports; /* NULL: the system's clock, and libcurl */
    warder_rs_dpop_t dpop;
    bool dpop_nonce; /* proofs must hold a nonce of ours: send dpop_nonce of each verdict */
    /** What nonces are made with: at least 32 characters that only the processes of this resource
     *  know, where several answer for it. NULL: each process makes its own. */
    const char *dpop_nonce_secret;
    /** Used proofs that are remembered, for up to ten minutes each, so that none counts twice;
     *  default 1048576 of about 32 bytes. When all are taken, further ones are answered with 503.
     */
    size_t dpop_proofs;
    /** The challenge of a 403 also names the scopes that the token grants already, for clients that
     *  ask for nothing but what a challenge names and would lose them (MCP 2025-11-25, "Scope
     *  Challenge Handling"; by 2026-07-28 clients ask for both). */
    bool repeat_scopes;
} warder_rs_config_t;

/** NULL when the config is wrong or there is no memory; `why` (may be NULL) gets one sentence. */
warder_rs_t *warder_rs_new(const warder_rs_config_t *config, char *why, size_t why_size);
/** NULL is fine. */
void warder_rs_free(warder_rs_t *rs);

typedef struct {
    const char *const *headers; /* the values of all Authorization headers, in order */
    size_t header_count;        /* 0: none came. Never pass tokens from a query or a form */
    const char *scope; /* all the operation needs, space-separated; NULL: any token will do */
    /* for DPoP; without it all may be left out */
    const char *method; /* of the request, e.g. "POST" */
    /** Path under which clients reach it, where that is not the resource's. NULL: the resource's,
     *  with a slash more or less at its end, too. Scheme, host and port are the resource's: what
     *  the request says of them proves nothing. */
    const char *path;
    const char *const *proofs; /* the values of all DPoP headers */
    size_t proof_count;
    /* How well and how lately the person must have signed in (RFC 9470). Who has not gets a 401
     * whose challenge says so, and its client leads them to the login anew. */
    const char *acr_values; /* one of these, space-separated; NULL: however it was */
    int max_age_s;          /* and no longer ago; 0: whenever it was */
} warder_rs_request_t;

typedef enum {
    WARDER_RS_ALLOW,
    WARDER_RS_DENY,
    WARDER_RS_NEED_KEYS, /* keys, or what was revoked; only from warder_rs_check_now: refresh on a
                            thread that may block, and ask again */
} warder_rs_outcome_t;

/** The verdict. Strings are never NULL unless it says so, and live until it is freed. */
typedef struct {
    warder_rs_outcome_t outcome;
    /* with WARDER_RS_DENY */
    int status;                   /* 400, 401, 403 or 503 */
    const char *www_authenticate; /* value of the header to send; "" with 503: send none */
    const char *body;             /* JSON to send as application/json; "" when no token came */
    const char *error;            /* the error code in both, e.g. "invalid_token"; or "" */
    int retry_after_s;            /* with 503: value for Retry-After */
    /* always */
    const char *reason; /* precise, for your log and audit; never for the caller */
    bool refresh_due;   /* keys or revocations are due: call warder_rs_refresh on a thread that may
                           block, soon */
    /* who it is: with WARDER_RS_ALLOW, with 403 and with insufficient_user_authentication, else ""
     */
    const char *iss, *sub, *client_id, *scope, *jti;
    int64_t exp;     /* Unix seconds; 0: unknown */
    const char *jkt; /* the same: thumbprint of the key the token is bound to; "": a bearer token */
    const char *acr; /* the same: how the person signed in; "": the token does not say */
    int64_t auth_time; /* the same: and when, Unix seconds; 0: the token does not say */
    int64_t iat;       /* the same: when the token was issued; -1: it does not say */
    /** The same: the token's whole payload, or what introspection said of it: a JSON object; ""
     * when it is nobody's. */
    const char *claims;
    const char *dpop_nonce; /* always: value of the header DPoP-Nonce to send; "": send none */
} warder_rs_verdict_t;

/** Judges a request; may fetch keys, and so block for seconds. NULL: no memory, answer 503. */
warder_rs_verdict_t *warder_rs_check(warder_rs_t *rs, const warder_rs_request_t *request);
/** The same without ever blocking, for event loops. A request that was answered NEED_KEYS is asked
 *  again after warder_rs_refresh has returned; when it is NEED_KEYS once more, answer 503. */
warder_rs_verdict_t *warder_rs_check_now(warder_rs_t *rs, const warder_rs_request_t *request);
/** NULL is fine. */
void warder_rs_verdict_free(warder_rs_verdict_t *verdict);

/** A token that was let in, as its verdict said. */
typedef struct {
    const char *iss, *sub, *client_id, *jti;
    int64_t iat, exp;
} warder_rs_token_t;

/** Whether a token that was let in still counts: for what stays open behind its request, such as a
 *  stream; ask every second or so. Never blocks. *refresh_due (may be NULL) as in a verdict. */
bool warder_rs_lives(warder_rs_t *rs, const warder_rs_token_t *token, bool *refresh_due);

/** What introspection says of an opaque token by now. */
typedef enum {
    WARDER_RS_STILL,  /* it is active; so is every token that no server is asked about */
    WARDER_RS_ENDED,  /* it is not, or not for this resource */
    WARDER_RS_UNSURE, /* nobody has answered yet: refresh where it is due, and ask again */
} warder_rs_still_t;

/** The same as warder_rs_lives for opaque tokens that were let in, of which no list tells: asks
 * their server anew once its last answer is older than introspection_cache_s. Ask now and then, as
 * each question is a request there, and end what has been unsure for too long. Never blocks. */
warder_rs_still_t warder_rs_still(warder_rs_t *rs, const char *token, bool *refresh_due);

/** Fetches the keys and the lists of revocations that are due; blocks. Threads that come while one
 * is fetching wait for it, a bounded number of them; further ones return at once. Call it at start
 * to be warm. Returns whether keys of every server are at hand. */
bool warder_rs_refresh(warder_rs_t *rs);

/** Whether the granted scopes hold all that `needed` names ('*' in a grant covers segments). */
bool warder_rs_scope_covers(const char *granted, const char *needed);
/** A 403 insufficient_scope for a need found out after the check (e.g. a tool's). */
warder_rs_verdict_t *warder_rs_insufficient(warder_rs_t *rs, const char *needed);
/** The same in the scheme of the token: `jkt` is that of its verdict. */
warder_rs_verdict_t *warder_rs_insufficient_for(warder_rs_t *rs, const char *jkt,
                                                const char *needed);
/** And with the scope of its verdict, which `repeat_scopes` names besides. */
warder_rs_verdict_t *warder_rs_insufficient_beyond(warder_rs_t *rs, const char *jkt,
                                                   const char *granted, const char *needed);

/** The identifier tokens must name, in its canonical form. Lives as long as rs, as below. */
const char *warder_rs_resource(const warder_rs_t *rs);
/** The protected resource metadata document, JSON; serve it to anybody, with
 *  Access-Control-Allow-Origin: *. */
const char *warder_rs_metadata(const warder_rs_t *rs);
/** Where the challenge says it is. */
const char *warder_rs_metadata_url(const warder_rs_t *rs);
/** The i-th request path to serve it at, NULL after the last: path-inserted first, then its twin
 *  with or without a last slash, then the root, which is right for a host with one resource. */
const char *warder_rs_metadata_path(const warder_rs_t *rs, size_t i);

#ifdef __cplusplus
}
#endif

#endif
