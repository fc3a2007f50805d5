#include "web/login.h"

#include "web/link.h"
#include "web/page.h"

enum { MINUTE_S = 60, MINUTES_FROM_S = 120 };

static const struct {
    str_t sentence; /* unset: built, or none */
    bool alert;
} NOTICES[WEB_LOGIN_NOTICE_COUNT] = {
    [WEB_LOGIN_AGAIN] = {STR_INIT("To be safe, please enter your password again."), false},
    [WEB_LOGIN_REFUSED] = {STR_INIT("The user name or the password is wrong. Please try again."),
                           true},
    [WEB_LOGIN_BUSY] = {STR_INIT("The server has too much to do right now. Your password was not "
                                 "looked at; please try again in a moment."),
                        true},
    [WEB_LOGIN_STALE] = {STR_INIT("This page had been open for too long, so nothing was sent. "
                                  "Please sign in again."),
                         true},
    [WEB_LOGIN_FAILED] = {STR_INIT("Signing in there did not work. Please try again; if it fails "
                                   "again, ask whoever runs this server."),
                          true},
    [WEB_LOGIN_AWAY] = {STR_INIT("The page where you sign in cannot be reached right now. Please "
                                 "try again in a moment."),
                        true},
};

#define ALERT_ID STR("problem")

/* Seconds while they are few, then whole minutes, rounded up. */
static void write_wait(buf_t *b, uint32_t s)
{
    bool minutes = s > MINUTES_FROM_S;
    uint64_t n = minutes ? ((uint64_t)s + MINUTE_S - 1) / MINUTE_S : s > 0 ? s : 1;
    HTML(b,
         "<p class=\"alert\" role=\"alert\" id=\"problem\">Too many attempts have failed. Please "
         "wait ");
    buf_u64(b, n);
    HTML(b, " {}{}, then try again.</p>\n", minutes ? STR("minute") : STR("second"),
         n == 1 ? STR("") : STR("s"));
}

/* Who forwards people to a provider must have shown them first for whom. */
static bool shows_all(const web_login_t *v)
{
    return v->asks && str_is_set(v->provider);
}

static bool has_alert(const web_login_t *v)
{
    return v->notice == WEB_LOGIN_LATER || NOTICES[v->notice].alert;
}

static void write_notice(buf_t *b, const web_login_t *v)
{
    str_t sentence = NOTICES[v->notice].sentence;
    if (v->notice == WEB_LOGIN_LATER)
        write_wait(b, v->retry_after_s);
    else if (NOTICES[v->notice].alert)
        web_page_alert(b, ALERT_ID, sentence);
    else if (str_is_set(sentence) && v->no_password)
        HTML(b, "<p class=\"note\">To be safe, please sign in again.</p>\n");
    else if (str_is_set(sentence))
        HTML(b, "<p class=\"note\">{text}</p>\n", sentence);
}

static str_t waiting_name(const web_login_t *v)
{
    str_t nameless =
        str_is_set(v->client_name) ? STR("An application without a name") : STR("An application");
    return web_html_or(v->client_name, nameless);
}

static void write_waiting(buf_t *b, const web_login_t *v)
{
    if (!str_is_set(v->interaction))
        return;
    HTML(b, "<p class=\"lead\"><strong><bdi>{}</bdi></strong> asks for access. ", waiting_name(v));
    if (!shows_all(v)) {
        HTML(b, "Sign in first; what it may do, you decide on the next page.</p>\n");
        return;
    }
    HTML(b, "Sign in first; whether it gets what is named here, you decide after that.</p>\n");
    web_consent_facts(b, v->asks);
    HTML(b, "<p class=\"note\" id=\"advice\">Go on only if you have just started this yourself."
            "</p>\n");
}

/* The end of an <input>. Name and password are wrong or right together: both say so. */
static void end_input(buf_t *b, const web_login_t *v)
{
    if (v->notice == WEB_LOGIN_REFUSED)
        HTML(b, " aria-invalid=\"true\"");
    if (has_alert(v))
        HTML(b, " aria-describedby=\"problem\"");
    HTML(b, "></div>\n");
}

static void write_fields(buf_t *b, const web_login_t *v)
{
    HTML(b,
         "<div class=\"field\"><label for=\"username\">User name</label>\n"
         "<input type=\"text\" id=\"username\" name=\"{=}\" value=\"{}\" autocomplete=\"username\" "
         "autocapitalize=\"none\" spellcheck=\"false\" required",
         STR(WEB_FIELD_USERNAME), v->username);
    end_input(b, v);
    HTML(b,
         "<div class=\"field\"><label for=\"password\">Password</label>\n"
         "<input type=\"password\" id=\"password\" name=\"{=}\" autocomplete=\"current-password\" "
         "required",
         STR(WEB_FIELD_PASSWORD));
    end_input(b, v);
}

static void begin_form(buf_t *b, const web_login_t *v, str_t path, str_t csrf)
{
    HTML(b, "<form method=\"post\" action=\"{=}\">\n", path);
    web_page_hidden(b, STR(WEB_FIELD_CSRF), csrf);
    web_page_hidden(b, STR(WEB_FIELD_INTERACTION), v->interaction);
}

static void write_button(buf_t *b, const web_login_t *v)
{
    begin_form(b, v, STR(WEB_PATH_ELSEWHERE), v->forward_csrf);
    HTML(b, "<div class=\"actions\"><button");
    if (v->no_password)
        HTML(b, " class=\"primary\"");
    if (shows_all(v))
        HTML(b, " aria-describedby=\"advice\">Continue to <bdi>{}</bdi> for <bdi>{}</bdi></button>",
             v->provider, waiting_name(v));
    else
        HTML(b, ">Sign in with <bdi>{}</bdi></button>", v->provider);
    HTML(b, "</div>\n</form>\n");
}

static void write_elsewhere(buf_t *b, const web_login_t *v)
{
    if (str_is_set(v->forward_csrf))
        write_button(b, v);
    else if (web_link_is_ours(v->forward_href))
        HTML(b,
             "<div class=\"actions\"><a class=\"button\" href=\"{=}\">Sign in with "
             "<bdi>{}</bdi></a></div>\n",
             v->forward_href, v->provider);
}

void web_page_login(buf_t *b, const web_login_t *v)
{
    web_page_begin(
        b, &(web_frame_t){.title = has_alert(v) ? STR("Problem: Sign in") : STR("Sign in")});
    HTML(b, "<h1>Sign in</h1>\n");
    write_waiting(b, v);
    write_notice(b, v);
    if (!v->no_password) {
        begin_form(b, v, STR(WEB_PATH_LOGIN), v->csrf);
        write_fields(b, v);
        HTML(b,
             "<div class=\"actions\"><button class=\"primary\">Sign in</button></div>\n</form>\n");
    }
    if (str_is_set(v->provider))
        write_elsewhere(b, v);
    web_page_end(b);
}
