#include "as/maintenance.h"

#include "as/forget.h"
#include "as/keys.h"

#include <stdlib.h>

enum {
    KEYS_EVERY_MS = 1000, /* how late a rotation that somebody asked for may begin */
    KEYS_LEASE_S = 10, /* making a key and storing it takes a moment, and who was killed with it is
                          not waited for long */
    KEYS_WAIT_MS = 2000,   /* for another node that is at it */
    CLEANING_SLACK_S = 10, /* the lease is longer than the time between two looks, by that */
    /* What has ended is kept so much longer: other nodes whose clocks are behind still take proofs
     * and assertions whose names must not be forgotten. */
    CLOCKS_SLACK_S = 60,
    ARENA_BYTES = 4 << 20,
};

static int64_t mono(const as_t *as)
{
    return as->clock.mono_ms(as->clock.ctx);
}

/* How far the clock of the day is from the one that is never set. */
static int64_t clocks_apart(const as_t *as)
{
    return as->clock.now_ms(as->clock.ctx) - mono(as);
}

/* ---- keys ---- */

/* One look at the keys: ask, see what is due, and if something is, take the lease, ask once more,
 * plan on the pool (making an RSA key takes a while), apply, record. */
typedef struct {
    as_worker_t *w;
    const as_t *as; /* for the pool: the job may outlive the worker */
    arena_t *a;
    uint64_t generation;
    ask_t asks[2]; /* keys, resources */
    bool leads;    /* the lease is ours: make what is due */
    bool due;
    as_keys_plan_t plan;
    rc_t rc;
} rotation_t;

static void rotation_end(rotation_t *r, const char *failed_at)
{
    if (failed_at && !as_store_is_away(r->w->as))
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
                                     .vault = r->as->vault,
                                     .resources = r->asks[1].u.resources,
                                     .n_resources = r->asks[1].count};
    const as_keys_t keys = {r->asks[0].u.keys, r->asks[0].count};
    if (r->leads)
        r->rc = as_keys_plan(r->a, &keys, &policy, &r->plan);
    else
        r->rc = as_keys_due(r->a, &keys, &policy, &r->due, &r->plan.next_at);
}

static void ask_about_keys(rotation_t *r);

static void keys_leased(void *ctx, rc_t rc)
{
    rotation_t *r = ctx;
    as_t *as = r->w->as;
    r->rc = rc;
    r->leads = rc == RC_OK;
    if (rc == RC_OK) {
        ask_about_keys(r);
        return;
    }
    if (rc == RC_CONFLICT)
        as->keys.wait_ms = mono(as) + KEYS_WAIT_MS;
    rotation_end(r, rc == RC_CONFLICT ? NULL : "lease");
}

/* Each look ends, or there would be none behind it. */
static void take_keys(rotation_t *r)
{
    if (as_lease_take(r->w, &r->w->as->keys.lease, keys_leased, r))
        return;
    r->rc = RC_BUSY;
    rotation_end(r, "lease");
}

static void planned(void *arg)
{
    rotation_t *r = arg;
    as_t *as = r->w->as;
    if (r->rc != RC_OK) {
        rotation_end(r, "plan");
        return;
    }
    if (r->due && !r->leads) {
        take_keys(r);
        return;
    }
    if (r->plan.effects.n > 0) { /* looks again: the store's generation will have changed */
        store_apply(r->w->store, &r->plan.effects, applied, r);
        return;
    }
    as->keys.seen = r->generation;
    as->keys.next_at = r->plan.next_at;
    as->keys.clocks_apart = clocks_apart(as);
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

static void ask_about_keys(rotation_t *r)
{
    r->asks[0] = (ask_t){.kind = ASK_KEYS};
    r->asks[1] = (ask_t){.kind = ASK_RESOURCES};
    store_ask(r->w->store, r->a, r->asks, 2, asked, r);
}

/* When to look again was said by a clock that has been set since: it may be years away. */
static bool clock_was_set(const as_t *as)
{
    int64_t by = clocks_apart(as) - as->keys.clocks_apart;
    return by > AS_SETTLED_DRIFT_MS || by < -AS_SETTLED_DRIFT_MS;
}

/* While one server takes over from another, keys are the business of who accepts alone. */
static bool keys_need_a_look(const as_worker_t *w, uint64_t generation)
{
    const as_t *as = w->as;
    bool is_due = clock_was_set(as) ||
                  (as->keys.next_at != 0 && clock_seconds(&as->clock) >= as->keys.next_at);
    return !as->keys.look && !http_worker_is_handed_over(w->loop) &&
           (as->keys.seen != generation || is_due) && mono(as) >= as->keys.wait_ms;
}

static void look_at_keys(void *arg)
{
    as_worker_t *w = arg;
    as_t *as = w->as;
    uint64_t generation = store_generation(w->store);
    if (!keys_need_a_look(w, generation))
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
                      .leads = as_lease_is_held(w, &as->keys.lease)};
    as->keys.look = a;
    ask_about_keys(r);
}

/* ---- what has expired ---- */

static void delete_batch(void *arg);

static void say_not_deleted(const as_t *as, rc_t rc)
{
    if (!as_store_is_away(as))
        LOG(as->log, LOG_WARN, "what has expired could not be deleted",
            LOG_S("why", str_c(rc_name(rc))));
}

/* A full batch may have left some over. They are not left to the next look: visitors could make
 * more in the meantime than one batch of each look deletes. */
static void expired(void *ctx, rc_t rc, size_t deleted)
{
    as_worker_t *w = ctx;
    as_t *as = w->as;
    as->cleaning.running = false;
    if (rc != RC_OK) {
        say_not_deleted(as, rc);
        return;
    }
    if (!as_pace_next(&as->cleaning.pace, deleted, as->cleaning.what.held_ms)) {
        as_forget_begin(w, as->cleaning.what.now);
        return;
    }
    as->cleaning.pause = http_timer_start(w->loop, as->cleaning.pace.pause_ms, 0, delete_batch, w);
    as->cleaning.running = as->cleaning.pause != NULL;
}

static int64_t settled_now(as_t *as)
{
    return as_settled_now(&as->cleaning.clock, as->clock.now_ms(as->clock.ctx), mono(as));
}

/* Once another node has taken over, it goes on. */
static void delete_batch(void *arg)
{
    as_worker_t *w = arg;
    as_t *as = w->as;
    http_timer_stop(as->cleaning.pause);
    as->cleaning.pause = NULL;
    as->cleaning.running = as_lease_is_held(w, &as->cleaning.lease);
    if (!as->cleaning.running)
        return;
    as->cleaning.what = (store_expire_t){.now = settled_now(as) / 1000 - CLOCKS_SLACK_S,
                                         .limit = as->cleaning.pace.rows};
    store_expire(w->store, &as->cleaning.what, expired, w);
}

static void cleaning_leased(void *ctx, rc_t rc)
{
    as_worker_t *w = ctx;
    as_t *as = w->as;
    if (rc != RC_OK && rc != RC_CONFLICT)
        say_not_deleted(as, rc);
    if (rc != RC_OK || as->cleaning.running)
        return;
    as->cleaning.pace = as_pace_begin();
    delete_batch(w);
}

/* Where the question of before has no answer yet, that one tells. */
static void clean(void *arg)
{
    as_worker_t *w = arg;
    bool asked = as_lease_take(w, &w->as->cleaning.lease, cleaning_leased, w);
    (void)asked;
}

/* ---- the node's name ---- */

static void named(void *ctx, rc_t rc)
{
    as_worker_t *w = ctx;
    as_t *as = w->as;
    bool lost = rc == RC_CONFLICT || (rc != RC_OK && as->name_is_lost);
    if (lost && !as->name_is_lost)
        LOG(as->log, LOG_ERROR,
            "another node has taken this node's name; give each its own by the setting node",
            LOG_S("lease", as->node_lease));
    if (!lost && as->name_is_lost)
        LOG(as->log, LOG_INFO, "this node's name is its own again", LOG_S("lease", as->node_lease));
    as->name_is_lost = lost;
}

static void keep_name(void *arg)
{
    as_worker_t *w = arg;
    bool asked = as_lease_take(w, &w->as->name, named, w); /* likewise */
    (void)asked;
}

/* ---- */

static void begin_leases(as_t *as)
{
    int64_t cleaning_s = as->conf->cleanup_interval + CLEANING_SLACK_S;
    as_lease_begin(&as->keys.lease, STR("keys"), as->process, KEYS_LEASE_S);
    as_lease_begin(&as->cleaning.lease, STR("cleaning"), as->holder, cleaning_s);
    as_lease_begin(&as->name, as->node_lease, as->holder, AS_NODE_LEASE_S);
}

rc_t as_maintenance_start(as_worker_t *w)
{
    as_t *as = w->as;
    int64_t cleanup_ms = as->conf->cleanup_interval * 1000, name_ms = AS_NODE_RENEW_S * 1000;
    begin_leases(as);
    settled_now(as); /* the clock of the start is believed */
    bool started = http_timer_start(w->loop, cleanup_ms, cleanup_ms, clean, w) &&
                   http_timer_start(w->loop, KEYS_EVERY_MS, KEYS_EVERY_MS, look_at_keys, w);
    if (started && str_is_set(as->node_lease))
        started = http_timer_start(w->loop, 0, name_ms, keep_name, w);
    return started ? RC_OK : RC_MEMORY;
}

void as_maintenance_stop(as_worker_t *w)
{
    as_lease_give_up(w, &w->as->keys.lease);
    as_lease_give_up(w, &w->as->cleaning.lease);
    if (!http_worker_is_handed_over(w->loop)) /* else the next has it, under the same id */
        as_lease_give_up(w, &w->as->name);
}
