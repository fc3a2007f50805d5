/* Decisions and rules in words. */
#include "cmd/policy.h"

#include "conf/conf_policy.h"

str_t policy_outcome_word(gate_outcome_t outcome)
{
    static const str_t WORDS[] = {
        [GATE_ALLOW] = STR_INIT("allow"),     [GATE_SCOPE] = STR_INIT("scope"),
        [GATE_STEP_UP] = STR_INIT("step-up"), [GATE_DENY] = STR_INIT("deny"),
        [GATE_SIZE] = STR_INIT("size"),
    };
    return WORDS[outcome];
}

static void put_step_up(buf_t *b, const gate_decision_t *d)
{
    buf_put(b, STR("401 insufficient_user_authentication"));
    if (str_is_set(d->acr_values))
        buf_fmt(b, ", acr_values=\"%" PRIstr "\"", STR_ARG(d->acr_values));
    if (d->max_age_s > 0)
        buf_fmt(b, ", max_age=%lld", (long long)d->max_age_s);
    if (d->scopes.n > 0)
        buf_fmt(b, ", scope=\"%" PRIstr "\"", STR_ARG(d->scopes));
    buf_put(b, STR(": the client may have the person sign in again"));
}

void policy_put_answer(buf_t *b, const gate_decision_t *d)
{
    switch (d->outcome) {
    case GATE_ALLOW:
        buf_put(b, STR("what the server answers"));
        if (d->n_tolls > 0)
            buf_put(b, STR(", or 429 once a rate is used up"));
        break;
    case GATE_SCOPE:
        buf_fmt(b,
                "403 insufficient_scope, scope=\"%" PRIstr
                "\": the client may ask for more and try "
                "again",
                STR_ARG(d->scopes));
        break;
    case GATE_STEP_UP:
        put_step_up(b, d);
        break;
    case GATE_DENY:
        buf_put(b, STR("403 without a challenge: nothing that the client can ask for helps"));
        break;
    case GATE_SIZE:
        buf_put(b, STR("413: the message is too long"));
        break;
    }
}

static void next_part(buf_t *b)
{
    if (b->n > 0 && b->p[b->n - 1] != ' ')
        buf_put(b, STR("; "));
}

static void put_words(buf_t *b, const char *what, str_list_t list)
{
    if (list.n == 0)
        return;
    next_part(b);
    buf_put(b, str_c(what));
    for (size_t i = 0; i < list.n; i++) {
        buf_put(b, i > 0 ? STR(", ") : STR(" "));
        buf_put(b, list.v[i]);
    }
}

static void put_condition(buf_t *b, const conf_condition_t *c)
{
    next_part(b);
    buf_fmt(b, "argument %" PRIstr "%s", STR_ARG(c->path), c->optional ? ", if there," : "");
    if (c->has_min)
        buf_fmt(b, " at least %.17g", c->min);
    if (c->has_max)
        buf_fmt(b, " at most %.17g", c->max);
    for (size_t i = 0; i < c->one_of.n; i++)
        buf_fmt(b, "%s %" PRIstr, i > 0 ? " or" : "", STR_ARG(c->one_of.v[i]));
    for (size_t i = 0; i < c->matches.n; i++)
        buf_fmt(b, "%s %" PRIstr, i > 0 ? " or" : " like", STR_ARG(c->matches.v[i]));
    if (c->max_length >= 0)
        buf_fmt(b, " of length %lld at most", (long long)c->max_length);
    if (!c->has_min && !c->has_max && c->one_of.n + c->matches.n == 0 && c->max_length < 0)
        buf_put(b, STR(" is there"));
}

static void put_rate(buf_t *b, const conf_rate_t *r)
{
    static const char *const OF[] = {"each subject", "each client", "each subject at each tool",
                                     "all together"};
    next_part(b);
    buf_fmt(b, "at most %u calls in %u seconds of %s", r->calls, r->seconds, OF[r->per]);
}

void policy_put_rule(buf_t *b, const conf_gate_rule_t *r)
{
    size_t begin = b->n;
    put_words(b, "scopes", r->scopes);
    put_words(b, "one of the groups", r->groups);
    put_words(b, "one of the roles", r->roles);
    put_words(b, "issuer", r->issuers);
    put_words(b, "client", r->clients);
    put_words(b, "subject", r->subjects);
    for (size_t i = 0; i < r->n_claims; i++) {
        next_part(b);
        buf_fmt(b, "claim %" PRIstr " %" PRIstr, STR_ARG(r->claims[i].name),
                STR_ARG(r->claims[i].value));
    }
    for (size_t i = 0; i < r->n_arguments; i++)
        put_condition(b, &r->arguments[i]);
    if (r->max_age > 0) {
        next_part(b);
        buf_fmt(b, "signed in at most %lld seconds ago", (long long)r->max_age);
    }
    put_words(b, "signed in by", r->acr);
    for (size_t i = 0; i < r->n_rates; i++)
        put_rate(b, &r->rates[i]);
    if (r->max_bytes > 0) {
        next_part(b);
        buf_fmt(b, "at most %lld bytes", (long long)r->max_bytes);
    }
    if (b->n == begin)
        buf_put(b, STR("anybody with a valid token"));
}

void policy_put_default(buf_t *b, const conf_policy_t *p)
{
    if (p->default_scopes.n == 0)
        buf_put(b, STR("nobody"));
    else
        put_words(b, "scopes", p->default_scopes);
}
