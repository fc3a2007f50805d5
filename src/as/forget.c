#include "as/forget.h"

/* Ids of clients may hold their whole registration. */
enum { ARENA_BYTES = 32 << 20, DAY_S = 86400 };

static void end(as_t *as)
{
    arena_free(as->forgetting.a);
    as->forgetting.a = NULL;
}

static void look(void *arg);

/* A full batch may have left some over. */
static void go_on(as_worker_t *w)
{
    as_t *as = w->as;
    bool full = as->forgetting.looked >= AS_FORGET_BATCH;
    if (full)
        as->forgetting.pause = http_timer_start(w->loop, AS_FORGET_PAUSE_MS, 0, look, w);
    if (!as->forgetting.pause)
        end(as);
}

static void recorded(void *ctx, rc_t rc)
{
    as_worker_t *w = ctx;
    as_t *as = w->as;
    if (rc != RC_OK)
        LOG(as->log, LOG_ERROR, "what nobody uses was deleted, and could not be recorded",
            LOG_S("why", str_c(rc_name(rc))));
    if (--as->forgetting.unrecorded == 0)
        go_on(w);
}

static void record(as_worker_t *w, const store_forgotten_t *gone)
{
    bool consent = str_is_set(gone->user_id);
    const audit_event_t event = {
        .kind = consent ? AUDIT_REVOKE : AUDIT_CLIENT_DELETED,
        .allowed = true,
        .reason = STR("unused"),
        .detail = STR("nobody used it for client_unused_lifetime"),
        .user = gone->user_id,
        .client = gone->client_id,
        .resource = gone->resource,
    };
    audit_append(w->as->audit, w->post, &event, recorded, w);
}

/* One more than there are lines, until all are on their way. */
static void forgotten(void *ctx, rc_t rc, size_t looked)
{
    as_worker_t *w = ctx;
    as_t *as = w->as;
    if (rc != RC_OK) {
        if (!as_store_is_away(as))
            LOG(as->log, LOG_WARN, "what nobody uses could not be deleted",
                LOG_S("why", str_c(rc_name(rc))));
        end(as);
        return;
    }
    const store_forget_t *what = &as->forgetting.what;
    as->forgetting.looked = looked;
    as->forgetting.unrecorded = what->n + 1;
    for (size_t i = 0; i < what->n; i++)
        record(w, &what->gone[i]);
    recorded(w, RC_OK);
}

static void look(void *arg)
{
    as_worker_t *w = arg;
    as_t *as = w->as;
    http_timer_stop(as->forgetting.pause);
    as->forgetting.pause = NULL;
    if (!as_lease_is_held(w, &as->cleaning.lease)) {
        end(as);
        return;
    }
    arena_reset(as->forgetting.a);
    store_forget(w->store, &as->forgetting.what, forgotten, w);
}

void as_forget_begin(as_worker_t *w, int64_t now)
{
    as_t *as = w->as;
    int64_t lifetime = as->conf->client_unused_lifetime;
    if (lifetime == 0 || as->forgetting.a)
        return;
    as->forgetting.a = arena_new(ARENA_BYTES);
    if (!as->forgetting.a)
        return;
    as->forgetting.what = (store_forget_t){
        .now = now,
        .before = now - lifetime - DAY_S, /* the use is noted to a day */
        .limit = AS_FORGET_BATCH,
        .a = as->forgetting.a,
    };
    look(w);
}
