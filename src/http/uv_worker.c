#include "http/uv_worker.h"

#include <signal.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* After the cut, how long exchanges may wait for work that is under way elsewhere. */
enum { LAST_WAIT_MS = 5000 };

static rc_t worker_post(void *ctx, void (*fn)(void *arg), void *arg)
{
    http_worker_t *w = ctx;
    rc_t rc = RC_OK;
    pthread_mutex_lock(&w->lock);
    if (w->closed)
        rc = RC_IO;
    else if (w->post_count == LIMIT_HTTP_POSTS)
        rc = RC_BUSY;
    else
        w->posts[(w->post_first + w->post_count++) % LIMIT_HTTP_POSTS] = (http_post_t){fn, arg};
    /* Under the lock: the handle must not close between the look and the call. */
    if (rc == RC_OK && w->post_count == 1)
        uv_async_send(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return rc;
}

post_port_t http_worker_post(http_worker_t *w)
{
    return (post_port_t){worker_post, w};
}

counter_block_t *http_worker_counters(const http_worker_t *w)
{
    return w ? w->hub.counters : NULL;
}

bool http_worker_is_handed_over(const http_worker_t *w)
{
    return atomic_load(&w->server->handed_over);
}

unsigned http_worker_index(const http_worker_t *w)
{
    return w->index;
}

int64_t http_worker_now_ms(const http_worker_t *w)
{
    return (int64_t)uv_now(&w->loop);
}

static bool take_post(http_worker_t *w, http_post_t *out)
{
    pthread_mutex_lock(&w->lock);
    bool some = w->post_count > 0;
    if (some) {
        *out = w->posts[w->post_first];
        w->post_first = (w->post_first + 1) % LIMIT_HTTP_POSTS;
        w->post_count--;
    }
    pthread_mutex_unlock(&w->lock);
    return some;
}

static void run_posts(http_worker_t *w)
{
    http_post_t post;
    while (take_post(w, &post))
        post.fn(post.arg);
}

static int64_t now_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

/* The loop's own time stands still from when it has seen what came in until it looks again. */
static int64_t busy_ms(http_worker_t *w)
{
    http_turn_work(&w->turn, (int64_t)uv_now(&w->loop));
    return http_turn_busy(&w->turn, now_ms());
}

/* As long as requests wait the loop does not sleep: that is what an idle handle is there for. */
static void on_awake(uv_idle_t *handle)
{
    (void)handle;
}

static void serve_waiting(http_worker_t *w)
{
    if (http_link_none(&w->hub.waiting))
        return;
    http_turn_work(&w->turn, now_ms());
    if (http_hub_serve(&w->hub))
        uv_idle_start(&w->awake, on_awake);
    else
        uv_idle_stop(&w->awake);
    http_turn_end(&w->turn);
}

static void on_before_sleep(uv_prepare_t *handle)
{
    http_worker_t *w = handle->data;
    http_worker_run_deferred(w);
    http_turn_end(&w->turn);
    serve_waiting(w);
    http_worker_run_deferred(w);
}

static void on_after_poll(uv_check_t *handle)
{
    http_worker_run_deferred(handle->data);
}

/* Draining: close the door, let the guests finish, then put them out. */

static void begin_drain(http_worker_t *w)
{
    const http_server_config_t *config = &w->server->config;
    bool handed_over = atomic_load(&w->server->handed_over);
    w->drain_until_ms = http_worker_now_ms(w) + config->times.drain_ms;
    http_hub_drain(&w->hub, handed_over ? config->times.drain_ms / 4 * 3 : config->times.grace_ms);
    if (!handed_over)
        http_socket_accept_rest(w);
    uv_close((uv_handle_t *)&w->listener, NULL);
    for (size_t i = 0; i < w->initialized; i++) {
        const http_mount_t *m = &w->server->mounts[i];
        if (m->worker_drain)
            m->worker_drain(m->app->ctx, w->hub.apps[i].worker);
    }
}

static void begin_cut(http_worker_t *w)
{
    w->cut = true;
    w->drain_until_ms = http_worker_now_ms(w) + LAST_WAIT_MS;
    http_hub_cut(&w->hub);
    http_socket_cut_all(w);
}

static void close_phases(http_worker_t *w)
{
    uv_close((uv_handle_t *)&w->tick, NULL);
    uv_close((uv_handle_t *)&w->before_sleep, NULL);
    uv_close((uv_handle_t *)&w->awake, NULL);
    uv_close((uv_handle_t *)&w->after_poll, NULL);
}

static void end_loop(http_worker_t *w)
{
    if (uv_is_closing((uv_handle_t *)&w->tick))
        return;
    http_outbound_end_all(w);
    http_worker_close_timers(w);
    close_phases(w);
    pthread_mutex_lock(&w->lock);
    w->closed = true;
    uv_close((uv_handle_t *)&w->wake, NULL);
    pthread_mutex_unlock(&w->lock);
    uv_stop(&w->loop);
}

static void look_at_stop(http_worker_t *w)
{
    int stop = atomic_load(&w->stop);
    if (stop && w->drain_until_ms == 0)
        begin_drain(w);
    if (w->drain_until_ms == 0)
        return;
    bool late = http_worker_now_ms(w) >= w->drain_until_ms;
    if (!w->cut && (stop == 2 || late))
        begin_cut(w);
    else if (w->cut && late && w->hub.conn_count)
        end_loop(w);
    if (w->hub.conn_count == 0 && w->socket_count == 0)
        end_loop(w);
}

static void on_wake(uv_async_t *wake)
{
    http_worker_t *w = wake->data;
    http_turn_work(&w->turn, (int64_t)uv_now(&w->loop));
    run_posts(w);
    look_at_stop(w);
}

static void on_tick(uv_timer_t *tick)
{
    http_worker_t *w = tick->data;
    http_hub_tick(&w->hub);
    http_socket_tick(w);
    http_outbound_tick(w);
    look_at_stop(w);
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (status == 0)
        http_socket_accept(listener->data);
    else
        http_socket_shed(listener->data);
}

void http_worker_stop(http_worker_t *w, int how)
{
    pthread_mutex_lock(&w->lock);
    if (atomic_load(&w->stop) < how)
        atomic_store(&w->stop, how);
    if (!w->closed)
        uv_async_send(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

static void fill_hub(http_worker_t *w)
{
    const http_server_config_t *config = &w->server->config;
    for (size_t i = 0; i < w->server->mount_count; i++)
        w->hub.apps[i].app = w->server->mounts[i].app;
    w->hub.app_count = w->server->mount_count;
    w->hub.loop = w;
    w->hub.busy_ms = busy_ms;
    http_link_init(&w->hub.waiting);
    w->hub.times = config->times;
    w->hub.proxies = config->proxies;
    w->hub.clock = config->clock;
    w->hub.random = config->random;
    w->hub.log = config->log;
    w->hub.counters = counters_join(config->counters);
}

static void close_loop(http_worker_t *w)
{
    uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_loop_close(&w->loop);
}

static rc_t open_handles(http_worker_t *w)
{
    if (uv_loop_init(&w->loop) != 0)
        return RC_IO;
    w->wake.data = w->tick.data = w->listener.data = w;
    w->before_sleep.data = w->after_poll.data = w;
    if (uv_async_init(&w->loop, &w->wake, on_wake) != 0) {
        uv_loop_close(&w->loop);
        return RC_IO;
    }
    /* These cannot fail on Linux: they only fill in the handle. */
    uv_timer_init(&w->loop, &w->tick);
    uv_prepare_init(&w->loop, &w->before_sleep);
    uv_check_init(&w->loop, &w->after_poll);
    uv_idle_init(&w->loop, &w->awake);
    uv_tcp_init(&w->loop, &w->listener);
    return RC_OK;
}

rc_t http_worker_open(http_worker_t *w, http_server_t *s, unsigned index)
{
    uint8_t seed[16];
    w->server = s;
    w->index = index;
    w->spare = -1;
    w->deferred_end = &w->deferred;
    fill_hub(w);
    TRY(s->config.random.fill(s->config.random.ctx, seed, sizeof seed));
    w->posts = calloc(LIMIT_HTTP_POSTS, sizeof *w->posts);
    w->addresses = map_new(seed, s->config.max_connections + 1);
    if (!w->posts || !w->addresses || open_handles(w) != RC_OK) {
        free(w->posts);
        map_free(w->addresses, NULL);
        w->posts = NULL;
        return RC_MEMORY;
    }
    pthread_mutex_init(&w->lock, NULL);
    return RC_OK;
}

void http_worker_close(http_worker_t *w)
{
    if (!w->posts)
        return;
    if (!w->closed) { /* never ran */
        w->closed = true;
        uv_close((uv_handle_t *)&w->listener, NULL);
        close_phases(w);
        uv_close((uv_handle_t *)&w->wake, NULL);
        close_loop(w);
    }
    pthread_mutex_destroy(&w->lock);
    if (w->spare >= 0)
        close(w->spare);
    map_free(w->addresses, NULL);
    free(w->posts);
    w->posts = NULL;
}

static rc_t init_apps(http_worker_t *w)
{
    for (size_t i = 0; i < w->hub.app_count; i++) {
        const http_mount_t *m = &w->server->mounts[i];
        if (m->worker_init)
            TRY(m->worker_init(m->app->ctx, w, &w->hub.apps[i].worker));
        w->initialized++;
    }
    return RC_OK;
}

static void exit_apps(http_worker_t *w)
{
    while (w->initialized) {
        size_t i = --w->initialized;
        const http_mount_t *m = &w->server->mounts[i];
        if (m->worker_exit)
            m->worker_exit(m->app->ctx, w->hub.apps[i].worker);
    }
}

static rc_t begin(http_worker_t *w)
{
    http_server_t *s = w->server;
    if (uv_tcp_open(&w->listener, s->listeners[w->index]) != 0)
        return RC_IO;
    s->listeners[w->index] = -1;
    TRY(init_apps(w));
    w->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    uv_prepare_start(&w->before_sleep, on_before_sleep);
    uv_check_start(&w->after_poll, on_after_poll);
    uv_timer_start(&w->tick, on_tick, HTTP_TICK_MS, HTTP_TICK_MS);
    if (uv_listen((uv_stream_t *)&w->listener, SOMAXCONN, on_connection) != 0)
        return RC_IO;
    return RC_OK;
}

/* Tells the starter how it went. */
static void report(http_server_t *s, rc_t rc)
{
    pthread_mutex_lock(&s->lock);
    s->ready++;
    if (rc != RC_OK && s->init_rc == RC_OK)
        s->init_rc = rc;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void end(http_worker_t *w)
{
    http_server_t *s = w->server;
    close_loop(w);
    run_posts(w);
    http_worker_run_deferred(w);
    if (w->hub.conn_count)
        LOG(s->config.log, LOG_ERROR, "exchanges were never answered",
            LOG_I("count", (int64_t)w->hub.conn_count));
    exit_apps(w);
    http_hub_close(&w->hub);
    pthread_mutex_lock(&s->lock);
    s->ended++;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

void *http_worker_main(void *arg)
{
    http_worker_t *w = arg;
    rc_t rc = begin(w);
    if (rc != RC_OK)
        atomic_store(&w->stop, 2);
    report(w->server, rc);
    if (rc != RC_OK)
        look_at_stop(w);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    end(w);
    return NULL;
}
