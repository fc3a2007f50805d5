#include "jose/jose_test_util.h"

#include "core/limits.h"
#include "jose/jwt.h"
#include "jose/keyring.h"

#include <pthread.h>

enum { LIFETIME = 600, CACHE = 300, DAY = 86400, LEEWAY = 60 };

static const keyring_policy_t POLICY = {
    .alg = ALG_ES256, .token_lifetime = LIFETIME, .cache_age = CACHE, .rotate_every = 30 * DAY};

static keyring_record_t record(const char *kid, keyring_state_t state, int64_t since)
{
    return (keyring_record_t){.kid = str_c(kid),
                              .alg = ALG_ES256,
                              .state = state,
                              .created_at = since,
                              .activated_at = state == KEYRING_NEXT ? 0 : since,
                              .retired_at = state == KEYRING_RETIRED ? since : 0};
}

static void plan_is(const keyring_plan_t *plan, const char *steps)
{
    static const char *const NAMES[] = {"make-current", "make-next", "promote", "retire", "delete"};
    char text[512];
    buf_t b = buf_fixed(text, sizeof text);
    for (size_t i = 0; i < plan->n; i++)
        buf_fmt(&b, "%s%s %" PRIstr, i ? ", " : "", NAMES[plan->v[i].kind],
                STR_ARG(plan->v[i].kid));
    assert_str(buf_str(&b), str_c(steps));
}

static void first_key_signs_at_once(void **state)
{
    (void)state;
    keyring_plan_t plan;
    keyring_plan(NULL, 0, &POLICY, 1000, &plan);
    plan_is(&plan, "make-current ");
}

static void young_key_stays(void **state)
{
    (void)state;
    keyring_plan_t plan;
    keyring_record_t r[] = {record("a", KEYRING_CURRENT, 1000)};
    keyring_plan(r, 1, &POLICY, 1000 + 30 * DAY - 1, &plan);
    plan_is(&plan, "");
    assert_int_equal(plan.next_at, 1000 + 30 * DAY);
}

static void old_key_gets_a_successor(void **state)
{
    (void)state;
    keyring_plan_t plan;
    keyring_record_t r[] = {record("a", KEYRING_CURRENT, 1000)};
    keyring_plan(r, 1, &POLICY, 1000 + 30 * DAY, &plan);
    plan_is(&plan, "make-next ");
    assert_int_equal(plan.next_at, 1000 + 30 * DAY + CACHE);
}

/* attack case: META-008: published for a whole cache age before it is used */
static void next_key_waits_for_every_cache(void **state)
{
    (void)state;
    keyring_plan_t plan;
    keyring_record_t r[] = {record("a", KEYRING_CURRENT, 1000), record("b", KEYRING_NEXT, 5000)};
    keyring_plan(r, 2, &POLICY, 5000 + CACHE - 1, &plan);
    plan_is(&plan, "");
    assert_int_equal(plan.next_at, 5000 + CACHE);
    keyring_plan(r, 2, &POLICY, 5000 + CACHE, &plan);
    plan_is(&plan, "retire a, promote b");
}

/* attack case: META-008: kept for token lifetime and cache age */
static void retired_key_outlives_its_tokens(void **state)
{
    (void)state;
    keyring_plan_t plan;
    keyring_record_t r[] = {record("a", KEYRING_RETIRED, 1000), record("b", KEYRING_CURRENT, 1000)};
    keyring_plan(r, 2, &POLICY, 1000 + LIFETIME + CACHE, &plan);
    plan_is(&plan, "");
    assert_int_equal(plan.next_at, 1000 + LIFETIME + CACHE + LEEWAY);
    keyring_plan(r, 2, &POLICY, 1000 + LIFETIME + CACHE + LEEWAY, &plan);
    plan_is(&plan, "delete a");
}

/* The clock was a year ahead, and is right again: nobody waits a year for the next rotation. */
static void clock_that_was_set_back_does_not_stop_rotation(void **state)
{
    (void)state;
    keyring_plan_t plan;
    int64_t now = 1000, ahead = now + 365 * DAY;
    keyring_record_t r[] = {record("a", KEYRING_CURRENT, ahead), record("b", KEYRING_NEXT, ahead)};
    keyring_plan(r, 1, &POLICY, now, &plan);
    plan_is(&plan, "make-next ");
    assert_int_equal(plan.next_at, now + CACHE);
    keyring_plan(r, 2, &POLICY, now, &plan);
    plan_is(&plan, "delete b, make-next ");
    /* Nodes differ a little. */
    r[0] = record("a", KEYRING_CURRENT, now + 300);
    keyring_plan(r, 1, &POLICY, now, &plan);
    plan_is(&plan, "");
    r[1] = record("b", KEYRING_NEXT, now + 300);
    keyring_plan(r, 2, &POLICY, now, &plan);
    plan_is(&plan, "");
}

static void rotation_on_demand(void **state)
{
    (void)state;
    keyring_plan_t plan;
    keyring_policy_t policy = POLICY;
    policy.rotate_every = 0;
    keyring_record_t r[] = {record("a", KEYRING_CURRENT, 1000)};
    keyring_plan(r, 1, &policy, 90000LL * DAY, &plan);
    plan_is(&plan, "");
    assert_int_equal(plan.next_at, 0);
    policy.rotate_now = true;
    keyring_plan(r, 1, &policy, 2000, &plan);
    plan_is(&plan, "make-next ");
}

static void another_algorithm_is_a_rotation(void **state)
{
    (void)state;
    keyring_plan_t plan;
    keyring_record_t r[] = {record("a", KEYRING_CURRENT, 1000), record("b", KEYRING_NEXT, 1000)};
    keyring_policy_t policy = POLICY;
    policy.alg = ALG_EDDSA;
    keyring_plan(r, 2, &policy, 9000, &plan);
    plan_is(&plan, "delete b, make-next ");
}

static void lost_current_key_is_replaced_by_next(void **state)
{
    (void)state;
    keyring_plan_t plan;
    keyring_record_t r[] = {record("b", KEYRING_NEXT, 1000)};
    keyring_plan(r, 1, &POLICY, 1001, &plan);
    plan_is(&plan, "promote b");
}

/* ---- fifty rotations, seen by a checker with a cache ---- */

typedef struct {
    arena_t *a;
    keyring_record_t records[KEYRING_STEPS_MAX];
    size_t n;
} world_t;

static keyring_record_t *by_kid(world_t *w, str_t kid)
{
    for (size_t i = 0; i < w->n; i++)
        if (str_eq(w->records[i].kid, kid))
            return &w->records[i];
    return NULL;
}

static void apply(world_t *w, const keyring_plan_t *plan, int64_t now)
{
    for (size_t i = 0; i < plan->n; i++) {
        const keyring_step_t *s = &plan->v[i];
        keyring_record_t *r = by_kid(w, s->kid);
        switch (s->kind) {
        case KEYRING_MAKE_CURRENT:
        case KEYRING_MAKE_NEXT:
            assert_int_equal(
                keyring_record_make(w->a, ALG_ES256,
                                    s->kind == KEYRING_MAKE_NEXT ? KEYRING_NEXT : KEYRING_CURRENT,
                                    now, &w->records[w->n]),
                RC_OK);
            w->n++;
            break;
        case KEYRING_PROMOTE:
            r->state = KEYRING_CURRENT;
            r->activated_at = now;
            break;
        case KEYRING_RETIRE:
            r->state = KEYRING_RETIRED;
            r->retired_at = now;
            break;
        case KEYRING_DELETE:
            *r = w->records[--w->n];
            break;
        }
    }
}

typedef struct {
    str_t text;
    int64_t expires;
} issued_t;

static str_t sign_now(arena_t *a, keyring_t *ring)
{
    signer_local_t *signer;
    assert_int_equal(signer_local_new(keyring_keys(ring), &signer), RC_OK);
    signer_port_t port = signer_local_port(signer);
    const jwk_t *current = keyring_current(ring);
    assert_non_null(current);
    jws_sign_t what = {.alg = current->alg, .kid = current->kid, .payload = STR("{}")};
    str_t token;
    assert_int_equal(jws_sign(a, &port, &what, &token), RC_OK);
    signer_local_free(signer);
    return token;
}

/* attack case: META-008 */
static void fifty_rotations_without_a_gap(void **state)
{
    enum { STEP = 100, ISSUED = 16 };
    arena_t *a = *state;
    world_t w = {.a = a};
    issued_t issued[ISSUED] = {{{0}, 0}};
    size_t turn = 0, rotations = 0, checked = 0;
    jwks_t cached = {0};
    int64_t cached_at = -CACHE;
    keyring_policy_t policy = POLICY;
    policy.rotate_now = true;
    for (int64_t now = 0; rotations < 50; now += STEP) {
        keyring_plan_t plan;
        keyring_plan(w.records, w.n, &policy, now, &plan);
        for (size_t i = 0; i < plan.n; i++)
            rotations += plan.v[i].kind == KEYRING_PROMOTE;
        apply(&w, &plan, now);
        /* The ring is built anew each time, as after a restart. */
        keyring_t *ring;
        assert_int_equal(keyring_new(w.records, w.n, &ring), RC_OK);
        issued[turn++ % ISSUED] = (issued_t){sign_now(a, ring), now + LIFETIME};
        if (now - cached_at >= CACHE) {
            assert_int_equal(jwks_parse(a, arena_dup(a, keyring_document(ring)), &cached), RC_OK);
            cached_at = now;
        }
        for (size_t i = 0; i < ISSUED; i++) {
            if (!issued[i].text.p || issued[i].expires <= now)
                continue;
            jws_t jws;
            assert_int_equal(jws_parse(a, issued[i].text, 0, &jws), RC_OK);
            const jwk_t *key = jwks_find(&cached, jws.kid, jws.alg);
            assert_non_null(key);
            assert_int_equal(jws_verify(&jws, key), JWS_FINE);
            checked++;
        }
        keyring_unref(ring);
    }
    assert_true(checked > 500);
    assert_true(w.n < 10);
}

static void document_has_all_states_and_no_secrets(void **state)
{
    arena_t *a = *state;
    keyring_record_t r[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(keyring_record_make(a, ALG_ES256, (keyring_state_t)i, 1, &r[i]), RC_OK);
    keyring_t *ring;
    assert_int_equal(keyring_new(r, 3, &ring), RC_OK);
    jwks_t set;
    assert_int_equal(jwks_parse(a, keyring_document(ring), &set), RC_OK);
    assert_int_equal(set.n, 3);
    assert_int_equal(set.skipped, 0);
    assert_false(str_contains(keyring_document(ring), STR("\"d\"")));
    assert_str(keyring_current(ring)->kid, r[KEYRING_CURRENT].kid);
    keyring_unref(ring);
}

static void ring_refuses_what_does_not_fit(void **state)
{
    arena_t *a = *state;
    keyring_record_t good, two[2];
    keyring_t *ring;
    assert_int_equal(keyring_record_make(a, ALG_ES256, KEYRING_CURRENT, 1, &good), RC_OK);
    two[0] = two[1] = good;
    two[1].state = KEYRING_NEXT;
    assert_int_equal(keyring_new(two, 2, &ring), RC_MALFORMED);
    two[1].state = KEYRING_CURRENT;
    two[1].kid = STR("other");
    assert_int_equal(keyring_new(two, 2, &ring), RC_MALFORMED);
    keyring_record_t wrong = good;
    wrong.alg = ALG_RS256;
    assert_int_equal(keyring_new(&wrong, 1, &ring), RC_MALFORMED);
    wrong = good;
    wrong.pkcs8 = secret_of(STR("nonsense"));
    assert_int_equal(keyring_new(&wrong, 1, &ring), RC_MALFORMED);
    assert_null(ring);
    assert_int_equal(keyring_new(&good, LIMIT_JWKS_KEYS + 1, &ring), RC_LIMIT);
    assert_int_equal(keyring_new(&good, 1, &ring), RC_OK);
    keyring_unref(ring);
}

static void *sign_a_while(void *arg)
{
    keyring_t *ring = arg;
    arena_t *a = arena_new(1 << 20);
    for (int i = 0; i < 20; i++) {
        jws_t jws;
        str_t token = sign_now(a, ring);
        if (jws_parse(a, token, 0, &jws) != RC_OK ||
            jws_verify(&jws, keyring_current(ring)) != JWS_FINE)
            return arg;
        arena_reset(a);
    }
    arena_free(a);
    keyring_unref(ring);
    return NULL;
}

static void threads_share_a_ring(void **state)
{
    enum { THREADS = 4 };
    keyring_record_t r;
    keyring_t *ring;
    pthread_t threads[THREADS];
    assert_int_equal(keyring_record_make(*state, ALG_ES256, KEYRING_CURRENT, 1, &r), RC_OK);
    assert_int_equal(keyring_new(&r, 1, &ring), RC_OK);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_a_while, keyring_ref(ring)), 0);
    keyring_unref(ring);
    for (int i = 0; i < THREADS; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_key_signs_at_once),
        cmocka_unit_test(young_key_stays),
        cmocka_unit_test(old_key_gets_a_successor),
        cmocka_unit_test(next_key_waits_for_every_cache),
        cmocka_unit_test(retired_key_outlives_its_tokens),
        cmocka_unit_test(clock_that_was_set_back_does_not_stop_rotation),
        cmocka_unit_test(rotation_on_demand),
        cmocka_unit_test(another_algorithm_is_a_rotation),
        cmocka_unit_test(lost_current_key_is_replaced_by_next),
        ARENA_TEST(fifty_rotations_without_a_gap),
        ARENA_TEST(document_has_all_states_and_no_secrets),
        ARENA_TEST(ring_refuses_what_does_not_fit),
        ARENA_TEST(threads_share_a_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
