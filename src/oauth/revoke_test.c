#include "oauth/oauth_test_world.h"

#include "jose/jws.h"
#include "jose/keyring.h"
#include "oauth/handle.h"
#include "oauth/revoke.h"

typedef struct {
    world_t w;
    jwks_t keys;
    signer_local_t *signer;
    family_t family;
    oauth_client_claim_t claim;
    oauth_revoke_request_t request;
    oauth_revoke_facts_t facts;
    oauth_revoke_verdict_t out;
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){0};
    world_begin(&p->w);
    p->keys = (jwks_t){.v = ARENA_NEW(p->w.a, jwk_t), .n = 1};
    assert_non_null(p->keys.v);
    *p->keys.v = (jwk_t){.alg = ALG_ES256, .kid = STR("k")};
    assert_int_equal(jose_key_generate(ALG_ES256, &p->keys.v->key), RC_OK);
    assert_int_equal(signer_local_new(&p->keys, &p->signer), RC_OK);
    p->family = (family_t){.id = STR("family-1"),
                           .client_id = p->w.client.id,
                           .user_id = p->w.user.id,
                           .resource = STR("https://rs.test/mcp")};
}

static void end(play_t *p)
{
    signer_local_free(p->signer);
    jose_key_free(p->keys.v->key);
    world_end(&p->w);
}

static void read(play_t *p, str_t form)
{
    form_t f;
    assert_int_equal(form_parse(p->w.a, form, &f), RC_OK);
    assert_int_equal(oauth_client_auth_read(p->w.a, (str_list_t){0}, &f, &p->claim), RC_OK);
    assert_int_equal(oauth_revoke_read(p->w.a, &f, &p->keys, p->w.settings.issuer, &p->request),
                     RC_OK);
}

static void decide(play_t *p, const family_t *family)
{
    p->facts = (oauth_revoke_facts_t){
        .now = TEST_NOW,
        .claim = &p->claim,
        .request = &p->request,
        .client = str_eq(p->claim.client_id, p->w.client.id) ? &p->w.client : NULL,
        .family = family,
    };
    assert_int_equal(oauth_revoke_decide(p->w.a, &p->facts, &p->out), RC_OK);
}

static str_t sign(play_t *p, str_t typ, str_t claims)
{
    signer_port_t port = signer_local_port(p->signer);
    const jws_sign_t what = {ALG_ES256, STR("k"), typ, claims};
    str_t token;
    assert_int_equal(jws_sign(p->w.a, &port, &what, &token), RC_OK);
    return token;
}

static str_t form_of(play_t *p, str_t token)
{
    return arena_printf(p->w.a, "client_id=client-1&token=%" PRIstr, STR_ARG(token));
}

#define GOOD "{\"iss\":\"https://as.test\",\"jti\":\"family-1.x\",\"exp\":1}"

static void a_refresh_token_ends_its_family(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    read(&p, STR("client_id=client-1&token=the-refresh&token_type_hint=access_token"));
    hash_t hash = oauth_handle_hash(STR("the-refresh"));
    assert_memory_equal(&p.request.hash, &hash, sizeof hash);
    assert_unset(p.request.family_id);
    decide(&p, &p.family);
    assert_reason(p.out.reason, OAUTH_FINE);
    assert_int_equal(p.out.status, 200);
    assert_text(p.out.body, "");
    assert_effects(&p.out.effects, EFFECT_FAMILY_REVOKE);
    assert_text(p.out.effects.v[0].u.family->revoked_reason, "revoked_by_client");
    assert_int_equal(p.out.event.kind, AUDIT_REVOKE);
    assert_text(p.out.event.family, "family-1");
    assert_true(p.out.event.allowed);
    p.family.revoked_at = 1;
    decide(&p, &p.family);
    assert_no_effects(&p.out.effects);
    assert_int_equal(p.out.status, 200);
    end(&p);
}

static void an_access_token_ends_its_family(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    read(&p, form_of(&p, sign(&p, STR("at+jwt"), STR(GOOD)))); /* long expired */
    assert_text(p.request.family_id, "family-1");
    assert_text(p.request.jti, "family-1.x");
    decide(&p, &p.family);
    assert_effects(&p.out.effects, EFFECT_FAMILY_REVOKE);
    assert_text(p.out.event.token, "family-1.x");
    end(&p);
}

static void only_our_own_access_tokens_count(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    str_t good = sign(&p, STR("at+jwt"), STR(GOOD));
    char *bent = arena_cstr(p.w.a, good);
    bent[good.n - 10] = bent[good.n - 10] == 'A' ? 'B' : 'A';
    const str_t bad[] = {
        STR("a.b.c"),
        str_of(bent, good.n),
        sign(&p, STR("JWT"), STR(GOOD)),
        sign(&p, STR("at+jwt"), STR("{\"iss\":\"https://evil.test\",\"jti\":\"family-1.x\"}")),
        sign(&p, STR("at+jwt"), STR("{\"iss\":\"https://as.test\",\"jti\":\"of-a-machine\"}")),
        sign(&p, STR("at+jwt"), STR("{\"iss\":\"https://as.test\"}")),
        sign(&p, STR("at+jwt"), STR("{\"iss\":\"https://as.test\",\"jti\":1}")),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        read(&p, form_of(&p, bad[i]));
        assert_reason(p.request.reason, OAUTH_FINE);
        assert_unset(p.request.family_id);
    }
    end(&p);
}

static void an_unknown_token_is_no_error(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    read(&p, STR("client_id=client-1&token=nonsense"));
    decide(&p, NULL);
    assert_reason(p.out.reason, OAUTH_FINE);
    assert_int_equal(p.out.status, 200);
    assert_no_effects(&p.out.effects);
    end(&p);
}

static void refused(play_t *p, oauth_reason_t reason)
{
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, oauth_reason_status(reason));
    assert_str(json_get_str(world_json(&p->w, p->out.body), STR("error")),
               oauth_reason_error(reason));
    assert_no_effects(&p->out.effects);
    assert_false(p->out.event.allowed);
}

static void token_missing(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    read(&p, STR("client_id=client-1"));
    decide(&p, NULL);
    refused(&p, OAUTH_TOKEN_MISSING);
    read(&p, STR("client_id=client-1&token=a&token=b"));
    decide(&p, NULL);
    refused(&p, OAUTH_PARAMETER_REPEATED);
    end(&p);
}

/* attack case: MGT-003 */
static void token_other_client(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.family.client_id = STR("client-2");
    read(&p, STR("client_id=client-1&token=the-refresh"));
    decide(&p, &p.family);
    assert_reason(p.out.reason, OAUTH_TOKEN_OTHER_CLIENT);
    assert_int_equal(p.out.status, 200); /* as for an unknown token */
    assert_text(p.out.body, "");
    assert_unset(p.out.www_authenticate);
    assert_no_effects(&p.out.effects);
    assert_false(p.out.event.allowed);
    assert_text(p.out.event.reason, "token_other_client");
    end(&p);
}

static void client_unknown(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    read(&p, STR("client_id=ghost&token=the-refresh"));
    decide(&p, &p.family);
    refused(&p, OAUTH_CLIENT_UNKNOWN);
    read(&p, STR("token=the-refresh"));
    decide(&p, &p.family);
    refused(&p, OAUTH_CLIENT_AUTH_MISSING);
    end(&p);
}

static rc_t decide_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    oauth_revoke_verdict_t out;
    (void)w;
    return oauth_revoke_decide(a, &p->facts, &out);
}

static void without_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    read(&p, STR("client_id=client-1&token=the-refresh"));
    decide(&p, &p.family);
    world_starve(decide_in, &p.w, &p);
    end(&p);
}

/* A grant that its client revoked says so at the next refresh (records.h: revoked_reason). */
static void revoked_by_client(void **state)
{
    (void)state;
    assert_text(oauth_reason_name(OAUTH_REVOKED_BY_CLIENT), "revoked_by_client");
    assert_text(oauth_reason_error(OAUTH_REVOKED_BY_CLIENT), "invalid_grant");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refresh_token_ends_its_family),
        cmocka_unit_test(an_access_token_ends_its_family),
        cmocka_unit_test(only_our_own_access_tokens_count),
        cmocka_unit_test(an_unknown_token_is_no_error),
        cmocka_unit_test(token_missing),
        cmocka_unit_test(token_other_client),
        cmocka_unit_test(client_unknown),
        cmocka_unit_test(revoked_by_client),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
