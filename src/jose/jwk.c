#include "jose/jwk.h"

#include "core/b64.h"
#include "core/limits.h"
#include "jose/digest.h"

static const str_t PRIVATE_MEMBERS[] = {STR_INIT("d"),  STR_INIT("p"),  STR_INIT("q"),
                                        STR_INIT("dp"), STR_INIT("dq"), STR_INIT("qi"),
                                        STR_INIT("oth")};

static rc_t member_bytes(arena_t *a, const json_t *json, str_t name, str_t *out)
{
    str_t text = json_get_str(json, name);
    if (!str_is_set(text))
        return RC_MALFORMED;
    return b64url_decode(a, text, out);
}

/* Coordinates and Ed25519 keys are of fixed length, leading zeros kept (RFC 7518 section 6.2.1.2)
 */
static bool member_32(arena_t *a, const json_t *json, str_t name, const uint8_t **out)
{
    str_t bytes;
    if (member_bytes(a, json, name, &bytes) != RC_OK || bytes.n != 32)
        return false;
    *out = (const uint8_t *)bytes.p;
    return true;
}

static jwk_verdict_t parse_ec(arena_t *a, const json_t *json, jose_key_t **key)
{
    const uint8_t *x, *y;
    if (!str_eq(json_get_str(json, STR("crv")), STR("P-256")))
        return JWK_UNSUPPORTED;
    if (!member_32(a, json, STR("x"), &x) || !member_32(a, json, STR("y"), &y))
        return JWK_MALFORMED;
    return jose_key_from_ec(x, y, key) == RC_OK ? JWK_OK : JWK_MALFORMED;
}

static jwk_verdict_t parse_okp(arena_t *a, const json_t *json, jose_key_t **key)
{
    const uint8_t *x;
    if (!str_eq(json_get_str(json, STR("crv")), STR("Ed25519")))
        return JWK_UNSUPPORTED;
    if (!member_32(a, json, STR("x"), &x))
        return JWK_MALFORMED;
    return jose_key_from_ed25519(x, key) == RC_OK ? JWK_OK : JWK_MALFORMED;
}

static jwk_verdict_t parse_rsa(arena_t *a, const json_t *json, jose_key_t **key)
{
    str_t n, e;
    if (member_bytes(a, json, STR("n"), &n) != RC_OK ||
        member_bytes(a, json, STR("e"), &e) != RC_OK || n.n == 0 || e.n == 0)
        return JWK_MALFORMED;
    /* Base64urlUInt has no leading zero octets (RFC 7518 section 2). */
    if (n.p[0] == 0 || e.p[0] == 0)
        return JWK_MALFORMED;
    return jose_key_from_rsa(n, e, key) == RC_OK ? JWK_OK : JWK_MALFORMED;
}

static const struct {
    str_t kty;
    alg_t alg; /* of a key that names none */
    jwk_verdict_t (*parse)(arena_t *a, const json_t *json, jose_key_t **key);
} KINDS[] = {
    {STR_INIT("EC"), ALG_ES256, parse_ec},
    {STR_INIT("OKP"), ALG_EDDSA, parse_okp},
    {STR_INIT("RSA"), ALG_RS256, parse_rsa},
};
enum { N_KINDS = sizeof KINDS / sizeof KINDS[0] };

/* use and key_ops: a key that is meant for something else must not verify (RFC 7517 4.2, 4.3). */
static bool is_for_verifying(const json_t *json)
{
    const json_t *use = json_get(json, STR("use")), *ops = json_get(json, STR("key_ops"));
    if (use && !str_eq(use->str, STR("sig")))
        return false;
    if (!ops)
        return true;
    if (ops->type != JSON_ARRAY)
        return false;
    for (const json_t *op = ops->child; op; op = op->next)
        if (str_eq(op->str, STR("verify")))
            return true;
    return false;
}

static jwk_verdict_t read_alg(const json_t *json, size_t kind, jwk_t *out)
{
    const json_t *alg = json_get(json, STR("alg"));
    out->alg = alg ? alg_parse(alg->str) : KINDS[kind].alg;
    bool rsa_pss = kind == 2 && out->alg == ALG_PS256;
    return out->alg == KINDS[kind].alg || rsa_pss ? JWK_OK : JWK_UNSUPPORTED;
}

static jwk_verdict_t check_members(const json_t *json)
{
    if (str_eq(json_get_str(json, STR("kty")), STR("oct")) || json_get(json, STR("k")))
        return JWK_SYMMETRIC;
    for (size_t i = 0; i < sizeof PRIVATE_MEMBERS / sizeof PRIVATE_MEMBERS[0]; i++)
        if (json_get(json, PRIVATE_MEMBERS[i]))
            return JWK_PRIVATE;
    const json_t *kid = json_get(json, STR("kid"));
    if (kid && (kid->type != JSON_STRING || kid->str.n > LIMIT_KID_BYTES))
        return JWK_MALFORMED;
    return is_for_verifying(json) ? JWK_OK : JWK_UNSUPPORTED;
}

jwk_verdict_t jwk_parse(arena_t *a, const json_t *json, jwk_t *out)
{
    *out = (jwk_t){0};
    if (!json_is(json, JSON_OBJECT))
        return JWK_MALFORMED;
    jwk_verdict_t verdict = check_members(json);
    if (verdict != JWK_OK)
        return verdict;
    str_t kty = json_get_str(json, STR("kty"));
    size_t kind = 0;
    while (kind < N_KINDS && !str_eq(KINDS[kind].kty, kty))
        kind++;
    if (kind == N_KINDS)
        return str_is_set(kty) ? JWK_UNSUPPORTED : JWK_MALFORMED;
    verdict = read_alg(json, kind, out);
    if (verdict != JWK_OK)
        return verdict;
    out->kid = json_get_str(json, STR("kid"));
    return KINDS[kind].parse(a, json, &out->key);
}

void jwk_free(jwk_t *jwk)
{
    jose_key_free(jwk->key);
    jwk->key = NULL;
}

static void write_b64(json_writer_t *w, arena_t *a, str_t name, str_t bytes)
{
    str_t text = b64url_encode(a, bytes.p, bytes.n);
    if (!str_is_set(text))
        w->buf->failed = RC_MEMORY;
    json_member_str(w, name, text);
}

/* The required members in lexicographic order: the input of a thumbprint (RFC 7638 section 3.2). */
static rc_t write_required(arena_t *a, json_writer_t *w, const jose_key_t *key)
{
    str_t first, second;
    TRY(jose_key_public(a, key, &first, &second));
    switch (jose_key_kind(key)) {
    case KEY_EC_P256:
        json_member_str(w, STR("crv"), STR("P-256"));
        json_member_str(w, STR("kty"), STR("EC"));
        write_b64(w, a, STR("x"), first);
        write_b64(w, a, STR("y"), second);
        break;
    case KEY_ED25519:
        json_member_str(w, STR("crv"), STR("Ed25519"));
        json_member_str(w, STR("kty"), STR("OKP"));
        write_b64(w, a, STR("x"), first);
        break;
    case KEY_RSA:
        write_b64(w, a, STR("e"), second);
        json_member_str(w, STR("kty"), STR("RSA"));
        write_b64(w, a, STR("n"), first);
        break;
    }
    return RC_OK;
}

rc_t jwk_write(arena_t *a, json_writer_t *w, const jwk_t *jwk)
{
    json_begin_object(w);
    TRY(write_required(a, w, jwk->key));
    json_member_str(w, STR("kid"), jwk->kid);
    json_member_str(w, STR("use"), STR("sig"));
    json_member_str(w, STR("alg"), alg_name(jwk->alg));
    json_end_object(w);
    return w->buf->failed;
}

rc_t jwk_thumbprint(arena_t *a, const jose_key_t *key, str_t *out)
{
    buf_t b = buf_new(a, 8192);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    TRY(write_required(a, &w, key));
    json_end_object(&w);
    str_t text;
    TRY(buf_done(&b, &text));
    uint8_t digest[SHA256_BYTES];
    sha256(text, digest);
    *out = b64url_encode(a, digest, sizeof digest);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

static void free_key(void *key)
{
    jose_key_free(key);
}

rc_t jwks_parse(arena_t *a, str_t text, jwks_t *out)
{
    *out = (jwks_t){0};
    static const json_limits_t LIMITS = {LIMIT_JWKS_BYTES, 8, 4096};
    const json_t *json;
    TRY(json_parse(a, text, &LIMITS, &json));
    const json_t *keys = json_get(json, STR("keys"));
    if (!json_is(keys, JSON_ARRAY))
        return RC_MALFORMED;
    if (keys->count > LIMIT_JWKS_KEYS)
        return RC_LIMIT;
    out->v = ARENA_ARRAY(a, keys->count + 1, jwk_t);
    if (!out->v)
        return RC_MEMORY;
    for (const json_t *k = keys->child; k; k = k->next) {
        jwk_t jwk;
        if (jwk_parse(a, k, &jwk) != JWK_OK)
            continue;
        TRY(arena_cleanup(a, free_key, jwk.key));
        for (size_t i = 0; i < out->n; i++)
            if (str_is_set(jwk.kid) && str_eq(out->v[i].kid, jwk.kid))
                return RC_MALFORMED;
        out->v[out->n++] = jwk;
    }
    return RC_OK;
}

const jwk_t *jwks_find(const jwks_t *set, str_t kid, alg_t alg)
{
    const jwk_t *found = NULL;
    for (size_t i = 0; i < set->n; i++) {
        const jwk_t *jwk = &set->v[i];
        if (jwk->alg != alg)
            continue;
        if (str_is_set(kid) && str_is_set(jwk->kid) && str_eq(jwk->kid, kid))
            return jwk;
        if (str_is_set(kid))
            continue;
        /* Two candidates and no kid: no guessing. */
        if (found)
            return NULL;
        found = jwk;
    }
    return found;
}
