#include "mcp_server/tasks.h"

#include "mcp_server/call.h"
#include "mcp_server/task_row.h"

#include <stdlib.h>

enum {
    ID_BYTES = 24,
    SAY_BYTES = 1024,           /* of a status message: a line for people */
    NOTE_BYTES = (9 << 20) * 3, /* a task with the largest result, as the builder grows */
};

mcp_tasks_t *mcp_tasks_new(const mcp_tasks_config_t *config)
{
    uint8_t seed[16];
    mcp_tasks_t *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->config = *config;
    pthread_mutex_init(&t->lock, NULL);
    if (config->random.fill(config->random.ctx, seed, sizeof seed) == RC_OK) {
        t->map = map_new(seed, MCP_TASKS);
        t->shares = map_new(seed, MCP_TASKS);
    }
    if (t->map && t->shares)
        return t;
    mcp_tasks_free(t);
    return NULL;
}

/* Under no lock: a call may go with its row. */
static void row_free(void *value)
{
    task_row_t *r = value;
    if (r->call)
        mcp_call_drop(r->call);
    free(r->body);
    free(r->message);
    free(r);
}

void mcp_tasks_free(mcp_tasks_t *t)
{
    if (!t)
        return;
    map_free(t->map, row_free);
    map_free(t->shares, free);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static int64_t mono(const mcp_tasks_t *t)
{
    return t->config.clock.mono_ms(t->config.clock.ctx);
}

static int64_t today(const mcp_tasks_t *t)
{
    return t->config.clock.now_ms(t->config.clock.ctx);
}

bool task_has_ended(const task_row_t *r)
{
    return r->status != MCP_TASK_WORKING && r->status != MCP_TASK_INPUT;
}

/* What works lasts; who lets a question wait so long has gone. */
bool task_is_stale(const mcp_tasks_t *t, const task_row_t *r)
{
    return r->status != MCP_TASK_WORKING && mono(t) - r->touched >= r->kept_ms;
}

/* ---- rows; under the lock ---- */

static char *copy_text(str_t s, size_t *n)
{
    char *p = malloc(s.n + 1);
    if (p && s.n > 0)
        memcpy(p, s.p, s.n);
    *n = p ? s.n : 0;
    return p;
}

static str_t keep(char **to, str_t s)
{
    char *p = *to;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    *to += s.n;
    return str_of(p, s.n);
}

static str_t scope_of(const warder_mcp_call_t *call)
{
    return call->entry ? call->entry->scope : STR_UNSET;
}

/* What was asked for, within what is kept at all. */
static int64_t kept_of(const mcp_tasks_t *t, const warder_mcp_call_t *call)
{
    int64_t most = t->config.kept_ms, asked = call->task_ms;
    if (asked <= 0 || asked > most)
        return most;
    return asked < MCP_TASK_LEAST_MS && MCP_TASK_LEAST_MS < most ? MCP_TASK_LEAST_MS : asked;
}

static task_row_t *row_new(mcp_tasks_t *t, const mcp_principal_t *who, str_t scope)
{
    uint8_t raw[ID_BYTES];
    if (t->config.random.fill(t->config.random.ctx, raw, sizeof raw) != RC_OK)
        return NULL;
    size_t names = who->issuer.n + who->subject.n + who->client.n + scope.n;
    task_row_t *r = calloc(1, sizeof *r + names + 1);
    if (!r)
        return NULL;
    char *to = (char *)(r + 1);
    r->who.issuer = keep(&to, who->issuer);
    r->who.subject = keep(&to, who->subject);
    r->who.client = keep(&to, who->client);
    r->scope = scope.p ? keep(&to, scope) : STR_UNSET;
    r->created_ms = r->updated_ms = today(t);
    r->born = r->touched = mono(t);
    buf_t id = buf_fixed(r->id, sizeof r->id);
    buf_b64url(&id, raw, sizeof raw);
    return r;
}

static bool is_part(str_t a, str_t b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool task_is_whose(const task_row_t *r, const mcp_principal_t *who)
{
    return is_part(r->who.issuer, who->issuer) && is_part(r->who.subject, who->subject) &&
           is_part(r->who.client, who->client);
}

typedef struct {
    mcp_tasks_t *t;
    const mcp_principal_t *who;
    size_t own;
    task_row_t *stale;
} census_t;

static bool census_visit(void *ctx, str_t key, void *value)
{
    census_t *c = ctx;
    task_row_t *r = value;
    (void)key;
    if (task_is_stale(c->t, r)) {
        task_share_leave(c->t, r);
        r->next = c->stale;
        c->stale = r;
        return false;
    }
    c->own += task_is_whose(r, c->who);
    return true;
}

/* Under no lock. */
void task_finish_all(warder_mcp_call_t *waiting)
{
    while (waiting) {
        warder_mcp_call_t *next = waiting->next_waiting;
        warder_mcp_finish(waiting, WARDER_MCP_DONE);
        mcp_call_drop(waiting);
        waiting = next;
    }
}

/* Under no lock. A call that waits for its client waits in vain. */
static void forget_all(task_row_t *first)
{
    while (first) {
        task_row_t *next = first->next;
        task_finish_all(first->waiters);
        if (first->call)
            mcp_call_abort(first->call);
        row_free(first);
        first = next;
    }
}

static task_row_t *find_whose(mcp_tasks_t *t, str_t id, const mcp_principal_t *who)
{
    task_row_t *r = map_get(t->map, id);
    return r && task_is_whose(r, who) && !task_is_stale(t, r) ? r : NULL;
}

task_row_t *task_row_of(mcp_tasks_t *t, const mcp_task_t *task)
{
    return map_get(t->map, str_of(task->id, sizeof task->id));
}

/* Under the lock, so that who listens hears of changes in their order. */
static void tell(mcp_tasks_t *t, const task_row_t *r)
{
    str_t params, id = str_of(r->id, sizeof r->id);
    mcp_listeners_t *l = t->config.listeners;
    arena_t *a = l && mcp_listeners_any(l, MCP_CHANGED_TASK, id) ? arena_new(NOTE_BYTES) : NULL;
    if (!a)
        return;
    buf_t b = buf_new(a, NOTE_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    task_row_write(r, &t->config, MCP_TASK_WHOLE, &w);
    json_end_object(&w);
    if (buf_done(&b, &params) == RC_OK)
        mcp_listeners_tell(l, MCP_CHANGED_TASK, id, STR("notifications/tasks"), params);
    arena_free(a);
}

/* ---- for calls ---- */

static rc_t add_row(mcp_tasks_t *t, task_row_t *r)
{
    void *old;
    TRY(task_share_join(t, r));
    rc_t rc = map_put(t->map, str_of(r->id, sizeof r->id), r, &old);
    if (rc != RC_OK)
        task_share_leave(t, r);
    return rc;
}

static rc_t open_locked(mcp_tasks_t *t, census_t *c, warder_mcp_call_t *call, mcp_task_t *task)
{
    map_each(t->map, census_visit, c);
    if (c->own >= MCP_TASKS_PER_PRINCIPAL)
        return RC_BUSY;
    task_row_t *r = row_new(t, c->who, scope_of(call));
    if (!r)
        return RC_MEMORY;
    rc_t rc = add_row(t, r);
    if (rc != RC_OK) {
        row_free(r);
        return rc == RC_LIMIT ? RC_BUSY : rc;
    }
    r->call = mcp_call_hold(call);
    r->kept_ms = kept_of(t, call);
    r->era = call->op.era;
    memcpy(task->id, r->id, sizeof task->id);
    return RC_OK;
}

rc_t mcp_task_open(mcp_tasks_t *t, warder_mcp_call_t *call, const mcp_principal_t *who,
                   mcp_task_t **out)
{
    census_t c = {.t = t, .who = who};
    mcp_task_t *task = ARENA_NEW(call->arena, mcp_task_t);
    if (!task)
        return RC_MEMORY;
    pthread_mutex_lock(&t->lock);
    rc_t rc = open_locked(t, &c, call, task);
    pthread_mutex_unlock(&t->lock);
    forget_all(c.stale);
    *out = rc == RC_OK ? task : NULL;
    return rc;
}

void mcp_tasks_sweep(mcp_tasks_t *t)
{
    const mcp_principal_t nobody = {STR_UNSET, STR_UNSET, STR_UNSET};
    census_t c = {.t = t, .who = &nobody};
    pthread_mutex_lock(&t->lock);
    map_each(t->map, census_visit, &c);
    pthread_mutex_unlock(&t->lock);
    forget_all(c.stale);
}

/* What a change sets free, to be let go under no lock. */
typedef struct {
    warder_mcp_call_t *call; /* where the row lets it go */
    task_row_t *gone;        /* rows that made room */
} loose_t;

/* False: something else stands in its place, an error. */
static bool set_body(mcp_tasks_t *t, task_row_t *r, str_t body, loose_t *loose)
{
    static const str_t LOST =
        STR_INIT("{\"code\":-32603,\"message\":\"Something failed on the server.\"}");
    str_t refusal = body.p ? task_make_room(t, r, body.n, &loose->gone) : STR_UNSET;
    size_t n = 0;
    char *copy = body.p && !refusal.p ? copy_text(body, &n) : NULL;
    bool kept = copy || !body.p;
    if (!kept)
        copy = copy_text(refusal.p ? refusal : LOST, &n);
    free(r->body);
    r->body = copy;
    r->body_n = n;
    return kept;
}

static void set_locked(mcp_tasks_t *t, task_row_t *r, mcp_task_status_t status, str_t body,
                       loose_t *loose)
{
    size_t before = r->body_n;
    bool kept = set_body(t, r, body, loose); /* the row is none of those that go for it */
    r->status = kept ? status : MCP_TASK_FAILED;
    task_share_count(t, r, before);
    r->updated_ms = today(t);
    r->touched = mono(t);
    tell(t, r);
    if (!task_has_ended(r))
        return;
    loose->call = r->call;
    r->call = NULL;
}

void mcp_task_set(mcp_tasks_t *t, mcp_task_t *task, mcp_task_status_t status, str_t body)
{
    loose_t loose = {NULL, NULL};
    pthread_mutex_lock(&t->lock);
    task_row_t *r = task_row_of(t, task);
    if (r && !task_has_ended(r))
        set_locked(t, r, status, body, &loose);
    pthread_mutex_unlock(&t->lock);
    forget_all(loose.gone);
    if (loose.call)
        mcp_call_drop(loose.call);
}

void mcp_task_say(mcp_tasks_t *t, mcp_task_t *task, str_t text)
{
    size_t n = 0;
    char *copy = str_is_utf8(text) && text.n <= SAY_BYTES ? copy_text(text, &n) : NULL;
    if (!copy)
        return;
    pthread_mutex_lock(&t->lock);
    task_row_t *r = task_row_of(t, task);
    if (r && !task_has_ended(r)) {
        char *old = r->message;
        r->message = copy;
        r->message_n = n;
        r->updated_ms = today(t);
        tell(t, r);
        copy = old;
    }
    pthread_mutex_unlock(&t->lock);
    free(copy);
}

void mcp_task_write(mcp_tasks_t *t, mcp_task_t *task, mcp_task_form_t form, json_writer_t *w)
{
    pthread_mutex_lock(&t->lock);
    task_row_t *r = task_row_of(t, task);
    if (r)
        task_row_write(r, &t->config, form, w);
    pthread_mutex_unlock(&t->lock);
}

/* ---- for clients ---- */

bool mcp_task_show(mcp_tasks_t *t, str_t id, const mcp_principal_t *who, mcp_task_form_t form,
                   json_writer_t *w)
{
    pthread_mutex_lock(&t->lock);
    task_row_t *r = find_whose(t, id, who);
    if (r)
        task_row_write(r, &t->config, form, w);
    pthread_mutex_unlock(&t->lock);
    return r != NULL;
}

bool mcp_task_scope(mcp_tasks_t *t, str_t id, const mcp_principal_t *who, mcp_era_t era, arena_t *a,
                    str_t *scope)
{
    pthread_mutex_lock(&t->lock);
    task_row_t *r = find_whose(t, id, who);
    if (r && r->era != era)
        r = NULL;
    bool needs = r && r->scope.p;
    *scope = needs ? arena_dup(a, r->scope) : STR_UNSET;
    pthread_mutex_unlock(&t->lock);
    return r && (!needs || scope->p);
}

bool mcp_task_call(mcp_tasks_t *t, str_t id, const mcp_principal_t *who, warder_mcp_call_t **call)
{
    pthread_mutex_lock(&t->lock);
    task_row_t *r = find_whose(t, id, who);
    *call = r && r->call ? mcp_call_hold(r->call) : NULL;
    pthread_mutex_unlock(&t->lock);
    return r != NULL;
}

bool mcp_task_cancel(mcp_tasks_t *t, str_t id, const mcp_principal_t *who, warder_mcp_call_t **call)
{
    loose_t loose = {NULL, NULL}; /* no room is made for no body */
    pthread_mutex_lock(&t->lock);
    task_row_t *r = find_whose(t, id, who);
    if (r && !task_has_ended(r))
        set_locked(t, r, MCP_TASK_CANCELLED, STR_UNSET, &loose);
    pthread_mutex_unlock(&t->lock);
    *call = loose.call;
    return r != NULL;
}
