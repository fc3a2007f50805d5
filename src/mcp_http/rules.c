#include "mcp_http/rules.h"

#include "core/limits.h"
#include "http/media.h"
#include "mcp/headers.h"

mcp_error_t mcp_rule_place(http_headers_t headers, const mcp_place_t *place)
{
    str_t host = http_headers_get(headers, STR("Host"));
    str_t origin = http_headers_get(headers, STR("Origin"));
    str_list_t own = {&place->own_host, place->own_host.p ? 1 : 0};
    if (!mcp_host_allowed(host, own) && !mcp_host_allowed(host, place->hosts))
        return MCP_ERROR_FOREIGN_HOST;
    if (http_headers_count(headers, STR("Origin")) > 1)
        return MCP_ERROR_FOREIGN_ORIGIN;
    return mcp_origin_allowed(origin, place->origins) ? MCP_NO_ERROR : MCP_ERROR_FOREIGN_ORIGIN;
}

/* Fields of a list may come in several lines (RFC 9110 section 5.3). */
static bool accepts(http_headers_t headers, str_t type)
{
    size_t at = 0;
    str_t value;
    if (http_headers_count(headers, STR("Accept")) == 0)
        return true;
    while (http_headers_next(headers, STR("Accept"), &at, &value)) {
        if (http_media_accepts(value, type))
            return true;
    }
    return false;
}

mcp_error_t mcp_rule_post(http_headers_t headers, unsigned media, bool *takes_stream)
{
    *takes_stream = accepts(headers, STR("text/event-stream"));
    if (!accepts(headers, STR("application/json")))
        return MCP_ERROR_NOT_ACCEPTABLE;
    return media & HTTP_BODY_JSON ? MCP_NO_ERROR : MCP_ERROR_NOT_JSON;
}

mcp_error_t mcp_rule_session(http_headers_t headers, str_t *id)
{
    *id = http_headers_get(headers, STR("Mcp-Session-Id"));
    if (http_headers_count(headers, STR("Mcp-Session-Id")) > 1)
        return MCP_ERROR_REPEATED_HEADER;
    return !id->p || mcp_session_id_is_valid(*id) ? MCP_NO_ERROR : MCP_ERROR_BAD_SESSION_ID;
}

static mcp_bare_t refused(mcp_error_t e)
{
    return (mcp_bare_t){.kind = MCP_BARE_REFUSED, .error = e};
}

mcp_bare_t mcp_rule_bare(http_method_t method, http_headers_t headers)
{
    mcp_bare_t b = {.kind = MCP_BARE_END};
    mcp_error_t e = mcp_rule_session(headers, &b.session);
    if (e != MCP_NO_ERROR)
        return refused(e);
    if (method == HTTP_GET && !accepts(headers, STR("text/event-stream")))
        return refused(MCP_ERROR_NOT_ACCEPTABLE);
    if (!b.session.p)
        return refused(MCP_ERROR_SESSION_NEEDED);
    if (method == HTTP_DELETE)
        return b;
    b.event = http_headers_get(headers, STR("Last-Event-ID"));
    if (http_headers_count(headers, STR("Last-Event-ID")) > 1)
        return refused(MCP_ERROR_BAD_EVENT_ID);
    /* An empty one is what a client sends that has seen no id. */
    b.kind = b.event.n > 0 ? MCP_BARE_RESUME : MCP_BARE_LISTEN;
    return b;
}

bool mcp_rule_polls(const mcp_version_t *version)
{
    return version && version->era == MCP_ERA_HANDSHAKE &&
           str_cmp(version->name, STR("2025-11-25")) >= 0;
}

static mcp_way_t way_of_answer(const mcp_stream_facts_t *s, const mcp_out_t *out)
{
    if (out->text.n == 0 && !out->needed.p)
        return MCP_WAY_END;
    return s->begun ? MCP_WAY_EVENT : MCP_WAY_JSON;
}

static mcp_way_t way_of_message(const mcp_stream_facts_t *s)
{
    if (s->takes_stream)
        return MCP_WAY_EVENT;
    return s->asks ? MCP_WAY_REFUSE : MCP_WAY_DROP;
}

mcp_way_t mcp_rule_way(const mcp_stream_facts_t *s, const mcp_out_t *out)
{
    switch (out->kind) {
    case MCP_OUT_ANSWER:
        return way_of_answer(s, out);
    case MCP_OUT_MESSAGE:
        return way_of_message(s);
    case MCP_OUT_LET_GO:
        break;
    }
    return s->may_let_go && s->takes_stream ? MCP_WAY_LET_GO : MCP_WAY_DROP;
}

mcp_open_t mcp_rule_open(const mcp_open_facts_t *o)
{
    /* A call whose answer has no stream was let in, and ends by itself. */
    if (o->begun && o->ended)
        return MCP_OPEN_ENDS;
    if (o->listens && o->draining_ms >= MCP_LAST_WORDS_MS)
        return MCP_OPEN_ENDS;
    if (o->begun)
        return o->silent_ms >= LIMIT_MCP_KEEPALIVE_MS ? MCP_OPEN_SPEAKS : MCP_OPEN_STAYS;
    return o->takes_stream && o->silent_ms >= MCP_QUIET_MS ? MCP_OPEN_BEGINS : MCP_OPEN_STAYS;
}

str_t mcp_event_id(char out[MCP_EVENT_ID_TEXT], uint64_t stream, uint64_t number)
{
    buf_t b = buf_fixed(out, MCP_EVENT_ID_TEXT);
    buf_u64(&b, stream);
    buf_char(&b, '-');
    buf_u64(&b, number);
    return buf_str(&b);
}
