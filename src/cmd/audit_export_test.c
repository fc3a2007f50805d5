#include "cmd/cmd_test_trail.h"

#include "cmd/admin_test_play.h"
#include "cmd/command.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Three files of one chain with two lines each, as the server rotates them. */
static test_trail_t put(admin_play_t *p)
{
    test_trail_t t = {0};
    test_trail_add_turns(&t, 2);
    test_file(p->folder, "audit.log.20251124T000002Z.2", t.text);
    test_trail_add_turns(&t, 2);
    test_file(p->folder, "audit.log.20251124T000004Z.4", test_trail_from(&t, 3));
    test_trail_add_turns(&t, 2);
    test_file(p->folder, "audit.log", test_trail_from(&t, 5));
    return t;
}

static const char *path_of(admin_play_t *p, const char *name)
{
    static char path[192];
    snprintf(path, sizeof path, "%s/%s", p->folder, name);
    return path;
}

/* Whether CEF records are those of lines [from, to]. */
static void expect_numbers(const char *text, int from, int to)
{
    for (; from <= to; from++) {
        char want[64];
        snprintf(want, sizeof want, " externalId=%d ", from);
        const char *end = strchr(text, '\n'), *hit = strstr(text, want);
        assert_non_null(end);
        assert_true(hit && hit < end);
        text = end + 1;
    }
    assert_string_equal(text, "");
}

static void all_files_are_exported_in_their_order(void **state)
{
    admin_play_t *p = *state;
    put(p);
    admin_play_run(p, "audit export --format cef");
    expect_numbers(p->ran.out, 1, 6);
    assert_true(strncmp(p->ran.out, "CEF:0|Warder|Warder|", 20) == 0);
}

static void every_format_gives_a_record_a_line(void **state)
{
    static const struct {
        const char *format, *first;
    } ROWS[] = {{"ocsf", "{\"category_uid\":"},
                {"syslog", "<110>1 2025-11-24T00:00:01.000Z "},
                {"otlp", "{\"resourceLogs\":[{"}};
    admin_play_t *p = *state;
    char line[128];
    put(p);
    for (size_t i = 0; i < 3; i++) {
        snprintf(line, sizeof line, "audit export --from 5 --format %s", ROWS[i].format);
        admin_play_run(p, line);
        size_t n = 0;
        for (const char *c = p->ran.out; *c; c++)
            n += *c == '\n';
        assert_int_equal(n, 2);
        if (i != 1)
            assert_true(strncmp(p->ran.out, ROWS[i].first, strlen(ROWS[i].first)) == 0);
    }
    admin_play_run(p, "audit export --from 6 --format syslog --octets");
    assert_int_equal(strtoul(p->ran.out, NULL, 10),
                     strlen(p->ran.out) - (size_t)(strchr(p->ran.out, ' ') - p->ran.out) - 1);
}

static void from_goes_on_where_one_stopped(void **state)
{
    admin_play_t *p = *state;
    char line[128];
    put(p);
    for (int from = 1; from <= 6; from++) {
        snprintf(line, sizeof line, "audit export --format cef --from %d", from);
        admin_play_run(p, line);
        expect_numbers(p->ran.out, from, 6);
    }
    admin_play_run(p, "audit export --format cef --from 7");
    assert_string_equal(p->ran.out, "");
}

static void one_file_may_be_named(void **state)
{
    admin_play_t *p = *state;
    char line[256];
    put(p);
    snprintf(line, sizeof line, "audit export --format cef %s",
             path_of(p, "audit.log.20251124T000004Z.4"));
    admin_play_run(p, line);
    expect_numbers(p->ran.out, 3, 4);
}

static void new_file_without_lines_hides_none(void **state)
{
    admin_play_t *p = *state;
    put(p);
    test_file(p->folder, "audit.log", "");
    admin_play_run(p, "audit export --format cef");
    expect_numbers(p->ran.out, 1, 4);
}

static void run(admin_play_t *p, const char *options, int code, const char *says)
{
    char line[256];
    snprintf(line, sizeof line, "audit export --data %s %s", p->folder, options);
    test_command(line, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, code);
    assert_non_null(strstr(p->ran.err, says));
}

static void missing_lines_are_told(void **state)
{
    admin_play_t *p = *state;
    put(p);
    unlink(path_of(p, "audit.log.20251124T000004Z.4"));
    run(p, "--format cef", EXIT_REFUSED, "lines 3 to 4 are not there");
    run(p, "--format cef --from 4", EXIT_REFUSED, "lines 4 to 4 are not there");
    expect_numbers(p->ran.out, 5, 6);
    unlink(path_of(p, "audit.log.20251124T000002Z.2"));
    run(p, "--format cef", EXIT_DONE, "");
    expect_numbers(p->ran.out, 5, 6);
}

static void line_of_no_trail_is_told(void **state)
{
    admin_play_t *p = *state;
    char text[TRAIL_BYTES];
    test_trail_t t = put(p);
    snprintf(text, sizeof text, "hello\n%s", test_trail_from(&t, 5));
    test_file(p->folder, "audit.log", text);
    run(p, "--format cef", EXIT_REFUSED, "is none of a trail, and is passed over");
    expect_numbers(p->ran.out, 1, 6);
}

static void options_are_checked(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *says;
    } ROWS[] = {
        {"audit export", EXIT_USAGE, "--format wants"},
        {"audit export --format xml", EXIT_USAGE, "--format wants"},
        {"audit export --format cef --from 0", EXIT_USAGE, "--from wants"},
        {"audit export --format cef --from x", EXIT_USAGE, "--from wants"},
        {"audit export --format cef --octets", EXIT_USAGE, "--octets is for"},
        {"audit export --format cef /none.log", EXIT_FAILED, "/none.log' cannot be read"},
    };
    admin_play_t *p = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        admin_play_refused(p, ROWS[i].line, ROWS[i].code, ROWS[i].says);
}

/* ---- a process that follows ---- */

typedef struct {
    pid_t pid;
    int out;
    char seen[TRAIL_BYTES];
    size_t n;
} running_t;

static running_t start_follow(admin_play_t *p)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    running_t r = {.pid = fork(), .out = ends[0]};
    assert_true(r.pid >= 0);
    if (r.pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "warder", "--command", "audit", "export", "--data", p->folder,
              "--format", "cef", "--follow", "--from", "2", NULL);
        _exit(97);
    }
    close(ends[1]);
    return r;
}

/* Waits until the records of [from, to] were seen. */
static void expect(running_t *r, int from, int to)
{
    struct pollfd fd = {.fd = r->out, .events = POLLIN};
    size_t lines = 0;
    while (lines < (size_t)(to - from + 1)) {
        if (poll(&fd, 1, 30000) != 1)
            fail_msg("nothing more than: %s", r->seen);
        ssize_t n = read(r->out, r->seen + r->n, sizeof r->seen - 1 - r->n);
        assert_true(n > 0);
        for (ssize_t i = 0; i < n; i++)
            lines += r->seen[r->n + (size_t)i] == '\n';
        r->n += (size_t)n;
    }
    r->seen[r->n] = '\0';
    expect_numbers(r->seen, from, to);
    r->n = 0;
}

static void rotate(admin_play_t *p, const char *suffix, const char *next)
{
    char from[192], to[224];
    snprintf(from, sizeof from, "%s", path_of(p, "audit.log"));
    snprintf(to, sizeof to, "%s%s", from, suffix);
    assert_int_equal(link(from, to), 0);
    assert_int_equal(rename(test_file(p->folder, "next", next), from), 0);
}

/* Two rotations between two looks: the file between them is not passed over. */
static void follow_survives_rotations(void **state)
{
    admin_play_t *p = *state;
    int status;
    test_trail_t t = put(p);
    running_t r = start_follow(p);
    expect(&r, 2, 6);
    test_trail_add_turns(&t, 1);
    rotate(p, ".20251124T000006Z.6", test_trail_from(&t, 7));
    test_trail_add_turns(&t, 1);
    rotate(p, ".20251124T000007Z.7", test_trail_from(&t, 8));
    expect(&r, 7, 8);
    close(r.out);
    assert_int_equal(waitpid(r.pid, &status, 0), r.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE);
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(all_files_are_exported_in_their_order),
        PLAY_TEST(every_format_gives_a_record_a_line),
        PLAY_TEST(from_goes_on_where_one_stopped),
        PLAY_TEST(one_file_may_be_named),
        PLAY_TEST(new_file_without_lines_hides_none),
        PLAY_TEST(missing_lines_are_told),
        PLAY_TEST(line_of_no_trail_is_told),
        PLAY_TEST(options_are_checked),
        PLAY_TEST(follow_survives_rotations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
