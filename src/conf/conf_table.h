/* settings.def as rows, and the value each setting has, with where it came from. */
#ifndef CONF_CONF_TABLE_H
#define CONF_CONF_TABLE_H

#include "conf/conf.h"

typedef enum { CONF_STR, CONF_ENUM, CONF_INT, CONF_BOOL, CONF_STRS } conf_type_t;

typedef struct {
    str_t key;
    conf_type_t type;
    str_t def;   /* as it would be written in the file */
    str_t words; /* of CONF_ENUM, space-separated */
    int64_t min, max;
    str_t text;
    size_t offset; /* in conf_t */
} conf_row_t;

extern const conf_row_t CONF_ROWS[];
extern const size_t CONF_N_ROWS;

typedef enum { CONF_FROM_DEFAULT, CONF_FROM_FILE, CONF_FROM_ENV, CONF_FROM_FLAG } conf_origin_t;

typedef struct {
    str_t text;      /* scalar, or comma-separated list */
    str_list_t list; /* of CONF_STRS */
    conf_origin_t origin;
    unsigned line; /* in the file, from 0 */
} conf_raw_t;

/** Index of the row, or CONF_N_ROWS. */
size_t conf_row_find(str_t key);
/** The key that looks most like `key`, for messages; unset when none looks like it. */
str_t conf_row_nearest(str_t key);
/** The one of `known` that looks most like `key`; unset when none does. */
str_t conf_nearest(str_list_t known, str_t key);
/** Whether text is UTF-8 without control characters, line separators and what YAML cannot hold. */
bool conf_is_text(str_t text);
/** `text` for a message: cut, and with '?' for what is not printable ASCII. */
str_t conf_shown(arena_t *a, str_t text);
/** *why becomes "KEY (from WHERE) is 'VALUE'; MEND". Returns RC_CONFIG. */
rc_t conf_refuse(arena_t *a, const conf_row_t *row, const conf_raw_t *raw, str_t mend,
                 str_t *why) MUST_USE;
/** What stands in the file only; NULL: it does not. */
struct conf_node;
typedef struct {
    const struct conf_node *resources, *trusted_issuers, *policies, *upstreams;
} conf_nodes_t;
/** Merges the sources into `raw` (CONF_N_ROWS of them), without checking values. */
rc_t conf_merge(arena_t *a, const conf_sources_t *sources, conf_raw_t *raw, conf_nodes_t *nodes,
                str_t *why) MUST_USE;

#endif
