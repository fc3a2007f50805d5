#include "web/error.h"

#include "web/link.h"
#include "web/page.h"

/* What a status means to a person, and what to do. */
typedef struct {
    int status;
    str_t heading, sentence, advice;
} words_t;

#define FROM_THE_START "Go back to the application and start again from there."

static const words_t WORDS[] = {
    {400, STR_INIT("This cannot be done"),
     STR_INIT("Something in the address or in the form is missing or wrong."),
     STR_INIT(FROM_THE_START)},
    {401, STR_INIT("You are not signed in"), STR_INIT("This page needs to know who you are."),
     STR_INIT("Sign in, then try again.")},
    {403, STR_INIT("This is not allowed"),
     STR_INIT("The form was not sent from a page of this server, or it was open for too long."),
     STR_INIT(FROM_THE_START)},
    {404, STR_INIT("There is nothing here"), STR_INIT("The address leads to no page."),
     STR_INIT("Check the address, or start again from the application.")},
    {405, STR_INIT("This cannot be done"),
     STR_INIT("The address does not take this kind of request."), STR_INIT(FROM_THE_START)},
    {409, STR_INIT("Somebody was faster"), STR_INIT("This has been decided already."),
     STR_INIT(FROM_THE_START)},
    {410, STR_INIT("This link is used up"), STR_INIT("It works once, and only for a while."),
     STR_INIT(FROM_THE_START)},
    {413, STR_INIT("That was too much"),
     STR_INIT("What was sent is larger than this server takes."), STR_INIT(FROM_THE_START)},
    {429, STR_INIT("Too many requests"), STR_INIT("This came too often in a short time."),
     STR_INIT("Wait a minute, then try again.")},
    {500, STR_INIT("Something broke"), STR_INIT("The server has made a mistake. It is not yours."),
     STR_INIT("Try again. If it stays, tell the administrator the number below.")},
    {503, STR_INIT("Too busy right now"), STR_INIT("The server has too much to do."),
     STR_INIT("Wait a moment, then try again.")},
};

/* The words for a status; for one that the table lacks, those of its class. */
static const words_t *words_of(int status)
{
    const words_t *client = &WORDS[0], *server = &WORDS[0];
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (WORDS[i].status == status)
            return &WORDS[i];
        if (WORDS[i].status == 500)
            server = &WORDS[i];
    }
    return status >= 500 ? server : client;
}

/* Clients that keep a registration which the server no longer knows do not notice by themselves:
 * the error stays in the browser (microsoft/vscode#250960, anthropics/claude-code#84614). */
static void write_forget(buf_t *b)
{
    HTML(b, "<h2>How to make an application register again</h2>\n"
            "<p>The application uses an old registration that this server does not know. Make it "
            "forget that, then connect again:</p>\n<ul class=\"plain\">\n"
            "<li><strong>Claude</strong>: Settings, Connectors: remove this connector and add it "
            "again.</li>\n"
            "<li><strong>Claude Code</strong>: <code>/mcp</code>, choose this server, \xe2\x80\x9c"
            "Clear authentication\xe2\x80\x9d; or <code>claude mcp remove</code> it and add it "
            "again.</li>\n"
            "<li><strong>VS Code</strong>: run the command \xe2\x80\x9c"
            "Authentication: Remove Dynamic Authentication Providers\xe2\x80\x9d.</li>\n"
            "<li><strong>Cursor</strong>, <strong>ChatGPT</strong> and others: remove this server "
            "from the settings and add it again.</li>\n"
            "<li><strong>mcp-remote</strong>: delete the folder <code>~/.mcp-auth</code>.</li>\n"
            "</ul>\n");
}

static void write_link(buf_t *b, const web_error_t *v)
{
    if (!web_link_leads_away(v->link))
        return;
    HTML(b,
         "<p class=\"actions\"><a class=\"button\" href=\"{=}\" rel=\"noreferrer\">Go back to "
         "<bdi>{host}</bdi></a></p>\n",
         v->link, web_html_or(v->link_host, STR("the application")));
}

/* A capital in front, unless it is a name of the protocol, and a full stop: what machines read as
 * error_description has neither. */
static void write_sentence(buf_t *b, str_t s)
{
    str_t word = str_first(s, str_find(s, ' ', 0));
    bool raise = s.p[0] >= 'a' && s.p[0] <= 'z' && !str_contains(word, STR("_"));
    HTML(b, "<p class=\"alert\" role=\"alert\" id=\"problem\">");
    if (raise)
        buf_char(b, (char)(s.p[0] - 'a' + 'A'));
    HTML(b, "{text}", str_skip(s, raise ? 1 : 0));
    if (!strchr(".!?", s.p[s.n - 1]))
        buf_char(b, '.');
    HTML(b, "</p>\n");
}

void web_page_error(buf_t *b, const web_error_t *v)
{
    const words_t *words = words_of(v->status);
    str_t heading = v->client_unknown ? STR("This application is not known here") : words->heading;
    web_page_begin(b, &(web_frame_t){.title = heading});
    HTML(b, "<h1>{}</h1>\n", heading);
    write_sentence(b, web_html_or(v->sentence, words->sentence));
    if (v->client_unknown)
        write_forget(b);
    else
        HTML(b, "<p>{text}</p>\n", words->advice);
    write_link(b, v);
    HTML(b, "<p class=\"small\">Error ");
    buf_i64(b, v->status);
    if (!web_html_is_blank(v->request_id))
        HTML(b, ", request <code>{}</code>", v->request_id);
    HTML(b, "</p>\n");
    web_page_end(b);
}
