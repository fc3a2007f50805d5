#include "oauth/oauth_test_assertion.h"

#include "core/b64.h"
#include "jose/alg.h"

static void free_jwk(void *key)
{
    jose_key_free(key);
}

test_signer_t test_signer(world_t *w, alg_t alg)
{
    test_signer_t s = {.jwk = {.alg = alg, .kid = STR("k1")}};
    const jwks_t set = {&s.jwk, 1, 0};
    buf_t b = buf_new(w->a, 65536);
    json_writer_t writer = json_writer(&b);
    assert_int_equal(jose_key_generate(alg, &s.jwk.key), RC_OK);
    assert_int_equal(arena_cleanup(w->a, free_jwk, s.jwk.key), RC_OK);
    assert_int_equal(jwks_write(w->a, &writer, &set), RC_OK);
    assert_int_equal(buf_done(&b, &s.jwks), RC_OK);
    return s;
}

static str_t header_of(world_t *w, alg_t alg, const char *typ, const char *kid)
{
    str_t out;
    buf_t b = buf_new(w->a, 4096);
    json_writer_t writer = json_writer(&b);
    json_begin_object(&writer);
    json_member_str(&writer, STR("alg"), alg_name(alg));
    json_member_str(&writer, STR("typ"), str_c(typ));
    json_member_str(&writer, STR("kid"), str_c(kid));
    json_end_object(&writer);
    assert_int_equal(buf_done(&b, &out), RC_OK);
    return out;
}

str_t test_sign(world_t *w, const test_signer_t *signer, const char *typ, const char *kid,
                str_t payload)
{
    jose_signing_t *signing;
    uint8_t sig[KEY_SIGNATURE_MAX];
    size_t n;
    str_t header = header_of(w, signer->jwk.alg, typ, kid);
    str_t first = b64url_encode(w->a, header.p, header.n);
    str_t second = b64url_encode(w->a, payload.p, payload.n);
    str_t input = arena_printf(w->a, "%" PRIstr ".%" PRIstr, STR_ARG(first), STR_ARG(second));
    assert_int_equal(jose_signing_new(signer->jwk.key, signer->jwk.alg, &signing), RC_OK);
    assert_int_equal(jose_signing_sign(signing, input, sig, &n), RC_OK);
    jose_signing_free(signing);
    str_t third = b64url_encode(w->a, sig, n);
    return arena_printf(w->a, "%" PRIstr ".%" PRIstr, STR_ARG(input), STR_ARG(third));
}

str_t test_replace(world_t *w, str_t json, const char *name, const char *value)
{
    const json_t *all = world_json(w, json);
    buf_t b = buf_new(w->a, 65536);
    json_writer_t out = json_writer(&b);
    str_t text;
    json_begin_object(&out);
    for (const json_t *m = all->child; m; m = m->next) {
        if (str_eq(m->key, str_c(name)))
            continue;
        json_key(&out, m->key);
        json_raw(&out, m->raw);
    }
    if (value) {
        json_key(&out, str_c(name));
        json_raw(&out, str_c(value));
    }
    json_end_object(&out);
    assert_int_equal(buf_done(&b, &text), RC_OK);
    return text;
}
