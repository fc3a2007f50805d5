/* Tokens from a script, in place of the room tokens: a test that includes this file is linked with
 * these functions, and asks no authorization server. */
#ifndef MCP_CLIENT_MCP_CLIENT_TEST_TOKENS_H
#define MCP_CLIENT_MCP_CLIENT_TEST_TOKENS_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "tokens/source.h"

/** Each refusal brings the token of the next generation, up to `most`; beyond it gives up. */
struct tokens_source {
    pthread_mutex_t lock;
    uint64_t generation, most;
    char nonce[64], operation[64], well[64], challenge[128];
    int status;
    unsigned refusals, signed_in;
    atomic_bool hold;  /* a refusal waits while it is set */
    atomic_bool waits; /* no header is at hand: only a worker gets one */
    pthread_t asker;   /* of the last header */
};

rc_t tokens_source_headers(tokens_source_t *s, arena_t *a, str_t method, str_t url,
                           tokens_headers_t *out)
{
    pthread_mutex_lock(&s->lock);
    s->asker = pthread_self();
    *out = (tokens_headers_t){.generation = s->generation};
    if (s->generation)
        out->authorization = arena_printf(a, "Bearer t%llu", (unsigned long long)s->generation);
    if (s->nonce[0])
        out->dpop = arena_printf(a, "%" PRIstr " %s", STR_ARG(method), s->nonce);
    pthread_mutex_unlock(&s->lock);
    return RC_OK;
}

rc_t tokens_source_headers_now(tokens_source_t *s, arena_t *a, str_t method, str_t url,
                               tokens_headers_t *out)
{
    return atomic_load(&s->waits) ? RC_BUSY : tokens_source_headers(s, a, method, url, out);
}

static void tokens_copy(char *out, size_t n, str_t from)
{
    str_t part = str_first(from, n - 1);
    if (part.n > 0)
        memcpy(out, part.p, part.n);
    out[part.n] = 0;
}

void tokens_source_nonce(tokens_source_t *s, str_t nonce)
{
    pthread_mutex_lock(&s->lock);
    tokens_copy(s->nonce, sizeof s->nonce, nonce);
    pthread_mutex_unlock(&s->lock);
}

void tokens_source_went_well(tokens_source_t *s, str_t operation)
{
    pthread_mutex_lock(&s->lock);
    tokens_copy(s->well, sizeof s->well, operation);
    pthread_mutex_unlock(&s->lock);
}

tokens_verdict_t tokens_source_refused(tokens_source_t *s, arena_t *a, const tokens_refusal_t *r,
                                       client_failure_t *why)
{
    while (atomic_load(&s->hold))
        sched_yield();
    pthread_mutex_lock(&s->lock);
    s->refusals++;
    s->status = r->status;
    tokens_copy(s->operation, sizeof s->operation, r->operation);
    tokens_copy(s->challenge, sizeof s->challenge,
                r->challenges.n ? r->challenges.v[0] : STR("none"));
    bool current = r->generation == s->generation;
    bool again = !current || s->generation < s->most;
    if (current && again) {
        s->generation++;
        s->signed_in++;
    }
    pthread_mutex_unlock(&s->lock);
    *why = (client_failure_t){CLIENT_SIGN_IN_NEEDED, arena_dup(a, STR("nobody is there"))};
    return again ? TOKENS_AGAIN : TOKENS_GIVE_UP;
}

#endif
