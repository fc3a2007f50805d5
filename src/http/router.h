/* One table of routes with everything about a request that can be known before its handler. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "core/rc.h"
#include "http/media.h"
#include "http/message.h"

typedef struct http_exchange http_exchange_t;

/** CORS class. Public: any origin, never credentials (Fetch standard, CORS protocol). */
typedef enum { HTTP_CORS_NONE, HTTP_CORS_PUBLIC } http_cors_t;

/* Flags of a route. CSRF is read by the application's guard, not here. */
enum {
    HTTP_ROUTE_PREFIX = 1,    /* also path + "/" + anything: inserted paths (RFC 8414 section 3.1);
                                 with "/" every path there is */
    HTTP_ROUTE_NO_STORE = 2,  /* every answer carries Cache-Control: no-store */
    HTTP_ROUTE_PAGE = 4,      /* for people: errors go to the page_error hook; never CORS */
    HTTP_ROUTE_CSRF = 16,     /* needs a CSRF token */
    HTTP_ROUTE_ANY_TYPE = 32, /* takes a body of any Content-Type; `bodies` is not looked at */
    HTTP_ROUTE_NO_HEAD = 128, /* GET here does something: HEAD is not implied */
    HTTP_ROUTE_ALWAYS =
        256, /* answered however late: who watches over the server must learn of it */
    HTTP_ROUTE_SUFFIX = 64, /* also anything + path: clients append well-known paths, too */
};

/** A row. HEAD is implied by GET unless
 *  NO_HEAD says otherwise, and OPTIONS is answered by the router. Rows with the same path
 *  add up. Rows outlive the server. */
typedef struct {
    str_t path;       /* decoded, begins with '/', no slash at the end (but "/") */
    unsigned methods; /* HTTP_M(...) set */
    void (*handler)(http_exchange_t *x);
    uint32_t body_limit; /* bytes; 0 takes no body */
    unsigned bodies;     /* HTTP_BODY_... set, for requests with a body */
    http_cors_t cors;
    unsigned flags;
    unsigned rate_class; /* the application's own number, for its admit hook */
    const void *data;    /* the application's own */
} http_route_t;

typedef struct {
    const http_route_t *v;
    size_t n;
} http_routes_t;

typedef enum {
    HTTP_MATCH_FOUND,
    HTTP_MATCH_OPTIONS,    /* answer 204 from the table: `route` is any row of the path */
    HTTP_MATCH_NOT_FOUND,  /* 404 */
    HTTP_MATCH_NOT_ALLOWED /* 405; `route` is any row of the path, for its class */
} http_match_kind_t;

typedef struct {
    http_match_kind_t kind;
    const http_route_t *route; /* NULL when not found */
    unsigned allowed;          /* methods the path takes, HEAD and OPTIONS included */
} http_match_t;

/** Looks up a decoded path. Exact rows win over prefixes, longer prefixes over shorter. Pure. */
http_match_t http_router_match(const http_routes_t *routes, http_method_t method, str_t path);
/** What a decoded path has behind that of a row which it matches: "" or "/...". */
str_t http_router_rest(const http_route_t *route, str_t path);
/** Whether the table is sound: paths well-formed, no two rows for one method and path, no CORS on a
 *  page row. RC_CONFIG: *why is one static sentence. */
rc_t http_router_check(const http_routes_t *routes, str_t *why) MUST_USE;
/** "GET, HEAD, OPTIONS" of a set; borrows `out`. */
enum { HTTP_ALLOW_TEXT = 64 };
str_t http_router_allow_text(unsigned methods, char out[HTTP_ALLOW_TEXT]);

#endif
