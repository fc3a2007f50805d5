#include "conf/conf_test_util.h"

#include "conf/conf_address.h"

static void listen_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        int port;
    } GOOD[] = {
        {"127.0.0.1:8080", "127.0.0.1", 8080},
        {"0.0.0.0:0", "0.0.0.0", 0},
        {"[::1]:80", "::1", 80},
        {"[::]:65535", "::", 65535},
        {"[fe80::1]:1", "fe80::1", 1},
        {"localhost:8080", "127.0.0.1", 8080},
    };
    for (size_t i = 0; i < ROWS(GOOD); i++) {
        str_t host;
        uint16_t port;
        if (!conf_listen_split(str_c(GOOD[i].text), &host, &port))
            fail_msg("%s", GOOD[i].text);
        assert_str(host, str_c(GOOD[i].host));
        assert_int_equal(port, GOOD[i].port);
    }
}

static void listen_malformed(void **state)
{
    (void)state;
    static const str_t BAD[] = {
        STR_INIT(""),
        STR_INIT(":8080"),
        STR_INIT("8080"),
        STR_INIT("127.0.0.1"),
        STR_INIT("127.0.0.1:"),
        STR_INIT("127.0.0.1:65536"),
        STR_INIT("127.0.0.1:-1"),
        STR_INIT("127.0.0.1:080000"),
        STR_INIT("127.0.0.1:80x"),
        STR_INIT("127.0.0.1:80:80"),
        STR_INIT("127.0.1:80"),
        STR_INIT("127.0.0.01:80"),
        STR_INIT("127.0.0.256:80"),
        STR_INIT("::1:8080"),
        STR_INIT("[::1]"),
        STR_INIT("[::1]8080"),
        STR_INIT("[::1]:"),
        STR_INIT("[::1:8080"),
        STR_INIT("[127.0.0.1]:80"),
        STR_INIT("[localhost]:80"),
        STR_INIT("[]:80"),
        STR_INIT("[fe80::1%eth0]:80"),
        STR_INIT("[::ffff:127.0.0.1]:80"),
        STR_INIT("example.com:80"),
        STR_INIT("*:80"),
        STR_INIT(" 127.0.0.1:80"),
        STR_INIT("127.0.0.1 :80"),
        STR_INIT("127.0.0.1\0:80"),
        STR_INIT("http://127.0.0.1:80"),
    };
    for (size_t i = 0; i < ROWS(BAD); i++) {
        str_t host;
        uint16_t port;
        if (conf_listen_split(BAD[i], &host, &port))
            fail_msg("'%" PRIstr "' was taken", STR_ARG(BAD[i]));
    }
}

static void cidrs(void **state)
{
    (void)state;
    static const struct {
        str_t text;
        bool good;
    } TABLE[] = {
        {STR_INIT("10.0.0.0/8"), true},
        {STR_INIT("10.0.0.1"), true},
        {STR_INIT("10.0.0.1/32"), true},
        {STR_INIT("0.0.0.0/0"), true},
        {STR_INIT("192.168.128.0/17"), true},
        {STR_INIT("fd00::/8"), true},
        {STR_INIT("::1"), true},
        {STR_INIT("::1/128"), true},
        {STR_INIT("::/0"), true},
        {STR_INIT("10.0.0.1/8"), false},
        {STR_INIT("192.168.64.0/17"), false},
        {STR_INIT("10.0.0.0/33"), false},
        {STR_INIT("10.0.0.0/"), false},
        {STR_INIT("10.0.0.0/-1"), false},
        {STR_INIT("10.0.0.0/8/8"), false},
        {STR_INIT("10.0.0.0/0008"), false},
        {STR_INIT("10.0.0/8"), false},
        {STR_INIT("/8"), false},
        {STR_INIT(""), false},
        {STR_INIT("fd00::1/8"), false},
        {STR_INIT("::/129"), false},
        {STR_INIT("[::1]"), false},
        {STR_INIT("::ffff:10.0.0.1"), false},
        {STR_INIT("10.0.0.1:80"), false},
        {STR_INIT("proxy.example"), false},
        {STR_INIT("fe80::1%eth0"), false},
        {STR_INIT("1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"), false},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++)
        if (conf_is_cidr(TABLE[i].text) != TABLE[i].good)
            fail_msg("'%" PRIstr "'", STR_ARG(TABLE[i].text));
    assert_false(conf_is_cidr(STR_UNSET));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listen_addresses),
        cmocka_unit_test(listen_malformed),
        cmocka_unit_test(cidrs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
