#include "oauth/oauth_test_world.h"

#include "oauth/issuer.h"

static void where_the_metadata_of_an_issuer_are(void **state)
{
    (void)state;
    static const char *const ROWS[][2] = {
        {"https://idp.test", "https://idp.test/.well-known/openid-configuration"},
        {"https://idp.test/", "https://idp.test/.well-known/openid-configuration"},
        {"https://idp.test/t/1", "https://idp.test/t/1/.well-known/openid-configuration"},
    };
    world_t w;
    world_begin(&w);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        str_t url;
        assert_int_equal(oauth_issuer_metadata_url(w.a, str_c(ROWS[i][0]), &url), RC_OK);
        assert_str(url, str_c(ROWS[i][1]));
    }
    world_end(&w);
}

static void what_they_say(void **state)
{
    (void)state;
    static const char *const SILENT[] = {"", "[]", "{", "{\"issuer\":1,\"jwks_uri\":[]}"};
    world_t w;
    str_t issuer, uri;
    world_begin(&w);
    assert_int_equal(oauth_issuer_metadata_read(w.a,
                                                STR("{\"issuer\":\"https://idp.test\",\"jwks_uri\":"
                                                    "\"https://idp.test/k\",\"more\":[]}"),
                                                &issuer, &uri),
                     RC_OK);
    assert_text(issuer, "https://idp.test");
    assert_text(uri, "https://idp.test/k");
    for (size_t i = 0; i < sizeof SILENT / sizeof SILENT[0]; i++) {
        assert_int_equal(oauth_issuer_metadata_read(w.a, str_c(SILENT[i]), &issuer, &uri), RC_OK);
        assert_unset(issuer);
        assert_unset(uri);
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_the_metadata_of_an_issuer_are),
        cmocka_unit_test(what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
