#include "jose/jws.h"

#include "core/b64.h"
#include "core/limits.h"

static const str_t REFUSED[] = {STR_INIT("crit"), STR_INIT("b64"), STR_INIT("zip"), STR_INIT("jwk"),
                                STR_INIT("jku"),  STR_INIT("x5u"), STR_INIT("x5c")};

static rc_t read_header(arena_t *a, str_t text, jws_t *out)
{
    static const json_limits_t LIMITS = {LIMIT_JWS_HEADER_BYTES, 4, 64};
    str_t bytes;
    TRY(b64url_decode(a, text, &bytes));
    TRY(json_parse(a, bytes, &LIMITS, &out->header));
    if (out->header->type != JSON_OBJECT)
        return RC_MALFORMED;
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++)
        if (json_get(out->header, REFUSED[i]))
            return RC_MALFORMED;
    const json_t *kid = json_get(out->header, STR("kid")), *typ = json_get(out->header, STR("typ"));
    if ((kid && kid->type != JSON_STRING) || (typ && typ->type != JSON_STRING))
        return RC_MALFORMED;
    str_t alg = json_get_str(out->header, STR("alg"));
    if (!str_is_set(alg))
        return RC_MALFORMED;
    out->alg = alg_parse(alg);
    out->kid = kid ? kid->str : STR_UNSET;
    out->typ = typ ? typ->str : STR_UNSET;
    return RC_OK;
}

rc_t jws_parse(arena_t *a, str_t text, jws_t *out)
{
    *out = (jws_t){0};
    if (text.n > LIMIT_JWS_BYTES)
        return RC_LIMIT;
    size_t first = str_find(text, '.', 0);
    size_t second = str_find(text, '.', first + 1);
    if (first >= text.n || second >= text.n || str_find(text, '.', second + 1) < text.n)
        return RC_MALFORMED;
    str_t payload = str_of(text.p + first + 1, second - first - 1);
    str_t signature = str_skip(text, second + 1);
    if (first == 0 || payload.n == 0 || signature.n == 0)
        return RC_MALFORMED;
    TRY(read_header(a, str_first(text, first), out));
    TRY(b64url_decode(a, payload, &out->payload));
    TRY(b64url_decode(a, signature, &out->signature));
    out->signing_input = str_first(text, second);
    return RC_OK;
}

bool jws_verify(const jws_t *jws, const jwk_t *jwk)
{
    if (jws->alg == ALG_UNKNOWN || jws->alg != jwk->alg)
        return false;
    return jose_key_verify(jwk->key, jwk->alg, jws->signing_input, jws->signature);
}

rc_t jws_sign(arena_t *a, jose_signing_t *signing, alg_t alg, str_t kid, str_t typ, str_t payload,
              str_t *out)
{
    char header_bytes[256];
    buf_t header = buf_fixed(header_bytes, sizeof header_bytes);
    json_writer_t w = json_writer(&header);
    json_begin_object(&w);
    json_member_str(&w, STR("alg"), alg_name(alg));
    json_member_str(&w, STR("typ"), typ);
    json_member_str(&w, STR("kid"), kid);
    json_end_object(&w);
    TRY(header.failed);
    buf_t token = buf_new(a, LIMIT_JWS_BYTES);
    buf_b64url(&token, (const uint8_t *)header.p, header.n);
    buf_char(&token, '.');
    buf_b64url(&token, (const uint8_t *)payload.p, payload.n);
    TRY(token.failed);
    uint8_t sig[KEY_SIGNATURE_MAX];
    size_t n = 0;
    TRY(jose_signing_sign(signing, buf_str(&token), sig, &n));
    buf_char(&token, '.');
    buf_b64url(&token, sig, n);
    return buf_done(&token, out);
}
