#include "oauth/oauth_test_assertion.h"

#include "core/limits.h"
#include "oauth/client_assertion.h"

#define CLAIMS                                                                                     \
    "{\"iss\":\"client-1\",\"sub\":\"client-1\",\"aud\":\"https://as.test\",\"jti\":\"one\","      \
    "\"exp\":1000060,\"iat\":1000000}"

typedef struct {
    world_t w;
    test_signer_t signer;
    str_t claims;
    const char *typ, *kid, *extra; /* extra: more of the form */
    oauth_spent_t seen;
    str_t jwks;
    bool away;
    oauth_client_claim_t claim;
} play_t;

static void begin(play_t *p, alg_t alg)
{
    *p = (play_t){.claims = STR(CLAIMS), .kid = "k1"};
    world_begin(&p->w);
    p->w.client.auth = CLIENT_AUTH_PRIVATE_KEY_JWT;
    p->w.client.expires_at = 0;
    p->w.client.origin = CLIENT_BY_ADMIN;
    p->signer = test_signer(&p->w, alg);
    p->jwks = p->signer.jwks;
}

static void read_claim(play_t *p, str_t assertion)
{
    str_t text = arena_printf(
        p->w.a, "client_assertion_type=" TEST_ASSERTION_TYPE "&client_assertion=%" PRIstr "%s",
        STR_ARG(assertion), p->extra ? p->extra : "");
    form_t form = world_form(&p->w, arena_cstr(p->w.a, text));
    assert_int_equal(oauth_client_auth_read(p->w.a, (str_list_t){0}, &form, &p->claim), RC_OK);
}

static rc_t prove_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    const oauth_client_assertion_facts_t facts = {&w->settings, TEST_NOW, &w->client,
                                                  p->jwks,      p->away,  p->seen};
    return oauth_client_assertion_check(a, &facts, &p->claim);
}

/* Signs the claims and goes all three steps. */
static oauth_reason_t judge(play_t *p)
{
    read_claim(p, test_sign(&p->w, &p->signer, p->typ, p->kid, p->claims));
    if (p->claim.reason != OAUTH_FINE)
        return p->claim.reason;
    assert_int_equal(prove_in(&p->w, p->w.a, p), RC_OK);
    oauth_reason_t reason = oauth_client_auth_check(&p->claim, &p->w.client, TEST_NOW);
    assert_int_equal(p->claim.spend != NULL, reason == OAUTH_FINE);
    return reason;
}

static void with_claim(play_t *p, const char *name, const char *value, oauth_reason_t reason)
{
    p->claims = test_replace(&p->w, STR(CLAIMS), name, value);
    assert_reason(judge(p), reason);
    p->claims = STR(CLAIMS);
}

static void each_algorithm(void **state)
{
    (void)state;
    static const alg_t ALGS[] = {ALG_ES256, ALG_EDDSA, ALG_RS256, ALG_PS256};
    for (size_t i = 0; i < oauth_assertion_alg_names().n; i++)
        assert_true(alg_parse(oauth_assertion_alg_names().v[i]) != ALG_UNKNOWN);
    for (size_t i = 0; i < sizeof ALGS / sizeof ALGS[0]; i++) {
        play_t p;
        begin(&p, ALGS[i]);
        assert_true(str_list_has(oauth_assertion_alg_names(), alg_name(ALGS[i])));
        assert_reason(judge(&p), OAUTH_FINE);
        assert_text(p.claim.client_id, "client-1");
        assert_int_equal(p.claim.spend->expires_at, 1000060 + LIMIT_ASSERTION_LEEWAY_S + 1);
        world_end(&p.w);
    }
}

/* The id may be left out: the assertion names it. */
static void with_or_without_client_id_and_kid(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    p.extra = "&client_id=client-1";
    assert_reason(judge(&p), OAUTH_FINE);
    p.kid = NULL;
    assert_reason(judge(&p), OAUTH_FINE);
    p.extra = "&client_id=client-2";
    assert_reason(judge(&p), OAUTH_CLIENT_AUTH_OTHER_ID);
    world_end(&p.w);
}

static void client_assertion_type(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "client_assertion=a.b.c", "client_assertion_type=" TEST_ASSERTION_TYPE,
        "client_assertion=a.b.c&client_assertion_type=jwt-bearer",
        "client_assertion=a.b.c&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:"
        "saml2-bearer"};
    play_t p;
    begin(&p, ALG_ES256);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        form_t form = world_form(&p.w, BAD[i]);
        assert_int_equal(oauth_client_auth_read(p.w.a, (str_list_t){0}, &form, &p.claim), RC_OK);
        assert_reason(p.claim.reason, OAUTH_CLIENT_ASSERTION_TYPE);
    }
    world_end(&p.w);
}

static void client_assertion_malformed(void **state)
{
    (void)state;
    /* a word, an empty signature, "none", claims that are a list */
    static const char *const BAD[] = {"x", "e30.e30.", "eyJhbGciOiJub25lIn0.e30.",
                                      "eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
                                      "eyJhbGciOiJFUzI1NiJ9.W10.AAAA"};
    play_t p;
    begin(&p, ALG_ES256);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        read_claim(&p, str_c(BAD[i]));
        assert_reason(p.claim.reason, OAUTH_CLIENT_ASSERTION_MALFORMED);
    }
    with_claim(&p, "exp", "\"soon\"", OAUTH_CLIENT_ASSERTION_MALFORMED);
    world_end(&p.w);
}

static void client_assertion_typ(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    p.typ = "at+jwt";
    assert_reason(judge(&p), OAUTH_CLIENT_ASSERTION_TYP);
    p.typ = "oauth-id-jag+jwt";
    assert_reason(judge(&p), OAUTH_CLIENT_ASSERTION_TYP);
    p.typ = "jwt";
    assert_reason(judge(&p), OAUTH_FINE);
    p.typ = "application/client-authentication+jwt";
    assert_reason(judge(&p), OAUTH_FINE);
    world_end(&p.w);
}

static void client_assertion_subject(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    with_claim(&p, "sub", NULL, OAUTH_CLIENT_ASSERTION_SUBJECT);
    with_claim(&p, "sub", "\"\"", OAUTH_CLIENT_ASSERTION_SUBJECT);
    with_claim(&p, "iss", NULL, OAUTH_CLIENT_ASSERTION_SUBJECT);
    with_claim(&p, "iss", "\"client-2\"", OAUTH_CLIENT_ASSERTION_SUBJECT);
    world_end(&p.w);
}

static void client_assertion_audience(void **state)
{
    (void)state;
    static const char *const BAD[] = {NULL,
                                      "[]",
                                      "[\"https://as.test\"]",
                                      "[\"https://as.test\",\"https://other.test\"]",
                                      "\"https://as.test/\"",
                                      "\"https://as.test/par\"",
                                      "\"https://other.test\""};
    play_t p;
    begin(&p, ALG_ES256);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        with_claim(&p, "aud", BAD[i], OAUTH_CLIENT_ASSERTION_AUDIENCE);
    with_claim(&p, "aud", "\"https://as.test/token\"", OAUTH_CLIENT_ASSERTION_AUDIENCE);
    p.w.settings.assertion_audience = OAUTH_AUDIENCE_ENDPOINT;
    with_claim(&p, "aud", "\"https://as.test/token\"", OAUTH_FINE);
    with_claim(&p, "aud", "[\"https://as.test/token\",\"https://as.test\"]", OAUTH_FINE);
    with_claim(&p, "aud", "[\"https://as.test\",\"https://other.test\"]",
               OAUTH_CLIENT_ASSERTION_AUDIENCE);
    with_claim(&p, "aud", "\"https://as.test/par\"", OAUTH_CLIENT_ASSERTION_AUDIENCE);
    world_end(&p.w);
}

/* Hosted clients sign for the token endpoint; who was added by an administrator must not. */
static void the_endpoint_as_audience_of_clients_from_elsewhere(void **state)
{
    (void)state;
    static const struct {
        oauth_audience_t taken;
        client_origin_t origin;
        bool fine;
    } ROWS[] = {
        {OAUTH_AUDIENCE_AUTO, CLIENT_BY_DOCUMENT, true},
        {OAUTH_AUDIENCE_AUTO, CLIENT_BY_REGISTRATION, true},
        {OAUTH_AUDIENCE_AUTO, CLIENT_BY_ADMIN, false},
        {OAUTH_AUDIENCE_ISSUER, CLIENT_BY_DOCUMENT, false},
        {OAUTH_AUDIENCE_ENDPOINT, CLIENT_BY_ADMIN, true},
    };
    play_t p;
    begin(&p, ALG_ES256);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        p.w.settings.assertion_audience = ROWS[i].taken;
        p.w.client.origin = ROWS[i].origin;
        with_claim(&p, "aud", "\"https://as.test/token\"",
                   ROWS[i].fine ? OAUTH_FINE : OAUTH_CLIENT_ASSERTION_AUDIENCE);
        with_claim(&p, "aud", "\"https://as.test\"", OAUTH_FINE);
        with_claim(&p, "aud", "\"https://as.test/par\"", OAUTH_CLIENT_ASSERTION_AUDIENCE);
    }
    world_end(&p.w);
}

static void client_assertion_expired(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    with_claim(&p, "exp", NULL, OAUTH_CLIENT_ASSERTION_EXPIRED);
    with_claim(&p, "exp", "999700", OAUTH_CLIENT_ASSERTION_EXPIRED);
    with_claim(&p, "exp", "999970", OAUTH_CLIENT_ASSERTION_EXPIRED);
    with_claim(&p, "exp", "999971", OAUTH_FINE);
    world_end(&p.w);
}

static void client_assertion_lifetime(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    with_claim(&p, "exp", "1003630", OAUTH_FINE);
    with_claim(&p, "exp", "1003631", OAUTH_CLIENT_ASSERTION_LIFETIME);
    with_claim(&p, "exp", "253402300799", OAUTH_CLIENT_ASSERTION_LIFETIME);
    world_end(&p.w);
}

static void client_assertion_not_yet(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    with_claim(&p, "nbf", "1000008", OAUTH_FINE);
    with_claim(&p, "iat", "1000008", OAUTH_FINE);
    with_claim(&p, "nbf", "1000060", OAUTH_CLIENT_ASSERTION_NOT_YET);
    with_claim(&p, "iat", "1000060", OAUTH_CLIENT_ASSERTION_NOT_YET);
    world_end(&p.w);
}

static void client_assertion_jti(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    with_claim(&p, "jti", NULL, OAUTH_CLIENT_ASSERTION_JTI);
    with_claim(&p, "jti", "\"\"", OAUTH_CLIENT_ASSERTION_JTI);
    str_t longest = arena_printf(p.w.a, "\"%0*d\"", LIMIT_ASSERTION_JTI_BYTES, 1);
    with_claim(&p, "jti", arena_cstr(p.w.a, longest), OAUTH_FINE);
    str_t longer = arena_printf(p.w.a, "\"%0*d\"", LIMIT_ASSERTION_JTI_BYTES + 1, 1);
    with_claim(&p, "jti", arena_cstr(p.w.a, longer), OAUTH_CLIENT_ASSERTION_JTI);
    world_end(&p.w);
}

static void client_assertion_key(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    p.kid = "k2";
    assert_reason(judge(&p), OAUTH_CLIENT_ASSERTION_KEY);
    p.kid = "k1";
    p.jwks = STR_UNSET;
    assert_reason(judge(&p), OAUTH_CLIENT_ASSERTION_KEY);
    p.jwks = STR("no keys");
    assert_reason(judge(&p), OAUTH_CLIENT_ASSERTION_KEY);
    p.jwks = test_signer(&p.w, ALG_EDDSA).jwks; /* its kid, another alg */
    assert_reason(judge(&p), OAUTH_CLIENT_ASSERTION_KEY);
    world_end(&p.w);
}

/* No fault of the client's: it may ask again with the same assertion. */
static void client_keys_unavailable(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    p.jwks = STR_UNSET;
    p.away = true;
    assert_reason(judge(&p), OAUTH_CLIENT_KEYS_UNAVAILABLE);
    assert_int_equal(oauth_reason_status(OAUTH_CLIENT_KEYS_UNAVAILABLE), 503);
    world_end(&p.w);
}

static void client_assertion_signature(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    p.jwks = test_signer(&p.w, ALG_ES256).jwks; /* a stranger's key under the same kid */
    assert_reason(judge(&p), OAUTH_CLIENT_ASSERTION_SIGNATURE);
    world_end(&p.w);
}

static void client_assertion_replayed(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    assert_reason(judge(&p), OAUTH_FINE);
    p.seen.spent = p.claim.spend->id;
    assert_reason(judge(&p), OAUTH_CLIENT_ASSERTION_REPLAYED);
    with_claim(&p, "jti", "\"two\"", OAUTH_FINE);
    world_end(&p.w);
}

/* A use that cannot be remembered is none. */
static void spent_full(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    p.seen.full = true;
    assert_reason(judge(&p), OAUTH_SPENT_FULL);
    world_end(&p.w);
}

/* The name of the use holds whose it is: clients choose the same jti by chance. */
static void two_clients_may_choose_one_jti(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    assert_reason(judge(&p), OAUTH_FINE);
    hash_t first = p.claim.spend->id;
    p.w.client.id = STR("client-1 3:o");
    p.claims = test_replace(&p.w, p.claims, "sub", "\"client-1 3:o\"");
    p.claims = test_replace(&p.w, p.claims, "iss", "\"client-1 3:o\"");
    assert_reason(judge(&p), OAUTH_FINE);
    assert_memory_not_equal(&first, &p.claim.spend->id, sizeof first);
    world_end(&p.w);
}

/* An assertion that nobody checked authenticates nobody. */
static void client_auth_assertion(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    read_claim(&p, test_sign(&p.w, &p.signer, NULL, "k1", p.claims));
    assert_reason(p.claim.reason, OAUTH_FINE);
    assert_reason(oauth_client_auth_check(&p.claim, &p.w.client, TEST_NOW),
                  OAUTH_CLIENT_AUTH_ASSERTION);
    world_end(&p.w);
}

/* attack case: TOK-010 */
static void client_auth_method(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    p.w.client.auth = CLIENT_AUTH_SECRET_POST;
    assert_reason(judge(&p), OAUTH_CLIENT_AUTH_METHOD);
    p.w.client.auth = CLIENT_AUTH_NONE;
    assert_reason(judge(&p), OAUTH_CLIENT_AUTH_METHOD);
    p.w.client.auth = CLIENT_AUTH_PRIVATE_KEY_JWT;
    form_t form = world_form(&p.w, "client_id=client-1");
    assert_int_equal(oauth_client_auth_read(p.w.a, (str_list_t){0}, &form, &p.claim), RC_OK);
    assert_reason(oauth_client_auth_check(&p.claim, &p.w.client, TEST_NOW),
                  OAUTH_CLIENT_AUTH_METHOD);
    world_end(&p.w);
}

static void without_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p, ALG_ES256);
    p.w.settings.assertion_audience = OAUTH_AUDIENCE_ENDPOINT;
    assert_reason(judge(&p), OAUTH_FINE);
    world_starve(prove_in, &p.w, &p);
    world_end(&p.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_algorithm),
        cmocka_unit_test(with_or_without_client_id_and_kid),
        cmocka_unit_test(client_assertion_type),
        cmocka_unit_test(client_assertion_malformed),
        cmocka_unit_test(client_assertion_typ),
        cmocka_unit_test(client_assertion_subject),
        cmocka_unit_test(client_assertion_audience),
        cmocka_unit_test(the_endpoint_as_audience_of_clients_from_elsewhere),
        cmocka_unit_test(client_assertion_expired),
        cmocka_unit_test(client_assertion_lifetime),
        cmocka_unit_test(client_assertion_not_yet),
        cmocka_unit_test(client_assertion_jti),
        cmocka_unit_test(client_assertion_key),
        cmocka_unit_test(client_keys_unavailable),
        cmocka_unit_test(client_assertion_signature),
        cmocka_unit_test(client_assertion_replayed),
        cmocka_unit_test(spent_full),
        cmocka_unit_test(two_clients_may_choose_one_jti),
        cmocka_unit_test(client_auth_assertion),
        cmocka_unit_test(client_auth_method),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
