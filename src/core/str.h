/* Slices by value: a pointer and a length, borrowed, never assumed to end in NUL. */
#ifndef CORE_STR_H
#define CORE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Bytes somebody else owns. Unset (p == NULL) differs from empty (p != NULL, n == 0). */
typedef struct {
    const char *p;
    size_t n;
} str_t;

/** An array of slices; the array and the bytes live in the arena of whoever made it. */
typedef struct {
    const str_t *v;
    size_t n;
} str_list_t;

/* The slice of a string literal (array), without its NUL. */
#define STR(lit) ((str_t){"" lit, sizeof(lit) - 1})
#define STR_INIT(lit)                                                                              \
    {                                                                                              \
        "" lit, sizeof(lit) - 1                                                                    \
    }
#define STR_UNSET ((str_t){NULL, 0})

/* For printf: printf("%" PRIstr, STR_ARG(s)). Trusted formats only. */
#define PRIstr     ".*s"
#define STR_ARG(s) (int)((s).n), ((s).p ? (s).p : "")

static inline str_t str_of(const void *p, size_t n)
{
    return (str_t){(const char *)p, n};
}

/** The slice of a C string of our own (argv, environment, library constants); NULL is unset. */
static inline str_t str_c(const char *c)
{
    return c ? (str_t){c, strlen(c)} : STR_UNSET;
}

static inline bool str_is_set(str_t s)
{
    return s.p != NULL;
}

static inline bool str_is_empty(str_t s)
{
    return s.n == 0;
}

/** Byte equality; unset equals only unset. */
static inline bool str_eq(str_t a, str_t b)
{
    if (!a.p || !b.p)
        return !a.p && !b.p;
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/** Equality of secrets: time depends on the lengths only. */
bool str_eq_ct(str_t a, str_t b);
bool str_eq_nocase_bytes(const char *a, const char *b, size_t n);
/** ASCII case-insensitive equality (scheme and header names: RFC 9110). Most names that are
 * compared differ in length already. */
static inline bool str_eq_nocase(str_t a, str_t b)
{
    if (!a.p || !b.p)
        return !a.p && !b.p;
    return a.n == b.n && str_eq_nocase_bytes(a.p, b.p, a.n);
}
static inline bool str_starts(str_t s, str_t prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}
bool str_ends(str_t s, str_t suffix);
/** Bytewise order, shorter first on a common prefix: <0, 0, >0. */
int str_cmp(str_t a, str_t b);
/** Index of the first byte `c` at or after `from`, or s.n when there is none. */
size_t str_find(str_t s, char c, size_t from);
bool str_contains(str_t s, str_t part);
/** s without its first n bytes (n clamped). */
static inline str_t str_skip(str_t s, size_t n)
{
    if (n > s.n)
        n = s.n;
    return s.p ? (str_t){s.p + n, s.n - n} : s;
}
/** The first n bytes of s (n clamped). */
static inline str_t str_first(str_t s, size_t n)
{
    return (str_t){s.p, n < s.n ? n : s.n};
}
/** Without leading and trailing bytes of `set`. */
str_t str_trim(str_t s, const char *set);
/**
 * Splits off the part before the next `sep`: *rest advances behind it, and becomes unset after
 * the last part. Returns false once *rest is unset.
 */
bool str_split(str_t *rest, char sep, str_t *part);
/** Whether `list` holds exactly `s`. */
bool str_list_has(str_list_t list, str_t s);
/** Whether every byte is printable ASCII without control bytes (0x20..0x7e). */
bool str_is_printable_ascii(str_t s);
/** Whether s is well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
bool str_is_utf8(str_t s);

#endif
