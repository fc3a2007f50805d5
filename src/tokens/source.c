/* The life of a source, whose turn it is, and what is counted. */
#include "tokens/source_object.h"

#include <stdlib.h>
#include <time.h>

enum { PAUSE_SLICE_MS = 50 };

/* The parts of the config that are texts. */
static bool copy_texts(tokens_source_t *s)
{
    tokens_config_t *c = &s->config;
    str_t *texts[] = {&c->url,
                      &c->who.client_id,
                      &c->who.method,
                      &c->who_issuer,
                      &c->document,
                      &c->registration.name,
                      &c->registration.uri,
                      &c->registration.scope,
                      &c->registration.method,
                      &c->registration.software_version,
                      &c->scope,
                      &c->issuer,
                      &c->assertion_file,
                      &c->provider.issuer,
                      &c->provider.token_endpoint,
                      &c->provider.client_id};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!str_is_set(*texts[i]))
            continue;
        *texts[i] = arena_dup(s->arena, *texts[i]);
        if (!str_is_set(*texts[i]))
            return false;
    }
    return true;
}

static bool copy_secrets(tokens_source_t *s)
{
    tokens_config_t *c = &s->config;
    str_t *secrets[] = {&c->who.secret.hidden, &c->assertion, &c->provider.client_secret.hidden,
                        &c->provider.id_token, &c->given};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        if (!str_is_set(*secrets[i]))
            continue;
        *secrets[i] = secret_dup(s->arena, *secrets[i]).hidden;
        if (!str_is_set(*secrets[i]))
            return false;
    }
    return true;
}

static bool copy_list(arena_t *a, str_list_t *list)
{
    str_t *v = ARENA_ARRAY(a, list->n + 1, str_t);
    if (!v)
        return false;
    for (size_t i = 0; i < list->n; i++) {
        v[i] = arena_dup(a, list->v[i]);
        if (!str_is_set(v[i]))
            return false;
    }
    *list = (str_list_t){v, list->n};
    return true;
}

rc_t tokens_source_new(const tokens_config_t *config, tokens_source_t **out)
{
    tokens_source_t *s = calloc(1, sizeof *s);
    if (!s)
        return RC_MEMORY;
    s->config = *config;
    if (s->config.sign_in_ms <= 0)
        s->config.sign_in_ms = SOURCE_SIGN_IN_MS;
    s->arena = arena_new(SOURCE_ARENA_BYTES);
    if (!s->arena || !copy_texts(s) || !copy_secrets(s) ||
        !copy_list(s->arena, &s->config.registration.redirect_uris) ||
        !copy_list(s->arena, &s->config.registration.grant_types)) {
        arena_free(s->arena);
        free(s);
        return RC_MEMORY;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->done, NULL);
    *out = s;
    return RC_OK;
}

void tokens_source_free(tokens_source_t *s)
{
    if (!s)
        return;
    source_drop_held(s);
    arena_free(s->place.a);
    arena_free(s->arena);
    pthread_cond_destroy(&s->done);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void tokens_source_stop(tokens_source_t *s)
{
    s->stopped = true;
    s->end_wait = true;
    pthread_mutex_lock(&s->lock);
    pthread_cond_broadcast(&s->done);
    pthread_mutex_unlock(&s->lock);
}

rc_t source_round_begin(tokens_source_t *s, source_round_t *out)
{
    *out = (source_round_t){.s = s, .a = arena_new(SOURCE_ROUND_BYTES)};
    return out->a ? RC_OK : RC_MEMORY;
}

client_failure_t source_round_end(source_round_t *r, arena_t *a)
{
    client_failure_t why = {r->why.reason, a ? arena_dup(a, r->why.detail) : STR_UNSET};
    arena_free(r->a);
    r->a = NULL;
    return why;
}

void source_wipe(str_t secret)
{
    if (secret.n > 0)
        secret_wipe((void *)(uintptr_t)secret.p, secret.n);
}

client_reason_t source_fail(source_round_t *r, client_reason_t reason, str_t detail)
{
    r->why = (client_failure_t){reason, detail};
    return reason;
}

client_reason_t source_rc(source_round_t *r, rc_t rc)
{
    return rc == RC_OK ? CLIENT_FINE : source_fail(r, CLIENT_MACHINE, str_c(rc_name(rc)));
}

client_reason_t source_running(source_round_t *r)
{
    return r->s->stopped ? source_fail(r, CLIENT_STOPPED, STR_UNSET) : CLIENT_FINE;
}

source_turn_t source_enter(tokens_source_t *s)
{
    pthread_mutex_lock(&s->lock);
    source_turn_t turn = s->busy ? SOURCE_OTHERS : SOURCE_MINE;
    uint64_t round = s->rounds;
    while (s->busy && s->rounds == round && !s->stopped)
        pthread_cond_wait(&s->done, &s->lock);
    if (s->stopped)
        turn = SOURCE_STOPPED;
    else if (turn == SOURCE_MINE)
        s->busy = true;
    pthread_mutex_unlock(&s->lock);
    return turn;
}

source_turn_t source_enter_at_last(tokens_source_t *s)
{
    source_turn_t turn = SOURCE_OTHERS;
    while (turn == SOURCE_OTHERS)
        turn = source_enter(s);
    return turn;
}

static void leave(tokens_source_t *s)
{
    s->busy = false;
    s->rounds++;
    pthread_cond_broadcast(&s->done);
}

void source_leave(tokens_source_t *s)
{
    pthread_mutex_lock(&s->lock);
    leave(s);
    pthread_mutex_unlock(&s->lock);
}

static void copy_detail(char out[SOURCE_DETAIL_BYTES], str_t detail)
{
    size_t n = detail.n < SOURCE_DETAIL_BYTES - 1 ? detail.n : SOURCE_DETAIL_BYTES - 1;
    if (n > 0)
        memcpy(out, detail.p, n);
    out[n] = '\0';
}

void source_leave_with(tokens_source_t *s, client_reason_t reason, str_t detail)
{
    pthread_mutex_lock(&s->lock);
    leave(s);
    s->verdict_round = s->rounds;
    s->verdict = reason;
    copy_detail(s->verdict_detail, detail);
    pthread_mutex_unlock(&s->lock);
}

bool source_pause(tokens_source_t *s, int64_t ms)
{
    const clock_port_t *clock = &s->config.clock;
    int64_t until = clock->mono_ms(clock->ctx) + ms;
    while (!s->stopped && clock->mono_ms(clock->ctx) < until) {
        struct timespec t = {.tv_nsec = PAUSE_SLICE_MS * 1000000L};
        nanosleep(&t, NULL);
    }
    return !s->stopped;
}

void source_says(source_round_t *r, const char *what, str_t about)
{
    const tokens_person_t *p = &r->s->config.person;
    if (!p->says)
        return;
    str_t sentence = arena_printf(r->a, "%s %" PRIstr, what, STR_ARG(about));
    if (str_is_set(sentence))
        p->says(p->ctx, sentence);
}

client_reason_t source_backoff_check(source_round_t *r, const source_backoff_t *b)
{
    const clock_port_t *clock = &r->s->config.clock;
    if (b->failures == 0 || clock->mono_ms(clock->ctx) >= b->not_before)
        return CLIENT_FINE;
    str_t detail = arena_dup(r->a, str_c(b->detail));
    r->transient = b->transient;
    return source_fail(r, b->reason, detail);
}

void source_backoff_failed(source_round_t *r, source_backoff_t *b, int64_t base_ms, int64_t top_ms)
{
    const clock_port_t *clock = &r->s->config.clock;
    int64_t wait = base_ms;
    for (unsigned i = 0; i < b->failures && wait < top_ms; i++)
        wait *= 2;
    b->failures++;
    b->not_before = clock->mono_ms(clock->ctx) + (wait < top_ms ? wait : top_ms);
    b->reason = r->why.reason;
    b->transient = r->transient;
    copy_detail(b->detail, r->why.detail);
}

void tokens_source_nonce(tokens_source_t *s, str_t nonce)
{
    if (nonce.n == 0 || nonce.n >= SOURCE_NONCE_BYTES || !str_is_printable_ascii(nonce))
        return;
    pthread_mutex_lock(&s->lock);
    if (!str_eq(str_c(s->nonce), nonce)) {
        memcpy(s->nonce, nonce.p, nonce.n);
        s->nonce[nonce.n] = '\0';
        s->nonce_since = ++s->tick;
    }
    pthread_mutex_unlock(&s->lock);
}

void tokens_source_went_well(tokens_source_t *s, str_t operation)
{
    pthread_mutex_lock(&s->lock);
    s->held.proven = true;
    s->nonces = 0;
    s->idle_step_up = false;
    client_step_up_done(&s->step_ups, operation);
    pthread_mutex_unlock(&s->lock);
}
