/* The pages of somebody who is signed in, or just was. Views borrow. */
#ifndef WEB_ACCOUNT_H
#define WEB_ACCOUNT_H

#include "web/form.h"

/** A client that may act for the person, at one place. Its button posts csrf, client_id, resource
 * and redirect_uri to WEB_PATH_REVOKE. */
typedef struct {
    str_t client_id;
    str_t client_name;
    str_t resource_uri;
    str_t resource_name;
    str_t redirect_uri; /* where the access goes; empty: to a device */
    str_t scope;        /* space-separated */
    int64_t granted_at;
    str_t csrf; /* of IDENTITY_CSRF_REVOKE; one token may serve all */
} web_grant_t;

/** The account page, at WEB_PATH_HOME. Its button posts csrf to WEB_PATH_LOGOUT. */
typedef struct {
    str_t username;
    bool admin;
    str_t logout_csrf;
    bool grants_known; /* false: no list at all */
    const web_grant_t *grants;
    size_t n_grants;
    bool revoked; /* one was just taken back: say so */
} web_account_t;

void web_page_account(buf_t *b, const web_account_t *v);

/** Asks before signing out; posts csrf to WEB_PATH_LOGOUT. */
typedef struct {
    str_t username;
    str_t csrf;
} web_logout_t;

void web_page_logout(buf_t *b, const web_logout_t *v);
/** After signing out. */
void web_page_signed_out(buf_t *b);

/** At WEB_PATH_HOME for a stranger: what this is, and the way to sign in. `setup` while there is no
 *  account: says where the set-up link is printed. */
void web_page_welcome(buf_t *b, bool setup);

#endif
