#include "mcp_client/link_state.h"

#include <stdlib.h>

enum { DETAIL_BYTES = 512 };

/* ---- heads ---- */

static bool is_media(str_t value, str_t type)
{
    size_t end = str_find(value, ';', 0);
    return str_eq_nocase(str_trim(str_first(value, end), " \t"), type);
}

static bool is_visible(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < 0x21 || s.p[i] > 0x7e)
            return false;
    }
    return s.n > 0 && s.n <= LIMIT_MCP_CLIENT_SESSION_ID_BYTES;
}

/* False: an id that no session may have. */
static bool learn_session(link_call_t *c, const link_head_t *head)
{
    mcp_link_t *l = c->link;
    if (!head->session.p || !str_eq(c->method, STR("initialize")))
        return true;
    char *copy = is_visible(head->session) ? malloc(head->session.n) : NULL;
    if (!copy)
        return false;
    memcpy(copy, head->session.p, head->session.n);
    link_lock(l);
    uint64_t http = link_forget_session(l);
    l->session = str_of(copy, head->session.n);
    link_unlock(l);
    link_cancel(l, http);
    return true;
}

static void tell_tokens(link_call_t *c, const link_head_t *head)
{
    tokens_source_t *tokens = c->link->config.tokens;
    if (!tokens)
        return;
    if (head->nonce.p)
        tokens_source_nonce(tokens, head->nonce);
    if (head->status / 100 == 2 && !c->went_well)
        tokens_source_went_well(tokens, c->operation);
    c->went_well = c->went_well || head->status / 100 == 2;
}

/* The head, with all that it lives in, goes to the call. */
static void ask_tokens(link_exchange_t *x, link_call_t *c)
{
    mcp_link_t *l = x->link;
    link_lock(l);
    arena_free(c->why_a);
    c->why = x->head;
    c->why_a = x->a;
    x->a = NULL;
    (void)link_detach(c, true);
    if (c->listed)
        link_ask_again(c);
    link_unlock(l);
}

/* Whether the status alone decides. */
static bool status_decides(link_exchange_t *x, link_call_t *c)
{
    const link_head_t *head = &x->head;
    bool asks = head->status == 401 || head->status == 403;
    if (asks && x->link->config.tokens && c->kind != LINK_DELETE)
        ask_tokens(x, c);
    else if (head->status == 401 && c->kind != LINK_DELETE)
        link_fail(c, &(mcp_link_failure_t){
                         .end = MCP_LINK_AUTH, .status = 401, .failure = {CLIENT_SIGN_IN_NEEDED}});
    else if (head->status == 404 && c->session.p && c->kind != LINK_DELETE)
        link_lose_session(c);
    else if (head->status == 404 && c->stream && c->kind == LINK_SEND)
        link_lose_stream(c);
    else if (head->status / 100 == 3)
        link_fail_with(c, MCP_LINK_HTTP, head->status, head->location);
    else
        return false;
    return true;
}

static bool is_learnt_from(const link_call_t *c, int status)
{
    return c->probe && (status == 400 || status == 404 || status == 405);
}

static void expect_body(link_exchange_t *x, const link_call_t *c)
{
    bool json = is_media(x->head.content_type, STR("application/json"));
    bool good = x->head.status / 100 == 2;
    json = json && !is_learnt_from(c, x->head.status);
    x->body = json ? LINK_BODY_JSON : LINK_BODY_TEXT;
    x->text_max = json ? LIMIT_MCP_CLIENT_MESSAGE_BYTES : LIMIT_MCP_CLIENT_ERROR_BYTES;
    if (good && is_media(x->head.content_type, STR("text/event-stream")))
        x->body = LINK_BODY_EVENTS;
}

/* An answer to a request's POST. */
static void on_answer_head(link_exchange_t *x, link_call_t *c)
{
    bool good = x->head.status / 100 == 2;
    if (good && !learn_session(c, &x->head)) {
        link_fail_with(c, MCP_LINK_MALFORMED, x->head.status, STR("the session id cannot be one"));
        return;
    }
    expect_body(x, c);
    if (good && x->body == LINK_BODY_TEXT)
        link_fail_with(c, x->head.content_type.p ? MCP_LINK_MALFORMED : MCP_LINK_HTTP,
                       x->head.status, x->head.content_type);
}

/* An answer to a GET, of a stream that is resumed or that stands. */
static void on_stream_head(link_exchange_t *x, link_call_t *c)
{
    expect_body(x, c);
    if (x->body == LINK_BODY_EVENTS) {
        c->was_open = true;
        return;
    }
    x->body = LINK_BODY_NONE;
    const mcp_link_failure_t why = {.end = c->kind == LINK_LISTEN ? MCP_LINK_HTTP : MCP_LINK_BROKEN,
                                    .status = x->head.status,
                                    .detail = x->head.content_type};
    if (x->head.status >= 500 && x->head.status != 501)
        link_broke_off(c, &why);
    else
        link_fail(c, &why);
}

static void on_old_stream_head(link_exchange_t *x, link_call_t *c)
{
    expect_body(x, c);
    if (x->body != LINK_BODY_EVENTS)
        link_fail_with(c, MCP_LINK_HTTP, x->head.status, x->head.content_type);
}

void link_on_head(link_exchange_t *x, link_call_t *c)
{
    tell_tokens(c, &x->head);
    if (status_decides(x, c))
        return;
    if (link_was_posted(x, c))
        return;
    if (c->kind == LINK_LISTEN || c->resuming)
        on_stream_head(x, c);
    else if (c->kind == LINK_STREAM)
        on_old_stream_head(x, c);
    else if (c->kind == LINK_SEND && c->tag)
        on_answer_head(x, c);
    else if (x->head.status / 100 == 2 || c->kind == LINK_DELETE)
        (void)link_take_away(c, true);
    else
        link_fail_with(c, MCP_LINK_HTTP, x->head.status, STR_UNSET);
}

/* ---- bodies ---- */

static bool keep(link_exchange_t *x, str_t bytes)
{
    if (x->text_n + bytes.n > x->text_cap) {
        size_t cap = 2 * (x->text_n + bytes.n);
        char *text = realloc(x->text, cap);
        if (!text)
            return false;
        x->text = text;
        x->text_cap = cap;
    }
    memcpy(x->text + x->text_n, bytes.p, bytes.n);
    x->text_n += bytes.n;
    return true;
}

static void on_text(link_exchange_t *x, link_call_t *c, str_t bytes)
{
    bool json = x->body == LINK_BODY_JSON;
    if (json && bytes.n > x->text_max - x->text_n) {
        link_fail_with(c, MCP_LINK_MALFORMED, x->head.status, STR("the answer is too long"));
        return;
    }
    if (!keep(x, str_first(bytes, x->text_max - x->text_n)))
        link_fail_with(c, MCP_LINK_BROKEN, x->head.status,
                       STR("this machine has no memory for the answer"));
}

void link_on_bytes(link_exchange_t *x, link_call_t *c, str_t bytes)
{
    if (c->kind == LINK_STREAM)
        link_touch_posted(c);
    if (x->body == LINK_BODY_EVENTS)
        link_on_events(x, c, bytes);
    else if (x->body != LINK_BODY_NONE)
        on_text(x, c, bytes);
}

/* What people are told of a refusal: the words of its error, else how it begins. */
static str_t words_of(mcp_link_t *l, str_t text)
{
    const json_t *root;
    arena_reset(l->scratch);
    bool json = mcp_link_parse(l->scratch, text, &root) == RC_OK;
    str_t words = json ? json_get_str(json_get(root, STR("error")), STR("message")) : STR_UNSET;
    return words.p ? words : str_first(text, DETAIL_BYTES);
}

static void on_refusal(link_exchange_t *x, link_call_t *c)
{
    str_t text = str_of(x->text ? x->text : "", x->text_n);
    bool learnt = is_learnt_from(c, x->head.status);
    str_t words = learnt ? text : words_of(x->link, text);
    if (!link_seek(c, x->head.status, text, words))
        link_fail_with(c, MCP_LINK_HTTP, x->head.status, learnt ? text : words_of(x->link, text));
}

static bool has_answer(const link_call_t *c, const json_t *first)
{
    mcp_message_t m;
    for (const json_t *v = first; v; v = v->next) {
        if (mcp_message_of(v, &m) == MCP_NO_ERROR && m.kind == MCP_RESPONSE &&
            link_is_answer(c, &m))
            return true;
    }
    return false;
}

static void on_json(link_exchange_t *x, link_call_t *c)
{
    bool good = x->head.status / 100 == 2;
    const json_t *first = link_read_messages(c, str_of(x->text ? x->text : "", x->text_n));
    bool answers = has_answer(c, first);
    if (!answers && good)
        link_fail_with(c, MCP_LINK_MALFORMED, x->head.status,
                       first ? STR("the body answers another request")
                             : STR("the body is no JSON-RPC"));
    else if (!answers)
        on_refusal(x, c);
    else
        link_on_messages(c, first);
}

static bool is_unreachable(http_agent_end_t end)
{
    return end != HTTP_AGENT_BROKEN && end != HTTP_AGENT_TOO_LONG && end != HTTP_AGENT_DONE;
}

/* The connection failed, or closed before all was there. */
static void on_break(link_exchange_t *x, link_call_t *c)
{
    bool early = !x->head_seen && is_unreachable(x->end);
    str_t detail = str_c(x->why);
    if (detail.n == 0)
        detail = x->end == HTTP_AGENT_DONE ? STR("the stream ended before the answer")
                                           : http_agent_end_name(x->end);
    link_broke_off(c, &(mcp_link_failure_t){.end = early ? MCP_LINK_UNREACHABLE : MCP_LINK_BROKEN,
                                            .status = x->head_seen ? x->head.status : 0,
                                            .refused = early && x->end == HTTP_AGENT_REFUSED,
                                            .detail = detail});
}

void link_on_end(link_exchange_t *x, link_call_t *c)
{
    bool whole = x->end == HTTP_AGENT_DONE && x->head_seen;
    if (whole && x->body == LINK_BODY_JSON)
        on_json(x, c);
    else if (whole && x->body == LINK_BODY_TEXT)
        on_refusal(x, c);
    else
        on_break(x, c);
}
