/* Readers of the settings file's nodes. Each refuses with RC_CONFIG and one sentence in *why that
 * names `what` and the line. */
#ifndef CONF_CONF_NODE_H
#define CONF_CONF_NODE_H

#include "conf/conf_yaml.h"

/** Says it. */
rc_t conf_node_refuse(arena_t *a, const conf_node_t *node, str_t what, const char *mend,
                      str_t *why) MUST_USE;
size_t conf_node_count(const conf_node_t *node);
/** "key:" with nothing behind it. */
bool conf_node_is_nothing(const conf_node_t *node);
/** One line of text that is not empty. */
rc_t conf_node_text(arena_t *a, const conf_node_t *node, str_t what, str_t *out,
                    str_t *why) MUST_USE;
/** A list of words, none of them empty. */
rc_t conf_node_words(arena_t *a, const conf_node_t *node, str_t what, str_list_t *out,
                     str_t *why) MUST_USE;
/** A list of http(s) URLs without user and fragment, which come out canonical. */
rc_t conf_node_urls(arena_t *a, const conf_node_t *node, str_t what, str_list_t *out,
                    str_t *why) MUST_USE;
/** Whether s is the name of a scope (RFC 6749 section 3.3). */
bool conf_is_scope(str_t s);
/** A list of scopes. */
rc_t conf_node_scopes(arena_t *a, const conf_node_t *node, str_t what, str_list_t *out,
                      str_t *why) MUST_USE;

#endif
