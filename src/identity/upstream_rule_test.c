#include "identity/identity_test_util.h"

#include "identity/upstream_rule.h"

static bool allowed(const char *rows, const char *claims)
{
    str_t v[8], rest = str_c(rows);
    size_t n = 0;
    const json_t *json;
    arena_t *a = test_arena();
    assert_ok(json_parse(a, str_c(claims), NULL, &json));
    while (rest.n > 0 && str_split(&rest, ',', &v[n]))
        n++;
    bool fits = identity_upstream_is_allowed((str_list_t){v, n}, json);
    arena_free(a);
    return fits;
}

#define MAIL     "{\"email\":\"Dana@Example.com\",\"email_verified\":true}"
#define UNPROVEN "{\"email\":\"dana@example.com\",\"email_verified\":false}"

static void without_rows_everybody_may(void **state)
{
    (void)state;
    assert_true(allowed("", "{}"));
}

static void value_or_end_must_fit(void **state)
{
    (void)state;
    assert_true(allowed("hd=example.com", "{\"hd\":\"example.com\"}"));
    assert_false(allowed("hd=example.com", "{\"hd\":\"Example.com\"}"));
    assert_false(allowed("hd=example.com", "{\"hd\":\"example.com.evil\"}"));
    assert_false(allowed("hd=example.com", "{}"));
    assert_false(allowed("hd=example.com", "{\"hd\":true}"));
    assert_true(allowed("upn=*@example.com", "{\"upn\":\"a@example.com\"}"));
    assert_false(allowed("upn=*@example.com", "{\"upn\":\"@example.com\"}"));
    assert_false(allowed("upn=*@example.com", "{\"upn\":\"a@sub.example.com\"}"));
    assert_false(allowed("upn=*@example.com", "{\"upn\":\"com\"}"));
}

static void mail_address_must_be_verified(void **state)
{
    (void)state;
    assert_true(allowed("email=*@example.com", MAIL));
    assert_true(allowed("email=dana@example.com", MAIL));
    assert_false(allowed("email=*@example.com", UNPROVEN));
    assert_false(allowed("email=*@example.com", "{\"email\":\"dana@example.com\"}"));
    assert_false(allowed("email=*@example.com",
                         "{\"email\":\"dana@example.com\",\"email_verified\":\"true\"}"));
}

static void some_element_of_an_array_fits(void **state)
{
    (void)state;
    assert_true(allowed("groups=staff", "{\"groups\":[1,\"a\",\"staff\"]}"));
    assert_false(allowed("groups=staff", "{\"groups\":[\"staffing\",{\"staff\":1}]}"));
    assert_false(allowed("groups=staff", "{\"groups\":{\"0\":\"staff\"}}"));
}

static void one_row_of_each_claim(void **state)
{
    (void)state;
    const char *rows = "hd=a.test,hd=b.test,groups=staff";
    assert_true(allowed(rows, "{\"hd\":\"b.test\",\"groups\":[\"staff\"]}"));
    assert_false(allowed(rows, "{\"hd\":\"b.test\"}"));
    assert_false(allowed(rows, "{\"hd\":\"c.test\",\"groups\":[\"staff\"]}"));
}

/* The settings are checked at the start; what slips through lets nobody in. */
static void unsound_row_lets_nobody_in(void **state)
{
    (void)state;
    static const char *const ROWS[] = {"email", "=x", "email=", "email=*"};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        assert_false(identity_upstream_rule_is_sound(str_c(ROWS[i])));
        assert_false(allowed(ROWS[i], MAIL));
    }
    assert_true(identity_upstream_rule_is_sound(STR("email=*@example.com")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rows_everybody_may),
        cmocka_unit_test(value_or_end_must_fit),
        cmocka_unit_test(mail_address_must_be_verified),
        cmocka_unit_test(some_element_of_an_array_fits),
        cmocka_unit_test(one_row_of_each_claim),
        cmocka_unit_test(unsound_row_lets_nobody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
