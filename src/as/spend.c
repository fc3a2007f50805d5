#include "as/spend.h"

#include "oauth/handle.h"

typedef struct {
    as_spend_t what;
    spent_t spent;
    effects_t effects;
} job_t;

static void applied(void *ctx, rc_t rc, size_t failed)
{
    job_t *job = ctx;
    (void)failed;
    job->what.done(job->what.arg, rc);
}

/* Apart from the names that proofs have at this server's own endpoints: a client may number its
 * proofs for each server that it talks to. */
static hash_t own_name(const hash_t *name)
{
    char text[sizeof "call" + sizeof name->b] = "call";
    memcpy(text + sizeof "call", name->b, sizeof name->b);
    return oauth_handle_hash(str_of(text, sizeof text));
}

void as_spend(as_worker_t *w, arena_t *a, const as_spend_t *what)
{
    job_t *job = ARENA_NEW(a, job_t);
    if (!job) {
        what->done(what->arg, RC_MEMORY);
        return;
    }
    *job = (job_t){.what = *what, .spent = {own_name(&what->name), what->forget_at}};
    effect_t *e = effects_add(&job->effects, EFFECT_SPEND, clock_seconds(&w->as->clock));
    e->u.spent = &job->spent;
    e->quota.max_rows = w->as->oauth.max_spent;
    store_apply(w->store, &job->effects, applied, job);
}

as_worker_t *as_worker_of(const as_t *as, http_worker_t *loop)
{
    unsigned index = http_worker_index(loop);
    return index < AS_WORKERS_MAX ? as->workers[index] : NULL;
}
