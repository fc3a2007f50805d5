#include "identity/identity_test_util.h"

#include "core/limits.h"
#include "identity/cookie.h"

/* Handles: a prefix and 43 characters. */
#define ONE "wss_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define TWO "wss_BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static str_t read_session(const char *header)
{
    return identity_cookie_read(str_c(header), IDENTITY_COOKIE_SESSION, true);
}

static void names(void **state)
{
    (void)state;
    assert_text(identity_cookie_name(IDENTITY_COOKIE_SESSION, true), "__Host-warder");
    assert_text(identity_cookie_name(IDENTITY_COOKIE_SESSION, false), "warder");
    assert_text(identity_cookie_name(IDENTITY_COOKIE_BROWSER, true), "__Host-warder-browser");
    assert_text(identity_cookie_name(IDENTITY_COOKIE_BROWSER, false), "warder-browser");
}

/* attack case: UI-010 */
static void over_https(void **state)
{
    (void)state;
    str_t out;
    arena_t *a = test_arena();
    assert_ok(identity_cookie_set(a, IDENTITY_COOKIE_SESSION, true, STR(ONE), 604800, &out));
    assert_text(out,
                "__Host-warder=" ONE "; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure");
    assert_false(str_contains(out, STR("Domain")));
    assert_ok(identity_cookie_set(a, IDENTITY_COOKIE_BROWSER, true, STR(ONE),
                                  IDENTITY_COOKIE_BROWSER_S, &out));
    assert_text(out, "__Host-warder-browser=" ONE
                     "; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure");
    arena_free(a);
}

/* A sign-in elsewhere is sealed text of some length, and nothing else is taken for it. */
static void of_a_sign_in_elsewhere(void **state)
{
    (void)state;
    str_t out;
    char longest[IDENTITY_COOKIE_SEALED_MAX + 1];
    arena_t *a = test_arena();
    memset(longest, 'a', sizeof longest);
    assert_ok(identity_cookie_set(a, IDENTITY_COOKIE_UPSTREAM, true, STR("AbC-_09"), 600, &out));
    assert_text(out,
                "__Host-warder-login=AbC-_09; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure");
    assert_text(
        identity_cookie_read(STR("a=b; warder-login=AbC-_09"), IDENTITY_COOKIE_UPSTREAM, false),
        "AbC-_09");
    assert_unset(identity_cookie_read(STR("warder-login=a b"), IDENTITY_COOKIE_UPSTREAM, false));
    assert_unset(identity_cookie_read(STR("warder-login="), IDENTITY_COOKIE_UPSTREAM, false));
    assert_ok(identity_cookie_set(a, IDENTITY_COOKIE_UPSTREAM, true,
                                  str_of(longest, sizeof longest - 1), 600, &out));
    assert_int_equal(identity_cookie_set(a, IDENTITY_COOKIE_UPSTREAM, true,
                                         str_of(longest, sizeof longest), 600, &out),
                     RC_MALFORMED);
    assert_int_equal(identity_cookie_set(a, IDENTITY_COOKIE_SESSION, true, STR("AbC"), 600, &out),
                     RC_MALFORMED);
    arena_free(a);
}

/* Browsers drop Secure cookies that plain http sets, except on loopback in some. */
static void over_http_on_loopback(void **state)
{
    (void)state;
    str_t out;
    arena_t *a = test_arena();
    assert_ok(identity_cookie_set(a, IDENTITY_COOKIE_SESSION, false, STR(ONE), 60, &out));
    assert_text(out, "warder=" ONE "; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    arena_free(a);
}

static void a_life_that_is_over_is_none(void **state)
{
    (void)state;
    str_t out;
    arena_t *a = test_arena();
    assert_ok(identity_cookie_set(a, IDENTITY_COOKIE_SESSION, false, STR(ONE), -5, &out));
    assert_true(str_contains(out, STR("; Max-Age=0;")));
    arena_free(a);
}

static void clearing(void **state)
{
    (void)state;
    str_t out;
    arena_t *a = test_arena();
    assert_ok(identity_cookie_clear(a, IDENTITY_COOKIE_SESSION, true, &out));
    assert_text(out, "__Host-warder=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure");
    assert_ok(identity_cookie_clear(a, IDENTITY_COOKIE_BROWSER, false, &out));
    assert_text(out, "warder-browser=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    arena_free(a);
}

static void value_is_no_handle(void **state)
{
    (void)state;
    static const char *const VALUES[] = {"",
                                         "x",
                                         "wss_",
                                         ONE ";",
                                         ONE "A",
                                         ONE "\r\nSet-Cookie: a",
                                         "wsu_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    arena_t *a = test_arena();
    for (size_t i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        str_t out = STR("before");
        assert_int_equal(
            identity_cookie_set(a, IDENTITY_COOKIE_SESSION, true, str_c(VALUES[i]), 9, &out),
            RC_MALFORMED);
        assert_unset(out);
    }
    arena_free(a);
}

static void reading(void **state)
{
    (void)state;
    assert_text(read_session("__Host-warder=" ONE), ONE);
    assert_text(read_session("a=b; __Host-warder=" ONE "; c=d"), ONE);
    assert_text(read_session("a=b;__Host-warder=" ONE ";"), ONE);
    assert_text(read_session(" \t__Host-warder=" ONE " \t; x"), ONE);
    assert_text(read_session("__Host-warder-browser=" TWO "; __Host-warder=" ONE), ONE);
    assert_text(identity_cookie_read(STR("warder=" ONE "; warder-browser=" TWO),
                                     IDENTITY_COOKIE_BROWSER, false),
                TWO);
}

static void absent(void **state)
{
    (void)state;
    assert_unset(read_session(NULL));
    assert_unset(read_session(""));
    assert_unset(read_session(";;; ; ="));
    assert_unset(read_session("__Host-warder"));
    assert_unset(read_session("__Host-warder-browser=" ONE));
}

/* What no other host could set over TLS is not to be had under the name that anybody can set. */
static void the_other_name_does_not_count(void **state)
{
    (void)state;
    assert_unset(read_session("warder=" ONE));
    assert_unset(identity_cookie_read(STR("__Host-warder=" ONE), IDENTITY_COOKIE_SESSION, false));
    assert_text(read_session("warder=" TWO "; __Host-warder=" ONE), ONE);
}

static void duplicates_are_unset(void **state)
{
    (void)state;
    assert_unset(read_session("__Host-warder=" ONE "; __Host-warder=" TWO));
    assert_unset(read_session("__Host-warder=" ONE "; __Host-warder=" ONE));
    assert_unset(read_session("__Host-warder=" ONE "; __Host-warder="));
    assert_unset(read_session("__Host-warder=; __Host-warder=" ONE));
    assert_unset(read_session("__Host-warder=x; a=b; __Host-warder=" ONE));
}

static void hostile_headers(void **state)
{
    (void)state;
    static const char *const HEADERS[] = {
        "__host-warder=" ONE,              /* browsers guard the prefix in this case only */
        "__Host-warder =" ONE,             /* another name */
        "\xe2\x80\x80__Host-warder=" ONE,  /* a space of Unicode is no space */
        "=__Host-warder=" ONE,             /* a cookie without a name */
        "a=\"; __Host-warder=\"" ONE "\"", /* quotes protect nothing and belong to the value */
        "__Host-warder=\"" ONE "\"",       /* same */
        "$Version=1, __Host-warder=" ONE,  /* a comma separates nothing */
        "__Host-warder== " ONE,            /* part of the value */
        "__Host-warder= " ONE,             /* same */
        "__Host-warder=" ONE "=",          /* padding */
        "__Host-warder=" ONE "\n",         /* a control character */
        "__Host-warder=WSS_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "__Host-warder=wss_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", /* not canonical */
        "__Host-warder=wss_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+AA", /* other alphabet */
    };
    for (size_t i = 0; i < sizeof HEADERS / sizeof HEADERS[0]; i++)
        if (str_is_set(read_session(HEADERS[i])))
            fail_msg("taken: %s", HEADERS[i]);
    static const char WITH_NUL[] = "a=b\0; __Host-warder=" ONE;
    assert_text(
        identity_cookie_read(str_of(WITH_NUL, sizeof WITH_NUL - 1), IDENTITY_COOKIE_SESSION, true),
        ONE);
}

static void header_too_long(void **state)
{
    (void)state;
    static const char COOKIE[] = "__Host-warder=" ONE ";";
    char header[LIMIT_COOKIE_HEADER_BYTES + 1];
    memset(header, 'a', sizeof header);
    memcpy(header, COOKIE, sizeof COOKIE - 1);
    assert_text(identity_cookie_read(str_of(header, LIMIT_COOKIE_HEADER_BYTES),
                                     IDENTITY_COOKIE_SESSION, true),
                ONE);
    assert_unset(
        identity_cookie_read(str_of(header, sizeof header), IDENTITY_COOKIE_SESSION, true));
}

static rc_t set_and_clear(arena_t *a, void *ctx)
{
    (void)ctx;
    str_t out;
    TRY(identity_cookie_set(a, IDENTITY_COOKIE_SESSION, true, STR(ONE), 60, &out));
    return identity_cookie_clear(a, IDENTITY_COOKIE_SESSION, true, &out);
}

static void without_memory(void **state)
{
    (void)state;
    test_starve(set_and_clear, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(over_https),
        cmocka_unit_test(of_a_sign_in_elsewhere),
        cmocka_unit_test(over_http_on_loopback),
        cmocka_unit_test(a_life_that_is_over_is_none),
        cmocka_unit_test(clearing),
        cmocka_unit_test(value_is_no_handle),
        cmocka_unit_test(reading),
        cmocka_unit_test(absent),
        cmocka_unit_test(the_other_name_does_not_count),
        cmocka_unit_test(duplicates_are_unset),
        cmocka_unit_test(hostile_headers),
        cmocka_unit_test(header_too_long),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
