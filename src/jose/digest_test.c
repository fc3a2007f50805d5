#include "core/core_test_util.h"

#include "jose/digest.h"

#include <stdio.h>

static void assert_hex(const uint8_t *digest, const char *hex)
{
    char text[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < SHA256_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(text, hex);
}

/* FIPS 180-4's own examples, whole and in pieces. */
static void digest_of_pieces_is_that_of_the_whole(void **state)
{
    static const char TEXT[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const char HEX[] = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
    uint8_t digest[SHA256_BYTES];
    (void)state;
    sha256(str_c(TEXT), digest);
    assert_hex(digest, HEX);
    for (size_t cut = 0; cut < sizeof TEXT; cut++) {
        sha256_t s;
        sha256_begin(&s);
        sha256_more(&s, str_of(TEXT, cut));
        sha256_so_far(&s, digest);
        sha256_more(&s, str_c(TEXT + cut));
        sha256_so_far(&s, digest);
        assert_hex(digest, HEX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_of_pieces_is_that_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
