#include "web/device.h"

#include "web/page.h"

/* Whoever follows a link has compared nothing yet: the link may be somebody else's (RFC 8628
 * sections 3.3.1 and 5.4). */
static void write_advice(buf_t *b, const web_device_t *v)
{
    if (v->from_link)
        HTML(
            b,
            "<p class=\"lead\">Compare the code with the one that your device shows. Go on only if "
            "both are the same.</p>\n");
    else
        HTML(b, "<p class=\"lead\">Type the code that your device shows.</p>\n");
    HTML(b,
         "<p class=\"note\" id=\"advice\">Go on only if you have just started this yourself, on "
         "a device that you have in front of you. Nobody else needs this code: not a caller, not "
         "a mail, not a support desk.</p>\n");
}

static void write_field(buf_t *b, const web_device_t *v, bool problem)
{
    HTML(b,
         "<div class=\"field\"><label for=\"user-code\">Code</label>\n"
         "<p class=\"hint\" id=\"user-code-hint\">Eight letters, such as BCDF-GHJK</p>\n"
         "<input type=\"text\" id=\"user-code\" name=\"{=}\" value=\"{}\" autocomplete=\"off\" "
         "autocapitalize=\"characters\" spellcheck=\"false\" required",
         STR(WEB_FIELD_USER_CODE), v->user_code);
    if (problem)
        HTML(b, " aria-invalid=\"true\" aria-describedby=\"problem user-code-hint\"></div>\n");
    else
        HTML(b, " aria-describedby=\"user-code-hint\"></div>\n");
}

void web_page_device(buf_t *b, const web_device_t *v)
{
    bool problem = !web_html_is_blank(v->problem);
    web_page_begin(b, &(web_frame_t){.title = problem ? STR("Problem: Connect a device")
                                                      : STR("Connect a device")});
    HTML(b, "<h1>Connect a device</h1>\n");
    if (problem)
        web_page_alert(b, STR("problem"), v->problem);
    write_advice(b, v);
    HTML(b, "<form method=\"post\" action=\"{=}\">\n", STR(WEB_PATH_DEVICE));
    web_page_hidden(b, STR(WEB_FIELD_CSRF), v->csrf);
    write_field(b, v, problem);
    HTML(b, "<div class=\"actions\"><button class=\"primary\" aria-describedby=\"advice\">Continue"
            "</button></div>\n</form>\n");
    web_page_end(b);
}

void web_page_device_done(buf_t *b, const web_device_done_t *v)
{
    str_t title = v->approved ? STR("Access approved") : STR("Access denied");
    web_page_begin(b, &(web_frame_t){.title = title});
    HTML(b, "<h1>{}</h1>\n<p class=\"lead\"><strong><bdi>{}</bdi></strong> {}</p>\n", title,
         web_html_or(v->client_name, STR("The application")),
         v->approved ? STR("may now act in your name.") : STR("was given no access."));
    HTML(b, "<p>{text}</p>\n",
         v->approved ? STR("You may go back to your device: it goes on by itself within seconds. "
                           "You can close this window.")
                     : STR("Your device will say so, too. You can close this window."));
    web_page_end(b);
}
