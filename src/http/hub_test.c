#include "http/http_test_wire.h"

static const http_app_t APP = {0};
static http_hub_t hub;
static clock_fake_t clock_state;
static random_fake_t random_state;

static int begin(void **state)
{
    memset(&hub, 0, sizeof hub);
    memset(&random_state, 0, sizeof random_state);
    clock_state.ms = 784111777500;
    hub.apps[hub.app_count++].app = &APP;
    hub.clock = clock_fake(&clock_state);
    hub.random = random_fake(&random_state);
    return 0;
}

static int end(void **state)
{
    http_hub_close(&hub);
    return 0;
}

static void the_date_is_that_of_its_second(void **state)
{
    assert_text(http_hub_date(&hub), "Sun, 06 Nov 1994 08:49:37 GMT");
    clock_state.ms += 499;
    assert_text(http_hub_date(&hub), "Sun, 06 Nov 1994 08:49:37 GMT");
    clock_state.ms += 1;
    assert_text(http_hub_date(&hub), "Sun, 06 Nov 1994 08:49:38 GMT");
    clock_state.ms += 86400000;
    assert_text(http_hub_date(&hub), "Mon, 07 Nov 1994 08:49:38 GMT");
}

/* All ids of two fillings of the pool differ. */
static void ids_are_never_the_same(void **state)
{
    enum { N = 2 * HTTP_HUB_IDS / (HTTP_ID_TEXT / 2) };
    static char ids[N][HTTP_ID_TEXT];
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(http_hub_id(&hub, ids[i]), RC_OK);
        for (size_t k = 0; k < HTTP_ID_TEXT; k++)
            assert_non_null(memchr("0123456789abcdef", ids[i][k], 16));
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(ids[k], ids[i], HTTP_ID_TEXT);
    }
}

static rc_t no_random(void *ctx, void *p, size_t n)
{
    return RC_IO;
}

static void without_randomness_there_is_no_id(void **state)
{
    char id[HTTP_ID_TEXT];
    hub.random.fill = no_random;
    assert_int_equal(http_hub_id(&hub, id), RC_IO);
}

static void arenas_come_back_empty(void **state)
{
    arena_t *many[HTTP_HUB_ARENAS + 2];
    for (size_t i = 0; i < HTTP_HUB_ARENAS + 2; i++) {
        many[i] = http_hub_arena(&hub);
        assert_non_null(many[i]);
        assert_int_equal(arena_used(many[i]), 0);
        assert_non_null(arena_alloc(many[i], 100));
    }
    for (size_t i = 0; i < HTTP_HUB_ARENAS + 2; i++)
        http_hub_give_arena(&hub, many[i]);
    http_hub_give_arena(&hub, NULL);
    assert_int_equal(hub.arena_count, HTTP_HUB_ARENAS);
    arena_t *again = http_hub_arena(&hub);
    assert_int_equal(arena_used(again), 0);
    http_hub_give_arena(&hub, again);
}

static void blocks_are_used_again_up_to_a_bound(void **state)
{
    http_block_t *many[HTTP_HUB_BLOCKS + 2];
    for (size_t i = 0; i < HTTP_HUB_BLOCKS + 2; i++)
        many[i] = http_hub_block(&hub);
    for (size_t i = 0; i < HTTP_HUB_BLOCKS + 2; i++)
        http_hub_give_block(&hub, many[i]);
    http_hub_give_block(&hub, NULL);
    assert_int_equal(hub.block_count, HTTP_HUB_BLOCKS);
    http_block_t *again = http_hub_block(&hub);
    assert_int_equal(hub.block_count, HTTP_HUB_BLOCKS - 1);
    http_hub_give_block(&hub, again);
}

/* A hook that answers another exchange during a walk must not break the walk. */
static http_exchange_t *held[3];
static size_t held_n;

static void answer_all(void *ctx, http_exchange_t *x)
{
    for (size_t i = 0; i < 3; i++)
        http_reply(held[i], 200, HTTP_NO_HEADERS, STR(""));
}

static void hold(http_exchange_t *x)
{
    held[held_n++] = x;
    if (held_n == 2)
        http_exchange_on_gone(x, answer_all, NULL);
}

static const http_route_t ROUTES[] = {{STR_INIT("/"), HTTP_M(GET), hold}};
static const http_app_t HOLDING = {.routes = {ROUTES, 1}};

static http_send_t take_all(http_wire_t *w, const struct iovec *v, unsigned n)
{
    return HTTP_SENT;
}

static void ignore(http_wire_t *w)
{
}

static const http_wire_ops_t QUIET = {take_all, NULL, ignore, ignore, ignore};

static void a_hook_may_end_other_exchanges_during_a_walk(void **state)
{
    http_wire_t wires[3] = {{&QUIET}, {&QUIET}, {&QUIET}};
    str_t request = STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    hub.apps[hub.app_count++].app = &HOLDING;
    held_n = 0;
    for (size_t i = 0; i < 3; i++) {
        http_conn_t *c = http_conn_open(&hub, &wires[i], (http_addr_t){0}, false);
        size_t room;
        memcpy(c->sink.ops->space(&c->sink, &room), request.p, request.n);
        c->sink.ops->filled(&c->sink, request.n);
    }
    assert_int_equal(held_n, 3);
    assert_int_equal(hub.conn_count, 3);
    http_hub_cut(&hub);
    assert_int_equal(hub.conn_count, 0);
    assert_null(hub.conns);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_date_is_that_of_its_second),
        TEST(ids_are_never_the_same),
        TEST(without_randomness_there_is_no_id),
        TEST(arenas_come_back_empty),
        TEST(blocks_are_used_again_up_to_a_bound),
        TEST(a_hook_may_end_other_exchanges_during_a_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
