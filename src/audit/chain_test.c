#include "audit/chain.h"

#include "audit/audit_test_util.h"
#include "core/limits.h"

enum { LINES = 6 };

/* Six lines, each a slice that a test may change, drop or move. */
typedef struct {
    trail_t *t;
    str_t v[LINES + 2];
    size_t n;
} lines_t;

static lines_t lines_of(void **state)
{
    lines_t l = {.t = *state, .n = LINES};
    str_t rest = trail_lines(l.t->a, LINES);
    for (size_t i = 0; i < LINES; i++) {
        l.v[i] = str_first(rest, str_find(rest, '\n', 0) + 1);
        rest = str_skip(rest, l.v[i].n);
    }
    return l;
}

static void drop(lines_t *l, size_t at)
{
    l->n--;
    memmove(&l->v[at], &l->v[at + 1], (l->n - at) * sizeof l->v[0]);
}

static void insert(lines_t *l, size_t at, str_t line)
{
    memmove(&l->v[at + 1], &l->v[at], (l->n - at) * sizeof l->v[0]);
    l->v[at] = line;
    l->n++;
}

/* A copy of `line` where the first `from` is `to`, of the same length. */
static str_t with(lines_t *l, str_t line, const char *from, const char *to)
{
    str_t copy = arena_dup(l->t->a, line);
    char *hit = memmem(copy.p, copy.n, from, strlen(from));
    assert_non_null(hit);
    memcpy(hit, to, strlen(to));
    return copy;
}

static audit_chain_t check(lines_t *l, const audit_head_t *expect)
{
    audit_chain_t c = audit_chain_begin(l->t->scratch, expect);
    for (size_t i = 0; i < l->n; i++)
        assert_int_equal(audit_chain_line(&c, l->v[i]), RC_OK);
    audit_chain_end(&c);
    return c;
}

static void expect_fault(lines_t *l, audit_fault_t fault, uint64_t line)
{
    audit_chain_t c = check(l, NULL);
    assert_str(audit_fault_name(c.fault), audit_fault_name(fault));
    assert_int_equal(c.line, line);
    lines_t control = lines_of((void **)&l->t);
    assert_int_equal(check(&control, NULL).fault, AUDIT_FAULT_NONE);
}

static void sound_chain_fits(void **state)
{
    lines_t l = lines_of(state);
    audit_chain_t c = check(&l, NULL);
    uint8_t hash[SHA256_BYTES];
    assert_int_equal(c.fault, AUDIT_FAULT_NONE);
    assert_int_equal(c.lines, LINES);
    assert_int_equal(c.first.seq, 1);
    assert_int_equal(c.head.seq, LINES);
    sha256(l.v[LINES - 1], hash);
    assert_memory_equal(c.head.hash, hash, sizeof hash);
    assert_str(str_of(c.first_time, AUDIT_TIME_BYTES), STR("2025-11-24T16:00:00.000Z"));
    assert_str(str_of(c.last_time, AUDIT_TIME_BYTES), STR("2025-11-24T16:00:00.005Z"));
}

static void nothing_fits(void **state)
{
    lines_t l = lines_of(state);
    l.n = 0;
    assert_int_equal(check(&l, NULL).fault, AUDIT_FAULT_NONE);
}

static void front_may_stand_in_an_older_file(void **state)
{
    lines_t l = lines_of(state);
    drop(&l, 0);
    audit_chain_t c = check(&l, NULL);
    assert_int_equal(c.fault, AUDIT_FAULT_NONE);
    assert_int_equal(c.first.seq, 2);
}

/* Any one byte of any line but the last, changed in its lowest bit. */
static void any_changed_byte_is_found(void **state)
{
    lines_t l = lines_of(state);
    for (size_t line = 0; line + 1 < LINES; line++) {
        str_t sound = l.v[line];
        for (size_t i = 0; i < sound.n; i++) {
            char *copy = arena_alloc(l.t->a, sound.n);
            memcpy(copy, sound.p, sound.n);
            copy[i] ^= 1;
            l.v[line] = str_of(copy, sound.n);
            audit_chain_t c = check(&l, NULL);
            assert_int_not_equal(c.fault, AUDIT_FAULT_NONE);
            assert_in_range(c.line, line + 1, line + 2);
        }
        l.v[line] = sound;
    }
}

static void prev_mismatch(void **state)
{
    lines_t l = lines_of(state);
    l.v[2] = with(&l, l.v[2], "bob", "eve");
    expect_fault(&l, AUDIT_FAULT_PREV_MISMATCH, 4);
}

static void sequence_gap(void **state)
{
    lines_t l = lines_of(state);
    drop(&l, 3);
    expect_fault(&l, AUDIT_FAULT_SEQUENCE_GAP, 4);
}

/* Renumbering does not hide a removed line. */
static void removed_and_renumbered(void **state)
{
    lines_t l = lines_of(state);
    drop(&l, 4);
    l.v[4] = with(&l, l.v[4], "\"seq\":6", "\"seq\":5");
    expect_fault(&l, AUDIT_FAULT_PREV_MISMATCH, 5);
}

static void swapped_lines(void **state)
{
    lines_t l = lines_of(state);
    str_t third = l.v[2];
    l.v[2] = l.v[3];
    l.v[3] = third;
    expect_fault(&l, AUDIT_FAULT_SEQUENCE_GAP, 3);
}

static void sequence_back(void **state)
{
    lines_t l = lines_of(state);
    insert(&l, 3, l.v[2]);
    expect_fault(&l, AUDIT_FAULT_SEQUENCE_BACK, 4);
}

/* A forged line with a right number and a right prev: the one behind it gives it away. */
static void inserted_line(void **state)
{
    lines_t l = lines_of(state);
    char bytes[1024];
    buf_t b = buf_fixed(bytes, sizeof bytes);
    audit_head_t head = {.seq = 3};
    sha256(l.v[2], head.hash);
    audit_line_write(&b, &head,
                     STR("\"time\":\"2025-11-24T16:00:00.002Z\",\"event\":\"token\","
                         "\"decision\":\"allow\""));
    insert(&l, 3, buf_str(&b));
    expect_fault(&l, AUDIT_FAULT_SEQUENCE_BACK, 5);
    lines_t replaced = lines_of(state);
    replaced.v[3] = buf_str(&b);
    expect_fault(&replaced, AUDIT_FAULT_PREV_MISMATCH, 5);
}

static void chain_restarted(void **state)
{
    lines_t l = lines_of(state);
    audit_chain_t c = audit_chain_begin(l.t->scratch, NULL);
    assert_int_equal(audit_chain_line(&c, l.v[0]), RC_OK);
    assert_int_equal(audit_chain_line(&c, l.v[1]), RC_OK);
    audit_chain_next_file(&c);
    assert_int_equal(audit_chain_line(&c, l.v[0]), RC_OK);
    assert_int_equal(c.fault, AUDIT_FAULT_CHAIN_RESTARTED);
    assert_int_equal(c.line, 1);
}

static void two_files_are_one_chain(void **state)
{
    lines_t l = lines_of(state);
    audit_chain_t c = audit_chain_begin(l.t->scratch, NULL);
    for (size_t i = 0; i < LINES; i++) {
        if (i == 3)
            audit_chain_next_file(&c);
        assert_int_equal(audit_chain_line(&c, l.v[i]), RC_OK);
    }
    assert_int_equal(c.fault, AUDIT_FAULT_NONE);
    assert_int_equal(c.lines, LINES);
    assert_int_equal(c.line, 3);
}

static void line_torn(void **state)
{
    lines_t l = lines_of(state);
    l.v[5].n--;
    expect_fault(&l, AUDIT_FAULT_LINE_TORN, 6);
}

static void line_too_long(void **state)
{
    lines_t l = lines_of(state);
    char *bytes = arena_alloc(l.t->a, LIMIT_AUDIT_LINE_BYTES + 1);
    memset(bytes, ' ', LIMIT_AUDIT_LINE_BYTES + 1);
    l.v[1] = str_of(bytes, LIMIT_AUDIT_LINE_BYTES + 1);
    expect_fault(&l, AUDIT_FAULT_LINE_TOO_LONG, 2);
}

#define TIME  "\"time\":\"2025-11-24T16:00:00.002Z\","
#define EVENT "\"event\":\"token\",\"decision\":\"allow\","
#define PREV  "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\""

static void line_malformed(void **state)
{
    static const str_t ROWS[] = {
        STR_INIT("\n"),
        STR_INIT("[]\n"),
        STR_INIT("{}\n"),
        STR_INIT("{\"seq\":0," TIME EVENT PREV "}\n"),
        STR_INIT("{\"seq\":-1," TIME EVENT PREV "}\n"),
        STR_INIT("{\"seq\":1.0," TIME EVENT PREV "}\n"),
        STR_INIT("{\"seq\":\"1\"," TIME EVENT PREV "}\n"),
        STR_INIT("{\"seq\":1," EVENT PREV "}\n"),
        STR_INIT("{\"seq\":1,\"time\":\"2025-11-24 16:00:00.002Z\"," EVENT PREV "}\n"),
        STR_INIT("{\"seq\":1,\"time\":\"2025-11-24T16:00:00.002\"," EVENT PREV "}\n"),
        STR_INIT("{\"seq\":1," TIME "\"decision\":\"allow\"," PREV "}\n"),
        STR_INIT("{\"seq\":1," TIME "\"event\":\"token\",\"decision\":\"maybe\"," PREV "}\n"),
        STR_INIT("{\"seq\":1," TIME EVENT "\"prev\":\"00\"}\n"),
        STR_INIT("{\"seq\":1," TIME EVENT "\"prev\":\"A0000000000000000000000000000000000000000000"
                 "00000000000000000000\"}\n"),
        STR_INIT("{\"seq\":1,\"seq\":1," TIME EVENT PREV "}\n"),
        STR_INIT("{\"seq\":1," TIME EVENT PREV "}}\n"),
        STR_INIT("{\"seq\":1," TIME EVENT "\"user\":\"\xff\"," PREV "}\n"),
        STR_INIT("{\"seq\":1," TIME EVENT "\"user\":[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]," PREV
                 "}\n"),
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        lines_t l = lines_of(state);
        l.v[0] = ROWS[i];
        expect_fault(&l, AUDIT_FAULT_LINE_MALFORMED, 1);
    }
    lines_t control = lines_of(state);
    control.v[0] = STR("{\"seq\":1," TIME EVENT PREV "}\n");
    control.n = 1;
    assert_int_equal(check(&control, NULL).fault, AUDIT_FAULT_NONE);
}

static audit_head_t head_of(str_t line, uint64_t seq)
{
    audit_head_t head = {.seq = seq};
    sha256(line, head.hash);
    return head;
}

static void head_missing(void **state)
{
    lines_t l = lines_of(state);
    audit_head_t expect = head_of(l.v[5], 6);
    assert_int_equal(check(&l, &expect).fault, AUDIT_FAULT_NONE);
    l.n = 5;
    audit_chain_t c = check(&l, &expect);
    assert_int_equal(c.fault, AUDIT_FAULT_HEAD_MISSING);
    assert_int_equal(c.line, 6);
    l.n = 0;
    assert_int_equal(check(&l, &expect).fault, AUDIT_FAULT_HEAD_MISSING);
}

/* What was expected may have got successors, but not lie before the file at hand. */
static void head_within_the_file(void **state)
{
    lines_t l = lines_of(state);
    audit_head_t expect = head_of(l.v[2], 3), before = head_of(l.v[0], 1);
    assert_int_equal(check(&l, &expect).fault, AUDIT_FAULT_NONE);
    drop(&l, 0);
    assert_int_equal(check(&l, &before).fault, AUDIT_FAULT_HEAD_MISSING);
}

static void head_mismatch(void **state)
{
    lines_t l = lines_of(state);
    audit_head_t expect = head_of(l.v[5], 6);
    l.v[5] = with(&l, l.v[5], "bob", "eve");
    assert_int_equal(check(&l, NULL).fault, AUDIT_FAULT_NONE);
    audit_chain_t c = check(&l, &expect);
    assert_int_equal(c.fault, AUDIT_FAULT_HEAD_MISMATCH);
    assert_int_equal(c.line, 6);
}

static void first_fault_stays(void **state)
{
    lines_t l = lines_of(state);
    l.v[1] = STR("x\n");
    l.v[3] = STR("y\n");
    expect_fault(&l, AUDIT_FAULT_LINE_MALFORMED, 2);
}

static void without_memory(void **state)
{
    lines_t l = lines_of(state);
    arena_t *small = arena_new(16);
    audit_chain_t c = audit_chain_begin(small, NULL);
    assert_int_equal(audit_chain_line(&c, l.v[0]), RC_MEMORY);
    assert_int_equal(c.fault, AUDIT_FAULT_NONE);
    arena_free(small);
}

static void heads_as_text(void **state)
{
    lines_t l = lines_of(state);
    audit_head_t head = head_of(l.v[1], 2), back;
    buf_t b = buf_new(l.t->a, 200);
    audit_head_write(&b, &head);
    assert_true(audit_head_parse(buf_str(&b), &back));
    assert_int_equal(back.seq, 2);
    assert_memory_equal(back.hash, head.hash, sizeof head.hash);
    assert_false(audit_head_parse(STR("2"), &back));
    assert_false(audit_head_parse(STR("2:"), &back));
    assert_false(audit_head_parse(STR("x:00"), &back));
    assert_false(audit_head_parse(str_first(buf_str(&b), b.n - 1), &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(sound_chain_fits),
        TRAIL_TEST(nothing_fits),
        TRAIL_TEST(front_may_stand_in_an_older_file),
        TRAIL_TEST(any_changed_byte_is_found),
        TRAIL_TEST(prev_mismatch),
        TRAIL_TEST(sequence_gap),
        TRAIL_TEST(removed_and_renumbered),
        TRAIL_TEST(swapped_lines),
        TRAIL_TEST(sequence_back),
        TRAIL_TEST(inserted_line),
        TRAIL_TEST(chain_restarted),
        TRAIL_TEST(two_files_are_one_chain),
        TRAIL_TEST(line_torn),
        TRAIL_TEST(line_too_long),
        TRAIL_TEST(line_malformed),
        TRAIL_TEST(head_missing),
        TRAIL_TEST(head_within_the_file),
        TRAIL_TEST(head_mismatch),
        TRAIL_TEST(first_fault_stays),
        TRAIL_TEST(without_memory),
        TRAIL_TEST(heads_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
