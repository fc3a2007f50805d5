#include "oauth/oauth_test_world.h"

#include "core/b64.h"
#include "oauth/handle.h"

static const struct {
    const char *prefix;
    size_t bytes;
} KINDS[OAUTH_HANDLE_COUNT] = {
    [OAUTH_HANDLE_CODE] = {"wrc_", 32},         [OAUTH_HANDLE_REFRESH] = {"wrr_", 32},
    [OAUTH_HANDLE_SECRET] = {"wrs_", 32},       [OAUTH_HANDLE_INTERACTION] = {"wri_", 32},
    [OAUTH_HANDLE_REGISTRATION] = {"wrt_", 32}, [OAUTH_HANDLE_CLIENT] = {"wrd_", 24},
    [OAUTH_HANDLE_PUSHED] = {"wrp_", 32},       [OAUTH_HANDLE_DEVICE] = {"wrv_", 32},
    [OAUTH_HANDLE_ACCESS] = {"wra_", 32},       [OAUTH_HANDLE_MANAGEMENT] = {"wrm_", 32},
    [OAUTH_HANDLE_FAMILY] = {"", 24},           [OAUTH_HANDLE_JTI] = {"", 24},
};

/* attack case: AZ-010 */
static void at_least_160_bits_and_never_twice(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    for (oauth_handle_t kind = 0; kind < OAUTH_HANDLE_COUNT; kind++) {
        str_t one, two;
        size_t front = strlen(KINDS[kind].prefix);
        uint8_t bytes[32];
        assert_int_equal(oauth_handle_new(w.a, &w.random, kind, &one), RC_OK);
        assert_int_equal(oauth_handle_new(w.a, &w.random, kind, &two), RC_OK);
        assert_false(str_eq(one, two));
        assert_true(str_starts(one, str_c(KINDS[kind].prefix)));
        assert_int_equal(b64url_decode_to(str_skip(one, front), bytes, KINDS[kind].bytes), RC_OK);
        assert_true(KINDS[kind].bytes * 8 >= 160);
    }
    world_end(&w);
}

static void derived_handles(void **state)
{
    (void)state;
    world_t w;
    str_t one, two;
    const str_t key = STR("0123456789abcdef0123456789abcdef");
    world_begin(&w);
    assert_int_equal(oauth_handle_derive(w.a, key, OAUTH_HANDLE_CODE, STR("s"), &one), RC_OK);
    assert_int_equal(oauth_handle_derive(w.a, key, OAUTH_HANDLE_CODE, STR("s"), &two), RC_OK);
    assert_str(one, two);
    assert_int_equal(oauth_handle_derive(w.a, key, OAUTH_HANDLE_CODE, STR("t"), &two), RC_OK);
    assert_false(str_eq(one, two));
    assert_int_equal(oauth_handle_derive(w.a, key, OAUTH_HANDLE_REFRESH, STR("s"), &two), RC_OK);
    assert_false(str_eq(str_skip(one, 4), str_skip(two, 4)));
    assert_int_equal(oauth_handle_derive(w.a, STR("another"), OAUTH_HANDLE_CODE, STR("s"), &two),
                     RC_OK);
    assert_false(str_eq(one, two));
    world_end(&w);
}

static void the_hash_is_sha_256(void **state)
{
    (void)state;
    /* FIPS 180-2 appendix B.1 */
    static const uint8_t ABC[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                  0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                  0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    hash_t hash = oauth_handle_hash(STR("abc"));
    assert_memory_equal(&hash, ABC, sizeof ABC);
}

static rc_t make_in(world_t *w, arena_t *a, void *ctx)
{
    str_t one;
    (void)ctx;
    TRY(oauth_handle_new(a, &w->random, OAUTH_HANDLE_CODE, &one));
    return oauth_handle_derive(a, STR("k"), OAUTH_HANDLE_CODE, STR("s"), &one);
}

static void without_random_and_memory(void **state)
{
    (void)state;
    world_t w;
    str_t one;
    world_begin(&w);
    world_starve(make_in, &w, NULL);
    random_port_t none = world_no_random();
    assert_int_equal(oauth_handle_new(w.a, &none, OAUTH_HANDLE_CODE, &one), RC_IO);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_least_160_bits_and_never_twice),
        cmocka_unit_test(derived_handles),
        cmocka_unit_test(the_hash_is_sha_256),
        cmocka_unit_test(without_random_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
