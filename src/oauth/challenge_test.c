#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limits.h"
#include "oauth/challenge.h"

static void writes(const oauth_challenge_t *c, str_t expected)
{
    arena_t *a = arena_new(65536);
    str_t text;
    assert_int_equal(oauth_challenge_write(a, c, &text), RC_OK);
    assert_int_equal(text.n, expected.n);
    assert_memory_equal(text.p, expected.p, expected.n);
    arena_free(a);
}

static void without_credentials_there_is_no_error(void **state)
{
    (void)state;
    writes(&(oauth_challenge_t){.scope = STR("a b"), .resource_metadata = STR("https://h/x")},
           STR("Bearer scope=\"a b\", resource_metadata=\"https://h/x\""));
    writes(&(oauth_challenge_t){0}, STR("Bearer"));
}

static void all_members_once(void **state)
{
    (void)state;
    writes(&(oauth_challenge_t){.error = STR("insufficient_scope"),
                                .error_description = STR("More is needed"),
                                .scope = STR("a"),
                                .resource_metadata = STR("https://h/x")},
           STR("Bearer error=\"insufficient_scope\", error_description=\"More is needed\", "
               "scope=\"a\", resource_metadata=\"https://h/x\""));
}

/* RFC 9449 section 7.1 */
static void the_scheme_of_bound_tokens(void **state)
{
    (void)state;
    writes(&(oauth_challenge_t){.error = STR("use_dpop_nonce"),
                                .resource_metadata = STR("https://h/x"),
                                .dpop_algs = STR("ES256 PS256")},
           STR("DPoP error=\"use_dpop_nonce\", resource_metadata=\"https://h/x\", "
               "algs=\"ES256 PS256\""));
    writes(&(oauth_challenge_t){.dpop_algs = STR("ES256")}, STR("DPoP algs=\"ES256\""));
}

/* attack case: CHL-003 */
static void nothing_breaks_out_of_its_quotes(void **state)
{
    (void)state;
    writes(&(oauth_challenge_t){.scope = STR("a\", realm=\"x\r\nSet-Cookie: y\\"),
                                .resource_metadata = STR("https://h/\"\0\xc3\xa9,b")},
           STR("Bearer scope=\"a?, realm=?x??Set-Cookie: y?\", "
               "resource_metadata=\"https://h/????,b\""));
}

static void too_long(void **state)
{
    (void)state;
    arena_t *a = arena_new(4 * LIMIT_CHALLENGE_BYTES);
    char *big = arena_alloc(a, LIMIT_CHALLENGE_BYTES);
    str_t text;
    memset(big, 'a', LIMIT_CHALLENGE_BYTES);
    oauth_challenge_t c = {.scope = str_of(big, LIMIT_CHALLENGE_BYTES)};
    assert_int_equal(oauth_challenge_write(a, &c, &text), RC_LIMIT);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_credentials_there_is_no_error),
        cmocka_unit_test(all_members_once),
        cmocka_unit_test(the_scheme_of_bound_tokens),
        cmocka_unit_test(nothing_breaks_out_of_its_quotes),
        cmocka_unit_test(too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
