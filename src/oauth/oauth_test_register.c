#include "oauth/oauth_test_register.h"

static const str_t SCHEMES[] = {STR_INIT("cursor")};

void reg_begin(reg_t *p)
{
    *p = (reg_t){0};
    world_begin(&p->w);
    p->w.settings.redirects.schemes = (str_list_t){SCHEMES, 1};
    p->facts = (oauth_register_facts_t){
        .settings = &p->w.settings,
        .random = &p->w.random,
        .now = TEST_NOW,
        .resources = &p->w.resources,
    };
}

void reg_ask(reg_t *p, const char *body)
{
    p->facts.body = str_c(body);
    assert_int_equal(oauth_register_decide(p->w.a, &p->facts, &p->out), RC_OK);
    p->body = world_json(&p->w, p->out.body);
    assert_int_equal(p->out.event.kind, AUDIT_CLIENT_REGISTERED);
    assert_false(str_contains(p->out.body, STR("null")));
}

const client_t *reg_fine(reg_t *p, const char *body)
{
    reg_ask(p, body);
    assert_reason(p->out.reason, OAUTH_FINE);
    assert_int_equal(p->out.status, 201);
    assert_true(p->out.event.allowed);
    const effect_t *last = &p->out.effects.v[p->out.effects.n - 1];
    assert_int_equal(last->kind, EFFECT_CLIENT_INSERT);
    return last->u.client;
}

void reg_refused(reg_t *p, const char *body, oauth_reason_t reason)
{
    reg_ask(p, body);
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, oauth_reason_status(reason));
    assert_str(json_get_str(p->body, STR("error")), oauth_reason_error(reason));
    assert_no_effects(&p->out.effects);
    assert_false(p->out.event.allowed);
}

bool reg_lists(const json_t *array, const char *const *texts)
{
    const json_t *v = json_is(array, JSON_ARRAY) ? array->child : NULL;
    for (; v && *texts; v = v->next, texts++)
        if (!str_eq(v->str, str_c(*texts)))
            return false;
    return !v && !*texts;
}
