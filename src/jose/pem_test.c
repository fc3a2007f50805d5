#include "jose/jose_test_util.h"

#include "jose/pem.h"

static void keys_come_back(void **state)
{
    static const alg_t ALGS[] = {ALG_ES256, ALG_EDDSA, ALG_RS256};
    arena_t *a = *state;
    for (size_t i = 0; i < sizeof ALGS / sizeof ALGS[0]; i++) {
        jwk_t made = test_key(a, ALGS[i]);
        str_t private, public, one, two;
        jose_key_t *secret, *open;
        assert_int_equal(pem_private_write(a, made.key, &private), RC_OK);
        assert_int_equal(pem_public_write(a, made.key, &public), RC_OK);
        assert_int_equal(pem_private_read(a, private, &secret), RC_OK);
        assert_int_equal(pem_public_read(a, public, &open), RC_OK);
        assert_true(jose_key_is_private(secret));
        assert_false(jose_key_is_private(open));
        assert_int_equal(jwk_thumbprint(a, secret, &one), RC_OK);
        assert_int_equal(jwk_thumbprint(a, open, &two), RC_OK);
        assert_str(one, two);
        jose_key_free(secret);
        jose_key_free(open);
    }
}

static void public_key_is_written_as_no_private_one(void **state)
{
    arena_t *a = *state;
    jwk_t made = test_key(a, ALG_EDDSA);
    str_t text;
    jose_key_t *key;
    assert_int_equal(pem_public_write(a, made.key, &text), RC_OK);
    assert_int_equal(pem_private_read(a, text, &key), RC_MALFORMED);
    assert_int_equal(pem_public_read(a, text, &key), RC_OK);
    assert_int_equal(pem_private_write(a, key, &text), RC_NOT_FOUND);
    jose_key_free(key);
}

/* From RFC 8410 section 10.1. */
#define BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define BODY  "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
#define END   "-----END PUBLIC KEY-----\n"

static void what_is_not_one_key_is_refused(void **state)
{
    static const str_t ROWS[] = {
        STR_INIT(""),
        STR_INIT(BEGIN),
        STR_INIT(BEGIN BODY "\n"),
        STR_INIT(BEGIN "\n" END),
        STR_INIT("x" BEGIN BODY "\n" END),
        STR_INIT("\n" BEGIN BODY "\n" END),
        STR_INIT(BEGIN BODY "\n" END "x"),
        STR_INIT(BEGIN BODY "\n" END BEGIN BODY "\n" END),
        STR_INIT(BEGIN BODY "\n-----END PRIVATE KEY-----\n"),
        STR_INIT(BEGIN BODY "AAAA\n" END),
        STR_INIT(BEGIN "Proc-Type: 4,ENCRYPTED\n" BODY "\n" END),
        STR_INIT(BEGIN "AAAA\n" END),
    };
    arena_t *a = *state;
    jose_key_t *key;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        assert_int_equal(pem_public_read(a, ROWS[i], &key), RC_MALFORMED);
    assert_int_equal(pem_public_read(a, STR(BEGIN BODY "\n" END), &key), RC_OK);
    jose_key_free(key);
    assert_int_equal(
        pem_public_read(
            a, STR("-----BEGIN PUBLIC KEY-----\r\n" BODY "\r\n-----END PUBLIC KEY-----\r\n"), &key),
        RC_OK);
    jose_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(keys_come_back),
        ARENA_TEST(public_key_is_written_as_no_private_one),
        ARENA_TEST(what_is_not_one_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
