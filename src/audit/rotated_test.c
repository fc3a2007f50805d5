#include "audit/rotated.h"

#include "audit/audit_test_util.h"

#include <stdio.h>
#include <unistd.h>

static const int64_t NOW = 1764083102123; /* 2025-11-25T15:05:02.123Z */

static void suffix_comes_back(void **state)
{
    (void)state;
    char text[128];
    audit_rotated_t r;
    buf_t b = buf_fixed(text, sizeof text);
    buf_put(&b, STR("audit.log"));
    audit_rotated_suffix(&b, NOW, 1042);
    assert_str(buf_str(&b), STR("audit.log.20251125T150502Z.1042"));
    assert_true(audit_rotated_parse(STR("audit.log"), buf_str(&b), &r));
    assert_int_equal(r.seq, 1042);
    assert_int_equal(r.closed_ms, NOW - 123);
}

static void other_names_are_none(void **state)
{
    (void)state;
    static const str_t ROWS[] = {
        STR_INIT("audit.log"),
        STR_INIT("audit.log.1"),
        STR_INIT("audit.log.20251125T150502Z"),
        STR_INIT("audit.log.20251125T150502Z."),
        STR_INIT("audit.log.20251125T150502Z.0"),
        STR_INIT("audit.log.20251125T150502Z.01"),
        STR_INIT("audit.log.20251125T150502Z.1x"),
        STR_INIT("audit.log.20251125T150502Z.1.gz"),
        STR_INIT("audit.log.20251125T150502Z.99999999999999999999"),
        STR_INIT("audit.log.20251125 150502Z.1"),
        STR_INIT("audit.log.2025112xT150502Z.1"),
        STR_INIT("audit.log-20251125T150502Z.1"),
        STR_INIT("other.log.20251125T150502Z.1"),
    };
    audit_rotated_t r;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        assert_false(audit_rotated_parse(STR("audit.log"), ROWS[i], &r));
    assert_true(audit_rotated_parse(STR("audit.log"), STR("audit.log.20251125T150502Z.1"), &r));
}

/* Numbers count, not letters and not times. */
static void files_come_in_the_order_of_their_numbers(void **state)
{
    static const char *const SUFFIXES[] = {".20251125T150502Z.9", ".20251125T150501Z.1000",
                                           ".20241125T150502Z.70", ".1", ".20251125T150502Z"};
    trail_t *t = *state;
    audit_rotated_t *files;
    size_t n;
    char path[192], newest[192];
    for (size_t i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s%s", t->path, SUFFIXES[i]);
        trail_write(path, STR("x"));
    }
    assert_int_equal(audit_rotated_list(t->a, t->path, &files, &n), RC_OK);
    assert_int_equal(n, 3);
    assert_int_equal(files[0].seq, 9);
    assert_int_equal(files[1].seq, 70);
    assert_int_equal(files[2].seq, 1000);
    assert_true(audit_rotated_newest(t->path, 1, newest, sizeof newest));
    assert_string_equal(newest, files[2].path);
    assert_false(audit_rotated_newest(t->path, 1001, newest, sizeof newest));
    for (size_t i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s%s", t->path, SUFFIXES[i]);
        unlink(path);
    }
    assert_int_equal(audit_rotated_list(t->a, "/none/audit.log", &files, &n), RC_OK);
    assert_int_equal(n, 0);
    assert_false(audit_rotated_newest("/none/audit.log", 1, newest, sizeof newest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(suffix_comes_back),
        TRAIL_TEST(other_names_are_none),
        TRAIL_TEST(files_come_in_the_order_of_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
