/* What a server asks of the person at the terminal. */
#include "cmd/cmd_test_run.h"

#include "cmd/client_ask.h"
#include "core/core_test_util.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 1 << 20 };

typedef struct {
    const char *method, *params;
} question_t;

/* Prints the answer, or "none". Runs in a child. */
static int answer(void *arg)
{
    const question_t *q = arg;
    const json_t *params;
    str_t result;
    arena_t *a = arena_new(ARENA_BYTES);
    unsetenv("DISPLAY");
    unsetenv("WAYLAND_DISPLAY");
    if (!a || json_parse(a, str_c(q->params), NULL, &params) != RC_OK)
        return 1;
    if (client_ask(a, HTTP_REACH_PUBLIC, str_c(q->method), params, &result))
        printf("%" PRIstr, STR_ARG(result));
    else
        printf("none");
    fflush(stdout);
    arena_free(a);
    return 0;
}

static void ask(const char *params, const char *input, ran_t *ran)
{
    question_t q = {"elicitation/create", params};
    test_child(answer, &q, str_c(input), ran);
    assert_int_equal(ran->code, 0);
}

#define PAGE "{\"mode\":\"url\",\"message\":\"Pay here\",\"url\":\"https://pay.example/a?b=c\"}"

static void a_page_is_opened_after_a_yes(void **state)
{
    (void)state;
    ran_t ran;
    ask(PAGE, "y\n", &ran);
    assert_string_equal(ran.out, "{\"action\":\"accept\"}");
    assert_non_null(strstr(ran.err, "The server asks: Pay here\n"));
    assert_non_null(strstr(ran.err, "It wants you to open https://pay.example/a?b=c\n"));
    assert_non_null(strstr(ran.err, "Its host is pay.example\n"));
    assert_non_null(strstr(ran.err, "Open it yourself: https://pay.example/a?b=c\n"));
}

static void without_a_yes_nothing_is_opened(void **state)
{
    (void)state;
    static const char *const NOES[] = {"n\n", "\n", "yes please\n", ""};
    for (size_t i = 0; i < sizeof NOES / sizeof *NOES; i++) {
        ran_t ran;
        ask(PAGE, NOES[i], &ran);
        assert_string_equal(ran.out, "{\"action\":\"decline\"}");
        assert_null(strstr(ran.err, "Open it yourself"));
    }
}

static void the_longest_url_is_shown_whole(void **state)
{
    (void)state;
    ran_t ran;
    char params[5000], path[3500];
    memset(path, 'p', sizeof path);
    path[sizeof path - 1] = '\0';
    snprintf(params, sizeof params,
             "{\"mode\":\"url\",\"message\":\"\",\"url\":\"https://a.example/%s-end\"}", path);
    ask(params, "n\n", &ran);
    assert_non_null(strstr(ran.err, "ppp-end\nIts host is a.example\n"));
}

static void names_of_other_scripts_are_warned_of(void **state)
{
    (void)state;
    ran_t ran;
    ask("{\"mode\":\"url\",\"message\":\"\",\"url\":\"https://www.xn--pple-43d.example/\"}", "n\n",
        &ran);
    assert_non_null(strstr(ran.err, "Its host is www.xn--pple-43d.example: letters of other"));
}

static void what_is_no_page_is_not_asked(void **state)
{
    (void)state;
    static const char *const URLS[] = {
        "javascript:alert(1)",    "file:///etc/passwd",  "http://a.example/", "--help",
        "http://127.0.0.1:631/x", "https://localhost/x", "https://10.0.0.1/x"};
    for (size_t i = 0; i < sizeof URLS / sizeof *URLS; i++) {
        ran_t ran;
        char params[256];
        snprintf(params, sizeof params, "{\"mode\":\"url\",\"message\":\"\",\"url\":\"%s\"}",
                 URLS[i]);
        ask(params, "y\n", &ran);
        assert_string_equal(ran.out, "none");
        assert_string_equal(ran.err, "");
    }
}

static void a_form_is_filled_in_line_by_line(void **state)
{
    (void)state;
    ran_t ran;
    ask("{\"message\":\"Who?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{"
        "\"name\":{\"type\":\"string\",\"title\":\"Name\"},"
        "\"age\":{\"type\":\"integer\"},"
        "\"size\":{\"type\":\"number\",\"default\":1.5},"
        "\"member\":{\"type\":\"boolean\"},"
        "\"left\":{\"type\":\"string\"},"
        "\"tags\":{\"type\":\"array\"}}}}",
        "y\nAda\nold\n36\n\nyes\n\na, b\n", &ran);
    assert_string_equal(ran.out, "{\"action\":\"accept\",\"content\":{\"name\":\"Ada\",\"age\":36,"
                                 "\"size\":1.5,\"member\":true,\"tags\":[\"a\",\"b\"]}}");
    assert_non_null(strstr(ran.err, "  That does not fit.\n"));
}

static void a_form_may_be_declined_or_left(void **state)
{
    (void)state;
    ran_t ran;
    ask("{\"message\":\"Who?\"}", "n\n", &ran);
    assert_string_equal(ran.out, "{\"action\":\"decline\"}");
    ask("{\"message\":\"Who?\"}", "", &ran);
    assert_string_equal(ran.out, "{\"action\":\"cancel\"}");
}

static void other_questions_are_for_others(void **state)
{
    (void)state;
    ran_t ran;
    question_t q = {"sampling/createMessage", "{}"};
    test_child(answer, &q, STR(""), &ran);
    assert_string_equal(ran.out, "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_opened_after_a_yes),
        cmocka_unit_test(without_a_yes_nothing_is_opened),
        cmocka_unit_test(the_longest_url_is_shown_whole),
        cmocka_unit_test(names_of_other_scripts_are_warned_of),
        cmocka_unit_test(what_is_no_page_is_not_asked),
        cmocka_unit_test(a_form_is_filled_in_line_by_line),
        cmocka_unit_test(a_form_may_be_declined_or_left),
        cmocka_unit_test(other_questions_are_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
