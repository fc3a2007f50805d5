/* Which proxy a request goes through, by the variables that curl and others read. Pure. Internal to
 * the room. */
#ifndef HTTP_AGENT_PROXY_H
#define HTTP_AGENT_PROXY_H

#include "core/url.h"

/** The values of http_proxy, https_proxy, all_proxy and no_proxy; unset where there is none. */
typedef struct {
    str_t http, https, all, none;
} http_proxy_vars_t;

/** The proxy as its variable says it; unset: none. This machine is never asked for through one. Of
 *  no_proxy: names and all below them, addresses, ranges of addresses, and "*" for everything. */
str_t http_proxy_for(const http_proxy_vars_t *vars, const url_t *u);

#endif
