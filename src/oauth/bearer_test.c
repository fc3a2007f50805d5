#include "oauth/oauth_test_issuers.h"

#include "core/limits.h"
#include "oauth/bearer.h"
#include "oauth/subject.h"

typedef struct {
    token_play_t p;
    oauth_issuer_t *issuers; /* [0] of people, [1] of workloads */
    test_signer_t signer;
    const char *typ, *kid;
    str_t jwks;
    bool away;
    oauth_bearer_t read, out;
    form_t form;
} play_t;

static void begin(play_t *b)
{
    *b = (play_t){.typ = "oauth-id-jag+jwt", .kid = "k1"};
    token_begin(&b->p);
    b->issuers = test_trust(&b->p);
    b->signer = test_signer(&b->p.w, ALG_ES256);
    b->jwks = b->signer.jwks;
}

static void end(play_t *b)
{
    token_end(&b->p);
}

static rc_t check_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *b = ctx;
    const oauth_bearer_facts_t facts = {&w->settings, TEST_NOW, b->jwks, b->away, b->p.seen};
    oauth_bearer_t again;
    TRY(oauth_bearer_read(a, &w->settings, &b->form, &again));
    return oauth_bearer_check(a, &facts, &b->read, &b->out);
}

static oauth_reason_t judge_text(play_t *b, str_t text)
{
    world_t *w = &b->p.w;
    b->form = world_form(w, arena_printf(w->a, "assertion=%" PRIstr, STR_ARG(text)).p);
    assert_int_equal(oauth_bearer_read(w->a, &w->settings, &b->form, &b->read), RC_OK);
    assert_int_equal(check_in(w, w->a, b), RC_OK);
    return oauth_bearer_verdict(&b->out);
}

static oauth_reason_t judge(play_t *b, str_t claims)
{
    return judge_text(b, test_sign(&b->p.w, &b->signer, b->typ, b->kid, claims));
}

static void with(play_t *b, const char *name, const char *value, oauth_reason_t reason)
{
    bool jag = b->typ && strcmp(b->typ, "oauth-id-jag+jwt") == 0;
    str_t claims = jag ? STR(TEST_JAG) : STR(TEST_WORKLOAD);
    assert_reason(judge(b, test_replace(&b->p.w, claims, name, value)), reason);
}

/* EM-4 */
static void a_person_of_an_identity_provider(void **state)
{
    (void)state;
    play_t b;
    str_t id;
    begin(&b);
    assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_FINE);
    assert_false(b.out.is_workload);
    assert_non_null(b.out.spend);
    assert_int_equal(oauth_subject_id(b.p.w.a, STR(TEST_IDP), STR_UNSET, STR("u1"), &id), RC_OK);
    assert_str(b.out.subject, id);
    with(&b, "aud", "[\"https://as.test\"]", OAUTH_FINE);
    with(&b, "aud", "\"https://as.test/\"", OAUTH_FINE);
    end(&b);
}

/* WI-2 */
static void a_workload_of_a_platform(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    b.typ = NULL;
    assert_reason(judge(&b, STR(TEST_WORKLOAD)), OAUTH_FINE);
    assert_true(b.out.is_workload);
    assert_text(b.out.client.id, "workload:nightly");
    assert_text(b.out.client.scope, "a:read b");
    with(&b, "aud", "\"https://as.test/token\"", OAUTH_FINE);
    with(&b, "aud", "[\"https://as.test/token\",\"https://as.test\"]", OAUTH_FINE);
    with(&b, "sub", "\"repo:acme/\"", OAUTH_FINE);
    b.typ = "JWT";
    assert_reason(judge(&b, STR(TEST_WORKLOAD)), OAUTH_FINE);
    end(&b);
}

/* Nothing was checked, so nothing is true. */
static void reading_proves_nothing(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_FINE);
    assert_reason(b.read.reason, OAUTH_FINE);
    assert_reason(oauth_bearer_verdict(&b.read), OAUTH_BEARER_SIGNATURE);
    end(&b);
}

static void grant_type_unsupported(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    b.issuers[0].uses = b.issuers[1].uses = OAUTH_ISSUER_SOFTWARE_STATEMENT;
    assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_GRANT_TYPE_UNSUPPORTED);
    end(&b);
}

static void bearer_missing(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    assert_reason(judge_text(&b, STR("")), OAUTH_BEARER_MISSING);
    assert_reason(judge_text(&b, STR("a.b.c&assertion=d")), OAUTH_PARAMETER_REPEATED);
    end(&b);
}

static void bearer_malformed(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    assert_reason(judge_text(&b, STR("word")), OAUTH_BEARER_MALFORMED);
    assert_reason(judge_text(&b, STR("eyJhbGciOiJub25lIn0.e30.")), OAUTH_BEARER_MALFORMED);
    with(&b, "exp", "\"soon\"", OAUTH_BEARER_MALFORMED);
    with(&b, "scope", "[\"a\"]", OAUTH_BEARER_MALFORMED);
    end(&b);
}

/* WI-5: the typ tells the kinds apart, and no other kind passes for one of them. */
static void bearer_typ(void **state)
{
    (void)state;
    static const char *const BAD[] = {"at+jwt", "dpop+jwt", "client-authentication+jwt",
                                      "secevent+jwt"};
    play_t b;
    begin(&b);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        b.typ = BAD[i];
        assert_reason(judge(&b, STR(TEST_WORKLOAD)), OAUTH_BEARER_TYP);
        assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_BEARER_TYP);
    }
    end(&b);
}

/* WI-3: trust for one use is none for the other. */
static void bearer_issuer(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    with(&b, "iss", "\"https://other.test\"", OAUTH_BEARER_ISSUER);
    with(&b, "iss", NULL, OAUTH_BEARER_ISSUER);
    with(&b, "iss", "\"" TEST_PLATFORM "\"", OAUTH_BEARER_ISSUER);
    b.typ = NULL;
    with(&b, "iss", "\"" TEST_IDP "\"", OAUTH_BEARER_ISSUER);
    b.typ = "oauth-id-jag+jwt";
    b.issuers[0].uses = OAUTH_ISSUER_SOFTWARE_STATEMENT;
    assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_BEARER_ISSUER);
    end(&b);
}

static void bearer_alg(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    b.issuers[0].algs = 1u << ALG_RS256 | 1u << ALG_EDDSA;
    assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_BEARER_ALG);
    b.issuers[0].algs |= 1u << ALG_ES256;
    assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_FINE);
    end(&b);
}

static void bearer_subject(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    with(&b, "sub", NULL, OAUTH_BEARER_SUBJECT);
    with(&b, "sub", "\"\"", OAUTH_BEARER_SUBJECT);
    end(&b);
}

/* EM-8 */
static void bearer_tenant(void **state)
{
    (void)state;
    const str_t tenants[] = {STR("acme"), STR("ajax")};
    play_t b;
    begin(&b);
    b.issuers[0].tenant_claim = STR("tenant");
    with(&b, "tenant", NULL, OAUTH_BEARER_TENANT);
    with(&b, "tenant", "\"\"", OAUTH_BEARER_TENANT);
    with(&b, "tenant", "7", OAUTH_BEARER_TENANT);
    with(&b, "tenant", "\"acme\"", OAUTH_FINE);
    str_t acme = b.out.subject;
    with(&b, "tenant", "\"other\"", OAUTH_FINE);
    assert_false(str_eq(acme, b.out.subject));
    b.issuers[0].tenants = (str_list_t){tenants, 2};
    with(&b, "tenant", "\"other\"", OAUTH_BEARER_TENANT);
    with(&b, "tenant", "\"acme\"", OAUTH_FINE);
    assert_str(acme, b.out.subject);
    end(&b);
}

static void bearer_audience(void **state)
{
    (void)state;
    static const char *const BAD[] = {NULL,
                                      "[]",
                                      "\"https://as.test//\"",
                                      "\"https://as.test/token\"",
                                      "\"https://rs.test/mcp\"",
                                      "[\"https://as.test\",\"https://other.test\"]",
                                      "[\"https://as.test\",\"https://as.test\"]"};
    play_t b;
    begin(&b);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        with(&b, "aud", BAD[i], OAUTH_BEARER_AUDIENCE);
    b.typ = NULL;
    with(&b, "aud", NULL, OAUTH_BEARER_AUDIENCE);
    with(&b, "aud", "\"https://rs.test/mcp\"", OAUTH_BEARER_AUDIENCE);
    with(&b, "aud", "[\"https://as.test\",\"https://other.test\"]", OAUTH_BEARER_AUDIENCE);
    end(&b);
}

static void bearer_expired(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    with(&b, "exp", NULL, OAUTH_BEARER_EXPIRED);
    with(&b, "exp", "999970", OAUTH_BEARER_EXPIRED);
    b.typ = NULL;
    with(&b, "exp", NULL, OAUTH_BEARER_EXPIRED);
    end(&b);
}

static void bearer_lifetime(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    with(&b, "exp", "1003631", OAUTH_BEARER_LIFETIME);
    with(&b, "exp", "1003630", OAUTH_FINE);
    end(&b);
}

static void bearer_not_yet(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    with(&b, "iat", "1000060", OAUTH_BEARER_NOT_YET);
    with(&b, "nbf", "1000060", OAUTH_BEARER_NOT_YET);
    with(&b, "iat", NULL, OAUTH_BEARER_NOT_YET);
    b.typ = NULL;
    with(&b, "iat", NULL, OAUTH_FINE);
    end(&b);
}

/* Of an ID-JAG it is required; not all platforms write one. */
static void bearer_jti(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    str_t longer = arena_printf(b.p.w.a, "\"%0*d\"", LIMIT_ASSERTION_JTI_BYTES + 1, 1);
    with(&b, "jti", NULL, OAUTH_BEARER_JTI);
    with(&b, "jti", "\"\"", OAUTH_BEARER_JTI);
    with(&b, "jti", longer.p, OAUTH_BEARER_JTI);
    b.typ = NULL;
    with(&b, "jti", longer.p, OAUTH_BEARER_JTI);
    with(&b, "jti", NULL, OAUTH_FINE);
    assert_non_null(b.out.spend);
    end(&b);
}

static void bearer_key(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    b.kid = "k2";
    assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_BEARER_KEY);
    b.kid = "k1";
    b.jwks = STR_UNSET;
    assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_BEARER_KEY);
    end(&b);
}

static void bearer_keys_unavailable(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    b.jwks = STR_UNSET;
    b.away = true;
    assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_BEARER_KEYS_UNAVAILABLE);
    assert_int_equal(oauth_reason_status(OAUTH_BEARER_KEYS_UNAVAILABLE), 503);
    end(&b);
}

static void bearer_signature(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    b.jwks = test_signer(&b.p.w, ALG_ES256).jwks;
    assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_BEARER_SIGNATURE);
    b.typ = NULL;
    assert_reason(judge(&b, STR(TEST_WORKLOAD)), OAUTH_BEARER_SIGNATURE);
    end(&b);
}

static void bearer_replayed(void **state)
{
    (void)state;
    static const char *const TYPS[] = {"oauth-id-jag+jwt", NULL};
    play_t b;
    begin(&b);
    for (size_t i = 0; i < 2; i++) {
        b.typ = TYPS[i];
        b.p.seen = (oauth_spent_t){0};
        assert_reason(judge(&b, b.typ ? STR(TEST_JAG) : STR(TEST_WORKLOAD)), OAUTH_FINE);
        b.p.seen.spent = b.out.spend->id;
        with(&b, "nonce", "1", OAUTH_BEARER_REPLAYED);
        with(&b, "jti", "\"two\"", OAUTH_FINE);
    }
    b.p.seen.full = true;
    with(&b, "jti", "\"three\"", OAUTH_SPENT_FULL);
    end(&b);
}

/* Tokens that come out of a file; and those that have no jti are told apart by what they say. */
static void a_token_of_a_file_may_come_again(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    b.typ = NULL;
    with(&b, "jti", NULL, OAUTH_FINE);
    b.p.seen.spent = b.out.spend->id;
    with(&b, "jti", NULL, OAUTH_BEARER_REPLAYED);
    b.issuers[1].reuse = true;
    with(&b, "jti", NULL, OAUTH_FINE);
    assert_null(b.out.spend);
    b.issuers[0].reuse = true; /* never those of people */
    b.typ = "oauth-id-jag+jwt";
    assert_reason(judge(&b, STR(TEST_JAG)), OAUTH_FINE);
    assert_non_null(b.out.spend);
    end(&b);
}

/* All claims of a rule must fit, and nothing but the end of sub is open. */
static void bearer_rule(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    b.typ = NULL;
    with(&b, "sub", "\"repo:acme\"", OAUTH_BEARER_RULE);
    with(&b, "sub", "\"xrepo:acme/app\"", OAUTH_BEARER_RULE);
    with(&b, "sub", "\"two2\"", OAUTH_BEARER_RULE);
    with(&b, "env", NULL, OAUTH_BEARER_RULE);
    with(&b, "env", "\"prod2\"", OAUTH_BEARER_RULE);
    with(&b, "env", "[\"prod\"]", OAUTH_BEARER_RULE);
    with(&b, "env", "{\"prod\":1}", OAUTH_BEARER_RULE);
    assert_null(b.out.rule);
    assert_null(b.out.spend);
    b.issuers[1].n_rules = 0;
    assert_reason(judge(&b, STR(TEST_WORKLOAD)), OAUTH_BEARER_RULE);
    end(&b);
}

static void without_memory(void **state)
{
    (void)state;
    play_t b;
    begin(&b);
    b.typ = NULL;
    assert_reason(judge(&b, STR(TEST_WORKLOAD)), OAUTH_FINE);
    world_starve(check_in, &b.p.w, &b);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_of_an_identity_provider),
        cmocka_unit_test(a_workload_of_a_platform),
        cmocka_unit_test(reading_proves_nothing),
        cmocka_unit_test(grant_type_unsupported),
        cmocka_unit_test(bearer_missing),
        cmocka_unit_test(bearer_malformed),
        cmocka_unit_test(bearer_typ),
        cmocka_unit_test(bearer_issuer),
        cmocka_unit_test(bearer_alg),
        cmocka_unit_test(bearer_subject),
        cmocka_unit_test(bearer_tenant),
        cmocka_unit_test(bearer_audience),
        cmocka_unit_test(bearer_expired),
        cmocka_unit_test(bearer_lifetime),
        cmocka_unit_test(bearer_not_yet),
        cmocka_unit_test(bearer_jti),
        cmocka_unit_test(bearer_key),
        cmocka_unit_test(bearer_keys_unavailable),
        cmocka_unit_test(bearer_signature),
        cmocka_unit_test(bearer_replayed),
        cmocka_unit_test(a_token_of_a_file_may_come_again),
        cmocka_unit_test(bearer_rule),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
