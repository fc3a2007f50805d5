/* Who comes in, over the real library: tokens signed here, and authorization servers of the test's
 * making. */
#include "proxy/access.h"

#include "core/b64.h"
#include "jose/digest.h"
#include "oauth/oauth_test_dpop.h"
#include "rs/rs_test_list.h"

#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARENA_BYTES = 4 << 20, POOL_QUEUE = 4 };

#define IDP        "https://idp.test/tenant"
#define IDP_CONFIG "https://idp.test/.well-known/oauth-authorization-server/tenant"
#define IDP_JWKS   "https://idp.test/keys"
#define IDP_ASK    "https://idp.test/introspect"
#define IDP_WHO    "\"iss\":\"" IDP "\",\"sub\":\"carol\""
#define JWT_HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\"}"

typedef struct {
    world_t *w;
    conf_upstream_t upstream;
    conf_provider_t provider;
    access_config_t config;
    access_t *access;
    arena_t *a; /* of the exchange */
    http_exchange_t x;
    http_header_t headers[2];
    unsigned done, local, remote;
    const char *answer; /* of introspection */
    bool private_asked; /* the last fetch was allowed to go to inner addresses of its host */
    access_verdict_t got;
    access_proof_t spent; /* the last one that was to be remembered for all nodes */
    unsigned spends;
    rc_t spend_rc;
} fixture_t;

static int64_t now_ms(void *ctx)
{
    return ((fixture_t *)ctx)->w->wall_ms;
}

static int64_t mono_ms(void *ctx)
{
    return ((fixture_t *)ctx)->w->mono_ms;
}

static str_t page_of(const world_t *w, str_t url)
{
    for (size_t i = 0; i < W_PAGES; i++)
        if (w->pages[i].url && str_eq(str_c(w->pages[i].url), url))
            return w->pages[i].body;
    return STR_UNSET;
}

static int64_t local(void *ctx, str_t url, char *body, size_t cap)
{
    fixture_t *f = ctx;
    str_t page = page_of(f->w, url);
    f->local++;
    if (!page.p || page.n > cap)
        return -1;
    memcpy(body, page.p, page.n);
    return (int64_t)page.n;
}

static rc_t get(void *ctx, arena_t *a, const http_fetch_request_t *req, http_fetch_result_t *out)
{
    fixture_t *f = ctx;
    str_t page = str_is_set(req->form) ? str_c(f->answer) : page_of(f->w, req->url);
    (void)a;
    f->remote++;
    f->private_asked = str_list_has(req->private_hosts, STR("idp.test:443"));
    *out = (http_fetch_result_t){
        .verdict = page.p ? HTTP_FETCH_OK : HTTP_FETCH_FAILED, .status = 200, .body = page};
    return RC_OK;
}

static int setup(void **state)
{
    void *w;
    fixture_t *f = calloc(1, sizeof *f);
    if (!f || world_setup(&w) != 0)
        return -1;
    f->w = w;
    f->upstream = (conf_upstream_t){.path = STR("/mcp"), .name = STR("Files")};
    f->config = (access_config_t){
        .claims = true,
        .upstream = &f->upstream,
        .resource = STR(W_RESOURCE),
        .issuer = STR(W_ISSUER),
        .local = {local, f},
        .initial_scopes = STR("files:read"),
        .scopes = STR("files:read files:write"),
        .fetch = {get, f},
        .clock = {now_ms, mono_ms, f},
    };
    list_is(f->w, "https://as.test/revocations?since=0", 0, NULL, 0);
    world_page(f->w, W_METADATA, STR(LIST_METADATA));
    f->a = arena_new(ARENA_BYTES);
    f->x = (http_exchange_t){.method = HTTP_POST, .arena = f->a};
    f->x.headers = (http_headers_t){f->headers, 0};
    *state = f;
    return f->a ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    void *w = f->w;
    access_free(f->access);
    arena_free(f->a);
    free(f);
    return world_teardown(&w);
}

static void open_access(fixture_t *f)
{
    str_t why;
    if (access_new(f->w->a, &f->config, &f->access, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
}

/* Tokens of a provider in place of this server's. */
static void open_provider(fixture_t *f)
{
    f->upstream.providers = &f->provider;
    f->upstream.n_providers = 1;
    f->provider.issuer = STR(IDP);
    world_page(f->w, IDP_CONFIG, STR("{\"issuer\":\"" IDP "\",\"jwks_uri\":\"" IDP_JWKS "\"}"));
    world_page(f->w, IDP_JWKS, page_of(f->w, STR(W_JWKS)));
    open_access(f);
}

static void on_done(void *arg, const access_verdict_t *verdict)
{
    fixture_t *f = arg;
    f->done++;
    f->got = *verdict;
}

static void ask(fixture_t *f, const char *token)
{
    unsigned want = f->done + 1;
    f->headers[0] = (http_header_t){STR("authorization"), STR_UNSET};
    f->headers[0].value = arena_printf(f->a, "Bearer %s", token ? token : "");
    f->x.headers.n = token ? 1 : 0;
    access_check(f->access, &f->x, on_done, f);
    assert_int_equal(f->done, want);
}

static void assert_str(str_t got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("'%" PRIstr "' is not '%s'", STR_ARG(got), want);
}

static void assert_in(fixture_t *f, const char *token)
{
    ask(f, token);
    if (!f->got.allowed)
        fail_msg("%" PRIstr, STR_ARG(f->got.reason));
}

static void assert_out(fixture_t *f, const char *token, int status, const char *reason)
{
    ask(f, token);
    assert_false(f->got.allowed);
    assert_str(f->got.reason, reason);
    assert_int_equal(f->got.status, status);
    assert_int_equal(str_is_set(f->got.challenge), status != 503);
}

static const char *own(fixture_t *f)
{
    return world_sign(f->w, &f->w->key,
                      "{" W_WHO W_AUD W_TIME ",\"scope\":\"files:read\",\"groups\":[\"staff\"]}");
}

static void own_tokens_without_a_connection(void **state)
{
    fixture_t *f = *state;
    open_access(f);
    for (int i = 0; i < 2; i++) { /* verified, and remembered */
        assert_in(f, own(f));
        assert_str(f->got.who.issuer, W_ISSUER);
        assert_str(f->got.who.subject, "alice");
        assert_str(f->got.who.client, "c1");
        assert_str(f->got.who.scope, "files:read");
        assert_str(f->got.who.token, "j1");
        assert_false(str_is_set(f->got.who.key));
        assert_int_equal(f->got.who.issued_at, W_NOW_S);
        assert_int_equal(f->got.who.expires_at, W_NOW_S + 600);
        assert_str(json_get(f->got.who.claims, STR("groups"))->raw, "[\"staff\"]");
    }
    assert_true(f->local > 0);
    assert_int_equal(f->remote, 0);
}

/* attack case: a host that begins like this server's name is not it */
static void a_longer_host_is_not_this_server(void **state)
{
    fixture_t *f = *state;
    f->provider.issuer = STR("https://as.test.evil.example");
    f->upstream.providers = &f->provider;
    f->upstream.n_providers = 1;
    open_access(f);
    assert_out(f,
               world_sign(f->w, &f->w->key,
                          "{\"iss\":\"https://as.test.evil.example\",\"sub\":\"a\"" W_AUD W_TIME
                          "}"),
               503, "keys_away");
    assert_int_equal(f->local, 0);
    assert_true(f->remote > 0);
}

static void no_token_is_led_on(void **state)
{
    fixture_t *f = *state;
    open_access(f);
    assert_out(f, NULL, 401, "no_token");
    assert_str(f->got.challenge,
               "Bearer scope=\"files:read\", resource_metadata=\"https://rs.test/.well-known/"
               "oauth-protected-resource/mcp\", DPoP "
               "resource_metadata=\"https://rs.test/.well-known/oauth-protected-resource/mcp\", "
               "algs=\"ES256 EdDSA Ed25519 PS256\"");
    assert_non_null(f->got.who.claims);
}

static void foreign_tokens(void **state)
{
    fixture_t *f = *state;
    open_provider(f);
    assert_in(f, world_sign(f->w, &f->w->key, "{" IDP_WHO W_AUD W_TIME "}"));
    assert_str(f->got.who.subject, "carol");
    assert_true(f->private_asked);
    assert_int_equal(f->local, 0);
}

static void foreign_tokens_that_are_refused(void **state)
{
    fixture_t *f = *state;
    open_provider(f);
    jwk_t stranger = world_key(f->w, ALG_ES256, "k2"), forger = world_key(f->w, ALG_ES256, "k1");
    const struct {
        const char *token, *reason;
    } CASES[] = {
        {world_sign(f->w, &f->w->key, "{" IDP_WHO W_TIME ",\"aud\":\"https://rs.test/other\"}"),
         "jwt_aud"},
        {world_sign(f->w, &f->w->key, "{" IDP_WHO W_TIME "}"), "jwt_aud"},
        {world_sign(f->w, &f->w->key, "{" W_WHO W_AUD W_TIME "}"), "issuer_unknown"},
        {world_sign_as(f->w, &f->w->key, JWT_HEADER, "{" IDP_WHO W_AUD W_TIME "}"), "jwt_typ"},
        {world_sign(f->w, &f->w->key, "{" IDP_WHO W_AUD ",\"exp\":1699999000}"), "jwt_expired"},
        {world_sign(f->w, &f->w->key, "{" IDP_WHO W_AUD "}"), "jwt_no_exp"},
        {world_sign(f->w, &stranger, "{" IDP_WHO W_AUD W_TIME "}"), "key_unknown"},
        {world_sign(f->w, &forger, "{" IDP_WHO W_AUD W_TIME "}"), "jws_signature"},
        {"opaque", "jws_parts"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_out(f, CASES[i].token, 401, CASES[i].reason);
    assert_in(f, world_sign(f->w, &f->w->key, "{" IDP_WHO W_AUD W_TIME "}"));
}

static void a_known_provider(void **state)
{
    static const str_t AUDIENCE[] = {STR_INIT("app-7")};
    fixture_t *f = *state;
    f->provider.profile = STR("cognito");
    f->provider.audiences = (str_list_t){AUDIENCE, 1};
    open_provider(f);
    const char *bare = "{\"alg\":\"ES256\",\"kid\":\"k1\"}";
    assert_in(f, world_sign_as(f->w, &f->w->key, bare,
                               "{" IDP_WHO W_TIME ",\"client_id\":\"app-7\",\"token_use\":"
                               "\"access\",\"cognito:groups\":[\"staff\"]}"));
    assert_str(f->got.who.client, "app-7");
    assert_str(json_get(f->got.who.claims, STR("groups"))->raw, "[\"staff\"]");
    assert_out(f,
               world_sign_as(f->w, &f->w->key, bare,
                             "{" IDP_WHO W_TIME ",\"aud\":\"app-7\",\"token_use\":\"id\"}"),
               401, "token_not_access");
}

static void providers_that_cannot_be(void **state)
{
    fixture_t *f = *state;
    str_t why;
    f->upstream.providers = &f->provider;
    f->upstream.n_providers = 1;
    f->provider = (conf_provider_t){.issuer = STR(IDP), .profile = STR("nobody")};
    assert_int_equal(access_new(f->a, &f->config, &f->access, &why), RC_CONFIG);
    assert_str(why,
               "upstream /mcp: there is no profile of that name; docs/PROVIDERS.md lists them");
    f->provider.profile = STR("google");
    assert_int_equal(access_new(f->a, &f->config, &f->access, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("cannot be checked by anybody else")));
    f->provider = (conf_provider_t){.issuer = STR("http://idp.example")};
    assert_int_equal(access_new(f->a, &f->config, &f->access, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("issuer must be an https URL")));
    assert_null(f->access);
}

static void opaque_tokens_are_asked_about(void **state)
{
    fixture_t *f = *state;
    f->provider.introspection_uri = STR(IDP_ASK);
    f->provider.client_id = STR("warder");
    f->provider.client_secret = secret_of(STR("s"));
    open_provider(f);
    f->answer = "{\"active\":true," IDP_WHO W_AUD W_TIME ",\"roles\":[\"ops\"]}";
    assert_in(f, "handle");
    assert_str(f->got.who.subject, "carol");
    assert_str(json_get(f->got.who.claims, STR("roles"))->raw, "[\"ops\"]");
    f->answer = "{\"active\":false}";
    assert_out(f, "other", 401, "token_inactive");
    assert_true(access_asks(f->access, STR("handle")));
    assert_false(access_asks(f->access, STR("a.j.wt")));
    assert_int_equal(access_still(f->access, STR("handle")), ACCESS_STILL);
    world_pass(f->w, 11);
    assert_int_equal(access_still(f->access, STR("handle")), ACCESS_UNSURE); /* and asked */
    assert_int_equal(access_still(f->access, STR("handle")), ACCESS_ENDED);
    f->answer = NULL;
    assert_out(f, "third", 503, "introspection_away");
}

/* keys_stale_s: who is away longer than that lets nobody in any more. */
static void an_issuer_that_is_away(void **state)
{
    fixture_t *f = *state;
    f->provider.keys_fresh_s = 30;
    f->provider.keys_stale_s = 60;
    open_provider(f);
    const char *token = world_sign(f->w, &f->w->key, "{" IDP_WHO W_AUD W_TIME "}");
    assert_in(f, token);
    world_page(f->w, IDP_JWKS, STR_UNSET);
    world_pass(f->w, 45);
    assert_in(f, token);
    world_pass(f->w, 50);
    assert_out(f, token, 503, "keys_away");
    assert_true(f->got.retry_after_s > 0);
    world_page(f->w, IDP_JWKS, page_of(f->w, STR(W_JWKS)));
    world_pass(f->w, 11);
    assert_in(f, token);
}

static void new_keys_fail_no_call(void **state)
{
    fixture_t *f = *state;
    open_provider(f);
    assert_in(f, world_sign(f->w, &f->w->key, "{" IDP_WHO W_AUD W_TIME "}"));
    jwk_t next = world_key(f->w, ALG_ES256, "k2");
    world_pass(f->w, 5); /* what was fetched a moment ago is not looked at again */
    world_publish(f->w, &next, 1);
    world_page(f->w, IDP_JWKS, page_of(f->w, STR(W_JWKS)));
    assert_in(f, world_sign(f->w, &next, "{" IDP_WHO W_AUD W_TIME "}"));
}

static void who_may_stay(void **state)
{
    fixture_t *f = *state;
    open_access(f);
    assert_in(f, list_token(f->w));
    gate_principal_t who = f->got.who;
    assert_true(access_lives(f->access, &who));
    world_pass(f->w, 5);
    list_ends(f->w, 1, REVOKED_GRANT, STR("f1"), W_NOW_S + 4);
    list_is(f->w, "https://as.test/revocations?since=1", 1, NULL, 0);
    assert_out(f, list_token(f->w), 401, "token_revoked");
    assert_false(access_lives(f->access, &who));
    gate_principal_t other = who;
    other.token = STR("f2.j2");
    other.subject = STR("bob");
    assert_true(access_lives(f->access, &other));
    world_pass(f->w, 640);
    assert_false(access_lives(f->access, &other));
    char *long_name = arena_alloc(f->a, 20000);
    memset(long_name, 'x', 20000);
    other.subject = str_of(long_name, 20000);
    assert_false(access_lives(f->access, &other));
}

/* RS-41 */
static void a_challenge_may_repeat_what_is_granted(void **state)
{
    fixture_t *f = *state;
    f->upstream.repeat_scopes = true;
    open_access(f);
    gate_principal_t who = {.subject = STR("alice"), .scope = STR("c a")};
    str_t text = access_insufficient(f->access, f->a, &who, STR("a b"));
    assert_true(str_contains(text, STR("scope=\"c a b\"")));
}

static void challenges_of_what_was_found_later(void **state)
{
    fixture_t *f = *state;
    open_access(f);
    gate_principal_t who = {.subject = STR("alice")};
    assert_str(access_insufficient(f->access, f->a, &who, STR("a b")),
               "Bearer error=\"insufficient_scope\", error_description=\"The operation needs more "
               "scope\", scope=\"a b\", resource_metadata=\"https://rs.test/.well-known/"
               "oauth-protected-resource/mcp\"");
    gate_decision_t d = {.acr_values = STR("urn:a"), .max_age_s = 60, .scopes = STR("")};
    str_t text = access_step_up(f->access, f->a, &who, &d);
    assert_true(str_starts(text, STR("Bearer error=\"insufficient_user_authentication\"")));
    assert_false(str_contains(text, STR("a b")));
    d.scopes = STR("a b");
    text = access_step_up(f->access, f->a, &who, &d);
    assert_true(str_contains(text, STR("scope=\"a b\"")));
    assert_true(str_contains(text, STR("acr_values=\"urn:a\", max_age=\"60\"")));
    who.key = STR("thumbprint");
    assert_true(str_starts(access_insufficient(f->access, f->a, &who, STR("a")),
                           STR("DPoP error=\"insufficient_scope\"")));
}

static void metadata(void **state)
{
    fixture_t *f = *state;
    open_access(f);
    assert_str(access_metadata(f->access),
               "{\"resource\":\"" W_RESOURCE "\",\"authorization_servers\":[\"" W_ISSUER
               "\"],\"scopes_supported\":[\"files:read\",\"files:write\"],"
               "\"bearer_methods_supported\":[\"header\"],\"dpop_signing_alg_values_supported\":["
               "\"ES256\",\"EdDSA\",\"Ed25519\",\"PS256\"],\"resource_name\":\"Files\"}");
    assert_str(access_metadata_path(f->access, 0), "/.well-known/oauth-protected-resource/mcp");
    assert_false(str_is_set(access_metadata_path(f->access, 3)));
}

static void ready_when_keys_are_there(void **state)
{
    fixture_t *f = *state;
    open_access(f);
    assert_false(access_ready(f->access)); /* and has them fetched */
    assert_true(access_ready(f->access));
    assert_in(f, own(f));
}

/* What was begun beside the requests may outlive the settings it was begun for. */
static void a_fetch_outlives_its_settings(void **state)
{
    fixture_t *f = *state;
    f->config.pool = http_pool_new(1, POOL_QUEUE);
    for (int i = 0; i < 20; i++) {
        open_access(f);
        access_ready(f->access);
        access_free(f->access);
    }
    f->access = NULL;
    http_pool_free(f->config.pool);
}

static atomic_bool held, let_go;

static void hold(void *arg)
{
    (void)arg;
    atomic_store(&held, true);
    while (!atomic_load(&let_go))
        usleep(1000);
}

static void nothing(void *arg)
{
    (void)arg;
}

static rc_t post_nowhere(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    (void)fn;
    (void)arg;
    return RC_IO;
}

/* A worker that waited for room among its own completions would wait for ever: a check that cannot
 * be waited for is answered at once, and needs no loop for that. */
static void a_full_pool_is_not_waited_for(void **state)
{
    fixture_t *f = *state;
    post_port_t nowhere = {post_nowhere, NULL};
    char no_loop;
    f->config.pool = http_pool_new(1, 1);
    open_access(f);
    assert_int_equal(http_pool_run(f->config.pool, nowhere, hold, nothing, NULL), RC_OK);
    while (!atomic_load(&held))
        usleep(1000);
    assert_int_equal(http_pool_run(f->config.pool, nowhere, nothing, nothing, NULL), RC_OK);
    f->x.loop = (http_worker_t *)(void *)&no_loop;
    assert_out(f, own(f), 503, "keys_away");
    atomic_store(&let_go, true);
    http_pool_free(f->config.pool);
    f->config.pool = NULL;
    f->x.loop = NULL;
    access_free(f->access);
    open_access(f);
    assert_in(f, own(f));
}

/* ---- proofs that all nodes remember ---- */

static void spend(void *ctx, http_worker_t *loop, arena_t *a, const access_proof_t *proof,
                  void (*done)(void *arg, rc_t rc), void *arg)
{
    fixture_t *f = ctx;
    (void)loop;
    (void)a;
    f->spends++;
    f->spent = *proof;
    done(arg, f->spend_rc);
}

/* A call with a bound token and a fresh proof. */
static void ask_bound(fixture_t *f, const jwk_t *key)
{
    uint8_t digest[SHA256_BYTES];
    arena_t *a = f->w->a;
    str_t claims = arena_printf(a,
                                "{" W_WHO W_AUD W_TIME ",\"scope\":\"files:read\","
                                "\"cnf\":{\"jkt\":\"%" PRIstr "\"}}",
                                STR_ARG(dpop_test_jkt(a, key)));
    str_t token = str_c(world_sign(f->w, &f->w->key, claims.p));
    sha256(token, digest);
    str_t ath = b64url_encode(a, digest, sizeof digest);
    str_t more = arena_printf(a, ",\"ath\":\"%" PRIstr "\"", STR_ARG(ath));
    f->headers[0] =
        (http_header_t){STR("authorization"), arena_printf(a, "DPoP %" PRIstr, STR_ARG(token))};
    f->headers[1] = (http_header_t){
        STR("dpop"), dpop_test_good(a, key, W_RESOURCE, f->w->wall_ms / 1000, more.p)};
    f->x.headers.n = 2;
    f->x.path = STR("/mcp");
    access_check(f->access, &f->x, on_done, f);
}

static void a_proof_is_shown_to_all_nodes_once(void **state)
{
    fixture_t *f = *state;
    jwk_t key = dpop_test_key(f->w->a, ALG_ES256);
    f->config.spend = (access_spend_t){spend, f};
    open_access(f);
    ask_bound(f, &key);
    assert_true(f->got.allowed);
    assert_int_equal(f->spends, 1);
    assert_true(f->spent.forget_at > f->w->wall_ms / 1000);
    assert_in(f, own(f)); /* a bearer token has none */
    assert_int_equal(f->spends, 1);
}

static void a_proof_that_another_node_saw_is_replayed(void **state)
{
    fixture_t *f = *state;
    jwk_t key = dpop_test_key(f->w->a, ALG_ES256);
    f->config.spend = (access_spend_t){spend, f};
    f->spend_rc = RC_CONFLICT;
    open_access(f);
    ask_bound(f, &key);
    assert_false(f->got.allowed);
    assert_int_equal(f->got.status, 401);
    assert_str(f->got.reason, "dpop_replayed");
    assert_true(str_contains(f->got.challenge, STR("error=\"invalid_dpop_proof\"")));
    f->spend_rc = RC_IO;
    ask_bound(f, &key);
    assert_int_equal(f->got.status, 503);
    assert_str(f->got.reason, "proofs_full");
    assert_int_equal(f->done, 2);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(own_tokens_without_a_connection),
        TEST(a_longer_host_is_not_this_server),
        TEST(no_token_is_led_on),
        TEST(foreign_tokens),
        TEST(foreign_tokens_that_are_refused),
        TEST(a_known_provider),
        TEST(providers_that_cannot_be),
        TEST(opaque_tokens_are_asked_about),
        TEST(an_issuer_that_is_away),
        TEST(new_keys_fail_no_call),
        TEST(who_may_stay),
        TEST(a_challenge_may_repeat_what_is_granted),
        TEST(challenges_of_what_was_found_later),
        TEST(metadata),
        TEST(ready_when_keys_are_there),
        TEST(a_fetch_outlives_its_settings),
        TEST(a_full_pool_is_not_waited_for),
        TEST(a_proof_is_shown_to_all_nodes_once),
        TEST(a_proof_that_another_node_saw_is_replayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
