/* Bytes into a block of known size: the failure sticks, and is looked at once. Internal to the
 * room.
 */
#ifndef HTTP_OUT_H
#define HTTP_OUT_H

#include "core/str.h"

typedef struct {
    char *p;
    size_t n, cap;
    bool full; /* something did not fit */
} http_out_t;

static inline void http_out_put(http_out_t *o, str_t s)
{
    if (s.n > o->cap - o->n) {
        o->full = true;
        return;
    }
    if (s.n)
        memcpy(o->p + o->n, s.p, s.n);
    o->n += s.n;
}

static inline void http_out_number(http_out_t *o, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    http_out_put(o, str_of(digits + at, sizeof digits - at));
}

/** "name: value" and the end of the line. Both must be checked (http_writer_is_field). */
static inline void http_out_field(http_out_t *o, str_t name, str_t value)
{
    http_out_put(o, name);
    http_out_put(o, STR(": "));
    http_out_put(o, value);
    http_out_put(o, STR("\r\n"));
}

#endif
