#include "jose/jws.h"

#include "core/b64.h"
#include "core/limits.h"

str_t jws_refusal_name(jws_refusal_t refusal)
{
    static const str_t NAMES[] = {
#define JWS_REFUSAL(name, text) [JWS_##name] = STR_INIT(text),
        JWS_REFUSAL_TABLE(JWS_REFUSAL)
#undef JWS_REFUSAL
    };
    return NAMES[refusal];
}

/* Header members whose presence is a refusal. */
static const struct {
    str_t name;
    jws_refusal_t refusal;
    unsigned allowed_by;
} REFUSED[] = {
    {STR_INIT("crit"), JWS_CRIT, 0},      {STR_INIT("b64"), JWS_TRANSFORM, 0},
    {STR_INIT("zip"), JWS_TRANSFORM, 0},  {STR_INIT("jwk"), JWS_HEADER_KEY, JWS_ALLOW_JWK},
    {STR_INIT("jku"), JWS_HEADER_KEY, 0}, {STR_INIT("x5u"), JWS_HEADER_KEY, 0},
    {STR_INIT("x5c"), JWS_HEADER_KEY, 0},
};

/* The text of a header member that may be absent; false when it is anything but text. */
static bool optional_text(const json_t *header, str_t name, str_t *out)
{
    const json_t *member = json_get(header, name);
    *out = member ? member->str : STR_UNSET;
    return !member || member->type == JSON_STRING;
}

static jws_refusal_t judge_header(const json_t *header, unsigned flags, jws_t *out)
{
    str_t alg;
    if (header->type != JSON_OBJECT || !optional_text(header, STR("kid"), &out->kid) ||
        !optional_text(header, STR("typ"), &out->typ))
        return JWS_HEADER;
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++)
        if (!(flags & REFUSED[i].allowed_by) && json_get(header, REFUSED[i].name))
            return REFUSED[i].refusal;
    if (!optional_text(header, STR("alg"), &alg))
        return JWS_ALG;
    out->alg = alg_parse(alg);
    return out->alg == ALG_UNKNOWN ? JWS_ALG : JWS_FINE;
}

/* A foreign text that does not follow its grammar is a refusal, not a failure of the machine. */
static rc_t refuse(rc_t rc, jws_refusal_t refusal, jws_t *out)
{
    if (rc != RC_MALFORMED && rc != RC_LIMIT)
        return rc;
    out->refusal = refusal;
    return RC_OK;
}

static rc_t read_header(arena_t *a, str_t text, unsigned flags, jws_t *out)
{
    static const json_limits_t LIMITS = {LIMIT_JWS_HEADER_BYTES, 4, 64};
    str_t bytes;
    rc_t rc = b64url_decode(a, text, &bytes);
    if (rc != RC_OK)
        return refuse(rc, JWS_BASE64, out);
    rc = json_parse(a, bytes, &LIMITS, &out->header);
    if (rc != RC_OK)
        return refuse(rc, JWS_HEADER, out);
    out->refusal = judge_header(out->header, flags, out);
    return RC_OK;
}

static bool split(str_t text, str_t parts[3])
{
    str_t rest = text;
    for (size_t i = 0; i < 3; i++)
        if (!str_split(&rest, '.', &parts[i]))
            return false;
    return !str_is_set(rest) && parts[0].n > 0;
}

rc_t jws_parse(arena_t *a, str_t text, unsigned flags, jws_t *out)
{
    str_t parts[3];
    *out = (jws_t){0};
    if (text.n > LIMIT_JWS_BYTES)
        return refuse(RC_LIMIT, JWS_TOO_LONG, out);
    if (!split(text, parts))
        return refuse(RC_MALFORMED, JWS_PARTS, out);
    TRY(read_header(a, parts[0], flags, out));
    if (out->refusal != JWS_FINE)
        return RC_OK;
    if (parts[2].n == 0)
        return refuse(RC_MALFORMED, JWS_UNSIGNED, out);
    rc_t rc = b64url_decode(a, parts[1], &out->payload);
    if (rc == RC_OK)
        rc = b64url_decode(a, parts[2], &out->signature);
    if (rc != RC_OK)
        return refuse(rc, JWS_BASE64, out);
    out->signing_input = str_first(text, parts[0].n + 1 + parts[1].n);
    return RC_OK;
}

jws_refusal_t jws_verify(const jws_t *jws, const jwk_t *jwk)
{
    if (jws->refusal != JWS_FINE)
        return jws->refusal;
    if (jws->alg != jwk->alg)
        return JWS_ALG_MISMATCH;
    if (str_is_set(jws->kid) && str_is_set(jwk->kid) && !str_eq(jws->kid, jwk->kid))
        return JWS_KID_MISMATCH;
    bool good = jose_key_verify(jwk->key, jwk->alg, jws->signing_input, jws->signature);
    return good ? JWS_FINE : JWS_SIGNATURE;
}

rc_t jws_header_write(const jws_sign_t *what, buf_t *out)
{
    char bytes[LIMIT_JWS_HEADER_BYTES];
    buf_t header = buf_fixed(bytes, sizeof bytes);
    json_writer_t w = json_writer(&header);
    json_begin_object(&w);
    json_member_str(&w, STR("alg"), alg_name(what->alg));
    json_member_str(&w, STR("typ"), what->typ);
    json_member_str(&w, STR("kid"), what->kid);
    json_end_object(&w);
    str_t text;
    TRY(buf_done(&header, &text));
    buf_b64url(out, (const uint8_t *)text.p, text.n);
    return out->failed;
}

rc_t jws_sign(arena_t *a, const signer_port_t *signer, const jws_sign_t *what, str_t *out)
{
    *out = STR_UNSET;
    buf_t token = buf_new(a, LIMIT_JWS_BYTES);
    TRY(jws_header_write(what, &token));
    buf_char(&token, '.');
    buf_b64url(&token, (const uint8_t *)what->payload.p, what->payload.n);
    str_t input;
    TRY(buf_done(&token, &input));
    signature_t sig;
    sign_request_t req = {.alg = what->alg, .kid = what->kid, .input = input};
    TRY(signer->sign(signer->ctx, &req, &sig));
    buf_char(&token, '.');
    buf_b64url(&token, sig.b, sig.n);
    return buf_done(&token, out);
}
