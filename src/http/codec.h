/* HTTP/1.1 requests from bytes (RFC 9112): two byte machines that can stop and go on at any split.
 * Whatever two readers could understand differently is refused. Pure. */
#ifndef HTTP_CODEC_H
#define HTTP_CODEC_H

#include "core/limits.h"
#include "http/fields.h"
#include "http/message.h"

typedef enum {
    HTTP_STEP_MORE, /* all bytes are used up, the next ones are needed */
    HTTP_STEP_DONE,
    HTTP_STEP_BAD, /* answer `status` and close: what follows cannot be framed */
} http_step_t;

typedef enum {
    HTTP_FRAME_NONE,
    HTTP_FRAME_LENGTH,
    HTTP_FRAME_CHUNKED,
    HTTP_FRAME_CLOSE, /* of an answer only: up to the end of the connection */
} http_frame_t;

/** A head; slices point into the bytes that were parsed. */
typedef struct {
    http_method_t method;
    unsigned minor; /* of the version: 0 or 1 */
    str_t target;   /* as received */
    str_t path;     /* raw, of origin-form and absolute-form; "*" for OPTIONS * */
    str_t query;    /* behind '?'; unset when absent */
    str_t host;     /* the Host field, for logs only */
    http_frame_t frame;
    uint64_t length; /* of the body, with HTTP_FRAME_LENGTH */
    bool close;      /* the connection ends with this request */
    bool expect_continue;
    size_t header_count;
    http_header_t headers[LIMIT_HTTP_HEADERS];
} http_head_t;

typedef struct {
    unsigned state;
    size_t pos;  /* bytes looked at; with DONE the length of the head */
    size_t mark; /* where the current piece of the line began */
    http_fields_t fields;
    str_t authority; /* of an absolute-form target */
    bool has_length, has_coding, has_host;
    int status; /* with BAD */
    str_t why;  /* with BAD: one static sentence */
    http_head_t head;
} http_codec_t;

/** Ready for the first byte of a request. */
void http_codec_init(http_codec_t *c);
/**
 * Goes on with the head that begins at p and of which n bytes are there by now. From the first call
 * to the last use of c->head, the bytes must stay where they are. Looks at no more than
 * LIMIT_HTTP_HEAD_BYTES. The answer depends on the bytes only, never on how they were split.
 * BAD gives 400, 414, 417, 431, 501 or 505.
 */
http_step_t http_codec_head(http_codec_t *c, const char *p, size_t n);

/** The chunked body machine (RFC 9112 section 7.1). Zeroed is ready. */
typedef struct {
    unsigned state;
    uint32_t digits;  /* of the chunk size */
    uint32_t line;    /* bytes of the size line */
    uint32_t trailer; /* bytes of the trailer section */
    uint64_t left;    /* of the current chunk */
    int status;       /* with BAD: 400 or 431 */
} http_chunked_t;

/**
 * Eats from the front of *in and points *data at the next run of body bytes (may be empty). MORE:
 * call again while *in is not empty. DONE: *in is what follows the body. Trailers are checked and
 * dropped.
 */
http_step_t http_chunked_next(http_chunked_t *c, str_t *in, str_t *data);

#endif
