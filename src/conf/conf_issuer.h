/* The trusted issuers of the settings file. */
#ifndef CONF_CONF_ISSUER_H
#define CONF_CONF_ISSUER_H

#include "conf/conf.h"

struct conf_node;
/** Reads and checks the node `trusted_issuers` (NULL: none) into conf. RC_CONFIG: *why is one
 *  sentence with the line. Resources come out canonical; files are not read: that is the shell's.
 */
rc_t conf_read_issuers(arena_t *a, const struct conf_node *node, conf_t *conf, str_t *why) MUST_USE;

#endif
