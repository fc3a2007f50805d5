/* application/x-www-form-urlencoded, for bodies and queries. Strict: a bad percent-escape, NUL or
 * bad UTF-8 is RC_MALFORMED. */
#ifndef CORE_FORM_H
#define CORE_FORM_H

#include "core/arena.h"

typedef struct {
    str_t name, value; /* decoded */
} form_field_t;

typedef struct {
    const form_field_t *v;
    size_t n;
} form_t;

/** Parses into the arena. "a" is a with an empty value; empty pieces ("&&") are skipped.
 *  RC_MALFORMED, RC_LIMIT (more fields than LIMIT_FORM_FIELDS), RC_MEMORY. */
rc_t form_parse(arena_t *a, str_t text, form_t *out) MUST_USE;

typedef enum { FORM_ABSENT, FORM_ONCE, FORM_REPEATED } form_found_t;
/** Looks `name` up. An empty value counts as absent (RFC 6749 section 3.1); *out is unset unless
 *  FORM_ONCE. A name that comes twice, whatever its values, is FORM_REPEATED. */
form_found_t form_get(const form_t *f, str_t name, str_t *out);
/** All non-empty values of `name` in order (RFC 8707: resource may repeat). */
rc_t form_get_all(arena_t *a, const form_t *f, str_t name, str_list_t *out) MUST_USE;
/** Decodes one piece ('+' is a space). */
rc_t form_decode(arena_t *a, str_t raw, str_t *out) MUST_USE;

#endif
