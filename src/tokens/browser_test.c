#include "core/core_test_util.h"
#include "tokens/browser.h"
#include "tokens/tokens_test_drivers.h"

#include "core/core_test_old_kernel.h"
#include "core/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 20000 };

/* Tells all that it was given, in a file that appears whole. What tells of its descriptors runs
 * in a shell of its own, so that they stay as they were. */
static const char OPENER[] =
    "#!/bin/sh\n"
    "here=${0%/*}\n"
    "(ls -l /proc/$$/fd; grep -E '^Sig(Blk|Ign)' /proc/$$/status) >\"$here/draft\"\n"
    "read -r _ _ _ _ _ session _ </proc/$$/stat\n"
    "printf 'count %s\\nfirst %s\\nsession %s\\nenvironment %s\\n' \\\n"
    "  \"$#\" \"$1\" \"$session\" \"$TOKENS_TEST_MARK\" >>\"$here/draft\"\n"
    "mv \"$here/draft\" \"$here/told\"\n";

typedef struct {
    arena_t *arena;
    char *folder;
    str_t opener, told;
} world_t;

static void write_opener(const world_t *w, str_t text)
{
    int fd = open(w->opener.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.p, text.n), text.n);
    close(fd);
}

static int setup(void **state)
{
    world_t *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->arena = arena_new(TEST_ARENA_BYTES);
    w->folder = tokens_test_folder();
    w->opener = arena_printf(w->arena, "%s/opener", w->folder);
    w->told = arena_printf(w->arena, "%s/told", w->folder);
    write_opener(w, str_c(OPENER));
    assert_int_equal(setenv("DISPLAY", ":0", 1) | setenv("TOKENS_TEST_MARK", "as it is", 1), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_t *w = *state;
    tokens_test_folder_remove(w->folder);
    arena_free(w->arena);
    free(w);
    return 0;
}

/* What the opener told; waits for it. */
static str_t told(const world_t *w)
{
    clock_port_t clock = clock_system();
    int64_t end = clock.mono_ms(clock.ctx) + WAIT_MS;
    const struct timespec moment = {0, 1000000};
    while (access(w->told.p, F_OK) != 0) {
        assert_true(clock.mono_ms(clock.ctx) < end);
        nanosleep(&moment, NULL);
    }
    str_t text = test_read_file(w->arena, w->told.p);
    assert_int_equal(unlink(w->told.p), 0);
    return text;
}

static void assert_told(str_t all, str_t line)
{
    if (!str_contains(all, line))
        fail_msg("'%" PRIstr "' is not in '%" PRIstr "'", STR_ARG(line), STR_ARG(all));
}

static void assert_streams(str_t all)
{
    assert_told(all, STR(" 0 -> /dev/null\n"));
    assert_told(all, STR(" 1 -> /dev/null\n"));
    assert_told(all, STR(" 2 -> /dev/null\n"));
    assert_false(str_contains(all, STR(" 3 -> ")));
}

static void the_url_arrives_whole_as_the_one_argument(void **state)
{
    static const str_t URLS[] = {
        STR_INIT("https://as.test/authorize?response_type=code&client_id=a%20b"),
        STR_INIT("https://as.test/authorize?a=$(touch%20x)&b=$HOME&c=;reboot"),
        STR_INIT("https://as.test/a?q=1&&sleep+9&'1'&x=*?!~,@:%60id%60"),
        STR_INIT("http://127.0.0.1:8080/authorize?x=1"),
    };
    const world_t *w = *state;
    for (size_t i = 0; i < ROWS(URLS); i++) {
        assert_int_equal(tokens_browser_open(w->opener, URLS[i]), RC_OK);
        str_t all = told(w);
        assert_told(all, STR("count 1\n"));
        assert_told(all, arena_printf(w->arena, "first %" PRIstr "\n", STR_ARG(URLS[i])));
    }
}

static void the_opener_runs_detached(void **state)
{
    const world_t *w = *state;
    int kept = open("/dev/zero", O_RDONLY); /* without O_CLOEXEC */
    assert_true(kept > 2);
    signal(SIGPIPE, SIG_IGN);
    sigset_t block, old;
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigprocmask(SIG_BLOCK, &block, &old);
    assert_int_equal(tokens_browser_open(w->opener, STR("https://as.test/authorize")), RC_OK);
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGPIPE, SIG_DFL);
    str_t all = told(w);
    close(kept);
    assert_told(all, STR("environment as it is\n"));
    assert_streams(all);
    assert_told(all, STR("SigBlk:\t0000000000000000\n"));
    assert_told(all, STR("SigIgn:\t0000000000000000\n"));
    assert_false(str_contains(all, arena_printf(w->arena, "session %d\n", (int)getsid(0))));
    assert_false(str_contains(all, STR("/dev/zero")));
}

static void an_old_kernel_opens_the_page_and_leaves_no_descriptor(void **state)
{
    int status;
    const world_t *w = *state;
    pid_t pid = fork();
    if (pid == 0) {
        bool left = open("/dev/zero", O_RDONLY) > 2 && forbid_close_range();
        _exit(left && tokens_browser_open(w->opener, STR("https://as.test/authorize")) == RC_OK
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    str_t all = told(w);
    assert_streams(all);
    assert_false(str_contains(all, STR("/dev/zero")));
}

static void no_process_is_left_to_wait_for(void **state)
{
    const world_t *w = *state;
    assert_int_equal(tokens_browser_open(w->opener, STR("https://as.test/authorize")), RC_OK);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    (void)told(w);
}

/* A stream that is closed here must not become one of the opener's by chance. */
static void closed_streams_do_no_harm(void **state)
{
    const world_t *w = *state;
    int in = dup(0), out = dup(1);
    close(0);
    close(1);
    rc_t rc = tokens_browser_open(w->opener, STR("https://as.test/authorize"));
    dup2(in, 0);
    dup2(out, 1);
    close(in);
    close(out);
    assert_int_equal(rc, RC_OK);
    assert_streams(told(w));
}

static void a_url_that_is_not_for_a_browser_is_refused(void **state)
{
    static const str_t URLS[] = {
        STR_INIT(""),
        STR_INIT("--help"),
        STR_INIT("-https://as.test/"),
        STR_INIT("javascript:alert(1)"),
        STR_INIT("JavaScript://as.test/%0aalert(1)"),
        STR_INIT("file:///etc/passwd"),
        STR_INIT("data:text/html,x"),
        STR_INIT("vscode://x"),
        STR_INIT("http://as.test/authorize"),
        STR_INIT("as.test/authorize"),
        STR_INIT("/authorize"),
        STR_INIT(" https://as.test/authorize"),
        STR_INIT("https://as.test/authorize\n--help"),
        STR_INIT("https://as.test/auth orize"),
        STR_INIT("https://as.test/authorize\0x"),
        STR_INIT("https://as.test/\xE2\x80\xAE"),
        STR_INIT("https://as.test/\x1b[2J"),
        STR_INIT("https://user@as.test/"),
        STR_INIT("https://as.test/`id`"),
        STR_INIT("https://as.test/\"x"),
    };
    const world_t *w = *state;
    for (size_t i = 0; i < ROWS(URLS); i++)
        if (tokens_browser_open(w->opener, URLS[i]) != RC_MALFORMED)
            fail_msg("'%" PRIstr "' was opened", STR_ARG(URLS[i]));
    assert_int_equal(tokens_browser_open(w->opener, STR_UNSET), RC_MALFORMED);
    char longest[8192] = "https://as.test/";
    memset(longest + 16, 'a', sizeof longest - 16);
    assert_int_equal(tokens_browser_open(w->opener, str_of(longest, sizeof longest)), RC_MALFORMED);
    assert_int_equal(tokens_browser_open(w->opener, STR("https://as.test/authorize")), RC_OK);
    (void)told(w);
}

static void there_is_no_display(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("DISPLAY") | setenv("WAYLAND_DISPLAY", "", 1), 0);
    assert_int_equal(tokens_browser_open(STR_UNSET, STR("https://as.test/")), RC_NOT_FOUND);
}

static void an_opener_that_was_named_needs_no_display(void **state)
{
    const world_t *w = *state;
    assert_int_equal(unsetenv("DISPLAY") | unsetenv("WAYLAND_DISPLAY"), 0);
    assert_int_equal(tokens_browser_open(w->opener, STR("https://as.test/")), RC_OK);
    (void)told(w);
}

static void there_is_no_opener(void **state)
{
    static const str_t OPENERS[] = {
        STR_INIT(""),
        STR_INIT("no-program-of-this-name"),
        STR_INIT("./opener"),
        STR_INIT("opener"),
        STR_INIT("../bin/true"),
        STR_INIT("/no/such/opener"),
        STR_INIT("/usr/bin/true\0x"),
    };
    const world_t *w = *state;
    /* Neither the folder that one is in, nor PATH, is looked at. */
    assert_int_equal(chdir(w->folder) | setenv("PATH", w->folder, 1), 0);
    for (size_t i = 0; i < ROWS(OPENERS); i++)
        assert_int_equal(tokens_browser_open(OPENERS[i], STR("https://as.test/")), RC_NOT_FOUND);
    assert_int_equal(chmod(w->opener.p, 0600) | chdir("/"), 0);
    if (geteuid() != 0 || access(w->opener.p, X_OK) != 0)
        assert_int_equal(tokens_browser_open(w->opener, STR("https://as.test/")), RC_NOT_FOUND);
    assert_int_equal(tokens_browser_open(STR("true"), STR("https://as.test/")), RC_OK);
}

static void an_opener_that_cannot_be_run_is_told(void **state)
{
    const world_t *w = *state;
    write_opener(w, STR("\x7f"
                        "ELF of nothing"));
    assert_int_equal(tokens_browser_open(w->opener, STR("https://as.test/")), RC_IO);
    write_opener(w, STR("#!/no/such/interpreter\n"));
    assert_int_equal(tokens_browser_open(w->opener, STR("https://as.test/")), RC_IO);
    assert_int_equal(tokens_browser_open(STR("/"), STR("https://as.test/")), RC_IO);
}

#define BROWSER_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROWSER_TEST(the_url_arrives_whole_as_the_one_argument),
        BROWSER_TEST(the_opener_runs_detached),
        BROWSER_TEST(an_old_kernel_opens_the_page_and_leaves_no_descriptor),
        BROWSER_TEST(no_process_is_left_to_wait_for),
        BROWSER_TEST(closed_streams_do_no_harm),
        BROWSER_TEST(a_url_that_is_not_for_a_browser_is_refused),
        BROWSER_TEST(there_is_no_display),
        BROWSER_TEST(an_opener_that_was_named_needs_no_display),
        BROWSER_TEST(an_opener_that_cannot_be_run_is_told),
        BROWSER_TEST(there_is_no_opener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
