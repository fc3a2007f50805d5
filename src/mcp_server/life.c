/* The life of a call: its states, its references, its beginning, and how it is cancelled. run.c
 * runs the function, end.c makes the answer. */
#include "mcp_server/life.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

/* What the states make of an event. A pair without a row means nothing, on purpose: a client may
 * answer twice, cancel what has ended, and a function may finish what was finished. */
typedef struct {
    mcp_call_state_t from;
    mcp_call_event_t event;
    mcp_call_state_t to;
} step_t;

static const step_t STEPS[] = {
    {MCP_CALL_NEW, MCP_CALL_BEGINS, MCP_CALL_ACTIVE},
    {MCP_CALL_NEW, MCP_CALL_CANCELS, MCP_CALL_NEW},
    {MCP_CALL_ACTIVE, MCP_CALL_RETURNS, MCP_CALL_ENDING},
    {MCP_CALL_ACTIVE, MCP_CALL_PUTS_OFF, MCP_CALL_LATER},
    {MCP_CALL_ACTIVE, MCP_CALL_FINISHES, MCP_CALL_EARLY},
    {MCP_CALL_ACTIVE, MCP_CALL_ASKS, MCP_CALL_WAITING},
    {MCP_CALL_ACTIVE, MCP_CALL_CANCELS, MCP_CALL_ACTIVE},
    {MCP_CALL_EARLY, MCP_CALL_RETURNS, MCP_CALL_ENDING}, /* what it returned is what counts */
    {MCP_CALL_EARLY, MCP_CALL_ASKS, MCP_CALL_WAITING},
    {MCP_CALL_EARLY, MCP_CALL_PUTS_OFF, MCP_CALL_ACTIVE},
    {MCP_CALL_EARLY, MCP_CALL_CANCELS, MCP_CALL_EARLY},
    {MCP_CALL_LATER, MCP_CALL_FINISHES, MCP_CALL_ACTIVE},
    {MCP_CALL_LATER, MCP_CALL_CANCELS, MCP_CALL_LATER},
    {MCP_CALL_WAITING, MCP_CALL_ANSWERED, MCP_CALL_ACTIVE},
    {MCP_CALL_WAITING, MCP_CALL_BREAKS, MCP_CALL_ENDING},
    {MCP_CALL_WAITING, MCP_CALL_CANCELS, MCP_CALL_ENDING},
    {MCP_CALL_ENDING, MCP_CALL_RECORDED, MCP_CALL_ENDED},
};

bool mcp_call_step(mcp_call_state_t state, mcp_call_event_t event, mcp_call_state_t *next)
{
    *next = state;
    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
        if (STEPS[i].from != state || STEPS[i].event != event)
            continue;
        *next = STEPS[i].to;
        return true;
    }
    return false;
}

bool life_step_locked(warder_mcp_call_t *call, mcp_call_event_t event)
{
    return mcp_call_step(call->state, event, &call->state);
}

bool life_step(warder_mcp_call_t *call, mcp_call_event_t event, mcp_call_state_t *from)
{
    pthread_mutex_lock(&call->m->lock);
    *from = call->state;
    bool moved = life_step_locked(call, event);
    pthread_mutex_unlock(&call->m->lock);
    return moved;
}

/* References */

static bool make_condition(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0)
        return false;
    bool made = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(cond, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return made;
}

warder_mcp_call_t *mcp_call_new(warder_mcp_t *m)
{
    warder_mcp_call_t *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    call->arena = arena_new(MCP_CALL_ARENA_BYTES);
    if (!call->arena || !make_condition(&call->woken)) {
        arena_free(call->arena);
        free(call);
        return NULL;
    }
    call->m = m;
    call->progress = -INFINITY;
    atomic_init(&call->refs, 1);
    atomic_init(&call->cancelled, false);
    return call;
}

warder_mcp_call_t *mcp_call_hold(warder_mcp_call_t *call)
{
    atomic_fetch_add(&call->refs, 1);
    return call;
}

void mcp_call_drop(warder_mcp_call_t *call)
{
    if (!call || atomic_fetch_sub(&call->refs, 1) != 1)
        return;
    if (call->registry)
        mcp_registry_drop(call->registry);
    mcp_session_drop(call->session);
    mcp_outbox_drop(call->outbox);
    pthread_cond_destroy(&call->woken);
    arena_free(call->spare);
    arena_free(call->arena);
    free(call);
}

arena_t *mcp_call_arena(warder_mcp_call_t *call)
{
    return call->arena;
}

/* Beginning */

/* Subscriptions are counted where they stand (listeners.h). Where nothing is protected there are no
 * principals. */
static mcp_error_t take_part(warder_mcp_call_t *call)
{
    const mcp_principal_t who = mcp_caller_principal(&call->who);
    call->part =
        (mcp_part_t){.calls = call->entry->kind != MCP_KINDS, .bytes = arena_used(call->arena)};
    rc_t rc = call->who.everything ? RC_OK : mcp_share_take(call->m->shares, &who, &call->part);
    if (rc == RC_OK)
        return MCP_NO_ERROR;
    return rc == RC_MEMORY ? MCP_ERROR_INTERNAL : MCP_ERROR_TOO_MANY_OPEN;
}

static mcp_error_t error_of(rc_t rc)
{
    if (rc == RC_OK)
        return MCP_NO_ERROR;
    if (rc == RC_CONFLICT)
        return MCP_ERROR_DUPLICATE_ID;
    return rc == RC_MEMORY ? MCP_ERROR_INTERNAL : MCP_ERROR_BUSY;
}

/* Its client finds it by the id of the request, in order to cancel it. */
static rc_t join_session(warder_mcp_call_t *call, mcp_session_t *s)
{
    if (!s)
        return RC_OK;
    TRY(mcp_session_add_call(s, call->op.message.id, call));
    call->session = mcp_session_hold(s);
    return RC_OK;
}

static void leave_session(warder_mcp_call_t *call)
{
    if (!call->session)
        return;
    mcp_session_remove_call(call->session, call->op.message.id, call);
    mcp_session_forget_questions(call->session, call);
}

/* The server's list of calls holds it until it has ended. */
static bool join_server(warder_mcp_call_t *call)
{
    warder_mcp_t *m = call->m;
    pthread_mutex_lock(&m->lock);
    bool may = !m->stopping && life_step_locked(call, MCP_CALL_BEGINS);
    if (may) {
        call->next = m->calls;
        call->link = &m->calls;
        if (m->calls)
            m->calls->link = &call->next;
        m->calls = mcp_call_hold(call);
        call->listed = true;
        m->running++;
    }
    pthread_mutex_unlock(&m->lock);
    return may;
}

void life_leave(warder_mcp_call_t *call, mcp_outbox_t **outbox)
{
    leave_session(call);
    warder_mcp_t *m = call->m;
    pthread_mutex_lock(&m->lock);
    if (call->listed) {
        *call->link = call->next;
        if (call->next)
            call->next->link = call->link;
    }
    call->listed = false;
    *outbox = call->outbox;
    call->outbox = NULL;
    pthread_mutex_unlock(&m->lock);
    mcp_session_drop(call->session);
    call->session = NULL;
}

/* The last that the life does with a call: m may be freed at once where it was waited for. */
void life_over(warder_mcp_call_t *call)
{
    warder_mcp_t *m = call->m;
    mcp_share_give(m->shares, &call->part);
    mcp_call_drop(call);
    pthread_mutex_lock(&m->lock);
    m->running--;
    pthread_mutex_unlock(&m->lock);
}

/* Into the lists of session and server. */
static mcp_error_t join(warder_mcp_call_t *call, mcp_session_t *s)
{
    mcp_error_t e = error_of(join_session(call, s));
    if (e != MCP_NO_ERROR || join_server(call))
        return e;
    leave_session(call);
    return MCP_ERROR_BUSY;
}

mcp_error_t mcp_call_begin(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    call->began_us = clock_micros();
    call->back = in->back;
    mcp_error_t e = call->op.era == MCP_ERA_STATELESS ? mcp_questions_read(call) : MCP_NO_ERROR;
    if (e == MCP_NO_ERROR)
        e = take_part(call);
    if (e != MCP_NO_ERROR)
        return e;
    call->outbox = mcp_outbox_hold(in->outbox);
    e = error_of(mcp_outbox_guard(in->outbox, call->entry->scope));
    if (e == MCP_NO_ERROR)
        e = join(call, in->session);
    if (e == MCP_NO_ERROR)
        return life_run_first(call);
    mcp_share_give(call->m->shares, &call->part);
    return e;
}

/* Cancelling */

/* Under the lock of the server. True: the call waits for nobody any more, and is to be ended. */
static bool cancel_locked(warder_mcp_call_t *call)
{
    mcp_call_state_t from = call->state;
    if (!life_step_locked(call, MCP_CALL_CANCELS))
        return false;
    atomic_store(&call->cancelled, true);
    pthread_cond_broadcast(&call->woken);
    if (call->outbox)
        mcp_outbox_end(call->outbox);
    if (call->task)
        mcp_task_set(call->m->tasks, call->task, MCP_TASK_CANCELLED, STR_UNSET);
    return from == MCP_CALL_WAITING;
}

static void cancel(warder_mcp_call_t *call, bool tasks_too)
{
    pthread_mutex_lock(&call->m->lock);
    bool ends = (!call->task || tasks_too || call->m->stopping) && cancel_locked(call);
    pthread_mutex_unlock(&call->m->lock);
    if (ends)
        life_end(call, WARDER_MCP_DONE);
    else if (call->on_cancel)
        call->on_cancel(call);
}

void mcp_call_cancel(warder_mcp_call_t *call)
{
    cancel(call, false);
}

void mcp_call_abort(warder_mcp_call_t *call)
{
    cancel(call, true);
}

/* One to be ended here, out of all, cancelled and held: it waits for its client (*waits), or the
 * server put it off. The others are told on the way. */
static warder_mcp_call_t *cancel_next(warder_mcp_t *m, bool *waits)
{
    pthread_mutex_lock(&m->lock);
    warder_mcp_call_t *call = m->calls;
    for (; call; call = call->next) {
        bool news = !atomic_load(&call->cancelled);
        *waits = cancel_locked(call);
        if (*waits || (news && call->on_cancel))
            break;
    }
    if (call)
        mcp_call_hold(call);
    pthread_mutex_unlock(&m->lock);
    return call;
}

/* Looks now and then: this happens once, and most are done at once. */
static bool wait_for_all(warder_mcp_t *m)
{
    static const struct timespec PAUSE = {0, 2000000};
    const int64_t until = clock_micros() + MCP_STOP_MS * INT64_C(1000);
    for (;;) {
        pthread_mutex_lock(&m->lock);
        size_t left = m->running;
        pthread_mutex_unlock(&m->lock);
        if (left == 0 || clock_micros() >= until)
            return left == 0;
        nanosleep(&PAUSE, NULL);
    }
}

bool mcp_calls_stop(warder_mcp_t *m)
{
    pthread_mutex_lock(&m->lock);
    m->stopping = true;
    pthread_mutex_unlock(&m->lock);
    bool waits;
    for (warder_mcp_call_t *call; (call = cancel_next(m, &waits)) != NULL;) {
        if (waits)
            life_end(call, WARDER_MCP_DONE);
        else
            call->on_cancel(call);
        mcp_call_drop(call);
    }
    return wait_for_all(m);
}
