/* The words of an HTTP message: methods, header fields, status codes (RFC 9110). */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "core/arena.h"

/** Methods this server knows; any other token is answered 501 (RFC 9110 section 9.1). */
typedef enum {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_COUNT,
} http_method_t;

/* A set of methods for route rows: HTTP_M(GET) | HTTP_M(POST). */
#define HTTP_M(name) (1u << HTTP_##name)

/** One header field; name as written, value without surrounding whitespace. */
typedef struct {
    str_t name, value;
} http_header_t;

/** A list of fields, borrowed. */
typedef struct {
    const http_header_t *v;
    size_t n;
} http_headers_t;

/* A list written in place: HTTP_HEADERS({STR("Location"), where}, {STR("X"), y}). Fields whose
 * value is unset are left out. The list lives as long as the enclosing block. */
#define HTTP_HEADERS(...)                                                                          \
    ((http_headers_t){(const http_header_t[]){__VA_ARGS__},                                        \
                      sizeof((const http_header_t[]){__VA_ARGS__}) / sizeof(http_header_t)})
#define HTTP_NO_HEADERS ((http_headers_t){NULL, 0})

/** "GET" and so on; static. */
str_t http_method_name(http_method_t m);
/** Case-sensitive (RFC 9110 section 9.1). False: not one of ours. */
bool http_method_parse(str_t name, http_method_t *out);
/** The reason phrase of `status`, or "Unknown"; static. */
str_t http_status_phrase(int status);

/** The first field of that name, whatever its case; unset when absent. */
str_t http_headers_get(http_headers_t h, str_t name);
/** Goes through all fields of that name: start with *at = 0; false when there are no more. */
bool http_headers_next(http_headers_t h, str_t name, size_t *at, str_t *value);
/** How many fields bear that name. */
size_t http_headers_count(http_headers_t h, str_t name);
/** The values of all fields of that name, in order; they stay where they are. RC_MEMORY. */
rc_t http_headers_all(arena_t *a, http_headers_t h, str_t name, str_list_t *out) MUST_USE;
/** Whether a comma-separated list value, over all fields of that name, has the token (any case). */
bool http_headers_has_token(http_headers_t h, str_t name, str_t token);
/** Whether c may stand in a token (RFC 9110 section 5.6.2). */
bool http_is_tchar(unsigned char c);

#endif
