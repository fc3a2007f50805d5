/* Maps of the settings file as tables: which members there are, of which kind, and where in a
 * struct they go. */
#ifndef CONF_CONF_FIELD_H
#define CONF_CONF_FIELD_H

#include "conf/conf_yaml.h"

typedef enum {
    CONF_FIELD_TEXT,   /* str_t: one line that is not empty */
    CONF_FIELD_MAYBE,  /* str_t: one line, or nothing */
    CONF_FIELD_WORDS,  /* str_list_t */
    CONF_FIELD_BOOL,   /* bool */
    CONF_FIELD_INT,    /* int64_t, from min to max */
    CONF_FIELD_CHOICE, /* an enum that counts `words` from 0 */
} conf_field_kind_t;

typedef struct {
    str_t key;
    conf_field_kind_t kind;
    size_t offset;
    str_t words; /* of a choice, space-separated */
    int64_t min, max;
} conf_field_t;

typedef struct {
    const conf_field_t *v;
    size_t n;
} conf_fields_t;

/** Where what is read goes. */
typedef struct {
    arena_t *a;
    void *record;
    str_t what; /* for messages: the name of the node around it */
    str_t *why;
} conf_into_t;

/** Reads the member `node` into the record, if it is one of `fields`: *known says so. RC_CONFIG:
 *  *into.why names what, the line and the mend. */
rc_t conf_field_read(const conf_fields_t *fields, const conf_node_t *node, conf_into_t into,
                     bool *known) MUST_USE;

#endif
