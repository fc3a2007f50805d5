/* From the code to the person. */
#include "identity/upstream.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/limits.h"
#include "core/secret.h"
#include "identity/upstream_rule.h"
#include "identity/username.h"
#include "jose/digest.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "jose/jwt.h"

/* Clocks differ by so much; a person who was to sign in anew did so not much before we sent them.
 */
enum { LEEWAY_S = 60, ACR_MAX = 128, SUBJECT_MAX = 255, NAME_TAIL_BYTES = 4 };

typedef identity_upstream_verdict_t verdict_t;

/* ---- the request ---- */

static void put(buf_t *b, const char *name, str_t value)
{
    buf_fmt(b, "%s%s=", b->n ? "&" : "", name);
    buf_form(b, value);
}

/* Standard alphabet with padding (RFC 7617), of what is form-encoded (RFC 6749 section 2.3.1). */
static rc_t basic(arena_t *a, const identity_upstream_t *u, str_t *out)
{
    static const char SIGNS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    str_t both;
    buf_t plain = buf_new(a, LIMIT_CONF_VALUE_BYTES * 6),
          b = buf_new(a, LIMIT_CONF_VALUE_BYTES * 8);
    buf_form(&plain, u->client_id);
    buf_char(&plain, ':');
    buf_form(&plain, u->secret);
    TRY(buf_done(&plain, &both));
    buf_put(&b, STR("Basic "));
    for (size_t i = 0; i < both.n; i += 3) {
        uint8_t p[3] = {0};
        size_t n = both.n - i < 3 ? both.n - i : 3;
        memcpy(p, both.p + i, n);
        buf_char(&b, SIGNS[p[0] >> 2]);
        buf_char(&b, SIGNS[(p[0] & 3) << 4 | p[1] >> 4]);
        buf_char(&b, n > 1 ? SIGNS[(p[1] & 15) << 2 | p[2] >> 6] : '=');
        buf_char(&b, n > 2 ? SIGNS[p[2] & 63] : '=');
    }
    secret_wipe(plain.p, plain.n);
    return buf_done(&b, out);
}

rc_t identity_upstream_exchange(arena_t *a, const identity_upstream_t *u,
                                const identity_upstream_provider_t *p,
                                const identity_upstream_pending_t *pending, str_t code, str_t *form,
                                str_t *authorization)
{
    buf_t b = buf_new(a, LIMIT_FORM_BYTES);
    bool by_header = str_is_set(u->secret) && p->takes_basic;
    *authorization = STR_UNSET;
    put(&b, "grant_type", STR("authorization_code"));
    put(&b, "code", code);
    put(&b, "redirect_uri", u->redirect_uri);
    put(&b, "code_verifier", pending->verifier);
    if (by_header)
        TRY(basic(a, u, authorization));
    else
        put(&b, "client_id", u->client_id);
    if (str_is_set(u->secret) && !by_header)
        put(&b, "client_secret", u->secret);
    return buf_done(&b, form);
}

/* ---- the ID token ---- */

/* Some providers leave it out; another kind of token is none of these. */
static bool is_typ(str_t typ)
{
    return !str_is_set(typ) || str_eq_nocase(typ, STR("JWT"));
}

/* Signature and claims, in the order of OpenID Connect Core section 3.1.3.7. */
static verdict_t verify(arena_t *a, str_t token, str_t jwks, jwt_claims_t *claims, rc_t *rc)
{
    jws_t jws;
    jwks_t keys;
    *rc = jws_parse(a, token, 0, &jws);
    if (*rc != RC_OK || jws.refusal != JWS_FINE || !is_typ(jws.typ))
        return IDENTITY_UPSTREAM_ID_TOKEN_MALFORMED;
    if (jwks_parse(a, jwks, &keys) != RC_OK)
        return IDENTITY_UPSTREAM_ID_TOKEN_KEY;
    const jwk_t *key = jwks_find(&keys, jws.kid, jws.alg);
    if (!key)
        return IDENTITY_UPSTREAM_ID_TOKEN_KEY;
    if (jws_verify(&jws, key) != JWS_FINE)
        return IDENTITY_UPSTREAM_ID_TOKEN_SIGNATURE;
    *rc = jwt_claims_parse(a, jws.payload, claims);
    return *rc == RC_OK && claims->refusal == JWT_FINE ? IDENTITY_UPSTREAM_FINE
                                                       : IDENTITY_UPSTREAM_ID_TOKEN_MALFORMED;
}

static bool is_party(const identity_upstream_t *u, const jwt_claims_t *claims)
{
    const json_t *azp = json_get(claims->all, STR("azp"));
    if (!azp)
        return claims->aud.n == 1;
    return json_is(azp, JSON_STRING) && str_eq(azp->str, u->client_id);
}

static bool is_in_time(const jwt_claims_t *claims, int64_t now)
{
    return claims->exp_ms != JWT_TIME_ABSENT && claims->iat_ms != JWT_TIME_ABSENT &&
           jwt_check_time(claims, now * 1000, LEEWAY_S * 1000) == JWT_FINE;
}

static verdict_t judge(const identity_upstream_t *u, const identity_upstream_pending_t *pending,
                       const jwt_claims_t *claims, int64_t now)
{
    str_t nonce = json_get_str(claims->all, STR("nonce"));
    if (!str_eq(claims->iss, u->issuer))
        return IDENTITY_UPSTREAM_ID_TOKEN_ISSUER;
    if (!str_list_has(claims->aud, u->client_id))
        return IDENTITY_UPSTREAM_ID_TOKEN_AUDIENCE;
    if (!is_party(u, claims))
        return IDENTITY_UPSTREAM_ID_TOKEN_PARTY;
    if (!is_in_time(claims, now))
        return IDENTITY_UPSTREAM_ID_TOKEN_TIME;
    if (!str_is_set(nonce) || !str_eq_ct(nonce, pending->nonce))
        return IDENTITY_UPSTREAM_ID_TOKEN_NONCE;
    if (claims->sub.n == 0 || claims->sub.n > SUBJECT_MAX)
        return IDENTITY_UPSTREAM_ID_TOKEN_SUBJECT;
    return IDENTITY_UPSTREAM_FINE;
}

/* ---- the person ---- */

/* The first of these claims that can be a name here. */
static rc_t name_of(arena_t *a, const json_t *claims, str_t *out)
{
    static const str_t CLAIMS[] = {STR_INIT("preferred_username"), STR_INIT("email")};
    *out = STR_UNSET;
    for (size_t i = 0; i < sizeof CLAIMS / sizeof *CLAIMS && !str_is_set(*out); i++) {
        str_t text = json_get_str(claims, CLAIMS[i]);
        rc_t rc = str_is_set(text) ? identity_username_normalize(a, text, out) : RC_OK;
        if (rc == RC_MEMORY)
            return rc;
        if (rc != RC_OK)
            *out = STR_UNSET;
    }
    return RC_OK;
}

static bool is_acr(str_t text)
{
    return text.n > 0 && text.n <= ACR_MAX && str_is_printable_ascii(text) &&
           str_find(text, ' ', 0) == text.n;
}

static rc_t describe(arena_t *a, const jwt_claims_t *claims, int64_t now,
                     identity_upstream_person_t *out)
{
    int64_t ms;
    str_t acr = json_get_str(claims->all, STR("acr"));
    const json_t *auth_time = json_get(claims->all, STR("auth_time"));
    *out = (identity_upstream_person_t){.subject = claims->sub};
    if (is_acr(acr))
        out->acr = acr;
    if (auth_time && jwt_numeric_date(auth_time, &ms))
        out->auth_time = ms / 1000 < now ? ms / 1000 : now;
    return name_of(a, claims->all, &out->name);
}

static bool is_anew(const identity_upstream_pending_t *pending,
                    const identity_upstream_person_t *person)
{
    return !pending->again || person->auth_time >= pending->begun_at - LEEWAY_S;
}

identity_upstream_verdict_t identity_upstream_id_token(arena_t *a, const identity_upstream_t *u,
                                                       const identity_upstream_pending_t *pending,
                                                       str_t body, str_t jwks, int64_t now,
                                                       identity_upstream_person_t *out, rc_t *rc)
{
    jwt_claims_t claims;
    const json_t *all;
    *out = (identity_upstream_person_t){0};
    *rc = json_parse(a, body, NULL, &all);
    str_t token = *rc == RC_OK ? json_get_str(all, STR("id_token")) : STR_UNSET;
    if (*rc != RC_MEMORY)
        *rc = RC_OK;
    if (!str_is_set(token))
        return IDENTITY_UPSTREAM_ID_TOKEN_MISSING;
    verdict_t verdict = verify(a, token, jwks, &claims, rc);
    if (verdict == IDENTITY_UPSTREAM_FINE)
        verdict = judge(u, pending, &claims, now);
    if (verdict != IDENTITY_UPSTREAM_FINE)
        return verdict;
    *rc = describe(a, &claims, now, out);
    if (!is_anew(pending, out))
        return IDENTITY_UPSTREAM_NOT_AGAIN;
    /* By our clock: the provider's may be slow, and we would send the person there once more. */
    if (pending->again && out->auth_time < pending->begun_at)
        out->auth_time = pending->begun_at;
    return identity_upstream_is_allowed(u->allowed, claims.all) ? IDENTITY_UPSTREAM_FINE
                                                                : IDENTITY_UPSTREAM_NOT_ALLOWED;
}

/* ---- the account ---- */

/* The name, or where somebody else has it, or there is none, one with a tail that only this person
 * has. It is shown; it opens nothing. */
static rc_t free_name(arena_t *a, const identity_upstream_person_t *person,
                      const identity_upstream_account_t *facts, str_t *out)
{
    uint8_t hash[SHA256_BYTES];
    enum { TAIL = 1 + 2 * NAME_TAIL_BYTES };
    *out = person->name;
    if (str_is_set(person->name) && !facts->namesake)
        return RC_OK;
    str_t base = str_is_set(person->name) ? person->name : STR("person");
    buf_t b = buf_new(a, LIMIT_USERNAME_BYTES);
    sha256(facts->id, hash);
    buf_put(&b, str_first(base, LIMIT_USERNAME_BYTES - TAIL));
    buf_char(&b, '-');
    buf_hex(&b, hash, NAME_TAIL_BYTES);
    return buf_done(&b, out);
}

static rc_t make_account(arena_t *a, const identity_upstream_t *u,
                         const identity_upstream_person_t *person,
                         const identity_upstream_account_t *facts, effects_t *effects,
                         const user_t **out)
{
    user_t *user = ARENA_NEW(a, user_t);
    if (!user)
        return RC_MEMORY;
    *user = (user_t){
        .id = facts->id, .created_at = facts->now, .issuer = u->issuer, .subject = person->subject};
    TRY(free_name(a, person, facts, &user->name));
    effects_add(effects, EFFECT_USER_INSERT, facts->now)->u.user = user;
    *out = user;
    return RC_OK;
}

identity_upstream_verdict_t identity_upstream_account(arena_t *a, const identity_upstream_t *u,
                                                      const identity_upstream_person_t *person,
                                                      const identity_upstream_account_t *facts,
                                                      effects_t *effects, const user_t **out,
                                                      rc_t *rc)
{
    *rc = RC_OK;
    *out = facts->user;
    if (facts->user)
        return facts->user->disabled ? IDENTITY_UPSTREAM_USER_DISABLED : IDENTITY_UPSTREAM_FINE;
    *rc = make_account(a, u, person, facts, effects, out);
    return IDENTITY_UPSTREAM_FINE;
}
