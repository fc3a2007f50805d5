/* What the tests of a vault ask of it. */
#ifndef AS_AS_TEST_VAULT_ASK_H
#define AS_AS_TEST_VAULT_ASK_H

#include "as/as_test_vault.h"

#include "audit/checkpoint.h"
#include "jose/jws.h"

/* Of cmocka: a vault for each test. */
static inline int vault_test_setup(void **state)
{
    vault_test_t *p = malloc(sizeof *p);
    VAULT_NEED(p != NULL);
    vault_test_new(p);
    *state = p;
    return 0;
}

static inline int vault_test_teardown(void **state)
{
    vault_test_free(*state);
    free(*state);
    return 0;
}

static inline rc_t open_record(vault_test_t *p, const key_record_t *r, str_t *out)
{
    return p->vault.open(p->vault.ctx, p->a, r, out);
}

static inline void open_key(vault_test_t *p)
{
    str_t public;
    VAULT_NEED(open_record(p, &p->sealed, &public) == RC_OK);
}

static inline rc_t sign_input(vault_test_t *p, str_t input, signature_t *out)
{
    const sign_request_t req = {ALG_EDDSA, STR("k"), input};
    return p->vault.sign(p->vault.ctx, &req, out);
}

/* The token, or the answer of who signs. */
static inline rc_t sign_claims(vault_test_t *p, str_t typ, str_t claims, str_t *token)
{
    const signer_port_t signer = {p->vault.sign, p->vault.ctx};
    const jws_sign_t what = {ALG_EDDSA, STR("k"), typ, claims};
    return jws_sign(p->a, &signer, &what, token);
}

static inline str_t until(vault_test_t *p, int64_t seconds)
{
    return arena_printf(p->a, "{\"iss\":\"https://as.example\",\"exp\":%lld}",
                        (long long)(VAULT_TEST_NOW + seconds));
}

static inline rc_t sign_until(vault_test_t *p, str_t typ, int64_t seconds)
{
    str_t token;
    return sign_claims(p, typ, until(p, seconds), &token);
}

static inline audit_signer_t auditor(vault_test_t *p)
{
    return (audit_signer_t){vault_remote_checkpoint, &p->line, vault_room_audit_kid(p->room)};
}

/* Of the chain that is called by `name` (0: it is not known), so many milliseconds from now. */
static inline str_t checkpoint_of(vault_test_t *p, uint8_t name, uint64_t seq, int64_t ahead_ms)
{
    str_t text;
    char time[AUDIT_TIME_BYTES];
    buf_t b = buf_new(p->a, 1024);
    audit_time_format(p->clock.ms + ahead_ms, time);
    audit_checkpoint_t c = {.head = {.seq = seq},
                            .time = str_of(time, sizeof time),
                            .kid = vault_room_audit_kid(p->room)};
    c.chain.bytes[0] = name;
    audit_checkpoint_text(&b, &c);
    VAULT_NEED(buf_done(&b, &text) == RC_OK);
    return text;
}

static inline str_t checkpoint_text(vault_test_t *p, str_t kid)
{
    str_t text = checkpoint_of(p, 0, 7, 0);
    text = str_first(text, text.n - 1 - vault_room_audit_kid(p->room).n);
    return arena_printf(p->a, "%" PRIstr "%" PRIstr "\n", STR_ARG(text), STR_ARG(kid));
}

#endif
