#include "rs/verdict.h"

#include "core/json.h"
#include "core/limits.h"
#include "oauth/challenge.h"
#include "oauth/scope.h"

typedef struct {
    warder_rs_verdict_t public; /* first: the caller's pointer is ours */
    arena_t *arena;
} verdict_t;

/* One sentence for each error code and no more: what exactly is wrong with a token helps whoever
 * forges one, and goes to the audit instead. */
static const struct {
    str_t error, description;
} DESCRIPTIONS[] = {
    {STR_INIT("invalid_request"), STR_INIT("Send one Authorization header with one bearer token")},
    {STR_INIT("invalid_token"), STR_INIT("The access token is not valid for this resource")},
    {STR_INIT("invalid_dpop_proof"), STR_INIT("The DPoP proof is not valid for this request")},
    {STR_INIT("use_dpop_nonce"),
     STR_INIT("The DPoP proof must hold the nonce of the DPoP-Nonce header")},
    {STR_INIT("insufficient_user_authentication"),
     STR_INIT("The operation needs the person to sign in again, or in a stronger way")},
    {STR_INIT("insufficient_scope"), STR_INIT("The operation needs more scope")},
    {STR_INIT("temporarily_unavailable"), STR_INIT("Tokens cannot be checked just now")},
};

static str_t description_of(str_t error)
{
    for (size_t i = 0; i < sizeof DESCRIPTIONS / sizeof DESCRIPTIONS[0]; i++)
        if (str_eq(DESCRIPTIONS[i].error, error))
            return DESCRIPTIONS[i].description;
    return STR_UNSET;
}

static rc_t cstr(arena_t *a, str_t s, const char **out)
{
    *out = str_is_set(s) ? arena_cstr(a, s) : "";
    return *out ? RC_OK : RC_MEMORY;
}

static rc_t algs_text(arena_t *a, str_t *out)
{
    str_list_t names = oauth_dpop_alg_names();
    buf_t b = buf_new(a, LIMIT_CHALLENGE_BYTES);
    for (size_t i = 0; i < names.n; i++) {
        buf_put(&b, i > 0 ? STR(" ") : STR(""));
        buf_put(&b, names.v[i]);
    }
    return buf_done(&b, out);
}

/* The schemes to offer. Who came with one of them hears of it in the same; who has shown no bound
 * token hears of Bearer first, as many clients read no further. */
static bool offers_bearer(const rs_settings_t *s, const rs_finding_t *found)
{
    if (s->dpop == WARDER_RS_DPOP_OFF)
        return true;
    return s->dpop == WARDER_RS_DPOP_OPTIONAL && !found->dpop && found->reason != RS_BOUND;
}

static bool offers_dpop(const rs_settings_t *s, const rs_finding_t *found)
{
    if (s->dpop == WARDER_RS_DPOP_OFF)
        return false;
    return !offers_bearer(s, found) ||
           (found->reason != RS_SCOPE && found->reason != RS_AUTHENTICATION);
}

static rc_t write_schemes(const rs_settings_t *s, arena_t *a, const rs_finding_t *found,
                          oauth_challenge_t *c, str_t *out)
{
    str_t bearer, algs;
    if (offers_bearer(s, found)) {
        TRY(oauth_challenge_write(a, c, out));
        if (!offers_dpop(s, found))
            return RC_OK;
        *c = (oauth_challenge_t){.resource_metadata = c->resource_metadata};
    }
    bearer = offers_bearer(s, found) ? *out : STR_UNSET;
    TRY(algs_text(a, &algs));
    c->dpop_algs = algs;
    TRY(oauth_challenge_write(a, c, out));
    if (str_is_set(bearer))
        *out = arena_printf(a, "%" PRIstr ", %" PRIstr, STR_ARG(bearer), STR_ARG(*out));
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

/* What the token grants, without what no challenge should say: offline_access is the client's to
 * ask for (MCP 2026-07-28, Authorization, "Refresh Tokens"). */
static rc_t granted_scopes(arena_t *a, str_t granted, str_t *out)
{
    str_t token;
    buf_t b = buf_new(a, granted.n + 1);
    while (oauth_scope_next(&granted, &token)) {
        if (!oauth_scope_is_token(token) || str_eq(token, STR("offline_access")))
            continue;
        buf_put(&b, b.n > 0 ? STR(" ") : STR(""));
        buf_put(&b, token);
    }
    return buf_done(&b, out);
}

/* Beyond what a header line holds, what is needed alone. */
static rc_t add_granted(arena_t *a, const char *granted, str_t *needed)
{
    str_t known, all;
    TRY(granted_scopes(a, str_c(granted), &known));
    rc_t rc = oauth_scope_union(a, known, *needed, &all);
    if (rc == RC_OK && all.n <= LIMIT_SCOPE_BYTES)
        *needed = all;
    return rc == RC_LIMIT ? RC_OK : rc;
}

static rc_t write_challenge(const rs_settings_t *s, arena_t *a, const rs_finding_t *found,
                            str_t needed, const char **out)
{
    rs_reason_t reason = found->reason;
    str_t text, error = rs_reason_error(reason);
    if (s->repeat_scopes && reason == RS_SCOPE)
        TRY(add_granted(a, found->who.scope, &needed));
    bool good = (reason == RS_SCOPE || reason == RS_AUTHENTICATION) && str_is_set(needed);
    /* A client without a good token gets what to ask for at least, one with a good token that is
     * not enough all that the operation needs, in one challenge. */
    oauth_challenge_t c = {.error = str_is_empty(error) ? STR_UNSET : error,
                           .error_description = description_of(error),
                           .scope = good || !str_is_set(s->scopes) ? needed : s->scopes,
                           .acr_values = found->acr_values,
                           .resource_metadata = s->metadata_url};
    if (str_is_empty(c.scope))
        c.scope = STR_UNSET;
    if (found->max_age_s > 0) {
        c.max_age = arena_printf(a, "%d", found->max_age_s);
        if (!str_is_set(c.max_age))
            return RC_MEMORY;
    }
    TRY(write_schemes(s, a, found, &c, &text));
    return cstr(a, text, out);
}

static rc_t write_body(arena_t *a, str_t error, const char **out)
{
    *out = "";
    if (str_is_empty(error))
        return RC_OK;
    str_t text;
    buf_t b = buf_new(a, LIMIT_CHALLENGE_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("error"), error);
    json_member_str(&w, STR("error_description"), description_of(error));
    json_end_object(&w);
    TRY(buf_done(&b, &text));
    return cstr(a, text, out);
}

static rc_t fill_refusal(const rs_settings_t *s, arena_t *a, const rs_finding_t *found,
                         str_t needed, warder_rs_verdict_t *v)
{
    rs_reason_t reason = found->reason;
    v->outcome = WARDER_RS_DENY;
    v->status = rs_reason_status(reason);
    TRY(cstr(a, rs_reason_error(reason), &v->error));
    TRY(write_body(a, rs_reason_error(reason), &v->body));
    if (v->status != 503)
        return write_challenge(s, a, found, needed, &v->www_authenticate);
    v->retry_after_s = (int)(s->refetch_ms / 1000);
    return RC_OK;
}

rc_t rs_verdict_fill(const rs_settings_t *s, arena_t *a, const rs_finding_t *found, str_t needed,
                     warder_rs_verdict_t *v)
{
    const rs_principal_t *who = &found->who;
    *v = (warder_rs_verdict_t){.outcome = WARDER_RS_ALLOW,
                               .status = 200,
                               .www_authenticate = "",
                               .body = "",
                               .error = "",
                               .refresh_due = found->refresh_due,
                               .iss = who->iss,
                               .sub = who->sub,
                               .client_id = who->client_id,
                               .scope = who->scope,
                               .jti = who->jti,
                               .jkt = who->jkt,
                               .acr = who->acr,
                               .claims = who->claims,
                               .auth_time = who->auth_ms > 0 ? who->auth_ms / 1000 : 0,
                               .iat = who->iat_ms < 0 ? -1 : who->iat_ms / 1000,
                               .exp = who->exp_ms / 1000};
    str_t reason = str_is_set(found->detail) ? found->detail : rs_reason_text(found->reason);
    TRY(cstr(a, reason, &v->reason));
    TRY(cstr(a, found->nonce, &v->dpop_nonce));
    if (found->reason != RS_ALLOWED)
        TRY(fill_refusal(s, a, found, needed, v));
    if (found->need_keys)
        v->outcome = WARDER_RS_NEED_KEYS;
    return RC_OK;
}

warder_rs_verdict_t *rs_verdict_make(const rs_settings_t *s, arena_t *a, const rs_finding_t *found,
                                     str_t needed)
{
    verdict_t *v = ARENA_NEW(a, verdict_t);
    if (!v || rs_verdict_fill(s, a, found, needed, &v->public) != RC_OK) {
        arena_free(a);
        return NULL;
    }
    v->arena = a;
    return &v->public;
}

void warder_rs_verdict_free(warder_rs_verdict_t *verdict)
{
    if (verdict)
        arena_free(((verdict_t *)verdict)->arena);
}
