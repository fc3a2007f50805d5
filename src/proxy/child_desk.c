#include "proxy/child_desk.h"

#include <stdlib.h>

void child_call_ref(upstream_call_t *call)
{
    atomic_fetch_add(&call->refs, 1);
}

void child_call_unref(upstream_call_t *call)
{
    if (atomic_fetch_sub(&call->refs, 1) != 1)
        return;
    while (call->first) {
        child_event_t *e = call->first;
        call->first = e->next;
        if (e != &call->end)
            free(e);
    }
    arena_free(call->arena);
    free(call);
}

void child_inbox_init(child_inbox_t *inbox, void (*wake)(void *ctx), void *ctx)
{
    *inbox = (child_inbox_t){.wake = wake, .ctx = ctx};
    inbox->end = &inbox->first;
    pthread_mutex_init(&inbox->lock, NULL);
}

void child_inbox_free(child_inbox_t *inbox)
{
    pthread_mutex_destroy(&inbox->lock);
}

/* A note that waits already says enough. */
static void put_note(child_inbox_t *inbox, child_note_t *note, child_note_kind_t kind, void *about)
{
    pthread_mutex_lock(&inbox->lock);
    if (!note->queued && !inbox->closed) {
        *note = (child_note_t){.kind = kind, .about = about, .queued = true};
        *inbox->end = note;
        inbox->end = &note->next;
        if (kind != CHILD_NOTE_NUDGE)
            child_call_ref(about);
        inbox->wake(inbox->ctx);
    }
    pthread_mutex_unlock(&inbox->lock);
}

child_note_t *child_inbox_take(child_inbox_t *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    child_note_t *note = inbox->first;
    if (note) {
        inbox->first = note->next;
        note->queued = false;
    }
    if (!inbox->first)
        inbox->end = &inbox->first;
    pthread_mutex_unlock(&inbox->lock);
    return note;
}

child_desk_t *child_desk_new(child_inbox_t *inbox, post_port_t post)
{
    child_desk_t *desk = calloc(1, sizeof *desk);
    if (!desk)
        return NULL;
    pthread_mutex_init(&desk->lock, NULL);
    atomic_init(&desk->refs, 1);
    desk->hot_end = &desk->hot;
    desk->post = post;
    desk->inbox = inbox;
    return desk;
}

static upstream_call_t *take_hot(child_desk_t *desk)
{
    pthread_mutex_lock(&desk->lock);
    upstream_call_t *call = desk->hot;
    if (call) {
        desk->hot = call->hot_next;
        call->hot = false;
    } else {
        desk->posted = false;
    }
    if (!desk->hot)
        desk->hot_end = &desk->hot;
    pthread_mutex_unlock(&desk->lock);
    return call;
}

static void drop_desk(child_desk_t *desk)
{
    if (atomic_fetch_sub(&desk->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

void child_desk_close(child_desk_t *desk)
{
    if (!desk)
        return;
    pthread_mutex_lock(&desk->lock);
    desk->gone = true;
    pthread_mutex_unlock(&desk->lock);
}

void child_desk_free(child_desk_t *desk)
{
    upstream_call_t *call;
    if (!desk)
        return;
    while ((call = take_hot(desk)) != NULL)
        child_call_unref(call);
    drop_desk(desk);
}

/* The worker's thread. */

static child_event_t *take_event(upstream_call_t *call, bool *drained)
{
    child_desk_t *desk = call->desk;
    pthread_mutex_lock(&desk->lock);
    child_event_t *e = call->first;
    if (e) {
        call->first = e->next;
        call->queued -= e->n;
    }
    if (!call->first)
        call->last = NULL;
    *drained = call->full && call->queued <= CHILD_QUEUE_LOW_BYTES;
    if (*drained)
        call->full = false;
    pthread_mutex_unlock(&desk->lock);
    return e;
}

static void tell_head(upstream_call_t *call, const child_event_t *e)
{
    char digits[16];
    buf_t b = buf_fixed(digits, sizeof digits);
    buf_u64(&b, e->retry_s);
    http_header_t v[3];
    size_t n = 0;
    if (e->type.p)
        v[n++] = (http_header_t){STR("Content-Type"), e->type};
    if (e->session[0])
        v[n++] = (http_header_t){STR("Mcp-Session-Id"), str_c(e->session)};
    if (e->retry_s)
        v[n++] = (http_header_t){STR("Retry-After"), buf_str(&b)};
    const http_outbound_head_t head = {e->status, {v, n}, e->whole, e->n};
    call->out.head(call->out.ctx, &head);
}

/* Each callback may cancel the call. */
static void tell(upstream_call_t *call, const child_event_t *e)
{
    if (e->status && !call->closed)
        tell_head(call, e);
    if (e->n && !call->closed)
        call->out.data(call->out.ctx, str_of(e->bytes, e->n));
    if (!e->ends || call->closed)
        return;
    call->closed = true;
    call->out.end(call->out.ctx, e->how);
    child_call_unref(call);
}

static void deliver_call(upstream_call_t *call)
{
    child_event_t *e;
    bool drained;
    while (!call->paused && (e = take_event(call, &drained)) != NULL) {
        if (!call->closed)
            tell(call, e);
        if (e != &call->end)
            free(e);
        if (drained && !call->closed)
            put_note(call->desk->inbox, &call->drained, CHILD_NOTE_DRAINED, call);
    }
}

static void deliver(void *arg)
{
    child_desk_t *desk = arg;
    upstream_call_t *call;
    while ((call = take_hot(desk)) != NULL) {
        deliver_call(call);
        child_call_unref(call);
    }
    drop_desk(desk);
}

void child_call_send(upstream_call_t *call)
{
    put_note(call->desk->inbox, &call->start, CHILD_NOTE_START, call);
}

void child_call_pause(upstream_call_t *call)
{
    call->paused = true;
}

/* Under the lock. */
static void make_hot(upstream_call_t *call)
{
    child_desk_t *desk = call->desk;
    if (call->hot)
        return;
    call->hot = true;
    call->hot_next = NULL;
    *desk->hot_end = call;
    desk->hot_end = &call->hot_next;
    child_call_ref(call);
}

/* Nothing may happen within a method: the keeper posts for us, which also is the one place that
 * tries again where a worker's queue is full. */
void child_call_resume(upstream_call_t *call)
{
    child_desk_t *desk = call->desk;
    call->paused = false;
    pthread_mutex_lock(&desk->lock);
    bool some = call->first != NULL;
    if (some)
        make_hot(call);
    pthread_mutex_unlock(&desk->lock);
    if (some)
        put_note(desk->inbox, &desk->nudge, CHILD_NOTE_NUDGE, desk);
}

void child_call_cancel(upstream_call_t *call)
{
    call->closed = true;
    call->paused = false;
    put_note(call->desk->inbox, &call->cancel, CHILD_NOTE_CANCEL, call);
    child_call_unref(call);
}

/* The keeper's thread. */

bool child_call_push(upstream_call_t *call, const child_event_t *head, str_t body)
{
    child_event_t *e = malloc(sizeof *e + body.n);
    if (e) {
        char *bytes = (char *)(e + 1);
        *e = *head;
        e->n = body.n;
        e->bytes = bytes;
        if (body.n)
            memcpy(bytes, body.p, body.n);
    } else {
        /* The answer breaks off here. Only the last event can be this one: nothing follows it. */
        e = &call->end;
        *e = (child_event_t){.ends = true, .how = HTTP_OUT_BROKEN};
        call->state.over = true;
    }
    pthread_mutex_lock(&call->desk->lock);
    e->next = NULL;
    *(call->last ? &call->last->next : &call->first) = e;
    call->last = e;
    call->queued += e->n;
    if (call->queued > CHILD_QUEUE_BYTES)
        call->full = true;
    bool full = call->full;
    make_hot(call);
    pthread_mutex_unlock(&call->desk->lock);
    return full;
}

rc_t child_desk_wake(child_desk_t *desk)
{
    rc_t rc = RC_OK;
    pthread_mutex_lock(&desk->lock);
    bool due = desk->hot && !desk->posted && !desk->gone;
    if (due) {
        atomic_fetch_add(&desk->refs, 1);
        rc = desk->post.post(desk->post.ctx, deliver, desk);
        if (rc != RC_OK)
            atomic_fetch_sub(&desk->refs, 1);
        desk->posted = rc == RC_OK;
        desk->gone = rc == RC_IO;
    }
    pthread_mutex_unlock(&desk->lock);
    return rc == RC_BUSY ? rc : RC_OK;
}
