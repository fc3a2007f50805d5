/* Any body as a pushed request: what is taken means the same when the browser comes with it. */
#include "oauth/pushed.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const str_t URIS[] = {STR_INIT("https://c.test/cb?x=1"), STR_INIT("http://127.0.0.1/cb")};
static const scope_text_t SCOPES[] = {{STR_INIT("a:*"), STR_INIT("A")},
                                      {STR_INIT("b"), STR_INIT("B")}};
static const resource_t RESOURCE = {.uri = STR_INIT("https://rs.test/mcp"),
                                    .scopes = SCOPES,
                                    .n_scopes = 2,
                                    .default_scope = STR_INIT("b")};
static const client_t CLIENT = {.id = STR_INIT("c"),
                                .origin = CLIENT_BY_REGISTRATION,
                                .grants = GRANT_AUTHORIZATION_CODE,
                                .redirect_uris = {URIS, 2}};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void must_equal(const authz_request_t *one, const authz_request_t *two)
{
    must(str_eq(one->redirect_uri, two->redirect_uri) && str_eq(one->state, two->state));
    must(str_eq(one->code_challenge, two->code_challenge) && str_eq(one->nonce, two->nonce));
    must(str_eq(one->scope, two->scope) && str_eq(one->resource, two->resource));
    must(str_eq(one->prompt, two->prompt) && one->max_age == two->max_age);
    must(str_eq(one->acr_values, two->acr_values));
}

/* As the browser does: nothing but who asks and the reference. */
static void come_back(arena_t *a, oauth_authorize_facts_t *facts, const oauth_pushed_verdict_t *out,
                      const form_t *form)
{
    bool fine;
    authz_request_t direct, pushed;
    oauth_authorize_finding_t found;
    oauth_authorize_verdict_t answer;
    oauth_authorize_request_t in = {.form = form, .is_pushed = true};
    facts->pushed = out->effects.v[0].u.pushed;
    in.client_id = CLIENT.id;
    in.pushed = facts->pushed->id;
    if (oauth_authorize_judge(a, facts, form, &direct, &found) != RC_OK ||
        oauth_authorize_check(a, facts, &in, &pushed, &fine, &answer) != RC_OK)
        return;
    must(found.reason == OAUTH_FINE && fine);
    must_equal(&direct, &pushed);
}

static void push(arena_t *a, const form_t *form)
{
    random_fake_t state = {0};
    random_port_t random = random_fake(&state);
    oauth_settings_t settings = oauth_settings_default();
    settings.issuer = STR("https://as.test");
    const oauth_resources_t resources = {&RESOURCE, 1, STR_UNSET};
    const oauth_client_claim_t claim = {.client_id = CLIENT.id};
    oauth_pushed_verdict_t out;
    const oauth_pushed_facts_t facts = {.settings = &settings,
                                        .random = &random,
                                        .now = 1000,
                                        .resources = &resources,
                                        .claim = &claim,
                                        .client = &CLIENT,
                                        .form = form};
    oauth_authorize_facts_t later = {.settings = &settings,
                                     .random = &random,
                                     .now = 1001,
                                     .resources = &resources,
                                     .client = &CLIENT};
    if (oauth_pushed_decide(a, &facts, &out) != RC_OK)
        return;
    must((out.reason == OAUTH_FINE) == (out.effects.n == 1) && str_is_set(out.body));
    if (out.reason == OAUTH_FINE)
        come_back(a, &later, &out, form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    form_t form;
    arena_t *a = arena_new(8 << 20);
    if (!a)
        return 0;
    if (form_parse(a, str_of(data, size), &form) == RC_OK)
        push(a, &form);
    arena_free(a);
    return 0;
}
