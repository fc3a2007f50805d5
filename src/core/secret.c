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

secret_t secret_dup(arena_t *a, str_t s)
{
    secret_t none = {STR_UNSET};
    wipe_t *w = ARENA_NEW(a, wipe_t);
    char *p = w ? arena_alloc(a, s.n + 1) : NULL;
    if (!p)
        return none;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    *w = (wipe_t){p, s.n};
    if (arena_cleanup(a, wipe, w) != RC_OK)
        return none;
    return secret_of(str_of(p, s.n));
}

bool secret_eq(secret_t a, secret_t b)
{
    return str_eq_ct(a.hidden, b.hidden);
}
