#include "oauth/oauth_test_issuers.h"

#include "oauth/subject.h"

#define GRANT "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion="

typedef struct {
    token_play_t p;
    oauth_issuer_t *issuers;
    test_signer_t signer;
    user_t person;
} play_t;

static void begin(play_t *b)
{
    *b = (play_t){0};
    token_begin(&b->p);
    b->issuers = test_trust(&b->p);
    b->signer = test_signer(&b->p.w, ALG_ES256);
    b->p.issuer_jwks = b->signer.jwks;
    b->p.w.client.grants |= GRANT_JWT_BEARER;
}

static void end(play_t *b)
{
    token_end(&b->p);
}

/* `name` and `value` change one claim; both NULL: none. `more` are further parameters. */
static const char *form_of(play_t *b, str_t claims, const char *name, const char *value,
                           const char *more)
{
    world_t *w = &b->p.w;
    bool jag = str_contains(claims, STR(TEST_IDP));
    if (name)
        claims = test_replace(w, claims, name, value);
    str_t text = test_sign(w, &b->signer, jag ? "oauth-id-jag+jwt" : NULL, "k1", claims);
    return arena_printf(w->a, "%s" GRANT "%" PRIstr "%s", jag ? "client_id=client-1&" : "",
                        STR_ARG(text), more)
        .p;
}

static void person_gets(play_t *b, const char *name, const char *value, const char *more)
{
    token_ask(&b->p, form_of(b, STR(TEST_JAG), name, value, more));
    assert_reason(b->p.out.reason, OAUTH_FINE);
}

static void person_refused(play_t *b, const char *name, const char *value, const char *more,
                           oauth_reason_t reason)
{
    token_refused(&b->p, form_of(b, STR(TEST_JAG), name, value, more), reason);
}

static void workload_gets(play_t *b, const char *name, const char *value, const char *more)
{
    token_ask(&b->p, form_of(b, STR(TEST_WORKLOAD), name, value, more));
    assert_reason(b->p.out.reason, OAUTH_FINE);
}

static void workload_refused(play_t *b, const char *name, const char *value, const char *more,
                             oauth_reason_t reason)
{
    token_refused(&b->p, form_of(b, STR(TEST_WORKLOAD), name, value, more), reason);
}

static const user_t *known(play_t *b)
{
    b->person = (user_t){.id = b->p.bearer.subject, .name = b->p.bearer.subject};
    return b->p.person = &b->person;
}

/* EM-3, EM-5, EM-6, EM-8: the first time makes the person, each time a family. */
static void a_person_is_made_at_the_first_use(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    person_gets(&b, NULL, NULL, "");
    const oauth_token_verdict_t *out = &b.p.out;
    assert_effects(&out->effects, EFFECT_USER_INSERT, EFFECT_FAMILY_INSERT, EFFECT_SPEND);
    const user_t *user = out->effects.v[0].u.user;
    const family_t *family = out->effects.v[1].u.family;
    assert_str(user->id, b.p.bearer.subject);
    assert_text(user->issuer, TEST_IDP);
    assert_text(user->subject, "u1");
    assert_unset(user->password);
    assert_false(user->admin);
    assert_str(family->user_id, user->id);
    assert_text(family->client_id, "client-1");
    assert_unset(out->refresh_token);
    assert_str(token_claim(&b.p, "sub"), user->id);
    assert_text(token_claim(&b.p, "aud"), "https://rs.test/mcp");
    assert_text(token_claim(&b.p, "scope"), "a:read a:write");
    assert_text(token_claim(&b.p, "client_id"), "client-1");
    assert_true(str_starts(token_claim(&b.p, "jti"), family->id));
    assert_str(out->event.user, user->id);
    assert_text(out->event.detail,
                "urn:ietf:params:oauth:grant-type:jwt-bearer for u1 of " TEST_IDP);
    known(&b);
    person_gets(&b, "jti", "\"two\"", "");
    assert_effects(&out->effects, EFFECT_FAMILY_INSERT, EFFECT_SPEND);
    end(&b);
}

/* A registration that is used is kept. */
static void a_client_that_is_used_stays(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    b.p.w.client.expires_at = TEST_NOW + 100;
    person_gets(&b, NULL, NULL, "");
    assert_effects(&b.p.out.effects, EFFECT_USER_INSERT, EFFECT_FAMILY_INSERT, EFFECT_CLIENT_KEEP,
                   EFFECT_SPEND);
    end(&b);
}

/* EM-5 */
static void the_scope_is_what_all_allow(void **state)
{
    (void)state;
    static const struct {
        const char *claim, *more, *issuer, *granted;
    } ROWS[] = {
        {"\"a:read a:write\"", "", NULL, "a:read a:write"},
        {"\"a:read never:heard\"", "", NULL, "a:read"},
        {"\"a:read a:write\"", "&scope=a:write", NULL, "a:write"},
        {"\"a:read\"", "&scope=a:read+a:write", NULL, "a:read"},
        {"\"a:read a:write\"", "", "a:write", "a:write"},
        {NULL, "", NULL, "a:read"},
        {NULL, "", "a:read", "a:read"},
        {"\"a:read\"", "&scope=openid", NULL, "a:read"},
    };
    play_t b;
    begin(&b);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        b.issuers[0].scope = str_c(ROWS[i].issuer);
        person_gets(&b, "scope", ROWS[i].claim, ROWS[i].more);
        assert_str(b.p.out.scope, str_c(ROWS[i].granted));
    }
    end(&b);
}

static void scope_empty(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    person_refused(&b, "scope", "\"never:heard\"", "", OAUTH_SCOPE_EMPTY);
    person_refused(&b, "scope", "\"a:read\"", "&scope=a:write", OAUTH_SCOPE_EMPTY);
    b.issuers[0].scope = STR("a:write");
    person_refused(&b, "scope", NULL, "", OAUTH_SCOPE_EMPTY);
    person_refused(&b, "scope", "\"\\\\\"", "", OAUTH_SCOPE_MALFORMED);
    workload_refused(&b, NULL, NULL, "&scope=a:write", OAUTH_SCOPE_EMPTY);
    workload_refused(&b, NULL, NULL, "&scope=%22", OAUTH_SCOPE_MALFORMED);
    end(&b);
}

/* EM-4 */
static void bearer_client(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    person_refused(&b, "client_id", "\"client-2\"", "", OAUTH_BEARER_CLIENT);
    person_refused(&b, "client_id", NULL, "", OAUTH_BEARER_CLIENT);
    end(&b);
}

static void bearer_resource(void **state)
{
    (void)state;
    const str_t only[] = {STR("https://other.test")};
    play_t b;
    begin(&b);
    person_refused(&b, "resource", NULL, "", OAUTH_BEARER_RESOURCE);
    person_refused(&b, "resource", "[\"https://rs.test/mcp\"]", "", OAUTH_BEARER_RESOURCE);
    person_refused(&b, "resource", "\"https://unknown.test\"", "", OAUTH_BEARER_RESOURCE);
    b.issuers[0].resources = (str_list_t){only, 1};
    person_refused(&b, NULL, NULL, "", OAUTH_BEARER_RESOURCE);
    b.issuers[0].resources = (str_list_t){0};
    person_gets(&b, NULL, NULL, "&resource=https://rs.test/mcp");
    end(&b);
}

static void resource_not_granted(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    person_refused(&b, NULL, NULL, "&resource=https://other.test", OAUTH_RESOURCE_NOT_GRANTED);
    end(&b);
}

static void user_gone(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    person_gets(&b, NULL, NULL, "");
    known(&b);
    b.person.disabled = true;
    person_refused(&b, "jti", "\"two\"", "", OAUTH_USER_GONE);
    end(&b);
}

/* EM-9 */
static void bearer_other_key(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    person_refused(&b, "cnf", "{\"jkt\":\"key-1\"}", "", OAUTH_DPOP_MISSING);
    token_prove(&b.p, "key-2");
    person_refused(&b, "cnf", "{\"jkt\":\"key-1\"}", "", OAUTH_BEARER_OTHER_KEY);
    person_refused(&b, "cnf", "{\"x5t#S256\":\"c\"}", "", OAUTH_BEARER_OTHER_KEY);
    person_refused(&b, "cnf", "{\"jkt\":\"key-2\",\"x5t#S256\":\"c\"}", "", OAUTH_BEARER_OTHER_KEY);
    person_refused(&b, "cnf", "{}", "", OAUTH_BEARER_OTHER_KEY);
    person_gets(&b, "cnf", "{\"jkt\":\"key-2\"}", "");
    assert_text(b.p.out.jkt, "key-2");
    end(&b);
}

/* EM-3: an ID-JAG is no client's credential. */
static void the_client_authenticates_as_always(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    b.p.w.client.auth = CLIENT_AUTH_SECRET_POST;
    person_refused(&b, NULL, NULL, "", OAUTH_CLIENT_AUTH_METHOD);
    person_gets(&b, NULL, NULL, "&client_secret=wrs_the-secret-of-the-client");
    b.p.w.client.grants = GRANT_AUTHORIZATION_CODE;
    person_refused(&b, NULL, NULL, "&client_secret=wrs_the-secret-of-the-client",
                   OAUTH_GRANT_NOT_REGISTERED);
    const char *form = form_of(&b, STR(TEST_JAG), NULL, NULL, "");
    token_refused(&b.p, form + strlen("client_id=client-1&"), OAUTH_CLIENT_AUTH_MISSING);
    end(&b);
}

/* WI-1, WI-3 */
static void a_workload_needs_no_client(void **state)
{
    (void)state;
    str_t id;
    play_t b;
    begin(&b);
    workload_gets(&b, NULL, NULL, "");
    assert_effects(&b.p.out.effects, EFFECT_SPEND);
    assert_text(token_claim(&b.p, "client_id"), "workload:nightly");
    assert_text(token_claim(&b.p, "aud"), "https://rs.test/mcp");
    assert_text(token_claim(&b.p, "scope"), "a:read");
    assert_int_equal(
        oauth_subject_id(b.p.w.a, STR(TEST_PLATFORM), STR_UNSET, STR("repo:acme/app:main"), &id),
        RC_OK);
    assert_str(token_claim(&b.p, "sub"), id);
    assert_unset(b.p.out.refresh_token);
    assert_text(b.p.out.event.client, "workload:nightly");
    assert_str(b.p.out.event.user, id);
    workload_gets(&b, NULL, NULL, "&resource=https://rs.test/mcp&scope=a:read+a:write");
    assert_text(b.p.out.scope, "a:read");
    workload_gets(&b, "sub", "\"two\"", "&resource=https://other.test");
    assert_text(token_claim(&b.p, "scope"), "b");
    assert_text(token_claim(&b.p, "client_id"), "workload:both");
    end(&b);
}

static void workload_resource(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    workload_refused(&b, NULL, NULL, "&resource=https://other.test", OAUTH_WORKLOAD_RESOURCE);
    workload_refused(&b, NULL, NULL, "&resource=https://unknown.test", OAUTH_RESOURCE_UNKNOWN);
    b.p.w.resources.default_uri = STR_UNSET;
    workload_refused(&b, "sub", "\"two\"", "", OAUTH_RESOURCE_MISSING);
    end(&b);
}

/* What its issuer does not say, no workload is. */
static void a_workload_that_is_refused_is_nobody(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    workload_refused(&b, "sub", "\"repo:other/app\"", "", OAUTH_BEARER_RULE);
    assert_unset(b.p.out.event.client);
    b.p.issuer_jwks = test_signer(&b.p.w, ALG_ES256).jwks;
    workload_refused(&b, NULL, NULL, "", OAUTH_BEARER_SIGNATURE);
    person_refused(&b, NULL, NULL, "", OAUTH_BEARER_SIGNATURE);
    end(&b);
}

/* Who says to be a client besides must be one. */
static void a_workload_that_names_a_client(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    workload_gets(&b, NULL, NULL, "&client_id=client-1");
    assert_text(token_claim(&b.p, "client_id"), "workload:nightly");
    workload_refused(&b, NULL, NULL, "&client_id=client-9", OAUTH_CLIENT_UNKNOWN);
    workload_refused(&b, NULL, NULL, "&client_id=client-1&client_secret=x",
                     OAUTH_CLIENT_AUTH_METHOD);
    end(&b);
}

static void without_random_and_memory(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    person_gets(&b, NULL, NULL, "");
    world_starve(token_decide_in, &b.p.w, &b.p);
    b.p.random = world_no_random();
    assert_int_equal(oauth_token_decide(b.p.w.a, &b.p.facts, &b.p.out), RC_IO);
    b.p.random = b.p.w.random;
    workload_gets(&b, NULL, NULL, "");
    world_starve(token_decide_in, &b.p.w, &b.p);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_is_made_at_the_first_use),
        cmocka_unit_test(a_client_that_is_used_stays),
        cmocka_unit_test(the_scope_is_what_all_allow),
        cmocka_unit_test(scope_empty),
        cmocka_unit_test(bearer_client),
        cmocka_unit_test(bearer_resource),
        cmocka_unit_test(resource_not_granted),
        cmocka_unit_test(user_gone),
        cmocka_unit_test(bearer_other_key),
        cmocka_unit_test(the_client_authenticates_as_always),
        cmocka_unit_test(a_workload_needs_no_client),
        cmocka_unit_test(workload_resource),
        cmocka_unit_test(a_workload_that_is_refused_is_nobody),
        cmocka_unit_test(a_workload_that_names_a_client),
        cmocka_unit_test(without_random_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
