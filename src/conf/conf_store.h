/* The settings of what remembers: postgres* and node. */
#ifndef CONF_CONF_STORE_H
#define CONF_CONF_STORE_H

#include "conf/conf_table.h"

enum { CONF_NODE_NAME_MAX = 64 };

/** Whether a node may be called so: letters, digits, '.', '_' and '-', of which the first is a
 *  letter or digit. */
bool conf_is_node_name(str_t name);

/** Whether the text for libpq holds a secret, which settings never do: they are shown. */
bool conf_has_password(str_t conninfo);

/** Checks them together. RC_CONFIG: *why as in conf_load, without a password that was given. */
rc_t conf_check_store(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why) MUST_USE;

#endif
