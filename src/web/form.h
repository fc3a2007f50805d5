/* What pages and shell agree on: the paths of the pages, and the names of their form fields. */
#ifndef WEB_FORM_H
#define WEB_FORM_H

#include "core/buf.h"

#define WEB_PATH_HOME      "/"
#define WEB_PATH_SETUP     "/setup"
#define WEB_PATH_LOGIN     "/login"
#define WEB_PATH_CONSENT   "/consent"
#define WEB_PATH_ELSEWHERE "/login/elsewhere" /* to the provider of login_issuer */
#define WEB_PATH_CALLBACK  "/login/callback"  /* and back */
#define WEB_PATH_LOGOUT    "/logout"
#define WEB_PATH_REVOKE    "/grants/revoke"
#define WEB_PATH_DEVICE    "/device"

#define WEB_FIELD_CSRF           "csrf"
#define WEB_FIELD_INTERACTION    "interaction"
#define WEB_FIELD_TOKEN          "token" /* of the set-up link */
#define WEB_FIELD_USERNAME       "username"
#define WEB_FIELD_PASSWORD       "password"
#define WEB_FIELD_PASSWORD_AGAIN "password_again"
#define WEB_FIELD_DECISION       "decision"
#define WEB_FIELD_DOCUMENT       "document" /* of the client, as the page shows it */
#define WEB_FIELD_CLIENT         "client_id"
#define WEB_FIELD_RESOURCE       "resource"
#define WEB_FIELD_REDIRECT       "redirect_uri"
#define WEB_FIELD_USER_CODE      "user_code" /* the name is that of RFC 8628 section 3.3.1 */

#define WEB_DECISION_APPROVE "approve"
#define WEB_DECISION_DENY    "deny"

/* The hint beside a new password: IDENTITY_PASSWORD_CHARS_MIN, which the shell holds equal. */
#define WEB_PASSWORD_CHARS_MIN      10
#define WEB_PASSWORD_CHARS_MIN_TEXT "10"

#endif
