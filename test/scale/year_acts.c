/* How acts go on: each transaction when the one before is answered. */
#include "year.h"

#include <stdio.h>
#include <stdlib.h>

int64_t year_now(const year_t *y)
{
    return y->clock.ms / 1000;
}

/* SplitMix64 over three numbers. */
uint64_t year_mix(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t z = a * 0x9e3779b97f4a7c15u + b * 0xc2b2ae3d27d4eb4fu + c * 0x165667b19e3779f9u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void year_complain(year_t *y, const char *what, uint32_t who, int got, int want)
{
    if (y->wrong++ < 20)
        fprintf(stderr, "hour %lld: %s of %u: %d instead of %d\n",
                (long long)((year_now(y) - YEAR_START) / HOUR_S), what, who, got, want);
}

/* ---- the loop ---- */

static rc_t post(void *ctx, void (*fn)(void *), void *arg)
{
    enum { CAP = sizeof((year_loop_t *)0)->queue / sizeof((year_loop_t *)0)->queue[0] };
    year_loop_t *l = ctx;
    pthread_mutex_lock(&l->lock);
    bool fits = l->n < CAP;
    if (fits) {
        size_t at = (l->first + l->n++) % CAP;
        l->queue[at].fn = fn;
        l->queue[at].arg = arg;
        pthread_cond_signal(&l->filled);
    }
    pthread_mutex_unlock(&l->lock);
    return fits ? RC_OK : RC_BUSY;
}

post_port_t year_port(year_t *y)
{
    return (post_port_t){post, &y->loop};
}

static void step(year_loop_t *l)
{
    pthread_mutex_lock(&l->lock);
    while (l->n == 0)
        pthread_cond_wait(&l->filled, &l->lock);
    void (*fn)(void *) = l->queue[l->first].fn;
    void *arg = l->queue[l->first].arg;
    l->first = (l->first + 1) % (sizeof l->queue / sizeof l->queue[0]);
    l->n--;
    pthread_mutex_unlock(&l->lock);
    fn(arg);
}

/* ---- calls that block ---- */

typedef struct {
    bool done;
    rc_t rc;
    size_t n;
} answer_t;

static void answered(void *ctx, rc_t rc, size_t n)
{
    *(answer_t *)ctx = (answer_t){true, rc, n};
}

static rc_t wait_for(year_t *y, answer_t *answer)
{
    while (!answer->done)
        step(&y->loop);
    return answer->rc;
}

rc_t year_apply(year_t *y, const effects_t *effects)
{
    answer_t answer = {0};
    store_apply(y->conn, effects, answered, &answer);
    return wait_for(y, &answer);
}

rc_t year_expire(year_t *y, uint32_t limit, size_t *deleted)
{
    answer_t answer = {0};
    store_expire_t expire = {.now = year_now(y), .limit = limit};
    store_expire(y->conn, &expire, answered, &answer);
    rc_t rc = wait_for(y, &answer);
    *deleted = answer.n;
    return rc;
}

rc_t year_forget(year_t *y, uint32_t limit, size_t *forgotten, size_t *looked)
{
    answer_t answer = {0};
    store_forget_t what = {.now = year_now(y),
                           .before = year_now(y) - UNUSED_S - DAY_S,
                           .limit = limit,
                           .a = arena_new(8 << 20)};
    store_forget(y->conn, &what, answered, &answer);
    rc_t rc = wait_for(y, &answer);
    *forgotten = what.n;
    *looked = answer.n;
    arena_free(what.a);
    return rc;
}

rc_t year_ask(year_t *y, ask_t *ask)
{
    answer_t answer = {0};
    store_ask(y->conn, y->a, ask, 1, answered, &answer);
    return wait_for(y, &answer);
}

/* ---- acts ---- */

static void go_on(act_t *act);

static void end(act_t *act)
{
    year_t *y = act->y;
    y->free[--y->n_open] = act;
}

/* The same person's client asks for new tokens, in a flow of its own. */
static void refresh_next(act_t *act)
{
    act->refreshes--;
    act->serial = ++act->person->acts;
    act->flow = FLOW_REFRESH;
    act->job = 0;
    act->jobs = 1;
    go_on(act);
}

static void done(void *ctx, rc_t rc, size_t failed)
{
    act_t *act = ctx;
    (void)failed;
    act->y->jobs++;
    rc_t want = act->job == act->jobs ? act->want : RC_OK;
    if (rc != want)
        year_complain(act->y, "the answer to flow", (uint32_t)act->flow, (int)rc, (int)want);
    if (rc == RC_OK)
        year_note(act);
    if (act->job < act->jobs)
        go_on(act);
    else if (act->refreshes > 0 && rc == RC_OK)
        refresh_next(act);
    else
        end(act);
}

static void go_on(act_t *act)
{
    act->effects.n = 0;
    act->n_texts = 0;
    year_fill(act);
    act->job++;
    store_apply(act->y->conn, &act->effects, done, act);
}

act_t *year_act(year_t *y, person_t *person, uint32_t who, flow_id_t flow)
{
    while (y->n_open == ACTS_MAX)
        step(&y->loop);
    act_t *act = y->free[y->n_open];
    act->y = y;
    act->person = person;
    act->who = who;
    act->serial = person ? ++person->acts : ++y->machine_acts;
    act->flow = flow;
    act->job = 0;
    act->jobs = year_jobs(flow);
    act->refreshes = 0;
    act->want = RC_OK;
    return act;
}

void year_begin(act_t *act)
{
    act->y->n_open++; /* it was the first of the free ones */
    go_on(act);
}

void year_settle(year_t *y)
{
    while (y->n_open > 0)
        step(&y->loop);
}
