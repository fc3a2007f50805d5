#include "mcp_server/shares.h"

#include "core/map.h"

#include <pthread.h>
#include <stdlib.h>

enum { SUBJECTS = 1 << 20 }; /* that have something under way: memory ends before */

struct mcp_share {
    unsigned calls;
    size_t bytes;
    mcp_turn_t *first, **last; /* that wait for a thread */
    struct mcp_share *after;   /* in the ring of those that have some */
    str_t key;                 /* its bytes stand behind the struct */
};

struct mcp_shares {
    pthread_mutex_t lock;
    map_t *map;
    struct mcp_share nobody; /* of calls that have no part */
    struct mcp_share *ring, **ring_end;
};

mcp_shares_t *mcp_shares_new(random_port_t random)
{
    uint8_t seed[16];
    mcp_shares_t *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    if (random.fill(random.ctx, seed, sizeof seed) == RC_OK)
        s->map = map_new(seed, SUBJECTS);
    if (!s->map) {
        free(s);
        return NULL;
    }
    s->ring_end = &s->ring;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void mcp_shares_free(mcp_shares_t *s)
{
    if (!s)
        return;
    map_free(s->map, free);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static char *put(char *to, str_t s)
{
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    to[s.n] = '\0';
    return to + s.n + 1;
}

/* No name holds a NUL (rs/token.c), so two subjects never share a key. */
static struct mcp_share *share_new(const mcp_principal_t *who)
{
    size_t n = who->issuer.n + who->subject.n + 2;
    struct mcp_share *share = calloc(1, sizeof *share + n);
    if (!share)
        return NULL;
    char *key = (char *)(share + 1);
    put(put(key, who->issuer), who->subject);
    share->key = str_of(key, n);
    return share;
}

/* Under the lock. `fresh` becomes the share of who had none. */
static rc_t take(mcp_shares_t *s, struct mcp_share *fresh, mcp_part_t *part)
{
    void *old;
    struct mcp_share *share = map_get(s->map, fresh->key);
    if (part->bytes > MCP_CALL_BYTES_PER_SUBJECT)
        return RC_BUSY;
    if (share && (share->calls + part->calls > MCP_CALLS_PER_SUBJECT ||
                  share->bytes > MCP_CALL_BYTES_PER_SUBJECT - part->bytes))
        return RC_BUSY;
    if (!share) {
        rc_t rc = map_put(s->map, fresh->key, fresh, &old);
        if (rc != RC_OK)
            return rc == RC_LIMIT ? RC_BUSY : rc;
        share = fresh;
    }
    share->calls += part->calls;
    share->bytes += part->bytes;
    part->whose = share;
    return RC_OK;
}

rc_t mcp_share_take(mcp_shares_t *s, const mcp_principal_t *who, mcp_part_t *part)
{
    struct mcp_share *fresh = share_new(who);
    part->whose = NULL;
    if (!fresh)
        return RC_MEMORY;
    pthread_mutex_lock(&s->lock);
    rc_t rc = take(s, fresh, part);
    pthread_mutex_unlock(&s->lock);
    if (part->whose != fresh)
        free(fresh);
    return rc;
}

void mcp_share_give(mcp_shares_t *s, mcp_part_t *part)
{
    struct mcp_share *share = part->whose, *gone = NULL;
    part->whose = NULL;
    if (!share)
        return;
    pthread_mutex_lock(&s->lock);
    share->calls -= part->calls;
    share->bytes -= part->bytes;
    if (share->calls == 0 && share->bytes == 0)
        gone = map_del(s->map, share->key);
    pthread_mutex_unlock(&s->lock);
    free(gone);
}

/* Under the lock, as the two below. */
static void join_ring(mcp_shares_t *s, struct mcp_share *share)
{
    share->after = NULL;
    *s->ring_end = share;
    s->ring_end = &share->after;
}

static void append(mcp_shares_t *s, struct mcp_share *share, mcp_turn_t *turn)
{
    turn->next = NULL;
    if (!share->first) {
        share->last = &share->first;
        join_ring(s, share);
    }
    *share->last = turn;
    share->last = &turn->next;
}

static mcp_turn_t *take_turn(mcp_shares_t *s)
{
    struct mcp_share *share = s->ring;
    if (!share)
        return NULL;
    s->ring = share->after;
    if (!s->ring)
        s->ring_end = &s->ring;
    mcp_turn_t *turn = share->first;
    share->first = turn->next;
    if (!share->first)
        return turn;
    join_ring(s, share);
    return turn;
}

rc_t mcp_share_wait(mcp_shares_t *s, const mcp_part_t *part, mcp_turn_t *turn,
                    rc_t (*start)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&s->lock);
    rc_t rc = start(ctx);
    if (rc == RC_OK)
        append(s, part->whose ? part->whose : &s->nobody, turn);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

void *mcp_share_next(mcp_shares_t *s)
{
    pthread_mutex_lock(&s->lock);
    const mcp_turn_t *turn = take_turn(s);
    pthread_mutex_unlock(&s->lock);
    return turn ? turn->who : NULL;
}

size_t mcp_shares_count(mcp_shares_t *s)
{
    pthread_mutex_lock(&s->lock);
    size_t n = map_count(s->map);
    pthread_mutex_unlock(&s->lock);
    return n;
}
