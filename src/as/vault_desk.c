/* One thread's half of the signing side: a frame comes, a frame goes. */
#include "as/vault.h"
#include "as/vault_input.h"
#include "as/vault_room.h"

#include "core/secret.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 20, PREPARED_MAX = 8 };

typedef struct {
    char kid[LIMIT_KID_BYTES];
    size_t kid_n;
    alg_t alg;
    jose_signing_t *signing;
} prepared_t;

struct vault_desk {
    vault_room_t *room;
    arena_t *a; /* emptied before each question */
    unsigned age;
    prepared_t v[PREPARED_MAX];
    size_t n, next;
};

/* The answer as it grows; what it points to lives in the desk's arena, or is static. */
typedef struct {
    vault_desk_t *desk;
    const vault_frame_t *q;
    vault_frame_t frame;
    signature_t signature;
} answer_t;

rc_t vault_desk_new(vault_room_t *room, vault_desk_t **out)
{
    vault_desk_t *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return RC_MEMORY;
    d->room = room;
    d->a = arena_new(ARENA_BYTES);
    if (!d->a) {
        free(d);
        return RC_MEMORY;
    }
    *out = d;
    return RC_OK;
}

static void give_up(vault_desk_t *d)
{
    for (size_t i = 0; i < d->n; i++)
        jose_signing_free(d->v[i].signing);
    d->n = d->next = 0;
}

void vault_desk_free(vault_desk_t *d)
{
    if (!d)
        return;
    give_up(d);
    arena_free(d->a);
    free(d);
}

/* ---- fields ---- */

static bool parse_use(str_t name, key_use_t *out)
{
    static const str_t USES[] = {[KEY_SIGN] = STR_INIT("sign"),
                                 [KEY_DERIVE] = STR_INIT("derive"),
                                 [KEY_SEAL] = STR_INIT("seal")};
    for (size_t i = 0; i < sizeof USES / sizeof *USES; i++)
        if (str_eq(name, USES[i])) {
            *out = (key_use_t)i;
            return true;
        }
    return false;
}

static rc_t open_key(answer_t *x)
{
    const str_t *f = x->q->fields;
    key_record_t r = {
        .alg = f[1], .kid = f[2], .sealed_by = f[3].n ? f[3] : STR_UNSET, .secret = f[4]};
    if (!parse_use(f[0], &r.use) || r.kid.n > LIMIT_KID_BYTES)
        return RC_MALFORMED;
    return vault_room_open(x->desk->room, x->desk->a, &r, &x->frame.fields[0]);
}

static as_opener_t opener(const vault_desk_t *d)
{
    const vault_config_t *c = vault_room_config(d->room);
    return (as_opener_t){NULL, c->kek, c->random};
}

static rc_t make_key(answer_t *x)
{
    const str_t *f = x->q->fields;
    key_record_t r = {.alg = f[1]};
    const as_opener_t o = opener(x->desk);
    if (!parse_use(f[0], &r.use))
        return RC_MALFORMED;
    TRY(as_vault_make(x->desk->a, &o, &r));
    x->frame.fields[0] = r.kid;
    x->frame.fields[1] = r.secret;
    return RC_OK;
}

/* Never one that signs: whoever has taken the server over would have it sign later, with a key of
 * their own, which they put into the store before they ended the server. */
static rc_t seal_key(answer_t *x)
{
    const str_t *f = x->q->fields;
    key_record_t sealed, r = {.kid = f[1], .secret = f[2]};
    const as_opener_t o = opener(x->desk);
    if (vault_room_is_settled(x->desk->room))
        return RC_CONFIG;
    if (!parse_use(f[0], &r.use) || r.kid.n == 0 || r.kid.n > LIMIT_KID_BYTES)
        return RC_MALFORMED;
    if (r.use == KEY_SIGN)
        return RC_CONFIG;
    TRY(as_vault_seal(x->desk->a, &o, &r, &sealed));
    x->frame.fields[0] = sealed.secret;
    return RC_OK;
}

static rc_t settle(answer_t *x)
{
    vault_room_settle(x->desk->room);
    return RC_OK;
}

/* ---- signatures ---- */

static jose_signing_t *find(vault_desk_t *d, alg_t alg, str_t kid)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].alg == alg && str_eq(str_of(d->v[i].kid, d->v[i].kid_n), kid))
            return d->v[i].signing;
    return NULL;
}

static void keep(vault_desk_t *d, alg_t alg, str_t kid, jose_signing_t *signing)
{
    prepared_t *p = &d->v[d->next];
    if (d->next == d->n)
        d->n++;
    else
        jose_signing_free(p->signing);
    d->next = (d->next + 1) % PREPARED_MAX;
    *p = (prepared_t){.kid_n = kid.n, .alg = alg, .signing = signing};
    memcpy(p->kid, kid.p, kid.n);
}

static rc_t prepare(vault_desk_t *d, alg_t alg, str_t kid, jose_signing_t **out)
{
    jose_key_t *key;
    unsigned age = vault_room_age(d->room);
    if (age != d->age)
        give_up(d);
    d->age = age;
    *out = find(d, alg, kid);
    if (*out)
        return RC_OK;
    TRY(vault_room_find(d->room, alg, kid, &key));
    rc_t rc = jose_signing_new(key, alg, out);
    jose_key_free(key);
    if (rc == RC_OK)
        keep(d, alg, kid, *out);
    return rc;
}

static rc_t sign(answer_t *x)
{
    jose_signing_t *signing;
    vault_desk_t *d = x->desk;
    const str_t *f = x->q->fields;
    const clock_port_t *clock = &vault_room_config(d->room)->clock;
    const sign_request_t req = {alg_parse(f[0]), f[1], f[2]};
    TRY(prepare(d, req.alg, req.kid, &signing));
    if (!vault_input_is_token(d->a, &req, clock_seconds(clock)))
        return RC_CONFIG;
    TRY(jose_signing_sign(signing, req.input, x->signature.b, &x->signature.n));
    x->frame.fields[0] = str_of(x->signature.b, x->signature.n);
    return RC_OK;
}

static rc_t checkpoint(answer_t *x)
{
    TRY(vault_room_checkpoint(x->desk->room, x->q->fields[0], &x->signature));
    x->frame.fields[0] = str_of(x->signature.b, x->signature.n);
    return RC_OK;
}

static rc_t refuse(answer_t *x)
{
    (void)x;
    return RC_MALFORMED;
}

/* ---- frames ---- */

static rc_t (*const DO[VAULT_KINDS])(answer_t *x) = {
    [VAULT_HELLO] = refuse,          [VAULT_OPEN] = open_key, [VAULT_SETTLE] = settle,
    [VAULT_MAKE] = make_key,         [VAULT_SEAL] = seal_key, [VAULT_SIGN] = sign,
    [VAULT_CHECKPOINT] = checkpoint, [VAULT_ANSWER] = refuse,
};

str_t vault_desk_answer(vault_desk_t *d, str_t question, buf_t *b)
{
    str_t bytes;
    vault_frame_t q;
    answer_t x = {.desk = d, .q = &q, .frame = {.kind = VAULT_ANSWER}};
    arena_reset(d->a);
    rc_t rc = vault_frame_read(question, &q);
    if (rc == RC_OK)
        rc = DO[q.kind](&x);
    if (rc != RC_OK)
        x.frame = (vault_frame_t){.kind = VAULT_ANSWER, .code = rc};
    x.frame.number = q.number;
    if (vault_frame_write(b, &x.frame, &bytes) == RC_OK)
        return bytes;
    *b = buf_fixed(b->p, b->cap);
    x.frame = (vault_frame_t){.kind = VAULT_ANSWER, .code = RC_LIMIT, .number = q.number};
    return vault_frame_write(b, &x.frame, &bytes) == RC_OK ? bytes : STR("");
}
