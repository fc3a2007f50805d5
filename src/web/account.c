#include "web/account.h"

#include "core/limits.h"
#include "web/page.h"

#include <time.h>

/* The day in UTC, as people write it; nothing for a time that no calendar has. */
static void write_day(buf_t *b, int64_t at)
{
    static const char MONTHS[][12] = {"January",   "February", "March",    "April",
                                      "May",       "June",     "July",     "August",
                                      "September", "October",  "November", "December"};
    struct tm day;
    time_t t = (time_t)at;
    if (at <= 0 || !gmtime_r(&t, &day) || day.tm_year > 9999 - 1900)
        return;
    HTML(b, "<span class=\"small\">Approved on ");
    buf_fmt(b, "<time datetime=\"%04d-%02d-%02d\">%d %s %d</time></span>\n", day.tm_year + 1900,
            day.tm_mon + 1, day.tm_mday, day.tm_mday, MONTHS[day.tm_mon], day.tm_year + 1900);
}

static void write_grant(buf_t *b, const web_grant_t *g, size_t i)
{
    HTML(b, "<li>\n<div><strong id=\"grant-");
    buf_u64(b, i);
    HTML(b, "\"><bdi>{}</bdi></strong> may use <strong><bdi>{uri}</bdi></strong>\n",
         web_html_or(g->client_name, STR("An application without a name")),
         web_html_or(g->resource_name, g->resource_uri));
    if (!web_html_is_blank(g->scope))
        HTML(b, "<span class=\"small\"><code>{text}</code></span>\n", g->scope);
    if (web_html_is_blank(g->redirect_uri))
        HTML(b, "<span class=\"small\">Access goes to a device</span>\n");
    else
        HTML(b, "<span class=\"small\">Access goes to <code>{uri}</code></span>\n",
             g->redirect_uri);
    write_day(b, g->granted_at);
    HTML(b, "</div>\n<form method=\"post\" action=\"{=}\">\n", STR(WEB_PATH_REVOKE));
    web_page_hidden(b, STR(WEB_FIELD_CSRF), g->csrf);
    web_page_hidden(b, STR(WEB_FIELD_CLIENT), g->client_id);
    web_page_hidden(b, STR(WEB_FIELD_RESOURCE), g->resource_uri);
    web_page_hidden(b, STR(WEB_FIELD_REDIRECT), g->redirect_uri);
    HTML(b, "<button aria-describedby=\"grant-");
    buf_u64(b, i);
    HTML(b, "\">Take back</button>\n</form>\n</li>\n");
}

/* As many as the page has room for; how many that are. */
static size_t write_list(buf_t *b, const web_account_t *v)
{
    HTML(b, "<ul class=\"grants\">\n");
    for (size_t i = 0; i < v->n_grants; i++) {
        buf_t before = *b;
        write_grant(b, &v->grants[i], i);
        bool full = b->failed == RC_OK && b->max - b->n < LIMIT_WEB_GRANTS_ROOM_BYTES;
        if (full || b->failed == RC_LIMIT) {
            *b = before;
            HTML(b, "</ul>\n");
            return i;
        }
    }
    HTML(b, "</ul>\n");
    return v->n_grants;
}

static void write_grants(buf_t *b, const web_account_t *v)
{
    if (!v->grants_known)
        return;
    HTML(b, "<h2>Applications with access</h2>\n");
    if (v->n_grants == 0) {
        HTML(b, "<p>No application may act in your name.</p>\n");
        return;
    }
    size_t shown = write_list(b, v);
    if (shown == v->n_grants)
        return;
    HTML(b, "<p class=\"note\">");
    buf_u64(b, v->n_grants - shown);
    HTML(b, " more are not shown. They appear when you take back some of these.</p>\n");
}

static void write_logout(buf_t *b, str_t csrf, str_t class)
{
    HTML(b, "<form method=\"post\" action=\"{=}\">\n", STR(WEB_PATH_LOGOUT));
    web_page_hidden(b, STR(WEB_FIELD_CSRF), csrf);
    HTML(b, "<div class=\"actions\"><button class=\"{=}\">Sign out</button></div>\n</form>\n",
         class);
}

static void write_person(buf_t *b, const web_account_t *v)
{
    HTML(b, "<div class=\"person\">\n<p>Signed in as <strong><bdi>{}</bdi></strong>", v->username);
    if (v->admin)
        HTML(b, " <span class=\"tag\">Administrator</span>");
    HTML(b, "</p>\n");
    write_logout(b, v->logout_csrf, STR(""));
    HTML(b, "</div>\n");
}

void web_page_account(buf_t *b, const web_account_t *v)
{
    web_page_begin(b, &(web_frame_t){.title = STR("Your account"), .wide = true});
    HTML(b, "<h1>Your account</h1>\n");
    write_person(b, v);
    if (v->revoked)
        HTML(b, "<p class=\"note good\" role=\"status\">The access was taken back. What the "
                "application still holds ends within minutes.</p>\n");
    write_grants(b, v);
    web_page_end(b);
}

void web_page_logout(buf_t *b, const web_logout_t *v)
{
    web_page_begin(b, &(web_frame_t){.title = STR("Sign out")});
    HTML(
        b,
        "<h1>Sign out?</h1>\n<p class=\"lead\">You are signed in as <strong><bdi>{}</bdi></strong>."
        " Applications that you approved keep their access.</p>\n",
        v->username);
    write_logout(b, v->csrf, STR("primary"));
    HTML(b, "<p><a href=\"{=}\">Back to your account</a></p>\n", STR(WEB_PATH_HOME));
    web_page_end(b);
}

void web_page_signed_out(buf_t *b)
{
    web_page_begin(b, &(web_frame_t){.title = STR("Signed out")});
    HTML(b,
         "<h1>You are signed out</h1>\n<p class=\"actions\"><a class=\"button\" href=\"{=}\">Sign "
         "in "
         "again</a></p>\n",
         STR(WEB_PATH_LOGIN));
    web_page_end(b);
}

void web_page_welcome(buf_t *b, bool setup)
{
    web_page_begin(b, &(web_frame_t){.title = setup ? STR("Set-up") : STR("Welcome")});
    HTML(b, "<h1>This server is guarded by Warder</h1>\n"
            "<p class=\"lead\">Warder asks you before an application, such as an AI assistant, may "
            "use your data here.</p>\n");
    if (setup)
        HTML(b, "<p class=\"note\">There is no account yet. When the server started, it printed a "
                "link in its terminal or log that creates the first one: open that link. If it is "
                "older than an hour, start the server again.</p>\n");
    else
        HTML(b,
             "<p>Sign in to see which applications have access, and to take it back.</p>\n"
             "<p class=\"actions\"><a class=\"button primary\" href=\"{=}\">Sign in</a></p>\n",
             STR(WEB_PATH_LOGIN));
    web_page_end(b);
}
