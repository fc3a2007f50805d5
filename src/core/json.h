/* The one strict JSON reader (RFC 8259 and I-JSON, RFC 7493) and a writer that cannot produce bad
 * JSON. Refused: duplicate members, bad UTF-8, lone surrogates, BOM, anything after the value. */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include "core/buf.h"

typedef enum {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
} json_type_t;

/** A value. Read-only; lives in the arena it was parsed into, and borrows the input. */
typedef struct json {
    json_type_t type;
    uint32_t count; /* members or elements */
    str_t raw;      /* the exact bytes of the value in the input, for signing, forwarding */
    str_t str;      /* JSON_STRING: decoded text (may hold NUL); else unset */
    str_t key;      /* as a member: its decoded name; else unset */
    const struct json *child; /* first member or element */
    const struct json *next;  /* next sibling */
} json_t;

typedef struct {
    size_t max_bytes; /* of the input */
    uint32_t max_depth;
    uint32_t max_nodes;
} json_limits_t;

extern const json_limits_t JSON_LIMITS_DEFAULT;

/**
 * Parses the whole of `text` (borrowed: must outlive the result). *out and all it points at live in
 * `a`. RC_MALFORMED, RC_LIMIT or RC_MEMORY; *out is NULL then. `limits` NULL means the default.
 */
rc_t json_parse(arena_t *a, str_t text, const json_limits_t *limits, const json_t **out) MUST_USE;

/* Readers. All take NULL values and wrong types, and answer "absent" then. */
const json_t *json_get(const json_t *object, str_t name);
/** The text of a string member, or unset. */
str_t json_get_str(const json_t *object, str_t name);
/** A member that must be an integer in int64 range, written without fraction or exponent. */
bool json_get_i64(const json_t *object, str_t name, int64_t *out);
bool json_get_bool(const json_t *object, str_t name, bool *out);
/** A number as int64: integers only, no fraction or exponent. */
bool json_i64(const json_t *v, int64_t *out);
/** A number as double (finite). */
bool json_f64(const json_t *v, double *out);
bool json_is(const json_t *v, json_type_t type);
/** What a path of member names and indices leads to ("order.lines.0"): an index counts elements of
 * a list, and is a name in an object. NULL: nothing is there. */
const json_t *json_path(const json_t *from, str_t path);
/** The member of that whole name, else what it leads to as a path. */
const json_t *json_claim(const json_t *claims, str_t name);

/** Writer: values and keys in order; commas and escapes are its own. Failure sticks in buf: a call
 *  out of place (a value without its key, the wrong end, a second document) is RC_MALFORMED. */
typedef struct {
    buf_t *buf;
    uint64_t comma;  /* one bit a level: a comma is due before the next value */
    uint64_t object; /* one bit a level: it is an object, its members need keys */
    bool keyed;      /* a key waits for its value */
    unsigned depth;  /* at most 63 */
} json_writer_t;

json_writer_t json_writer(buf_t *b);
void json_begin_object(json_writer_t *w);
void json_end_object(json_writer_t *w);
void json_begin_array(json_writer_t *w);
void json_end_array(json_writer_t *w);
void json_key(json_writer_t *w, str_t name);
/** Invalid UTF-8 in s fails the builder with RC_MALFORMED. Control characters are escaped. */
void json_str(json_writer_t *w, str_t s);
void json_int(json_writer_t *w, int64_t v);
/** Shortest of %.17g that reads back, whole numbers without an exponent; NaN and infinities fail
 * the builder. */
void json_double(json_writer_t *w, double v);
void json_bool(json_writer_t *w, bool v);
void json_null(json_writer_t *w);
/** Bytes that are a JSON value already (from json_t.raw or another writer). */
void json_raw(json_writer_t *w, str_t raw);
/* Members in one call; an unset string writes nothing (absent members stay absent, never null). */
void json_member_str(json_writer_t *w, str_t name, str_t s);
void json_member_int(json_writer_t *w, str_t name, int64_t v);
void json_member_bool(json_writer_t *w, str_t name, bool v);
void json_member_strs(json_writer_t *w, str_t name, str_list_t list);
/** The members of `object` as they stand, but those of these names; nothing of what is no object.
 */
void json_members_but(json_writer_t *w, const json_t *object, str_list_t names);

#endif
