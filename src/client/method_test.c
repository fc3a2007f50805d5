#include "client/client_test_util.h"

#include "client/method.h"

typedef struct {
    const char *listed; /* space-separated; NULL: the member is absent */
    bool secret, key;
    const char *registered; /* NULL: not said */
    const char *want;       /* NULL: none fits */
} method_row_t;

static str_list_t words(arena_t *a, const char *text)
{
    str_t *v = ARENA_ARRAY(a, 8, str_t);
    size_t n = 0;
    str_t rest = str_c(text);
    while (str_split(&rest, ' ', &v[n]))
        n++;
    return (str_list_t){v, n};
}

static void check(arena_t *a, const method_row_t *row)
{
    const jwk_t key = {0};
    client_method_t m;
    client_server_metadata_t server = {.has_auth_methods = row->listed != NULL};
    if (row->listed && *row->listed)
        server.auth_methods = words(a, row->listed);
    client_credentials_t who = {.client_id = STR("me"),
                                .secret = secret_of(row->secret ? STR("s") : STR_UNSET),
                                .key = row->key ? &key : NULL,
                                .method = str_c(row->registered)};
    bool found = client_method_choose(&server, &who, &m);
    str_t got = found ? client_method_name(m) : STR_UNSET;
    if (!str_eq(got, str_c(row->want)))
        fail_msg("of %s chosen %" PRIstr, row->listed ? row->listed : "nothing", STR_ARG(got));
}

static void the_registered_method_counts(void **state)
{
    static const method_row_t CASES[] = {
        {"client_secret_basic none", true, false, "client_secret_post", "client_secret_post"},
        {NULL, true, false, "client_secret_post", "client_secret_post"},
        {"client_secret_post", true, false, "client_secret_basic", "client_secret_basic"},
        {"client_secret_basic", true, false, "none", "none"},
        {"client_secret_basic", true, true, "private_key_jwt", "private_key_jwt"},
        {"none", false, false, "none", "none"},
    };
    for (size_t i = 0; i < ROWS(CASES); i++)
        check(*state, &CASES[i]);
}

static void else_what_there_is_and_the_server_lists(void **state)
{
    static const method_row_t CASES[] = {
        {NULL, true, false, NULL, "client_secret_basic"},
        {"client_secret_post client_secret_basic", true, false, NULL, "client_secret_basic"},
        {"client_secret_post", true, false, NULL, "client_secret_post"},
        {"none client_secret_post", true, false, NULL, "client_secret_post"},
        {"none", true, false, NULL, "none"},
        {"client_secret_basic private_key_jwt", true, true, NULL, "private_key_jwt"},
        {"client_secret_basic", true, true, NULL, "client_secret_basic"},
        {"private_key_jwt", false, true, NULL, "private_key_jwt"},
        {NULL, true, true, NULL, "client_secret_basic"},
        {NULL, false, true, NULL, "private_key_jwt"},
        {NULL, false, false, NULL, "none"},
        {"none", false, false, NULL, "none"},
        {"client_secret_basic", false, false, NULL, "none"},
        {"", false, false, NULL, "none"},
    };
    for (size_t i = 0; i < ROWS(CASES); i++)
        check(*state, &CASES[i]);
}

static void method_unknown(void **state)
{
    static const method_row_t CASES[] = {
        {"client_secret_basic", true, false, "client_secret_jwt", NULL},
        {"client_secret_basic", true, false, "Client_Secret_Basic", NULL},
        {"client_secret_basic", true, false, "", NULL},
        {"client_secret_basic", false, false, "client_secret_basic", NULL},
        {"client_secret_post", false, true, "client_secret_post", NULL},
        {"private_key_jwt", true, false, "private_key_jwt", NULL},
        {"tls_client_auth", true, false, NULL, NULL},
        {"client_secret_basic client_secret_post", false, true, NULL, NULL},
        {"", true, true, NULL, NULL},
        {"client_secret_basic", true, false, NULL, "client_secret_basic"},
    };
    for (size_t i = 0; i < ROWS(CASES); i++)
        check(*state, &CASES[i]);
}

static void names_read_back(void **state)
{
    (void)state;
    client_method_t m;
    for (int i = CLIENT_METHOD_NONE; i <= CLIENT_METHOD_JWT; i++) {
        assert_true(client_method_parse(client_method_name((client_method_t)i), &m));
        assert_int_equal(m, i);
    }
    assert_false(client_method_parse(STR_UNSET, &m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(the_registered_method_counts),
        ARENA_TEST(else_what_there_is_and_the_server_lists),
        ARENA_TEST(method_unknown),
        ARENA_TEST(names_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
