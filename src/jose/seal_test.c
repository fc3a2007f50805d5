#include "jose/jose_test_util.h"

#include "core/limits.h"
#include "jose/seal.h"

/* What random_port_t gives: exactly these bytes, or none. */
static rc_t fixed(void *ctx, void *out, size_t n)
{
    const str_t *bytes = ctx;
    if (bytes->n != n)
        return RC_IO;
    memcpy(out, bytes->p, n);
    return RC_OK;
}

/* Test cases 13 to 16 of McGrew and Viega, The Galois/Counter Mode of Operation, appendix B: those
 * with a key of 256 bits and a nonce of 96. */
typedef struct {
    str_t key, nonce, ad, plain, sealed, tag;
} vector_t;

#define KEY_0 "0000000000000000000000000000000000000000000000000000000000000000"
#define KEY_F "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define TEXT                                                                                       \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"                             \
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define CRYPT                                                                                      \
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"                             \
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

static const vector_t VECTORS[] = {
    {STR_INIT(KEY_0), STR_INIT("000000000000000000000000"), STR_INIT(""), STR_INIT(""),
     STR_INIT(""), STR_INIT("530f8afbc74536b9a963b4f1c4cb738b")},
    {STR_INIT(KEY_0), STR_INIT("000000000000000000000000"), STR_INIT(""),
     STR_INIT("00000000000000000000000000000000"), STR_INIT("cea7403d4d606b6e074ec5d3baf39d18"),
     STR_INIT("d0d1c8a799996bf0265b98b5d48ab919")},
    {STR_INIT(KEY_F), STR_INIT("cafebabefacedbaddecaf888"), STR_INIT(""), STR_INIT(TEXT "1aafd255"),
     STR_INIT(CRYPT "898015ad"), STR_INIT("b094dac5d93471bdec1a502270e3cc6c")},
    {STR_INIT(KEY_F), STR_INIT("cafebabefacedbaddecaf888"),
     STR_INIT("feedfacedeadbeeffeedfacedeadbeefabaddad2"), STR_INIT(TEXT), STR_INIT(CRYPT),
     STR_INIT("76fc6ece0f4e1768cddf8853bb2d551b")},
};

static void known_answers(void **state)
{
    arena_t *a = *state;
    for (size_t i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++) {
        const vector_t *v = &VECTORS[i];
        str_t key = test_hex(a, v->key), nonce = test_hex(a, v->nonce), ad = test_hex(a, v->ad);
        str_t plain = test_hex(a, v->plain), sealed, opened;
        str_t want =
            test_hex(a, arena_printf(a, "%" PRIstr "%" PRIstr "%" PRIstr, STR_ARG(v->nonce),
                                     STR_ARG(v->sealed), STR_ARG(v->tag)));
        const random_port_t random = {fixed, &nonce};
        assert_int_equal(jose_seal(a, random, key, ad, plain, &sealed), RC_OK);
        assert_str(sealed, want);
        assert_int_equal(jose_open(a, key, ad, want, &opened), RC_OK);
        assert_str(opened, plain);
    }
}

#define KEY_A STR("0123456789abcdef0123456789abcdef")
#define KEY_B STR("0123456789abcdef0123456789abcdeg")
#define AD    STR("what it is for")
#define PLAIN STR("nobody reads this")

static str_t seal(arena_t *a, str_t plain)
{
    str_t sealed;
    assert_int_equal(jose_seal(a, random_system(), KEY_A, AD, plain, &sealed), RC_OK);
    assert_int_equal(sealed.n, plain.n + SEAL_EXTRA_BYTES);
    return sealed;
}

static rc_t open_as(arena_t *a, str_t key, str_t ad, str_t sealed)
{
    str_t plain;
    rc_t rc = jose_open(a, key, ad, sealed, &plain);
    assert_int_equal(str_is_set(plain), rc == RC_OK);
    return rc;
}

static void opens_with_key_and_purpose_only(void **state)
{
    arena_t *a = *state;
    str_t sealed = seal(a, PLAIN);
    assert_false(str_contains(sealed, STR("nobody")));
    assert_int_equal(open_as(a, KEY_A, AD, sealed), RC_OK);
    assert_int_equal(open_as(a, KEY_B, AD, sealed), RC_MALFORMED);
    assert_int_equal(open_as(a, KEY_A, STR("what it is for!"), sealed), RC_MALFORMED);
    assert_int_equal(open_as(a, KEY_A, STR(""), sealed), RC_MALFORMED);
    assert_int_equal(open_as(a, str_first(KEY_A, 31), AD, sealed), RC_MALFORMED);
}

static void changed_in_any_bit_it_stays_shut(void **state)
{
    arena_t *a = *state;
    str_t sealed = seal(a, PLAIN);
    for (size_t bit = 0; bit < sealed.n * 8; bit++) {
        uint8_t copy[128];
        memcpy(copy, sealed.p, sealed.n);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_as(a, KEY_A, AD, str_of(copy, sealed.n)), RC_MALFORMED);
    }
}

static void cut_or_extended_it_stays_shut(void **state)
{
    arena_t *a = *state;
    str_t sealed = seal(a, PLAIN);
    for (size_t n = 0; n < sealed.n; n++)
        assert_int_equal(open_as(a, KEY_A, AD, str_first(sealed, n)), RC_MALFORMED);
    char *p = arena_alloc(a, sealed.n + 1);
    assert_non_null(p);
    memcpy(p, sealed.p, sealed.n);
    assert_int_equal(open_as(a, KEY_A, AD, str_of(p, sealed.n + 1)), RC_MALFORMED);
    assert_int_equal(open_as(a, KEY_A, AD, STR_UNSET), RC_MALFORMED);
}

static void nothing_can_be_sealed_too(void **state)
{
    arena_t *a = *state;
    str_t plain;
    assert_int_equal(jose_open(a, KEY_A, AD, seal(a, STR("")), &plain), RC_OK);
    assert_int_equal(plain.n, 0);
    assert_int_equal(jose_open(a, KEY_A, AD, seal(a, STR_UNSET), &plain), RC_OK);
    assert_int_equal(plain.n, 0);
}

static void two_seals_of_one_text_differ(void **state)
{
    arena_t *a = *state;
    assert_false(str_eq(seal(a, PLAIN), seal(a, PLAIN)));
}

static void longer_than_the_limit_is_not_sealed(void **state)
{
    arena_t *a = *state;
    char *p = arena_alloc(a, LIMIT_SEAL_BYTES + SEAL_EXTRA_BYTES + 1);
    str_t sealed;
    assert_non_null(p);
    assert_int_equal(jose_open(a, KEY_A, AD, seal(a, str_of(p, LIMIT_SEAL_BYTES)), &sealed), RC_OK);
    assert_int_equal(
        jose_seal(a, random_system(), KEY_A, AD, str_of(p, LIMIT_SEAL_BYTES + 1), &sealed),
        RC_LIMIT);
    assert_int_equal(
        jose_seal(a, random_system(), KEY_A, str_of(p, LIMIT_SEAL_BYTES + 1), PLAIN, &sealed),
        RC_LIMIT);
    assert_int_equal(open_as(a, KEY_A, AD, str_of(p, LIMIT_SEAL_BYTES + SEAL_EXTRA_BYTES + 1)),
                     RC_MALFORMED);
}

static void without_randomness_or_key_nothing_is_sealed(void **state)
{
    arena_t *a = *state;
    str_t none = STR(""), sealed;
    const random_port_t random = {fixed, &none};
    assert_int_equal(jose_seal(a, random, KEY_A, AD, PLAIN, &sealed), RC_IO);
    assert_false(str_is_set(sealed));
    assert_int_equal(jose_seal(a, random_system(), STR("short"), AD, PLAIN, &sealed), RC_MALFORMED);
    assert_false(str_is_set(sealed));
}

static void without_memory_nothing_is_sealed_or_opened(void **state)
{
    arena_t *a = *state, *small = arena_new(16);
    str_t sealed = seal(a, PLAIN), out;
    assert_non_null(small);
    assert_int_equal(jose_seal(small, random_system(), KEY_A, AD, PLAIN, &out), RC_MEMORY);
    assert_int_equal(jose_open(small, KEY_A, AD, sealed, &out), RC_MEMORY);
    arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(known_answers),
        ARENA_TEST(opens_with_key_and_purpose_only),
        ARENA_TEST(changed_in_any_bit_it_stays_shut),
        ARENA_TEST(cut_or_extended_it_stays_shut),
        ARENA_TEST(nothing_can_be_sealed_too),
        ARENA_TEST(two_seals_of_one_text_differ),
        ARENA_TEST(longer_than_the_limit_is_not_sealed),
        ARENA_TEST(without_randomness_or_key_nothing_is_sealed),
        ARENA_TEST(without_memory_nothing_is_sealed_or_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
