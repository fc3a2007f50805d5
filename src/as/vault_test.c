/* Keys behind the wall: both sides, with a line between them that needs no process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "as/as_test_vault_ask.h"

#include "as/keys.h"

/* ---- what goes well ---- */

static void an_opened_key_is_its_public_half_and_signs(void **state)
{
    vault_test_t *p = *state;
    str_t spki, token;
    jwk_t key = {.alg = ALG_EDDSA, .kid = STR("k")};
    jws_t jws;
    assert_int_equal(open_record(p, &p->sealed, &spki), RC_OK);
    assert_int_equal(jose_key_from_spki(spki, &key.key), RC_OK);
    assert_false(jose_key_is_private(key.key));
    assert_int_equal(sign_claims(p, STR("at+jwt"), until(p, 600), &token), RC_OK);
    assert_int_equal(jws_parse(p->a, token, 0, &jws), RC_OK);
    assert_int_equal(jws_verify(&jws, &key), JWS_FINE);
    assert_int_equal(sign_claims(p, STR("warder-identity+jwt"), until(p, 60), &token), RC_OK);
    jose_key_free(key.key);
}

static void made_keys_come_sealed_and_open_again(void **state)
{
    vault_test_t *p = *state;
    static const struct {
        key_use_t use;
        str_t alg;
    } KINDS[] = {{KEY_SIGN, STR_INIT("ES256")},
                 {KEY_DERIVE, STR_INIT("HS256")},
                 {KEY_SEAL, STR_INIT("A256GCM")}};
    const as_opener_t opener = {&p->vault, {.name = p->kek.name}, random_fake(&p->random)};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const key_record_t *plain, *ours;
        key_record_t r = {.use = KINDS[i].use, .alg = KINDS[i].alg};
        assert_int_equal(as_vault_make(p->a, &opener, &r), RC_OK);
        assert_true(str_eq(r.sealed_by, p->kek.name));
        assert_int_equal(as_vault_open(p->a, &opener, &r, 1, &plain), RC_OK);
        assert_int_equal(as_kek_open(p->a, &p->kek, &r, 1, &ours), RC_OK);
        assert_int_equal(str_eq(plain->secret, ours->secret), r.use != KEY_SIGN);
        assert_false(str_contains(str_of(p->heard, p->heard_n), ours->secret));
    }
}

/* The same plans as in one process, and the ring that comes of them is public. */
static void a_ring_is_made_and_rotated_behind_it(void **state)
{
    vault_test_t *p = *state;
    const conf_t conf = {
        .signing_alg = STR("ES256"), .access_token_lifetime = 600, .store = STR("sqlite")};
    as_keys_policy_t policy = {.conf = &conf,
                               .random = random_fake(&p->random),
                               .now = VAULT_TEST_NOW,
                               .kek = {.name = p->kek.name},
                               .vault = &p->vault};
    as_keys_plan_t plan;
    as_keys_t keys = {NULL, 0};
    assert_int_equal(as_keys_plan(p->a, &keys, &policy, &plan), RC_OK);
    assert_int_equal(plan.effects.n, 3);
    key_record_t records[3];
    for (size_t i = 0; i < 3; i++)
        records[i] = *plan.effects.v[i].u.key_record;
    keys = (as_keys_t){records, 3};
    policy.rotate_now = policy.at_once = policy.keep_clients = true;
    assert_int_equal(as_keys_plan(p->a, &keys, &policy, &plan), RC_OK);
    assert_int_equal(plan.effects.n, 1);
    const key_change_t *change = plan.effects.v[0].u.key_change;
    assert_int_equal(change->n_becomes, 4);
    for (size_t i = 0; i < change->n_becomes; i++)
        assert_true(str_eq(change->becomes[i].sealed_by, p->kek.name));
    const key_record_t *plain;
    keyring_record_t *signing;
    keyring_t *ring;
    size_t n;
    const as_opener_t opener = as_keys_opener(&policy);
    assert_int_equal(as_vault_open(p->a, &opener, change->becomes, 4, &plain), RC_OK);
    assert_int_equal(as_keys_signing(p->a, plain, 4, &signing, &n), RC_OK);
    as_vault_public(signing, n);
    assert_int_equal(keyring_new(signing, n, &ring), RC_OK);
    assert_false(jose_key_is_private(keyring_current(ring)->key));
    keyring_unref(ring);
}

/* Keys of before there was one to encrypt them under: one that signs may be anybody's. */
static void plain_signing_keys_are_left_out_where_it_takes_over(void **state)
{
    vault_test_t *p = *state;
    const key_record_t plain[] = {
        {.kid = STR("d"), .use = KEY_DERIVE, .secret = STR("12345678901234567890123456789012")},
        {.kid = STR("k"),
         .alg = STR("EdDSA"),
         .use = KEY_SIGN,
         .secret = str_of(VAULT_TEST_KEY, sizeof VAULT_TEST_KEY)},
    };
    const as_keys_t keys = {plain, 2};
    const as_keys_policy_t policy = {
        .now = VAULT_TEST_NOW, .kek = {.name = p->kek.name}, .vault = &p->vault};
    const as_kek_t none = {.key = STR_UNSET};
    as_keys_plan_t plan;
    assert_int_equal(as_keys_reseal(p->a, &keys, &none, &policy, &plan), RC_OK);
    assert_int_equal(plan.effects.n, 1);
    const key_change_t *change = plan.effects.v[0].u.key_change;
    assert_int_equal(change->n_was, 2);
    assert_int_equal(change->n_becomes, 1);
    assert_true(str_eq(change->becomes[0].kid, STR("d")));
    assert_true(str_eq(change->becomes[0].sealed_by, p->kek.name));
    assert_true(str_contains(plan.about, STR("signing keys that were plain are deleted")));
}

static void checkpoints_are_signed_with_the_audit_key(void **state)
{
    vault_test_t *p = *state;
    signature_t made;
    const audit_signer_t signer = auditor(p);
    str_t text = checkpoint_text(p, signer.kid);
    assert_int_equal(signer.sign(signer.ctx, text, &made), RC_OK);
    assert_true(jose_key_verify(p->audit_key, ALG_EDDSA, text, str_of(made.b, made.n)));
}

#define PLAY(fn) cmocka_unit_test_setup_teardown(fn, vault_test_setup, vault_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(an_opened_key_is_its_public_half_and_signs),
        PLAY(made_keys_come_sealed_and_open_again),
        PLAY(a_ring_is_made_and_rotated_behind_it),
        PLAY(plain_signing_keys_are_left_out_where_it_takes_over),
        PLAY(checkpoints_are_signed_with_the_audit_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
