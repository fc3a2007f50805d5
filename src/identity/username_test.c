#include "identity/identity_test_util.h"

#include "core/limits.h"
#include "identity/username.h"

static void one_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *name;
    } NAMES[] = {
        {"alice", "alice"},
        {"Alice", "alice"},
        {"ALICE", "alice"},
        {"  alice ", "alice"},
        {"a", "a"},
        {"7", "7"},
        {"Alice.B_c-d+e@Example.COM", "alice.b_c-d+e@example.com"},
        {"0--", "0--"},
    };
    arena_t *a = test_arena();
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        str_t out, again;
        assert_ok(identity_username_normalize(a, str_c(NAMES[i].typed), &out));
        assert_str(out, str_c(NAMES[i].name));
        assert_ok(identity_username_normalize(a, out, &again));
        assert_str(again, out);
    }
    arena_free(a);
}

static void login_name_malformed(void **state)
{
    (void)state;
    static const char *const NAMES[] = {
        NULL,
        "",
        " ",
        "   ",
        "al ice",
        "\talice",
        "alice\n",
        ".alice",
        "_alice",
        "-alice",
        "@alice",
        "+alice",
        "alice/b",
        "alice\\",
        "alice<b>",
        "alice:b",
        "alice;b",
        "alice,b",
        "alice\"",
        "alice'",
        "alice%20",
        "al\x01ice",
        "alice\x7f",
        "\xd0\xb0lice",     /* a Cyrillic a */
        "\xef\xbd\x81lice", /* a fullwidth a */
        "alic\xc3\xa9",     /* an accent */
        "alice\xe2\x80\x8b" /* a space without width */
    };
    arena_t *a = test_arena();
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        str_t out = STR("before");
        if (identity_username_normalize(a, str_c(NAMES[i]), &out) != RC_MALFORMED)
            fail_msg("taken: %s", NAMES[i]);
        assert_unset(out);
    }
    str_t out;
    assert_int_equal(identity_username_normalize(a, str_of("a\0b", 3), &out), RC_MALFORMED);
    arena_free(a);
}

static void too_long(void **state)
{
    (void)state;
    char name[LIMIT_USERNAME_BYTES + 2];
    str_t out;
    arena_t *a = test_arena();
    memset(name, 'a', sizeof name);
    assert_ok(identity_username_normalize(a, str_of(name, LIMIT_USERNAME_BYTES), &out));
    assert_int_equal(out.n, LIMIT_USERNAME_BYTES);
    assert_int_equal(identity_username_normalize(a, str_of(name, LIMIT_USERNAME_BYTES + 1), &out),
                     RC_MALFORMED);
    name[LIMIT_USERNAME_BYTES] = ' '; /* what is dropped does not count */
    assert_ok(identity_username_normalize(a, str_of(name, LIMIT_USERNAME_BYTES + 1), &out));
    arena_free(a);
}

static rc_t normalize(arena_t *a, void *ctx)
{
    str_t out;
    return identity_username_normalize(a, *(const str_t *)ctx, &out);
}

static void without_memory(void **state)
{
    (void)state;
    str_t name = STR("alice@example.com");
    test_starve(normalize, &name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_spelling),
        cmocka_unit_test(login_name_malformed),
        cmocka_unit_test(too_long),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
