/* What the application has done later: at the end of a turn of the loop, or by the clock. */
#include <stdlib.h>

#include "http/uv_worker.h"

/* What was deferred. Nothing that can queue work runs between the check phase and the next prepare
 * phase without one of the two coming before the loop sleeps. */

void http_worker_defer(http_worker_t *w, http_deferred_t *d)
{
    if (d->queued)
        return;
    d->queued = true;
    d->next = NULL;
    *w->deferred_end = d;
    w->deferred_end = &d->next;
}

void http_worker_run_deferred(http_worker_t *w)
{
    while (w->deferred) {
        http_deferred_t *d = w->deferred;
        w->deferred = d->next;
        if (!w->deferred)
            w->deferred_end = &w->deferred;
        d->queued = false;
        d->fn(d->arg);
    }
}

/* Timers. */

struct http_timer {
    uv_timer_t timer;
    http_worker_t *worker;
    http_timer_t *prev, *next;
    void (*fn)(void *arg);
    void *arg;
};

static void on_timer(uv_timer_t *timer)
{
    http_timer_t *t = timer->data;
    t->fn(t->arg);
}

http_timer_t *http_timer_start(http_worker_t *w, int64_t first_ms, int64_t repeat_ms,
                               void (*fn)(void *arg), void *arg)
{
    http_timer_t *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->worker = w;
    t->fn = fn;
    t->arg = arg;
    t->timer.data = t;
    if (uv_timer_init(&w->loop, &t->timer) != 0 ||
        uv_timer_start(&t->timer, on_timer, (uint64_t)first_ms, (uint64_t)repeat_ms) != 0) {
        free(t);
        return NULL;
    }
    t->next = w->timers;
    if (t->next)
        t->next->prev = t;
    w->timers = t;
    return t;
}

static void free_timer(uv_handle_t *handle)
{
    free(handle->data);
}

void http_timer_stop(http_timer_t *t)
{
    if (!t)
        return;
    *(t->prev ? &t->prev->next : &t->worker->timers) = t->next;
    if (t->next)
        t->next->prev = t->prev;
    uv_close((uv_handle_t *)&t->timer, free_timer);
}

void http_worker_close_timers(http_worker_t *w)
{
    while (w->timers)
        http_timer_stop(w->timers);
}
