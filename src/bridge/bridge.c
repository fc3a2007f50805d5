/* The shell around talk.h: one thread reads the host, writes to it, and sleeps in poll(2); what the
 * link brings comes through an inbox. Both sides wait for a host that does not read. */
#include "bridge/bridge.h"

#include "bridge/inbox.h"
#include "bridge/outlet.h"
#include "core/limits.h"
#include "mcp_stdio/line.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 64 << 10,
    GRACE_MS = 1000, /* for requests that wait when the input ends: hosts wait two seconds */
    FLUSH_MS = 500,  /* for a host that takes its last answers */
    INBOX_TURN = 64, /* messages taken before the host is looked at again */
};

typedef enum { FD_IN, FD_OUT, FD_INBOX, FD_STOP, FDS } fd_t;

typedef struct {
    const bridge_config_t *config;
    talk_t *talk;
    mcp_link_t *link;
    bridge_inbox_t *inbox;
    bridge_outlet_t out;
    arena_t *a;
    mcp_line_t line;
    bool input_ended, stopped;
    rc_t failed;
} bridge_t;

static int64_t now_ms(const bridge_t *b)
{
    return b->config->clock.mono_ms(b->config->clock.ctx);
}

/* ---- of the link, on its thread ---- */

static void on_message(void *ctx, uint64_t tag, const mcp_message_t *message)
{
    bridge_t *b = ctx;
    talk_fact_t fact = {.kind = TALK_MESSAGE, .tag = tag, .text = message->root->raw};
    (void)bridge_inbox_put(b->inbox, &fact, false);
}

static void on_failed(void *ctx, uint64_t tag, const mcp_link_failure_t *why)
{
    bridge_t *b = ctx;
    talk_fact_t fact = {.kind = TALK_FAILED, .tag = tag, .failure = *why};
    (void)bridge_inbox_put(b->inbox, &fact, false);
}

static void on_unheard(void *ctx, const mcp_link_failure_t *why)
{
    bridge_t *b = ctx;
    talk_fact_t fact = {.kind = TALK_UNHEARD, .failure = *why};
    (void)bridge_inbox_put(b->inbox, &fact, false);
}

/* ---- what a step yields ---- */

static str_t why_not_sent(rc_t rc)
{
    if (rc == RC_BUSY)
        return STR("too many requests are under way");
    return rc == RC_LIMIT ? STR("the message is too long") : STR("it could not be sent");
}

static void send(bridge_t *b, const mcp_link_message_t *message)
{
    rc_t rc = mcp_link_send(b->link, message);
    if (rc == RC_OK || !message->tag)
        return;
    talk_fact_t fact = {.kind = TALK_FAILED,
                        .tag = message->tag,
                        .failure = {.end = MCP_LINK_STOPPED, .detail = why_not_sent(rc)}};
    if (!bridge_inbox_put(b->inbox, &fact, true))
        b->failed = RC_MEMORY;
}

static void apply(bridge_t *b, const talk_effect_t *e)
{
    switch (e->kind) {
    case TALK_SAY:
        bridge_outlet_put(&b->out, e->line);
        break;
    case TALK_SEND:
        send(b, &e->message);
        break;
    case TALK_CANCEL:
        mcp_link_cancel(b->link, e->tag);
        break;
    case TALK_LISTEN:
        /* A stream that stands already will do. */
        if (mcp_link_listen(b->link, e->version) == RC_MEMORY)
            b->failed = RC_MEMORY;
        break;
    }
}

static void step(bridge_t *b, const talk_fact_t *fact)
{
    const talk_effect_t *effects;
    talk_fact_t f = *fact;
    if (b->failed != RC_OK)
        return;
    f.now_ms = now_ms(b);
    arena_reset(b->a);
    b->failed = talk_step(b->talk, b->a, &f, &effects);
    for (const talk_effect_t *e = effects; b->failed == RC_OK && e; e = e->next)
        apply(b, e);
}

/* ---- the host ---- */

static void take_line(bridge_t *b, mcp_line_step_t got, str_t line)
{
    if (got == MCP_LINE_LOST)
        b->failed = RC_MEMORY;
    talk_fact_t fact = {.kind = got == MCP_LINE_WHOLE ? TALK_LINE : TALK_TOO_LONG, .text = line};
    step(b, &fact);
}

static void end_input(bridge_t *b)
{
    str_t line = STR_UNSET;
    mcp_line_step_t got = mcp_line_last(&b->line, &line);
    if (got != MCP_LINE_MORE)
        take_line(b, got, line);
    b->input_ended = true;
}

static void read_some(bridge_t *b)
{
    char bytes[PIECE_BYTES];
    str_t line = STR_UNSET;
    mcp_line_step_t got;
    ssize_t n = read(b->config->in, bytes, sizeof bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (n <= 0) {
        if (n < 0 && errno != EIO && errno != ECONNRESET)
            b->failed = RC_IO;
        end_input(b);
        return;
    }
    str_t piece = str_of(bytes, (size_t)n);
    while ((got = mcp_line_next(&b->line, &piece, &line)) != MCP_LINE_MORE)
        take_line(b, got, line);
}

/* ---- turns ---- */

static bool is_full(const bridge_t *b)
{
    return bridge_outlet_unread(&b->out) >= LIMIT_BRIDGE_UNREAD_BYTES;
}

static bool goes_on(const bridge_t *b)
{
    return b->failed == RC_OK && !b->out.broken && b->out.failed == RC_OK;
}

static void take_inbox(bridge_t *b)
{
    const talk_fact_t *fact;
    for (int i = 0; i < INBOX_TURN && !is_full(b) && (fact = bridge_inbox_take(b->inbox)); i++) {
        step(b, fact);
        bridge_inbox_done(b->inbox);
    }
}

static void tell_time(bridge_t *b)
{
    int64_t due = talk_due_ms(b->talk);
    if (due >= 0 && due <= now_ms(b))
        step(b, &(talk_fact_t){.kind = TALK_TIME});
}

static int wait_ms(const bridge_t *b, int64_t most)
{
    int64_t due = talk_due_ms(b->talk), left = due < 0 ? -1 : due - now_ms(b);
    if (due >= 0 && left < 0)
        left = 0;
    if (most >= 0 && (left < 0 || left > most))
        left = most;
    return left > 60000 ? 60000 : (int)left;
}

/* A descriptor that nothing is wanted of is left out: its end would wake us again and again. Of the
 * output the end is of interest, even while nothing waits for it. */
static void turn(bridge_t *b, int64_t most_ms)
{
    bool reads = !b->input_ended && !is_full(b);
    bool unread = bridge_outlet_unread(&b->out) > 0;
    struct pollfd fds[FDS] = {
        [FD_IN] = {.fd = reads ? b->config->in : -1, .events = POLLIN},
        [FD_OUT] = {.fd = b->config->out, .events = unread ? POLLOUT : 0},
        [FD_INBOX] = {.fd = is_full(b) ? -1 : bridge_inbox_fd(b->inbox), .events = POLLIN},
        [FD_STOP] = {.fd = b->config->stop > 0 ? b->config->stop : -1, .events = POLLIN}};
    int n = poll(fds, FDS, wait_ms(b, most_ms));
    if (n < 0 && errno != EINTR)
        b->failed = RC_IO;
    b->stopped = n > 0 && fds[FD_STOP].revents;
    if (n > 0 && fds[FD_INBOX].revents)
        take_inbox(b);
    if (n > 0 && fds[FD_IN].revents)
        read_some(b);
    if (n > 0 && fds[FD_OUT].revents & (POLLERR | POLLNVAL))
        b->out.broken = true;
    tell_time(b);
    bridge_outlet_write(&b->out);
}

static void serve(bridge_t *b)
{
    while (goes_on(b) && !b->input_ended && !b->stopped)
        turn(b, -1);
}

/* Whoever closed the input may still read answers. */
static void let_end(bridge_t *b)
{
    int64_t end = now_ms(b) + GRACE_MS;
    for (int64_t left; (left = end - now_ms(b)) > 0 && goes_on(b) && !b->stopped;) {
        if (talk_waiting(b->talk) == 0)
            break;
        turn(b, left);
    }
}

static void flush(bridge_t *b)
{
    int64_t end = now_ms(b) + FLUSH_MS;
    bridge_outlet_write(&b->out);
    for (int64_t left; (left = end - now_ms(b)) > 0 && goes_on(b);) {
        struct pollfd out = {.fd = b->config->out, .events = POLLOUT};
        if (bridge_outlet_unread(&b->out) == 0)
            break;
        if (poll(&out, 1, (int)left) > 0)
            bridge_outlet_write(&b->out);
    }
}

static void live(bridge_t *b)
{
    serve(b);
    let_end(b);
    bridge_inbox_close(b->inbox);
    rc_t before = b->failed;
    step(b, &(talk_fact_t){.kind = TALK_END});
    b->failed = before;
    flush(b);
    if (mcp_link_has_session(b->link))
        mcp_link_end_session(b->link);
}

/* ---- life ---- */

static rc_t open_all(bridge_t *b)
{
    const bridge_config_t *c = b->config;
    talk_config_t talk = {
        .name = c->name, .version = c->version, .random = random_system(), .log = c->log};
    mcp_link_config_t link = c->link;
    link.events = (mcp_link_events_t){
        .message = on_message, .failed = on_failed, .unheard = on_unheard, .ctx = b};
    b->a = arena_new(TALK_ARENA_BYTES);
    if (!b->a)
        return RC_MEMORY;
    TRY(talk_new(&talk, &b->talk));
    TRY(bridge_inbox_new(LIMIT_BRIDGE_UNREAD_BYTES, &b->inbox));
    return mcp_link_new(&link, &b->link);
}

/* Nobody signs in for a host that has gone: what waits for a person must not keep the link. */
static void close_all(bridge_t *b)
{
    if (b->config->link.tokens)
        tokens_source_stop(b->config->link.tokens);
    mcp_link_free(b->link);
    bridge_inbox_free(b->inbox);
    talk_free(b->talk);
    mcp_line_clear(&b->line);
    bridge_outlet_clear(&b->out);
    arena_free(b->a);
}

/* A host that has gone is no failure. */
static rc_t verdict(const bridge_t *b)
{
    return b->failed != RC_OK ? b->failed : b->out.failed;
}

rc_t bridge_run(const bridge_config_t *config)
{
    bridge_t b = {.config = config,
                  .line = {.most = LIMIT_MCP_CLIENT_MESSAGE_BYTES},
                  .out = {.fd = config->out}};
    b.failed = open_all(&b);
    if (b.failed == RC_OK)
        live(&b);
    close_all(&b);
    return verdict(&b);
}
