#include "as/vault_room.h"

#include "as/vault_input.h"
#include "audit/checkpoint.h"
#include "jose/digest.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* How long a key is kept that a load of the store's keys has not had: other workers may still sign
 * with it what they began before, and load them later. */
enum { KEPT_MS = 60000, AUDIT_ARENA_BYTES = 65536 };

/* Of the audit trail, in one life: its own, and those that begin as files are put aside. */
enum { CHAINS_MAX = 16 };

typedef struct {
    uint8_t name[SHA256_BYTES];
    uint64_t seq; /* the highest that was signed */
} signed_chain_t;

typedef struct {
    char kid[LIMIT_KID_BYTES];
    size_t kid_n;
    alg_t alg;
    uint8_t sealed[SHA256_BYTES]; /* of what it was opened from */
    jose_key_t *key;
    int64_t seen_ms;
    bool seen; /* since the last load ended */
    bool missing;
    int64_t missing_since_ms;
} held_t;

struct vault_room {
    vault_config_t config;
    pthread_mutex_t lock; /* guards `v`, the audit signer, and `chains` */
    held_t v[VAULT_KEYS_MAX];
    size_t n;
    atomic_uint age;
    atomic_bool settled;
    arena_t *audit_arena;
    audit_signer_t audit;
    signed_chain_t chains[CHAINS_MAX];
    size_t n_chains;
};

static rc_t make_audit(vault_room_t *room)
{
    room->audit.kid = STR("");
    if (!room->config.audit_key)
        return RC_OK;
    room->audit_arena = arena_new(AUDIT_ARENA_BYTES);
    return room->audit_arena
               ? audit_signer_make(room->audit_arena, room->config.audit_key, &room->audit)
               : RC_MEMORY;
}

rc_t vault_room_new(const vault_config_t *config, vault_room_t **out)
{
    *out = NULL;
    if (!str_is_set(config->kek.key))
        return RC_CONFIG;
    vault_room_t *room = calloc(1, sizeof *room);
    if (!room)
        return RC_MEMORY;
    room->config = *config;
    pthread_mutex_init(&room->lock, NULL);
    rc_t rc = make_audit(room);
    if (rc == RC_OK)
        *out = room;
    else
        vault_room_free(room);
    return rc;
}

static void forget(vault_room_t *room, size_t i)
{
    jose_key_free(room->v[i].key);
    room->v[i] = room->v[--room->n];
    atomic_fetch_add(&room->age, 1);
}

void vault_room_free(vault_room_t *room)
{
    if (!room)
        return;
    while (room->n > 0)
        forget(room, 0);
    arena_free(room->audit_arena);
    pthread_mutex_destroy(&room->lock);
    free(room);
}

str_t vault_room_audit_kid(const vault_room_t *room)
{
    return room->audit.kid;
}

const vault_config_t *vault_room_config(const vault_room_t *room)
{
    return &room->config;
}

unsigned vault_room_age(const vault_room_t *room)
{
    return atomic_load(&room->age);
}

static int64_t mono(const vault_room_t *room)
{
    return room->config.clock.mono_ms(room->config.clock.ctx);
}

/* ---- keys; with the lock held ---- */

static held_t *find(vault_room_t *room, str_t kid)
{
    for (size_t i = 0; i < room->n; i++)
        if (str_eq(str_of(room->v[i].kid, room->v[i].kid_n), kid))
            return &room->v[i];
    return NULL;
}

static void make_place(vault_room_t *room)
{
    size_t oldest = 0;
    for (size_t i = 1; i < room->n; i++)
        if (room->v[i].seen_ms < room->v[oldest].seen_ms)
            oldest = i;
    if (room->n == VAULT_KEYS_MAX)
        forget(room, oldest);
}

/* Takes the key over. */
static void hold(vault_room_t *room, const key_record_t *r, const uint8_t sealed[SHA256_BYTES],
                 jose_key_t *key)
{
    held_t *old = find(room, r->kid);
    if (old)
        forget(room, (size_t)(old - room->v));
    make_place(room);
    held_t *h = &room->v[room->n++];
    *h = (held_t){.kid_n = r->kid.n,
                  .alg = alg_parse(r->alg),
                  .key = key,
                  .seen_ms = mono(room),
                  .seen = true};
    memcpy(h->kid, r->kid.p, r->kid.n);
    memcpy(h->sealed, sealed, sizeof h->sealed);
}

static jose_key_t *known(vault_room_t *room, const key_record_t *r,
                         const uint8_t sealed[SHA256_BYTES])
{
    held_t *h = find(room, r->kid);
    if (!h || h->alg != alg_parse(r->alg) || memcmp(h->sealed, sealed, sizeof h->sealed) != 0)
        return NULL;
    h->seen_ms = mono(room);
    h->seen = true;
    return jose_key_hold(h->key);
}

/* ---- opening ---- */

static rc_t unseal(vault_room_t *room, arena_t *a, const key_record_t *r, str_t *out)
{
    const key_record_t *plain;
    if (!str_is_set(r->sealed_by))
        return RC_CONFIG;
    TRY(as_kek_open(a, &room->config.kek, r, 1, &plain));
    *out = plain->secret;
    return RC_OK;
}

static rc_t read_key(vault_room_t *room, arena_t *a, const key_record_t *r, jose_key_t **out)
{
    str_t der;
    TRY(unseal(room, a, r, &der));
    TRY(jose_key_from_pkcs8(der, out));
    if (jose_key_fits(jose_key_kind(*out), alg_parse(r->alg)))
        return RC_OK;
    jose_key_free(*out);
    return RC_MALFORMED;
}

static rc_t open_signing(vault_room_t *room, arena_t *a, const key_record_t *r, str_t *out)
{
    uint8_t sealed[SHA256_BYTES];
    if (r->kid.n == 0 || r->kid.n > LIMIT_KID_BYTES || alg_parse(r->alg) == ALG_UNKNOWN)
        return RC_MALFORMED;
    sha256(r->secret, sealed);
    pthread_mutex_lock(&room->lock);
    jose_key_t *key = known(room, r, sealed);
    pthread_mutex_unlock(&room->lock);
    if (!key) {
        TRY(read_key(room, a, r, &key));
        pthread_mutex_lock(&room->lock);
        hold(room, r, sealed, jose_key_hold(key));
        pthread_mutex_unlock(&room->lock);
    }
    rc_t rc = jose_key_spki(a, key, out);
    jose_key_free(key);
    return rc;
}

rc_t vault_room_open(vault_room_t *room, arena_t *a, const key_record_t *sealed, str_t *out)
{
    return sealed->use == KEY_SIGN ? open_signing(room, a, sealed, out)
                                   : unseal(room, a, sealed, out);
}

/* At the end of a load. Loads of several workers overlap: one that others' took for missing is seen
 * again by the next. */
static bool is_over(held_t *h, int64_t now)
{
    bool was_missing = h->missing;
    h->missing = !h->seen;
    h->seen = false;
    if (h->missing && !was_missing)
        h->missing_since_ms = now;
    return h->missing && now - h->missing_since_ms > KEPT_MS;
}

void vault_room_settle(vault_room_t *room)
{
    atomic_store(&room->settled, true);
    pthread_mutex_lock(&room->lock);
    int64_t now = mono(room);
    for (size_t i = room->n; i-- > 0;)
        if (is_over(&room->v[i], now))
            forget(room, i);
    pthread_mutex_unlock(&room->lock);
}

bool vault_room_is_settled(const vault_room_t *room)
{
    return atomic_load(&room->settled);
}

/* ---- signing ---- */

rc_t vault_room_find(vault_room_t *room, alg_t alg, str_t kid, jose_key_t **key)
{
    pthread_mutex_lock(&room->lock);
    held_t *h = find(room, kid);
    bool found = h && h->alg == alg;
    if (found)
        *key = jose_key_hold(h->key);
    pthread_mutex_unlock(&room->lock);
    return found ? RC_OK : RC_NOT_FOUND;
}

/* ---- checkpoints; with the lock held ---- */

static signed_chain_t *find_chain(vault_room_t *room, const audit_name_t *name)
{
    for (size_t i = 0; i < room->n_chains; i++)
        if (memcmp(room->chains[i].name, name->bytes, sizeof name->bytes) == 0)
            return &room->chains[i];
    return NULL;
}

/* A chain without a name could be any. */
static uint64_t signed_before(vault_room_t *room, const audit_name_t *name)
{
    uint64_t highest = 0;
    const signed_chain_t *own = find_chain(room, name);
    if (name->known)
        return own ? own->seq : 0;
    for (size_t i = 0; i < room->n_chains; i++)
        if (room->chains[i].seq > highest)
            highest = room->chains[i].seq;
    return highest;
}

/* A chain grows: whoever wants less of it signed has written another history. */
static rc_t sign_chain(vault_room_t *room, const audit_checkpoint_t *c, str_t input,
                       signature_t *out)
{
    signed_chain_t *chain = find_chain(room, &c->chain);
    if (c->head.seq < signed_before(room, &c->chain))
        return RC_CONFIG;
    if (!chain && room->n_chains == CHAINS_MAX)
        return RC_LIMIT;
    TRY(room->audit.sign(room->audit.ctx, input, out));
    if (!chain)
        chain = &room->chains[room->n_chains++];
    memcpy(chain->name, c->chain.bytes, sizeof chain->name);
    chain->seq = c->head.seq;
    return RC_OK;
}

rc_t vault_room_checkpoint(vault_room_t *room, str_t input, signature_t *out)
{
    audit_checkpoint_t c;
    const clock_port_t *clock = &room->config.clock;
    if (!room->config.audit_key)
        return RC_NOT_FOUND;
    if (!vault_input_is_checkpoint(input, room->audit.kid, clock->now_ms(clock->ctx), &c))
        return RC_CONFIG;
    pthread_mutex_lock(&room->lock);
    rc_t rc = sign_chain(room, &c, input, out);
    pthread_mutex_unlock(&room->lock);
    return rc;
}
