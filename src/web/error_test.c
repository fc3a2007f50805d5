#include "web/web_test_page.h"

#include <stdio.h>

#include "web/error.h"

static str_t error(page_t *p, const web_error_t *v)
{
    *p = page_begin();
    web_page_error(&p->b, v);
    return page_done(p);
}

static void a_status_in_words(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *heading;
    } ROWS[] = {
        {400, "This cannot be done"},  {401, "You are not signed in"},
        {403, "This is not allowed"},  {404, "There is nothing here"},
        {405, "This cannot be done"},  {409, "Somebody was faster"},
        {410, "This link is used up"}, {413, "That was too much"},
        {418, "This cannot be done"},  {429, "Too many requests"},
        {500, "Something broke"},      {502, "Something broke"},
        {503, "Too busy right now"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        page_t p;
        char text[128];
        str_t page = error(&p, &(web_error_t){.status = ROWS[i].status, .request_id = STR("r1")});
        snprintf(text, sizeof text, "<h1>%s</h1>", ROWS[i].heading);
        assert_has(page, text);
        snprintf(text, sizeof text, "<title>%s \xe2\x80\x93 Warder</title>", ROWS[i].heading);
        assert_has(page, text);
        snprintf(text, sizeof text, "Error %d, request <code>r1</code>", ROWS[i].status);
        assert_has(page, text);
        assert_int_equal(count_of(page, "role=\"alert\""), 1);
        page_free(&p);
    }
}

static void the_sentence_replaces_what_the_status_means(void **state)
{
    (void)state;
    page_t p;
    web_error_t v = {.status = 400, .sentence = STR("The redirect URI is not registered.")};
    str_t page = error(&p, &v);
    assert_has(page, "role=\"alert\" id=\"problem\">The redirect URI is not registered.</p>");
    assert_lacks(page, "missing or wrong");
    assert_lacks(page, "request <code>");
    page_free(&p);
}

static void the_sentence_of_a_machine_is_made_one_for_people(void **state)
{
    (void)state;
    static const struct {
        str_t given;
        const char *shown;
    } ROWS[] = {
        {STR_INIT("there is nothing at this address"), ">There is nothing at this address.</p>"},
        {STR_INIT("redirect_uri is missing"), ">redirect_uri is missing.</p>"},
        {STR_INIT("Why?"), ">Why?</p>"},
        {STR_INIT("x"), ">X.</p>"},
        {STR_INIT("<b>"), ">&lt;b&gt;.</p>"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        page_t p;
        str_t page = error(&p, &(web_error_t){.status = 404, .sentence = ROWS[i].given});
        assert_has(page, ROWS[i].shown);
        page_free(&p);
    }
}

static void an_unknown_client_learns_how_to_register_again(void **state)
{
    (void)state;
    static const char *const CLIENTS[] = {"Claude Code", "VS Code", "Cursor", "ChatGPT",
                                          "mcp-remote"};
    page_t p;
    str_t page = error(&p, &(web_error_t){.status = 400, .client_unknown = true});
    assert_has(page, "<h1>This application is not known here</h1>");
    for (size_t i = 0; i < sizeof CLIENTS / sizeof CLIENTS[0]; i++)
        assert_has(page, CLIENTS[i]);
    page_free(&p);
}

static void the_link_back_to_the_client(void **state)
{
    (void)state;
    page_t p;
    web_error_t v = {.status = 400,
                     .link = STR("https://c.test/cb?error=x&state=y"),
                     .link_host = STR("c.test")};
    str_t page = error(&p, &v);
    assert_has(page, "href=\"https://c.test/cb?error=x&amp;state=y\" rel=\"noreferrer\">Go back to "
                     "<bdi>c.test</bdi></a>");
    assert_lacks(page, "refresh");
    page_free(&p);
    v.link = STR("javascript:alert(1)");
    page = error(&p, &v);
    assert_lacks(page, "javascript");
    assert_lacks(page, "Go back to <bdi>");
    page_free(&p);
}

static void hostile_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_HOSTILE_COUNT; i++) {
        page_t p;
        str_t s = hostile(i);
        error(&p, &(web_error_t){400, s, s, i % 2, s, s});
        page_free(&p);
        error(&p, &(web_error_t){-1, s, s, i % 2, STR("https://c.test/"), s});
        page_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_in_words),
        cmocka_unit_test(the_sentence_replaces_what_the_status_means),
        cmocka_unit_test(the_sentence_of_a_machine_is_made_one_for_people),
        cmocka_unit_test(an_unknown_client_learns_how_to_register_again),
        cmocka_unit_test(the_link_back_to_the_client),
        cmocka_unit_test(hostile_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
