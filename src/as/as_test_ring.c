#include "as/as_test_ring.h"

#include <stdlib.h>

enum { ARENA_BYTES = 16 << 20 };

int ring_setup(void **state)
{
    ring_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(ARENA_BYTES);
    assert_non_null(p->a);
    p->conf.signing_alg = STR("ES256");
    p->conf.access_token_lifetime = R_LIFETIME;
    p->conf.key_set_cache_age = R_CACHE_AGE - R_SLACK;
    p->conf.key_rotation_interval = 90 * R_DAY;
    p->policy =
        (as_keys_policy_t){.conf = &p->conf, .random = random_fake(&p->random), .now = R_START};
    *state = p;
    return 0;
}

int ring_teardown(void **state)
{
    ring_t *p = *state;
    arena_free(p->a);
    free(p);
    return 0;
}

size_t ring_find(const ring_t *p, str_t kid)
{
    size_t i = 0;
    while (i < p->n && !str_eq(p->keys[i].kid, kid))
        i++;
    return i;
}

const key_record_t *ring_current(const ring_t *p, key_use_t use)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->keys[i].use == use && p->keys[i].state == KEY_CURRENT)
            return &p->keys[i];
    return NULL;
}

static rc_t put(ring_t *p, const key_record_t *r)
{
    const key_record_t *current = ring_current(p, r->use);
    if (r->state == KEY_CURRENT && current && !str_eq(current->kid, r->kid))
        return RC_CONFLICT;
    size_t i = ring_find(p, r->kid);
    assert_true(i < R_KEYS_MAX);
    p->keys[i] = *r;
    p->n += i == p->n;
    return RC_OK;
}

rc_t ring_forget(ring_t *p, str_t kid)
{
    size_t i = ring_find(p, kid);
    if (i == p->n)
        return RC_CONFLICT;
    p->n--;
    memmove(&p->keys[i], &p->keys[i + 1], (p->n - i) * sizeof p->keys[0]);
    return RC_OK;
}

static rc_t replace(ring_t *p, const key_change_t *change)
{
    if (change->n_was != p->n)
        return RC_CONFLICT;
    for (size_t i = 0; i < p->n; i++) {
        const key_record_t *is = &p->keys[ring_find(p, change->was[i].kid)];
        if (is == &p->keys[p->n] || is->state != change->was[i].state ||
            !str_eq(is->sealed_by, change->was[i].sealed_by))
            return RC_CONFLICT;
    }
    p->n = change->n_becomes;
    assert_true(p->n < R_KEYS_MAX);
    memcpy(p->keys, change->becomes, p->n * sizeof p->keys[0]);
    return RC_OK;
}

static rc_t apply_one(ring_t *p, const effect_t *e)
{
    switch (e->kind) {
    case EFFECT_KEY_PUT:
        return put(p, e->u.key_record);
    case EFFECT_KEY_DELETE:
        return ring_forget(p, e->u.key);
    case EFFECT_KEYS_REPLACE:
        return replace(p, e->u.key_change);
    default:
        fail_msg("effect %d", (int)e->kind);
        return RC_IO;
    }
}

rc_t ring_apply(ring_t *p, const effects_t *effects)
{
    ring_t before = *p;
    for (size_t i = 0; i < effects->n; i++) {
        rc_t rc = apply_one(p, &effects->v[i]);
        if (rc == RC_OK)
            continue;
        *p = before;
        return rc;
    }
    return RC_OK;
}

rc_t ring_plan(ring_t *p)
{
    const as_keys_t keys = {p->keys, p->n};
    return as_keys_plan(p->a, &keys, &p->policy, &p->plan);
}

/* Whoever only looks sees what a plan would do. */
static void assert_due(const ring_t *p, const as_keys_t *before)
{
    bool due;
    int64_t next_at;
    assert_int_equal(as_keys_due(p->a, before, &p->policy, &due, &next_at), RC_OK);
    if (p->plan.effects.n > 0)
        assert_true(due);
    if (!due)
        assert_int_equal(next_at, p->plan.next_at);
}

size_t ring_run(ring_t *p, int64_t now)
{
    const as_keys_t before = {p->keys, p->n};
    p->policy.now = now;
    assert_int_equal(ring_plan(p), RC_OK);
    if (!p->policy.at_once)
        assert_due(p, &before);
    assert_int_equal(ring_apply(p, &p->plan.effects), RC_OK);
    p->policy.rotate_now = p->policy.at_once = p->policy.keep_clients = false;
    return p->plan.effects.n;
}

size_t ring_count(const ring_t *p, key_use_t use, key_state_t state)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += p->keys[i].use == use && p->keys[i].state == state;
    return n;
}

void ring_is(const ring_t *p, size_t next, size_t current, size_t retired)
{
    assert_int_equal(ring_count(p, KEY_SIGN, KEY_NEXT), next);
    assert_int_equal(ring_count(p, KEY_SIGN, KEY_CURRENT), current);
    assert_int_equal(ring_count(p, KEY_SIGN, KEY_RETIRED), retired);
    assert_int_equal(ring_count(p, KEY_DERIVE, KEY_CURRENT), 1);
    assert_int_equal(ring_count(p, KEY_SEAL, KEY_CURRENT), 1);
}

void ring_loads(ring_t *p)
{
    const key_record_t *plain;
    keyring_record_t *records;
    size_t n;
    keyring_t *ring;
    as_seal_keys_t sealing;
    assert_int_equal(as_kek_open(p->a, &p->policy.kek, p->keys, p->n, &plain), RC_OK);
    assert_int_equal(as_keys_sealing(p->a, plain, p->n, &sealing), RC_OK);
    assert_true(str_eq(sealing.v[0].kid, ring_current(p, KEY_SEAL)->kid));
    assert_int_equal(as_keys_signing(p->a, plain, p->n, &records, &n), RC_OK);
    assert_int_equal(keyring_new(records, n, &ring), RC_OK);
    assert_non_null(keyring_current(ring));
    keyring_unref(ring);
}
