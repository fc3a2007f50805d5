#include "oauth/oauth_test_world.h"

#include "jose/jws.h"
#include "oauth/handle.h"
#include "oauth/register.h"
#include "oauth/statement.h"

#define ISSUER  "https://vouch.test"
#define SAYS    "\"software_id\":\"editor\",\"client_name\":\"Vouched\""
#define REQUEST "\"redirect_uris\":[\"https://c.test/cb\"],\"token_endpoint_auth_method\":\"none\""

typedef struct {
    world_t w;
    jwk_t key[2];
    oauth_issuer_t issuer;
    oauth_register_facts_t facts;
    oauth_register_verdict_t out;
} play_t;

static str_t keys_of(play_t *p)
{
    str_t text;
    const jwks_t set = {p->key, 1, 0};
    buf_t b = buf_new(p->w.a, 4096);
    json_writer_t w = json_writer(&b);
    assert_int_equal(jwks_write(p->w.a, &w, &set), RC_OK);
    assert_int_equal(buf_done(&b, &text), RC_OK);
    return text;
}

static void begin(play_t *p)
{
    *p = (play_t){0};
    world_begin(&p->w);
    for (size_t i = 0; i < 2; i++) {
        p->key[i] = (jwk_t){.alg = ALG_ES256, .kid = STR("k")};
        assert_int_equal(jose_key_generate(ALG_ES256, &p->key[i].key), RC_OK);
    }
    p->issuer = (oauth_issuer_t){.issuer = STR(ISSUER),
                                 .jwks_uri = STR(ISSUER "/keys"),
                                 .uses = OAUTH_ISSUER_SOFTWARE_STATEMENT};
    p->w.settings.issuers = (oauth_issuers_t){&p->issuer, 1};
    p->w.settings.registration = OAUTH_REGISTER_STATEMENT;
    p->facts = (oauth_register_facts_t){
        .settings = &p->w.settings,
        .random = &p->w.random,
        .now = TEST_NOW,
        .resources = &p->w.resources,
        .statement_keys = keys_of(p),
    };
}

static void end(play_t *p)
{
    jose_key_free(p->key[0].key);
    jose_key_free(p->key[1].key);
    world_end(&p->w);
}

/* A statement under key number `i`. */
static str_t sign(play_t *p, size_t i, const char *typ, const char *claims)
{
    jwks_t set = {&p->key[i], 1, 0};
    signer_local_t *local;
    str_t text;
    assert_int_equal(signer_local_new(&set, &local), RC_OK);
    signer_port_t port = signer_local_port(local);
    const jws_sign_t what = {ALG_ES256, STR("k"), str_c(typ), str_c(claims)};
    assert_int_equal(jws_sign(p->w.a, &port, &what, &text), RC_OK);
    signer_local_free(local);
    return text;
}

static void ask(play_t *p, str_t body)
{
    p->facts.body = body;
    assert_int_equal(oauth_register_decide(p->w.a, &p->facts, &p->out), RC_OK);
}

static str_t body_of(play_t *p, str_t statement)
{
    return arena_printf(p->w.a, "{" REQUEST ",\"software_statement\":\"%" PRIstr "\"}",
                        STR_ARG(statement));
}

static const client_t *registered(play_t *p, const char *claims)
{
    ask(p, body_of(p, sign(p, 0, NULL, claims)));
    assert_reason(p->out.reason, OAUTH_FINE);
    return p->out.client;
}

static void refused(play_t *p, str_t statement, oauth_reason_t reason)
{
    ask(p, body_of(p, statement));
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, 400);
    assert_str(json_get_str(world_json(&p->w, p->out.body), STR("error")),
               oauth_reason_error(reason));
    assert_no_effects(&p->out.effects);
    assert_null(p->out.client);
    assert_non_null(registered(p, "{\"iss\":\"" ISSUER "\"," SAYS "}"));
}

static void the_claims_win(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    str_t statement = sign(&p, 0, "JWT",
                           "{\"iss\":\"" ISSUER "\"," SAYS ",\"redirect_uris\":[\"https://v.test/"
                           "cb\"]}");
    ask(&p, arena_printf(p.w.a,
                         "{" REQUEST ",\"client_name\":\"Mine\",\"client_uri\":\"https://c.test\","
                         "\"software_statement\":\"%" PRIstr "\"}",
                         STR_ARG(statement)));
    assert_reason(p.out.reason, OAUTH_FINE);
    const client_t *c = p.out.client;
    assert_text(c->name, "Vouched");
    assert_text(c->software_id, "editor");
    assert_text(c->client_uri, "https://c.test");
    assert_int_equal(c->redirect_uris.n, 1);
    assert_text(c->redirect_uris.v[0], "https://v.test/cb");
    assert_text(c->vouched_by, ISSUER);
    assert_effects(&p.out.effects, EFFECT_CLIENT_INSERT);
    const json_t *answer = world_json(&p.w, p.out.body);
    assert_str(json_get_str(answer, STR("software_statement")), statement);
    assert_text(json_get_str(answer, STR("client_name")), "Vouched");
    end(&p);
}

/* RFC 7591 sections 2 and 2.3: whoever brings the statement adds no keys of its own. */
static void the_keys_of_the_claims_stand_alone(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const str_t own = keys_of(&p);
    const char *const claims[] = {
        "{\"iss\":\"" ISSUER "\"," SAYS ",\"jwks_uri\":\"https://v.test/keys\"}",
        arena_cstr(p.w.a,
                   arena_printf(p.w.a, "{\"iss\":\"" ISSUER "\"," SAYS ",\"jwks\":%" PRIstr "}",
                                STR_ARG(own))),
    };
    for (size_t i = 0; i < 2; i++) {
        str_t mine = i == 0 ? arena_printf(p.w.a, "\"jwks\":%" PRIstr, STR_ARG(own))
                            : STR("\"jwks_uri\":\"https://c.test/keys\"");
        ask(&p, arena_printf(p.w.a,
                             "{\"redirect_uris\":[\"https://c.test/cb\"],"
                             "\"token_endpoint_auth_method\":\"private_key_jwt\",%" PRIstr
                             ",\"software_statement\":\"%" PRIstr "\"}",
                             STR_ARG(mine), STR_ARG(sign(&p, 0, NULL, claims[i]))));
        assert_reason(p.out.reason, OAUTH_FINE);
        const client_t *c = p.out.client;
        assert_int_equal(str_is_set(c->jwks_uri), i == 0);
        assert_int_equal(str_is_set(c->jwks), i == 1);
        if (i == 0)
            assert_text(c->jwks_uri, "https://v.test/keys");
        const json_t *answer = world_json(&p.w, p.out.body);
        assert_true(!json_get(answer, STR("jwks")) != !json_get(answer, STR("jwks_uri")));
    }
    end(&p);
}

/* Also what is vouched for obeys the rules. */
static void the_rules_hold_for_claims_too(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    ask(&p, body_of(&p, sign(&p, 0, NULL,
                             "{\"iss\":\"" ISSUER "\",\"redirect_uris\":[\"javascript:x\"]}")));
    assert_reason(p.out.reason, OAUTH_REDIRECT_URI_SCHEME);
    end(&p);
}

static void statement_missing(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    ask(&p, STR("{" REQUEST "}"));
    assert_reason(p.out.reason, OAUTH_STATEMENT_MISSING);
    ask(&p, STR("{" REQUEST ",\"software_statement\":null}"));
    assert_reason(p.out.reason, OAUTH_STATEMENT_MISSING);
    ask(&p, STR("{"));
    assert_reason(p.out.reason, OAUTH_METADATA_MALFORMED);
    p.w.settings.issuers.n = 0; /* nobody can register, and nobody is told another reason */
    ask(&p, STR("{" REQUEST "}"));
    assert_reason(p.out.reason, OAUTH_STATEMENT_MISSING);
    end(&p);
}

static void statement_malformed(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    refused(&p, STR(""), OAUTH_STATEMENT_MALFORMED);
    refused(&p, STR("a.b.c"), OAUTH_STATEMENT_MALFORMED);
    refused(&p, STR("eyJhbGciOiJub25lIn0.e30."), OAUTH_STATEMENT_MALFORMED); /* alg none */
    refused(&p, sign(&p, 0, NULL, "[]"), OAUTH_STATEMENT_MALFORMED);
    refused(&p, sign(&p, 0, NULL, "{" SAYS "}"), OAUTH_STATEMENT_MALFORMED); /* no iss */
    /* other tokens of the same issuer */
    refused(&p, sign(&p, 0, "at+jwt", "{\"iss\":\"" ISSUER "\"," SAYS "}"),
            OAUTH_STATEMENT_MALFORMED);
    refused(&p, sign(&p, 0, "JWT", "{\"iss\":\"" ISSUER "\",\"sub\":\"alice\",\"nonce\":\"n\"}"),
            OAUTH_STATEMENT_MALFORMED);
    ask(&p, STR("{" REQUEST ",\"software_statement\":1}"));
    assert_reason(p.out.reason, OAUTH_STATEMENT_MALFORMED);
    ask(&p, body_of(&p, sign(&p, 0, "application/software-statement+jwt",
                             "{\"iss\":\"" ISSUER "\"," SAYS "}")));
    assert_reason(p.out.reason, OAUTH_FINE);
    end(&p);
}

static void statement_issuer(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    refused(&p, sign(&p, 0, NULL, "{\"iss\":\"https://other.test\"," SAYS "}"),
            OAUTH_STATEMENT_ISSUER);
    refused(&p, sign(&p, 0, NULL, "{\"iss\":\"" ISSUER "/\"," SAYS "}"), OAUTH_STATEMENT_ISSUER);
    p.issuer.uses = OAUTH_ISSUER_ID_JAG; /* trusted for something else */
    ask(&p, body_of(&p, sign(&p, 0, NULL, "{\"iss\":\"" ISSUER "\"," SAYS "}")));
    assert_reason(p.out.reason, OAUTH_STATEMENT_ISSUER);
    end(&p);
}

static void statement_signature(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    refused(&p, sign(&p, 1, NULL, "{\"iss\":\"" ISSUER "\"," SAYS "}"), OAUTH_STATEMENT_SIGNATURE);
    str_t good = sign(&p, 0, NULL, "{\"iss\":\"" ISSUER "\"," SAYS "}");
    str_t keys = p.facts.statement_keys;
    p.facts.statement_keys = STR_UNSET; /* could not be had */
    ask(&p, body_of(&p, good));
    assert_reason(p.out.reason, OAUTH_STATEMENT_SIGNATURE);
    p.facts.statement_keys = STR("no JSON");
    ask(&p, body_of(&p, good));
    assert_reason(p.out.reason, OAUTH_STATEMENT_SIGNATURE);
    p.issuer.jwks = keys; /* written down */
    ask(&p, body_of(&p, good));
    assert_reason(p.out.reason, OAUTH_FINE);
    p.issuer.algs = 1u << ALG_RS256; /* another algorithm than the issuer may sign with */
    ask(&p, body_of(&p, good));
    assert_reason(p.out.reason, OAUTH_STATEMENT_SIGNATURE);
    end(&p);
}

static void statement_keys_away(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    str_t keys = p.facts.statement_keys;
    p.facts.statement_keys = STR_UNSET;
    p.facts.statement_away = true;
    ask(&p, body_of(&p, sign(&p, 0, NULL, "{\"iss\":\"" ISSUER "\"," SAYS "}")));
    assert_reason(p.out.reason, OAUTH_STATEMENT_KEYS_AWAY);
    assert_int_equal(p.out.status, 503);
    p.facts.statement_keys = keys;
    p.facts.statement_away = false;
    assert_non_null(registered(&p, "{\"iss\":\"" ISSUER "\"," SAYS "}"));
    end(&p);
}

static void statement_time(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    static const struct {
        const char *name;
        int at;
    } BAD[] = {{"exp", TEST_NOW - 60}, {"nbf", TEST_NOW + 61}, {"iat", TEST_NOW + 61}};
    for (size_t i = 0; i < 3; i++) {
        str_t bad = arena_printf(p.w.a, "{\"iss\":\"" ISSUER "\"," SAYS ",\"%s\":%d}", BAD[i].name,
                                 BAD[i].at);
        refused(&p, sign(&p, 0, NULL, bad.p), OAUTH_STATEMENT_TIME);
    }
    str_t claims = arena_printf(p.w.a, "{\"iss\":\"" ISSUER "\"," SAYS ",\"exp\":%d,\"nbf\":%d}",
                                TEST_NOW - 59, TEST_NOW + 60);
    assert_non_null(registered(&p, claims.p));
    end(&p);
}

static void statement_audience(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    refused(&p, sign(&p, 0, NULL, "{\"iss\":\"" ISSUER "\"," SAYS ",\"aud\":\"https://x.test\"}"),
            OAUTH_STATEMENT_AUDIENCE);
    refused(&p,
            sign(&p, 0, NULL,
                 "{\"iss\":\"" ISSUER "\"," SAYS ",\"aud\":\"https://as.test.evil.test\"}"),
            OAUTH_STATEMENT_AUDIENCE);
    assert_non_null(
        registered(&p, "{\"iss\":\"" ISSUER "\"," SAYS ",\"aud\":\"https://as.test\"}"));
    assert_non_null(registered(&p, "{\"iss\":\"" ISSUER "\"," SAYS
                                   ",\"aud\":[\"a\",\"https://as.test/register\"]}"));
    end(&p);
}

static void open_to_all_or_vouched_for(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.w.settings.registration = OAUTH_REGISTER_OPEN;
    ask(&p, STR("{" REQUEST "}"));
    assert_reason(p.out.reason, OAUTH_FINE);
    assert_unset(p.out.client->vouched_by);
    assert_text(registered(&p, "{\"iss\":\"" ISSUER "\"," SAYS ",\"redirect_uris\":"
                               "[\"https://c.test/cb\"]}")
                    ->vouched_by,
                ISSUER);
    refused(&p, sign(&p, 0, NULL, "{\"iss\":\"https://other.test\"," SAYS "}"),
            OAUTH_STATEMENT_ISSUER);
    p.w.settings.issuers.n = 0; /* nobody is trusted: an unknown member */
    ask(&p, body_of(&p, STR("whatever")));
    assert_reason(p.out.reason, OAUTH_FINE);
    assert_unset(p.out.client->vouched_by);
    end(&p);
}

/* A statement is no secret: whoever sends it along with redirect URIs of their own is not what it
 * names. */
static void who_says_not_where_codes_go_vouches_for_nobody(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    assert_unset(registered(&p, "{\"iss\":\"" ISSUER "\"," SAYS "}")->vouched_by);
    assert_unset(
        registered(&p, "{\"iss\":\"" ISSUER "\"," SAYS ",\"redirect_uris\":null}")->vouched_by);
    assert_unset(
        registered(&p, "{\"iss\":\"" ISSUER "\",\"redirect_uris\":[\"https://c.test/cb\"]}")
            ->vouched_by);
    end(&p);
}

static void whose_keys_are_needed(void **state)
{
    (void)state;
    play_t p;
    oauth_statement_t s;
    begin(&p);
    str_t body = body_of(&p, sign(&p, 1, NULL, "{\"iss\":\"" ISSUER "\"," SAYS "}"));
    assert_int_equal(oauth_statement_read(p.w.a, body, &s), RC_OK);
    assert_true(s.given && s.reason == OAUTH_FINE);
    assert_text(s.issuer, ISSUER);
    assert_null(s.claims);
    assert_int_equal(oauth_statement_read(p.w.a, STR("{}"), &s), RC_OK);
    assert_false(s.given);
    end(&p);
}

static rc_t decide_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    oauth_register_verdict_t out;
    (void)w;
    return oauth_register_decide(a, &p->facts, &out);
}

static void without_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    registered(&p, "{\"iss\":\"" ISSUER "\"," SAYS ",\"aud\":\"https://as.test\"}");
    world_starve(decide_in, &p.w, &p);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_claims_win),
        cmocka_unit_test(the_keys_of_the_claims_stand_alone),
        cmocka_unit_test(the_rules_hold_for_claims_too),
        cmocka_unit_test(statement_missing),
        cmocka_unit_test(statement_malformed),
        cmocka_unit_test(statement_issuer),
        cmocka_unit_test(statement_signature),
        cmocka_unit_test(statement_keys_away),
        cmocka_unit_test(statement_time),
        cmocka_unit_test(statement_audience),
        cmocka_unit_test(open_to_all_or_vouched_for),
        cmocka_unit_test(who_says_not_where_codes_go_vouches_for_nobody),
        cmocka_unit_test(whose_keys_are_needed),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
