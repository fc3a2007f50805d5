#include "identity/identity_test_util.h"

#include "core/b64.h"
#include "identity/csrf.h"

typedef struct {
    arena_t *a;
    random_fake_t random_state;
    random_port_t random;
    identity_csrf_t csrf;
    str_t token;
} page_t;

static void show_page(page_t *p)
{
    *p = (page_t){.a = test_arena()};
    p->random = random_fake(&p->random_state);
    p->csrf = (identity_csrf_t){
        .key = STR("0123456789abcdef0123456789abcdef"),
        .form = IDENTITY_CSRF_CONSENT,
        .binding = STR("wss_cookie"),
        .subject = STR("wri_interaction"),
    };
    assert_ok(identity_csrf_token(p->a, &p->random, &p->csrf, &p->token));
}

static void close_page(page_t *p)
{
    arena_free(p->a);
}

static bool fits(const page_t *p)
{
    return identity_csrf_check(&p->csrf, p->token);
}

static void token_fits(void **state)
{
    (void)state;
    page_t p;
    show_page(&p);
    assert_true(fits(&p));
    assert_true(fits(&p)); /* again: a person may go back and send the form once more */
    for (identity_csrf_form_t form = 0; form < IDENTITY_CSRF_COUNT; form++) {
        p.csrf.form = form;
        assert_ok(identity_csrf_token(p.a, &p.random, &p.csrf, &p.token));
        assert_true(fits(&p));
    }
    close_page(&p);
}

static void without_a_subject(void **state)
{
    (void)state;
    page_t p;
    show_page(&p);
    p.csrf.subject = STR("");
    assert_ok(identity_csrf_token(p.a, &p.random, &p.csrf, &p.token));
    assert_true(fits(&p));
    p.csrf.subject = STR_UNSET;
    assert_true(fits(&p));
    close_page(&p);
}

static void form_differs(void **state)
{
    (void)state;
    page_t p;
    show_page(&p);
    for (identity_csrf_form_t form = 0; form < IDENTITY_CSRF_COUNT; form++) {
        p.csrf.form = form;
        assert_int_equal(fits(&p), form == IDENTITY_CSRF_CONSENT);
    }
    close_page(&p);
}

/* attack case: UI-005 */
static void binding_differs(void **state)
{
    (void)state;
    page_t p;
    show_page(&p);
    p.csrf.binding = STR("wss_cookif");
    assert_false(fits(&p));
    p.csrf.binding = STR("wss_cooki");
    assert_false(fits(&p));
    close_page(&p);
}

static void binding_missing(void **state)
{
    (void)state;
    page_t p;
    str_t out = STR("before");
    show_page(&p);
    p.csrf.binding = STR_UNSET;
    assert_false(fits(&p));
    assert_int_equal(identity_csrf_token(p.a, &p.random, &p.csrf, &out), RC_MALFORMED);
    assert_unset(out);
    p.csrf.binding = STR("");
    assert_false(fits(&p));
    assert_int_equal(identity_csrf_token(p.a, &p.random, &p.csrf, &out), RC_MALFORMED);
    close_page(&p);
}

/* attack case: UI-006 */
static void subject_differs(void **state)
{
    (void)state;
    page_t p;
    show_page(&p);
    p.csrf.subject = STR("wri_another");
    assert_false(fits(&p));
    p.csrf.subject = STR("");
    assert_false(fits(&p));
    close_page(&p);
}

/* What moves from one part to the next makes another token. */
static void parts_do_not_run_together(void **state)
{
    (void)state;
    page_t p;
    show_page(&p);
    p.csrf.binding = STR("wss_cookiewri_");
    p.csrf.subject = STR("interaction");
    assert_false(fits(&p));
    close_page(&p);
}

static void key_differs(void **state)
{
    (void)state;
    page_t p;
    show_page(&p);
    p.csrf.key = STR("0123456789abcdef0123456789abcdeF");
    assert_false(fits(&p));
    close_page(&p);
}

static void key_too_short(void **state)
{
    (void)state;
    page_t p;
    str_t out;
    show_page(&p);
    p.csrf.key = STR("0123456789abcdef0123456789abcde");
    assert_false(fits(&p));
    assert_int_equal(identity_csrf_token(p.a, &p.random, &p.csrf, &out), RC_MALFORMED);
    close_page(&p);
}

static void token_missing(void **state)
{
    (void)state;
    page_t p;
    show_page(&p);
    p.token = STR_UNSET;
    assert_false(fits(&p));
    p.token = STR("");
    assert_false(fits(&p));
    close_page(&p);
}

static void token_truncated_or_longer(void **state)
{
    (void)state;
    page_t p;
    show_page(&p);
    str_t whole = p.token;
    for (size_t n = 0; n < whole.n; n++)
        assert_false(identity_csrf_check(&p.csrf, str_first(whole, n)));
    assert_false(identity_csrf_check(&p.csrf, arena_printf(p.a, "%" PRIstr "A", STR_ARG(whole))));
    assert_false(identity_csrf_check(&p.csrf, arena_printf(p.a, "%" PRIstr "==", STR_ARG(whole))));
    assert_false(identity_csrf_check(&p.csrf, arena_printf(p.a, " %" PRIstr, STR_ARG(whole))));
    close_page(&p);
}

static void token_garbled(void **state)
{
    (void)state;
    page_t p;
    show_page(&p);
    for (size_t i = 0; i < p.token.n; i++) {
        str_t bent = arena_dup(p.a, p.token);
        char *bytes = arena_cstr(p.a, bent);
        bytes[i] = bytes[i] == 'x' ? 'y' : 'x';
        assert_false(identity_csrf_check(&p.csrf, str_c(bytes)));
        bytes[i] = '!';
        assert_false(identity_csrf_check(&p.csrf, str_c(bytes)));
    }
    close_page(&p);
}

/* A mask alone, the MAC alone (mask zero is as good as any), both zero. */
static void token_of_a_mask_alone(void **state)
{
    (void)state;
    page_t p;
    uint8_t bytes[64], zero[64] = {0};
    show_page(&p);
    assert_false(identity_csrf_check(&p.csrf, b64url_encode(p.a, zero, sizeof zero)));
    assert_ok(b64url_decode_to(p.token, bytes, sizeof bytes));
    memset(bytes + 32, 0, 32);
    assert_false(identity_csrf_check(&p.csrf, b64url_encode(p.a, bytes, sizeof bytes)));
    memset(bytes, 0, 32);
    assert_false(identity_csrf_check(&p.csrf, b64url_encode(p.a, bytes, sizeof bytes)));
    close_page(&p);
}

/* attack case: UI-021 */
static void each_page_has_a_fresh_mask(void **state)
{
    (void)state;
    page_t p;
    str_t other;
    uint8_t one[64], two[64];
    show_page(&p);
    assert_ok(identity_csrf_token(p.a, &p.random, &p.csrf, &other));
    assert_true(identity_csrf_check(&p.csrf, other));
    assert_ok(b64url_decode_to(p.token, one, sizeof one));
    assert_ok(b64url_decode_to(other, two, sizeof two));
    assert_memory_not_equal(one, two, 32);
    assert_memory_not_equal(one + 32, two + 32, 32);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(one[i] ^ one[32 + i], two[i] ^ two[32 + i]);
    close_page(&p);
}

static void without_randomness(void **state)
{
    (void)state;
    page_t p;
    str_t out = STR("before");
    show_page(&p);
    random_port_t none = test_no_random();
    assert_int_equal(identity_csrf_token(p.a, &none, &p.csrf, &out), RC_IO);
    assert_unset(out);
    close_page(&p);
}

static rc_t make_token(arena_t *a, void *ctx)
{
    page_t *p = ctx;
    str_t out;
    return identity_csrf_token(a, &p->random, &p->csrf, &out);
}

static void without_memory(void **state)
{
    (void)state;
    page_t p;
    show_page(&p);
    test_starve(make_token, &p);
    close_page(&p);
}

#define OWN "https://as.test"

static const struct {
    const char *about, *origin, *fetch_site, *own;
    bool fits;
} ORIGINS[] = {
    {"both headers", OWN, "same-origin", OWN, true},
    {"neither header", NULL, NULL, OWN, true},
    {"only the origin", OWN, NULL, OWN, true},
    {"only the metadata", NULL, "same-origin", OWN, true},
    {"a restored tab", OWN, "none", OWN, true},
    {"path of ours is no matter", OWN, "same-origin", OWN "/tenant", true},
    {"default port written", OWN ":443", NULL, OWN, true},
    {"case of the host", "https://AS.test", NULL, OWN, true},
    {"other host", "https://evil.test", NULL, OWN, false},
    {"other host, though metadata fit", "https://evil.test", "same-origin", OWN, false},
    {"child of our host", "https://x.as.test", NULL, OWN, false},
    {"our host as a prefix", "https://as.test.evil.test", NULL, OWN, false},
    {"our host as user", "https://as.test@evil.test", NULL, OWN, false},
    {"user at our host", "https://x@as.test", NULL, OWN, false},
    {"other scheme", "http://as.test", NULL, OWN, false},
    {"other port", OWN ":8443", NULL, OWN, false},
    {"null", "null", NULL, OWN, false},
    {"null, though metadata fit", "null", "same-origin", OWN, false},
    {"empty", "", NULL, OWN, false},
    {"two of them", OWN " https://evil.test", NULL, OWN, false},
    {"with a path", OWN "/", NULL, OWN, false},
    {"with a query", OWN "?", NULL, OWN, false},
    {"with a fragment", OWN "#", NULL, OWN, false},
    {"no web address", "chrome-extension://as.test", NULL, OWN, false},
    {"no authority", "https:as.test", NULL, OWN, false},
    {"cross-site", OWN, "cross-site", OWN, false},
    {"cross-site alone", NULL, "cross-site", OWN, false},
    {"same-site", OWN, "same-site", OWN, false},
    {"metadata that nobody knows", OWN, "elsewhere", OWN, false},
    {"metadata empty", OWN, "", OWN, false},
    {"metadata in other case", OWN, "Same-Origin", OWN, false},
    {"localhost", "http://localhost:8080", NULL, "http://localhost:8080", true},
    {"127.0.0.1 is localhost", "http://127.0.0.1:8080", NULL, "http://localhost:8080", true},
    {"[::1] is localhost", "http://[::1]:8080", "same-origin", "http://localhost:8080", true},
    {"localhost is 127.0.0.1", "http://localhost:8080", NULL, "http://127.0.0.1:8080", true},
    {"127.0.0.2 is not", "http://127.0.0.2:8080", NULL, "http://localhost:8080", false},
    {"other port of localhost", "http://localhost:8081", NULL, "http://localhost:8080", false},
    {"localhost with TLS", "https://localhost:8080", NULL, "http://localhost:8080", false},
    {"localhost is no alias of a host", "http://localhost", NULL, "http://as.test", false},
    {"a host is no alias of localhost", "http://as.test", NULL, "http://localhost", false},
};

static void origin_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ORIGINS / sizeof ORIGINS[0]; i++) {
        bool got = identity_csrf_origin_fits(str_c(ORIGINS[i].origin), str_c(ORIGINS[i].fetch_site),
                                             str_c(ORIGINS[i].own));
        if (got != ORIGINS[i].fits)
            fail_msg("%s: %s", ORIGINS[i].about, got ? "fits" : "does not fit");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_fits),
        cmocka_unit_test(without_a_subject),
        cmocka_unit_test(form_differs),
        cmocka_unit_test(binding_differs),
        cmocka_unit_test(binding_missing),
        cmocka_unit_test(subject_differs),
        cmocka_unit_test(parts_do_not_run_together),
        cmocka_unit_test(key_differs),
        cmocka_unit_test(key_too_short),
        cmocka_unit_test(token_missing),
        cmocka_unit_test(token_truncated_or_longer),
        cmocka_unit_test(token_garbled),
        cmocka_unit_test(token_of_a_mask_alone),
        cmocka_unit_test(each_page_has_a_fresh_mask),
        cmocka_unit_test(without_randomness),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(origin_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
