#include "proxy/credential_object.h"

#include <stdlib.h>

#include "core/url.h"
#include "http/server.h"

enum {
    TOKENS_MAX = 10000, /* callers with a token at once: of 1 KB about 10 MB */
    FIELDS_MAX = 7,     /* five of the identity, or its JWT, and the credential */
    FRESH_MS = 5000,    /* no token is dropped so young */
    KEY_BYTES = 32768,
    OWN_ARENA_BYTES = 1 << 20,
};

static rc_t rc_of(gate_token_reason_t reason)
{
    if (reason == GATE_TOKEN_GOOD)
        return RC_OK;
    return reason == GATE_TOKEN_BUSY || reason == GATE_TOKEN_MEMORY ? RC_BUSY : RC_IO;
}

void credential_answer(credential_waiter_t *w, gate_token_reason_t reason)
{
    w->answer.rc = rc_of(reason);
    w->answer.reason = reason == GATE_TOKEN_GOOD ? STR_UNSET : gate_token_reason_name(reason);
    w->answer.fields = w->fields;
    if (reason != GATE_TOKEN_GOOD)
        w->answer.n = 0;
    w->ask.done(w->ask.arg, &w->answer);
}

void credential_add_field(credential_waiter_t *w, str_t name, str_t value)
{
    w->fields[w->answer.n++] = (gate_field_t){name, value};
}

gate_token_reason_t credential_add_secret(credential_waiter_t *w, str_t prefix, str_t token)
{
    char *p = secret_alloc(w->ask.a, prefix.n + token.n);
    if (!p)
        return GATE_TOKEN_MEMORY;
    buf_t b = buf_fixed(p, prefix.n + token.n);
    buf_put(&b, prefix);
    buf_put(&b, token);
    credential_add_field(w, credential_conf(w->c)->header, buf_str(&b));
    return GATE_TOKEN_GOOD;
}

void credential_put_part(buf_t *b, str_t part)
{
    buf_u64(b, part.n);
    buf_char(b, ':');
    buf_put(b, part);
}

/* Whose token, and with which scope: another one after a step-up. */
static gate_token_reason_t token_key(arena_t *a, const gate_token_ask_t *ask, str_t *key,
                                     str_t *scope)
{
    rc_t rc = gate_token_scope(a, ask, scope);
    if (rc == RC_NOT_FOUND)
        return GATE_TOKEN_SCOPE;
    buf_t b = buf_new(a, KEY_BYTES);
    credential_put_part(&b, ask->who ? ask->who->issuer : STR(""));
    credential_put_part(&b, ask->who ? ask->who->subject : STR(""));
    credential_put_part(&b, ask->who ? ask->who->client : STR(""));
    credential_put_part(&b, *scope);
    return rc == RC_OK && buf_done(&b, key) == RC_OK ? GATE_TOKEN_GOOD : GATE_TOKEN_MEMORY;
}

static gate_token_ask_t ask_of(const credential_t *c, const gate_principal_t *who, str_t token)
{
    bool exchange = credential_conf(c)->kind == CONF_CREDENTIAL_TOKEN_EXCHANGE;
    return (gate_token_ask_t){c->config.upstream, exchange ? who : NULL,
                              exchange ? token : STR_UNSET};
}

/* What is kept, or a flight. False: the waiter waits. */
static bool get_token(credential_waiter_t *w, gate_token_reason_t *reason)
{
    credential_t *c = w->c;
    str_t key, scope;
    gate_token_ask_t ask = ask_of(c, w->ask.who, w->ask.token);
    *reason = token_key(w->ask.a, &ask, &key, &scope);
    if (*reason != GATE_TOKEN_GOOD)
        return true;
    pthread_mutex_lock(&c->lock);
    const credential_kept_t *kept = credential_cache_get(c->tokens, key, credential_mono(c));
    bool waits = !kept && credential_board(c, w, &ask, key, scope);
    *reason = kept ? kept->reason : GATE_TOKEN_BUSY;
    if (kept && kept->reason == GATE_TOKEN_GOOD)
        *reason = credential_add_secret(w, credential_conf(c)->prefix, kept->value);
    pthread_mutex_unlock(&c->lock);
    return !waits;
}

void credential_ask(credential_t *c, const credential_ask_t *ask)
{
    credential_waiter_t *w = ARENA_NEW(ask->a, credential_waiter_t);
    gate_field_t *fields = ARENA_ARRAY(ask->a, FIELDS_MAX, gate_field_t);
    gate_token_reason_t reason = GATE_TOKEN_GOOD;
    if (!w || !fields) {
        credential_waiter_t poor = {.c = c, .ask = *ask};
        credential_answer(&poor, GATE_TOKEN_MEMORY);
        return;
    }
    *w = (credential_waiter_t){.c = c, .ask = *ask, .fields = fields};
    if (credential_add_identity(w) != RC_OK) {
        credential_answer(w, GATE_TOKEN_IDENTITY);
        return;
    }
    switch (credential_conf(c)->kind) {
    case CONF_CREDENTIAL_NONE:
        break;
    case CONF_CREDENTIAL_STATIC:
        credential_add_field(w, credential_conf(c)->header, c->secret_value);
        break;
    default:
        if (!get_token(w, &reason))
            return;
    }
    credential_answer(w, reason);
}

void credential_get(credential_t *c, http_exchange_t *x, const gate_principal_t *who, str_t token,
                    void (*done)(void *arg, const credential_answer_t *answer), void *arg)
{
    credential_ask_t ask = {.a = x->arena, .who = who, .token = token, .done = done, .arg = arg};
    if (x->loop)
        ask.back = http_worker_post(x->loop);
    credential_ask(c, &ask);
}

void credential_drop(credential_t *c, const gate_principal_t *who)
{
    str_t key, scope;
    conf_credential_kind_t kind = credential_conf(c)->kind;
    arena_t *a = arena_new(4 * KEY_BYTES);
    gate_token_ask_t ask = ask_of(c, who, STR_UNSET);
    bool asks =
        kind == CONF_CREDENTIAL_CLIENT_CREDENTIALS || kind == CONF_CREDENTIAL_TOKEN_EXCHANGE;
    if (a && asks && token_key(a, &ask, &key, &scope) == GATE_TOKEN_GOOD) {
        int64_t now = credential_mono(c);
        pthread_mutex_lock(&c->lock);
        const credential_kept_t *kept = credential_cache_get(c->tokens, key, now);
        if (kept && now - kept->since_ms >= FRESH_MS)
            credential_cache_drop(c->tokens, key);
        pthread_mutex_unlock(&c->lock);
    }
    arena_free(a);
}

/* What stays the same for every caller. */
static rc_t prepare(credential_t *c)
{
    url_t url;
    const conf_credential_t *conf = credential_conf(c);
    char *p = secret_alloc(c->arena, conf->prefix.n + conf->secret.hidden.n);
    if (!p)
        return RC_MEMORY;
    buf_t b = buf_fixed(p, conf->prefix.n + conf->secret.hidden.n);
    buf_put(&b, conf->prefix);
    buf_put(&b, conf->secret.hidden);
    c->secret_value = str_of(p, b.n);
    if (conf->token_endpoint.n == 0)
        return RC_OK;
    c->authorization = gate_token_authorization(c->arena, conf);
    if (url_parse(conf->token_endpoint, &url) == RC_OK)
        c->host = url.host;
    return c->authorization.p ? RC_OK : RC_MEMORY;
}

static rc_t fill(credential_t *c)
{
    uint8_t seed[16];
    TRY(c->config.random.fill(c->config.random.ctx, seed, sizeof seed));
    c->arena = arena_new(OWN_ARENA_BYTES);
    c->tokens = credential_cache_new(seed, TOKENS_MAX);
    c->assertions = credential_cache_new(seed, TOKENS_MAX);
    if (!c->arena || !c->tokens || !c->assertions)
        return RC_MEMORY;
    return prepare(c);
}

rc_t credential_new(const credential_config_t *config, credential_t **out)
{
    credential_t *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return RC_MEMORY;
    c->config = *config;
    pthread_mutex_init(&c->lock, NULL);
    rc_t rc = fill(c);
    if (rc != RC_OK) {
        credential_free(c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

void credential_free(credential_t *c)
{
    if (!c)
        return;
    while (c->flights) { /* that the pool dropped */
        credential_flight_t *f = c->flights;
        c->flights = f->next;
        credential_flight_free(f);
    }
    credential_cache_free(c->tokens);
    credential_cache_free(c->assertions);
    if (c->authorization.p)
        secret_wipe((void *)(uintptr_t)c->authorization.p, c->authorization.n);
    arena_free(c->arena);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
