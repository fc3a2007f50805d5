#include "mcp_client/link_state.h"

#include "mcp/field.h"

#include <stdlib.h>
#include <time.h>

enum { ANSWER_MS = 300000, END_MS = 2000, LINK_ARENA_BYTES = 64 << 10, NAME_BYTES = 128 };

rc_t mcp_link_parse(arena_t *a, str_t json, const json_t **out)
{
    static const json_limits_t LIMITS = {LIMIT_MCP_CLIENT_MESSAGE_BYTES, LIMIT_JSON_DEPTH,
                                         LIMIT_JSON_NODES};
    return json_parse(a, json, &LIMITS, out);
}

/* ---- life ---- */

static void init_lock(mcp_link_t *l)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, &attr);
    pthread_cond_init(&l->some_job, NULL);
    pthread_condattr_destroy(&attr);
}

static void release(mcp_link_t *l)
{
    pthread_cond_destroy(&l->some_job);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    arena_free(l->scratch);
    arena_free(l->a);
    free((void *)(uintptr_t)l->session.p);
    link_drop_endpoint(l);
    free(l);
}

static rc_t prepare(mcp_link_t *l, const mcp_link_config_t *config)
{
    l->config = *config;
    l->a = arena_new(LINK_ARENA_BYTES);
    l->scratch = arena_new(LIMIT_MCP_CLIENT_MESSAGE_ARENA_BYTES);
    if (!l->a || !l->scratch)
        return RC_MEMORY;
    l->config.url = arena_dup(l->a, config->url);
    if (l->config.answer_ms == 0)
        l->config.answer_ms = ANSWER_MS;
    return l->config.url.p ? RC_OK : RC_MEMORY;
}

static void stop_workers(mcp_link_t *l)
{
    link_lock(l);
    l->stopping = true;
    pthread_cond_broadcast(&l->some_job);
    link_unlock(l);
    for (size_t i = 0; i < l->n_workers; i++)
        pthread_join(l->workers[i], NULL);
}

rc_t mcp_link_new(const mcp_link_config_t *config, mcp_link_t **out)
{
    mcp_link_t *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return RC_MEMORY;
    init_lock(l);
    rc_t rc = prepare(l, config);
    link_lock(l);
    /* With one at hand, more are a matter of speed only. */
    if (rc == RC_OK && config->tokens && !link_add_worker(l))
        rc = RC_IO;
    link_unlock(l);
    if (rc == RC_OK && !link_start_thread(&l->thread, link_main, l))
        rc = RC_IO;
    if (rc == RC_OK) {
        *out = l;
        return RC_OK;
    }
    stop_workers(l);
    release(l);
    return rc;
}

/* One call or exchange that is still there. False: none. Lock held, given up in between. */
static bool end_one(mcp_link_t *l)
{
    uint64_t http = 0;
    link_exchange_t *x = l->exchanges;
    while (x && x->unwanted)
        x = x->next;
    if (!l->calls && !x)
        return false;
    http = l->calls ? link_unlist(l->calls, false) : link_cut(x);
    link_unlock(l);
    link_cancel(l, http);
    link_lock(l);
    return true;
}

static void drop_queue(link_call_t *c)
{
    while (c) {
        link_call_t *next = c->next_job;
        link_call_unref(c);
        c = next;
    }
}

void mcp_link_free(mcp_link_t *l)
{
    if (!l)
        return;
    link_lock(l);
    l->stopping = true;
    while (end_one(l)) {
    }
    link_unlock(l);
    stop_workers(l);
    link_lock(l);
    pthread_cond_broadcast(&l->changed);
    link_unlock(l);
    pthread_join(l->thread, NULL);
    drop_queue(l->jobs);
    drop_queue(l->told);
    release(l);
}

/* ---- sending ---- */

static bool is_initialize(const mcp_message_t *m)
{
    return str_eq(m->method, STR("initialize"));
}

/* For the bound of step-ups: what is asked for, and of what. */
static str_t operation_of(arena_t *a, const mcp_message_t *m)
{
    str_t name = json_get_str(m->params, mcp_name_member(m->method));
    str_t method = m->method.p ? m->method : STR("response");
    return arena_printf(a, "%" PRIstr "%s%" PRIstr, STR_ARG(method), name.p ? " " : "",
                        STR_ARG(str_first(name, NAME_BYTES)));
}

static rc_t copy_fields(arena_t *a, mcp_fields_t from, mcp_fields_t *out)
{
    mcp_field_t *v = ARENA_ARRAY(a, from.n + 1, mcp_field_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < from.n; i++) {
        v[i] = (mcp_field_t){arena_dup(a, from.v[i].name), arena_dup(a, from.v[i].value)};
        if (!v[i].name.p || !v[i].value.p)
            return RC_MEMORY;
    }
    *out = (mcp_fields_t){v, from.n};
    return RC_OK;
}

static rc_t write_fields(arena_t *scratch, link_call_t *c, const mcp_message_t *m,
                         mcp_params_t params)
{
    mcp_fields_t fields;
    if (!c->version || c->version->era != MCP_ERA_STATELESS || !m->method.p)
        return RC_OK;
    TRY(mcp_fields_write(scratch, m, params, &fields));
    return copy_fields(c->a, fields, &c->fields);
}

/* The call keeps no tree: what it needs of the message is copied. */
static rc_t fill_from(arena_t *scratch, link_call_t *c, const mcp_link_message_t *message)
{
    const json_t *root;
    mcp_message_t m;
    TRY(mcp_link_parse(scratch, message->json, &root));
    if (mcp_message_of(root, &m) != MCP_NO_ERROR || (m.kind == MCP_REQUEST && !message->tag))
        return RC_MALFORMED;
    c->tag = m.kind == MCP_REQUEST ? message->tag : 0;
    c->probe = message->probe;
    c->version = is_initialize(&m) ? NULL : message->version;
    c->json = arena_dup(c->a, message->json);
    c->id = m.id.p ? arena_dup(c->a, m.id) : STR_UNSET;
    c->method = m.method.p ? arena_dup(c->a, m.method) : STR("response");
    c->operation = operation_of(c->a, &m);
    const json_t *token = json_path(m.params, STR("_meta.progressToken"));
    c->progress = token ? arena_dup(c->a, token->raw) : STR_UNSET;
    if ((token && !c->progress.p) || !c->json.p || !c->method.p || !c->operation.p ||
        (m.id.p && !c->id.p))
        return RC_MEMORY;
    return write_fields(scratch, c, &m, message->params);
}

static rc_t fill(link_call_t *c, const mcp_link_message_t *message)
{
    arena_t *scratch = arena_new(LIMIT_MCP_CLIENT_MESSAGE_ARENA_BYTES);
    rc_t rc = scratch ? fill_from(scratch, c, message) : RC_MEMORY;
    arena_free(scratch);
    return rc;
}

static bool is_handshake(const link_call_t *c)
{
    return c->version && c->version->era == MCP_ERA_HANDSHAKE;
}

/* HTTP keeps no order between requests: what follows notifications/initialized waits until that has
 * arrived, lest the server see it first. */
static bool is_held_back(mcp_link_t *l, link_call_t *c)
{
    bool opens = is_handshake(c) && str_eq(c->method, STR("notifications/initialized"));
    if (l->gate && is_handshake(c))
        return true;
    if (opens)
        l->gate = c;
    return false;
}

/* A message belongs to the session in which it was sent, however long it waits for a token. */
static rc_t join_session(mcp_link_t *l, link_call_t *c)
{
    if (!is_handshake(c) || link_join_stream(l, c) || !l->session.p)
        return RC_OK;
    c->session = arena_dup(c->a, l->session);
    return c->session.p ? RC_OK : RC_MEMORY;
}

static void dispatch(mcp_link_t *l, link_call_t *c)
{
    c->state = LINK_BUSY;
    if (l->lost && is_handshake(c))
        link_tell(c, &(mcp_link_failure_t){.end = MCP_LINK_LOST});
    else if (is_held_back(l, c))
        c->state = LINK_HELD;
    else
        link_begin(c);
}

static rc_t admit(mcp_link_t *l, link_call_t *c)
{
    if (l->stopping || l->n_calls >= LIMIT_MCP_CLIENT_REQUESTS)
        return RC_BUSY;
    TRY(join_session(l, c));
    link_list(c);
    if (is_handshake(c))
        l->version = c->version;
    dispatch(l, c);
    return RC_OK;
}

static rc_t enter(mcp_link_t *l, link_call_t *c)
{
    uint64_t listener = 0;
    link_lock(l);
    if (str_eq(c->method, STR("initialize"))) {
        listener = link_forget_session(l);
        link_leave_stream(l);
        l->lost = false;
    }
    rc_t rc = admit(l, c);
    link_unlock(l);
    link_cancel(l, listener);
    return rc;
}

rc_t mcp_link_send(mcp_link_t *l, const mcp_link_message_t *message)
{
    if (message->json.n > LIMIT_MCP_CLIENT_MESSAGE_BYTES)
        return RC_LIMIT;
    link_call_t *c = link_call_new(l, LINK_SEND);
    rc_t rc = c ? fill(c, message) : RC_MEMORY;
    if (rc == RC_OK)
        rc = enter(l, c);
    link_call_drop(c);
    return rc;
}

static link_call_t *find(const mcp_link_t *l, uint64_t tag)
{
    link_call_t *c = tag ? l->calls : NULL;
    while (c && c->tag != tag)
        c = c->next;
    return c;
}

void mcp_link_cancel(mcp_link_t *l, uint64_t tag)
{
    link_lock(l);
    link_call_t *c = find(l, tag);
    uint64_t http = c ? link_unlist(c, false) : 0;
    link_unlock(l);
    link_cancel(l, http);
}

/* One at a time. */
static rc_t enter_listener(mcp_link_t *l, link_call_t *c)
{
    link_lock(l);
    bool heard = l->endpoint.p; /* on the stream that is there */
    rc_t rc = l->listener ? RC_CONFLICT : RC_OK;
    if (rc == RC_OK && !heard)
        l->listener = c;
    if (rc == RC_OK && !heard)
        rc = admit(l, c);
    if (rc != RC_OK && l->listener == c)
        l->listener = NULL;
    link_unlock(l);
    return rc;
}

rc_t mcp_link_listen(mcp_link_t *l, const mcp_version_t *version)
{
    link_call_t *c = link_call_new(l, LINK_LISTEN);
    if (!c)
        return RC_MEMORY;
    c->version = version;
    c->method = c->operation = STR("listen");
    rc_t rc = enter_listener(l, c);
    link_call_drop(c);
    return rc;
}

/* ---- the end of a session ---- */

static void wait_for(link_call_t *c)
{
    mcp_link_t *l = c->link;
    int64_t at = link_now() + END_MS;
    const struct timespec when = {at / 1000, at % 1000 * 1000000};
    while (c->listed && link_now() < at)
        pthread_cond_timedwait(&l->changed, &l->lock, &when);
}

/* Takes the session away from all others. False: there is none. */
static bool take_session(mcp_link_t *l, link_call_t *c)
{
    link_lock(l);
    c->session = arena_dup(c->a, l->session);
    c->version = l->version;
    c->method = c->operation = STR("delete");
    uint64_t listener = c->session.p ? link_forget_session(l) : 0;
    link_unlock(l);
    link_cancel(l, listener);
    return c->session.p != NULL;
}

static void say_goodbye(mcp_link_t *l, link_call_t *c)
{
    link_lock(l);
    link_list(c);
    link_begin(c);
    wait_for(c);
    uint64_t http = link_unlist(c, false);
    link_unlock(l);
    link_cancel(l, http);
}

void mcp_link_end_session(mcp_link_t *l)
{
    link_call_t *c = link_call_new(l, LINK_DELETE);
    if (!c)
        return;
    if (take_session(l, c))
        say_goodbye(l, c);
    link_call_drop(c);
}

bool mcp_link_has_session(mcp_link_t *l)
{
    link_lock(l);
    bool has = l->session.p != NULL;
    link_unlock(l);
    return has;
}
