/* How a decision came about, rule by rule. */
#include "gate/judge.h"

typedef struct {
    gate_step_t *v;
    size_t n;
} way_t;

static void add(way_t *way, str_t rule, bool asked, str_t reason)
{
    way->v[way->n++] = (gate_step_t){rule, asked, asked ? reason : STR_UNSET};
}

/* The same walk as gate_walk, and a word on each rule that it passes. */
static rc_t walk(arena_t *a, const gate_policy_t *p, const gate_case_t *c, way_t *way)
{
    gate_cursor_t cursor = gate_cursor(&p->index, &c->key);
    gate_decision_t d;
    rc_t rc = RC_OK;
    unsigned next = 0;
    for (unsigned i = 0; i < p->conf->n_rules; i++) {
        next = gate_next_rule(p, c, &cursor, i);
        if (next != i) {
            add(way, p->conf->rules[i].name, false, STR_UNSET);
            continue;
        }
        bool decided = gate_judge(a, p, i, c, &d, &rc);
        add(way, d.rule, true, d.reason);
        if (decided && (d.outcome == GATE_ALLOW || gate_is_certain(p, i, c)))
            return rc;
    }
    (void)gate_judge(a, p, GATE_NO_RULE, c, &d, &rc);
    add(way, d.rule, true, d.reason);
    return rc;
}

/* Of several resources the first whose own decision is the whole one's. */
static rc_t decisive(arena_t *a, const gate_policy_t *p, const gate_question_t *q,
                     const gate_decision_t *d, gate_case_t *out)
{
    rc_t rc = RC_OK;
    str_list_t uris = q->request->resources;
    for (size_t i = 0; i < uris.n; i++) {
        TRY(gate_case_new(a, q, uris.v[i], out));
        out->key.kind = GATE_RESOURCES;
        gate_decision_t one = gate_walk(a, p, out, &rc);
        TRY(rc);
        if (str_eq(one.rule, d->rule) && str_eq(one.reason, d->reason))
            return RC_OK;
    }
    return uris.n > 0 ? RC_OK : gate_case_new(a, q, q->request->name, out);
}

rc_t gate_policy_explain(arena_t *a, const gate_policy_t *p, const gate_question_t *q,
                         gate_decision_t *out, const gate_step_t **steps, size_t *n)
{
    rc_t rc;
    gate_case_t c;
    *out = gate_policy_decide(a, p, q, &rc);
    TRY(rc);
    way_t way = {ARENA_ARRAY(a, p->conf->n_rules + 1, gate_step_t), 0};
    if (!way.v)
        return RC_MEMORY;
    if (gate_case_lacks(q->request) != GATE_REASON_FITS) {
        add(&way, out->rule, true, out->reason);
    } else {
        TRY(decisive(a, p, q, out, &c));
        TRY(walk(a, p, &c, &way));
    }
    *steps = way.v;
    *n = way.n;
    return RC_OK;
}
