#include "web/onward.h"

#include "web/link.h"
#include "web/page.h"

void web_page_onward(buf_t *b, const web_onward_t *v)
{
    bool leads = web_link_leads_away(v->url);
    web_page_begin(b,
                   &(web_frame_t){.title = STR("Sign in"), .refresh = leads ? v->url : STR_UNSET});
    HTML(b,
         "<h1>Sign in</h1>\n<p class=\"lead\">You sign in at <strong><bdi>{}</bdi></strong> and "
         "come back here then.</p>\n",
         v->name);
    if (leads)
        HTML(b,
             "<p>If nothing happens, go on here:</p>\n<p class=\"actions\"><a class=\"button "
             "primary\" href=\"{=}\" rel=\"noreferrer\">Go to <bdi>{}</bdi></a></p>\n",
             v->url, v->name);
    else
        web_page_alert(b, STR("problem"), STR("The address of its page is not safe to open."));
    web_page_end(b);
}
