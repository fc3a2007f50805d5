#include "http/http_test_wire.h"

static http_addr_t addr(const char *text)
{
    http_addr_t a;
    assert_int_equal(http_addr_parse(str_c(text), &a), RC_OK);
    return a;
}

static void every_spelling_has_one_text(void **state)
{
    static const struct {
        const char *text, *canonical;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"2001:DB8::A", "2001:db8::a"},
        {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
        {"2001:db8:1:1:1:1:0:1", "2001:db8:1:1:1:1:0:1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::FFFF:c000:201", "192.0.2.1"},
        {"0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"},
    };
    char out[HTTP_ADDR_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_addr_t a = addr(rows[i].text);
        assert_str(http_addr_text(&a, out), str_c(rows[i].canonical));
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "0x1.2.3.4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4:80",
        "[::1]",
        "::1%eth0",
        ":::",
        "1::2::3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "a.test",
        "unknown",
        "_hidden",
        "1.2.3.4/8",
        "::1.2.3",
        "-1.2.3.4",
        "00001:0002:0003:0004:0005:0006:0007:0008:0009:00000",
    };
    http_addr_t a;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (http_addr_parse(str_c(rows[i]), &a) != RC_MALFORMED)
            fail_msg("%s is taken", rows[i]);
        assert_int_equal(a.family, 0);
    }
    assert_int_equal(http_addr_parse(str_of("1.2.3.4\0", 8), &a), RC_MALFORMED);
}

static void bytes_make_addresses(void **state)
{
    static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1}, one[16] = {[15] = 1};
    http_addr_t a = http_addr_from_bytes(mapped, 16), b = addr("192.0.2.1");
    assert_true(http_addr_eq(&a, &b));
    a = http_addr_from_bytes(one, 16);
    assert_true(http_addr_is_loopback(&a));
    a = http_addr_from_bytes(one, 5);
    assert_int_equal(a.family, 0);
    char out[HTTP_ADDR_TEXT];
    assert_text(http_addr_text(&a, out), "unknown");
    assert_false(http_addr_eq(&a, &b));
    assert_true(http_addr_eq(&a, &a));
}

/* attack case: UI-014 (one host has one key, whatever its spelling) */
static void limits_count_a_host_or_a_subnet(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"2001:db8::1", "2001:DB8:0:0:ffff::2", true},
        {"2001:db8::1", "2001:db8:0:1::1", false},
        {"::", "0.0.0.0", false},
    };
    uint8_t ka[HTTP_ADDR_KEY], kb[HTTP_ADDR_KEY];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_addr_t a = addr(rows[i].a), b = addr(rows[i].b);
        assert_int_equal(str_eq(http_addr_rate_key(&a, ka), http_addr_rate_key(&b, kb)),
                         rows[i].same);
    }
}

static void loopback_is_known(void **state)
{
    static const char *const yes[] = {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"};
    static const char *const no[] = {"128.0.0.1", "10.0.0.1", "::2", "::", "0.0.0.0"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        http_addr_t a = addr(yes[i]);
        assert_true(http_addr_is_loopback(&a));
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        http_addr_t a = addr(no[i]);
        assert_false(http_addr_is_loopback(&a));
    }
}

static void ranges_hold_their_addresses(void **state)
{
    static const struct {
        const char *range, *a;
        bool has;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/9", "10.127.255.255", true},
        {"10.0.0.0/9", "10.128.0.0", false},
        {"0.0.0.0/0", "1.2.3.4", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "::1", true},
        {"::/0", "1.2.3.4", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.0", false},
        {"192.0.2.1/32", "::ffff:192.0.2.1", true},
        {"fd00::/8", "fdff::1", true},
        {"fd00::/8", "fe00::1", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::1", "::1", true},
        {"::1/128", "::2", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_cidr_t c;
        http_addr_t a = addr(rows[i].a), none = {0};
        assert_int_equal(http_cidr_parse(str_c(rows[i].range), &c), RC_OK);
        assert_int_equal(http_cidr_has(&c, &a), rows[i].has);
        assert_false(http_cidr_has(&c, &none));
    }
}

static void what_is_no_range_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        "10.0.0.0/8/8",
        "::/129",
        "::1/127",
        "a/8",
        "10.0.0.0/+8",
        "10.0.0.0/0x8",
        "0.0.0.1/0",
        "::ffff:10.0.0.0/104",
    };
    http_cidr_t c;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (http_cidr_parse(str_c(rows[i]), &c) != RC_MALFORMED)
            fail_msg("%s is taken", rows[i]);
    }
}

/* Both edges of each range, and the neighbours outside. */
static void special_addresses_are_told_apart(void **state)
{
    static const char *const special[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.255",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.255.255",
        "192.175.48.1",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::1.2.3.4",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:1ff:ffff::",
        "2001:db8::1",
        "2002:a00:1::1",
        "2620:4f:8000::1",
        "3fff::1",
        "3fff:fff:ffff::",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
        "1fff::1",
    };
    static const char *const global[] = {
        "1.1.1.1",         "9.255.255.255",    "11.0.0.0",        "100.63.255.255",
        "100.128.0.0",     "126.255.255.255",  "128.0.0.0",       "169.253.255.255",
        "172.15.255.255",  "172.32.0.0",       "192.0.1.0",       "192.0.3.0",
        "192.167.255.255", "192.169.0.0",      "198.17.255.255",  "198.20.0.0",
        "223.255.255.255", "64:ff9b::1.1.1.1", "2001:200::1",     "2001:db9::1",
        "2003::1",         "2620:4f:8001::1",  "2606:4700::1111", "3fff:1000::1",
        "3ffe::1",         "::ffff:1.1.1.1",
    };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        http_addr_t a = addr(special[i]);
        if (!http_addr_is_special(&a))
            fail_msg("%s is not special", special[i]);
    }
    for (size_t i = 0; i < sizeof global / sizeof *global; i++) {
        http_addr_t a = addr(global[i]);
        if (http_addr_is_special(&a))
            fail_msg("%s is special", global[i]);
    }
    http_addr_t unknown = {0};
    assert_true(http_addr_is_special(&unknown));
}

static void hosts_that_others_take_for_addresses_are_odd(void **state)
{
    static const char *const ODD[] = {"127.1",    "2130706433",  "0x7f.1",     "a.0X7F",
                                      "1.2.3.4.", "0300.0.0.1",  "1.2.3.4.5",  "%31.example",
                                      "a.0x",     "192.168.257", "localhos%74"};
    static const char *const PLAIN[] = {"127.0.0.1", "[::1]",     "a.example", "1.example",
                                        "a.1b",      "0x7f.test", "localhost", "a.example."};
    (void)state;
    for (size_t i = 0; i < sizeof ODD / sizeof *ODD; i++)
        if (!http_host_is_odd(str_c(ODD[i])))
            fail_msg("%s", ODD[i]);
    for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++)
        if (http_host_is_odd(str_c(PLAIN[i])))
            fail_msg("%s", PLAIN[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_has_one_text),
        cmocka_unit_test(hosts_that_others_take_for_addresses_are_odd),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(bytes_make_addresses),
        cmocka_unit_test(limits_count_a_host_or_a_subnet),
        cmocka_unit_test(loopback_is_known),
        cmocka_unit_test(ranges_hold_their_addresses),
        cmocka_unit_test(what_is_no_range_is_refused),
        cmocka_unit_test(special_addresses_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
