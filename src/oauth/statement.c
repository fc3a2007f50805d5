#include "oauth/statement.h"

#include "core/limits.h"
#include "jose/jwt.h"
#include "oauth/metadata.h"

enum { LEEWAY_MS = 60000 };

/* What an access or ID token of the same issuer does not say. */
static const str_t ABOUT_CLIENTS[] = {
    STR_INIT("software_id"), STR_INIT("client_name"), STR_INIT("redirect_uris"),
    STR_INIT("client_uri"),  STR_INIT("grant_types"),
};

static bool is_about_a_client(const json_t *claims)
{
    for (size_t i = 0; i < sizeof ABOUT_CLIENTS / sizeof ABOUT_CLIENTS[0]; i++)
        if (json_get(claims, ABOUT_CLIENTS[i]))
            return true;
    return false;
}

static bool typ_fits(str_t typ)
{
    static const str_t PREFIX = STR_INIT("application/");
    if (str_eq_nocase(str_first(typ, PREFIX.n), PREFIX))
        typ = str_skip(typ, PREFIX.n);
    return !str_is_set(typ) || str_eq_nocase(typ, STR("JWT")) ||
           str_eq_nocase(typ, STR("software-statement+jwt"));
}

static rc_t read_claims(arena_t *a, str_t text, jws_t *jws, jwt_claims_t *claims, bool *ok)
{
    *ok = false;
    TRY(jws_parse(a, text, 0, jws));
    if (jws->refusal != JWS_FINE || !typ_fits(jws->typ))
        return RC_OK;
    TRY(jwt_claims_parse(a, jws->payload, claims));
    *ok = claims->refusal == JWT_FINE && str_is_set(claims->iss) && is_about_a_client(claims->all);
    return RC_OK;
}

rc_t oauth_statement_read(arena_t *a, str_t body, oauth_statement_t *out)
{
    static const json_limits_t LIMITS = {LIMIT_REGISTRATION_BYTES, 16, 4096};
    const json_t *all;
    jws_t jws;
    jwt_claims_t claims;
    bool ok;
    *out = (oauth_statement_t){.reason = OAUTH_METADATA_MALFORMED};
    rc_t rc = json_parse(a, body, &LIMITS, &all);
    if (rc == RC_MEMORY)
        return rc;
    if (rc != RC_OK || !json_is(all, JSON_OBJECT))
        return RC_OK;
    const json_t *member = json_get(all, STR("software_statement"));
    out->reason = OAUTH_FINE;
    if (!member || json_is(member, JSON_NULL))
        return RC_OK;
    out->given = true;
    out->reason = OAUTH_STATEMENT_MALFORMED;
    if (!json_is(member, JSON_STRING))
        return RC_OK;
    out->text = member->str;
    TRY(read_claims(a, out->text, &jws, &claims, &ok));
    if (!ok)
        return RC_OK;
    out->issuer = claims.iss;
    out->reason = OAUTH_FINE;
    return RC_OK;
}

static rc_t check_signature(arena_t *a, const oauth_statement_facts_t *f,
                            const oauth_issuer_t *issuer, const jws_t *jws, bool *fits)
{
    jwks_t keys = {0};
    str_t text = str_is_set(issuer->jwks) ? issuer->jwks : f->keys;
    *fits = false;
    if (!str_is_set(text) || !oauth_issuer_takes(issuer, jws->alg))
        return RC_OK;
    rc_t rc = jwks_parse(a, text, &keys);
    if (rc == RC_MEMORY)
        return rc;
    const jwk_t *key = rc == RC_OK ? jwks_find(&keys, jws->kid, jws->alg) : NULL;
    *fits = key && jws_verify(jws, key) == JWS_FINE;
    return RC_OK;
}

static bool audience_fits(str_list_t aud, str_t issuer)
{
    for (size_t i = 0; i < aud.n; i++) {
        str_t rest = str_skip(aud.v[i], issuer.n);
        if (str_starts(aud.v[i], issuer) && (rest.n == 0 || str_eq(rest, STR(OAUTH_PATH_REGISTER))))
            return true;
    }
    return aud.n == 0;
}

/* A statement may be for ever (RFC 7591 section 2.3 asks for no exp). */
static bool time_fits(const jwt_claims_t *claims, int64_t now)
{
    jwt_claims_t timed = *claims;
    if (timed.exp_ms == JWT_TIME_ABSENT)
        timed.exp_ms = INT64_MAX / 2;
    return jwt_check_time(&timed, now * 1000, LEEWAY_MS) == JWT_FINE;
}

static rc_t judge(arena_t *a, const oauth_statement_facts_t *f, const jws_t *jws,
                  const jwt_claims_t *claims, oauth_reason_t *reason)
{
    bool fits;
    const oauth_issuer_t *issuer =
        oauth_issuer_find(&f->settings->issuers, claims->iss, OAUTH_ISSUER_SOFTWARE_STATEMENT);
    *reason = OAUTH_STATEMENT_ISSUER;
    if (!issuer)
        return RC_OK;
    TRY(check_signature(a, f, issuer, jws, &fits));
    *reason = OAUTH_FINE;
    if (!fits)
        *reason = f->away ? OAUTH_STATEMENT_KEYS_AWAY : OAUTH_STATEMENT_SIGNATURE;
    else if (!audience_fits(claims->aud, f->settings->issuer))
        *reason = OAUTH_STATEMENT_AUDIENCE;
    else if (!time_fits(claims, f->now))
        *reason = OAUTH_STATEMENT_TIME;
    return RC_OK;
}

static bool says(const json_t *claims, str_t name, json_type_t type)
{
    const json_t *v = json_get(claims, name);
    return json_is(v, type) && (v->count > 0 || v->str.n > 0);
}

str_t oauth_statement_voucher(const oauth_statement_t *statement)
{
    const json_t *claims = statement->claims;
    bool all = claims && says(claims, STR("client_name"), JSON_STRING) &&
               says(claims, STR("redirect_uris"), JSON_ARRAY);
    return all ? statement->issuer : STR_UNSET;
}

rc_t oauth_statement_take(arena_t *a, const oauth_statement_facts_t *facts, str_t body,
                          oauth_statement_t *out)
{
    jws_t jws;
    jwt_claims_t claims;
    bool ok;
    *out = (oauth_statement_t){0};
    if (!oauth_issuer_any(&facts->settings->issuers, OAUTH_ISSUER_SOFTWARE_STATEMENT) &&
        !facts->required)
        return RC_OK;
    TRY(oauth_statement_read(a, body, out));
    if (!out->given && out->reason == OAUTH_FINE && facts->required)
        out->reason = OAUTH_STATEMENT_MISSING;
    if (!out->given || out->reason != OAUTH_FINE)
        return RC_OK;
    TRY(read_claims(a, out->text, &jws, &claims, &ok));
    out->reason = OAUTH_STATEMENT_MALFORMED;
    if (ok)
        TRY(judge(a, facts, &jws, &claims, &out->reason));
    if (out->reason == OAUTH_FINE)
        out->claims = claims.all;
    return RC_OK;
}
