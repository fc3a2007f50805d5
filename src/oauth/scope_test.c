#include "oauth/oauth_test_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "oauth/scope.h"

/* The published vectors, for whoever writes another implementation: test/vectors/scope.json. */
static str_t read_vectors(world_t *w)
{
    char path[4096], bytes[4096];
    const char *root = getenv("WARDER_SOURCE");
    buf_t b = buf_new(w->a, TEST_ARENA_BYTES);
    str_t text;
    snprintf(path, sizeof path, "%s/test/vectors/scope.json", root);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, f)) > 0;)
        buf_put(&b, str_of(bytes, n));
    fclose(f);
    assert_int_equal(buf_done(&b, &text), RC_OK);
    return text;
}

static void try_vector(const json_t *row)
{
    bool holds;
    str_t granted = json_get_str(row, STR("granted")), needed = json_get_str(row, STR("needed"));
    assert_true(str_is_set(granted) && str_is_set(needed));
    assert_true(json_get_bool(row, STR("holds"), &holds));
    if (oauth_scope_covers(granted, needed) != holds)
        fail_msg("\"%" PRIstr "\" for \"%" PRIstr "\"", STR_ARG(granted), STR_ARG(needed));
}

static void vectors(void **state)
{
    (void)state;
    enum { AT_LEAST = 60 };
    world_t w;
    if (!getenv("WARDER_SOURCE"))
        skip();
    world_begin(&w);
    const json_t *cases = json_get(world_json(&w, read_vectors(&w)), STR("cases"));
    assert_true(json_is(cases, JSON_ARRAY) && cases->count >= AT_LEAST);
    for (const json_t *row = cases->child; row; row = row->next)
        try_vector(row);
    assert_true(oauth_scope_covers(STR("a"), STR_UNSET));
    assert_false(oauth_scope_covers(STR_UNSET, STR("a")));
    world_end(&w);
}

static void grammar(void **state)
{
    (void)state;
    assert_true(oauth_scope_is_valid(STR("a b:c https://x/y! ~")));
    static const str_t BAD[] = {STR_INIT(""),      STR_INIT(" "),        STR_INIT("a "),
                                STR_INIT(" a"),    STR_INIT("a  b"),     STR_INIT("a\"b"),
                                STR_INIT("a\\b"),  STR_INIT("a\tb"),     STR_INIT("a\nb"),
                                STR_INIT("a\x7f"), STR_INIT("\xc3\xa9"), STR_INIT("a\0b")};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(oauth_scope_is_valid(BAD[i]));
}

static void wildcards_are_known(void **state)
{
    (void)state;
    assert_true(oauth_scope_is_wildcard(STR("*")));
    assert_true(oauth_scope_is_wildcard(STR("a:*")));
    assert_true(oauth_scope_is_wildcard(STR("a:*:b")));
    assert_false(oauth_scope_is_wildcard(STR("a*")));
    assert_false(oauth_scope_is_wildcard(STR("a:b*")));
}

static void lists(void **state)
{
    (void)state;
    assert_true(oauth_scope_has(STR("a b"), STR("b")));
    assert_false(oauth_scope_has(STR("a:*"), STR("a:b")));
    str_t rest = STR("  a   b "), token;
    assert_true(oauth_scope_next(&rest, &token));
    assert_true(str_eq(token, STR("a")));
    assert_true(oauth_scope_next(&rest, &token));
    assert_true(str_eq(token, STR("b")));
    assert_false(oauth_scope_next(&rest, &token));
}

static str_t parsed(world_t *w, const char *text)
{
    str_t scope;
    assert_int_equal(oauth_scope_parse(w->a, str_c(text), &scope), RC_OK);
    return scope;
}

/* attack case: AZ-008 */
static void parsing_collapses(void **state)
{
    (void)state;
    world_t w;
    str_t scope;
    world_begin(&w);
    assert_text(parsed(&w, "tools:read  tools:read"), "tools:read");
    assert_text(parsed(&w, " b a b "), "b a");
    assert_unset(parsed(&w, ""));
    assert_unset(parsed(&w, "  "));
    static const char *const BAD[] = {"\"x", "a\\b", "a\tb", "a\x7f", "\xc3\xa9", "a \n"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(oauth_scope_parse(w.a, str_c(BAD[i]), &scope), RC_MALFORMED);
    assert_int_equal(oauth_scope_parse(w.a, STR_UNSET, &scope), RC_OK);
    assert_unset(scope);
    world_end(&w);
}

/* attack case: AZ-008 */
static void parsing_is_bounded(void **state)
{
    (void)state;
    world_t w;
    str_t scope;
    world_begin(&w);
    char *many = arena_alloc(w.a, LIMIT_SCOPE_BYTES + 1);
    assert_non_null(many);
    memset(many, 'a', LIMIT_SCOPE_BYTES + 1);
    assert_int_equal(oauth_scope_parse(w.a, str_of(many, LIMIT_SCOPE_BYTES + 1), &scope), RC_LIMIT);
    assert_int_equal(oauth_scope_parse(w.a, str_of(many, LIMIT_SCOPE_BYTES), &scope), RC_OK);
    for (size_t i = 1; i < 2 * LIMIT_SCOPE_TOKENS; i += 2)
        many[i] = ' ';
    size_t n = 2 * LIMIT_SCOPE_TOKENS;
    assert_int_equal(oauth_scope_parse(w.a, str_of(many, n), &scope), RC_OK);
    assert_int_equal(oauth_scope_parse(w.a, str_of(many, n + 1), &scope), RC_LIMIT);
    world_end(&w);
}

static void narrowing_and_union(void **state)
{
    (void)state;
    world_t w;
    str_t scope;
    world_begin(&w);
    assert_int_equal(oauth_scope_narrow(w.a, STR("c a:x b a:*"), STR("b a:*"), &scope), RC_OK);
    assert_text(scope, "a:x b a:*");
    assert_int_equal(oauth_scope_narrow(w.a, STR("a:* *"), STR("a:x"), &scope), RC_OK);
    assert_unset(scope);
    assert_int_equal(oauth_scope_narrow(w.a, STR_UNSET, STR("a"), &scope), RC_OK);
    assert_unset(scope);
    assert_int_equal(oauth_scope_union(w.a, STR("b a"), STR("c b"), &scope), RC_OK);
    assert_text(scope, "b a c");
    assert_int_equal(oauth_scope_union(w.a, STR_UNSET, STR_UNSET, &scope), RC_OK);
    assert_unset(scope);
    world_end(&w);
}

static void words_of_settings(void **state)
{
    static const str_t WORDS[] = {STR_INIT("b"), STR_INIT("a:x"), STR_INIT("b")};
    char many[LIMIT_SCOPE_BYTES];
    const str_t long_word = {many, sizeof many};
    (void)state;
    world_t w;
    str_t scope;
    world_begin(&w);
    assert_int_equal(oauth_scope_of_words(w.a, (str_list_t){WORDS, 3}, &scope), RC_OK);
    assert_text(scope, "b a:x b");
    assert_int_equal(oauth_scope_of_words(w.a, (str_list_t){WORDS, 0}, &scope), RC_OK);
    assert_unset(scope);
    memset(many, 'a', sizeof many);
    assert_int_equal(oauth_scope_of_words(w.a, (str_list_t){&long_word, 1}, &scope), RC_OK);
    const str_t two[] = {STR("b"), long_word};
    assert_int_equal(oauth_scope_of_words(w.a, (str_list_t){two, 2}, &scope), RC_LIMIT);
    world_end(&w);
}

static rc_t all_in(world_t *w, arena_t *a, void *ctx)
{
    str_t scope;
    (void)w;
    (void)ctx;
    TRY(oauth_scope_parse(a, STR("a b"), &scope));
    TRY(oauth_scope_narrow(a, STR("a b"), STR("a b"), &scope));
    return oauth_scope_union(a, STR("a b"), STR("c"), &scope);
}

static void without_memory(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    world_starve(all_in, &w, NULL);
    world_end(&w);
}

static void habits_of_clients(void **state)
{
    (void)state;
    assert_true(oauth_scope_is_habit(STR_UNSET));
    assert_true(oauth_scope_is_habit(STR("openid")));
    assert_true(oauth_scope_is_habit(STR("openid profile email offline_access")));
    assert_false(oauth_scope_is_habit(STR("openid a:read")));
    assert_false(oauth_scope_is_habit(STR("OpenID")));
    assert_false(oauth_scope_is_habit(STR("openid.x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(grammar),
        cmocka_unit_test(wildcards_are_known),
        cmocka_unit_test(lists),
        cmocka_unit_test(parsing_collapses),
        cmocka_unit_test(parsing_is_bounded),
        cmocka_unit_test(narrowing_and_union),
        cmocka_unit_test(words_of_settings),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(habits_of_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
