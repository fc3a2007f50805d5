/* Any query as an authorization request, of a signed-in person and of nobody. Nobody is led to a
 * URI that is not registered; and what is let through is whole. */
#include "oauth/authorize.h"
#include "oauth/redirect_uri.h"
#include "oauth/scope.h"

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
static const user_t USER = {.id = STR_INIT("u")};
static const session_t SESSION = {.user_id = STR_INIT("u"), .auth_time = 999};

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Where the answer goes begins with one of the registered URIs, or is on this machine. */
static void check_target(str_t redirect)
{
    if (!str_is_set(redirect))
        return;
    must(str_starts(redirect, STR("https://c.test/cb?x=1&")) ||
         str_starts(redirect, STR("http://127.0.0.1")) ||
         str_starts(redirect, STR("http://localhost")) ||
         str_starts(redirect, STR("http://[::1]")));
    must(str_is_printable_ascii(redirect));
}

static void check_request(const authz_request_t *r)
{
    str_t chosen;
    must(oauth_redirect_uri_choose(CLIENT.redirect_uris, r->redirect_uri, &chosen) == OAUTH_FINE);
    must(r->code_challenge.n == 43 && str_eq(r->resource, RESOURCE.uri));
    must(r->scope.n > 0 && oauth_scope_covers(STR("a:* b"), r->scope));
}

static void check(arena_t *a, const oauth_authorize_facts_t *facts, const form_t *form)
{
    authz_request_t request;
    oauth_authorize_verdict_t out;
    bool fine;
    oauth_authorize_request_t in = oauth_authorize_read(form, NULL);
    if (oauth_authorize_check(a, facts, &in, &request, &fine, &out) != RC_OK)
        return;
    if (fine) {
        check_request(&request);
        if (oauth_authorize_next(a, facts, &request, &out) != RC_OK)
            return;
    }
    check_target(out.redirect);
    must(facts->session || out.kind != OAUTH_AUTHORIZE_REDIRECT);
    must(out.kind != OAUTH_AUTHORIZE_REDIRECT || str_is_set(out.redirect));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    form_t form;
    arena_t *a = arena_new(8 << 20);
    if (!a)
        return 0;
    random_fake_t state = {0};
    random_port_t random = random_fake(&state);
    oauth_settings_t settings = oauth_settings_default();
    settings.issuer = STR("https://as.test");
    const oauth_resources_t resources = {&RESOURCE, 1, STR_UNSET};
    oauth_authorize_facts_t facts = {.settings = &settings,
                                     .random = &random,
                                     .now = 1000,
                                     .resources = &resources,
                                     .client = &CLIENT};
    if (form_parse(a, str_of(data, size), &form) == RC_OK) {
        check(a, &facts, &form);
        facts.session = &SESSION;
        facts.user = &USER;
        check(a, &facts, &form);
    }
    arena_free(a);
    return 0;
}
