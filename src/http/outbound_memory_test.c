/* The client when memory ends: each allocation of a request fails once. What is under test is
 * compiled here, with an allocator that fails on demand. */
#include "http/http_test_outbound.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int allocations; /* so far */
static int fails_at;    /* the number of the one that fails; 0: none */

static void *failing_malloc(size_t n)
{
    return ++allocations == fails_at ? NULL : malloc(n);
}

static void *failing_calloc(size_t n, size_t size)
{
    return ++allocations == fails_at ? NULL : calloc(n, size);
}

#define malloc(n)       failing_malloc(n)
#define calloc(n, size) failing_calloc(n, size)
#include "http/outbound.c"
#include "http/outbound_answer.c"
#include "http/outbound_conn.c"
#include "http/outbound_request.c"
#include "http/uv_dial.c"
#include "http/uv_tcp.c"
#undef malloc
#undef calloc

static void pause_once(test_answer_t *a)
{
    a->on_data = NULL;
    http_outbound_pause(a->call);
    http_outbound_resume(a->call);
    http_outbound_pause(a->call);
}

/* Says what it has to say while the client listens; the head comes in two pieces. */
static void serve(test_answer_t *a)
{
    static const char *const pieces[] = {"HTTP/1.1 200 OK\r\nContent-", "Length: 4\r\n\r\nab",
                                         "cd"};
    test_upstream_t *up = a->up;
    int fd = -1;
    for (size_t next = 0, turns = 0; a->ends == 0 && turns < 200; turns++) {
        test_turn(up);
        fd = fd < 0 ? accept(up->listener, NULL, NULL) : fd;
        if (fd >= 0 && next < 3 && turns % 4 == 3) {
            str_t piece = str_c(pieces[next++]);
            (void)!send(fd, piece.p, piece.n, MSG_NOSIGNAL);
        }
        if (a->call && a->call->paused && turns % 4 == 1)
            http_outbound_resume(a->call);
    }
    if (fd >= 0)
        close(fd);
}

/* Whether the request went well; else it must have failed in one clean way. */
static bool request_went_well(test_upstream_t *up, int failing, const char *host)
{
    test_answer_t a = {.up = up, .on_data = pause_once};
    http_outbound_request_t r = {.method = HTTP_POST, .target = STR("/"), .body = STR("{}")};
    allocations = 0;
    fails_at = failing;
    rc_t rc = http_outbound_start(up->o, &r, test_events(&a), &a.call);
    assert_true(rc == RC_OK || rc == RC_MEMORY);
    if (rc == RC_OK)
        serve(&a);
    fails_at = 0;
    assert_int_equal(a.ends, rc == RC_OK);
    bool well = rc == RC_OK && a.how == HTTP_OUT_DONE;
    assert_true(well || rc == RC_MEMORY || a.how == HTTP_OUT_BROKEN ||
                a.how == HTTP_OUT_UNREACHABLE);
    assert_true(!well || a.body_n == 4);
    return well;
}

static void every_failure_ends_one_request_cleanly(const char *host)
{
    test_upstream_t up;
    int failing = 1;
    test_upstream_open(&up, (http_outbound_config_t){.host = str_c(host), .idle_ms = 1});
    while (!request_went_well(&up, failing, host) && failing < 100) {
        assert_true(request_went_well(&up, 0, host));
        failing++;
    }
    /* The call, its bytes, the connection, the dial, its socket, its wait, a part of a head. */
    assert_true(failing > 7 && failing < 100);
    test_upstream_close(&up);
}

static void memory_that_ends_for_an_address(void **state)
{
    every_failure_ends_one_request_cleanly("127.0.0.1");
}

static void memory_that_ends_for_a_name(void **state)
{
    every_failure_ends_one_request_cleanly("localhost");
}

static void a_client_without_memory_is_none(void **state)
{
    test_upstream_t up;
    test_upstream_open(&up, (http_outbound_config_t){0});
    http_outbound_config_t c = {.host = STR("127.0.0.1"), .port = up.port};
    for (int i = 1; i <= 2; i++) {
        http_outbound_t *o = NULL;
        allocations = 0;
        fails_at = i;
        assert_int_equal(http_outbound_new(&up.worker, &c, &o), RC_MEMORY);
        fails_at = 0;
        assert_null(o);
    }
    test_upstream_close(&up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_ends_for_an_address),
        cmocka_unit_test(memory_that_ends_for_a_name),
        cmocka_unit_test(a_client_without_memory_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
