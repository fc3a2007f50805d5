/* The adapter over the real library: tokens signed here, keys from a network of the test's making,
 * and a loop that runs when the test says so. */
#include "kit/access.h"

#include "oauth/oauth_test_dpop.h"
#include "rs/rs_test_world.h"
#include "kit/kit_test_post.h"

#include "core/b64.h"
#include "jose/digest.h"

#include <stdlib.h>

enum { ARENA_BYTES = 4 << 20, HEADERS = 6, POOL_QUEUE = 4 };

typedef struct {
    world_t *w;
    kit_access_t access;
    loop_t loop;
    http_exchange_t x;
    http_header_t headers[HEADERS];
    unsigned done;
    mcp_access_t got;
} fixture_t;

static post_port_t back(http_exchange_t *x)
{
    return loop_port(x->app);
}

static int setup(void **state)
{
    void *w;
    fixture_t *f = calloc(1, sizeof *f);
    if (!f || world_setup(&w) != 0)
        return -1;
    f->w = w;
    world_open(f->w);
    pthread_mutex_init(&f->loop.lock, NULL);
    f->access.rs = f->w->rs;
    f->access.pool = http_pool_new(1, POOL_QUEUE);
    f->access.back = back;
    f->x = (http_exchange_t){.arena = arena_new(ARENA_BYTES), .app = &f->loop};
    f->x.headers = (http_headers_t){f->headers, 0};
    *state = f;
    return f->x.arena && f->access.pool ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    void *w = f->w;
    http_pool_free(f->access.pool);
    arena_free(f->x.arena);
    pthread_mutex_destroy(&f->loop.lock);
    free(f);
    return world_teardown(&w);
}

static void on_done(void *arg, const mcp_access_t *verdict)
{
    fixture_t *f = arg;
    f->done++;
    f->got = *verdict;
}

static void add_header(fixture_t *f, const char *name, str_t value)
{
    f->headers[f->x.headers.n++] = (http_header_t){str_c(name), value};
}

static void begin(fixture_t *f)
{
    mcp_access_port_t p = kit_access_port(&f->access);
    p.check(p.ctx, &f->x, on_done, f);
}

/* The verdict on one more request with this token. */
static void ask(fixture_t *f, const char *token)
{
    unsigned want = f->done + 1;
    f->x.headers.n = 0;
    add_header(f, "Host", STR("rs.test"));
    if (token)
        add_header(f, "authorization", arena_printf(f->w->a, "Bearer %s", token));
    begin(f);
    assert_true(loop_until(&f->loop, &f->done, want));
    assert_int_equal(f->done, want);
}

static void assert_str(str_t got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("'%.*s' is not '%s'", STR_ARG(got), want);
}

static const char *good_token(fixture_t *f)
{
    return world_sign(f->w, &f->w->key, W_GOOD);
}

static void assert_taken(fixture_t *f)
{
    ask(f, good_token(f));
    assert_true(f->got.allowed);
}

/* RFC 9470 section 3 */
static void people_may_have_to_sign_in_anew(void **state)
{
    fixture_t *f = *state;
    f->access.max_age_s = 60;
    f->access.acr_values = "urn:a";
    ask(f, good_token(f));
    assert_false(f->got.allowed);
    assert_int_equal(f->got.status, 401);
    assert_str(f->got.error, "insufficient_user_authentication");
    assert_true(str_contains(f->got.challenge, STR("acr_values=\"urn:a\", max_age=\"60\"")));
    ask(f, world_sign(f->w, &f->w->key,
                      "{" W_WHO W_AUD W_TIME ",\"acr\":\"urn:a\",\"auth_time\":1699999990}"));
    assert_true(f->got.allowed);
}

static void good_token_is_taken_with_its_names(void **state)
{
    fixture_t *f = *state;
    assert_taken(f);
    assert_str(f->got.issuer, W_ISSUER);
    assert_str(f->got.subject, "alice");
    assert_str(f->got.client, "c1");
    assert_str(f->got.scope, "files:read");
    assert_str(f->got.token_id, "j1");
    assert_int_equal(f->got.expires_at, 1700000600);
    /* Once keys are known the verdict comes within the call. */
    unsigned before = f->done;
    begin(f);
    assert_int_equal(f->done, before + 1);
    assert_true(f->got.allowed);
}

static void no_token(void **state)
{
    fixture_t *f = *state;
    ask(f, NULL);
    assert_false(f->got.allowed);
    assert_int_equal(f->got.status, 401);
    assert_null(f->got.error.p);
    assert_str(f->got.reason, "no_token");
    assert_true(
        str_contains(f->got.challenge, STR("resource_metadata=\"https://rs.test/.well-known/"
                                           "oauth-protected-resource/mcp\"")));
    assert_true(str_contains(f->got.challenge, STR("scope=\"files:read\"")));
    assert_false(str_contains(f->got.challenge, STR("error")));
    assert_taken(f);
}

static void bad_token(void **state)
{
    fixture_t *f = *state;
    ask(f, "x.y.z");
    assert_int_equal(f->got.status, 401);
    assert_str(f->got.error, "invalid_token");
    assert_null(f->got.subject.p);
    ask(f, world_sign(f->w, &f->w->key, "{" W_WHO W_TIME ",\"aud\":\"https://other.test\"}"));
    assert_int_equal(f->got.status, 401);
    assert_taken(f);
}

static void authorization_repeated(void **state)
{
    fixture_t *f = *state;
    str_t value = arena_printf(f->w->a, "Bearer %s", good_token(f));
    f->x.headers.n = 0;
    for (int i = 0; i < HEADERS; i++) /* more than are read */
        add_header(f, "Authorization", value);
    begin(f);
    assert_int_equal(f->done, 1);
    assert_int_equal(f->got.status, 400);
    assert_str(f->got.error, "invalid_request");
    assert_taken(f);
}

static void authorization_with_a_nul(void **state)
{
    fixture_t *f = *state;
    f->x.headers.n = 0;
    add_header(f, "Authorization", STR("Bearer a\0b"));
    begin(f);
    assert_false(f->got.allowed);
    assert_int_equal(f->done, 1);
}

static void keys_away(void **state)
{
    fixture_t *f = *state;
    str_t keys = f->w->pages[0].body;
    world_page(f->w, W_JWKS, STR_UNSET);
    ask(f, good_token(f));
    assert_false(f->got.allowed);
    assert_int_equal(f->got.status, 503);
    assert_null(f->got.challenge.p);
    assert_str(f->got.reason, "keys_away");
    assert_int_equal(f->got.retry_after_s, 10);
    world_page(f->w, W_JWKS, keys);
    world_pass(f->w, 11); /* the pause between two fetches */
    assert_taken(f);
}

static atomic_bool GATE;

static void wait_for_gate(world_t *w)
{
    const struct timespec pause = {0, 1000000};
    (void)w;
    while (atomic_load(&GATE))
        nanosleep(&pause, NULL);
}

/* One thread is fetching, POOL_QUEUE wait: the next is turned away, and those who wait are not. */
static void full_pool_is_503(void **state)
{
    fixture_t *f = *state;
    unsigned asked = 0;
    f->w->during_fetch = wait_for_gate;
    add_header(f, "Authorization", arena_printf(f->w->a, "Bearer %s", good_token(f)));
    atomic_store(&GATE, true);
    while (f->done == 0 && asked < 2 * POOL_QUEUE) {
        begin(f);
        asked++;
    }
    assert_int_equal(f->done, 1);
    assert_int_equal(f->got.status, 503);
    assert_int_equal(f->got.retry_after_s, 10);
    assert_true(asked == POOL_QUEUE + 1 || asked == POOL_QUEUE + 2);
    atomic_store(&GATE, false);
    assert_true(loop_until(&f->loop, &f->done, asked));
    assert_true(f->got.allowed);
    f->w->during_fetch = NULL;
    assert_taken(f);
}

/* attack case: JWT-026: a stranger invents key ids while the authorization server hangs. */
static void invented_key_ids_starve_no_good_token(void **state)
{
    fixture_t *f = *state;
    jwk_t stranger = world_key(f->w, ALG_ES256, "k9");
    assert_taken(f);
    world_pass(f->w, 11); /* so that an unknown id is looked for */
    f->w->during_fetch = wait_for_gate;
    atomic_store(&GATE, true);
    f->x.headers.n = 0;
    add_header(f, "Authorization",
               arena_printf(f->w->a, "Bearer %s", world_sign(f->w, &stranger, W_GOOD)));
    unsigned before = f->done, asked = 0;
    while (f->done == before && asked++ < 2 * POOL_QUEUE)
        begin(f);
    assert_int_equal(f->done, before + 1); /* the pool is full */
    assert_int_equal(f->got.status, 503);
    f->headers[0].value = arena_printf(f->w->a, "Bearer %s", good_token(f));
    begin(f);
    assert_int_equal(f->done, before + 2); /* within the call */
    assert_true(f->got.allowed);
    atomic_store(&GATE, false);
    assert_true(loop_until(&f->loop, &f->done, before + asked + 1));
    assert_int_equal(f->got.status, 401); /* those who waited know now */
    f->w->during_fetch = NULL;
    assert_taken(f);
}

static void due_keys_are_fetched_while_the_old_serve(void **state)
{
    fixture_t *f = *state;
    assert_taken(f);
    unsigned fetched = f->w->fetches;
    world_pass(f->w, 301); /* keys_fresh_s */
    unsigned before = f->done;
    begin(f);
    assert_int_equal(f->done, before + 1); /* not a moment later */
    assert_true(f->got.allowed);
    for (int i = 0; i < 60000 && atomic_load(&f->access.refreshing); i++) {
        const struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
        loop_step(&f->loop);
    }
    assert_false(atomic_load(&f->access.refreshing));
    assert_true(f->w->fetches > fetched);
}

static void no_memory_is_503(void **state)
{
    fixture_t *f = *state;
    arena_t *whole = f->x.arena;
    assert_taken(f); /* so that keys are known */
    size_t refused = 0, taken = 0;
    for (size_t budget = 1; budget < 4096; budget += 8) {
        f->x.arena = arena_new(budget);
        f->got = (mcp_access_t){0};
        unsigned before = f->done;
        begin(f);
        assert_int_equal(f->done, before + 1);
        refused += !f->got.allowed;
        taken += f->got.allowed;
        if (f->got.allowed)
            assert_str(f->got.subject, "alice");
        else
            assert_int_equal(f->got.status, 503);
        arena_free(f->x.arena);
    }
    f->x.arena = whole;
    assert_true(refused > 0 && taken > 0);
}

static void scopes_are_covered_with_wildcards(void **state)
{
    fixture_t *f = *state;
    mcp_access_port_t p = kit_access_port(&f->access);
    char big[9000];
    assert_true(p.covers(p.ctx, STR("news:read other"), STR("news:read")));
    assert_true(p.covers(p.ctx, STR("news:*"), STR("news:read")));
    assert_false(p.covers(p.ctx, STR("news:readx"), STR("news:read")));
    assert_false(p.covers(p.ctx, STR_UNSET, STR("news:read")));
    assert_false(p.covers(p.ctx, STR("x\0 news:read"), STR("news:read")));
    memset(big, 'a', sizeof big);
    assert_false(p.covers(p.ctx, str_of(big, sizeof big), STR("news:read")));
    assert_false(p.covers(p.ctx, STR("news:*"), str_of(big, 300)));
}

static void insufficient_names_what_is_needed(void **state)
{
    fixture_t *f = *state;
    mcp_access_port_t p = kit_access_port(&f->access);
    str_t c = p.insufficient(p.ctx, f->x.arena, &f->got, STR("sentiment:analyze"));
    assert_true(str_contains(c, STR("error=\"insufficient_scope\"")));
    assert_true(str_contains(c, STR("scope=\"sentiment:analyze\"")));
    assert_true(str_contains(c, STR("resource_metadata=")));
    arena_t *none = arena_new(1);
    assert_null(p.insufficient(p.ctx, none, &f->got, STR("sentiment:analyze")).p);
    arena_free(none);
}

/* RS-41: for clients that ask for what a challenge names and nothing else. */
static void insufficient_may_repeat_what_is_granted(void **state)
{
    fixture_t *f = *state;
    world_t *w = f->w;
    w->config.repeat_scopes = true;
    world_open(w);
    f->access.rs = w->rs;
    ask(f, world_sign(w, &w->key, "{" W_WHO W_AUD W_TIME ",\"scope\":\"news:read a\"}"));
    assert_true(f->got.allowed);
    mcp_access_port_t p = kit_access_port(&f->access);
    str_t c = p.insufficient(p.ctx, f->x.arena, &f->got, STR("sentiment:analyze"));
    assert_true(str_contains(c, STR("scope=\"news:read a sentiment:analyze\"")));
}

/* attack cases: RDP-003, RDP-006 */
static void a_bound_token_needs_its_proof(void **state)
{
    fixture_t *f = *state;
    world_t *w = f->w;
    uint8_t digest[SHA256_BYTES];
    w->config.dpop = WARDER_RS_DPOP_OPTIONAL;
    w->config.dpop_nonce = false;
    world_open(w);
    f->access.rs = w->rs;
    jwk_t key = dpop_test_key(w->a, ALG_ES256);
    str_t jkt = dpop_test_jkt(w->a, &key);
    str_t claims = arena_printf(w->a, "{" W_WHO W_AUD W_TIME ",\"cnf\":{\"jkt\":\"%" PRIstr "\"}}",
                                STR_ARG(jkt));
    const char *token = world_sign(w, &w->key, claims.p);
    ask(f, token);
    assert_false(f->got.allowed);
    assert_str(f->got.reason, "token_bound");
    sha256(str_c(token), digest);
    str_t ath = b64url_encode(w->a, digest, sizeof digest);
    str_t more = arena_printf(w->a, ",\"ath\":\"%" PRIstr "\"", STR_ARG(ath));
    f->x.headers.n = 0;
    f->x.method = HTTP_POST;
    add_header(f, "Host", STR("internal:8081"));
    add_header(f, "X-Forwarded-Host", STR("evil.test"));
    add_header(f, "Authorization", arena_printf(w->a, "DPoP %s", token));
    add_header(f, "DPOP", dpop_test_good(w->a, &key, W_RESOURCE, W_NOW_S, more.p));
    begin(f);
    assert_true(f->got.allowed);
    assert_str(f->got.key, jkt.p);
    mcp_access_port_t p = kit_access_port(&f->access);
    str_t c = p.insufficient(p.ctx, f->x.arena, &f->got, STR("sentiment:analyze"));
    assert_true(str_starts(c, STR("DPoP error=\"insufficient_scope\"")));
    begin(f);
    assert_str(f->got.reason, "dpop_replayed");
    f->x.method = HTTP_GET;
    begin(f);
    assert_str(f->got.reason, "dpop_method");
}

#define ACCESS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACCESS_TEST(people_may_have_to_sign_in_anew),
        ACCESS_TEST(good_token_is_taken_with_its_names),
        ACCESS_TEST(no_token),
        ACCESS_TEST(bad_token),
        ACCESS_TEST(authorization_repeated),
        ACCESS_TEST(authorization_with_a_nul),
        ACCESS_TEST(keys_away),
        ACCESS_TEST(full_pool_is_503),
        ACCESS_TEST(invented_key_ids_starve_no_good_token),
        ACCESS_TEST(due_keys_are_fetched_while_the_old_serve),
        ACCESS_TEST(no_memory_is_503),
        ACCESS_TEST(scopes_are_covered_with_wildcards),
        ACCESS_TEST(insufficient_names_what_is_needed),
        ACCESS_TEST(insufficient_may_repeat_what_is_granted),
        ACCESS_TEST(a_bound_token_needs_its_proof),
    };
    return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
