/* An application: its routes and the hooks around them. */
#ifndef HTTP_APP_H
#define HTTP_APP_H

#include "http/exchange.h"

/** Const for the life of the server; all hooks may be NULL and run on the exchange's worker. */
typedef struct {
    http_routes_t routes;
    void *ctx; /* x->app */
    /** Head is here, body is not: rate limits. False: the hook has answered (http_reply...). */
    bool (*admit)(http_exchange_t *x);
    /** Body is here: session, CSRF. False: the hook keeps the exchange; it has answered or will, or
     *  calls x->route->handler(x) itself later. */
    bool (*guard)(http_exchange_t *x);
    /** An error on a PAGE route, or on no route when the client would take text/html. Must answer
     *  now (without http_reply_error). NULL: the plain error. */
    void (*page_error)(http_exchange_t *x, int status, str_t sentence);
    /** Whether a path that the table takes is known here after all, for tables with a row for every
     *  path; `worker` is what worker_init made. False: the next application is asked. NULL: yes. */
    bool (*claims)(void *worker, str_t path);
} http_app_t;

#endif
