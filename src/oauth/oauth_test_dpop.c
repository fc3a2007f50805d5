#include "oauth/oauth_test_dpop.h"

#include "core/buf.h"

#include <stdlib.h>

/* A test that cannot make its input has nothing to say. */
static void must(bool holds)
{
    if (!holds)
        abort();
}

static void free_key(void *key)
{
    jose_key_free(key);
}

jwk_t dpop_test_key(arena_t *a, alg_t alg)
{
    jwk_t jwk = {.alg = alg};
    must(jose_key_generate(alg, &jwk.key) == RC_OK);
    must(arena_cleanup(a, free_key, jwk.key) == RC_OK);
    return jwk;
}

str_t dpop_test_jwk(arena_t *a, const jwk_t *key)
{
    str_t text;
    jwk_t bare = {.key = key->key, .alg = key->alg};
    buf_t b = buf_new(a, 8192);
    json_writer_t w = json_writer(&b);
    must(jwk_write(a, &w, &bare) == RC_OK && buf_done(&b, &text) == RC_OK);
    size_t end = 0;
    while (end < text.n && !str_starts(str_skip(text, end), STR(",\"use\"")))
        end++;
    return arena_printf(a, "%" PRIstr "}", STR_ARG(str_first(text, end)));
}

str_t dpop_test_jkt(arena_t *a, const jwk_t *key)
{
    str_t jkt;
    must(jwk_thumbprint(a, key->key, &jkt) == RC_OK);
    return jkt;
}

str_t dpop_test_sign(arena_t *a, const jwk_t *key, str_t header, str_t payload)
{
    str_t token;
    uint8_t sig[KEY_SIGNATURE_MAX];
    size_t n;
    jose_signing_t *signing;
    buf_t b = buf_new(a, 1 << 16);
    buf_b64url(&b, (const uint8_t *)header.p, header.n);
    buf_char(&b, '.');
    buf_b64url(&b, (const uint8_t *)payload.p, payload.n);
    must(jose_signing_new(key->key, key->alg, &signing) == RC_OK);
    must(jose_signing_sign(signing, buf_str(&b), sig, &n) == RC_OK);
    jose_signing_free(signing);
    buf_char(&b, '.');
    buf_b64url(&b, sig, n);
    must(buf_done(&b, &token) == RC_OK);
    return token;
}

str_t dpop_test_proof(arena_t *a, const jwk_t *key, str_t claims)
{
    str_t alg = alg_name(key->alg), jwk = dpop_test_jwk(a, key);
    str_t header =
        arena_printf(a, "{\"typ\":\"dpop+jwt\",\"alg\":\"%" PRIstr "\",\"jwk\":%" PRIstr "}",
                     STR_ARG(alg), STR_ARG(jwk));
    return dpop_test_sign(a, key, header, claims);
}

str_t dpop_test_good(arena_t *a, const jwk_t *key, const char *url, int64_t iat, const char *more)
{
    static unsigned serial;
    str_t claims =
        arena_printf(a, "{\"jti\":\"proof-%u\",\"htm\":\"POST\",\"htu\":\"%s\",\"iat\":%lld%s}",
                     serial++, url, (long long)iat, more);
    return dpop_test_proof(a, key, claims);
}
