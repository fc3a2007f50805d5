/* What people read: links lead somewhere, the README leads to every page, commands that the pages
 * name are there, and what a reload takes is told as it is. */
#include "cmd/cmd_test_run.h"

#include "cmd/command.h"
#include "conf/conf_reload.h"
#include "conf/conf_table.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAGE_MAX = 1 << 18, PATH_BYTES = 512, WORDS_MAX = 4 };

static char page[PAGE_MAX];
static glob_t pages; /* the README first */

static int find_pages(void **state)
{
    (void)state;
    const char *source = getenv("WARDER_SOURCE");
    if (source && chdir(source) != 0)
        return -1;
    return glob("README.md", 0, NULL, &pages) || glob("SECURITY.md", GLOB_APPEND, NULL, &pages) ||
           glob("docs/*.md", GLOB_APPEND, NULL, &pages);
}

static int free_pages(void **state)
{
    (void)state;
    globfree(&pages);
    return 0;
}

static str_t read_page(size_t i)
{
    assert_true(test_read(pages.gl_pathv[i], page, sizeof page));
    return str_c(page);
}

/* What stands between the two, from *rest on; false: nothing more. */
static bool next_between(str_t *rest, str_t open, char close, str_t *out)
{
    const char *at = memmem(rest->p, rest->n, open.p, open.n);
    if (!at)
        return false;
    *rest = str_skip(*rest, (size_t)(at - rest->p) + open.n);
    *out = str_first(*rest, str_find(*rest, close, 0));
    return true;
}

/* Of a link in a file of `folder`, without what stands behind its #. */
static void assert_leads_somewhere(const char *from, str_t link)
{
    char path[PATH_BYTES];
    str_t file = str_first(link, str_find(link, '#', 0));
    if (file.n == 0 || str_starts(link, STR("http")))
        return;
    snprintf(path, sizeof path, "%s%" PRIstr, strchr(from, '/') ? "docs/" : "", STR_ARG(file));
    if (access(path, F_OK) != 0)
        fail_msg("%s has a link to %s, which is not there", from, path);
}

static void links_lead_somewhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < pages.gl_pathc; i++) {
        str_t rest = read_page(i), link;
        while (next_between(&rest, STR("]("), ')', &link))
            assert_leads_somewhere(pages.gl_pathv[i], link);
    }
}

static void the_readme_leads_to_every_page(void **state)
{
    (void)state;
    read_page(0);
    for (size_t i = 1; i < pages.gl_pathc; i++) {
        char link[PATH_BYTES];
        snprintf(link, sizeof link, "](%s)", pages.gl_pathv[i]);
        if (!strstr(page, link))
            fail_msg("README.md does not lead to %s", pages.gl_pathv[i]);
    }
}

/* Whether the words of a code span behind "warder " begin with a command, or are an option. */
static bool is_command(str_t span)
{
    char text[PATH_BYTES], *argv[WORDS_MAX + 1] = {0};
    int argc = 0, words;
    str_t line = str_first(span, str_find(span, '\n', 0));
    snprintf(text, sizeof text, "%" PRIstr, STR_ARG(line));
    if (line.n == 0 || text[0] == '-' || str_starts(line, STR("COMMAND")))
        return true;
    for (char *word = strtok(text, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
        argv[argc++] = word;
    return command_find(argc, argv, &words) != NULL;
}

static void commands_of_the_pages_are_there(void **state)
{
    static const char *const BEFORE[] = {"`warder ", "`build/warder ", "\nbuild/warder ",
                                         "\n    warder "};
    (void)state;
    for (size_t i = 0; i < pages.gl_pathc * 4; i++) {
        str_t rest = read_page(i / 4), span;
        while (next_between(&rest, str_c(BEFORE[i % 4]), '`', &span))
            if (!is_command(span))
                fail_msg("%s names 'warder %.40s'", pages.gl_pathv[i / 4], span.p);
    }
}

/* In the table of what a reload takes: each setting that it does, and no other. */
static void the_page_says_which_settings_a_reload_takes(void **state)
{
    (void)state;
    assert_true(test_read("docs/OPERATION.md", page, sizeof page));
    str_t rest = str_c(page), table;
    assert_true(next_between(&rest, STR("What changes at once"), '#', &table));
    const char *end = memmem(table.p, table.n, "\nEvery other setting", 20);
    assert_non_null(end);
    table.n = (size_t)(end - table.p);
    for (size_t i = 0; i < CONF_N_ROWS; i++) {
        char name[128];
        snprintf(name, sizeof name, "`%" PRIstr "`", STR_ARG(CONF_ROWS[i].key));
        bool says = str_contains(table, str_c(name));
        if (says != conf_reload_takes(CONF_ROWS[i].key))
            fail_msg("docs/OPERATION.md %s %s", says ? "should not name" : "lacks", name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_lead_somewhere),
        cmocka_unit_test(the_readme_leads_to_every_page),
        cmocka_unit_test(commands_of_the_pages_are_there),
        cmocka_unit_test(the_page_says_which_settings_a_reload_takes),
    };
    return cmocka_run_group_tests(tests, find_pages, free_pages);
}
