#include "gate/policy.h"

#include "conf/conf_policy.h"
#include "core/buf.h"
#include "gate/judge.h"
#include "oauth/scope.h"

enum { NEEDS_BYTES = 1 << 16 };

static rc_t join(arena_t *a, str_list_t words, str_t *out)
{
    buf_t b = buf_new(a, NEEDS_BYTES);
    for (size_t i = 0; i < words.n; i++) {
        if (i > 0)
            buf_char(&b, ' ');
        buf_put(&b, words.v[i]);
    }
    return buf_done(&b, out);
}

static rc_t make_need(arena_t *a, str_list_t scopes, str_list_t acr, gate_needs_t *out)
{
    TRY(join(a, scopes, &out->scopes));
    if (!str_is_set(out->scopes))
        out->scopes = STR("");
    for (size_t i = 0; i < scopes.n; i++)
        out->has_name |= conf_scope_has_name(scopes.v[i]);
    return acr.n > 0 ? join(a, acr, &out->acr_values) : RC_OK;
}

static rc_t make_needs(arena_t *a, const conf_policy_t *conf, const gate_needs_t **out)
{
    gate_needs_t *v = ARENA_ARRAY(a, conf->n_rules + 1, gate_needs_t);
    if (!v)
        return RC_MEMORY;
    *out = v;
    for (size_t i = 0; i < conf->n_rules; i++)
        TRY(make_need(a, conf->rules[i].scopes, conf->rules[i].acr, v++));
    return make_need(a, conf->default_scopes, (str_list_t){0}, v);
}

/* A scope as it can be granted: {name} is any name. */
static rc_t grantable(arena_t *a, str_t scope, str_t *out)
{
    str_t segment;
    buf_t b = buf_new(a, NEEDS_BYTES);
    *out = scope;
    if (!conf_scope_has_name(scope))
        return RC_OK;
    for (bool first = true; str_split(&scope, ':', &segment); first = false) {
        if (!first)
            buf_char(&b, ':');
        buf_put(&b, str_eq(segment, STR("{name}")) ? STR("*") : segment);
    }
    return buf_done(&b, out);
}

/* Appends those that are not there yet; `v` has room. */
static rc_t add_scopes(arena_t *a, str_list_t scopes, str_t *v, size_t *n)
{
    for (size_t i = 0; i < scopes.n; i++) {
        TRY(grantable(a, scopes.v[i], &v[*n]));
        if (!str_list_has((str_list_t){v, *n}, v[*n]))
            ++*n;
    }
    return RC_OK;
}

static rc_t list_scopes(arena_t *a, const conf_policy_t *conf, bool initial, str_list_t *out)
{
    size_t room = conf->default_scopes.n, n = 0;
    for (size_t i = 0; i < conf->n_rules; i++)
        room += conf->rules[i].scopes.n;
    str_t *v = ARENA_ARRAY(a, room + 1, str_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < conf->n_rules; i++)
        if (!initial || conf->rules[i].initial)
            TRY(add_scopes(a, conf->rules[i].scopes, v, &n));
    if (!initial || conf->default_initial)
        TRY(add_scopes(a, conf->default_scopes, v, &n));
    *out = (str_list_t){v, n};
    return RC_OK;
}

rc_t gate_policy_new(arena_t *a, const conf_policy_t *conf, gate_policy_t **out)
{
    gate_policy_t *p = ARENA_NEW(a, gate_policy_t);
    *out = p;
    if (!p)
        return RC_MEMORY;
    p->conf = conf;
    TRY(gate_index_new(a, conf, &p->index));
    TRY(make_needs(a, conf, &p->needs));
    TRY(list_scopes(a, conf, false, &p->scopes));
    return list_scopes(a, conf, true, &p->initial);
}

str_list_t gate_policy_scopes(const gate_policy_t *p)
{
    return p->scopes;
}

str_list_t gate_policy_initial_scopes(const gate_policy_t *p)
{
    return p->initial;
}

static bool has_toll(const gate_decision_t *d, const gate_toll_t *toll)
{
    for (size_t i = 0; i < d->n_tolls; i++)
        if (d->tolls[i].rate == toll->rate)
            return true;
    return false;
}

/* A rate that could not be counted would be none. */
static void add_tolls(gate_decision_t *all, const gate_decision_t *one)
{
    for (size_t i = 0; i < one->n_tolls; i++) {
        if (has_toll(all, &one->tolls[i]))
            continue;
        if (all->n_tolls == GATE_TOLLS_MAX) {
            *all = gate_refusal(GATE_REASON_MANY_NAMES);
            return;
        }
        all->tolls[all->n_tolls++] = one->tolls[i];
    }
}

/* What is refused first in the order of what could cure it. */
static bool is_worse(gate_outcome_t a, gate_outcome_t b)
{
    static const int ORDER[] = {
        [GATE_ALLOW] = 0, [GATE_SCOPE] = 1, [GATE_STEP_UP] = 2, [GATE_SIZE] = 3, [GATE_DENY] = 4};
    return ORDER[a] > ORDER[b];
}

/* Two names of one message: the worse word, and the scopes of both. */
static rc_t combine(arena_t *a, gate_decision_t *all, const gate_decision_t *one)
{
    str_t scopes;
    TRY(oauth_scope_union(a, all->scopes, one->scopes, &scopes));
    if (all->outcome == GATE_ALLOW && one->outcome == GATE_ALLOW)
        add_tolls(all, one);
    else if (is_worse(one->outcome, all->outcome))
        *all = *one;
    all->scopes = str_is_set(scopes) ? scopes : STR("");
    return RC_OK;
}

static gate_decision_t out_of_memory(rc_t *rc)
{
    *rc = RC_MEMORY;
    return gate_refusal(GATE_REASON_MEMORY);
}

/* All resources that are listened to. A message with one name has it in `name`. */
static gate_decision_t decide_each(arena_t *a, const gate_policy_t *p, const gate_question_t *q,
                                   rc_t *rc)
{
    gate_decision_t all = {0};
    const str_list_t uris = q->request->resources;
    for (size_t i = 0; i < uris.n; i++) {
        gate_case_t c;
        if (gate_case_new(a, q, uris.v[i], &c) != RC_OK)
            return out_of_memory(rc);
        c.key.kind = GATE_RESOURCES;
        gate_decision_t one = gate_walk(a, p, &c, rc);
        if (i == 0)
            all = one;
        else if (combine(a, &all, &one) != RC_OK)
            return out_of_memory(rc);
    }
    return all;
}

gate_decision_t gate_policy_decide(arena_t *a, const gate_policy_t *p, const gate_question_t *q,
                                   rc_t *rc)
{
    gate_case_t c;
    *rc = RC_OK;
    gate_reason_t lacks = gate_case_lacks(q->request);
    if (lacks != GATE_REASON_FITS)
        return gate_refusal(lacks);
    if (q->request->resources.n > 0)
        return decide_each(a, p, q, rc);
    if (gate_case_new(a, q, q->request->name, &c) != RC_OK)
        return out_of_memory(rc);
    return gate_walk(a, p, &c, rc);
}

bool gate_policy_shows(arena_t *a, const gate_policy_t *p, const gate_principal_t *who,
                       const mcp_item_t *item)
{
    static const struct {
        mcp_object_t object;
        str_t method;
    } CALLS[] = {
        [MCP_LIST_TOOLS] = {MCP_ON_TOOL, STR_INIT("tools/call")},
        [MCP_LIST_RESOURCES] = {MCP_ON_RESOURCE, STR_INIT("resources/read")},
        [MCP_LIST_TEMPLATES] = {MCP_ON_RESOURCE, STR_INIT("resources/read")},
        [MCP_LIST_PROMPTS] = {MCP_ON_PROMPT, STR_INIT("prompts/get")},
    };
    if (item->kind >= MCP_LIST_NONE)
        return false;
    const mcp_operation_t call = {
        .message = {.kind = MCP_REQUEST, .method = CALLS[item->kind].method},
        .object = CALLS[item->kind].object,
        .name = item->name,
    };
    const gate_question_t q = {.request = &call, .who = who};
    gate_case_t c;
    rc_t rc = RC_OK;
    if (gate_case_lacks(&call) != GATE_REASON_FITS)
        return false;
    if (gate_case_new(a, &q, item->name, &c) != RC_OK)
        return false;
    c.loose = c.listing = true;
    if (item->kind == MCP_LIST_TEMPLATES && gate_case_template(a, &c) != RC_OK)
        return false;
    return gate_walk(a, p, &c, &rc).outcome == GATE_ALLOW && rc == RC_OK;
}

str_t gate_policy_shadow_text(arena_t *a, const gate_decision_t *d)
{
    if (d->outcome == GATE_ALLOW)
        return STR("allow");
    return arena_printf(a, "%" PRIstr " %" PRIstr, STR_ARG(d->reason), STR_ARG(d->rule));
}
