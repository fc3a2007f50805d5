#include "mcp_client/link_state.h"

#include <stdlib.h>

enum { LAUNCH_BYTES = 256 << 10, FIELDS_MORE = 10, SEEK_MS = 5000 };

/* ---- one request ---- */

typedef struct {
    http_header_t *v;
    size_t n;
} headers_t;

static void add(headers_t *h, str_t name, str_t value)
{
    if (value.p)
        h->v[h->n++] = (http_header_t){name, value};
}

static str_t method_of(const link_call_t *c)
{
    if (c->kind == LINK_DELETE)
        return STR("DELETE");
    return c->kind == LINK_LISTEN || c->kind == LINK_STREAM || c->resuming ? STR("GET")
                                                                           : STR("POST");
}

static void add_own(headers_t *h, const link_call_t *c)
{
    bool post = str_eq(method_of(c), STR("POST"));
    if (c->kind != LINK_DELETE)
        add(h, STR("Accept"),
            post ? STR("application/json, text/event-stream") : STR("text/event-stream"));
    if (post)
        add(h, STR("Content-Type"), STR("application/json"));
    if (c->version)
        add(h, STR("MCP-Protocol-Version"), c->version->name);
    for (size_t i = 0; post && i < c->fields.n; i++)
        add(h, c->fields.v[i].name, c->fields.v[i].value);
    if (!post && c->event_id_n > 0)
        add(h, STR("Last-Event-ID"), str_of(c->event_id, c->event_id_n));
}

/* tokens_source_headers, or the like that never waits. */
typedef rc_t (*tokens_of_t)(tokens_source_t *, arena_t *, str_t, str_t, tokens_headers_t *);

static rc_t write_headers(arena_t *a, link_call_t *c, str_t url, tokens_of_t tokens_of,
                          http_headers_t *out)
{
    tokens_source_t *tokens = c->link->config.tokens;
    tokens_headers_t t = {0};
    headers_t h = {ARENA_ARRAY(a, c->fields.n + FIELDS_MORE, http_header_t), 0};
    if (!h.v)
        return RC_MEMORY;
    if (tokens)
        TRY(tokens_of(tokens, a, method_of(c), url, &t));
    c->token = t.generation;
    add_own(&h, c);
    add(&h, STR("Mcp-Session-Id"), c->session);
    add(&h, STR("Authorization"), t.authorization);
    add(&h, STR("DPoP"), t.dpop);
    *out = (http_headers_t){h.v, h.n};
    return RC_OK;
}

static void exchange_unref(link_exchange_t *x)
{
    if (--x->refs > 0)
        return;
    mcp_sse_free(&x->sse);
    arena_free(x->a);
    free(x->in);
    free(x->text);
    free(x);
}

/* A stream that names no endpoint soon is none of those that do. */
static int64_t due_of(const link_call_t *c)
{
    int64_t silence = c->link->config.answer_ms;
    if (c->kind == LINK_STREAM)
        return c->opened_at + SEEK_MS;
    return c->kind == LINK_SEND && silence > 0 ? c->opened_at + silence : 0;
}

/* A call that was cancelled meanwhile gets none. Lock held. */
static link_exchange_t *exchange_new(link_call_t *c)
{
    mcp_link_t *l = c->link;
    link_exchange_t *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->link = l;
    x->call = c;
    x->refs = 2;
    x->next = l->exchanges;
    if (x->next)
        x->next->prev = x;
    l->exchanges = x;
    c->x = x;
    c->state = LINK_OPEN;
    c->opened_at = link_now();
    c->due = due_of(c);
    return x;
}

void link_exchange_end(link_exchange_t *x)
{
    mcp_link_t *l = x->link;
    if (x->call)
        x->call->x = NULL;
    x->call = NULL;
    *(x->prev ? &x->prev->next : &l->exchanges) = x->next;
    if (x->next)
        x->next->prev = x->prev;
    pthread_cond_broadcast(&l->changed);
    exchange_unref(x);
}

static rc_t start(link_exchange_t *x, const http_agent_request_t *request)
{
    mcp_link_t *l = x->link;
    uint64_t http = 0;
    rc_t rc = http_agent_start(l->config.agent, request, link_inbox(x), &http);
    link_lock(l);
    x->http = http;
    x->started = true;
    bool unwanted = rc == RC_OK && x->unwanted, resume = rc == RC_OK && x->to_resume;
    if (rc != RC_OK)
        link_exchange_end(x);
    exchange_unref(x);
    link_unlock(l);
    if (unwanted)
        http_agent_cancel(l->config.agent, http);
    else if (resume)
        http_agent_resume(l->config.agent, http);
    return rc;
}

static rc_t launch_in(arena_t *a, link_call_t *c, tokens_of_t tokens_of)
{
    mcp_link_t *l = c->link;
    http_headers_t headers;
    str_t url;
    TRY(link_target(a, c, &url));
    TRY(write_headers(a, c, url, tokens_of, &headers));
    link_lock(l);
    bool wanted = c->listed;
    link_exchange_t *x = wanted ? exchange_new(c) : NULL;
    link_unlock(l);
    if (!x)
        return wanted ? RC_MEMORY : RC_OK;
    bool post = str_eq(method_of(c), STR("POST"));
    const http_agent_request_t request = {
        .method = method_of(c),
        .url = url,
        .headers = headers,
        .body = post ? c->json : STR_UNSET,
        .reach = l->config.reach,
        .max_body = SIZE_MAX,
        .head_ms = -1,
        .total_ms = -1,
    };
    return start(x, &request);
}

void link_tell(link_call_t *c, const mcp_link_failure_t *why)
{
    mcp_link_t *l = c->link;
    if (!c->listed || c->told)
        return;
    c->failure = *why;
    c->told = true;
    c->refs++;
    c->next_job = NULL;
    *(l->told ? &l->told_last->next_job : &l->told) = c;
    l->told_last = c;
    pthread_cond_broadcast(&l->changed);
}

static void tell(link_call_t *c, const mcp_link_failure_t *why)
{
    link_lock(c->link);
    link_tell(c, why);
    link_unlock(c->link);
}

/* RC_BUSY: a token has to be waited for. */
static rc_t launch_with(link_call_t *c, tokens_of_t tokens_of)
{
    arena_t *a = arena_new(LAUNCH_BYTES);
    rc_t rc = a ? launch_in(a, c, tokens_of) : RC_MEMORY;
    arena_free(a);
    str_t detail = rc == RC_MEMORY ? STR("this machine has no memory for the request")
                                   : STR("the request cannot be sent");
    if (rc == RC_CONFLICT)
        tell(c, &(mcp_link_failure_t){.end = MCP_LINK_LOST});
    else if (rc != RC_OK && rc != RC_BUSY)
        tell(c, &(mcp_link_failure_t){.end = MCP_LINK_UNREACHABLE, .detail = detail});
    return rc;
}

static void launch(link_call_t *c)
{
    (void)launch_with(c, tokens_source_headers);
}

/* ---- workers ---- */

static client_reason_t refused_too_often(const link_call_t *c)
{
    return c->why.status == 401 ? CLIENT_TOKEN_NOT_TAKEN : CLIENT_STEP_UP_LIMIT;
}

/* Whether it may be sent again; else *why, in the call's arena. */
static bool mend(arena_t *a, link_call_t *c, client_failure_t *why)
{
    const tokens_refusal_t r = {c->why.status, c->why.challenges, c->why.nonce, c->token,
                                c->operation};
    *why = (client_failure_t){refused_too_often(c), STR_UNSET};
    if (++c->tries > LIMIT_MCP_CLIENT_AUTH_TRIES)
        return false;
    if (tokens_source_refused(c->link->config.tokens, a, &r, why) == TOKENS_AGAIN)
        return true;
    why->detail = arena_dup(c->a, why->detail);
    return false;
}

static void work_on_refusal(link_call_t *c)
{
    client_failure_t why = {CLIENT_MACHINE, STR_UNSET};
    arena_t *a = arena_new(LAUNCH_BYTES);
    bool again = a && mend(a, c, &why);
    arena_free(a);
    if (again)
        launch(c);
    else
        tell(c, &(mcp_link_failure_t){.end = MCP_LINK_AUTH,
                                      .status = c->why.status,
                                      .failure = why,
                                      .detail = why.detail});
}

static link_call_t *take_job(mcp_link_t *l)
{
    l->n_idle++;
    while (!l->jobs && !l->stopping)
        pthread_cond_wait(&l->some_job, &l->lock);
    l->n_idle--;
    link_call_t *c = l->stopping ? NULL : l->jobs;
    if (c) {
        l->jobs = c->next_job;
        l->n_jobs--;
    }
    return c;
}

static void *work(void *arg)
{
    mcp_link_t *l = arg;
    link_call_t *c;
    link_lock(l);
    while ((c = take_job(l)) != NULL) {
        bool wanted = c->listed;
        link_unlock(l);
        if (wanted && c->refused)
            work_on_refusal(c);
        else if (wanted)
            launch(c);
        link_lock(l);
        link_call_unref(c);
    }
    link_unlock(l);
    return NULL;
}

bool link_add_worker(mcp_link_t *l)
{
    bool room = l->n_workers < LIMIT_MCP_CLIENT_WORKERS;
    if (room && link_start_thread(&l->workers[l->n_workers], work, l))
        l->n_workers++;
    return l->n_workers > 0;
}

static void give_to_worker(link_call_t *c)
{
    mcp_link_t *l = c->link;
    c->refs++;
    c->state = LINK_BUSY;
    c->next_job = NULL;
    *(l->jobs ? &l->jobs_last->next_job : &l->jobs) = c;
    l->jobs_last = c;
    l->n_jobs++;
    if (l->n_jobs > l->n_idle)
        link_add_worker(l);
    pthread_cond_signal(&l->some_job);
}

void link_begin(link_call_t *c)
{
    c->refused = false;
    c->state = LINK_BUSY;
    c->refs++;
    link_unlock(c->link);
    rc_t rc = launch_with(c, tokens_source_headers_now);
    link_lock(c->link);
    if (rc == RC_BUSY && c->listed)
        give_to_worker(c);
    link_call_unref(c);
}

void link_ask_again(link_call_t *c)
{
    c->refused = true;
    give_to_worker(c);
}
