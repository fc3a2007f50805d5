#include "cmd/cmd_test_run.h"

#include "cmd/command.h"

#include <stdio.h>
#include <stdlib.h>

enum { DOCUMENT_MAX = 65536, WORDS_MAX = 16 };

static char document[DOCUMENT_MAX];

static int read_document(void **state)
{
    (void)state;
    char path[512];
    const char *source = getenv("WARDER_SOURCE");
    snprintf(path, sizeof path, "%s/docs/COMMANDS.md", source ? source : ".");
    return test_read(path, document, sizeof document) ? 0 : -1;
}

/* The command in a row "| `warder NAME WORDS` | … |". */
static const command_t *command_of_row(str_t row)
{
    char text[256];
    char *argv[WORDS_MAX + 1] = {0};
    int argc = 0, words;
    str_t line = str_skip(row, strlen("| `warder "));
    line = str_first(line, str_find(line, '`', 0));
    assert_true(line.n < sizeof text);
    memcpy(text, line.p, line.n);
    text[line.n] = '\0';
    for (char *word = strtok(text, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
        argv[argc++] = word;
    return command_find(argc, argv, &words);
}

static void document_names_only_commands_that_are(void **state)
{
    (void)state;
    size_t rows = 0;
    str_t rest = str_c(document), line;
    while (str_split(&rest, '\n', &line)) {
        if (!str_starts(line, STR("| `warder ")))
            continue;
        assert_non_null(command_of_row(line));
        rows++;
    }
    size_t commands = 0;
    while (COMMANDS[commands])
        commands++;
    assert_int_equal(rows, commands);
}

static void document_names_every_command(void **state)
{
    (void)state;
    for (const command_t *const *c = COMMANDS; *c; c++) {
        char row[128];
        snprintf(row, sizeof row, "\n| `warder %s", (*c)->name);
        const char *found = strstr(document, row);
        if (!found)
            fail_msg("docs/COMMANDS.md has no row for '%s'", (*c)->name);
        char after = found[strlen(row)];
        assert_true(after == '`' || after == ' ');
    }
}

static void document_tells_the_exit_codes(void **state)
{
    (void)state;
    static const char *const ROWS[] = {
        [EXIT_DONE] = "\n| 0 | done",
        [EXIT_FAILED] = "\n| 1 | the world failed",
        [EXIT_USAGE] = "\n| 2 | the command line",
        [EXIT_SETTING] = "\n| 3 | a setting",
        [EXIT_REFUSED] = "\n| 4 | refused",
        [EXIT_SIGN_IN] = "\n| 5 | no token",
        [EXIT_TOOL] = "\n| 6 | the tool",
        [EXIT_STOPPED] = "\n| 130 | a signal",
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_true(!ROWS[i] || strstr(document, ROWS[i]));
}

static const command_t *find(char *line, int *words)
{
    char *argv[WORDS_MAX + 1] = {0};
    int argc = 0;
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    return command_find(argc, argv, words);
}

static void names_are_whole_words(void **state)
{
    (void)state;
    int words;
    assert_ptr_equal(find((char[]){"admin user add alice"}, &words), &CMD_ADMIN_USER_ADD);
    assert_int_equal(words, 3);
    assert_null(find((char[]){"admin user"}, &words));
    assert_null(find((char[]){"admin user address"}, &words));
    assert_null(find((char[]){"serv"}, &words));
}

static void a_group_is_its_first_word(void **state)
{
    (void)state;
    size_t n = 0;
    for (const command_t *const *c = COMMANDS; *c; c++) {
        n += command_is_of(*c, "pin");
        assert_false(command_is_of(*c, "pi"));
        assert_false(command_is_of(*c, "serve"));
        assert_false(command_is_of(*c, ""));
    }
    assert_int_equal(n, 3);
}

static void every_command_is_complete(void **state)
{
    (void)state;
    for (const command_t *const *c = COMMANDS; *c; c++) {
        assert_non_null((*c)->run);
        assert_non_null((*c)->usage);
        assert_true(strlen((*c)->about) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(document_names_only_commands_that_are),
        cmocka_unit_test(document_names_every_command),
        cmocka_unit_test(document_tells_the_exit_codes),
        cmocka_unit_test(names_are_whole_words),
        cmocka_unit_test(a_group_is_its_first_word),
        cmocka_unit_test(every_command_is_complete),
    };
    return cmocka_run_group_tests(tests, read_document, NULL);
}
