/* What is published: metadata, keys, assets, health. */
#include "as/as.h"
#include "as/endpoints.h"
#include "as/keys.h"
#include "web/assets.h"

enum { METADATA_AGE = 60 }; /* seconds: scopes and endpoints change when somebody changes them */

static void release(void *snapshot)
{
    as_snapshot_release(snapshot);
}

static str_t cache_control(as_doc_t which, arena_t *a, const conf_t *conf)
{
    int age = which == AS_DOCUMENT_JWKS ? (int)conf->key_set_cache_age : METADATA_AGE;
    return arena_printf(a, "public, max-age=%d", age);
}

static void answer_document(void *arg)
{
    http_exchange_t *x = arg;
    as_worker_t *w = x->worker;
    as_doc_t which = *(const as_doc_t *)x->route->data;
    if (!w->snapshot) {
        http_reply_retry(x, 503, 1, STR("the server has no keys yet"));
        return;
    }
    as_snapshot_t *s = as_snapshot_hold(w->snapshot);
    str_t cache = cache_control(which, x->arena, w->as->conf);
    if (arena_cleanup(x->arena, release, s) != RC_OK || !str_is_set(cache)) {
        http_reply_retry(x, 503, 1, STR("out of memory"));
        return;
    }
    http_reply_cached(
        x, s->documents[which].etag,
        HTTP_HEADERS({STR("Content-Type"), STR("application/json")}, {STR("Cache-Control"), cache}),
        s->documents[which].body);
}

/* A worker that nobody asked for a while may not know the newest keys yet. */
void as_document_get(http_exchange_t *x)
{
    as_snapshot_waiter_t *waiter = ARENA_NEW(x->arena, as_snapshot_waiter_t);
    if (!waiter) {
        http_reply_retry(x, 503, 1, STR("out of memory"));
        return;
    }
    *waiter = (as_snapshot_waiter_t){.fn = answer_document, .arg = x};
    if (!as_snapshot_wait(x->worker, waiter))
        answer_document(x);
}

void as_asset_get(http_exchange_t *x)
{
    const web_asset_t *asset = web_asset_find(x->path);
    if (!asset) {
        http_reply_error(x, 404, STR("there is nothing at this address"));
        return;
    }
    http_reply_cached(x, asset->etag,
                      HTTP_HEADERS({STR("Content-Type"), asset->content_type},
                                   {STR("Cache-Control"), STR("no-cache")}),
                      asset->body);
}

/* Whether this worker could decide anything: it has keys, and the store answers. */
void as_health_get(http_exchange_t *x)
{
    as_worker_t *w = x->worker;
    as_snapshot_refresh(w);
    bool healthy = w->snapshot != NULL && w->snapshot_retry_at == 0;
    http_reply_json(x, healthy ? 200 : 503,
                    healthy ? STR("{\"status\":\"ok\"}") : STR("{\"status\":\"unavailable\"}"));
}
