/* Names that mean one address now and another one later, and names that mean several: nothing is
 * ever connected to a special-purpose address. The resolver of the C library is ours here, as it
 * would be an attacker's name server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "http/fetch.h"
#include "http/http_test_names.h"

enum { ANSWERS_MAX = 4 };

/* What the resolver says, one list of addresses for each time it is asked; the last one stays. */
static const char *answers[ANSWERS_MAX][ANSWERS_MAX];
static atomic_uint asked;
static arena_t *arena;
static int listener;
static uint16_t port;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    (void)node;
    (void)hints;
    unsigned round = atomic_fetch_add(&asked, 1);
    while (round > 0 && (round >= ANSWERS_MAX || !answers[round][0]))
        round--;
    *out = NULL;
    for (size_t i = ANSWERS_MAX; i-- > 0;) {
        if (!answers[round][i])
            continue;
        struct addrinfo *one =
            test_address(answers[round][i], (uint16_t)(service ? atoi(service) : port));
        one->ai_next = *out;
        *out = one;
    }
    return *out ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
    test_addresses_free(list);
}

/* Nothing leaves this machine: whoever else is connected to refuses. */
static atomic_uint went_out;

int connect(int fd, const struct sockaddr *to, socklen_t n)
{
    const struct sockaddr_in *v4 = (const void *)to;
    if (to->sa_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_LOOPBACK))
        return (int)syscall(SYS_connect, fd, to, n);
    atomic_fetch_add(&went_out, 1);
    errno = ECONNREFUSED;
    return -1;
}

static int set_up(void **state)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof name;
    arena = arena_new(1 << 20);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!arena || bind(listener, (void *)&name, n) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (void *)&name, &n) != 0)
        return -1;
    port = ntohs(name.sin_port);
    return 0;
}

static int tear_down(void **state)
{
    close(listener);
    arena_free(arena);
    return 0;
}

static void resolver_says(const char *list[ANSWERS_MAX][ANSWERS_MAX])
{
    memcpy(answers, list, sizeof answers);
    atomic_store(&asked, 0);
}

static http_fetch_verdict_t get(str_list_t private_hosts)
{
    http_fetch_result_t out;
    http_fetch_port_t fetch = http_fetch_curl();
    const http_fetch_request_t req = {
        .url = arena_printf(arena, "https://rebind.test:%d/c.json", port),
        .timeout_ms = 300,
        .private_hosts = private_hosts,
    };
    assert_int_equal(fetch.get(fetch.ctx, arena, &req, &out), RC_OK);
    return out.verdict;
}

static bool somebody_came(void)
{
    struct pollfd p = {.fd = listener, .events = POLLIN};
    bool came = poll(&p, 1, 50) == 1;
    if (came)
        close(accept(listener, NULL, NULL));
    return came;
}

static const str_list_t NOBODY = {NULL, 0};

/* The control: with the host allowed, the same name leads to the same place. */
static void the_listener_is_where_the_name_leads(void **state)
{
    static const str_t ROW[] = {STR_INIT("rebind.test")};
    const char *list[ANSWERS_MAX][ANSWERS_MAX] = {{"127.0.0.1"}};
    resolver_says(list);
    assert_int_not_equal(get((str_list_t){ROW, 1}), HTTP_FETCH_SPECIAL);
    assert_true(somebody_came());
}

/* Public when it is asked first, private afterwards: whatever is asked when, what is connected to
 * is what was judged. */
static void a_second_answer_gains_nothing(void **state)
{
    const char *list[ANSWERS_MAX][ANSWERS_MAX] = {{"203.0.114.1"}, {"127.0.0.1"}};
    resolver_says(list);
    atomic_store(&went_out, 0);
    for (int i = 0; i < 3; i++) {
        unsigned before = atomic_load(&asked);
        http_fetch_verdict_t verdict = get(NOBODY);
        assert_int_equal(atomic_load(&asked), before + 1); /* once a fetch */
        assert_int_not_equal(verdict, HTTP_FETCH_OK);
        assert_int_equal(verdict, i == 0 ? HTTP_FETCH_FAILED : HTTP_FETCH_SPECIAL);
        assert_int_equal(atomic_load(&went_out), 1); /* to the public address, the first time */
        assert_false(somebody_came());
    }
}

/* Both at once: the private one is not tried when the public one does not answer. */
static void a_second_address_gains_nothing(void **state)
{
    const char *list[ANSWERS_MAX][ANSWERS_MAX] = {{"203.0.114.1", "127.0.0.1"}};
    resolver_says(list);
    atomic_store(&went_out, 0);
    assert_int_not_equal(get(NOBODY), HTTP_FETCH_OK);
    assert_int_equal(atomic_load(&went_out), 1);
    assert_false(somebody_came());
}

static void no_spelling_of_a_special_address_gains_anything(void **state)
{
    static const char *const SPECIAL[] = {
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fc00::1",
        "fe80::1",
        "ff02::1",
    };
    atomic_store(&went_out, 0);
    for (size_t i = 0; i < sizeof SPECIAL / sizeof *SPECIAL; i++) {
        const char *list[ANSWERS_MAX][ANSWERS_MAX] = {{SPECIAL[i]}};
        resolver_says(list);
        http_fetch_verdict_t verdict = get(NOBODY);
        if (verdict != HTTP_FETCH_SPECIAL)
            fail_msg("%s: %s", SPECIAL[i], http_fetch_verdict_name(verdict).p);
    }
    assert_int_equal(atomic_load(&went_out), 0);
    assert_false(somebody_came());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_listener_is_where_the_name_leads),
        cmocka_unit_test(a_second_answer_gains_nothing),
        cmocka_unit_test(a_second_address_gains_nothing),
        cmocka_unit_test(no_spelling_of_a_special_address_gains_anything),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
