/* Somebody writes to the file behind the back of a writer that runs: what that one signs later must
 * not cover it. */
#include "audit/trail.h"

#include "audit/audit_test_util.h"

#include <stdio.h>
#include <unistd.h>

#define FRONT "\"time\":\"2025-11-24T16:00:00.002Z\",\"event\":"
#define BACK  ",\"decision\":\"allow\""

static const str_t BODY = STR_INIT(FRONT "\"token\"" BACK);
static const str_t OTHER = STR_INIT(FRONT "\"login\"" BACK); /* as long as the one above */

static void opened(trail_t *t, audit_trail_t *out, const audit_signer_t *signer)
{
    str_t why;
    const audit_trail_config_t config = {
        .path = t->path, .log = &t->log, .clock = clock_system(), .signer = signer};
    assert_int_equal(audit_trail_open(out, &config, t->a, &why), RC_OK);
}

static void write_lines(audit_trail_t *trail, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(audit_trail_write(trail, &BODY, 1, AUDIT_WAIT_EVER), RC_OK);
}

/* The first line, and behind it `n` others with good hashes. */
static str_t written_anew(trail_t *t, size_t n)
{
    audit_record_t r;
    str_t was = trail_read(t, t->path);
    str_t first = str_first(was, str_find(was, '\n', 0) + 1);
    buf_t b = buf_new(t->a, 1 << 16);
    assert_int_equal(audit_record_read(t->scratch, first, &r), RC_OK);
    audit_head_t head = {.seq = r.seq};
    sha256(first, head.hash);
    buf_put(&b, first);
    for (size_t i = 0; i < n; i++)
        audit_line_write(&b, &head, OTHER);
    return buf_str(&b);
}

/* Places and numbers are as they were, and one line follows that somebody else may have written. */
static void lines_written_anew_are_not_gone_on_with(void **state)
{
    trail_t *t = *state;
    jwks_t keys;
    audit_trail_t trail;
    audit_signer_t signer = trail_signer(t, ALG_EDDSA, &keys);
    opened(t, &trail, &signer);
    write_lines(&trail, 3);
    trail_write(t->path, written_anew(t, 3));
    write_lines(&trail, 1);
    assert_int_equal(audit_trail_checkpoint(&trail), RC_OK);
    audit_trail_close(&trail);
    audit_chain_t c = trail_check_one(t);
    assert_str(audit_fault_name(c.fault), STR("sequence_back"));
    assert_int_equal(c.line, 5);
    assert_int_equal(c.checkpoints, 0);
    assert_true(trail_logged(t, STR("do not follow")));
}

/* The same, by a new file in the place of the old one. */
static void a_file_written_anew_is_not_gone_on_with(void **state)
{
    trail_t *t = *state;
    audit_trail_t trail;
    opened(t, &trail, NULL);
    write_lines(&trail, 3);
    trail_write(t->other, written_anew(t, 3));
    assert_int_equal(rename(t->other, t->path), 0);
    write_lines(&trail, 1);
    audit_trail_close(&trail);
    assert_str(audit_fault_name(trail_check_one(t).fault), STR("sequence_back"));
    assert_true(trail_logged(t, STR("do not follow")));
}

static void a_copy_in_place_of_the_file_is_gone_on_with(void **state)
{
    trail_t *t = *state;
    audit_trail_t trail;
    opened(t, &trail, NULL);
    write_lines(&trail, 3);
    trail_write(t->other, trail_read(t, t->path));
    assert_int_equal(rename(t->other, t->path), 0);
    write_lines(&trail, 1);
    audit_trail_close(&trail);
    assert_int_equal(trail_check_one(t).fault, AUDIT_FAULT_NONE);
}

/* The same number of lines, less of them: what stands there is not what was cut off. */
static void shorter_lines_written_anew_are_not_gone_on_with(void **state)
{
    trail_t *t = *state;
    audit_trail_t trail;
    opened(t, &trail, NULL);
    write_lines(&trail, 3);
    trail_write(t->path, written_anew(t, 1));
    write_lines(&trail, 1);
    audit_trail_close(&trail);
    assert_str(audit_fault_name(trail_check_one(t).fault), STR("sequence_gap"));
}

static void lines_of_another_writer_are_gone_on_with(void **state)
{
    trail_t *t = *state;
    audit_trail_t trail, other;
    opened(t, &trail, NULL);
    write_lines(&trail, 2);
    opened(t, &other, NULL);
    write_lines(&other, 2);
    write_lines(&trail, 1);
    write_lines(&other, 1);
    audit_trail_close(&other);
    audit_trail_close(&trail);
    assert_int_equal(trail_check_one(t).fault, AUDIT_FAULT_NONE);
}

/* copytruncate of logrotate, and a command before the server's next event. */
static void lines_of_another_writer_after_a_truncation_are_gone_on_with(void **state)
{
    trail_t *t = *state;
    audit_trail_t trail, other;
    opened(t, &trail, NULL);
    write_lines(&trail, 3);
    trail_write(t->other, trail_read(t, t->path));
    assert_int_equal(truncate(t->path, 0), 0);
    opened(t, &other, NULL);
    write_lines(&other, 1);
    audit_trail_close(&other);
    write_lines(&trail, 1);
    audit_trail_close(&trail);
    const char *both[] = {t->other, t->path};
    audit_chain_t c = trail_check(t, both, 2, NULL);
    assert_str(audit_fault_name(c.fault), STR("none"));
    assert_int_equal(c.lines, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(lines_written_anew_are_not_gone_on_with),
        TRAIL_TEST(a_file_written_anew_is_not_gone_on_with),
        TRAIL_TEST(a_copy_in_place_of_the_file_is_gone_on_with),
        TRAIL_TEST(shorter_lines_written_anew_are_not_gone_on_with),
        TRAIL_TEST(lines_of_another_writer_are_gone_on_with),
        TRAIL_TEST(lines_of_another_writer_after_a_truncation_are_gone_on_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
