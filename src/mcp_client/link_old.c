/* The deprecated transport of 2024-11-05 (MCP 2025-11-25, Transports, "Backwards Compatibility").
 * Where an initialize is refused as by a server that knows no POST there, the URL is asked for a
 * stream. Its first event names the endpoint that messages go to from then on, and all answers come
 * on the stream. It is as a session: it ends with its stream, and the next initialize looks anew.
 *
 *   call               state          until
 *   the initialize     SEEKING        the stream names the endpoint; then it goes there as any
 * other the stream         OPEN           its end, which is the end of the session a request OPEN,
 * POSTED   its answer comes on the stream
 */
#include "mcp/endpoint.h"
#include "mcp_client/link_state.h"

#include <stdlib.h>

enum {
    STEADY_MS = 5000,
    POSTED_TIMES = 4, /* of answer_ms: how long a call that nothing names may wait */
};

/* Codes of 2025-11-25 and later by which a server says that it knows the new transport. */
static bool is_modern(mcp_link_t *l, str_t body)
{
    static const int64_t CODES[] = {-32601, -32020, -32021, -32022};
    const json_t *root = NULL;
    int64_t code = 0;
    arena_reset(l->scratch);
    if (mcp_link_parse(l->scratch, body, &root) != RC_OK)
        return false;
    (void)json_get_i64(json_get(root, STR("error")), STR("code"), &code);
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
        if (CODES[i] == code)
            return true;
    }
    return false;
}

/* ---- the stream is asked for ---- */

/* What is told if there is no such stream. */
static bool keep_refusal(link_call_t *c, int status, str_t detail)
{
    c->failure = (mcp_link_failure_t){
        .end = MCP_LINK_HTTP, .status = status, .detail = arena_dup(c->a, detail)};
    return !detail.p || c->failure.detail.p;
}

/* Lock held, given up in between. */
static bool open_stream(link_call_t *c, link_call_t *stream)
{
    mcp_link_t *l = c->link;
    if (!c->listed || l->stopping || l->stream)
        return false;
    (void)link_detach(c, true);
    c->state = LINK_SEEKING;
    c->due = 0;
    c->stream = stream->stream = ++l->last_stream;
    l->stream = stream;
    link_list(stream);
    link_begin(stream);
    return true;
}

bool link_seek(link_call_t *c, int status, str_t body, str_t words)
{
    bool told = status == 400 || status == 404 || status == 405;
    if (!told || !str_eq(c->method, STR("initialize")) || c->stream)
        return false;
    str_t detail = arena_dup(c->a, words); /* they may lie in what is_modern uses */
    if (is_modern(c->link, body) || !keep_refusal(c, status, detail))
        return false;
    link_call_t *stream = link_call_new(c->link, LINK_STREAM);
    if (!stream)
        return false;
    stream->method = stream->operation = STR("stream");
    link_lock(c->link);
    bool sought = open_stream(c, stream);
    link_unlock(c->link);
    link_call_drop(stream);
    return sought;
}

/* ---- the endpoint ---- */

/* Of those that belong to the stream, the oldest in `state`; with a reference. Lock held. */
static link_call_t *find_of(const mcp_link_t *l, uint64_t stream, bool seeking)
{
    link_call_t *found = NULL;
    for (link_call_t *c = l->calls; c; c = c->next) {
        bool is_of = c->kind == LINK_SEND && c->stream == stream;
        if (is_of && (seeking ? c->state == LINK_SEEKING : c->tag != 0))
            found = c;
    }
    if (found)
        found->refs++;
    return found;
}

static bool keep_endpoint(mcp_link_t *l, str_t url)
{
    char *copy = malloc(url.n);
    if (!copy)
        return false;
    memcpy(copy, url.p, url.n);
    l->endpoint = str_of(copy, url.n);
    return true;
}

/* The initialize goes out again, to where it belongs. */
static void take_endpoint(link_call_t *stream, str_t url)
{
    mcp_link_t *l = stream->link;
    link_lock(l);
    bool kept = l->stream == stream && keep_endpoint(l, url);
    stream->due = 0;
    link_call_t *first = kept ? find_of(l, stream->stream, true) : NULL;
    if (first)
        link_begin(first);
    link_unlock(l);
    link_call_drop(first);
    if (!first)
        link_fail_with(stream, MCP_LINK_STOPPED, 0, STR("nobody waits for the endpoint any more"));
}

void link_on_endpoint(link_call_t *stream, str_t reference)
{
    mcp_link_t *l = stream->link;
    str_t url;
    link_lock(l);
    bool known = l->stream != stream || l->endpoint.p;
    link_unlock(l);
    if (known)
        return;
    arena_reset(l->scratch);
    rc_t rc = mcp_endpoint_resolve(l->scratch, l->config.url, reference, &url);
    if (rc == RC_OK)
        take_endpoint(stream, url);
    else
        link_fail_with(stream, MCP_LINK_MALFORMED, 0,
                       rc == RC_NOT_FOUND
                           ? STR("its stream names an endpoint of another origin, and no message "
                                 "nor token goes there")
                           : STR("the endpoint that its stream names is no URL"));
}

/* ---- messages ---- */

bool link_join_stream(mcp_link_t *l, link_call_t *c)
{
    c->stream = l->endpoint.p ? l->last_stream : 0;
    return c->stream != 0;
}

rc_t link_target(arena_t *a, const link_call_t *c, str_t *out)
{
    mcp_link_t *l = c->link;
    *out = l->config.url;
    if (c->kind != LINK_SEND || !c->stream)
        return RC_OK;
    link_lock(l);
    bool there = l->endpoint.p && c->stream == l->last_stream;
    *out = there ? arena_dup(a, l->endpoint) : STR_UNSET;
    link_unlock(l);
    if (!there)
        return RC_CONFLICT;
    return out->p ? RC_OK : RC_MEMORY;
}

/* ---- time ---- */

static void begin_time(link_call_t *c)
{
    int64_t silence = c->link->config.answer_ms, now = link_now();
    c->due = silence > 0 ? now + silence : 0;
    c->latest = now + POSTED_TIMES * silence;
}

/* The stream is everybody's: what comes on it shows that the server lives, but a server that says
 * comments for ever is not to be waited for as long. */
static void postpone(link_call_t *c)
{
    int64_t due = link_now() + c->link->config.answer_ms;
    c->due = due < c->latest ? due : c->latest;
}

void link_touch_posted(link_call_t *stream)
{
    mcp_link_t *l = stream->link;
    link_lock(l);
    for (link_call_t *c = l->calls; c; c = c->next) {
        if (c->state == LINK_POSTED && c->stream == stream->stream && c->due)
            postpone(c);
    }
    link_unlock(l);
}

void link_on_progress(link_call_t *stream, const mcp_message_t *m)
{
    mcp_link_t *l = stream->link;
    const json_t *token = json_get(m->params, STR("progressToken"));
    if (!token || !str_eq(m->method, STR("notifications/progress")))
        return;
    link_lock(l);
    for (link_call_t *c = l->calls; c; c = c->next) {
        bool waits = c->state == LINK_POSTED && c->stream == stream->stream && c->due;
        if (waits && c->progress.p && link_is_id(l, c->progress, token))
            begin_time(c);
    }
    link_unlock(l);
}

link_call_t *link_asker_of(link_call_t *stream, const mcp_message_t *m)
{
    mcp_link_t *l = stream->link;
    const json_t *id = json_get(m->root, STR("id"));
    link_lock(l);
    link_call_t *c = l->calls;
    while (c && !(c->kind == LINK_SEND && c->tag && c->stream == stream->stream &&
                  link_is_id(l, c->id, id)))
        c = c->next;
    if (c)
        c->refs++;
    link_unlock(l);
    return c;
}

/* What comes in the body as well is left: the stream has it. */
bool link_was_posted(link_exchange_t *x, link_call_t *c)
{
    mcp_link_t *l = x->link;
    if (!c->stream || c->kind != LINK_SEND || x->head.status / 100 != 2)
        return false;
    if (!c->tag)
        return link_take_away(c, true);
    link_lock(l);
    (void)link_detach(c, true);
    c->state = LINK_POSTED;
    begin_time(c);
    pthread_cond_broadcast(&l->changed);
    link_unlock(l);
    return true;
}

/* ---- the end ---- */

/* What the initialize is told that found no stream: its own refusal, unless the search met what
 * somebody has to mend. */
static mcp_link_failure_t blame(const link_call_t *first, const mcp_link_failure_t *why)
{
    bool better = why->end == MCP_LINK_AUTH || why->end == MCP_LINK_MALFORMED;
    return better ? *why : first->failure;
}

static bool fail_one(link_call_t *stream, bool seeking, const mcp_link_failure_t *why)
{
    mcp_link_t *l = stream->link;
    link_lock(l);
    link_call_t *c = find_of(l, stream->stream, seeking);
    link_unlock(l);
    if (!c)
        return false;
    const mcp_link_failure_t own = seeking ? blame(c, why) : *why;
    link_fail(c, &own);
    link_call_drop(c);
    return true;
}

static bool forget_stream(link_call_t *stream, bool *was_open)
{
    mcp_link_t *l = stream->link;
    link_lock(l);
    bool current = stream->stream == l->last_stream;
    *was_open = l->endpoint.p != NULL;
    if (current) {
        link_drop_endpoint(l);
        l->lost = l->lost || *was_open;
    }
    link_unlock(l);
    return current && *was_open;
}

void link_stream_ended(link_call_t *stream, const mcp_link_failure_t *why)
{
    const mcp_link_events_t *e = &stream->link->config.events;
    const mcp_link_failure_t broken = {.end = MCP_LINK_BROKEN,
                                       .detail = STR("the stream has ended that answers come on")};
    bool was_open;
    bool lost = forget_stream(stream, &was_open);
    while (fail_one(stream, true, why))
        ;
    while (fail_one(stream, false, why->end == MCP_LINK_MALFORMED ? why : &broken))
        ;
    /* One that ends at once would have sessions made without an end: the next request makes one. */
    if (lost && link_now() - stream->opened_at >= STEADY_MS)
        e->unheard(e->ctx, &(mcp_link_failure_t){.end = MCP_LINK_LOST});
}

void link_drop_endpoint(mcp_link_t *l)
{
    free((void *)(uintptr_t)l->endpoint.p);
    l->endpoint = STR_UNSET;
}

void link_leave_stream(mcp_link_t *l)
{
    link_call_t *stream = l->stream;
    if (!stream)
        return;
    link_drop_endpoint(l);
    l->stream = NULL;
    l->last_stream++; /* what still belongs to it goes nowhere */
    link_tell(stream, &(mcp_link_failure_t){.end = MCP_LINK_STOPPED});
}

void link_lose_stream(link_call_t *c)
{
    mcp_link_t *l = c->link;
    const mcp_link_failure_t why = {.end = MCP_LINK_LOST, .status = 404};
    link_lock(l);
    link_call_t *stream = l->stream && l->stream->stream == c->stream ? l->stream : NULL;
    if (stream)
        stream->refs++;
    l->lost = l->lost || stream;
    link_unlock(l);
    link_fail(c, &why);
    if (stream)
        link_fail(stream, &why);
    link_call_drop(stream);
}
