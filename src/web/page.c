#include "web/page.h"

void web_page_begin(buf_t *b, const web_frame_t *frame)
{
    HTML(b,
         "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<title>{} \xe2\x80\x93 Warder</title>\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n"
         "<meta name=\"robots\" content=\"noindex\">\n",
         frame->title);
    if (str_is_set(frame->refresh))
        HTML(b, "<meta http-equiv=\"refresh\" content=\"0;url={=}\">\n", frame->refresh);
    HTML(b, "<link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">\n"
            "<link rel=\"stylesheet\" href=\"/assets/warder.css\">\n</head>\n<body>\n"
            "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
            "<header><img src=\"/assets/icon.svg\" alt=\"\" width=\"28\" height=\"28\">"
            "<span>Warder</span></header>\n");
    HTML(b, "<main id=\"main\" class=\"{=}\">\n", frame->wide ? STR("card wide") : STR("card"));
}

void web_page_end(buf_t *b)
{
    HTML(b, "</main>\n</body>\n</html>\n");
}

void web_page_hidden(buf_t *b, str_t name, str_t value)
{
    if (str_is_set(value))
        HTML(b, "<input type=\"hidden\" name=\"{=}\" value=\"{=}\">\n", name, value);
}

void web_page_alert(buf_t *b, str_t id, str_t sentence)
{
    HTML(b, "<p class=\"alert\" role=\"alert\" id=\"{=}\">{text}</p>\n", id, sentence);
}
