#include "proxy/credential_object.h"

#include <stdlib.h>
#include <time.h>

enum {
    FLIGHTS_MAX = 64, /* of one upstream: its token endpoint must not take all threads */
    WAITERS_MAX = 4096,
    REFUSED_MS = 5000,
    AWAY_MS = 2000,
    FLIGHT_ARENA_BYTES = 4 << 20,
    ANSWER_BYTES = 65536,
};

static credential_landing_t *landing_new(gate_token_reason_t reason, str_t token)
{
    credential_landing_t *l = malloc(sizeof *l + token.n);
    if (!l)
        return NULL;
    atomic_init(&l->refs, 1);
    l->reason = reason;
    l->n = token.n;
    if (token.n > 0)
        memcpy(l->token, token.p, token.n);
    return l;
}

static void landing_release(credential_landing_t *l)
{
    if (!l || atomic_fetch_sub(&l->refs, 1) != 1)
        return;
    secret_wipe(l->token, l->n);
    free(l);
}

static void wipe(str_t s)
{
    if (s.p)
        secret_wipe((void *)(uintptr_t)s.p, s.n);
}

void credential_flight_free(credential_flight_t *f)
{
    wipe(f->form);
    wipe(f->ask.token);
    arena_free(f->arena);
}

static gate_token_reason_t fetch(credential_flight_t *f, gate_token_t *out)
{
    const credential_t *c = f->c;
    http_fetch_result_t r = {0};
    const http_fetch_request_t req = {
        .url = credential_conf(c)->token_endpoint,
        .max_bytes = ANSWER_BYTES,
        .private_hosts = {&c->host, 1}, /* the operator named it */
        .form = f->form,
        .authorization = c->authorization,
    };
    if (c->config.fetch.get(c->config.fetch.ctx, f->arena, &req, &r) != RC_OK ||
        r.verdict != HTTP_FETCH_OK)
        return GATE_TOKEN_AWAY;
    const gate_token_answer_t got = {r.status, r.body.p ? r.body : STR(""), f->scope,
                                     clock_seconds(&c->config.clock)};
    return gate_token_read(f->arena, &f->ask, &got, out);
}

static int64_t keep_ms(gate_token_reason_t reason, int64_t keep_s)
{
    if (reason == GATE_TOKEN_GOOD)
        return keep_s * 1000;
    if (reason == GATE_TOKEN_MEMORY)
        return 0;
    return reason == GATE_TOKEN_AWAY ? AWAY_MS : REFUSED_MS;
}

/* Under the lock. Whoever asks from now on begins a flight of its own, or finds what was kept. */
static credential_waiter_t *take_waiters(credential_t *c, credential_flight_t *f)
{
    credential_flight_t **at = &c->flights;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    c->n_flights--;
    for (const credential_waiter_t *w = f->waiters; w; w = w->next)
        c->n_waiters--;
    return f->waiters;
}

/* On the waiter's own thread again, which its arena belongs to. */
static void on_landed(void *arg)
{
    credential_waiter_t *w = arg;
    credential_landing_t *l = w->landing;
    gate_token_reason_t reason = l ? l->reason : GATE_TOKEN_MEMORY;
    if (reason == GATE_TOKEN_GOOD)
        reason = credential_add_secret(w, credential_conf(w->c)->prefix, str_of(l->token, l->n));
    landing_release(l);
    credential_answer(w, reason);
}

/* An answer must not get lost: while the loop's queue is full, this thread waits. The caller holds
 * the landing too, so none of this ends it. */
static void hand_back(credential_waiter_t *w, credential_landing_t *l)
{
    const struct timespec pause = {0, 1000000};
    w->landing = l;
    if (l)
        atomic_fetch_add(&l->refs, 1);
    rc_t rc = RC_BUSY;
    while (rc == RC_BUSY) {
        rc = w->ask.back.post(w->ask.back.ctx, on_landed, w);
        if (rc == RC_BUSY)
            nanosleep(&pause, NULL);
    }
    if (rc != RC_OK && l)
        atomic_fetch_sub(&l->refs, 1);
}

static void report(const credential_flight_t *f, gate_token_reason_t reason)
{
    if (reason != GATE_TOKEN_GOOD)
        LOG(f->c->config.log, LOG_WARN, "an upstream gets no token",
            LOG_S("upstream", f->c->config.upstream->path),
            LOG_S("reason", gate_token_reason_name(reason)));
}

static void fly(void *arg)
{
    credential_flight_t *f = arg;
    credential_t *c = f->c;
    gate_token_t token = {STR_UNSET, 0};
    gate_token_reason_t reason = fetch(f, &token);
    credential_landing_t *l = landing_new(reason, token.token);
    int64_t now = credential_mono(c), ms = keep_ms(reason, token.keep_s);
    const credential_kept_t kept = {token.token, reason, now, now + ms};
    report(f, reason);
    pthread_mutex_lock(&c->lock);
    if (ms > 0)
        credential_cache_put(c->tokens, f->key, &kept);
    credential_waiter_t *waiters = take_waiters(c, f);
    pthread_mutex_unlock(&c->lock);
    while (waiters) {
        credential_waiter_t *w = waiters;
        waiters = w->next;
        hand_back(w, l);
    }
    landing_release(l);
    credential_flight_free(f);
}

static void landed(void *arg)
{
    (void)arg;
}

static rc_t build_form(credential_flight_t *f)
{
    char *p = secret_alloc(f->arena, GATE_TOKEN_ASK_BYTES);
    if (!p)
        return RC_MEMORY;
    buf_t b = buf_fixed(p, GATE_TOKEN_ASK_BYTES);
    gate_token_form(&b, &f->ask, f->scope);
    return buf_done(&b, &f->form);
}

static rc_t fill_flight(credential_flight_t *f, const gate_token_ask_t *ask, str_t key, str_t scope)
{
    f->key = arena_dup(f->arena, key);
    f->scope = arena_dup(f->arena, scope);
    if (!f->key.p || (scope.p && !f->scope.p))
        return RC_MEMORY;
    f->ask = (gate_token_ask_t){.upstream = ask->upstream};
    if (ask->who) {
        f->who.expires_at = ask->who->expires_at;
        f->ask.who = &f->who;
        f->ask.token = secret_dup(f->arena, ask->token).hidden;
        if (!f->ask.token.p)
            return RC_MEMORY;
    }
    return build_form(f);
}

static credential_flight_t *flight_new(credential_t *c, const gate_token_ask_t *ask, str_t key,
                                       str_t scope)
{
    arena_t *a = arena_new(FLIGHT_ARENA_BYTES);
    credential_flight_t *f = a ? ARENA_NEW(a, credential_flight_t) : NULL;
    if (!f) {
        arena_free(a);
        return NULL;
    }
    f->arena = a;
    f->c = c;
    if (fill_flight(f, ask, key, scope) == RC_OK)
        return f;
    credential_flight_free(f);
    return NULL;
}

/* Under the lock. The pool takes the lock only on its threads. */
static bool start(credential_t *c, credential_waiter_t *w, credential_flight_t *f)
{
    if (!f || c->n_flights >= FLIGHTS_MAX)
        return false;
    f->waiters = w;
    if (http_pool_run(c->config.pool, w->ask.back, fly, landed, f) != RC_OK)
        return false;
    f->next = c->flights;
    c->flights = f;
    c->n_flights++;
    return true;
}

static credential_flight_t *flight_of(credential_t *c, str_t key)
{
    credential_flight_t *f = c->flights;
    while (f && !str_eq(f->key, key))
        f = f->next;
    return f;
}

/* Under the lock: into a flight, under way or new. */
bool credential_board(credential_t *c, credential_waiter_t *w, const gate_token_ask_t *ask,
                      str_t key, str_t scope)
{
    if (c->n_waiters >= WAITERS_MAX || !w->ask.back.post)
        return false;
    credential_flight_t *f = flight_of(c, key);
    w->next = f ? f->waiters : NULL;
    if (f) {
        f->waiters = w;
    } else {
        f = flight_new(c, ask, key, scope);
        if (!start(c, w, f)) {
            if (f)
                credential_flight_free(f);
            return false;
        }
    }
    c->n_waiters++;
    return true;
}
