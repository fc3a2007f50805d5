/* What a browser brings: its cookies, the session behind one of them, and the proof that a form
 * came from our own page. */
#ifndef AS_BROWSER_H
#define AS_BROWSER_H

#include "as/flow.h"
#include "identity/cookie.h"
#include "identity/csrf.h"

typedef struct {
    str_t session_handle; /* unset: no cookie, or none of ours */
    str_t browser_handle; /* likewise; as_browser_bind makes one */
    str_t upstream;       /* a sign-in elsewhere that was begun, sealed; unset: none */
    const ask_t *session; /* NULL: nothing to look up */
} as_browser_t;

/** Reads the cookies and adds the question for the session. */
as_browser_t as_browser_read(as_flow_t *f);
/** The live session, or NULL. */
const session_t *as_browser_session(const as_flow_t *f, const as_browser_t *b);
/** Who is signed in: the session's account, unless it is gone or disabled; or NULL. */
const user_t *as_browser_user(const as_flow_t *f, const as_browser_t *b);
/** Adds to the flow's effects that the live session is in use, once a minute. */
rc_t as_browser_touch(as_flow_t *f, const as_browser_t *b) MUST_USE;
/** Whether the request carries a browser cookie already; if not, makes a handle, to be set by
 *  as_browser_set after the answer is made. */
rc_t as_browser_bind(as_flow_t *f, as_browser_t *b, bool *is_new) MUST_USE;
/** Adds Set-Cookie to the answer. */
rc_t as_browser_set(as_flow_t *f, identity_cookie_t which, str_t handle) MUST_USE;
rc_t as_browser_clear(as_flow_t *f, identity_cookie_t which) MUST_USE;

/** A token for one form of the page (identity/csrf.h). */
rc_t as_browser_token(as_flow_t *f, const as_browser_t *b, identity_csrf_form_t form, str_t subject,
                      str_t *out) MUST_USE;
/** Whether the form's token fits. */
bool as_browser_fits(const as_flow_t *f, const as_browser_t *b, identity_csrf_form_t form,
                     str_t subject, str_t token);

#endif
