#include "oauth/oauth_test_world.h"

#include "core/b64.h"
#include "core/limits.h"
#include "jose/digest.h"
#include "oauth/revocation_list.h"

static str_t written(world_t *w, uint64_t since, const revoked_t *v, size_t n)
{
    str_t out;
    assert_int_equal(oauth_revocation_list_write(w->a, since, v, n, &out), RC_OK);
    return out;
}

static rc_t read(world_t *w, str_t text, oauth_revocation_page_t *out)
{
    return oauth_revocation_list_read(w->a, text, out);
}

static void an_id_is_the_hash_of_kind_and_key(void **state)
{
    (void)state;
    uint8_t id[32], inner[32], expected[32];
    char both[64] = "grant:";
    sha256(STR("family-1"), inner);
    memcpy(both + 6, inner, sizeof inner);
    sha256(str_of(both, 6 + sizeof inner), expected);
    oauth_revocation_id(REVOKED_GRANT, STR("family-1"), id);
    assert_memory_equal(id, expected, sizeof id);
    oauth_revocation_id(REVOKED_CLIENT, STR("family-1"), id);
    assert_memory_not_equal(id, expected, sizeof id);
    oauth_revocation_id(REVOKED_ALL, STR_UNSET, inner);
    oauth_revocation_id(REVOKED_ALL, STR(""), expected);
    assert_memory_equal(inner, expected, sizeof inner);
}

static void a_jti_names_its_family(void **state)
{
    (void)state;
    assert_text(oauth_revocation_family(STR("f.x")), "f");
    assert_unset(oauth_revocation_family(STR("x")));
    assert_unset(oauth_revocation_family(STR_UNSET));
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    const revoked_t v[] = {
        {.seq = 6, .kind = REVOKED_SUBJECT, .key = STR("user-alice"), .at = 1700000000},
        {.seq = 9, .kind = REVOKED_TOKEN, .key = STR("j1"), .at = 1700000001},
    };
    str_t text = written(&w, 5, v, 2);
    assert_false(str_contains(text, STR("alice")));
    oauth_revocation_page_t page;
    assert_int_equal(read(&w, text, &page), RC_OK);
    assert_int_equal(page.seq, 9);
    assert_false(page.more);
    assert_int_equal(page.n, 2);
    uint8_t id[32];
    oauth_revocation_id(REVOKED_SUBJECT, STR("user-alice"), id);
    assert_memory_equal(page.v[0].id, id, sizeof id);
    assert_int_equal(page.v[0].at, 1700000000);
    assert_text(written(&w, 5, v, 0), "{\"seq\":5,\"entries\":[],\"more\":false}");
    world_end(&w);
}

static void a_page_is_bounded_and_says_that_there_is_more(void **state)
{
    (void)state;
    enum { N = LIMIT_REVOCATIONS_PAGE + 1 };
    world_t w;
    world_begin(&w);
    revoked_t *v = ARENA_ARRAY(w.a, N, revoked_t);
    for (size_t i = 0; i < N; i++)
        v[i] =
            (revoked_t){.seq = i + 1, .kind = REVOKED_SUBJECT, .key = STR("u"), .at = 253402300799};
    oauth_revocation_page_t page;
    assert_int_equal(read(&w, written(&w, 0, v, N), &page), RC_OK);
    assert_int_equal(page.n, LIMIT_REVOCATIONS_PAGE);
    assert_int_equal(page.seq, LIMIT_REVOCATIONS_PAGE);
    assert_true(page.more);
    assert_int_equal(read(&w, written(&w, 0, v, N - 1), &page), RC_OK);
    assert_false(page.more);
    world_end(&w);
}

static void since_is_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        bool good;
        uint64_t since;
    } CASES[] = {
        {"", true, 0},
        {"since=0", true, 0},
        {"since=17", true, 17},
        {"since=", true, 0},
        {"x=y", true, 0},
        {"since=9223372036854775807", true, INT64_MAX},
        {"since=9223372036854775808", false, 0},
        {"since=-1", false, 0},
        {"since=1&since=2", false, 0},
        {"since=1'%20OR%201=1--", false, 0},
        {"since=%00", false, 0},
        {"since=%", false, 0},
    };
    world_t w;
    world_begin(&w);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        uint64_t since;
        assert_int_equal(oauth_revocation_list_since(w.a, str_c(CASES[i].query), &since),
                         CASES[i].good);
        if (CASES[i].good)
            assert_int_equal(since, CASES[i].since);
    }
    world_end(&w);
}

#define ID "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void what_is_no_page_is_malformed(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "[]",
        "{}",
        "{\"seq\":1}",
        "{\"seq\":-1,\"entries\":[]}",
        "{\"seq\":\"1\",\"entries\":[]}",
        "{\"seq\":1,\"entries\":{}}",
        "{\"seq\":1,\"entries\":[],\"more\":1}",
        "{\"seq\":1,\"entries\":[1]}",
        "{\"seq\":1,\"entries\":[{\"kind\":\"grant\",\"id\":\"" ID "\"}]}",
        "{\"seq\":1,\"entries\":[{\"kind\":\"grant\",\"at\":1}]}",
        "{\"seq\":1,\"entries\":[{\"id\":\"" ID "\",\"at\":1}]}",
        "{\"seq\":1,\"entries\":[{\"kind\":\"grant\",\"id\":\"AA\",\"at\":1}]}",
        "{\"seq\":1,\"entries\":[{\"kind\":\"grant\",\"id\":\"" ID "A\",\"at\":1}]}",
        "{\"seq\":1,\"entries\":[{\"kind\":\"grant\",\"id\":\"" ID "\",\"at\":-1}]}",
        "{\"seq\":1,\"entries\":[]} x",
    };
    world_t w;
    world_begin(&w);
    oauth_revocation_page_t page;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (read(&w, str_c(BAD[i]), &page) != RC_MALFORMED)
            fail_msg("%s is taken", BAD[i]);
    /* What later versions may add is no fault. */
    assert_int_equal(read(&w,
                          STR("{\"seq\":1,\"new\":[],\"entries\":[{\"kind\":\"other\",\"id\":\"" ID
                              "\",\"at\":1,\"x\":{}}]}"),
                          &page),
                     RC_OK);
    world_end(&w);
}

static rc_t write_and_read(world_t *w, arena_t *a, void *ctx)
{
    (void)w;
    str_t text;
    oauth_revocation_page_t page;
    TRY(oauth_revocation_list_write(a, 0, ctx, 1, &text));
    return oauth_revocation_list_read(a, text, &page);
}

static void memory_ends_anywhere(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    revoked_t r = {.seq = 1, .kind = REVOKED_ALL, .at = 1};
    world_starve(write_and_read, &w, &r);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_the_hash_of_kind_and_key),
        cmocka_unit_test(a_jti_names_its_family),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_page_is_bounded_and_says_that_there_is_more),
        cmocka_unit_test(since_is_a_number),
        cmocka_unit_test(what_is_no_page_is_malformed),
        cmocka_unit_test(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
