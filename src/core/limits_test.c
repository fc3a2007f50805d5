#include "core/core_test_util.h"

#include "core/limits.h"

typedef struct {
    const char *name;
    long value;
    const char *reason;
} row_t;

static const row_t LIMITS[] = {
#define LIMIT(name, value, reason) {#name, value, reason},
#include "core/limits.def"
#undef LIMIT
};

static void every_limit_has_a_value_and_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(LIMITS); i++) {
        if (LIMITS[i].value <= 0 || strlen(LIMITS[i].reason) < 10)
            fail_msg("%s", LIMITS[i].name);
    }
}

/* What travels inside of something must fit into it. */
static void limits_agree_with_each_other(void **state)
{
    (void)state;
    assert_true(LIMIT_LOG_FIELD_BYTES < LIMIT_LOG_LINE_BYTES);
    assert_true(LIMIT_URL_BYTES < LIMIT_HTTP_LINE_BYTES);
    assert_true(LIMIT_HTTP_LINE_BYTES < LIMIT_HTTP_HEAD_BYTES);
    assert_true(LIMIT_COOKIE_HEADER_BYTES < LIMIT_HTTP_HEAD_BYTES);
    assert_true(LIMIT_JSON_BYTES < LIMIT_REQUEST_ARENA_BYTES);
    assert_true(LIMIT_TOKEN_CLAIMS_BYTES * 4 / 3 <= LIMIT_JWS_BYTES);
    assert_true(LIMIT_REDIRECT_URI_BYTES + 3 * LIMIT_STATE_BYTES < LIMIT_REDIRECT_BYTES);
    assert_true(LIMIT_CONF_VALUE_BYTES < LIMIT_CONF_FILE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_limit_has_a_value_and_a_reason),
        cmocka_unit_test(limits_agree_with_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
