#include "as/login_page.h"

#include "as/page.h"
#include "as/upstream.h"

rc_t as_login_page(as_flow_t *f, as_browser_t *b, int status, const web_login_t *view)
{
    bool is_new;
    web_login_t v = *view;
    v.provider = as_upstream_name(f->w->as);
    v.no_password = f->w->as->conf->login_only;
    TRY(as_browser_bind(f, b, &is_new));
    TRY(as_browser_token(f, b, IDENTITY_CSRF_LOGIN, v.interaction, &v.csrf));
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
