/* The man pages say all there is: commands, options of the client, exit codes; and are well formed.
 */
#include "cmd/client_options.h"
#include "cmd/cmd_test_run.h"

#include "cmd/command.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAGE_MAX = 1 << 16, LINE_BYTES = 256 };

static char page[PAGE_MAX];

static int go_to_source(void **state)
{
    (void)state;
    const char *source = getenv("WARDER_SOURCE");
    return source ? chdir(source) : 0;
}

/* The page as people read its words: "\-" is a dash. */
static void read_page(const char *path)
{
    size_t n = 0;
    if (!test_read(path, page, sizeof page))
        fail_msg("%s is not there", path);
    for (const char *p = page; *p; p++)
        if (p[0] != '\\' || p[1] != '-')
            page[n++] = *p;
    page[n] = '\0';
}

/* What starts a line of one of these requests, with nothing or a blank or a quote behind it. */
static bool tells(const char *what)
{
    static const char *const REQUESTS[] = {"\n.B ", "\n.BI ", "\n.BI \""};
    for (size_t i = 0; i < sizeof REQUESTS / sizeof *REQUESTS; i++) {
        char line[LINE_BYTES];
        snprintf(line, sizeof line, "%s%s", REQUESTS[i], what);
        for (const char *at = page; (at = strstr(at, line)); at++)
            if (strchr(" \n\"", at[strlen(line)]))
                return true;
    }
    return false;
}

static void every_command_has_its_line(void **state)
{
    (void)state;
    read_page("man/warder.1");
    for (const command_t *const *c = COMMANDS; *c; c++) {
        char name[LINE_BYTES];
        snprintf(name, sizeof name, "warder %s", (*c)->name);
        if (!tells(name))
            fail_msg("man/warder.1 does not name '%s'", name);
    }
}

static void every_option_of_the_client_is_explained(void **state)
{
    (void)state;
    static const option_t ROWS[] = {CLIENT_OPTION_ROWS, {NULL}};
    read_page("man/warder-client-options.7");
    for (const option_t *row = ROWS; row->name; row++) {
        char name[LINE_BYTES];
        snprintf(name, sizeof name, "--%s", row->name);
        if (!tells(name))
            fail_msg("man/warder-client-options.7 does not explain %s", name);
    }
}

/* Of the page's own commands: what stands behind -- in their usage. */
static void every_option_of_a_command_is_explained(void **state)
{
    (void)state;
    static const struct {
        const command_t *command;
        const char *path;
    } PAGES[] = {
        {&CMD_CONNECT, "man/warder-connect.1"}, {&CMD_CALL, "man/warder-call.1"},
        {&CMD_TOOLS, "man/warder-call.1"},      {&CMD_TOKEN, "man/warder-token.1"},
        {&CMD_LOGOUT, "man/warder-token.1"},    {&CMD_DOCTOR, "man/warder-doctor.1"},
    };
    for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES; i++) {
        const char *at = PAGES[i].command->usage;
        read_page(PAGES[i].path);
        while ((at = strstr(at, "--"))) {
            char name[LINE_BYTES];
            size_t n = strcspn(at, " ]|=");
            snprintf(name, sizeof name, "%.*s", (int)n, at);
            if (!tells(name))
                fail_msg("%s does not explain %s", PAGES[i].path, name);
            at += n;
        }
    }
}

static void every_exit_code_is_told(void **state)
{
    (void)state;
    static const int CODES[] = {EXIT_DONE,    EXIT_FAILED,  EXIT_USAGE, EXIT_SETTING,
                                EXIT_REFUSED, EXIT_SIGN_IN, EXIT_TOOL,  EXIT_STOPPED};
    read_page("man/warder.1");
    char *at = strstr(page, "\n.SH EXIT STATUS\n");
    assert_non_null(at);
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
        char line[LINE_BYTES];
        snprintf(line, sizeof line, "\n.TP\n.B %d\n", CODES[i]);
        if (!strstr(at, line))
            fail_msg("man/warder.1 does not tell the exit code %d", CODES[i]);
    }
}

static void the_formatter_finds_nothing_wrong(void **state)
{
    (void)state;
    glob_t pages;
    if (access("/usr/bin/groff", X_OK) != 0) {
        print_message("there is no groff\n");
        skip();
    }
    assert_int_equal(glob("man/*.[17]", 0, NULL, &pages), 0);
    for (size_t i = 0; i < pages.gl_pathc; i++) {
        char line[LINE_BYTES], words[LINE_BYTES];
        snprintf(line, sizeof line, "/usr/bin/groff -man -ww -Tutf8 %s 2>&1 >/dev/null",
                 pages.gl_pathv[i]);
        FILE *said = popen(line, "r");
        assert_non_null(said);
        if (fgets(words, sizeof words, said))
            fail_msg("%s", words);
        assert_int_equal(pclose(said), 0);
    }
    globfree(&pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_its_line),
        cmocka_unit_test(every_option_of_the_client_is_explained),
        cmocka_unit_test(every_option_of_a_command_is_explained),
        cmocka_unit_test(every_exit_code_is_told),
        cmocka_unit_test(the_formatter_finds_nothing_wrong),
    };
    return cmocka_run_group_tests(tests, go_to_source, NULL);
}
