/* HTTP/1.1 answers from bytes (RFC 9112), as strictly as requests: what two readers could frame
 * differently is refused. A head and a body machine, both go on at any split. Pure. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "http/codec.h"
#include "http/fields.h"

/* Connection fields that name others; more than one is rare. */
enum { HTTP_RESPONSE_NAMED = 4 };

/** A head. Slices point into the bytes that were parsed. Fields that are for one connection only
 *  (RFC 9110 section 7.6.1), those that Connection names, and Content-Length are left out. */
typedef struct {
    int status;         /* 100 to 599, never 101 */
    unsigned minor;     /* of the version: 0 or 1 */
    http_frame_t frame; /* of its body; NONE for 1xx, 204, 304 and answers to HEAD */
    bool has_length;    /* a Content-Length came, which without a body is only told */
    uint64_t length;
    bool close;      /* the connection ends with this answer */
    uint32_t keep_s; /* how long the peer says that it keeps an idle connection; 0: it does not */
    size_t header_count;
    http_header_t headers[LIMIT_HTTP_HEADERS];
} http_response_head_t;

typedef struct {
    http_method_t method;
    size_t max;
    bool has_line; /* the status line is read */
    bool has_coding;
    size_t field_count;
    size_t named_count;
    http_header_t named[HTTP_RESPONSE_NAMED]; /* Connection fields that name others */
    http_fields_t fields; /* fields.pos: bytes looked at; with DONE the length of the head */
    str_t why;            /* with BAD: one static sentence */
    http_response_head_t head;
} http_response_t;

/** Ready for the first byte of an answer to `method`; a head is at most `max` bytes. */
void http_response_init(http_response_t *r, http_method_t method, size_t max);
/**
 * Goes on with the head that begins at p and of which n bytes are there by now. From the first call
 * to the last use of r->head the bytes must stay where they are. The answer depends on the bytes
 * only, never on how they were split. A body without length or coding is read to the end of the
 * connection only where the peer has said that this ends it (section 6.3 rule 8).
 */
http_step_t http_response_head(http_response_t *r, const char *p, size_t n);

/** The body of an answer. */
typedef struct {
    http_frame_t frame;
    uint64_t left;
    http_chunked_t chunked;
} http_response_body_t;

http_response_body_t http_response_body(const http_response_head_t *head);
/** Eats from the front of *in and points *data at the next run of body bytes (may be empty). MORE:
 *  call again while *in is not empty. DONE: the body is complete, with *data; *in is what follows
 *  it. BAD: the chunks are malformed. */
http_step_t http_response_next(http_response_body_t *b, str_t *in, str_t *data);

#endif
