/* The authorization request: stage A answers with a page, stage B to the client. */
#include "oauth/oauth_test_world.h"

#include "core/limits.h"
#include "oauth/authorize.h"

#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define PKCE      "&code_challenge=" CHALLENGE "&code_challenge_method=S256"
#define CLIENT    "client_id=client-1&redirect_uri=https://c.test/cb&state=s%20t"
#define GOOD      CLIENT "&response_type=code" PKCE

typedef struct {
    world_t w;
    bool anonymous;
    bool unknown_client;
    bool fine;
    authz_request_t request;
    oauth_authorize_verdict_t out;
} play_t;

static oauth_authorize_facts_t facts_of(play_t *p)
{
    world_t *w = &p->w;
    return (oauth_authorize_facts_t){
        .settings = &w->settings,
        .random = &w->random,
        .now = TEST_NOW,
        .resources = &w->resources,
        .client = p->unknown_client ? NULL : &w->client,
        .session = p->anonymous ? NULL : &w->session,
        .user = p->anonymous ? NULL : &w->user,
    };
}

static void ask(play_t *p, const char *query)
{
    form_t form = world_form(&p->w, query);
    oauth_authorize_request_t in = oauth_authorize_read(&form, NULL);
    oauth_authorize_facts_t facts = facts_of(p);
    p->out = (oauth_authorize_verdict_t){0};
    assert_int_equal(oauth_authorize_check(p->w.a, &facts, &in, &p->request, &p->fine, &p->out),
                     RC_OK);
}

static void good_is_fine(play_t *p)
{
    ask(p, GOOD);
    assert_true(p->fine);
    assert_text(p->request.client_id, "client-1");
    assert_text(p->request.redirect_uri, "https://c.test/cb");
    assert_text(p->request.state, "s t");
    assert_text(p->request.code_challenge, CHALLENGE);
    assert_text(p->request.resource, "https://rs.test/mcp");
    assert_text(p->request.scope, "a:read");
    assert_int_equal(p->request.max_age, -1);
    assert_true(p->request.redirect_uri_given);
}

/* Refusals before the redirect URI is trusted. */
static const struct page_row {
    const char *reason, *query;
} PAGES[] = {
    {"client_id_missing", "response_type=code"},
    {"client_id_missing", "client_id=&response_type=code"},
    {"parameter_repeated", "client_id=client-1&client_id=client-1"},
    {"parameter_repeated", GOOD "&redirect_uri=https://c.test/cb"},
    {"redirect_uri_not_registered",
     "client_id=client-1&redirect_uri=https://evil.test/cb&state=x&response_type=code" PKCE},
    {"redirect_uri_not_registered", "client_id=client-1&redirect_uri=https://c.test/cb/"},
    {"client_not_registered", NULL},
    {"pushed_unknown", "client_id=client-1&request_uri=urn:ietf:params:oauth:request_uri:x"},
    {"pushed_unknown", GOOD "&request_uri=urn:ietf:params:oauth:request_uri:"},
    {"redirect_uri_missing", NULL},
    {"state_too_long", NULL},
    {"parameter_too_long", NULL},
};

static char *of_size(play_t *p, const char *before, size_t n)
{
    size_t front = strlen(before);
    char *text = arena_alloc(p->w.a, front + n + 1);
    assert_non_null(text);
    memcpy(text, before, front);
    memset(text + front, 'a', n);
    return text;
}

/* Rows whose world or size is special. */
static const char *special_query(play_t *p, const char *reason)
{
    if (strcmp(reason, "client_not_registered") == 0)
        p->unknown_client = true;
    if (strcmp(reason, "redirect_uri_missing") == 0)
        p->w.client.redirect_uris.n = 3;
    if (strcmp(reason, "state_too_long") == 0)
        return of_size(p, "client_id=client-1&state=", LIMIT_STATE_BYTES + 1);
    if (strcmp(reason, "parameter_too_long") == 0)
        return of_size(p, "client_id=", LIMIT_CLIENT_ID_BYTES + 1);
    return "client_id=client-1&response_type=code" PKCE;
}

/* attack cases: RED-001, RED-008 */
static void refused_with_a_page(void **state)
{
    const struct page_row *row = *state;
    play_t p = {0};
    world_begin(&p.w);
    ask(&p, row->query ? row->query : special_query(&p, row->reason));
    assert_false(p.fine);
    assert_reason(p.out.reason, world_reason(row->reason));
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_PAGE);
    assert_unset(p.out.redirect);
    assert_no_effects(&p.out.effects);
    assert_true(p.out.has_event && !p.out.event.allowed);
    assert_str(p.out.event.reason, str_c(row->reason));
    world_end(&p.w);
    world_begin(&p.w);
    p.unknown_client = false;
    good_is_fine(&p);
    world_end(&p.w);
}

/* Refusals that the client learns of. */
static const struct error_row {
    const char *reason, *error, *query;
} ERRORS[] = {
    {"parameter_repeated", "invalid_request", GOOD "&scope=a&scope=b"},
    {"parameter_repeated", "invalid_request", GOOD "&code_challenge=" CHALLENGE},
    {"parameter_too_long", "invalid_request", NULL},
    {"response_type_missing", "invalid_request", CLIENT PKCE},
    {"response_type_unsupported", "unsupported_response_type", CLIENT "&response_type=token" PKCE},
    {"response_type_unsupported", "unsupported_response_type",
     CLIENT "&response_type=code%20id_token" PKCE},
    {"grant_not_registered", "unauthorized_client", GOOD},
    {"response_mode_unsupported", "invalid_request", GOOD "&response_mode=fragment"},
    {"request_not_supported", "request_not_supported", GOOD "&request=e30.e30."},
    {"request_uri_not_supported", "request_uri_not_supported",
     GOOD "&request_uri=https://evil.test/r"},
    {"pkce_missing", "invalid_request", CLIENT "&response_type=code"},
    {"pkce_method", "invalid_request", CLIENT "&response_type=code&code_challenge=" CHALLENGE},
    {"pkce_method", "invalid_request",
     CLIENT "&response_type=code&code_challenge_method=plain&code_challenge=" CHALLENGE},
    {"pkce_challenge", "invalid_request",
     CLIENT "&response_type=code&code_challenge_method=S256&code_challenge=short"},
    {"dpop_jkt_malformed", "invalid_request", GOOD "&dpop_jkt=abc"},
    {"dpop_jkt_malformed", "invalid_request", GOOD "&dpop_jkt=" CHALLENGE "A"},
    {"parameter_repeated", "invalid_request", GOOD "&dpop_jkt=" CHALLENGE "&dpop_jkt=" CHALLENGE},
    {"prompt_conflict", "invalid_request", GOOD "&prompt=none%20login"},
    {"request_uri_not_supported", "request_uri_not_supported",
     GOOD "&request_uri=URN:ietf:params:oauth:request_uri:x"},
    {"parameter_repeated", "invalid_request",
     GOOD "&request_uri=urn:ietf:params:oauth:request_uri:x&request_uri=y"},
    {"acr_unmet", "unmet_authentication_requirements", GOOD "&acr_values=phr%20phrh"},
    {"max_age_malformed", "invalid_request", GOOD "&max_age=-1"},
    {"max_age_malformed", "invalid_request", GOOD "&max_age=1x"},
    {"resource_malformed", "invalid_target", GOOD "&resource=mcp.test"},
    {"resource_unknown", "invalid_target", GOOD "&resource=https://unknown.test"},
    {"resource_several", "invalid_target",
     GOOD "&resource=https://rs.test/mcp&resource=https://other.test"},
    {"resource_missing", "invalid_target", GOOD},
    {"scope_malformed", "invalid_scope", GOOD "&scope=%22x"},
    {"scope_malformed", "invalid_scope", GOOD "&scope=a%5Cb"},
    {"scope_malformed", "invalid_scope", GOOD "&scope=a:read%7f"},
    {"scope_malformed", "invalid_scope", GOOD "&scope=a:read%09b"},
    {"scope_too_long", "invalid_scope", NULL},
    {"scope_empty", "invalid_scope", GOOD},
};

static const char *bend(play_t *p, const struct error_row *row)
{
    if (strcmp(row->reason, "grant_not_registered") == 0)
        p->w.client.grants = GRANT_CLIENT_CREDENTIALS;
    if (strcmp(row->reason, "resource_missing") == 0)
        p->w.resources.default_uri = STR_UNSET;
    if (strcmp(row->reason, "scope_empty") == 0)
        p->w.client.scope = STR("b");
    if (strcmp(row->reason, "parameter_too_long") == 0)
        return of_size(p, GOOD "&nonce=", LIMIT_NONCE_BYTES + 1);
    if (strcmp(row->reason, "scope_too_long") == 0)
        return of_size(p, GOOD "&scope=", LIMIT_SCOPE_BYTES + 1);
    return row->query;
}

/* attack cases: AZ-002, AZ-003, AZ-004, AZ-008, META-004 */
static void refused_at_the_client(void **state)
{
    const struct error_row *row = *state;
    play_t p = {0};
    world_begin(&p.w);
    ask(&p, bend(&p, row));
    assert_false(p.fine);
    assert_reason(p.out.reason, world_reason(row->reason));
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_true(str_starts(p.out.redirect, STR("https://c.test/cb?error=")));
    assert_str(world_parameter(&p.w, p.out.redirect, "error"), str_c(row->error));
    assert_text(world_parameter(&p.w, p.out.redirect, "state"), "s t");
    assert_text(world_parameter(&p.w, p.out.redirect, "iss"), "https://as.test");
    assert_unset(world_parameter(&p.w, p.out.redirect, "code"));
    assert_no_effects(&p.out.effects);
    assert_true(p.out.has_event && !p.out.event.allowed);
    world_end(&p.w);
    world_begin(&p.w);
    good_is_fine(&p);
    world_end(&p.w);
}

/* attack case: RED-014 */
static void no_open_redirector(void **state)
{
    const struct error_row *row = *state;
    play_t p = {.anonymous = true};
    world_begin(&p.w);
    ask(&p, bend(&p, row));
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_PAGE);
    assert_true(str_starts(p.out.redirect, STR("https://c.test/cb?error=")));
    p.w.client.origin = CLIENT_BY_ADMIN;
    ask(&p, bend(&p, row));
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    world_end(&p.w);
}

static void a_disabled_account_counts_as_nobody(void **state)
{
    (void)state;
    play_t p = {0};
    world_begin(&p.w);
    p.w.user.disabled = true;
    ask(&p, CLIENT PKCE);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_PAGE);
    p.w.user.disabled = false;
    p.w.session.user_id = STR("somebody else");
    ask(&p, CLIENT PKCE);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_PAGE);
    world_end(&p.w);
}

/* attack case: RED-001 */
static void the_trail_names_the_rejected_uri(void **state)
{
    (void)state;
    play_t p = {0};
    world_begin(&p.w);
    ask(&p, "client_id=client-1&redirect_uri=https://evil.test/cb");
    assert_text(p.out.event.detail, "not registered: https://evil.test/cb");
    assert_text(p.out.event.client, "client-1");
    assert_text(p.out.event.user, "user-1");
    world_end(&p.w);
}

/* attack case: RED-010 */
static void parameters_in_two_places(void **state)
{
    (void)state;
    play_t p = {0};
    world_begin(&p.w);
    form_t query = world_form(&p.w, "client_id=client-2"), body = world_form(&p.w, GOOD);
    form_t none = world_form(&p.w, "");
    oauth_authorize_request_t in = oauth_authorize_read(&query, &body);
    assert_reason(in.reason, OAUTH_PARAMETERS_IN_TWO_PLACES);
    oauth_authorize_facts_t facts = facts_of(&p);
    assert_int_equal(oauth_authorize_check(p.w.a, &facts, &in, &p.request, &p.fine, &p.out), RC_OK);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_PAGE);
    in = oauth_authorize_read(&none, &body);
    assert_reason(in.reason, OAUTH_FINE);
    assert_text(in.client_id, "client-1");
    world_end(&p.w);
}

static void a_forgotten_registration_is_not_registered(void **state)
{
    (void)state;
    play_t p = {0};
    world_begin(&p.w);
    p.w.client.expires_at = TEST_NOW;
    ask(&p, GOOD);
    assert_reason(p.out.reason, OAUTH_CLIENT_NOT_REGISTERED);
    assert_true(str_contains(p.out.description, STR("register anew")));
    world_end(&p.w);
}

/* attack case: AZ-004 */
static void the_key_that_must_redeem(void **state)
{
    (void)state;
    play_t p = {0};
    world_begin(&p.w);
    ask(&p, GOOD "&dpop_jkt=" CHALLENGE);
    assert_true(p.fine);
    assert_text(p.request.dpop_jkt, CHALLENGE);
    p.w.settings.dpop = OAUTH_DPOP_OFF;
    ask(&p, GOOD "&dpop_jkt=any");
    assert_true(p.fine);
    assert_unset(p.request.dpop_jkt);
    world_end(&p.w);
}

static void unknown_parameters_are_ignored(void **state)
{
    (void)state;
    play_t p = {0};
    world_begin(&p.w);
    ask(&p, GOOD "&foo=bar&foo=baz&claims=%7B%7D&registration=%7B%7D&request=&response_mode=query"
                 "&prompt=create&max_age=0&nonce=n");
    assert_true(p.fine);
    assert_text(p.request.nonce, "n");
    assert_int_equal(p.request.max_age, 0);
    world_end(&p.w);
}

static void state_and_redirect_uri_may_be_absent(void **state)
{
    (void)state;
    play_t p = {0};
    world_begin(&p.w);
    ask(&p, "client_id=client-1&response_type=code" PKCE);
    assert_true(p.fine);
    assert_unset(p.request.state);
    assert_text(p.request.redirect_uri, "https://c.test/cb");
    assert_false(p.request.redirect_uri_given);
    ask(&p, "client_id=client-1&response_type=token" PKCE);
    assert_unset(world_parameter(&p.w, p.out.redirect, "state"));
    world_end(&p.w);
}

static void a_loopback_uri_is_answered_as_it_was_asked(void **state)
{
    (void)state;
    play_t p = {0};
    world_begin(&p.w);
    p.w.client.redirect_uris = (str_list_t){&p.w.redirect_uris[1], 1};
    ask(&p, "client_id=client-1&redirect_uri=http://localhost:61000/cb&response_type=code" PKCE);
    assert_true(p.fine);
    assert_text(p.request.redirect_uri, "http://localhost:61000/cb");
    world_end(&p.w);
}

/* attack cases: AZ-008, AZ-009 */
static void scopes_are_narrowed(void **state)
{
    (void)state;
    static const struct {
        const char *client, *asked, *granted;
    } ROWS[] = {
        {NULL, "", "a:read"},
        {NULL, "&scope=", "a:read"},
        {NULL, "&scope=a:write", "a:write"},
        {NULL, "&scope=a:write+a:read+a:write", "a:write a:read"},
        {NULL, "&scope=a:read++a:read+", "a:read"},
        {NULL, "&scope=a:read+offline_access", "a:read"},
        {NULL, "&scope=a:write+never:heard+openid", "a:write"},
        {NULL, "&scope=openid+profile+email+offline_access", "a:read"},
        {NULL, "&scope=admin+*+a:*", "a:read"},
        {NULL, "&scope=b&resource=https://other.test/", "b"},
        {"a:read", "&scope=a:read+a:write", "a:read"},
        {"a:write", "", NULL},
        {"a:write b", "&scope=a:read+a:write", "a:write"},
    };
    play_t p = {0};
    world_begin(&p.w);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        str_t query = arena_printf(p.w.a, "%s%s", GOOD, ROWS[i].asked);
        p.w.client.scope = str_c(ROWS[i].client);
        ask(&p, query.p);
        assert_int_equal(p.fine, ROWS[i].granted != NULL);
        if (ROWS[i].granted)
            assert_str(p.request.scope, str_c(ROWS[i].granted));
        else
            assert_reason(p.out.reason, OAUTH_SCOPE_EMPTY);
    }
    world_end(&p.w);
}

static void a_resource_without_scopes_has_tokens_without_scope(void **state)
{
    (void)state;
    play_t p = {0};
    world_begin(&p.w);
    p.w.resource[0].n_scopes = 0;
    p.w.resource[0].default_scope = STR_UNSET;
    ask(&p, GOOD "&scope=whatever");
    assert_true(p.fine);
    assert_unset(p.request.scope);
    world_end(&p.w);
}

static void the_error_says_which_resources_there_are(void **state)
{
    (void)state;
    play_t p = {0};
    world_begin(&p.w);
    ask(&p, GOOD "&resource=https://rs.test/mcpx");
    str_t said = world_parameter(&p.w, p.out.redirect, "error_description");
    assert_true(str_contains(said, STR("https://rs.test/mcp")));
    world_end(&p.w);
}

static rc_t check_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    oauth_authorize_facts_t facts = facts_of(p);
    authz_request_t request;
    oauth_authorize_verdict_t out;
    bool fine;
    form_t form = world_form(w, p->fine ? GOOD : GOOD "&resource=https://x.test");
    oauth_authorize_request_t in = oauth_authorize_read(&form, NULL);
    return oauth_authorize_check(a, &facts, &in, &request, &fine, &out);
}

static void without_memory(void **state)
{
    (void)state;
    play_t p = {.fine = true};
    world_begin(&p.w);
    world_starve(check_in, &p.w, &p);
    p.fine = false;
    world_starve(check_in, &p.w, &p);
    world_end(&p.w);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct CMUnitTest OTHERS[] = {
    cmocka_unit_test(a_disabled_account_counts_as_nobody),
    cmocka_unit_test(the_trail_names_the_rejected_uri),
    cmocka_unit_test(parameters_in_two_places),
    cmocka_unit_test(a_forgotten_registration_is_not_registered),
    cmocka_unit_test(the_key_that_must_redeem),
    cmocka_unit_test(unknown_parameters_are_ignored),
    cmocka_unit_test(state_and_redirect_uri_may_be_absent),
    cmocka_unit_test(a_loopback_uri_is_answered_as_it_was_asked),
    cmocka_unit_test(scopes_are_narrowed),
    cmocka_unit_test(a_resource_without_scopes_has_tokens_without_scope),
    cmocka_unit_test(the_error_says_which_resources_there_are),
    cmocka_unit_test(without_memory),
};

int main(void)
{
    struct CMUnitTest tests[COUNT(PAGES) + 2 * COUNT(ERRORS) + COUNT(OTHERS)];
    size_t n = 0;
    for (size_t i = 0; i < COUNT(PAGES); i++)
        tests[n++] = world_row_test(PAGES[i].reason, refused_with_a_page, &PAGES[i]);
    for (size_t i = 0; i < COUNT(ERRORS); i++)
        tests[n++] = world_row_test(ERRORS[i].reason, refused_at_the_client, &ERRORS[i]);
    for (size_t i = 0; i < COUNT(ERRORS); i++)
        tests[n++] = world_row_test("no_open_redirector", no_open_redirector, &ERRORS[i]);
    memcpy(tests + n, OTHERS, sizeof OTHERS);
    return world_run(tests, COUNT(tests));
}
