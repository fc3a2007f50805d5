#include "as/browser.h"

#include "identity/upstream.h"

as_browser_t as_browser_read(as_flow_t *f)
{
    as_browser_t b = {0};
    bool secure = f->w->as->secure;
    if (http_headers_count(f->x->headers, STR("cookie")) > 1)
        return b;
    str_t header = http_header(f->x, STR("cookie"));
    b.session_handle = identity_cookie_read(header, IDENTITY_COOKIE_SESSION, secure);
    b.browser_handle = identity_cookie_read(header, IDENTITY_COOKIE_BROWSER, secure);
    b.upstream = identity_cookie_read(header, IDENTITY_COOKIE_UPSTREAM, secure);
    if (!str_is_set(b.session_handle))
        return b;
    ask_t *ask = as_flow_ask(f, ASK_SESSION);
    ask->hash = identity_session_hash(b.session_handle);
    b.session = ask;
    return b;
}

const session_t *as_browser_session(const as_flow_t *f, const as_browser_t *b)
{
    const session_t *s = b->session ? b->session->u.session : NULL;
    return identity_session_is_live(s, &f->w->as->session_times, f->now) ? s : NULL;
}

const user_t *as_browser_user(const as_flow_t *f, const as_browser_t *b)
{
    const user_t *user = as_browser_session(f, b) ? b->session->owner : NULL;
    return user && !user->disabled ? user : NULL;
}

rc_t as_browser_touch(as_flow_t *f, const as_browser_t *b)
{
    const session_t *s = as_browser_session(f, b);
    return s ? identity_session_touch(f->a, s, f->now, &f->effects) : RC_OK;
}

rc_t as_browser_bind(as_flow_t *f, as_browser_t *b, bool *is_new)
{
    *is_new = !str_is_set(b->browser_handle);
    if (!*is_new)
        return RC_OK;
    return identity_session_handle(f->a, &f->w->as->random, &b->browser_handle);
}

static int64_t max_age(const as_t *as, identity_cookie_t which)
{
    if (which == IDENTITY_COOKIE_UPSTREAM)
        return IDENTITY_UPSTREAM_S;
    return which == IDENTITY_COOKIE_BROWSER ? IDENTITY_COOKIE_BROWSER_S
                                            : as->session_times.lifetime;
}

rc_t as_browser_set(as_flow_t *f, identity_cookie_t which, str_t handle)
{
    str_t cookie;
    const as_t *as = f->w->as;
    TRY(identity_cookie_set(f->a, which, as->secure, handle, max_age(as, which), &cookie));
    as_flow_header(f, STR("Set-Cookie"), cookie);
    return RC_OK;
}

rc_t as_browser_clear(as_flow_t *f, identity_cookie_t which)
{
    str_t cookie;
    TRY(identity_cookie_clear(f->a, which, f->w->as->secure, &cookie));
    as_flow_header(f, STR("Set-Cookie"), cookie);
    return RC_OK;
}

/* SETUP, LOGIN, FORWARD and DEVICE come before there is a session (identity/csrf.h). */
static identity_csrf_t binding(const as_flow_t *f, const as_browser_t *b, identity_csrf_form_t form,
                               str_t subject)
{
    bool before = form == IDENTITY_CSRF_SETUP || form == IDENTITY_CSRF_LOGIN ||
                  form == IDENTITY_CSRF_FORWARD || form == IDENTITY_CSRF_DEVICE;
    return (identity_csrf_t){
        .key = f->snapshot->derive_key,
        .form = form,
        .binding = before ? b->browser_handle : b->session_handle,
        .subject = str_is_set(subject) ? subject : STR(""),
    };
}

rc_t as_browser_token(as_flow_t *f, const as_browser_t *b, identity_csrf_form_t form, str_t subject,
                      str_t *out)
{
    const identity_csrf_t csrf = binding(f, b, form, subject);
    return identity_csrf_token(f->a, &f->w->as->random, &csrf, out);
}

bool as_browser_fits(const as_flow_t *f, const as_browser_t *b, identity_csrf_form_t form,
                     str_t subject, str_t token)
{
    const identity_csrf_t csrf = binding(f, b, form, subject);
    return identity_csrf_check(&csrf, token);
}
