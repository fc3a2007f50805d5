#include "http/http_test_wire.h"

static const http_cidr_t RANGES[] = {{{4, {10}}, 8}, {{6, {0xfd}}, 8}, {{4, {127, 0, 0, 1}}, 32}};
static const http_proxies_t PROXIES = {RANGES, sizeof RANGES / sizeof *RANGES};

typedef struct {
    const char *name, *peer;
    const char *standard, *x_for, *x_proto; /* NULL: the field is not there */
    const char *client;
    bool https;
} row_t;

/* The client that the walk ends at, under a plain connection. */
static const row_t ROWS[] = {
    {"nothing said", "10.0.0.1", NULL, NULL, NULL, "10.0.0.1", false},
    {"one hop", "10.0.0.1", "for=192.0.2.7", NULL, NULL, "192.0.2.7", false},
    {"any case", "10.0.0.1", "FOR=192.0.2.7;Proto=HTTPS", NULL, NULL, "192.0.2.7", true},
    {"quoted with port", "10.0.0.1", "for=\"192.0.2.7:4711\"", NULL, NULL, "192.0.2.7", false},
    {"bare port", "10.0.0.1", "for=192.0.2.7:4711", NULL, NULL, "192.0.2.7", false},
    {"ipv6", "10.0.0.1", "for=\"[2001:DB8::7]\"", NULL, NULL, "2001:db8::7", false},
    {"ipv6 with port", "10.0.0.1", "for=\"[2001:db8::7]:99\";proto=https", NULL, NULL,
     "2001:db8::7", true},
    {"ipv6 without brackets", "10.0.0.1", "for=\"2001:db8::7\"", NULL, NULL, "2001:db8::7", false},
    {"mapped ipv6", "10.0.0.1", "for=\"[::ffff:192.0.2.7]\"", NULL, NULL, "192.0.2.7", false},
    {"ipv6 proxy", "fd00::1", "for=192.0.2.7", NULL, NULL, "192.0.2.7", false},
    {"spoofed first entry", "10.0.0.1", "for=6.6.6.6, for=192.0.2.7", NULL, NULL, "192.0.2.7",
     false},
    {"two proxies", "10.0.0.1", "for=6.6.6.6, for=192.0.2.7;proto=https, for=10.0.0.2;proto=http",
     NULL, NULL, "192.0.2.7", true},
    {"a proxy's address spoofed behind the client", "10.0.0.1",
     "for=6.6.6.6, for=10.0.0.9, for=192.0.2.7", NULL, NULL, "192.0.2.7", false},
    {"only proxies", "10.0.0.1", "for=10.0.0.3, for=10.0.0.2", NULL, NULL, "10.0.0.3", false},
    {"obfuscated", "10.0.0.1", "for=6.6.6.6, for=_hidden", NULL, NULL, "10.0.0.1", false},
    {"unknown", "10.0.0.1", "for=6.6.6.6, for=unknown;proto=https", NULL, NULL, "10.0.0.1", true},
    {"by only", "10.0.0.1", "for=6.6.6.6, by=192.0.2.7", NULL, NULL, "10.0.0.1", false},
    {"garbage", "10.0.0.1", ";;=,\"", NULL, NULL, "10.0.0.1", false},
    {"empty", "10.0.0.1", "", NULL, NULL, "10.0.0.1", false},
    {"empty element", "10.0.0.1", "for=6.6.6.6,", NULL, NULL, "10.0.0.1", false},
    {"for twice", "10.0.0.1", "for=192.0.2.7;for=6.6.6.6", NULL, NULL, "10.0.0.1", false},
    {"proto twice", "10.0.0.1", "for=192.0.2.7;proto=http;proto=https", NULL, NULL, "10.0.0.1",
     false},
    {"bad port", "10.0.0.1", "for=\"192.0.2.7:99999\"", NULL, NULL, "10.0.0.1", false},
    {"obfuscated port", "10.0.0.1", "for=\"192.0.2.7:_p\"", NULL, NULL, "10.0.0.1", false},
    {"open bracket", "10.0.0.1", "for=\"[2001:db8::7\"", NULL, NULL, "10.0.0.1", false},
    {"junk behind the bracket", "10.0.0.1", "for=\"[2001:db8::7]9\"", NULL, NULL, "10.0.0.1",
     false},
    {"zone", "10.0.0.1", "for=\"[fe80::1%25eth0]\"", NULL, NULL, "10.0.0.1", false},
    {"a quote left open swallows the proxy's element", "10.0.0.1",
     "for=6.6.6.6;x=\", for=192.0.2.7", NULL, NULL, "10.0.0.1", false},
    {"a quote left open before a quoted element", "10.0.0.1",
     "for=6.6.6.6;x=\", for=\"[2001:db8::7]\"", NULL, NULL, "10.0.0.1", false},
    {"a comma in quotes", "10.0.0.1", "for=6.6.6.6;x=\"a, for=6.6.6.7\", for=192.0.2.7", NULL, NULL,
     "192.0.2.7", false},
    {"an escaped quote", "10.0.0.1", "x=\"\\\", for=192.0.2.7", NULL, NULL, "192.0.2.7", false},
    {"host is not read", "10.0.0.1", "host=evil.test;for=192.0.2.7", NULL, NULL, "192.0.2.7",
     false},
    {"x-forwarded-for", "10.0.0.1", NULL, "6.6.6.6, 192.0.2.7", NULL, "192.0.2.7", false},
    {"x-forwarded-for, two proxies", "10.0.0.1", NULL, "6.6.6.6,192.0.2.7 , 10.0.0.2", NULL,
     "192.0.2.7", false},
    {"x-forwarded-for with ipv6", "10.0.0.1", NULL, "2001:db8::7", NULL, "2001:db8::7", false},
    {"x-forwarded-for with garbage", "10.0.0.1", NULL, "6.6.6.6, x", NULL, "10.0.0.1", false},
    {"x-forwarded-for with a hole", "10.0.0.1", NULL, "6.6.6.6, ", NULL, "10.0.0.1", false},
    {"x-forwarded-proto", "10.0.0.1", NULL, "192.0.2.7", "https", "192.0.2.7", true},
    {"x-forwarded-proto alone", "10.0.0.1", NULL, NULL, "https", "10.0.0.1", true},
    {"one scheme for all hops", "10.0.0.1", NULL, "192.0.2.7, 10.0.0.2", "https", "192.0.2.7",
     true},
    {"a scheme a hop", "10.0.0.1", NULL, "192.0.2.7, 10.0.0.2", "https, http", "192.0.2.7", true},
    {"the client's own scheme is not believed", "10.0.0.1", NULL, "6.6.6.6, 192.0.2.7",
     "https, http", "192.0.2.7", false},
    {"unknown scheme", "10.0.0.1", NULL, "192.0.2.7", "httpsx", "192.0.2.7", false},
    {"both agree", "10.0.0.1", "for=192.0.2.7;proto=https", "192.0.2.7", "https", "192.0.2.7",
     true},
    {"both differ", "10.0.0.1", "for=6.6.6.6", "192.0.2.7", NULL, "10.0.0.1", false},
    {"both differ in scheme", "10.0.0.1", "for=192.0.2.7;proto=https", "192.0.2.7", "http",
     "10.0.0.1", false},
    {"a stranger's forwarded", "192.0.2.9", "for=6.6.6.6;proto=https", NULL, NULL, "192.0.2.9",
     false},
    {"a stranger's x-forwarded", "192.0.2.9", NULL, "6.6.6.6", "https", "192.0.2.9", false},
};

static http_addr_t addr(const char *text)
{
    http_addr_t a;
    assert_int_equal(http_addr_parse(str_c(text), &a), RC_OK);
    return a;
}

static http_client_t client_of(const row_t *row, const http_proxies_t *proxies, bool tls)
{
    http_addr_t peer = addr(row->peer);
    const http_header_t all[] = {{STR("Forwarded"), str_c(row->standard)},
                                 {STR("X-Forwarded-For"), str_c(row->x_for)},
                                 {STR("X-Forwarded-Proto"), str_c(row->x_proto)},
                                 {STR("X-Forwarded-Host"), STR("evil.test")},
                                 {STR("X-Real-IP"), STR("6.6.6.6")},
                                 {STR("True-Client-IP"), STR("6.6.6.6")}};
    http_header_t there[6];
    size_t n = 0;
    for (size_t i = 0; i < 6; i++) {
        if (str_is_set(all[i].value))
            there[n++] = all[i];
    }
    return http_forwarded_client(proxies, &peer, tls, (http_headers_t){there, n});
}

/* attack case: UI-014 (only hops of trusted proxies count) */
static void the_walk_ends_where_trust_ends(void **state)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        http_client_t c = client_of(&ROWS[i], &PROXIES, false);
        http_addr_t want = addr(ROWS[i].client);
        if (!http_addr_eq(&c.addr, &want) || c.https != ROWS[i].https)
            fail_msg("%s", ROWS[i].name);
    }
}

static void without_trusted_proxies_nothing_is_read(void **state)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const http_proxies_t nobody = {0};
        http_client_t c = client_of(&ROWS[i], &nobody, true);
        http_addr_t want = addr(ROWS[i].peer);
        assert_true(http_addr_eq(&c.addr, &want));
        assert_true(c.https);
    }
}

static void fields_of_one_name_are_one_list(void **state)
{
    http_addr_t peer = addr("127.0.0.1"), want = addr("192.0.2.7");
    http_headers_t h = HTTP_HEADERS({STR("Forwarded"), STR("for=6.6.6.6;x=\"")},
                                    {STR("forwarded"), STR("for=192.0.2.7")},
                                    {STR("FORWARDED"), STR("for=10.0.0.2")});
    http_client_t c = http_forwarded_client(&PROXIES, &peer, false, h);
    assert_true(http_addr_eq(&c.addr, &want));
}

/* Only the right-most hops are looked at; the chain cannot be made to cost more. */
static void a_long_chain_stays_on_the_right(void **state)
{
    char text[4096] = "6.6.6.6";
    http_addr_t peer = addr("10.0.0.1"), last = addr("10.0.0.5"), want = addr("192.0.2.7");
    for (int i = 0; i < 300; i++)
        strcat(text, ",10.0.0.5");
    http_headers_t h = HTTP_HEADERS({STR("X-Forwarded-For"), str_c(text)});
    http_client_t c = http_forwarded_client(&PROXIES, &peer, false, h);
    assert_true(http_addr_eq(&c.addr, &last));
    strcat(text, ",192.0.2.7");
    h = HTTP_HEADERS({STR("X-Forwarded-For"), str_c(text)});
    c = http_forwarded_client(&PROXIES, &peer, false, h);
    assert_true(http_addr_eq(&c.addr, &want));
}

static void a_list_of_ranges_is_parsed(void **state)
{
    arena_t *a = arena_new(4096), *poor = arena_new(1);
    const str_t good[] = {STR_INIT("10.0.0.0/8"), STR_INIT("::1")};
    const str_t wrong[] = {STR_INIT("::1"), STR_INIT("10.0.0.1/8")};
    http_proxies_t p;
    http_addr_t in = addr("10.1.1.1"), out = addr("11.1.1.1");
    str_t bad = STR_UNSET;
    assert_int_equal(http_proxies_parse(a, (str_list_t){good, 2}, &p, &bad), RC_OK);
    assert_true(http_proxies_trust(&p, &in));
    assert_false(http_proxies_trust(&p, &out));
    assert_int_equal(http_proxies_parse(a, (str_list_t){wrong, 2}, &p, &bad), RC_MALFORMED);
    assert_text(bad, "10.0.0.1/8");
    assert_int_equal(p.n, 0);
    assert_int_equal(http_proxies_parse(a, (str_list_t){NULL, 0}, &p, &bad), RC_OK);
    assert_false(http_proxies_trust(&p, &in));
    assert_int_equal(http_proxies_parse(poor, (str_list_t){good, 2}, &p, &bad), RC_MEMORY);
    arena_free(a);
    arena_free(poor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_walk_ends_where_trust_ends),
        cmocka_unit_test(without_trusted_proxies_nothing_is_read),
        cmocka_unit_test(fields_of_one_name_are_one_list),
        cmocka_unit_test(a_long_chain_stays_on_the_right),
        cmocka_unit_test(a_list_of_ranges_is_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
