#include "mcp_http/mcp_http_test_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PATIENCE_MS = 60000, MOMENT_MS = 30 };

/* The trail */

static void keep(char out[64], str_t s)
{
    snprintf(out, 64, "%.*s", STR_ARG(str_first(s, 63)));
}

typedef struct {
    void (*done)(void *arg, bool durable);
    void *arg;
    bool durable;
} recorded_t;

static void tell(void *arg)
{
    recorded_t r = *(recorded_t *)arg;
    free(arg);
    r.done(r.arg, r.durable);
}

static void record(void *ctx, post_port_t back, const audit_event_t *e,
                   void (*done)(void *arg, bool durable), void *arg)
{
    trail_double_t *t = ctx;
    recorded_t *r = malloc(sizeof *r);
    pthread_mutex_lock(&t->lock);
    bool broken = atomic_load(&t->broken);
    if (!broken && t->n < MAX_EVENTS) {
        keep(t->reason[t->n], e->reason);
        keep(t->user[t->n], e->user);
        keep(t->tool[t->n], e->tool);
        t->v[t->n++] = *e;
    }
    pthread_mutex_unlock(&t->lock);
    *r = (recorded_t){done, arg, !broken};
    if (back.post(back.ctx, tell, r) != RC_OK)
        abort();
}

/* Posts */

static rc_t post(void *ctx, void (*fn)(void *arg), void *arg)
{
    posts_double_t *p = ctx;
    pthread_mutex_lock(&p->lock);
    bool full = p->full || p->n == MAX_POSTS;
    if (!full) {
        p->v[p->n].fn = fn;
        p->v[p->n++].arg = arg;
    }
    pthread_cond_signal(&p->some);
    pthread_mutex_unlock(&p->lock);
    return full ? RC_BUSY : RC_OK;
}

static struct timespec later(int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += ms % 1000 * 1000000L;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    return t;
}

/* Runs the next one, if it comes in time. */
static bool run_next(posts_double_t *p, int ms)
{
    int late = 0;
    void (*fn)(void *arg) = NULL;
    void *arg = NULL;
    struct timespec until = later(ms);
    pthread_mutex_lock(&p->lock);
    while (p->n == 0 && !late)
        late = pthread_cond_timedwait(&p->some, &p->lock, &until);
    if (p->n > 0) {
        fn = p->v[0].fn;
        arg = p->v[0].arg;
        memmove(&p->v[0], &p->v[1], --p->n * sizeof p->v[0]);
    }
    pthread_mutex_unlock(&p->lock);
    if (fn)
        fn(arg);
    return fn != NULL;
}

/* An answer with a length, or to the end of its chunks. */
static bool is_whole(str_t out)
{
    arena_t *a = arena_new(ARENA_BYTES);
    http_direct_answer_t r;
    str_t length;
    bool whole = http_direct_parse(a, out, &r) == RC_OK;
    if (whole) {
        length = http_headers_get(r.headers, STR("content-length"));
        whole = !length.p || r.body.n == strtoul(arena_cstr(a, length), NULL, 10);
    }
    arena_free(a);
    return whole;
}

static bool has(const http_direct_t *d, const char *want)
{
    str_t out = http_direct_output(d);
    return want ? str_contains(out, str_c(want)) : is_whole(out);
}

void mcp_pump(mcp_world_t *f, const http_direct_t *d, const char *want)
{
    for (int waited = 0; !has(d, want); waited += MOMENT_MS) {
        if (waited > PATIENCE_MS)
            fail_msg("'%s' does not come: %.*s", want ? want : "an answer",
                     STR_ARG(str_first(http_direct_output(d), 2000)));
        while (!has(d, want) && run_next(&f->posts, MOMENT_MS))
            waited = 0;
    }
}

void mcp_pump_some(mcp_world_t *f)
{
    while (run_next(&f->posts, MOMENT_MS))
        ;
}

void mcp_pump_count(mcp_world_t *f, const atomic_uint *what, unsigned value)
{
    for (int waited = 0; atomic_load(what) < value; waited += MOMENT_MS) {
        assert_true(waited < PATIENCE_MS);
        run_next(&f->posts, MOMENT_MS);
    }
}

/* Tokens: "Bearer NAME/SCOPE" is one of NAME that grants SCOPE. */

static void check(void *ctx, http_exchange_t *x,
                  void (*done)(void *arg, const mcp_access_t *verdict), void *arg)
{
    mcp_world_t *f = ctx;
    str_t value = http_header(x, STR("Authorization"));
    mcp_access_t v = {.status = 401, .reason = STR("no_token")};
    atomic_fetch_add(&f->checks, 1);
    v.challenge = STR("Bearer resource_metadata=\"https://rs.test/meta\", scope=\"news:read\"");
    if (str_eq(value, STR("Bearer later"))) {
        v = (mcp_access_t){.status = 503, .reason = STR("keys_away"), .retry_after_s = 7};
    } else if (str_starts(value, STR("Bearer "))) {
        str_t rest = str_skip(value, 7), name;
        v.allowed = str_split(&rest, '/', &name);
        v.issuer = STR("https://as.test");
        v.subject = name;
        v.client = STR("client");
        v.scope = rest.p ? rest : STR("");
        v.token_id = STR("jti");
        v.expires_at = TOKEN_ENDS_S;
        v.nonce = http_header(x, STR("Wants-Nonce"));
    }
    done(arg, &v);
}

static bool covers(void *ctx, str_t granted, str_t needed)
{
    (void)ctx;
    return str_contains(granted, needed);
}

static str_t insufficient(void *ctx, arena_t *a, const mcp_access_t *who, str_t needed)
{
    (void)ctx;
    assert_true(who->subject.n > 0);
    return arena_printf(a, "Bearer error=\"insufficient_scope\", scope=\"%.*s\"", STR_ARG(needed));
}

/* As those who ask a library do: what it is given ends in NUL. */
static bool lives(void *ctx, http_exchange_t *x, const mcp_access_t *who)
{
    assert_int_equal(strlen(who->subject.p), who->subject.n);
    assert_int_equal(strlen(who->token_id.p), who->token_id.n);
    assert_non_null(x->worker);
    return !atomic_load(&((mcp_world_t *)ctx)->ended);
}

/* The world */

static void make_server(mcp_world_t *f)
{
    static const str_t ORIGINS[] = {STR_INIT("https://app.test")};
    char why[200] = "";
    size_t count;
    const warder_mcp_tool_t *tools = mcp_world_tools(&count);
    const warder_mcp_config_t mcp = {
        .name = "t",
        .version = "1",
        .tools = tools,
        .tool_count = count,
        .ctx = f,
        .calls_per_minute = CALLS_PER_MINUTE,
    };
    f->mcp = warder_mcp_new(&mcp, why, sizeof why);
    if (!f->mcp)
        fail_msg("%s", why);
    const mcp_http_config_t http = {.path = STR("/mcp"),
                                    .origins = {ORIGINS, 1},
                                    .idle_ms = SESSION_IDLE_MS,
                                    .clock = clock_fake(&f->clock),
                                    .random = random_fake(&f->random)};
    f->h = mcp_http_new(f->mcp, &http);
    assert_non_null(f->h);
}

static int set_up(void **state, mcp_access_port_t access, mcp_identity_t id)
{
    mcp_world_t *f = calloc(1, sizeof *f);
    access.ctx = f;
    f->a = arena_new(ARENA_BYTES);
    pthread_mutex_init(&f->trail.lock, NULL);
    pthread_mutex_init(&f->posts.lock, NULL);
    pthread_cond_init(&f->posts.some, NULL);
    make_server(f);
    mcp_http_protect(f->h, &id, access, (mcp_audit_port_t){record, &f->trail});
    assert_int_equal(mcp_server_start(f->mcp), RC_OK);
    assert_int_equal(mcp_http_worker_init(f->h, NULL, &f->worker), RC_OK);
    ((mcp_worker_t *)f->worker)->back = (post_port_t){post, &f->posts};
    f->d = http_direct_new(mcp_http_app(f->h), f->worker);
    *state = f;
    return f->d ? 0 : -1;
}

int mcp_world_setup(void **state)
{
    return set_up(state, (mcp_access_port_t){check, covers, insufficient, NULL, lives},
                  (mcp_identity_t){STR("https://rs.test/mcp"), STR("rs.test"),
                                   STR("{\"resource\":\"https://rs.test/mcp\"}")});
}

int mcp_world_setup_open(void **state)
{
    return set_up(state, (mcp_access_port_t){0}, (mcp_identity_t){.resource = STR("http://x/mcp")});
}

int mcp_world_teardown(void **state)
{
    mcp_world_t *f = *state;
    atomic_store(&f->hold, false);
    mcp_http_worker_drain(f->h, f->worker);
    http_direct_free(f->d);
    mcp_server_stop(f->mcp);
    mcp_pump_some(f);
    mcp_http_worker_exit(f->h, f->worker);
    mcp_http_free(f->h);
    warder_mcp_free(f->mcp);
    arena_free(f->a);
    pthread_mutex_destroy(&f->trail.lock);
    pthread_mutex_destroy(&f->posts.lock);
    pthread_cond_destroy(&f->posts.some);
    free(f);
    return 0;
}

/* Asking */

str_t mcp_bytes(mcp_world_t *f, const char *method, const char *headers, const char *body)
{
    return arena_printf(
        f->a,
        "%s /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: application/json, text/event-stream\r\n"
        "%s%sContent-Length: %zu\r\n\r\n%s",
        method, headers, *body ? "Content-Type: application/json\r\n" : "", strlen(body), body);
}

static http_direct_answer_t run(mcp_world_t *f, str_t request)
{
    http_direct_answer_t r;
    http_direct_reset(f->d);
    http_direct_send(f->d, request);
    mcp_pump(f, f->d, NULL);
    assert_int_equal(http_direct_parse(f->a, arena_dup(f->a, http_direct_output(f->d)), &r), RC_OK);
    return r;
}

http_direct_answer_t mcp_send(mcp_world_t *f, const char *method, const char *headers,
                              const char *body)
{
    return run(f, mcp_bytes(f, method, headers, body));
}

http_direct_answer_t mcp_raw(mcp_world_t *f, const char *request)
{
    return run(f, str_c(request));
}

http_direct_t *mcp_open(mcp_world_t *f, str_t request, const char *want)
{
    http_direct_t *d = http_direct_new(mcp_http_app(f->h), f->worker);
    assert_non_null(d);
    http_direct_send(d, request);
    if (want)
        mcp_pump(f, d, want);
    return d;
}

str_t mcp_session_with(mcp_world_t *f, const char *who, const char *initialize)
{
    http_direct_answer_t r = mcp_send(f, "POST", who, initialize);
    assert_int_equal(r.status, 200);
    str_t id = http_headers_get(r.headers, STR("Mcp-Session-Id"));
    assert_true(id.n >= 27);
    return arena_dup(f->a, id);
}

str_t mcp_session_of(mcp_world_t *f, const char *who)
{
    return mcp_session_with(f, who, INIT);
}

const char *mcp_with_session(mcp_world_t *f, const char *who, str_t session)
{
    return arena_printf(f->a, "%sMcp-Session-Id: %.*s\r\n", who, STR_ARG(session)).p;
}

int64_t mcp_error_code(mcp_world_t *f, const http_direct_answer_t *r)
{
    const json_t *root;
    int64_t code = 0;
    assert_int_equal(json_parse(f->a, r->body, NULL, &root), RC_OK);
    json_get_i64(json_get(root, STR("error")), STR("code"), &code);
    return code;
}

unsigned mcp_times(const http_direct_t *d, const char *part)
{
    unsigned n = 0;
    str_t out = http_direct_output(d);
    size_t length = strlen(part);
    for (size_t i = 0; i + length <= out.n; i++)
        n += memcmp(out.p + i, part, length) == 0;
    return n;
}

size_t mcp_trail_count(mcp_world_t *f)
{
    pthread_mutex_lock(&f->trail.lock);
    size_t n = f->trail.n;
    pthread_mutex_unlock(&f->trail.lock);
    return n;
}

void assert_last_event(mcp_world_t *f, audit_kind_t kind, bool allowed, const char *reason)
{
    size_t n = mcp_trail_count(f);
    assert_true(n > 0);
    assert_int_equal(f->trail.v[n - 1].kind, kind);
    assert_int_equal(f->trail.v[n - 1].allowed, allowed);
    assert_string_equal(f->trail.reason[n - 1], reason);
}

void mcp_control(mcp_world_t *f)
{
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, CALL(",\"arguments\":{\"text\":\"hi\"}"));
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"text\":\"hi\"")));
}
