/* How much of the table each subject has, with all its clients, which may register themselves; and
 * what goes when all of them together have too much. */
#include "mcp_server/task_row.h"

#include <stdlib.h>

enum { SMALL_BYTES = 64 << 10 }; /* of a result: these are bounded by their number */

struct task_share {
    size_t rows, bytes;
    size_t ended; /* those of the bytes that could go */
    str_t key;    /* its bytes stand behind the struct */
};

static char *put(char *to, str_t s)
{
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    to[s.n] = '\0';
    return to + s.n + 1;
}

/* No name holds a NUL (rs/token.c), so two subjects never share a key. */
static task_share_t *share_new(const mcp_principal_t *who)
{
    size_t n = who->issuer.n + who->subject.n + 2;
    task_share_t *share = calloc(1, sizeof *share + n);
    if (!share)
        return NULL;
    char *key = (char *)(share + 1);
    put(put(key, who->issuer), who->subject);
    share->key = str_of(key, n);
    return share;
}

/* That of the subject; `fresh` where it has none. */
static rc_t find(mcp_tasks_t *t, task_share_t *fresh, task_share_t **out)
{
    void *old;
    *out = map_get(t->shares, fresh->key);
    if (*out)
        return RC_OK;
    *out = fresh;
    return map_put(t->shares, fresh->key, fresh, &old);
}

rc_t task_share_join(mcp_tasks_t *t, task_row_t *r)
{
    task_share_t *share, *fresh = share_new(&r->who);
    if (!fresh)
        return RC_MEMORY;
    rc_t rc = find(t, fresh, &share);
    if (rc != RC_OK || share != fresh)
        free(fresh);
    if (rc != RC_OK)
        return rc;
    if (share->rows >= MCP_TASKS_PER_SUBJECT)
        return RC_BUSY;
    share->rows++;
    r->share = share;
    return RC_OK;
}

void task_share_leave(mcp_tasks_t *t, task_row_t *r)
{
    task_share_t *share = r->share;
    share->rows--;
    share->bytes -= r->body_n;
    share->ended -= task_has_ended(r) ? r->body_n : 0;
    t->bytes -= r->body_n;
    r->share = NULL;
    if (share->rows == 0)
        free(map_del(t->shares, share->key));
}

void task_share_count(mcp_tasks_t *t, task_row_t *r, size_t before)
{
    r->share->bytes += r->body_n - before;
    r->share->ended += task_has_ended(r) ? r->body_n : 0;
    t->bytes += r->body_n - before;
}

static bool heaviest_visit(void *ctx, str_t key, void *value)
{
    task_share_t **most = ctx, *share = value;
    (void)key;
    if (share->ended > 0 && (!*most || share->bytes > (*most)->bytes))
        *most = share;
    return true;
}

typedef struct {
    const task_share_t *share;
    task_row_t *oldest;
} search_t;

static bool oldest_visit(void *ctx, str_t key, void *value)
{
    search_t *s = ctx;
    task_row_t *r = value;
    (void)key;
    bool may_go = r->share == s->share && task_has_ended(r) && r->body_n > 0;
    if (may_go && (!s->oldest || r->touched < s->oldest->touched))
        s->oldest = r;
    return true;
}

/* The oldest that has ended, of the subject that has most. */
static task_row_t *next_to_go(mcp_tasks_t *t)
{
    task_share_t *most = NULL;
    map_each(t->shares, heaviest_visit, &most);
    search_t s = {.share = most};
    if (most)
        map_each(t->map, oldest_visit, &s);
    return s.oldest;
}

static bool drop_one(mcp_tasks_t *t, task_row_t **gone)
{
    task_row_t *r = next_to_go(t);
    if (!r)
        return false;
    map_del(t->map, str_of(r->id, sizeof r->id));
    task_share_leave(t, r);
    r->next = *gone;
    *gone = r;
    return true;
}

str_t task_make_room(mcp_tasks_t *t, const task_row_t *r, size_t n, task_row_t **gone)
{
    enum { MOST = MCP_TASK_BYTES_PER_SUBJECT };
    if (n > SMALL_BYTES && (n > MOST || r->share->bytes - r->body_n > MOST - n))
        return STR("{\"code\":-32603,\"message\":\"The result is too large beside those of your "
                   "other tasks.\"}");
    while (n > 0 && t->bytes - r->body_n > MCP_TASK_BYTES - n) {
        if (!drop_one(t, gone))
            return STR("{\"code\":-32603,\"message\":\"The server keeps too much for other tasks "
                       "to keep this result.\"}");
    }
    return STR_UNSET;
}
