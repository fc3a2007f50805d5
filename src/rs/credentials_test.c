#include "rs/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define FIELD(n, v)                                                                                \
    {                                                                                              \
        STR_INIT(n), STR_INIT(v)                                                                   \
    }

static rc_t read_fields(arena_t *a, const http_header_t *v, size_t n, warder_rs_request_t *out)
{
    rs_credentials_t *keep = ARENA_NEW(a, rs_credentials_t);
    http_exchange_t x = {.method = HTTP_POST, .headers = {v, n}, .arena = a};
    return rs_credentials_read(&x, keep, out);
}

static void all_values_in_their_order(void **state)
{
    static const http_header_t V[] = {FIELD("authorization", "Bearer one"), FIELD("Accept", "*/*"),
                                      FIELD("DPoP", "proof"), FIELD("AUTHORIZATION", "Bearer two")};
    warder_rs_request_t r;
    assert_int_equal(read_fields(*state, V, 4, &r), RC_OK);
    assert_string_equal(r.method, "POST");
    assert_int_equal(r.header_count, 2);
    assert_string_equal(r.headers[0], "Bearer one");
    assert_string_equal(r.headers[1], "Bearer two");
    assert_int_equal(r.proof_count, 1);
    assert_string_equal(r.proofs[0], "proof");
    assert_null(r.scope);
}

/* A proxy may have rewritten it. */
static void the_path_that_arrived_is_nobodys_to_sign(void **state)
{
    static const http_header_t V[] = {FIELD("Authorization", "DPoP one"), FIELD("DPoP", "proof")};
    warder_rs_request_t r;
    rs_credentials_t keep;
    http_exchange_t x = {.raw_path = STR("/mcp/"), .headers = {V, 2}, .arena = *state};
    assert_int_equal(rs_credentials_read(&x, &keep, &r), RC_OK);
    assert_int_equal(r.proof_count, 1);
    assert_null(r.path);
}

static void none_and_too_many(void **state)
{
    http_header_t v[RS_CREDENTIALS_MAX + 1];
    warder_rs_request_t r;
    assert_int_equal(read_fields(*state, NULL, 0, &r), RC_OK);
    assert_int_equal(r.header_count, 0);
    for (size_t i = 0; i <= RS_CREDENTIALS_MAX; i++)
        v[i] = (http_header_t)FIELD("Authorization", "Bearer x");
    assert_int_equal(read_fields(*state, v, RS_CREDENTIALS_MAX + 1, &r), RC_OK);
    assert_int_equal(r.header_count, RS_CREDENTIALS_MAX); /* two are refused already */
}

static void a_value_with_a_nul(void **state)
{
    static const http_header_t V[] = {FIELD("Authorization", "Bearer a\0b")};
    warder_rs_request_t r;
    assert_int_equal(read_fields(*state, V, 1, &r), RC_MEMORY);
}

static int setup(void **state)
{
    *state = arena_new(1 << 16);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

#define CREDENTIALS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CREDENTIALS_TEST(all_values_in_their_order),
        CREDENTIALS_TEST(the_path_that_arrived_is_nobodys_to_sign),
        CREDENTIALS_TEST(none_and_too_many),
        CREDENTIALS_TEST(a_value_with_a_nul),
    };
    return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
