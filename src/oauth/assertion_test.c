#include "oauth/oauth_test_assertion.h"

#include "oauth/assertion.h"

#define CLAIMS "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":[\"a\",\"b\"],\"jti\":\"j\",\"exp\":1000060}"

static oauth_assertion_t read_one(world_t *w, const char *typ, const char *claims)
{
    oauth_assertion_t out;
    const test_signer_t signer = test_signer(w, ALG_EDDSA);
    str_t text = test_sign(w, &signer, typ, NULL, str_c(claims));
    assert_int_equal(oauth_assertion_read(w->a, text, &out), RC_OK);
    assert_true(out.readable);
    return out;
}

/* RFC 8725 section 3.11: one kind of JWT never passes for another. */
static void kinds_are_told_apart_by_typ(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    oauth_assertion_t one = read_one(&w, "oauth-id-jag+jwt", CLAIMS);
    assert_true(oauth_assertion_typ_is(&one, STR("oauth-id-jag+jwt"), false));
    assert_true(oauth_assertion_typ_is(&one, STR("OAUTH-id-jag+jwt"), true));
    assert_false(oauth_assertion_typ_is(&one, STR("dpop+jwt"), true));
    one = read_one(&w, NULL, CLAIMS);
    assert_true(oauth_assertion_typ_is(&one, STR("x"), true));
    assert_false(oauth_assertion_typ_is(&one, STR("x"), false));
    one = read_one(&w, "application/jwt", CLAIMS);
    assert_true(oauth_assertion_typ_is(&one, STR("x"), true));
    assert_false(oauth_assertion_typ_is(&one, STR("x"), false));
    world_end(&w);
}

static void all_who_are_named_must_be_us(void **state)
{
    (void)state;
    world_t w;
    const str_t both[] = {STR("a"), STR("b")};
    world_begin(&w);
    oauth_assertion_t one = read_one(&w, NULL, CLAIMS);
    assert_true(oauth_assertion_is_for(&one, (str_list_t){both, 2}, true));
    assert_false(oauth_assertion_is_for(&one, (str_list_t){both, 2}, false));
    assert_false(oauth_assertion_is_for(&one, (str_list_t){both, 1}, true));
    one = read_one(&w, NULL, "{\"aud\":\"a\"}");
    assert_true(oauth_assertion_is_for(&one, (str_list_t){both, 1}, false));
    assert_false(oauth_assertion_is_for(&one, (str_list_t){both + 1, 1}, true));
    one = read_one(&w, NULL, "{}");
    assert_false(oauth_assertion_is_for(&one, (str_list_t){both, 2}, true));
    world_end(&w);
}

/* Kind, owner and jti make the name, wherever one ends and the next begins. */
static void a_use_has_a_name_of_its_own(void **state)
{
    (void)state;
    static const char *const TRIPLES[][3] = {{"k", "who", "{\"jti\":\"j\"}"},
                                             {"kw", "ho", "{\"jti\":\"j\"}"},
                                             {"k", "whoj", "{\"jti\":\"\"}"},
                                             {"k", "who", "{\"jti\":\"j\\u0000\"}"},
                                             {"k", "who", "{\"jti\":\"j\\u0000a\"}"}};
    world_t w;
    hash_t ids[5];
    world_begin(&w);
    for (size_t i = 0; i < 5; i++) {
        const spent_t *name;
        oauth_assertion_t one = read_one(&w, NULL, TRIPLES[i][2]);
        assert_int_equal(
            oauth_assertion_spend(w.a, &one, str_c(TRIPLES[i][0]), str_c(TRIPLES[i][1]), &name),
            RC_OK);
        ids[i] = name->id;
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(&ids[k], &ids[i], sizeof ids[i]);
    }
    world_end(&w);
}

static rc_t read_in(world_t *w, arena_t *a, void *ctx)
{
    oauth_assertion_t out;
    (void)w;
    return oauth_assertion_read(a, *(const str_t *)ctx, &out);
}

static void without_memory(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    const test_signer_t signer = test_signer(&w, ALG_ES256);
    str_t text = test_sign(&w, &signer, NULL, NULL, STR(CLAIMS));
    world_starve(read_in, &w, &text);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_told_apart_by_typ),
        cmocka_unit_test(all_who_are_named_must_be_us),
        cmocka_unit_test(a_use_has_a_name_of_its_own),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
