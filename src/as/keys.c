#include "as/keys.h"

#include "core/buf.h"
#include "core/limits.h"

/* Two effects change who signs, two make the keys that derive and seal; what is left may forget
 * keys. More than that wait for the next plan. */
enum { DELETES_MAX = EFFECTS_MAX - 4, ABOUT_BYTES = 16384, RING_MAX = LIMIT_JWKS_KEYS };

/* How much longer than asked a key is published before it signs: times are whole seconds, making a
 * key takes some of one, and other processes and workers see the store a moment later. Of several
 * nodes one may publish it and another, whose clock is ahead, let it sign. */
enum { PUBLISH_SLACK = 2, PUBLISH_SLACK_NODES = 5 };

/* The key ring as it will be, and what leads there. */
typedef struct {
    arena_t *a;
    const as_keys_policy_t *policy;
    as_opener_t opener;
    const as_keys_t *was;
    keyring_policy_t ring;
    keyring_record_t *v;
    size_t n;
    effects_t *effects;
    size_t deletes;
    buf_t about;
} plan_t;

static key_state_t record_state(keyring_state_t state)
{
    return state == KEYRING_NEXT ? KEY_NEXT : state == KEYRING_CURRENT ? KEY_CURRENT : KEY_RETIRED;
}

/* "deleted key a; made and activated key b" */
static void tell(plan_t *p, const char *verb, str_t kid)
{
    buf_fmt(&p->about, "%s%s %" PRIstr, p->about.n ? "; " : "", verb, STR_ARG(kid));
}

static rc_t put(plan_t *p, const key_record_t *record)
{
    key_record_t *r = ARENA_NEW(p->a, key_record_t);
    if (!r)
        return RC_MEMORY;
    TRY(as_vault_seal(p->a, &p->opener, record, r));
    effects_add(p->effects, EFFECT_KEY_PUT, p->policy->now)->u.key_record = r;
    return RC_OK;
}

/* Secret and seal stay as the store has them: only what stands beside them changes. */
static rc_t put_changed(plan_t *p, const keyring_record_t *key, const char *verb)
{
    size_t i = 0;
    while (i < p->was->n && !str_eq(p->was->v[i].kid, key->kid))
        i++;
    if (i == p->was->n)
        return RC_IO;
    key_record_t r = p->was->v[i];
    r.state = record_state(key->state);
    r.activated_at = key->activated_at;
    r.retired_at = key->retired_at;
    TRY(put(p, &r));
    tell(p, verb, key->kid);
    return RC_OK;
}

static rc_t make_signing(plan_t *p, keyring_state_t state, key_record_t *r)
{
    *r = (key_record_t){.alg = alg_name(p->ring.alg),
                        .use = KEY_SIGN,
                        .state = record_state(state),
                        .created_at = p->policy->now,
                        .activated_at = state == KEYRING_CURRENT ? p->policy->now : 0};
    TRY(as_vault_make(p->a, &p->opener, r));
    p->v[p->n++] = (keyring_record_t){.kid = r->kid,
                                      .alg = p->ring.alg,
                                      .state = state,
                                      .created_at = r->created_at,
                                      .activated_at = r->activated_at};
    tell(p, state == KEYRING_CURRENT ? "made and activated key" : "published new key", r->kid);
    return RC_OK;
}

static size_t find(const plan_t *p, str_t kid)
{
    size_t i = 0;
    while (i < p->n && !str_eq(p->v[i].kid, kid))
        i++;
    return i;
}

static bool has_next(const plan_t *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].state == KEYRING_NEXT)
            return true;
    return false;
}

/* More than others take of a key set are not published: a rotation waits until retired keys go. Who
 * asked for it is told. A next key that goes by a later plan goes first: the store takes one. */
static rc_t make(plan_t *p, keyring_state_t state)
{
    key_record_t r;
    if (p->n >= RING_MAX)
        return p->ring.rotate_now ? RC_LIMIT : RC_OK;
    if (state == KEYRING_NEXT && has_next(p))
        return RC_OK;
    TRY(make_signing(p, state, &r));
    return put(p, &r);
}

static rc_t forget(plan_t *p, str_t kid)
{
    if (p->deletes == DELETES_MAX)
        return RC_OK;
    p->deletes++;
    effects_add(p->effects, EFFECT_KEY_DELETE, p->policy->now)->u.key = kid;
    tell(p, "deleted key", kid);
    size_t i = find(p, kid);
    memmove(&p->v[i], &p->v[i + 1], (--p->n - i) * sizeof *p->v);
    return RC_OK;
}

static rc_t promote(plan_t *p, str_t kid)
{
    keyring_record_t *key = &p->v[find(p, kid)];
    key->state = KEYRING_CURRENT;
    key->activated_at = p->policy->now;
    return put_changed(p, key, "activated key");
}

/* A clock that was ahead and has been set back must not shorten the time that the key stays: what
 * it signed is as much ahead. */
static rc_t retire(plan_t *p, str_t kid)
{
    keyring_record_t *key = &p->v[find(p, kid)];
    key->state = KEYRING_RETIRED;
    key->retired_at = p->policy->now > key->activated_at ? p->policy->now : key->activated_at;
    return put_changed(p, key, "retired key");
}

static rc_t take_step(plan_t *p, const keyring_step_t *step)
{
    switch (step->kind) {
    case KEYRING_MAKE_CURRENT:
        return make(p, KEYRING_CURRENT);
    case KEYRING_MAKE_NEXT:
        return make(p, KEYRING_NEXT);
    case KEYRING_PROMOTE:
        return promote(p, step->kid);
    case KEYRING_RETIRE:
        return retire(p, step->kid);
    case KEYRING_DELETE:
        return forget(p, step->kid);
    }
    return RC_OK;
}

static rc_t change_signing(plan_t *p)
{
    keyring_plan_t steps;
    keyring_plan(p->v, p->n, &p->ring, p->policy->now, &steps);
    for (size_t i = 0; i < steps.n; i++)
        TRY(take_step(p, &steps.v[i]));
    return RC_OK;
}

/* ---- keys that are random bytes ---- */

typedef struct {
    key_use_t use;
    str_t alg;
    const char *made;
} raw_kind_t;

static const raw_kind_t DERIVE = {KEY_DERIVE, STR_INIT("HS256"), "made derivation key"};
static const raw_kind_t SEAL = {KEY_SEAL, STR_INIT("A256GCM"), "made sealing key"};

static rc_t make_raw(plan_t *p, const raw_kind_t *kind, key_record_t *r)
{
    *r = (key_record_t){.alg = kind->alg,
                        .use = kind->use,
                        .state = KEY_CURRENT,
                        .created_at = p->policy->now,
                        .activated_at = p->policy->now};
    TRY(as_vault_make(p->a, &p->opener, r));
    tell(p, kind->made, r->kid);
    return RC_OK;
}

/* They are not rotated by age: what one derives are codes, which live for minutes and are used
 * once; what the other seals are client ids, which must be opened for years. */
static bool is_missing(const key_record_t *records, size_t n, const raw_kind_t *kind)
{
    for (size_t i = 0; i < n; i++)
        if (records[i].use == kind->use && records[i].state == KEY_CURRENT)
            return false;
    return true;
}

static rc_t make_missing(plan_t *p, const key_record_t *records, size_t n, const raw_kind_t *kind)
{
    if (!is_missing(records, n, kind))
        return RC_OK;
    key_record_t r;
    TRY(make_raw(p, kind, &r));
    return put(p, &r);
}

/* ---- all keys at once ---- */

/* Room for `n` records that take the place of `was`, which the store compares. */
static key_record_t *replace_all(plan_t *p, const key_record_t *was, size_t n_was, size_t n)
{
    key_change_t *change = ARENA_NEW(p->a, key_change_t);
    key_record_t *v = ARENA_ARRAY(p->a, n + 1, key_record_t);
    if (!change || !v)
        return NULL;
    *change = (key_change_t){was, n_was, v, n};
    effects_add(p->effects, EFFECT_KEYS_REPLACE, p->policy->now)->u.key_change = change;
    return v;
}

static bool outlives_leak(const plan_t *p, const key_record_t *r)
{
    return p->policy->keep_clients && r->use == KEY_SEAL;
}

static rc_t retire_sealing(plan_t *p, const key_record_t *key, key_record_t *out)
{
    key_record_t retired = *key;
    if (key->state == KEY_CURRENT)
        tell(p, "retired sealing key", key->kid);
    retired.retired_at = key->state == KEY_CURRENT ? p->policy->now : key->retired_at;
    retired.state = KEY_RETIRED;
    return as_vault_seal(p->a, &p->opener, &retired, out);
}

/* Who could read one key of the store could read all of them: none may be believed any longer. */
static rc_t answer_leak(plan_t *p)
{
    const key_record_t *was = p->was->v;
    size_t kept = 0, n = p->was->n;
    for (size_t i = 0; i < n; i++)
        kept += outlives_leak(p, &was[i]);
    key_record_t *v = replace_all(p, was, n, kept + 3);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++)
        if (outlives_leak(p, &was[i]))
            TRY(retire_sealing(p, &was[i], v++));
        else
            tell(p, "deleted key", was[i].kid);
    p->n = 0;
    TRY(make_signing(p, KEYRING_CURRENT, v++));
    TRY(make_raw(p, &DERIVE, v++));
    return make_raw(p, &SEAL, v);
}

/* ---- plans ---- */

/* When the ring that this plan leaves behind needs the next one; at once if it does already. */
static int64_t look_again(const plan_t *p)
{
    keyring_policy_t ring = p->ring;
    ring.rotate_now = false;
    keyring_plan_t after;
    keyring_plan(p->v, p->n, &ring, p->policy->now, &after);
    return after.n > 0 ? p->policy->now : after.next_at;
}

/* The longest life of a token that a key may have signed. */
static int64_t token_lifetime(const as_keys_policy_t *policy)
{
    int64_t longest = policy->conf->access_token_lifetime;
    for (size_t i = 0; i < policy->n_resources; i++)
        if (policy->resources[i].access_token_lifetime > longest)
            longest = policy->resources[i].access_token_lifetime;
    return longest;
}

static int64_t publish_slack(const conf_t *conf)
{
    return str_eq(conf->store, STR("postgres")) ? PUBLISH_SLACK_NODES : PUBLISH_SLACK;
}

as_opener_t as_keys_opener(const as_keys_policy_t *policy)
{
    return (as_opener_t){policy->vault, policy->kek, policy->random};
}

static plan_t plan_new(arena_t *a, const as_keys_t *keys, const as_keys_policy_t *policy,
                       effects_t *effects)
{
    return (plan_t){
        .a = a,
        .policy = policy,
        .opener = as_keys_opener(policy),
        .was = keys,
        .ring = {.alg = alg_parse(policy->conf->signing_alg),
                 .token_lifetime = token_lifetime(policy),
                 .cache_age = policy->conf->key_set_cache_age + publish_slack(policy->conf),
                 .rotate_every = policy->conf->key_rotation_interval,
                 .rotate_now = policy->rotate_now},
        .effects = effects,
        .about = buf_new(a, ABOUT_BYTES),
    };
}

/* A plan needs what stands beside the secrets. In this process they are opened all the same, so
 * that nothing is planned with a record that was changed; a vault does that when they are used. */
static rc_t read_ring(plan_t *p)
{
    const key_record_t *records = p->was->v;
    if (as_kek_misfit(&p->policy->kek, records, p->was->n))
        return RC_CONFIG;
    if (!p->policy->vault)
        TRY(as_kek_open(p->a, &p->policy->kek, records, p->was->n, &records));
    return as_keys_signing(p->a, records, p->was->n, &p->v, &p->n);
}

rc_t as_keys_due(arena_t *a, const as_keys_t *keys, const as_keys_policy_t *policy, bool *due,
                 int64_t *next_at)
{
    effects_t none = {.n = 0};
    keyring_plan_t steps;
    plan_t p = plan_new(a, keys, policy, &none);
    TRY(read_ring(&p));
    keyring_plan(p.v, p.n, &p.ring, policy->now, &steps);
    *due =
        steps.n > 0 || is_missing(keys->v, keys->n, &DERIVE) || is_missing(keys->v, keys->n, &SEAL);
    *next_at = steps.next_at;
    return RC_OK;
}

rc_t as_keys_plan(arena_t *a, const as_keys_t *keys, const as_keys_policy_t *policy,
                  as_keys_plan_t *out)
{
    *out = (as_keys_plan_t){.next_at = 0};
    plan_t p = plan_new(a, keys, policy, &out->effects);
    TRY(read_ring(&p));
    if (policy->rotate_now && policy->at_once) {
        TRY(answer_leak(&p));
    } else {
        TRY(make_missing(&p, keys->v, keys->n, &DERIVE));
        TRY(make_missing(&p, keys->v, keys->n, &SEAL));
        TRY(change_signing(&p));
    }
    out->next_at = look_again(&p);
    return buf_done(&p.about, &out->about);
}
