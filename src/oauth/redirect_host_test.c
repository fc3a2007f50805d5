#include "oauth/oauth_test_world.h"

#include "oauth/redirect_host.h"

static void check(bool (*is)(str_t host), const char *const *hosts, bool expected)
{
    for (; *hosts; hosts++)
        if (is(str_c(*hosts)) != expected)
            fail_msg("%s", *hosts);
}

#define HOSTS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static void hosts_that_all_readers_read_alike(void **state)
{
    (void)state;
    check(oauth_redirect_host_is_plain,
          HOSTS("c.test", "C.Test", "a-b.c_d.test", "localhost", "xn--bcher-kva.example",
                "1.c.test", "127.0.0.1", "10.0.0.255", "[::1]", "[2001:db8::1]"),
          true);
}

static void hosts_that_browsers_read_as_others(void **state)
{
    (void)state;
    check(oauth_redirect_host_is_plain,
          HOSTS("", ".", "c.test.", "c..test", ".c.test", "ev%69l.test", "c%2etest", "c.test%00",
                "c!d.test", "a,b.test", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1",
                "127.0.0.01", "127.0.0.1.", "256.0.0.1", "1.2.3.4.5", "c.0x1", "c.1"),
          false);
}

static void hosts_that_are_this_machine(void **state)
{
    (void)state;
    check(oauth_redirect_host_is_loopback,
          HOSTS("localhost", "LocalHost", "a.localhost", "127.0.0.1", "127.255.0.7", "0.0.0.0",
                "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::]", "[::ffff:127.0.0.1]",
                "[::FFFF:7f00:1]", "[::127.0.0.1]"),
          true);
    check(oauth_redirect_host_is_loopback,
          HOSTS("c.test", "localhost.c.test", "alocalhost", ".localhost", "12.7.0.1", "127.c.test",
                "0.0.0.1", "[2001:db8::1]", "[::2]", "[::11]", "[1::]", "[fe80::ffff:1]"),
          false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_that_all_readers_read_alike),
        cmocka_unit_test(hosts_that_browsers_read_as_others),
        cmocka_unit_test(hosts_that_are_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
