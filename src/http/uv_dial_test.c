/* Which address of a name is taken. The names are looked up in a table of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { NAMES_MAX = 10 };

static struct sockaddr_in table[NAMES_MAX];
static struct addrinfo table_list[NAMES_MAX];
static unsigned table_n;
static uint16_t test_port;
static uv_getaddrinfo_cb told;

static void on_real(uv_getaddrinfo_t *look, int status, struct addrinfo *real)
{
    uv_freeaddrinfo(real);
    told(look, table_n || status == UV_ECANCELED ? status : UV_EAI_NONAME,
         table_n ? table_list : NULL);
}

/* The real one looks up an address, and the table answers. */
static int table_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *look, uv_getaddrinfo_cb cb,
                             const char *node, const char *service, const struct addrinfo *hints)
{
    told = cb;
    return uv_getaddrinfo(loop, look, on_real, "127.0.0.1", service, NULL);
}

static void table_freeaddrinfo(struct addrinfo *list)
{
}

#define uv_getaddrinfo  table_getaddrinfo
#define uv_freeaddrinfo table_freeaddrinfo
#include "http/uv_dial.c"
#undef uv_getaddrinfo
#undef uv_freeaddrinfo

/* Nobody listens on this one. */
#define REFUSES "127.0.0.2"
/* This one's queue is full: it does not answer. */
#define SILENT "127.0.0.3"
#define TAKES  "127.0.0.1"

static void names(unsigned n, const char *const *addresses)
{
    table_n = n;
    for (unsigned i = 0; i < n; i++) {
        table[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(test_port)};
        assert_int_equal(inet_pton(AF_INET, addresses[i], &table[i].sin_addr), 1);
        table_list[i] = (struct addrinfo){.ai_addr = (struct sockaddr *)&table[i],
                                          .ai_next = i + 1 < n ? &table_list[i + 1] : NULL};
    }
}

static int listen_at(const char *address, int backlog)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(test_port)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    test_port = ntohs(at.sin_port);
    return fd;
}

static void fill_queue(int fds[4])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(test_port)};
    inet_pton(AF_INET, SILENT, &at.sin_addr);
    for (int i = 0; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&at, sizeof at);
    }
}

typedef struct {
    uv_loop_t loop;
    uv_timer_t tick;
    http_dial_t *dial; /* NULL once told */
    int done;
    http_tcp_t *tcp;
} world_t;

static void on_done(void *ctx, http_tcp_t *tcp)
{
    world_t *w = ctx;
    w->done++;
    w->dial = NULL;
    w->tcp = tcp;
    uv_stop(&w->loop);
}

static void on_tick(uv_timer_t *tick)
{
    world_t *w = tick->data;
    if (!w->dial || http_dial_tick(w->dial, (int64_t)uv_now(&w->loop)))
        return;
    http_dial_drop(w->dial);
    w->dial = NULL;
    uv_stop(&w->loop);
}

static void open_world(world_t *w)
{
    memset(w, 0, sizeof *w);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    w->tick.data = w;
    uv_timer_init(&w->loop, &w->tick);
    uv_timer_start(&w->tick, on_tick, 5, 5);
}

static void close_world(world_t *w)
{
    if (w->tcp)
        http_tcp_shut(w->tcp);
    uv_close((uv_handle_t *)&w->tick, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

static rc_t start(world_t *w, int64_t ms)
{
    http_dial_to_t to = {.loop = &w->loop, .host = "a.test", .port = test_port};
    return http_dial_start(&to, (int64_t)uv_now(&w->loop) + ms, on_done, w, &w->dial);
}

/* Whether a connection came. */
static bool dial(unsigned n, const char *const *addresses, int64_t ms)
{
    world_t w;
    names(n, addresses);
    open_world(&w);
    assert_int_equal(start(&w, ms), RC_OK);
    assert_int_equal(w.done, 0);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    bool connected = w.tcp != NULL;
    close_world(&w);
    return connected;
}

static void addresses_are_tried_in_turn(void **state)
{
    static const char *const refused[] = {REFUSES, REFUSES, REFUSES, REFUSES, REFUSES,
                                          REFUSES, REFUSES, REFUSES, TAKES};
    static const char *const second[] = {REFUSES, TAKES};
    test_port = 0;
    int fd = listen_at(TAKES, 16);
    assert_true(dial(1, second + 1, 2000));
    assert_true(dial(2, second, 2000));
    assert_true(dial(8, refused + 1, 2000));
    assert_false(dial(1, refused, 2000));
    assert_false(dial(0, NULL, 2000));
    /* The ninth is one too many. */
    assert_false(dial(9, refused, 2000));
    close(fd);
}

static void a_silent_address_has_only_its_share_of_the_time(void **state)
{
    static const char *const rows[] = {SILENT, TAKES};
    int queued[4];
    test_port = 0;
    int fd = listen_at(TAKES, 16), silent = listen_at(SILENT, 0);
    fill_queue(queued);
    assert_true(dial(2, rows, 1000));
    assert_false(dial(1, rows, 200));
    for (int i = 0; i < 4; i++)
        close(queued[i]);
    close(silent);
    close(fd);
}

static void a_dropped_dial_says_nothing(void **state)
{
    static const char *const rows[] = {SILENT};
    int queued[4];
    test_port = 0;
    int silent = listen_at(SILENT, 0);
    fill_queue(queued);
    for (int turns = 0; turns < 20; turns += 10) { /* within the look-up, within the connection */
        world_t w;
        names(1, rows);
        open_world(&w);
        assert_int_equal(start(&w, 2000), RC_OK);
        for (int i = 0; i < turns; i++)
            uv_run(&w.loop, UV_RUN_ONCE);
        http_dial_drop(w.dial);
        w.dial = NULL;
        for (int i = 0; i < 10; i++)
            uv_run(&w.loop, UV_RUN_ONCE);
        assert_int_equal(w.done, 0);
        close_world(&w);
    }
    http_dial_drop(NULL);
    for (int i = 0; i < 4; i++)
        close(queued[i]);
    close(silent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_tried_in_turn),
        cmocka_unit_test(a_silent_address_has_only_its_share_of_the_time),
        cmocka_unit_test(a_dropped_dial_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
