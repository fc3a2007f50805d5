/* warder_mcp_serve_http and its steps: everything is wired here. */
#include "core/url.h"
#include "http/server.h"
#include "kit/access.h"
#include "kit/options.h"
#include "kit/trail.h"
#include "mcp_http/mcp_http.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ARENA_BYTES = 2 << 20,
    WHY_BYTES = 256,
    KEY_THREADS = 1,
    KEY_QUEUE = 1024,
    GRACE_MS = 5000,
    CONNECTIONS = 4096
};

struct warder_mcp_server {
    arena_t *a;
    warder_mcp_t *m;
    warder_mcp_http_t
        config; /* members that point are the caller's: until the start has returned */
    kit_options_t options;
    log_t log_room;
    const log_t *log; /* NULL: silence */
    mcp_http_t *mcp;
    http_server_t *http;
    http_pool_t *key_pool;
    kit_access_t access;
    audit_t *audit;
    const char *url;
    bool serving; /* the threads for functions run */
};

static int fail(int code, str_t text, str_t *why)
{
    *why = text.p ? text : STR("there is not enough memory");
    return code;
}

static int no_memory(str_t *why)
{
    return fail(KIT_FAILED, STR_UNSET, why);
}

static post_port_t back(http_exchange_t *x)
{
    return http_worker_post(x->loop);
}

static void open_log(warder_mcp_server_t *s)
{
    static const log_level_t LEVELS[] = {LOG_WARN, LOG_INFO, LOG_DEBUG};
    clock_port_t clock = clock_system();
    if (s->config.log_level < 0)
        return;
    s->log_room = log_stderr(LEVELS[s->config.log_level]);
    s->log_room.now_ms = clock.now_ms;
    s->log_room.clock_ctx = clock.ctx;
    s->log = &s->log_room;
}

static int warn_tls(warder_mcp_server_t *s, str_t *why)
{
    (void)why;
    if (s->options.tls_warning.p)
        LOG(s->log, LOG_WARN, "the certificate is not good now",
            LOG_S("why", s->options.tls_warning));
    return KIT_DONE;
}

static int make_app(warder_mcp_server_t *s, str_t *why)
{
    mcp_http_config_t c = {.path = s->options.path,
                           .origins = s->options.origins,
                           .hosts = s->options.hosts,
                           .clock = clock_system(),
                           .random = random_system(),
                           .log = s->log};
    s->mcp = mcp_http_new(s->m, &c);
    return s->mcp ? KIT_DONE : no_memory(why);
}

static int bind_http(warder_mcp_server_t *s, str_t *why)
{
    str_t problem;
    http_server_config_t h = http_server_defaults();
    h.host = s->options.host;
    h.port = s->options.port;
    h.workers = s->options.workers;
    h.max_connections = CONNECTIONS;
    h.app = mcp_http_app(s->mcp);
    h.log = s->log;
    h.tls = s->options.tls;
    h.worker_init = mcp_http_worker_init;
    h.worker_drain = mcp_http_worker_drain;
    h.worker_exit = mcp_http_worker_exit;
    rc_t rc = http_server_new(&h, &s->http, &problem);
    if (rc == RC_OK)
        return KIT_DONE;
    str_t text = arena_printf(s->a, "listen: %s: %" PRIstr, s->config.listen, STR_ARG(problem));
    return fail(rc == RC_CONFIG ? KIT_SETTING : KIT_FAILED, text, why);
}

/* The URL of the endpoint, which needs the port; clients may know it by another one. */
static int name_endpoint(warder_mcp_server_t *s, str_t *why)
{
    const warder_rs_config_t *protect = s->config.protect;
    str_t url = protect && protect->resource
                    ? arena_dup(s->a, str_c(protect->resource))
                    : kit_options_resource(s->a, &s->options, http_server_port(s->http));
    s->url = url.p;
    return s->url ? KIT_DONE : no_memory(why);
}

static int open_access(warder_mcp_server_t *s, str_t *why)
{
    char problem[WHY_BYTES];
    if (!s->config.protect)
        return KIT_DONE;
    warder_rs_config_t config = kit_options_rs(&s->config, &s->options, s->url);
    s->access.rs = warder_rs_new(&config, problem, sizeof problem);
    if (!s->access.rs)
        return fail(KIT_SETTING, arena_printf(s->a, "protect: %s", problem), why);
    str_t acr = arena_dup(s->a, str_c(s->config.acr_values));
    s->access.pool = s->key_pool = http_pool_new(KEY_THREADS, KEY_QUEUE);
    s->access.back = back;
    s->access.acr_values = acr.p;
    s->access.max_age_s = s->config.max_age_s;
    s->url = warder_rs_resource(s->access.rs);
    return s->key_pool && (acr.p || !s->config.acr_values) ? KIT_DONE : no_memory(why);
}

static int open_trail(warder_mcp_server_t *s, str_t *why)
{
    if (!s->config.audit)
        return KIT_DONE;
    rc_t rc = kit_trail_open(s->a, s->config.audit, s->log, &s->audit, why);
    if (rc == RC_OK)
        return KIT_DONE;
    str_t text = arena_printf(s->a, "audit: %" PRIstr, STR_ARG(*why));
    return fail(rc == RC_CONFIG ? KIT_SETTING : KIT_FAILED, text, why);
}

static int protect(warder_mcp_server_t *s, str_t *why)
{
    url_t u;
    mcp_access_port_t access = {0};
    mcp_audit_port_t trail = {0};
    mcp_identity_t id = {.resource = str_c(s->url)};
    if (url_parse(id.resource, &u) != RC_OK)
        return fail(KIT_SETTING, STR("resource must be an http or https URL"), why);
    id.host = arena_dup(s->a, u.host);
    if (!id.host.p)
        return no_memory(why);
    if (s->access.rs) {
        access = kit_access_port(&s->access);
        id.metadata = str_c(warder_rs_metadata(s->access.rs));
    }
    if (s->audit)
        trail = kit_trail_port(s->audit);
    mcp_http_protect(s->mcp, &id, access, trail);
    return KIT_DONE;
}

static int start_threads(warder_mcp_server_t *s, str_t *why)
{
    if (mcp_server_start(s->m) != RC_OK)
        return fail(KIT_FAILED, STR("the threads for functions cannot be started"), why);
    s->serving = true;
    if (http_server_start(s->http) != RC_OK)
        return fail(KIT_FAILED, STR("the threads for connections cannot be started"), why);
    return KIT_DONE;
}

static int build(warder_mcp_server_t *s, str_t *why)
{
    static int (*const STEPS[])(warder_mcp_server_t *,
                                str_t *) = {warn_tls,    make_app,   bind_http, name_endpoint,
                                            open_access, open_trail, protect,   start_threads};
    int code = kit_options_read(s->a, &s->config, warder_mcp_scopes(s->m), &s->options, why);
    if (code == KIT_DONE)
        open_log(s);
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS && code == KIT_DONE; i++)
        code = STEPS[i](s, why);
    return code;
}

static void say_why(char *out, size_t n, str_t why)
{
    if (out && n > 0)
        snprintf(out, n, "%" PRIstr, STR_ARG(why));
}

int warder_mcp_http_start(warder_mcp_t *m, const warder_mcp_http_t *http, warder_mcp_server_t **out,
                          char *why, size_t why_size)
{
    str_t text = STR("there is not enough memory");
    int code = KIT_FAILED;
    warder_mcp_server_t *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s && (s->a = arena_new(ARENA_BYTES))) {
        s->m = m;
        s->config = *http;
        code = build(s, &text);
    }
    if (code != KIT_DONE) {
        say_why(why, why_size, text);
        warder_mcp_http_stop(s);
        return code;
    }
    *out = s;
    if (http->ready)
        http->ready(http->ready_ctx, s->url);
    return KIT_DONE;
}

const char *warder_mcp_http_url(const warder_mcp_server_t *s)
{
    return s->url;
}

/* New requests are kept out first; what is under way has a while to end by itself, then it is cut.
 */
static void drain(warder_mcp_server_t *s)
{
    if (s->http)
        http_server_stop(s->http);
    if (s->serving)
        mcp_server_settle(s->m, GRACE_MS);
    if (s->serving)
        mcp_server_stop(s->m);
    if (s->http)
        http_server_join(s->http);
}

/* What ends here must not be used by what ends later: a call that nobody has finished. */
static void unwire(warder_mcp_t *m)
{
    const mcp_world_ports_t world = {.clock = clock_system(), .random = random_system()};
    mcp_server_wire(m, &world);
}

void warder_mcp_http_stop(warder_mcp_server_t *s)
{
    if (!s)
        return;
    drain(s);
    if (s->serving)
        unwire(s->m);
    /* The ports of the workers end with http, so what posts to them ends before. */
    http_pool_free(s->key_pool);
    if (s->audit)
        audit_close(s->audit);
    if (s->http)
        http_server_free(s->http);
    if (s->mcp)
        mcp_http_free(s->mcp);
    warder_rs_free(s->access.rs);
    http_tls_free(s->options.tls);
    arena_free(s->a);
    free(s);
}

/* Blocked before any thread starts, so that all inherit it and only this one is told. */
static void block_signals(sigset_t *signals, sigset_t *before)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, signals, before);
}

int warder_mcp_serve_http(warder_mcp_t *m, const warder_mcp_http_t *http, char *why,
                          size_t why_size)
{
    int got;
    sigset_t signals, before;
    warder_mcp_server_t *s;
    block_signals(&signals, &before);
    int code = warder_mcp_http_start(m, http, &s, why, why_size);
    if (code == KIT_DONE) {
        sigwait(&signals, &got);
        /* The next one ends the program at once, as if there were no drain. */
        pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
        warder_mcp_http_stop(s);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}
