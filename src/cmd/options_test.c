#include "cmd/cmd_test_run.h"

#include "cmd/command.h"
#include "cmd/options.h"

#include <stdio.h>

static const option_t ROWS[] = {
    {.name = "data"}, {.name = "scope", .many = true}, {.name = "json", .is_switch = true}, {0}};

typedef struct {
    option_t rows[4];
    str_t words[2];
    size_t n_words;
    const char *argv[80];
    int argc;
} play_t;

static bool parse(play_t *p)
{
    memcpy(p->rows, ROWS, sizeof ROWS);
    return options_parse(p->argc, (char **)(uintptr_t)p->argv, p->rows, p->words, 2, &p->n_words);
}

static int parse_in_child(void *arg)
{
    return parse(arg) ? EXIT_DONE : EXIT_USAGE;
}

/* The one line of a refusal. */
static void refused(const play_t *p, const char *says)
{
    play_t copy = *p;
    ran_t ran;
    test_child(parse_in_child, &copy, STR_UNSET, &ran);
    assert_int_equal(ran.code, EXIT_USAGE);
    assert_one_line(&ran);
    assert_non_null(strstr(ran.err, says));
}

static void values_come_in_both_forms(void **state)
{
    (void)state;
    play_t p = {.argv = {"--data", "/a", "--scope=x=y", "word", "--scope", "--json", "--json"},
                .argc = 7};
    assert_true(parse(&p));
    assert_true(str_eq(option_get(p.rows, "data"), STR("/a")));
    const option_t *scope = option_row(p.rows, "scope");
    assert_int_equal(scope->n, 2);
    assert_true(str_eq(scope->values[0], STR("x=y")));
    assert_true(str_eq(scope->values[1], STR("--json")));
    assert_true(option_is_set(p.rows, "json"));
    assert_int_equal(p.n_words, 1);
    assert_true(str_eq(p.words[0], STR("word")));
}

static void absent_options_are_unset(void **state)
{
    (void)state;
    play_t p = {0};
    assert_true(parse(&p));
    assert_false(str_is_set(option_get(p.rows, "data")));
    assert_false(option_is_set(p.rows, "json"));
    assert_null(option_row(p.rows, "other"));
    assert_int_equal(p.n_words, 0);
}

static void empty_value_is_a_value(void **state)
{
    (void)state;
    play_t p = {.argv = {"--data="}, .argc = 1};
    assert_true(parse(&p));
    assert_true(str_eq(option_get(p.rows, "data"), STR("")));
}

static void unknown_option_is_named_without_its_value(void **state)
{
    (void)state;
    play_t p = {.argv = {"--password=hunter2"}, .argc = 1};
    refused(&p, "no option: '--password'");
    ran_t ran;
    test_child(parse_in_child, &p, STR_UNSET, &ran);
    assert_null(strstr(ran.err, "hunter2"));
}

static void missing_value_is_refused(void **state)
{
    (void)state;
    play_t p = {.argv = {"--data"}, .argc = 1};
    refused(&p, "wants a value: '--data'");
}

static void value_of_a_switch_is_refused(void **state)
{
    (void)state;
    play_t p = {.argv = {"--json=yes"}, .argc = 1};
    refused(&p, "takes no value: '--json'");
}

static void second_value_is_refused(void **state)
{
    (void)state;
    play_t p = {.argv = {"--data", "a", "--data", "b"}, .argc = 4};
    refused(&p, "too often: '--data'");
}

static void values_end_at_their_limit(void **state)
{
    (void)state;
    play_t p = {.argc = OPTION_VALUES_MAX};
    for (int i = 0; i <= OPTION_VALUES_MAX; i++)
        p.argv[i] = "--scope=s";
    assert_true(parse(&p));
    assert_int_equal(option_row(p.rows, "scope")->n, OPTION_VALUES_MAX);
    p.argc++;
    refused(&p, "too often: '--scope'");
}

static void word_too_many_is_refused_unseen(void **state)
{
    (void)state;
    play_t p = {.argv = {"a", "b", "hunter2"}, .argc = 3};
    refused(&p, "more words");
    ran_t ran;
    test_child(parse_in_child, &p, STR_UNSET, &ran);
    assert_null(strstr(ran.err, "hunter2"));
}

static int fail_with_control_bytes(void *arg)
{
    return command_fail(EXIT_REFUSED, "there is no '%s'", (const char *)arg);
}

static void messages_stay_one_line(void **state)
{
    (void)state;
    char hostile[] = "a\nwarder: fine\x1b[2K";
    ran_t ran;
    test_child(fail_with_control_bytes, hostile, STR_UNSET, &ran);
    assert_int_equal(ran.code, EXIT_REFUSED);
    assert_one_line(&ran);
    assert_string_equal(ran.err, "warder: there is no 'a?warder: fine?[2K'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_in_both_forms),
        cmocka_unit_test(absent_options_are_unset),
        cmocka_unit_test(empty_value_is_a_value),
        cmocka_unit_test(unknown_option_is_named_without_its_value),
        cmocka_unit_test(missing_value_is_refused),
        cmocka_unit_test(value_of_a_switch_is_refused),
        cmocka_unit_test(second_value_is_refused),
        cmocka_unit_test(values_end_at_their_limit),
        cmocka_unit_test(word_too_many_is_refused_unseen),
        cmocka_unit_test(messages_stay_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
