#include "rs/rs_test_world.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static int64_t now_ms(void *ctx)
{
    return ((world_t *)ctx)->wall_ms;
}

static int64_t mono_ms(void *ctx)
{
    return ((world_t *)ctx)->mono_ms;
}

static int64_t fetch(void *ctx, const char *url, char *body, size_t cap)
{
    world_t *w = ctx;
    w->fetches++;
    snprintf(w->last_url, sizeof w->last_url, "%s", url);
    if (w->during_fetch)
        w->during_fetch(w);
    for (size_t i = 0; i < W_PAGES; i++)
        if (w->pages[i].url && strcmp(w->pages[i].url, url) == 0 && w->pages[i].body.p &&
            w->pages[i].body.n <= cap) {
            memcpy(body, w->pages[i].body.p, w->pages[i].body.n);
            return (int64_t)w->pages[i].body.n;
        }
    return -1;
}

int world_setup(void **state)
{
    arena_t *a = arena_new(64 << 20);
    world_t *w = a ? ARENA_NEW(a, world_t) : NULL;
    if (!w)
        return -1;
    w->a = a;
    w->wall_ms = W_NOW_S * 1000LL;
    w->mono_ms = 5000000;
    w->ports = (warder_rs_ports_t){now_ms, mono_ms, fetch, w};
    w->servers[0].issuer = W_ISSUER;
    w->config = (warder_rs_config_t){.resource = W_RESOURCE,
                                     .name = "Files",
                                     .servers = w->servers,
                                     .server_count = 1,
                                     .scopes = "files:read",
                                     .ports = &w->ports};
    w->key = world_key(w, ALG_ES256, "k1");
    world_publish(w, &w->key, 1);
    world_page(w, W_METADATA, STR("{\"issuer\":\"" W_ISSUER "\",\"jwks_uri\":\"" W_JWKS "\"}"));
    *state = w;
    return 0;
}

int world_teardown(void **state)
{
    world_t *w = *state;
    warder_rs_free(w->rs);
    arena_free(w->a);
    return 0;
}

void world_open(world_t *w)
{
    char why[256];
    warder_rs_free(w->rs);
    w->rs = warder_rs_new(&w->config, why, sizeof why);
    if (!w->rs)
        fail_msg("%s", why);
}

void world_page(world_t *w, const char *url, str_t body)
{
    size_t i = 0;
    while (i < W_PAGES && w->pages[i].url && strcmp(w->pages[i].url, url) != 0)
        i++;
    assert_true(i < W_PAGES);
    w->pages[i] = (page_t){url, body};
}

void world_pass(world_t *w, int64_t seconds)
{
    w->wall_ms += seconds * 1000;
    w->mono_ms += seconds * 1000;
}

static void free_key(void *key)
{
    jose_key_free(key);
}

jwk_t world_key(world_t *w, alg_t alg, const char *kid)
{
    jwk_t jwk = {.alg = alg, .kid = str_c(kid)};
    assert_int_equal(jose_key_generate(alg, &jwk.key), RC_OK);
    assert_int_equal(arena_cleanup(w->a, free_key, jwk.key), RC_OK);
    return jwk;
}

void world_publish(world_t *w, const jwk_t *keys, size_t n)
{
    jwk_t copy[8];
    memcpy(copy, keys, n * sizeof *keys);
    jwks_t set = {copy, n, 0};
    buf_t b = buf_new(w->a, 65536);
    json_writer_t writer = json_writer(&b);
    assert_int_equal(jwks_write(w->a, &writer, &set), RC_OK);
    world_page(w, W_JWKS, buf_str(&b));
}

const char *world_sign_as(world_t *w, const jwk_t *key, const char *header, const char *claims)
{
    str_t h = str_c(header), c = str_c(claims), token;
    buf_t b = buf_new(w->a, 65536);
    jose_signing_t *signing;
    uint8_t sig[KEY_SIGNATURE_MAX];
    size_t n;
    buf_b64url(&b, (const uint8_t *)h.p, h.n);
    buf_char(&b, '.');
    buf_b64url(&b, (const uint8_t *)c.p, c.n);
    assert_int_equal(jose_signing_new(key->key, key->alg, &signing), RC_OK);
    assert_int_equal(jose_signing_sign(signing, buf_str(&b), sig, &n), RC_OK);
    jose_signing_free(signing);
    buf_char(&b, '.');
    buf_b64url(&b, sig, n);
    assert_int_equal(buf_done(&b, &token), RC_OK);
    return arena_cstr(w->a, token);
}

const char *world_sign(world_t *w, const jwk_t *key, const char *claims)
{
    str_t header =
        arena_printf(w->a, "{\"alg\":\"%" PRIstr "\",\"typ\":\"at+jwt\",\"kid\":\"%" PRIstr "\"}",
                     STR_ARG(alg_name(key->alg)), STR_ARG(key->kid));
    return world_sign_as(w, key, header.p, claims);
}

static void free_verdict(void *verdict)
{
    warder_rs_verdict_free(verdict);
}

static const warder_rs_verdict_t *ask(world_t *w, const warder_rs_request_t *req,
                                      warder_rs_verdict_t *(*check)(warder_rs_t *,
                                                                    const warder_rs_request_t *))
{
    warder_rs_verdict_t *v = check(w->rs, req);
    assert_non_null(v);
    assert_int_equal(arena_cleanup(w->a, free_verdict, v), RC_OK);
    return v;
}

static warder_rs_request_t bearer(world_t *w, const char **value, const char *token,
                                  const char *scope)
{
    *value = arena_printf(w->a, "Bearer %s", token).p;
    return (warder_rs_request_t){.headers = value, .header_count = 1, .scope = scope};
}

const warder_rs_verdict_t *world_ask(world_t *w, const char *token, const char *scope)
{
    const char *value;
    warder_rs_request_t req = bearer(w, &value, token, scope);
    return ask(w, &req, warder_rs_check);
}

const warder_rs_verdict_t *world_ask_now(world_t *w, const char *token, const char *scope)
{
    const char *value;
    warder_rs_request_t req = bearer(w, &value, token, scope);
    return ask(w, &req, warder_rs_check_now);
}

const warder_rs_verdict_t *world_ask_headers(world_t *w, const char *const *values, size_t n)
{
    warder_rs_request_t req = {.headers = values, .header_count = n};
    return ask(w, &req, warder_rs_check);
}

static void slow(world_t *w)
{
    (void)w;
    usleep(30000);
}

static void *call(void *arg)
{
    caller_t *c = arg;
    warder_rs_request_t req = {.headers = &c->value, .header_count = 1};
    warder_rs_verdict_t *v = warder_rs_check(c->w->rs, &req);
    snprintf(c->reason, sizeof c->reason, "%s", v ? v->reason : "none");
    warder_rs_verdict_free(v);
    return NULL;
}

void world_ask_at_once(world_t *w, const char *token, caller_t callers[W_CALLERS])
{
    pthread_t threads[W_CALLERS];
    const char *value = arena_printf(w->a, "Bearer %s", token).p;
    w->during_fetch = slow;
    for (int i = 0; i < W_CALLERS; i++) {
        callers[i] = (caller_t){.w = w, .value = value};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    for (int i = 0; i < W_CALLERS; i++)
        pthread_join(threads[i], NULL);
    w->during_fetch = NULL;
}

unsigned callers_with(const caller_t callers[W_CALLERS], const char *reason)
{
    unsigned n = 0;
    for (int i = 0; i < W_CALLERS; i++)
        n += strcmp(callers[i].reason, reason) == 0;
    return n;
}

void assert_allowed(const warder_rs_verdict_t *v)
{
    assert_string_equal(v->reason, "allowed");
    assert_int_equal(v->outcome, WARDER_RS_ALLOW);
}

void assert_denied(const warder_rs_verdict_t *v, int status, const char *reason)
{
    assert_string_equal(v->reason, reason);
    assert_int_equal(v->outcome, WARDER_RS_DENY);
    assert_int_equal(v->status, status);
}
