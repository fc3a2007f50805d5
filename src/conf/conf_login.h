/* The settings login_*: signing in at another provider. */
#ifndef CONF_CONF_LOGIN_H
#define CONF_CONF_LOGIN_H

#include "conf/conf_table.h"

/** Checks them together. RC_CONFIG: *why as in conf_load. */
rc_t conf_check_login(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why) MUST_USE;

#endif
