/* From the code to the person. */
#include "identity/upstream.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/limits.h"
#include "core/secret.h"
#include "identity/groups.h"
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

/* RFC 7617, of what is form-encoded (RFC 6749 section 2.3.1). */
static rc_t basic(arena_t *a, const identity_upstream_t *u, str_t *out)
{
    str_t both;
    buf_t b = buf_new(a, LIMIT_CONF_VALUE_BYTES * 6);
    buf_form(&b, u->client_id);
    buf_char(&b, ':');
    buf_form(&b, u->secret);
    TRY(buf_done(&b, &both));
    str_t code = b64_encode(a, both.p, both.n);
    secret_wipe(b.p, b.n);
    if (!str_is_set(code))
        return RC_MEMORY;
    *out = arena_printf(a, "Basic %" PRIstr, STR_ARG(code));
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
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
static rc_t verify(arena_t *a, str_t token, str_t jwks, jwt_claims_t *claims, verdict_t *verdict)
{
    jws_t jws;
    jwks_t keys;
    *verdict = IDENTITY_UPSTREAM_ID_TOKEN_MALFORMED;
    TRY(jws_parse(a, token, 0, &jws));
    if (jws.refusal != JWS_FINE || !is_typ(jws.typ))
        return RC_OK;
    *verdict = IDENTITY_UPSTREAM_ID_TOKEN_KEY;
    const jwk_t *key =
        jwks_parse(a, jwks, &keys) == RC_OK ? jwks_find(&keys, jws.kid, jws.alg) : NULL;
    if (!key)
        return RC_OK;
    *verdict = IDENTITY_UPSTREAM_ID_TOKEN_SIGNATURE;
    if (jws_verify(&jws, key) != JWS_FINE)
        return RC_OK;
    TRY(jwt_claims_parse(a, jws.payload, claims));
    *verdict =
        claims->refusal == JWT_FINE ? IDENTITY_UPSTREAM_FINE : IDENTITY_UPSTREAM_ID_TOKEN_MALFORMED;
    return RC_OK;
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

static verdict_t judge(const identity_upstream_tokens_t *f, const jwt_claims_t *claims)
{
    const identity_upstream_t *u = f->settings;
    str_t nonce = json_get_str(claims->all, STR("nonce"));
    if (!str_eq(claims->iss, u->issuer))
        return IDENTITY_UPSTREAM_ID_TOKEN_ISSUER;
    if (!str_list_has(claims->aud, u->client_id))
        return IDENTITY_UPSTREAM_ID_TOKEN_AUDIENCE;
    if (!is_party(u, claims))
        return IDENTITY_UPSTREAM_ID_TOKEN_PARTY;
    if (!is_in_time(claims, f->now))
        return IDENTITY_UPSTREAM_ID_TOKEN_TIME;
    if (!str_is_set(nonce) || !str_eq_ct(nonce, f->pending->nonce))
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

static rc_t welcome(arena_t *a, const identity_upstream_tokens_t *f, const jwt_claims_t *claims,
                    identity_upstream_person_t *out, verdict_t *verdict)
{
    const identity_upstream_pending_t *pending = f->pending;
    TRY(describe(a, claims, f->now, out));
    *verdict = IDENTITY_UPSTREAM_NOT_AGAIN;
    if (!is_anew(pending, out))
        return RC_OK;
    /* By our clock: the provider's may be slow, and we would send the person there once more. */
    if (pending->again && out->auth_time < pending->begun_at)
        out->auth_time = pending->begun_at;
    out->says_groups = f->settings->groups_claim.n > 0;
    if (out->says_groups)
        TRY(identity_groups_of_claim(a, claims->all, f->settings->groups_claim, &out->groups));
    *verdict = identity_upstream_is_allowed(f->settings->allowed, claims->all)
                   ? IDENTITY_UPSTREAM_FINE
                   : IDENTITY_UPSTREAM_NOT_ALLOWED;
    return RC_OK;
}

rc_t identity_upstream_id_token(arena_t *a, const identity_upstream_tokens_t *f,
                                identity_upstream_person_t *out, verdict_t *verdict)
{
    jwt_claims_t claims;
    const json_t *all;
    *out = (identity_upstream_person_t){0};
    *verdict = IDENTITY_UPSTREAM_ID_TOKEN_MISSING;
    rc_t rc = json_parse(a, f->body, NULL, &all);
    str_t token = rc == RC_OK ? json_get_str(all, STR("id_token")) : STR_UNSET;
    if (rc == RC_MEMORY || !str_is_set(token))
        return rc == RC_MEMORY ? rc : RC_OK;
    TRY(verify(a, token, f->jwks, &claims, verdict));
    if (*verdict == IDENTITY_UPSTREAM_FINE)
        *verdict = judge(f, &claims);
    return *verdict == IDENTITY_UPSTREAM_FINE ? welcome(a, f, &claims, out, verdict) : RC_OK;
}

/* ---- the account ---- */

/* Whether it could be the name that somebody else gets from here: an id ("x-" and more), or one
 * with a tail. People choose what they are called there, and could keep others from getting an
 * account. */
static bool is_reserved(str_t name)
{
    enum { HEX = 2 * NAME_TAIL_BYTES };
    str_t tail = name.n > HEX ? str_skip(name, name.n - HEX) : STR("");
    if (str_starts(name, STR("x-")))
        return true;
    for (size_t i = 0; i < tail.n; i++)
        if (!((tail.p[i] >= '0' && tail.p[i] <= '9') || (tail.p[i] >= 'a' && tail.p[i] <= 'f')))
            return false;
    return tail.n > 0 && name.p[name.n - HEX - 1] == '-';
}

/* The name, or where somebody else has it or could, or there is none, one with a tail that only
 * this person has. It is shown; it opens nothing. */
static rc_t free_name(arena_t *a, const identity_upstream_account_t *facts, str_t *out)
{
    const identity_upstream_person_t *person = facts->person;
    uint8_t hash[SHA256_BYTES];
    enum { TAIL = 1 + 2 * NAME_TAIL_BYTES };
    *out = person->name;
    if (str_is_set(person->name) && !facts->namesake && !is_reserved(person->name))
        return RC_OK;
    str_t base = str_is_set(person->name) ? person->name : STR("person");
    buf_t b = buf_new(a, LIMIT_USERNAME_BYTES);
    sha256(facts->id, hash);
    buf_put(&b, str_first(base, LIMIT_USERNAME_BYTES - TAIL));
    buf_char(&b, '-');
    buf_hex(&b, hash, NAME_TAIL_BYTES);
    return buf_done(&b, out);
}

static rc_t make_account(arena_t *a, const identity_upstream_account_t *facts, effects_t *effects,
                         const user_t **out)
{
    user_t *user = ARENA_NEW(a, user_t);
    if (!user)
        return RC_MEMORY;
    *user = (user_t){
        .id = facts->id,
        .created_at = facts->now,
        .issuer = facts->issuer,
        .subject = facts->person->subject,
        .groups = facts->person->groups,
    };
    TRY(free_name(a, facts, &user->name));
    effects_add(effects, EFFECT_USER_INSERT, facts->now)->u.user = user;
    *out = user;
    return RC_OK;
}

/* What the provider says at each sign-in counts, whoever set groups before. */
static rc_t set_groups(arena_t *a, const identity_upstream_account_t *facts, effects_t *effects)
{
    const identity_upstream_person_t *person = facts->person;
    if (!person->says_groups || identity_groups_equal(person->groups, facts->user->groups))
        return RC_OK;
    user_t *user = ARENA_NEW(a, user_t);
    if (!user)
        return RC_MEMORY;
    *user = *facts->user;
    user->groups = person->groups;
    effects_add(effects, EFFECT_USER_SET_GROUPS, facts->now)->u.user = user;
    return RC_OK;
}

rc_t identity_upstream_account(arena_t *a, const identity_upstream_account_t *facts,
                               effects_t *effects, const user_t **out, verdict_t *verdict)
{
    bool disabled = facts->user && facts->user->disabled;
    *verdict = disabled ? IDENTITY_UPSTREAM_USER_DISABLED : IDENTITY_UPSTREAM_FINE;
    *out = facts->user;
    if (!facts->user)
        return make_account(a, facts, effects, out);
    return disabled ? RC_OK : set_groups(a, facts, effects);
}
