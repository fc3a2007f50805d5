/* Secrets are a type of their own: no log and no JSON writer takes one. */
#ifndef CORE_SECRET_H
#define CORE_SECRET_H

#include "core/arena.h"

/** Bytes that must never be printed. The bytes live where they were read; wipe when done. */
typedef struct {
    str_t hidden;
} secret_t;

static inline secret_t secret_of(str_t s)
{
    return (secret_t){s};
}

/** Overwrites n bytes in a way the compiler keeps. */
void secret_wipe(void *p, size_t n);
/** n zeroed bytes in the arena, to be filled and wiped when it ends; NULL without memory. */
void *secret_alloc(arena_t *a, size_t n);
/** Copies into the arena; the copy is wiped when the arena ends. Unset hidden: no memory. */
secret_t secret_dup(arena_t *a, str_t s);
/** Equality whose time depends on the lengths only. */
bool secret_eq(secret_t a, secret_t b);

#endif
