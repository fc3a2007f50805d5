/* warder policy diff */
#include "cmd/command.h"
#include "cmd/policy.h"
#include "cmd/policy_chain.h"
#include "conf/conf_policy.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_BYTES = 4 << 20 };

/* How what a rule asks for has changed: a bit for each way. */
enum { SAME = 0, WIDER = 1, NARROWER = 2, OTHER = 4 };

static bool holds_all(str_list_t list, str_list_t of)
{
    for (size_t i = 0; i < of.n; i++)
        if (!str_list_has(list, of.v[i]))
            return false;
    return true;
}

/* Of what all must hold: more is narrower. */
static unsigned compare_all(str_list_t old, str_list_t new)
{
    bool grows = holds_all(new, old), shrinks = holds_all(old, new);
    if (grows && shrinks)
        return SAME;
    return grows ? NARROWER : shrinks ? WIDER : OTHER;
}

/* Of what one must hold: more is wider, and none at all is widest. */
static unsigned compare_any(str_list_t old, str_list_t new)
{
    if (old.n == 0 || new.n == 0)
        return old.n == new.n ? SAME : old.n == 0 ? NARROWER : WIDER;
    unsigned all = compare_all(old, new);
    return all == WIDER ? NARROWER : all == NARROWER ? WIDER : all;
}

/* A bound that 0 leaves out. */
static unsigned compare_most(int64_t old, int64_t new)
{
    if (old == new)
        return SAME;
    if (old == 0 || new == 0)
        return old == 0 ? NARROWER : WIDER;
    return new > old ? WIDER : NARROWER;
}

static unsigned compare_claims(const conf_gate_rule_t *old, const conf_gate_rule_t *new)
{
    bool same = old->n_claims == new->n_claims;
    if (old->n_claims == 0 || new->n_claims == 0)
        return same ? SAME : old->n_claims == 0 ? NARROWER : WIDER;
    for (size_t i = 0; same && i < old->n_claims; i++)
        same = str_eq(old->claims[i].name, new->claims[i].name) &&
               str_eq(old->claims[i].value, new->claims[i].value);
    return same ? SAME : OTHER;
}

static unsigned compare_bounds(const conf_condition_t *old, const conf_condition_t *new)
{
    unsigned change = SAME;
    if (old->has_max && new->has_max)
        change |= new->max > old->max ? WIDER : new->max < old->max ? NARROWER : SAME;
    else if (old->has_max != new->has_max)
        change |= new->has_max ? NARROWER : WIDER;
    if (old->has_min && new->has_min)
        change |= new->min < old->min ? WIDER : new->min > old->min ? NARROWER : SAME;
    else if (old->has_min != new->has_min)
        change |= new->has_min ? NARROWER : WIDER;
    if (old->max_length != new->max_length)
        change |= new->max_length < 0 || (old->max_length >= 0 && new->max_length > old->max_length)
                      ? WIDER
                      : NARROWER;
    if (old->optional != new->optional)
        change |= new->optional ? WIDER : NARROWER;
    return change;
}

static const conf_condition_t *condition_on(const conf_gate_rule_t *r, str_t path)
{
    for (size_t i = 0; i < r->n_arguments; i++)
        if (str_eq(r->arguments[i].path, path))
            return &r->arguments[i];
    return NULL;
}

static unsigned compare_arguments(const conf_gate_rule_t *old, const conf_gate_rule_t *new)
{
    unsigned change = SAME;
    for (size_t i = 0; i < new->n_arguments; i++) {
        const conf_condition_t *n = &new->arguments[i], *o = condition_on(old, n->path);
        if (!o)
            change |= NARROWER;
        else
            change |= compare_any(o->one_of, n->one_of) | compare_any(o->matches, n->matches) |
                      compare_bounds(o, n);
    }
    for (size_t i = 0; i < old->n_arguments; i++)
        if (!condition_on(new, old->arguments[i].path))
            change |= WIDER;
    return change;
}

/* Rates of different lengths cannot be told apart in a word. */
static unsigned compare_rates(const conf_gate_rule_t *old, const conf_gate_rule_t *new)
{
    unsigned change = SAME;
    if (old->n_rates == 0 || new->n_rates == 0)
        return old->n_rates == new->n_rates ? SAME : old->n_rates == 0 ? NARROWER : WIDER;
    if (old->n_rates != new->n_rates)
        return OTHER;
    for (size_t i = 0; i < old->n_rates; i++) {
        const conf_rate_t *o = &old->rates[i], *n = &new->rates[i];
        if (o->per != n->per || o->seconds != n->seconds)
            return OTHER;
        change |= n->calls > o->calls ? WIDER : n->calls < o->calls ? NARROWER : SAME;
    }
    return change;
}

static unsigned compare_rules(const conf_gate_rule_t *old, const conf_gate_rule_t *new)
{
    if (old->deny != new->deny || old->next != new->next)
        return OTHER;
    unsigned change =
        compare_all(old->scopes, new->scopes) | compare_any(old->groups, new->groups) |
        compare_any(old->roles, new->roles) | compare_any(old->issuers, new->issuers) |
        compare_any(old->clients, new->clients) | compare_any(old->subjects, new->subjects) |
        compare_claims(old, new) | compare_arguments(old, new) | compare_rates(old, new) |
        compare_most(old->max_bytes, new->max_bytes) | compare_most(old->max_age, new->max_age) |
        compare_any(old->acr, new->acr);
    if (!old->deny || (change & OTHER))
        return change;
    return (change & WIDER ? NARROWER : SAME) | (change & NARROWER ? WIDER : SAME);
}

static unsigned compare_defaults(const conf_policy_t *old, const conf_policy_t *new)
{
    if (old->default_scopes.n == 0 || new->default_scopes.n == 0)
        return compare_any(new->default_scopes, old->default_scopes);
    return compare_all(old->default_scopes, new->default_scopes);
}

/* Whether anybody at all can get through. */
static bool is_shut(const conf_policy_t *p, const policy_chain_t *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (!c->rules[i]->deny)
            return false;
    return !c->open || p->default_scopes.n == 0;
}

static unsigned compare_chains(const conf_policy_t *old, const policy_chain_t *o,
                               const conf_policy_t *new, const policy_chain_t *n)
{
    unsigned change = SAME;
    if (o->n != n->n || o->open != n->open)
        return OTHER;
    for (size_t i = 0; i < o->n; i++)
        change |= compare_rules(o->rules[i], n->rules[i]);
    return o->open ? change | compare_defaults(old, new) : change;
}

static const char *word_of(unsigned change)
{
    return change == WIDER ? "wider" : change == NARROWER ? "narrower" : "changed";
}

typedef struct {
    arena_t *a;
    const conf_policy_t *old, *new;
    buf_t out;
    size_t differences;
} diff_t;

static rc_t diff_thing(diff_t *d, const policy_thing_t *thing)
{
    policy_chain_t o, n;
    TRY(policy_chain_new(d->a, d->old, thing, &o));
    TRY(policy_chain_new(d->a, d->new, thing, &n));
    bool was_shut = is_shut(d->old, &o), shut = is_shut(d->new, &n);
    unsigned change = compare_chains(d->old, &o, d->new, &n);
    if (change == SAME || (was_shut && shut))
        return RC_OK;
    const char *word = was_shut ? "new" : shut ? "gone" : word_of(change);
    d->differences++;
    buf_fmt(&d->out, "%s: %" PRIstr " %" PRIstr "\n was\n", word,
            STR_ARG(policy_kind_word(thing->kind)), STR_ARG(thing->name));
    policy_put_chain(&d->out, d->old, &o);
    buf_put(&d->out, STR(" is\n"));
    policy_put_chain(&d->out, d->new, &n);
    return RC_OK;
}

static int by_kind_and_name(const void *left, const void *right)
{
    const policy_thing_t *a = left, *b = right;
    return a->kind != b->kind ? (int)a->kind - (int)b->kind : str_cmp(a->name, b->name);
}

/* What one rule names; into v, which may be NULL. How many they are. */
static size_t add_things_of(const conf_gate_rule_t *rule, policy_thing_t *v)
{
    size_t n = 0;
    for (gate_kind_t kind = 0; kind < GATE_TABLES; kind++) {
        str_list_t names = gate_rule_names(rule, kind);
        for (size_t k = 0; v && k < names.n; k++)
            v[n + k] = (policy_thing_t){kind, names.v[k]};
        n += names.n;
    }
    return n;
}

static size_t add_things(const conf_policy_t *p, policy_thing_t *v)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_rules; i++)
        n += add_things_of(&p->rules[i], v ? v + n : NULL);
    return n;
}

/* Every name that either policy knows, each once; then whatever no rule names. */
static rc_t diff_policies(diff_t *d)
{
    size_t n = add_things(d->old, NULL) + add_things(d->new, NULL);
    policy_thing_t *v = ARENA_ARRAY(d->a, n + 1, policy_thing_t);
    if (!v)
        return RC_MEMORY;
    n = add_things(d->old, v);
    n += add_things(d->new, v + n);
    qsort(v, n, sizeof *v, by_kind_and_name);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || by_kind_and_name(&v[i - 1], &v[i]) != 0)
            TRY(diff_thing(d, &v[i]));
    unsigned change = compare_defaults(d->old, d->new);
    if (change == SAME)
        return RC_OK;
    d->differences++;
    buf_fmt(&d->out, "%s: the default was ", word_of(change));
    policy_put_default(&d->out, d->old);
    buf_put(&d->out, STR(", is "));
    policy_put_default(&d->out, d->new);
    buf_char(&d->out, '\n');
    return RC_OK;
}

/* Of two files of one policy each, these; else those of one name. */
static const conf_policy_t *partner(const conf_t *of, const conf_t *other, size_t i)
{
    if (of->n_policies == 1 && other->n_policies == 1)
        return &other->policies[0];
    return conf_policy_find(other, of->policies[i].name);
}

static int diff_files(arena_t *a, const conf_t *old, const conf_t *new)
{
    diff_t d = {.a = a, .out = buf_new(a, TEXT_BYTES)};
    rc_t rc = RC_OK;
    for (size_t i = 0; i < old->n_policies && rc == RC_OK; i++) {
        d.old = &old->policies[i];
        d.new = partner(old, new, i);
        if (!d.new)
            buf_fmt(&d.out, "gone: the policy %" PRIstr "\n", STR_ARG(d.old->name));
        d.differences += !d.new;
        if (d.new)
            rc = diff_policies(&d);
    }
    for (size_t i = 0; i < new->n_policies; i++) {
        if (partner(new, old, i))
            continue;
        d.differences++;
        buf_fmt(&d.out, "new: the policy %" PRIstr "\n", STR_ARG(new->policies[i].name));
    }
    str_t text;
    if (rc != RC_OK || buf_done(&d.out, &text) != RC_OK)
        return command_out_of_memory();
    printf("%" PRIstr "%s", STR_ARG(text), d.differences ? "" : "the policies say the same\n");
    return EXIT_DONE;
}

static int diff(arena_t *a, const settings_t *settings, const option_t *rows, str_list_t words)
{
    const conf_t *old, *new;
    (void)settings;
    (void)rows;
    if (words.n != 2)
        return command_fail(EXIT_USAGE, "name two settings files: the old one and the new one");
    int code = policy_file_load(a, words.v[0], &old);
    if (code == EXIT_DONE)
        code = policy_file_load(a, words.v[1], &new);
    return code == EXIT_DONE ? diff_files(a, old, new) : code;
}

static int run(int argc, char **argv)
{
    return policy_command(argc, argv, NULL, 0, diff);
}

const command_t CMD_POLICY_DIFF = {"policy diff", "OLD NEW",
                                   "says what a new settings file opens and closes", run};
