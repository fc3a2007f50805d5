#include "proxy/child_keeper.h"

enum { AROUND_BYTES = 64 };

static const child_event_t ACCEPTED = {.status = 202};

static void await(child_keeper_t *k, upstream_call_t *call)
{
    if (k->waiters >= CHILD_WAITERS_MAX) {
        child_refuse_busy(k, call, 1);
        return;
    }
    call->state.waits = true;
    k->waiters++;
}

/* The versions that it does speak: what it named, or all of its era. */
static str_t unsupported(child_keeper_t *k, str_t asked)
{
    if (!k->supported)
        return mcp_unsupported_data(k->scratch, mcp_versions_handshake(), asked);
    buf_t b = buf_new(k->scratch, k->supported_n + 6 * asked.n + AROUND_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_key(&w, STR("supported"));
    json_raw(&w, str_of(k->supported, k->supported_n));
    json_member_str(&w, STR("requested"), asked);
    json_end_object(&w);
    return b.failed == RC_OK ? buf_str(&b) : STR_UNSET;
}

static void refuse_version(child_keeper_t *k, upstream_call_t *call, str_t asked)
{
    arena_reset(k->scratch);
    const mcp_error_row_t *row = mcp_error_row(MCP_ERROR_UNSUPPORTED_VERSION);
    const child_event_t head = {.status = row->status, .type = STR("application/json")};
    str_t id = call->ask.kind == MCP_REQUEST ? call->ask.id : STR_UNSET;
    child_reply(
        k, call, &head,
        mcp_error(k->scratch, id, MCP_ERROR_UNSUPPORTED_VERSION, STR_UNSET, unsupported(k, asked)));
}

/* Of a shared child one caller takes a part, never all. */

typedef struct {
    str_t who;
    size_t n;
} share_t;

static void count_share(void *ctx, child_flight_t *f)
{
    share_t *share = ctx;
    const child_channel_t *ch = f->owner;
    if (!ch)
        return;
    if (ch->session)
        share->n += child_session_is_of(ch->session, share->who);
    else
        share->n += ch->call && str_eq(ch->call->ask.who, share->who);
}

static bool has_its_share(child_t *c, str_t who)
{
    share_t share = {who, 0};
    if (c->session || c->who || child_router_count(c->router) < CHILD_FLIGHTS_PER_CALLER)
        return false;
    child_router_each(c->router, count_share, &share);
    return share.n >= CHILD_FLIGHTS_PER_CALLER;
}

/* Sends what has an id; the answer will come through the channel. */
static void send_request(child_t *c, child_session_t *s, upstream_call_t *call)
{
    str_t line = STR_UNSET;
    child_keeper_t *k = c->keeper;
    child_flight_t *f = NULL;
    arena_reset(k->scratch);
    rc_t rc =
        has_its_share(c, call->ask.who) ? RC_BUSY : child_router_open(c->router, &call->ask, &f);
    child_channel_t *ch = rc == RC_OK ? child_channel_new(c, s) : NULL;
    if (rc == RC_OK)
        rc = ch ? child_router_line(c->router, k->scratch, &call->ask, f, s, &line) : RC_MEMORY;
    if (rc == RC_OK)
        rc = child_pipes_write(c->pipes, line);
    if (rc == RC_OK) {
        ch->flight = f;
        f->owner = ch;
        f->session = s;
        child_channel_join(ch, call);
        return;
    }
    if (f)
        child_router_close(c->router, f);
    if (ch)
        child_channel_free(ch);
    child_refuse_busy(k, call, 1);
}

/* Sends what has no answer. That nobody is there to be told is no mistake of the client. */
static void send_word(child_t *c, child_session_t *s, upstream_call_t *call)
{
    str_t line = STR_UNSET;
    child_keeper_t *k = c->keeper;
    arena_reset(k->scratch);
    rc_t rc = child_router_line(c->router, k->scratch, &call->ask, NULL, s, &line);
    if (rc == RC_OK)
        rc = child_pipes_write(c->pipes, line);
    if (rc == RC_OK || rc == RC_NOT_FOUND)
        child_reply(k, call, &ACCEPTED, STR_UNSET);
    else
        child_refuse_busy(k, call, 1);
}

/* The stateless era: one child for all, or one for each caller. */

static child_t *find_stateless(child_keeper_t *k, str_t who)
{
    for (child_t *c = k->children; c; c = c->next) {
        bool fits = c->state == CHILD_READY && c->stateless &&
                    str_eq(c->who ? str_of(c->who, c->who_n) : STR(""), who);
        if (fits)
            return c;
    }
    return NULL;
}

static void dispatch_stateless(child_keeper_t *k, upstream_call_t *call)
{
    uint32_t retry_s = 1;
    str_t who = k->conf.shared ? STR("") : call->ask.who;
    if (!k->speaks_ours) {
        refuse_version(k, call, call->ask.version);
        return;
    }
    child_t *c = find_stateless(k, who);
    if (call->ask.kind != MCP_REQUEST) {
        if (c && !call->ask.cancelled.p)
            send_word(c, NULL, call);
        else
            child_reply(k, call, &ACCEPTED, STR_UNSET);
        return;
    }
    if (!c) {
        c = child_start(k, who, true, &retry_s);
        if (!c) {
            child_refuse_busy(k, call, retry_s);
            return;
        }
        child_started_well(c);
    }
    send_request(c, NULL, call);
}

/* The handshake era. */

static child_t *find_shared(child_keeper_t *k)
{
    child_t *c = k->children;
    while (c && (c->stateless || (c->state != CHILD_READY && c->state != CHILD_OPENING)))
        c = c->next;
    return c;
}

/* What the child answered us, with the caller's version where that is an older one that is spoken
 * here: what is new in the child's are members that older clients do not look at. */
static rc_t write_opened(child_t *c, const child_ask_t *ask, str_t *out)
{
    const json_t *root;
    arena_t *a = c->keeper->scratch;
    child_patches_t patches = {.n = 0};
    str_t opened = str_of(c->opened, c->opened_n);
    arena_reset(a);
    TRY(json_parse(a, opened, NULL, &root));
    const json_t *version = json_get(root, STR("protocolVersion"));
    bool older = mcp_version_find(mcp_versions_handshake(), ask->asked) &&
                 str_cmp(ask->asked, version->str) < 0;
    str_t quoted = arena_printf(a, "\"%" PRIstr "\"", STR_ARG(ask->asked));
    if (older)
        TRY(child_patch(&patches, opened, version->raw, quoted));
    TRY(child_splice(a, opened, &patches, &opened));
    *out = mcp_result(a, ask->id, opened);
    return out->p ? RC_OK : RC_MEMORY;
}

static void open_session(child_t *c, upstream_call_t *call)
{
    str_t text;
    child_keeper_t *k = c->keeper;
    child_event_t head = {.status = 200, .type = STR("application/json")};
    child_session_t *s = child_session_new(k, c, &call->ask);
    if (!s || write_opened(c, &call->ask, &text) != RC_OK) {
        if (s)
            child_session_end(k, s, CHILD_REASON_SESSION_ENDED);
        child_refuse_busy(k, call, 1);
        return;
    }
    s->opened = true;
    memcpy(head.session, s->id, sizeof head.session);
    child_reply(k, call, &head, text);
}

static void initialize_shared(child_keeper_t *k, upstream_call_t *call)
{
    uint32_t retry_s = 1;
    child_t *c = find_shared(k);
    if (c && c->state == CHILD_READY) {
        open_session(c, call);
        return;
    }
    if (!c) {
        c = child_start(k, STR(""), false, &retry_s);
        if (!c || !child_open_shared(c)) {
            child_refuse_busy(k, call, retry_s);
            return;
        }
    }
    await(k, call);
}

static void initialize_own(child_keeper_t *k, upstream_call_t *call)
{
    uint32_t retry_s = 1;
    child_t *c = child_start(k, call->ask.who, false, &retry_s);
    child_session_t *s = c ? child_session_new(k, c, &call->ask) : NULL;
    if (!s) {
        if (c)
            child_end(c, CHILD_REASON_STOPPED);
        child_refuse_busy(k, call, retry_s);
        return;
    }
    c->session = s;
    c->deadline_ms = child_now(k) + k->conf.start_s * 1000;
    send_request(c, s, call);
    if (call->state.over)
        child_session_end(k, s, CHILD_REASON_STOPPED);
}

/* What a child names when it is asked to discover is no whole list: servers that keep to the era of
 * their first message name only that one's versions. So it is tried, once. */
static void initialize(child_keeper_t *k, upstream_call_t *call)
{
    if (k->modern_only)
        refuse_version(k, call, call->ask.asked);
    else if (!child_session_room(k, call->ask.who))
        child_refuse_busy(k, call, 5);
    else if (k->conf.shared)
        initialize_shared(k, call);
    else
        initialize_own(k, call);
}

/* Within a session. */

static void listen_to(child_session_t *s, upstream_call_t *call)
{
    uint32_t number;
    uint64_t after;
    child_channel_t *ch = &s->get;
    child_keeper_t *k = s->child->keeper;
    if (!call->ask.last_event.p) {
        child_channel_attach(ch, call, ch->sent);
        return;
    }
    bool good = child_event_read(call->ask.last_event, &number, &after);
    if (good && number)
        ch = s->channels;
    while (good && number && ch && ch->stream.number != number)
        ch = ch->next;
    if (!good || !ch || after > ch->stream.last)
        child_refuse(k, call, MCP_ERROR_BAD_EVENT_ID, STR_UNSET);
    else
        child_channel_attach(ch, call, after);
}

static bool held_by_others(const child_session_t *mine, str_t uri)
{
    const child_session_t *s = mine->child->keeper->session_list;
    while (s && (s == mine || s->child != mine->child || !child_session_has_uri(s, uri)))
        s = s->next;
    return s != NULL;
}

/* A shared child knows of one subscriber only. True: it is not to hear of this. */
static bool counts_subscription(child_session_t *s, upstream_call_t *call)
{
    child_keeper_t *k = s->child->keeper;
    const child_ask_t *ask = &call->ask;
    if (s->child->session || !ask->uri.p)
        return false;
    if (str_eq(ask->method, STR("resources/subscribe"))) {
        bool room = child_session_add_uri(s, ask->uri);
        if (!room)
            child_refuse_busy(k, call, 1);
        return !room;
    }
    child_session_drop_uri(s, ask->uri);
    if (!held_by_others(s, ask->uri))
        return false;
    arena_reset(k->scratch);
    const child_event_t head = {.status = 200, .type = STR("application/json")};
    child_reply(k, call, &head, mcp_result(k->scratch, ask->id, STR("{}")));
    return true;
}

/* Of a shared child's words only those about one's own requests are one's own to say. */
static bool may_say(const child_session_t *s, const child_ask_t *ask)
{
    if (ask->kind == MCP_RESPONSE)
        return child_router_answered(s->child->router, ask->key, s);
    return s->child->session == s || ask->cancelled.p;
}

static void post_in_session(child_session_t *s, upstream_call_t *call)
{
    child_keeper_t *k = s->child->keeper;
    s->used_ms = child_now(k);
    if (call->ask.kind == MCP_REQUEST) {
        if (!counts_subscription(s, call))
            send_request(s->child, s, call);
    } else if (may_say(s, &call->ask)) {
        send_word(s->child, s, call);
    } else {
        child_reply(k, call, &ACCEPTED, STR_UNSET);
    }
}

static void dispatch_in_session(child_keeper_t *k, upstream_call_t *call)
{
    static const child_event_t GONE = {.status = 200};
    const child_ask_t *ask = &call->ask;
    child_session_t *s = ask->session.p ? child_session_find(k, ask->session) : NULL;
    if (!ask->session.p) {
        child_refuse(k, call, MCP_ERROR_SESSION_NEEDED, STR_UNSET);
    } else if (!s || !child_session_is_of(s, ask->who)) {
        child_refuse(k, call, MCP_ERROR_UNKNOWN_SESSION, STR_UNSET);
    } else if (ask->http == HTTP_GET) {
        listen_to(s, call);
    } else if (ask->http == HTTP_DELETE) {
        child_session_end(k, s, CHILD_REASON_SESSION_ENDED);
        child_reply(k, call, &GONE, STR_UNSET);
    } else {
        post_in_session(s, call);
    }
}

void child_dispatch(child_keeper_t *k, upstream_call_t *call)
{
    uint32_t retry_s = 1;
    const child_ask_t *ask = &call->ask;
    bool opens = ask->http == HTTP_POST && ask->kind == MCP_REQUEST && !ask->stateless &&
                 str_eq(ask->method, STR("initialize"));
    bool stateless = ask->http == HTTP_POST && ask->stateless;
    if (!opens && !stateless)
        dispatch_in_session(k, call);
    else if (k->era == CHILD_ERA_UNKNOWN && !child_probe(k, &retry_s))
        child_refuse_busy(k, call, retry_s);
    else if (k->era == CHILD_ERA_UNKNOWN)
        await(k, call);
    else if (stateless)
        dispatch_stateless(k, call);
    else
        initialize(k, call);
}

void child_dispatch_waiting(child_keeper_t *k)
{
    if (k->waiters == 0)
        return;
    for (upstream_call_t *call = k->calls, *next; call; call = next) {
        next = call->state.next;
        if (!call->state.waits)
            continue;
        call->state.waits = false;
        k->waiters--;
        child_dispatch(k, call);
    }
}
