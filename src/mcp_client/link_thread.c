#include "mcp_client/link_state.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

int64_t link_now(void)
{
    return clock_micros() / 1000;
}

/* ---- inboxes ---- */

/* What had come, taken out of an exchange. */
typedef struct {
    link_call_t *call; /* with a reference; NULL: nobody waits */
    bool head, paused, ended, failed;
    char *in;
    size_t n;
} inbox_t;

static link_exchange_t *next_ready(mcp_link_t *l)
{
    link_exchange_t *x = l->ready;
    if (!x)
        return NULL;
    l->ready = x->next_ready;
    x->queued = false;
    return x;
}

static inbox_t take(link_exchange_t *x)
{
    inbox_t b = {.call = x->call,
                 .head = x->has_head && !x->head_seen,
                 .paused = x->paused,
                 .ended = x->ended,
                 .failed = x->failed,
                 .in = x->in,
                 .n = x->in_n};
    x->in = NULL;
    x->in_n = x->in_cap = 0;
    x->paused = false;
    x->to_resume = b.paused && !x->started;
    x->head_seen = x->has_head;
    if (!b.call)
        return b;
    b.call->refs++;
    int64_t silence = x->link->config.answer_ms;
    if (b.call->due && silence > 0 && b.call->kind != LINK_STREAM)
        b.call->due = link_now() + silence;
    return b;
}

static bool is_waited_for(const link_exchange_t *x)
{
    link_lock(x->link);
    bool waited = x->call != NULL;
    link_unlock(x->link);
    return waited;
}

static void serve_call(link_exchange_t *x, const inbox_t *b)
{
    if (b->head && is_waited_for(x))
        link_on_head(x, b->call);
    if (b->n > 0 && is_waited_for(x))
        link_on_bytes(x, b->call, str_of(b->in, b->n));
    if (b->failed && is_waited_for(x))
        link_fail(b->call, &(mcp_link_failure_t){
                               .end = MCP_LINK_BROKEN,
                               .detail = STR("this machine has no memory for the answer")});
    if (b->ended && is_waited_for(x))
        link_on_end(x, b->call);
}

/* Lock held, given up in between. */
static void serve(link_exchange_t *x)
{
    mcp_link_t *l = x->link;
    inbox_t b = take(x);
    uint64_t http = b.paused && !b.ended && x->started ? x->http : 0;
    link_unlock(l);
    if (b.call)
        serve_call(x, &b);
    free(b.in);
    if (http)
        http_agent_resume(l->config.agent, http);
    link_lock(l);
    if (b.call)
        link_call_unref(b.call);
    if (b.ended)
        link_exchange_end(x);
}

/* ---- what workers tell ---- */

static bool serve_told(mcp_link_t *l)
{
    link_call_t *c = l->told;
    if (!c)
        return false;
    l->told = c->next_job;
    c->told = false;
    link_unlock(l);
    link_fail(c, &c->failure);
    link_lock(l);
    link_call_unref(c);
    return true;
}

/* ---- time ---- */

static bool is_due(const mcp_link_t *l, const link_call_t *c, int64_t now)
{
    if (c->state == LINK_HELD)
        return !l->gate;
    bool timed = c->state == LINK_OPEN || c->state == LINK_WAITING || c->state == LINK_POSTED;
    return timed && c->due && c->due <= now;
}

static void act(link_call_t *c)
{
    mcp_link_t *l = c->link;
    if (c->state != LINK_OPEN && c->state != LINK_POSTED) {
        link_begin(c);
        return;
    }
    c->refs++;
    link_unlock(l);
    link_fail(c, &(mcp_link_failure_t){.end = MCP_LINK_TIMEOUT,
                                       .detail = STR("the server was silent for too long")});
    link_lock(l);
    link_call_unref(c);
}

/* In the order in which they were sent: the list has the newest first. */
static link_call_t *next_due(const mcp_link_t *l, int64_t now)
{
    link_call_t *due = NULL;
    for (link_call_t *c = l->calls; c; c = c->next) {
        if (is_due(l, c, now))
            due = c;
    }
    return due;
}

static bool is_to_cut(const link_exchange_t *x, int64_t now)
{
    return !x->call && !x->unwanted && x->drain_due <= now;
}

static bool cut_one(mcp_link_t *l, int64_t now)
{
    link_exchange_t *x = l->exchanges;
    while (x && !is_to_cut(x, now))
        x = x->next;
    if (!x)
        return false;
    uint64_t http = link_cut(x);
    link_unlock(l);
    if (http)
        http_agent_cancel(l->config.agent, http);
    link_lock(l);
    return true;
}

static bool act_on_time(mcp_link_t *l)
{
    int64_t now = link_now();
    link_call_t *c = next_due(l, now);
    if (!c)
        return cut_one(l, now);
    act(c);
    return true;
}

static int64_t nearest(const mcp_link_t *l)
{
    int64_t at = INT64_MAX;
    for (const link_call_t *c = l->calls; c; c = c->next) {
        bool timed = c->state == LINK_OPEN || c->state == LINK_WAITING || c->state == LINK_POSTED;
        if (c->due && c->due < at && timed)
            at = c->due;
    }
    for (const link_exchange_t *x = l->exchanges; x; x = x->next) {
        if (!x->call && !x->unwanted && x->drain_due < at)
            at = x->drain_due;
    }
    return at;
}

static void wait_until(mcp_link_t *l, int64_t at)
{
    if (at == INT64_MAX) {
        pthread_cond_wait(&l->changed, &l->lock);
        return;
    }
    const struct timespec when = {at / 1000, at % 1000 * 1000000};
    pthread_cond_timedwait(&l->changed, &l->lock, &when);
}

bool link_start_thread(pthread_t *out, void *(*run)(void *), mcp_link_t *l)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(out, NULL, run, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0;
}

void *link_main(void *link)
{
    mcp_link_t *l = link;
    link_lock(l);
    while (!l->stopping || l->exchanges) {
        link_exchange_t *x = next_ready(l);
        if (x)
            serve(x);
        else if (!serve_told(l) && !act_on_time(l))
            wait_until(l, nearest(l));
    }
    link_unlock(l);
    return NULL;
}
