#include "proxy/relay.h"

#include <stdlib.h>

rc_t json_read(relay_call_t *c, str_t *bytes)
{
    buf_t out = buf_new(c->w->scratch, 2 * bytes->n + MCP_OUTCOME_SPARE_BYTES);
    if (!c->reading)
        c->reading = calloc(1, sizeof *c->reading);
    if (!c->reading)
        return RC_MEMORY;
    c->reading->is_stateless = c->facts.era == MCP_ERA_STATELESS;
    if (!c->facts.asked.is_private) {
        mcp_outcome_feed(c->reading, *bytes);
        return RC_OK;
    }
    mcp_outcome_feed_private(c->reading, *bytes, &out);
    return buf_done(&out, bytes);
}

static bool is_odd(const relay_call_t *c)
{
    return c->facts.asked.is_private && c->reading->odd;
}

bool json_may_be_ours(const relay_call_t *c)
{
    return !is_odd(c) && mcp_outcome_may_be(c->w->scratch, c->reading, c->facts.asked.id);
}

static mcp_answer_t judge(const relay_call_t *c)
{
    return mcp_outcome_answer(c->w->scratch, c->reading, c->facts.asked.id);
}

/* Who refuses does not always know which request it was, and its status is the answer then. */
bool json_is_answer(const relay_call_t *c)
{
    if (!c->reading || is_odd(c))
        return false;
    mcp_answer_t answer = judge(c);
    bool refused = c->status >= 400 && c->reading->kind == MCP_OUTCOME_ERROR;
    return answer == MCP_ANSWER_OURS || answer == MCP_ANSWER_NAMELESS ||
           (refused && answer == MCP_ANSWER_FOREIGN);
}

static bool is_foreign(const relay_call_t *c)
{
    const mcp_outcome_t *o = c->reading;
    if (!o || o->unclear || is_odd(c))
        return false;
    return o->closed ? judge(c) == MCP_ANSWER_FOREIGN : !json_may_be_ours(c);
}

static relay_reason_t reason_of(const relay_call_t *c)
{
    if (!is_foreign(c))
        return c->looked ? RELAY_LIST : RELAY_UPSTREAM_MALFORMED;
    bool mistyped = mcp_outcome_is_mistyped(c->w->scratch, c->reading, c->facts.asked.id);
    return mistyped ? RELAY_MISTYPED_ANSWER : RELAY_FOREIGN_ANSWER;
}

void json_refuse(relay_call_t *c)
{
    counter_add(c->w->counts, COUNTER_ANSWERS_DROPPED, 1);
    call_fail(c, reason_of(c));
}

void json_tell(relay_call_t *c)
{
    if (!c->reading)
        return;
    c->outcome = c->reading->kind;
    c->code = c->reading->code;
}
