#include "web/login.h"

#include "web/page.h"

/* The end of an <input>: where its hint is, and its problem if it has one. */
static void end_input(buf_t *b, str_t hint, bool problem)
{
    if (problem)
        HTML(b, " aria-invalid=\"true\" aria-describedby=\"problem {=}\"></div>\n", hint);
    else
        HTML(b, " aria-describedby=\"{=}\"></div>\n", hint);
}

static void write_fields(buf_t *b, const web_setup_t *v)
{
    bool any = !web_html_is_blank(v->problem);
    bool of_name = any && v->problem_of_username, of_password = any && !v->problem_of_username;
    HTML(b,
         "<div class=\"field\"><label for=\"username\">User name</label>\n"
         "<p class=\"hint\" id=\"username-hint\">Letters, digits and . _ - + @</p>\n"
         "<input type=\"text\" id=\"username\" name=\"{=}\" value=\"{}\" autocomplete=\"username\" "
         "autocapitalize=\"none\" spellcheck=\"false\" required",
         STR(WEB_FIELD_USERNAME), v->username);
    end_input(b, STR("username-hint"), of_name);
    HTML(b,
         "<div class=\"field\"><label for=\"password\">Password</label>\n"
         "<p class=\"hint\" id=\"password-hint\">At least " WEB_PASSWORD_CHARS_MIN_TEXT
         " characters. A few words that do not belong together are easy to remember and hard to "
         "guess.</p>\n"
         "<input type=\"password\" id=\"password\" name=\"{=}\" autocomplete=\"new-password\" "
         "required",
         STR(WEB_FIELD_PASSWORD));
    end_input(b, STR("password-hint"), of_password);
    HTML(b,
         "<div class=\"field\"><label for=\"password-again\">Password, once more</label>\n"
         "<input type=\"password\" id=\"password-again\" name=\"{=}\" "
         "autocomplete=\"new-password\" required",
         STR(WEB_FIELD_PASSWORD_AGAIN));
    end_input(b, STR("password-hint"), of_password);
}

void web_page_setup(buf_t *b, const web_setup_t *v)
{
    bool problem = !web_html_is_blank(v->problem);
    web_page_begin(b, &(web_frame_t){.title = problem ? STR("Problem: Create the first account")
                                                      : STR("Create the first account")});
    HTML(b, "<h1>Create the first account</h1>\n"
            "<p class=\"lead\">It belongs to the administrator of this server: you. The link that "
            "led here works once.</p>\n");
    if (problem)
        web_page_alert(b, STR("problem"), v->problem);
    HTML(b, "<form method=\"post\" action=\"{=}\">\n", STR(WEB_PATH_SETUP));
    web_page_hidden(b, STR(WEB_FIELD_CSRF), v->csrf);
    web_page_hidden(b, STR(WEB_FIELD_TOKEN), v->token);
    write_fields(b, v);
    HTML(b, "<div class=\"actions\"><button class=\"primary\">Create account</button></div>\n"
            "</form>\n");
    web_page_end(b);
}
