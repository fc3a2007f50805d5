#include "jose/jwk.h"

#include "core/b64.h"
#include "core/limits.h"
#include "jose/digest.h"

str_t jwk_verdict_name(jwk_verdict_t verdict)
{
    static const str_t NAMES[] = {
#define JWK_VERDICT(name, text) [JWK_##name] = STR_INIT(text),
        JWK_VERDICT_TABLE(JWK_VERDICT)
#undef JWK_VERDICT
    };
    return NAMES[verdict];
}

/* The members that carry key material: where they stand in key_parts_t, which kinds must have
 * them, and the exact length, 0 being a number of any length (RFC 7518 section 6). */
enum { EC = 1u << KEY_EC_P256, OKP = 1u << KEY_ED25519, RSA = 1u << KEY_RSA };
static const struct {
    str_t name;
    size_t offset;
    unsigned kinds;
    bool is_private;
} MEMBERS[] = {
    {STR_INIT("x"), offsetof(key_parts_t, x), EC | OKP, false},
    {STR_INIT("y"), offsetof(key_parts_t, y), EC, false},
    {STR_INIT("n"), offsetof(key_parts_t, n), RSA, false},
    {STR_INIT("e"), offsetof(key_parts_t, e), RSA, false},
    {STR_INIT("d"), offsetof(key_parts_t, d), EC | OKP | RSA, true},
    {STR_INIT("p"), offsetof(key_parts_t, p), RSA, true},
    {STR_INIT("q"), offsetof(key_parts_t, q), RSA, true},
    {STR_INIT("dp"), offsetof(key_parts_t, dp), RSA, true},
    {STR_INIT("dq"), offsetof(key_parts_t, dq), RSA, true},
    {STR_INIT("qi"), offsetof(key_parts_t, qi), RSA, true},
};
enum { N_MEMBERS = sizeof MEMBERS / sizeof MEMBERS[0], FIXED_BYTES = 32 };

static const struct {
    str_t kty, crv;
    key_kind_t kind;
} KINDS[] = {
    {STR_INIT("EC"), STR_INIT("P-256"), KEY_EC_P256},
    {STR_INIT("OKP"), STR_INIT("Ed25519"), KEY_ED25519},
    {STR_INIT("RSA"), {NULL, 0}, KEY_RSA},
};
enum { N_KINDS = sizeof KINDS / sizeof KINDS[0] };

static str_t *part(key_parts_t *parts, size_t member)
{
    return (str_t *)(void *)((char *)parts + MEMBERS[member].offset);
}

/* A coordinate or an Ed25519 key keeps its leading zeros (RFC 7518 section 6.2.1.2), a number has
 * none (Base64urlUInt, section 2). */
static bool read_member(arena_t *a, const json_t *json, bool fixed, str_t *out)
{
    if (!json_is(json, JSON_STRING) || b64url_decode(a, json->str, out) != RC_OK)
        return false;
    return fixed ? out->n == FIXED_BYTES : out->n > 0 && out->p[0] != 0;
}

static jwk_verdict_t read_parts(arena_t *a, const json_t *json, size_t kind, bool private,
                                key_parts_t *parts)
{
    for (size_t i = 0; i < N_MEMBERS; i++) {
        bool wanted = (MEMBERS[i].kinds & 1u << KINDS[kind].kind) != 0;
        if (!wanted || (MEMBERS[i].is_private && !private))
            continue;
        const json_t *member = json_get(json, MEMBERS[i].name);
        if (!read_member(a, member, KINDS[kind].kind != KEY_RSA, part(parts, i)))
            return JWK_MALFORMED;
    }
    return JWK_OK;
}

/* A secret in a public key, whatever its kind, is a mishap that must not go on in silence: neither
 * is the key taken. `oth` is the prime list of RSA keys with more than two. */
static jwk_verdict_t refuse_secrets(const json_t *json)
{
    if (json_get(json, STR("k")))
        return JWK_SYMMETRIC;
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (MEMBERS[i].is_private && json_get(json, MEMBERS[i].name))
            return JWK_PRIVATE;
    return json_get(json, STR("oth")) ? JWK_PRIVATE : JWK_OK;
}

/* use and key_ops: a key that is meant for something else must not serve here (RFC 7517 sections
 * 4.2 and 4.3). */
static bool is_meant_for(const json_t *json, str_t operation)
{
    const json_t *use = json_get(json, STR("use")), *ops = json_get(json, STR("key_ops"));
    if (use && !str_eq(use->str, STR("sig")))
        return false;
    if (!ops)
        return true;
    if (ops->type != JSON_ARRAY)
        return false;
    for (const json_t *op = ops->child; op; op = op->next)
        if (str_eq(op->str, operation))
            return true;
    return false;
}

static jwk_verdict_t find_kind(const json_t *json, size_t *kind)
{
    str_t kty = json_get_str(json, STR("kty"));
    if (!str_is_set(kty))
        return JWK_MALFORMED;
    if (str_eq(kty, STR("oct")))
        return JWK_SYMMETRIC;
    for (size_t i = 0; i < N_KINDS; i++) {
        if (!str_eq(KINDS[i].kty, kty))
            continue;
        *kind = i;
        bool fits = !KINDS[i].crv.p || str_eq(json_get_str(json, STR("crv")), KINDS[i].crv);
        return fits ? JWK_OK : JWK_UNSUPPORTED;
    }
    return JWK_UNSUPPORTED;
}

static jwk_verdict_t read_names(const json_t *json, size_t kind, jwk_t *out)
{
    const json_t *alg = json_get(json, STR("alg")), *kid = json_get(json, STR("kid"));
    if (kid && (kid->type != JSON_STRING || kid->str.n == 0 || kid->str.n > LIMIT_KID_BYTES))
        return JWK_MALFORMED;
    out->kid = kid ? kid->str : STR_UNSET;
    out->alg = alg ? alg_parse(alg->str) : jose_key_usual_alg(KINDS[kind].kind);
    return jose_key_fits(KINDS[kind].kind, out->alg) ? JWK_OK : JWK_UNSUPPORTED;
}

static jwk_verdict_t read_key(arena_t *a, const json_t *json, bool private, jwk_t *out)
{
    size_t kind;
    key_parts_t parts = {0};
    jwk_verdict_t verdict = find_kind(json, &kind);
    if (verdict != JWK_OK)
        return verdict;
    if (!is_meant_for(json, private ? STR("sign") : STR("verify")))
        return JWK_UNSUPPORTED;
    if ((verdict = read_names(json, kind, out)) != JWK_OK)
        return verdict;
    if ((verdict = read_parts(a, json, kind, private, &parts)) != JWK_OK)
        return verdict;
    rc_t rc = private ? jose_key_from_private(KINDS[kind].kind, &parts, &out->key)
                      : jose_key_from_public(KINDS[kind].kind, &parts, &out->key);
    return rc == RC_OK ? JWK_OK : JWK_UNSOUND;
}

jwk_verdict_t jwk_parse(arena_t *a, const json_t *json, jwk_t *out)
{
    *out = (jwk_t){0};
    if (!json_is(json, JSON_OBJECT))
        return JWK_MALFORMED;
    jwk_verdict_t verdict = refuse_secrets(json);
    return verdict == JWK_OK ? read_key(a, json, false, out) : verdict;
}

jwk_verdict_t jwk_parse_private(arena_t *a, const json_t *json, jwk_t *out)
{
    *out = (jwk_t){0};
    if (!json_is(json, JSON_OBJECT) || json_get(json, STR("oth")))
        return JWK_MALFORMED;
    return read_key(a, json, true, out);
}

void jwk_free(jwk_t *jwk)
{
    jose_key_free(jwk->key);
    jwk->key = NULL;
}

static void write_b64(json_writer_t *w, arena_t *a, str_t name, str_t bytes)
{
    str_t text = b64url_encode(a, bytes.p, bytes.n);
    if (!str_is_set(text) && w->buf->failed == RC_OK)
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
    return w->buf->failed;
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
    buf_t b = buf_new(a, 2 * RSA_BITS_MAX / 8);
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
