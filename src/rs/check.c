#include "rs/check.h"

#include "core/limits.h"
#include "oauth/scope.h"
#include "rs/bearer.h"

int64_t rs_now(const rs_anchor_t *anchor, int64_t wall_ms, int64_t mono_ms)
{
    int64_t passed = anchor->wall_ms + (mono_ms - anchor->mono_ms);
    return wall_ms > passed ? wall_ms : passed;
}

typedef struct {
    warder_rs_t *rs;
    arena_t *a;
    rs_finding_t *out;
    int64_t now_ms;
    str_t text; /* the token */
    rs_token_hash_t hash;
} work_t;

static rc_t decide(work_t *w, rs_reason_t reason, str_t detail)
{
    w->out->reason = reason;
    w->out->detail = detail;
    return RC_OK;
}

static rs_reason_t credentials(const warder_rs_request_t *req, str_t *token)
{
    static const rs_reason_t REASON[] = {
        [RS_BEARER_NONE] = RS_NO_TOKEN,     [RS_BEARER_OTHER] = RS_OTHER_SCHEME,
        [RS_BEARER_REPEATED] = RS_REPEATED, [RS_BEARER_MALFORMED] = RS_MALFORMED,
        [RS_BEARER_TOKEN] = RS_ALLOWED,
    };
    return REASON[rs_bearer_read(req->headers, req->header_count, token)];
}

/* A remembered token counts only while the keys it was verified with do. */
static bool recall(work_t *w)
{
    rs_remembered_t seen;
    rs_keys_view_t view;
    if (!rs_token_cache_get(w->rs->cache, w->a, &w->hash, w->now_ms, &seen))
        return false;
    rs_keys_look(w->rs->keys, seen.server, &view);
    bool good = view.set && rs_key_set_generation(view.set) == seen.keys;
    rs_key_set_unref(view.set);
    if (!good)
        return false;
    w->out->who = seen.who;
    w->out->refresh_due = view.age == RS_KEYS_DUE && view.may_fetch && !view.fetching;
    decide(w, RS_ALLOWED, STR_UNSET);
    return true;
}

static rc_t judge_with(work_t *w, rs_token_t *token, const jwk_t *key, const rs_keys_view_t *view)
{
    TRY(rs_token_judge(w->a, &w->rs->settings, key, w->now_ms, token, &w->out->who));
    w->out->refresh_due = view->age == RS_KEYS_DUE && view->may_fetch && !view->fetching;
    if (token->reason == RS_ALLOWED) {
        rs_remembered_t what = {w->out->who, token->server, rs_key_set_generation(view->set)};
        rs_token_cache_put(w->rs->cache, &w->hash, w->now_ms, &what);
    }
    return decide(w, token->reason, token->detail);
}

/* No key of that name: perhaps a new one, so look, but not more often than now and then. */
static rc_t unknown_key(work_t *w, size_t server, const rs_keys_view_t *view)
{
    if (!view->fetching && !view->may_search)
        return decide(w, RS_KEY, STR_UNSET);
    rs_keys_want(w->rs->keys, server);
    w->out->need_keys = true;
    return decide(w, RS_KEYS_AWAY, STR_UNSET);
}

static rc_t no_keys(work_t *w, const rs_keys_view_t *view)
{
    w->out->need_keys = view->fetching || view->may_fetch;
    return decide(w, RS_KEYS_AWAY, STR_UNSET);
}

static rc_t verify(work_t *w)
{
    rs_token_t token;
    rs_keys_view_t view;
    TRY(rs_token_read(w->a, &w->rs->settings, w->text, &token));
    if (token.reason != RS_ALLOWED)
        return decide(w, token.reason, token.detail);
    rs_keys_look(w->rs->keys, token.server, &view);
    if (!view.set)
        return no_keys(w, &view);
    const jwk_t *key = jwks_find(rs_key_set_keys(view.set), token.jws.kid, token.jws.alg);
    rc_t rc = key ? judge_with(w, &token, key, &view) : unknown_key(w, token.server, &view);
    rs_key_set_unref(view.set);
    return rc;
}

rc_t rs_check(warder_rs_t *rs, arena_t *a, const warder_rs_request_t *req, rs_finding_t *out)
{
    *out = (rs_finding_t){.who = {"", "", "", "", "", 0}};
    work_t w = {.rs = rs, .a = a, .out = out};
    rs_reason_t first = credentials(req, &w.text);
    if (first != RS_ALLOWED)
        return decide(&w, first, STR_UNSET);
    w.now_ms =
        rs_now(&rs->anchor, rs->ports.now_ms(rs->ports.ctx), rs->ports.mono_ms(rs->ports.ctx));
    w.hash = rs_token_hash(rs->settings.resource, str_first(w.text, LIMIT_JWS_BYTES + 1));
    if (!recall(&w))
        TRY(verify(&w));
    if (out->reason == RS_ALLOWED && !oauth_scope_covers(str_c(out->who.scope), str_c(req->scope)))
        return decide(&w, RS_SCOPE, STR_UNSET);
    if (out->reason != RS_ALLOWED)
        out->who = (rs_principal_t){"", "", "", "", "", 0};
    return RC_OK;
}
