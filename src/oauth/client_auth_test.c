#include "oauth/oauth_test_world.h"

#include "core/b64.h"
#include "core/limits.h"
#include "oauth/client_auth.h"
#include "oauth/handle.h"

static str_t basic(world_t *w, const char *scheme, const char *text)
{
    str_t code = b64_encode(w->a, text, strlen(text));
    return arena_printf(w->a, "%s%" PRIstr, scheme, STR_ARG(code));
}

static oauth_client_claim_t read_with(world_t *w, const str_t *headers, size_t n, const char *form)
{
    oauth_client_claim_t claim;
    form_t f = world_form(w, form);
    assert_int_equal(oauth_client_auth_read(w->a, (str_list_t){headers, n}, &f, &claim), RC_OK);
    return claim;
}

static oauth_client_claim_t read_form(world_t *w, const char *form)
{
    return read_with(w, NULL, 0, form);
}

static oauth_client_claim_t read_basic(world_t *w, const char *pair)
{
    str_t header = basic(w, "Basic ", pair);
    return read_with(w, &header, 1, "");
}

static oauth_reason_t judge(const world_t *w, oauth_client_claim_t claim)
{
    assert_reason(claim.reason, OAUTH_FINE);
    return oauth_client_auth_check(&claim, &w->client, TEST_NOW);
}

#define ID_SECRET   "client-1:wrs_the-secret-of-the-client"
#define POST_SECRET "client_id=client-1&client_secret=wrs_the-secret-of-the-client"

static void each_method_as_registered(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    assert_reason(judge(&w, read_form(&w, "client_id=client-1")), OAUTH_FINE);
    w.client.auth = CLIENT_AUTH_SECRET_POST;
    assert_reason(judge(&w, read_form(&w, POST_SECRET)), OAUTH_FINE);
    w.client.auth = CLIENT_AUTH_SECRET_BASIC;
    assert_reason(judge(&w, read_basic(&w, ID_SECRET)), OAUTH_FINE);
    for (size_t i = 0; i < 3; i++) {
        static const char *const SCHEMES[] = {"basic ", "BASIC ", "bAsIc  "};
        str_t header = basic(&w, SCHEMES[i], ID_SECRET);
        assert_reason(judge(&w, read_with(&w, &header, 1, "")), OAUTH_FINE);
    }
    str_t header = basic(&w, "Basic ", ID_SECRET);
    assert_reason(judge(&w, read_with(&w, &header, 1, "client_id=client-1")), OAUTH_FINE);
    world_end(&w);
}

/* attack case: TOK-011 */
static void both_halves_are_form_decoded(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    w.client.auth = CLIENT_AUTH_SECRET_BASIC;
    w.client.id = STR("a:b +%\xc3\xa9");
    w.client.secret_hash = oauth_handle_hash(STR("s :%"));
    assert_reason(judge(&w, read_basic(&w, "a%3Ab+%2B%25%C3%A9:s+%3A%25")), OAUTH_FINE);
    /* Plain, a client of unreserved characters is itself; this one would be another, or nobody. */
    assert_reason(judge(&w, read_basic(&w, "a:b +:s :")), OAUTH_CLIENT_UNKNOWN);
    assert_reason(judge(&w, read_basic(&w, "a%3Ab+%2B%25%C3%A9:s+%3A%25+")),
                  OAUTH_CLIENT_AUTH_SECRET);
    world_end(&w);
}

static void client_auth_missing(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    assert_reason(read_form(&w, "").reason, OAUTH_CLIENT_AUTH_MISSING);
    assert_reason(read_form(&w, "client_id=").reason, OAUTH_CLIENT_AUTH_MISSING);
    assert_reason(read_form(&w, "client_secret=x").reason, OAUTH_CLIENT_AUTH_MISSING);
    world_end(&w);
}

/* attack case: TOK-009 */
static void client_auth_several(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    const str_t twice[] = {basic(&w, "Basic ", ID_SECRET), basic(&w, "Basic ", ID_SECRET)};
    assert_reason(read_with(&w, twice, 2, "").reason, OAUTH_CLIENT_AUTH_SEVERAL);
    assert_reason(read_with(&w, twice, 1, POST_SECRET).reason, OAUTH_CLIENT_AUTH_SEVERAL);
    assert_reason(read_with(&w, twice, 1, "client_assertion=x").reason, OAUTH_CLIENT_AUTH_SEVERAL);
    assert_reason(read_form(&w, POST_SECRET "&client_assertion=x").reason,
                  OAUTH_CLIENT_AUTH_SEVERAL);
    world_end(&w);
}

/* attack case: TOK-009 */
static void client_auth_other_id(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    str_t header = basic(&w, "Basic ", ID_SECRET);
    assert_reason(read_with(&w, &header, 1, "client_id=client-2").reason,
                  OAUTH_CLIENT_AUTH_OTHER_ID);
    world_end(&w);
}

static void parameter_repeated(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    assert_reason(read_form(&w, "client_id=client-1&client_id=client-1").reason,
                  OAUTH_PARAMETER_REPEATED);
    assert_reason(read_form(&w, POST_SECRET "&client_secret=").reason, OAUTH_PARAMETER_REPEATED);
    world_end(&w);
}

static void client_auth_scheme(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    const str_t bearer = STR("Bearer abc"), tab = STR("Basic\tabc"), nothing = STR("");
    assert_reason(read_with(&w, &bearer, 1, "client_id=client-1").reason, OAUTH_CLIENT_AUTH_SCHEME);
    assert_reason(read_with(&w, &tab, 1, "").reason, OAUTH_CLIENT_AUTH_SCHEME);
    assert_reason(read_with(&w, &nothing, 1, "").reason, OAUTH_CLIENT_AUTH_SCHEME);
    world_end(&w);
}

/* attack case: TOK-008 */
static void client_auth_malformed(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    const str_t bad[] = {STR("Basic"),
                         STR("Basic "),
                         STR("Basic !!!!"),
                         STR("Basic Y2xpZW50LTE6eA=="), /* good but for the next one's padding */
                         STR("Basic Y2xpZW50LTE6eA"),
                         STR("Basic Y2xpZW50LTE6eA==="),
                         basic(&w, "Basic ", "no-colon"),
                         basic(&w, "Basic ", ":secret"),
                         basic(&w, "Basic ", "client-1:"),
                         basic(&w, "Basic ", "\xff\xfe:\xff"),
                         basic(&w, "Basic ", "%zz:%zz"),
                         basic(&w, "Basic ", "client-1%00:x")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        oauth_client_claim_t claim = read_with(&w, &bad[i], 1, "");
        if (i == 3) {
            assert_reason(claim.reason, OAUTH_FINE);
            continue;
        }
        assert_reason(claim.reason, OAUTH_CLIENT_AUTH_MALFORMED);
        assert_true(str_starts(oauth_client_auth_challenge(&claim, claim.reason), STR("Basic ")));
    }
    char *huge = arena_alloc(w.a, 1 << 20);
    assert_non_null(huge);
    memset(huge, 'A', 1 << 20);
    memcpy(huge, "Basic ", 6);
    const str_t header = str_of(huge, 1 << 20);
    assert_reason(read_with(&w, &header, 1, "").reason, OAUTH_CLIENT_AUTH_MALFORMED);
    world_end(&w);
}

static void client_unknown(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    oauth_client_claim_t claim = read_form(&w, "client_id=client-1");
    assert_reason(oauth_client_auth_check(&claim, NULL, TEST_NOW), OAUTH_CLIENT_UNKNOWN);
    assert_reason(oauth_client_auth_check(&claim, &w.client, w.client.expires_at),
                  OAUTH_CLIENT_UNKNOWN);
    assert_reason(oauth_client_auth_check(&claim, &w.client, w.client.expires_at - 1), OAUTH_FINE);
    w.client.expires_at = 0;
    assert_reason(oauth_client_auth_check(&claim, &w.client, INT64_MAX), OAUTH_FINE);
    claim = read_basic(&w, ID_SECRET);
    assert_reason(oauth_client_auth_check(&claim, NULL, TEST_NOW), OAUTH_CLIENT_UNKNOWN);
    claim = read_form(&w, "client_id=client-2");
    assert_reason(oauth_client_auth_check(&claim, &w.client, TEST_NOW), OAUTH_CLIENT_UNKNOWN);
    world_end(&w);
}

/* attack case: TOK-010 */
static void client_auth_method(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    assert_reason(judge(&w, read_form(&w, POST_SECRET)), OAUTH_CLIENT_AUTH_METHOD);
    assert_reason(judge(&w, read_basic(&w, ID_SECRET)), OAUTH_CLIENT_AUTH_METHOD);
    w.client.auth = CLIENT_AUTH_SECRET_BASIC;
    assert_reason(judge(&w, read_form(&w, POST_SECRET)), OAUTH_CLIENT_AUTH_METHOD);
    assert_reason(judge(&w, read_form(&w, "client_id=client-1")), OAUTH_CLIENT_AUTH_METHOD);
    w.client.auth = CLIENT_AUTH_SECRET_POST;
    assert_reason(judge(&w, read_basic(&w, ID_SECRET)), OAUTH_CLIENT_AUTH_METHOD);
    assert_reason(judge(&w, read_form(&w, POST_SECRET)), OAUTH_FINE);
    world_end(&w);
}

/* attack case: TOK-020 */
static void client_auth_secret(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    w.client.auth = CLIENT_AUTH_SECRET_BASIC;
    assert_reason(judge(&w, read_basic(&w, "client-1:wrong")), OAUTH_CLIENT_AUTH_SECRET);
    assert_reason(judge(&w, read_basic(&w, ID_SECRET "x")), OAUTH_CLIENT_AUTH_SECRET);
    assert_reason(judge(&w, read_basic(&w, ID_SECRET)), OAUTH_FINE);
    w.client.has_secret = false;
    assert_reason(judge(&w, read_basic(&w, ID_SECRET)), OAUTH_CLIENT_AUTH_SECRET);
    world_end(&w);
}

static void basic_is_named_only_where_it_was_tried(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    oauth_client_claim_t claim = read_basic(&w, ID_SECRET);
    assert_text(oauth_client_auth_challenge(&claim, OAUTH_CLIENT_UNKNOWN),
                "Basic realm=\"warder\", charset=\"UTF-8\"");
    assert_unset(oauth_client_auth_challenge(&claim, OAUTH_CODE_UNKNOWN));
    claim = read_form(&w, POST_SECRET);
    assert_unset(oauth_client_auth_challenge(&claim, OAUTH_CLIENT_UNKNOWN));
    world_end(&w);
}

static rc_t read_in(world_t *w, arena_t *a, void *ctx)
{
    oauth_client_claim_t claim;
    const form_t form = {0};
    (void)w;
    return oauth_client_auth_read(a, (str_list_t){ctx, 1}, &form, &claim);
}

static void without_memory(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    str_t header = basic(&w, "Basic ", ID_SECRET);
    world_starve(read_in, &w, &header);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_as_registered),
        cmocka_unit_test(both_halves_are_form_decoded),
        cmocka_unit_test(client_auth_missing),
        cmocka_unit_test(client_auth_several),
        cmocka_unit_test(client_auth_other_id),
        cmocka_unit_test(parameter_repeated),
        cmocka_unit_test(client_auth_scheme),
        cmocka_unit_test(client_auth_malformed),
        cmocka_unit_test(client_unknown),
        cmocka_unit_test(client_auth_method),
        cmocka_unit_test(client_auth_secret),
        cmocka_unit_test(basic_is_named_only_where_it_was_tried),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
