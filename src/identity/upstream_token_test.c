#include "identity/identity_test_util.h"

#include "identity/upstream.h"
#include "jose/jws.h"

#include <stdlib.h>

#define ISSUER "https://op.test"
enum { NOW = 1700000000 };

static const identity_upstream_pending_t PENDING = {
    .begun_at = NOW - 30, .nonce = STR_INIT("the-nonce"), .verifier = STR_INIT("the-verifier")};

/* A provider with one key, and what it says. */
typedef struct {
    arena_t *a;
    identity_upstream_t settings;
    identity_upstream_pending_t pending;
    jwk_t key;
    str_t jwks;
    signer_local_t *local;
    identity_upstream_person_t person;
} play_t;

static void free_key(void *key)
{
    jose_key_free(key);
}

static str_t public_keys(arena_t *a, const jwk_t *key)
{
    str_t out;
    jwk_t copy = *key;
    const jwks_t set = {&copy, 1, 0};
    buf_t b = buf_new(a, 4096);
    json_writer_t w = json_writer(&b);
    assert_ok(jwks_write(a, &w, &set));
    assert_ok(buf_done(&b, &out));
    return out;
}

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(8 << 20);
    p->settings = (identity_upstream_t){.issuer = STR(ISSUER), .client_id = STR("c")};
    p->pending = PENDING;
    p->key = (jwk_t){.alg = ALG_ES256, .kid = STR("k")};
    assert_ok(jose_key_generate(ALG_ES256, &p->key.key));
    assert_ok(arena_cleanup(p->a, free_key, p->key.key));
    p->jwks = public_keys(p->a, &p->key);
    const jwks_t set = {&p->key, 1, 0};
    assert_ok(signer_local_new(&set, &p->local));
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    signer_local_free(p->local);
    arena_free(p->a);
    free(p);
    return 0;
}

#define CLAIMS(aud, times, nonce)                                                                  \
    "\"iss\":\"" ISSUER "\",\"sub\":\"s-1\",\"aud\":" aud "," times ",\"nonce\":\"" nonce "\""
#define TIMES "\"iat\":1699999990,\"exp\":1700000300"
#define GOOD  CLAIMS("\"c\"", TIMES, "the-nonce")

static identity_upstream_verdict_t judge_body(play_t *p, str_t body)
{
    identity_upstream_verdict_t verdict;
    const identity_upstream_tokens_t tokens = {&p->settings, &p->pending, body, p->jwks, NOW};
    assert_ok(identity_upstream_id_token(p->a, &tokens, &p->person, &verdict));
    return verdict;
}

static str_t token_of(play_t *p, str_t typ, const char *claims)
{
    str_t token;
    const signer_port_t signer = signer_local_port(p->local);
    const jws_sign_t what = {ALG_ES256, STR("k"), typ, arena_printf(p->a, "{%s}", claims)};
    assert_ok(jws_sign(p->a, &signer, &what, &token));
    return token;
}

static str_t body_of(play_t *p, str_t token)
{
    return arena_printf(p->a, "{\"access_token\":\"x\",\"id_token\":\"%" PRIstr "\"}",
                        STR_ARG(token));
}

static identity_upstream_verdict_t judge(play_t *p, const char *claims)
{
    return judge_body(p, body_of(p, token_of(p, STR("JWT"), claims)));
}

static void signed_in_elsewhere(void **state)
{
    play_t *p = *state;
    assert_int_equal(judge(p, GOOD ",\"preferred_username\":\"Dana\",\"acr\":\"urn:x\","
                                   "\"auth_time\":1699999000"),
                     IDENTITY_UPSTREAM_FINE);
    assert_text(p->person.subject, "s-1");
    assert_text(p->person.name, "dana");
    assert_text(p->person.acr, "urn:x");
    assert_int_equal(p->person.auth_time, 1699999000);
    assert_int_equal(judge(p, GOOD), IDENTITY_UPSTREAM_FINE);
    assert_unset(p->person.name);
    assert_unset(p->person.acr);
    assert_int_equal(p->person.auth_time, 0);
    assert_int_equal(judge_body(p, body_of(p, token_of(p, STR_UNSET, GOOD))),
                     IDENTITY_UPSTREAM_FINE);
}

static void groups_that_the_provider_names(void **state)
{
    play_t *p = *state;
    assert_int_equal(judge(p, GOOD ",\"groups\":[\"b\",\"a\"]"), IDENTITY_UPSTREAM_FINE);
    assert_false(p->person.says_groups);
    assert_int_equal(p->person.groups.n, 0);
    p->settings.groups_claim = STR("groups");
    assert_int_equal(judge(p, GOOD ",\"groups\":[\"b\",\"a\"]"), IDENTITY_UPSTREAM_FINE);
    assert_true(p->person.says_groups);
    assert_int_equal(p->person.groups.n, 2);
    assert_text(p->person.groups.v[0], "a");
    assert_int_equal(judge(p, GOOD), IDENTITY_UPSTREAM_FINE);
    assert_true(p->person.says_groups);
    assert_int_equal(p->person.groups.n, 0);
}

static void refusals_in_their_order(void **state)
{
    static const struct {
        const char *claims;
        identity_upstream_verdict_t verdict;
    } ROWS[] = {
        {"\"iss\":\"https://evil.test\"", IDENTITY_UPSTREAM_ID_TOKEN_ISSUER},
        {"\"iss\":\"" ISSUER "/\",\"aud\":\"c\"", IDENTITY_UPSTREAM_ID_TOKEN_ISSUER},
        {CLAIMS("\"other\"", TIMES, "the-nonce"), IDENTITY_UPSTREAM_ID_TOKEN_AUDIENCE},
        {CLAIMS("[]", TIMES, "the-nonce"), IDENTITY_UPSTREAM_ID_TOKEN_AUDIENCE},
        {CLAIMS("[\"c\",\"d\"]", TIMES, "the-nonce"), IDENTITY_UPSTREAM_ID_TOKEN_PARTY},
        {GOOD ",\"azp\":\"d\"", IDENTITY_UPSTREAM_ID_TOKEN_PARTY},
        {GOOD ",\"azp\":1", IDENTITY_UPSTREAM_ID_TOKEN_PARTY},
        {CLAIMS("\"c\"", "\"iat\":1699999990", "the-nonce"), IDENTITY_UPSTREAM_ID_TOKEN_TIME},
        {CLAIMS("\"c\"", "\"exp\":1700000300", "the-nonce"), IDENTITY_UPSTREAM_ID_TOKEN_TIME},
        {CLAIMS("\"c\"", "\"iat\":1,\"exp\":1699999939", "the-nonce"),
         IDENTITY_UPSTREAM_ID_TOKEN_TIME},
        {CLAIMS("\"c\"", "\"iat\":1700000062,\"exp\":1700000300", "the-nonce"),
         IDENTITY_UPSTREAM_ID_TOKEN_TIME},
        {CLAIMS("\"c\"", TIMES, "another"), IDENTITY_UPSTREAM_ID_TOKEN_NONCE},
        {"\"iss\":\"" ISSUER "\",\"aud\":\"c\"," TIMES, IDENTITY_UPSTREAM_ID_TOKEN_NONCE},
        {"\"iss\":\"" ISSUER "\",\"aud\":\"c\"," TIMES ",\"nonce\":\"the-nonce\"",
         IDENTITY_UPSTREAM_ID_TOKEN_SUBJECT},
        {"\"iss\":\"" ISSUER "\",\"sub\":\"\",\"aud\":\"c\"," TIMES ",\"nonce\":\"the-nonce\"",
         IDENTITY_UPSTREAM_ID_TOKEN_SUBJECT},
        {"\"iss\":1", IDENTITY_UPSTREAM_ID_TOKEN_MALFORMED},
    };
    play_t *p = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        identity_upstream_verdict_t verdict = judge(p, ROWS[i].claims);
        if (verdict != ROWS[i].verdict)
            fail_msg("%s: %" PRIstr, ROWS[i].claims, STR_ARG(identity_upstream_reason(verdict)));
        assert_unset(p->person.subject);
    }
    assert_int_equal(judge(p, CLAIMS("[\"c\",\"d\"]", TIMES, "the-nonce") ",\"azp\":\"c\""),
                     IDENTITY_UPSTREAM_FINE);
}

static void login_id_token_missing(void **state)
{
    static const char *const BODIES[] = {"", "{}", "[]", "{\"id_token\":1}", "not json"};
    for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++)
        assert_int_equal(judge_body(*state, str_c(BODIES[i])), IDENTITY_UPSTREAM_ID_TOKEN_MISSING);
}

static void login_id_token_malformed(void **state)
{
    play_t *p = *state;
    assert_int_equal(judge_body(p, body_of(p, STR("a.b.c"))), IDENTITY_UPSTREAM_ID_TOKEN_MALFORMED);
    assert_int_equal(judge_body(p, body_of(p, token_of(p, STR("at+jwt"), GOOD))),
                     IDENTITY_UPSTREAM_ID_TOKEN_MALFORMED);
    /* {"alg":"none"} */
    assert_int_equal(judge_body(p, body_of(p, STR("eyJhbGciOiJub25lIn0.e30."))),
                     IDENTITY_UPSTREAM_ID_TOKEN_MALFORMED);
}

static void login_id_token_key(void **state)
{
    play_t *p = *state;
    p->jwks = STR("{\"keys\":[]}");
    assert_int_equal(judge(p, GOOD), IDENTITY_UPSTREAM_ID_TOKEN_KEY);
    p->jwks = STR("<html>");
    assert_int_equal(judge(p, GOOD), IDENTITY_UPSTREAM_ID_TOKEN_KEY);
}

static void login_id_token_signature(void **state)
{
    play_t *p = *state;
    jwk_t stranger = {.alg = ALG_ES256, .kid = STR("k")};
    assert_ok(jose_key_generate(ALG_ES256, &stranger.key));
    p->jwks = public_keys(p->a, &stranger);
    jose_key_free(stranger.key);
    assert_int_equal(judge(p, GOOD), IDENTITY_UPSTREAM_ID_TOKEN_SIGNATURE);
}

static void login_not_again(void **state)
{
    play_t *p = *state;
    p->pending.again = true;
    assert_int_equal(judge(p, GOOD), IDENTITY_UPSTREAM_NOT_AGAIN);
    assert_int_equal(judge(p, GOOD ",\"auth_time\":1699999909"), IDENTITY_UPSTREAM_NOT_AGAIN);
    assert_int_equal(judge(p, GOOD ",\"auth_time\":1699999910"), IDENTITY_UPSTREAM_FINE);
    assert_int_equal(p->person.auth_time, p->pending.begun_at); /* on our clock */
}

/* Nobody signs in in the future, or a session would count as fresh for longer than it is. */
static void time_of_signing_in_is_not_ahead(void **state)
{
    play_t *p = *state;
    assert_int_equal(judge(p, GOOD ",\"auth_time\":1800000000"), IDENTITY_UPSTREAM_FINE);
    assert_int_equal(p->person.auth_time, NOW);
}

static void login_not_allowed(void **state)
{
    static const str_t ROW = STR_INIT("hd=example.com");
    play_t *p = *state;
    p->settings.allowed = (str_list_t){&ROW, 1};
    assert_int_equal(judge(p, GOOD), IDENTITY_UPSTREAM_NOT_ALLOWED);
    assert_int_equal(judge(p, GOOD ",\"hd\":\"example.com\""), IDENTITY_UPSTREAM_FINE);
}

static void a_name_is_the_first_claim_that_can_be_one(void **state)
{
    play_t *p = *state;
    judge(p, GOOD ",\"preferred_username\":\"Dana <x>\",\"email\":\"Dana@Example.com\"");
    assert_text(p->person.name, "dana@example.com");
    judge(p, GOOD ",\"preferred_username\":\"\",\"email\":\"-\"");
    assert_unset(p->person.name);
}

/* ---- the request ---- */

static void code_is_redeemed_with_what_the_provider_wants(void **state)
{
    play_t *p = *state;
    str_t form, authorization;
    identity_upstream_provider_t provider = {.takes_basic = true};
    p->settings.client_id = STR("c:1");
    p->settings.redirect_uri = STR("https://as.test/login/callback");
#define FORM                                                                                       \
    "grant_type=authorization_code&code=a%2Bb&redirect_uri=https%3A%2F%2Fas.test%2Flogin%2F"       \
    "callback&code_verifier=the-verifier"
    assert_ok(identity_upstream_exchange(p->a, &p->settings, &provider, &p->pending, STR("a+b"),
                                         &form, &authorization));
    assert_text(form, FORM "&client_id=c%3A1");
    assert_unset(authorization);
    p->settings.secret = STR("s e\xc3\xa4");
    assert_ok(identity_upstream_exchange(p->a, &p->settings, &provider, &p->pending, STR("a+b"),
                                         &form, &authorization));
    assert_text(form, FORM);
    assert_text(authorization, "Basic YyUzQTE6cytlJUMzJUE0"); /* c%3A1:s+e%C3%A4 */
    provider.takes_basic = false;
    assert_ok(identity_upstream_exchange(p->a, &p->settings, &provider, &p->pending, STR("a+b"),
                                         &form, &authorization));
    assert_text(form, FORM "&client_id=c%3A1&client_secret=s+e%C3%A4");
    assert_unset(authorization);
}

/* ---- the account ---- */

static const user_t *account(play_t *p, const char *name, const user_t *user,
                             const user_t *namesake, effects_t *effects)
{
    const user_t *out;
    identity_upstream_verdict_t verdict;
    const identity_upstream_person_t person = {.subject = STR("s-1"), .name = str_c(name)};
    const identity_upstream_account_t facts = {&person, p->settings.issuer, STR("x-id"),
                                               user,    namesake,           NOW};
    *effects = (effects_t){.n = 0};
    assert_ok(identity_upstream_account(p->a, &facts, effects, &out, &verdict));
    if (verdict != IDENTITY_UPSTREAM_FINE)
        assert_int_equal(effects->n, 0);
    return verdict == IDENTITY_UPSTREAM_FINE ? out : NULL;
}

static void first_sign_in_makes_an_account_without_a_password(void **state)
{
    play_t *p = *state;
    effects_t effects;
    const user_t *user = account(p, "dana", NULL, NULL, &effects);
    assert_non_null(user);
    assert_int_equal(effects.n, 1);
    assert_int_equal(effects.v[0].kind, EFFECT_USER_INSERT);
    assert_ptr_equal(effects.v[0].u.user, user);
    assert_text(user->id, "x-id");
    assert_text(user->name, "dana");
    assert_text(user->issuer, ISSUER);
    assert_text(user->subject, "s-1");
    assert_unset(user->password);
    assert_false(user->admin);
}

static void later_ones_find_it_whatever_it_is_called(void **state)
{
    static const user_t USER = {.id = STR_INIT("x-id"), .name = STR_INIT("old")};
    effects_t effects;
    assert_ptr_equal(account(*state, "new", &USER, &USER, &effects), &USER);
    assert_int_equal(effects.n, 0);
}

static void namesake_keeps_name_and_account(void **state)
{
    static const user_t ALICE = {.id = STR_INIT("u1"), .name = STR_INIT("alice")};
    char longest[65];
    effects_t effects;
    const user_t *user = account(*state, "alice", NULL, &ALICE, &effects);
    assert_true(str_starts(user->name, STR("alice-")));
    assert_int_equal(user->name.n, 14);
    assert_text(user->id, "x-id");
    memset(longest, 'a', 64);
    longest[64] = '\0';
    assert_int_equal(account(*state, longest, NULL, &ALICE, &effects)->name.n, 64);
    assert_true(str_starts(account(*state, NULL, NULL, NULL, &effects)->name, STR("person-")));
}

/* Nobody takes the name that another person will get here, by which no account could be made. */
static void names_that_others_get_are_not_taken(void **state)
{
    static const char *const ROWS[] = {"x-0123456789abcdef0123456789abcdef0123456789abcdef",
                                       "bob-0123abcd", "x-", "person-00000000"};
    effects_t effects;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const user_t *user = account(*state, ROWS[i], NULL, NULL, &effects);
        assert_int_equal(user->name.n, strlen(ROWS[i]) + 9);
        assert_true(str_starts(user->name, str_c(ROWS[i])));
    }
    assert_text(account(*state, "bob-0123abcg", NULL, NULL, &effects)->name, "bob-0123abcg");
    assert_text(account(*state, "0123abcd", NULL, NULL, &effects)->name, "0123abcd");
}

static const user_t *account_in(play_t *p, const identity_upstream_person_t *person,
                                const user_t *user, effects_t *effects)
{
    const user_t *out;
    identity_upstream_verdict_t verdict;
    const identity_upstream_account_t facts = {person, p->settings.issuer, STR("x-id"), user, NULL,
                                               NOW};
    *effects = (effects_t){.n = 0};
    assert_ok(identity_upstream_account(p->a, &facts, effects, &out, &verdict));
    return out;
}

/* Those that the provider names count, whoever set the ones before; without a word of it they stay.
 */
static void groups_change_with_the_sign_in(void **state)
{
    static const str_t OLD[] = {STR_INIT("a")}, NEW[] = {STR_INIT("a"), STR_INIT("b")};
    user_t user = {.id = STR("x-id"), .groups = {OLD, 1}};
    identity_upstream_person_t person = {.subject = STR("s-1"), .groups = {NEW, 2}};
    effects_t effects;
    (void)account_in(*state, &person, &user, &effects);
    assert_int_equal(effects.n, 0);
    person.says_groups = true;
    (void)account_in(*state, &person, &user, &effects);
    assert_int_equal(effects.n, 1);
    assert_int_equal(effects.v[0].kind, EFFECT_USER_SET_GROUPS);
    assert_text(effects.v[0].u.user->id, "x-id");
    assert_int_equal(effects.v[0].u.user->groups.n, 2);
    user.groups = (str_list_t){NEW, 2};
    (void)account_in(*state, &person, &user, &effects);
    assert_int_equal(effects.n, 0);
    person.groups.n = 0;
    (void)account_in(*state, &person, &user, &effects);
    assert_int_equal(effects.v[0].u.user->groups.n, 0);
    person.groups.n = 2;
    assert_int_equal(account_in(*state, &person, NULL, &effects)->groups.n, 2);
    assert_int_equal(effects.v[0].kind, EFFECT_USER_INSERT);
}

static void login_user_disabled(void **state)
{
    static const user_t USER = {.id = STR_INIT("x-id"), .disabled = true};
    effects_t effects;
    assert_null(account(*state, "dana", &USER, NULL, &effects));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(signed_in_elsewhere),
        TEST(groups_that_the_provider_names),
        TEST(refusals_in_their_order),
        TEST(login_id_token_missing),
        TEST(login_id_token_malformed),
        TEST(login_id_token_key),
        TEST(login_id_token_signature),
        TEST(login_not_again),
        TEST(time_of_signing_in_is_not_ahead),
        TEST(login_not_allowed),
        TEST(a_name_is_the_first_claim_that_can_be_one),
        TEST(code_is_redeemed_with_what_the_provider_wants),
        TEST(first_sign_in_makes_an_account_without_a_password),
        TEST(later_ones_find_it_whatever_it_is_called),
        TEST(namesake_keeps_name_and_account),
        TEST(names_that_others_get_are_not_taken),
        TEST(groups_change_with_the_sign_in),
        TEST(login_user_disabled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
