#include "kit/kit_test_stress.h"

#include <time.h>

void stress_desk_init(stress_desk_t *d)
{
    *d = (stress_desk_t){.n = 0};
    pthread_mutex_init(&d->lock, NULL);
}

void stress_desk_clear(stress_desk_t *d)
{
    pthread_mutex_destroy(&d->lock);
}

void stress_desk_close(stress_desk_t *d)
{
    pthread_mutex_lock(&d->lock);
    d->over = true;
    pthread_mutex_unlock(&d->lock);
}

static bool put_off(stress_desk_t *d, warder_mcp_call_t *call)
{
    pthread_mutex_lock(&d->lock);
    bool room = d->n < STRESS_DESK && !d->over;
    if (room)
        d->calls[d->n++] = call;
    pthread_mutex_unlock(&d->lock);
    return room;
}

void *stress_finish_all(void *desk)
{
    static const struct timespec PAUSE = {0, 200000};
    stress_desk_t *d = desk;
    for (bool over = false; !over;) {
        pthread_mutex_lock(&d->lock);
        bool last = d->over;
        warder_mcp_call_t *call = d->n > 0 ? d->calls[--d->n] : NULL;
        pthread_mutex_unlock(&d->lock);
        over = last && !call;
        if (!call) {
            nanosleep(&PAUSE, NULL);
            continue;
        }
        warder_mcp_text(call, "later");
        warder_mcp_finish(call, warder_mcp_cancelled(call) ? WARDER_MCP_FAIL : WARDER_MCP_DONE);
    }
    return NULL;
}

static warder_mcp_next_t run_later(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_progress(call, 1, 2, "soon");
    return put_off(ctx, call) ? WARDER_MCP_LATER : WARDER_MCP_FAIL;
}

static warder_mcp_next_t run_ask(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_set_state(call, "asked");
    bool form =
        warder_mcp_elicit(call, "a", "Well?", "{\"type\":\"object\",\"properties\":{}}") != NULL;
    bool roots = warder_mcp_roots(call, "b") != NULL;
    if (!form || !roots)
        return WARDER_MCP_ASK;
    warder_mcp_text(call, "answered");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t run_slow(warder_mcp_call_t *call, void *ctx)
{
    stress_desk_t *d = ctx;
    atomic_fetch_add(&d->runs, 1);
    for (int i = 1; i < 6 && warder_mcp_sleep(call, 2); i++) {
        warder_mcp_progress(call, i, 6, NULL);
        warder_mcp_log(call, WARDER_MCP_ERROR, "slow", "still at it");
        if (i == 3)
            warder_mcp_let_go(call);
    }
    warder_mcp_text(call, "slow");
    return WARDER_MCP_DONE;
}

static warder_mcp_next_t run_quick(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_textf(call, "%s", warder_mcp_name(call));
    return WARDER_MCP_DONE;
}

/* The need is found out late, and everything else is said as well. */
static warder_mcp_next_t run_muddle(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_progress(call, 1, 0, NULL);
    warder_mcp_need_scope(call, "more");
    warder_mcp_text(call, "text");
    warder_mcp_error(call, "wrong");
    warder_mcp_protocol_error(call, 1, "no", "{}");
    warder_mcp_become_task(call);
    warder_mcp_task_status(call, "what");
    warder_mcp_need_scope(call, "most");
    return warder_mcp_roots(call, "c") ? WARDER_MCP_DONE : WARDER_MCP_ASK;
}

#define TOOL(n, f)                                                                                 \
    {                                                                                              \
        .name = #n, .description = #n, .flags = (f), .run = run_##n                                \
    }
const warder_mcp_tool_t STRESS_TOOLS[] = {
    TOOL(quick, WARDER_MCP_QUICK), TOOL(slow, 0),   TOOL(later, 0),
    TOOL(ask, WARDER_MCP_TASK),    TOOL(muddle, 0),
};
_Static_assert(sizeof STRESS_TOOLS / sizeof *STRESS_TOOLS == STRESS_TOOL_COUNT, "all of them");
const warder_mcp_resource_t STRESS_RESOURCES[] = {
    {.uri = "test://a", .name = "a", .run = run_slow},
    {.uri = "test://t/{v}", .name = "t", .run = run_quick, .flags = WARDER_MCP_QUICK},
};
