/* The answer to a decision: a page that goes to the client by itself, without a script. A redirect
 * would be stopped by form-action 'self' in some browsers, as it answers a form. */
#ifndef WEB_LEAVE_H
#define WEB_LEAVE_H

#include "web/consent.h"

typedef struct {
    str_t url;  /* the redirect URI with its answer */
    str_t host; /* where that is, as in web_consent_t.redirect_host */
    web_redirect_kind_t kind;
    str_t client_name;
    bool approved;
} web_leave_t;

/** Status 200. A URL that does not lead to another site or application (javascript: and its kind)
 *  gives a page without link. */
void web_page_leave(buf_t *b, const web_leave_t *v);

#endif
