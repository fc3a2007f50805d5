#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "as/keys.h"
#include "core/limits.h"
#include "oauth/handle.h"

#include <stdlib.h>

enum {
    START = 1700000000,
    DAY = 86400,
    LIFETIME = 600,
    SLACK = 2, /* as_keys_plan publishes so much longer than asked */
    CACHE_AGE = 300 + SLACK,
    LEEWAY = 60,
    KEYS_MAX = LIMIT_JWKS_KEYS + 8,
    ARENA_BYTES = 16 << 20
};

/* A store of keys that holds the preconditions of model/effect.h, and somebody who plans. */
typedef struct {
    arena_t *a;
    conf_t conf;
    random_fake_t random;
    key_record_t keys[KEYS_MAX];
    size_t n;
    as_keys_policy_t policy;
    effects_t effects;
    str_t about;
    int64_t next_at;
} play_t;

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(ARENA_BYTES);
    assert_non_null(p->a);
    p->conf.signing_alg = STR("ES256");
    p->conf.access_token_lifetime = LIFETIME;
    p->conf.key_set_cache_age = CACHE_AGE - SLACK;
    p->conf.key_rotation_interval = 90 * DAY;
    p->policy =
        (as_keys_policy_t){.conf = &p->conf, .random = random_fake(&p->random), .now = START};
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    arena_free(p->a);
    free(p);
    return 0;
}

static size_t find(const play_t *p, str_t kid)
{
    size_t i = 0;
    while (i < p->n && !str_eq(p->keys[i].kid, kid))
        i++;
    return i;
}

static const key_record_t *current_of(const play_t *p, key_use_t use)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->keys[i].use == use && p->keys[i].state == KEY_CURRENT)
            return &p->keys[i];
    return NULL;
}

static rc_t put(play_t *p, const key_record_t *r)
{
    const key_record_t *current = current_of(p, r->use);
    if (r->state == KEY_CURRENT && current && !str_eq(current->kid, r->kid))
        return RC_CONFLICT;
    size_t i = find(p, r->kid);
    assert_true(i < KEYS_MAX);
    p->keys[i] = *r;
    p->n += i == p->n;
    return RC_OK;
}

static rc_t forget(play_t *p, str_t kid)
{
    size_t i = find(p, kid);
    if (i == p->n)
        return RC_CONFLICT;
    p->n--;
    memmove(&p->keys[i], &p->keys[i + 1], (p->n - i) * sizeof p->keys[0]);
    return RC_OK;
}

static rc_t replace(play_t *p, const key_change_t *change)
{
    if (change->n_was != p->n)
        return RC_CONFLICT;
    for (size_t i = 0; i < p->n; i++) {
        const key_record_t *is = &p->keys[find(p, change->was[i].kid)];
        if (is == &p->keys[p->n] || is->state != change->was[i].state ||
            !str_eq(is->sealed_by, change->was[i].sealed_by))
            return RC_CONFLICT;
    }
    p->n = change->n_becomes;
    assert_true(p->n < KEYS_MAX);
    memcpy(p->keys, change->becomes, p->n * sizeof p->keys[0]);
    return RC_OK;
}

static rc_t apply_one(play_t *p, const effect_t *e)
{
    switch (e->kind) {
    case EFFECT_KEY_PUT:
        return put(p, e->u.key_record);
    case EFFECT_KEY_DELETE:
        return forget(p, e->u.key);
    case EFFECT_KEYS_REPLACE:
        return replace(p, e->u.key_change);
    default:
        fail_msg("effect %d", (int)e->kind);
        return RC_IO;
    }
}

/* All or nothing, as a store does it. */
static rc_t apply(play_t *p, const effects_t *effects)
{
    play_t before = *p;
    for (size_t i = 0; i < effects->n; i++) {
        rc_t rc = apply_one(p, &effects->v[i]);
        if (rc == RC_OK)
            continue;
        *p = before;
        return rc;
    }
    return RC_OK;
}

static rc_t plan(play_t *p)
{
    return as_keys_plan(p->a, p->keys, p->n, &p->policy, &p->effects, &p->about, &p->next_at);
}

/* Plans at `now` and carries it out; how many effects it took. */
static size_t run(play_t *p, int64_t now)
{
    p->policy.now = now;
    assert_int_equal(plan(p), RC_OK);
    assert_int_equal(apply(p, &p->effects), RC_OK);
    p->policy.rotate_now = p->policy.at_once = p->policy.keep_clients = false;
    return p->effects.n;
}

static size_t count(const play_t *p, key_use_t use, key_state_t state)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += p->keys[i].use == use && p->keys[i].state == state;
    return n;
}

static void ring_is(const play_t *p, size_t next, size_t current, size_t retired)
{
    assert_int_equal(count(p, KEY_SIGN, KEY_NEXT), next);
    assert_int_equal(count(p, KEY_SIGN, KEY_CURRENT), current);
    assert_int_equal(count(p, KEY_SIGN, KEY_RETIRED), retired);
    assert_int_equal(count(p, KEY_DERIVE, KEY_CURRENT), 1);
    assert_int_equal(count(p, KEY_SEAL, KEY_CURRENT), 1);
}

/* What the snapshot does with the records. */
static void ring_loads(play_t *p)
{
    const key_record_t *plain;
    keyring_record_t *records;
    size_t n;
    keyring_t *ring;
    as_seal_keys_t sealing;
    assert_int_equal(as_kek_open(p->a, &p->policy.kek, p->keys, p->n, &plain), RC_OK);
    assert_int_equal(as_keys_sealing(p->a, plain, p->n, &sealing), RC_OK);
    assert_true(str_eq(sealing.v[0].kid, current_of(p, KEY_SEAL)->kid));
    assert_int_equal(as_keys_signing(p->a, plain, p->n, &records, &n), RC_OK);
    assert_int_equal(keyring_new(records, n, &ring), RC_OK);
    assert_non_null(keyring_current(ring));
    keyring_unref(ring);
}

static void first_start_makes_a_key_of_each_use(void **state)
{
    play_t *p = *state;
    assert_int_equal(run(p, START), 3);
    ring_is(p, 0, 1, 0);
    ring_loads(p);
    const key_record_t *derive = current_of(p, KEY_DERIVE);
    assert_int_equal(derive->secret.n, OAUTH_DERIVE_KEY_BYTES);
    assert_true(str_eq(derive->alg, STR("HS256")));
    assert_true(str_contains(p->about, current_of(p, KEY_SIGN)->kid));
    assert_int_equal(p->next_at, START + 90 * DAY);
    str_t key;
    assert_int_equal(as_keys_derive(p->a, p->keys, p->n, &key), RC_OK);
    assert_true(str_eq(key, derive->secret));
    assert_true(key.p != derive->secret.p);
}

static void a_young_ring_stays(void **state)
{
    play_t *p = *state;
    run(p, START);
    assert_int_equal(run(p, START + 90 * DAY - 1), 0);
    assert_int_equal(p->about.n, 0);
    assert_int_equal(p->next_at, START + 90 * DAY);
}

static void rotation_on_demand_publishes_waits_promotes_and_forgets(void **state)
{
    play_t *p = *state;
    run(p, START);
    str_t old = current_of(p, KEY_SIGN)->kid;
    int64_t asked = START + DAY;
    p->policy.rotate_now = true;
    assert_int_equal(run(p, asked), 1);
    ring_is(p, 1, 1, 0);
    ring_loads(p);
    assert_true(str_eq(current_of(p, KEY_SIGN)->kid, old));
    assert_int_equal(p->next_at, asked + CACHE_AGE);

    assert_int_equal(run(p, asked + CACHE_AGE - 1), 0);
    int64_t used = asked + CACHE_AGE;
    assert_int_equal(run(p, used), 2);
    ring_is(p, 0, 1, 1);
    ring_loads(p);
    assert_false(str_eq(current_of(p, KEY_SIGN)->kid, old));
    assert_int_equal(current_of(p, KEY_SIGN)->activated_at, used);
    assert_int_equal(p->keys[find(p, old)].retired_at, used);

    int64_t end = used + LIFETIME + CACHE_AGE + LEEWAY;
    assert_int_equal(p->next_at, end);
    assert_int_equal(run(p, end - 1), 0);
    assert_int_equal(run(p, end), 1);
    ring_is(p, 0, 1, 0);
    assert_int_equal(find(p, old), p->n);
    assert_int_equal(p->next_at, used + 90 * DAY);
}

static void asking_twice_makes_one_key(void **state)
{
    play_t *p = *state;
    run(p, START);
    p->policy.rotate_now = true;
    run(p, START + 1);
    p->policy.rotate_now = true;
    assert_int_equal(run(p, START + 2), 0);
    ring_is(p, 1, 1, 0);
}

static void age_rotates(void **state)
{
    play_t *p = *state;
    run(p, START);
    assert_int_equal(run(p, START + 90 * DAY), 1);
    ring_is(p, 1, 1, 0);
}

/* A leaked key may not be published for one request more, and the others lay beside it. */
static void leak_replaces_every_key_at_once(void **state)
{
    play_t *p = *state;
    run(p, START);
    p->policy.rotate_now = true;
    run(p, START + 10);
    run(p, START + 10 + CACHE_AGE);
    p->policy.rotate_now = true;
    run(p, START + 20 + CACHE_AGE);
    ring_is(p, 1, 1, 1);
    play_t before = *p;
    p->policy.rotate_now = p->policy.at_once = true;
    assert_int_equal(run(p, START + 30 + CACHE_AGE), 1);
    assert_int_equal(p->n, 3);
    ring_is(p, 0, 1, 0);
    ring_loads(p);
    for (size_t i = 0; i < before.n; i++)
        assert_int_equal(find(p, before.keys[i].kid), p->n);
}

static void at_once_needs_rotate_now(void **state)
{
    play_t *p = *state;
    run(p, START);
    p->policy.at_once = true;
    assert_int_equal(run(p, START + 1), 0);
}

static void another_algorithm_makes_a_new_key(void **state)
{
    play_t *p = *state;
    run(p, START);
    p->conf.signing_alg = STR("EdDSA");
    assert_int_equal(run(p, START + 5), 1);
    assert_int_equal(run(p, START + 5 + CACHE_AGE), 2);
    assert_true(str_eq(current_of(p, KEY_SIGN)->alg, STR("EdDSA")));
    ring_is(p, 0, 1, 1);
    ring_loads(p);
}

/* Two servers start on one empty store: the slower one's plan fails whole, and its next is none. */
static void conflict_of_two_first_starts_leads_to_one_ring(void **state)
{
    play_t *p = *state;
    assert_int_equal(plan(p), RC_OK);
    effects_t slower = p->effects;
    run(p, START);
    str_t kid = current_of(p, KEY_SIGN)->kid;
    assert_int_equal(apply(p, &slower), RC_CONFLICT);
    assert_int_equal(run(p, START + 1), 0);
    ring_is(p, 0, 1, 0);
    assert_true(str_eq(current_of(p, KEY_SIGN)->kid, kid));
}

/* A plan of before a leak was answered must not bring the leaked key back. */
static void conflict_with_a_leak_brings_no_key_back(void **state)
{
    play_t *p = *state;
    run(p, START);
    str_t leaked = current_of(p, KEY_SIGN)->kid;
    p->policy.rotate_now = true;
    run(p, START + 1);
    p->policy.now = START + 1 + CACHE_AGE;
    assert_int_equal(plan(p), RC_OK);
    effects_t promotion = p->effects;
    p->policy.rotate_now = p->policy.at_once = true;
    run(p, START + 1 + CACHE_AGE);
    assert_int_equal(apply(p, &promotion), RC_CONFLICT);
    assert_int_equal(find(p, leaked), p->n);
    assert_int_equal(run(p, START + 2 + CACHE_AGE), 0);
    ring_is(p, 0, 1, 0);
}

/* Two processes publish a next key at once: both succeed, and the younger one goes. */
static void two_published_keys_become_one(void **state)
{
    play_t *p = *state;
    run(p, START);
    p->policy.rotate_now = true;
    assert_int_equal(plan(p), RC_OK);
    effects_t other = p->effects;
    run(p, START + 1);
    assert_int_equal(apply(p, &other), RC_OK);
    ring_is(p, 2, 1, 0);
    assert_int_equal(run(p, START + 2), 1);
    ring_is(p, 1, 1, 0);
}

static void clock_going_back_publishes_longer(void **state)
{
    play_t *p = *state;
    run(p, START);
    p->policy.rotate_now = true;
    run(p, START + DAY);
    assert_int_equal(run(p, START), 0);
    assert_int_equal(p->next_at, START + DAY + CACHE_AGE);
    ring_is(p, 1, 1, 0);
}

/* What was signed while the clock was ahead expires as much later. */
static void clock_going_back_keeps_the_retired_key_for_its_tokens(void **state)
{
    play_t *p = *state;
    run(p, START + DAY);
    str_t old = current_of(p, KEY_SIGN)->kid;
    p->policy.rotate_now = true;
    run(p, START);
    run(p, START + CACHE_AGE);
    assert_int_equal(p->keys[find(p, old)].retired_at, START + DAY);
    assert_int_equal(run(p, START + DAY), 0);
    assert_int_equal(run(p, START + DAY + LIFETIME + CACHE_AGE + LEEWAY), 1);
    assert_int_equal(find(p, old), p->n);
}

static void lost_derive_key_is_made_anew(void **state)
{
    play_t *p = *state;
    run(p, START);
    assert_int_equal(forget(p, current_of(p, KEY_DERIVE)->kid), RC_OK);
    str_t key;
    assert_int_equal(as_keys_derive(p->a, p->keys, p->n, &key), RC_NOT_FOUND);
    assert_int_equal(run(p, START + 1), 1);
    ring_is(p, 0, 1, 0);
}

static void derive_key_of_wrong_length_is_refused(void **state)
{
    play_t *p = *state;
    run(p, START);
    p->keys[find(p, current_of(p, KEY_DERIVE)->kid)].secret.n--;
    str_t key;
    assert_int_equal(as_keys_derive(p->a, p->keys, p->n, &key), RC_IO);
}

static void unknown_algorithm_is_refused(void **state)
{
    play_t *p = *state;
    run(p, START);
    p->keys[find(p, current_of(p, KEY_SIGN)->kid)].alg = STR("none");
    keyring_record_t *records;
    size_t n;
    assert_int_equal(as_keys_signing(p->a, p->keys, p->n, &records, &n), RC_IO);
    assert_int_equal(plan(p), RC_IO);
}

/* A resource whose tokens live longer keeps the keys that signed them. */
static void keys_stay_as_long_as_the_longest_tokens(void **state)
{
    play_t *p = *state;
    const resource_t v[] = {{.access_token_lifetime = 60}, {.access_token_lifetime = 3600}};
    p->policy.resources = v;
    p->policy.n_resources = 2;
    run(p, START);
    p->policy.rotate_now = true;
    run(p, START + DAY);
    p->policy.rotate_now = false;
    run(p, START + DAY + CACHE_AGE); /* the new one signs */
    int64_t used = START + DAY + CACHE_AGE;
    assert_int_equal(run(p, used + LIFETIME + CACHE_AGE + LEEWAY), 0);
    assert_int_equal(run(p, used + 3600 + CACHE_AGE + LEEWAY), 1);
    ring_is(p, 0, 1, 0);
}

/* More dead keys than one decision can hold go in several, while rotation goes on. */
static void many_dead_keys_go_in_several_plans(void **state)
{
    play_t *p = *state;
    run(p, START);
    for (size_t i = 0; i < EFFECTS_MAX - 2; i++)
        p->keys[p->n++] = (key_record_t){.kid = arena_printf(p->a, "dead-%zu", i),
                                         .alg = STR("ES256"),
                                         .use = KEY_SIGN,
                                         .state = KEY_RETIRED,
                                         .retired_at = 1};
    p->policy.rotate_now = true;
    assert_int_equal(run(p, START + DAY), EFFECTS_MAX - 3);
    ring_is(p, 1, 1, 2);
    assert_int_equal(p->next_at, START + DAY);
    assert_int_equal(run(p, START + DAY), 2);
    ring_is(p, 1, 1, 0);
}

/* What as_keys_plan leaves behind is the ring that it says: however many there are. */
static void leak_leaves_none_of_many_keys(void **state)
{
    play_t *p = *state;
    run(p, START);
    for (size_t i = 0; i < EFFECTS_MAX + 2; i++)
        p->keys[p->n++] = (key_record_t){.kid = arena_printf(p->a, "old-%zu", i),
                                         .alg = STR("ES256"),
                                         .use = KEY_SIGN,
                                         .state = KEY_RETIRED,
                                         .retired_at = START};
    p->policy.rotate_now = p->policy.at_once = true;
    assert_int_equal(run(p, START + 1), 1);
    ring_is(p, 0, 1, 0);
    assert_int_equal(p->n, 3);
}

/* A resource server takes a set of so many keys and no more. */
static void full_ring_waits_until_keys_go(void **state)
{
    play_t *p = *state;
    run(p, START);
    for (size_t i = 1; i < LIMIT_JWKS_KEYS; i++)
        p->keys[p->n++] = (key_record_t){.kid = arena_printf(p->a, "old-%zu", i),
                                         .alg = STR("ES256"),
                                         .use = KEY_SIGN,
                                         .state = KEY_RETIRED,
                                         .retired_at = START + 90 * DAY};
    assert_int_equal(run(p, START + 90 * DAY), 0);
    p->policy.rotate_now = true;
    assert_int_equal(plan(p), RC_LIMIT);
    p->policy.rotate_now = false;
    assert_true(run(p, START + 91 * DAY) > 0);
    while (run(p, START + 91 * DAY) > 0)
        ;
    ring_is(p, 1, 1, 0);
}

static void leak_takes_the_sealing_keys_too(void **state)
{
    play_t *p = *state;
    run(p, START);
    str_t leaked = current_of(p, KEY_SEAL)->kid;
    p->policy.rotate_now = p->policy.at_once = true;
    run(p, START + 1);
    assert_int_equal(find(p, leaked), p->n);
    assert_int_equal(count(p, KEY_SEAL, KEY_RETIRED), 0);
}

static void leak_keeps_the_sealing_keys_where_clients_are_to_stay(void **state)
{
    play_t *p = *state;
    as_seal_keys_t sealing;
    run(p, START);
    str_t first = current_of(p, KEY_SEAL)->kid, secret = current_of(p, KEY_SEAL)->secret;
    for (int i = 1; i <= 2; i++) {
        p->policy.rotate_now = p->policy.at_once = p->policy.keep_clients = true;
        run(p, START + i);
    }
    ring_is(p, 0, 1, 0);
    ring_loads(p);
    assert_int_equal(as_keys_sealing(p->a, p->keys, p->n, &sealing), RC_OK);
    assert_int_equal(sealing.n, 3);
    assert_int_equal(p->keys[find(p, first)].retired_at, START + 1);
    bool found = false;
    for (size_t i = 1; i < sealing.n; i++)
        found |= str_eq(sealing.v[i].kid, first) && str_eq(sealing.v[i].key, secret);
    assert_true(found);
}

static void sealing_key_is_not_rotated_by_age(void **state)
{
    play_t *p = *state;
    run(p, START);
    str_t kid = current_of(p, KEY_SEAL)->kid;
    run(p, START + 90 * DAY);
    run(p, START + 91 * DAY);
    assert_true(str_eq(current_of(p, KEY_SEAL)->kid, kid));
    assert_int_equal(count(p, KEY_SEAL, KEY_RETIRED), 0);
}

static void sealing_key_that_is_no_key_is_refused(void **state)
{
    play_t *p = *state;
    as_seal_keys_t sealing;
    run(p, START);
    size_t i = find(p, current_of(p, KEY_SEAL)->kid);
    p->keys[i].secret.n--;
    assert_int_equal(as_keys_sealing(p->a, p->keys, p->n, &sealing), RC_IO);
    p->keys[i].secret.n++;
    p->keys[i].state = KEY_RETIRED;
    assert_int_equal(as_keys_sealing(p->a, p->keys, p->n, &sealing), RC_NOT_FOUND);
}

static void interval_of_zero_rotates_on_demand_only(void **state)
{
    play_t *p = *state;
    p->conf.key_rotation_interval = 0;
    run(p, START);
    assert_int_equal(p->next_at, 0);
    assert_int_equal(run(p, START + 4000 * DAY), 0);
    p->policy.rotate_now = true;
    assert_int_equal(run(p, START + 4000 * DAY), 1);
}

/* ---- encrypted keys ---- */

static as_kek_t kek(play_t *p, char c)
{
    as_kek_t out;
    char bytes[32];
    memset(bytes, c, sizeof bytes);
    assert_int_equal(as_kek_read(p->a, str_of(bytes, sizeof bytes), &out), RC_OK);
    return out;
}

static void all_sealed_by(const play_t *p, str_t name)
{
    for (size_t i = 0; i < p->n; i++)
        assert_true(str_eq(p->keys[i].sealed_by, name));
}

static void encrypted_ring_rotates_like_a_plain_one(void **state)
{
    play_t *p = *state;
    p->policy.kek = kek(p, 'x');
    assert_int_equal(run(p, START), 3);
    ring_loads(p);
    p->policy.rotate_now = true;
    assert_int_equal(run(p, START + 1), 1);
    assert_int_equal(run(p, START + 1 + CACHE_AGE), 2);
    ring_is(p, 0, 1, 1);
    ring_loads(p);
    all_sealed_by(p, p->policy.kek.name);
    p->policy.rotate_now = p->policy.at_once = p->policy.keep_clients = true;
    assert_int_equal(run(p, START + 2 + CACHE_AGE), 1);
    ring_is(p, 0, 1, 0);
    ring_loads(p);
    all_sealed_by(p, p->policy.kek.name);
}

static void wrong_key_is_no_plan(void **state)
{
    play_t *p = *state;
    p->policy.kek = kek(p, 'x');
    run(p, START);
    p->policy.kek = kek(p, 'y');
    assert_int_equal(plan(p), RC_CONFIG);
    p->policy.kek = (as_kek_t){.key = STR_UNSET};
    assert_int_equal(plan(p), RC_CONFIG);
}

static rc_t reseal(play_t *p, as_kek_t from, as_kek_t to)
{
    p->policy.kek = to;
    return as_keys_reseal(p->a, p->keys, p->n, &from, &p->policy, &p->effects);
}

static void keys_are_encrypted_in_one_step_and_again_under_another(void **state)
{
    play_t *p = *state;
    as_kek_t none = {.key = STR_UNSET}, x = kek(p, 'x'), y = kek(p, 'y');
    run(p, START);
    str_t plain = current_of(p, KEY_DERIVE)->secret;
    assert_int_equal(reseal(p, none, none), RC_OK);
    assert_int_equal(p->effects.n, 0);
    assert_int_equal(reseal(p, none, x), RC_OK);
    assert_int_equal(p->effects.n, 1);
    assert_int_equal(apply(p, &p->effects), RC_OK);
    all_sealed_by(p, x.name);
    assert_false(str_contains(current_of(p, KEY_DERIVE)->secret, plain));
    ring_loads(p);
    assert_int_equal(reseal(p, y, kek(p, 'z')), RC_CONFIG);
    assert_int_equal(reseal(p, x, y), RC_OK);
    assert_int_equal(apply(p, &p->effects), RC_OK);
    all_sealed_by(p, y.name);
    ring_loads(p);
    assert_int_equal(reseal(p, x, y), RC_OK);
    assert_int_equal(p->effects.n, 0);
}

/* ---- removing ---- */

static as_removal_t removal_of(play_t *p, str_t kid)
{
    as_removal_t out;
    const as_keys_t keys = {p->keys, p->n};
    assert_int_equal(as_keys_remove(p->a, &keys, kid, START + 7, &out), RC_OK);
    assert_int_equal(out.effects.n > 0, out.verdict == AS_KEYS_REMOVED);
    return out;
}

static void key_that_signs_alone_is_not_removed(void **state)
{
    play_t *p = *state;
    run(p, START);
    assert_int_equal(removal_of(p, current_of(p, KEY_SIGN)->kid).verdict, AS_KEYS_ALONE);
    assert_int_equal(removal_of(p, STR("nobody")).verdict, AS_KEYS_UNKNOWN);
    assert_int_equal(removal_of(p, current_of(p, KEY_DERIVE)->kid).verdict, AS_KEYS_IN_USE);
    assert_int_equal(removal_of(p, current_of(p, KEY_SEAL)->kid).verdict, AS_KEYS_IN_USE);
}

static void key_that_signs_is_removed_where_another_is_published(void **state)
{
    play_t *p = *state;
    run(p, START);
    str_t old = current_of(p, KEY_SIGN)->kid;
    p->policy.rotate_now = true;
    run(p, START + 1);
    as_removal_t removal = removal_of(p, old);
    assert_int_equal(apply(p, &removal.effects), RC_OK);
    assert_int_equal(find(p, old), p->n);
    ring_is(p, 0, 1, 0);
    ring_loads(p);
    assert_int_equal(current_of(p, KEY_SIGN)->activated_at, START + 7);
    assert_true(str_contains(removal.about, old));
    assert_true(str_contains(removal.about, current_of(p, KEY_SIGN)->kid));
}

static void next_and_retired_keys_are_removed(void **state)
{
    play_t *p = *state;
    run(p, START);
    str_t old = current_of(p, KEY_SIGN)->kid;
    p->policy.rotate_now = true;
    run(p, START + 1);
    run(p, START + 1 + CACHE_AGE);
    p->policy.rotate_now = true;
    run(p, START + 2 + CACHE_AGE);
    ring_is(p, 1, 1, 1);
    as_removal_t removal = removal_of(p, old);
    assert_int_equal(apply(p, &removal.effects), RC_OK);
    ring_is(p, 1, 1, 0);
    for (size_t i = 0; i < p->n; i++)
        if (p->keys[i].state == KEY_NEXT)
            old = p->keys[i].kid;
    removal = removal_of(p, old);
    assert_int_equal(apply(p, &removal.effects), RC_OK);
    ring_is(p, 0, 1, 0);
}

static rc_t no_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return RC_IO;
}

static void no_randomness_is_no_plan(void **state)
{
    play_t *p = *state;
    p->policy.random.fill = no_random;
    assert_int_equal(plan(p), RC_IO);
}

/* Wherever the memory ends, the plan fails as a whole or is the whole one. */
static void memory_ends_anywhere(void **state)
{
    play_t *p = *state;
    arena_t *roomy = p->a;
    rc_t rc = RC_MEMORY;
    for (size_t budget = 64; rc != RC_OK; budget += 64) {
        assert_true(budget < 65536);
        p->a = arena_new(budget);
        assert_non_null(p->a);
        rc = plan(p);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        assert_int_equal(rc == RC_OK ? p->effects.n : 3, 3);
        arena_free(p->a);
    }
    p->a = roomy;
}

int main(void)
{
#define PLAY_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        PLAY_TEST(first_start_makes_a_key_of_each_use),
        PLAY_TEST(a_young_ring_stays),
        PLAY_TEST(rotation_on_demand_publishes_waits_promotes_and_forgets),
        PLAY_TEST(asking_twice_makes_one_key),
        PLAY_TEST(age_rotates),
        PLAY_TEST(leak_replaces_every_key_at_once),
        PLAY_TEST(at_once_needs_rotate_now),
        PLAY_TEST(another_algorithm_makes_a_new_key),
        PLAY_TEST(conflict_of_two_first_starts_leads_to_one_ring),
        PLAY_TEST(conflict_with_a_leak_brings_no_key_back),
        PLAY_TEST(two_published_keys_become_one),
        PLAY_TEST(clock_going_back_publishes_longer),
        PLAY_TEST(clock_going_back_keeps_the_retired_key_for_its_tokens),
        PLAY_TEST(lost_derive_key_is_made_anew),
        PLAY_TEST(derive_key_of_wrong_length_is_refused),
        PLAY_TEST(unknown_algorithm_is_refused),
        PLAY_TEST(keys_stay_as_long_as_the_longest_tokens),
        PLAY_TEST(many_dead_keys_go_in_several_plans),
        PLAY_TEST(leak_leaves_none_of_many_keys),
        PLAY_TEST(full_ring_waits_until_keys_go),
        PLAY_TEST(leak_takes_the_sealing_keys_too),
        PLAY_TEST(leak_keeps_the_sealing_keys_where_clients_are_to_stay),
        PLAY_TEST(sealing_key_is_not_rotated_by_age),
        PLAY_TEST(sealing_key_that_is_no_key_is_refused),
        PLAY_TEST(interval_of_zero_rotates_on_demand_only),
        PLAY_TEST(encrypted_ring_rotates_like_a_plain_one),
        PLAY_TEST(wrong_key_is_no_plan),
        PLAY_TEST(keys_are_encrypted_in_one_step_and_again_under_another),
        PLAY_TEST(key_that_signs_alone_is_not_removed),
        PLAY_TEST(key_that_signs_is_removed_where_another_is_published),
        PLAY_TEST(next_and_retired_keys_are_removed),
        PLAY_TEST(no_randomness_is_no_plan),
        PLAY_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
