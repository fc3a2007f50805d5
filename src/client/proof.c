#include "client/proof.h"

#include "client/signing.h"
#include "core/b64.h"
#include "core/limits.h"
#include "core/url.h"
#include "jose/digest.h"

/* Nothing but what the key is: kid, use and alg have no place in a proof (RFC 9449 section 4.2). */
static rc_t write_jwk(arena_t *a, const jose_key_t *key, json_writer_t *w)
{
    str_t x, y;
    bool ec = jose_key_kind(key) == KEY_EC_P256;
    TRY(jose_key_public(a, key, &x, &y));
    json_begin_object(w);
    json_member_str(w, STR("crv"), ec ? STR("P-256") : STR("Ed25519"));
    json_member_str(w, STR("kty"), ec ? STR("EC") : STR("OKP"));
    str_t x_text = b64url_encode(a, x.p, x.n);
    str_t y_text = ec ? b64url_encode(a, y.p, y.n) : STR_UNSET;
    json_member_str(w, STR("x"), x_text);
    json_member_str(w, STR("y"), y_text);
    json_end_object(w);
    return str_is_set(x_text) && (!ec || str_is_set(y_text)) ? RC_OK : RC_MEMORY;
}

static rc_t write_header(arena_t *a, const jwk_t *key, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_JWS_HEADER_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("typ"), STR("dpop+jwt"));
    json_member_str(&w, STR("alg"), alg_name(key->alg));
    json_key(&w, STR("jwk"));
    TRY(write_jwk(a, key->key, &w));
    json_end_object(&w);
    return buf_done(&b, out);
}

/* Without query and fragment. Where there is no path, the request asks for "/" (RFC 9110 section
 * 7.1), and that is the URL a server compares with. */
static rc_t target_of(arena_t *a, str_t url, str_t *out)
{
    url_t u;
    if (url_parse(url, &u) != RC_OK || !url_is_http(&u))
        return RC_MALFORMED;
    size_t end = str_find(url, '?', 0), hash = str_find(url, '#', 0);
    *out = str_first(url, end < hash ? end : hash);
    if (u.path.n > 0)
        return RC_OK;
    *out = arena_printf(a, "%" PRIstr "/", STR_ARG(*out));
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

static rc_t hash_of(arena_t *a, str_t access_token, str_t *out)
{
    uint8_t digest[SHA256_BYTES];
    *out = STR_UNSET;
    if (!str_is_set(access_token))
        return RC_OK;
    sha256(access_token, digest);
    *out = b64url_encode(a, digest, sizeof digest);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

static rc_t write_claims(arena_t *a, const client_proof_want_t *want, str_t *out)
{
    str_t jti, htu, ath;
    TRY(target_of(a, want->url, &htu));
    TRY(hash_of(a, want->access_token, &ath));
    TRY(client_new_jti(a, want->random, &jti));
    buf_t b = buf_new(a, LIMIT_DPOP_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jti"), jti);
    json_member_str(&w, STR("htm"), want->method);
    json_member_str(&w, STR("htu"), htu);
    json_member_int(&w, STR("iat"), want->now);
    json_member_str(&w, STR("ath"), ath);
    json_member_str(&w, STR("nonce"), want->nonce);
    json_end_object(&w);
    return buf_done(&b, out);
}

static bool can_prove(const jwk_t *key)
{
    return key && key->key && jose_key_is_private(key->key) &&
           (key->alg == ALG_ES256 || key->alg == ALG_EDDSA) &&
           jose_key_fits(jose_key_kind(key->key), key->alg);
}

rc_t client_proof_write(arena_t *a, const client_proof_want_t *want, str_t *out)
{
    str_t header, claims;
    *out = STR_UNSET;
    if (!can_prove(want->key))
        return RC_MALFORMED;
    TRY(write_header(a, want->key, &header));
    TRY(write_claims(a, want, &claims));
    return client_sign(a, want->key, header, claims, LIMIT_DPOP_BYTES, out);
}
