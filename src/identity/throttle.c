/* Rows of eight entries, each kind in rows of its own. An entry holds no count but the time at
 * which everything is forgiven: each failure moves it on by one step, and time does the rest. It is
 * also the order in which entries may be forgotten: what is forgiven soonest holds back least. */
#include "identity/throttle.h"

#include "core/secret.h"
#include "jose/digest.h"

#include <stdlib.h>

enum { WAYS = 8, TAG_BYTES = 16, SEED_BYTES = 32, DOUBLINGS_MAX = 20 };

typedef enum { PAIR, ACCOUNT, ADDRESS, KNOWN, KINDS } kind_t;

/* The table of the header. KNOWN is no count: somebody signed in from here in the last 30 days. */
static const struct {
    int64_t free;
    int64_t forgive_ms;
    int64_t wait_ms, wait_most_ms;
} RULES[KINDS] = {
    [PAIR] = {5, 600000, 2000, 300000},
    [ACCOUNT] = {10, 120000, 1000, 30000},
    [ADDRESS] = {60, 20000, 1000, 60000},
    [KNOWN] = {.forgive_ms = INT64_C(30) * 24 * 3600 * 1000},
};

typedef struct {
    uint8_t tag[TAG_BYTES];
    int64_t forgiven_ms;
    int64_t last_ms;   /* the last attempt */
    int64_t before_ms; /* the one before it, for when the last is undone */
} entry_t;

struct identity_throttle {
    uint8_t seed[SEED_BYTES];
    size_t rows; /* of each kind */
    int64_t latest_ms;
    entry_t v[];
};

identity_throttle_t *identity_throttle_new(const uint8_t seed[32], size_t max)
{
    size_t rows = (max + KINDS * WAYS - 1) / (KINDS * WAYS);
    if (rows == 0)
        rows = 1;
    identity_throttle_t *t = calloc(1, sizeof *t + KINDS * rows * WAYS * sizeof(entry_t));
    if (!t)
        return NULL;
    memcpy(t->seed, seed, SEED_BYTES);
    t->rows = rows;
    return t;
}

void identity_throttle_free(identity_throttle_t *t)
{
    if (!t)
        return;
    secret_wipe(t->seed, SEED_BYTES);
    free(t);
}

/* What was typed as a name but is none is no account: it counts for the address alone. */
static bool is_counted(kind_t kind, const identity_throttle_who_t *who)
{
    return kind == ADDRESS || str_is_set(who->account);
}

/* A keyed hash: its first half names the entry, its second the row. */
static void compute_digest(const identity_throttle_t *t, kind_t kind,
                           const identity_throttle_who_t *who, uint8_t out[SHA256_BYTES])
{
    uint8_t input[1 + 2 * SHA256_BYTES] = {(uint8_t)kind};
    if (kind != ADDRESS)
        sha256(who->account, input + 1);
    if (kind != ACCOUNT)
        sha256(who->address, input + 1 + SHA256_BYTES);
    hmac_sha256(str_of(t->seed, SEED_BYTES), str_of(input, sizeof input), out);
}

static entry_t *row_of(identity_throttle_t *t, kind_t kind, const uint8_t digest[SHA256_BYTES])
{
    uint64_t bits;
    memcpy(&bits, digest + TAG_BYTES, sizeof bits);
    return &t->v[(kind * t->rows + bits % t->rows) * WAYS];
}

static entry_t *find_in(entry_t *row, const uint8_t *tag)
{
    for (size_t i = 0; i < WAYS; i++)
        if (memcmp(row[i].tag, tag, TAG_BYTES) == 0)
            return &row[i];
    return NULL;
}

/* The entry, or NULL. */
static entry_t *find(identity_throttle_t *t, kind_t kind, const identity_throttle_who_t *who)
{
    uint8_t digest[SHA256_BYTES];
    if (!is_counted(kind, who))
        return NULL;
    compute_digest(t, kind, who, digest);
    return find_in(row_of(t, kind, digest), digest);
}

/* The entry; a new one takes the place of the one that holds back least. */
static entry_t *find_or_make(identity_throttle_t *t, kind_t kind,
                             const identity_throttle_who_t *who)
{
    uint8_t digest[SHA256_BYTES];
    compute_digest(t, kind, who, digest);
    entry_t *row = row_of(t, kind, digest), *least = row;
    entry_t *found = find_in(row, digest);
    if (found)
        return found;
    for (size_t i = 1; i < WAYS; i++)
        if (row[i].forgiven_ms < least->forgiven_ms)
            least = &row[i];
    *least = (entry_t){0};
    memcpy(least->tag, digest, TAG_BYTES);
    return least;
}

/* Failures that are not forgiven yet. */
static int64_t count_at(const entry_t *e, kind_t kind, int64_t now_ms)
{
    int64_t step = RULES[kind].forgive_ms;
    return e && e->forgiven_ms > now_ms ? (e->forgiven_ms - now_ms + step - 1) / step : 0;
}

/* How long from the last attempt to the next. The free ones follow each other at once; the first
 * behind them waits wait_ms, and each further one twice as long as the one before. */
static int64_t pause_after(kind_t kind, int64_t count)
{
    int64_t doublings = count - RULES[kind].free;
    if (doublings < 0)
        return 0;
    if (doublings > DOUBLINGS_MAX)
        return RULES[kind].wait_most_ms;
    int64_t wait = RULES[kind].wait_ms << doublings;
    return wait < RULES[kind].wait_most_ms ? wait : RULES[kind].wait_most_ms;
}

static int64_t held_ms(identity_throttle_t *t, const identity_throttle_who_t *who, int64_t now_ms)
{
    bool known = count_at(find(t, KNOWN, who), KNOWN, now_ms) > 0;
    int64_t most = 0;
    for (kind_t kind = PAIR; kind <= ADDRESS; kind++) {
        const entry_t *e = known && kind != PAIR ? NULL : find(t, kind, who);
        int64_t pause = pause_after(kind, count_at(e, kind, now_ms));
        int64_t held = pause > 0 ? e->last_ms + pause - now_ms : 0;
        if (held > most)
            most = held;
    }
    return most;
}

/* Threads read the clock before they get the lock: a time may come behind a later one. */
static int64_t advance(identity_throttle_t *t, int64_t now_ms)
{
    if (now_ms > t->latest_ms)
        t->latest_ms = now_ms;
    return t->latest_ms;
}

static void count_failure(entry_t *e, kind_t kind, int64_t now_ms)
{
    int64_t from = e->forgiven_ms > now_ms ? e->forgiven_ms : now_ms;
    e->forgiven_ms = from + RULES[kind].forgive_ms;
    e->before_ms = e->last_ms;
    e->last_ms = now_ms;
}

bool identity_throttle_begin(identity_throttle_t *t, const identity_throttle_who_t *who,
                             int64_t now_ms, uint32_t *retry_after_s)
{
    now_ms = advance(t, now_ms);
    int64_t held = held_ms(t, who, now_ms);
    *retry_after_s = (uint32_t)((held + 999) / 1000);
    if (held > 0)
        return false;
    for (kind_t kind = PAIR; kind <= ADDRESS; kind++)
        if (is_counted(kind, who))
            count_failure(find_or_make(t, kind, who), kind, now_ms);
    return true;
}

static void undo(identity_throttle_t *t, kind_t kind, const identity_throttle_who_t *who)
{
    entry_t *e = find(t, kind, who);
    if (!e)
        return;
    e->forgiven_ms -= RULES[kind].forgive_ms;
    e->last_ms = e->before_ms;
}

static void remember(identity_throttle_t *t, const identity_throttle_who_t *who, int64_t now_ms)
{
    entry_t *pair = find(t, PAIR, who);
    if (pair)
        *pair = (entry_t){0};
    find_or_make(t, KNOWN, who)->forgiven_ms = now_ms + RULES[KNOWN].forgive_ms;
}

void identity_throttle_end(identity_throttle_t *t, const identity_throttle_who_t *who,
                           identity_attempt_t how, int64_t now_ms)
{
    if (how == IDENTITY_ATTEMPT_FAILED)
        return;
    for (kind_t kind = PAIR; kind <= ADDRESS; kind++)
        undo(t, kind, who);
    if (how == IDENTITY_ATTEMPT_FITTED && str_is_set(who->account))
        remember(t, who, advance(t, now_ms));
}
