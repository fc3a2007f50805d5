#include "as/login_page.h"

#include "as/page.h"
#include "as/upstream.h"

/* Whose client_id at a provider serves many clients must ask people before it forwards them, or a
 * client could ride on what they are signed in to there (MCP security best practices, confused
 * deputy). What grants comes after: only then is it known who consents, and what that person has
 * approved before. So the page with the button is the question of before, for every client: it
 * shows in full who asks for what and where the access goes, and its token is good for nothing but
 * going on with that very request. A page that does not know leads to the one that does. */
static rc_t allow_forward(as_flow_t *f, const as_browser_t *b, web_login_t *v)
{
    if (!str_is_set(v->provider))
        return RC_OK;
    if (!str_is_set(v->interaction) || v->asks)
        return as_browser_token(f, b, IDENTITY_CSRF_FORWARD, v->interaction, &v->forward_csrf);
    buf_t href = buf_new(f->a, 512);
    buf_put(&href, STR(WEB_PATH_LOGIN "?" WEB_FIELD_INTERACTION "="));
    buf_form(&href, v->interaction);
    return buf_done(&href, &v->forward_href);
}

rc_t as_login_page(as_flow_t *f, as_browser_t *b, int status, const web_login_t *view)
{
    bool is_new;
    web_login_t v = *view;
    v.provider = as_upstream_name(f->w->as);
    v.no_password = f->w->as->conf->login_only;
    TRY(as_browser_bind(f, b, &is_new));
    TRY(as_browser_token(f, b, IDENTITY_CSRF_LOGIN, v.interaction, &v.csrf));
    TRY(allow_forward(f, b, &v));
    buf_t page = as_page_new(f->a);
    web_page_login(&page, &v);
    TRY(as_page_answer(f, status, &page));
    return is_new ? as_browser_set(f, IDENTITY_COOKIE_BROWSER, b->browser_handle) : RC_OK;
}

str_t as_login_next(as_flow_t *f, str_t interaction)
{
    if (!str_is_set(interaction))
        return STR(WEB_PATH_HOME);
    buf_t b = buf_new(f->a, 512);
    str_t out;
    buf_put(&b, STR(WEB_PATH_CONSENT "?" WEB_FIELD_INTERACTION "="));
    buf_form(&b, interaction);
    return buf_done(&b, &out) == RC_OK ? out : STR(WEB_PATH_HOME);
}
