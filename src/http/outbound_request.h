/* A request as bytes. Pure. Internal to the room. */
#ifndef HTTP_OUTBOUND_REQUEST_H
#define HTTP_OUTBOUND_REQUEST_H

#include "http/outbound.h"

/** Head and body in one block that the caller frees, `host` as the Host field. RC_MALFORMED: a
 *  target that is not in origin-form, a field that http_writer_may_pass refuses, or one that is
 *  about the connection. RC_LIMIT: a head longer than LIMIT_HTTP_HEAD_BYTES. RC_MEMORY. */
rc_t http_outbound_write(const http_outbound_request_t *r, str_t host, char **out,
                         size_t *n) MUST_USE;
/** Whether the method may be repeated without a second effect (RFC 9110 section 9.2.2). */
bool http_outbound_may_repeat(const http_outbound_request_t *r);

#endif
