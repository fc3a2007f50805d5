#include "proxy/tolls.h"

#include "jose/digest.h"

#include <pthread.h>
#include <stdlib.h>

enum { SEED_BYTES = 16, KEY_BYTES = 16, PARTS = 8, PART_BYTES = 1 + SHA256_BYTES };

/* `due_ns`: when the bucket is full again; until then it is in use. */
typedef struct {
    uint8_t key[KEY_BYTES];
    int64_t due_ns;
} bucket_t;

struct tolls {
    pthread_mutex_t locks[TOLLS_LOCKS]; /* row i is guarded by lock i % TOLLS_LOCKS */
    uint8_t seed[SEED_BYTES];
    bucket_t rows[TOLLS_ROWS][TOLLS_WAYS];
};

rc_t tolls_new(random_port_t random, tolls_t **out)
{
    tolls_t *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t)
        return RC_MEMORY;
    rc_t rc = random.fill(random.ctx, t->seed, sizeof t->seed);
    if (rc != RC_OK) {
        free(t);
        return rc;
    }
    for (size_t i = 0; i < TOLLS_LOCKS; i++)
        pthread_mutex_init(&t->locks[i], NULL);
    *out = t;
    return RC_OK;
}

void tolls_free(tolls_t *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < TOLLS_LOCKS; i++)
        pthread_mutex_destroy(&t->locks[i]);
    free(t);
}

/* A part in a place of fixed size: its length and itself, or a mark and its digest, so that no two
 * lists of parts look alike. */
static void put_part(str_t part, uint8_t out[PART_BYTES])
{
    memset(out, 0, PART_BYTES);
    if (part.n >= SHA256_BYTES) {
        out[0] = UINT8_MAX;
        sha256(part, out + 1);
        return;
    }
    out[0] = (uint8_t)part.n;
    if (part.n > 0)
        memcpy(out + 1, part.p, part.n);
}

/* What the bucket is of. */
static void make_key(const tolls_t *t, const gate_toll_t *toll, const toll_payer_t *payer,
                     uint8_t out[SHA256_BYTES])
{
    const gate_principal_t *who = payer->who;
    const conf_rate_t *r = toll->rate;
    bool subject = r->per == CONF_PER_SUBJECT || r->per == CONF_PER_TOOL;
    uint32_t numbers[3] = {(uint32_t)r->per, r->calls, r->seconds};
    uint8_t text[PARTS][PART_BYTES];
    put_part(str_of(t->seed, SEED_BYTES), text[0]);
    put_part(str_of(numbers, sizeof numbers), text[1]);
    put_part(payer->upstream, text[2]);
    put_part(toll->rule, text[3]);
    put_part(r->per == CONF_PER_RULE ? STR_UNSET : who->issuer, text[4]);
    put_part(subject ? who->subject : STR_UNSET, text[5]);
    put_part(r->per == CONF_PER_CLIENT ? who->client : STR_UNSET, text[6]);
    put_part(r->per == CONF_PER_TOOL ? payer->object : STR_UNSET, text[7]);
    sha256(str_of(text, sizeof text), out);
}

/* The bucket of that key, or one that nobody needs; NULL: all are in use. */
static bucket_t *find(bucket_t row[TOLLS_WAYS], const uint8_t key[KEY_BYTES], int64_t now_ns)
{
    bucket_t *unused = NULL;
    for (size_t i = 0; i < TOLLS_WAYS; i++) {
        if (memcmp(row[i].key, key, KEY_BYTES) == 0)
            return &row[i];
        if (row[i].due_ns <= now_ns)
            unused = &row[i];
    }
    if (!unused)
        return NULL;
    memcpy(unused->key, key, KEY_BYTES);
    unused->due_ns = 0;
    return unused;
}

static uint32_t seconds_until(int64_t ns)
{
    return ns <= 0 ? 1 : (uint32_t)((ns + 999999999) / 1000000000);
}

static toll_verdict_t pay(bucket_t *b, const conf_rate_t *rate, int64_t now_ns,
                          uint32_t *retry_after_s)
{
    int64_t each_ns = (int64_t)rate->seconds * 1000000000 / rate->calls;
    int64_t due_ns = b->due_ns > now_ns ? b->due_ns : now_ns;
    int64_t room_ns = (int64_t)(rate->calls - 1) * each_ns;
    if (due_ns - now_ns > room_ns) {
        *retry_after_s = seconds_until(due_ns - now_ns - room_ns);
        return TOLL_OVER;
    }
    b->due_ns = due_ns + each_ns;
    return TOLL_PAID;
}

toll_verdict_t tolls_take(tolls_t *t, const gate_toll_t *toll, const toll_payer_t *payer,
                          int64_t mono_ms, uint32_t *retry_after_s)
{
    uint8_t key[SHA256_BYTES];
    size_t at;
    int64_t now_ns = mono_ms * 1000000;
    *retry_after_s = 1;
    if (toll->rate->calls == 0 || toll->rate->seconds == 0)
        return TOLL_OVER;
    make_key(t, toll, payer, key);
    memcpy(&at, key + KEY_BYTES, sizeof at);
    at %= TOLLS_ROWS;
    pthread_mutex_t *lock = &t->locks[at % TOLLS_LOCKS];
    pthread_mutex_lock(lock);
    bucket_t *b = find(t->rows[at], key, now_ns);
    toll_verdict_t v = b ? pay(b, toll->rate, now_ns, retry_after_s) : TOLL_FULL;
    pthread_mutex_unlock(lock);
    return v;
}
