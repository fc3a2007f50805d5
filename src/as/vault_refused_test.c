/* What a vault does not open, seal and sign, and answers that it is not given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "as/as_test_vault_ask.h"

#include "conf/conf.h"
#include "core/b64.h"

/* ---- what is refused ---- */

static void another_type_is_not_signed(void **state)
{
    vault_test_t *p = *state;
    open_key(p);
    static const str_t TYPES[] = {STR_INIT("JWT"),    STR_INIT("secevent+jwt"),
                                  STR_INIT("AT+JWT"), STR_INIT("dpop+jwt"),
                                  STR_INIT(""),       STR_INIT("at+jwt ")};
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        assert_int_equal(sign_until(p, TYPES[i], 60), RC_CONFIG);
}

static void a_header_with_more_in_it_is_not_signed(void **state)
{
    vault_test_t *p = *state;
    signature_t made;
    static const char *const HEADERS[] = {
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k\",\"jku\":\"https://x.example\"}",
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"other\"}",
        "{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"k\"}",
        "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"k\"}",
        "{}",
    };
    open_key(p);
    str_t claims = until(p, 60);
    for (size_t i = 0; i < sizeof HEADERS / sizeof *HEADERS; i++) {
        str_t head = b64url_encode(p->a, HEADERS[i], strlen(HEADERS[i]));
        str_t body = b64url_encode(p->a, claims.p, claims.n);
        str_t input = arena_printf(p->a, "%" PRIstr ".%" PRIstr, STR_ARG(head), STR_ARG(body));
        assert_int_equal(sign_input(p, input, &made), RC_CONFIG);
    }
}

static void what_is_no_token_is_not_signed(void **state)
{
    vault_test_t *p = *state;
    signature_t made;
    str_t token;
    static const str_t CLAIMS[] = {STR_INIT("[]"),
                                   STR_INIT("text"),
                                   STR_INIT("{}"),
                                   STR_INIT(""),
                                   STR_INIT("{\"exp\":\"1800000060\"}"),
                                   STR_INIT("{\"exp\":18000000600000}"),
                                   STR_INIT("{\"exp\":1800000060}x")};
    open_key(p);
    for (size_t i = 0; i < sizeof CLAIMS / sizeof *CLAIMS; i++)
        assert_int_equal(sign_claims(p, STR("at+jwt"), CLAIMS[i], &token), RC_CONFIG);
    assert_int_equal(sign_input(p, STR(""), &made), RC_CONFIG);
    assert_int_equal(sign_input(p, STR("anything"), &made), RC_CONFIG);
    assert_int_equal(sign_input(p, checkpoint_text(p, STR("k")), &made), RC_CONFIG);
}

/* Whoever has the server for an hour has no token for a year. */
static void a_token_of_longer_life_is_not_signed(void **state)
{
    vault_test_t *p = *state;
    open_key(p);
    assert_int_equal(sign_until(p, STR("at+jwt"), CONF_ACCESS_TOKEN_MAX_S), RC_OK);
    assert_int_equal(sign_until(p, STR("at+jwt"), CONF_ACCESS_TOKEN_MAX_S + 61), RC_CONFIG);
    assert_int_equal(sign_until(p, STR("at+jwt"), -61), RC_CONFIG);
}

static void an_unknown_key_signs_nothing(void **state)
{
    vault_test_t *p = *state;
    assert_int_equal(sign_until(p, STR("at+jwt"), 60), RC_NOT_FOUND);
    open_key(p);
    signature_t made;
    const sign_request_t req = {ALG_ES256, STR("k"), STR("a.b")};
    assert_int_equal(p->vault.sign(p->vault.ctx, &req, &made), RC_NOT_FOUND);
}

static void another_checkpoint_is_not_signed(void **state)
{
    vault_test_t *p = *state;
    signature_t made;
    const audit_signer_t signer = auditor(p);
    str_t good = checkpoint_text(p, signer.kid);
    const str_t bad[] = {checkpoint_text(p, STR("k")), str_first(good, good.n - 1),
                         str_skip(good, 1), arena_printf(p->a, "%" PRIstr "more\n", STR_ARG(good)),
                         STR("")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(signer.sign(signer.ctx, bad[i], &made), RC_CONFIG);
}

static rc_t sign_checkpoint(vault_test_t *p, uint8_t name, uint64_t seq, int64_t ahead_ms)
{
    signature_t made;
    const audit_signer_t signer = auditor(p);
    return signer.sign(signer.ctx, checkpoint_of(p, name, seq, ahead_ms), &made);
}

static void a_checkpoint_of_another_time_is_not_signed(void **state)
{
    vault_test_t *p = *state;
    assert_int_equal(sign_checkpoint(p, 1, 7, -60000), RC_OK);
    assert_int_equal(sign_checkpoint(p, 1, 7, 60000), RC_OK);
    assert_int_equal(sign_checkpoint(p, 1, 7, -60001), RC_CONFIG);
    assert_int_equal(sign_checkpoint(p, 1, 7, 60001), RC_CONFIG);
    signature_t made;
    const audit_signer_t signer = auditor(p);
    str_t text = checkpoint_of(p, 1, 7, 0);
    size_t at = str_find(text, 'T', 0);
    ((char *)(uintptr_t)text.p)[at + 1] = ' '; /* what is no time is none */
    assert_int_equal(signer.sign(signer.ctx, text, &made), RC_CONFIG);
}

/* Who holds the server writes another history of before. */
static void a_checkpoint_of_less_than_was_signed_is_not_signed(void **state)
{
    vault_test_t *p = *state;
    assert_int_equal(sign_checkpoint(p, 1, 7, 0), RC_OK);
    assert_int_equal(sign_checkpoint(p, 1, 9, 0), RC_OK);
    assert_int_equal(sign_checkpoint(p, 1, 9, 0), RC_OK);
    assert_int_equal(sign_checkpoint(p, 1, 8, 0), RC_CONFIG);
    assert_int_equal(sign_checkpoint(p, 2, 3, 0), RC_OK);
    assert_int_equal(sign_checkpoint(p, 1, 8, 0), RC_CONFIG);
    assert_int_equal(sign_checkpoint(p, 0, 8, 0), RC_CONFIG);
    assert_int_equal(sign_checkpoint(p, 0, 9, 0), RC_OK);
}

/* Names that are made up push none out whose end is known. */
static void checkpoints_of_too_many_chains_are_not_signed(void **state)
{
    vault_test_t *p = *state;
    for (uint8_t name = 1; name <= 16; name++)
        assert_int_equal(sign_checkpoint(p, name, name, 0), RC_OK);
    assert_int_equal(sign_checkpoint(p, 17, 17, 0), RC_LIMIT);
    assert_int_equal(sign_checkpoint(p, 16, 15, 0), RC_CONFIG);
    assert_int_equal(sign_checkpoint(p, 1, 2, 0), RC_OK);
}

static void a_plain_record_is_not_opened(void **state)
{
    vault_test_t *p = *state;
    str_t out;
    const key_record_t plain = {.kid = STR("k"),
                                .alg = STR("EdDSA"),
                                .use = KEY_SIGN,
                                .secret = str_of(VAULT_TEST_KEY, sizeof VAULT_TEST_KEY)};
    assert_int_equal(open_record(p, &plain, &out), RC_CONFIG);
    key_record_t other = p->sealed;
    other.sealed_by = STR("another");
    assert_int_equal(open_record(p, &other, &out), RC_CONFIG);
}

/* As an oracle it would show a signing key that is asked for as one for deriving. */
static void a_record_under_another_name_or_use_is_not_opened(void **state)
{
    vault_test_t *p = *state;
    str_t out;
    key_record_t r = p->sealed;
    r.use = KEY_DERIVE;
    assert_int_equal(open_record(p, &r, &out), RC_MALFORMED);
    r.use = KEY_SEAL;
    assert_int_equal(open_record(p, &r, &out), RC_MALFORMED);
    r = p->sealed;
    r.kid = STR("q");
    assert_int_equal(open_record(p, &r, &out), RC_MALFORMED);
    r = p->sealed;
    r.alg = STR("ES256");
    assert_int_equal(open_record(p, &r, &out), RC_MALFORMED);
}

static void nothing_plain_is_sealed_once_the_keys_are_loaded(void **state)
{
    vault_test_t *p = *state;
    key_record_t sealed;
    const key_record_t plain = {
        .kid = STR("mine"), .use = KEY_DERIVE, .secret = STR("12345678901234567890123456789012")};
    assert_int_equal(p->vault.seal(p->vault.ctx, p->a, &plain, &sealed), RC_OK);
    assert_int_equal(p->vault.settle(p->vault.ctx), RC_OK);
    assert_int_equal(p->vault.seal(p->vault.ctx, p->a, &plain, &sealed), RC_CONFIG);
}

/* Who has the server plants one and ends it: the next start would have it sign. */
static void a_signing_key_is_never_sealed_for_the_server(void **state)
{
    vault_test_t *p = *state;
    key_record_t sealed;
    const key_record_t plain = {.kid = STR("mine"),
                                .alg = STR("EdDSA"),
                                .use = KEY_SIGN,
                                .secret = str_of(VAULT_TEST_KEY, sizeof VAULT_TEST_KEY)};
    assert_int_equal(p->vault.seal(p->vault.ctx, p->a, &plain, &sealed), RC_CONFIG);
}

/* So many seconds on, a load ends that has the key or not. */
static void load_after(vault_test_t *p, int seconds, bool has_key)
{
    p->clock.ms += (int64_t)seconds * 1000;
    if (has_key)
        open_key(p);
    assert_int_equal(p->vault.settle(p->vault.ctx), RC_OK);
}

static rc_t sign_now(vault_test_t *p)
{
    return sign_until(p, STR("at+jwt"), p->clock.ms / 1000 - VAULT_TEST_NOW + 60);
}

/* A minute after it was first missed, however long the load before was ago. */
static void what_the_store_has_no_more_is_forgotten(void **state)
{
    vault_test_t *p = *state;
    load_after(p, 0, true);
    load_after(p, 3600, false);
    assert_int_equal(sign_now(p), RC_OK);
    load_after(p, 60, false);
    assert_int_equal(sign_now(p), RC_OK);
    load_after(p, 1, false);
    assert_int_equal(sign_now(p), RC_NOT_FOUND);
}

static void what_the_store_has_again_is_kept(void **state)
{
    vault_test_t *p = *state;
    load_after(p, 0, true);
    load_after(p, 10, false);
    load_after(p, 40, true);
    load_after(p, 40, false);
    load_after(p, 60, false);
    assert_int_equal(sign_now(p), RC_OK);
    load_after(p, 1, false);
    assert_int_equal(sign_now(p), RC_NOT_FOUND);
}

/* More keys than fit: the one that was not seen for longest makes room. */
static void more_keys_than_a_set_has_make_room(void **state)
{
    vault_test_t *p = *state;
    key_record_t sealed, plain = {.alg = STR("EdDSA"),
                                  .use = KEY_SIGN,
                                  .secret = str_of(VAULT_TEST_KEY, sizeof VAULT_TEST_KEY)};
    str_t out;
    open_key(p);
    for (int i = 0; i < VAULT_KEYS_MAX; i++) {
        p->clock.ms++;
        plain.kid = arena_printf(p->a, "k%d", i);
        assert_int_equal(as_kek_seal(p->a, &p->kek, random_fake(&p->random), &plain, &sealed),
                         RC_OK);
        assert_int_equal(open_record(p, &sealed, &out), RC_OK);
    }
    assert_int_equal(sign_until(p, STR("at+jwt"), 60), RC_NOT_FOUND);
    open_key(p);
    assert_int_equal(sign_until(p, STR("at+jwt"), 60), RC_OK);
}

static unsigned answer_to(vault_test_t *p, str_t question)
{
    static char room[LIMIT_VAULT_FRAME_BYTES];
    buf_t b = buf_fixed(room, sizeof room);
    vault_frame_t answer;
    assert_int_equal(vault_frame_read(vault_desk_answer(p->desk, question, &b), &answer), RC_OK);
    assert_int_equal(answer.kind, VAULT_ANSWER);
    return answer.code;
}

static unsigned answer_to_frame(vault_test_t *p, vault_frame_t frame)
{
    static char room[LIMIT_VAULT_FRAME_BYTES];
    buf_t b = buf_fixed(room, sizeof room);
    str_t bytes;
    assert_int_equal(vault_frame_write(&b, &frame, &bytes), RC_OK);
    return answer_to(p, bytes);
}

static void what_is_no_question_is_answered_as_malformed(void **state)
{
    vault_test_t *p = *state;
    assert_int_equal(answer_to(p, STR("")), RC_MALFORMED);
    assert_int_equal(answer_to(p, STR("GET / HTTP/1.1")), RC_MALFORMED);
    assert_int_equal(answer_to_frame(p, (vault_frame_t){.kind = VAULT_ANSWER}), RC_MALFORMED);
    assert_int_equal(answer_to_frame(p, (vault_frame_t){.kind = VAULT_HELLO}), RC_MALFORMED);
    assert_int_equal(
        answer_to_frame(
            p, (vault_frame_t){.kind = VAULT_MAKE, .fields = {STR_INIT("sign"), STR_INIT("none")}}),
        RC_MALFORMED);
    assert_int_equal(
        answer_to_frame(
            p, (vault_frame_t){.kind = VAULT_MAKE, .fields = {STR_INIT("any"), STR_INIT("ES256")}}),
        RC_MALFORMED);
    assert_int_equal(
        answer_to_frame(p, (vault_frame_t){.kind = VAULT_SEAL, .fields = {STR_INIT("sign")}}),
        RC_MALFORMED);
}

/* ---- the server's side trusts no answer either ---- */

static void a_cut_line_is_an_error(void **state)
{
    vault_test_t *p = *state;
    open_key(p);
    p->gone = true;
    assert_int_equal(sign_until(p, STR("at+jwt"), 60), RC_IO);
    str_t out;
    assert_int_equal(open_record(p, &p->sealed, &out), RC_IO);
}

/* The number that the next question will have. */
static uint32_t next_number(vault_test_t *p)
{
    vault_frame_t q;
    assert_int_equal(vault_frame_read(str_of(p->heard, p->heard_n), &q), RC_OK);
    return q.number + 1;
}

static void an_answer_that_is_none_is_an_error(void **state)
{
    vault_test_t *p = *state;
    char bytes[32];
    static const str_t ANSWERS[] = {
        STR_INIT("\2\7\0\0\4\0\0\0nnnn\0\0\0"),       /* cut */
        STR_INIT("\2\5\0\0\6\0\0\0nnnn\0\0\0\0\0\0"), /* a question */
        STR_INIT("\2\7\11\0\4\0\0\0nnnn\0\0\0\0"),    /* a code that is none */
        STR_INIT("\2\7\0\0\4\0\0\0nnnn\0\0\0\0"),     /* no signature in it */
    };
    open_key(p);
    p->answer = STR("");
    assert_int_equal(sign_until(p, STR("at+jwt"), 60), RC_IO);
    for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
        uint32_t number = next_number(p);
        memcpy(bytes, ANSWERS[i].p, ANSWERS[i].n);
        for (size_t k = 0; k < 4; k++)
            bytes[8 + k] = (char)(number >> 8 * k & 0xff);
        p->answer = str_of(bytes, ANSWERS[i].n);
        assert_int_equal(sign_until(p, STR("at+jwt"), 60), RC_IO);
    }
}

/* As after one that came too late. */
static void an_answer_to_another_question_is_an_error(void **state)
{
    vault_test_t *p = *state;
    static char room[LIMIT_VAULT_FRAME_BYTES];
    static const uint32_t OFF[] = {UINT32_MAX, 1, 0x10000};
    vault_frame_t answer = {.kind = VAULT_ANSWER, .fields = {STR_INIT("signature"), STR_INIT("")}};
    open_key(p);
    for (size_t i = 0; i <= sizeof OFF / sizeof *OFF; i++) {
        buf_t b = buf_fixed(room, sizeof room);
        bool right = i == sizeof OFF / sizeof *OFF;
        answer.number = next_number(p) + (right ? 0 : OFF[i]);
        assert_int_equal(vault_frame_write(&b, &answer, &p->answer), RC_OK);
        assert_int_equal(sign_until(p, STR("at+jwt"), 60), right ? RC_OK : RC_IO);
    }
}

static void without_a_key_there_is_no_room(void **state)
{
    vault_test_t *p = *state;
    vault_room_t *room;
    const vault_config_t config = {
        {.name = p->kek.name}, NULL, random_fake(&p->random), clock_fake(&p->clock)};
    assert_int_equal(vault_room_new(&config, &room), RC_CONFIG);
}

static void a_key_that_is_elsewhere_seals_nothing_here(void **state)
{
    vault_test_t *p = *state;
    key_record_t out;
    const as_kek_t name = {.name = p->kek.name};
    const key_record_t plain = {.kid = STR("a"), .secret = STR("secret")};
    assert_int_equal(as_kek_seal(p->a, &name, random_fake(&p->random), &plain, &out), RC_CONFIG);
}

#define PLAY(fn) cmocka_unit_test_setup_teardown(fn, vault_test_setup, vault_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(another_type_is_not_signed),
        PLAY(a_header_with_more_in_it_is_not_signed),
        PLAY(what_is_no_token_is_not_signed),
        PLAY(a_token_of_longer_life_is_not_signed),
        PLAY(an_unknown_key_signs_nothing),
        PLAY(another_checkpoint_is_not_signed),
        PLAY(a_checkpoint_of_another_time_is_not_signed),
        PLAY(a_checkpoint_of_less_than_was_signed_is_not_signed),
        PLAY(checkpoints_of_too_many_chains_are_not_signed),
        PLAY(a_plain_record_is_not_opened),
        PLAY(a_record_under_another_name_or_use_is_not_opened),
        PLAY(nothing_plain_is_sealed_once_the_keys_are_loaded),
        PLAY(a_signing_key_is_never_sealed_for_the_server),
        PLAY(what_the_store_has_no_more_is_forgotten),
        PLAY(what_the_store_has_again_is_kept),
        PLAY(more_keys_than_a_set_has_make_room),
        PLAY(what_is_no_question_is_answered_as_malformed),
        PLAY(a_cut_line_is_an_error),
        PLAY(an_answer_that_is_none_is_an_error),
        PLAY(an_answer_to_another_question_is_an_error),
        PLAY(without_a_key_there_is_no_room),
        PLAY(a_key_that_is_elsewhere_seals_nothing_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
