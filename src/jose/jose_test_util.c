#include "jose/jose_test_util.h"

#include "core/hex.h"

#include <stdio.h>
#include <stdlib.h>

static str_t read_file(arena_t *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return STR_UNSET;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    char *p = size >= 0 ? arena_alloc(a, (size_t)size + 1) : NULL;
    size_t n = p ? fread(p, 1, (size_t)size, f) : 0;
    fclose(f);
    return p ? str_of(p, n) : STR_UNSET;
}

const json_t *test_shared_json(arena_t *a, const char *path)
{
    const char *shared = getenv("WARDER_SHARED");
    char full[4096];
    snprintf(full, sizeof full, "%s/%s", shared ? shared : "../shared", path);
    str_t text = read_file(a, full);
    if (!str_is_set(text)) {
        print_message("skipped: no %s\n", full);
        skip();
    }
    return test_json(a, text);
}

str_t test_hex(arena_t *a, str_t hex)
{
    uint8_t *p = arena_alloc(a, hex.n / 2 + 1);
    assert_non_null(p);
    for (size_t i = 0; i + 1 < hex.n; i += 2)
        p[i / 2] = (uint8_t)(hex_value(hex.p[i]) << 4 | hex_value(hex.p[i + 1]));
    return str_of(p, hex.n / 2);
}

const json_t *test_json(arena_t *a, str_t text)
{
    static const json_limits_t LIMITS = {16 << 20, 64, 1 << 20};
    const json_t *json;
    assert_int_equal(json_parse(a, text, &LIMITS, &json), RC_OK);
    return json;
}

static void free_key(void *key)
{
    jose_key_free(key);
}

jwk_t test_key(arena_t *a, alg_t alg)
{
    jwk_t jwk = {.alg = alg, .kid = STR("k")};
    assert_int_equal(jose_key_generate(alg, &jwk.key), RC_OK);
    assert_int_equal(arena_cleanup(a, free_key, jwk.key), RC_OK);
    return jwk;
}

str_t test_token(arena_t *a, const jwk_t *key, str_t header, str_t payload)
{
    buf_t b = buf_new(a, 1 << 20);
    buf_b64url(&b, (const uint8_t *)header.p, header.n);
    buf_char(&b, '.');
    buf_b64url(&b, (const uint8_t *)payload.p, payload.n);
    jose_signing_t *signing;
    uint8_t sig[KEY_SIGNATURE_MAX];
    size_t n;
    assert_int_equal(jose_signing_new(key->key, key->alg, &signing), RC_OK);
    assert_int_equal(jose_signing_sign(signing, buf_str(&b), sig, &n), RC_OK);
    jose_signing_free(signing);
    buf_char(&b, '.');
    buf_b64url(&b, sig, n);
    str_t token;
    assert_int_equal(buf_done(&b, &token), RC_OK);
    return token;
}

int test_arena_setup(void **state)
{
    *state = arena_new(TEST_ARENA_BYTES);
    return *state ? 0 : -1;
}

int test_arena_teardown(void **state)
{
    arena_free(*state);
    return 0;
}

jws_refusal_t test_verify(arena_t *a, str_t text, const jwk_t *key)
{
    jws_t jws;
    assert_int_equal(jws_parse(a, text, 0, &jws), RC_OK);
    return jws_verify(&jws, key);
}
