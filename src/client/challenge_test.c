/* attack case: CLI-019 */
#include "client/client_test_util.h"

#include "client/challenge.h"
#include "core/buf.h"
#include "core/limits.h"

enum { VALUES = 3 };

/* Challenges in one line each: scheme, token68 in brackets, parameters, "!" where one is repeated.
 */
static str_t describe(arena_t *a, const client_challenges_t *all)
{
    buf_t b = buf_new(a, 1 << 20);
    str_t out;
    for (size_t i = 0; i < all->n; i++) {
        const client_auth_challenge_t *c = &all->v[i];
        buf_put(&b, i > 0 ? STR(" | ") : STR(""));
        buf_put(&b, c->scheme);
        if (str_is_set(c->token68))
            buf_fmt(&b, " [%" PRIstr "]", STR_ARG(c->token68));
        for (size_t k = 0; k < c->n_params; k++)
            buf_fmt(&b, " %" PRIstr "=<%" PRIstr ">", STR_ARG(c->params[k].name),
                    STR_ARG(c->params[k].value));
        buf_put(&b, c->repeated ? STR(" !") : STR(""));
    }
    assert_ok(buf_done(&b, &out));
    return out;
}

static const struct {
    const char *values[VALUES];
    const char *described; /* NULL: nothing */
    bool malformed;
} READ[] = {
    {{"Bearer"}, "Bearer", false},
    {{"Bearer realm=\"x\""}, "Bearer realm=<x>", false},
    {{"bEARER Realm=x, ERROR=\"y\""}, "bEARER Realm=<x> ERROR=<y>", false},
    /* commas and quotes in quotes */
    {{"Bearer realm=\"a, Basic b=c\", scope=\"d e\""},
     "Bearer realm=<a, Basic b=c> scope=<d e>",
     false},
    {{"Bearer realm=\"a\\\"b\\\\c\\d\""}, "Bearer realm=<a\"b\\cd>", false},
    {{"Bearer realm=\"\""}, "Bearer realm=<>", false},
    {{"Bearer realm=\"a\tb\xc3\xa9\""}, "Bearer realm=<a\tb\xc3\xa9>", false},
    /* several challenges */
    {{"Basic realm=\"a\", Bearer realm=\"b\", scope=\"c\""},
     "Basic realm=<a> | Bearer realm=<b> scope=<c>",
     false},
    {{"Negotiate, NTLM, Bearer a=b"}, "Negotiate | NTLM | Bearer a=<b>", false},
    {{"Negotiate YII-._~+/==, Bearer a=b"}, "Negotiate [YII-._~+/==] | Bearer a=<b>", false},
    {{"Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\""},
     "Newauth realm=<apps> type=<1> title=<Login to \"apps\"> | Basic realm=<simple>",
     false},
    {{"Basic realm=\"a\"", "Bearer b=c", "DPoP algs=\"ES256\""},
     "Basic realm=<a> | Bearer b=<c> | DPoP algs=<ES256>",
     false},
    {{"Bearer a=b, Bearer a=c"}, "Bearer a=<b> | Bearer a=<c>", false},
    /* space, tabs, empty elements */
    {{" \t,, Bearer \t a\t=  b ,,\t, c = \"d\" , "}, "Bearer a=<b> c=<d>", false},
    {{"Bearer\ta=b"}, "Bearer a=<b>", false},
    {{"Bearer, a=b"}, "Bearer a=<b>", false},
    {{"Bearer ,a=b"}, "Bearer a=<b>", false},
    {{""}, "", false},
    {{", ,"}, "", false},
    {{NULL}, "", false},
    /* one sign that begins either */
    {{"Bearer abc"}, "Bearer [abc]", false},
    {{"Bearer abc="}, "Bearer [abc=]", false},
    {{"Bearer abc= \"d\""}, "Bearer abc=<d>", false},
    {{"Bearer abc ==d"}, "", true},
    /* a parameter twice */
    {{"Bearer a=b, A=\"c\""}, "Bearer a=<b> A=<c> !", false},
    {{"Basic a=b, a=c, Bearer a=d"}, "Basic a=<b> a=<c> ! | Bearer a=<d>", false},
    /* no challenge, or not the whole of one */
    {{"Bearer realm=\"a"}, "", true},
    {{"Bearer realm=\"a\\\""}, "", true},
    {{"Bearer realm=\"a\\"}, "", true},
    {{"Bearer realm=\"a\nb\""}, "", true},
    {{"Bearer realm=\"a\"x"}, "", true},
    {{"Bearer realm=\"a\" scope=\"b\""}, "", true},
    {{"Bearer realm="}, "Bearer [realm=]", false},
    {{"Bearer realm=, scope=b"}, "", true},
    {{"Bearer realm=a, scope="}, "", true},
    {{"Bearer realm=a=b"}, "", true},
    {{"Bearer a b"}, "", true},
    {{"Bearer \"a\""}, "", true},
    {{"Bearer =a"}, "", true},
    {{"Bearer abc, d=e"}, "", true},
    {{"realm=\"a\""}, "", true},
    {{"=a"}, "", true},
    {{"\"Bearer\""}, "", true},
    {{"Bearer:a=b"}, "", true},
    {{"Basic realm=\"a\", Bearer realm=\"b, Negotiate"}, "Basic realm=<a>", true},
    {{"Basic a=b, \"c\", Bearer d=e"}, "Basic a=<b>", true},
    {{"Basic realm=\"a", "Bearer b=c"}, "Bearer b=<c>", true},
};

static str_list_t values_of(arena_t *a, const char *const values[VALUES])
{
    str_t *v = ARENA_ARRAY(a, VALUES, str_t);
    size_t n = 0;
    while (n < VALUES && values[n]) {
        v[n] = test_exact(a, str_c(values[n]));
        n++;
    }
    return (str_list_t){v, n};
}

static void challenges(void **state)
{
    arena_t *a = *state;
    for (size_t i = 0; i < ROWS(READ); i++) {
        client_challenges_t all;
        assert_ok(client_challenges_read(a, values_of(a, READ[i].values), &all));
        str_t seen = describe(a, &all);
        if (!str_eq(str_is_set(seen) ? seen : STR(""), str_c(READ[i].described)) ||
            all.malformed != READ[i].malformed)
            fail_msg("%s: %" PRIstr "%s", READ[i].values[0], STR_ARG(seen),
                     all.malformed ? ", malformed" : "");
    }
}

static str_t repeat(arena_t *a, const char *piece, size_t times)
{
    buf_t b = buf_new(a, 4 << 20);
    str_t out;
    for (size_t i = 0; i < times; i++)
        buf_put(&b, str_c(piece));
    assert_ok(buf_done(&b, &out));
    return test_exact(a, out);
}

/* Headers of a megabyte, and what comes in numbers. */
static void bounded(void **state)
{
    arena_t *a = *state;
    static const struct {
        const char *piece;
        size_t times, n;
        bool malformed;
    } CASES[] = {
        {"Bearer a=b, ", 1 << 17, 0, true},
        {"x", 1 << 20, 0, true},
        {"\"", 1 << 20, 0, true},
        {",", 1 << 20, 0, true},
        {",", LIMIT_CHALLENGE_BYTES, 0, false},
        {"x", LIMIT_CHALLENGE_BYTES, 1, false},
        {"x", LIMIT_CHALLENGE_BYTES + 1, 0, true},
        {"Bearer, ", CLIENT_CHALLENGES_MAX, CLIENT_CHALLENGES_MAX, false},
        {"Bearer, ", CLIENT_CHALLENGES_MAX + 1, CLIENT_CHALLENGES_MAX, true},
    };
    for (size_t i = 0; i < ROWS(CASES); i++) {
        client_challenges_t all;
        str_t value = repeat(a, CASES[i].piece, CASES[i].times);
        size_t used = arena_used(a);
        assert_ok(client_challenges_read(a, (str_list_t){&value, 1}, &all));
        assert_true(arena_used(a) - used < 1 << 16);
        assert_int_equal(all.n, CASES[i].n);
        assert_int_equal(all.malformed, CASES[i].malformed);
    }
    /* A long value takes the room of those behind it, and none of those before. */
    str_t values[] = {STR("Bearer a=b"), repeat(a, "x", LIMIT_CHALLENGE_BYTES), STR("DPoP c=d")};
    client_challenges_t all;
    assert_ok(client_challenges_read(a, (str_list_t){values, 3}, &all));
    assert_str(describe(a, &all), STR("Bearer a=<b>"));
    assert_true(all.malformed);
}

static void parameters_are_bounded(void **state)
{
    arena_t *a = *state;
    for (size_t n = CLIENT_CHALLENGE_PARAMS - 1; n <= CLIENT_CHALLENGE_PARAMS + 1; n++) {
        client_challenges_t all;
        str_t value = STR("Bearer a=b");
        for (size_t i = 1; i < n; i++)
            value = arena_printf(a, "%" PRIstr ", p%zu=q", STR_ARG(value), i);
        assert_ok(client_challenges_read(a, (str_list_t){&value, 1}, &all));
        assert_int_equal(all.n, n <= CLIENT_CHALLENGE_PARAMS);
        assert_int_equal(all.malformed, n > CLIENT_CHALLENGE_PARAMS);
    }
}

#define M "resource_metadata"
static const struct {
    const char *values[VALUES];
    bool bearer, dpop;
    const char *error, *scope, *metadata, *algs;
} PICKED[] = {
    {{"Bearer " M "=\"https://h/x\", scope=\"b  a b\", error=invalid_token"},
     true,
     false,
     "invalid_token",
     "b a",
     "https://h/x",
     NULL},
    {{"Basic realm=x, Negotiate abc, BEARER " M "=y"}, true, false, NULL, NULL, "y", NULL},
    {{"DPoP algs=\"ES256 EdDSA\", " M "=y"}, false, true, NULL, NULL, "y", "ES256 EdDSA"},
    {{"Bearer " M "=y, scope=a, DPoP algs=ES256, " M "=z, error=invalid_dpop_proof"},
     true,
     true,
     "invalid_dpop_proof",
     "a",
     "y",
     "ES256"},
    {{"DPoP algs=ES256, " M "=z", "Bearer " M "=y, scope=a"}, true, true, NULL, "a", "z", "ES256"},
    /* the one with metadata before the first */
    {{"Bearer realm=x, Bearer " M "=y, scope=b"}, true, false, NULL, "b", "y", NULL},
    {{"Bearer error=a, Bearer error=b"}, true, false, "a", NULL, NULL, NULL},
    {{"Bearer"}, true, false, NULL, NULL, NULL, NULL},
    {{"Bearer " M "=\"\""}, true, false, NULL, NULL, "", NULL},
    /* one with a parameter twice is not used */
    {{"Bearer " M "=y, " M "=z"}, false, false, NULL, NULL, NULL, NULL},
    {{"Bearer " M "=y, error=a, Error=b", "Bearer realm=x"}, true, false, NULL, NULL, NULL, NULL},
    {{"DPoP a=b, a=b, Bearer " M "=y"}, true, false, NULL, NULL, "y", NULL},
    /* what is no scope */
    {{"Bearer scope=\"a \\\"b\""}, true, false, NULL, NULL, NULL, NULL},
    {{"Bearer scope=\"\xc3\xa9\""}, true, false, NULL, NULL, NULL, NULL},
    {{"Bearer scope=\"\""}, true, false, NULL, NULL, NULL, NULL},
    {{"Basic realm=x"}, false, false, NULL, NULL, NULL, NULL},
    {{"BearerX " M "=y"}, false, false, NULL, NULL, NULL, NULL},
    {{"Bearer " M "=\"y"}, false, false, NULL, NULL, NULL, NULL},
};

static void what_counts(void **state)
{
    arena_t *a = *state;
    for (size_t i = 0; i < ROWS(PICKED); i++) {
        client_challenges_t all;
        client_challenge_t c;
        assert_ok(client_challenges_read(a, values_of(a, PICKED[i].values), &all));
        assert_ok(client_challenge_pick(a, &all, &c));
        assert_int_equal(c.bearer, PICKED[i].bearer);
        assert_int_equal(c.dpop, PICKED[i].dpop);
        assert_int_equal(c.found, c.bearer || c.dpop);
        assert_str(c.error, str_c(PICKED[i].error));
        assert_str(c.scope, str_c(PICKED[i].scope));
        assert_str(c.resource_metadata, str_c(PICKED[i].metadata));
        assert_str(c.algs, str_c(PICKED[i].algs));
    }
}

static void members_of_other_rules(void **state)
{
    arena_t *a = *state;
    client_challenges_t all;
    client_challenge_t c;
    str_t value = STR("Bearer error=\"insufficient_user_authentication\", acr_values=\"a b\", "
                      "max_age=5, error_description=\"Sign in again\"");
    assert_ok(client_challenges_read(a, (str_list_t){&value, 1}, &all));
    assert_ok(client_challenge_pick(a, &all, &c));
    assert_str(c.acr_values, STR("a b"));
    assert_str(c.max_age, STR("5"));
    assert_str(c.error_description, STR("Sign in again"));
    assert_str(client_challenge_get(&all.v[0], STR("ACR_VALUES")), STR("a b"));
    assert_false(str_is_set(client_challenge_get(&all.v[0], STR("acr"))));
}

static rc_t read_one(arena_t *a, void *ctx)
{
    client_challenges_t all;
    client_challenge_t c;
    str_t value = STR("Basic realm=\"a\\\"b\", Bearer scope=\"b\", x=y");
    TRY(client_challenges_read(a, (str_list_t){&value, 1}, &all));
    return client_challenge_pick(a, &all, &c);
}

static void without_memory(void **state)
{
    (void)state;
    client_test_starve(read_one, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(challenges),
        ARENA_TEST(bounded),
        ARENA_TEST(parameters_are_bounded),
        ARENA_TEST(what_counts),
        ARENA_TEST(members_of_other_rules),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
