/* Runs the function of a call, and does what it says on return. */
#include "mcp_server/life.h"

static warder_mcp_next_t complete(warder_mcp_call_t *call)
{
    arena_t *a = call->arena;
    const char *argument = arena_cstr(a, call->completing);
    const char *partial = arena_cstr(a, call->partial);
    if (!argument || !partial)
        return WARDER_MCP_DONE; /* a NUL in it: nothing begins so */
    call->entry->complete(call, argument, partial, call->m->config.ctx);
    return WARDER_MCP_DONE;
}

static void run(void *arg)
{
    warder_mcp_call_t *call = arg;
    if (atomic_load(&call->cancelled)) {
        life_returned(call, WARDER_MCP_DONE);
        return;
    }
    mcp_said_reset(call);
    mcp_questions_begin(call);
    bool completes = str_is_set(call->completing);
    life_returned(call, completes ? complete(call) : call->entry->run(call, call->m->config.ctx));
}

/* A thread is there for one call: whose turn it is. */
static void run_next(void *arg)
{
    const warder_mcp_t *m = arg;
    warder_mcp_call_t *call = mcp_share_next(m->shares);
    if (call)
        run(call);
}

/* The pool ends: it will never run. */
static void never_run(void *arg)
{
    const warder_mcp_t *m = arg;
    warder_mcp_call_t *call = mcp_share_next(m->shares);
    if (!call)
        return;
    mcp_call_abort(call);
    life_returned(call, WARDER_MCP_DONE);
}

/* Nothing is left to do behind a run, so its end needs no thread of its own. */
static void no_more(void *arg)
{
    (void)arg;
}

static rc_t post_here(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    fn(arg);
    return RC_OK;
}

static rc_t ask_for_thread(void *ctx)
{
    static const post_port_t HERE = {post_here, NULL};
    warder_mcp_t *m = ctx;
    const http_job_t job = {run_next, no_more, never_run, m};
    return http_pool_add(m->pool, HERE, &job);
}

rc_t life_run(warder_mcp_call_t *call)
{
    call->turn.who = call;
    return mcp_share_wait(call->m->shares, &call->part, &call->turn, ask_for_thread, call->m);
}

mcp_error_t life_run_first(warder_mcp_call_t *call)
{
    bool may = call->wants_task || (call->entry->flags & WARDER_MCP_TASK);
    bool tasked = may && warder_mcp_become_task(call);
    if (call->wants_task && !tasked) {
        life_refuse(call);
        return MCP_ERROR_TOO_MANY_TASKS;
    }
    if ((call->entry->flags & WARDER_MCP_QUICK) && !tasked) {
        run(call);
        return MCP_NO_ERROR;
    }
    if (life_run(call) == RC_OK)
        return MCP_NO_ERROR;
    if (!tasked) {
        life_refuse(call);
        return MCP_ERROR_BUSY;
    }
    call->ends = MCP_ERROR_BUSY;
    life_returned(call, WARDER_MCP_DONE);
    return MCP_NO_ERROR;
}

/* Returning */

void life_return(warder_mcp_call_t *call, warder_mcp_next_t next)
{
    mcp_call_state_t from;
    if (life_step(call, MCP_CALL_RETURNS, &from))
        life_end(call, next);
}

static void put_off(warder_mcp_call_t *call)
{
    mcp_call_state_t from;
    if (life_step(call, MCP_CALL_PUTS_OFF, &from) && from == MCP_CALL_EARLY)
        life_returned(call, (warder_mcp_next_t)call->early);
}

static void ask(warder_mcp_call_t *call)
{
    mcp_questions_t *q = &call->questions;
    mcp_questions_settle(call);
    bool asks = !q->missing && !str_is_set(call->said.needed) && call->said.failed == RC_OK &&
                !atomic_load(&call->cancelled);
    if (asks && mcp_questions_answered(call)) {
        LOG(call->m->world.log, LOG_ERROR, "a function wants answers and has asked nothing",
            LOG_S("name", call->op.name));
        call->ends = MCP_ERROR_INTERNAL;
    } else if (asks && ++q->round > MCP_ROUNDS) {
        call->ends = MCP_ERROR_TOO_MANY_ROUNDS;
    } else if (asks && (call->task || call->op.era == MCP_ERA_HANDSHAKE)) {
        life_wait(call);
        return;
    }
    life_return(call, WARDER_MCP_ASK);
}

void life_returned(warder_mcp_call_t *call, warder_mcp_next_t next)
{
    if (next == WARDER_MCP_LATER)
        put_off(call);
    else if (next == WARDER_MCP_ASK)
        ask(call);
    else
        life_return(call, next);
}

void warder_mcp_finish(warder_mcp_call_t *call, int next)
{
    if (next != WARDER_MCP_DONE && next != WARDER_MCP_ASK)
        next = WARDER_MCP_FAIL;
    pthread_mutex_lock(&call->m->lock);
    mcp_call_state_t from = call->state;
    bool moved = life_step_locked(call, MCP_CALL_FINISHES);
    call->early = next;
    pthread_mutex_unlock(&call->m->lock);
    if (moved && from == MCP_CALL_LATER)
        life_returned(call, (warder_mcp_next_t)next);
}
