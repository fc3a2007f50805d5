#include "cmd/cmd_test_trail.h"

#include "cmd/admin_test_play.h"
#include "cmd/command.h"

#include <stdio.h>
#include <unistd.h>

static void put(admin_play_t *p, const char *text)
{
    test_file(p->folder, "audit.log", text);
}

/* Runs `audit verify` with `words` behind it, expecting a refusal with this exit code. */
static void refused(admin_play_t *p, const char *words, int code, const char *says)
{
    char line[1024];
    snprintf(line, sizeof line, "audit verify %s", words);
    admin_play_refused(p, line, code, says);
}

static void sound_chain_is_told_with_first_last_and_head(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = {0};
    char want[512];
    test_trail_add_turns(&t, 3);
    put(p, t.text);
    admin_play_run(p, "audit verify");
    snprintf(want, sizeof want,
             "the chain holds: 3 lines\nfirst: 1 at 2025-11-24T00:00:01.000Z\n"
             "last: 3 at 2025-11-24T00:00:03.000Z\nhead: %s\n",
             test_trail_head(&t));
    assert_string_equal(p->ran.out, want);
    assert_string_equal(p->ran.err, "");
}

static void trail_of_the_server_itself_holds(void **state)
{
    admin_play_t *p = *state;
    admin_play_user(p, "alice");
    admin_play_run(p, "admin user disable alice");
    admin_play_run(p, "audit verify");
    assert_non_null(strstr(p->ran.out, "the chain holds: "));
}

/* A start broke off between what was put aside and its line: the next process that writes says it.
 */
static void a_mend_is_told_with_its_place(void **state)
{
    admin_play_t *p = *state;
    char name[96], path[192];
    admin_play_user(p, "alice");
    test_file(p->folder, "audit.log.lost", "what was put aside");
    admin_play_run(p, "admin user disable alice");
    admin_play_run(p, "audit verify");
    const char *said = strstr(p->ran.out, "mended: line ");
    assert_non_null(said);
    assert_non_null(strstr(said, " says that 18 bytes behind line "));
    const char *file = strstr(said, "put aside in audit.log.lost.");
    assert_non_null(file);
    assert_int_equal(sscanf(file, "put aside in %95s", name), 1);
    snprintf(path, sizeof path, "%s/%s", p->folder, name);
    assert_int_equal(unlink(path), 0);
    assert_non_null(strstr(said, "the chain holds: "));
}

static void empty_file_holds(void **state)
{
    admin_play_t *p = *state;
    put(p, "");
    admin_play_run(p, "audit verify");
    assert_string_equal(p->ran.out, "the chain holds: it has no line yet\n");
}

static void changed_line_is_named(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = {0};
    char says[256];
    test_trail_add_turns(&t, 4);
    char *user = strstr(test_trail_from(&t, 2), "bob");
    memcpy(user, "eve", 3);
    put(p, t.text);
    snprintf(says, sizeof says, "warder: %s/audit.log line 3: prev_mismatch: ", p->folder);
    refused(p, "", EXIT_REFUSED, says);
}

static void missing_line_is_named(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = {0};
    test_trail_add_turns(&t, 4);
    char *second = t.text + (test_trail_from(&t, 2) - t.text);
    const char *third = test_trail_from(&t, 3);
    memmove(second, third, strlen(third) + 1);
    put(p, t.text);
    refused(p, "", EXIT_REFUSED, " line 2: sequence_gap: ");
}

static void foreign_line_is_named(void **state)
{
    admin_play_t *p = *state;
    put(p, "hello\n");
    refused(p, "", EXIT_REFUSED, " line 1: line_malformed: ");
}

static void line_without_end_is_named(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = {0};
    test_trail_add_turns(&t, 2);
    t.text[t.n - 20] = '\0';
    put(p, t.text);
    refused(p, "", EXIT_REFUSED, " line 2: line_torn: ");
}

/* Nothing in the file tells that lines are missing at its end: only who kept the head knows. */
static void cut_end_is_found_by_the_head_that_was_kept(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = {0};
    char words[256];
    test_trail_add_turns(&t, 3);
    snprintf(words, sizeof words, "--expect-last %s", test_trail_head(&t));
    t.text[test_trail_from(&t, 3) - t.text] = '\0';
    put(p, t.text);
    admin_play_run(p, "audit verify");
    refused(p, words, EXIT_REFUSED, ": head_missing: ");
}

static void grown_chain_still_has_the_head_that_was_kept(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = {0};
    char line[256];
    test_trail_add_turns(&t, 2);
    snprintf(line, sizeof line, "audit verify --expect-last %s", test_trail_head(&t));
    test_trail_add_turns(&t, 2);
    put(p, t.text);
    admin_play_run(p, line);
    assert_non_null(strstr(p->ran.out, "the chain holds: 4 lines\n"));
}

/* All of it was written anew: it holds in itself. */
static void other_chain_has_another_head(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = {0}, other = {.head = {.hash = {1}}};
    char words[256];
    test_trail_add_turns(&t, 2);
    test_trail_add_turns(&other, 2);
    snprintf(words, sizeof words, "--expect-last %s", test_trail_head(&t));
    put(p, other.text);
    admin_play_run(p, "audit verify");
    refused(p, words, EXIT_REFUSED, " line 2: head_mismatch: ");
}

static void head_that_is_none_is_refused(void **state)
{
    static const char *const HEADS[] = {"3", "3:", "x:00", "3:00", "=", "-1:00"};
    admin_play_t *p = *state;
    char words[128];
    put(p, "");
    for (size_t i = 0; i < sizeof HEADS / sizeof HEADS[0]; i++) {
        snprintf(words, sizeof words, "--expect-last %s", HEADS[i]);
        refused(p, words, EXIT_USAGE, "--expect-last wants SEQ:HASH");
    }
}

/* Two files of one chain, which was continued after the rename. */
typedef struct {
    test_trail_t t;
    char old_path[128], new_path[128];
} rotated_t;

static void rotate(admin_play_t *p, rotated_t *r)
{
    *r = (rotated_t){0};
    test_trail_add_turns(&r->t, 2);
    strcpy(r->old_path, test_file(p->folder, "audit.log.1", r->t.text));
    test_trail_add_turns(&r->t, 2);
    strcpy(r->new_path, test_file(p->folder, "audit.log", test_trail_from(&r->t, 3)));
}

static void several_files_are_one_chain(void **state)
{
    admin_play_t *p = *state;
    rotated_t r;
    char line[512];
    rotate(p, &r);
    snprintf(line, sizeof line, "audit verify %s %s --expect-last %s", r.old_path, r.new_path,
             test_trail_head(&r.t));
    admin_play_run(p, line);
    assert_non_null(strstr(p->ran.out, "the chain holds: 4 lines\nfirst: 1 at "));
    assert_null(strstr(p->ran.out, "seam"));
}

static void newer_file_alone_tells_of_the_older_one(void **state)
{
    admin_play_t *p = *state;
    rotated_t r;
    rotate(p, &r);
    admin_play_run(p, "audit verify");
    assert_non_null(strstr(p->ran.out, "the chain holds: 2 lines\nfirst: 3 at "));
    assert_non_null(strstr(p->ran.out, "line 2 and those before it stand in an older file"));
}

/* Without names all files of the trail are read. A server that rotates meanwhile has given the file
 * at hand, which is open, a second name. */
static void rotated_files_are_found_by_their_names(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = {0};
    char now[128], later[160];
    test_trail_add_turns(&t, 2);
    test_file(p->folder, "audit.log.20251124T000002Z.2", t.text);
    test_trail_add_turns(&t, 2);
    strcpy(now, test_file(p->folder, "audit.log", test_trail_from(&t, 3)));
    admin_play_run(p, "audit verify");
    assert_non_null(strstr(p->ran.out, "the chain holds: 4 lines\nfirst: 1 at "));
    snprintf(later, sizeof later, "%s.20251124T000004Z.4", now);
    assert_int_equal(link(now, later), 0);
    admin_play_run(p, "audit verify");
    assert_non_null(strstr(p->ran.out, "the chain holds: 4 lines\nfirst: 1 at "));
    unlink(now);
    refused(p, "", EXIT_FAILED, "cannot be read: No such file");
}

static void files_in_the_wrong_order_do_not_fit(void **state)
{
    admin_play_t *p = *state;
    rotated_t r;
    char words[512], says[256];
    rotate(p, &r);
    snprintf(words, sizeof words, "%s %s", r.new_path, r.old_path);
    snprintf(says, sizeof says, "warder: %s line 1: ", r.old_path);
    refused(p, words, EXIT_REFUSED, says);
}

/* What is wrong in the first file is told, and the second is not looked at. */
static void fault_in_the_first_file_ends_the_check(void **state)
{
    admin_play_t *p = *state;
    char words[512], bad[128];
    strcpy(bad, test_file(p->folder, "bad.log", "hello\n"));
    snprintf(words, sizeof words, "%s %s/none.log", bad, p->folder);
    refused(p, words, EXIT_REFUSED, "/bad.log line 1: line_malformed: ");
}

static void missing_file_is_told(void **state)
{
    admin_play_t *p = *state;
    char words[512], says[256];
    snprintf(says, sizeof says, "the audit trail '%s/audit.log' cannot be read: No such file",
             p->folder);
    refused(p, "", EXIT_FAILED, says);
    put(p, "");
    snprintf(words, sizeof words, "%s/audit.log %s/none.log", p->folder, p->folder);
    refused(p, words, EXIT_FAILED, "/none.log' cannot be read: No such file");
}

static void folder_is_no_trail(void **state)
{
    admin_play_t *p = *state;
    refused(p, p->folder, EXIT_FAILED, "cannot be read: Is a directory");
}

static void setting_that_is_wrong_is_refused(void **state)
{
    admin_play_t *p = *state;
    refused(p, "--workers many", EXIT_SETTING, "workers");
    refused(p, "--config /none.yaml", EXIT_SETTING, "/none.yaml");
    refused(p, "--expect", EXIT_USAGE, "--expect");
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(sound_chain_is_told_with_first_last_and_head),
        PLAY_TEST(trail_of_the_server_itself_holds),
        PLAY_TEST(a_mend_is_told_with_its_place),
        PLAY_TEST(empty_file_holds),
        PLAY_TEST(changed_line_is_named),
        PLAY_TEST(missing_line_is_named),
        PLAY_TEST(foreign_line_is_named),
        PLAY_TEST(line_without_end_is_named),
        PLAY_TEST(cut_end_is_found_by_the_head_that_was_kept),
        PLAY_TEST(grown_chain_still_has_the_head_that_was_kept),
        PLAY_TEST(other_chain_has_another_head),
        PLAY_TEST(head_that_is_none_is_refused),
        PLAY_TEST(several_files_are_one_chain),
        PLAY_TEST(newer_file_alone_tells_of_the_older_one),
        PLAY_TEST(rotated_files_are_found_by_their_names),
        PLAY_TEST(files_in_the_wrong_order_do_not_fit),
        PLAY_TEST(fault_in_the_first_file_ends_the_check),
        PLAY_TEST(missing_file_is_told),
        PLAY_TEST(folder_is_no_trail),
        PLAY_TEST(setting_that_is_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
