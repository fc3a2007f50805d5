/* How to serve over HTTP, checked before a socket, a trail or a thread is there. */
#ifndef KIT_OPTIONS_H
#define KIT_OPTIONS_H

#include "http/tls.h"
#include "core/str.h"
#include "warder/mcp.h"

enum {
    KIT_DONE = 0,
    KIT_FAILED = 1,  /* the world failed: a port in use, no memory */
    KIT_SETTING = 3, /* a setting is wrong or unsafe */
    KIT_WORKERS = 2,
    KIT_WORKERS_MAX = 64,
    KIT_LISTS_MAX = 64, /* origins, and hosts */
};

typedef struct {
    str_t host; /* an address, without brackets */
    uint16_t port;
    bool brackets;     /* it is IPv6 */
    str_t path;        /* of the endpoint, decoded */
    str_t scopes;      /* scopes_supported; unset: none */
    http_tls_t *tls;   /* one count; NULL: plain */
    str_t tls_warning; /* it is not good now; unset: it is */
    unsigned workers;
    str_list_t origins, hosts;
} kit_options_t;

/** Reads `http`; `scopes` are all of the tables. Everything is in `a`, or borrowed from `http`; tls
 * is to be freed. KIT_DONE, or the exit code and *why: one sentence with the mend, in `a`. */
int kit_options_read(arena_t *a, const warder_mcp_http_t *http, const char *scopes,
                     kit_options_t *out, str_t *why);
/** The identifier of the resource where none was given: the endpoint at this port. Ends in a NUL;
 * unset without memory. */
str_t kit_options_resource(arena_t *a, const kit_options_t *o, uint16_t port);
/** The caller's config with what it left open filled in; slices are borrowed. */
warder_rs_config_t kit_options_rs(const warder_mcp_http_t *http, const kit_options_t *o,
                                  const char *resource);

#endif
