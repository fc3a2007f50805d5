#include "as/keys.h"

#include "core/buf.h"
#include "oauth/handle.h"

/* A signing key may be used for one to three years (NIST SP 800-57 part 1, section 5.3.6). 90 days
 * is well within, and often enough that a resource server that cannot follow a new key is found
 * while somebody remembers how it was set up. */
enum { ROTATE_EVERY = 90 * 86400 };

/* Two effects change who signs and two the derive key; what is left may forget keys. More than that
 * wait for the next plan. */
enum { DELETES_MAX = EFFECTS_MAX - 4, ABOUT_BYTES = 8192 };

/* The key ring as it will be, and what leads there. */
typedef struct {
    arena_t *a;
    const as_keys_policy_t *policy;
    keyring_policy_t ring;
    keyring_record_t *v;
    size_t n;
    effects_t *effects;
    size_t deletes;
    buf_t about;
} plan_t;

static keyring_state_t ring_state(key_state_t state)
{
    return state == KEY_NEXT      ? KEYRING_NEXT
           : state == KEY_CURRENT ? KEYRING_CURRENT
                                  : KEYRING_RETIRED;
}

static key_state_t record_state(keyring_state_t state)
{
    return state == KEYRING_NEXT ? KEY_NEXT : state == KEYRING_CURRENT ? KEY_CURRENT : KEY_RETIRED;
}

static rc_t read_signing(const key_record_t *r, keyring_record_t *out)
{
    *out = (keyring_record_t){.kid = r->kid,
                              .alg = alg_parse(r->alg),
                              .state = ring_state(r->state),
                              .pkcs8 = secret_of(r->secret),
                              .created_at = r->created_at,
                              .activated_at = r->activated_at,
                              .retired_at = r->retired_at};
    return out->alg == ALG_UNKNOWN ? RC_IO : RC_OK;
}

rc_t as_keys_signing(arena_t *a, const key_record_t *records, size_t n, keyring_record_t **out,
                     size_t *n_out)
{
    *n_out = 0;
    *out = ARENA_ARRAY(a, n + 1, keyring_record_t); /* one more than there are: a plan adds one */
    if (!*out)
        return RC_MEMORY;
    for (size_t i = 0; i < n; i++)
        if (records[i].use == KEY_SIGN)
            TRY(read_signing(&records[i], &(*out)[(*n_out)++]));
    return RC_OK;
}

static const key_record_t *find_derive(const key_record_t *records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (records[i].use == KEY_DERIVE && records[i].state == KEY_CURRENT)
            return &records[i];
    return NULL;
}

rc_t as_keys_derive(arena_t *a, const key_record_t *records, size_t n, str_t *out)
{
    const key_record_t *derive = find_derive(records, n);
    if (!derive)
        return RC_NOT_FOUND;
    if (derive->secret.n != OAUTH_DERIVE_KEY_BYTES)
        return RC_IO;
    *out = secret_dup(a, derive->secret).hidden;
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

/* "deleted key a; made and activated key b" */
static void tell(plan_t *p, const char *verb, str_t kid)
{
    buf_fmt(&p->about, "%s%s %" PRIstr, p->about.n ? "; " : "", verb, STR_ARG(kid));
}

static rc_t put(plan_t *p, const keyring_record_t *key, const char *verb)
{
    key_record_t *r = ARENA_NEW(p->a, key_record_t);
    if (!r)
        return RC_MEMORY;
    *r = (key_record_t){.kid = key->kid,
                        .alg = alg_name(key->alg),
                        .use = KEY_SIGN,
                        .state = record_state(key->state),
                        .secret = key->pkcs8.hidden,
                        .created_at = key->created_at,
                        .activated_at = key->activated_at,
                        .retired_at = key->retired_at};
    effects_add(p->effects, EFFECT_KEY_PUT, p->policy->now)->u.key_record = r;
    tell(p, verb, key->kid);
    return RC_OK;
}

static size_t find(const plan_t *p, str_t kid)
{
    size_t i = 0;
    while (i < p->n && !str_eq(p->v[i].kid, kid))
        i++;
    return i;
}

static rc_t make(plan_t *p, keyring_state_t state)
{
    keyring_record_t *key = &p->v[p->n];
    TRY(keyring_record_make(p->a, p->ring.alg, state, p->policy->now, key));
    p->n++;
    return put(p, key, state == KEYRING_CURRENT ? "made and activated key" : "published new key");
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
    return put(p, key, "activated key");
}

/* A clock that was ahead and has been set back must not shorten the time that the key stays: what
 * it signed is as much ahead. */
static rc_t retire(plan_t *p, str_t kid)
{
    keyring_record_t *key = &p->v[find(p, kid)];
    key->state = KEYRING_RETIRED;
    key->retired_at = p->policy->now > key->activated_at ? p->policy->now : key->activated_at;
    return put(p, key, "retired key");
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

/* Who could read one key of the store could read all of them: none may be believed any longer, and
 * the ones that sign or will sign go first. */
static rc_t replace_all(plan_t *p)
{
    static const keyring_state_t ORDER[] = {KEYRING_CURRENT, KEYRING_NEXT, KEYRING_RETIRED};
    for (size_t s = 0; s < sizeof ORDER / sizeof *ORDER; s++)
        for (size_t i = p->n; i-- > 0;)
            if (p->v[i].state == ORDER[s])
                TRY(forget(p, p->v[i].kid));
    return make(p, KEYRING_CURRENT);
}

static rc_t change_signing(plan_t *p)
{
    if (p->policy->rotate_now && p->policy->at_once)
        return replace_all(p);
    keyring_plan_t steps;
    keyring_plan(p->v, p->n, &p->ring, p->policy->now, &steps);
    for (size_t i = 0; i < steps.n; i++)
        TRY(take_step(p, &steps.v[i]));
    return RC_OK;
}

static rc_t make_derive(plan_t *p)
{
    key_record_t *r = ARENA_NEW(p->a, key_record_t);
    uint8_t random[OAUTH_DERIVE_KEY_BYTES], name[12];
    if (!r)
        return RC_MEMORY;
    TRY(p->policy->random.fill(p->policy->random.ctx, random, sizeof random));
    secret_t key = secret_dup(p->a, str_of(random, sizeof random));
    secret_wipe(random, sizeof random);
    TRY(p->policy->random.fill(p->policy->random.ctx, name, sizeof name));
    buf_t kid = buf_new(p->a, 64);
    buf_put(&kid, STR("derive-"));
    buf_b64url(&kid, name, sizeof name);
    TRY(buf_done(&kid, &r->kid));
    r->alg = STR("HS256");
    r->use = KEY_DERIVE;
    r->state = KEY_CURRENT;
    r->secret = key.hidden;
    r->created_at = r->activated_at = p->policy->now;
    effects_add(p->effects, EFFECT_KEY_PUT, p->policy->now)->u.key_record = r;
    tell(p, "made derivation key", r->kid);
    return str_is_set(r->secret) ? RC_OK : RC_MEMORY;
}

/* It is not rotated by age: what it makes are codes, which live for minutes and are used once. A
 * leak replaces it like the others. */
static rc_t change_derive(plan_t *p, const key_record_t *derive)
{
    bool leaked = p->policy->rotate_now && p->policy->at_once;
    if (derive && !leaked)
        return RC_OK;
    if (derive) {
        effects_add(p->effects, EFFECT_KEY_DELETE, p->policy->now)->u.key = derive->kid;
        tell(p, "deleted derivation key", derive->kid);
    }
    return make_derive(p);
}

/* When the ring that this plan leaves behind needs the next one; at once if it does already. */
static int64_t look_again(const plan_t *p)
{
    keyring_policy_t ring = p->ring;
    ring.rotate_now = false;
    keyring_plan_t after;
    keyring_plan(p->v, p->n, &ring, p->policy->now, &after);
    return after.n > 0 ? p->policy->now : after.next_at;
}

rc_t as_keys_plan(arena_t *a, const key_record_t *records, size_t n, const as_keys_policy_t *policy,
                  effects_t *effects, str_t *about, int64_t *next_at)
{
    *effects = (effects_t){0};
    plan_t p = {
        .a = a,
        .policy = policy,
        .ring = {.alg = alg_parse(policy->conf->signing_alg),
                 .token_lifetime = policy->conf->access_token_lifetime,
                 .cache_age = policy->conf->key_set_cache_age,
                 .rotate_every = ROTATE_EVERY,
                 .rotate_now = policy->rotate_now},
        .effects = effects,
        .about = buf_new(a, ABOUT_BYTES),
    };
    TRY(as_keys_signing(a, records, n, &p.v, &p.n));
    TRY(change_derive(&p, find_derive(records, n)));
    TRY(change_signing(&p));
    *next_at = look_again(&p);
    return buf_done(&p.about, about);
}
