#include "web/leave.h"

#include "web/link.h"
#include "web/page.h"

static void write_target(buf_t *b, const web_leave_t *v)
{
    static const str_t WORDS[] = {
        [WEB_REDIRECT_HTTPS] = STR_INIT("You are on your way to "),
        [WEB_REDIRECT_LOOPBACK] = STR_INIT("You are on your way to a program on this computer, "),
        [WEB_REDIRECT_PRIVATE] = STR_INIT("You are on your way to the app that opens links of "),
    };
    HTML(b,
         "<p>{text} <strong class=\"host\"><bdi>{host}</bdi></strong>. If nothing happens, go on "
         "here:</p>\n"
         "<p class=\"actions\"><a class=\"button primary\" href=\"{=}\" rel=\"noreferrer\">"
         "Go to <bdi>{}</bdi></a></p>\n",
         WORDS[v->kind], v->host, v->url, web_html_or(v->client_name, STR("the application")));
    HTML(b, "<p class=\"small\">Afterwards you can close this window.</p>\n");
}

void web_page_leave(buf_t *b, const web_leave_t *v)
{
    bool leads = web_link_leads_away(v->url);
    str_t title = v->approved ? STR("Access approved") : STR("Access denied");
    web_page_begin(b, &(web_frame_t){.title = title, .refresh = leads ? v->url : STR_UNSET});
    HTML(b, "<h1>{}</h1>\n<p class=\"lead\"><strong><bdi>{}</bdi></strong> {}</p>\n", title,
         web_html_or(v->client_name, STR("The application")),
         v->approved ? STR("may now act in your name.") : STR("was given no access."));
    if (leads)
        write_target(b, v);
    else
        web_page_alert(b, STR("problem"),
                       STR("The application gave an address that is not safe to open. You can "
                           "close this window."));
    web_page_end(b);
}
