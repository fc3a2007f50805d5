#include "proxy/upstream_http.h"

#include "core/limits.h"
#include "core/url.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WORKERS_MAX = 256, /* as the setting `workers` has it */
    OWN_FIELDS = 2,    /* session and event id */
    IDENTITY_FIELDS = 32,
    AUTHORITIES_BYTES = 1 << 20,
    CONNECT_MS = 10000,
    KEPT_MS = 50000, /* shorter than the minute after which most servers close */
    BODY_MS = 60000, /* between two pieces of one message */
    STREAMS = 65536, /* of one worker that stay open; seats bound them before */
};

typedef struct {
    const conf_upstream_t *conf;
    arena_t *arena; /* holds this */
    http_outbound_config_t config;
    http_tls_client_t *tls;
    str_t target;
    struct {
        http_outbound_t *calls, *streams;
    } workers[WORKERS_MAX]; /* each slot belongs to its worker */
} upstream_http_t;

/* Sent once more on a fresh connection where a kept one turns out to be closed: what only reads. */
static const str_t READS[] = {
    STR_INIT("tools/list"),     STR_INIT("resources/list"), STR_INIT("resources/templates/list"),
    STR_INIT("resources/read"), STR_INIT("prompts/list"),   STR_INIT("prompts/get"),
    STR_INIT("ping"),           STR_INIT("initialize"),     STR_INIT("server/discover"),
};

static bool only_reads(const upstream_request_t *r)
{
    for (size_t i = 0; r->message && i < sizeof READS / sizeof *READS; i++) {
        if (str_eq(r->message->message.method, READS[i]))
            return true;
    }
    return false;
}

/* Streams that stay open have connections of their own: every client of the handshake era holds
 * one, and calls must not wait for them. */
static http_outbound_t *outbound_for(const upstream_http_t *u, http_worker_t *loop,
                                     const upstream_request_t *r)
{
    unsigned i = http_worker_index(loop);
    bool listens = r->message && str_eq(r->message->message.method, STR("subscriptions/listen"));
    return r->method == HTTP_GET || listens ? u->workers[i].streams : u->workers[i].calls;
}

static rc_t start(void *ctx, http_worker_t *loop, const upstream_request_t *r,
                  http_outbound_events_t events, upstream_call_t **out)
{
    upstream_http_t *u = ctx;
    http_header_t fields[LIMIT_HTTP_HEADERS + IDENTITY_FIELDS];
    http_outbound_call_t *call;
    size_t n = r->headers.n;
    if (n + OWN_FIELDS > sizeof fields / sizeof *fields)
        return RC_LIMIT;
    if (n > 0)
        memcpy(fields, r->headers.v, n * sizeof *fields);
    if (r->session.p)
        fields[n++] = (http_header_t){STR("Mcp-Session-Id"), r->session};
    if (r->last_event.p)
        fields[n++] = (http_header_t){STR("Last-Event-ID"), r->last_event};
    http_outbound_request_t request = {
        .method = r->method,
        .target = u->target,
        .headers = {fields, n},
        .body = r->body,
        .again = only_reads(r),
    };
    TRY(http_outbound_start(outbound_for(u, loop, r), &request, events, &call));
    *out = (upstream_call_t *)call;
    return RC_OK;
}

static void pause(void *ctx, upstream_call_t *call)
{
    (void)ctx;
    http_outbound_pause((http_outbound_call_t *)call);
}

static void resume(void *ctx, upstream_call_t *call)
{
    (void)ctx;
    http_outbound_resume((http_outbound_call_t *)call);
}

/* A closed stream is what both eras know as the end of interest; whether the message is cancelled
 * by it is decided before. */
static void cancel(void *ctx, upstream_call_t *call)
{
    (void)ctx;
    http_outbound_cancel((http_outbound_call_t *)call);
}

/* Whether it answers is seen by whoever asks it. */
static bool ready(void *ctx)
{
    (void)ctx;
    return true;
}

static void end(void *ctx)
{
    upstream_http_t *u = ctx;
    http_tls_client_free(u->tls);
    arena_free(u->arena);
}

static rc_t worker_init(void *ctx, http_worker_t *loop)
{
    upstream_http_t *u = ctx;
    unsigned i = http_worker_index(loop);
    http_outbound_config_t streams = u->config;
    if (i >= WORKERS_MAX)
        return RC_LIMIT;
    streams.max_connections = STREAMS;
    TRY(http_outbound_new(loop, &u->config, &u->workers[i].calls));
    return http_outbound_new(loop, &streams, &u->workers[i].streams);
}

static void worker_exit(void *ctx, http_worker_t *loop)
{
    upstream_http_t *u = ctx;
    unsigned i = http_worker_index(loop);
    if (i >= WORKERS_MAX)
        return;
    http_outbound_free(u->workers[i].calls);
    http_outbound_free(u->workers[i].streams);
    u->workers[i].calls = u->workers[i].streams = NULL;
}

static rc_t refuse(arena_t *a, const conf_upstream_t *conf, const char *mend, str_t *why)
{
    *why = arena_printf(a, "the upstream '%" PRIstr "': %s", STR_ARG(conf->path), mend);
    return RC_CONFIG;
}

static rc_t read_file(arena_t *a, str_t path, str_t *out)
{
    const char *name = arena_cstr(a, path);
    char *p = arena_alloc(a, AUTHORITIES_BYTES);
    FILE *f = name && p ? fopen(name, "re") : NULL;
    if (!f)
        return name && p ? RC_IO : RC_MEMORY;
    size_t n = fread(p, 1, AUTHORITIES_BYTES, f);
    bool whole = !ferror(f) && n > 0 && n < AUTHORITIES_BYTES;
    fclose(f);
    *out = str_of(p, n);
    return whole ? RC_OK : RC_IO;
}

static rc_t make_tls(arena_t *a, upstream_http_t *u, str_t *why)
{
    http_tls_client_config_t config = {.host = u->config.host};
    str_t file = u->conf->certificate_authorities;
    if (file.n > 0 && read_file(a, file, &config.authorities) != RC_OK)
        return refuse(a, u->conf, "certificate_authorities cannot be read", why);
    TRY(http_tls_client_new(a, &config, &u->tls, why));
    u->config.tls = u->tls;
    return RC_OK;
}

static str_t unbracket(str_t host)
{
    return str_starts(host, STR("[")) ? str_first(str_skip(host, 1), host.n - 2) : host;
}

static rc_t fill(arena_t *a, upstream_http_t *u, str_t *why)
{
    url_t url;
    if (url_parse(u->conf->url, &url) != RC_OK || !url_is_http(&url))
        return refuse(a, u->conf, "url is not an http or https URL", why);
    str_t path = url.path.n > 0 ? url.path : STR("/");
    u->target = url.query.p ? arena_printf(u->arena, "%" PRIstr "?%" PRIstr, STR_ARG(path),
                                           STR_ARG(url.query))
                            : path;
    if (!u->target.p)
        return RC_MEMORY;
    u->config = (http_outbound_config_t){
        .host = unbracket(url.host),
        .port = url.port_number,
        .max_connections = (unsigned)u->conf->max_connections,
        .connect_ms = CONNECT_MS,
        .head_ms = u->conf->timeout_s * 1000,
        .body_ms = BODY_MS,
        .idle_ms = KEPT_MS,
    };
    return url_is_https(&url) ? make_tls(a, u, why) : RC_OK;
}

rc_t upstream_http_new(arena_t *a, const conf_upstream_t *conf, upstream_port_t *port,
                       upstream_hooks_t *hooks, str_t *why)
{
    enum { ARENA_BYTES = 1 << 16 };
    arena_t *own = arena_new(ARENA_BYTES);
    upstream_http_t *u = own ? ARENA_NEW(own, upstream_http_t) : NULL;
    if (!u) {
        arena_free(own);
        return RC_MEMORY;
    }
    u->arena = own;
    u->conf = conf;
    rc_t rc = fill(a, u, why);
    if (rc != RC_OK) {
        end(u);
        return rc;
    }
    *port = (upstream_port_t){start, pause, resume, cancel, ready, end, u};
    *hooks = (upstream_hooks_t){worker_init, worker_exit};
    return RC_OK;
}
