#include "proxy/child_test_world.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "http/server.h"

enum { CALLS = 4096, WORKERS = 2, WAIT_MS = 60000, LOG_BYTES = 1 << 20 };

typedef struct {
    child_answer_t answer; /* first */
    child_world_t *w;
    child_ask_test_t ask;
    arena_t *arena;
    mcp_operation_t op;
    upstream_request_t request;
    gate_principal_t who;
    upstream_call_t *call;
    unsigned worker;
    size_t cap;
    rc_t rc;
} test_call_t;

struct child_world {
    http_server_t *server;
    http_worker_t *loops[WORKERS];
    upstream_port_t port;
    upstream_hooks_t hooks;
    log_t log;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned n_loops;
    test_call_t *calls[CALLS];
    size_t n_calls;
    char trail[LOG_BYTES], text[LOG_BYTES];
    size_t trail_n, text_n;
};

static child_world_t *making; /* the server's hook has no context of its own */

static rc_t worker_init(void *ctx, http_worker_t *loop, void **worker)
{
    pthread_mutex_lock(&making->lock);
    making->loops[http_worker_index(loop)] = loop;
    making->n_loops++;
    pthread_mutex_unlock(&making->lock);
    *worker = loop;
    return RC_OK;
}

static const http_app_t APP = {.ctx = NULL};

static void add(char *to, size_t *n, str_t s)
{
    if (*n + s.n + 2 > LOG_BYTES)
        return;
    memcpy(to + *n, s.p, s.n);
    to[*n + s.n] = '\n';
    *n += s.n + 1;
    to[*n] = '\0';
}

static void on_audit(void *ctx, const audit_event_t *e)
{
    child_world_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    add(w->trail, &w->trail_n, e->reason);
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void on_log(void *ctx, str_t line)
{
    child_world_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    add(w->text, &w->text_n, line);
    pthread_mutex_unlock(&w->lock);
}

static void start_server(child_world_t *w)
{
    str_t why;
    http_server_config_t c = http_server_defaults();
    c.workers = WORKERS;
    c.app = &APP;
    c.worker_init = worker_init;
    c.clock = clock_system();
    c.random = random_system();
    c.times.drain_ms = 200;
    making = w;
    assert_int_equal(http_server_new(&c, &w->server, &why), RC_OK);
    assert_int_equal(http_server_start(w->server), RC_OK);
}

static str_list_t make_command(const child_world_options_t *o, str_t *v)
{
    static char self[512];
    size_t n = 0;
    while (o->command && o->command[n]) {
        v[n] = str_c(o->command[n]);
        n++;
    }
    if (n)
        return (str_list_t){v, n};
    ssize_t length = readlink("/proc/self/exe", self, sizeof self);
    assert_true(length > 0);
    v[0] = str_of(self, (size_t)length);
    v[1] = STR("--play");
    v[2] = str_c(o->mode);
    return (str_list_t){v, 3};
}

child_world_t *child_world_new(child_world_options_t o)
{
    static const str_t ENVIRONMENT[] = {STR_INIT("COLOUR=blue"), STR_INIT("LANG=C.UTF-8")};
    child_world_t *w = calloc(1, sizeof *w);
    str_t words[16], why;
    assert_non_null(w);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    start_server(w);
    w->log = (log_t){.write = on_log, .ctx = w, .min = LOG_DEBUG};
    const conf_upstream_t upstream = {
        .path = STR("/mcp"),
        .child = {.command = make_command(&o, words),
                  .environment = {ENVIRONMENT, 2},
                  .shared = o.shared,
                  .max_children = o.max_children ? o.max_children : 8,
                  .memory_mb = o.memory_mb,
                  .idle_s = o.idle_s,
                  .message_bytes = o.message_bytes ? o.message_bytes : 1 << 20,
                  .start_s = o.start_s ? o.start_s : 20,
                  .starts_per_minute = o.starts_per_minute ? o.starts_per_minute : 120},
    };
    const upstream_child_config_t config = {.upstream = &upstream,
                                            .directory = STR("/"),
                                            .log = &w->log,
                                            .clock = clock_system(),
                                            .random = random_system(),
                                            .audit = on_audit,
                                            .audit_ctx = w};
    assert_int_equal(upstream_child_new(&config, &w->port, &w->hooks, &why), RC_OK);
    return w;
}

static void free_call(test_call_t *c)
{
    arena_free(c->arena);
    free(c->answer.body);
    free(c);
}

static void cancel_on_worker(void *arg)
{
    test_call_t *c = arg;
    bool open;
    pthread_mutex_lock(&c->w->lock);
    open = !c->answer.ended && c->call;
    c->answer.ended = true;
    pthread_cond_broadcast(&c->w->changed);
    pthread_mutex_unlock(&c->w->lock);
    if (open)
        c->w->port.cancel(c->w->port.ctx, c->call);
}

static void post(test_call_t *c, void (*fn)(void *arg))
{
    post_port_t p = http_worker_post(c->w->loops[c->worker]);
    assert_int_equal(p.post(p.ctx, fn, c), RC_OK);
}

static void on_end(void *ctx, http_outbound_end_t how);

static void let_go(void *arg)
{
    test_call_t *c = arg;
    child_world_t *w = c->w;
    w->hooks.worker_exit(w->port.ctx, w->loops[c->worker]);
    on_end(c, HTTP_OUT_DONE);
}

void child_world_replace(child_world_t *w)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        test_call_t *c = calloc(1, sizeof *c);
        assert_non_null(c);
        w->calls[w->n_calls++] = c;
        c->w = w;
        c->worker = i;
        post(c, let_go);
        child_world_end(w, &c->answer);
    }
    w->port.free(w->port.ctx);
    w->port.free = NULL;
}

void child_world_free(child_world_t *w)
{
    for (size_t i = 0; i < w->n_calls; i++) {
        if (!w->calls[i]->answer.ended)
            post(w->calls[i], cancel_on_worker);
    }
    http_server_stop(w->server);
    http_server_join(w->server);
    if (w->port.free)
        w->port.free(w->port.ctx);
    http_server_free(w->server);
    for (size_t i = 0; i < w->n_calls; i++)
        free_call(w->calls[i]);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
}

/* The events, on the worker's thread. */

static void keep(char *to, size_t cap, str_t s)
{
    snprintf(to, cap, "%.*s", STR_ARG(s));
}

static void on_head(void *ctx, const http_outbound_head_t *head)
{
    test_call_t *c = ctx;
    pthread_mutex_lock(&c->w->lock);
    assert_int_equal(c->answer.status, 0);
    c->answer.status = head->status;
    keep(c->answer.type, 64, http_headers_get(head->headers, STR("content-type")));
    keep(c->answer.session, 64, http_headers_get(head->headers, STR("mcp-session-id")));
    keep(c->answer.retry, 16, http_headers_get(head->headers, STR("retry-after")));
    pthread_mutex_unlock(&c->w->lock);
}

static void on_data(void *ctx, str_t bytes)
{
    test_call_t *c = ctx;
    pthread_mutex_lock(&c->w->lock);
    if (c->answer.n + bytes.n + 1 > c->cap) {
        c->cap = 2 * (c->answer.n + bytes.n + 1);
        c->answer.body = realloc(c->answer.body, c->cap);
    }
    memcpy(c->answer.body + c->answer.n, bytes.p, bytes.n);
    c->answer.n += bytes.n;
    c->answer.body[c->answer.n] = '\0';
    pthread_cond_broadcast(&c->w->changed);
    pthread_mutex_unlock(&c->w->lock);
}

static void on_end(void *ctx, http_outbound_end_t how)
{
    test_call_t *c = ctx;
    pthread_mutex_lock(&c->w->lock);
    c->answer.how = how;
    c->answer.ended = true;
    pthread_cond_broadcast(&c->w->changed);
    pthread_mutex_unlock(&c->w->lock);
}

static void start_on_worker(void *arg)
{
    test_call_t *c = arg;
    const http_outbound_events_t events = {on_head, on_data, on_end, c};
    child_world_t *w = c->w;
    rc_t rc = w->port.start(w->port.ctx, w->loops[c->worker], &c->request, events, &c->call);
    if (rc == RC_OK && c->ask.paused)
        w->port.pause(w->port.ctx, c->call);
    c->rc = rc;
    if (rc != RC_OK)
        on_end(c, HTTP_OUT_UNREACHABLE);
}

static void resume_on_worker(void *arg)
{
    test_call_t *c = arg;
    c->w->port.resume(c->w->port.ctx, c->call);
}

static void read_body(test_call_t *c, const mcp_version_t *version)
{
    rc_t rc;
    c->request.body = str_c(c->ask.body);
    assert_int_equal(mcp_message_parse(c->arena, c->request.body, &c->op.message, &rc),
                     MCP_NO_ERROR);
    c->op.era = version->era;
    c->op.version = version;
    c->request.message = &c->op;
}

child_answer_t *child_world_send(child_world_t *w, child_ask_test_t ask)
{
    test_call_t *c = calloc(1, sizeof *c);
    assert_non_null(c);
    assert_true(w->n_calls < CALLS);
    w->calls[w->n_calls++] = c;
    c->w = w;
    c->ask = ask;
    c->worker = ask.worker % WORKERS;
    c->arena = arena_new(32 << 20);
    const char *name = ask.stateless ? "2026-07-28" : ask.version ? ask.version : "2025-11-25";
    const mcp_version_t *version = mcp_version_find(mcp_versions(), str_c(name));
    assert_non_null(version);
    c->who = (gate_principal_t){.issuer = STR("https://as.test"),
                                .subject = str_c(ask.who ? ask.who : "alice"),
                                .client = STR("client")};
    c->request = (upstream_request_t){.method = HTTP_POST,
                                      .version = version,
                                      .session = str_c(ask.session),
                                      .last_event = str_c(ask.last_event),
                                      .who = &c->who};
    if (ask.body)
        read_body(c, version);
    else
        c->request.method = ask.delete ? HTTP_DELETE : HTTP_GET;
    post(c, start_on_worker);
    return &c->answer;
}

static test_call_t *call_of(child_answer_t *answer)
{
    return (test_call_t *)answer;
}

/* Until `done` holds or time is up; the lock is held. */
static bool wait_for(child_world_t *w, bool (*done)(void *ctx), void *ctx, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    while (!done(ctx)) {
        if (pthread_cond_timedwait(&w->changed, &w->lock, &until) == ETIMEDOUT)
            return done(ctx);
    }
    return true;
}

static bool has_ended(void *ctx)
{
    const child_answer_t *a = ctx;
    return a->ended;
}

void child_world_end(child_world_t *w, child_answer_t *answer)
{
    pthread_mutex_lock(&w->lock);
    bool good = wait_for(w, has_ended, answer, WAIT_MS);
    pthread_mutex_unlock(&w->lock);
    if (!good)
        fail_msg("no end: %s -> %s\n%s", call_of(answer)->ask.body, answer->body, w->text);
}

child_answer_t *child_world_ask(child_world_t *w, child_ask_test_t ask)
{
    child_answer_t *answer = child_world_send(w, ask);
    child_world_end(w, answer);
    return answer;
}

typedef struct {
    const child_answer_t *answer;
    const char *text;
} hear_t;

static bool holds(void *ctx)
{
    const hear_t *h = ctx;
    return h->answer->body && strstr(h->answer->body, h->text);
}

bool child_world_hears(child_world_t *w, child_answer_t *answer, const char *text, int ms)
{
    hear_t h = {answer, text};
    pthread_mutex_lock(&w->lock);
    bool good = wait_for(w, holds, &h, ms);
    pthread_mutex_unlock(&w->lock);
    return good;
}

void child_world_hear(child_world_t *w, child_answer_t *answer, const char *text)
{
    if (!child_world_hears(w, answer, text, WAIT_MS))
        fail_msg("no %s: %s -> %d %s", text, call_of(answer)->ask.body, answer->status,
                 answer->body ? answer->body : "");
}

void child_world_cancel(child_world_t *w, child_answer_t *answer)
{
    post(call_of(answer), cancel_on_worker);
    child_world_end(w, answer);
}

void child_world_resume(child_world_t *w, child_answer_t *answer)
{
    post(call_of(answer), resume_on_worker);
}

const char *child_world_open(child_world_t *w, const char *who)
{
    child_answer_t *a = child_world_ask(
        w, (child_ask_test_t){.who = who,
                              .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
                                      "\"params\":{\"protocolVersion\":\"2025-11-25\"}}"});
    if (a->status != 200 || !a->session[0])
        fail_msg("initialize: %d %s", a->status, a->body);
    child_answer_t *b =
        child_world_ask(w, (child_ask_test_t){.who = who,
                                              .session = a->session,
                                              .body = "{\"jsonrpc\":\"2.0\","
                                                      "\"method\":\"notifications/initialized\"}"});
    assert_int_equal(b->status, 202);
    assert_int_equal(b->n, 0);
    return a->session;
}

static unsigned count(child_world_t *w, const char *in, const char *text)
{
    unsigned n = 0;
    pthread_mutex_lock(&w->lock);
    for (const char *p = in; (p = strstr(p, text)) != NULL; p++)
        n++;
    pthread_mutex_unlock(&w->lock);
    return n;
}

unsigned child_world_trail(child_world_t *w, const char *reason)
{
    return count(w, w->trail, reason);
}

unsigned child_world_log(child_world_t *w, const char *text)
{
    return count(w, w->text, text);
}

bool child_world_wait_trail(child_world_t *w, const char *reason, unsigned n)
{
    const struct timespec nap = {0, 10000000};
    for (int i = 0; i < 6000; i++) {
        if (child_world_trail(w, reason) >= n)
            return true;
        nanosleep(&nap, NULL);
    }
    return false;
}

bool child_world_is_ready(child_world_t *w)
{
    return w->port.ready(w->port.ctx);
}

long child_world_number(const child_answer_t *answer, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *p = answer->body ? strstr(answer->body, key) : NULL;
    if (!p)
        fail_msg("no %s in %s", name, answer->body);
    return p ? strtol(p + strlen(key), NULL, 10) : 0;
}

bool child_world_gone(long pid)
{
    const struct timespec nap = {0, 10000000};
    for (int i = 0; i < 6000; i++) {
        if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
            return true;
        nanosleep(&nap, NULL);
    }
    return false;
}
