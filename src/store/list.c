#include "store/list.h"

#include <stdio.h>
#include <stdlib.h>

enum { LENGTH_DIGITS = 20 /* of a size_t */ };

rc_t store_list_write(str_list_t list, str_t *out)
{
    size_t size = 1;
    for (size_t i = 0; i < list.n; i++) {
        if (__builtin_add_overflow(size, list.v[i].n + LENGTH_DIGITS + 3, &size))
            return RC_MEMORY;
    }
    char *p = malloc(size);
    if (!p)
        return RC_MEMORY;
    size_t at = 0;
    for (size_t i = 0; i < list.n; i++) {
        str_t s = list.v[i];
        if (str_is_set(s)) {
            at += (size_t)snprintf(p + at, size - at, "%zu:", s.n);
            memcpy(p + at, s.p, s.n);
            at += s.n;
        } else {
            p[at++] = '-';
        }
        p[at++] = ',';
    }
    *out = str_of(p, at);
    return RC_OK;
}

/* The digits before the colon, without a leading zero. */
static bool take_length(str_t *rest, size_t *length)
{
    size_t colon = str_find(*rest, ':', 0);
    if (colon == 0 || colon == rest->n || (rest->p[0] == '0' && colon > 1))
        return false;
    *length = 0;
    for (size_t i = 0; i < colon; i++) {
        char c = rest->p[i];
        if (c < '0' || c > '9' || *length > rest->n)
            return false;
        *length = *length * 10 + (size_t)(c - '0');
    }
    *rest = str_skip(*rest, colon + 1);
    return true;
}

static bool take_item(str_t *rest, str_t *item)
{
    size_t length = 0;
    if (rest->p[0] == '-') {
        *item = STR_UNSET;
        *rest = str_skip(*rest, 1);
    } else {
        if (!take_length(rest, &length) || length >= rest->n)
            return false;
        *item = str_first(*rest, length);
        *rest = str_skip(*rest, length);
    }
    if (rest->n == 0 || rest->p[0] != ',')
        return false;
    *rest = str_skip(*rest, 1);
    return true;
}

rc_t store_list_read(arena_t *a, str_t bytes, str_list_t *out)
{
    size_t n = 0;
    str_t item, rest = bytes;
    for (; rest.n > 0; n++) {
        if (!take_item(&rest, &item))
            return RC_MALFORMED;
    }
    str_t *v = ARENA_ARRAY(a, n + 1, str_t);
    if (!v)
        return RC_MEMORY;
    rest = bytes;
    for (size_t i = 0; i < n; i++)
        take_item(&rest, &v[i]);
    *out = (str_list_t){v, n};
    return RC_OK;
}

rc_t store_scopes_write(const resource_t *r, str_t *out)
{
    str_t *v = calloc(r->n_scopes + 1, 2 * sizeof *v);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < r->n_scopes; i++) {
        v[2 * i] = r->scopes[i].name;
        v[2 * i + 1] = r->scopes[i].text;
    }
    rc_t rc = store_list_write((str_list_t){v, 2 * r->n_scopes}, out);
    free(v);
    return rc;
}

rc_t store_scopes_read(arena_t *a, str_list_t list, resource_t *r)
{
    scope_text_t *v = ARENA_ARRAY(a, list.n / 2 + 1, scope_text_t);
    if (!v)
        return RC_MEMORY;
    r->scopes = v;
    r->n_scopes = list.n / 2;
    for (size_t i = 0; i < r->n_scopes; i++)
        v[i] = (scope_text_t){list.v[2 * i], list.v[2 * i + 1]};
    return RC_OK;
}
