/* The protected servers of the settings: the node `upstreams`, and the settings upstream_*. */
#ifndef CONF_CONF_UPSTREAM_H
#define CONF_CONF_UPSTREAM_H

#include "conf/conf_table.h"

struct conf_node;

/** An upstream with every default. Its policy is the ready one: everything needs the scope mcp:use.
 */
conf_upstream_t conf_upstream_default(void);
/** Reads the node `upstreams` (NULL: none) into conf; policies must have been read. RC_CONFIG: *why
 *  is one sentence with the line. URLs come out canonical; files are not read: that is the shell's.
 */
rc_t conf_read_upstreams(arena_t *a, const struct conf_node *node, conf_t *conf,
                         str_t *why) MUST_USE;
/** Makes one of the settings upstream, upstream_command and their like, where they are set; both
 *  ways together are refused. Then checks all of them together. */
rc_t conf_finish_upstreams(arena_t *a, const conf_raw_t *raw, conf_t *conf, str_t *why) MUST_USE;

/* conf_upstream_check.c */
/** Why clients cannot reach an upstream under `path`, and the mend; NULL: they can. */
const char *conf_upstream_path_mend(str_t path);
/** What is wrong with one of them and how it is mended, or NULL; without what depends on others.
 *  Sets what follows from other members (the path, and the prefix of a credential). */
rc_t conf_upstream_check(arena_t *a, const conf_t *conf, conf_upstream_t *u,
                         const char **mend) MUST_USE;

/* conf_upstream_parts.c */
/** Reads the nodes `credential`, `child` and `authorization_servers` of an upstream. RC_CONFIG as
 *  above. */
rc_t conf_read_credential(arena_t *a, const struct conf_node *node, conf_upstream_t *u,
                          str_t *why) MUST_USE;
rc_t conf_read_child(arena_t *a, const struct conf_node *node, conf_upstream_t *u,
                     str_t *why) MUST_USE;
rc_t conf_read_providers(arena_t *a, const struct conf_node *node, conf_upstream_t *u,
                         str_t *why) MUST_USE;

#endif
