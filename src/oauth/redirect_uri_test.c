#include "oauth/oauth_test_world.h"

#include "core/limits.h"
#include "oauth/redirect_uri.h"

static void refused(oauth_reason_t reason, const char *const *uris)
{
    oauth_redirect_kind_t kind;
    for (; *uris; uris++) {
        oauth_reason_t got = oauth_redirect_uri_check(str_c(*uris), NULL, &kind);
        if (got != reason)
            fail_msg("%s: %s", *uris, oauth_reason_name(got).p);
    }
    assert_reason(oauth_redirect_uri_check(STR("https://c.test/cb"), NULL, &kind), OAUTH_FINE);
}

#define REFUSED(reason, ...) refused((reason), (const char *const[]){__VA_ARGS__, NULL})

static void redirect_uri_malformed(void **state)
{
    (void)state;
    REFUSED(OAUTH_REDIRECT_URI_MALFORMED, "", "/cb", "c.test/cb", "https://", "https:///cb",
            "https://c.test/c b", "https://c.test/cb\n", "https://c.test\\cb", "https://c.test/%zz",
            "https://c.test:x/cb", "https://c.test/\xc3\xa9", "cursor:", "://c.test");
    char big[LIMIT_REDIRECT_URI_BYTES + 2] = "https://c.test/";
    memset(big + 15, 'a', sizeof big - 15);
    oauth_redirect_kind_t kind;
    assert_reason(oauth_redirect_uri_check(str_of(big, LIMIT_REDIRECT_URI_BYTES + 1), NULL, &kind),
                  OAUTH_REDIRECT_URI_MALFORMED);
    assert_reason(oauth_redirect_uri_check(str_of(big, LIMIT_REDIRECT_URI_BYTES), NULL, &kind),
                  OAUTH_FINE);
}

static void redirect_uri_fragment(void **state)
{
    (void)state;
    REFUSED(OAUTH_REDIRECT_URI_FRAGMENT, "https://c.test/cb#x", "https://c.test/cb#",
            "cursor://x/cb#y");
}

static void redirect_uri_userinfo(void **state)
{
    (void)state;
    REFUSED(OAUTH_REDIRECT_URI_USERINFO, "https://a@c.test/cb", "https://c.test@evil.test/cb",
            "http://user@127.0.0.1/cb", "https://@c.test/cb");
}

static void redirect_uri_spelling(void **state)
{
    (void)state;
    REFUSED(OAUTH_REDIRECT_URI_SPELLING, "https://ev%69l.test/cb", "https://c%2Etest/cb",
            "https://c.test./cb", "https://127.1/cb", "https://2130706433/cb", "https://0x7f.1/cb",
            "https://0177.0.0.1/cb", "https://c..test/cb", "https://c.test%2f.evil.test/cb");
    oauth_redirect_kind_t kind;
    assert_reason(oauth_redirect_uri_check(STR("https://127.0.0.1/cb"), NULL, &kind), OAUTH_FINE);
    assert_reason(oauth_redirect_uri_check(STR("https://[2001:db8::1]/cb"), NULL, &kind),
                  OAUTH_FINE);
}

/* attack case: RED-004 */
static void redirect_uri_wildcard(void **state)
{
    (void)state;
    REFUSED(OAUTH_REDIRECT_URI_WILDCARD, "https://*.c.test/cb", "https://c.test/*",
            "https://c.test/.*", "cursor://*/cb");
}

static void redirect_uri_query(void **state)
{
    (void)state;
    REFUSED(OAUTH_REDIRECT_URI_QUERY, "https://c.test/cb?code=x", "https://c.test/cb?a=b&state",
            "https://c.test/cb?iss=https://evil.test", "https://c.test/cb?error=x",
            "https://c.test/cb?error_uri=x", "https://c.test/cb?%63ode=x",
            "https://c.test/cb?a&%73%74%61te", "http://127.0.0.1/?%43&cod%65");
    oauth_redirect_kind_t kind;
    str_t other = STR("https://c.test/cb?codes=1&cod=2&CODE=3&%2563ode=4&=code");
    assert_reason(oauth_redirect_uri_check(other, NULL, &kind), OAUTH_FINE);
}

static void redirect_uri_scheme(void **state)
{
    (void)state;
    REFUSED(OAUTH_REDIRECT_URI_SCHEME, "javascript:alert(1)", "JavaScript:alert(1)",
            "data:text/html,x", "file:///etc/passwd", "vbscript:x", "blob:https://c.test/x",
            "about:blank", "view-source:https://c.test", "ws://c.test/", "wss://c.test/",
            "ftp://c.test/", "urn:ietf:wg:oauth:2.0:oob", "mailto:a@b.test", "intent://x",
            "localhost:8080/cb", "ms-msdt:/id", "search-ms:q", "MHTML:x", "feed:javascript:x",
            "livescript:x", "itms-services://x?action=x", "git+ssh://c.test/x");
    oauth_redirect_kind_t kind;
    str_t cursor = STR("cursor://anysphere.cursor-mcp/oauth/callback");
    assert_reason(oauth_redirect_uri_check(cursor, NULL, &kind), OAUTH_FINE);
    assert_int_equal(kind, OAUTH_REDIRECT_PRIVATE);
    /* whatever an operator writes down */
    const str_t all[] = {STR("javascript"), STR("data"), STR("file")};
    const oauth_redirect_policy_t policy = {.schemes = {all, 3}};
    assert_reason(oauth_redirect_uri_check(STR("javascript:alert(1)"), &policy, &kind),
                  OAUTH_REDIRECT_URI_SCHEME);
}

static oauth_reason_t under(const oauth_redirect_policy_t *policy, const char *uri)
{
    oauth_redirect_kind_t kind;
    return oauth_redirect_uri_check(str_c(uri), policy, &kind);
}

static void redirect_uri_private(void **state)
{
    (void)state;
    const str_t schemes[] = {STR("cursor"), STR("com.example.app")};
    oauth_redirect_policy_t policy = {0};
    assert_reason(under(&policy, "cursor://x/cb"), OAUTH_REDIRECT_URI_PRIVATE);
    assert_reason(under(&policy, "https://c.test/cb"), OAUTH_FINE);
    assert_reason(under(&policy, "http://127.0.0.1/cb"), OAUTH_FINE);
    policy.schemes = (str_list_t){schemes, 2};
    assert_reason(under(&policy, "cursor://x/cb"), OAUTH_FINE);
    assert_reason(under(&policy, "CURSOR://x/cb"), OAUTH_FINE);
    assert_reason(under(&policy, "com.example.app:/cb"), OAUTH_FINE);
    assert_reason(under(&policy, "cursors://x/cb"), OAUTH_REDIRECT_URI_PRIVATE);
    assert_reason(under(&policy, "com.example.app2:/cb"), OAUTH_REDIRECT_URI_PRIVATE);
}

static void redirect_uri_host(void **state)
{
    (void)state;
    const str_t hosts[] = {STR("claude.ai"), STR("*.example.com")};
    const str_t denied[] = {STR("bad.example.com"), STR("localhost")};
    oauth_redirect_policy_t policy = {.hosts = {hosts, 2}};
    assert_reason(under(&policy, "https://claude.ai/cb"), OAUTH_FINE);
    assert_reason(under(&policy, "https://CLAUDE.AI/cb"), OAUTH_FINE);
    assert_reason(under(&policy, "https://a.example.com/cb"), OAUTH_FINE);
    assert_reason(under(&policy, "https://bad.example.com/cb"), OAUTH_FINE);
    assert_reason(under(&policy, "https://example.com/cb"), OAUTH_REDIRECT_URI_HOST);
    assert_reason(under(&policy, "https://claude.ai.evil.test/cb"), OAUTH_REDIRECT_URI_HOST);
    assert_reason(under(&policy, "https://evil.test/claude.ai"), OAUTH_REDIRECT_URI_HOST);
    assert_reason(under(&policy, "http://[::1]:1/cb"), OAUTH_FINE);
    policy.denied_hosts = (str_list_t){denied, 1};
    assert_reason(under(&policy, "https://bad.example.com/cb"), OAUTH_REDIRECT_URI_HOST);
    assert_reason(under(&policy, "https://a.example.com/cb"), OAUTH_FINE);
    policy.denied_hosts.n = 2; /* one name of this machine stands for all */
    assert_reason(under(&policy, "http://localhost/cb"), OAUTH_REDIRECT_URI_HOST);
    assert_reason(under(&policy, "http://127.0.0.1:8/cb"), OAUTH_REDIRECT_URI_HOST);
    assert_reason(under(&policy, "http://[::1]/cb"), OAUTH_REDIRECT_URI_HOST);
    policy.hosts.n = 0;
    assert_reason(under(&policy, "https://c.test/cb"), OAUTH_FINE);
    assert_reason(under(&policy, "https://127.0.0.2/cb"), OAUTH_REDIRECT_URI_HOST);
    assert_reason(under(&policy, "https://[0:0:0:0:0:0:0:1]/cb"), OAUTH_REDIRECT_URI_HOST);
    assert_reason(under(&policy, "https://[::ffff:127.0.0.1]/cb"), OAUTH_REDIRECT_URI_HOST);
    assert_reason(under(&policy, "https://a.localhost/cb"), OAUTH_REDIRECT_URI_HOST);
    policy.hosts.n = 2;
    assert_reason(under(&policy, "https://claude.ai/cb"), OAUTH_FINE);
}

static void redirect_uri_http(void **state)
{
    (void)state;
    REFUSED(OAUTH_REDIRECT_URI_HTTP, "http://c.test/cb", "http://127.0.0.2/cb",
            "http://localhost.evil.test/cb", "http://[0:0:0:0:0:0:0:1]/cb",
            "http://[::ffff:127.0.0.1]/cb", "http://LOCALHOST/cb", "http://0.0.0.0/cb",
            "http://127.1/cb", "HTTP://127.0.0.1/cb");
}

/* The callbacks of the catalogue of clients. */
static void clients_in_the_field_may_register(void **state)
{
    (void)state;
    static const struct {
        str_t uri;
        oauth_redirect_kind_t kind;
    } GOOD[] = {
        {STR_INIT("https://claude.ai/api/mcp/auth_callback"), OAUTH_REDIRECT_HTTPS},
        {STR_INIT("https://chatgpt.com/connector/oauth/abc"), OAUTH_REDIRECT_HTTPS},
        {STR_INIT("http://127.0.0.1:33418/"), OAUTH_REDIRECT_LOOPBACK},
        {STR_INIT("http://127.0.0.1"), OAUTH_REDIRECT_LOOPBACK},
        {STR_INIT("http://localhost:6274/oauth/callback/debug"), OAUTH_REDIRECT_LOOPBACK},
        {STR_INIT("http://[::1]/cb"), OAUTH_REDIRECT_LOOPBACK},
        {STR_INIT("cursor://anysphere.cursor-mcp/oauth/callback"), OAUTH_REDIRECT_PRIVATE},
        {STR_INIT("com.example.app:/cb"), OAUTH_REDIRECT_PRIVATE},
        {STR_INIT("https://c.test/cb?tenant=1&q=a%20b"), OAUTH_REDIRECT_HTTPS},
    };
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
        oauth_redirect_kind_t kind;
        assert_reason(oauth_redirect_uri_check(GOOD[i].uri, NULL, &kind), OAUTH_FINE);
        assert_int_equal(kind, GOOD[i].kind);
        assert_int_equal(oauth_redirect_uri_kind(GOOD[i].uri), GOOD[i].kind);
    }
}

/* attack cases: RED-001, RED-006 */
static void what_consents_are_kept_under(void **state)
{
    (void)state;
    static const char *const ROWS[][2] = {
        {"https://c.test/cb", "https://c.test/cb"},
        {"https://c.test:8443/cb?a=b", "https://c.test:8443/cb?a=b"},
        {"http://127.0.0.1:4711/cb", "http://127.0.0.1/cb"},
        {"http://127.0.0.1:4712/cb", "http://127.0.0.1/cb"},
        {"http://127.0.0.1/cb", "http://127.0.0.1/cb"},
        {"http://127.0.0.1:1", "http://127.0.0.1"},
        {"http://[::1]:5/cb?x=:5", "http://[::1]/cb?x=:5"},
        {"http://localhost:80/other", "http://localhost/other"},
        {"cursor://anysphere.cursor/cb", "cursor://anysphere.cursor/cb"},
        {"", ""},
    };
    str_t key;
    arena_t *a = arena_new(1 << 16);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        assert_int_equal(oauth_redirect_uri_key(a, str_c(ROWS[i][0]), &key), RC_OK);
        assert_str(key, str_c(ROWS[i][1]));
    }
    assert_int_equal(oauth_redirect_uri_key(a, STR_UNSET, &key), RC_OK);
    assert_str(key, STR(""));
    arena_free(a);
    arena_t *full = arena_new(1);
    while (arena_alloc(full, 1))
        continue;
    assert_int_equal(oauth_redirect_uri_key(full, STR("http://127.0.0.1:4711/cb"), &key),
                     RC_MEMORY);
    arena_free(full);
}

static void what_matches(void **state)
{
    (void)state;
    static const struct {
        const char *registered, *asked;
        bool matches;
    } ROWS[] = {
        {"https://c.test/cb", "https://c.test/cb", true},
        {"https://c.test/cb", "https://evil.test/cb", false},
        {"https://c.test/cb", "https://c.test/cb/", false},
        {"https://c.test/cb", "https://c.test/cb?x=1", false},
        {"https://c.test/cb", "https://c.test/CB", false},
        {"https://c.test/cb", "https://C.test/cb", false},
        {"https://c.test/cb", "https://c.test:443/cb", false},
        {"https://c.test/cb", "https://c.test:444/cb", false},
        {"https://c.test/cb", "http://c.test/cb", false},
        {"https://c.test/cb", "https://c.test/%63b", false},
        {"https://c.test/cb", "https://c.test/cb#f", false},
        {"https://c.test/cb", "", false},
        {"https://localhost/cb", "https://localhost:1/cb", false},
        {"http://[::1]/cb", "http://[::1]:61023/cb", true},
        {"http://[::1]/cb", "http://[0:0:0:0:0:0:0:1]:61023/cb", false},
        {"http://[::1]/cb", "http://[::ffff:127.0.0.1]:61023/cb", false},
        {"http://[::1]/cb", "http://[::2]/cb", false},
        {"http://127.0.0.1:33418/", "http://127.0.0.1:50123/", true},
        {"http://127.0.0.1/", "http://127.0.0.1:50123", true},
        {"http://127.0.0.1:1", "http://127.0.0.1:50123/", true},
        {"http://localhost/callback", "http://localhost:61000/callback", true},
        {"http://localhost:1/callback", "http://127.0.0.1:2/callback", true},
        {"http://127.0.0.1:1/callback", "http://[::1]:2/callback", true},
        {"http://127.0.0.1/callback", "http://127.0.0.1:2/other", false},
        {"http://127.0.0.1/callback", "http://127.0.0.1:2/callback/", false},
        {"http://127.0.0.1/callback", "http://127.0.0.2:2/callback", false},
        {"http://127.0.0.1/callback", "https://127.0.0.1/callback", false},
        {"http://127.0.0.1/callback", "http://user@127.0.0.1:2/callback", false},
        {"http://127.0.0.1/callback", "http://127.0.0.1:2/callback?x", false},
        {"http://127.0.0.1/callback", "http://127.0.0.1:2/callback?", false},
        {"http://127.0.0.1/callback?", "http://127.0.0.1:2/callback", false},
        {"http://127.0.0.1/callback", "http://127.0.0.1:2/callback#x", false},
        {"http://127.0.0.1/callback", "http://127.0.0.1:99999/callback", false},
        {"http://127.0.0.1/cb?x=1", "http://127.0.0.1:2/cb?x=1", true},
        {"http://localhost/callback", "http://localhost.evil.test/callback", false},
        {"cursor://x/cb", "cursor://x:1/cb", false},
        {"cursor://x/cb", "cursor://x/cb", true},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        if (oauth_redirect_uri_matches(str_c(ROWS[i].registered), str_c(ROWS[i].asked)) !=
            ROWS[i].matches)
            fail_msg("%s asked as %s", ROWS[i].registered, ROWS[i].asked);
}

/* attack case: RED-008 */
static void redirect_uri_missing(void **state)
{
    (void)state;
    const str_t two[] = {STR("https://c.test/one"), STR("https://c.test/two")};
    str_t chosen;
    assert_reason(oauth_redirect_uri_choose((str_list_t){two, 2}, STR_UNSET, &chosen),
                  OAUTH_REDIRECT_URI_MISSING);
    assert_reason(oauth_redirect_uri_choose((str_list_t){0}, STR_UNSET, &chosen),
                  OAUTH_REDIRECT_URI_MISSING);
    assert_reason(oauth_redirect_uri_choose((str_list_t){two, 1}, STR_UNSET, &chosen), OAUTH_FINE);
    assert_str(chosen, two[0]);
    assert_reason(oauth_redirect_uri_choose((str_list_t){two, 2}, two[1], &chosen), OAUTH_FINE);
    assert_str(chosen, two[1]);
}

static void redirect_uri_not_registered(void **state)
{
    (void)state;
    const str_t one[] = {STR("http://127.0.0.1/cb")};
    str_t chosen;
    assert_reason(
        oauth_redirect_uri_choose((str_list_t){one, 1}, STR("http://evil.test/cb"), &chosen),
        OAUTH_REDIRECT_URI_NOT_REGISTERED);
    assert_unset(chosen);
    assert_reason(
        oauth_redirect_uri_choose((str_list_t){one, 1}, STR("http://localhost:7/cb"), &chosen),
        OAUTH_FINE);
    assert_text(chosen, "http://localhost:7/cb");
}

/* attack cases: RED-013, RED-016 */
/* pain rows 16 and 17 */
static void a_lenient_client_may_have_any_path_on_loopback(void **state)
{
    static const str_t URIS[] = {STR_INIT("https://c.test/cb"),
                                 STR_INIT("http://localhost/callback")};
    static const struct {
        const char *asked;
        bool strict, lenient, names;
    } TABLE[] = {
        {"http://localhost:7/callback", true, true, false},
        {"http://127.0.0.1:7/callback", true, true, false},
        {"http://localhost:7/callback/4711", false, true, true},
        {"http://127.0.0.1:19876/mcp/oauth/callback", false, true, true},
        {"http://localhost:7", false, true, true},
        {"http://localhost:7/callback?x=1", false, false, false},
        {"http://u@localhost:7/other", false, false, false},
        {"http://localhost:7/other#f", false, false, false},
        {"http://localhost.evil.test/callback", false, false, false},
        {"https://localhost/callback", false, false, false},
        {"https://c.test/other", false, false, false},
    };
    (void)state;
    client_t client = {.redirect_uris = {URIS, 2}};
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        str_t chosen, asked = str_c(TABLE[i].asked);
        client.lenient_loopback = false;
        oauth_reason_t reason = oauth_redirect_uri_choose_for(&client, asked, &chosen);
        assert_int_equal(reason == OAUTH_FINE, TABLE[i].strict);
        assert_str(chosen, TABLE[i].names ? URIS[1] : TABLE[i].strict ? asked : STR_UNSET);
        client.lenient_loopback = true;
        reason = oauth_redirect_uri_choose_for(&client, asked, &chosen);
        assert_int_equal(reason == OAUTH_FINE, TABLE[i].lenient);
        assert_str(chosen, TABLE[i].lenient ? asked : STR_UNSET);
    }
}

static void the_answer_is_appended(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *out;
    } ROWS[] = {
        {"https://c.test/cb?tenant=1&q=a%20b",
         "https://c.test/cb?tenant=1&q=a%20b&code=C&state=%0D%0ASet-Cookie%3A%20a%3Db%26x&iss="
         "https%3A%2F%2Fas.test"},
        {"https://c.test/cb", "https://c.test/cb?code=C&state=%0D%0ASet-Cookie%3A%20a%3Db%26x&iss="
                              "https%3A%2F%2Fas.test"},
        {"https://c.test/cb?", "https://c.test/cb?code=C&state=%0D%0ASet-Cookie%3A%20a%3Db%26x&iss="
                               "https%3A%2F%2Fas.test"},
    };
    world_t w;
    world_begin(&w);
    const oauth_redirect_answer_t answer = {
        .code = STR("C"), .state = STR("\r\nSet-Cookie: a=b&x"), .iss = STR("https://as.test")};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        str_t out;
        assert_int_equal(oauth_redirect_uri_answer(w.a, str_c(ROWS[i].uri), &answer, &out), RC_OK);
        assert_str(out, str_c(ROWS[i].out));
    }
    world_end(&w);
}

static void an_error_is_appended(void **state)
{
    (void)state;
    world_t w;
    str_t out;
    world_begin(&w);
    const oauth_redirect_answer_t answer = {.error = STR("invalid_target"),
                                            .error_description = STR("no \"x\"\n"),
                                            .iss = STR("https://as.test")};
    assert_int_equal(oauth_redirect_uri_answer(w.a, STR("cursor://x/cb"), &answer, &out), RC_OK);
    assert_text(out, "cursor://x/cb?error=invalid_target&error_description=no%20%3Fx%3F%3F&iss="
                     "https%3A%2F%2Fas.test");
    world_end(&w);
}

/* attack case: RED-017 */
static void the_longest_state_comes_back_whole(void **state)
{
    (void)state;
    world_t w;
    str_t out;
    world_begin(&w);
    char *big = arena_alloc(w.a, LIMIT_STATE_BYTES);
    assert_non_null(big);
    memset(big, '%', LIMIT_STATE_BYTES);
    const oauth_redirect_answer_t answer = {.state = str_of(big, LIMIT_STATE_BYTES)};
    assert_int_equal(oauth_redirect_uri_answer(w.a, STR("https://c.test/"), &answer, &out), RC_OK);
    assert_int_equal(out.n, 22 + 3 * LIMIT_STATE_BYTES);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redirect_uri_malformed),
        cmocka_unit_test(redirect_uri_fragment),
        cmocka_unit_test(redirect_uri_userinfo),
        cmocka_unit_test(redirect_uri_spelling),
        cmocka_unit_test(redirect_uri_wildcard),
        cmocka_unit_test(redirect_uri_query),
        cmocka_unit_test(redirect_uri_scheme),
        cmocka_unit_test(redirect_uri_private),
        cmocka_unit_test(redirect_uri_host),
        cmocka_unit_test(redirect_uri_http),
        cmocka_unit_test(clients_in_the_field_may_register),
        cmocka_unit_test(what_consents_are_kept_under),
        cmocka_unit_test(what_matches),
        cmocka_unit_test(redirect_uri_missing),
        cmocka_unit_test(redirect_uri_not_registered),
        cmocka_unit_test(a_lenient_client_may_have_any_path_on_loopback),
        cmocka_unit_test(the_answer_is_appended),
        cmocka_unit_test(an_error_is_appended),
        cmocka_unit_test(the_longest_state_comes_back_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
