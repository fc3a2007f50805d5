/* Classes of bytes, and scans over them. Internal to the room. */
#ifndef HTTP_SCAN_H
#define HTTP_SCAN_H

#include "core/str.h"

enum {
    HTTP_C_TOKEN = 1, /* RFC 9110 section 5.6.2 */
    HTTP_C_PATH = 2,  /* RFC 3986 pchar and '/'; '%' counts, its digits are checked apart */
    HTTP_C_QUERY =
        4, /* path, '?', and what browsers send raw (WHATWG URL, query percent-encode set) */
    HTTP_C_HOST = 8, /* a host with port, brackets included */
    HTTP_C_HEX = 16,
};

extern const uint8_t HTTP_BYTES[256];

/** Index of the first byte of [from, to) that is not of `class`, or `to`. */
size_t http_scan_class(const char *p, size_t from, size_t to, uint8_t class);
/** Index of the first byte of [from, to) that may not stand in a field value (a control byte but
 *  not a tab), or `to`. Sixteen bytes at a time where the machine can. */
size_t http_scan_value(const char *p, size_t from, size_t to);
/** Whether every '%' is followed by two hexadecimal digits. */
bool http_scan_escapes(str_t s);

#endif
