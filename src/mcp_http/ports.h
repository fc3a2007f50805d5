/* What the transport needs of others: who may come in. The trail is the server's own
 * (mcp_server/server.h). */
#ifndef MCP_HTTP_PORTS_H
#define MCP_HTTP_PORTS_H

#include "http/exchange.h"

/** The verdict on the credentials of one request. Slices live until the exchange ends. */
typedef struct {
    bool allowed;
    /* a refusal */
    int status;        /* 400, 401 or 503 */
    str_t challenge;   /* WWW-Authenticate; unset with 503 */
    int retry_after_s; /* with 503: for Retry-After; 0: a second */
    str_t error;       /* OAuth error code for the body; unset when no token came */
    str_t reason;      /* precise, for the audit only */
    str_t detail;      /* one sentence for the audit; may be unset */
    /* who it is; in a refusal as far as it is known */
    str_t issuer, subject, client, scope, token_id;
    int64_t expires_at; /* of the token, Unix seconds */
    int64_t issued_at;  /* likewise; -1: unknown */
    str_t key;          /* it is bound to (RFC 9449), for `insufficient`; unset: a bearer token */
    str_t nonce;        /* value of DPoP-Nonce for the answer, whatever it is; unset: none */
} mcp_access_t;

/** Judges tokens. The methods run on the exchange's worker, but `covers` on any thread. Zero: there
 *  are no tokens, and whoever comes may use everything. */
typedef struct {
    /** Calls done(arg, verdict) exactly once: within the call, or later on the same worker. */
    void (*check)(void *ctx, http_exchange_t *x,
                  void (*done)(void *arg, const mcp_access_t *verdict), void *arg);
    /** Whether the granted scopes hold all that `needed` names. */
    bool (*covers)(void *ctx, str_t granted, str_t needed);
    /** The challenge of a 403 (RFC 6750 section 3.1) with all scopes of the operation, in the
     *  scheme of the token. */
    str_t (*insufficient)(void *ctx, arena_t *a, const mcp_access_t *who, str_t needed);
    void *ctx;
    /** Whether who was let in may stay: asked every second for what stays open. Of `x` only what
     *  http_stream_slim leaves may be read; the slices of `who` that say who it is are copies that
     *  end in NUL, those of the refusal and the nonce are unset. NULL: until expires_at. */
    bool (*lives)(void *ctx, http_exchange_t *x, const mcp_access_t *who);
} mcp_access_port_t;

#endif
