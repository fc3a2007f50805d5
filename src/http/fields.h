/* Header fields from bytes (RFC 9112 section 5), one after the other: what heads of requests and of
 * answers have in common. Stops and goes on at any split. Pure. Internal to the room. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include "core/str.h"

typedef enum {
    HTTP_FIELDS_MORE, /* all bytes are looked at */
    HTTP_FIELDS_ONE,  /* name and value are a field */
    HTTP_FIELDS_END,  /* the empty line: pos is behind it */
    HTTP_FIELDS_BAD,  /* `why` is one static sentence */
} http_fields_step_t;

/** Zeroed and `pos` set to the first byte behind the start line is ready. */
typedef struct {
    unsigned state;
    size_t pos;  /* bytes looked at */
    size_t mark; /* where the current piece began */
    str_t name;
    str_t value; /* without surrounding whitespace */
    str_t why;
} http_fields_t;

/** Begins at f->pos. */
void http_fields_init(http_fields_t *f, size_t pos);
/** Goes on at f->pos; bytes of [0, end) are there by now and must not move until the last use of
 *  the slices. No space before a colon, no obs-fold, no bare CR or LF, no empty name. */
http_fields_step_t http_fields_next(http_fields_t *f, const char *p, size_t end);

#endif
