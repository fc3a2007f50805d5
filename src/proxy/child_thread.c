#include "proxy/child_thread.h"

#include <signal.h>

#include "proxy/child_keeper.h"

int64_t child_now(const child_keeper_t *k)
{
    return (int64_t)uv_now(&k->loop);
}

void child_list_call(child_keeper_t *k, upstream_call_t *call)
{
    child_call_ref(call);
    call->state.listed = true;
    call->state.next = k->calls;
    if (k->calls)
        k->calls->state.prev = call;
    k->calls = call;
}

void child_unlist_call(child_keeper_t *k, upstream_call_t *call)
{
    child_call_state_t *s = &call->state;
    if (!s->listed)
        return;
    *(s->prev ? &s->prev->state.next : &k->calls) = s->next;
    if (s->next)
        s->next->state.prev = s->prev;
    s->prev = s->next = NULL;
    s->listed = false;
    if (s->waits)
        k->waiters--;
    s->waits = false;
    child_call_unref(call);
}

typedef struct {
    str_t audit;
    bool good;
    str_t text;
} reason_row_t;

static const reason_row_t REASONS[] = {
    {STR_INIT("none"), true, STR_INIT("")},
#define CHILD_REASON(name, audit, good, text) {STR_INIT(audit), good, STR_INIT(text)},
#include "proxy/child_reasons.def"
#undef CHILD_REASON
};

void child_record(child_keeper_t *k, child_reason_t reason, str_t detail)
{
    const reason_row_t *row = &REASONS[reason];
    const audit_event_t e = {.kind = AUDIT_UPSTREAM,
                             .allowed = row->good,
                             .reason = row->audit,
                             .detail = detail,
                             .upstream = k->path};
    const log_field_t fields[] = {LOG_S("upstream", k->path), LOG_S("reason", row->audit),
                                  LOG_S("detail", detail)};
    log_write(k->config.log, row->good ? LOG_INFO : LOG_WARN, row->text, fields, 3);
    if (k->config.audit)
        k->config.audit(k->config.audit_ctx, &e);
}

/* The desk of a call, so that its worker can be woken. */
static void know_desk(child_keeper_t *k, child_desk_t *desk)
{
    for (size_t i = 0; i < k->n_known; i++) {
        if (k->known[i] == desk)
            return;
    }
    k->known[k->n_known++] = desk;
}

/* A drained call lets its child be read again when it was the last that was full. */
static void drained(upstream_call_t *call)
{
    child_channel_t *ch = call->state.channel;
    if (!call->state.full)
        return;
    call->state.full = false;
    if (ch && --ch->child->full == 0)
        child_pipes_read(ch->child->pipes, true);
}

static void read_note(child_keeper_t *k, child_note_t *note)
{
    upstream_call_t *call = note->about;
    if (note->kind == CHILD_NOTE_NUDGE)
        return;
    if (note->kind == CHILD_NOTE_START) {
        know_desk(k, call->desk);
        child_list_call(k, call);
        child_dispatch(k, call);
    } else if (note->kind == CHILD_NOTE_CANCEL) {
        child_cancelled(k, call);
    } else {
        drained(call);
    }
    child_call_unref(call);
}

/* All that happened in this turn is told at once. */
static void wake_desks(child_keeper_t *k)
{
    for (size_t i = 0; i < k->n_known; i++)
        child_desk_wake(k->known[i]); /* a full one is tried again with the next tick */
}

/* Whoever frees us goes on from here: what is recorded now is the last, and no worker is told
 * anything more. */
static void be_quiet(child_keeper_t *k)
{
    for (const child_t *c = k->children; c; c = c->next) {
        if (c->state != CHILD_ENDING)
            child_record(k, CHILD_REASON_STOPPED, STR("the settings were replaced"));
    }
    k->config.log = NULL;
    k->config.audit = NULL;
    for (size_t i = 0; i < k->n_known; i++)
        child_desk_close(k->known[i]);
    pthread_mutex_lock(&k->quiet_lock);
    k->quiet = true;
    pthread_cond_signal(&k->changed);
    pthread_mutex_unlock(&k->quiet_lock);
}

static void end_all(child_keeper_t *k)
{
    k->stopping = true;
    if (k->detached)
        be_quiet(k);
    for (child_t *c = k->children, *next; c; c = next) {
        next = c->next;
        child_end(c, CHILD_REASON_STOPPED);
    }
}

/* The last child is gone: nothing holds the loop any more. */
static void close_when_empty(child_keeper_t *k)
{
    if (!k->stopping || k->children || uv_is_closing((uv_handle_t *)&k->tick))
        return;
    while (k->calls)
        child_break(k, k->calls, HTTP_OUT_ENDED);
    uv_close((uv_handle_t *)&k->tick, NULL);
    pthread_mutex_lock(&k->inbox.lock);
    k->inbox.closed = true;
    pthread_mutex_unlock(&k->inbox.lock);
    uv_close((uv_handle_t *)&k->wake, NULL);
}

static void on_wake(uv_async_t *wake)
{
    child_keeper_t *k = wake->data;
    child_note_t *note;
    while ((note = child_inbox_take(&k->inbox)) != NULL)
        read_note(k, note);
    if (atomic_load(&k->stop) && !k->stopping)
        end_all(k);
    close_when_empty(k);
}

/* Requests that are not answered at once become streams. A full stream holds its child up, which
 * must not last where others share it. */
static void look_at_calls(child_keeper_t *k)
{
    int64_t now = child_now(k);
    for (upstream_call_t *call = k->calls, *next; call; call = next) {
        next = call->state.next;
        child_channel_t *ch = call->state.channel;
        if (!ch)
            continue;
        bool young = ch->flight && !call->state.streams && !call->ask.asked.p;
        if (young && now - call->state.since_ms >= CHILD_YOUNG_MS)
            child_channel_begin(ch);
        bool stalls =
            call->state.full && !ch->child->session && now - ch->child->full_ms >= CHILD_STALL_MS;
        if (stalls)
            child_break(k, call, HTTP_OUT_BROKEN);
    }
}

static void on_tick(uv_timer_t *tick)
{
    child_keeper_t *k = tick->data;
    look_at_calls(k);
    for (child_t *c = k->children, *next; c; c = next) {
        next = c->next;
        child_look_at(c);
    }
    child_session_sweep(k);
    child_heal(k);
    child_dispatch_waiting(k);
    close_when_empty(k);
}

static void on_prepare(uv_prepare_t *prepare)
{
    wake_desks(prepare->data);
}

static void wake_loop(void *ctx)
{
    child_keeper_t *k = ctx;
    uv_async_send(&k->wake);
}

static void end(child_keeper_t *k)
{
    child_note_t *note;
    uv_loop_close(&k->loop);
    while ((note = child_inbox_take(&k->inbox)) != NULL) {
        if (note->kind != CHILD_NOTE_NUDGE)
            child_call_unref(note->about);
    }
    child_inbox_free(&k->inbox);
    child_keeper_free(k);
}

static void end_alone(child_keeper_t *k)
{
    pthread_mutex_lock(&k->quiet_lock);
    while (!k->left)
        pthread_cond_wait(&k->changed, &k->quiet_lock);
    pthread_mutex_unlock(&k->quiet_lock);
    end(k);
}

static void *run(void *arg)
{
    child_keeper_t *k = arg;
    uint32_t retry_s;
    uv_prepare_t prepare;
    uv_prepare_init(&k->loop, &prepare);
    prepare.data = k;
    uv_prepare_start(&prepare, on_prepare);
    uv_unref((uv_handle_t *)&prepare);
    uv_timer_start(&k->tick, on_tick, CHILD_TICK_MS, CHILD_TICK_MS);
    child_probe(k, &retry_s);
    uv_run(&k->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_run(&k->loop, UV_RUN_DEFAULT);
    if (k->detached)
        end_alone(k);
    return NULL;
}

static rc_t open_loop(child_keeper_t *k)
{
    if (uv_loop_init(&k->loop) != 0)
        return RC_IO;
    k->wake.data = k->tick.data = k;
    if (uv_async_init(&k->loop, &k->wake, on_wake) != 0) {
        uv_loop_close(&k->loop);
        return RC_IO;
    }
    uv_timer_init(&k->loop, &k->tick);
    return RC_OK;
}

static void close_loop(child_keeper_t *k)
{
    uv_close((uv_handle_t *)&k->wake, NULL);
    uv_close((uv_handle_t *)&k->tick, NULL);
    uv_run(&k->loop, UV_RUN_DEFAULT);
    uv_loop_close(&k->loop);
    child_inbox_free(&k->inbox);
}

/* Signals are for the main thread; SIGPIPE is an error of a write. Who started us may have left
 * SIGCHLD ignored: the kernel would reap our children then, and give their numbers to others. */
static int start_thread(child_keeper_t *k)
{
    sigset_t all, before;
    signal(SIGCHLD, SIG_DFL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&k->thread, NULL, run, k);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

rc_t child_thread_start(child_keeper_t *k)
{
    TRY(open_loop(k));
    child_inbox_init(&k->inbox, wake_loop, k);
    if (start_thread(k) == 0)
        return RC_OK;
    close_loop(k);
    return RC_IO;
}

void child_thread_stop(child_keeper_t *k)
{
    bool detached = atomic_load(&k->running);
    pthread_t thread = k->thread;
    k->detached = detached;
    pthread_mutex_lock(&k->quiet_lock);
    atomic_store(&k->stop, true);
    uv_async_send(&k->wake);
    while (detached && !k->quiet)
        pthread_cond_wait(&k->changed, &k->quiet_lock);
    k->left = true;
    pthread_cond_signal(&k->changed);
    pthread_mutex_unlock(&k->quiet_lock);
    if (detached) {
        pthread_detach(thread);
        return;
    }
    pthread_join(thread, NULL);
    end(k);
}
