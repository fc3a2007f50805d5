/* What the files of the source share. One thread at a time works for all (`busy`): it alone asks
 * servers, persons and the keep; the others wait for it. */
#ifndef TOKENS_SOURCE_OBJECT_H
#define TOKENS_SOURCE_OBJECT_H

#include <pthread.h>

#include "client/challenge.h"
#include "client/url_rule.h"
#include "core/limits.h"
#include "core/url.h"
#include "tokens/record.h"
#include "tokens/refusal.h"
#include "tokens/source.h"

enum {
    SOURCE_ARENA_BYTES = 8 << 20,
    SOURCE_ROUND_BYTES = 32 << 20, /* a long wait for a device asks a thousand times */
    SOURCE_ANSWER_BYTES = 65536,   /* of a token endpoint */
    SOURCE_NONCE_BYTES = 512,
    SOURCE_DETAIL_BYTES = 512,
    SOURCE_SOON_S = 30, /* a token that ends so soon is renewed first */
    SOURCE_OLD_S = 86400,
    SOURCE_LOCK_MS = 90000, /* two requests of another process, and their nonces */
    SOURCE_FRESH_S = 60,    /* a token that is refused so soon was never good */
    SOURCE_SIGN_IN_MS = 300000,
    SOURCE_PAGES = 8, /* that open at once where servers ask; then one in SOURCE_PAGE_MS */
    SOURCE_PAGE_MS = 600000,
};

/** The token that is used now, and where it is from. All in `a`; a NULL: there is none. */
typedef struct {
    arena_t *a;
    tokens_record_t record;
    jwk_t key; /* of proofs; key.key NULL: a bearer token */
    tokens_origin_t origin;
    bool proven;
} source_held_t;

/** Where the URL leads. All in `a`; a NULL: not known yet. */
typedef struct {
    arena_t *a;
    client_discovery_t found;
    str_t issuer;   /* what registrations and tokens are keyed by */
    str_t resource; /* what is sent; unset in the legacy case */
    int64_t at;
} source_place_t;

/** After failures in a row the next try waits: base, twice, four times … at most the top. */
typedef struct {
    unsigned failures;
    int64_t not_before; /* mono_ms */
    client_reason_t reason;
    bool transient;
    char detail[SOURCE_DETAIL_BYTES];
} source_backoff_t;

/** The last DPoP nonce of an origin (RFC 9449 section 8). */
typedef struct {
    char origin[SOURCE_NONCE_BYTES], nonce[SOURCE_NONCE_BYTES];
} source_nonce_t;

/** Pages and codes that persons were shown because a server asked: one that takes each new token
 * for a while, or wants another scope each time, must not open pages for ever. */
typedef struct {
    unsigned shown;
    int64_t since; /* mono_ms: one of `shown` is forgotten in each SOURCE_PAGE_MS from here */
} source_pages_t;

struct tokens_source {
    tokens_config_t config;
    arena_t *arena; /* of the config */
    _Atomic(bool) stopped;
    _Atomic(bool) end_wait; /* ends the callback's wait */
    pthread_mutex_t lock;
    pthread_cond_t done;
    /* With the lock; `held` is written by who is busy, with it. */
    bool busy;
    uint64_t rounds;        /* that have ended */
    uint64_t verdict_round; /* the last one that was to get a token */
    client_reason_t verdict;
    char verdict_detail[SOURCE_DETAIL_BYTES];
    source_held_t held;
    int64_t bare_until_ms; /* until when a look into the keep that found nothing holds good */
    uint64_t tick;         /* counts changes of token and nonce: tokens_headers_t.generation */
    uint64_t token_since;  /* the tick of the token that is held */
    uint64_t nonce_since;  /* the tick of the nonce */
    uint64_t nonce_mark;   /* nonces before this tick were counted as refused */
    unsigned nonces;       /* refused in a row */
    char nonce[SOURCE_NONCE_BYTES];
    client_step_ups_t step_ups;
    bool idle_step_up; /* one that asked for nothing new was made since the last success */
    /* Of who is busy. */
    source_place_t place;
    uint64_t generation;                   /* the highest that was held */
    char forgotten[LIMIT_SCOPE_BYTES + 1]; /* scope of the token that was given up; "": none */
    source_backoff_t refreshing, signing_in;
    source_pages_t pages;
    source_nonce_t server_nonces[2];
};

/** One piece of work of the busy thread. Functions on it answer with a reason, which is in `why`
 *  too; CLIENT_FINE goes on. */
typedef struct {
    tokens_source_t *s;
    arena_t *a; /* of this piece: it may need more than the caller's has */
    client_failure_t why;
    str_t error;    /* code of the token endpoint; unset: none */
    bool transient; /* it may go well later as it is */
    client_challenge_t challenge;
    bool challenged; /* `challenge` is of an answer */
    str_t before;    /* scope that was asked for before: what a step-up adds to; unset: none */
    bool step_up;
    bool anew;     /* what is kept was refused, or shall not be used */
    bool wished;   /* the person began it herself, and no server */
    uint64_t seen; /* generation of the record that was refused, or has ended; 0: none */
} source_round_t;

#define GO(expr)                                                                                   \
    do {                                                                                           \
        client_reason_t go_ = (expr);                                                              \
        if (go_ != CLIENT_FINE)                                                                    \
            return go_;                                                                            \
    } while (0)

/* source.c */
/** RC_MEMORY. */
rc_t source_round_begin(tokens_source_t *s, source_round_t *out);
/** Frees it; its failure is copied into `a`, which may be NULL. */
client_failure_t source_round_end(source_round_t *r, arena_t *a);
/** Overwrites what an answer held. */
void source_wipe(str_t secret);
client_reason_t source_fail(source_round_t *r, client_reason_t reason, str_t detail);
/** RC_OK is CLIENT_FINE, all others CLIENT_MACHINE. */
client_reason_t source_rc(source_round_t *r, rc_t rc);
/** STOPPED once tokens_source_stop was called. */
client_reason_t source_running(source_round_t *r);
typedef enum { SOURCE_MINE, SOURCE_OTHERS, SOURCE_STOPPED } source_turn_t;
/** MINE: this thread is busy now, source_leave ends it. OTHERS: another was, and is done. */
source_turn_t source_enter(tokens_source_t *s);
/** Waits for its turn however long: MINE or STOPPED. */
source_turn_t source_enter_at_last(tokens_source_t *s);
void source_leave(tokens_source_t *s);
/** The same, with a verdict for those who waited. */
void source_leave_with(tokens_source_t *s, client_reason_t reason, str_t detail);
/** Waits, unless it is stopped: false. */
bool source_pause(tokens_source_t *s, int64_t ms);
void source_says(source_round_t *r, const char *what, str_t about);
/** Whether it is too early for another try: the last failure again. */
client_reason_t source_backoff_check(source_round_t *r, const source_backoff_t *b);
void source_backoff_failed(source_round_t *r, source_backoff_t *b, int64_t base_ms, int64_t top_ms);

/* source_keep.c */
/** Reads what is kept of this URL, and takes its token unless it is the one of r->seen. *took. */
client_reason_t source_reload(source_round_t *r, bool *took);
/** The place as a record. */
tokens_server_t source_place_record(const tokens_source_t *s, str_t client_id);
/** Keeps the place, so that the next run finds it without asking. Failures are logged only: nothing
 *  depends on it. */
void source_keep_place(source_round_t *r, str_t client_id);
/** Keeps a new token and uses it. One that cannot be kept is used all the same: it cannot be had
 *  twice. */
client_reason_t source_keep_token(source_round_t *r, tokens_record_t *record,
                                  tokens_origin_t origin);
/** Forgets the token that is held; what is kept goes only if it is the same. */
void source_forget(source_round_t *r);
void source_drop_held(tokens_source_t *s);
client_reason_t source_token_name(source_round_t *r, const tokens_record_t *record, str_t *out);
/** Waits for the lock of a name; ends early when stopped. */
client_reason_t source_lock(source_round_t *r, str_t name, int64_t wait_ms, tokens_lock_t **out);
void source_unlock(tokens_source_t *s, tokens_lock_t *lock);
/** A name's text; unset where nothing is kept. */
client_reason_t source_read(source_round_t *r, str_t name, str_t *out);
client_reason_t source_write(source_round_t *r, str_t name, secret_t text);
/** A private key as text, and back. */
client_reason_t source_key_new(source_round_t *r, str_t *text);
rc_t source_key_read(arena_t *a, str_t text, jwk_t *out);

/* source_find.c */
/** Looks for the place by the challenge, from the beginning. What was there stays on failure. */
client_reason_t source_find(source_round_t *r);
/** Whether it is the server that the person chose, if she did. */
bool source_is_chosen(const tokens_source_t *s, str_t issuer);
/** Whether the resource still names the issuer that is known; what cannot be reached says nothing.
 *  *moved: no. */
client_reason_t source_find_moved(source_round_t *r, bool *moved);
/** The metadata of an issuer alone. */
client_reason_t source_find_server(source_round_t *r, arena_t *a, str_t issuer,
                                   client_server_metadata_t *out);
/** Fetches the metadata of the authorization server once more where it is old. What cannot be had
 *  leaves the place as it is. */
client_reason_t source_find_again(source_round_t *r);
/** A place from what was kept. RC_MALFORMED: it is no longer of use. */
rc_t source_place_read(tokens_source_t *s, const tokens_server_t *kept, source_place_t *out);
void source_place_set(tokens_source_t *s, const source_place_t *place);

/* source_headers.c */
/** Whether tokens may go to the endpoint at all. */
client_reason_t source_check_url(const tokens_source_t *s);

/* source_ask.c */
/** Sends one request, if its URL may be used. All that the world does is in *out. */
client_reason_t source_ask(source_round_t *r, http_agent_request_t *q, http_answer_t *out);
/** FINE for a whole answer. */
client_reason_t source_reached(source_round_t *r, str_t url, const http_answer_t *answer);
client_reason_t source_post_form(source_round_t *r, const client_token_request_t *q, str_t proof,
                                 http_answer_t *out);
/** Whether the answer is an error with this code. */
bool source_is_error(arena_t *a, const http_answer_t *answer, str_t code);

/* source_grant.c */
typedef enum {
    SOURCE_CODE,
    SOURCE_REFRESH,
    SOURCE_CREDENTIALS,
    SOURCE_JWT_BEARER,
    SOURCE_EXCHANGE,
    SOURCE_DEVICE_CODE,
} source_grant_kind_t;
typedef struct {
    source_grant_kind_t kind;
    const client_pending_t *pending;
    str_t text;     /* code, refresh token, assertion, ID token, device code: a secret */
    str_t audience; /* of an exchange */
} source_grant_t;
/** Asks the token endpoint, with a proof where `key` is there, and once more for a nonce. */
client_reason_t source_grant(source_round_t *r, const client_token_want_t *want,
                             const source_grant_t *grant, const jwk_t *key, client_token_t *out);

/* source_register.c */
/** Who the client is at the place. In r->a. */
typedef struct {
    client_credentials_t who;
    bool registered; /* by itself: can be done anew */
    bool kept;       /* and that was before: the server may have forgotten it */
    uint16_t port;   /* of its redirect URI at registration; 0: not known */
} source_client_t;
/** What there is without asking: given, document, kept. *there. */
client_reason_t source_client_known(source_round_t *r, source_client_t *out, bool *there);
/** The same, else registers with this redirect URI (unset: none). */
client_reason_t source_client(source_round_t *r, str_t redirect_uri, source_client_t *out);
void source_client_drop(source_round_t *r);
/** The request to a token endpoint of the place, as this client. */
client_reason_t source_want(source_round_t *r, const source_client_t *client,
                            client_token_want_t *out);

/* source_sign_in.c */
/** Gets a new token by the way of the config, with the URL's lock held, so that other processes
 * wait for it and take it. */
client_reason_t source_sign_in(source_round_t *r);
/** Whether one more page, or code, may be shown to the person, and counts it. */
client_reason_t source_may_show(source_round_t *r);
/** The scope to ask for. */
client_reason_t source_scope(source_round_t *r, str_t *out);
/** Whether tokens are bound to a key, and the key: kept, or new. *text unset: bearer. */
client_reason_t source_bind(source_round_t *r, str_t *text, jwk_t *key);
/** What a grant brought becomes the token. */
client_reason_t source_got(source_round_t *r, const source_client_t *client,
                           const client_token_t *token, str_t asked, str_t dpop_key);

/* source_person.c, source_device.c, source_machine.c */
client_reason_t source_person(source_round_t *r, source_client_t *client);
client_reason_t source_device(source_round_t *r, source_client_t *client);
client_reason_t source_machine(source_round_t *r, source_client_t *client);
client_reason_t source_workload(source_round_t *r, source_client_t *client);
client_reason_t source_enterprise(source_round_t *r, source_client_t *client);

/* source_refresh.c */
/** Whether it ends within SOURCE_SOON_S; whether it has ended. */
bool source_ends_soon(const tokens_source_t *s, const tokens_record_t *record);
bool source_ended(const tokens_source_t *s, const tokens_record_t *record);
/** Refreshes under the lock of the token's name, or takes what another process has refreshed.
 *  CLIENT_TOKEN_REFUSED: the tokens are of no more use, a sign-in is due. r->transient: later. */
client_reason_t source_refresh(source_round_t *r);
/** Whether a new token can be had without a person. */
bool source_needs_nobody(const tokens_source_t *s);

#endif
