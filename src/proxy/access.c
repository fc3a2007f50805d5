#include "core/limits.h"
#include "http/server.h"
#include "proxy/access_object.h"
#include "rs/credentials.h"
#include "rs/verdict.h"

#include <time.h>

enum {
    RETRY_S = 1,
    WAITERS_MAX = 8192, /* checks that wait for keys; more are told to come again */
    ROUNDS_MAX = 2,     /* fetches that one check waits for: the first may have begun before it */
};

/* One check whose keys are on their way. In the exchange's arena, which lives until the answer. */
typedef struct check {
    struct check *next; /* that waits, too */
    unsigned rounds;
    post_port_t back;
    access_t *access;
    http_exchange_t *x;
    void (*done)(void *arg, const access_verdict_t *verdict);
    void *arg;
    warder_rs_request_t request;
    rs_credentials_t credentials;
    rs_finding_t found;
    access_proof_t proof;
    access_verdict_t verdict;
} check_t;

static const json_t NO_CLAIMS = {.type = JSON_OBJECT};
static const access_verdict_t NO_MEMORY = {.status = 503,
                                           .who = {.claims = &NO_CLAIMS},
                                           .body = STR_INIT(""),
                                           .reason = STR_INIT("out_of_memory"),
                                           .retry_after_s = RETRY_S};

/* ---- fetching beside the requests ---- */

static rc_t post_nowhere(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    (void)fn;
    (void)arg;
    return RC_IO;
}

static const post_port_t NOWHERE = {post_nowhere, NULL};

static void refresh(void *arg)
{
    access_t *a = arg;
    warder_rs_refresh(a->rs);
    atomic_store(&a->refreshing, false);
    access_unref(a);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void dropped(void *arg)
{
    access_unref(arg);
}

void access_refresh_early(access_t *a)
{
    if (atomic_exchange(&a->refreshing, true))
        return;
    atomic_fetch_add(&a->refs, 1);
    const http_job_t job = {refresh, nothing, dropped, a};
    if (!a->config.pool) {
        refresh(a);
        return;
    }
    if (http_pool_add(a->config.pool, NOWHERE, &job) == RC_OK)
        return;
    atomic_store(&a->refreshing, false);
    access_unref(a);
}

/* ---- one check ---- */

static str_t text_of(const char *s)
{
    return s[0] ? str_c(s) : STR_UNSET;
}

static const provider_t *profile_of(const access_t *a, str_t issuer)
{
    for (size_t i = 0; i < a->n_servers; i++)
        if (str_eq(a->issuers[i], issuer))
            return a->profiles[i];
    return NULL;
}

/* They were read once already, when the token was verified: not again where nobody asks. */
static const json_t *read_claims(const access_t *a, arena_t *arena, const warder_rs_verdict_t *v)
{
    static const json_limits_t LIMITS = {LIMIT_INTROSPECTION_BYTES, LIMIT_JWT_DEPTH,
                                         LIMIT_JWT_NODES};
    const json_t *claims;
    if (!v->claims[0] || !a->config.claims)
        return &NO_CLAIMS;
    if (json_parse(arena, str_c(v->claims), &LIMITS, &claims) != RC_OK)
        return NULL;
    return provider_claims(arena, profile_of(a, str_c(v->iss)), claims);
}

static bool convert(const access_t *a, arena_t *arena, const warder_rs_verdict_t *v,
                    access_verdict_t *out)
{
    const json_t *claims = read_claims(a, arena, v);
    *out = (access_verdict_t){
        .allowed = v->outcome == WARDER_RS_ALLOW,
        .who =
            {
                .issuer = str_c(v->iss),
                .subject = str_c(v->sub),
                .client = str_c(v->client_id),
                .scope = str_c(v->scope),
                .token = text_of(v->jti),
                .key = text_of(v->jkt),
                .acr = text_of(v->acr),
                .auth_time = v->auth_time,
                .issued_at = v->iat,
                .expires_at = v->exp,
                .claims = claims ? claims : &NO_CLAIMS,
            },
        .status = v->status,
        .challenge = text_of(v->www_authenticate),
        .body = str_c(v->body),
        .reason = str_c(v->reason),
        .retry_after_s = v->retry_after_s,
        .nonce = text_of(v->dpop_nonce),
    };
    return claims != NULL;
}

static bool fill_verdict(check_t *k)
{
    warder_rs_verdict_t v;
    const access_t *a = k->access;
    arena_t *arena = k->x->arena;
    return rs_verdict_fill(&a->rs->settings, arena, &k->found, STR_UNSET, &v) == RC_OK &&
           convert(a, arena, &v, &k->verdict);
}

/* Without fetching. *wait: keys are needed that have to be fetched first. */
static bool judge(check_t *k, bool last, bool *wait)
{
    access_t *a = k->access;
    *wait = false;
    if (rs_check(a->rs, k->x->arena, &k->request, &k->found) != RC_OK)
        return false;
    *wait = k->found.need_keys && !last;
    if (*wait)
        return true;
    k->found.need_keys = false;
    if (k->found.refresh_due)
        access_refresh_early(a);
    return fill_verdict(k);
}

static void spent(void *arg, rc_t rc)
{
    check_t *k = arg;
    rs_check_spent(&k->found, rc);
    bool filled = rc == RC_OK || fill_verdict(k);
    k->done(k->arg, filled ? &k->verdict : &NO_MEMORY);
}

/* The end of a check. Where proofs are remembered for all nodes, one that is new here may have been
 * used at another. */
static void tell(check_t *k, bool judged)
{
    const access_spend_t *spend = &k->access->config.spend;
    if (judged && k->verdict.allowed && k->found.proved && spend->fn) {
        k->proof = (access_proof_t){k->found.proof, k->found.forget_at};
        spend->fn(spend->ctx, k->x->loop, k->x->arena, &k->proof, spent, k);
        return;
    }
    k->done(k->arg, judged ? &k->verdict : &NO_MEMORY);
}

/* With what there is. */
static void finish(check_t *k)
{
    bool wait;
    tell(k, judge(k, true, &wait));
}

static void check_now(check_t *k);

static void on_keys(void *arg)
{
    check_t *k = arg;
    if (k->rounds < ROUNDS_MAX)
        check_now(k);
    else
        finish(k);
}

static check_t *take_waiting(access_t *a)
{
    pthread_mutex_lock(&a->lock);
    check_t *all = a->waiting;
    a->waiting = NULL;
    a->n_waiting = 0;
    a->fetching = false;
    pthread_mutex_unlock(&a->lock);
    return all;
}

/* An answer must not get lost: while a loop's queue is full, this thread waits. */
static void hand_back(access_t *a)
{
    const struct timespec pause = {0, 1000000};
    check_t *next;
    for (check_t *k = take_waiting(a); k; k = next) {
        next = k->next;
        while (k->back.post(k->back.ctx, on_keys, k) == RC_BUSY)
            nanosleep(&pause, NULL);
    }
}

static void fetch_for_all(void *arg)
{
    access_t *a = arg;
    warder_rs_refresh(a->rs);
    hand_back(a);
    access_unref(a);
}

/* The workers have ended, and with them whoever waited. */
static void drop_all(void *arg)
{
    take_waiting(arg);
    access_unref(arg);
}

/* Under the lock, so that nobody joins what cannot begin. The pool takes it only on its threads. */
static bool begin_fetch(access_t *a)
{
    const http_job_t job = {fetch_for_all, nothing, drop_all, a};
    atomic_fetch_add(&a->refs, 1);
    if (http_pool_add(a->config.pool, NOWHERE, &job) == RC_OK)
        return true;
    atomic_fetch_sub(&a->refs, 1); /* whoever checks holds it, too */
    return false;
}

static bool join_waiting(check_t *k)
{
    access_t *a = k->access;
    pthread_mutex_lock(&a->lock);
    bool joins = a->n_waiting < WAITERS_MAX && (a->fetching || begin_fetch(a));
    if (joins) {
        k->next = a->waiting;
        a->waiting = k;
        a->n_waiting++;
        a->fetching = true;
    }
    pthread_mutex_unlock(&a->lock);
    return joins;
}

/* One fetch for all who need it, whichever worker they are on. */
static void wait_for_keys(check_t *k)
{
    k->rounds++;
    k->back = http_worker_post(k->x->loop);
    if (!join_waiting(k))
        finish(k);
}

static void check_now(check_t *k)
{
    bool wait;
    bool judged = judge(k, false, &wait);
    if (!judged || !wait) {
        tell(k, judged);
        return;
    }
    if (k->x->loop && k->access->config.pool) {
        wait_for_keys(k);
        return;
    }
    warder_rs_refresh(k->access->rs);
    finish(k);
}

void access_check(access_t *a, http_exchange_t *x,
                  void (*done)(void *arg, const access_verdict_t *verdict), void *arg)
{
    check_t *k = ARENA_NEW(x->arena, check_t);
    if (!k) {
        done(arg, &NO_MEMORY);
        return;
    }
    *k = (check_t){.access = a, .x = x, .done = done, .arg = arg};
    if (rs_credentials_read(k->x, &k->credentials, &k->request) == RC_OK)
        check_now(k);
    else
        done(arg, &NO_MEMORY);
}

bool access_ready(access_t *a)
{
    bool ready = true;
    for (size_t i = 0; i < a->n_servers; i++) {
        rs_keys_view_t view;
        rs_keys_look(a->rs->keys, i, &view);
        ready &= view.set != NULL;
        rs_key_set_unref(view.set);
    }
    if (!ready)
        access_refresh_early(a);
    return ready;
}

/* ---- challenges for what was found out later ---- */

static str_t challenge(access_t *a, arena_t *arena, const rs_finding_t *found, str_t needed)
{
    warder_rs_verdict_t v;
    if (rs_verdict_fill(&a->rs->settings, arena, found, needed, &v) != RC_OK)
        return STR_UNSET;
    return text_of(v.www_authenticate);
}

str_t access_insufficient(access_t *a, arena_t *arena, const gate_principal_t *who, str_t needed)
{
    rs_finding_t found = {.reason = RS_SCOPE, .dpop = who->key.n > 0, .who = RS_NOBODY};
    found.who.scope = who->scope.n > 0 ? arena_cstr(arena, who->scope) : "";
    return found.who.scope ? challenge(a, arena, &found, needed) : STR_UNSET;
}

str_t access_step_up(access_t *a, arena_t *arena, const gate_principal_t *who,
                     const gate_decision_t *d)
{
    const rs_finding_t found = {.reason = RS_AUTHENTICATION,
                                .dpop = who->key.n > 0,
                                .acr_values = d->acr_values,
                                .max_age_s = (int)d->max_age_s,
                                .who = RS_NOBODY};
    return challenge(a, arena, &found, d->scopes.n > 0 ? d->scopes : STR_UNSET);
}

str_t access_metadata(const access_t *a)
{
    return str_c(warder_rs_metadata(a->rs));
}

str_t access_metadata_path(const access_t *a, size_t i)
{
    return str_c(warder_rs_metadata_path(a->rs, i));
}
