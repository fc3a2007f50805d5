#include "client/signing.h"

#include "core/b64.h"

enum { JTI_BYTES = 16 };

static rc_t sign(const jwk_t *key, str_t input, uint8_t *sig, size_t *n)
{
    jose_signing_t *signing;
    TRY(jose_signing_new(key->key, key->alg, &signing));
    rc_t rc = jose_signing_sign(signing, input, sig, n);
    jose_signing_free(signing);
    return rc;
}

rc_t client_sign(arena_t *a, const jwk_t *key, str_t header, str_t payload, size_t max, str_t *out)
{
    uint8_t sig[KEY_SIGNATURE_MAX];
    size_t n;
    str_t input;
    *out = STR_UNSET;
    if (!key || !key->key)
        return RC_MALFORMED;
    buf_t b = buf_new(a, max);
    buf_b64url(&b, (const uint8_t *)header.p, header.n);
    buf_char(&b, '.');
    buf_b64url(&b, (const uint8_t *)payload.p, payload.n);
    TRY(buf_done(&b, &input));
    TRY(sign(key, input, sig, &n));
    buf_char(&b, '.');
    buf_b64url(&b, sig, n);
    return buf_done(&b, out);
}

rc_t client_new_jti(arena_t *a, random_port_t random, str_t *out)
{
    uint8_t bytes[JTI_BYTES];
    TRY(random.fill(random.ctx, bytes, sizeof bytes));
    *out = b64url_encode(a, bytes, sizeof bytes);
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}
