#include "as/flow.h"

#include "as/client_source.h"
#include "as/page.h"
#include "core/limits.h"

#include <assert.h>

/* Two callers race for one code or token: the second look settles it. More rounds only serve a
 * family that many racing callers refresh at once. */
enum { ROUNDS_MAX = 20, RETRY_AFTER_S = 1 };

static void snapshot_release(void *snapshot)
{
    as_snapshot_release(snapshot);
}

/* Holds the worker's snapshot until the exchange ends. The ones before stay, too: what was read of
 * them may be borrowed still. */
static rc_t hold_snapshot(as_flow_t *f)
{
    f->snapshot = as_snapshot_hold(f->w->snapshot);
    return arena_cleanup(f->a, snapshot_release, f->snapshot);
}

static int64_t mono_ms(const as_worker_t *w)
{
    return w->as->clock.mono_ms(w->as->clock.ctx);
}

static void wait_begins(const as_flow_t *f, size_t what)
{
    as_backlog_begin(&f->w->backlog[what], mono_ms(f->w));
}

static void wait_ends(const as_flow_t *f, size_t what)
{
    as_backlog_end(&f->w->backlog[what], mono_ms(f->w));
}

/* Whoever begins now would wait so long that the answer may come too late to be read: better no
 * work than work for nobody. */
static bool is_overloaded(const as_worker_t *w)
{
    int64_t now = mono_ms(w), wait = 0;
    for (size_t i = 0; i < AS_BACKLOGS; i++)
        wait += as_backlog_wait(&w->backlog[i], now);
    return wait > LIMIT_STORE_WAIT_MS;
}

static void turn_away(http_exchange_t *x)
{
    counter_block_t *counters = http_worker_counters(x->loop);
    if (counters)
        counter_add(counters, COUNTER_LATE, 1);
    as_page_retry(x, 503, RETRY_AFTER_S,
                  STR("the server has too much to do; try again in a moment"));
}

as_flow_t *as_flow_new(http_exchange_t *x, size_t own_size)
{
    as_worker_t *w = x->worker;
    if (is_overloaded(w)) {
        turn_away(x);
        return NULL;
    }
    as_flow_t *f = ARENA_NEW(x->arena, as_flow_t);
    void *own = arena_alloc(x->arena, own_size ? own_size : 1);
    if (!f || !own) {
        as_page_retry(x, 503, RETRY_AFTER_S, STR("out of memory"));
        return NULL;
    }
    /* Forms are checked before there are facts, by the keys that another worker may have seen
     * replaced a while ago. */
    as_snapshot_refresh(w);
    if (!w->snapshot) {
        as_page_retry(x, 503, RETRY_AFTER_S, STR("the server has no keys yet"));
        return NULL;
    }
    *f = (as_flow_t){
        .w = w,
        .x = x,
        .a = x->arena,
        .now = clock_seconds(&w->as->clock),
        .own = own,
    };
    if (hold_snapshot(f) != RC_OK) {
        as_page_retry(x, 503, RETRY_AFTER_S, STR("out of memory"));
        return NULL;
    }
    return f;
}

as_flow_t *as_flow_read(http_exchange_t *x, size_t own_size, rc_t (*read)(as_flow_t *f))
{
    as_flow_t *f = as_flow_new(x, own_size);
    if (!f)
        return NULL;
    rc_t rc = read(f);
    if (rc == RC_OK)
        return f;
    as_flow_fail(f, rc);
    return NULL;
}

str_t as_flow_parameters(const as_flow_t *f)
{
    str_t text = f->x->method == HTTP_POST ? f->x->body : f->x->query;
    return str_is_set(text) ? text : STR("");
}

ask_t *as_flow_ask(as_flow_t *f, ask_kind_t kind)
{
    assert(f->n_asks < AS_ASKS_MAX);
    ask_t *ask = &f->asks[f->n_asks++];
    *ask = (ask_t){.kind = kind};
    return ask;
}

/* A browser that loads the answer to a form once more sends the form once more. */
static str_t failed_sentence(const http_exchange_t *x)
{
    bool is_form = (x->route->flags & HTTP_ROUTE_PAGE) && x->method == HTTP_POST;
    return is_form ? STR("the server cannot do this right now; reload this page in a moment, and "
                         "what you entered is sent again")
                   : STR("the server cannot do this right now; try again in a moment");
}

void as_flow_fail(as_flow_t *f, rc_t rc)
{
    if (!as_store_is_away(f->w->as))
        LOG(f->w->as->log, LOG_ERROR, "request failed", LOG_S("why", str_c(rc_name(rc))),
            LOG_S("path", f->x->path), LOG_S("request_id", f->x->request_id));
    as_page_retry(f->x, 503, RETRY_AFTER_S, failed_sentence(f->x));
}

static void go_on(void *arg)
{
    as_flow_t *f = arg;
    rc_t rc = f->w->snapshot != f->snapshot ? hold_snapshot(f) : RC_OK;
    if (rc == RC_OK)
        as_client_source_resolve(f);
    else
        as_flow_fail(f, rc);
}

/* The facts tell whether keys and resources are still those of the snapshot: what an administrator
 * has changed holds from the next request on. */
static void wait_for_snapshot(as_flow_t *f)
{
    f->waiter = (as_snapshot_waiter_t){.fn = go_on, .arg = f};
    if (!as_snapshot_wait(f->w, &f->waiter))
        go_on(f);
}

static void gathered(void *ctx, rc_t rc, size_t failed)
{
    as_flow_t *f = ctx;
    (void)failed;
    wait_ends(f, AS_BACKLOG_ASK);
    if (rc != RC_OK) {
        as_flow_fail(f, rc);
        return;
    }
    wait_for_snapshot(f);
}

void as_flow_gather(as_flow_t *f, as_step_t decide)
{
    size_t from = f->n_answered;
    f->decide = decide;
    f->n_answered = f->n_asks;
    /* An id that holds its registration is sealed without a question: not under an old key. */
    if (from == f->n_asks) {
        wait_for_snapshot(f);
        return;
    }
    wait_begins(f, AS_BACKLOG_ASK);
    store_ask(f->w->store, f->a, f->asks + from, f->n_asks - from, gathered, f);
}

void as_flow_gather_again(as_flow_t *f, as_step_t decide)
{
    f->n_answered = 0;
    as_flow_gather(f, decide);
}

static void decide_again(as_flow_t *f)
{
    f->effects.n = 0;
    f->spend = NULL;
    f->has_event = false;
    f->answer = (as_answer_t){0};
    as_flow_gather_again(f, f->decide);
}

/* What cannot be had right now is asked for again in a moment, unless the answer says when. */
static void add_retry(as_flow_t *f)
{
    http_headers_t headers = {f->answer.headers, f->answer.n_headers};
    if (f->answer.status == 503 && http_headers_count(headers, STR("retry-after")) == 0)
        as_flow_header(f, STR("Retry-After"), STR("5"));
}

static void reply(as_flow_t *f)
{
    add_retry(f);
    as_answer_t *answer = &f->answer;
    http_headers_t headers = {answer->headers, answer->n_headers};
    http_reply(f->x, answer->status, headers, answer->body);
}

static void audited(void *ctx, rc_t rc)
{
    as_flow_t *f = ctx;
    wait_ends(f, AS_BACKLOG_AUDIT);
    if (rc != RC_OK) {
        as_flow_fail(f, rc);
        return;
    }
    reply(f);
}

static void count_event(const as_flow_t *f)
{
    counter_block_t *counters = http_worker_counters(f->w->loop);
    if (!f->event.allowed)
        counter_refusal(counters, f->event.reason);
    else if (f->event.kind == AUDIT_TOKEN)
        counter_add(counters, COUNTER_TOKENS, 1);
}

static void audit_then_reply(as_flow_t *f)
{
    if (!f->has_event) {
        reply(f);
        return;
    }
    count_event(f);
    wait_begins(f, AS_BACKLOG_AUDIT);
    audit_append(f->w->as->audit, f->w->post, &f->event, audited, f);
}

/* What was spent stays spent: no look at the store would tell the next decision. */
static void note_spent(as_flow_t *f, rc_t rc, size_t failed)
{
    bool spent =
        rc == RC_CONFLICT && failed < f->effects.n && f->effects.v[failed].kind == EFFECT_SPEND;
    if (spent)
        f->spent = f->effects.v[failed].u.spent->id;
}

static void applied(void *ctx, rc_t rc, size_t failed)
{
    as_flow_t *f = ctx;
    wait_ends(f, AS_BACKLOG_APPLY);
    note_spent(f, rc, failed);
    bool full_now = rc == RC_LIMIT && !f->full;
    f->full |= full_now;
    if (full_now || (rc == RC_CONFLICT && ++f->rounds < ROUNDS_MAX)) {
        decide_again(f);
        return;
    }
    if (rc != RC_OK) {
        as_flow_fail(f, rc);
        return;
    }
    audit_then_reply(f);
}

oauth_spent_t as_flow_seen(const as_flow_t *f)
{
    return (oauth_spent_t){f->spent, f->full, f->w->as->oauth.max_spent};
}

/* Anybody may register a client that signs, and use up names as fast as it pleases: half of the
 * room is for those whom an administrator added, for proofs and for people who come from elsewhere.
 */
static void add_spend(as_flow_t *f)
{
    oauth_spent_t seen = as_flow_seen(f);
    if (f->client && f->client->origin != CLIENT_BY_ADMIN)
        seen.max = (seen.max + 1) / 2;
    if (f->spend)
        oauth_spent_add(&seen, f->spend, f->now, &f->effects);
}

void as_flow_finish(as_flow_t *f)
{
    add_spend(f);
    if (f->effects.n == 0) {
        audit_then_reply(f);
        return;
    }
    wait_begins(f, AS_BACKLOG_APPLY);
    store_apply(f->w->store, &f->effects, applied, f);
}

void as_flow_settle(as_flow_t *f, rc_t rc)
{
    if (rc == RC_OK)
        as_flow_finish(f);
    else
        as_flow_fail(f, rc);
}

void as_flow_take(as_flow_t *f, const effects_t *effects, const audit_event_t *event)
{
    f->effects = *effects;
    f->has_event = event != NULL;
    if (!event)
        return;
    f->event = *event;
    if (str_is_set(f->client_detail) && f->client_reason != OAUTH_FINE &&
        str_eq(event->reason, oauth_reason_name(f->client_reason)))
        f->event.detail = f->client_detail;
    f->event.address = f->x->client_text;
    f->event.request_id = f->x->request_id;
}

void as_flow_answer(as_flow_t *f, int status, str_t body)
{
    f->answer = (as_answer_t){.status = status, .body = body};
}

void as_flow_answer_json(as_flow_t *f, int status, str_t body)
{
    as_flow_answer(f, status, body);
    as_flow_header(f, STR("Content-Type"), STR("application/json"));
}

void as_flow_header(as_flow_t *f, str_t name, str_t value)
{
    if (!str_is_set(value))
        return;
    assert(f->answer.n_headers < AS_HEADERS_MAX);
    f->answer.headers[f->answer.n_headers++] = (http_header_t){name, value};
}

rc_t as_flow_headers_of(as_flow_t *f, str_t name, str_list_t *out)
{
    return http_headers_all(f->a, f->x->headers, name, out);
}
