#include "proxy/relay.h"

static const relay_refusal_t ROWS[RELAY_REASON_COUNT] = {
#define REASON(name, why, answer, rpc, text, rule)                                                 \
    [RELAY_##name] = {.status = answer,                                                            \
                      .code = rpc,                                                                 \
                      .reason = STR_INIT(why),                                                     \
                      .sentence = STR_INIT(text),                                                  \
                      .retry_s = (answer) == 503 || (answer) == 429 ? RELAY_RETRY_S : 0},
#include "proxy/reasons.def"
#undef REASON
};

relay_refusal_t relay_refusal(relay_reason_t reason)
{
    return ROWS[reason];
}

relay_refusal_t relay_refusal_mcp(mcp_error_t e)
{
    const mcp_error_row_t *row = mcp_error_row(e);
    return (relay_refusal_t){
        .status = row->status,
        .code = row->code,
        .reason = row->reason,
        .sentence = row->sentence,
        .retry_s = row->status == 503 ? RELAY_RETRY_S : 0,
    };
}

str_t relay_error_body(arena_t *a, str_t id, const relay_refusal_t *refusal)
{
    str_t out;
    buf_t b = buf_new(a, id.n + 6 * refusal->sentence.n + refusal->data.n + 128);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    if (id.p) {
        json_key(&w, STR("id"));
        json_raw(&w, id);
    }
    json_key(&w, STR("error"));
    json_begin_object(&w);
    json_member_int(&w, STR("code"), refusal->code);
    json_member_str(&w, STR("message"), refusal->sentence);
    if (refusal->data.p) {
        json_key(&w, STR("data"));
        json_raw(&w, refusal->data);
    }
    json_end_object(&w);
    json_end_object(&w);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

void relay_reply_refusal(http_exchange_t *x, str_t id, str_t nonce, const relay_refusal_t *refusal)
{
    char digits[16];
    buf_t b = buf_fixed(digits, sizeof digits);
    buf_u64(&b, refusal->retry_s);
    str_t body = refusal->body.p ? refusal->body : relay_error_body(x->arena, id, refusal);
    str_t type = body.n > 0 ? STR("application/json") : STR_UNSET;
    http_reply(x, refusal->status,
               HTTP_HEADERS({STR("Content-Type"), type},
                            {STR("WWW-Authenticate"), refusal->challenge},
                            {STR("Retry-After"), refusal->retry_s > 0 ? buf_str(&b) : STR_UNSET},
                            {STR("Allow"), refusal->status == 405 ? STR("POST") : STR_UNSET},
                            {STR("DPoP-Nonce"), nonce}, {STR("Cache-Control"), STR("no-store")}),
               body.p ? body : STR(""));
}

/* Headers of an upstream's answer that go on as they came. */
static const str_t PASSED[] = {STR_INIT("content-language"), STR_INIT("mcp-protocol-version"),
                               STR_INIT("retry-after")};

bool answer_passes(str_t name)
{
    for (size_t i = 0; i < sizeof PASSED / sizeof *PASSED; i++) {
        if (str_eq_nocase(name, PASSED[i]))
            return true;
    }
    return false;
}

/* Clients that go by another charset would read other messages out of the same bytes. */
static bool is_utf8(str_t parameters)
{
    str_t one, name;
    while (str_split(&parameters, ';', &one)) {
        one = str_trim(one, " \t");
        if (!str_split(&one, '=', &name) || !str_eq_nocase(str_trim(name, " \t"), STR("charset")))
            continue;
        if (!one.p || !str_eq_nocase(str_trim(one, " \t\""), STR("utf-8")))
            return false;
    }
    return true;
}

static bool is_type(str_t value, str_t type)
{
    str_t first;
    return value.p && str_split(&value, ';', &first) &&
           str_eq_nocase(str_trim(first, " \t"), type) && is_utf8(value);
}

static answer_shape_t fail(relay_reason_t reason, relay_refusal_t *why)
{
    *why = relay_refusal(reason);
    return ANSWER_FAIL;
}

/* What a server refuses is the client's to know if it is a message; whatever else it is (a page of
 * a proxy, a trace of a stack) is not, but its status is. */
static answer_shape_t refused(const answer_facts_t *f, bool json, relay_refusal_t *why)
{
    if (f->status == 401 || f->status == 403 || f->status == 407)
        return fail(RELAY_UPSTREAM_DENIED, why);
    if (json)
        return ANSWER_JSON;
    fail(RELAY_UPSTREAM_REFUSED, why);
    why->status = f->status;
    return ANSWER_FAIL;
}

answer_shape_t answer_shape(const answer_facts_t *f, relay_refusal_t *why)
{
    bool json = is_type(f->content_type, STR("application/json"));
    bool events = is_type(f->content_type, STR("text/event-stream"));
    if (f->encoded)
        return fail(RELAY_UPSTREAM_MALFORMED, why);
    if (f->status >= 500)
        return fail(f->status == 504 ? RELAY_UPSTREAM_TIMEOUT : RELAY_UPSTREAM_STATUS, why);
    if (f->status >= 400)
        return refused(f, json, why);
    if (f->status >= 300)
        return fail(RELAY_UPSTREAM_STATUS, why);
    if (f->method == HTTP_DELETE || (f->method == HTTP_POST && f->kind != MCP_REQUEST))
        return ANSWER_EMPTY;
    if (events)
        return ANSWER_EVENTS;
    return json && f->method == HTTP_POST ? ANSWER_JSON : fail(RELAY_UPSTREAM_MALFORMED, why);
}
