/* The trace that a request belongs to (W3C Trace Context, Level 1): who calls us is passed on as
 * the trace, and we are its next parent. Pure. */
#ifndef PROXY_TRACE_H
#define PROXY_TRACE_H

#include "http/message.h"

enum { TRACE_PARENT_TEXT = 55, TRACE_ID_TEXT = 32, TRACE_RANDOM_BYTES = 24 };

typedef struct {
    char parent[TRACE_PARENT_TEXT]; /* the traceparent to send */
    bool continued;                 /* the caller's trace: its tracestate goes on, too */
} trace_t;

/** From the fields of a request. A traceparent that is absent, repeated or malformed begins a new
 *  trace out of `random` (section 3.2.2.5: "restart"); its tracestate is then not passed on. */
trace_t trace_make(http_headers_t headers, const uint8_t random[TRACE_RANDOM_BYTES]);
/** The trace-id; borrows `t`. */
static inline str_t trace_id(const trace_t *t)
{
    return str_of(t->parent + 3, TRACE_ID_TEXT);
}

#endif
