#include "core/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Most requests fit into the first block, which is 8 KiB with what malloc adds. */
enum { FIRST_BLOCK = 8192 - 48, LARGEST_BLOCK = 262144, ALIGN = 16 };

typedef struct block {
    struct block *next;
    size_t size, used;
    _Alignas(ALIGN) char bytes[];
} block_t;

typedef struct cleanup {
    struct cleanup *next;
    void (*fn)(void *);
    void *ptr;
} cleanup_t;

struct arena {
    block_t *blocks; /* newest first; the last is the first block, kept by a reset */
    cleanup_t *cleanups;
    size_t budget, used;
};

static block_t *block_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(block_t))
        return NULL;
    block_t *b = malloc(sizeof *b + size);
    if (!b)
        return NULL;
    b->next = NULL;
    b->size = size;
    b->used = 0;
    return b;
}

arena_t *arena_new(size_t budget)
{
    arena_t *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->budget = budget;
    a->blocks = block_new(FIRST_BLOCK);
    if (!a->blocks) {
        free(a);
        return NULL;
    }
    return a;
}

static void run_cleanups(arena_t *a)
{
    while (a->cleanups) {
        cleanup_t *c = a->cleanups;
        a->cleanups = c->next;
        c->fn(c->ptr);
    }
}

void arena_reset(arena_t *a)
{
    run_cleanups(a);
    while (a->blocks->next) {
        block_t *b = a->blocks;
        a->blocks = b->next;
        free(b);
    }
    a->blocks->used = 0;
    a->used = 0;
}

void arena_free(arena_t *a)
{
    if (!a)
        return;
    arena_reset(a);
    free(a->blocks);
    free(a);
}

/* Blocks grow with the arena, so that a large document costs few calls. */
static block_t *grow(arena_t *a, size_t size)
{
    size_t want = a->blocks->size * 2;
    if (want > LARGEST_BLOCK)
        want = LARGEST_BLOCK;
    block_t *b = block_new(size > want ? size : want);
    if (!b)
        return NULL;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *arena_alloc(arena_t *a, size_t size)
{
    if (size > a->budget || size > SIZE_MAX - ALIGN)
        return NULL;
    size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (rounded == 0)
        rounded = ALIGN;
    if (a->used > a->budget || rounded > a->budget - a->used)
        return NULL;
    block_t *b = a->blocks;
    if (b->size - b->used < rounded && !(b = grow(a, rounded)))
        return NULL;
    void *p = b->bytes + b->used;
    b->used += rounded;
    a->used += rounded;
    return memset(p, 0, rounded);
}

void *arena_array(arena_t *a, size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size)
        return NULL;
    return arena_alloc(a, n * size);
}

rc_t arena_cleanup(arena_t *a, void (*fn)(void *), void *ptr)
{
    cleanup_t *c = ARENA_NEW(a, cleanup_t);
    if (!c) {
        fn(ptr);
        return RC_MEMORY;
    }
    *c = (cleanup_t){a->cleanups, fn, ptr};
    a->cleanups = c;
    return RC_OK;
}

str_t arena_dup(arena_t *a, str_t s)
{
    if (!s.p)
        return STR_UNSET;
    char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;
    if (!p)
        return STR_UNSET;
    memcpy(p, s.p, s.n);
    return str_of(p, s.n);
}

char *arena_cstr(arena_t *a, str_t s)
{
    if (s.n > 0 && memchr(s.p, '\0', s.n))
        return NULL;
    char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;
    if (p && s.n > 0)
        memcpy(p, s.p, s.n);
    return p;
}

str_t arena_printf(arena_t *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *p = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;
    if (!p)
        return STR_UNSET;
    va_start(args, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, args);
    va_end(args);
    return str_of(p, (size_t)n);
}

size_t arena_used(const arena_t *a)
{
    return a->used;
}
