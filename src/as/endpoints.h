/* The handlers of all routes (app.c). */
#ifndef AS_ENDPOINTS_H
#define AS_ENDPOINTS_H

#include "http/exchange.h"

/* document.c */
void as_document_get(http_exchange_t *x); /* route->data: const as_doc_t */
void as_asset_get(http_exchange_t *x);
void as_health_get(http_exchange_t *x);

/* register.c, token.c, revoke.c, pushed.c, device.c */
void as_register_post(http_exchange_t *x);
void as_manage(http_exchange_t *x); /* manage.c: GET, PUT and DELETE */
void as_token_post(http_exchange_t *x);
void as_revoke_post(http_exchange_t *x);
void as_pushed_post(http_exchange_t *x);
void as_device_authorization_post(http_exchange_t *x);
/* introspect.c, revocations.c */
void as_introspect_post(http_exchange_t *x);
void as_revocations_get(http_exchange_t *x);

/* authorize.c: GET and POST */
void as_authorize(http_exchange_t *x);
/* consent.c */
void as_consent_get(http_exchange_t *x);
void as_consent_post(http_exchange_t *x);
/* device_page.c */
void as_device_get(http_exchange_t *x);
void as_device_post(http_exchange_t *x);
/* login.c, setup.c, account.c, grants.c */
void as_login_get(http_exchange_t *x);
void as_login_post(http_exchange_t *x);
/* login_upstream.c */
void as_login_elsewhere_post(http_exchange_t *x);
void as_login_callback_get(http_exchange_t *x);
void as_setup_get(http_exchange_t *x);
void as_setup_post(http_exchange_t *x);
void as_home_get(http_exchange_t *x);
void as_grant_revoke_post(http_exchange_t *x);
void as_logout_get(http_exchange_t *x);
void as_logout_post(http_exchange_t *x);

#endif
