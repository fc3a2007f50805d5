/* Who waits for the end of a task, and what it came to. */
#include "mcp_server/call.h"
#include "mcp_server/task_row.h"

#include <stdlib.h>

mcp_task_t *mcp_task_handle(arena_t *a, str_t id)
{
    mcp_task_t *task = id.n == MCP_TASK_TEXT ? ARENA_NEW(a, mcp_task_t) : NULL;
    if (task)
        memcpy(task->id, id.p, sizeof task->id);
    return task;
}

str_t mcp_task_id(const mcp_task_t *task)
{
    return str_of(task->id, sizeof task->id);
}

str_t mcp_task_meta(arena_t *a, str_t id, str_t members)
{
    return arena_printf(
        a, "{\"io.modelcontextprotocol/related-task\":{\"taskId\":\"%" PRIstr "\"}%s%" PRIstr "}",
        STR_ARG(id), members.n > 0 ? "," : "", STR_ARG(members));
}

/* ---- waiting ---- */

static void add(task_row_t *r, warder_mcp_call_t *call)
{
    call->next_waiting = r->waiters;
    r->waiters = mcp_call_hold(call);
    r->n_waiters++;
}

mcp_task_await_t mcp_task_await(mcp_tasks_t *t, warder_mcp_call_t *call)
{
    pthread_mutex_lock(&t->lock);
    task_row_t *r = task_row_of(t, call->awaits);
    bool over = !r || task_has_ended(r);
    bool room = r && r->n_waiters < MCP_TASK_WAITERS;
    if (!over && room)
        add(r, call);
    pthread_mutex_unlock(&t->lock);
    if (over)
        return MCP_TASK_IS_OVER;
    return room ? MCP_TASK_IS_AWAITED : MCP_TASK_IS_CROWDED;
}

bool mcp_task_unawait(mcp_tasks_t *t, warder_mcp_call_t *call)
{
    pthread_mutex_lock(&t->lock);
    task_row_t *r = task_row_of(t, call->awaits);
    warder_mcp_call_t **at = r ? &r->waiters : NULL;
    while (at && *at && *at != call)
        at = &(*at)->next_waiting;
    bool waited = at && *at;
    if (waited) {
        *at = call->next_waiting;
        r->n_waiters--;
    }
    pthread_mutex_unlock(&t->lock);
    if (waited)
        mcp_call_drop(call);
    return waited;
}

void mcp_task_wake(mcp_tasks_t *t, const mcp_task_t *task)
{
    pthread_mutex_lock(&t->lock);
    task_row_t *r = task_row_of(t, task);
    bool over = r && task_has_ended(r);
    warder_mcp_call_t *waiting = over ? r->waiters : NULL;
    if (over) {
        r->waiters = NULL;
        r->n_waiters = 0;
    }
    pthread_mutex_unlock(&t->lock);
    task_finish_all(waiting);
}

bool mcp_task_outcome(mcp_tasks_t *t, const mcp_task_t *task, arena_t *a, mcp_task_status_t *status,
                      str_t *body)
{
    pthread_mutex_lock(&t->lock);
    task_row_t *r = task_row_of(t, task);
    bool over = r && task_has_ended(r);
    if (over)
        *status = r->status;
    bool has_body = over && r->body;
    *body = has_body ? arena_dup(a, str_of(r->body, r->body_n)) : STR_UNSET;
    pthread_mutex_unlock(&t->lock);
    return over && (!has_body || body->p);
}

/* ---- all of a principal ---- */

typedef struct {
    mcp_tasks_t *t;
    const mcp_principal_t *who;
    mcp_era_t era;
    const task_row_t *v[MCP_TASKS_PER_PRINCIPAL];
    size_t n;
} own_t;

static bool visit(void *ctx, str_t key, void *value)
{
    own_t *own = ctx;
    const task_row_t *r = value;
    (void)key;
    bool is_own = r->era == own->era && task_is_whose(r, own->who) && !task_is_stale(own->t, r);
    if (is_own && own->n < MCP_TASKS_PER_PRINCIPAL)
        own->v[own->n++] = r;
    return true;
}

static int by_age(const void *a, const void *b)
{
    const task_row_t *const *left = a, *const *right = b;
    int64_t x = (*left)->born, y = (*right)->born;
    return (x > y) - (x < y);
}

static rc_t copy_ids(arena_t *a, own_t *own, str_list_t *out)
{
    str_t *ids = ARENA_ARRAY(a, own->n + 1, str_t);
    if (!ids)
        return RC_MEMORY;
    qsort(own->v, own->n, sizeof own->v[0], by_age);
    for (size_t i = 0; i < own->n; i++) {
        ids[i] = arena_dup(a, str_of(own->v[i]->id, sizeof own->v[i]->id));
        if (!ids[i].p)
            return RC_MEMORY;
    }
    *out = (str_list_t){ids, own->n};
    return RC_OK;
}

rc_t mcp_tasks_of(mcp_tasks_t *t, const mcp_principal_t *who, mcp_era_t era, arena_t *a,
                  str_list_t *out)
{
    own_t own = {.t = t, .who = who, .era = era};
    pthread_mutex_lock(&t->lock);
    map_each(t->map, visit, &own);
    rc_t rc = copy_ids(a, &own, out);
    pthread_mutex_unlock(&t->lock);
    return rc;
}
