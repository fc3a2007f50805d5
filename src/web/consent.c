#include "web/consent.h"

#include "web/link.h"
#include "web/page.h"

static str_t client_name(const web_consent_t *v)
{
    return web_html_or(v->client_name, STR("An application without a name"));
}

static void write_client(buf_t *b, const web_consent_t *v)
{
    HTML(b, "<div><dt>Application</dt>\n<dd><strong><bdi>{}</bdi></strong>\n", client_name(v));
    switch (v->client_origin) {
    case WEB_CLIENT_BY_ADMIN:
        HTML(b, "<span class=\"tag good\">Added by the administrator</span>\n");
        break;
    case WEB_CLIENT_BY_HOST:
        HTML(b,
             "<strong class=\"host\"><bdi>{host}</bdi></strong>\n"
             "<span class=\"tag\">Published by <bdi>{host}</bdi></span>\n"
             "<span class=\"small\">The name is what this host says of itself.</span>\n",
             v->client_host, v->client_host);
        break;
    case WEB_CLIENT_VOUCHED:
        HTML(b,
             "<span class=\"tag good\">Vouched for by <bdi>{host}</bdi>, which is trusted "
             "here</span>\n",
             v->client_host);
        break;
    case WEB_CLIENT_UNVERIFIED:
    default:
        HTML(b, "<span class=\"tag warn\">Unverified: it gave itself this name</span>\n");
    }
    HTML(b, "<span class=\"small\">Client ID <code>{uri}</code></span></dd></div>\n", v->client_id);
}

/* A device has no address: only its code tells it from that of somebody far away. */
static void write_device(buf_t *b, const web_consent_t *v)
{
    HTML(b,
         "<div><dt>Access goes to</dt>\n<dd><strong>The device that shows the code "
         "<code>{}</code></strong>\n<span class=\"small\">If no device in front of you shows it, "
         "somebody else would get the access: then deny.</span></dd></div>\n",
         v->user_code);
}

/* Where the code goes decides who gets the access, whatever the name says. */
static void write_redirect(buf_t *b, const web_consent_t *v)
{
    HTML(b, "<div><dt>Access goes to</dt>\n<dd>");
    switch (v->redirect_kind) {
    case WEB_REDIRECT_LOOPBACK:
        HTML(b,
             "<strong>A program on this computer</strong>\n"
             "<strong class=\"host\"><bdi>{host}</bdi></strong>\n"
             "<span class=\"small\">Any program here can pretend to be this application.</span>",
             v->redirect_host);
        break;
    case WEB_REDIRECT_PRIVATE:
        HTML(b,
             "<strong>The app on this device that opens <code>{host}:</code> links</strong>\n"
             "<span class=\"small\">Any installed app can claim such links.</span>",
             v->redirect_host);
        break;
    case WEB_REDIRECT_HTTPS:
    default:
        HTML(b, "<strong class=\"host\"><bdi>{host}</bdi></strong>", v->redirect_host);
    }
    HTML(b, "\n<span class=\"small\"><code>{uri}</code></span></dd></div>\n", v->redirect_uri);
}

static void write_resource(buf_t *b, const web_consent_t *v)
{
    HTML(b, "<div><dt>To use</dt>\n<dd>");
    if (web_html_is_blank(v->resource_name))
        HTML(b, "<strong><bdi>{uri}</bdi></strong>", v->resource_uri);
    else
        HTML(b, "<strong><bdi>{}</bdi></strong>\n<span class=\"small\"><code>{uri}</code></span>",
             v->resource_name, v->resource_uri);
    HTML(b, "</dd></div>\n");
}

static void write_person(buf_t *b, const web_consent_t *v)
{
    if (!str_is_set(v->username))
        return;
    HTML(b, "<div><dt>Signed in as</dt>\n<dd><strong><bdi>{}</bdi></strong>", v->username);
    if (web_link_is_ours(v->switch_href))
        HTML(b, " <a href=\"{=}\">Not you?</a>", v->switch_href);
    HTML(b, "</dd></div>\n");
}

/* What the tags of one scope are. */
static void write_tags(buf_t *b, const web_scope_t *s, bool some_already)
{
    if (some_already && !s->already)
        HTML(b, " <span class=\"tag new\">New</span>");
    if (s->already)
        HTML(b, " <span class=\"tag\">Approved before</span>");
    if (s->broad)
        HTML(b,
             " <span class=\"tag warn\">Broad</span>\n<span class=\"small\">Stands for everything "
             "of this kind, also what is added later.</span>");
}

static void write_scope(buf_t *b, const web_scope_t *s, bool some_already)
{
    if (web_html_is_blank(s->text)) {
        HTML(b, "<li><span class=\"what\"><code>{uri}</code></span>", s->name);
        write_tags(b, s, some_already);
    } else {
        HTML(b, "<li><span class=\"what\"><bdi>{text}</bdi></span>", s->text);
        write_tags(b, s, some_already);
        HTML(b, "\n<span class=\"small\"><code>{uri}</code></span>", s->name);
    }
    HTML(b, "</li>\n");
}

static void write_offline(buf_t *b)
{
    HTML(b, "<li><span class=\"what\">Do all this also while you are away</span>\n"
            "<span class=\"small\">It stays connected until you take the access back. "
            "<code>offline_access</code></span></li>\n");
}

static void write_scopes(buf_t *b, const web_consent_t *v)
{
    bool some_already = false;
    for (size_t i = 0; i < v->n_scopes; i++)
        some_already = some_already || v->scopes[i].already;
    HTML(b, "<h2 id=\"scopes-title\">It will be able to</h2>\n"
            "<ul class=\"scopes\" aria-labelledby=\"scopes-title\">\n");
    for (size_t i = 0; i < v->n_scopes; i++)
        write_scope(b, &v->scopes[i], some_already);
    if (v->n_scopes == 0)
        HTML(b,
             "<li><span class=\"what\">Connect in your name</span>\n<span class=\"small\">It asks "
             "for no particular permission.</span></li>\n");
    if (v->offline)
        write_offline(b);
    HTML(b, "</ul>\n");
}

/* What the document proves ends at this computer: whoever runs here may use its name. */
static void write_warning(buf_t *b, const web_consent_t *v)
{
    if (v->only_loopback)
        HTML(b, "<p class=\"alert\" role=\"note\">This application is answered only on this "
                "computer. Nothing proves that the program that asks is the one it is named after: "
                "go on only if you have just started it yourself.</p>\n");
}

static void write_form(buf_t *b, const web_consent_t *v)
{
    HTML(b,
         "<p class=\"note\" id=\"advice\">Approve only if you have just started this yourself. You "
         "can take the access back at any time on <a href=\"{=}\">your account page</a>.</p>\n"
         "<form method=\"post\" action=\"{=}\">\n",
         STR(WEB_PATH_HOME), STR(WEB_PATH_CONSENT));
    web_page_hidden(b, STR(WEB_FIELD_CSRF), v->csrf);
    web_page_hidden(b, STR(WEB_FIELD_INTERACTION), v->interaction);
    if (str_is_set(v->document))
        web_page_hidden(b, STR(WEB_FIELD_DOCUMENT), v->document);
    HTML(b,
         "<div class=\"actions\">\n"
         "<button class=\"primary\" name=\"{=}\" value=\"{=}\" aria-describedby=\"advice\">Approve"
         "</button>\n<button name=\"{=}\" value=\"{=}\">Deny</button>\n</div>\n</form>\n",
         STR(WEB_FIELD_DECISION), STR(WEB_DECISION_APPROVE), STR(WEB_FIELD_DECISION),
         STR(WEB_DECISION_DENY));
}

void web_consent_facts(buf_t *b, const web_consent_t *v)
{
    HTML(b, "<dl class=\"facts\">\n");
    write_client(b, v);
    if (str_is_set(v->user_code))
        write_device(b, v);
    else
        write_redirect(b, v);
    write_resource(b, v);
    write_person(b, v);
    HTML(b, "</dl>\n");
    write_scopes(b, v);
    write_warning(b, v);
}

void web_page_consent(buf_t *b, const web_consent_t *v)
{
    web_page_begin(b, &(web_frame_t){.title = STR("Approve or deny access")});
    HTML(b, "<h1>Give <bdi>{}</bdi> access?</h1>\n",
         web_html_or(v->client_name, STR("this application")));
    web_consent_facts(b, v);
    write_form(b, v);
    web_page_end(b);
}
