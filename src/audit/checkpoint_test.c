#include "audit/checkpoint.h"

#include "audit/audit_test_util.h"

static const audit_head_t HEAD = {.seq = 41, .hash = {0xab, 1}};
static const str_t TIME = STR_INIT("2025-11-25T15:05:02.123Z");

typedef struct {
    audit_signer_t signer;
    jwks_t keys; /* with its public half */
} pair_t;

static pair_t pair_of(trail_t *t, alg_t alg)
{
    pair_t p;
    p.signer = trail_signer(t, alg, &p.keys);
    return p;
}

static str_t body_of(trail_t *t, const pair_t *p, const audit_checkpoint_t *c)
{
    buf_t b = buf_new(t->a, AUDIT_CHECKPOINT_BYTES);
    str_t body;
    assert_int_equal(audit_checkpoint_body(&b, c, &p->signer, &body), RC_OK);
    return body;
}

/* The line of `body` behind HEAD, read. */
static audit_record_t record_of(trail_t *t, str_t body)
{
    audit_record_t r;
    audit_head_t head = HEAD;
    buf_t b = buf_new(t->a, AUDIT_CHECKPOINT_BYTES);
    audit_line_write(&b, &head, body);
    assert_int_equal(audit_record_read(t->a, buf_str(&b), &r), RC_OK);
    return r;
}

static audit_checkpoint_t made(const pair_t *p)
{
    return (audit_checkpoint_t){
        .chain = {true, {0xcd, 2}}, .head = HEAD, .time = TIME, .kid = p->signer.kid};
}

static void signed_text_is_this(void **state)
{
    (void)state;
    char text[1024];
    buf_t b = buf_fixed(text, sizeof text);
    audit_checkpoint_t c = {{true, {0xcd, 2}}, HEAD, TIME, STR("k1"), STR_UNSET};
    audit_checkpoint_text(&b, &c);
    assert_str(buf_str(&b),
               STR("warder audit checkpoint 1\n"
                   "chain cd02000000000000000000000000000000000000000000000000000000000000\n"
                   "head 41:ab01000000000000000000000000000000000000000000000000000000000000\n"
                   "time 2025-11-25T15:05:02.123Z\n"
                   "key k1\n"));
}

static void checkpoint_comes_back(void **state)
{
    static const alg_t ALGS[] = {ALG_EDDSA, ALG_ES256};
    trail_t *t = *state;
    for (size_t i = 0; i < 2; i++) {
        pair_t p = pair_of(t, ALGS[i]);
        audit_checkpoint_t c = made(&p), back;
        audit_record_t r = record_of(t, body_of(t, &p, &c));
        assert_true(audit_checkpoint_read(&r, &back));
        assert_int_equal(audit_checkpoint_judge(&r, &back, &c.chain, &p.keys), AUDIT_FAULT_NONE);
        assert_int_equal(audit_checkpoint_judge(&r, &back, &c.chain, NULL), AUDIT_FAULT_NONE);
        assert_memory_equal(back.chain.bytes, c.chain.bytes, SHA256_BYTES);
        assert_int_equal(back.head.seq, 41);
    }
}

/* Every byte of what is signed counts. */
static void any_other_text_is_forged(void **state)
{
    trail_t *t = *state;
    pair_t p = pair_of(t, ALG_EDDSA);
    audit_checkpoint_t c = made(&p), back;
    audit_record_t r = record_of(t, body_of(t, &p, &c));
    assert_true(audit_checkpoint_read(&r, &back));
    audit_checkpoint_t rows[] = {back, back, back};
    audit_name_t other = back.chain;
    rows[0].time = STR("2025-11-25T15:05:02.124Z");
    other.bytes[31] ^= 1;
    rows[1].chain = other;
    char *changed = arena_alloc(t->a, back.signature.n);
    memcpy(changed, back.signature.p, back.signature.n);
    changed[3] = changed[3] == 'A' ? 'B' : 'A';
    rows[2].signature = str_of(changed, back.signature.n);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(audit_checkpoint_judge(&r, &rows[i], &rows[i].chain, &p.keys),
                         AUDIT_FAULT_CHECKPOINT_FORGED);
    rows[0] = back;
    for (size_t n = 0; n < back.signature.n; n++) {
        rows[0].signature.n = n;
        assert_int_equal(audit_checkpoint_judge(&r, &rows[0], &c.chain, &p.keys),
                         AUDIT_FAULT_CHECKPOINT_FORGED);
    }
    assert_int_equal(audit_checkpoint_judge(&r, &back, &c.chain, &p.keys), AUDIT_FAULT_NONE);
}

static void other_keys_and_chains_and_heads(void **state)
{
    trail_t *t = *state;
    pair_t p = pair_of(t, ALG_EDDSA), other = pair_of(t, ALG_EDDSA);
    audit_checkpoint_t c = made(&p), back, moved;
    audit_record_t r = record_of(t, body_of(t, &p, &c));
    audit_name_t unknown = {0}, foreign = {true, {9}};
    assert_true(audit_checkpoint_read(&r, &back));
    assert_int_equal(audit_checkpoint_judge(&r, &back, &c.chain, &other.keys),
                     AUDIT_FAULT_CHECKPOINT_KEY);
    assert_int_equal(audit_checkpoint_judge(&r, &back, &foreign, &p.keys),
                     AUDIT_FAULT_CHECKPOINT_CHAIN);
    assert_int_equal(audit_checkpoint_judge(&r, &back, &unknown, &p.keys), AUDIT_FAULT_NONE);
    moved = back;
    moved.head.seq = 40;
    assert_int_equal(audit_checkpoint_judge(&r, &moved, &c.chain, &p.keys),
                     AUDIT_FAULT_CHECKPOINT_MALFORMED);
    moved.head = back.head;
    moved.head.hash[0] ^= 1;
    assert_int_equal(audit_checkpoint_judge(&r, &moved, &c.chain, &p.keys),
                     AUDIT_FAULT_CHECKPOINT_MALFORMED);
}

#define LINE(members)                                                                              \
    STR_INIT("\"time\":\"2025-11-25T15:05:02.123Z\",\"event\":\"checkpoint\","                     \
             "\"decision\":\"allow\"" members)
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void members_that_lack_are_seen(void **state)
{
    static const str_t ROWS[] = {
        LINE(""),
        LINE(",\"head\":\"41:" ZEROS "\",\"key\":\"k\",\"signature\":\"AAAA\""),
        LINE(",\"chain\":\"" ZEROS "\",\"key\":\"k\",\"signature\":\"AAAA\""),
        LINE(",\"chain\":\"" ZEROS "\",\"head\":\"41:" ZEROS "\",\"signature\":\"AAAA\""),
        LINE(",\"chain\":\"" ZEROS "\",\"head\":\"41:" ZEROS "\",\"key\":\"k\""),
        LINE(",\"chain\":\"" ZEROS "\",\"head\":\"41:" ZEROS
             "\",\"key\":\"k\\n\",\"signature\":\"AAAA\""),
        LINE(",\"chain\":\"00\",\"head\":\"41:" ZEROS "\",\"key\":\"k\",\"signature\":\"AAAA\""),
    };
    static const str_t CONTROL = LINE(",\"chain\":\"" ZEROS "\",\"head\":\"41:" ZEROS
                                      "\",\"key\":\"k\",\"signature\":\"AAAA\"");
    trail_t *t = *state;
    audit_checkpoint_t c;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        audit_record_t r = record_of(t, ROWS[i]);
        assert_false(audit_checkpoint_read(&r, &c));
    }
    audit_record_t r = record_of(t, CONTROL);
    assert_true(audit_checkpoint_read(&r, &c));
    assert_false(c.chain.known);
}

static void deleted_file_comes_back(void **state)
{
    trail_t *t = *state;
    audit_deleted_t d = {STR("audit.log.20251125T150502Z.41"), HEAD}, back;
    buf_t b = buf_new(t->a, AUDIT_CHECKPOINT_BYTES);
    str_t body;
    assert_int_equal(audit_deleted_body(&b, &d, 1764083102123, &body), RC_OK);
    audit_record_t r = record_of(t, body);
    assert_true(audit_deleted_read(&r, &back));
    assert_str(back.file, d.file);
    assert_memory_equal(&back.head, &d.head, sizeof d.head);
    pair_t p = pair_of(t, ALG_EDDSA);
    audit_checkpoint_t c = made(&p);
    r = record_of(t, body_of(t, &p, &c));
    assert_false(audit_deleted_read(&r, &back));
}

static void rsa_is_no_audit_key(void **state)
{
    trail_t *t = *state;
    jose_key_t *key;
    audit_signer_t signer;
    assert_int_equal(jose_key_generate(ALG_RS256, &key), RC_OK);
    assert_int_equal(audit_signer_make(t->a, key, &signer), RC_MALFORMED);
    jose_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(signed_text_is_this),        TRAIL_TEST(checkpoint_comes_back),
        TRAIL_TEST(any_other_text_is_forged),   TRAIL_TEST(other_keys_and_chains_and_heads),
        TRAIL_TEST(members_that_lack_are_seen), TRAIL_TEST(deleted_file_comes_back),
        TRAIL_TEST(rsa_is_no_audit_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
