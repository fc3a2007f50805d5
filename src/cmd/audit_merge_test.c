#include "cmd/cmd_test_trail.h"

#include "cmd/command.h"

#include "audit/trail.h"
#include "jose/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { PATH_BYTES = 128, ARENA_BYTES = 4 << 20 };

typedef struct {
    arena_t *a;
    char folder[64], east[PATH_BYTES], west[PATH_BYTES];
    test_trail_t trail[2];
    ran_t ran;
} play_t;

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(ARENA_BYTES);
    test_folder(p->folder);
    snprintf(p->east, PATH_BYTES, "%s/east.log", p->folder);
    snprintf(p->west, PATH_BYTES, "%s/west.log", p->folder);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    test_folder_remove(p->folder);
    arena_free(p->a);
    free(p);
    return 0;
}

static void run(play_t *p, const char *line)
{
    test_command(line, STR_UNSET, &p->ran);
}

static void merge_both(play_t *p, const char *more)
{
    char line[512];
    snprintf(line, sizeof line, "audit merge east=%s west=%s%s", p->east, p->west, more);
    run(p, line);
}

/* Each line of one node is of the same second as the other's of that number. */
static void put_both(play_t *p, size_t lines)
{
    for (size_t i = 0; i < 2; i++)
        test_trail_add_turns(&p->trail[i], lines);
    test_file(p->folder, "east.log", p->trail[0].text);
    test_file(p->folder, "west.log", p->trail[1].text);
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

static void two_trails_come_as_one(void **state)
{
    play_t *p = *state;
    put_both(p, 3);
    merge_both(p, "");
    assert_int_equal(p->ran.code, EXIT_DONE);
    assert_int_equal(count(p->ran.out, "\n"), 6);
    const char *at = p->ran.out;
    static const char *const FRONTS[] = {"{\"node\":\"east\",\"seq\":1,",
                                         "{\"node\":\"west\",\"seq\":1,",
                                         "{\"node\":\"east\",\"seq\":2,"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(str_starts(str_c(at), str_c(FRONTS[i])));
        at = strchr(at, '\n') + 1;
    }
    assert_int_equal(count(p->ran.err, "signatures are not checked"), 2);
}

static void a_file_without_a_name_is_called_by_its_path(void **state)
{
    play_t *p = *state;
    char line[256], says[256];
    put_both(p, 1);
    snprintf(line, sizeof line, "audit merge %s", p->west);
    snprintf(says, sizeof says, "{\"node\":\"%s\",\"seq\":1,", p->west);
    run(p, line);
    assert_int_equal(p->ran.code, EXIT_DONE);
    assert_true(str_starts(str_c(p->ran.out), str_c(says)));
}

static void a_gap_is_named_at_its_place(void **state)
{
    play_t *p = *state;
    put_both(p, 4);
    char *third = strstr(p->trail[1].text, "{\"seq\":3,"), *fourth = strchr(third, '\n') + 1;
    memmove(third, fourth, strlen(fourth) + 1);
    test_file(p->folder, "west.log", p->trail[1].text);
    merge_both(p, "");
    assert_int_equal(p->ran.code, EXIT_REFUSED);
    assert_int_equal(count(p->ran.out, "\"seq\":"), 7);
    assert_non_null(
        strstr(p->ran.out, "{\"node\":\"west\",\"fault\":\"sequence_gap\",\"file\":\""));
    assert_non_null(strstr(p->ran.out, "\"line\":3,\"due\":3,\"found\":4}\n"));
    assert_non_null(strstr(p->ran.err, "sequence_gap: lines before it are missing; number 3 was to "
                                       "come, and 4 stands there"));
}

/* As a node leaves it: lines with its name, signed at the end. */
static void write_signed(play_t *p, const char *path, const char *key_file)
{
    str_t why, text, body;
    audit_trail_t trail;
    audit_signer_t signer;
    jose_key_t *key;
    char bytes[1024];
    buf_t b = buf_fixed(bytes, sizeof bytes);
    const audit_event_t e = {.kind = AUDIT_TOKEN, .allowed = true, .user = STR("ann")};
    const log_t log = log_stderr(LOG_ERROR);
    assert_int_equal(jose_key_generate(ALG_EDDSA, &key), RC_OK);
    assert_int_equal(audit_signer_make(p->a, key, &signer), RC_OK);
    assert_int_equal(pem_public_write(p->a, key, &text), RC_OK);
    jose_key_free(key);
    test_file(p->folder, key_file, arena_cstr(p->a, text));
    const audit_trail_config_t config = {
        .path = path, .log = &log, .clock = clock_system(), .signer = &signer, .node = STR("west")};
    assert_int_equal(audit_trail_open(&trail, &config, p->a, &why), RC_OK);
    assert_int_equal(audit_body_write(&b, &e, 1764000000000, &body), RC_OK);
    assert_int_equal(audit_trail_write(&trail, &body, 1, AUDIT_WAIT_EVER), RC_OK);
    assert_int_equal(audit_trail_checkpoint(&trail), RC_OK);
    audit_trail_close(&trail);
}

static void keys_beside_a_trail_are_its_own(void **state)
{
    play_t *p = *state;
    char line[256];
    write_signed(p, p->west, "audit-key.pub.pem");
    snprintf(line, sizeof line, "audit merge other=%s", p->west);
    run(p, line);
    assert_int_equal(p->ran.code, EXIT_DONE);
    assert_string_equal(p->ran.err, "");
    assert_true(str_starts(str_c(p->ran.out), STR("{\"seq\":1,\"node\":\"west\",\"time\":")));
    write_signed(p, p->east, "another.pem");
    snprintf(line, sizeof line, "audit merge %s", p->east);
    run(p, line);
    assert_int_equal(p->ran.code, EXIT_REFUSED);
    assert_non_null(strstr(p->ran.err, "checkpoint_key"));
    snprintf(line, sizeof line, "audit merge %s --public-key %s/another.pem", p->east, p->folder);
    run(p, line);
    assert_int_equal(p->ran.code, EXIT_DONE);
}

static void what_cannot_be_read_is_told(void **state)
{
    play_t *p = *state;
    put_both(p, 1);
    run(p, "audit merge");
    assert_int_equal(p->ran.code, EXIT_USAGE);
    merge_both(p, " /nowhere/audit.log");
    assert_int_equal(p->ran.code, EXIT_FAILED);
    assert_non_null(strstr(p->ran.err, "/nowhere/audit.log"));
}

int main(int argc, char **argv)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    int code;
    const struct CMUnitTest tests[] = {
        TEST(two_trails_come_as_one),      TEST(a_file_without_a_name_is_called_by_its_path),
        TEST(a_gap_is_named_at_its_place), TEST(keys_beside_a_trail_are_its_own),
        TEST(what_cannot_be_read_is_told),
    };
    if (test_is_command(argc, argv, &code))
        return code;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
