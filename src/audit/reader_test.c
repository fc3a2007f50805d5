#include "audit/reader.h"

#include "audit/audit_test_util.h"
#include "core/limits.h"

#include <stdio.h>

static audit_reader_t opened(trail_t *t)
{
    audit_reader_t r;
    assert_int_equal(audit_reader_open(&r, t->path), RC_OK);
    return r;
}

/* Reads lines until there is none; how many. */
static size_t drain(audit_reader_t *r)
{
    str_t line;
    size_t n = 0;
    while (audit_reader_line(r, &line) == RC_OK)
        n++;
    return n;
}

static void expect_seq(audit_reader_t *r, const char *start)
{
    str_t line;
    assert_int_equal(audit_reader_line(r, &line), RC_OK);
    if (!str_starts(line, str_c(start)))
        fail_msg("'%" PRIstr "' does not start with %s", STR_ARG(line), start);
}

static void no_file(void **state)
{
    trail_t *t = *state;
    audit_reader_t r;
    assert_int_equal(audit_reader_open(&r, t->path), RC_NOT_FOUND);
}

static void reads_all_lines(void **state)
{
    trail_t *t = *state;
    str_t line;
    trail_write(t->path, trail_lines(t->a, 3000));
    audit_reader_t r = opened(t);
    assert_int_equal(drain(&r), 3000);
    assert_int_equal(audit_reader_line(&r, &line), RC_NOT_FOUND);
    assert_int_equal(line.n, 0);
    audit_reader_close(&r);
}

static void line_without_end_waits(void **state)
{
    trail_t *t = *state;
    str_t line;
    trail_write(t->path, STR("one\ntw"));
    audit_reader_t r = opened(t);
    expect_seq(&r, "one\n");
    assert_int_equal(audit_reader_line(&r, &line), RC_NOT_FOUND);
    assert_str(line, STR("tw"));
    trail_add(t->path, STR("o\n"));
    expect_seq(&r, "two\n");
    audit_reader_close(&r);
}

static void line_too_long(void **state)
{
    trail_t *t = *state;
    str_t line;
    char *bytes = arena_alloc(t->a, LIMIT_AUDIT_LINE_BYTES + 2);
    memset(bytes, 'x', LIMIT_AUDIT_LINE_BYTES + 1);
    trail_write(t->path, str_of(bytes, LIMIT_AUDIT_LINE_BYTES + 1));
    trail_add(t->path, STR("\nshort\n"));
    audit_reader_t r = opened(t);
    assert_int_equal(audit_reader_line(&r, &line), RC_LIMIT);
    assert_true(line.n > LIMIT_AUDIT_LINE_BYTES);
    expect_seq(&r, "short\n");
    audit_reader_close(&r);
    trail_write(t->path, str_of(bytes, LIMIT_AUDIT_LINE_BYTES + 1)); /* no end at all */
    r = opened(t);
    assert_int_equal(audit_reader_line(&r, &line), RC_LIMIT);
    assert_int_equal(audit_reader_line(&r, &line), RC_NOT_FOUND);
    audit_reader_close(&r);
}

static void frozen_reader_sees_no_later_line(void **state)
{
    trail_t *t = *state;
    trail_write(t->path, trail_lines(t->a, 3));
    audit_reader_t r = opened(t);
    assert_int_equal(audit_reader_freeze(&r), RC_OK);
    trail_add(t->path, STR("later\n"));
    assert_int_equal(drain(&r), 3);
    audit_reader_close(&r);
}

static void seeks_the_last_lines(void **state)
{
    trail_t *t = *state;
    audit_filter_t all = {0}, ann = {.user = STR("ann")}, nobody = {.user = STR("zed")};
    trail_write(t->path, trail_lines(t->a, 3000)); /* several windows */
    audit_reader_t r = opened(t);
    assert_int_equal(audit_reader_seek_last(&r, &all, t->scratch, 1), RC_OK);
    expect_seq(&r, "{\"seq\":3000,");
    assert_int_equal(audit_reader_seek_last(&r, &all, t->scratch, 2500), RC_OK);
    assert_int_equal(drain(&r), 2500);
    assert_int_equal(audit_reader_seek_last(&r, &ann, t->scratch, 900), RC_OK);
    expect_seq(&r, "{\"seq\":301,");
    assert_int_equal(audit_reader_seek_last(&r, &all, t->scratch, 0), RC_OK);
    assert_int_equal(drain(&r), 0);
    assert_int_equal(audit_reader_seek_last(&r, &all, t->scratch, 9999), RC_OK);
    assert_int_equal(drain(&r), 3000);
    assert_int_equal(audit_reader_seek_last(&r, &nobody, t->scratch, 5), RC_OK);
    assert_int_equal(drain(&r), 3000);
    audit_reader_close(&r);
}

static void seeks_past_a_line_that_is_none(void **state)
{
    trail_t *t = *state;
    audit_filter_t all = {0};
    char *bytes = arena_alloc(t->a, 3 * LIMIT_AUDIT_LINE_BYTES);
    memset(bytes, 'x', 3 * LIMIT_AUDIT_LINE_BYTES);
    trail_write(t->path, STR("one\n"));
    trail_add(t->path, str_of(bytes, 3 * LIMIT_AUDIT_LINE_BYTES));
    trail_add(t->path, STR("\nlast\n"));
    audit_reader_t r = opened(t);
    assert_int_equal(audit_reader_seek_last(&r, &all, t->scratch, 1), RC_OK);
    expect_seq(&r, "last\n");
    assert_int_equal(audit_reader_seek_last(&r, &all, t->scratch, 2), RC_OK);
    expect_seq(&r, "one\n");
    audit_reader_close(&r);
}

static void follows_a_rename(void **state)
{
    trail_t *t = *state;
    trail_write(t->path, STR("one\n"));
    audit_reader_t r = opened(t);
    expect_seq(&r, "one\n");
    assert_int_equal(audit_reader_follow(&r), RC_NOT_FOUND);
    assert_int_equal(rename(t->path, t->other), 0);
    trail_add(t->other, STR("two\n")); /* by a writer that held the lock */
    assert_int_equal(audit_reader_follow(&r), RC_OK);
    expect_seq(&r, "two\n");
    assert_int_equal(drain(&r), 0);
    assert_int_equal(audit_reader_follow(&r), RC_NOT_FOUND); /* no new file yet */
    trail_write(t->path, STR("three\n"));
    assert_int_equal(audit_reader_follow(&r), RC_OK);
    expect_seq(&r, "three\n");
    assert_int_equal(audit_reader_follow(&r), RC_NOT_FOUND);
    audit_reader_close(&r);
}

static void follows_an_emptied_file(void **state)
{
    trail_t *t = *state;
    trail_write(t->path, STR("one\ntwo\n"));
    audit_reader_t r = opened(t);
    assert_int_equal(drain(&r), 2);
    trail_write(t->path, STR("new\n"));
    assert_int_equal(audit_reader_follow(&r), RC_OK);
    expect_seq(&r, "new\n");
    audit_reader_close(&r);
}

/* A torn line was seen, then mended by a writer that put a whole one in its place. */
static void mended_line_is_read_anew(void **state)
{
    trail_t *t = *state;
    str_t line;
    trail_write(t->path, STR("one\nto"));
    audit_reader_t r = opened(t);
    assert_int_equal(drain(&r), 1);
    trail_write(t->path, STR("one\nanother\n"));
    assert_int_equal(audit_reader_line(&r, &line), RC_OK);
    assert_str(line, STR("another\n"));
    audit_reader_close(&r);
}

static void seek_stands_before_a_torn_line(void **state)
{
    trail_t *t = *state;
    audit_filter_t all = {0};
    trail_write(t->path, STR("one\nto"));
    audit_reader_t r = opened(t);
    assert_int_equal(audit_reader_seek_last(&r, &all, t->scratch, 0), RC_OK);
    trail_write(t->path, STR("one\nanother\n"));
    expect_seq(&r, "another\n");
    audit_reader_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(no_file),
        TRAIL_TEST(reads_all_lines),
        TRAIL_TEST(line_without_end_waits),
        TRAIL_TEST(line_too_long),
        TRAIL_TEST(frozen_reader_sees_no_later_line),
        TRAIL_TEST(seeks_the_last_lines),
        TRAIL_TEST(seeks_past_a_line_that_is_none),
        TRAIL_TEST(follows_a_rename),
        TRAIL_TEST(follows_an_emptied_file),
        TRAIL_TEST(mended_line_is_read_anew),
        TRAIL_TEST(seek_stands_before_a_torn_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
