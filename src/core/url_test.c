#include "core/core_test_util.h"

#include "core/limits.h"
#include "core/url.h"

#define NONE                                                                                       \
    {                                                                                              \
        NULL, 0                                                                                    \
    }
#define S(lit) STR_INIT(lit)

/* RFC 3986 section 1.1.2 and what clients send. */
static void parts(void **state)
{
    static const struct {
        str_t text, scheme, userinfo, host, port, path, query, fragment;
        uint16_t number;
    } TABLE[] = {
        {S("https://example.com/mcp?x=1#top"), S("https"), NONE, S("example.com"), NONE, S("/mcp"),
         S("x=1"), S("top"), 443},
        {S("HTTP://h"), S("HTTP"), NONE, S("h"), NONE, S(""), NONE, NONE, 80},
        {S("http://h:8080"), S("http"), NONE, S("h"), S("8080"), S(""), NONE, NONE, 8080},
        {S("http://h:00080/"), S("http"), NONE, S("h"), S("00080"), S("/"), NONE, NONE, 80},
        {S("https://h:65535/"), S("https"), NONE, S("h"), S("65535"), S("/"), NONE, NONE, 65535},
        {S("https://u:p@h:1/"), S("https"), S("u:p"), S("h"), S("1"), S("/"), NONE, NONE, 1},
        {S("https://@h/"), S("https"), S(""), S("h"), NONE, S("/"), NONE, NONE, 443},
        {S("http://[::1]:80/a"), S("http"), NONE, S("[::1]"), S("80"), S("/a"), NONE, NONE, 80},
        {S("http://h?"), S("http"), NONE, S("h"), NONE, S(""), S(""), NONE, 80},
        {S("http://h#"), S("http"), NONE, S("h"), NONE, S(""), NONE, S(""), 80},
        {S("http://h?a@b:c/d?e"), S("http"), NONE, S("h"), NONE, S(""), S("a@b:c/d?e"), NONE, 80},
        {S("http://h#a?b"), S("http"), NONE, S("h"), NONE, S(""), NONE, S("a?b"), 80},
        {S("file:///etc/x"), S("file"), NONE, S(""), NONE, S("/etc/x"), NONE, NONE, 0},
        {S("cursor://auth.cb/x"), S("cursor"), NONE, S("auth.cb"), NONE, S("/x"), NONE, NONE, 0},
        {S("com.example.app:/cb"), S("com.example.app"), NONE, NONE, NONE, S("/cb"), NONE, NONE, 0},
        {S("urn:ietf:wg:oauth:2.0:oob"), S("urn"), NONE, NONE, NONE, S("ietf:wg:oauth:2.0:oob"),
         NONE, NONE, 0},
        {S("mailto:a@example.com"), S("mailto"), NONE, NONE, NONE, S("a@example.com"), NONE, NONE,
         0},
        {S("x:"), S("x"), NONE, NONE, NONE, S(""), NONE, NONE, 0},
        {S("http://h//a/../b"), S("http"), NONE, S("h"), NONE, S("//a/../b"), NONE, NONE, 80},
        {S("http://a%41b/"), S("http"), NONE, S("a%41b"), NONE, S("/"), NONE, NONE, 80},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        url_t u;
        if (url_parse(test_exact(*state, TABLE[i].text), &u) != RC_OK)
            fail_msg("'%" PRIstr "' was refused", STR_ARG(TABLE[i].text));
        assert_str(u.scheme, TABLE[i].scheme);
        assert_str(u.userinfo, TABLE[i].userinfo);
        assert_str(u.host, TABLE[i].host);
        assert_str(u.port, TABLE[i].port);
        assert_str(u.path, TABLE[i].path);
        assert_str(u.query, TABLE[i].query);
        assert_str(u.fragment, TABLE[i].fragment);
        assert_int_equal(u.port_number, TABLE[i].number);
    }
}

static void url_malformed(void **state)
{
    static const str_t BAD[] = {
        S(""),
        S("h"),
        S("//h/"),
        S("/path"),
        S(":x"),
        S("1http://h"),
        S("ht tp://h"),
        S("h\xc3\xa9:x"),
        S("http://h /"),
        S("http://h/a b"),
        S("http://h/\t"),
        S("http://h/\n"),
        S("http://h/\r\nX:"),
        S("http://h/\0"),
        S("http://h\0.evil/"),
        S("http://h\\@evil/"),
        S("http://h/\\"),
        S("http://h/<x>"),
        S("http://h/\"x\""),
        S("http://h/{x}"),
        S("http://h/|"),
        S("http://h/^"),
        S("http://h/`"),
        S("http://h/[x]"),
        S("http://h/\xc3\xa9"),
        S("http://\xc3\xa9/"),
        S("http://h/\x7f"),
        S("http://h/%"),
        S("http://h/%4"),
        S("http://h/%4g"),
        S("http://h%zz/"),
        S("http://h/?%x"),
        S("http://h/#%x"),
        S("http://h/#a#b"),
        S("http://a@b@c/"),
        S("http://a/b:x@c\xff"),
        S("http://h:/"),
        S("http://h:a/"),
        S("http://h:-1/"),
        S("http://h:+1/"),
        S("http://h:65536/"),
        S("http://h:000080/"),
        S("http://h:80:80/"),
        S("http://a:b:c@h:1x/"),
        S("http://u<@h/"),
        S("http://[@h/"),
        S(" http://h"),
        S("http://h "),
    };
    for (size_t i = 0; i < ROWS(BAD); i++) {
        url_t u;
        if (url_parse(test_exact(*state, BAD[i]), &u) != RC_MALFORMED)
            fail_msg("'%" PRIstr "' was taken", STR_ARG(BAD[i]));
    }
    url_t u;
    assert_int_equal(url_parse(STR_UNSET, &u), RC_MALFORMED);
}

/* RFC 3986 section 3.2.2 with RFC 4291's forms. IPvFuture and zone ids (RFC 6874) are refused: no
 * host that we reach has one. */
static void ipv6_literals(void **state)
{
    static const struct {
        str_t host;
        bool good;
    } TABLE[] = {
        {S("[::]"), true},
        {S("[::1]"), true},
        {S("[1::]"), true},
        {S("[2001:DB8::7]"), true},
        {S("[1:2:3:4:5:6:7:8]"), true},
        {S("[1:2:3:4:5:6:7::]"), true},
        {S("[::2:3:4:5:6:7:8]"), true},
        {S("[1:2:3:4:5:6:1.2.3.4]"), true},
        {S("[::ffff:1.2.3.4]"), true},
        {S("[::255.255.255.255]"), true},
        {S("[1:2:3:4:5::1.2.3.4]"), true},
        {S("[]"), false},
        {S("["), false},
        {S("[::1"), false},
        {S("::1]"), false},
        {S("[:]"), false},
        {S("[:::]"), false},
        {S("[1]"), false},
        {S("[1:2:3:4:5:6:7]"), false},
        {S("[1:2:3:4:5:6:7:8:9]"), false},
        {S("[1:2:3:4::5:6:7:8]"), false},
        {S("[1::2::3]"), false},
        {S("[:1:2:3:4:5:6:7]"), false},
        {S("[1:2:3:4:5:6:7:]"), false},
        {S("[12345::]"), false},
        {S("[g::]"), false},
        {S("[1.2.3.4]"), false},
        {S("[1.2.3.4::]"), false},
        {S("[::1.2.3]"), false},
        {S("[::1.2.3.256]"), false},
        {S("[::01.2.3.4]"), false},
        {S("[::1.2.3.4.5]"), false},
        {S("[::1.2.3.4:5]"), false},
        {S("[1:2:3:4:5:6:7:1.2.3.4]"), false},
        {S("[fe80::1%25eth0]"), false},
        {S("[v1.x]"), false},
        {S("[::1]x"), false},
        {S("[::1]]"), false},
        {S("[[::1]]"), false},
        {S("x[::1]"), false},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        str_t text = arena_printf(*state, "http://%" PRIstr "/", STR_ARG(TABLE[i].host));
        url_t u;
        if ((url_parse(text, &u) == RC_OK) != TABLE[i].good)
            fail_msg("%" PRIstr, STR_ARG(TABLE[i].host));
    }
}

static void url_too_long(void **state)
{
    (void)state;
    static char text[LIMIT_URL_BYTES + 1];
    memset(text, 'a', sizeof text);
    text[1] = ':';
    url_t u;
    assert_int_equal(url_parse(str_of(text, sizeof text - 1), &u), RC_OK);
    assert_int_equal(url_parse(str_of(text, sizeof text), &u), RC_LIMIT);
}

static void http_needs_a_host(void **state)
{
    (void)state;
    static const struct {
        str_t text;
        bool http, https;
    } TABLE[] = {
        {S("https://h"), true, true}, {S("HttpS://h"), true, true},
        {S("http://h"), true, false}, {S("https:///x"), false, false},
        {S("https:x"), false, false}, {S("http://:80"), false, false},
        {S("ftp://h"), false, false}, {S("httpss://h"), false, false},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        url_t u;
        assert_int_equal(url_parse(TABLE[i].text, &u), RC_OK);
        assert_int_equal(url_is_http(&u), TABLE[i].http);
        assert_int_equal(url_is_https(&u), TABLE[i].https);
    }
}

static void loopback_is_three_names(void **state)
{
    (void)state;
    assert_true(url_host_is_loopback(STR("localhost")));
    assert_true(url_host_is_loopback(STR("LocalHost")));
    assert_true(url_host_is_loopback(STR("127.0.0.1")));
    assert_true(url_host_is_loopback(STR("[::1]")));
    static const str_t OTHERS[] = {
        S("127.0.0.2"),  S("127.1"),
        S("::1"),        S("[::01]"),
        S("localhost."), S(""),
        S("0.0.0.0"),    S("localhost.evil.example"),
        S("2130706433"), S("[::ffff:127.0.0.1]"),
    };
    for (size_t i = 0; i < ROWS(OTHERS); i++)
        assert_false(url_host_is_loopback(OTHERS[i]));
    assert_false(url_host_is_loopback(STR_UNSET));
}

typedef rc_t (*render_t)(arena_t *a, const url_t *u, str_t *out);

static void renders(arena_t *a, render_t render, str_t in, str_t expected)
{
    url_t u;
    str_t out;
    assert_int_equal(url_parse(in, &u), RC_OK);
    assert_int_equal(render(a, &u, &out), RC_OK);
    assert_str(out, expected);
}

static void origins(void **state)
{
    static const struct {
        str_t in, out;
    } TABLE[] = {
        {S("HTTPS://EXAMPLE.com:443/Path?Q#F"), S("https://example.com")},
        {S("https://example.com:80/"), S("https://example.com:80")},
        {S("http://h:080"), S("http://h")},
        {S("http://h:08080"), S("http://h:8080")},
        {S("https://u:p@h/"), S("https://h")},
        {S("http://[::A]:8080/x"), S("http://[::a]:8080")},
        {S("foo://H:0/"), S("foo://h:0")},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++)
        renders(*state, url_origin, TABLE[i].in, TABLE[i].out);
    url_t u;
    str_t out = STR("x");
    assert_int_equal(url_parse(STR("mailto:a@b"), &u), RC_OK);
    assert_int_equal(url_origin(*state, &u, &out), RC_MALFORMED);
    assert_false(str_is_set(out));
}

/* What differs must not come out as one: only case, default port and the lone slash may go. */
static void canonical_form(void **state)
{
    static const struct {
        str_t in, out;
    } TABLE[] = {
        {S("HTTPS://Example.COM:443/Mcp?Q=A"), S("https://example.com/Mcp?Q=A")},
        {S("https://h/"), S("https://h")},
        {S("https://h"), S("https://h")},
        {S("https://h/?"), S("https://h/?")},
        {S("https://h?a"), S("https://h?a")},
        {S("https://h//"), S("https://h//")},
        {S("https://h/a/"), S("https://h/a/")},
        {S("https://h/%7e"), S("https://h/%7e")},
        {S("https://u@h/"), S("https://u@h")},
        {S("https://h/#f"), S("https://h#f")},
        {S("https://h:8443/"), S("https://h:8443")},
        {S("foo://H:99/x"), S("foo://h:99/x")},
        {S("foo://h/"), S("foo://h/")},
        {S("URN:Example:A"), S("urn:Example:A")},
        {S("com.App:/cb?x"), S("com.app:/cb?x")},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        renders(*state, url_canonical, TABLE[i].in, TABLE[i].out);
        renders(*state, url_canonical, TABLE[i].out, TABLE[i].out);
    }
}

static void path_decoding(void **state)
{
    str_t out;
    assert_int_equal(url_path_decode(*state, STR("/a%20b+c%2f%E2%82%ac"), &out), RC_OK);
    assert_str(out, STR("/a b+c/\xe2\x82\xac"));
    static const str_t BAD[] = {S("%"),  S("%4"),  S("%x1"),  S("%1x"),      S("/%00"),
                                S("\0"), S("%ff"), S("\xff"), S("%ed%a0%80")};
    for (size_t i = 0; i < ROWS(BAD); i++) {
        assert_int_equal(url_path_decode(*state, test_exact(*state, BAD[i]), &out), RC_MALFORMED);
        assert_false(str_is_set(out));
    }
}

static void no_memory(void **state)
{
    (void)state;
    arena_t *a = arena_new(8);
    url_t u;
    str_t out;
    assert_int_equal(url_parse(STR("https://h/x"), &u), RC_OK);
    assert_int_equal(url_origin(a, &u, &out), RC_MEMORY);
    assert_int_equal(url_canonical(a, &u, &out), RC_MEMORY);
    assert_int_equal(url_path_decode(a, STR("/aaaaaaaa"), &out), RC_MEMORY);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(parts),
        ARENA_TEST(url_malformed),
        ARENA_TEST(ipv6_literals),
        ARENA_TEST(url_too_long),
        ARENA_TEST(http_needs_a_host),
        ARENA_TEST(loopback_is_three_names),
        ARENA_TEST(origins),
        ARENA_TEST(canonical_form),
        ARENA_TEST(path_decoding),
        ARENA_TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
