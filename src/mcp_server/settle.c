/* Waits, before a stop, for calls that run. */
#include "mcp_server/server_state.h"

#include <time.h>

/* Standing calls end when somebody ends them. */
static bool stands(const warder_mcp_call_t *call)
{
    return str_eq(call->op.message.method, STR("subscriptions/listen"));
}

static bool is_settled(warder_mcp_t *m)
{
    pthread_mutex_lock(&m->lock);
    const warder_mcp_call_t *call = m->calls;
    while (call && stands(call))
        call = call->next;
    pthread_mutex_unlock(&m->lock);
    return !call;
}

void mcp_server_settle(warder_mcp_t *m, int64_t ms)
{
    static const struct timespec PAUSE = {0, 2000000};
    const int64_t until = clock_micros() + ms * 1000;
    while (!is_settled(m) && clock_micros() < until)
        nanosleep(&PAUSE, NULL);
}
