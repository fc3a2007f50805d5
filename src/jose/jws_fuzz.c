/* A token from anywhere: parsed, verified, and judged whether verified or not. */
#include "jose/jws.h"
#include "jose/jwt.h"

#include <stdlib.h>

static const char KEY[] = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                          "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";

static void judge(arena_t *a, const jws_t *jws)
{
    jwt_claims_t claims;
    if (jwt_claims_parse(a, jws->payload, &claims) != RC_OK)
        return;
    jwt_expect_t expect = {.typ = STR("at+jwt"),
                           .issuer = claims.iss,
                           .audiences = claims.aud,
                           .now_ms = 1700000000000,
                           .leeway_ms = 30000};
    if (jwt_check(jws->typ, &claims, &expect) == JWT_FINE &&
        (claims.exp_ms <= expect.now_ms - expect.leeway_ms || claims.sub.n == 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(1 << 20);
    const json_t *json;
    jwk_t key;
    jws_t jws;
    if (json_parse(a, str_of(KEY, sizeof KEY - 1), NULL, &json) != RC_OK ||
        jwk_parse(a, json, &key) != JWK_OK)
        abort();
    if (jws_parse(a, str_of(data, size), 0, &jws) == RC_OK && jws.refusal == JWS_FINE) {
        jws_refusal_t refusal = jws_verify(&jws, &key);
        if (refusal != JWS_FINE && refusal < JWS_ALG_MISMATCH)
            abort();
        judge(a, &jws);
    }
    jwk_free(&key);
    arena_free(a);
    return 0;
}
