/* Waiting for the client: its questions go out, and its answers come in. */
#include "mcp_server/life.h"
#include "mcp_server/said.h"

enum { QUESTION_BYTES = MCP_SAID_BYTES };

/* A question cannot be sent: the call waits for what will never come. */
static void break_off(warder_mcp_call_t *call, mcp_error_t e)
{
    pthread_mutex_lock(&call->m->lock);
    bool broken = life_step_locked(call, MCP_CALL_BREAKS);
    if (broken)
        call->ends = e;
    pthread_mutex_unlock(&call->m->lock);
    if (broken)
        life_end(call, WARDER_MCP_DONE);
}

/* The requests to the client, in the call's arena; they go out once the call waits. */
typedef struct {
    str_t v[MCP_QUESTIONS];
    size_t n;
} requests_t;

/* What belongs to a task says so (2025-11-25, Tasks, "Associating Task-Related Messages"). */
static rc_t write_params(warder_mcp_call_t *call, const mcp_question_t *q, json_writer_t *w)
{
    static const str_t META[] = {STR_INIT("_meta")};
    const json_t *params;
    if (!call->task) {
        json_raw(w, q->params);
        return RC_OK;
    }
    TRY(json_parse(call->arena, q->params, &MCP_SAID_LIMITS, &params));
    str_t meta = mcp_task_meta(call->arena, mcp_task_id(call->task), STR(""));
    if (!meta.p)
        return RC_MEMORY;
    json_begin_object(w);
    json_key(w, META[0]);
    json_raw(w, meta);
    json_members_but(w, params, (str_list_t){META, 1});
    json_end_object(w);
    return RC_OK;
}

static rc_t write_request(warder_mcp_call_t *call, const mcp_question_t *q, requests_t *out)
{
    int64_t id;
    TRY(mcp_session_add_question(call->session, call, q->key, &id));
    buf_t b = buf_new(call->arena, QUESTION_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_member_int(&w, STR("id"), id);
    json_member_str(&w, STR("method"), q->method);
    json_key(&w, STR("params"));
    TRY(write_params(call, q, &w));
    json_end_object(&w);
    return buf_done(&b, &out->v[out->n++]);
}

static rc_t write_requests(warder_mcp_call_t *call, requests_t *out)
{
    out->n = 0;
    if (call->task && call->op.era == MCP_ERA_STATELESS)
        return RC_OK; /* its client fetches them */
    if (!call->session)
        return RC_IO;
    for (size_t i = 0; i < call->questions.n; i++)
        if (!call->questions.v[i].answer)
            TRY(write_request(call, &call->questions.v[i], out));
    return RC_OK;
}

/* Under the lock of the server, which keeps what clients see in the order of what happened. */
static void show_task(warder_mcp_call_t *call)
{
    if (!call->task)
        return;
    str_t open = STR_UNSET;
    arena_t *a = arena_new(MCP_CALL_ARENA_BYTES);
    if (a && call->state == MCP_CALL_WAITING) {
        buf_t b = buf_new(a, QUESTION_BYTES);
        json_writer_t w = json_writer(&b);
        mcp_questions_open(call, &w);
        if (buf_done(&b, &open) != RC_OK)
            open = STR_UNSET;
    }
    mcp_task_status_t status = call->state == MCP_CALL_WAITING ? MCP_TASK_INPUT : MCP_TASK_WORKING;
    mcp_task_set(call->m->tasks, call->task, status, open);
    arena_free(a);
}

/* False: it was cancelled before. */
static bool begin_to_wait(warder_mcp_call_t *call)
{
    pthread_mutex_lock(&call->m->lock);
    bool waits = !atomic_load(&call->cancelled) && life_step_locked(call, MCP_CALL_ASKS);
    if (waits) {
        const clock_port_t *clock = &call->m->world.clock;
        call->waits_since_ms = clock->mono_ms(clock->ctx);
        show_task(call);
    }
    pthread_mutex_unlock(&call->m->lock);
    return waits;
}

static rc_t put_all(mcp_outbox_t *outbox, const requests_t *requests)
{
    for (size_t i = 0; i < requests->n; i++)
        TRY(mcp_outbox_put(outbox, &(mcp_out_t){MCP_OUT_MESSAGE, .text = requests->v[i]}));
    return RC_OK;
}

/* The stream of a task has ended: it asks on the session's own. */
static mcp_outbox_t *stream_of(const warder_mcp_call_t *call)
{
    return call->task ? mcp_session_general(call->session) : call->outbox;
}

/* From begin_to_wait on answers come and may run the function on another thread: the texts are in
 * the arena and stay, all else of the call is left alone. */
void life_wait(warder_mcp_call_t *call)
{
    requests_t requests;
    if (write_requests(call, &requests) != RC_OK) {
        life_return(call, WARDER_MCP_FAIL);
        return;
    }
    mcp_call_hold(call);
    mcp_outbox_t *outbox = requests.n > 0 ? mcp_outbox_hold(stream_of(call)) : NULL;
    call->spoke = call->spoke || requests.n > 0;
    if (!begin_to_wait(call))
        life_return(call, WARDER_MCP_DONE);
    else if (put_all(outbox, &requests) != RC_OK)
        break_off(call, MCP_ERROR_INTERNAL);
    mcp_outbox_drop(outbox);
    mcp_call_drop(call);
}

/* Clients that never answer */

enum { AT_ONCE = 64 };

/* A task that waits is forgotten in its own time, and ended then; this is for one that was lost. */
static int64_t patience_ms(const warder_mcp_call_t *call)
{
    return MCP_WAIT_MS + (call->task ? (int64_t)call->m->config.task_kept_s * 1000 : 0);
}

/* Under the lock. */
static bool gives_up(warder_mcp_call_t *call, int64_t now)
{
    if (call->state != MCP_CALL_WAITING || now - call->waits_since_ms < patience_ms(call))
        return false;
    call->ends = MCP_ERROR_UNANSWERED;
    return life_step_locked(call, MCP_CALL_BREAKS);
}

static size_t give_up(warder_mcp_t *m, warder_mcp_call_t *which[AT_ONCE])
{
    size_t n = 0;
    int64_t now = m->world.clock.mono_ms(m->world.clock.ctx);
    pthread_mutex_lock(&m->lock);
    for (warder_mcp_call_t *call = m->calls; call && n < AT_ONCE; call = call->next)
        if (gives_up(call, now))
            which[n++] = mcp_call_hold(call);
    pthread_mutex_unlock(&m->lock);
    return n;
}

void mcp_calls_expire(warder_mcp_t *m)
{
    warder_mcp_call_t *which[AT_ONCE];
    size_t n;
    do {
        n = give_up(m, which);
        for (size_t i = 0; i < n; i++) {
            life_end(which[i], WARDER_MCP_DONE);
            mcp_call_drop(which[i]);
        }
    } while (n == AT_ONCE);
}

/* Answers of the client */

/* An elicitation that the client cannot bring before anybody is one that was cancelled. */
static const json_t *cancelled_form(void)
{
    static const json_t ACTION = {.type = JSON_STRING,
                                  .raw = STR_INIT("\"cancel\""),
                                  .str = STR_INIT("cancel"),
                                  .key = STR_INIT("action")};
    static const json_t ANSWER = {.type = JSON_OBJECT,
                                  .count = 1,
                                  .raw = STR_INIT("{\"action\":\"cancel\"}"),
                                  .child = &ACTION};
    return &ANSWER;
}

static bool is_form(const mcp_question_t *q)
{
    return q->what == MCP_ASK_FORM || q->what == MCP_ASK_URL;
}

/* What an answer makes of a call that waits. */
typedef enum { STILL_WAITS, RUNS_AGAIN, IS_REFUSED } turn_t;

/* Under the lock, as the two below. */
static turn_t refuse(warder_mcp_call_t *call, const mcp_question_t *q, mcp_error_t e)
{
    call->questions.refused = q->method;
    call->ends = e;
    life_step_locked(call, MCP_CALL_BREAKS);
    return IS_REFUSED;
}

static void free_arena(void *a)
{
    arena_free(a);
}

/* Nobody else touches the arena of a call that waits: it takes the copy's, which may be a large
 * tree of a short text. */
static rc_t keep(warder_mcp_call_t *call, arena_t **own, size_t bytes)
{
    mcp_questions_t *q = &call->questions;
    size_t kept = *own ? arena_used(*own) : 0;
    if (bytes > MCP_ANSWERS_BYTES - q->answered || kept > MCP_ANSWERS_KEPT_BYTES - q->kept_bytes)
        return RC_LIMIT;
    q->answered += bytes;
    q->kept_bytes += kept;
    if (!*own)
        return RC_OK;
    arena_t *a = *own;
    *own = NULL;
    return arena_cleanup(call->arena, free_arena, a);
}

/* What the client said, copied; NULL in both: an error. */
typedef struct {
    arena_t *own;
    const json_t *copy;
    bool lost; /* it said something, and there was no memory for it */
} answer_t;

static turn_t take_answer(warder_mcp_call_t *call, str_t key, answer_t *said)
{
    bool waits = call->state == MCP_CALL_WAITING;
    mcp_question_t *q = waits ? mcp_question_find_open(call, key) : NULL;
    if (!q || q->answer)
        return STILL_WAITS;
    if (!said->copy && !said->lost && !is_form(q))
        return refuse(call, q, MCP_ERROR_QUESTION_REFUSED);
    if (said->lost || keep(call, &said->own, said->copy ? said->copy->raw.n : 0) != RC_OK)
        return refuse(call, q, MCP_ERROR_INTERNAL);
    q->answer = said->copy ? said->copy : cancelled_form();
    bool all = mcp_questions_answered(call) && life_step_locked(call, MCP_CALL_ANSWERED);
    show_task(call);
    return all ? RUNS_AGAIN : STILL_WAITS;
}

static answer_t copy_answer(const json_t *result)
{
    static const json_limits_t LIMITS = {MCP_MESSAGE_BYTES, MCP_MESSAGE_DEPTH, MCP_MESSAGE_NODES};
    answer_t said = {NULL, NULL, false};
    if (!result)
        return said;
    said.own = arena_new(MCP_CALL_ARENA_BYTES);
    str_t text = said.own ? arena_dup(said.own, result->raw) : STR_UNSET;
    said.lost = !text.p || json_parse(said.own, text, &LIMITS, &said.copy) != RC_OK;
    return said;
}

static void go_on(warder_mcp_call_t *call)
{
    if (life_run(call) == RC_OK)
        return;
    call->ends = MCP_ERROR_BUSY;
    life_return(call, WARDER_MCP_DONE);
}

void mcp_call_answered(warder_mcp_call_t *call, str_t key, const json_t *result)
{
    answer_t said = copy_answer(result);
    pthread_mutex_lock(&call->m->lock);
    turn_t turn = take_answer(call, key, &said);
    pthread_mutex_unlock(&call->m->lock);
    arena_free(said.own);
    if (turn == RUNS_AGAIN)
        go_on(call);
    else if (turn == IS_REFUSED)
        life_end(call, WARDER_MCP_DONE);
}
