#include "core/secret.h"

void secret_wipe(void *p, size_t n)
{
    if (n == 0)
        return;
    explicit_bzero(p, n);
}

typedef struct {
    char *p;
    size_t n;
} wipe_t;

static void wipe(void *ptr)
{
    wipe_t *w = ptr;
    secret_wipe(w->p, w->n);
}

void *secret_alloc(arena_t *a, size_t n)
{
    wipe_t *w = ARENA_NEW(a, wipe_t);
    char *p = w ? arena_alloc(a, n + 1) : NULL;
    if (!p)
        return NULL;
    *w = (wipe_t){p, n};
    return arena_cleanup(a, wipe, w) == RC_OK ? p : NULL;
}

secret_t secret_dup(arena_t *a, str_t s)
{
    char *p = secret_alloc(a, s.n);
    if (!p)
        return secret_of(STR_UNSET);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    return secret_of(str_of(p, s.n));
}

bool secret_eq(secret_t a, secret_t b)
{
    return str_eq_ct(a.hidden, b.hidden);
}
