/* Any bytes as a file of policies. What is refused has its one sentence; what is taken keeps the
 * promises that whoever decides by it relies on. */
#include "conf/conf_policy.h"
#include "core/glob.h"

#include <stdlib.h>

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_patterns(str_list_t list)
{
    for (size_t i = 0; i < list.n; i++) {
        check(list.v[i].n > 0 && list.v[i].n <= GLOB_BYTES);
        check(glob_covers(list.v[i], list.v[i]) && glob_meets(list.v[i], list.v[i]));
        check(glob_covers(STR("*"), list.v[i]));
    }
}

static void check_conditions(const conf_gate_rule_t *r)
{
    check(r->n_arguments <= CONF_CONDITIONS_MAX && r->n_rates <= CONF_RATES_MAX);
    for (size_t i = 0; i < r->n_arguments; i++) {
        const conf_condition_t *c = &r->arguments[i];
        check(c->path.n > 0 && c->max_length >= -1);
        check(!c->has_min || !c->has_max || c->min <= c->max);
        check_patterns(c->matches);
    }
    for (size_t i = 0; i < r->n_rates; i++)
        check(r->rates[i].calls > 0 && r->rates[i].seconds > 0);
}

static void check_rule(const conf_gate_rule_t *r)
{
    check(r->name.n > 0 && r->name.n <= 64);
    check_patterns(r->tools);
    check_patterns(r->resources);
    check_patterns(r->prompts);
    check_patterns(r->methods);
    check_patterns(r->clients);
    check_patterns(r->subjects);
    check_conditions(r);
    check(!r->deny || (!r->next && !r->initial && r->scopes.n + r->n_rates + r->acr.n == 0));
    check(!r->next || conf_rule_is_conditional(r));
}

static void check_policy(const conf_policy_t *p)
{
    check(p->name.n > 0 && p->n_rules <= CONF_RULES_MAX);
    check(p->groups_claim.n > 0 && p->roles_claim.n > 0);
    for (size_t i = 0; i < p->n_rules; i++)
        check_rule(&p->rules[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(64 << 20);
    conf_sources_t s = {.file_name = STR("f"), .file = str_of(data, size)};
    const conf_t *conf;
    str_t why;
    rc_t rc = conf_load(a, &s, &conf, &why);
    check(rc == RC_OK || (rc == RC_CONFIG && why.n > 0 && str_is_printable_ascii(why)));
    for (size_t i = 0; rc == RC_OK && i < conf->n_policies; i++)
        check_policy(&conf->policies[i]);
    arena_free(a);
    return 0;
}
