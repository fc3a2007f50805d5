/* A lane takes the messages of one call to the output. */
#include "mcp_stdio/stdio_state.h"

#include <stdlib.h>

void mcp_lane_queue(mcp_lane_t *lane)
{
    mcp_stdio_t *s = lane->s;
    if (lane->queued)
        return;
    lane->queued = true;
    lane->after = NULL;
    *s->last = lane;
    s->last = &lane->after;
}

mcp_lane_t *mcp_lane_next(mcp_stdio_t *s)
{
    mcp_lane_t *lane = s->first;
    if (!lane)
        return NULL;
    s->first = lane->after;
    if (!s->first)
        s->last = &s->first;
    lane->queued = false;
    return lane;
}

static void unqueue(mcp_lane_t *lane)
{
    mcp_stdio_t *s = lane->s;
    mcp_lane_t **at = &s->first;
    if (!lane->queued)
        return;
    while (*at != lane)
        at = &(*at)->after;
    *at = lane->after;
    if (s->last == &lane->after)
        s->last = at;
    lane->queued = false;
}

static void on_wake(void *ctx)
{
    mcp_lane_queue(ctx);
}

static rc_t attach(mcp_lane_t *lane, mcp_outbox_t *outbox)
{
    const mcp_reading_t how = {mcp_posts_port(lane->s->posts), on_wake, lane, 0};
    return mcp_outbox_attach(outbox, &how, &lane->reader);
}

static mcp_lane_t *lane_new(mcp_stdio_t *s, str_t id)
{
    mcp_lane_t *lane = calloc(1, sizeof *lane);
    char *copy = malloc(id.n + 1);
    if (!lane || !copy) {
        free(lane);
        free(copy);
        return NULL;
    }
    memcpy(copy, id.p, id.n);
    lane->s = s;
    lane->id = copy;
    lane->id_n = id.n;
    return lane;
}

static void link_in(mcp_lane_t *lane)
{
    mcp_stdio_t *s = lane->s;
    lane->next = s->lanes;
    lane->link = &s->lanes;
    if (lane->next)
        lane->next->link = &lane->next;
    s->lanes = lane;
    s->lane_count++;
    s->standing_count += lane->standing;
}

static void unlink_it(mcp_lane_t *lane)
{
    mcp_stdio_t *s = lane->s;
    *lane->link = lane->next;
    if (lane->next)
        lane->next->link = lane->link;
    s->lane_count--;
    s->standing_count -= lane->standing;
}

static void lane_free(mcp_lane_t *lane)
{
    mcp_call_drop(lane->call);
    free(lane->id);
    free(lane);
}

rc_t mcp_lane_open(mcp_stdio_t *s, warder_mcp_call_t *call, mcp_outbox_t *outbox,
                   const mcp_operation_t *op)
{
    mcp_lane_t *lane = lane_new(s, op->message.id);
    if (!lane)
        return RC_MEMORY;
    lane->standing = str_eq(op->message.method, STR("subscriptions/listen"));
    lane->call = mcp_call_hold(call);
    rc_t rc = attach(lane, outbox);
    if (rc == RC_OK)
        link_in(lane);
    else
        lane_free(lane);
    return rc;
}

rc_t mcp_lane_open_general(mcp_stdio_t *s)
{
    s->general.s = s;
    return attach(&s->general, mcp_session_general(s->session));
}

void mcp_lane_close(mcp_lane_t *lane)
{
    if (!lane->reader)
        return;
    unqueue(lane);
    mcp_reader_detach(lane->reader);
    lane->reader = NULL;
    if (!lane->call)
        return;
    unlink_it(lane);
    lane_free(lane);
}

static void cancel(mcp_lane_t *lane)
{
    mcp_call_cancel(lane->call);
    mcp_lane_close(lane);
}

void mcp_lane_cancel(mcp_stdio_t *s, str_t id)
{
    mcp_lane_t *lane = s->lanes;
    while (lane && !str_eq(str_of(lane->id, lane->id_n), id))
        lane = lane->next;
    if (lane)
        cancel(lane);
}

void mcp_lane_cancel_all(mcp_stdio_t *s)
{
    for (mcp_lane_t *lane = s->lanes, *next; lane; lane = next) {
        next = lane->next;
        if (!lane->standing)
            cancel(lane);
    }
}

void mcp_lane_close_all(mcp_stdio_t *s)
{
    while (s->lanes)
        mcp_lane_close(s->lanes);
    mcp_lane_close(&s->general);
}
