/* The head of an answer as bytes. Pure. Internal to the room. */
#ifndef HTTP_WRITER_H
#define HTTP_WRITER_H

#include "core/rc.h"
#include "http/message.h"

typedef enum {
    HTTP_END_LENGTH,  /* Content-Length */
    HTTP_END_CHUNKED, /* Transfer-Encoding: chunked */
    HTTP_END_CLOSE,   /* the connection's end is the body's end (HTTP/1.0 streams) */
    HTTP_END_NONE,    /* no body and no length: 1xx, 204, 304 (RFC 9110 section 8.6) */
} http_end_t;

typedef struct {
    int status;
    http_headers_t headers;
    http_end_t end;
    uint64_t length; /* with HTTP_END_LENGTH */
    str_t date;
    bool close;
    bool cors; /* public */
    bool no_store;
} http_answer_head_t;

enum { HTTP_DATE_TEXT = 29 };

/**
 * Writes status line, fields and the empty line into out. RC_MALFORMED: a name that is no token, a
 * value with a control or non-ASCII byte (it could split the answer, RFC 9110 section 5.5), or a
 * field that frames the message. RC_LIMIT: longer than cap. Nothing of `out` is to be used then.
 */
rc_t http_writer_head(const http_answer_head_t *h, char *out, size_t cap, size_t *n) MUST_USE;
/** Whether a field may be written at all: the name a token, the value without control or non-ASCII
 *  bytes, and neither one that frames the message. */
bool http_writer_is_field(const http_header_t *h);
/** The same for one that somebody else wrote: what is beyond ASCII goes on as it came (obs-text,
 * RFC 9110 section 5.5). */
bool http_writer_may_pass(const http_header_t *h);
/** The IMF-fixdate of a Unix time in seconds (RFC 9110 section 5.6.7); 29 bytes. */
void http_writer_date(int64_t unix_s, char out[HTTP_DATE_TEXT]);

#endif
