/* The settings about redirect URIs: hosts and schemes as they must be written. */
#ifndef CONF_CONF_REDIRECT_H
#define CONF_CONF_REDIRECT_H

#include "conf/conf_table.h"

/** Checks redirect_hosts, redirect_denied_hosts and redirect_schemes. RC_CONFIG: *why is one
 *  sentence. */
rc_t conf_check_redirects(arena_t *a, const conf_raw_t *raw, const conf_t *conf,
                          str_t *why) MUST_USE;

#endif
