#include "proxy/credential.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { POSTS_MAX = 64, ASKS_MAX = 16 };

#define BEARER                                                                                     \
    "\"token_type\":\"Bearer\",\"issued_token_type\":"                                             \
    "\"urn:ietf:params:oauth:token-type:access_token\""

/* A loop of its own for the test's thread, and a token endpoint that waits until it is let go. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t turn;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } posts[POSTS_MAX];
    size_t n_posts;
    bool held;
    http_fetch_fake_row_t row;
    http_fetch_fake_t fake;
    http_fetch_request_t seen;
    char host[64];
    clock_fake_t clock;
    random_fake_t random;
    unsigned signatures;
    char log[4096];
    log_t to_log;
    conf_policy_t policy;
    conf_upstream_t upstream;
    http_pool_t *pool;
    credential_t *c;
    arena_t *a;
    size_t n_done;
    struct {
        credential_answer_t answer;
        bool done;
    } asks[ASKS_MAX];
    size_t n_asks;
} world_t;

static rc_t post(void *ctx, void (*fn)(void *arg), void *arg)
{
    world_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    assert_true(w->n_posts < POSTS_MAX);
    w->posts[w->n_posts].fn = fn;
    w->posts[w->n_posts++].arg = arg;
    pthread_cond_broadcast(&w->turn);
    pthread_mutex_unlock(&w->lock);
    return RC_OK;
}

static rc_t fetch(void *ctx, arena_t *a, const http_fetch_request_t *req, http_fetch_result_t *out)
{
    world_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    while (w->held)
        pthread_cond_wait(&w->turn, &w->lock);
    http_fetch_port_t fake = http_fetch_fake(&w->fake);
    rc_t rc = fake.get(fake.ctx, a, req, out);
    snprintf(w->host, sizeof w->host, "%.*s", STR_ARG(req->private_hosts.v[0]));
    pthread_mutex_unlock(&w->lock);
    return rc;
}

static void write_log(void *ctx, str_t line)
{
    world_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    snprintf(w->log + strlen(w->log), sizeof w->log - strlen(w->log), "%.*s", STR_ARG(line));
    pthread_mutex_unlock(&w->lock);
}

static rc_t sign(void *ctx, arena_t *a, str_t typ, str_t claims, str_t *jwt)
{
    world_t *w = ctx;
    assert_true(str_eq(typ, STR("warder-identity+jwt")));
    assert_true(str_contains(claims, STR("\"aud\":\"http://up/mcp\"")));
    *jwt = arena_printf(a, "jwt%u", ++w->signatures);
    return RC_OK;
}

static int setup(void **state)
{
    world_t *w = calloc(1, sizeof *w);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->turn, NULL);
    w->clock.ms = 1000000;
    w->to_log = (log_t){.write = write_log, .ctx = w};
    w->a = arena_new(16 << 20);
    w->pool = http_pool_new(2, 16);
    w->row = (http_fetch_fake_row_t){.url = "https://as.test/token",
                                     .status = 200,
                                     .body = "{\"access_token\":\"backend-token\"," BEARER
                                             ",\"expires_in\":300}"};
    w->fake = (http_fetch_fake_t){.rows = &w->row, .n = 1};
    w->upstream = (conf_upstream_t){.path = STR("/mcp"),
                                    .url = STR("http://up/mcp"),
                                    .policy = &w->policy,
                                    .identity_header = STR("X-Warder-Identity"),
                                    .credential = {.header = STR("Authorization"),
                                                   .prefix = STR("Bearer "),
                                                   .client_id = STR("gw"),
                                                   .secret = {STR_INIT("gateway-secret")},
                                                   .token_endpoint = STR("https://as.test/token")}};
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_t *w = *state;
    http_pool_free(w->pool);
    credential_free(w->c);
    arena_free(w->a);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->turn);
    free(w);
    return 0;
}

static void open_kind(world_t *w, conf_credential_kind_t kind)
{
    w->upstream.credential.kind = kind;
    const credential_config_t config = {
        .upstream = &w->upstream,
        .pool = w->pool,
        .fetch = {fetch, w},
        .log = &w->to_log,
        .clock = clock_fake(&w->clock),
        .random = random_fake(&w->random),
        .sign = sign,
        .sign_ctx = w,
        .issuer = STR("https://gw"),
    };
    assert_int_equal(credential_new(&config, &w->c), RC_OK);
}

static gate_principal_t caller(world_t *w, const char *subject)
{
    gate_principal_t who = {.issuer = STR("https://as.test"),
                            .subject = str_c(subject),
                            .client = STR("app"),
                            .scope = STR("a b"),
                            .expires_at = 2000};
    assert_int_equal(json_parse(w->a, STR("{}"), NULL, &who.claims), RC_OK);
    return who;
}

typedef struct {
    world_t *w;
    size_t i;
} mine_t;

static void on_done(void *arg, const credential_answer_t *answer)
{
    const mine_t *m = arg;
    assert_false(m->w->asks[m->i].done);
    m->w->asks[m->i].answer = *answer;
    m->w->asks[m->i].done = true;
    m->w->n_done++;
}

static size_t ask(world_t *w, const gate_principal_t *who)
{
    mine_t *m = ARENA_NEW(w->a, mine_t);
    *m = (mine_t){w, w->n_asks++};
    assert_true(m->i < ASKS_MAX);
    credential_ask_t a = {.a = w->a,
                          .back = {post, w},
                          .who = who,
                          .token = STR("caller-token"),
                          .done = on_done,
                          .arg = m};
    credential_ask(w->c, &a);
    return m->i;
}

/* Runs what was posted until `n` asks are done; a minute is too long. */
static void run_until(world_t *w, size_t n)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&w->lock);
    while (w->n_done < n) {
        while (w->n_posts == 0)
            assert_int_equal(pthread_cond_timedwait(&w->turn, &w->lock, &until), 0);
        void (*fn)(void *arg) = w->posts[--w->n_posts].fn;
        void *arg = w->posts[w->n_posts].arg;
        pthread_mutex_unlock(&w->lock);
        fn(arg);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
}

static const credential_answer_t *answer_of(world_t *w, const gate_principal_t *who)
{
    size_t i = ask(w, who);
    run_until(w, w->n_asks);
    return &w->asks[i].answer;
}

static void hold(world_t *w, bool held)
{
    pthread_mutex_lock(&w->lock);
    w->held = held;
    pthread_cond_broadcast(&w->turn);
    pthread_mutex_unlock(&w->lock);
}

static void gives(const credential_answer_t *a, const char *name, const char *value)
{
    assert_int_equal(a->rc, RC_OK);
    for (size_t i = 0; i < a->n; i++) {
        if (!str_eq(a->fields[i].name, str_c(name)))
            continue;
        if (!str_eq(a->fields[i].value, str_c(value)))
            fail_msg("%.*s instead of %s", STR_ARG(a->fields[i].value), value);
        return;
    }
    fail_msg("no %s", name);
}

static void refuses(const credential_answer_t *a, rc_t rc, const char *reason)
{
    assert_int_equal(a->rc, rc);
    assert_int_equal(a->n, 0);
    if (!str_eq(a->reason, str_c(reason)))
        fail_msg("%.*s instead of %s", STR_ARG(a->reason), reason);
}

static void no_credential_is_no_field(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice");
    open_kind(w, CONF_CREDENTIAL_NONE);
    assert_int_equal(answer_of(w, &alice)->rc, RC_OK);
    assert_int_equal(w->asks[0].answer.n, 0);
}

static void a_static_secret_is_sent_as_it_is(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice");
    w->upstream.credential.header = STR("X-Api-Key");
    w->upstream.credential.prefix = STR("");
    open_kind(w, CONF_CREDENTIAL_STATIC);
    gives(answer_of(w, &alice), "X-Api-Key", "gateway-secret");
    assert_int_equal(w->fake.calls, 0);
}

static void one_token_serves_all_callers(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice"), bob = caller(w, "bob");
    open_kind(w, CONF_CREDENTIAL_CLIENT_CREDENTIALS);
    hold(w, true);
    ask(w, &alice);
    ask(w, &bob);
    ask(w, &alice);
    assert_int_equal(w->n_done, 0);
    hold(w, false);
    run_until(w, 3);
    for (size_t i = 0; i < 3; i++)
        gives(&w->asks[i].answer, "Authorization", "Bearer backend-token");
    gives(answer_of(w, &bob), "Authorization", "Bearer backend-token");
    assert_int_equal(w->fake.calls, 1);
    assert_string_equal(w->fake.form, "grant_type=client_credentials");
    assert_string_equal(w->fake.authorization, "Basic Z3c6Z2F0ZXdheS1zZWNyZXQ=");
    assert_string_equal(w->host, "as.test");
}

static void a_token_is_fetched_anew_before_it_expires(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice");
    open_kind(w, CONF_CREDENTIAL_CLIENT_CREDENTIALS);
    gives(answer_of(w, &alice), "Authorization", "Bearer backend-token");
    w->clock.ms += 269000;
    gives(answer_of(w, &alice), "Authorization", "Bearer backend-token");
    assert_int_equal(w->fake.calls, 1);
    w->clock.ms += 1000;
    gives(answer_of(w, &alice), "Authorization", "Bearer backend-token");
    assert_int_equal(w->fake.calls, 2);
}

/* attack case: GWM-001 */
static void each_caller_has_a_token_of_their_own(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice"), bob = caller(w, "bob"), other = alice;
    other.issuer = STR("https://other.test");
    open_kind(w, CONF_CREDENTIAL_TOKEN_EXCHANGE);
    gives(answer_of(w, &alice), "Authorization", "Bearer backend-token");
    assert_non_null(strstr(w->fake.form, "subject_token=caller-token"));
    assert_non_null(strstr(w->fake.form, "scope=a+b"));
    gives(answer_of(w, &bob), "Authorization", "Bearer backend-token");
    gives(answer_of(w, &other), "Authorization", "Bearer backend-token");
    assert_int_equal(w->fake.calls, 3);
    gives(answer_of(w, &alice), "Authorization", "Bearer backend-token");
    assert_int_equal(w->fake.calls, 3);
    alice.scope = STR("a b c"); /* after a step-up */
    gives(answer_of(w, &alice), "Authorization", "Bearer backend-token");
    assert_int_equal(w->fake.calls, 4);
}

/* attack case: GWM-017 */
static void an_answer_that_grants_more_is_refused(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice");
    open_kind(w, CONF_CREDENTIAL_TOKEN_EXCHANGE);
    w->row.body = "{\"access_token\":\"t\"," BEARER ",\"scope\":\"a admin\"}";
    refuses(answer_of(w, &alice), RC_IO, "credential_scope_wider");
    refuses(answer_of(w, &alice), RC_IO, "credential_scope_wider");
    assert_int_equal(w->fake.calls, 1); /* remembered */
    w->row.body = "{\"access_token\":\"caller-token\"," BEARER "}";
    w->clock.ms += 5000;
    refuses(answer_of(w, &alice), RC_IO, "credential_passthrough");
    w->row.body = "{\"access_token\":\"t\"," BEARER ",\"scope\":\"a\"}";
    w->clock.ms += 5000;
    gives(answer_of(w, &alice), "Authorization", "Bearer t");
}

static void failures_are_remembered_for_seconds(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice");
    open_kind(w, CONF_CREDENTIAL_CLIENT_CREDENTIALS);
    w->row.status = 503;
    refuses(answer_of(w, &alice), RC_IO, "credential_unavailable");
    refuses(answer_of(w, &alice), RC_IO, "credential_unavailable");
    assert_int_equal(w->fake.calls, 1);
    w->clock.ms += 2000;
    w->row.status = 400;
    refuses(answer_of(w, &alice), RC_IO, "credential_refused");
    w->clock.ms += 5000;
    w->row.status = 200;
    gives(answer_of(w, &alice), "Authorization", "Bearer backend-token");
    assert_int_equal(w->fake.calls, 3);
}

/* attack case: GWM-001 */
static void no_token_is_in_the_log(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice");
    open_kind(w, CONF_CREDENTIAL_TOKEN_EXCHANGE);
    w->row.body = "{\"access_token\":\"backend-token\"," BEARER ",\"scope\":\"admin\"}";
    refuses(answer_of(w, &alice), RC_IO, "credential_scope_wider");
    assert_non_null(strstr(w->log, "credential_scope_wider"));
    static const char *const SECRETS[] = {"caller-token", "backend-token", "gateway-secret",
                                          "Z3c6Z2F0ZXdheS1zZWNyZXQ"};
    for (size_t i = 0; i < sizeof SECRETS / sizeof *SECRETS; i++)
        assert_null(strstr(w->log, SECRETS[i]));
}

static void a_refused_token_is_dropped_unless_it_is_fresh(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice");
    open_kind(w, CONF_CREDENTIAL_TOKEN_EXCHANGE);
    gives(answer_of(w, &alice), "Authorization", "Bearer backend-token");
    credential_drop(w->c, &alice);
    gives(answer_of(w, &alice), "Authorization", "Bearer backend-token");
    assert_int_equal(w->fake.calls, 1);
    w->clock.ms += 5000;
    credential_drop(w->c, &alice);
    gives(answer_of(w, &alice), "Authorization", "Bearer backend-token");
    assert_int_equal(w->fake.calls, 2);
}

static void what_nobody_may_have_is_not_asked_for(void **state)
{
    world_t *w = *state;
    static const str_t NEEDED[] = {STR_INIT("orders:write")};
    const conf_gate_rule_t rule = {.scopes = {NEEDED, 1}};
    gate_principal_t alice = caller(w, "alice");
    w->policy = (conf_policy_t){.rules = &rule, .n_rules = 1};
    w->upstream.credential.scope = STR("orders:write");
    open_kind(w, CONF_CREDENTIAL_TOKEN_EXCHANGE);
    refuses(answer_of(w, &alice), RC_IO, "credential_scope_missing");
    assert_int_equal(w->fake.calls, 0);
    alice.scope = STR("orders:write");
    gives(answer_of(w, &alice), "Authorization", "Bearer backend-token");
}

static void a_full_pool_is_busy(void **state)
{
    world_t *w = *state;
    open_kind(w, CONF_CREDENTIAL_TOKEN_EXCHANGE);
    http_pool_t *small = http_pool_new(1, 1);
    hold(w, true);
    credential_free(w->c);
    http_pool_free(w->pool);
    w->pool = small;
    open_kind(w, CONF_CREDENTIAL_TOKEN_EXCHANGE);
    gate_principal_t who[8];
    for (size_t i = 0; i < 8; i++) {
        who[i] = caller(w, arena_printf(w->a, "caller%zu", i).p);
        ask(w, &who[i]);
    }
    assert_true(w->n_done >= 6);
    refuses(&w->asks[7].answer, RC_BUSY, "credential_busy");
    hold(w, false);
    run_until(w, 8);
    gives(&w->asks[0].answer, "Authorization", "Bearer backend-token");
}

static void identity_goes_with_the_credential(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice"), bob = caller(w, "bob");
    w->upstream.identity = CONF_IDENTITY_JWT;
    open_kind(w, CONF_CREDENTIAL_STATIC);
    gives(answer_of(w, &alice), "X-Warder-Identity", "jwt1");
    gives(answer_of(w, &alice), "X-Warder-Identity", "jwt1");
    gives(&w->asks[1].answer, "Authorization", "Bearer gateway-secret");
    gives(answer_of(w, &bob), "X-Warder-Identity", "jwt2");
    w->clock.ms += 60000; /* half of its life */
    gives(answer_of(w, &alice), "X-Warder-Identity", "jwt3");
    alice.scope = STR("a");
    gives(answer_of(w, &alice), "X-Warder-Identity", "jwt4");
}

static void plain_identity_goes_as_fields(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice");
    w->upstream.identity = CONF_IDENTITY_HEADERS;
    open_kind(w, CONF_CREDENTIAL_CLIENT_CREDENTIALS);
    const credential_answer_t *a = answer_of(w, &alice);
    gives(a, "X-Warder-Subject", "alice");
    gives(a, "X-Warder-Scope", "a b");
    gives(a, "Authorization", "Bearer backend-token");
    alice.subject = str_of(arena_alloc(w->a, 9000), 9000);
    refuses(answer_of(w, &alice), RC_IO, "identity_unsigned");
}

static void without_a_loop_nothing_is_fetched(void **state)
{
    world_t *w = *state;
    gate_principal_t alice = caller(w, "alice");
    open_kind(w, CONF_CREDENTIAL_CLIENT_CREDENTIALS);
    http_exchange_t x = {.arena = w->a};
    mine_t m = {w, w->n_asks++};
    credential_get(w->c, &x, &alice, STR("caller-token"), on_done, &m);
    refuses(&w->asks[0].answer, RC_BUSY, "credential_busy");
}

#define CREDENTIAL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CREDENTIAL_TEST(no_credential_is_no_field),
        CREDENTIAL_TEST(a_static_secret_is_sent_as_it_is),
        CREDENTIAL_TEST(one_token_serves_all_callers),
        CREDENTIAL_TEST(a_token_is_fetched_anew_before_it_expires),
        CREDENTIAL_TEST(each_caller_has_a_token_of_their_own),
        CREDENTIAL_TEST(an_answer_that_grants_more_is_refused),
        CREDENTIAL_TEST(failures_are_remembered_for_seconds),
        CREDENTIAL_TEST(no_token_is_in_the_log),
        CREDENTIAL_TEST(a_refused_token_is_dropped_unless_it_is_fresh),
        CREDENTIAL_TEST(what_nobody_may_have_is_not_asked_for),
        CREDENTIAL_TEST(a_full_pool_is_busy),
        CREDENTIAL_TEST(identity_goes_with_the_credential),
        CREDENTIAL_TEST(plain_identity_goes_as_fields),
        CREDENTIAL_TEST(without_a_loop_nothing_is_fetched),
    };
    return cmocka_run_group_tests_name("credential", tests, NULL, NULL);
}
