#include "rs/check.h"

#include "core/limits.h"
#include "oauth/acr.h"
#include "oauth/scope.h"
#include "rs/bearer.h"

int64_t rs_now(const rs_anchor_t *anchor, int64_t wall_ms, int64_t mono_ms)
{
    int64_t passed = anchor->wall_ms + (mono_ms - anchor->mono_ms);
    return wall_ms > passed ? wall_ms : passed;
}

const rs_principal_t RS_NOBODY = {.iss = "",
                                  .sub = "",
                                  .client_id = "",
                                  .scope = "",
                                  .jti = "",
                                  .jkt = "",
                                  .acr = "",
                                  .claims = ""};

int64_t rs_clock(const warder_rs_t *rs)
{
    const warder_rs_ports_t *p = &rs->ports;
    return rs_now(&rs->anchor, p->now_ms(p->ctx), p->mono_ms(p->ctx));
}

typedef struct {
    warder_rs_t *rs;
    arena_t *a;
    const warder_rs_request_t *req;
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

static rs_reason_t credentials(work_t *w)
{
    static const rs_reason_t REASON[] = {
        [RS_BEARER_NONE] = RS_NO_TOKEN,     [RS_BEARER_OTHER] = RS_OTHER_SCHEME,
        [RS_BEARER_REPEATED] = RS_REPEATED, [RS_BEARER_MALFORMED] = RS_MALFORMED,
        [RS_BEARER_TOKEN] = RS_ALLOWED,     [RS_BEARER_DPOP] = RS_ALLOWED,
    };
    bool dpop = w->rs->settings.dpop != WARDER_RS_DPOP_OFF;
    rs_bearer_t read = rs_bearer_read(w->req->headers, w->req->header_count, dpop, &w->text);
    w->out->dpop = read == RS_BEARER_DPOP;
    return REASON[read];
}

/* Whether a good token was revoked since. `seen`: the generation of the list it was looked up in
 * before, replaced by the one it was looked up in now. */
static bool follow(work_t *w, size_t server, uint64_t *seen)
{
    rs_list_view_t list;
    rs_revocations_look(w->rs->revocations, server, &list);
    if (list.age == RS_LIST_WAIT || list.age == RS_LIST_AWAY) {
        w->out->need_keys = list.fetching || list.may_fetch;
        decide(w, RS_NO_LIST, STR_UNSET);
        return false;
    }
    w->out->refresh_due |= list.age == RS_LIST_DUE && list.may_fetch && !list.fetching;
    if (list.generation != *seen && rs_revocations_hold(w->rs->revocations, server, &w->out->who)) {
        decide(w, RS_REVOKED, STR_UNSET);
        return false;
    }
    *seen = list.generation;
    return true;
}

static void remember(work_t *w, rs_remembered_t *what)
{
    what->who = w->out->who;
    rs_token_cache_put(w->rs->cache, &w->hash, w->now_ms, what);
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
    uint64_t before = seen.revocations;
    w->out->who = seen.who;
    w->out->refresh_due = view.age == RS_KEYS_DUE && view.may_fetch && !view.fetching;
    decide(w, RS_ALLOWED, STR_UNSET);
    if (follow(w, seen.server, &seen.revocations) && before != seen.revocations)
        remember(w, &seen);
    return true;
}

static rc_t judge_with(work_t *w, rs_token_t *token, const jwk_t *key, const rs_keys_view_t *view)
{
    TRY(rs_token_judge(w->a, &w->rs->settings, key, w->now_ms, token, &w->out->who));
    w->out->refresh_due = view->age == RS_KEYS_DUE && view->may_fetch && !view->fetching;
    decide(w, token->reason, token->detail);
    if (token->reason != RS_ALLOWED)
        return RC_OK;
    rs_remembered_t what = {.server = token->server, .keys = rs_key_set_generation(view->set)};
    if (follow(w, token->server, &what.revocations))
        remember(w, &what);
    return RC_OK;
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

/* What is no JWT says nothing here: its server is asked. */
static rc_t ask_server(work_t *w)
{
    static const rs_reason_t REASON[] = {[RS_ASKED_ACTIVE] = RS_ALLOWED,
                                         [RS_ASKED_INACTIVE] = RS_INACTIVE,
                                         [RS_ASKED_WAIT] = RS_NO_ANSWER,
                                         [RS_ASKED_FULL] = RS_NO_ANSWER,
                                         [RS_ASKED_AWAY] = RS_NO_ANSWER};
    uint64_t seen = 0;
    rs_asked_t asked = rs_introspection_look(w->rs->introspection, w->a, &w->hash, w->text,
                                             RS_ASKER_CALLER, &w->out->who);
    w->out->need_keys = asked == RS_ASKED_WAIT;
    decide(w, REASON[asked], STR_UNSET);
    if (asked == RS_ASKED_ACTIVE)
        follow(w, w->rs->settings.introspector, &seen);
    return RC_OK;
}

/* One that the server would not take as too long would look like a server that is away, for all. */
bool rs_check_asks(const warder_rs_t *rs, str_t token)
{
    return rs->introspection && token.n <= LIMIT_RS_OPAQUE_BYTES &&
           str_find(token, '.', 0) == token.n;
}

warder_rs_still_t rs_check_still(warder_rs_t *rs, arena_t *a, str_t token, bool *refresh_due,
                                 bool *full)
{
    rs_principal_t who;
    *refresh_due = *full = false;
    if (!rs_check_asks(rs, token) || !rs_bearer_is_token(token))
        return WARDER_RS_STILL;
    rs_token_hash_t hash = rs_token_hash(rs->settings.resource, token);
    rs_asked_t asked =
        rs_introspection_look(rs->introspection, a, &hash, token, RS_ASKER_STREAM, &who);
    *full = asked == RS_ASKED_FULL;
    *refresh_due = asked == RS_ASKED_WAIT || *full;
    if (asked == RS_ASKED_ACTIVE)
        return WARDER_RS_STILL;
    return asked == RS_ASKED_INACTIVE ? WARDER_RS_ENDED : WARDER_RS_UNSURE;
}

static rc_t verify(work_t *w)
{
    if (!rs_bearer_is_token(w->text))
        return decide(w, RS_MALFORMED, STR_UNSET);
    if (rs_check_asks(w->rs, w->text))
        return ask_server(w);
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

/* Where clients send such requests, by the settings. The resource is served with a slash more or
 * less at its end, too: clients sign the one that they ask for (RFC 9449 section 4.2), and a proxy
 * may turn that into the other. */
static rc_t put_url(const work_t *w, oauth_dpop_expect_t *e)
{
    const rs_settings_t *s = &w->rs->settings;
    if (!w->req->path) {
        e->url = s->resource;
        e->twin = s->twin;
        return RC_OK;
    }
    e->url = arena_printf(w->a, "%" PRIstr "%s", STR_ARG(s->origin), w->req->path);
    return str_is_set(e->url) ? RC_OK : RC_MEMORY;
}

/* The nonces of this resource. */
static oauth_dpop_nonces_t nonces_of(const warder_rs_t *rs)
{
    return (oauth_dpop_nonces_t){str_of(rs->nonce_key, sizeof rs->nonce_key),
                                 rs->settings.resource};
}

static rc_t read_proof(const work_t *w, oauth_dpop_t *out)
{
    const oauth_dpop_nonces_t nonces = nonces_of(w->rs);
    size_t n = w->req->proof_count;
    str_t *proofs = ARENA_ARRAY(w->a, n ? n : 1, str_t);
    oauth_dpop_expect_t expect = {
        .method = str_c(w->req->method),
        .access_token = w->text,
        .now_ms = w->now_ms,
        .nonces = w->rs->settings.dpop_nonce ? &nonces : NULL,
    };
    if (!proofs)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++)
        proofs[i] = str_c(w->req->proofs[i]);
    TRY(put_url(w, &expect));
    return oauth_dpop_check(w->a, (str_list_t){proofs, n}, &expect, out);
}

static rc_t refuse_proof(work_t *w, oauth_reason_t reason)
{
    bool nonce = str_eq(oauth_reason_error(reason), STR("use_dpop_nonce"));
    return decide(w, nonce ? RS_NONCE : RS_PROOF, oauth_reason_name(reason));
}

/* A bound token needs the proof of its key, each time; a token that was remembered, too. */
static rc_t check_proof(work_t *w)
{
    oauth_dpop_t proof;
    TRY(read_proof(w, &proof));
    if (proof.reason != OAUTH_FINE)
        return refuse_proof(w, proof.reason);
    if (!str_is_set(proof.jkt))
        return refuse_proof(w, OAUTH_DPOP_MISSING);
    if (!str_eq(proof.jkt, str_c(w->out->who.jkt)))
        return decide(w, RS_OTHER_KEY, STR_UNSET);
    const hash_t name = oauth_dpop_name(&proof);
    rc_t rc = rs_proofs_spend(w->rs->proofs, &name, w->now_ms / 1000, oauth_dpop_forget_at(&proof));
    if (rc == RC_CONFLICT)
        return refuse_proof(w, OAUTH_DPOP_REPLAYED);
    w->out->proved = rc == RC_OK;
    w->out->proof = name;
    w->out->forget_at = oauth_dpop_forget_at(&proof);
    return rc == RC_LIMIT ? decide(w, RS_PROOFS_FULL, STR_UNSET) : rc;
}

static rc_t check_binding(work_t *w)
{
    bool bound = w->out->who.jkt[0] != '\0';
    if (w->out->dpop)
        return bound ? check_proof(w) : decide(w, RS_NOT_BOUND, STR_UNSET);
    if (bound)
        return decide(w, RS_BOUND, STR_UNSET);
    bool needed = w->rs->settings.dpop == WARDER_RS_DPOP_REQUIRED;
    return needed ? decide(w, RS_NOT_BOUND, STR_UNSET) : RC_OK;
}

/* What is open stays so while its list is on the way, and no longer than it counts. */
bool rs_check_lives(warder_rs_t *rs, const rs_principal_t *who, bool *refresh_due)
{
    const rs_settings_t *s = &rs->settings;
    size_t server = 0;
    rs_list_view_t list;
    *refresh_due = false;
    while (server < s->n_servers && !str_eq(s->servers[server].issuer, str_c(who->iss)))
        server++;
    if (server == s->n_servers || rs_clock(rs) >= who->exp_ms + s->leeway_ms)
        return false;
    rs_revocations_look(rs->revocations, server, &list);
    *refresh_due = list.age != RS_LIST_FRESH && list.may_fetch && !list.fetching;
    return list.age != RS_LIST_AWAY && !rs_revocations_hold(rs->revocations, server, who);
}

/* How well and how lately the person signed in (RFC 9470 section 3). A token that does not say was
 * given to nobody, or long ago. */
static bool is_authenticated(const work_t *w)
{
    const rs_principal_t *who = &w->out->who;
    int64_t max_age_ms = w->req->max_age_s * 1000LL + w->rs->settings.leeway_ms;
    if (w->req->acr_values && !oauth_acr_meets(str_c(who->acr), str_c(w->req->acr_values)))
        return false;
    return w->req->max_age_s <= 0 || (who->auth_ms > 0 && w->now_ms - who->auth_ms <= max_age_ms);
}

rc_t rs_check(warder_rs_t *rs, arena_t *a, const warder_rs_request_t *req, rs_finding_t *out)
{
    *out = (rs_finding_t){.who = RS_NOBODY};
    work_t w = {.rs = rs, .a = a, .req = req, .out = out, .now_ms = rs_clock(rs)};
    const oauth_dpop_nonces_t nonces = nonces_of(rs);
    if (rs->settings.dpop_nonce)
        TRY(oauth_dpop_nonce_make(a, &nonces, w.now_ms / 1000, &out->nonce));
    rs_reason_t first = credentials(&w);
    if (first != RS_ALLOWED)
        return decide(&w, first, STR_UNSET);
    w.hash = rs_token_hash(rs->settings.resource, str_first(w.text, LIMIT_JWS_BYTES + 1));
    if (!recall(&w))
        TRY(verify(&w));
    if (out->reason == RS_ALLOWED)
        TRY(check_binding(&w));
    if (out->reason == RS_ALLOWED && !is_authenticated(&w)) {
        out->acr_values = str_c(req->acr_values);
        out->max_age_s = req->max_age_s;
        return decide(&w, RS_AUTHENTICATION, STR_UNSET);
    }
    if (out->reason == RS_ALLOWED && !oauth_scope_covers(str_c(out->who.scope), str_c(req->scope)))
        return decide(&w, RS_SCOPE, STR_UNSET);
    if (out->reason != RS_ALLOWED)
        out->who = RS_NOBODY;
    return RC_OK;
}

void rs_check_spent(rs_finding_t *f, rc_t rc)
{
    if (rc == RC_OK)
        return;
    f->reason = rc == RC_CONFLICT ? RS_PROOF : RS_PROOFS_FULL;
    f->detail = rc == RC_CONFLICT ? oauth_reason_name(OAUTH_DPOP_REPLAYED) : STR_UNSET;
}
