#include "client/client_test_util.h"

#include "client/url_rule.h"
#include "core/buf.h"
#include "core/limits.h"

static const struct {
    const char *url;
    client_reason_t reason, plain; /* with plain_ok */
} CHECKS[] = {
    {"https://a.example", CLIENT_FINE, CLIENT_FINE},
    {"HTTPS://A.example:8443/b?c=d", CLIENT_FINE, CLIENT_FINE},
    {"https://[2001:db8::1]/", CLIENT_FINE, CLIENT_FINE},
    {"http://localhost:1", CLIENT_FINE, CLIENT_FINE},
    {"http://LOCALHOST/x", CLIENT_FINE, CLIENT_FINE},
    {"http://127.0.0.1:65535/", CLIENT_FINE, CLIENT_FINE},
    {"http://[::1]:80/", CLIENT_FINE, CLIENT_FINE},
    {"http://a.example", CLIENT_URL_PLAIN, CLIENT_FINE},
    {"HTTP://a.example", CLIENT_URL_PLAIN, CLIENT_FINE},
    {"http://localhost.a.example", CLIENT_URL_PLAIN, CLIENT_FINE},
    {"http://127.0.0.1.a.example", CLIENT_URL_PLAIN, CLIENT_FINE},
    {"http://[::ffff:127.0.0.1]/", CLIENT_URL_PLAIN, CLIENT_FINE},
    {"javascript:alert(1)", CLIENT_URL_SCHEME, CLIENT_URL_SCHEME},
    {"JavaScript://a.example/%0aalert(1)", CLIENT_URL_SCHEME, CLIENT_URL_SCHEME},
    {"data:text/html,<script>", CLIENT_URL_SCHEME, CLIENT_URL_SCHEME},
    {"file:///etc/passwd", CLIENT_URL_SCHEME, CLIENT_URL_SCHEME},
    {"vbscript:x", CLIENT_URL_SCHEME, CLIENT_URL_SCHEME},
    {"ms-msdt:/id x", CLIENT_URL_SCHEME, CLIENT_URL_SCHEME},
    {"httpss://a.example", CLIENT_URL_SCHEME, CLIENT_URL_SCHEME},
    {"ws://a.example", CLIENT_URL_SCHEME, CLIENT_URL_SCHEME},
    {"", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {":", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"a.example", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"/well-known", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"//a.example", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"1https://a.example", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {" https://a.example", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https:a.example", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https:///a", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://a@b.example/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://@b.example/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://a.example/#", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://a.example/b#c", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://a.example:0/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://a.example:99999/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://a.example/\\b", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://a.example/b c", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://a.example/$(id)\n", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://\xc3\xa9.example/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://127.1/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://2130706433/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://0x7f000001/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://a.0X7F/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://192.168.257/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://0300.0250.1.1/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://192.168.1.1./", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://%31%39%32.168.1.1/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://local%68ost/", CLIENT_URL_BAD, CLIENT_URL_BAD},
    {"https://1.example/", CLIENT_FINE, CLIENT_FINE},
    {"https://0xa.example./", CLIENT_FINE, CLIENT_FINE},
};

static void urls_of_strangers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(CHECKS); i++) {
        str_t url = str_c(CHECKS[i].url);
        if (client_url_check(url, false) != CHECKS[i].reason ||
            client_url_check(url, true) != CHECKS[i].plain)
            fail_msg("%s: %s", CHECKS[i].url,
                     client_test_reason_name(client_url_check(url, false)));
        assert_reason(client_url_check_page(url), CHECKS[i].reason);
    }
    assert_reason(client_url_check(STR_UNSET, true), CLIENT_URL_BAD);
}

static void urls_are_bounded(void **state)
{
    buf_t b = buf_new(*state, LIMIT_URL_BYTES + 1);
    buf_put(&b, STR("https://a.example/"));
    while (b.n < LIMIT_URL_BYTES)
        buf_char(&b, 'x');
    assert_reason(client_url_check(buf_str(&b), false), CLIENT_FINE);
    buf_char(&b, 'x');
    assert_reason(client_url_check(buf_str(&b), false), CLIENT_URL_BAD);
}

static void pages_that_are_options(void **state)
{
    (void)state;
    assert_reason(client_url_check_page(STR("--help")), CLIENT_URL_BAD);
    assert_reason(client_url_check_page(STR("-https://a.example")), CLIENT_URL_BAD);
    assert_reason(client_url_check_page(STR("https://a.example/-")), CLIENT_FINE);
}

static const struct {
    const char *url;
    http_reach_t own;
} REACHES[] = {
    {"https://a.example", HTTP_REACH_PUBLIC},
    {"https://8.8.8.8/", HTTP_REACH_PUBLIC},
    {"https://[2606:4700::1]/", HTTP_REACH_PUBLIC},
    {"http://localhost", HTTP_REACH_LOOPBACK},
    {"https://LOCALHOST.", HTTP_REACH_LOOPBACK},
    {"https://a.localhost", HTTP_REACH_LOOPBACK},
    {"https://LocalHost", HTTP_REACH_LOOPBACK},
    {"http://127.0.0.1:1", HTTP_REACH_LOOPBACK},
    {"https://127.9.9.9", HTTP_REACH_LOOPBACK},
    {"http://[::1]", HTTP_REACH_LOOPBACK},
    {"https://[::ffff:127.0.0.1]", HTTP_REACH_LOOPBACK},
    {"https://10.1.2.3", HTTP_REACH_ANY},
    {"https://192.168.0.1", HTTP_REACH_ANY},
    {"https://172.16.0.1", HTTP_REACH_ANY},
    {"https://169.254.169.254", HTTP_REACH_ANY},
    {"https://[fd00::1]", HTTP_REACH_ANY},
    {"https://[fe80::1]", HTTP_REACH_ANY},
    {"https://0.0.0.0", HTTP_REACH_ANY},
    {"https://localhost.a.example", HTTP_REACH_PUBLIC},
    {"https://10.0.0.1.a.example", HTTP_REACH_PUBLIC},
    {"file:///", HTTP_REACH_PUBLIC},
    {"", HTTP_REACH_PUBLIC},
};

static void the_widest_reach_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(REACHES); i++)
        for (http_reach_t asked = HTTP_REACH_PUBLIC; asked <= HTTP_REACH_ANY; asked++) {
            http_reach_t own = REACHES[i].own, widest = own > asked ? own : asked;
            if (client_url_reach(str_c(REACHES[i].url), asked) != widest)
                fail_msg("%s with %d", REACHES[i].url, asked);
        }
}

static void literal_addresses_beyond_reach(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(REACHES); i++)
        for (http_reach_t reach = HTTP_REACH_PUBLIC; reach <= HTTP_REACH_ANY; reach++)
            assert_reason(client_url_check_reach(str_c(REACHES[i].url), reach),
                          REACHES[i].own > reach ? CLIENT_URL_OUT_OF_REACH : CLIENT_FINE);
}

static void origins(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        bool same;
    } PAIRS[] = {
        {"https://a.example/b", "https://a.example", true},
        {"https://A.EXAMPLE/", "HTTPS://a.example:443?x", true},
        {"http://a.example:80", "http://a.example", true},
        {"https://a.example", "http://a.example", false},
        {"https://a.example", "http://a.example:443", false},
        {"https://a.example", "https://a.example:444", false},
        {"https://a.example", "https://b.example", false},
        {"https://a.example", "https://a.example.b.example", false},
        {"https://a.example", "https://a.example.", false},
        {"https://a.example", "a.example", false},
        {"file:///a", "file:///a", false},
        {"", "", false},
    };
    for (size_t i = 0; i < ROWS(PAIRS); i++) {
        str_t first = str_c(PAIRS[i].first), second = str_c(PAIRS[i].second);
        assert_int_equal(client_url_same_origin(first, second), PAIRS[i].same);
        assert_int_equal(client_url_same_origin(second, first), PAIRS[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_of_strangers),
        ARENA_TEST(urls_are_bounded),
        cmocka_unit_test(pages_that_are_options),
        cmocka_unit_test(the_widest_reach_counts),
        cmocka_unit_test(literal_addresses_beyond_reach),
        cmocka_unit_test(origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
