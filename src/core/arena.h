/* One arena a request: bump allocation with a budget, and cleanups for foreign handles. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include "core/rc.h"
#include "core/str.h"

typedef struct arena arena_t;

/** A new arena that hands out at most `budget` bytes in its life; NULL without memory. One thread
 *  at a time. Free with arena_free. */
arena_t *arena_new(size_t budget);
/** Runs the cleanups, last registered first, and frees everything. NULL is fine. */
void arena_free(arena_t *a);
/** Runs the cleanups and forgets everything but the first block, for reuse. */
void arena_reset(arena_t *a);
/** Zeroed, aligned for any type; NULL when the budget or the machine's memory is used up. */
void *arena_alloc(arena_t *a, size_t size);
/** arena_alloc of n * size with an overflow check. */
void *arena_array(arena_t *a, size_t n, size_t size);
/** Registers fn(ptr) to run when the arena ends. RC_MEMORY: fn was run at once. */
rc_t arena_cleanup(arena_t *a, void (*fn)(void *), void *ptr) MUST_USE;
/** Copies bytes into the arena (with a NUL after them, not counted); unset copies to unset. An
 *  unset answer for a set input means no memory. */
str_t arena_dup(arena_t *a, str_t s);
/** Copies to a C string; NULL when there is no memory or s holds a NUL byte. */
char *arena_cstr(arena_t *a, str_t s);
/** Formats into the arena; unset when there is no memory. */
str_t arena_printf(arena_t *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Bytes handed out since creation or reset. */
size_t arena_used(const arena_t *a);

#define ARENA_NEW(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))

#endif
