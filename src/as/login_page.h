/* The login page as an answer: for the login endpoint, and for requests that need one first. */
#ifndef AS_LOGIN_PAGE_H
#define AS_LOGIN_PAGE_H

#include "as/browser.h"
#include "web/login.h"

/** Answers with the page; fills the tokens of `view` and sets the browser cookie where there is
 *  none. view.interaction is what the form decides on; without view.asks it leads to a provider by
 *  way of the page that shows it (as_login_get). */
rc_t as_login_page(as_flow_t *f, as_browser_t *b, int status, const web_login_t *view) MUST_USE;
/** Where to go on after a sign-in: back to the request that waits, or to the account. */
str_t as_login_next(as_flow_t *f, str_t interaction);

#endif
