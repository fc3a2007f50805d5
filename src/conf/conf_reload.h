/* Which settings may change while the server runs. Pure. */
#ifndef CONF_CONF_RELOAD_H
#define CONF_CONF_RELOAD_H

#include "conf/conf.h"

/** Lets `next` keep what `running` has wherever a change needs a restart; *kept names these
 * settings. What `next` keeps lives as long as `running`. RC_MEMORY. */
rc_t conf_reload(arena_t *a, const conf_t *running, conf_t *next, str_list_t *kept) MUST_USE;
/** Whether that setting can change without a restart. */
bool conf_reload_takes(str_t key);

#endif
