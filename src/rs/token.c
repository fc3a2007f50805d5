#include "rs/dialect.h"

static const struct {
    str_t text;
    int status;
    str_t error;
} REASONS[] = {
#define REASON(name, text, status, error, rule)                                                    \
    [RS_##name] = {STR_INIT(text), status, STR_INIT(error)},
#include "rs/reasons.def"
#undef REASON
};

str_t rs_reason_text(rs_reason_t reason)
{
    return REASONS[reason].text;
}

int rs_reason_status(rs_reason_t reason)
{
    return REASONS[reason].status;
}

str_t rs_reason_error(rs_reason_t reason)
{
    return REASONS[reason].error;
}

static void refuse(rs_token_t *t, rs_reason_t reason, str_t detail)
{
    t->reason = reason;
    t->detail = detail;
}

rc_t rs_token_read(arena_t *a, const rs_settings_t *s, str_t text, rs_token_t *out)
{
    *out = (rs_token_t){.reason = RS_ALLOWED};
    TRY(jws_parse(a, text, 0, &out->jws));
    if (out->jws.refusal != JWS_FINE) {
        refuse(out, RS_TOKEN, jws_refusal_name(out->jws.refusal));
        return RC_OK;
    }
    TRY(jwt_claims_parse(a, out->jws.payload, &out->claims));
    if (out->claims.refusal != JWT_FINE) {
        refuse(out, RS_TOKEN, jwt_refusal_name(out->claims.refusal));
        return RC_OK;
    }
    for (size_t i = 0; i < s->n_servers; i++)
        if (str_eq(out->claims.iss, s->servers[i].issuer)) {
            out->server = i;
            return rs_dialect_apply(a, &s->servers[i].dialect, out);
        }
    refuse(out, RS_ISSUER, STR_UNSET);
    return RC_OK;
}

/* What names somebody must read the same to all who handle it: a NUL or a line break inside would
 * let one subject pass for another. */
static bool is_fit(str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

/* The thumbprint a token is bound to (RFC 9449 section 6.1); unset: to anything else than one key
 * alone, of which nobody here can see a proof. */
static str_t bound_to(const jwt_claims_t *c)
{
    if (!json_is(c->cnf, JSON_OBJECT) || c->cnf->count != 1)
        return STR_UNSET;
    return json_get_str(c->cnf, STR("jkt"));
}

static rc_t fill(arena_t *a, const jwt_claims_t *c, rs_principal_t *who)
{
    str_t jkt = c->cnf ? bound_to(c) : STR_UNSET;
    const struct {
        str_t from;
        const char **to;
    } COPIES[] = {
        {c->iss, &who->iss},     {c->sub, &who->sub},         {c->client_id, &who->client_id},
        {c->scope, &who->scope}, {c->jti, &who->jti},         {jkt, &who->jkt},
        {c->acr, &who->acr},     {c->all->raw, &who->claims},
    };
    *who = (rs_principal_t){.exp_ms = c->exp_ms, .iat_ms = c->iat_ms, .auth_ms = c->auth_ms};
    for (size_t i = 0; i < sizeof COPIES / sizeof COPIES[0]; i++) {
        if (COPIES[i].to != &who->claims && !is_fit(COPIES[i].from))
            return RC_MALFORMED;
        *COPIES[i].to = str_is_set(COPIES[i].from) ? arena_cstr(a, COPIES[i].from) : "";
        if (!*COPIES[i].to)
            return RC_MEMORY;
    }
    return RC_OK;
}

static rc_t judge(arena_t *a, const rs_settings_t *s, const jwt_expect_t *expect, rs_token_t *token,
                  rs_principal_t *who)
{
    if (token->reason != RS_ALLOWED)
        return RC_OK;
    jwt_refusal_t claims = jwt_check(token->jws.typ, &token->claims, expect);
    if (claims != JWT_FINE) {
        refuse(token, RS_TOKEN, jwt_refusal_name(claims));
        return RC_OK;
    }
    /* Bound to a key of its holder: without the proof it is stolen goods. */
    bool bound = token->claims.cnf != NULL;
    if (bound && (s->dpop == WARDER_RS_DPOP_OFF || str_is_empty(bound_to(&token->claims)))) {
        refuse(token, RS_BOUND, STR_UNSET);
        return RC_OK;
    }
    rc_t rc = fill(a, &token->claims, who);
    if (rc != RC_MALFORMED)
        return rc;
    refuse(token, RS_CLAIM, STR_UNSET);
    return RC_OK;
}

static jwt_expect_t expect_of(const rs_settings_t *s, int64_t now_ms, const rs_token_t *token)
{
    return (jwt_expect_t){.issuer = s->servers[token->server].issuer,
                          .audiences = rs_dialect_audiences(&s->servers[token->server], token),
                          .now_ms = now_ms,
                          .leeway_ms = s->leeway_ms};
}

rc_t rs_token_judge_claims(arena_t *a, const rs_settings_t *s, int64_t now_ms, rs_token_t *token,
                           rs_principal_t *who)
{
    const jwt_expect_t expect = expect_of(s, now_ms, token);
    return judge(a, s, &expect, token, who);
}

rc_t rs_token_judge(arena_t *a, const rs_settings_t *s, const jwk_t *key, int64_t now_ms,
                    rs_token_t *token, rs_principal_t *who)
{
    jws_refusal_t signature = jws_verify(&token->jws, key);
    if (signature != JWS_FINE) {
        refuse(token, RS_TOKEN, jws_refusal_name(signature));
        return RC_OK;
    }
    jwt_expect_t expect = expect_of(s, now_ms, token);
    if (!rs_dialect_is_access_token(&s->servers[token->server].dialect, token)) {
        refuse(token, RS_NOT_ACCESS, STR_UNSET);
        return RC_OK;
    }
    if (!str_is_set(s->servers[token->server].dialect.typ))
        expect.typ = STR("at+jwt");
    return judge(a, s, &expect, token, who);
}
