#include "proxy/child_splice.h"

/* Kept in order, so that splicing is one pass. */
rc_t child_patch(child_patches_t *patches, str_t text, str_t part, str_t with)
{
    if (!part.p)
        return RC_OK;
    bool within = part.p >= text.p && part.p + part.n <= text.p + text.n;
    if (!within || patches->n == CHILD_PATCHES_MAX)
        return RC_MALFORMED;
    size_t at = (size_t)(part.p - text.p), i = patches->n++;
    for (; i > 0 && patches->v[i - 1].at > at; i--)
        patches->v[i] = patches->v[i - 1];
    patches->v[i] = (child_patch_t){at, part.n, with};
    return RC_OK;
}

static void copy(char *p, size_t *n, str_t from)
{
    for (size_t i = 0; i < from.n; i++) {
        char c = from.p[i];
        p[(*n)++] = c == '\n' || c == '\r' ? ' ' : c;
    }
}

rc_t child_splice(arena_t *a, str_t text, const child_patches_t *patches, str_t *out)
{
    size_t room = text.n + 1, n = 0, at = 0;
    for (size_t i = 0; i < patches->n; i++)
        room += patches->v[i].with.n;
    char *p = arena_alloc(a, room);
    if (!p)
        return RC_MEMORY;
    for (size_t i = 0; i < patches->n; i++) {
        const child_patch_t *patch = &patches->v[i];
        if (patch->at < at)
            return RC_MALFORMED;
        copy(p, &n, str_of(text.p + at, patch->at - at));
        copy(p, &n, patch->with);
        at = patch->at + patch->n;
    }
    copy(p, &n, str_skip(text, at));
    *out = str_of(p, n);
    return RC_OK;
}
