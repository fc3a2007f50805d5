/* What goes along with a request. */
#include "client/proof.h"
#include "tokens/source_object.h"

/* How long a look into the keep that found nothing holds good: a server that wants no token is
 * not to cost one for each request. Where it wants one, its 401 leads there at once. */
enum { BARE_MS = 1000 };

static int64_t mono_ms(const tokens_source_t *s)
{
    return s->config.clock.mono_ms(s->config.clock.ctx);
}

/* With the lock. */
static bool is_good(const tokens_source_t *s)
{
    return s->held.a && !source_ends_soon(s, &s->held.record);
}

static void stay_bare(tokens_source_t *s)
{
    pthread_mutex_lock(&s->lock);
    s->bare_until_ms = mono_ms(s) + BARE_MS;
    pthread_mutex_unlock(&s->lock);
}

/* A new token without a person, where there was one. Failures are the server's to tell. */
static void renew(source_round_t *r)
{
    tokens_source_t *s = r->s;
    bool took = false;
    client_reason_t reason = CLIENT_FINE;
    if (!s->held.a)
        reason = source_reload(r, &took);
    if (reason == CLIENT_FINE && !s->held.a)
        stay_bare(s);
    if (reason == CLIENT_FINE && s->held.a && !is_good(s)) {
        r->seen = s->held.record.generation;
        if (str_is_set(s->held.record.token.refresh_token.hidden))
            reason = source_refresh(r);
        else if (source_needs_nobody(s))
            reason = source_sign_in(r);
    }
    if (reason != CLIENT_FINE)
        LOG(s->config.log, LOG_WARN, "token_not_renewed",
            LOG_S("reason", client_reason_row(reason)->name), LOG_S("detail", r->why.detail));
}

/* Somebody may sign in for more scope: what is there still serves meanwhile. So does nothing, for a
 * while. With the lock. */
static bool serves(const tokens_source_t *s)
{
    if (!s->held.a)
        return s->bare_until_ms > 0 && mono_ms(s) < s->bare_until_ms;
    return is_good(s) || (s->busy && !source_ended(s, &s->held.record));
}

static void get_ready(tokens_source_t *s)
{
    source_turn_t turn = SOURCE_OTHERS;
    for (;;) {
        pthread_mutex_lock(&s->lock);
        bool ready = serves(s);
        pthread_mutex_unlock(&s->lock);
        if (ready)
            return;
        turn = source_enter(s);
        if (turn != SOURCE_OTHERS)
            break;
    }
    if (turn == SOURCE_STOPPED)
        return;
    source_round_t r;
    if (source_round_begin(s, &r) == RC_OK)
        renew(&r);
    (void)source_round_end(&r, NULL);
    source_leave(s);
}

static str_t secret_printf(arena_t *a, str_t scheme, str_t token)
{
    size_t n = scheme.n + 1 + token.n;
    char *p = secret_alloc(a, n + 1);
    if (!p)
        return STR_UNSET;
    memcpy(p, scheme.p, scheme.n);
    p[scheme.n] = ' ';
    memcpy(p + scheme.n + 1, token.p, token.n);
    return str_of(p, n);
}

/* With the lock. */
static rc_t write_headers(tokens_source_t *s, arena_t *a, str_t method, str_t url,
                          tokens_headers_t *out)
{
    const source_held_t *h = &s->held;
    str_t token = h->record.token.access_token.hidden;
    out->generation = s->tick;
    out->authorization = secret_printf(a, h->key.key ? STR("DPoP") : STR("Bearer"), token);
    if (!str_is_set(out->authorization))
        return RC_MEMORY;
    if (!h->key.key)
        return RC_OK;
    const client_proof_want_t want = {
        .key = &h->key,
        .method = method,
        .url = url.p ? url : s->config.url,
        .access_token = token,
        .nonce = s->nonce[0] ? str_c(s->nonce) : STR_UNSET,
        .now = clock_seconds(&s->config.clock),
        .random = s->config.random,
    };
    return client_proof_write(a, &want, &out->dpop);
}

client_reason_t source_check_url(const tokens_source_t *s)
{
    return client_url_check(s->config.url, s->config.plain_ok);
}

/* Without any token that changes. False: it is of those. */
static bool write_fixed(const tokens_source_t *s, arena_t *a, tokens_headers_t *out, rc_t *rc)
{
    *out = (tokens_headers_t){.generation = 0};
    *rc = RC_OK;
    /* Whoever reads that wire would have the token too (OAuth 2.1 section 1.5). */
    if (source_check_url(s) != CLIENT_FINE)
        return true;
    if (s->config.way != TOKENS_GIVEN)
        return s->config.way == TOKENS_NONE;
    out->generation = 1;
    out->authorization = secret_printf(a, STR("Bearer"), s->config.given);
    *rc = str_is_set(out->authorization) ? RC_OK : RC_MEMORY;
    return true;
}

rc_t tokens_source_headers(tokens_source_t *s, arena_t *a, str_t method, str_t url,
                           tokens_headers_t *out)
{
    rc_t rc;
    if (write_fixed(s, a, out, &rc))
        return rc;
    get_ready(s);
    pthread_mutex_lock(&s->lock);
    if (s->held.a && !source_ended(s, &s->held.record))
        rc = write_headers(s, a, method, url, out);
    pthread_mutex_unlock(&s->lock);
    if (rc != RC_OK)
        *out = (tokens_headers_t){.generation = 0};
    return rc == RC_MEMORY || rc == RC_OK ? rc : RC_IO;
}

rc_t tokens_source_headers_now(tokens_source_t *s, arena_t *a, str_t method, str_t url,
                               tokens_headers_t *out)
{
    rc_t rc;
    if (write_fixed(s, a, out, &rc))
        return rc;
    pthread_mutex_lock(&s->lock);
    if (!serves(s) || s->held.key.key)
        rc = RC_BUSY;
    else if (s->held.a)
        rc = write_headers(s, a, method, url, out);
    pthread_mutex_unlock(&s->lock);
    return rc;
}
