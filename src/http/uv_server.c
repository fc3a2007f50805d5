#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/tls_filter.h"
#include "http/uv_worker.h"

/* How often the main thread looks whether the workers have ended while it waits for a signal. */
enum { LOOK_MS = 50, RELOAD_GAP_MS = 50 };

typedef struct {
    struct sockaddr_storage name;
    socklen_t n;
} name_t;

http_server_config_t http_server_defaults(void)
{
    return (http_server_config_t){
        .host = STR("127.0.0.1"),
        .workers = 1,
        .max_connections = 8192,
        .max_per_address = 1024,
        .times = {.header_ms = 10000,
                  .body_ms = 30000,
                  .idle_ms = 60000,
                  .write_ms = 30000,
                  .drain_ms = 10000,
                  .grace_ms = 100},
        .clock = clock_system(),
        .random = random_system(),
    };
}

static int64_t or_default(int64_t value, int64_t standard)
{
    return value > 0 ? value : standard;
}

static void fill_defaults(http_server_config_t *c)
{
    http_server_config_t d = http_server_defaults();
    c->times.header_ms = or_default(c->times.header_ms, d.times.header_ms);
    c->times.body_ms = or_default(c->times.body_ms, d.times.body_ms);
    c->times.idle_ms = or_default(c->times.idle_ms, d.times.idle_ms);
    c->times.write_ms = or_default(c->times.write_ms, d.times.write_ms);
    c->times.drain_ms = or_default(c->times.drain_ms, d.times.drain_ms);
    c->times.grace_ms = or_default(c->times.grace_ms, d.times.grace_ms);
    c->workers = c->workers ? c->workers : d.workers;
    c->max_connections = c->max_connections ? c->max_connections : d.max_connections;
    c->max_per_address = c->max_per_address ? c->max_per_address : d.max_per_address;
}

/* Clients get three quarters of the descriptors; the rest is for files, upstreams and a goodbye. */
static void fit_to_descriptors(http_server_config_t *c)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return;
    unsigned long most = limit.rlim_cur / 4 * 3 / c->workers;
    if (most >= c->max_connections)
        return;
    LOG(c->log, LOG_WARN, "the limit of open files allows fewer connections than configured",
        LOG_I("connections", (int64_t)most * c->workers));
    c->max_connections = most ? (unsigned)most : 1;
}

static name_t socket_name(const http_addr_t *a, uint16_t port)
{
    name_t out = {0};
    void *p = &out.name;
    if (a->family == 4) {
        struct sockaddr_in *in = p;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, a->bytes, 4);
        out.n = sizeof *in;
        return out;
    }
    struct sockaddr_in6 *in6 = p;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, a->bytes, 16);
    out.n = sizeof *in6;
    return out;
}

static void set(int fd, int level, int option)
{
    int on = 1;
    (void)setsockopt(fd, level, option, &on, sizeof on);
}

/* A bound socket, or -1 with errno. */
static int bind_one(const http_addr_t *a, uint16_t port, bool shared)
{
    name_t name = socket_name(a, port);
    int fd = socket(name.name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    set(fd, SOL_SOCKET, SO_REUSEADDR);
    set(fd, IPPROTO_TCP, TCP_NODELAY); /* accepted sockets inherit it */
    if (shared)
        set(fd, SOL_SOCKET, SO_REUSEPORT);
    if (bind(fd, (struct sockaddr *)&name.name, name.n) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static uint16_t bound_port(int fd)
{
    name_t name = {.n = sizeof name.name};
    const void *p = &name.name;
    if (getsockname(fd, (struct sockaddr *)&name.name, &name.n) != 0)
        return 0;
    bool four = name.name.ss_family == AF_INET;
    return ntohs(four ? ((const struct sockaddr_in *)p)->sin_port
                      : ((const struct sockaddr_in6 *)p)->sin6_port);
}

/* SO_REUSEPORT would let a second server of the same user share the port unseen: a bind without it
 * first says whether anybody is there. */
static bool is_taken(const http_addr_t *a, uint16_t port)
{
    int fd = port ? bind_one(a, port, false) : -1;
    if (fd >= 0)
        close(fd);
    return port && fd < 0 && errno == EADDRINUSE;
}

static bool listens_at(int fd, const http_addr_t *a, uint16_t port)
{
    name_t has = {.n = sizeof has.name};
    int listening = 0;
    socklen_t n = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) != 0 || !listening ||
        getsockname(fd, (struct sockaddr *)&has.name, &has.n) != 0)
        return false;
    name_t wanted = socket_name(a, port ? port : bound_port(fd));
    return has.n == wanted.n && memcmp(&has.name, &wanted.name, has.n) == 0;
}

/* Each worker has a descriptor of its own, of which it is told apart from the others'. */
static rc_t inherit_all(http_server_t *s, const http_addr_t *a, str_t *why)
{
    const http_server_config_t *c = &s->config;
    *why = STR("the socket that was given does not listen at that address");
    for (size_t i = 0; i < c->socket_count; i++)
        if (!listens_at(c->sockets[i], a, c->port))
            return RC_CONFIG;
    *why = STR("there are more sockets than workers: what waits at one of them would never be "
               "taken; set as many workers as the running server has");
    if (c->socket_count > s->count)
        return RC_CONFIG;
    *why = STR("out of file descriptors");
    for (unsigned i = 0; i < s->count; i++) {
        int fd = fcntl(c->sockets[i % c->socket_count], F_DUPFD_CLOEXEC, 0);
        if (fd < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
            return RC_IO;
        set(fd, IPPROTO_TCP, TCP_NODELAY);
        s->sockets[i] = s->listeners[i] = fd;
        s->port = bound_port(fd);
    }
    return RC_OK;
}

static rc_t bind_all(http_server_t *s, const http_addr_t *a, str_t *why)
{
    if (s->config.socket_count)
        return inherit_all(s, a, why);
    s->port = s->config.port;
    if (is_taken(a, s->port)) {
        *why = STR("the address is in use; stop the other server or choose another port");
        return RC_IO;
    }
    for (unsigned i = 0; i < s->count; i++) {
        s->listeners[i] = bind_one(a, s->port, true);
        if (s->listeners[i] < 0) {
            *why = STR("cannot listen on the address; is it one of this machine, and may this "
                       "user take the port?");
            return RC_IO;
        }
        s->sockets[i] = s->listeners[i];
        s->port = bound_port(s->listeners[i]);
    }
    return RC_OK;
}

static rc_t open_workers(http_server_t *s, str_t *why)
{
    for (unsigned i = 0; i < s->count; i++) {
        *why = STR("out of memory or file descriptors");
        TRY(http_worker_open(&s->workers[i], s, i));
    }
    return RC_OK;
}

/* The applications, whichever way they are given. False: none, or too many. */
static bool take_mounts(http_server_t *s)
{
    const http_server_config_t *c = &s->config;
    if (c->mount_count > HTTP_MOUNTS_MAX || !(c->mount_count || c->app))
        return false;
    s->mount_count = c->mount_count ? c->mount_count : 1;
    s->mounts[0] = (http_mount_t){c->app, c->worker_init, c->worker_drain, c->worker_exit};
    for (size_t i = 0; i < c->mount_count; i++)
        s->mounts[i] = c->mounts[i];
    return true;
}

static rc_t check_routes(const http_server_t *s, str_t *why)
{
    for (size_t i = 0; i < s->mount_count; i++)
        TRY(http_router_check(&s->mounts[i].app->routes, why));
    return RC_OK;
}

static http_server_t *alloc_server(const http_server_config_t *config)
{
    http_server_t *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->config = *config;
    fill_defaults(&s->config);
    fit_to_descriptors(&s->config);
    s->count = s->config.workers;
    atomic_init(&s->handed_over, config->shared);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->tls_lock, NULL);
    http_server_set_tls(s, config->tls);
    pthread_cond_init(&s->changed, NULL);
    s->workers = calloc(s->count, sizeof *s->workers);
    s->listeners = calloc(s->count, sizeof *s->listeners);
    s->sockets = calloc(s->count, sizeof *s->sockets);
    if (s->listeners)
        memset(s->listeners, 0xff, s->count * sizeof *s->listeners);
    if (s->workers && s->listeners && s->sockets)
        return s;
    http_server_free(s);
    return NULL;
}

static rc_t open_server(http_server_t *s, const http_addr_t *address, str_t *why)
{
    *why = STR("a server needs one to four applications");
    if (!take_mounts(s))
        return RC_CONFIG;
    TRY(check_routes(s, why));
    TRY(bind_all(s, address, why));
    return open_workers(s, why);
}

rc_t http_server_new(const http_server_config_t *config, http_server_t **out, str_t *why)
{
    http_addr_t address;
    *out = NULL;
    if (http_addr_parse(config->host, &address) != RC_OK) {
        *why = STR("the address to listen on is not an IPv4 or IPv6 address");
        return RC_CONFIG;
    }
    http_server_t *s = alloc_server(config);
    if (!s) {
        *why = STR("out of memory");
        return RC_MEMORY;
    }
    rc_t rc = open_server(s, &address, why);
    if (rc != RC_OK) {
        http_server_free(s);
        return rc;
    }
    *out = s;
    return RC_OK;
}

http_tls_t *http_server_tls(http_server_t *s)
{
    pthread_mutex_lock(&s->tls_lock);
    http_tls_t *tls = s->tls;
    if (tls)
        http_tls_hold(tls);
    pthread_mutex_unlock(&s->tls_lock);
    return tls;
}

void http_server_set_tls(http_server_t *s, http_tls_t *tls)
{
    if (tls)
        http_tls_hold(tls);
    pthread_mutex_lock(&s->tls_lock);
    http_tls_t *before = s->tls;
    s->tls = tls;
    pthread_mutex_unlock(&s->tls_lock);
    http_tls_free(before);
}

size_t http_server_sockets(const http_server_t *s, int *out, size_t max)
{
    for (size_t i = 0; i < s->count && i < max; i++)
        out[i] = s->sockets[i];
    return s->count;
}

uint16_t http_server_port(const http_server_t *s)
{
    return s->port;
}

static void stop_all(http_server_t *s, int how)
{
    for (unsigned i = 0; i < s->count; i++)
        http_worker_stop(&s->workers[i], how);
}

rc_t http_server_start(http_server_t *s)
{
    unsigned running = 0;
    signal(SIGPIPE, SIG_IGN);
    while (running < s->count && pthread_create(&s->workers[running].thread, NULL, http_worker_main,
                                                &s->workers[running]) == 0)
        running++;
    pthread_mutex_lock(&s->lock);
    while (s->ready < running)
        pthread_cond_wait(&s->changed, &s->lock);
    rc_t rc = running < s->count ? RC_MEMORY : s->init_rc;
    pthread_mutex_unlock(&s->lock);
    s->started = rc == RC_OK;
    if (rc == RC_OK)
        return RC_OK;
    stop_all(s, 2);
    for (unsigned i = 0; i < running; i++)
        pthread_join(s->workers[i].thread, NULL);
    return rc;
}

void http_server_stop(http_server_t *s)
{
    stop_all(s, 1);
}

void http_server_hand_over(http_server_t *s)
{
    atomic_store(&s->handed_over, true);
    stop_all(s, 1);
}

void http_server_keep(http_server_t *s)
{
    atomic_store(&s->handed_over, false);
}

void http_server_join(http_server_t *s)
{
    if (!s->started)
        return;
    for (unsigned i = 0; i < s->count; i++)
        pthread_join(s->workers[i].thread, NULL);
    s->started = false;
}

static bool has_ended(http_server_t *s)
{
    pthread_mutex_lock(&s->lock);
    bool ended = s->ended == s->count;
    pthread_mutex_unlock(&s->lock);
    return ended;
}

/* What the main thread knows while the workers run. */
typedef struct {
    http_server_t *server;
    sigset_t all, ends;
    bool draining;
    bool reload_due;
    int64_t reload_at_ms; /* not before that: a storm of signals must leave time for the rest */
} watch_t;

/* The system hands out the lowest number first: SIGHUP in a storm would hide what is to end us. */
static int next_signal(const watch_t *w)
{
    static const struct timespec NOW = {0, 0}, LOOK = {0, LOOK_MS * 1000000L};
    int sig = sigtimedwait(&w->ends, NULL, &NOW);
    return sig > 0 ? sig : sigtimedwait(&w->all, NULL, &LOOK);
}

/* SIGTERM as often as it likes to come: whoever stops services sends it again, and answers that are
 * under way are not to be cut for that; the drain has a deadline anyway. A person who presses
 * Ctrl-C a second time means it. */
static void end(watch_t *w, int sig)
{
    http_server_t *s = w->server;
    if (w->draining && sig != SIGINT)
        return;
    LOG(s->config.log, LOG_INFO, "stopping", LOG_S("how", w->draining ? STR("cut") : STR("drain")));
    stop_all(s, w->draining ? 2 : 1);
    w->draining = true;
}

static void reload_if_due(watch_t *w)
{
    const http_server_config_t *c = &w->server->config;
    int64_t now = c->clock.mono_ms(c->clock.ctx);
    if (!w->reload_due || w->draining || now < w->reload_at_ms)
        return;
    w->reload_due = false;
    c->reload(c->ready_ctx);
    w->reload_at_ms = c->clock.mono_ms(c->clock.ctx) + RELOAD_GAP_MS;
}

/* Somebody else serves from now on. */
static void look(watch_t *w)
{
    http_server_t *s = w->server;
    if (w->draining || !s->config.look || !s->config.look(s->config.ready_ctx))
        return;
    LOG(s->config.log, LOG_INFO, "stopping", LOG_S("how", STR("handed over")));
    http_server_hand_over(s);
    w->draining = true;
}

static void watch(watch_t *w)
{
    while (!has_ended(w->server)) {
        int sig = next_signal(w);
        if (sig == SIGHUP)
            w->reload_due = true;
        else if (sig > 0)
            end(w, sig);
        reload_if_due(w);
        look(w);
    }
}

rc_t http_server_run(http_server_t *s)
{
    watch_t w = {.server = s};
    sigset_t before;
    sigemptyset(&w.ends);
    sigaddset(&w.ends, SIGTERM);
    sigaddset(&w.ends, SIGINT);
    w.all = w.ends;
    if (s->config.reload)
        sigaddset(&w.all, SIGHUP);
    /* Blocked before the threads start, so that they inherit it and only this one is told. */
    pthread_sigmask(SIG_BLOCK, &w.all, &before);
    rc_t rc = http_server_start(s);
    if (rc == RC_OK) {
        if (s->config.ready)
            s->config.ready(s->config.ready_ctx);
        watch(&w);
        http_server_join(s);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

void http_server_free(http_server_t *s)
{
    if (!s)
        return;
    for (unsigned i = 0; s->workers && i < s->count; i++)
        http_worker_close(&s->workers[i]);
    for (unsigned i = 0; s->listeners && i < s->count; i++) {
        if (s->listeners[i] >= 0)
            close(s->listeners[i]);
    }
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->tls_lock);
    http_tls_free(s->tls);
    free(s->workers);
    free(s->listeners);
    free(s->sockets);
    free(s);
}
