/* A protected MCP endpoint and its authorization server behind the ask port, for flows: it checks
 * what it is asked as a strict server would. All of it lives in one shared mapping, so that several
 * processes meet the same servers. */
#ifndef TOKENS_TOKENS_TEST_WORLD_H
#define TOKENS_TOKENS_TEST_WORLD_H

#include "core/core_test_util.h"

#include <pthread.h>

#include "core/form.h"
#include "tokens/source.h"

enum { WORLD_ROWS = 64, WORLD_TEXT = 256, WORLD_LOG = 256, WORLD_CALLS = 10 };

#define WORLD_MCP      "https://mcp.test/mcp"
#define WORLD_RESOURCE "https://mcp.test/.well-known/oauth-protected-resource/mcp"
#define WORLD_ORIGIN   "https://mcp.test"
#define WORLD_ISSUER   "https://as.test"
#define WORLD_OTHER    "https://other.test"
#define WORLD_PROVIDER "https://idp.test"

typedef struct {
    char issuer[WORLD_TEXT], id[WORLD_TEXT], secret[WORLD_TEXT], redirect[WORLD_TEXT];
    bool gone;
} world_client_t;

typedef struct {
    char issuer[WORLD_TEXT], code[WORLD_TEXT], client[WORLD_TEXT], redirect[WORLD_TEXT];
    char challenge[WORLD_TEXT], scope[WORLD_TEXT], jkt[WORLD_TEXT];
    bool used, approved; /* approved: of a device */
} world_code_t;

typedef struct {
    char issuer[WORLD_TEXT], access[WORLD_TEXT], refresh[WORLD_TEXT], client[WORLD_TEXT];
    char scope[WORLD_TEXT], jkt[WORLD_TEXT];
    int64_t ends_at;
    bool refresh_live, access_live;
} world_token_t;

typedef struct {
    pthread_mutex_t lock; /* between processes, too */
    /* What the servers are like; static texts. */
    const char *issuer;                  /* the one that the resource names */
    const char *description;             /* a long text in the metadata; NULL: none */
    const char *scopes;                  /* scopes_supported of the resource; NULL: absent */
    const char *server_scopes;           /* of the authorization server; NULL: absent */
    const char *challenge_scope;         /* NULL: none */
    const char *resource;                /* "resource" of the metadata */
    const char *auth_methods;            /* JSON list; NULL: absent */
    const char *grant_types;             /* JSON list; NULL: absent */
    const char *known_id, *known_secret; /* a client that is registered already */
    bool no_resource_metadata, no_registration, documents, pushed, bound, bound_listed;
    bool unbinds; /* tokens are bearer tokens, whatever proof came */
    bool no_pkce, no_refresh_tokens, exact_ports, bare_registrations, no_registrations,
        single_metadata;
    bool legacy_metadata;  /* of an authorization server at the endpoint's origin */
    bool tells_of_clients; /* by the redirect, that it knows none of that name */
    bool never_enough, no_revocation;
    bool other_redirects; /* registrations hold another redirect URI than the one asked for */
    bool server_nonce, endpoint_nonce, nonce_never_taken;
    bool long_refusals;                       /* of the endpoint, whose pages nobody reads whole */
    bool refuse_all;                          /* the endpoint takes no token at all */
    bool iss_wrong, declines, silent, nobody; /* what the person, and the page, do */
    int64_t lifetime;                         /* of access tokens, seconds */
    unsigned token_down;      /* so many requests to the token endpoint find nobody */
    unsigned token_500;       /* so many are answered 503 */
    unsigned pending;         /* so many questions of a device come too early */
    const char *device_error; /* and then this */
    const char *user_code;    /* as JSON holds it; NULL: a usual one */
    const char *device_page;  /* where the code is typed; NULL: at the server */
    int device_life;          /* of the code, seconds; 0: ten minutes */
    const char *access;       /* the access token that is issued; NULL: a new name each time */
    const char *assertion;    /* that the token endpoint takes; NULL: none */
    /* State. */
    int64_t now; /* Unix seconds */
    _Atomic(int64_t) mono;
    int64_t mono_step; /* each look at the clock takes so long */
    _Atomic(uint64_t) random;
    unsigned made; /* names of codes, tokens, clients */
    world_client_t clients[WORLD_ROWS];
    size_t n_clients;
    world_code_t codes[WORLD_ROWS];
    size_t n_codes;
    world_token_t tokens[WORLD_ROWS * 4];
    size_t n_tokens;
    /* What was seen. */
    unsigned registrations, opened, refreshes, bad_refreshes, revoked, calls, asks, granted;
    char scope_asked[WORLD_TEXT]; /* of the last authorization or token request */
    char redirect_asked[WORLD_TEXT];
    char said[WORLD_TEXT];           /* the last code that was shown */
    char problem[WORLD_TEXT];        /* the first request that a server would not have taken */
    char log[WORLD_LOG][WORLD_TEXT]; /* "POST https://…" */
    size_t n_log;
} world_t;

world_t *world_new(void);
/** Fails the test if a request was wrong. */
void world_free(world_t *w);
/** A person with a browser, DCR; everything else empty. */
tokens_config_t world_config(world_t *w, tokens_keep_t keep);
http_ask_port_t world_port(world_t *w);
/** One operation at the endpoint as the link does it: headers, request, and again as long as the
 *  source says so. The last status; 0: the source gave up, *why tells. */
int world_call(world_t *w, tokens_source_t *s, const char *scope, client_failure_t *why);
/** How many log lines begin so. */
unsigned world_asked(const world_t *w, const char *line);
void world_problem(world_t *w, const char *what);

/** A world, a keep in memory, and a source over both. */
typedef struct {
    world_t *w;
    tokens_memory_t *memory;
    arena_t *a;
    tokens_config_t config; /* change it, then play_begin */
    tokens_source_t *s;
    client_failure_t why; /* of the last call */
} play_t;
int play_setup(void **state);
int play_teardown(void **state);
/** A new run of the program: a new source over the same keep. */
void play_begin(play_t *p);
/** One operation. */
int play_call(play_t *p, const char *scope);
/** An operation that must go well; one that must not, for this reason. */
void play_goes(play_t *p, const char *scope);
void play_fails(play_t *p, const char *scope, client_reason_t reason);
#define PLAY_TEST(fn) cmocka_unit_test_setup_teardown(fn, play_setup, play_teardown)

/* tokens_test_server.c, with the lock held. */
void world_server(world_t *w, arena_t *a, const char *issuer, str_t path,
                  const http_agent_request_t *q, http_answer_t *out);
/** Keeps what an authorization request asks for; NULL: it is wrong, as the person would be told. */
world_code_t *world_authorize(world_t *w, const char *issuer, const form_t *f);
str_t world_field(const form_t *f, const char *name);
/** The page of the authorization endpoint, and its answer on loopback. */
bool world_browser(void *ctx, str_t url);
/** GETs the callback that the page would lead to, with another query. */
void world_visit(world_t *w, str_t url, const char *query);
void world_answer(http_answer_t *out, int status, str_t body);
void world_add_header(arena_t *a, http_answer_t *out, const char *name, str_t value);
/** The thumbprint of a good proof; unset: none came, or it is wrong. */
str_t world_proof(world_t *w, arena_t *a, const http_agent_request_t *q, str_t token);
/** Whether the proof holds this nonce. */
bool world_has_nonce(arena_t *a, const http_agent_request_t *q, const char *nonce);
void world_copy(char out[WORLD_TEXT], str_t s);

#endif
