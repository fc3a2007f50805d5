#include "proxy/child_keeper.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { ID_AT = 6 };

/* Counts of children and of starts. */

static uint32_t seconds_until(const child_keeper_t *k, int64_t when_ms)
{
    int64_t left = when_ms - child_now(k);
    return left <= 0 ? 1 : (uint32_t)(left + 999) / 1000;
}

/* Of a shared program there is at most one child in each era. */
static bool may_start(child_keeper_t *k, str_t who, uint32_t *retry_s)
{
    int64_t now = child_now(k);
    *retry_s = 1;
    if (k->stopping)
        return false;
    if (now < k->not_before_ms) {
        *retry_s = seconds_until(k, k->not_before_ms);
        return false;
    }
    if (!k->conf.shared && k->n_children >= (size_t)k->conf.max_children) {
        *retry_s = 5;
        return false;
    }
    if (who.n && !http_rate_take(k->starts_of, who, now, retry_s))
        return false;
    return http_rate_take(k->starts, STR("all"), now, retry_s);
}

void child_failed(child_keeper_t *k)
{
    int64_t delay = CHILD_DELAY_MS;
    for (unsigned i = 0; i < k->fails && delay < CHILD_DELAY_MAX_MS; i++)
        delay *= 2;
    if (delay > CHILD_DELAY_MAX_MS)
        delay = CHILD_DELAY_MAX_MS;
    k->fails++;
    if (k->assumed)
        k->era = CHILD_ERA_UNKNOWN; /* perhaps it was not the question that ended it */
    k->assumed = false;
    k->not_before_ms = child_now(k) + delay;
    atomic_store(&k->ready, false);
}

void child_started_well(child_t *c)
{
    c->deadline_ms = 0;
    atomic_store(&c->keeper->ready, true);
}

/* What the pipes tell. */

static void on_line(void *ctx, str_t line)
{
    child_take_line(ctx, line);
}

/* If only one waits, the line was for it. */
static void answer_only(void *ctx, child_flight_t *f)
{
    child_t *c = ctx;
    child_keeper_t *k = c->keeper;
    child_channel_t *ch = f->owner;
    if (!ch)
        return;
    arena_reset(k->scratch);
    str_t text = mcp_error(k->scratch, f->raw, MCP_ERROR_INTERNAL,
                           STR("The answer is longer than this server passes on."), STR_UNSET);
    if (text.p)
        child_channel_answer(ch, text, mcp_error_row(MCP_ERROR_INTERNAL)->code);
}

static void on_too_long(void *ctx)
{
    child_t *c = ctx;
    child_count_bad(c, STR("a line is too long"));
    if (child_router_count(c->router) == 1)
        child_router_each(c->router, answer_only, c);
}

static void log_stderr_line(void *ctx, str_t line, bool cut, uint64_t dropped)
{
    child_t *c = ctx;
    LOG(c->keeper->config.log, LOG_INFO, "child says", LOG_S("upstream", c->keeper->path),
        LOG_I("pid", child_pipes_pid(c->pipes)), LOG_S("text", line), LOG_I("cut", cut),
        LOG_I("dropped", (int64_t)dropped));
}

static void on_error(void *ctx, str_t piece)
{
    child_t *c = ctx;
    child_stderr_take(&c->stderr_lines, piece, child_now(c->keeper), log_stderr_line, c);
}

/* "exit status 1", "signal 9". */
static str_t say_status(const child_t *c, int status, char *room, size_t cap)
{
    buf_t b = buf_fixed(room, cap);
    bool signalled = WIFSIGNALED(status);
    buf_fmt(&b, "pid %d, %s %d after %lld ms", (int)child_pipes_pid(c->pipes),
            signalled ? "signal" : "exit status",
            signalled ? WTERMSIG(status) : WEXITSTATUS(status),
            (long long)(child_now(c->keeper) - c->started_ms));
    return buf_str(&b);
}

static void end_flight(void *ctx, child_flight_t *f)
{
    child_t *c = ctx;
    child_channel_t *ch = f->owner;
    if (f == c->own) {
        c->own = NULL;
        child_router_close(c->router, f);
        return;
    }
    if (!ch) {
        child_router_close(c->router, f);
        return;
    }
    child_channel_end(ch);
}

static void end_session(child_session_t *s, void *arg)
{
    child_t *c = arg;
    child_session_end(c->keeper, s, CHILD_REASON_STOPPED);
}

/* A failure of the program counts for all. What a caller may have brought about does not, as long
 * as each has a child of its own: its own rate of starts bounds it. */
static bool is_of_program(const child_t *c)
{
    const child_keeper_t *k = c->keeper;
    bool young = c->deadline_ms != 0;
    if (k->conf.shared)
        return young || child_now(k) - c->started_ms < CHILD_SOUND_MS;
    return young && !(c->session && k->proven);
}

static void count_end(child_t *c)
{
    child_keeper_t *k = c->keeper;
    if (child_now(k) - c->started_ms >= CHILD_SOUND_MS)
        k->fails = 0;
    if (is_of_program(c))
        child_failed(k);
}

static void on_ended(void *ctx, int status)
{
    char room[128];
    child_t *c = ctx;
    child_keeper_t *k = c->keeper;
    child_stderr_end(&c->stderr_lines, child_now(k), log_stderr_line, c);
    str_t detail = say_status(c, status, room, sizeof room);
    bool probed = c->state == CHILD_PROBED;
    if (probed)
        child_own_silent(c, true);
    else if (!c->reason)
        count_end(c);
    child_record(k, c->reason ? c->reason : CHILD_REASON_CRASHED, detail);
    c->state = CHILD_ENDING;
    child_router_each(c->router, end_flight, c);
    child_sessions_of(c, end_session, c);
}

static void on_closed(void *ctx)
{
    child_t *c = ctx;
    child_keeper_t *k = c->keeper;
    *(c->prev ? &c->prev->next : &k->children) = c->next;
    if (c->next)
        c->next->prev = c->prev;
    k->n_children--;
    child_router_free(c->router);
    free(c->who);
    free(c->opened);
    free(c);
}

void child_end(child_t *c, child_reason_t reason)
{
    if (c->state == CHILD_ENDING)
        return;
    c->state = CHILD_ENDING;
    c->reason = reason;
    child_router_each(c->router, end_flight, c);
    child_sessions_of(c, end_session, c);
    child_pipes_stop(c->pipes);
}

/* Starting. */

static child_t *make(child_keeper_t *k)
{
    child_t *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->router = child_router_new();
    if (!c->router) {
        free(c);
        return NULL;
    }
    c->keeper = k;
    c->state = CHILD_SPARE;
    c->started_ms = c->used_ms = child_now(k);
    c->deadline_ms = c->started_ms + k->conf.start_s * 1000;
    return c;
}

static void link_child(child_keeper_t *k, child_t *c)
{
    c->next = k->children;
    if (k->children)
        k->children->prev = c;
    k->children = c;
    k->n_children++;
}

static child_t *spawn(child_keeper_t *k)
{
    const child_pipes_config_t config = {&k->conf, k->directory, (size_t)k->conf.message_bytes,
                                         k->config.spawner};
    char room[256];
    str_t why = STR_UNSET;
    int error = 0;
    child_t *c = make(k);
    if (!c)
        return NULL;
    const child_pipes_events_t events = {on_line, on_too_long, on_error, on_ended, on_closed, c};
    buf_t b = buf_fixed(room, sizeof room);
    if (child_pipes_start(&k->loop, &config, events, &c->pipes, &why, &error) != RC_OK) {
        buf_fmt(&b, "%.*s: %s", STR_ARG(why), error ? strerrordesc_np(error) : "");
        child_failed(k);
        child_record(k, CHILD_REASON_NOT_STARTED, buf_str(&b));
        child_router_free(c->router);
        free(c);
        return NULL;
    }
    link_child(k, c);
    buf_fmt(&b, "pid %d", (int)child_pipes_pid(c->pipes));
    child_record(k, k->fails ? CHILD_REASON_RESTARTED : CHILD_REASON_STARTED, buf_str(&b));
    return c;
}

static bool set_who(child_t *c, str_t who)
{
    c->who = malloc(who.n + 1);
    if (!c->who)
        return false;
    memcpy(c->who, who.p, who.n);
    c->who_n = who.n;
    return true;
}

child_t *child_start(child_keeper_t *k, str_t who, bool stateless, uint32_t *retry_s)
{
    child_t *c = k->children;
    while (c && (c->state != CHILD_SPARE || (c->stateless && !stateless)))
        c = c->next;
    if (!c) {
        c = may_start(k, who, retry_s) ? spawn(k) : NULL;
        if (!c)
            *retry_s =
                k->not_before_ms > child_now(k) ? seconds_until(k, k->not_before_ms) : *retry_s;
    }
    if (!c)
        return NULL;
    if (who.n && !set_who(c, who)) {
        child_end(c, CHILD_REASON_STOPPED);
        return NULL;
    }
    c->state = CHILD_READY;
    c->stateless = stateless;
    c->used_ms = child_now(k);
    return c;
}

static bool ask_own(child_t *c, str_t text)
{
    str_t line;
    child_keeper_t *k = c->keeper;
    const child_ask_t ask = {.kind = MCP_REQUEST, .id = str_of(text.p + ID_AT, 1), .text = text};
    if (child_router_open(c->router, &ask, &c->own) != RC_OK)
        return false;
    arena_reset(k->scratch);
    return child_router_line(c->router, k->scratch, &ask, c->own, NULL, &line) == RC_OK &&
           child_pipes_write(c->pipes, line) == RC_OK;
}

/* The id of both stands at ID_AT. */
static const str_t DISCOVER =
    STR_INIT("{\"id\":0,\"jsonrpc\":\"2.0\",\"method\":\"server/discover\",\"params\":{\"_meta\":{"
             "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
             "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"warder\",\"version\":\"1\"},"
             "\"io.modelcontextprotocol/clientCapabilities\":{}}}}");
static const str_t INITIALIZE =
    STR_INIT("{\"id\":0,\"jsonrpc\":\"2.0\",\"method\":\"initialize\",\"params\":{"
             "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"
             "\"clientInfo\":{\"name\":\"warder\",\"version\":\"1\"}}}");

bool child_probe(child_keeper_t *k, uint32_t *retry_s)
{
    for (const child_t *c = k->children; c; c = c->next) {
        if (c->state == CHILD_PROBED)
            return true;
    }
    child_t *c = may_start(k, STR(""), retry_s) ? spawn(k) : NULL;
    if (!c)
        return false;
    c->state = CHILD_PROBED;
    if (!ask_own(c, DISCOVER))
        child_end(c, CHILD_REASON_STOPPED);
    return c->state == CHILD_PROBED;
}

bool child_open_shared(child_t *c)
{
    c->state = CHILD_OPENING;
    c->deadline_ms = child_now(c->keeper) + c->keeper->conf.start_s * 1000;
    if (ask_own(c, INITIALIZE))
        return true;
    child_end(c, CHILD_REASON_STOPPED);
    return false;
}

/* Time. */

void child_heal(child_keeper_t *k)
{
    uint32_t retry_s;
    if (k->stopping || atomic_load(&k->ready) || child_now(k) < k->not_before_ms)
        return;
    for (const child_t *c = k->children; c; c = c->next) {
        if (c->state != CHILD_ENDING)
            return; /* it will tell */
    }
    if (k->era == CHILD_ERA_UNKNOWN)
        (void)child_probe(k, &retry_s);
    else if (may_start(k, STR(""), &retry_s))
        (void)spawn(k);
}

void child_look_at(child_t *c)
{
    child_keeper_t *k = c->keeper;
    int64_t now = child_now(k), unused = now - c->used_ms;
    if (c->state == CHILD_ENDING)
        return;
    if (c->deadline_ms && now >= c->deadline_ms && c->state == CHILD_PROBED) {
        child_own_silent(c, false);
    } else if (c->deadline_ms && now >= c->deadline_ms && c->state != CHILD_SPARE) {
        if (is_of_program(c))
            child_failed(k);
        child_end(c, CHILD_REASON_SLOW);
    } else if (c->deadline_ms && c->state == CHILD_SPARE &&
               now - c->started_ms >= CHILD_HEALED_MS) {
        child_started_well(c);
    } else if (c->state == CHILD_SPARE && unused >= CHILD_SPARE_MS) {
        child_end(c, CHILD_REASON_IDLE);
    } else if (c->state == CHILD_READY && !c->session && c->calls == 0 && k->conf.idle_s &&
               unused >= k->conf.idle_s * 1000) {
        child_end(c, CHILD_REASON_IDLE);
    }
}
