#include "proxy/child_router.h"

#include "core/limits.h"

#include <stdlib.h>

/* An id is a count of uses, above, and the place of the flight, below: found at once, never given
 * twice, and within what JavaScript's numbers hold for two hundred years. */
enum { PLACE_MASK = CHILD_FLIGHTS_MAX - 1, LINE_DEPTH = MCP_MESSAGE_DEPTH };

typedef struct {
    char *key; /* owned; NULL: free */
    size_t n;
    const void *session;
} question_t;

struct child_router {
    child_flight_t flights[CHILD_FLIGHTS_MAX];
    question_t questions[CHILD_QUESTIONS_MAX];
    size_t free, count;
    int64_t issued;
};

static const str_t SUBSCRIPTION = STR_INIT("io.modelcontextprotocol/subscriptionId");

child_router_t *child_router_new(void)
{
    child_router_t *r = calloc(1, sizeof *r);
    for (size_t i = 0; r && i < CHILD_FLIGHTS_MAX; i++)
        r->flights[i].next = i + 1;
    return r;
}

void child_router_free(child_router_t *r)
{
    for (size_t i = 0; r && i < CHILD_FLIGHTS_MAX; i++)
        free(r->flights[i].copy);
    for (size_t i = 0; r && i < CHILD_QUESTIONS_MAX; i++)
        free(r->questions[i].key);
    free(r);
}

static char *put(char *p, str_t from, str_t *out)
{
    *out = STR_UNSET;
    if (!from.p)
        return p;
    memcpy(p, from.p, from.n);
    *out = str_of(p, from.n);
    return p + from.n;
}

rc_t child_router_open(child_router_t *r, const child_ask_t *ask, child_flight_t **out)
{
    if (r->free == CHILD_FLIGHTS_MAX)
        return RC_BUSY;
    size_t place = r->free;
    child_flight_t *f = &r->flights[place];
    char *copy = malloc(ask->id.n + ask->token.n + 1);
    if (!copy)
        return RC_MEMORY;
    r->free = f->next;
    r->count++;
    *f = (child_flight_t){.copy = copy, .next = f->next};
    f->id = ++r->issued * CHILD_FLIGHTS_MAX + (int64_t)place;
    f->listens = str_eq(ask->method, STR("subscriptions/listen"));
    put(put(copy, ask->id, &f->raw), ask->token, &f->token);
    *out = f;
    return RC_OK;
}

void child_router_close(child_router_t *r, child_flight_t *flight)
{
    free(flight->copy);
    *flight = (child_flight_t){.next = r->free};
    r->free = (size_t)(flight - r->flights);
    r->count--;
}

void child_router_each(child_router_t *r, void (*fn)(void *ctx, child_flight_t *f), void *ctx)
{
    for (size_t i = 0; i < CHILD_FLIGHTS_MAX && r->count; i++) {
        if (r->flights[i].id)
            fn(ctx, &r->flights[i]);
    }
}

size_t child_router_count(const child_router_t *r)
{
    return r->count;
}

/* What the session called `raw`. */
static const child_flight_t *find_raw(const child_router_t *r, const void *session, str_t raw)
{
    for (size_t i = 0; session && i < CHILD_FLIGHTS_MAX; i++) {
        const child_flight_t *f = &r->flights[i];
        if (f->id && f->session == session && str_eq(f->raw, raw))
            return f;
    }
    return NULL;
}

static str_t number(arena_t *a, int64_t id)
{
    return arena_printf(a, "%lld", (long long)id);
}

static rc_t cancelling_line(child_router_t *r, arena_t *a, const child_ask_t *ask,
                            const void *session, str_t *out)
{
    child_patches_t patches = {.n = 0};
    const child_flight_t *f = find_raw(r, session, ask->cancelled);
    if (!f || !ask->cancelled.p)
        return RC_NOT_FOUND;
    TRY(child_patch(&patches, ask->text, ask->cancelled, number(a, f->id)));
    return child_splice(a, ask->text, &patches, out);
}

rc_t child_router_line(child_router_t *r, arena_t *a, const child_ask_t *ask,
                       const child_flight_t *flight, const void *session, str_t *out)
{
    child_patches_t patches = {.n = 0};
    /* A request may bear that name, too: its id must become ours all the same. */
    if (!flight && str_eq(ask->method, STR("notifications/cancelled")))
        return cancelling_line(r, a, ask, session, out);
    if (!flight)
        return child_splice(a, ask->text, &patches, out);
    str_t id = number(a, flight->id);
    if (!id.p)
        return RC_MEMORY;
    TRY(child_patch(&patches, ask->text, ask->id, id));
    TRY(child_patch(&patches, ask->text, ask->token, id));
    return child_splice(a, ask->text, &patches, out);
}

rc_t child_router_cancel(arena_t *a, const child_flight_t *flight, str_t *out)
{
    *out = arena_printf(a,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                        "\"params\":{\"requestId\":%lld}}",
                        (long long)flight->id);
    return out->p ? RC_OK : RC_MEMORY;
}

/* The flight that `v` names, an id of ours; *issued says whether it ever was one. */
static child_flight_t *find(child_router_t *r, const json_t *v, bool *issued)
{
    int64_t id = 0;
    *issued = json_i64(v, &id) && id >= CHILD_FLIGHTS_MAX && id / CHILD_FLIGHTS_MAX <= r->issued;
    child_flight_t *f = &r->flights[id & PLACE_MASK];
    return *issued && f->id == id ? f : NULL;
}

static void bad(child_line_t *out, str_t why)
{
    out->kind = CHILD_LINE_BAD;
    out->why = why;
}

/* Where a message about `flight` goes: nowhere, once that has ended. */
static void lead(child_line_t *out, child_line_kind_t kind, child_flight_t *flight, bool issued)
{
    out->kind = flight ? kind : CHILD_LINE_LATE;
    out->flight = flight;
    if (!issued)
        bad(out, STR("it names a request that it never got"));
}

static bool error_is_valid(const json_t *error, int64_t *code)
{
    return json_get_i64(error, STR("code"), code) && json_get_str(error, STR("message")).p;
}

static rc_t read_answer(child_router_t *r, arena_t *a, str_t line, child_line_t *out)
{
    bool issued;
    child_patches_t patches = {.n = 0};
    const json_t *id = json_get(out->root, STR("id")), *result = json_get(out->root, STR("result"));
    child_flight_t *f = find(r, id, &issued);
    lead(out, CHILD_LINE_ANSWER, f, issued);
    if (result ? !json_is(result, JSON_OBJECT)
               : !error_is_valid(json_get(out->root, STR("error")), &out->code))
        bad(out, STR("its result is no object, or its error has no code or message"));
    if (out->kind != CHILD_LINE_ANSWER)
        return RC_OK;
    const json_t *about = json_get(json_get(result, STR("_meta")), SUBSCRIPTION);
    TRY(child_patch(&patches, line, id->raw, out->flight->raw));
    if (out->flight->listens && about)
        TRY(child_patch(&patches, line, about->raw, out->flight->raw));
    return child_splice(a, line, &patches, &out->text);
}

/* A notification that names a request of ours at `v`, which the client calls by what `name` picks.
 */
static rc_t read_about(arena_t *a, str_t line, const json_t *v, str_t name, child_line_t *out)
{
    child_patches_t patches = {.n = 0};
    if (out->kind == CHILD_LINE_LATE || out->kind == CHILD_LINE_BAD)
        return RC_OK;
    if (!name.p) {
        bad(out, STR("nobody asked for this notification"));
        out->flight = NULL;
        return RC_OK;
    }
    TRY(child_patch(&patches, line, v->raw, name));
    return child_splice(a, line, &patches, &out->text);
}

static rc_t read_progress(child_router_t *r, arena_t *a, str_t line, child_line_t *out)
{
    bool issued;
    const json_t *token = json_get(json_get(out->root, STR("params")), STR("progressToken"));
    child_flight_t *f = find(r, token, &issued);
    lead(out, CHILD_LINE_NEWS, f, issued);
    return read_about(a, line, token, f ? f->token : STR_UNSET, out);
}

static rc_t read_subscribed(child_router_t *r, arena_t *a, str_t line, const json_t *v,
                            child_line_t *out)
{
    bool issued;
    child_flight_t *f = find(r, v, &issued);
    lead(out, CHILD_LINE_NEWS, f, issued);
    return read_about(a, line, v, f && f->listens ? f->raw : STR_UNSET, out);
}

/* Of a subscription of ours, or of a question of the child's own. */
static rc_t read_cancelled(child_router_t *r, arena_t *a, str_t line, child_line_t *out)
{
    bool issued;
    const json_t *v = json_get(json_get(out->root, STR("params")), STR("requestId"));
    out->key = v ? child_id_key(a, v->raw) : STR_UNSET;
    out->kind = CHILD_LINE_DROPPED;
    if (out->key.p && child_router_whom(r, out->key))
        return child_splice(a, line, &(child_patches_t){.n = 0}, &out->text);
    child_flight_t *f = find(r, v, &issued);
    lead(out, CHILD_LINE_STOP, f, true);
    return read_about(a, line, v, f && f->listens ? f->raw : STR_UNSET, out);
}

static rc_t read_notification(child_router_t *r, arena_t *a, str_t line, child_line_t *out)
{
    const json_t *params = json_get(out->root, STR("params"));
    const json_t *about = json_get(json_get(params, STR("_meta")), SUBSCRIPTION);
    if (str_eq(out->method, STR("notifications/cancelled")))
        return read_cancelled(r, a, line, out);
    if (str_eq(out->method, STR("notifications/progress")))
        return read_progress(r, a, line, out);
    if (about)
        return read_subscribed(r, a, line, about, out);
    out->kind = CHILD_LINE_NOTICE;
    out->uri = json_get_str(params, STR("uri"));
    return child_splice(a, line, &(child_patches_t){.n = 0}, &out->text);
}

static rc_t read_question(arena_t *a, str_t line, const mcp_message_t *m, child_line_t *out)
{
    out->kind = CHILD_LINE_QUESTION;
    out->id = m->id;
    out->key = child_id_key(a, m->id);
    if (!out->key.p)
        return RC_MEMORY;
    return child_splice(a, line, &(child_patches_t){.n = 0}, &out->text);
}

rc_t child_router_read(child_router_t *r, arena_t *a, str_t line, size_t max, child_line_t *out)
{
    const json_limits_t limits = {max, LINE_DEPTH, LIMIT_JSON_NODES};
    mcp_message_t m;
    *out = (child_line_t){.kind = CHILD_LINE_BAD};
    rc_t rc = json_parse(a, line, &limits, &out->root);
    if (rc == RC_MEMORY)
        return rc;
    mcp_error_t e = rc == RC_OK ? mcp_message_of(out->root, &m) : MCP_ERROR_PARSE;
    if (e != MCP_NO_ERROR) {
        out->why = mcp_error_row(e)->reason;
        return RC_OK;
    }
    out->method = m.method;
    if (m.kind == MCP_RESPONSE)
        return read_answer(r, a, line, out);
    if (m.kind == MCP_REQUEST)
        return read_question(a, line, &m, out);
    return read_notification(r, a, line, out);
}

static question_t *find_question(child_router_t *r, str_t key)
{
    for (size_t i = 0; i < CHILD_QUESTIONS_MAX; i++) {
        question_t *q = &r->questions[i];
        if (q->key && str_eq(str_of(q->key, q->n), key))
            return q;
    }
    return NULL;
}

rc_t child_router_asked(child_router_t *r, str_t key, const void *session)
{
    question_t *q = r->questions;
    if (find_question(r, key))
        return RC_CONFLICT;
    while (q < r->questions + CHILD_QUESTIONS_MAX && q->key)
        q++;
    if (q == r->questions + CHILD_QUESTIONS_MAX)
        return RC_LIMIT;
    q->key = malloc(key.n + 1);
    if (!q->key)
        return RC_MEMORY;
    memcpy(q->key, key.p, key.n);
    q->n = key.n;
    q->session = session;
    return RC_OK;
}

bool child_router_answered(child_router_t *r, str_t key, const void *session)
{
    question_t *q = find_question(r, key);
    if (!q || q->session != session)
        return false;
    free(q->key);
    *q = (question_t){.key = NULL};
    return true;
}

const void *child_router_whom(child_router_t *r, str_t key)
{
    question_t *q = find_question(r, key);
    return q ? q->session : NULL;
}
