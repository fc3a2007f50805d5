/* A protected server over HTTP: the driver of upstream.h that speaks Streamable HTTP to the origin
 * of the settings, and to no other. */
#ifndef PROXY_UPSTREAM_HTTP_H
#define PROXY_UPSTREAM_HTTP_H

#include "conf/conf.h"
#include "proxy/upstream.h"

/** `conf` is borrowed for the life of the driver, which upstream_port_t.free ends. RC_CONFIG: *why
 * is one sentence, in `a`; RC_MEMORY. */
rc_t upstream_http_new(arena_t *a, const conf_upstream_t *conf, upstream_port_t *port,
                       upstream_hooks_t *hooks, str_t *why) MUST_USE;

#endif
