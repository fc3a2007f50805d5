#include "as/as_test_browser.h"

#include "as/local.h"
#include "jose/jws.h"
#include "oauth/revocation_list.h"

enum { BODY = 65536, THREADS = 4, ROUNDS = 50 };

static as_local_t *open_local(world_t *w)
{
    as_local_t *l;
    assert_ok(as_local_new(w->as, &l));
    return l;
}

static str_t get(as_local_t *l, const char *url, char body[BODY])
{
    int64_t n = as_local_get(l, str_c(url), body, BODY);
    return n < 0 ? STR_UNSET : str_of(body, (size_t)n);
}

/* The same bytes as over the wire. */
static void documents_without_a_connection(void **state)
{
    world_t *w = *state;
    char body[BODY];
    as_local_t *l = open_local(w);
    const as_snapshot_t *s = w->worker->snapshot;
    assert_str(get(l, W_ISSUER "/.well-known/oauth-authorization-server", body),
               s->documents[AS_DOCUMENT_SERVER].body);
    assert_str(get(l, W_ISSUER "/.well-known/openid-configuration", body),
               s->documents[AS_DOCUMENT_OPENID].body);
    assert_str(get(l, W_ISSUER "/jwks", body), s->documents[AS_DOCUMENT_JWKS].body);
    assert_text(get(l, W_ISSUER "/revocations?since=0", body),
                "{\"seq\":0,\"entries\":[],\"more\":false}");
    as_local_free(l);
}

static void what_is_not_there(void **state)
{
    world_t *w = *state;
    static const char *const URLS[] = {W_ISSUER "/",
                                       W_ISSUER,
                                       W_ISSUER "/token",
                                       W_ISSUER "/jwks/",
                                       W_ISSUER "/jwks?x",
                                       W_ISSUER "/revocations?since=x",
                                       "https://other.test/jwks"};
    char body[BODY];
    as_local_t *l = open_local(w);
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++)
        assert_false(str_is_set(get(l, URLS[i], body)));
    assert_int_equal(as_local_get(l, STR(W_ISSUER "/jwks"), body, 10), -1);
    assert_true(str_is_set(get(l, W_ISSUER "/jwks", body)));
    as_local_free(l);
}

static void what_was_revoked_shows_at_once(void **state)
{
    world_t *w = *state;
    char body[BODY];
    as_local_t *l = open_local(w);
    const revoked_t gone = {
        .kind = REVOKED_GRANT, .key = STR("f1"), .at = W_START_S, .expires_at = W_START_S + 600};
    world_put(w, EFFECT_REVOCATION_PUT, &gone);
    str_t page = get(l, W_ISSUER "/revocations?since=0", body);
    assert_true(str_contains(page, STR("\"kind\":\"grant\"")));
    w->faults.ask = RC_IO;
    assert_false(str_is_set(get(l, W_ISSUER "/revocations?since=0", body)));
    assert_false(as_local_store_answers(l));
    w->faults.ask = RC_OK;
    assert_true(as_local_store_answers(l));
    as_local_free(l);
}

static void assert_signed_by(world_t *w, str_t jwt, str_t kid)
{
    jws_t jws;
    assert_ok(jws_parse(w->a, jwt, 0, &jws));
    assert_str(jws.kid, kid);
    assert_text(jws.typ, "warder-identity+jwt");
    assert_text(jws.payload, "{\"sub\":\"a\"}");
    const jwk_t *key = jwks_find(keyring_keys(w->worker->snapshot->ring), jws.kid, jws.alg);
    assert_non_null(key);
    assert_int_equal(jws_verify(&jws, key), JWS_FINE);
}

static void signs_with_the_current_key(void **state)
{
    world_t *w = *state;
    char body[BODY];
    str_t jwt, before = arena_dup(w->a, w->worker->snapshot->kid);
    as_local_t *l = open_local(w);
    assert_ok(as_local_sign(l, w->a, STR("warder-identity+jwt"), STR("{\"sub\":\"a\"}"), &jwt));
    assert_signed_by(w, jwt, before);
    world_rotate(w, w->admin);
    as_snapshot_refresh(w->worker);
    get(l, W_ISSUER "/jwks", body); /* as the resource server does all the time */
    assert_ok(as_local_sign(l, w->a, STR("warder-identity+jwt"), STR("{\"sub\":\"a\"}"), &jwt));
    assert_false(str_eq(w->worker->snapshot->kid, before));
    assert_signed_by(w, jwt, w->worker->snapshot->kid);
    as_local_free(l);
}

static void no_keys_no_start(void **state)
{
    world_t *w = *state;
    as_local_t *l;
    assert_int_equal(as_local_new(w->as, &l), RC_NOT_FOUND);
    assert_null(l);
    as_local_free(NULL);
}

static void *use(void *arg)
{
    as_local_t *l = arg;
    char body[BODY];
    arena_t *a = arena_new(4 << 20);
    str_t jwt;
    for (int i = 0; i < ROUNDS; i++) {
        assert_true(as_local_get(l, STR(W_ISSUER "/jwks"), body, BODY) > 0);
        assert_true(as_local_get(l, STR(W_ISSUER "/revocations?since=0"), body, BODY) > 0);
        assert_ok(as_local_sign(l, a, STR("t"), STR("{}"), &jwt));
    }
    arena_free(a);
    return NULL;
}

static void many_threads(void **state)
{
    world_t *w = *state;
    as_local_t *l = open_local(w);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, l), 0);
    world_rotate(w, w->admin);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    as_local_free(l);
}

/* ---- with another process that signs ---- */

/* Two threads are in it at the same time, or the first gives up waiting for the second. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t came;
    int inside;
} slow_t;

static rc_t open_slow(void *ctx, arena_t *a, const key_record_t *r, str_t *out)
{
    jose_key_t *key;
    (void)ctx;
    *out = r->secret;
    if (r->use != KEY_SIGN)
        return RC_OK;
    TRY(jose_key_from_pkcs8(r->secret, &key));
    rc_t rc = jose_key_spki(a, key, out);
    jose_key_free(key);
    return rc;
}

static rc_t settle_slow(void *ctx)
{
    (void)ctx;
    return RC_OK;
}

static rc_t sign_slow(void *ctx, const sign_request_t *req, signature_t *out)
{
    slow_t *s = ctx;
    struct timespec until;
    int rc = 0;
    (void)req;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&s->lock);
    s->inside++;
    pthread_cond_broadcast(&s->came);
    while (s->inside < 2 && rc == 0)
        rc = pthread_cond_timedwait(&s->came, &s->lock, &until);
    pthread_mutex_unlock(&s->lock);
    memset(out->b, 1, 64);
    out->n = 64;
    return rc == 0 ? RC_OK : RC_BUSY;
}

typedef struct {
    as_local_t *local;
    rc_t rc;
} waiting_t;

static void *sign_waiting(void *arg)
{
    waiting_t *w = arg;
    str_t jwt;
    arena_t *a = arena_new(65536);
    w->rc = as_local_sign(w->local, a, STR("JWT"), STR("{}"), &jwt);
    arena_free(a);
    return NULL;
}

static void nobody_waits_for_anothers_signature(void **state)
{
    world_t *w = *state;
    slow_t slow = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    const as_vault_t vault = {
        .open = open_slow, .settle = settle_slow, .sign = sign_slow, .ctx = &slow};
    pthread_t other;
    w->as->vault = &vault;
    waiting_t here = {open_local(w), RC_IO}, there = here;
    assert_int_equal(pthread_create(&other, NULL, sign_waiting, &there), 0);
    sign_waiting(&here);
    pthread_join(other, NULL);
    assert_ok(here.rc);
    assert_ok(there.rc);
    as_local_free(here.local);
    w->as->vault = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(documents_without_a_connection),
        WORLD_TEST(what_is_not_there),
        WORLD_TEST(what_was_revoked_shows_at_once),
        WORLD_TEST(signs_with_the_current_key),
        EMPTY_TEST(no_keys_no_start),
        WORLD_TEST(nobody_waits_for_anothers_signature),
        ON_DISK_TEST(many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
