#include "kit/access.h"

#include "rs/credentials.h"

/* One check whose keys are on their way. In the exchange's arena, which lives until the answer. */
typedef struct {
    kit_access_t *access;
    http_exchange_t *x;
    void (*done)(void *arg, const mcp_access_t *verdict);
    void *arg;
    warder_rs_request_t request;
    rs_credentials_t credentials;
} check_t;

static const mcp_access_t NO_MEMORY = {.status = 503,
                                       .retry_after_s = 1,
                                       .error = STR_INIT("temporarily_unavailable"),
                                       .reason = STR_INIT("out_of_memory")};

static str_t keep(arena_t *a, const char *text)
{
    return text[0] ? arena_dup(a, str_c(text)) : STR_UNSET;
}

static mcp_access_t convert(arena_t *a, const warder_rs_verdict_t *v)
{
    mcp_access_t out = {
        .allowed = v->outcome == WARDER_RS_ALLOW,
        /* Keys that are still missing after the fetch are ours to answer for (rs.h). */
        .status = v->outcome == WARDER_RS_NEED_KEYS ? 503 : v->status,
        .challenge = keep(a, v->www_authenticate),
        .retry_after_s = v->retry_after_s,
        .error = keep(a, v->error),
        .reason = keep(a, v->reason),
        .issuer = keep(a, v->iss),
        .subject = keep(a, v->sub),
        .client = keep(a, v->client_id),
        .scope = keep(a, v->scope),
        .token_id = keep(a, v->jti),
        .expires_at = v->exp,
        .issued_at = v->iat,
        .key = keep(a, v->jkt),
        .nonce = keep(a, v->dpop_nonce),
    };
    /* Who it is decides whose session it is: half a name must not pass for a whole one. */
    bool whole = out.issuer.p && out.subject.p && (out.client.p || !v->client_id[0]);
    return out.allowed && !whole ? NO_MEMORY : out;
}

static void finish(const check_t *k, warder_rs_verdict_t *v)
{
    mcp_access_t out = v ? convert(k->x->arena, v) : NO_MEMORY;
    warder_rs_verdict_free(v);
    k->done(k->arg, &out);
}

static void fetch_keys(void *arg)
{
    check_t *k = arg;
    warder_rs_refresh(k->access->rs);
}

static void on_keys(void *arg)
{
    const check_t *k = arg;
    finish(k, warder_rs_check_now(k->access->rs, &k->request));
}

static void refresh(void *arg)
{
    kit_access_t *a = arg;
    warder_rs_refresh(a->rs);
}

static void on_refreshed(void *arg)
{
    kit_access_t *a = arg;
    atomic_store(&a->refreshing, false);
}

/* Keys are about to go stale: fetch new ones while the old still serve. */
static void refresh_early(kit_access_t *a, http_exchange_t *x)
{
    if (atomic_exchange(&a->refreshing, true))
        return;
    if (http_pool_run(a->pool, a->back(x), refresh, on_refreshed, a) != RC_OK)
        atomic_store(&a->refreshing, false);
}

static rc_t read_request(check_t *k)
{
    rc_t rc = rs_credentials_read(k->x, &k->credentials, &k->request);
    k->request.acr_values = k->access->acr_values;
    k->request.max_age_s = k->access->max_age_s;
    return rc;
}

static void check(void *ctx, http_exchange_t *x,
                  void (*done)(void *arg, const mcp_access_t *verdict), void *arg)
{
    kit_access_t *a = ctx;
    check_t *k = ARENA_NEW(x->arena, check_t);
    if (!k) {
        done(arg, &NO_MEMORY);
        return;
    }
    *k = (check_t){.access = a, .x = x, .done = done, .arg = arg};
    warder_rs_verdict_t *v =
        read_request(k) == RC_OK ? warder_rs_check_now(a->rs, &k->request) : NULL;
    if (v && v->outcome == WARDER_RS_NEED_KEYS &&
        http_pool_run(a->pool, a->back(x), fetch_keys, on_keys, k) == RC_OK) {
        warder_rs_verdict_free(v);
        return;
    }
    if (v && v->refresh_due)
        refresh_early(a, x);
    finish(k, v);
}

static bool covers(void *ctx, str_t granted, str_t needed)
{
    char g[8192], n[256];
    (void)ctx;
    /* Both are ours or of a verified token; what is too long or holds a NUL covers nothing. */
    if (granted.n >= sizeof g || needed.n >= sizeof n ||
        (granted.n > 0 && memchr(granted.p, 0, granted.n)))
        return false;
    memcpy(g, granted.n > 0 ? granted.p : "", granted.n);
    memcpy(n, needed.n > 0 ? needed.p : "", needed.n);
    g[granted.n] = n[needed.n] = '\0';
    return warder_rs_scope_covers(g, n);
}

/* Texts of keep end in a NUL. */
static const char *text_of(str_t s)
{
    return s.p ? s.p : "";
}

static str_t insufficient(void *ctx, arena_t *arena, const mcp_access_t *who, str_t needed)
{
    kit_access_t *a = ctx;
    const char *text = arena_cstr(arena, needed);
    warder_rs_verdict_t *v =
        text ? warder_rs_insufficient_beyond(a->rs, text_of(who->key), text_of(who->scope), text)
             : NULL;
    str_t out = v ? keep(arena, v->www_authenticate) : STR_UNSET;
    warder_rs_verdict_free(v);
    return out;
}

static bool lives(void *ctx, http_exchange_t *x, const mcp_access_t *who)
{
    bool due;
    kit_access_t *a = ctx;
    const warder_rs_token_t token = {text_of(who->issuer), text_of(who->subject),
                                     text_of(who->client), text_of(who->token_id),
                                     who->issued_at,       who->expires_at};
    bool alive = warder_rs_lives(a->rs, &token, &due);
    if (due)
        refresh_early(a, x);
    return alive;
}

mcp_access_port_t kit_access_port(kit_access_t *a)
{
    return (mcp_access_port_t){check, covers, insufficient, a, lives};
}

mcp_scope_port_t kit_scope_port(void)
{
    return (mcp_scope_port_t){covers, NULL};
}
