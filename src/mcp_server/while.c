/* What a function may do while it runs, beside its answer. */
#include "mcp_server/level.h"
#include "mcp_server/server_state.h"

#include <math.h>
#include <time.h>

enum { NOTE_BYTES = 1 << 20, NOTE_ARENA_BYTES = 4 << 20 };

/* The message lives in an arena of its own: a function may say a great many. */
void mcp_call_notify(warder_mcp_call_t *call, str_t method, str_t params)
{
    arena_t *a =
        call->outbox && !atomic_load(&call->cancelled) ? arena_new(NOTE_ARENA_BYTES) : NULL;
    if (!a)
        return;
    mcp_out_t out = {.kind = MCP_OUT_MESSAGE};
    buf_t b = buf_new(a, NOTE_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_member_str(&w, STR("method"), method);
    json_key(&w, STR("params"));
    json_raw(&w, params);
    json_end_object(&w);
    if (buf_done(&b, &out.text) == RC_OK && mcp_outbox_put(call->outbox, &out) == RC_OK)
        call->spoke = true;
    arena_free(a);
}

/* Notes are sent where they can be: one that is too long, or no UTF-8, is not. */
static void send(warder_mcp_call_t *call, str_t method, const buf_t *params)
{
    str_t text;
    if (buf_done(params, &text) == RC_OK)
        mcp_call_notify(call, method, text);
}

static bool is_token(const json_t *v)
{
    int64_t i;
    return json_is(v, JSON_STRING) || json_i64(v, &i);
}

/* Whole numbers look whole: the shortest text of 50 is 5e+01. */
static void write_number(json_writer_t *w, double v)
{
    static const double LARGEST = 9007199254740992; /* up to here all whole ones are exact */
    if (fabs(v) <= LARGEST && v == trunc(v))
        json_int(w, (int64_t)v);
    else
        json_double(w, v);
}

static void write_progress(json_writer_t *w, const warder_mcp_call_t *call, double total,
                           const char *message)
{
    json_begin_object(w);
    json_key(w, STR("progressToken"));
    json_raw(w, call->progress_token->raw);
    json_key(w, STR("progress"));
    write_number(w, call->progress);
    if (total > 0) {
        json_key(w, STR("total"));
        write_number(w, total);
    }
    json_member_str(w, STR("message"), str_c(message));
    json_end_object(w);
}

void warder_mcp_progress(warder_mcp_call_t *call, double done, double total, const char *message)
{
    if (!is_token(call->progress_token) || !isfinite(done) || done <= call->progress)
        return;
    arena_t *a = arena_new(NOTE_ARENA_BYTES);
    if (!a)
        return;
    call->progress = done;
    buf_t b = buf_new(a, NOTE_BYTES);
    json_writer_t w = json_writer(&b);
    write_progress(&w, call, total, message);
    send(call, STR("notifications/progress"), &b);
    arena_free(a);
}

/* In the stateless era a client that names no level gets none (2026-07-28, Logging). */
static bool wants(const warder_mcp_call_t *call, warder_mcp_level_t level)
{
    warder_mcp_level_t least;
    if (call->op.era == MCP_ERA_HANDSHAKE)
        return call->session && mcp_session_wants(call->session, level);
    return mcp_level_read(call->level, &least) && level >= least;
}

void warder_mcp_log(warder_mcp_call_t *call, warder_mcp_level_t level, const char *logger,
                    const char *text)
{
    str_t name = mcp_level_name(level);
    if (!name.p || !text || !wants(call, level))
        return;
    arena_t *a = arena_new(NOTE_ARENA_BYTES);
    if (!a)
        return;
    buf_t b = buf_new(a, NOTE_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("level"), name);
    json_member_str(&w, STR("logger"), str_c(logger));
    json_member_str(&w, STR("data"), str_c(text));
    json_end_object(&w);
    send(call, STR("notifications/message"), &b);
    arena_free(a);
}

bool warder_mcp_cancelled(const warder_mcp_call_t *call)
{
    return atomic_load(&call->cancelled);
}

bool warder_mcp_sleep(warder_mcp_call_t *call, int milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int ms = milliseconds > 0 ? milliseconds : 0;
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    int rc = 0;
    pthread_mutex_lock(&call->m->lock);
    while (!atomic_load(&call->cancelled) && rc == 0)
        rc = pthread_cond_timedwait(&call->woken, &call->m->lock, &until);
    pthread_mutex_unlock(&call->m->lock);
    return !atomic_load(&call->cancelled);
}

void warder_mcp_let_go(warder_mcp_call_t *call)
{
    static const mcp_out_t LET_GO = {.kind = MCP_OUT_LET_GO};
    if (call->outbox && mcp_outbox_put(call->outbox, &LET_GO) == RC_OK)
        call->spoke = call->spoke || mcp_outbox_is_kept(call->outbox);
}

/* Tasks */

/* The answer to the request: the task, made (extension io.modelcontextprotocol/tasks). */
static str_t creation(warder_mcp_call_t *call, mcp_task_t *task)
{
    str_t text;
    buf_t b = buf_new(call->arena, NOTE_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    if (call->op.era == MCP_ERA_STATELESS) {
        json_member_str(&w, STR("resultType"), STR("task"));
        mcp_task_write(call->m->tasks, task, MCP_TASK_BRIEF, &w);
    } else {
        json_key(&w, STR("task"));
        json_begin_object(&w);
        mcp_task_write(call->m->tasks, task, MCP_TASK_PLAIN, &w);
        json_end_object(&w);
    }
    json_end_object(&w);
    return buf_done(&b, &text) == RC_OK ? mcp_answer_result(call, text).body : STR_UNSET;
}

/* From here on nothing goes out on the stream, whose reader may go away without harm. */
static mcp_outbox_t *leave_stream(warder_mcp_call_t *call, mcp_task_t *task)
{
    pthread_mutex_lock(&call->m->lock);
    mcp_outbox_t *o = call->outbox;
    call->task = task;
    call->outbox = NULL;
    pthread_mutex_unlock(&call->m->lock);
    return o;
}

static bool may_be_task(const warder_mcp_call_t *call)
{
    bool wanted = call->op.era == MCP_ERA_STATELESS
                      ? mcp_capability_has(call->capabilities, MCP_TASKS_CAPABILITY)
                      : call->wants_task;
    return wanted && call->entry->kind == MCP_TOOL && !str_is_set(call->completing) &&
           !atomic_load(&call->cancelled);
}

bool warder_mcp_become_task(warder_mcp_call_t *call)
{
    const mcp_principal_t who = {call->who.issuer, call->who.subject, call->who.client};
    mcp_task_t *task;
    if (call->task)
        return true;
    if (!may_be_task(call) || mcp_task_open(call->m->tasks, call, &who, &task) != RC_OK)
        return false;
    mcp_out_t out = {.kind = MCP_OUT_ANSWER, .status = 200, .text = creation(call, task)};
    mcp_outbox_t *o = leave_stream(call, task);
    if (!out.text.p || mcp_outbox_put(o, &out) != RC_OK)
        mcp_outbox_end(o);
    mcp_outbox_drop(o);
    return true;
}

void warder_mcp_task_status(warder_mcp_call_t *call, const char *text)
{
    if (call->task && text)
        mcp_task_say(call->m->tasks, call->task, str_c(text));
}
