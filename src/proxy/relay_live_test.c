/* The gateway between real sockets: two servers in this process, the relay's HTTP driver between
 * them, and clients that call, listen, leave, and see settings change under them. Also run under
 * TSan. */
#include "http/http_test_server.h"
#include "proxy/relay.h"
#include "proxy/upstream_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CALLERS = 4, CALLS = 60, RELOADS = 20, LISTENERS = 12 };

/* The upstream. */

static struct {
    atomic_int requests, streams, gone, tokens;
} upstream;

static void stream_gone(void *ctx, http_exchange_t *x)
{
    (void)ctx;
    atomic_fetch_add(&upstream.gone, 1);
    http_stream_end(x);
}

static void open_stream(http_exchange_t *x)
{
    http_stream_events_t none = {0};
    atomic_fetch_add(&upstream.streams, 1);
    http_exchange_on_gone(x, stream_gone, NULL);
    if (http_stream_begin(x, 200, HTTP_HEADERS({STR("Content-Type"), STR("text/event-stream")}),
                          none) != RC_OK ||
        http_stream_write(x, STR("id: 1\ndata: {\"method\":\"notifications/message\"}\n\n")) !=
            RC_OK)
        http_stream_abort(x);
}

static void handle_upstream(http_exchange_t *x)
{
    atomic_fetch_add(&upstream.requests, 1);
    if (http_header(x, STR("Authorization")).p)
        atomic_fetch_add(&upstream.tokens, 1);
    if (x->method == HTTP_GET) {
        open_stream(x);
        return;
    }
    /* The answer repeats what came, so that a mix-up of two callers would show. */
    str_t body =
        arena_printf(x->arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"was\":%" PRIstr "}}",
                     STR_ARG(x->body));
    http_reply_json(x, 200, body);
}

static const http_route_t UPSTREAM_ROUTES[] = {
    {.path = STR_INIT("/mcp"),
     .methods = HTTP_M(GET) | HTTP_M(POST),
     .handler = handle_upstream,
     .body_limit = 1 << 20,
     .bodies = HTTP_BODY_JSON},
};
static const http_app_t UPSTREAM_APP = {.routes = {UPSTREAM_ROUTES, 1}};

/* The gateway. */

typedef struct {
    http_server_t *upstream, *server;
    gateway_t *gateway;
    atomic_int begins, ends, sets, revoked;
} live_t;

static live_t live;

static rc_t trail_write(void *ctx, const audit_event_t *const *events, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        atomic_fetch_add(events[i]->kind == AUDIT_CALL_BEGIN ? &live.begins : &live.ends, 1);
    return RC_OK;
}

/* Durable events: each comes back by the worker's port, but for some that find no memory. */

typedef struct {
    audit_done_t done;
    void *ctx;
} appended_t;

static void come_back(void *arg)
{
    appended_t *a = arg;
    a->done(a->ctx, RC_OK);
    free(a);
}

static void trail_append(void *ctx, post_port_t back, const audit_event_t *e, audit_done_t done,
                         void *done_ctx)
{
    static atomic_uint count;
    appended_t *a = malloc(sizeof *a);
    (void)ctx;
    if (atomic_fetch_add(&count, 1) % 17 == 16) {
        free(a);
        done(done_ctx, RC_MEMORY);
        return;
    }
    atomic_fetch_add(e->kind == AUDIT_CALL_BEGIN ? &live.begins : &live.ends, 1);
    *a = (appended_t){done, done_ctx};
    if (back.post(back.ctx, come_back, a) != RC_OK)
        free(a);
}

static void check(access_t *a, http_exchange_t *x,
                  void (*done)(void *arg, const access_verdict_t *verdict), void *arg)
{
    static const json_t claims = {.type = JSON_OBJECT};
    str_t value = http_header(x, STR("Authorization"));
    access_verdict_t *v = ARENA_NEW(x->arena, access_verdict_t);
    (void)a;
    v->allowed = value.n > 7;
    v->status = 401;
    v->reason = STR("no_token");
    v->challenge = STR("Bearer");
    v->who = (gate_principal_t){.issuer = STR("https://as.test"),
                                .subject = str_skip(value, 7),
                                .client = STR("client"),
                                .scope = STR("mcp:use"),
                                .claims = &claims};
    done(arg, v);
}

static bool lives(access_t *a, const gate_principal_t *who)
{
    (void)a;
    (void)who;
    return atomic_load(&live.revoked) == 0;
}

static const route_ports_t PORTS = {.check = check, .lives = lives};

typedef struct {
    route_set_t set;
    route_t route;
    route_state_t state;
    conf_policy_t policy;
    conf_upstream_t conf;
    arena_t *a; /* holds this */
} live_set_t;

static void end_set(route_set_t *set)
{
    live_set_t *s = (live_set_t *)set;
    s->route.upstream.free(s->route.upstream.ctx);
    arena_free(s->a);
    atomic_fetch_sub(&live.sets, 1);
}

static void load(void)
{
    static const str_t USE[] = {STR_INIT("mcp:use")};
    arena_t *a = arena_new(1 << 20);
    live_set_t *s = ARENA_NEW(a, live_set_t);
    gate_policy_t *policy;
    str_t why;
    s->a = a;
    s->policy = (conf_policy_t){.name = STR("live"),
                                .default_scopes = {USE, 1},
                                .groups_claim = STR("groups"),
                                .roles_claim = STR("roles")};
    s->conf = (conf_upstream_t){
        .path = STR("/mcp"),
        .policy = &s->policy,
        .url = arena_printf(a, "http://127.0.0.1:%u/mcp", http_server_port(live.upstream)),
        .identity_header = STR("X-Warder-Identity"),
        .max_body_bytes = 1 << 20,
        .max_answer_bytes = 1 << 20,
        .max_connections = 64,
        .timeout_s = 20,
    };
    assert_int_equal(gate_policy_new(a, &s->policy, &policy), RC_OK);
    s->route = (route_t){.conf = &s->conf,
                         .resource = STR("http://127.0.0.1/mcp"),
                         .host = STR("127.0.0.1"),
                         .local = true,
                         .policy = policy,
                         .ports = &PORTS,
                         .state = &s->state};
    assert_int_equal(upstream_http_new(a, &s->conf, &s->route.upstream, &s->route.hooks, &why),
                     RC_OK);
    s->set = (route_set_t){.v = &s->route, .n = 1, .end = end_set};
    atomic_init(&s->set.refs, 1);
    atomic_fetch_add(&live.sets, 1);
    gateway_install(live.gateway, &s->set);
}

static http_server_t *serve(const http_server_config_t *config)
{
    http_server_t *s;
    str_t why;
    assert_int_equal(http_server_new(config, &s, &why), RC_OK);
    assert_int_equal(http_server_start(s), RC_OK);
    return s;
}

static int setup_with(trail_port_t trail)
{
    http_server_config_t up = http_server_defaults(), front = http_server_defaults();
    gateway_config_t config = {
        .handle_key = STR("0123456789abcdef0123456789abcdef"),
        .clock = clock_system(),
        .random = random_system(),
    };
    memset(&live, 0, sizeof live);
    memset(&upstream, 0, sizeof upstream);
    up.app = &UPSTREAM_APP;
    up.workers = 2;
    up.times.drain_ms = 500;
    live.upstream = serve(&up);
    assert_int_equal(gateway_new(&config, &live.gateway), RC_OK);
    live.gateway->trail = trail;
    load();
    http_mount_t mount = gateway_mount(live.gateway);
    front.mounts = &mount;
    front.mount_count = 1;
    front.workers = 2;
    front.times.drain_ms = 2000;
    live.server = serve(&front);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_with((trail_port_t){trail_write, NULL, NULL});
}

static int setup_durable(void **state)
{
    (void)state;
    return setup_with((trail_port_t){trail_write, trail_append, NULL});
}

static int teardown_durable(void **state)
{
    (void)state;
    test_server_stop(live.server);
    gateway_free(live.gateway);
    test_server_stop(live.upstream);
    assert_int_equal(live.sets, 0);
    return 0;
}

static int teardown(void **state)
{
    teardown_durable(state);
    assert_int_equal(live.begins, live.ends);
    return 0;
}

/* Clients with sockets of their own: several threads call at once. */

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(live.server))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    const struct timeval limit = {60, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static bool hear(int fd, const char *want)
{
    char text[4096];
    size_t n = 0;
    text[0] = '\0';
    while (!strstr(text, want) && n + 1 < sizeof text) {
        ssize_t got = read(fd, text + n, sizeof text - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        text[n] = '\0';
    }
    return strstr(text, want) != NULL;
}

#define HEAD(method, who)                                                                          \
    method " /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " who "\r\n"                \
           "Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"

static void *caller(void *arg)
{
    char request[1024], body[256], want[64];
    const unsigned who = *(unsigned *)arg;
    int fd = dial();
    for (int i = 0; i < CALLS; i++) {
        snprintf(want, sizeof want, "caller-%u-%d", who, i);
        snprintf(
            body, sizeof body,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\","
            "\"arguments\":{\"a\":\"%s\"}}}",
            want);
        snprintf(request, sizeof request, HEAD("POST", "u") "Content-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
        if (write(fd, request, strlen(request)) != (ssize_t)strlen(request) || !hear(fd, want)) {
            close(fd);
            return arg;
        }
    }
    close(fd);
    return NULL;
}

/* What could not be written down is answered with 503, and nothing else is lost. */
static void durable_events_come_back_from_elsewhere(void **state)
{
    enum { TRIES = 60 };
    char request[] = HEAD("POST", "u") "Content-Length: 40\r\n\r\n"
                                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
    int answered = 0;
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        int fd = dial();
        assert_true(write(fd, request, sizeof request - 1) > 0);
        assert_true(hear(fd, "\"id\":1,"));
        close(fd);
        answered++;
    }
    assert_int_equal(answered, TRIES);
    assert_true(upstream.requests < TRIES);
    int fd = dial(); /* and one whose client leaves before it is answered */
    assert_true(write(fd, request, sizeof request - 1) > 0);
    close(fd);
}

static void calls_go_on_while_settings_change(void **state)
{
    pthread_t threads[CALLERS];
    unsigned who[CALLERS];
    void *failed;
    const struct timespec nap = {0, 3000000};
    (void)state;
    for (unsigned i = 0; i < CALLERS; i++) {
        who[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, caller, &who[i]), 0);
    }
    for (int i = 0; i < RELOADS; i++) {
        nanosleep(&nap, NULL);
        load();
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(upstream.requests, CALLERS * CALLS);
    assert_int_equal(upstream.tokens, 0);
    assert_int_equal(live.begins, CALLERS * CALLS);
}

static void streams_end_at_the_drain(void **state)
{
    int fds[LISTENERS];
    (void)state;
    for (int i = 0; i < LISTENERS; i++) {
        fds[i] = dial();
        assert_true(write(fds[i], HEAD("GET", "u") "\r\n", sizeof(HEAD("GET", "u") "\r\n") - 1) >
                    0);
        assert_true(hear(fds[i], "notifications/message"));
    }
    assert_int_equal(upstream.streams, LISTENERS);
    close(fds[0]);
    assert_true(test_wait_for(&upstream.gone, 1));
    http_server_stop(live.server);
    for (int i = 1; i < LISTENERS; i++) {
        assert_true(hear(fds[i], "0\r\n\r\n"));
        close(fds[i]);
    }
    assert_true(test_wait_for(&upstream.gone, LISTENERS));
}

static void streams_end_with_their_tokens(void **state)
{
    (void)state;
    int fd = dial();
    assert_true(write(fd, HEAD("GET", "u") "\r\n", sizeof(HEAD("GET", "u") "\r\n") - 1) > 0);
    assert_true(hear(fd, "notifications/message"));
    atomic_store(&live.revoked, 1);
    assert_true(hear(fd, "0\r\n\r\n"));
    assert_true(test_wait_for(&upstream.gone, 1));
    close(fd);
}

static void an_upstream_that_is_away(void **state)
{
    char request[] = HEAD("POST", "u") "Content-Length: 40\r\n\r\n"
                                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
    (void)state;
    test_server_stop(live.upstream);
    int fd = dial();
    assert_true(write(fd, request, sizeof request - 1) > 0);
    assert_true(hear(fd, "cannot be reached"));
    assert_false(gateway_ready(live.gateway));
    close(fd);
    http_server_config_t up = http_server_defaults();
    up.app = &UPSTREAM_APP;
    live.upstream = serve(&up);
    load();
    fd = dial();
    assert_true(write(fd, request, sizeof request - 1) > 0);
    assert_true(hear(fd, "\"was\""));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_go_on_while_settings_change, setup, teardown),
        cmocka_unit_test_setup_teardown(durable_events_come_back_from_elsewhere, setup_durable,
                                        teardown_durable),
        cmocka_unit_test_setup_teardown(streams_end_at_the_drain, setup, teardown),
        cmocka_unit_test_setup_teardown(streams_end_with_their_tokens, setup, teardown),
        cmocka_unit_test_setup_teardown(an_upstream_that_is_away, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
