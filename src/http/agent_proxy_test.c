/* Proxies: which requests go through one, and what it gets to see. */
#include <stdlib.h>

#include "core/core_test_util.h"
#include "http/agent_proxy.h"
#include "http/http_test_peer.h"

static void the_variables_decide(void **state)
{
    static const struct {
        const char *url, *http, *https, *all, *none, *proxy;
    } CASES[] = {
        {"http://a.test/", NULL, NULL, NULL, NULL, NULL},
        {"http://a.test/", "h:1", "s:1", "x:1", NULL, "h:1"},
        {"https://a.test/", "h:1", "s:1", "x:1", NULL, "s:1"},
        {"https://a.test/", "h:1", NULL, "x:1", NULL, "x:1"},
        {"https://a.test/", "h:1", NULL, NULL, NULL, NULL},
        {"https://a.test/", NULL, "", "x:1", NULL, NULL}, /* none, and no other */
        {"http://a.test/", "h:1", NULL, NULL, "b.test, a.test", NULL},
        {"http://A.test:8080/", "h:1", NULL, NULL, ".A.TEST", NULL},
        {"http://deep.a.test/", "h:1", NULL, NULL, "a.test", NULL},
        {"http://ba.test/", "h:1", NULL, NULL, "a.test", "h:1"},
        {"http://a.test/", "h:1", NULL, NULL, "deep.a.test", "h:1"},
        {"http://a.test/", "h:1", NULL, NULL, "*", NULL},
        {"http://a.test/", "h:1", NULL, NULL, "", "h:1"},
        {"http://a.test/", "h:1", NULL, NULL, ",, ,", "h:1"},
        {"http://10.1.2.3/", "h:1", NULL, NULL, "10.0.0.0/8", NULL},
        {"http://10.1.2.3/", "h:1", NULL, NULL, "10.1.2.3", NULL},
        {"http://10.1.2.3/", "h:1", NULL, NULL, "2.3", "h:1"},
        {"http://[fd00::1]/", "h:1", NULL, NULL, "fd00::/8", NULL},
        {"http://[fd00::1]/", "h:1", NULL, NULL, "[fd00:0::1]", NULL},
        {"http://[fd00::1]/", "h:1", NULL, NULL, "fe00::/8", "h:1"},
        {"http://127.0.0.1/", "h:1", NULL, "x:1", NULL, NULL},
        {"http://[::1]:80/", "h:1", NULL, "x:1", NULL, NULL},
        {"http://localhost/", "h:1", NULL, "x:1", NULL, NULL},
        {"https://a.LOCALHOST./", NULL, "s:1", "x:1", NULL, NULL},
    };
    for (size_t i = 0; i < ROWS(CASES); i++) {
        const http_proxy_vars_t vars = {str_c(CASES[i].http), str_c(CASES[i].https),
                                        str_c(CASES[i].all), str_c(CASES[i].none)};
        url_t u;
        assert_int_equal(url_parse(str_c(CASES[i].url), &u), RC_OK);
        if (!str_eq(http_proxy_for(&vars, &u), str_c(CASES[i].proxy)))
            fail_msg("row %zu: %s", i, CASES[i].url);
    }
}

static test_peer_t *proxy;
static http_agent_t *agent;

static bool play(test_visit_t *v)
{
    if (str_starts(v->request, STR("CONNECT refused.invalid")))
        return test_visit_says(v, "HTTP/1.1 407 Proxy Authentication Required\r\n"
                                  "Content-Length: 0\r\n\r\n");
    if (str_starts(v->request, STR("CONNECT ")))
        return test_visit_says(v, "HTTP/1.1 200 OK\r\nX-Of-The-Proxy: 1\r\n\r\n");
    return test_visit_says(v, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static int set_up(void **state)
{
    char url[64];
    proxy = test_peer_start(play, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", proxy->port);
    setenv("http_proxy", url, 1);
    setenv("HTTPS_PROXY", url, 1);
    unsetenv("https_proxy");
    setenv("no_proxy", "direct.invalid", 1);
    agent = test_agent_start();
    return test_arena_setup(state);
}

static int tear_down(void **state)
{
    http_agent_free(agent);
    test_peer_stop(proxy);
    return test_arena_teardown(state);
}

static http_answer_t ask(arena_t *a, const char *url)
{
    return test_agent_ask(agent, a,
                          (http_agent_request_t){
                              .method = STR("GET"),
                              .url = str_c(url),
                              .headers = HTTP_HEADERS({STR("Authorization"), STR("Bearer t")}),
                              .total_ms = 5000,
                          });
}

/* Names are the proxy's to look up, and its own address is not the server's. */
static void a_request_goes_through_the_proxy(void **state)
{
    assert_str(ask(*state, "http://a.invalid/x#y").body, STR("ok"));
    assert_true(strncmp(test_peer_asked(proxy, 0), "GET http://a.invalid/x HTTP/1.1\r\n", 33) == 0);
    http_answer_t answer = ask(*state, "http://direct.invalid/x");
    assert_int_equal(answer.end, HTTP_AGENT_NO_NAME);
    assert_int_equal(atomic_load(&proxy->requests), 1);
}

static void a_proxy_sees_nothing_of_a_request_over_tls(void **state)
{
    http_answer_t answer = ask(*state, "https://a.invalid/x");
    assert_int_not_equal(answer.end, HTTP_AGENT_DONE);
    assert_true(strncmp(test_peer_asked(proxy, 0), "CONNECT a.invalid:443 HTTP/1.1\r\n", 32) == 0);
    assert_null(strstr(test_peer_asked(proxy, 0), "Bearer"));
    answer = ask(*state, "https://refused.invalid/x");
    assert_int_equal(answer.end, HTTP_AGENT_REFUSED);
    assert_true(str_contains(answer.why, STR("407")));
}

static void literals_are_judged_all_the_same(void **state)
{
    static const char *const OUT[] = {"http://10.0.0.1/", "http://169.254.169.254/",
                                      "http://[::1]/", "https://[fd00::1]/"};
    for (size_t i = 0; i < ROWS(OUT); i++)
        assert_int_equal(ask(*state, OUT[i]).end, HTTP_AGENT_OUT_OF_REACH);
    assert_int_equal(atomic_load(&proxy->requests), 0);
    assert_int_equal(ask(*state, "http://93.184.215.14/").status, 200);
}

#define PROXY_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(the_variables_decide),
        PROXY_TEST(a_request_goes_through_the_proxy),
        PROXY_TEST(a_proxy_sees_nothing_of_a_request_over_tls),
        PROXY_TEST(literals_are_judged_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
