#include "as/maintenance.h"

#include "as/keys.h"

#include <stdlib.h>

enum {
    EXPIRE_ROWS = 1000,   /* at a time: a batch must not hold up the writer */
    KEYS_EVERY_MS = 1000, /* how late a rotation that somebody asked for may begin */
    ARENA_BYTES = 4 << 20,
};

/* One look at the keys: ask, plan on the pool (making an RSA key takes a while), apply, record. */
typedef struct {
    as_worker_t *w;
    const as_t *as; /* for the pool: the job may outlive the worker */
    arena_t *a;
    uint64_t generation;
    ask_t asks[2]; /* keys, resources */
    as_keys_plan_t plan;
    rc_t rc;
} rotation_t;

static void rotation_end(rotation_t *r, const char *failed_at)
{
    if (failed_at)
        LOG(r->w->as->log, LOG_ERROR, "keys could not be rotated", LOG_S("at", str_c(failed_at)),
            LOG_S("why", str_c(rc_name(r->rc))));
    r->w->as->keys.look = NULL;
    arena_free(r->a);
}

static void recorded(void *ctx, rc_t rc)
{
    rotation_t *r = ctx;
    r->rc = rc;
    rotation_end(r, rc == RC_OK ? NULL : "audit");
}

static void applied(void *ctx, rc_t rc, size_t failed)
{
    rotation_t *r = ctx;
    (void)failed;
    r->rc = rc;
    if (rc == RC_CONFLICT) { /* another process was faster: the next look sees what it did */
        rotation_end(r, NULL);
        return;
    }
    if (rc != RC_OK) {
        rotation_end(r, "store");
        return;
    }
    const audit_event_t event = {.kind = AUDIT_KEY_CHANGED,
                                 .allowed = true,
                                 .reason = STR("rotation"),
                                 .detail = r->plan.about};
    audit_append(r->w->as->audit, r->w->post, &event, recorded, r);
}

static void plan(void *arg)
{
    rotation_t *r = arg;
    const as_keys_policy_t policy = {.conf = r->as->conf,
                                     .random = r->as->random,
                                     .now = clock_seconds(&r->as->clock),
                                     .kek = r->as->kek,
                                     .resources = r->asks[1].u.resources,
                                     .n_resources = r->asks[1].count};
    const as_keys_t keys = {r->asks[0].u.keys, r->asks[0].count};
    r->rc = as_keys_plan(r->a, &keys, &policy, &r->plan);
}

static void planned(void *arg)
{
    rotation_t *r = arg;
    as_t *as = r->w->as;
    if (r->rc != RC_OK) {
        rotation_end(r, "plan");
        return;
    }
    if (r->plan.effects.n > 0) { /* looks again: the store's generation will have changed */
        store_apply(r->w->store, &r->plan.effects, applied, r);
        return;
    }
    as->keys.seen = r->generation;
    as->keys.next_at = r->plan.next_at;
    rotation_end(r, NULL);
}

/* Once the pool has taken the work, r->rc is its thread's. */
static void asked(void *ctx, rc_t rc, size_t failed)
{
    rotation_t *r = ctx;
    const char *failed_at = "store";
    (void)failed;
    if (rc == RC_OK) {
        failed_at = "pool";
        rc = http_pool_run(r->w->as->pool, r->w->post, plan, planned, r);
    }
    if (rc == RC_OK)
        return;
    r->rc = rc;
    rotation_end(r, failed_at);
}

static void look_at_keys(void *arg)
{
    as_worker_t *w = arg;
    as_t *as = w->as;
    uint64_t generation = store_generation(w->store);
    bool is_due = as->keys.next_at != 0 && clock_seconds(&as->clock) >= as->keys.next_at;
    if (as->keys.look || (as->keys.seen == generation && !is_due))
        return;
    arena_t *a = arena_new(ARENA_BYTES);
    rotation_t *r = a ? ARENA_NEW(a, rotation_t) : NULL;
    if (!r) {
        arena_free(a);
        return;
    }
    *r = (rotation_t){.w = w,
                      .as = as,
                      .a = a,
                      .generation = generation,
                      .asks = {{.kind = ASK_KEYS}, {.kind = ASK_RESOURCES}}};
    as->keys.look = a;
    store_ask(w->store, a, r->asks, 2, asked, r);
}

static void expire(void *arg);

/* A full batch may have left some over. They are not left to the next look: visitors could make
 * more in the meantime than one batch of each look deletes. */
static void expired(void *ctx, rc_t rc, size_t deleted)
{
    as_worker_t *w = ctx;
    if (rc != RC_OK)
        LOG(w->as->log, LOG_WARN, "what has expired could not be deleted",
            LOG_S("why", str_c(rc_name(rc))));
    else if (deleted >= EXPIRE_ROWS)
        expire(w);
}

static void expire(void *arg)
{
    as_worker_t *w = arg;
    store_expire(w->store, clock_seconds(&w->as->clock), EXPIRE_ROWS, expired, w);
}

rc_t as_maintenance_start(as_worker_t *w)
{
    int64_t cleanup_ms = w->as->conf->cleanup_interval * 1000;
    bool started = http_timer_start(w->loop, cleanup_ms, cleanup_ms, expire, w) &&
                   http_timer_start(w->loop, KEYS_EVERY_MS, KEYS_EVERY_MS, look_at_keys, w);
    return started ? RC_OK : RC_MEMORY;
}
