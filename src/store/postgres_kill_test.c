/* The driver when its connections are killed under way, and when its server lets nobody in.
 * WARDER_POSTGRES_ROUNDS says how often they are killed. */
#include "store/postgres_test_util.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { KILLS = 20 };

/* Kills all connections of the store at once, again and again. */
typedef struct {
    pg_play_t *p;
    int rounds;
    atomic_bool done;
} killer_t;

static void *kill_again_and_again(void *arg)
{
    killer_t *k = arg;
    for (int i = 0; i < k->rounds; i++) {
        pg_pause_ms(40 + i % 7 * 20);
        pg_kill_connections(k->p);
    }
    atomic_store(&k->done, true);
    return NULL;
}

static int kills_wanted(void)
{
    const char *text = getenv("WARDER_POSTGRES_ROUNDS");
    int n = text ? atoi(text) : KILLS;
    return n > 0 ? n : KILLS;
}

/* What was said of a call is so. */
static void check_call(pg_play_t *p, const pg_call_t *c, int *unknown)
{
    const refresh_t *there = get_refresh(&p->play, c->name);
    const family_t *family = get_family(&p->play, c->family.id);
    /* Nobody else has these names: a conflict would be with itself. */
    assert_int_not_equal(c->result.rc, RC_CONFLICT);
    assert_int_equal(there != NULL, family != NULL);
    if (c->result.rc == RC_OK)
        assert_non_null(there);
    *unknown += c->result.rc != RC_OK;
    arena_reset(p->play.a);
}

static void killed_connections_lose_and_double_nothing(void **state)
{
    PLAY(p);
    enum { AT_ONCE = 32, MOST = 400000 };
    killer_t killer = {.p = p, .rounds = kills_wanted()};
    pg_call_t *calls = calloc(MOST, sizeof *calls);
    pthread_t thread;
    int n = 0, unknown = 0;
    assert_int_equal(pthread_create(&thread, NULL, kill_again_and_again, &killer), 0);
    while (!atomic_load(&killer.done) && n + AT_ONCE <= MOST) {
        for (int i = 0; i < AT_ONCE; i++)
            pg_issue(p->play.conn, &calls[n + i], n + i);
        for (int i = 0; i < AT_ONCE; i++)
            pg_await(&p->play, &calls[n + i]);
        n += AT_ONCE;
    }
    pthread_join(thread, NULL);
    pg_await_up(p, p->connections);
    for (int i = 0; i < n; i++)
        check_call(p, &calls[i], &unknown);
    pg_check_counts(p);
    store_health_t h = pg_health(p);
    print_message("%d kills, %d calls, %d of them failed; %d sent again, %d unsure\n",
                  killer.rounds, n, unknown, (int)h.retries, (int)h.unsure);
    assert_true(h.reconnects > 0);
    free(calls);
}

static void let_in(const pg_play_t *p, const char *whether)
{
    char sql[128];
    snprintf(sql, sizeof sql, "ALTER DATABASE %s ALLOW_CONNECTIONS %s", p->name, whether);
    pg_say(p->admin, sql);
}

static void without_a_server_calls_fail_at_once_until_it_is_back(void **state)
{
    PLAY(p);
    pg_call_t c;
    let_in(p, "false");
    pg_kill_connections(p);
    int64_t until = pg_now_ms() + 60000;
    while (pg_health(p).up && pg_now_ms() < until)
        pg_pause_ms(1);
    int64_t begin = pg_now_ms();
    pg_spend(p->play.conn, &c, 1);
    assert_true(c.result.done);
    assert_int_equal(c.result.rc, RC_IO);
    assert_true(pg_now_ms() - begin < 2000);
    pg_pause_ms(1500); /* so that its pauses have grown */
    let_in(p, "true");
    begin = pg_now_ms();
    while (!pg_health(p).up && pg_now_ms() < begin + 60000)
        pg_pause_ms(1);
    print_message("back after %d ms\n", (int)(pg_now_ms() - begin));
    assert_true(pg_now_ms() - begin < 10000);
    pg_spend(p->play.conn, &c, 2);
    pg_await(&p->play, &c);
    assert_int_equal(c.result.rc, RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SERVER(killed_connections_lose_and_double_nothing),
        ON_PROXY(killed_connections_lose_and_double_nothing),
        ON_SERVER(without_a_server_calls_fail_at_once_until_it_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
