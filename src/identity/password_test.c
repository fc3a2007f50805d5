#include "identity/identity_test_util.h"

#include "core/limits.h"
#include "identity/password.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* The least that argon2id takes, so that the tests are quick. */
static const identity_password_cost_t CHEAP = {.passes = 1, .memory = 8192};
static const char PASSWORD[] = "correct horse battery";

static secret_t secret(const char *text)
{
    return secret_of(str_c(text));
}

static identity_password_hash_t hash_of(str_t password)
{
    identity_password_hash_t hash;
    assert_ok(identity_password_hash(&CHEAP, secret_of(password), &hash));
    return hash;
}

static bool verify(str_t stored, str_t password)
{
    bool fits = true;
    assert_ok(identity_password_verify(&CHEAP, stored, secret_of(password), &fits));
    return fits;
}

static identity_password_fault_t check(const char *password)
{
    return identity_password_check(secret(password), STR("alice@example.com"));
}

static void password_fine(void **state)
{
    (void)state;
    assert_int_equal(check(PASSWORD), IDENTITY_PASSWORD_FINE);
    assert_int_equal(check("lowercaseonlyisfine"), IDENTITY_PASSWORD_FINE);
    assert_int_equal(check("xk7 qpw4 zt"), IDENTITY_PASSWORD_FINE);
    assert_int_equal(check("p\xc3\xa4ssw\xc3\xb6rt-l\xc3\xa4nge"), IDENTITY_PASSWORD_FINE);
    assert_int_equal(check("alice@example.com!"), IDENTITY_PASSWORD_FINE);
}

static void password_short(void **state)
{
    (void)state;
    assert_int_equal(check(NULL), IDENTITY_PASSWORD_SHORT);
    assert_int_equal(check(""), IDENTITY_PASSWORD_SHORT);
    assert_int_equal(check("ninechars"), IDENTITY_PASSWORD_SHORT);
    assert_int_equal(check("ten chars."), IDENTITY_PASSWORD_FINE);
    /* characters count, not bytes: five of four bytes each, then ten of them */
    assert_int_equal(check("\xf0\x9f\x98\x80\xf0\x9f\x98\x81\xf0\x9f\x98\x82\xf0\x9f\x98\x83"
                           "\xf0\x9f\x98\x84"),
                     IDENTITY_PASSWORD_SHORT);
    assert_int_equal(check("\xf0\x9f\x98\x80\xf0\x9f\x98\x81\xf0\x9f\x98\x82\xf0\x9f\x98\x83"
                           "\xf0\x9f\x98\x84\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xe2\x82\xac"),
                     IDENTITY_PASSWORD_FINE);
}

static void password_long(void **state)
{
    (void)state;
    char text[LIMIT_PASSWORD_BYTES + 1];
    memset(text, 'x', sizeof text);
    secret_t longest = secret_of(str_of(text, LIMIT_PASSWORD_BYTES));
    secret_t longer = secret_of(str_of(text, sizeof text));
    assert_int_equal(identity_password_check(longest, STR("alice")), IDENTITY_PASSWORD_FINE);
    assert_int_equal(identity_password_check(longer, STR("alice")), IDENTITY_PASSWORD_LONG);
}

static void password_not_text(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "long enough\xff",
        "long enough\xc3",
        "long enough\xed\xa0\x80",
        "long enough\xc0\xaf",
        "long\tenough for it",
        "long enough\r\n",
        "long enough\x1b[0m",
        "long enough\x7f",
        "long enough\xc2\x80",
        "long enough\xc2\x9f",
        "\x01",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        if (check(TEXTS[i]) != IDENTITY_PASSWORD_NOT_TEXT)
            fail_msg("row %zu", i);
    secret_t nul = secret_of(str_of("long enough\0and more", 20));
    assert_int_equal(identity_password_check(nul, STR("a")), IDENTITY_PASSWORD_NOT_TEXT);
    assert_int_equal(check("no-break\xc2\xa0space"), IDENTITY_PASSWORD_FINE);
}

static void password_is_name(void **state)
{
    (void)state;
    assert_int_equal(check("alice@example.com"), IDENTITY_PASSWORD_IS_NAME);
    assert_int_equal(check("Alice@Example.Com"), IDENTITY_PASSWORD_IS_NAME);
}

static void password_common(void **state)
{
    (void)state;
    assert_int_equal(check("1234567890"), IDENTITY_PASSWORD_COMMON);
    assert_int_equal(check("password123"), IDENTITY_PASSWORD_COMMON);
    assert_int_equal(check("Password123"), IDENTITY_PASSWORD_COMMON);
    assert_int_equal(check("QWERTYUIOP"), IDENTITY_PASSWORD_COMMON);
    assert_int_equal(check("zxcvbnm1234"), IDENTITY_PASSWORD_COMMON);
    assert_int_equal(check("correcthorsebatterystaple"), IDENTITY_PASSWORD_COMMON);
}

static void each_fault_has_a_sentence(void **state)
{
    (void)state;
    for (identity_password_fault_t i = 0; i < IDENTITY_PASSWORD_FAULT_COUNT; i++) {
        str_t text = identity_password_fault_text(i);
        assert_true(str_is_printable_ascii(text) && str_ends(text, STR(".")));
        for (identity_password_fault_t k = 0; k < i; k++)
            assert_false(str_eq(text, identity_password_fault_text(k)));
    }
}

static void hashed_and_verified(void **state)
{
    (void)state;
    identity_password_hash_t hash = hash_of(str_c(PASSWORD));
    str_t text = identity_password_hash_text(&hash);
    assert_true(str_starts(text, STR("$argon2id$v=19$m=8,t=1,p=1$")));
    assert_true(verify(text, str_c(PASSWORD)));
    assert_false(verify(text, STR("correct horse batterz")));
    assert_false(verify(text, STR("correct horse batter")));
    assert_false(verify(text, STR("Correct horse battery")));
}

/* attack case: UI-015 */
static void the_whole_password_counts(void **state)
{
    (void)state;
    char text[LIMIT_PASSWORD_BYTES];
    memset(text, 'x', sizeof text);
    identity_password_hash_t hash = hash_of(str_of(text, sizeof text));
    str_t stored = identity_password_hash_text(&hash);
    assert_true(verify(stored, str_of(text, sizeof text)));
    text[72] = 'y'; /* where bcrypt has stopped reading */
    assert_false(verify(stored, str_of(text, sizeof text)));
    text[72] = 'x';
    text[sizeof text - 1] = 'y';
    assert_false(verify(stored, str_of(text, sizeof text)));
    hash = hash_of(str_of("with\0nul-one", 12));
    assert_false(verify(identity_password_hash_text(&hash), str_of("with\0nul-two", 12)));
}

static void each_hash_has_its_salt(void **state)
{
    (void)state;
    identity_password_hash_t one = hash_of(str_c(PASSWORD)), two = hash_of(str_c(PASSWORD));
    assert_string_not_equal(one.text, two.text);
    assert_true(verify(str_c(one.text), str_c(PASSWORD)));
    assert_true(verify(str_c(two.text), str_c(PASSWORD)));
}

/* No work either: attack case UI-015 */
static void length_outside_the_limits(void **state)
{
    (void)state;
    size_t megabyte = 1 << 20;
    identity_password_cost_t impossible = {.passes = UINT32_MAX, .memory = UINT32_MAX};
    identity_password_hash_t hash;
    arena_t *a = arena_new(2 << 20);
    char *text = arena_alloc(a, megabyte);
    assert_non_null(text);
    memset(text, 'x', megabyte);
    const size_t lengths[] = {0, IDENTITY_PASSWORD_BYTES_MIN - 1, LIMIT_PASSWORD_BYTES + 1,
                              megabyte};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        secret_t password = secret_of(str_of(text, lengths[i]));
        bool fits = true;
        assert_int_equal(identity_password_hash(&impossible, password, &hash), RC_LIMIT);
        assert_text(identity_password_hash_text(&hash), "");
        assert_ok(identity_password_verify(&impossible, STR_UNSET, password, &fits));
        assert_false(fits);
    }
    arena_free(a);
}

static void the_shortest_is_hashed(void **state)
{
    (void)state;
    identity_password_hash_t hash = hash_of(STR("8 bytes."));
    assert_true(verify(identity_password_hash_text(&hash), STR("8 bytes.")));
}

/* What another program made: argon2id of npm's @noble/hashes 2.4.0, {t: 2, m: 64, p: 1, dkLen: 32},
 * with the salt 0123456789abcdef. */
static void a_hash_of_another_program(void **state)
{
    (void)state;
    str_t stored = STR("$argon2id$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"
                       "T3PcaJ24NQXQLgFPwsq1O95VXG3/ohGKDVyk0WOwfEE");
    assert_true(verify(stored, str_c(PASSWORD)));
    assert_false(verify(stored, STR("correct horse batterY")));
}

#define SALT "MDEyMzQ1Njc4OWFiY2RlZg"
#define HASH "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const char *const MALFORMED[] = {
    NULL,
    "",
    "x",
    "!",
    "*",
    "$argon2id$",
    "$argon2id$v=19$",
    "$argon2id$v=19$m=8,t=1,p=1",
    "$argon2id$v=19$m=8,t=1,p=1$" SALT,
    "$argon2id$v=19$m=8,t=1,p=1$" SALT "$",
    "$argon2i$v=19$m=8,t=3,p=1$" SALT "$" HASH,
    "$argon2id$v=16$m=8,t=1,p=1$" SALT "$" HASH,
    "$argon2id$m=8,t=1,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=7,t=1,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=8,t=0,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=8,t=1,p=2$" SALT "$" HASH,
    "$argon2id$v=19$m=8,t=1,p=1,x=1$" SALT "$" HASH,
    "$argon2id$v=19$t=1,m=8,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=-8,t=1,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=4194304,t=1,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=8,t=4294967296,p=1$" SALT "$" HASH,
    "$argon2id$v=19$m=8,t=1,p=1$" SALT "$" HASH "AA",
    "$argon2id$v=19$m=8,t=1,p=1$" SALT "$" HASH "$",
    "$argon2id$v=19$m=8,t=1,p=1$" SALT "$" HASH "=",
    "$argon2id$v=19$m=8,t=1,p=1$" SALT "$\xff"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=8,t=1,p=1$AAAA$" HASH,
    "$argon2id$v=19$m=8,t=1,p=1$$" HASH,
    "$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzABCDEFG",
};

enum { N_MALFORMED = sizeof MALFORMED / sizeof MALFORMED[0] };

static void stored_hash_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_MALFORMED; i++) {
        assert_false(verify(str_c(MALFORMED[i]), str_c(PASSWORD)));
        assert_true(identity_password_needs_rehash(&CHEAP, str_c(MALFORMED[i])));
    }
    /* a hash that is cut short anywhere */
    identity_password_hash_t hash = hash_of(str_c(PASSWORD));
    str_t text = identity_password_hash_text(&hash);
    for (size_t n = 0; n < text.n; n++)
        assert_false(verify(str_first(text, n), str_c(PASSWORD)));
}

/* Bytes of the address space that are taken. */
static rlim_t used_space(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu", &pages), 1);
    fclose(f);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* No 64 MiB more while this stands, but some for the sanitizers. Answers what to go back to. */
static struct rlimit forbid_memory(void)
{
    struct rlimit before, tight;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    tight = before;
    tight.rlim_cur = used_space() + (32u << 20);
    assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
    return before;
}

static rc_t verify_without_memory(str_t stored)
{
    static const identity_password_cost_t LARGE = {.passes = 1, .memory = 64u << 20};
    bool fits = true;
    struct rlimit before = forbid_memory();
    rc_t rc = identity_password_verify(&LARGE, stored, secret(PASSWORD), &fits);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_false(fits);
    return rc;
}

/* It is no wrong password. That the unknown account fails alike shows that its work is done too. */
static void without_memory(void **state)
{
    (void)state;
    static const identity_password_cost_t LARGE = {.passes = 1, .memory = 64u << 20};
    identity_password_hash_t hash;
    struct rlimit before = forbid_memory();
    rc_t rc = identity_password_hash(&LARGE, secret(PASSWORD), &hash);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_int_equal(rc, RC_MEMORY);
    assert_int_equal(verify_without_memory(STR("$argon2id$v=19$m=65536,t=1,p=1$" SALT "$" HASH)),
                     RC_MEMORY);
    for (size_t i = 0; i < N_MALFORMED; i++)
        assert_int_equal(verify_without_memory(str_c(MALFORMED[i])), RC_MEMORY);
}

static double seconds_of_work(const identity_password_cost_t *cost, str_t stored)
{
    struct timespec from, to;
    bool fits;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (int i = 0; i < 4; i++)
        assert_ok(identity_password_verify(cost, stored, secret(PASSWORD), &fits));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* attack case: UI-012 */
static void no_account_is_as_much_work(void **state)
{
    (void)state;
    static const identity_password_cost_t COST = {.passes = 2, .memory = 8u << 20};
    identity_password_hash_t hash;
    assert_ok(identity_password_hash(&COST, secret(PASSWORD), &hash));
    double known = seconds_of_work(&COST, identity_password_hash_text(&hash));
    double unknown = seconds_of_work(&COST, STR_UNSET);
    double malformed = seconds_of_work(&COST, STR("!"));
    assert_true(unknown > known / 3 && unknown < known * 3);
    assert_true(malformed > known / 3 && malformed < known * 3);
}

static void rehash_at_another_cost(void **state)
{
    (void)state;
    identity_password_hash_t hash = hash_of(str_c(PASSWORD));
    str_t text = identity_password_hash_text(&hash);
    assert_false(identity_password_needs_rehash(&CHEAP, text));
    identity_password_cost_t more = {.passes = 2, .memory = 8192};
    assert_true(identity_password_needs_rehash(&more, text));
    more = (identity_password_cost_t){.passes = 1, .memory = 16384};
    assert_true(identity_password_needs_rehash(&more, text));
    /* verified at its own cost all the same */
    bool fits = false;
    assert_ok(identity_password_verify(&more, text, secret(PASSWORD), &fits));
    assert_true(fits);
}

/* RFC 9106 section 4 asks 3 passes over 64 MiB where memory is plenty; OWASP at least 2 over 19. */
static void the_usual_cost(void **state)
{
    (void)state;
    identity_password_hash_t hash;
    identity_password_cost_t cost = identity_password_cost_default();
    assert_ok(identity_password_hash(&cost, secret(PASSWORD), &hash));
    assert_true(
        str_starts(identity_password_hash_text(&hash), STR("$argon2id$v=19$m=32768,t=3,p=1$")));
    assert_false(identity_password_needs_rehash(&cost, identity_password_hash_text(&hash)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(password_fine),
        cmocka_unit_test(password_short),
        cmocka_unit_test(password_long),
        cmocka_unit_test(password_not_text),
        cmocka_unit_test(password_is_name),
        cmocka_unit_test(password_common),
        cmocka_unit_test(each_fault_has_a_sentence),
        cmocka_unit_test(hashed_and_verified),
        cmocka_unit_test(the_whole_password_counts),
        cmocka_unit_test(each_hash_has_its_salt),
        cmocka_unit_test(length_outside_the_limits),
        cmocka_unit_test(the_shortest_is_hashed),
        cmocka_unit_test(a_hash_of_another_program),
        cmocka_unit_test(stored_hash_malformed),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(no_account_is_as_much_work),
        cmocka_unit_test(rehash_at_another_cost),
        cmocka_unit_test(the_usual_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
