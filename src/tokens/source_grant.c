/* One grant at a token endpoint, with its proof of possession and the server's nonce. */
#include "client/proof.h"
#include "tokens/source_object.h"

enum { SERVER_ERROR = 500, TOO_MANY = 429, ERROR_BYTES = 64 };

static rc_t request_of(arena_t *a, const client_token_want_t *w, const source_grant_t *g,
                       client_token_request_t *out)
{
    switch (g->kind) {
    case SOURCE_CODE:
        return client_token_code(a, w, g->pending, g->text, out);
    case SOURCE_REFRESH:
        return client_token_refresh(a, w, g->text, out);
    case SOURCE_CREDENTIALS:
        return client_token_credentials(a, w, out);
    case SOURCE_JWT_BEARER:
        return client_token_jwt_bearer(a, w, g->text, out);
    case SOURCE_EXCHANGE:
        return client_token_exchange(a, w, g->text, g->audience, out);
    case SOURCE_DEVICE_CODE:
        return client_token_device(a, w, g->text, out);
    }
    return RC_MALFORMED;
}

/* The place for the nonce of the URL's origin: its own, else one to be used anew. NULL: no URL. */
static source_nonce_t *nonce_of(source_round_t *r, str_t url)
{
    url_t parts;
    str_t origin;
    if (url_parse(url, &parts) != RC_OK || url_origin(r->a, &parts, &origin) != RC_OK ||
        origin.n >= SOURCE_NONCE_BYTES)
        return NULL;
    source_nonce_t *n = r->s->server_nonces;
    source_nonce_t *mine = str_eq(str_c(n[0].origin), origin) ? &n[0] : &n[1];
    if (str_eq(str_c(mine->origin), origin))
        return mine;
    if (n[0].origin[0] == '\0')
        mine = &n[0];
    *mine = (source_nonce_t){.nonce = ""};
    memcpy(mine->origin, origin.p, origin.n);
    return mine;
}

/* Remembers the nonce of an answer. Whether there was one. */
static bool took_nonce(source_nonce_t *n, const http_answer_t *answer)
{
    str_t nonce = http_headers_get(answer->headers, STR("DPoP-Nonce"));
    if (!n || nonce.n == 0 || nonce.n >= SOURCE_NONCE_BYTES || !str_is_printable_ascii(nonce))
        return false;
    memcpy(n->nonce, nonce.p, nonce.n);
    n->nonce[nonce.n] = '\0';
    return true;
}

typedef struct {
    client_token_request_t request;
    http_answer_t answer;
} exchange_t;

/* Each try is a request of its own: assertions and proofs are good for one. */
static client_reason_t once(source_round_t *r, const client_token_want_t *want,
                            const source_grant_t *grant, const jwk_t *key, exchange_t *x)
{
    str_t proof = STR_UNSET;
    rc_t rc = request_of(r->a, want, grant, &x->request);
    if (rc == RC_OK && key) {
        const source_nonce_t *n = nonce_of(r, x->request.url);
        const client_proof_want_t p = {
            .key = key,
            .method = STR("POST"),
            .url = x->request.url,
            .nonce = n && n->nonce[0] ? arena_dup(r->a, str_c(n->nonce)) : STR_UNSET,
            .now = want->now,
            .random = want->random,
        };
        rc = client_proof_write(r->a, &p, &proof);
    }
    GO(source_rc(r, rc));
    return source_post_form(r, &x->request, proof, &x->answer);
}

/* RFC 9449 section 8: the error that asks for a nonce comes with 400 (some say 401). */
static bool asks_for_nonce(arena_t *a, const http_answer_t *answer)
{
    return (answer->status == 400 || answer->status == 401) &&
           source_is_error(a, answer, STR("use_dpop_nonce"));
}

static client_reason_t send(source_round_t *r, const client_token_want_t *want,
                            const source_grant_t *grant, const jwk_t *key, exchange_t *x)
{
    for (unsigned tries = 0;; tries++) {
        GO(once(r, want, grant, key, x));
        bool nonce = took_nonce(key ? nonce_of(r, x->request.url) : NULL, &x->answer);
        if (!nonce || !asks_for_nonce(r->a, &x->answer))
            return CLIENT_FINE;
        if (tries > 0)
            return source_fail(r, CLIENT_NONCE_LOOP, x->request.url);
    }
}

/* Out of the answer's body, which is wiped. */
static bool dup_token(arena_t *a, client_token_t *t)
{
    str_t *texts[] = {&t->scope, &t->issued_type};
    secret_t *secrets[] = {&t->access_token, &t->refresh_token};
    for (size_t i = 0; i < 2; i++) {
        bool text = str_is_set(*texts[i]), secret = str_is_set(secrets[i]->hidden);
        *texts[i] = arena_dup(a, *texts[i]);
        if (secret)
            *secrets[i] = secret_dup(a, secrets[i]->hidden);
        if (text != str_is_set(*texts[i]) || secret != str_is_set(secrets[i]->hidden))
            return false;
    }
    return true;
}

static client_reason_t read_token(source_round_t *r, const client_token_expect_t *expect,
                                  const exchange_t *x, client_token_t *out)
{
    if (x->answer.status >= SERVER_ERROR || x->answer.status == TOO_MANY) {
        r->transient = true;
        str_t detail = arena_printf(r->a, "%" PRIstr " answered %d", STR_ARG(x->request.url),
                                    x->answer.status);
        return source_fail(r, CLIENT_SERVER_FAILS, detail);
    }
    rc_t rc = RC_OK;
    str_t why = STR_UNSET, error = STR_UNSET;
    client_reason_t reason =
        client_token_read(r->a, x->answer.status, x->answer.body, expect, out, &error, &why, &rc);
    GO(source_rc(r, rc));
    r->error = arena_dup(r->a, str_first(error, ERROR_BYTES));
    if (reason != CLIENT_FINE)
        return source_fail(r, reason, arena_dup(r->a, why));
    return source_rc(r, dup_token(r->a, out) ? RC_OK : RC_MEMORY);
}

client_reason_t source_grant(source_round_t *r, const client_token_want_t *want,
                             const source_grant_t *grant, const jwk_t *key, client_token_t *out)
{
    exchange_t x = {0};
    *out = (client_token_t){0};
    r->error = STR_UNSET;
    r->transient = false;
    client_reason_t reason = send(r, want, grant, key, &x);
    const client_token_expect_t expect = {
        .dpop = key != NULL, .exchange = grant->kind == SOURCE_EXCHANGE, .now = want->now};
    if (reason == CLIENT_FINE)
        reason = read_token(r, &expect, &x, out);
    source_wipe(x.answer.body);
    return reason;
}
