#include "cmd/cmd_test_trail.h"

#include "cmd/admin_test_play.h"
#include "cmd/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static test_trail_t put(admin_play_t *p, size_t lines)
{
    test_trail_t t = {0};
    test_trail_add_turns(&t, lines);
    test_file(p->folder, "audit.log", t.text);
    return t;
}

static size_t lines_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void pipe_gets_the_last_ten_lines_as_they_are(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = put(p, 13);
    admin_play_run(p, "audit tail");
    assert_string_equal(p->ran.out, test_trail_from(&t, 4));
    admin_play_run(p, "audit tail --json");
    assert_string_equal(p->ran.out, test_trail_from(&t, 4));
}

static void lines_says_how_many(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = put(p, 13);
    admin_play_run(p, "audit tail --lines 2");
    assert_string_equal(p->ran.out, test_trail_from(&t, 12));
    admin_play_run(p, "audit tail --lines 0");
    assert_string_equal(p->ran.out, "");
    admin_play_run(p, "audit tail --lines 1000000000");
    assert_string_equal(p->ran.out, t.text);
}

static void lines_that_are_no_number_are_refused(void **state)
{
    static const char *const WRONG[] = {"x", "-1", "1000000001", "1.5", "99999999999999999999"};
    admin_play_t *p = *state;
    char line[128], says[128];
    put(p, 1);
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        snprintf(line, sizeof line, "audit tail --lines %s", WRONG[i]);
        snprintf(says, sizeof says, "--lines wants a number, not '%s'", WRONG[i]);
        admin_play_refused(p, line, EXIT_USAGE, says);
    }
    admin_play_refused(p, "audit tail --lines=", EXIT_USAGE, "--lines wants a number");
}

static void filter_shows_what_fits_only(void **state)
{
    static const struct {
        const char *line;
        size_t lines;
        const char *has, *lacks;
    } CASES[] = {
        {"audit tail --kind token", 3, "\"event\":\"token\"", "login"},
        {"audit tail --kind login", 3, "\"event\":\"login\"", "token"},
        {"audit tail --user ann", 3, "\"user\":\"ann\"", "bob"},
        {"audit tail --client c2", 3, "\"client\":\"c2\"", "c1"},
        {"audit tail --kind login --user bob --client c2", 3, "bob", "ann"},
        {"audit tail --kind login --user ann", 0, "", "ann"},
        {"audit tail --user an", 0, "", "ann"},
        {"audit tail --user ann --lines 1", 1, "\"seq\":5", "\"seq\":3"},
    };
    admin_play_t *p = *state;
    put(p, 6);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        admin_play_run(p, CASES[i].line);
        assert_int_equal(lines_of(p->ran.out), CASES[i].lines);
        assert_non_null(strstr(p->ran.out, CASES[i].has));
        assert_null(strstr(p->ran.out, CASES[i].lacks));
    }
}

static void kind_that_is_none_is_refused(void **state)
{
    admin_play_t *p = *state;
    put(p, 1);
    admin_play_refused(p, "audit tail --kind tokens", EXIT_USAGE,
                       "there is no kind of event 'tokens'; docs/AUDIT.md lists them");
}

static void line_that_cannot_be_read_is_shown_without_a_filter_only(void **state)
{
    admin_play_t *p = *state;
    test_file(p->folder, "audit.log", "hello\n");
    admin_play_run(p, "audit tail");
    assert_string_equal(p->ran.out, "hello\n");
    admin_play_run(p, "audit tail --kind token");
    assert_string_equal(p->ran.out, "");
}

/* It may be in the middle of being written. */
static void line_without_end_is_not_shown(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = {0};
    test_trail_add_turns(&t, 2);
    t.text[t.n - 1] = '\0';
    test_file(p->folder, "audit.log", t.text);
    t.text[test_trail_from(&t, 2) - t.text] = '\0';
    admin_play_run(p, "audit tail");
    assert_string_equal(p->ran.out, t.text);
}

static void missing_trail_is_told_with_the_mend(void **state)
{
    admin_play_t *p = *state;
    char says[256];
    snprintf(says, sizeof says, "there is no audit trail at '%s/audit.log' yet; name another",
             p->folder);
    admin_play_refused(p, "audit tail", EXIT_FAILED, says);
    admin_play_refused(p, "audit tail --follow", EXIT_FAILED, says);
}

static void folder_is_no_trail(void **state)
{
    admin_play_t *p = *state;
    char line[256];
    snprintf(line, sizeof line, "audit tail --audit-file %s", p->folder);
    admin_play_refused(p, line, EXIT_FAILED, "cannot be read: Is a directory");
}

static void arguments_that_are_wrong_are_refused(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *says;
    } CASES[] = {
        {"audit tail audit.log", EXIT_USAGE, "more words"},
        {"audit tail --follow=yes", EXIT_USAGE, "takes no value: '--follow'"},
        {"audit tail --json --json", EXIT_USAGE, "too often: '--json'"},
        {"audit tail --tool x", EXIT_USAGE, "no option: '--tool'"},
        {"audit tail --store mem", EXIT_SETTING, "store"},
        {"audit tail --config /none.yaml", EXIT_SETTING, "/none.yaml"},
    };
    admin_play_t *p = *state;
    put(p, 1);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        admin_play_refused(p, CASES[i].line, CASES[i].code, CASES[i].says);
}

/* A process of its own: its output is read while it runs. */
typedef struct {
    pid_t pid;
    int out;
    char seen[TRAIL_BYTES];
    size_t n;
} running_t;

static void exec_tail(const char *folder, const char *option)
{
    execl("/proc/self/exe", "warder", "--command", "audit", "tail", "--data", folder, option, NULL);
    _exit(97);
}

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
        exec_tail(p->folder, "--follow");
    }
    close(ends[1]);
    return r;
}

/* Waits until all that was seen is `want`. */
static void expect(running_t *r, const char *want)
{
    struct pollfd fd = {.fd = r->out, .events = POLLIN};
    while (r->n < strlen(want)) {
        if (poll(&fd, 1, 30000) != 1)
            fail_msg("nothing more than: %s", r->seen);
        ssize_t n = read(r->out, r->seen + r->n, sizeof r->seen - 1 - r->n);
        assert_true(n > 0);
        r->n += (size_t)n;
    }
    assert_string_equal(r->seen, want);
}

/* Goes away as the reader of a pipe does; how the other side ends. */
static int stop(running_t *r)
{
    int status;
    close(r->out);
    assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void add(admin_play_t *p, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/audit.log", p->folder);
    FILE *f = fopen(path, "ab");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void follow_shows_what_comes_until_its_reader_goes(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = put(p, 2);
    running_t r = start_follow(p);
    expect(&r, t.text);
    test_trail_add_turns(&t, 2);
    add(p, test_trail_from(&t, 3));
    expect(&r, t.text);
    assert_int_equal(stop(&r), EXIT_DONE);
}

static void follow_goes_on_with_the_file_after_a_rename(void **state)
{
    char from[128], to[128];
    admin_play_t *p = *state;
    test_trail_t t = put(p, 2);
    snprintf(from, sizeof from, "%s/audit.log", p->folder);
    snprintf(to, sizeof to, "%s/audit.log.1", p->folder);
    running_t r = start_follow(p);
    expect(&r, t.text);
    test_trail_add_turns(&t, 1);
    assert_int_equal(link(from, to), 0);
    assert_int_equal(rename(test_file(p->folder, "next", test_trail_from(&t, 3)), from), 0);
    expect(&r, t.text);
    assert_int_equal(stop(&r), EXIT_DONE);
}

typedef struct {
    const char *folder;
    int out; /* becomes standard output */
} into_t;

static int run_into(void *arg)
{
    const into_t *into = arg;
    dup2(into->out, STDOUT_FILENO);
    exec_tail(into->folder, "--lines=100");
    return 91;
}

/* Few lines wait in the buffer until the end, many do not. */
static void lines_that_a_full_disk_loses_are_told(void **state)
{
    static const size_t LINES[] = {1, 90};
    admin_play_t *p = *state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++) {
        put(p, LINES[i]);
        test_child(run_into, &(into_t){p->folder, full}, STR_UNSET, &p->ran);
        assert_int_equal(p->ran.code, EXIT_FAILED);
        assert_string_equal(p->ran.err, "warder: standard output could not be written: No space "
                                        "left on device\n");
    }
    close(full);
}

/* As in `warder audit tail --lines 100 | head -1`. */
static void reader_that_goes_away_is_no_failure(void **state)
{
    int ends[2];
    admin_play_t *p = *state;
    put(p, 90);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    test_child(run_into, &(into_t){p->folder, ends[1]}, STR_UNSET, &p->ran);
    close(ends[1]);
    assert_int_equal(p->ran.code, EXIT_DONE);
    assert_string_equal(p->ran.err, "");
}

/* Does in a child what a terminal does: the command's output comes through a pseudo-terminal. */
typedef struct {
    const char *folder, *option;
} on_terminal_t;

static int run_on_terminal(void *arg)
{
    on_terminal_t *t = arg;
    struct termios raw;
    char block[4096];
    int status, master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        return 90;
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (slave < 0 || tcgetattr(slave, &raw) != 0)
        return 91;
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(slave, STDOUT_FILENO);
        close(slave);
        close(master);
        exec_tail(t->folder, t->option);
    }
    close(slave);
    for (ssize_t n; (n = read(master, block, sizeof block)) > 0;)
        if (write(STDOUT_FILENO, block, (size_t)n) != n)
            return 92;
    close(master);
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 93;
}

static void terminal_gets_columns_for_people(void **state)
{
    admin_play_t *p = *state;
    put(p, 2);
    test_child(run_on_terminal, &(on_terminal_t){p->folder, "--lines=1"}, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_DONE);
    assert_string_equal(
        p->ran.out,
        "TIME                     DECISION EVENT             REASON                       "
        "WHO AND WHAT\n"
        "2025-11-24T00:00:02.000Z deny     login             password_wrong               "
        "user=bob client=c2\n");
}

static void terminal_gets_json_on_demand(void **state)
{
    admin_play_t *p = *state;
    test_trail_t t = put(p, 2);
    test_child(run_on_terminal, &(on_terminal_t){p->folder, "--json"}, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_DONE);
    assert_string_equal(p->ran.out, t.text);
}

/* A line that somebody put into the file, and one that JSON leaves as it is (U+202E). */
static void nothing_in_a_trail_commands_the_terminal(void **state)
{
    static const char *const OPTIONS[] = {"--json", "--lines=10"};
    admin_play_t *p = *state;
    test_trail_t t = {0};
    audit_event_t e = {.kind = AUDIT_LOGIN,
                       .user = STR("a\xe2\x80\xae"
                                   "b")};
    test_trail_add(&t, &e);
    test_file(p->folder, "audit.log", t.text);
    add(p, "\x1b]0;title\a\n");
    for (size_t i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i++) {
        test_child(run_on_terminal, &(on_terminal_t){p->folder, OPTIONS[i]}, STR_UNSET, &p->ran);
        assert_int_equal(p->ran.code, EXIT_DONE);
        assert_null(strchr(p->ran.out, '\x1b'));
        assert_null(strchr(p->ran.out, '\a'));
        assert_null(strstr(p->ran.out, "\xe2\x80\xae"));
        assert_non_null(strstr(p->ran.out, "a\\u202eb"));
        assert_non_null(strstr(p->ran.out, "\\u001b]0;title\\u0007\n"));
    }
}

int main(int argc, char **argv)
{
    int code;
    signal(SIGPIPE, SIG_IGN); /* as warder does */
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(pipe_gets_the_last_ten_lines_as_they_are),
        PLAY_TEST(lines_says_how_many),
        PLAY_TEST(lines_that_are_no_number_are_refused),
        PLAY_TEST(filter_shows_what_fits_only),
        PLAY_TEST(kind_that_is_none_is_refused),
        PLAY_TEST(line_that_cannot_be_read_is_shown_without_a_filter_only),
        PLAY_TEST(line_without_end_is_not_shown),
        PLAY_TEST(missing_trail_is_told_with_the_mend),
        PLAY_TEST(folder_is_no_trail),
        PLAY_TEST(arguments_that_are_wrong_are_refused),
        PLAY_TEST(follow_shows_what_comes_until_its_reader_goes),
        PLAY_TEST(follow_goes_on_with_the_file_after_a_rename),
        PLAY_TEST(lines_that_a_full_disk_loses_are_told),
        PLAY_TEST(reader_that_goes_away_is_no_failure),
        PLAY_TEST(terminal_gets_columns_for_people),
        PLAY_TEST(terminal_gets_json_on_demand),
        PLAY_TEST(nothing_in_a_trail_commands_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
