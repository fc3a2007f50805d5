/* A signing side with fixed keys, for the tests and the fuzzer of the vault. */
#ifndef AS_AS_TEST_VAULT_H
#define AS_AS_TEST_VAULT_H

#include "as/vault.h"
#include "as/vault_remote.h"
#include "as/vault_room.h"

#include <stdlib.h>

enum { VAULT_TEST_NOW = 1800000000 };

/* A test wants to know whether its own preparations hold; a fuzzer has no assertions. */
#define VAULT_NEED(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

/* RFC 8032, section 7.1, TEST 1: an Ed25519 key as PKCS#8. */
static const uint8_t VAULT_TEST_KEY[] = {
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
enum { VAULT_TEST_SCALAR_AT = 16 };

typedef struct {
    arena_t *a;
    clock_fake_t clock;
    random_fake_t random;
    as_kek_t kek;
    jose_key_t *audit_key;
    vault_room_t *room;
    vault_desk_t *desk;
    vault_line_t line;
    as_vault_t vault;
    key_record_t sealed; /* VAULT_TEST_KEY, kid "k" */
    bool gone;           /* the line is cut */
    str_t answer;        /* what the line brings in place of one; unset: the desk's own */
    uint8_t heard[LIMIT_VAULT_FRAME_BYTES]; /* the last question, as the desk got it */
    size_t heard_n;
} vault_test_t;

static inline rc_t vault_test_call(void *ctx, str_t question, uint8_t *answer, size_t *n)
{
    vault_test_t *p = ctx;
    if (p->gone)
        return RC_IO;
    memcpy(p->heard, question.p, question.n);
    p->heard_n = question.n;
    buf_t b = buf_fixed(answer, LIMIT_VAULT_FRAME_BYTES);
    str_t made = vault_desk_answer(p->desk, question, &b);
    if (str_is_set(p->answer)) {
        memcpy(answer, p->answer.p, p->answer.n);
        made = p->answer;
    }
    *n = made.n;
    return RC_OK;
}

static inline void vault_test_new(vault_test_t *p)
{
    static const uint8_t ZEROS[32];
    *p = (vault_test_t){.a = arena_new(4 << 20),
                        .clock = {(int64_t)VAULT_TEST_NOW * 1000},
                        .line = {vault_test_call, p},
                        .answer = STR_UNSET};
    const key_record_t plain = {.kid = STR("k"),
                                .alg = STR("EdDSA"),
                                .use = KEY_SIGN,
                                .secret = str_of(VAULT_TEST_KEY, sizeof VAULT_TEST_KEY)};
    VAULT_NEED(p->a && as_kek_read(p->a, str_of(ZEROS, sizeof ZEROS), &p->kek) == RC_OK);
    VAULT_NEED(jose_key_from_pkcs8(plain.secret, &p->audit_key) == RC_OK);
    const vault_config_t config = {p->kek, p->audit_key, random_fake(&p->random),
                                   clock_fake(&p->clock)};
    VAULT_NEED(vault_room_new(&config, &p->room) == RC_OK);
    VAULT_NEED(vault_desk_new(p->room, &p->desk) == RC_OK);
    VAULT_NEED(as_kek_seal(p->a, &p->kek, config.random, &plain, &p->sealed) == RC_OK);
    p->vault = vault_remote(&p->line);
}

static inline void vault_test_free(vault_test_t *p)
{
    vault_desk_free(p->desk);
    vault_room_free(p->room);
    jose_key_free(p->audit_key);
    arena_free(p->a);
}

#endif
