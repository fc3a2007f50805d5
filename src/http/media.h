/* Content-Type, as far as request bodies need it (RFC 9110 section 8.3). */
#ifndef HTTP_MEDIA_H
#define HTTP_MEDIA_H

#include "http/message.h"

/* The bodies a route takes (a set). */
enum {
    HTTP_BODY_FORM = 1, /* application/x-www-form-urlencoded */
    HTTP_BODY_JSON = 2, /* application/json */
};

/** What a Content-Type names: HTTP_BODY_FORM, HTTP_BODY_JSON, or 0 for anything else, for a bad
 *  parameter, and for a charset other than UTF-8. */
unsigned http_media_body(str_t content_type);
/** Whether an Accept value takes `type` ("text/html", "text/event-stream") by name, by its main
 *  type's wildcard or by a full wildcard, with a weight above zero; the closest range decides (RFC
 *  9110 section 12.5.1). Unset takes everything. */
bool http_media_accepts(str_t accept, str_t type);

#endif
