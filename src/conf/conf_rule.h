/* The rules for workloads of a trusted issuer, and readers of nodes that its parts share. Each
 * reader refuses with RC_CONFIG and one sentence in *why that names `what` and the line. */
#ifndef CONF_CONF_RULE_H
#define CONF_CONF_RULE_H

#include "conf/conf.h"

struct conf_node;
/** Reads the node `rules` into the issuer. */
rc_t conf_read_rules(arena_t *a, const struct conf_node *node, conf_issuer_t *issuer,
                     str_t *why) MUST_USE;

rc_t conf_node_refuse(arena_t *a, const struct conf_node *node, str_t what, const char *mend,
                      str_t *why) MUST_USE;
size_t conf_node_count(const struct conf_node *node);
/** "key:" with nothing behind it. */
bool conf_node_is_nothing(const struct conf_node *node);
/** One line of text that is not empty. */
rc_t conf_node_text(arena_t *a, const struct conf_node *node, str_t what, str_t *out,
                    str_t *why) MUST_USE;
/** A list of words, none of them empty. */
rc_t conf_node_words(arena_t *a, const struct conf_node *node, str_t what, str_list_t *out,
                     str_t *why) MUST_USE;
/** A list of http(s) URLs without user and fragment, which come out canonical. */
rc_t conf_node_urls(arena_t *a, const struct conf_node *node, str_t what, str_list_t *out,
                    str_t *why) MUST_USE;
/** A list of scopes (RFC 6749 section 3.3). */
rc_t conf_node_scopes(arena_t *a, const struct conf_node *node, str_t what, str_list_t *out,
                      str_t *why) MUST_USE;

#endif
