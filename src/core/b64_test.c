#include "core/core_test_util.h"

#include "core/b64.h"

/* RFC 4648 section 10, with padding. */
static const struct {
    str_t plain, padded;
} VECTORS[] = {
    {STR_INIT(""), STR_INIT("")},
    {STR_INIT("f"), STR_INIT("Zg==")},
    {STR_INIT("fo"), STR_INIT("Zm8=")},
    {STR_INIT("foo"), STR_INIT("Zm9v")},
    {STR_INIT("foob"), STR_INIT("Zm9vYg==")},
    {STR_INIT("fooba"), STR_INIT("Zm9vYmE=")},
    {STR_INIT("foobar"), STR_INIT("Zm9vYmFy")},
};

static void rfc4648_vectors(void **state)
{
    arena_t *a = *state;
    for (size_t i = 0; i < ROWS(VECTORS); i++) {
        str_t bare = str_trim(VECTORS[i].padded, "="), out;
        assert_int_equal(b64url_decode(a, test_exact(a, bare), &out), RC_OK);
        assert_str(out, VECTORS[i].plain);
        assert_int_equal(b64_decode(a, test_exact(a, VECTORS[i].padded), &out), RC_OK);
        assert_str(out, VECTORS[i].plain);
        assert_str(b64url_encode(a, VECTORS[i].plain.p, VECTORS[i].plain.n), bare);
    }
}

static void every_byte_goes_round(void **state)
{
    arena_t *a = *state;
    uint8_t bytes[258];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        str_t text = b64url_encode(a, bytes, n), out;
        assert_int_equal(b64url_decode(a, text, &out), RC_OK);
        assert_str(out, str_of(bytes, n));
    }
}

typedef rc_t (*decode_t)(arena_t *a, str_t text, str_t *out);

static void refuses(arena_t *a, decode_t decode, str_t text)
{
    str_t out = STR("x");
    if (decode(a, test_exact(a, text), &out) != RC_MALFORMED)
        fail_msg("'%" PRIstr "' was taken", STR_ARG(text));
    assert_false(str_is_set(out));
}

static void b64url_not_canonical(void **state)
{
    static const str_t BAD[] = {
        STR_INIT("Zg=="),  STR_INIT("Zm8="),  STR_INIT("Zh"),     STR_INIT("Zm9"),
        STR_INIT("Z"),     STR_INIT("Zm9vY"), STR_INIT("Zm9+"),   STR_INIT("Zm9/"),
        STR_INIT("Z m8"),  STR_INIT("Zm8\n"), STR_INIT("Zg\0\0"), STR_INIT("\xffg"),
        STR_INIT("Zm9v."), STR_INIT("="),
    };
    for (size_t i = 0; i < ROWS(BAD); i++)
        refuses(*state, b64url_decode, BAD[i]);
}

static void b64_not_canonical(void **state)
{
    static const str_t BAD[] = {
        STR_INIT("Zg"),   STR_INIT("Zg="),  STR_INIT("Zh=="),     STR_INIT("Zm9="),
        STR_INIT("===="), STR_INIT("Z==="), STR_INIT("Zm9vZ==="), STR_INIT("Zg==Zg=="),
        STR_INIT("Zm-_"), STR_INIT("="),    STR_INIT("Zm9v\n"),   STR_INIT("Zm9v===="),
    };
    for (size_t i = 0; i < ROWS(BAD); i++)
        refuses(*state, b64_decode, BAD[i]);
}

static void alphabets_differ_in_two_letters(void **state)
{
    arena_t *a = *state;
    str_t out;
    assert_int_equal(b64url_decode(a, STR("-_-_"), &out), RC_OK);
    assert_str(out, STR("\xfb\xff\xbf"));
    assert_int_equal(b64_decode(a, STR("+/+/"), &out), RC_OK);
    assert_str(out, STR("\xfb\xff\xbf"));
}

static void exact_length(void **state)
{
    (void)state;
    uint8_t out[4] = {1, 1, 1, 1};
    assert_int_equal(b64url_decode_to(STR("Zm9v"), out, 3), RC_OK);
    assert_memory_equal(out, "foo\x01", 4);
    assert_int_equal(b64url_decode_to(STR("Zm9v"), out, 2), RC_MALFORMED);
    assert_int_equal(b64url_decode_to(STR("Zm9v"), out, 4), RC_MALFORMED);
    assert_int_equal(b64url_decode_to(STR("Zm9vZ"), out, 3), RC_MALFORMED);
    assert_int_equal(b64url_decode_to(STR(""), out, 0), RC_OK);
}

/* RFC 4648 section 10, and the two letters that differ. */
static void the_standard_alphabet_is_padded(void **state)
{
    static const char *const PAIRS[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xfb\xff", "+/8="}};
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        str_t code = b64_encode(*state, PAIRS[i][0], strlen(PAIRS[i][0]));
        assert_true(str_eq(code, str_c(PAIRS[i][1])));
    }
}

static void no_memory(void **state)
{
    (void)state;
    arena_t *a = arena_new(8);
    str_t out;
    assert_int_equal(b64url_decode(a, STR("Zm9v"), &out), RC_MEMORY);
    assert_int_equal(b64_decode(a, STR("Zm9v"), &out), RC_MEMORY);
    assert_false(str_is_set(b64url_encode(a, "foo", 3)));
    assert_false(str_is_set(b64_encode(a, "foo", 3)));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(rfc4648_vectors),
        ARENA_TEST(every_byte_goes_round),
        ARENA_TEST(b64url_not_canonical),
        ARENA_TEST(b64_not_canonical),
        ARENA_TEST(alphabets_differ_in_two_letters),
        ARENA_TEST(exact_length),
        ARENA_TEST(the_standard_alphabet_is_padded),
        ARENA_TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
