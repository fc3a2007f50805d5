#include "oauth/dpop.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/hex.h"
#include "core/limits.h"
#include "core/url.h"
#include "jose/digest.h"
#include "jose/jwt.h"
#include "oauth/handle.h"

enum { SECOND_MS = 1000 };

/* Asymmetric ones without known weaknesses (RFC 9449 section 11.6, RFC 8725 section 3.2). */
static const str_t ALGS[] = {STR_INIT("ES256"), STR_INIT("EdDSA"), STR_INIT("Ed25519"),
                             STR_INIT("PS256")};
enum { N_ALGS = sizeof ALGS / sizeof ALGS[0] };

typedef struct {
    arena_t *a;
    const oauth_dpop_expect_t *expect;
    jws_t jws;
    jwk_t jwk; /* freed with the arena */
    jwt_claims_t claims;
    oauth_dpop_t *out;
} check_t;

str_list_t oauth_dpop_alg_names(void)
{
    return (str_list_t){ALGS, N_ALGS};
}

static bool is_alg(alg_t alg)
{
    for (size_t i = 0; i < N_ALGS; i++)
        if (alg_parse(ALGS[i]) == alg)
            return true;
    return false;
}

static rc_t refuse(check_t *c, oauth_reason_t reason)
{
    c->out->reason = reason;
    return RC_OK;
}

static oauth_reason_t reason_of(jws_refusal_t refusal)
{
    if (refusal == JWS_ALG)
        return OAUTH_DPOP_ALG;
    return refusal == JWS_UNSIGNED ? OAUTH_DPOP_SIGNATURE : OAUTH_DPOP_MALFORMED;
}

static rc_t read_header(check_t *c, str_t text)
{
    if (text.n > LIMIT_DPOP_BYTES)
        return refuse(c, OAUTH_DPOP_MALFORMED);
    TRY(jws_parse(c->a, text, JWS_ALLOW_JWK, &c->jws));
    if (c->jws.refusal != JWS_FINE)
        return refuse(c, reason_of(c->jws.refusal));
    if (!str_eq(c->jws.typ, STR("dpop+jwt")))
        return refuse(c, OAUTH_DPOP_TYP);
    return is_alg(c->jws.alg) ? RC_OK : refuse(c, OAUTH_DPOP_ALG);
}

static void free_key(void *key)
{
    jose_key_free(key);
}

/* A key that names no algorithm is for the header's, if it can be: only the RSA kind has two. */
static rc_t read_key(check_t *c, str_t text)
{
    const json_t *json = json_get(c->jws.header, STR("jwk"));
    if (!json || jwk_parse(c->a, json, &c->jwk) != JWK_OK)
        return refuse(c, OAUTH_DPOP_KEY);
    TRY(arena_cleanup(c->a, free_key, c->jwk.key));
    if (!json_get(json, STR("alg")) && jose_key_fits(jose_key_kind(c->jwk.key), c->jws.alg))
        c->jwk.alg = c->jws.alg;
    return RC_OK;
}

static rc_t verify(check_t *c, str_t text)
{
    if (jws_verify(&c->jws, &c->jwk) != JWS_FINE)
        return refuse(c, OAUTH_DPOP_SIGNATURE);
    TRY(jwt_claims_parse(c->a, c->jws.payload, &c->claims));
    return c->claims.refusal == JWT_FINE ? RC_OK : refuse(c, OAUTH_DPOP_MALFORMED);
}

static rc_t check_jti(check_t *c, str_t text)
{
    str_t jti = c->claims.jti;
    if (str_is_empty(jti) || jti.n > LIMIT_DPOP_JTI_BYTES)
        return refuse(c, OAUTH_DPOP_JTI);
    return RC_OK;
}

static bool is_unreserved(char c)
{
    bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    return alnum || memchr("-._~", c, 4) != NULL;
}

/* Percent-encoding in its normal form (RFC 3986 section 6.2.2); url_parse has checked it. */
static void put_path(buf_t *b, str_t path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] != '%') {
            buf_char(b, path.p[i]);
            continue;
        }
        int byte = hex_value(path.p[i + 1]) << 4 | hex_value(path.p[i + 2]);
        i += 2;
        if (is_unreserved((char)byte))
            buf_char(b, (char)byte);
        else
            buf_fmt(b, "%%%02X", (unsigned)byte);
    }
}

/* Dot segments stay: where they would decide, two readers differ, and nobody signs them. */
static rc_t normalise(arena_t *a, str_t text, str_t *out)
{
    url_t u;
    str_t origin;
    *out = STR_UNSET;
    if (!str_is_set(text) || url_parse(text, &u) != RC_OK || !url_is_http(&u) ||
        str_is_set(u.userinfo))
        return RC_OK;
    TRY(url_origin(a, &u, &origin));
    buf_t b = buf_new(a, LIMIT_URL_BYTES + 1);
    buf_put(&b, origin);
    put_path(&b, str_is_empty(u.path) ? STR("/") : u.path);
    return buf_done(&b, out);
}

/* Whether two URLs are one htu: query and fragment do not count (RFC 9449 section 4.3 item 9). */
static rc_t same_url(arena_t *a, str_t left, str_t right, bool *same)
{
    str_t l, r;
    TRY(normalise(a, left, &l));
    TRY(normalise(a, right, &r));
    *same = str_is_set(l) && str_eq(l, r);
    return RC_OK;
}

static rc_t check_place(check_t *c, str_t text)
{
    bool same;
    str_t method = json_get_str(c->claims.all, STR("htm"));
    if (!str_is_set(method) || !str_eq(method, c->expect->method))
        return refuse(c, OAUTH_DPOP_METHOD);
    str_t url = json_get_str(c->claims.all, STR("htu"));
    TRY(same_url(c->a, url, c->expect->url, &same));
    if (!same && str_is_set(c->expect->twin))
        TRY(same_url(c->a, url, c->expect->twin, &same));
    return same ? RC_OK : refuse(c, OAUTH_DPOP_URL);
}

/* The window, and nbf and exp where the proof has them (RFC 7519 section 4.1). */
static rc_t check_time(check_t *c, str_t text)
{
    const jwt_claims_t *t = &c->claims;
    int64_t now = c->expect->now_ms, leeway = LIMIT_DPOP_LEEWAY_S * SECOND_MS;
    int64_t window = LIMIT_DPOP_WINDOW_S * SECOND_MS;
    if (t->iat_ms == JWT_TIME_ABSENT || t->iat_ms > now + window || t->iat_ms < now - window)
        return refuse(c, OAUTH_DPOP_TIME);
    if (t->nbf_ms > now + leeway || (t->exp_ms != JWT_TIME_ABSENT && now >= t->exp_ms + leeway))
        return refuse(c, OAUTH_DPOP_TIME);
    return RC_OK;
}

static rc_t check_token(check_t *c, str_t text)
{
    uint8_t digest[SHA256_BYTES];
    if (!str_is_set(c->expect->access_token))
        return RC_OK;
    sha256(c->expect->access_token, digest);
    str_t ath = b64url_encode(c->a, digest, sizeof digest);
    if (!str_is_set(ath))
        return RC_MEMORY;
    bool same = str_eq(json_get_str(c->claims.all, STR("ath")), ath);
    return same ? RC_OK : refuse(c, OAUTH_DPOP_TOKEN);
}

/* Last, so that whoever is sent away with a nonce has a proof that is good but for it. */
static rc_t check_nonce(check_t *c, str_t text)
{
    bool good;
    if (!c->expect->nonces)
        return RC_OK;
    str_t nonce = json_get_str(c->claims.all, STR("nonce"));
    if (!str_is_set(nonce))
        return refuse(c, OAUTH_DPOP_NONCE_MISSING);
    TRY(oauth_dpop_nonce_check(c->a, c->expect->nonces, nonce, c->expect->now_ms / SECOND_MS,
                               &good));
    return good ? RC_OK : refuse(c, OAUTH_DPOP_NONCE_STALE);
}

static rc_t (*const CHECKS[])(check_t *c, str_t text) = {
    read_header, read_key, verify, check_jti, check_place, check_time, check_token, check_nonce,
};

rc_t oauth_dpop_check(arena_t *a, str_list_t headers, const oauth_dpop_expect_t *expect,
                      oauth_dpop_t *out)
{
    check_t c = {.a = a, .expect = expect, .out = out};
    *out = (oauth_dpop_t){.reason = OAUTH_FINE};
    if (headers.n == 0)
        return RC_OK;
    if (headers.n > 1)
        return refuse(&c, OAUTH_DPOP_REPEATED);
    for (size_t i = 0; out->reason == OAUTH_FINE && i < sizeof CHECKS / sizeof CHECKS[0]; i++)
        TRY(CHECKS[i](&c, headers.v[0]));
    if (out->reason != OAUTH_FINE)
        return RC_OK;
    out->jti = c.claims.jti;
    out->iat = c.claims.iat_ms / SECOND_MS;
    return jwk_thumbprint(a, c.jwk.key, &out->jkt);
}

/* The thumbprint has a fixed length, so that key and jti cannot be cut in two ways. */
hash_t oauth_dpop_name(const oauth_dpop_t *proof)
{
    char bytes[64 + LIMIT_DPOP_JTI_BYTES];
    str_t text;
    buf_t b = buf_fixed(bytes, sizeof bytes);
    buf_put(&b, STR("dpop "));
    buf_put(&b, proof->jkt);
    buf_put(&b, proof->jti);
    return oauth_handle_hash(buf_done(&b, &text) == RC_OK ? text : proof->jti);
}

int64_t oauth_dpop_forget_at(const oauth_dpop_t *proof)
{
    return proof->iat + LIMIT_DPOP_WINDOW_S + 1;
}

oauth_reason_t oauth_dpop_check_use(const oauth_dpop_t *proof, const oauth_spent_t *seen)
{
    hash_t name = oauth_dpop_name(proof);
    if (memcmp(&name, &seen->spent, sizeof name) == 0)
        return OAUTH_DPOP_REPLAYED;
    return seen->full ? OAUTH_SPENT_FULL : OAUTH_FINE;
}

oauth_reason_t oauth_dpop_check_optional(const oauth_dpop_t *proof, const oauth_spent_t *seen)
{
    if (!proof || proof->reason != OAUTH_FINE)
        return proof ? proof->reason : OAUTH_FINE;
    return str_is_set(proof->jkt) ? oauth_dpop_check_use(proof, seen) : OAUTH_FINE;
}

rc_t oauth_dpop_spend(arena_t *a, const oauth_dpop_t *proof, const oauth_spent_t *seen, int64_t now,
                      effects_t *effects)
{
    spent_t *spent = ARENA_NEW(a, spent_t);
    if (!spent)
        return RC_MEMORY;
    *spent = (spent_t){.id = oauth_dpop_name(proof), .expires_at = oauth_dpop_forget_at(proof)};
    oauth_spent_add(seen, spent, now, effects);
    return RC_OK;
}

bool oauth_dpop_is_jkt(str_t text)
{
    uint8_t bytes[SHA256_BYTES];
    return b64url_decode_to(text, bytes, sizeof bytes) == RC_OK;
}
