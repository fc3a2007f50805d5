/* A bounded builder whose failure sticks: write freely, check once with buf_done. */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include "core/arena.h"

/** Grows inside `arena`, or is fixed when arena is NULL. Never longer than `max`. */
typedef struct {
    char *p;
    size_t n, cap, max;
    arena_t *arena;
    rc_t failed; /* RC_OK or the first failure, which stays (writers: also RC_MALFORMED) */
} buf_t;

/** A builder in `a` of at most `max` bytes. */
buf_t buf_new(arena_t *a, size_t max);
/** A builder over the caller's bytes. */
buf_t buf_fixed(void *p, size_t cap);
/** Makes the builder fail with `rc`, if it has not failed before. */
void buf_fail(buf_t *b, rc_t rc);
void buf_put(buf_t *b, str_t s);
void buf_char(buf_t *b, char c);
/** The place of n more bytes, for the caller to fill in at once; NULL: it has failed. */
char *buf_room(buf_t *b, size_t n);
void buf_i64(buf_t *b, int64_t v);
void buf_u64(buf_t *b, uint64_t v);
/** Lower-case hexadecimal. */
void buf_hex(buf_t *b, const uint8_t *p, size_t n);
/** Base64url without padding (RFC 4648 section 5). */
void buf_b64url(buf_t *b, const uint8_t *p, size_t n);
/** Percent-encodes all but unreserved characters (RFC 3986 section 2.3). */
void buf_percent(buf_t *b, str_t s);
/** application/x-www-form-urlencoded: like buf_percent, but a space becomes '+'. */
void buf_form(buf_t *b, str_t s);
/** HTML text and attribute escape: & < > " ' */
void buf_html(buf_t *b, str_t s);
void buf_fmt(buf_t *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** The bytes so far (borrowed from the builder). Only meaningful if not failed. */
str_t buf_str(const buf_t *b);
/** RC_OK and the bytes, or the first failure. */
rc_t buf_done(const buf_t *b, str_t *out) MUST_USE;

#endif
