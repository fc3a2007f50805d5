#include "as/login_page.h"

#include "as/page.h"

rc_t as_login_page(as_flow_t *f, as_browser_t *b, int status, const web_login_t *view)
{
    bool is_new;
    web_login_t v = *view;
    TRY(as_browser_bind(f, b, &is_new));
    TRY(as_browser_token(f, b, IDENTITY_CSRF_LOGIN, v.interaction, &v.csrf));
    buf_t page = as_page_new(f->a);
    web_page_login(&page, &v);
    TRY(as_page_answer(f, status, &page));
    return is_new ? as_browser_set(f, IDENTITY_COOKIE_BROWSER, b->browser_handle) : RC_OK;
}
